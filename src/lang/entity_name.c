/*
 * Names: runs of words with capitals.
 *
 * At a sentence's start every word has a capital, so the first word counts only
 * if it is written so elsewhere, too, or has more capitals than it owes. "of",
 * "van" and their likes may stand within a name. What ends in "GmbH" or begins
 * with "University of" is an organisation. Headings, rows of tables and
 * sentences that are all capitals tell nothing and are left out.
 */
#include "base/base.h"

#include "lang/entity_find.h"

#include "base/mem.h"
#include "lang/letter.h"
#include "lang/reading.h"

static const char *const joints[] = {"of",  "de",  "von", "van", "der", "den",
                                     "del", "du",  "da",  "di",  "la",  "al",
                                     "bin", "ibn", "zu",  "dos", "for"};

static const char *const suffixes[] = {
    "inc",         "incorporated", "corp",       "corporation", "ltd",
    "limited",     "llc",          "llp",        "plc",         "gmbh",
    "ag",          "kg",           "se",         "co",          "company",
    "group",       "holdings",     "holding",    "bank",        "university",
    "institute",   "institut",     "foundation", "association", "agency",
    "committee",   "council",      "commission", "union",       "party",
    "universität", "hochschule",   "stiftung",   "verein",      "ministry",
    "court",       "school",       "college",    "hospital",    "museum",
    "parliament",  "senate",       "labs",       "systems",     "technologies",
    "industries",  "airlines",     "motors",     "partners",    "society",
    "e.v"};

static const char *const prefixes[] = {
    "university", "universität", "université", "universidad", "bank",
    "ministry",   "department",  "institute",  "bureau",      "house",
    "board",      "ministère",   "ministerio", "office"};

/* Words in capitals that shout, and words that begin sentences. */
static const char *const no_names[] = {
    "note",      "todo",      "warning", "important", "ok",     "fyi",
    "yes",       "no",        "update",  "edit",      "tldr",   "lol",
    "hello",     "hi",        "hey",     "thanks",    "please", "today",
    "yesterday", "tomorrow",  "last",    "next",      "dear",   "sorry",
    "question",  "answer",    "example", "step",      "figure", "table",
    "mr",        "mrs",       "ms",      "dr",        "omg",    "asap",
    "user",      "assistant", "see",     "use",       "call",   "run",
    "visit",     "contact",   "try",     "add",       "open",   "read",
    "copyright", "kb",        "mb",      "gb",        "tb",     "kib",
    "mib",       "gib",       "null",    "true",      "false",  "id",
    "get",       "post",      "put",     "delete",    "patch",  "head",
    "pros",      "cons",      "great",   "welcome"};

struct namer {
    struct entity_finder *f;
    const struct reading *r;
    uint8_t *seen; /* owned; per stem: LOW, MID */
};
enum { LOW = 1, MID = 2 };

static bool
is_one_of(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (word[0] == list[i][0] && strcmp(word, list[i]) == 0)
            return true;
    }
    return false;
}
#define IS_ONE_OF(word, list) is_one_of(word, list, COUNT_OF(list))

static const char *
text(const struct namer *x, const struct token *t)
{
    return x->r->sentences.plain + t->start;
}

static void
fold(const struct namer *x, const struct token *t, char out[WORD_FOLD_MAX + 1])
{
    size_t n = word_fold(text(x, t), t->len, out);

    if (n > 2 && strcmp(out + n - 2, "'s") == 0)
        out[n - 2] = '\0';
}

/* What stands between two tokens. */
static size_t
gap(const struct namer *x, const struct token *a, const struct token *b,
    const char **s)
{
    *s = text(x, a) + a->len;
    return b->start - (a->start + a->len);
}

/* Does a sentence, or a quote within it, begin with token k of it? */
static bool
begins(const struct namer *x, const struct token *t, size_t k)
{
    const char *s;
    size_t n;

    if (k == 0)
        return true;
    n = gap(x, &t[k - 1], &t[k], &s);
    for (size_t i = 0; i < n; i++) {
        bool mark = (unsigned char)s[i] < 0x80 &&
                    strchr(":\"|!?", s[i]) != NULL;
        bool quote = (unsigned char)s[i] == 0xE2 && i + 2 < n;

        if (mark || quote || (s[i] == '.' && t[k - 1].len > 2))
            return true;
    }
    return false;
}

/* "GitHub", "NASA": capitals that no sentence asks for. */
static bool
has_inner(const struct namer *x, const struct token *t)
{
    const char *s = text(x, t);
    bool capital = false, small = false;
    uint32_t c;

    for (size_t i = 0; i < t->len;) {
        size_t len = letter_read(s + i, t->len - i, &c);

        if (c == '_' || (c == '\'' && !small))
            return false;
        capital |= i > 0 && letter_is_upper(c);
        small |= letter_is_lower(c);
        i += len;
    }
    return capital;
}

static bool
is_capital(const struct token *t)
{
    return (t->flags & TOKEN_CAPITAL) && !(t->flags & TOKEN_CJK);
}

/* Can this token stand in a name? An identifier or a file cannot. */
static bool
may_name(const struct namer *x, const struct token *t)
{
    static const char *const ends[] = {
        "md",  "txt", "c",   "h",    "py",   "js",  "json", "html",
        "css", "sh",  "yml", "toml", "conf", "xml", "csv",  "pdf"};
    char word[WORD_FOLD_MAX + 1];
    const char *dot;

    if (!is_capital(t) || t->len > 40 ||
        memchr(text(x, t), '_', t->len) != NULL)
        return false;
    fold(x, t, word);
    dot = strrchr(word, '.');
    return dot == NULL || strcmp(word, "node.js") == 0 ||
           !IS_ONE_OF(dot + 1, ends);
}

/* Is what lies between two words of a name a space, or what else may be? */
static bool
joined(const struct namer *x, const struct token *a, const struct token *b)
{
    const char *s;
    size_t n = gap(x, a, b, &s);
    char word[WORD_FOLD_MAX + 1];

    if (n == 1)
        return s[0] == ' ' || s[0] == '-';
    if (n == 3)
        return memcmp(s, " & ", 3) == 0;
    if (n != 2 || memcmp(s, ". ", 2) != 0)
        return false;
    fold(x, a, word);
    return a->len == 1 ||
           IS_ONE_OF(word, ((const char *const[]){"mr", "mrs", "ms", "dr",
                                                  "prof", "st", "sr", "jr"}));
}

/* The name that begins at k: where it ends. */
static size_t
run(const struct namer *x, const struct token *t, size_t n, size_t k)
{
    size_t end = k + 1, i;
    char word[WORD_FOLD_MAX + 1];

    while (end < n && end - k < ENTITY_WORDS_MAX &&
           joined(x, &t[end - 1], &t[end])) {
        if (may_name(x, &t[end])) {
            end++;
            continue;
        }
        for (i = end; i < n && i - end < 2 && !is_capital(&t[i]); i++) {
            fold(x, &t[i], word);
            if (x->r->lang == LANG_DE && strcmp(word, "von") != 0 &&
                strcmp(word, "van") != 0)
                break; /* "der" joins any two nouns */
            if (!IS_ONE_OF(word, joints) &&
                !(i > end && strcmp(word, "the") == 0))
                break;
            if (i + 1 < n && !joined(x, &t[i], &t[i + 1]))
                break;
        }
        if (i == end || i >= n || !may_name(x, &t[i]) ||
            (t[i].flags & TOKEN_STOP) || i - k >= ENTITY_WORDS_MAX)
            break;
        end = i + 1;
    }
    return end;
}

/* May the word that a sentence begins with be left out of a name? */
static bool
is_owed(const struct namer *x, const struct token *t, bool alone)
{
    char word[WORD_FOLD_MAX + 1];
    size_t n;

    if (has_inner(x, t))
        return false;
    if (x->seen[t->stem] & MID)
        return false;
    fold(x, t, word);
    n = strlen(word);
    return alone || (x->seen[t->stem] & LOW) ||
           sentence_starter(text(x, t), t->len) ||
           (n > 4 && strcmp(word + n - 2, "ly") == 0);
}

static bool
is_silent(const struct namer *x, const struct token *t)
{
    char word[WORD_FOLD_MAX + 1];

    fold(x, t, word);
    return ((t->flags & TOKEN_STOP) && !(t->flags & TOKEN_CAPS)) ||
           IS_ONE_OF(word, no_names) || entity_is_month(word) ||
           entity_is_weekday(word);
}

/* "J." within a name. */
static bool
is_initial(const struct namer *x, const struct token *t)
{
    return t->len == 1 && text(x, t)[1] == '.';
}

static enum entity_kind
kind_of(const struct namer *x, const struct token *t, size_t n)
{
    char first[WORD_FOLD_MAX + 1], last[WORD_FOLD_MAX + 1];

    if (n < 2)
        return ENTITY_NAME;
    fold(x, &t[0], first);
    fold(x, &t[n - 1], last);
    return IS_ONE_OF(last, suffixes) ||
                   (IS_ONE_OF(first, prefixes) && !is_capital(&t[1]))
               ? ENTITY_ORGANISATION
               : ENTITY_NAME;
}

/* "Volkswagen said": does the token speak? */
static bool
speaks(const struct namer *x, const struct token *t, size_t n, size_t k)
{
    static const char *const verbs[] = {"said",      "says",   "announced",
                                        "wrote",     "told",   "asked",
                                        "confirmed", "warned", "replied"};
    char word[WORD_FOLD_MAX + 1];

    if (k + 1 >= n || (x->seen[t[k].stem] & LOW) ||
        sentence_starter(text(x, &t[k]), t[k].len) ||
        text(x, &t[k])[t[k].len - 1] == 's')
        return false;
    fold(x, &t[k + 1], word);
    return IS_ONE_OF(word, verbs);
}

/* The capitals from..end of a sentence: a name, or part of them. */
static void
consider(struct namer *x, const struct token *t, size_t count, size_t from,
         size_t end)
{
    const char *s;
    size_t n;

    if (begins(x, t, from) && is_owed(x, &t[from], end - from == 1) &&
        !(end - from == 1 && speaks(x, t, count, from)))
        from++;
    while (from < end && (!is_capital(&t[from]) ||
                          (is_silent(x, &t[from]) &&
                           (end - from == 1 || !is_initial(x, &t[from])))))
        from++;
    while (end > from && is_silent(x, &t[end - 1]))
        end--;
    if (from == end || (end - from == 1 && t[from].len < 2))
        return;
    if (x->r->lang == LANG_DE && end - from == 1 && !has_inner(x, &t[from]))
        return; /* all nouns have capitals */
    s = text(x, &t[from]);
    n = t[end - 1].start + t[end - 1].len - t[from].start;
    if (n > 2 && s[n - 1] == 's' && s[n - 2] == '\'')
        n -= 2;
    else if (n > 4 && memcmp(s + n - 4, "\xE2\x80\x99s", 4) == 0)
        n -= 4;
    entity_add(x->f, kind_of(x, t + from, end - from), s, n);
}

/* Is it written like a headline, or shouted? */
static bool
is_headline(const struct token *t, size_t n)
{
    size_t capitals = 0, caps = 0, words = 0;

    for (size_t i = 0; i < n; i++) {
        words += (t[i].flags & (TOKEN_STOP | TOKEN_NUMBER)) == 0;
        capitals += (t[i].flags & (TOKEN_STOP | TOKEN_CAPITAL)) ==
                    TOKEN_CAPITAL;
        caps += (t[i].flags & TOKEN_CAPS) != 0;
    }
    return (words >= 5 && capitals == words) || (n >= 4 && 2 * caps > n);
}

static bool
is_read(const struct namer *x, size_t i)
{
    enum plain_kind kind = x->r->sentences.at[i].kind;
    size_t n;
    const struct token *t = reading_tokens(x->r, i, &n);

    return (kind == PLAIN_PROSE || kind == PLAIN_ITEM) && n > 0 &&
           (x->r->lang == LANG_DE || !is_headline(t, n));
}

static void
look_around(struct namer *x)
{
    for (size_t i = 0; i < x->r->sentences.n; i++) {
        size_t n;
        const struct token *t = reading_tokens(x->r, i, &n);

        for (size_t k = 0; k < n; k++) {
            if (!is_capital(&t[k]))
                x->seen[t[k].stem] |= LOW;
            else if (is_read(x, i) && !begins(x, t, k))
                x->seen[t[k].stem] |= MID;
        }
    }
}

void
entity_find_names(struct entity_finder *f, const struct reading *r)
{
    struct namer x = {.f = f, .r = r};

    x.seen = xcalloc(r->n_stems + 1, 1);
    look_around(&x);
    for (size_t i = 0; i < r->sentences.n; i++) {
        size_t n, end;
        const struct token *t = reading_tokens(r, i, &n);

        if (!is_read(&x, i))
            continue;
        for (size_t k = 0; k < n; k = end) {
            end = k + 1;
            if (!may_name(&x, &t[k]))
                continue;
            end = run(&x, t, n, k);
            consider(&x, t, n, k, end);
        }
    }
    free(x.seen);
}
