/*
 * Documents: reading them, finding them by name, taking them out.
 *
 * A document's chunks have numbers in a row, so that all that belongs to it is
 * a range of four tables. What is taken out is gone with the transaction, from
 * the list of words and the vectors as well: nothing is remembered beside the
 * file that could still find it.
 */
#include "base/base.h"

#include "files/files.h"

#include "base/clock.h"
#include "base/mem.h"
#include "files/shelf.h"

#define SWEEP_STEP 32 /* documents taken out in one transaction */
#define WORDS_TEXT_MAX (1024 * 1024)

/* --- reading -------------------------------------------------------------- */

static void
facts_read(sqlite3_stmt *stmt, struct facts *f)
{
    shelf_text(stmt, 14, f->type, sizeof(f->type));
    shelf_text(stmt, 15, f->title, sizeof(f->title));
    f->width = (uint32_t)sqlite3_column_int64(stmt, 16);
    f->height = (uint32_t)sqlite3_column_int64(stmt, 17);
    shelf_text(stmt, 18, f->taken, sizeof(f->taken));
    f->has_place = sqlite3_column_type(stmt, 19) != SQLITE_NULL &&
                   sqlite3_column_type(stmt, 20) != SQLITE_NULL;
    f->latitude = sqlite3_column_double(stmt, 19);
    f->longitude = sqlite3_column_double(stmt, 20);
    shelf_text(stmt, 21, f->camera, sizeof(f->camera));
    shelf_text(stmt, 22, f->description, sizeof(f->description));
    shelf_text(stmt, 23, f->tags, sizeof(f->tags));
    shelf_text(stmt, 27, f->described_by, sizeof(f->described_by));
}

void
shelf_document_read(sqlite3_stmt *stmt, struct document *d)
{
    char skip[32];
    int label = sqlite3_column_int(stmt, 9);

    memset(d, 0, sizeof(*d));
    d->id = sqlite3_column_int64(stmt, 0);
    d->collection = sqlite3_column_int64(stmt, 1);
    shelf_text(stmt, 2, d->owner, sizeof(d->owner));
    shelf_text(stmt, 3, d->name, sizeof(d->name));
    d->size = sqlite3_column_int64(stmt, 4);
    d->mtime_ns = sqlite3_column_int64(stmt, 5);
    if (sqlite3_column_bytes(stmt, 6) == sizeof(d->hash))
        memcpy(d->hash, sqlite3_column_blob(stmt, 6), sizeof(d->hash));
    d->image = sqlite3_column_int(stmt, 7) != 0;
    shelf_text(stmt, 8, skip, sizeof(skip));
    if (skip[0] != '\0' && !skip_parse(skip, &d->skip))
        d->skip = SKIP_READ;
    /* What is no label that we know must not leave. */
    d->label = label >= LABEL_CLOUD_OK && label < LABEL_IGNORE
                   ? (enum label)label
                   : LABEL_LOCAL_ONLY;
    d->label_fixed = sqlite3_column_int(stmt, 10) != 0;
    d->added_ms = sqlite3_column_int64(stmt, 11);
    d->chunks = (uint32_t)sqlite3_column_int64(stmt, 12);
    d->text_len = sqlite3_column_int64(stmt, 13);
    facts_read(stmt, &d->facts);
}

/* The row of a statement that gives one document. */
static enum err
document_step(struct shelf_conn *c, sqlite3_stmt *stmt, struct document *d)
{
    enum err e = shelf_step(c, stmt);

    if (e == OK) {
        shelf_document_read(stmt, d);
        (void)sqlite3_reset(stmt);
    }
    return e;
}

static enum err
document_get(struct shelf_conn *c, int64_t no, struct document *d)
{
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(c, &e, SHELF_DOCUMENT, "i", no);

    return e == OK ? document_step(c, stmt, d) : e;
}

enum err
files_known(struct files *f, int64_t collection, const char *name,
            struct document *out)
{
    sqlite3_stmt *stmt;
    struct shelf_conn *c;
    enum err e = shelf_take_early(f, &c);

    if (e != OK)
        return e;
    stmt = shelf_stmt(c, &e, SHELF_DOCUMENT_NAMED, "it", collection, name);
    if (e == OK)
        e = document_step(c, stmt, out);
    shelf_give(c);
    return e;
}

enum err
files_get(struct files *f, int64_t document, struct document *out)
{
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    e = document_get(c, document, out);
    shelf_give(c);
    return e;
}

static enum err
find_number(struct shelf_conn *c, const char *owner, const char *name,
            int64_t *no)
{
    const char *const owners[] = {owner, FILES_SHARED};
    enum err e = ERR_NOTFOUND;

    for (size_t i = 0; e == ERR_NOTFOUND && i < COUNT_OF(owners); i++)
        e = shelf_int(c, no, SHELF_DOCUMENT_FIND, "tt", owners[i], name);
    for (size_t i = 0; e == ERR_NOTFOUND && i < COUNT_OF(owners); i++)
        e = shelf_int(c, no, SHELF_DOCUMENT_FIND_LAST, "tt", owners[i], name);
    return e;
}

enum err
files_find(struct files *f, const char *owner, const char *name,
           struct document *out)
{
    struct shelf_conn *c;
    int64_t no;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    e = shelf_read(c);
    if (e == OK) {
        e = find_number(c, owner, name, &no);
        if (e == OK)
            e = document_get(c, no, out);
        e = shelf_end(c, e);
    }
    shelf_give(c);
    return e;
}

/* For a walk of its own, so that the callback may walk as well. */
static sqlite3_stmt *
list_prepare(struct shelf_conn *c, const char *owner, int64_t collection,
             const struct files_after *after, unsigned limit, enum err *e)
{
    enum shelf_sql which = collection != 0 ? SHELF_DOCUMENTS_IN
                           : owner != NULL ? SHELF_DOCUMENTS_OF
                                           : SHELF_DOCUMENTS;
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(c->db, shelf_sql(which), -1, &stmt, NULL);

    if (rc == SQLITE_OK && which != SHELF_DOCUMENTS)
        rc = sqlite3_bind_text(stmt, 1, owner, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK && collection != 0)
        rc = sqlite3_bind_int64(stmt, 2, collection);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 3, after != NULL ? after->name : "", -1,
                               SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(stmt, 5, after != NULL ? after->id : 0);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(stmt, 4, limit);
    *e = rc == SQLITE_OK ? OK : shelf_failed(c, "list", rc);
    return stmt;
}

enum err
files_list(struct files *f, const char *owner, int64_t collection,
           const struct files_after *after, unsigned limit, document_fn *fn,
           void *arg)
{
    struct document *d;
    sqlite3_stmt *stmt;
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    d = xmalloc(sizeof(*d));
    stmt = list_prepare(c, owner, collection, after, limit, &e);
    while (e == OK && (e = shelf_step(c, stmt)) == OK) {
        shelf_document_read(stmt, d);
        if (!fn(arg, d))
            break;
    }
    (void)sqlite3_finalize(stmt);
    free(d);
    shelf_give(c);
    return e == ERR_NOTFOUND ? OK : e;
}

/* --- taking out ----------------------------------------------------------- */

void
shelf_words_text(struct buf *out, int64_t lang, const char *name,
                 const char *title, const char *heading, const char *text,
                 size_t n)
{
    buf_clear(out);
    buf_addc(out, SHELF_TOKEN_MARK);
    buf_addc(out, (char)('0' + lang));
    buf_adds(out, name);
    buf_addc(out, '\n');
    buf_adds(out, title);
    buf_addc(out, '\n');
    buf_adds(out, heading);
    buf_addc(out, '\n');
    buf_add(out, text, n);
}

/* Take the words of the chunks [from, to) out. */
static enum err
words_drop(struct shelf_conn *c, int64_t from, int64_t to, int64_t lang,
           const char *name, const char *title)
{
    struct buf words;
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(c, &e, SHELF_CHUNKS, "ii", from, to);

    buf_init(&words, WORDS_TEXT_MAX);
    while (e == OK && (e = shelf_step(c, stmt)) == OK) {
        const char *heading = (const char *)sqlite3_column_text(stmt, 1);
        const char *text = (const char *)sqlite3_column_text(stmt, 2);

        if (heading == NULL || text == NULL) {
            e = ERR_STORE;
            break;
        }
        shelf_words_text(&words, lang, name, title, heading, text,
                         (size_t)sqlite3_column_bytes(stmt, 2));
        e = shelf_do(c, SHELF_WORDS_DROP, "is", sqlite3_column_int64(stmt, 0),
                     words.data, words.len);
    }
    buf_release(&words);
    if (stmt != NULL)
        (void)sqlite3_reset(stmt);
    return e == ERR_NOTFOUND ? OK : e;
}

static enum err
ranges_drop(struct shelf_conn *c, int64_t from, int64_t to)
{
    int64_t model = 0; /* the built-in one, then the others */
    enum err e = shelf_do(c, SHELF_CHUNK_DROP, "ii", from, to);

    while (e == OK) {
        int64_t a = shelf_model_key(model, from);
        int64_t b = shelf_model_key(model, to);

        e = shelf_do(c, SHELF_VECTOR_DROP, "ii", a, b);
        if (e == OK)
            e = shelf_do(c, SHELF_SKETCH_DROP, "ii", a, b);
        if (e == OK)
            e = shelf_int(c, &model, SHELF_MODEL_NEXT, "i", model);
    }
    return e == ERR_NOTFOUND ? OK : e;
}

enum err
shelf_document_empty(struct shelf_conn *c, int64_t document)
{
    char name[FILES_NAME_MAX + 1], title[FACTS_TITLE_MAX + 1], skip[32];
    int64_t from, to, chunks, size, lang, collection, skipped;
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(c, &e, SHELF_DOCUMENT, "i", document);

    if (e == OK)
        e = shelf_step(c, stmt);
    if (e != OK)
        return e;
    collection = sqlite3_column_int64(stmt, 1);
    shelf_text(stmt, 3, name, sizeof(name));
    size = sqlite3_column_int64(stmt, 4);
    shelf_text(stmt, 8, skip, sizeof(skip));
    chunks = sqlite3_column_int64(stmt, 12);
    shelf_text(stmt, 15, title, sizeof(title));
    from = sqlite3_column_int64(stmt, 24);
    lang = sqlite3_column_int64(stmt, 25);
    (void)sqlite3_reset(stmt);
    to = from + chunks;
    skipped = strcmp(skip, skip_name(SKIP_NOT)) != 0;
    if (chunks > 0)
        e = words_drop(c, from, to, lang, name, title);
    if (e == OK && chunks > 0)
        e = ranges_drop(c, from, to);
    if (e == OK)
        e = shelf_do(c, SHELF_COLLECTION_COUNT, "iiiiiiii", collection,
                     skipped - 1, -skipped, -chunks,
                     skipped != 0 ? INT64_C(0) : -size, clock_wall_ms(),
                     INT64_C(0), INT64_C(0));
    return e;
}

static enum err
document_drop(struct shelf_conn *c, int64_t document)
{
    enum err e = shelf_document_empty(c, document);

    if (e == OK)
        e = shelf_do(c, SHELF_DESCRIBED_DROP, "i", document);
    return e == OK ? shelf_do(c, SHELF_DOCUMENT_DROP, "i", document) : e;
}

enum err
files_delete(struct files *f, int64_t document)
{
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    e = shelf_write(c);
    if (e == OK)
        e = shelf_end(c, document_drop(c, document));
    shelf_give(c);
    return e;
}

/* What a sweep is to take out. */
struct sweep {
    document_fn *seen;
    void *arg;
    int64_t *gone; /* owned */
    size_t n, cap;
};

static bool
sweep_look(void *arg, const struct document *d)
{
    struct sweep *s = arg;

    if (s->seen(s->arg, d))
        return true;
    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? 64 : 2 * s->cap;
        s->gone = xrealloc(s->gone, s->cap * sizeof(*s->gone));
    }
    s->gone[s->n++] = d->id;
    return true;
}

/* Some of them, which another may have deleted meanwhile. */
static enum err
sweep_some(struct shelf_conn *c, const int64_t *gone, size_t n, uint64_t *count)
{
    uint64_t dropped = 0;
    enum err e = shelf_write(c);

    if (e != OK)
        return e;
    for (size_t i = 0; e == OK && i < n; i++) {
        e = document_drop(c, gone[i]);
        dropped += e == OK;
        e = e == ERR_NOTFOUND ? OK : e;
    }
    e = shelf_end(c, e);
    *count += e == OK ? dropped : 0;
    return e;
}

enum err
files_sweep(struct files *f, int64_t collection, document_fn *seen, void *arg,
            uint64_t *gone)
{
    struct sweep s = {.seen = seen, .arg = arg};
    struct shelf_conn *c;
    enum err e;

    *gone = 0;
    e = collection > 0
            ? files_list(f, NULL, collection, NULL, UINT32_MAX, sweep_look, &s)
            : ERR_NOTFOUND;
    for (size_t i = 0; e == OK && i < s.n; i += SWEEP_STEP) {
        e = shelf_take(f, &c);
        if (e != OK)
            break;
        e = sweep_some(c, s.gone + i,
                       s.n - i < SWEEP_STEP ? s.n - i : SWEEP_STEP, gone);
        shelf_give(c);
    }
    free(s.gone);
    return e;
}

/* redactions NULL: its owner says so, not the rules. */
static enum err
label_set(struct files *f, int64_t document, enum label label,
          const char *redactions)
{
    struct shelf_conn *c;
    struct document *d;
    enum err e;

    if (label < LABEL_CLOUD_OK || label >= LABEL_IGNORE)
        return ERR_BADREQ;
    e = shelf_take(f, &c);
    if (e != OK)
        return e;
    d = xmalloc(sizeof(*d));
    e = shelf_write(c);
    if (e == OK) {
        e = document_get(c, document, d);
        if (e == OK && redactions != NULL)
            e = shelf_do(c, SHELF_DOCUMENT_RULES, "iit", document,
                         (int64_t)label, redactions);
        else if (e == OK)
            e = shelf_do(c, SHELF_DOCUMENT_LABEL, "ii", document,
                         (int64_t)label);
        e = shelf_end(c, e);
    }
    free(d);
    shelf_give(c);
    return e;
}

enum err
files_label(struct files *f, int64_t document, enum label label)
{
    return label_set(f, document, label, NULL);
}

enum err
files_ruled(struct files *f, int64_t document, enum label label,
            const char *redactions)
{
    return label_set(f, document, label, redactions);
}
