/*
 * Most words of most texts are ASCII: these are found and folded by a table of
 * bytes, and only the rest goes through FTS5's unicode61, with the same result.
 * Characters of scripts without spaces are cut out before that, so that all
 * places are those of the text.
 *
 * A document's words are given to FTS5 once per chunk, however often they come
 * there, each with its stem beside it: the index says which chunks have a word
 * (detail=none), and what else ranks them is read from their text
 * (query_rank.c). So the index is half as large and made twice as fast as one
 * with places. Stems are kept in a small table, since few words are most of a
 * text.
 */
#include "base/base.h"

#include "files/shelf_token.h"

#include "base/mem.h"
#include "lang/letter.h"

#define SEEN (1u << 10)  /* slots of the words of one chunk */
#define STEMS (1u << 11) /* slots of stems */
#define STEM_MIN 3       /* bytes; shorter words have no stem */
#define COLOCATED 0x80   /* beside the length of a listed word */

struct shelf_token {
    fts5_tokenizer inner; /* unicode61 */
    Fts5Tokenizer *impl;
    struct stems *stems;
    bool owns_stems;
    /* Words of the chunk at hand. */
    uint64_t *seen; /* owned; hash, with the number of the round below */
    uint64_t round;
};

/* What a byte is in a word: 0 nothing, else its small letter; 0x80 and above
 * are parts of longer characters. */
static const unsigned char small[256] = {
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4',
    ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
    ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e',
    ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j',
    ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o',
    ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't',
    ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y',
    ['Z'] = 'z', ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd',
    ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i',
    ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n',
    ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's',
    ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x',
    ['y'] = 'y', ['z'] = 'z',
};

static size_t
stem(struct shelf_token *t, enum lang lang, const char *word, size_t n,
     uint64_t hash, char out[SHELF_WORD_MAX + 1])
{
    lang = lang <= LANG_NONE || lang >= LANG__MAX ? LANG_EN : lang;
    if (n < STEM_MIN || (word[0] >= '0' && word[0] <= '9')) {
        memcpy(out, word, n);
        return n;
    }
    return stems_cut(t->stems, lang, word, n, hash, out);
}

size_t
shelf_token_stem(struct shelf_token *t, enum lang lang, const char *word,
                 size_t n, char out[SHELF_WORD_MAX + 1])
{
    return stem(t, lang, word, n, stems_hash(word, n), out);
}

/* --- words ---------------------------------------------------------------- */

/* What one walk gives its words to. */
struct walk {
    struct shelf_token *t;
    const char *text;
    shelf_word_fn *fn;
    void *arg;
    size_t from; /* of what unicode61 reads now */
    bool done;
};

static void
give(struct walk *w, const char *s, size_t n, size_t from, size_t to,
     enum shelf_word_kind kind)
{
    struct shelf_word word = {s, n, from, to, kind};

    if (n > SHELF_WORD_MAX) {
        word.len = SHELF_WORD_MAX;
        while (word.len > 0 && ((unsigned char)s[word.len] & 0xc0) == 0x80)
            word.len--;
    }
    if (word.len > 0 && !w->done)
        w->done = !w->fn(w->arg, &word);
}

static int
give_inner(void *arg, int flags, const char *s, int n, int from, int to)
{
    struct walk *w = arg;

    (void)flags;
    give(w, s, (size_t)n, w->from + (size_t)from, w->from + (size_t)to,
         SHELF_WORD);
    return w->done ? SQLITE_DONE : SQLITE_OK;
}

static void
walk_inner(struct walk *w, size_t from, size_t to)
{
    if (from >= to || w->done)
        return;
    w->from = from;
    (void)w->t->inner.xTokenize(w->t->impl, w, FTS5_TOKENIZE_AUX,
                                w->text + from, (int)(to - from), give_inner);
}

/* A run of letters, digits and longer characters. */
static void
walk_wide(struct walk *w, size_t from, size_t to)
{
    size_t start = from, before = 0, before_end = SIZE_MAX, len;

    for (size_t i = from; i < to && !w->done; i += len) {
        uint32_t c;
        bool cjk, emoji;

        len = letter_read(w->text + i, to - i, &c);
        cjk = letter_is_cjk(c);
        emoji = c >= 0x80 && letter_is_emoji(c);
        if (!cjk && !emoji)
            continue;
        walk_inner(w, start, i);
        give(w, w->text + i, len, i, i + len,
             cjk ? SHELF_CHARACTER : SHELF_WORD);
        if (cjk && before_end == i)
            give(w, w->text + before, i + len - before, before, i + len,
                 SHELF_PAIR);
        if (cjk) {
            before = i;
            before_end = i + len;
        }
        start = i + len;
    }
    walk_inner(w, start, to);
}

void
shelf_token_walk(struct shelf_token *t, const char *text, size_t n,
                 shelf_word_fn *fn, void *arg)
{
    struct walk w = {.t = t, .text = text, .fn = fn, .arg = arg};
    char word[SHELF_WORD_MAX];
    size_t i = 0;

    assert(n <= INT32_MAX);
    while (i < n && !w.done) {
        size_t from = i, len = 0;
        bool wide = false;

        for (; i < n; i++) {
            unsigned char c = small[(unsigned char)text[i]];

            if (c == 0) {
                if ((unsigned char)text[i] < 0x80)
                    break;
                wide = true;
            }
            if (len < sizeof(word))
                word[len++] = (char)c;
        }
        if (wide)
            walk_wide(&w, from, i);
        else if (len > 0)
            give(&w, word, len, from, i, SHELF_WORD);
        while (i < n && small[(unsigned char)text[i]] == 0 &&
               (unsigned char)text[i] < 0x80)
            i++;
    }
}

/* --- as FTS5 calls it ----------------------------------------------------- */

/* FTS5's side of a chunk. */
struct index_walk {
    struct shelf_token *t;
    enum lang lang;
    void *arg;
    int (*fn)(void *, int, const char *, int, int, int);
    int rc;
};

/* Is it the first time in this chunk? A full table forgets, which costs FTS5 a
 * little and changes nothing. */
static bool
is_new(struct shelf_token *t, uint64_t hash)
{
    uint64_t key = (hash & ~UINT64_C(0xfffff)) | t->round;
    size_t i = (size_t)(key >> 40) % SEEN;

    for (int tries = 0; tries < 8; tries++, i = (i + 1) % SEEN) {
        if (t->seen[i] == key)
            return false;
        if ((t->seen[i] & 0xfffff) != t->round) {
            t->seen[i] = key;
            return true;
        }
    }
    return true;
}

static bool
index_word(void *arg, const struct shelf_word *w)
{
    struct index_walk *x = arg;
    char root[SHELF_WORD_MAX + 1];
    uint64_t hash = stems_hash(w->s, w->len);
    size_t n;

    if (!is_new(x->t, hash))
        return true;
    x->rc = x->fn(x->arg, 0, w->s, (int)w->len, (int)w->from, (int)w->to);
    if (x->rc != SQLITE_OK || w->kind != SHELF_WORD)
        return x->rc == SQLITE_OK;
    n = stem(x->t, x->lang, w->s, w->len, hash, root);
    if ((n != w->len || memcmp(root, w->s, n) != 0) &&
        is_new(x->t, stems_hash(root, n)))
        x->rc = x->fn(x->arg, FTS5_TOKEN_COLOCATED, root, (int)n, (int)w->from,
                      (int)w->to);
    return x->rc == SQLITE_OK;
}

static int
token_create(void *arg, const char **args, int n, Fts5Tokenizer **out)
{
    (void)args;
    (void)n;
    *out = arg;
    return SQLITE_OK;
}

static void
token_delete(Fts5Tokenizer *t)
{
    (void)t; /* the connection's */
}

/* All words of a text that begins with the mark. */
static int
index_text(struct shelf_token *t, const char *text, size_t n, void *arg,
           int (*fn)(void *, int, const char *, int, int, int))
{
    struct index_walk x = {.t = t, .arg = arg, .fn = fn};

    if (n < 2 || text[0] != SHELF_TOKEN_MARK)
        return SQLITE_OK;
    x.lang = (enum lang)(text[1] - '0');
    if (t->seen == NULL)
        t->seen = xcalloc(SEEN, sizeof(*t->seen));
    t->round = (t->round + 1) & 0xfffff;
    if (t->round == 0) {
        memset(t->seen, 0, SEEN * sizeof(*t->seen));
        t->round = 1;
    }
    shelf_token_walk(t, text + 2, n - 2, index_word, &x);
    return x.rc;
}

static int
list_word(void *arg, int flags, const char *s, int n, int from, int to)
{
    struct buf *out = arg;

    (void)from;
    (void)to;
    buf_addc(out,
             (char)(n | ((flags & FTS5_TOKEN_COLOCATED) != 0 ? COLOCATED : 0)));
    buf_add(out, s, (size_t)n);
    return SQLITE_OK;
}

void
shelf_token_list(struct shelf_token *t, const char *text, size_t n,
                 struct buf *out)
{
    buf_clear(out);
    buf_addc(out, SHELF_TOKEN_LIST);
    IGNORE(index_text(t, text, n, out, list_word)); /* it is always OK */
}

static int
list_read(const char *list, size_t n, void *arg,
          int (*fn)(void *, int, const char *, int, int, int))
{
    int rc = SQLITE_OK;

    for (size_t i = 1; rc == SQLITE_OK && i < n;) {
        unsigned char head = (unsigned char)list[i++];
        int len = head & (COLOCATED - 1);

        assert((size_t)len <= n - i);
        rc = fn(arg, (head & COLOCATED) != 0 ? FTS5_TOKEN_COLOCATED : 0,
                list + i, len, (int)i, (int)i + len);
        i += (size_t)len;
    }
    return rc;
}

static int
token_run(Fts5Tokenizer *tokenizer, void *arg, int flags, const char *text,
          int n, int (*fn)(void *, int, const char *, int, int, int))
{
    struct shelf_token *t = (struct shelf_token *)tokenizer;

    if ((flags & FTS5_TOKENIZE_QUERY) != 0)
        return n > 0 ? fn(arg, 0, text, n, 0, n) : SQLITE_OK;
    if (n > 0 && text[0] == SHELF_TOKEN_LIST)
        return list_read(text, (size_t)n, arg, fn);
    return n > 0 ? index_text(t, text, (size_t)n, arg, fn) : SQLITE_OK;
}

int
shelf_token_register(fts5_api *api, struct shelf_token *t)
{
    fts5_tokenizer mine = {token_create, token_delete, token_run};

    return api->xCreateTokenizer(api, SHELF_TOKENIZER, t, &mine, NULL);
}

fts5_api *
shelf_token_api(sqlite3 *db)
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

struct shelf_token *
shelf_token_new(fts5_api *api, struct stems *stems)
{
    const char *args[] = {"remove_diacritics", "2", "categories",
                          "L* N* Co Mn Mc"};
    struct shelf_token *t = xcalloc(1, sizeof(*t));
    void *context = NULL;

    if (api->xFindTokenizer(api, "unicode61", &context, &t->inner) ==
            SQLITE_OK &&
        t->inner.xCreate(context, args, COUNT_OF(args), &t->impl) ==
            SQLITE_OK) {
        t->owns_stems = stems == NULL;
        t->stems = stems != NULL ? stems : stems_new(STEMS);
        return t;
    }
    free(t);
    return NULL;
}

void
shelf_token_free(struct shelf_token *t)
{
    if (t == NULL)
        return;
    t->inner.xDelete(t->impl);
    if (t->owns_stems)
        stems_free(t->stems);
    free(t->seen);
    free(t);
}
