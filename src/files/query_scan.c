/*
 * What all chunks have of a query. All sketches of the collections are
 * compared with the query, which is a walk over a few megabytes; then each word
 * is looked up, and its rareness among the chunks that are looked through (not
 * those of others) is added to the chunks that have it. query_pick.c chooses
 * among them.
 */
#include "base/base.h"

#include "files/query.h"

#include <math.h>

#include "base/buf.h"
#include "base/mem.h"

#define FIRST 1024        /* chunks that there is room for at first */
#define RANGES_MAX 8      /* collections that a word is looked up in apart */
#define COMMON_SHARE 12   /* a word in one chunk of so many is common */
#define COMMON_LEAST 1000 /* and of fewer chunks none is */
#define PREFIX_SHARE 0.4f /* what the beginning of a word is worth of it */
#define BASE_MAX 0.95
#define EXPR_MAX (8 * (SHELF_WORD_MAX + 16))

void
query_scan_release(struct query_scan *s)
{
    free(s->segment);
    free(s->similarity);
    free(s->words);
    free(s->flags);
    free(s->mark);
    memset(s, 0, sizeof(*s));
}

/* --- vectors -------------------------------------------------------------- */

static void
room(struct query_scan *s, size_t more)
{
    if (s->n_segments == s->cap_segments) {
        s->cap_segments = s->cap_segments == 0 ? 256 : 2 * s->cap_segments;
        s->segment = xrealloc(s->segment,
                              s->cap_segments * sizeof(*s->segment));
    }
    if (s->n + more <= s->cap)
        return;
    while (s->n + more > s->cap)
        s->cap = s->cap == 0 ? FIRST : 2 * s->cap;
    s->similarity = xrealloc(s->similarity, s->cap * sizeof(float));
    s->words = xrealloc(s->words, s->cap * sizeof(float));
    s->flags = xrealloc(s->flags, s->cap);
    s->mark = xrealloc(s->mark, s->cap);
}

/* All chunks of a collection, with what the built-in vector says. */
static enum err
scan_collection(struct query *q, struct query_scan *s, int64_t collection,
                const struct sketch_query *sketch)
{
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(q->conn, &e, SHELF_SKETCH_SCAN, "ii",
                                    shelf_chunk_from(collection),
                                    shelf_chunk_from(collection + 1));

    while (e == OK && (e = shelf_step(q->conn, stmt)) == OK) {
        const uint8_t *rows = sqlite3_column_blob(stmt, 2);
        size_t n = (size_t)sqlite3_column_bytes(stmt, 2) / SKETCH_ROW;

        if (n == 0 || s->n + n > UINT32_MAX)
            continue;
        room(s, n);
        s->segment[s->n_segments++] = (struct query_segment){
            sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
            (uint32_t)s->n, (uint32_t)n};
        if (q->has_vector)
            sketch_compare(sketch, rows, n, s->similarity + s->n);
        else
            memset(s->similarity + s->n, 0, n * sizeof(float));
        memset(s->words + s->n, 0, n * sizeof(float));
        memset(s->flags + s->n, 0, n);
        memset(s->mark + s->n, 0, n);
        s->n += n;
    }
    return e == ERR_NOTFOUND ? OK : e;
}

/* Walks over segments with numbers that grow. */
struct cursor {
    struct query_scan *s;
    size_t at;
};

/* The place of a chunk; SIZE_MAX: it is not looked through. */
static size_t
place_of(struct cursor *c, int64_t no)
{
    const struct query_scan *s = c->s;

    while (c->at < s->n_segments &&
           no >= s->segment[c->at].no + s->segment[c->at].n)
        c->at++;
    if (c->at == s->n_segments || no < s->segment[c->at].no)
        return SIZE_MAX;
    return s->segment[c->at].at + (size_t)(no - s->segment[c->at].no);
}

/* What the vectors of the query's model say, where there are some. */
static enum err
scan_model(struct query *q, struct query_scan *s, int64_t collection,
           const struct sketch_query *sketch)
{
    struct cursor at = {s, 0};
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(
        q->conn, &e, SHELF_SKETCH_SCAN, "ii",
        shelf_model_key(q->model, shelf_chunk_from(collection)),
        shelf_model_key(q->model, shelf_chunk_from(collection + 1)));

    while (e == OK && (e = shelf_step(q->conn, stmt)) == OK) {
        int64_t no = sqlite3_column_int64(stmt, 0) -
                     shelf_model_key(q->model, 0);
        const uint8_t *rows = sqlite3_column_blob(stmt, 2);
        size_t n = (size_t)sqlite3_column_bytes(stmt, 2) / SKETCH_ROW;

        for (size_t i = 0; i < n; i++) {
            size_t k = place_of(&at, no + (int64_t)i);

            if (k == SIZE_MAX)
                continue;
            sketch_compare(sketch, rows + i * SKETCH_ROW, 1, s->similarity + k);
            s->flags[k] |= SCAN_MODEL;
        }
    }
    return e == ERR_NOTFOUND ? OK : e;
}

/* Documents that must not leave are known to be so. */
static enum err
scan_local(struct query *q, struct query_scan *s, int64_t collection)
{
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(q->conn, &e, SHELF_LOCAL, "i", collection);

    while (e == OK && (e = shelf_step(q->conn, stmt)) == OK) {
        struct cursor at = {s, 0};
        int64_t no = sqlite3_column_int64(stmt, 0);
        int64_t end = no + sqlite3_column_int64(stmt, 1);
        size_t low = 0, high = s->n_segments;

        while (low < high) { /* the first that ends behind it */
            size_t mid = (low + high) / 2;

            if (s->segment[mid].no + s->segment[mid].n <= no)
                low = mid + 1;
            else
                high = mid;
        }
        for (at.at = low; no < end; no++) {
            size_t k = place_of(&at, no);

            if (k != SIZE_MAX)
                s->flags[k] |= SCAN_LOCAL;
        }
    }
    return e == ERR_NOTFOUND ? OK : e;
}

/* --- words ---------------------------------------------------------------- */

/* One word as FTS5 reads it: a string, in which only a quote means something.
 * (No word has one.) */
static void
expression_word(struct buf *out, const char *word, size_t n)
{
    if (out->len > 0)
        buf_adds(out, " OR ");
    buf_addc(out, '"');
    for (size_t i = 0; i < n; i++)
        if (word[i] != '"' && word[i] != '\0')
            buf_addc(out, word[i]);
    buf_addc(out, '"');
}

/* Chunks that match within [from, to): places, appended; marked with `mark` and
 * only those that are not. */
struct places {
    uint32_t *at; /* owned */
    size_t n, cap;
    size_t most; /* more is not looked for */
};

static enum err
look_up(struct query *q, struct query_scan *s, const char *match, int64_t from,
        int64_t to, uint8_t mark, struct places *p)
{
    struct cursor at = {s, 0};
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(q->conn, &e, SHELF_WORDS_MATCH, "tii",
                                    match, from, to);

    while (e == OK && p->n < p->most && (e = shelf_step(q->conn, stmt)) == OK) {
        size_t k = place_of(&at, sqlite3_column_int64(stmt, 0));

        if (k == SIZE_MAX || s->mark[k] == mark)
            continue;
        s->mark[k] = mark;
        if (p->n == p->cap) {
            p->cap = p->cap == 0 ? FIRST : 2 * p->cap;
            p->at = xrealloc(p->at, p->cap * sizeof(*p->at));
        }
        p->at[p->n++] = (uint32_t)k;
    }
    if (stmt != NULL) {
        (void)sqlite3_reset(stmt);
        (void)sqlite3_clear_bindings(stmt); /* match is the caller's */
    }
    return e == ERR_NOTFOUND ? OK : e;
}

/* In all collections. */
static enum err
look_up_all(struct query *q, struct query_scan *s, const char *match,
            uint8_t mark, struct places *p)
{
    const int64_t *c = q->collection;
    enum err e = OK;

    if (q->n_collections > RANGES_MAX)
        return look_up(q, s, match, shelf_chunk_from(c[0]),
                       shelf_chunk_from(c[q->n_collections - 1] + 1), mark, p);
    for (size_t i = 0; e == OK && i < q->n_collections; i++)
        e = look_up(q, s, match, shelf_chunk_from(c[i]),
                    shelf_chunk_from(c[i] + 1), mark, p);
    return e;
}

static double
idf_of(size_t n, size_t have)
{
    return log1p(((double)n - (double)have + 0.5) / ((double)have + 0.5));
}

/* Where a word is, and if `begins` also as the beginning of others: the first
 * `whole` places have all of it. */
static enum err
find_term(struct query *q, struct query_scan *s, unsigned i, bool begins,
          struct places *p, size_t *whole)
{
    const struct query_term *t = &q->term[i];
    uint8_t mark = (uint8_t)(i + 1);
    struct buf match;
    enum err e;

    buf_init(&match, EXPR_MAX);
    expression_word(&match, t->word, t->len);
    for (size_t k = 0; k < t->n_stems; k++)
        expression_word(&match, t->stem[k], strlen(t->stem[k]));
    p->n = 0;
    e = look_up_all(q, s, buf_cstr(&match), mark, p);
    *whole = p->n;
    if (e == OK && begins && t->prefix && p->n < p->most) {
        buf_clear(&match);
        expression_word(&match, t->word, t->len);
        buf_adds(&match, " *");
        e = look_up_all(q, s, buf_cstr(&match), mark, p);
    }
    buf_release(&match);
    return e;
}

/* Add a word to the chunks that have it. *seen: among how many of the chunks,
 * in their order, there were already `most` that have it: it is common, and was
 * left. 0: it is not. */
static enum err
scan_term(struct query *q, struct query_scan *s, unsigned i, struct places *p,
          size_t most, size_t *seen)
{
    struct query_term *t = &q->term[i];
    size_t whole, have;
    enum err e;

    p->most = most;
    e = find_term(q, s, i, most < SIZE_MAX, p, &whole);
    *seen = p->n >= most ? (size_t)p->at[p->n - 1] + 1 : 0;
    have = whole > 0 ? whole : p->n;
    if (whole >= most) /* as many as there are if they go on like that */
        have = (size_t)((double)whole * (double)s->n / (double)*seen);
    t->idf = idf_of(s->n, have);
    q->matched |= !t->recent && t->weight >= 1 && p->n > 0;
    for (size_t k = 0; e == OK && k < p->n; k++) {
        if (*seen > 0) /* it may be looked up once more */
            s->mark[p->at[k]] = 0;
        else
            s->words[p->at[k]] += (float)(t->idf * t->weight) *
                                  (k < whole || whole == 0 ? 1 : PREFIX_SHARE);
    }
    return e;
}

/* A word that is in a large part of all chunks says little of which are meant:
 * only where no rarer one was typed, the rarest of them is gone through to its
 * end. The order of those that are read counts all of them in any case. */
static enum err
scan_terms(struct query *q, struct query_scan *s)
{
    size_t most = s->n / COMMON_SHARE + COMMON_LEAST;
    size_t seen, rarest_seen = 0;
    struct places p = {.n = 0};
    unsigned rarest = 0;
    bool rare = false;
    enum err e = OK;

    for (unsigned i = 0; e == OK && i < q->n_terms; i++) {
        e = scan_term(q, s, i, &p, most, &seen);
        rare |= seen == 0 && p.n > 0 && !q->term[i].recent;
        if (!q->term[i].recent && seen > rarest_seen) {
            rarest_seen = seen;
            rarest = i;
        }
    }
    if (e == OK && !rare && rarest_seen > 0)
        e = scan_term(q, s, rarest, &p, SIZE_MAX, &seen);
    free(p.at);
    return e;
}

/* Vectors of some models are all alike to a good part, whatever they are about:
 * what a chunk has with the query on the average says nothing of it. */
static double
base_of(const struct query_scan *s)
{
    double sum = 0;
    size_t n = 0;

    for (size_t k = 0; k < s->n; k++)
        if ((s->flags[k] & SCAN_MODEL) != 0) {
            sum += (double)s->similarity[k];
            n++;
        }
    return n < QUERY_BASE_MIN ? 0 : fmin(fmax(sum / (double)n, 0), BASE_MAX);
}

enum err
query_scan_read(struct query *q, struct query_scan *s)
{
    struct sketch_query sketch, other;
    enum err e = OK;

    sketch_query(&sketch, q->vector, VECTOR_DIMS);
    if (q->model > 0)
        sketch_query(&other, q->ask->vector, q->ask->dims);
    for (size_t i = 0; e == OK && i < q->n_collections; i++)
        e = scan_collection(q, s, q->collection[i], &sketch);
    for (size_t i = 0; e == OK && i < q->n_collections; i++) {
        if (q->model > 0)
            e = scan_model(q, s, q->collection[i], &other);
        if (e == OK && q->ask->leaves)
            e = scan_local(q, s, q->collection[i]);
    }
    q->base = base_of(s);
    return e == OK && s->n > 0 ? scan_terms(q, s) : e;
}
