/*
 * The order of the candidates. Each is read: how often its words are there, in
 * its text, its heading, its title and name, is BM25 over these fields, and
 * words of the query that stand side by side count more; its exact vector gives
 * the similarity. Both make an order, and a candidate's score is what its ranks
 * in the two are worth (reciprocal rank fusion): neither's numbers have to mean
 * the same as the other's.
 *
 * A candidate that has none of the words must be similar to be shown, or else
 * every question would have an answer. Ties are broken by what does not change
 * from one time to the next.
 */
#include "base/base.h"

#include "files/query.h"

#include <math.h>

#include "base/mem.h"
#include "files/chunk.h"

#define K1 1.2
#define B 0.4
#define USUAL 800.0 /* bytes of a chunk */
#define WEIGHT_HEADING 1.5
#define WEIGHT_NAME 2.0 /* of the title and the name */
#define SHARE_STEM 0.9
#define SHARE_PREFIX 0.4
#define SHARE_NEAR 0.5 /* of the rarer one of two that stand together */
#define NEAR 3         /* words from one to the other, at most */
#define RANK_K 60.0
#define WEIGHT_WORDS 1.0
#define WEIGHT_VECTOR 1.0
#define WEIGHT_BUILT_IN 0.5 /* of the built-in vectors */
#define SIMILAR 0.18 /* at least, of one that has no word; built-in vectors */
#define SIMILAR_MODEL 0.2 /* likewise, of another model, above what is usual */
#define HALF_MS (90.0 * 24 * 3600 * 1000) /* a file of that age is half new */

/* --- reading -------------------------------------------------------------- */

/* Documents that were read, by number. */
struct library {
    struct query_document *at; /* in the arena */
    size_t n;
};

static const char *
keep(struct query *q, sqlite3_stmt *stmt, int column)
{
    const char *s = (const char *)sqlite3_column_text(stmt, column);

    return s == NULL
               ? ""
               : arena_memdup0(q->arena, s,
                               (size_t)sqlite3_column_bytes(stmt, column));
}

static enum err
document_have(struct query *q, struct library *l, int64_t id,
              const struct query_document **out)
{
    struct query_document *d = &l->at[l->n];
    sqlite3_stmt *stmt;
    int label;
    enum err e;

    for (size_t i = l->n; i-- > 0;)
        if (l->at[i].id == id) {
            *out = &l->at[i];
            return OK;
        }
    stmt = shelf_stmt(q->conn, &e, SHELF_DOCUMENT, "i", id);
    if (e == OK)
        e = shelf_step(q->conn, stmt);
    if (e != OK)
        return e;
    d->id = id;
    d->name = keep(q, stmt, 3);
    d->mtime_ns = sqlite3_column_int64(stmt, 5);
    d->image = sqlite3_column_int(stmt, 7) != 0;
    label = sqlite3_column_int(stmt, 9);
    d->label = label >= LABEL_CLOUD_OK && label < LABEL_IGNORE
                   ? (enum label)label
                   : LABEL_LOCAL_ONLY;
    d->type = keep(q, stmt, 14);
    d->title = keep(q, stmt, 15);
    d->lang = (enum lang)sqlite3_column_int(stmt, 25);
    d->redactions = keep(q, stmt, 26);
    d->chunks = sqlite3_column_int64(stmt, 12);
    d->first = sqlite3_column_int64(stmt, 24);
    (void)sqlite3_reset(stmt);
    l->n++;
    *out = d;
    return OK;
}

/* How similar the exact vector of a chunk is; 0 if it has none. */
static enum err
similarity_read(struct query *q, int64_t key, const float *v, size_t dims,
                double *out)
{
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(q->conn, &e, SHELF_VECTOR_COSINE, "ib", key,
                                    v, dims * sizeof(*v));

    *out = 0;
    if (e == OK)
        e = shelf_step(q->conn, stmt);
    if (e == OK) {
        *out = fmin(fmax(sqlite3_column_double(stmt, 0), 0), 1);
        (void)sqlite3_reset(stmt);
    }
    return e == ERR_NOTFOUND ? OK : e;
}

static enum err
similarities_read(struct query *q, struct query_result *r)
{
    enum err e = OK;

    if (r->model) {
        e = similarity_read(q, shelf_model_key(q->model, r->chunk),
                            q->ask->vector, q->ask->dims, &r->similarity);
        r->similarity = fmax((r->similarity - q->base) / (1 - q->base), 0);
        return e;
    }
    if (q->has_vector)
        e = similarity_read(q, r->chunk, q->vector, VECTOR_DIMS,
                            &r->similarity);
    r->to_typed = r->similarity;
    if (e == OK && q->has_vector && !q->plain && !q->matched)
        e = similarity_read(q, r->chunk, q->typed, VECTOR_DIMS, &r->to_typed);
    return e;
}

static enum err
result_read(struct query *q, struct library *l, const struct query_candidate *k,
            struct query_result *r)
{
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(q->conn, &e, SHELF_CHUNK_SHOW, "i",
                                    k->chunk);

    memset(r, 0, sizeof(*r));
    if (e == OK)
        e = shelf_step(q->conn, stmt);
    if (e != OK)
        return e;
    r->chunk = k->chunk;
    r->model = k->model;
    r->seq = (uint32_t)sqlite3_column_int64(stmt, 1);
    r->start = sqlite3_column_int64(stmt, 2);
    r->page = sqlite3_column_int(stmt, 3);
    r->heading = keep(q, stmt, 4);
    r->text = keep(q, stmt, 5);
    r->len = (size_t)sqlite3_column_bytes(stmt, 5);
    (void)sqlite3_reset(stmt);
    e = document_have(q, l, k->document, &r->document);
    return e == OK ? similarities_read(q, r) : e;
}

/* --- words ---------------------------------------------------------------- */

/* How much of each word of the query there is. */
struct counts {
    const struct query *q;
    enum lang lang;
    double weight; /* of the field at hand */
    double of[QUERY_TERMS];
    double near; /* of pairs */
    uint64_t pairs;
    int before; /* the last word that was one; -1 */
    unsigned since;
};

static bool
count(void *arg, const struct shelf_word *w)
{
    struct counts *c = arg;
    const struct query *q = c->q;
    enum query_match how;
    int i = query_match(q, c->lang, w, &how);

    c->since++;
    if (i < 0)
        return true;
    c->of[i] += c->weight * (how == MATCH_WORD   ? 1
                             : how == MATCH_STEM ? SHARE_STEM
                                                 : SHARE_PREFIX);
    if (c->before >= 0 && i == c->before + 1 && c->since <= NEAR &&
        how != MATCH_PREFIX && q->term[i].recent == q->term[i - 1].recent &&
        (c->pairs >> i & 1) == 0) {
        c->pairs |= UINT64_C(1) << i;
        c->near += SHARE_NEAR *
                   fmin(q->term[i].idf * q->term[i].weight,
                        q->term[i - 1].idf * q->term[i - 1].weight);
    }
    c->before = i;
    c->since = 0;
    return true;
}

static void
count_field(struct counts *c, const char *text, size_t n, double weight)
{
    c->weight = weight;
    c->before = -1;
    c->since = 0;
    shelf_token_walk(c->q->conn->token, text, n, count, c);
}

static void
words_score(const struct query *q, struct query_result *r)
{
    struct counts c = {.q = q, .lang = r->document->lang};
    double norm = K1 * (1 - B + B * (double)r->len / USUAL);

    count_field(&c, r->text, r->len, 1);
    count_field(&c, r->heading, strlen(r->heading), WEIGHT_HEADING);
    count_field(&c, r->document->title, strlen(r->document->title),
                WEIGHT_NAME);
    count_field(&c, r->document->name, strlen(r->document->name), WEIGHT_NAME);
    for (unsigned i = 0; i < q->n_terms; i++) {
        const struct query_term *t = &q->term[i];

        if (c.of[i] <= 0)
            continue;
        r->words += t->weight * t->idf * c.of[i] * (K1 + 1) / (c.of[i] + norm);
        r->typed |= !t->recent && t->weight >= 1;
        r->said |= t->recent;
    }
    r->words += c.near;
}

/* --- order ---------------------------------------------------------------- */

/* What does not depend on the query. */
static int
by_place(const struct query_result *x, const struct query_result *y)
{
    int names = strcmp(x->document->name, y->document->name);

    if (names != 0)
        return names;
    return (x->chunk > y->chunk) - (x->chunk < y->chunk);
}

static int
by_words(const void *a, const void *b)
{
    const struct query_result *const *pa = a, *const *pb = b;
    const struct query_result *x = *pa, *y = *pb;

    if (fabs(x->words - y->words) > 0)
        return x->words > y->words ? -1 : 1;
    if (fabs(x->similarity - y->similarity) > 0)
        return x->similarity > y->similarity ? -1 : 1;
    return by_place(x, y);
}

static int
by_similarity(const void *a, const void *b)
{
    const struct query_result *const *pa = a, *const *pb = b;
    const struct query_result *x = *pa, *y = *pb;

    if (x->model != y->model) /* each model has an order of its own */
        return x->model ? -1 : 1;
    if (fabs(x->similarity - y->similarity) > 0)
        return x->similarity > y->similarity ? -1 : 1;
    if (fabs(x->words - y->words) > 0)
        return x->words > y->words ? -1 : 1;
    return by_place(x, y);
}

static int
by_score(const void *a, const void *b)
{
    const struct query_result *x = a, *y = b;

    if (fabs(x->score - y->score) > 0)
        return x->score > y->score ? -1 : 1;
    if (fabs(x->words - y->words) > 0)
        return x->words > y->words ? -1 : 1;
    if (fabs(x->similarity - y->similarity) > 0)
        return x->similarity > y->similarity ? -1 : 1;
    return by_place(x, y);
}

/* 1 for a file of now, 0 for one of long ago. */
static double
newness(const struct query_result *r, int64_t now_ms)
{
    double age_ms = (double)now_ms - (double)r->document->mtime_ns / 1e6;

    return age_ms <= 0 ? 1 : exp2(-age_ms / HALF_MS);
}

static void
score_all(const struct query *q, struct query_result *r, size_t n)
{
    struct query_result **order = arena_alloc(
        q->arena, (n + 1) * sizeof(struct query_result *));
    double weight_words = q->n_terms > 0 ? WEIGHT_WORDS : 0;
    double weight_vector = q->model > 0    ? WEIGHT_VECTOR
                           : q->has_vector ? WEIGHT_BUILT_IN
                                           : 0;
    double most = (weight_words + weight_vector) / (RANK_K + 1);
    double recency = fmin(fmax(q->ask->recency, 0), 1);
    size_t rank = 0;

    for (size_t i = 0; i < n; i++)
        order[i] = &r[i];
    qsort(order, n, sizeof(struct query_result *), by_words);
    for (size_t i = 0; i < n && order[i]->words > 0; i++)
        order[i]->score = weight_words / (RANK_K + 1 + (double)i);
    qsort(order, n, sizeof(struct query_result *), by_similarity);
    for (size_t i = 0; i < n; i++, rank++) {
        if (i > 0 && order[i]->model != order[i - 1]->model)
            rank = 0;
        if (order[i]->similarity > 0)
            order[i]->score += weight_vector / (RANK_K + 1 + (double)rank);
    }
    for (size_t i = 0; i < n && most > 0; i++) {
        double new = newness(&r[i], q->ask->now_ms);

        r[i].score = r[i].score / most * (1 - recency * (1 - new));
    }
    qsort(r, n, sizeof(*r), by_score);
}

/* Is it an answer at all? */
static bool
is_answer(const struct query *q, const struct query_result *r)
{
    /* "Which photos do I have?" is like no image in particular. */
    if (q->ask->threshold > 0 && r->similarity < q->ask->threshold &&
        !(q->images && r->document->image))
        return false;
    if (r->typed)
        return true;
    if (r->words > 0 && q->plain)
        return true;
    if (r->said && q->matched)
        return true; /* of what was said before */
    /* What was said before does not make an answer to something else. */
    return r->model ? r->similarity >= SIMILAR_MODEL : r->to_typed >= SIMILAR;
}

enum err
query_rank(struct query *q, const struct query_candidate *candidates, size_t n,
           struct query_result **out, size_t *n_out)
{
    struct library l = {.n = 0};
    struct query_result *r = arena_alloc(q->arena, (n + 1) * sizeof(*r));
    size_t kept = 0;
    enum err e = OK;

    l.at = arena_alloc(q->arena, (n + 1) * sizeof(*l.at));
    for (size_t i = 0; e == OK && i < n; i++) {
        e = result_read(q, &l, &candidates[i], &r[kept]);
        if (e == ERR_NOTFOUND) { /* a sketch without its chunk */
            e = OK;
            continue;
        }
        if (e != OK)
            break;
        words_score(q, &r[kept]);
        kept += is_answer(q, &r[kept]);
    }
    if (e == OK)
        score_all(q, r, kept);
    *out = r;
    *n_out = kept;
    return e;
}
