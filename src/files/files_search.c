/*
 * Looking for something: one snapshot from the collections that may be seen to
 * the text that is shown, so that a document is either found whole or not.
 *
 * What must not leave the machine is known by the document's row and looked at
 * last, when the result is put together: nothing of a local-only document is
 * copied into it but its name, and only if it would have been there.
 */
#include "base/base.h"

#include "files/files.h"

#include <math.h>

#include "base/clock.h"
#include "files/chunk.h"
#include "files/query.h"

/* What asks stands in `ask`: numbers within their bounds. */
static enum err
ask_check(const struct files_query *q, struct files_query *ask)
{
    *ask = *q;
    if (ask->top_k < 1 || ask->top_k > FILES_TOP_K_MAX)
        return ERR_BADREQ;
    if (!(ask->recency >= 0 && ask->recency <= 1) ||
        !(ask->threshold >= 0 && ask->threshold <= 1))
        return ERR_BADREQ;
    if (ask->vector != NULL &&
        (ask->dims == 0 || ask->dims > VECTOR_DIMS_MAX || ask->model == NULL))
        return ERR_BADREQ;
    if (ask->now_ms <= 0)
        ask->now_ms = clock_wall_ms();
    return OK;
}

/* --- what is looked through ----------------------------------------------- */

static int
by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* One that is for those who have nothing of their own yet? */
static bool
is_for_beginners(sqlite3_stmt *stmt)
{
    const char *owner = (const char *)sqlite3_column_text(stmt, 1);
    const char *name = (const char *)sqlite3_column_text(stmt, 2);

    return owner != NULL && name != NULL && strcmp(owner, FILES_SHARED) == 0 &&
           (strcmp(name, FILES_OWN_DOCUMENTS) == 0 ||
            strcmp(name, FILES_OWN_IMAGES) == 0);
}

/* The collections that have something: those for beginners, or the others. */
static enum err
collections_some(struct query *q, bool beginners)
{
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(q->conn, &e, SHELF_COLLECTIONS_OF, "t",
                                    q->ask->owner);

    while (e == OK && (e = shelf_step(q->conn, stmt)) == OK) {
        int64_t no = sqlite3_column_int64(stmt, 0);
        int64_t documents = sqlite3_column_int64(stmt, 4);

        if (documents == 0 || is_for_beginners(stmt) != beginners ||
            (q->ask->collection != 0 && q->ask->collection != no))
            continue;
        if (q->n_collections == QUERY_COLLECTIONS)
            break;
        q->collection[q->n_collections++] = no;
        q->documents += (size_t)documents;
    }
    if (stmt != NULL)
        (void)sqlite3_reset(stmt);
    return e == ERR_NOTFOUND ? OK : e;
}

static enum err
collections_read(struct query *q)
{
    enum err e;

    q->collection = arena_alloc(q->arena,
                                QUERY_COLLECTIONS * sizeof(*q->collection));
    e = collections_some(q, false);
    if (e == OK && q->n_collections == 0 && !q->ask->own_only) {
        q->samples = true;
        e = collections_some(q, true);
    }
    qsort(q->collection, q->n_collections, sizeof(*q->collection), by_number);
    return e;
}

static enum err
model_read(struct query *q)
{
    enum err e;
    sqlite3_stmt *stmt;

    if (q->ask->vector == NULL)
        return OK;
    stmt = shelf_stmt(q->conn, &e, SHELF_MODEL, "t", q->ask->model);
    if (e == OK)
        e = shelf_step(q->conn, stmt);
    if (e == OK) {
        if (sqlite3_column_int64(stmt, 1) == (int64_t)q->ask->dims)
            q->model = sqlite3_column_int64(stmt, 0);
        (void)sqlite3_reset(stmt);
    }
    return e == ERR_NOTFOUND ? OK : e;
}

/* What was said before weighs as much as in the built-in vectors. */
static void
model_mix(struct query *q, struct files_query *ask)
{
    float *mixed;

    if (ask->vector == NULL || ask->recent_vector == NULL)
        return;
    mixed = arena_alloc(q->arena, ask->dims * sizeof(*mixed));
    memcpy(mixed, ask->vector, ask->dims * sizeof(*mixed));
    vector_mix(mixed, ask->recent_vector, ask->dims, query_recent_weight(q));
    vector_normalise(mixed, ask->dims);
    ask->vector = mixed;
}

/* --- the result ----------------------------------------------------------- */

/* What was written for it; nothing if it had no room. */
static const char *
kept(struct files_found *out, struct buf *b, size_t *n)
{
    const char *s;

    if (b->over)
        buf_clear(b);
    *n = b->len;
    s = arena_memdup0(&out->arena, b->data != NULL ? b->data : "", b->len);
    buf_release(b);
    return s;
}

/* Each of the texts that a hit shows, blotted out. What cannot be read with
 * what is around it is not shown. */
static void
hit_blot(const struct query *q, const struct query_result *r, size_t *n,
         struct files_hit *h, struct files_found *out)
{
    const struct query_document *d = r->document;
    struct redact *blot = redact_new(d->redactions);
    size_t n_name = strlen(d->name), n_title = strlen(d->title);
    size_t n_heading = strlen(r->heading), ignored;
    struct buf b;

    buf_init(&b, 16 * (r->len + 64));
    if (shelf_text_blotted(q->conn, blot, d->first, d->chunks, r->start,
                           r->text, r->len, d->image, &b) != OK)
        buf_clear(&b);
    h->text = kept(out, &b, n);
    buf_init(&b, 16 * (n_heading + 64));
    redact_cut(blot, r->heading, n_heading, CHUNK_HEADING_MAX, &b);
    h->heading = kept(out, &b, &ignored);
    buf_init(&b, 16 * (n_title + 64));
    redact_cut(blot, d->title, n_title, FACTS_TITLE_MAX, &b);
    h->title = kept(out, &b, &ignored);
    buf_init(&b, 16 * (n_name + 64));
    (void)redact_part(blot, d->name, n_name, 0, n_name, true, &b);
    h->shown = kept(out, &b, &ignored);
    redact_free(blot);
}

static void
hit_add(const struct query *q, const struct query_result *r,
        struct files_found *out)
{
    const struct query_document *d = r->document;
    struct files_hit *h = &out->hits[out->n++];
    size_t n = r->len;

    *h = (struct files_hit){
        .document = d->id,
        .chunk = r->seq,
        .start = r->start,
        .len = r->len,
        .page = r->page,
        .image = d->image,
        .label = d->label,
        .name = d->name,
        .shown = d->name,
        .title = d->title,
        .heading = r->heading,
        .text = r->text,
        .type = d->type,
        .similarity = r->similarity,
        .score = fmin(fmax(r->score, 0), 1),
    };
    if (q->ask->leaves && d->label != LABEL_CLOUD_OK)
        hit_blot(q, r, &n, h, out);
    h->snippet = query_snippet(q, d->lang, h->text, n);
}

static void
held_add(const struct query_document *d, struct files_found *out)
{
    for (size_t i = 0; i < out->n_held; i++)
        if (strcmp(out->held[i], d->name) == 0)
            return;
    out->held[out->n_held++] = d->name;
}

/* The best ones, a few of each document. */
static void
result_fill(const struct query *q, const struct query_result *r, size_t n,
            struct files_found *out)
{
    unsigned top = q->ask->top_k, most = q->ask->per_document, place = 0;

    out->hits = arena_alloc(&out->arena, top * sizeof(*out->hits));
    out->held = arena_alloc(&out->arena, top * sizeof(const char *));
    for (size_t i = 0; i < n && out->n < top; i++) {
        const struct query_document *d = r[i].document;
        unsigned have = 0;

        for (size_t k = 0; most > 0 && k < i && have < most; k++)
            have += r[k].document == d;
        if (most > 0 && have == most)
            continue;
        if (!q->ask->leaves || d->label != LABEL_LOCAL_ONLY)
            hit_add(q, &r[i], out);
        else if (place < top)
            held_add(d, out);
        place++;
    }
}

static enum err
look(struct query *q, struct files_found *out)
{
    struct query_scan scan = {.n = 0};
    struct query_result *results;
    size_t n;
    enum err e = collections_read(q);

    out->documents = q->documents;
    out->samples = q->samples;
    if (e == OK)
        e = model_read(q);
    if (e != OK || q->n_collections == 0 || (q->n_terms == 0 && q->model == 0))
        return e;
    e = query_scan_read(q, &scan);
    if (e == OK) {
        struct query_candidate *candidates = query_scan_pick(q, &scan, &n);

        e = query_rank(q, candidates, n, &results, &n);
        if (e == OK)
            result_fill(q, results, n, out);
    }
    query_scan_release(&scan);
    return e;
}

enum err
files_search(struct files *f, const struct files_query *q,
             struct files_found *out)
{
    struct files_query ask;
    struct query *query;
    enum err e = ask_check(q, &ask);

    memset(out, 0, sizeof(*out));
    arena_init(&out->arena);
    if (e != OK)
        return e;
    query = arena_alloc(&out->arena, sizeof(*query));
    query->ask = &ask;
    query->arena = &out->arena;
    e = shelf_take(f, &query->conn);
    if (e != OK)
        return e;
    query_words(query);
    model_mix(query, &ask);
    e = shelf_read(query->conn);
    if (e == OK)
        e = shelf_end(query->conn, look(query, out));
    shelf_give(query->conn);
    if (e != OK)
        files_found_release(out);
    return e;
}

void
files_found_release(struct files_found *found)
{
    arena_release(&found->arena);
    memset(found, 0, sizeof(*found));
}
