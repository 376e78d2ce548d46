/*
 * How well files are found: the documents of tests/relevance/ go through the
 * reader, the chunker and the index, its queries are asked, and nDCG@5 of the
 * order is compared with that of FTS5's bm25 as it comes (unicode61, any of the
 * words) over the same chunks, and of the built-in vectors alone. bm25 is asked
 * twice, with and without what was said before, and the better one counts.
 *
 * A third of the queries, marked held_out, is counted apart and not meant for
 * tuning (tests/relevance/README.md); hybrid must be the best one for both, and
 * for a second list, which nothing was tuned by.
 */
#include "files_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/buf.h"
#include "files/chunk.h"
#include "files/files.h"
#include "files/image.h"
#include "files/kind.h"
#include "files/vector.h"
#include "lang/word.h"
#include "relevance.h"

#define DOCUMENTS_MAX 256
#define CHUNKS_MAX 1024
#define RECENT_WEIGHT 0.5  /* of the vector of what was said before */
#define UNSEEN_MARGIN 0.03 /* of nDCG: see tests/relevance/README.md */

enum way { BM25, BM25_RECENT, VECTORS, HYBRID, WAY__N };
static const char *const way_names[] = {"bm25", "bm25 with history", "vectors",
                                        "hybrid"};

struct kept_chunk {
    const char *name; /* of its document, owned by it */
    float vector[VECTOR_DIMS];
};

struct rig {
    char dir[64];
    struct files *files;
    struct collection collection;
    sqlite3 *db; /* plain FTS5 over the same chunks */
    char *names[DOCUMENTS_MAX];
    size_t n_names;
    struct kept_chunk chunks[CHUNKS_MAX];
    size_t n_chunks;
    struct files_put *put;
    const char *name; /* of the document that is being read */
};
static struct rig rig;

/* --- indexing ------------------------------------------------------------- */

static void
plain_add(const struct chunk *c)
{
    struct buf text;
    sqlite3_stmt *stmt = NULL;

    buf_init(&text, 8192);
    buf_addf(&text, "%s\n%s\n", rig.name, c->heading);
    buf_add(&text, c->text, c->len);
    assert_int_equal(sqlite3_prepare_v2(rig.db,
                                        "INSERT INTO plain (rowid, text)"
                                        " VALUES (?1, ?2)",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    sqlite3_bind_int64(stmt, 1, (sqlite3_int64)rig.n_chunks);
    sqlite3_bind_text(stmt, 2, text.data, (int)text.len, SQLITE_TRANSIENT);
    assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
    (void)sqlite3_finalize(stmt);
    buf_release(&text);
}

static enum err
take_chunk(void *arg, const struct chunk *c)
{
    struct kept_chunk *k = &rig.chunks[rig.n_chunks];
    char about[512];

    (void)arg;
    (void)snprintf(about, sizeof(about), "%s\n%s", rig.name, c->heading);
    assert_true(rig.n_chunks < CHUNKS_MAX);
    k->name = rig.name;
    vector_of_part(about, strlen(about), c->text, c->len, k->vector);
    plain_add(c);
    rig.n_chunks++;
    return files_put_chunk(rig.put, c);
}

/* The sidecar of an image that is not there: all that is known of it. */
static enum err
read_sidecar(const char *path, struct document *d, struct chunker *c)
{
    struct buf text;
    struct block b = {.kind = BLOCK_TEXT};
    size_t n = 0;
    char *bytes = relevance_file(path, &n);
    enum err e;

    assert_non_null(bytes);
    assert_true(sidecar_read(path, bytes, n, &d->facts));
    free(bytes);
    d->image = true;
    buf_init(&text, BLOCK_MAX);
    image_text(d->name, &d->facts, &text);
    b.text = text.data;
    b.len = text.len;
    e = chunker_add(c, &b);
    buf_release(&text);
    return e;
}

static enum err
read_text(const char *path, struct document *d, struct chunker *c)
{
    uint8_t head[KIND_LOOK];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, head, sizeof(head));
    struct kind kind;
    enum err e;

    assert_true(n > 0 && lseek(fd, 0, SEEK_SET) == 0);
    kind = kind_of(path, head, (size_t)n);
    assert_int_equal(kind.kind, KIND_TEXT);
    e = text_read(fd, kind.text, chunker_add, c, &d->facts, &d->skip);
    (void)close(fd);
    return e;
}

static void
index_one(const char *name)
{
    struct document d = {.collection = rig.collection.id};
    struct chunker *c = chunker_new(take_chunk, NULL);
    size_t n = strlen(name);
    bool image = n > 9 && strcmp(name + n - 9, ".jpg.json") == 0;
    char path[256];

    (void)snprintf(path, sizeof(path), RELEVANCE_FOLDER "documents/%s", name);
    (void)snprintf(d.name, sizeof(d.name), "%.*s", (int)(image ? n - 5 : n),
                   name);
    rig.name = rig.names[rig.n_names++] = xstrdup(d.name);
    assert_int_equal(files_put_begin(rig.files, &d, &rig.put), OK);
    assert_int_equal(image ? read_sidecar(path, &d, c) : read_text(path, &d, c),
                     OK);
    assert_int_equal(chunker_end(c), OK);
    chunker_free(c);
    assert_int_equal(files_put_end(rig.put, &d, ""), OK);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *found[DOCUMENTS_MAX];
static size_t n_found;

static int
note_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    if (type != FTW_F)
        return 0;
    assert_true(n_found < DOCUMENTS_MAX);
    found[n_found++] = xstrdup(path + strlen(RELEVANCE_FOLDER "documents/"));
    return 0;
}

static int
set_up(void **state)
{
    (void)state;
    (void)snprintf(rig.dir, sizeof(rig.dir), "/tmp/parley-relevance-XXXXXX");
    assert_non_null(mkdtemp(rig.dir));
    assert_int_equal(files_open(rig.dir, &rig.files), OK);
    assert_int_equal(
        files_collection(rig.files, FILES_SHARED, "set", "", &rig.collection),
        OK);
    assert_int_equal(sqlite3_open(":memory:", &rig.db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(rig.db,
                                  "CREATE VIRTUAL TABLE plain USING"
                                  " fts5 (text, tokenize = 'unicode61')",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(nftw(RELEVANCE_FOLDER "documents", note_file, 8, FTW_PHYS),
                     0);
    qsort(found, n_found, sizeof(found[0]), by_name);
    for (size_t i = 0; i < n_found; i++) {
        index_one(found[i]);
        free(found[i]);
    }
    return 0;
}

static int
tear_down(void **state)
{
    DIR *dir;
    struct dirent *entry;

    (void)state;
    files_close(rig.files);
    (void)sqlite3_close(rig.db);
    for (size_t i = 0; i < rig.n_names; i++)
        free(rig.names[i]);
    dir = opendir(rig.dir);
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        (void)closedir(dir);
    return rmdir(rig.dir);
}

/* --- asking --------------------------------------------------------------- */

/* Add a name unless it is there; false: there are enough. */
static bool
add_name(const char **names, size_t *n, const char *name)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    names[(*n)++] = name;
    return *n < RELEVANCE_AT;
}

/* Any of the words, each as a string. */
static void
add_words(struct buf *match, const char *text)
{
    size_t n = strlen(text), pos = 0;
    struct word w;

    while (word_next(text, n, &pos, &w))
        buf_addf(match, "%s\"%.*s\"", match->len > 0 ? " OR " : "", (int)w.len,
                 text + w.start);
}

static size_t
ask_bm25(const struct relevance_query *q, bool recent, const char **names)
{
    sqlite3_stmt *stmt = NULL;
    struct buf match;
    size_t n = 0;

    buf_init(&match, 16384);
    add_words(&match, q->text);
    if (recent)
        add_words(&match, q->recent);
    assert_int_equal(sqlite3_prepare_v2(rig.db,
                                        "SELECT rowid FROM plain"
                                        " WHERE plain MATCH ?1"
                                        " ORDER BY bm25(plain), rowid",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    sqlite3_bind_text(stmt, 1, match.data, (int)match.len, SQLITE_TRANSIENT);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        size_t i = (size_t)sqlite3_column_int64(stmt, 0);

        if (!add_name(names, &n, rig.chunks[i].name))
            break;
    }
    (void)sqlite3_finalize(stmt);
    buf_release(&match);
    return n;
}

static size_t
ask_vectors(const struct relevance_query *q, const char **names)
{
    float v[VECTOR_DIMS], recent[VECTOR_DIMS], like[CHUNKS_MAX];
    size_t n = 0;

    vector_of(q->text, strlen(q->text), v);
    if (q->recent[0] != '\0') {
        vector_of(q->recent, strlen(q->recent), recent);
        vector_mix(v, recent, VECTOR_DIMS, RECENT_WEIGHT);
        vector_normalise(v, VECTOR_DIMS);
    }
    for (size_t i = 0; i < rig.n_chunks; i++)
        like[i] = vector_cosine(v, rig.chunks[i].vector, VECTOR_DIMS);
    for (bool more = true; more;) {
        size_t best = 0;

        for (size_t i = 1; i < rig.n_chunks; i++)
            best = like[i] > like[best] ? i : best;
        more = add_name(names, &n, rig.chunks[best].name);
        like[best] = -2;
    }
    return n;
}

/* Through the index, as it is asked. */
static double
ask_hybrid(const struct relevance_query *q)
{
    const char *names[RELEVANCE_AT];
    struct files_query ask = {.owner = "somebody",
                              .text = q->text,
                              .len = strlen(q->text),
                              .recent = q->recent,
                              .recent_len = strlen(q->recent),
                              .top_k = RELEVANCE_AT,
                              .per_document = 1};
    struct files_found got;
    double value;

    assert_int_equal(files_search(rig.files, &ask, &got), OK);
    assert_int_equal(got.documents, rig.n_names);
    assert_true(got.n <= RELEVANCE_AT);
    for (size_t i = 0; i < got.n; i++)
        names[i] = got.hits[i].name;
    value = relevance_ndcg(q, names, got.n);
    files_found_release(&got);
    return value;
}

static double
ask(const struct relevance_query *q, enum way way)
{
    const char *names[RELEVANCE_AT];
    size_t n;

    if (way == HYBRID)
        return ask_hybrid(q);
    n = way == VECTORS ? ask_vectors(q, names)
                       : ask_bm25(q, way == BM25_RECENT, names);
    return relevance_ndcg(q, names, n);
}

/* --- figures -------------------------------------------------------------- */

struct mean {
    const char *of;
    double sum[WAY__N];
    int n;
};

static struct mean *
mean_of(struct mean *all, size_t n, const char *name)
{
    size_t i = 0;

    while (i < n - 1 && all[i].of != NULL && strcmp(all[i].of, name) != 0)
        i++;
    all[i].of = name;
    return &all[i];
}

static void
tell(const struct mean *m)
{
    if (m->n == 0)
        return;
    print_message("%-12s %2d", m->of, m->n);
    for (int way = 0; way < WAY__N; way++)
        print_message("  %s %.3f", way_names[way], m->sum[way] / m->n);
    print_message("\n");
}

static void
assert_hybrid_is_best(const struct mean *m)
{
    assert_true(m->n > 0);
    assert_true(m->sum[HYBRID] >= m->sum[BM25]);
    assert_true(m->sum[HYBRID] >= m->sum[BM25_RECENT]);
    assert_true(m->sum[HYBRID] >= m->sum[VECTORS]);
}

/* Every way, into two means. */
static void
ask_all(const struct relevance_query *q, struct mean *one, struct mean *other)
{
    for (int way = 0; way < WAY__N; way++) {
        double value = ask(q, (enum way)way);

        one->sum[way] += value;
        other->sum[way] += value;
    }
    one->n++;
    other->n++;
}

static void
tell_all(const struct relevance *set, const struct mean *kinds, size_t n)
{
    print_message("nDCG@%d of %zu queries in %zu documents, %zu chunks\n",
                  RELEVANCE_AT, set->n, rig.n_names, rig.n_chunks);
    for (size_t i = 0; i < n; i++)
        tell(&kinds[i]);
}

static void
hybrid_finds_better_than_words_alone(void **state)
{
    struct mean halves[2] = {{.of = "tuned"}, {.of = "held out"}};
    struct mean kinds[12] = {{.of = NULL}};
    struct relevance set;

    (void)state;
    assert_true(relevance_read(&set, RELEVANCE_FOLDER "queries.json"));
    assert_true(rig.n_names >= 60 && set.n >= 40);
    for (size_t i = 0; i < set.n; i++) {
        const struct relevance_query *q = &set.queries[i];

        ask_all(q, &halves[q->held_out],
                mean_of(kinds, COUNT_OF(kinds), q->kind));
    }
    tell_all(&set, kinds, COUNT_OF(kinds));
    for (size_t i = 0; i < 2; i++)
        tell(&halves[i]);
    for (size_t i = 0; i < 2; i++)
        assert_hybrid_is_best(&halves[i]);
    relevance_release(&set);
}

/* Queries that were written before anything was seen of what is found for
 * them, and that no constant was chosen by. */
static void
hybrid_finds_better_also_what_it_was_not_tuned_with(void **state)
{
    struct mean whole = {.of = "unseen"}, kinds[12] = {{.of = NULL}};
    struct relevance set;

    (void)state;
    assert_true(relevance_read(&set, RELEVANCE_FOLDER "unseen.json"));
    assert_true(set.n >= 40);
    for (size_t i = 0; i < set.n; i++) {
        const struct relevance_query *q = &set.queries[i];

        ask_all(q, &whole, mean_of(kinds, COUNT_OF(kinds), q->kind));
    }
    tell_all(&set, kinds, COUNT_OF(kinds));
    tell(&whole);
    assert_hybrid_is_best(&whole);
    assert_true(whole.sum[HYBRID] >=
                fmax(whole.sum[BM25], whole.sum[BM25_RECENT]) +
                    UNSEEN_MARGIN * whole.n);
    relevance_release(&set);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hybrid_finds_better_than_words_alone),
        cmocka_unit_test(hybrid_finds_better_also_what_it_was_not_tuned_with),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
