/*
 * The tokenizer: FTS5's unicode61 for folding, with its words cut further.
 *
 * unicode61 takes a run of letters as a word, so a sentence of Chinese is one
 * word and nothing within it is found. Here each character of a script that
 * is written without spaces is a word of its own, and as FTS5 makes a phrase
 * of the words of a quoted string, a query of several characters finds just
 * that sequence. Emoji are words of one character as well; other signs part
 * words. Combining marks belong to words, or those of Hindi would be cut at
 * each vowel.
 *
 * The other way is FTS5's trigram tokenizer, which indexes each sequence of
 * three characters. Measured over 100,000 messages of 455 bytes it took 5.5
 * times the bytes, 6 times the time to fill and 10 to 20 times the time to
 * find a word or a phrase; it finds nothing shorter than three characters,
 * where most Chinese words have two; and SQLite's of Debian 12 keeps accents.
 *
 * Pure, but for SQLite's memory. No file is read.
 */
#include "base/base.h"

#include "store/search_token.h"

#include "base/mem.h"
#include "base/text.h"

enum class { CLASS_WORD, CLASS_SINGLE, CLASS_BREAK };

/* Below the first of these all characters are parts of words. Sorted. */
static const struct range {
    uint32_t from, to;
    enum class class;
} ranges[] = {
    {0x00a6, 0x00a6, CLASS_BREAK},  /* a broken bar */
    {0x00a9, 0x00a9, CLASS_BREAK},  /* copyright */
    {0x00ae, 0x00ae, CLASS_BREAK},  /* registered */
    {0x00b0, 0x00b0, CLASS_BREAK},  /* degree */
    {0x0e00, 0x0eff, CLASS_SINGLE}, /* Thai, Lao */
    {0x1000, 0x109f, CLASS_SINGLE}, /* Myanmar */
    {0x1780, 0x17ff, CLASS_SINGLE}, /* Khmer */
    {0x2100, 0x2101, CLASS_BREAK},  /* letterlike signs that are no letters */
    {0x2103, 0x2106, CLASS_BREAK},
    {0x2108, 0x2109, CLASS_BREAK},
    {0x2114, 0x2114, CLASS_BREAK},
    {0x2116, 0x2117, CLASS_BREAK},
    {0x211e, 0x2123, CLASS_BREAK},
    {0x2190, 0x245f, CLASS_BREAK},
    {0x249c, 0x24e9, CLASS_BREAK},  /* letters in circles */
    {0x2500, 0x25ff, CLASS_BREAK},  /* lines and boxes */
    {0x2600, 0x27bf, CLASS_SINGLE}, /* older emoji */
    {0x2800, 0x2bff, CLASS_BREAK},  /* Braille, arrows */
    {0x2e80, 0x9fff, CLASS_SINGLE}, /* Han, kana, bopomofo */
    {0xac00, 0xd7a3, CLASS_SINGLE}, /* Hangul */
    {0xf900, 0xfaff, CLASS_SINGLE}, /* Han */
    {0xfe00, 0xfe0f, CLASS_BREAK},  /* ways to draw the one before */
    {0xff66, 0xff9f, CLASS_SINGLE}, /* narrow katakana */
    {0xfffc, 0xfffd, CLASS_BREAK},
    {0x1b000, 0x1b16f, CLASS_SINGLE}, /* kana */
    {0x1f000, 0x1faff, CLASS_SINGLE}, /* emoji */
    {0x20000, 0x3ffff, CLASS_SINGLE}, /* Han */
};

/* The first character that is not part of a word is U+00A6: 0xc2 0xa6. */
#define FIRST_BYTE 0xc2

struct search_tokenizer {
    fts5_tokenizer inner;
    Fts5Tokenizer *impl;
};

/* What a word of unicode61 is cut for. */
typedef int token_fn(void *arg, int flags, const char *word, int n, int from,
                     int to);
struct cut {
    token_fn *fn;
    void *arg;
    const char *text;
};

static uint32_t
decode(const char *s, int len)
{
    const unsigned char *u = (const unsigned char *)s;

    switch (len) {
    case 2: return (u[0] & 0x1fU) << 6 | (u[1] & 0x3fU);
    case 3: return (u[0] & 0x0fU) << 12 | (u[1] & 0x3fU) << 6 | (u[2] & 0x3fU);
    case 4:
        return (u[0] & 0x07U) << 18 | (u[1] & 0x3fU) << 12 |
               (u[2] & 0x3fU) << 6 | (u[3] & 0x3fU);
    default: return u[0];
    }
}

/* The class of the character at s, and its length. Bytes that are none, which
 * unicode61 replaces, are parts of words. */
static enum class classify(const char *s, int n, int *len) {
    size_t low = 0, high = COUNT_OF(ranges); uint32_t c;

    *len = utf8_seq(s, (size_t)n); if (*len <= 0){ *len = 1; return CLASS_WORD;}
c = decode(s, *len);
while (low < high) {
    size_t mid = (low + high) / 2;

    if (c > ranges[mid].to)
        low = mid + 1;
    else
        high = mid;
}
return low < COUNT_OF(ranges) && c >= ranges[low].from ? ranges[low].class
                                                       : CLASS_WORD;
}

/* The end of a run of word characters from i on. */
static int
run_end(const char *s, int i, int n)
{
    int len;

    while (i < n && classify(s + i, n - i, &len) == CLASS_WORD)
        i += len;
    return i;
}

static int
emit(const struct cut *c, int flags, const char *word, int n, int from, int to)
{
    if (n > SEARCH_TOKEN_MAX) {
        n = SEARCH_TOKEN_MAX;
        while (n > 0 && ((unsigned char)word[n] & 0xc0) == 0x80)
            n--;
    }
    return n > 0 ? c->fn(c->arg, flags, word, n, from, to) : SQLITE_OK;
}

/* Folding may change the length of what is between single characters, never
 * the order: word and text are walked side by side. */
static int
cut_word(void *arg, int flags, const char *word, int n, int from, int to)
{
    const struct cut *c = arg;
    int i = 0, at = from, rc = SQLITE_OK;

    while (i < n && (unsigned char)word[i] < FIRST_BYTE)
        i++;
    if (i == n)
        return emit(c, flags, word, n, from, to);
    for (i = 0; rc == SQLITE_OK && i < n;) {
        int i_end = run_end(word, i, n), at_end = run_end(c->text, at, to);
        int len, at_len;

        if (i_end > i)
            rc = emit(c, flags, word + i, i_end - i, at, at_end);
        i = i_end;
        at = at_end;
        if (rc != SQLITE_OK || i >= n || at >= to)
            break;
        (void)classify(c->text + at, to - at, &at_len);
        if (classify(word + i, n - i, &len) == CLASS_SINGLE)
            rc = emit(c, flags, word + i, len, at, at + at_len);
        i += len;
        at += at_len;
    }
    return rc;
}

/* --- as FTS5 calls it ---------------------------------------------------- */

static int
token_create(void *arg, const char **args, int n, Fts5Tokenizer **out)
{
    struct search_tokenizer *t = search_token_new(arg);

    (void)args;
    (void)n;
    *out = (Fts5Tokenizer *)t;
    return t != NULL ? SQLITE_OK : SQLITE_ERROR;
}

static void
token_delete(Fts5Tokenizer *t)
{
    search_token_free((struct search_tokenizer *)t);
}

static int
token_run(Fts5Tokenizer *tokenizer, void *arg, int flags, const char *text,
          int n, token_fn *fn)
{
    struct search_tokenizer *t = (struct search_tokenizer *)tokenizer;
    struct cut c = {fn, arg, text};

    return t->inner.xTokenize(t->impl, &c, flags, text, n, cut_word);
}

int
search_token_register(fts5_api *api)
{
    fts5_tokenizer t = {token_create, token_delete, token_run};

    return api->xCreateTokenizer(api, SEARCH_TOKENIZER, api, &t, NULL);
}

/* --- on its own ---------------------------------------------------------- */

fts5_api *
search_token_api(sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;
    fts5_api *api = NULL;

    if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &stmt, NULL) == SQLITE_OK)
        if (sqlite3_bind_pointer(stmt, 1, &api, "fts5_api_ptr", NULL) ==
            SQLITE_OK)
            (void)sqlite3_step(stmt); /* api says whether it went well */
    (void)sqlite3_finalize(stmt);
    return api;
}

struct search_tokenizer *
search_token_new(fts5_api *api)
{
    const char *args[] = {"remove_diacritics", "2", "categories",
                          "L* N* Co Mn Mc So"};
    struct search_tokenizer *t = xcalloc(1, sizeof(*t));
    void *context = NULL;

    if (api->xFindTokenizer(api, "unicode61", &context, &t->inner) ==
            SQLITE_OK &&
        t->inner.xCreate(context, args, COUNT_OF(args), &t->impl) == SQLITE_OK)
        return t;
    free(t);
    return NULL;
}

void
search_token_free(struct search_tokenizer *t)
{
    if (t == NULL)
        return;
    t->inner.xDelete(t->impl);
    free(t);
}

struct walk {
    search_token_fn *fn;
    void *arg;
};

static int
walk_one(void *arg, int flags, const char *word, int n, int from, int to)
{
    const struct walk *w = arg;

    (void)flags;
    return w->fn(w->arg, word, (size_t)n, (size_t)from, (size_t)to)
               ? SQLITE_OK
               : SQLITE_DONE;
}

void
search_token_walk(struct search_tokenizer *t, const char *text, size_t n,
                  search_token_fn *fn, void *arg)
{
    struct walk w = {fn, arg};

    assert(n <= INT32_MAX);
    (void)token_run((Fts5Tokenizer *)t, &w, FTS5_TOKENIZE_AUX, text, (int)n,
                    walk_one); /* SQLITE_DONE: fn had enough */
}
