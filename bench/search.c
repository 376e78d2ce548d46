/* What searching costs: an index of MESSAGES messages of one person, filled
 * as a server fills it (a few messages at a time), then asked.
 *
 * The messages are made by a generator that always makes the same ones: words
 * of syllables, the n-th most common one n times as rare as the first, in
 * messages of 5 to 120 words and sessions of 20 messages over a year. What is
 * asked for is drawn evenly over the orders of magnitude of commonness, from
 * words that are in most messages to those that are in a handful; a phrase is
 * two words that stand together in a message, a prefix the first 2 to 4
 * characters of a word. Each query gives the first page of 20 sessions with
 * snippets.
 *
 * Prints a line of JSON: median and p99 of each kind and of all in
 * milliseconds, bytes of the index a message, what it costs to fill, to open
 * and to forget a session, and the memory that an idle index keeps. It is
 * linked with the library, writes to a folder of its own below TMPDIR and
 * removes it. */
#include "base/base.h"

#include <ftw.h>
#include <malloc.h>
#include <unistd.h>

#include "words.h"

#include "base/mem.h"
#include "store/search.h"

#define MESSAGES 100000
#define A_SESSION 20  /* messages */
#define BATCH 20      /* messages of one search_add */
#define WORDS_MIN 5   /* of a message */
#define WORDS_MAX 120 /* of a message */
#define TEXT_MAX (WORDS_MAX * WORD_MAX)
#define QUERIES 300 /* of each kind */
#define PAGE 20
#define OWNER "bench"
#define BEGIN_MS INT64_C(1700000000000)
#define GAP_MS INT64_C(315000) /* between two messages, on the average */

enum kind { ONE, TWO, PHRASE, PREFIX, KIND__N };
static const char *const names[KIND__N] = {"one", "two", "phrase", "prefix"};

static char dir[256];

NORETURN static void
die(const char *what)
{
    (void)fprintf(stderr, "search: %s\n", what);
    exit(1);
}

/* --- texts --------------------------------------------------------------- */

/* A word as they are looked for: each order of magnitude as often. */
static const char *
word_to_find(void)
{
    unsigned size = 1;

    while (size < WORDS && draw_below(15) != 0)
        size *= 2;
    return words[draw_below(size < WORDS ? size : WORDS)];
}

static size_t
text_make(char out[TEXT_MAX])
{
    unsigned n = WORDS_MIN + draw_below(WORDS_MAX - WORDS_MIN + 1);
    size_t at = 0;

    for (unsigned i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, TEXT_MAX - at, "%s%s",
                               i > 0 ? " " : "", word_of_text());
    return at;
}

/* --- the index ----------------------------------------------------------- */

static char phrases[QUERIES][2 * WORD_MAX];

/* Keep two words of this text for a query. */
static void
phrase_keep(const char *text, unsigned which)
{
    const char *space = strchr(text, ' ');
    const char *end = space != NULL ? strchr(space + 1, ' ') : NULL;
    size_t n = end != NULL ? (size_t)(end - text) : 0;

    memcpy(phrases[which], text, n);
    phrases[which][n] = '\0';
}

/* Fill it; bytes of text. */
static size_t
fill(struct search *s)
{
    static char texts[BATCH][TEXT_MAX], ids[BATCH][24];
    struct search_message m[BATCH];
    size_t bytes = 0;

    for (unsigned i = 0; i < MESSAGES; i++) {
        unsigned at = i % BATCH;
        size_t len = text_make(texts[at]);

        (void)snprintf(ids[at], sizeof(ids[at]), "session-%u", i / A_SESSION);
        m[at] = (struct search_message){
            .owner = OWNER,
            .session_no = i / A_SESSION,
            .session_id = ids[at],
            .id = ident_v7(),
            .seq = i % A_SESSION,
            .role = (uint8_t)(1 + i % 2),
            .at_ms = BEGIN_MS + (int64_t)i * GAP_MS +
                     (int64_t)draw_below(2 * GAP_MS),
            .text = texts[at],
            .text_len = len};
        bytes += len;
        if (i % (MESSAGES / QUERIES) == 0 && i / (MESSAGES / QUERIES) < QUERIES)
            phrase_keep(texts[at], i / (MESSAGES / QUERIES));
        if (at == BATCH - 1 && search_add(s, m, BATCH, i + 1) != OK)
            die("search_add");
    }
    return bytes;
}

static void
query_make(enum kind kind, unsigned i, char out[128])
{
    const char *word = word_to_find();

    switch (kind) {
    case ONE: (void)snprintf(out, 128, "%s", word); break;
    case TWO: (void)snprintf(out, 128, "%s %s", word, word_to_find()); break;
    case PHRASE:
        (void)snprintf(out, 128, "\"%.*s\"", 2 * WORD_MAX, phrases[i]);
        break;
    case PREFIX:
        (void)snprintf(out, 128, "%.*s*", (int)(2 + draw_below(3)), word);
        break;
    case KIND__N: break;
    }
}

static bool
count(void *arg, const struct search_hit *hits, size_t n)
{
    (void)hits;
    *(size_t *)arg += n;
    return true;
}

static double
query_ms(struct search *s, const char *q, size_t *found)
{
    struct search_ask a = {OWNER, q, strlen(q), PAGE, NULL};
    char next[SEARCH_CURSOR_MAX];
    double begun = now_ms();

    *found = 0;
    if (search_query(s, &a, next, count, found) != OK)
        die("search_query");
    return now_ms() - begun;
}

/* --- numbers ------------------------------------------------------------- */

static int
order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
print(const char *name, double *ms, size_t n)
{
    qsort(ms, n, sizeof(ms[0]), order);
    (void)printf("\"%sMs\":%.3f,\"%sP99Ms\":%.3f,", name, ms[n / 2], name,
                 ms[n * 99 / 100]);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void
ask_all(struct search *s)
{
    static double ms[KIND__N][QUERIES], all[KIND__N * QUERIES];
    size_t hits[KIND__N] = {0}, found, n = 0;
    char q[128];

    for (unsigned i = 0; i < QUERIES; i++)
        for (int k = 0; k < KIND__N; k++) {
            query_make((enum kind)k, i, q);
            all[n++] = ms[k][i] = query_ms(s, q, &found);
            hits[k] += found > 0;
        }
    for (int k = 0; k < KIND__N; k++) {
        if (hits[k] == 0)
            die("a kind of query finds nothing");
        print(names[k], ms[k], QUERIES);
    }
    print("all", all, n);
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");
    struct search_stats st;
    struct search *s;
    double begun, filled, opened, forgot;
    size_t bytes, found, idle;
    uint64_t gone = MESSAGES / A_SESSION / 2;

    (void)snprintf(dir, sizeof(dir), "%s/search-XXXXXX",
                   tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(dir) == NULL)
        die("mkdtemp");
    words_make();
    if (search_open(&s, dir) != OK)
        die("search_open");
    begun = now_ms();
    bytes = fill(s);
    filled = now_ms() - begun;
    if (search_stats(s, &st) != OK || st.messages != MESSAGES)
        die("search_stats");
    search_close(s);

    if (search_open(&s, dir) != OK)
        die("search_open");
    opened = query_ms(s, words[0], &found);
    (void)putchar('{');
    ask_all(s);
    idle = mallinfo2().uordblks;
    begun = now_ms();
    if (search_forget(s, &gone, 1) != OK)
        die("search_forget");
    forgot = now_ms() - begun;
    search_close(s);
    idle -= mallinfo2().uordblks;
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    (void)printf("\"messages\":%d,\"textBytes\":%.0f,\"bytes\":%.0f,"
                 "\"addPerSecond\":%.0f,\"openMs\":%.3f,\"forgetMs\":%.0f,"
                 "\"idleKib\":%.0f}\n",
                 MESSAGES, (double)bytes / MESSAGES,
                 (double)st.bytes / MESSAGES, MESSAGES / filled * 1e3, opened,
                 forgot, (double)idle / 1024);
    return 0;
}
