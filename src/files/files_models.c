/*
 * Of which models there are vectors, how many, and letting those go that nobody
 * asks any more. A model may have hundreds of megabytes of them, and what is
 * dropped is overwritten: so that is done in steps, between which others write.
 */
#include "base/base.h"

#include "files/files.h"

#include "files/shelf.h"
#include "files/shelf_vector.h"

#define DROP_MAX 1000 /* vectors that go in one transaction */

enum err
shelf_model_find(struct shelf_conn *c, const char *model, int64_t *no,
                 int64_t *dims)
{
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(c, &e, SHELF_MODEL, "t", model);

    if (e == OK)
        e = shelf_step(c, stmt);
    if (e != OK)
        return e;
    *no = sqlite3_column_int64(stmt, 0);
    *dims = sqlite3_column_int64(stmt, 1);
    (void)sqlite3_reset(stmt);
    return OK;
}

enum err
shelf_model_drop(struct shelf_conn *c, int64_t no)
{
    int64_t from = shelf_model_key(no, 0), to = shelf_model_key(no + 1, 0);
    enum err e = shelf_do(c, SHELF_VECTOR_DROP, "ii", from, to);

    if (e == OK)
        e = shelf_do(c, SHELF_SKETCH_DROP, "ii", from, to);
    if (e == OK)
        e = shelf_do(c, SHELF_MODEL_FORGET, "i", no);
    return e == OK ? shelf_do(c, SHELF_MODEL_DROP, "i", no) : e;
}

/* --- letting others go ---------------------------------------------------- */

/* One step of letting a model go; ERR_AGAIN: there is more. Its name goes
 * first: should nobody get to the end of it, and its name be wanted again, that
 * one has nothing yet. */
static enum err
drop_some(struct shelf_conn *c, int64_t no)
{
    int64_t from = shelf_model_key(no, 0), to = shelf_model_key(no + 1, 0), nth;
    enum err e = shelf_do(c, SHELF_MODEL_FADE, "i", no);

    if (e == OK)
        e = shelf_do(c, SHELF_SKETCH_DROP, "ii", from, to);
    if (e == OK)
        e = shelf_do(c, SHELF_MODEL_FORGET, "i", no);
    if (e == OK)
        e = shelf_int(c, &nth, SHELF_VECTOR_NTH, "iii", from, to,
                      (int64_t)DROP_MAX);
    if (e == ERR_NOTFOUND)
        return shelf_model_drop(c, no);
    if (e == OK)
        e = shelf_do(c, SHELF_VECTOR_DROP, "ii", from, nth);
    return e == OK ? ERR_AGAIN : e;
}

/* The next step; ERR_NOTFOUND: no other model is there. */
static enum err
drop_step(struct shelf_conn *c, const char *model)
{
    int64_t no;
    enum err e = shelf_read(c), more;

    if (e != OK)
        return e;
    e = shelf_end(c, shelf_int(c, &no, SHELF_MODELS_OTHER, "t", model));
    if (e == OK)
        e = shelf_write(c);
    if (e != OK)
        return e;
    more = drop_some(c, no);
    e = shelf_end(c, more == ERR_AGAIN ? OK : more);
    return e;
}

enum err
files_vectors_only(struct files *f, const char *model)
{
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    do {
        e = drop_step(c, model);
    } while (e == OK);
    shelf_give(c);
    return e == ERR_NOTFOUND ? OK : e;
}

/* --- counting ------------------------------------------------------------- */

/* How many chunks of a range have a vector: one has a sketch as well. */
static enum err
count_read(struct shelf_conn *c, int64_t from, int64_t to, int64_t *chunks)
{
    enum err e = shelf_int(c, chunks, SHELF_SKETCH_SUM, "ii", from, to);

    *chunks = e == OK ? *chunks / (int64_t)SKETCH_ROW : 0;
    return e;
}

struct model_row {
    char name[256];
    int64_t no, chunks;
};

static enum err
models_read(struct shelf_conn *c, struct model_row *rows, size_t *n)
{
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(c, &e, SHELF_MODELS, "");

    *n = 0;
    while (e == OK && *n <= SHELF_MODELS_MAX &&
           (e = shelf_step(c, stmt)) == OK) {
        rows[*n].no = sqlite3_column_int64(stmt, 0);
        shelf_text(stmt, 1, rows[(*n)++].name, sizeof(rows->name));
    }
    if (stmt != NULL)
        (void)sqlite3_reset(stmt);
    e = e == ERR_NOTFOUND ? OK : e;
    for (size_t i = 0; e == OK && i < *n; i++)
        e = count_read(c, shelf_model_key(rows[i].no, 0),
                       shelf_model_key(rows[i].no + 1, 0), &rows[i].chunks);
    return e;
}

enum err
files_models(struct files *f, files_model_fn *fn, void *arg)
{
    struct model_row rows[SHELF_MODELS_MAX + 1];
    struct shelf_conn *c;
    size_t n = 0;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    e = shelf_read(c);
    if (e == OK)
        e = shelf_end(c, models_read(c, rows, &n));
    shelf_give(c);
    for (size_t i = 0; e == OK && i < n; i++)
        if (rows[i].name[0] != '-' && !fn(arg, rows[i].name, rows[i].chunks))
            break;
    return e;
}

static enum err
embedded_read(struct shelf_conn *c, const char *model, int64_t collection,
              int64_t *chunks)
{
    int64_t no, dims, from, to;
    enum err e = shelf_model_find(c, model, &no, &dims);

    *chunks = 0;
    if (e != OK)
        return e == ERR_NOTFOUND ? OK : e;
    from = shelf_model_key(no, shelf_chunk_from(collection));
    to = collection > 0 ? shelf_model_key(no, shelf_chunk_from(collection + 1))
                        : shelf_model_key(no + 1, 0);
    return count_read(c, from, to, chunks);
}

enum err
files_embedded(struct files *f, const char *model, int64_t collection,
               int64_t *chunks)
{
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    e = shelf_read(c);
    if (e == OK)
        e = shelf_end(c, embedded_read(c, model, collection, chunks));
    shelf_give(c);
    return e;
}
