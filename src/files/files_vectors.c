/*
 * Vectors of another model, which come from another program, later, and a few
 * at a time. A document that has all of them is marked with the model, so that
 * what is still to do is found without looking at every chunk. The built-in
 * vectors stay: they are there for chunks that have no other.
 */
#include "base/base.h"

#include "files/files.h"

#include "base/mem.h"
#include "files/shelf.h"
#include "files/shelf_vector.h"
#include "files/vector.h"

#define PENDING_MAX 1024 /* of one call */

/* --- the model ------------------------------------------------------------ */

/* Its number; a model whose vectors have another length now begins anew. */
static enum err
model_have(struct shelf_conn *c, const char *model, size_t dims, int64_t *no)
{
    int64_t had = 0;
    enum err e = shelf_model_find(c, model, no, &had);

    if (e == OK && had == (int64_t)dims)
        return OK;
    if (e == OK)
        e = shelf_model_drop(c, *no);
    if (e == OK || e == ERR_NOTFOUND)
        e = shelf_int(c, no, SHELF_MODEL_FREE, "");
    if (e == OK && *no > SHELF_MODELS_MAX)
        e = ERR_FULL;
    return e == OK
               ? shelf_do(c, SHELF_MODEL_ADD, "iti", *no, model, (int64_t)dims)
               : e;
}

/* --- what is still to do -------------------------------------------------- */

struct pending_chunk {
    int64_t chunk;
    char name[FILES_NAME_MAX + 1]; /* of its document */
    struct buf text;
};

struct pending {
    struct pending_chunk *at; /* owned */
    size_t n;
};

static enum err
pending_add(struct shelf_conn *c, struct pending *p, sqlite3_stmt *stmt,
            bool leaves)
{
    struct pending_chunk *to = &p->at[p->n++];
    struct buf *out = &to->text;
    const char *text = (const char *)sqlite3_column_text(stmt, 1);
    size_t n = (size_t)sqlite3_column_bytes(stmt, 1);
    enum err e = OK;

    to->chunk = sqlite3_column_int64(stmt, 0);
    shelf_text(stmt, 8, to->name, sizeof(to->name));
    buf_init(out, 16 * (n + 64));
    if (leaves && sqlite3_column_int(stmt, 2) != LABEL_CLOUD_OK) {
        const char *patterns = (const char *)sqlite3_column_text(stmt, 3);
        struct redact *blot = redact_new(patterns != NULL ? patterns : "");

        e = shelf_text_blotted(
            c, blot, sqlite3_column_int64(stmt, 5),
            sqlite3_column_int64(stmt, 6), sqlite3_column_int64(stmt, 4),
            text != NULL ? text : "", n, sqlite3_column_int(stmt, 7) != 0, out);
        redact_free(blot);
        if (out->over)
            buf_clear(out);
    } else if (text != NULL) {
        buf_add(out, text, n);
    }
    return e;
}

/* Read first and told afterwards: who embeds is slow, and no snapshot is to be
 * kept open for so long. */
static enum err
pending_read(struct shelf_conn *c, const char *model, bool leaves,
             unsigned limit, struct pending *p)
{
    int64_t no = 0, dims;
    sqlite3_stmt *stmt;
    enum err e = shelf_model_find(c, model, &no, &dims);

    if (e == ERR_NOTFOUND)
        no = SHELF_MODELS_MAX + 1; /* that no document is marked with */
    else if (e != OK)
        return e;
    stmt = shelf_stmt(c, &e, SHELF_PENDING, "iiii", no, (int64_t)leaves,
                      shelf_model_key(no, 0), (int64_t)limit);
    while (e == OK && p->n < limit && (e = shelf_step(c, stmt)) == OK)
        e = pending_add(c, p, stmt, leaves);
    if (stmt != NULL)
        (void)sqlite3_reset(stmt);
    return e == ERR_NOTFOUND ? OK : e;
}

enum err
files_pending(struct files *f, const char *model, bool leaves, unsigned limit,
              chunk_text_fn *fn, void *arg)
{
    struct pending p = {.n = 0};
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    if (limit > PENDING_MAX)
        limit = PENDING_MAX;
    p.at = xcalloc(limit + 1, sizeof(*p.at));
    e = shelf_read(c);
    if (e == OK)
        e = shelf_end(c, pending_read(c, model, leaves, limit, &p));
    shelf_give(c);
    for (size_t i = 0; e == OK && i < p.n; i++)
        if (!fn(arg, p.at[i].chunk, p.at[i].name, buf_cstr(&p.at[i].text),
                p.at[i].text.len))
            break;
    for (size_t i = 0; i < p.n; i++)
        buf_release(&p.at[i].text);
    free(p.at);
    return e;
}

/* --- taking them in ------------------------------------------------------- */

struct taking {
    struct shelf_conn *c;
    int64_t model;
    size_t dims;
    float *unit;      /* owned; room for one */
    int64_t document; /* of the last chunk; 0: there is none */
    /* Neighbours of it whose sketches are one record. */
    struct buf rows;
    int64_t from;
    uint32_t n;
};

static enum err
rows_write(struct taking *t)
{
    enum err e = OK;

    if (t->n > 0)
        e = shelf_do(t->c, SHELF_SKETCH_ADD, "iib",
                     shelf_model_key(t->model, t->from), t->document,
                     t->rows.data, t->rows.len);
    buf_clear(&t->rows);
    t->n = 0;
    return e;
}

/* Mark the document if it has all of them now. */
static enum err
document_mark(struct taking *t)
{
    int64_t first, chunks, have = 0;
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(t->c, &e, SHELF_DOCUMENT, "i", t->document);

    if (e == OK)
        e = shelf_step(t->c, stmt);
    if (e != OK)
        return e;
    chunks = sqlite3_column_int64(stmt, 12);
    first = sqlite3_column_int64(stmt, 24);
    (void)sqlite3_reset(stmt);
    e = shelf_int(t->c, &have, SHELF_VECTOR_COUNT, "ii",
                  shelf_model_key(t->model, first),
                  shelf_model_key(t->model, first + chunks));
    return e == OK && have == chunks ? shelf_do(t->c, SHELF_DOCUMENT_EMBEDDED,
                                                "ii", t->document, t->model)
                                     : e;
}

/* No more of this document, for now. */
static enum err
document_end(struct taking *t)
{
    enum err e = rows_write(t);

    return e == OK && t->document != 0 ? document_mark(t) : e;
}

static bool
is_none(const float *row, size_t dims)
{
    for (size_t i = 0; i < dims; i++)
        if (row[i] < 0 || row[i] > 0)
            return false;
    return true;
}

/* The exact vector, and a sketch by which it is found; no row is kept as a
 * BLOB of nothing, without a sketch. */
static enum err
row_add(struct taking *t, int64_t chunk, const float *row)
{
    size_t size = is_none(row, t->dims) ? 0 : t->dims * sizeof(*row);
    enum err e;

    memcpy(t->unit, row, t->dims * sizeof(*row));
    vector_normalise(t->unit, t->dims);
    e = shelf_do(t->c, SHELF_VECTOR_ADD, "ib", shelf_model_key(t->model, chunk),
                 t->unit, size);
    if (e != OK || size == 0)
        return e;
    if (t->n > 0 && (chunk != t->from + t->n || t->n == SKETCH_ROWS))
        e = rows_write(t);
    if (t->n == 0)
        t->from = chunk;
    sketch_row(t->unit, t->dims, &t->rows);
    t->n++;
    return e;
}

static enum err
take_one(struct taking *t, int64_t chunk, const float *row)
{
    int64_t document, there;
    enum err e = shelf_int(t->c, &document, SHELF_CHUNK_DOCUMENT, "i", chunk);

    if (e != OK) /* ERR_NOTFOUND: it is gone by now */
        return e == ERR_NOTFOUND ? OK : e;
    e = shelf_int(t->c, &there, SHELF_VECTOR_HAS, "i",
                  shelf_model_key(t->model, chunk));
    if (e != ERR_NOTFOUND) /* it has one */
        return e;
    if (document != t->document) {
        e = document_end(t);
        t->document = document;
        if (e != OK)
            return e;
    }
    return row_add(t, chunk, row);
}

static enum err
take_all(struct shelf_conn *c, const char *model, const int64_t *chunks,
         const float *rows, size_t n, size_t dims)
{
    struct taking t = {.c = c, .dims = dims};
    enum err e = model_have(c, model, dims, &t.model);

    buf_init(&t.rows, SKETCH_ROWS * SKETCH_ROW);
    t.unit = xcalloc(dims, sizeof(*t.unit));
    for (size_t i = 0; e == OK && i < n; i++)
        e = take_one(&t, chunks[i], rows + i * dims);
    if (e == OK)
        e = document_end(&t);
    buf_release(&t.rows);
    free(t.unit);
    return e;
}

enum err
files_vectors(struct files *f, const char *model, const int64_t *chunks,
              const float *rows, size_t n, size_t dims)
{
    struct shelf_conn *c;
    enum err e;

    if (dims == 0 || dims > VECTOR_DIMS_MAX || model[0] == '\0' ||
        strcmp(model, VECTOR_MODEL) == 0)
        return ERR_BADREQ;
    e = shelf_take(f, &c);
    if (e != OK)
        return e;
    e = shelf_write(c);
    if (e == OK)
        e = shelf_end(c, take_all(c, model, chunks, rows, n, dims));
    shelf_give(c);
    return e;
}
