/* What it costs to open a long conversation: the newest page of a session of
 * MESSAGES messages by store_messages(), without HTTP. One session is a line;
 * in the other one every FORK-th exchange was asked twice, so its line passes
 * over messages and each is looked for through its parent.
 *
 * Prints a line of JSON: median and p99 of both in microseconds. It is linked
 * with the library, writes to a folder of its own below TMPDIR and removes
 * it. */
#include "base/base.h"

#include <ftw.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/store.h"

#define MESSAGES 10000
#define FORK 10    /* exchanges */
#define PIECE 1000 /* messages put in at once */
#define PAGE 50
#define READS 2000
#define MAP_BYTES (1ULL << 30)

static const char text[] =
    "Most people who ask this want to know what is left of a thing when all "
    "that can be taken away from it has been taken away. The short answer is "
    "that nobody has ever tried, and the long one begins with the same words.";

static struct store *store;
static char dir[256];

NORETURN static void
die(const char *what)
{
    (void)fprintf(stderr, "history: %s\n", what);
    exit(1);
}

static int64_t
now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Which message this one follows: where there are branches, the second asking
 * of a question follows what the first one followed. */
static uint32_t
parent_of(uint32_t seq, bool branched)
{
    uint32_t in = seq % (2 * FORK);

    if (branched && in == 2 && seq >= 4)
        return seq - 3; /* as seq - 2 does */
    return seq == 0 ? STORE_ROOT : seq - 1;
}

static void
fill(const char *session, bool branched)
{
    struct message *m = xcalloc(PIECE, sizeof(*m));
    uint64_t no = 0;

    for (uint32_t from = 0; from < MESSAGES; from += PIECE) {
        struct store_op op = {
            .kind = STORE_SESSION_IMPORT, .owner = "", .session_id = session};

        for (uint32_t i = 0; i < PIECE; i++)
            m[i] = (struct message){.role = (from + i) % 2 == 0 ? 1 : 2,
                                    .at_ms = 1700000000000 + from + i,
                                    .id = ident_v7(),
                                    .parent = parent_of(from + i, branched),
                                    .input_tokens = -1,
                                    .output_tokens = -1,
                                    .cached_tokens = -1,
                                    .cost_micro = -1,
                                    .provider = "",
                                    .model = "",
                                    .text = text,
                                    .text_len = sizeof(text) - 1};
        op.import.from = from;
        op.import.session_no = no;
        op.import.updated_ms = 1700000000000;
        op.import.messages = m;
        op.import.n = PIECE;
        op.import.head = from + PIECE - 1;
        if (store_apply(store, &op) != OK)
            die("the session cannot be written");
        no = op.import.after.no;
    }
    free(m);
}

static bool
count(void *arg, const struct message *m)
{
    size_t *n = arg;

    *n += m->text_len > 0;
    return true;
}

static int
compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Read the newest page over and over; prints two members of JSON. */
static void
measure(const char *name, const char *session)
{
    static int64_t ns[READS];
    int64_t median, p99;

    for (int i = 0; i < READS; i++) {
        struct session s;
        size_t n = 0;
        int64_t began = now_ns();

        if (store_messages(store, "", session, UINT32_MAX, PAGE, 0, &s, count,
                           &n) != OK ||
            n != PAGE || s.n_messages != MESSAGES)
            die("a page is not what it should be");
        ns[i] = now_ns() - began;
    }
    qsort(ns, READS, sizeof(ns[0]), compare);
    median = ns[READS / 2];
    p99 = ns[READS * 99 / 100];
    (void)printf("\"%sUs\":%.1f,\"%sP99Us\":%.1f", name, (double)median / 1e3,
                 name, (double)p99 / 1e3);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
    (void)st;
    (void)kind;
    (void)f;
    return remove(path);
}

int
main(void)
{
    struct store_config c = {.dir = dir, .map_bytes = MAP_BYTES};
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(dir, sizeof(dir), "%s/parley-bench-XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(dir) == NULL || store_open(&store, &c) != OK)
        die("no store");
    fill("line", false);
    fill("tree", true);
    (void)printf("{\"messages\":%d,", MESSAGES);
    measure("line", "line");
    (void)printf(",");
    measure("tree", "tree");
    (void)printf("}\n");
    store_close(store);
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
