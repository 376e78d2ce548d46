/*
 * The end of a put: all of it in one transaction, in which the document of the
 * same name is replaced. That goes by windows of some chunks: while this thread
 * writes one of them, a helper finds the words and vectors of the next
 * (put_window.c), which takes about as long.
 *
 * In a batch the last window of a document is left to the helper, and written
 * when the next one was given to it: so both are busy while small files are
 * read, too. Whatever else is done with the connection writes it before
 * (shelf_take), and so does the end of the batch.
 *
 * The number of a document stays when it is replaced, so that a citation still
 * leads to it; numbers of chunks are never used twice, so that vectors that
 * come late from another machine cannot fall on other text.
 */
#include "base/base.h"

#include "files/put_window.h"

#include <math.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define READ_BYTES (256 * 1024)
#define HELP_MIN 6 /* chunks for which a thread is started */

struct writing {
    struct shelf_conn *c;
    const struct document *d;
    int64_t first; /* number of its first chunk */
    int64_t lang;
};

/* The next n bytes of the put, appended; from memory or the file. */
static enum err
bytes_next(struct files_put *p, size_t *at, size_t n, struct buf *out)
{
    char *room;

    if (p->fd < 0) {
        assert(p->held.len - *at >= n);
        buf_add(out, p->held.data + *at, n);
        *at += n;
        return buf_status(out);
    }
    if (p->held.len - *at < n) {
        buf_drop(&p->held, *at);
        *at = 0;
    }
    while (p->held.len - *at < n) {
        ssize_t got;

        room = buf_room(&p->held, READ_BYTES);
        got = room != NULL ? read(p->fd, room, READ_BYTES) : -1;
        if (got < 0 && room != NULL && errno == EINTR)
            continue;
        if (got <= 0) {
            log_error("files.spill", "error=\"%s\"",
                      got < 0 ? strerror(errno) : "cut off");
            return ERR_STORE;
        }
        p->held.len += (size_t)got;
    }
    buf_add(out, p->held.data + *at, n);
    *at += n;
    return buf_status(out);
}

static enum err
window_read(struct files_put *p, size_t *at, uint32_t n, struct put_window *w)
{
    enum err e = OK;

    buf_clear(&w->bytes);
    for (w->n = 0; e == OK && w->n < n; w->n++) {
        struct put_head *h = &w->head[w->n];
        size_t from = w->bytes.len;

        e = bytes_next(p, at, sizeof(*h), &w->bytes);
        if (e != OK)
            break;
        memcpy(h, w->bytes.data + from, sizeof(*h));
        w->bytes.len = from;
        w->at[w->n] = from;
        e = bytes_next(p, at, (size_t)h->heading_len + h->text_len, &w->bytes);
    }
    return e;
}

static enum err
chunk_write(struct shelf_conn *c, const struct put_window *w, uint32_t i)
{
    const struct put_head *h = &w->head[i];
    int64_t no = w->first + i;
    enum err e;

    e = shelf_do(c, SHELF_CHUNK_ADD, "iiiiiiss", no, w->document,
                 (int64_t)w->seq + i, h->start, (int64_t)h->text_len,
                 (int64_t)h->page, w->bytes.data + w->at[i],
                 (size_t)h->heading_len, window_text(w, i),
                 (size_t)h->text_len);
    if (e == OK)
        e = shelf_do(c, SHELF_WORDS_ADD, "is", no,
                     w->words.data + w->words_at[i],
                     w->words_at[i + 1] - w->words_at[i]);
    return e == OK ? shelf_do(c, SHELF_VECTOR_ADD, "ib", no, w->vector[i],
                              sizeof(w->vector[i]))
                   : e;
}

/* One that the helper is done with. */
static enum err
window_write(struct shelf_conn *c, const struct put_window *w)
{
    struct buf rows;
    enum err e = OK;

    buf_init(&rows, SKETCH_ROWS * SKETCH_ROW);
    for (uint32_t i = 0; e == OK && i < w->n; i++) {
        sketch_row(w->vector[i], VECTOR_DIMS, &rows);
        e = chunk_write(c, w, i);
    }
    if (e == OK)
        e = shelf_do(c, SHELF_SKETCH_ADD, "iib", w->first, w->document,
                     rows.data, rows.len);
    buf_release(&rows);
    return e;
}

enum err
shelf_settle(struct shelf_conn *c)
{
    const struct put_window *w;
    enum err e = OK;

    while (e == OK && c->helper != NULL && (w = helper_wait(c->helper)) != NULL)
        e = window_write(c, w);
    return e;
}

static enum err
helper_have(struct shelf_conn *c)
{
    struct files *f = c->files;

    if (c->helper != NULL)
        return OK;
    (void)pthread_mutex_lock(&f->mu);
    c->helper = f->helper;
    f->helper = NULL;
    (void)pthread_mutex_unlock(&f->mu);
    if (c->helper == NULL)
        c->helper = helper_new(c);
    return c->helper != NULL ? OK : ERR_STORE;
}

static enum err
chunks_write(struct writing *w, struct files_put *p)
{
    struct shelf_conn *c = w->c;
    size_t at = 0;
    enum err e = p->chunks > 0 ? helper_have(c) : OK;

    if (e == OK && p->fd >= 0) {
        e = put_spill(p);
        if (e == OK && lseek(p->fd, 0, SEEK_SET) != 0)
            e = ERR_STORE;
    }
    for (uint32_t i = 0; e == OK && i < p->chunks; i += WINDOW) {
        struct put_window *k = helper_window(c->helper);

        k->document = w->d->id;
        k->first = w->first + i;
        k->seq = i;
        k->lang = w->lang;
        memcpy(k->name, w->d->name, sizeof(k->name));
        memcpy(k->title, w->d->facts.title, sizeof(k->title));
        e = window_read(p, &at, p->chunks - i < WINDOW ? p->chunks - i : WINDOW,
                        k);
        if (e != OK)
            break;
        helper_give(c->helper, k, c->batch || p->chunks >= HELP_MIN);
        if (helper_full(c->helper))
            e = window_write(c, helper_wait(c->helper));
    }
    return e == OK && !c->batch ? shelf_settle(c) : e;
}

static enum err
row_write(struct writing *w, const struct document *d, const char *redactions)
{
    const struct facts *f = &d->facts;
    const char *slash = strrchr(d->name, '/');
    double latitude = f->has_place ? f->latitude : (double)NAN; /* NULL */
    double longitude = f->has_place ? f->longitude : (double)NAN;

    return shelf_do(
        w->c, SHELF_DOCUMENT_ADD, "iittiibitiiiiittiitddtttiit", d->id,
        d->collection, d->name, slash != NULL ? slash + 1 : d->name, d->size,
        d->mtime_ns, d->hash, sizeof(d->hash), (int64_t)d->image,
        skip_name(d->skip), (int64_t)d->label, (int64_t)d->label_fixed,
        d->added_ms, (int64_t)d->chunks, d->text_len, f->type, f->title,
        (int64_t)f->width, (int64_t)f->height, f->taken, latitude, longitude,
        f->camera, f->description, f->tags, w->first, w->lang,
        redactions != NULL ? redactions : "");
}

/* What is there of this name goes; its number stays. A label that somebody gave
 * it stays as well. */
static enum err
replace(struct shelf_conn *c, struct document *d, int64_t *new_documents)
{
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(c, &e, SHELF_DOCUMENT_NAMED, "it",
                                    d->collection, d->name);

    *new_documents = 1;
    if (e == OK)
        e = shelf_step(c, stmt);
    if (e != OK)
        return e == ERR_NOTFOUND ? OK : e;
    d->id = sqlite3_column_int64(stmt, 0);
    if (!d->label_fixed && sqlite3_column_int(stmt, 10) != 0) {
        d->label = (enum label)sqlite3_column_int(stmt, 9);
        d->label_fixed = true;
    }
    (void)sqlite3_reset(stmt);
    *new_documents = 0;
    e = shelf_settle(c); /* it may be the document before */
    if (e == OK)
        e = shelf_document_empty(c, d->id);
    return e == OK ? shelf_do(c, SHELF_DOCUMENT_DROP, "i", d->id) : e;
}

static enum err
numbers(struct writing *w, struct document *d, int64_t new_documents)
{
    int64_t next_document, next_chunk;
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(w->c, &e, SHELF_COLLECTION, "i",
                                    d->collection);

    if (e == OK)
        e = shelf_step(w->c, stmt);
    if (e != OK)
        return e;
    shelf_text(stmt, 1, d->owner, sizeof(d->owner));
    next_document = sqlite3_column_int64(stmt, 9);
    next_chunk = sqlite3_column_int64(stmt, 10);
    (void)sqlite3_reset(stmt);
    if (next_document >> SHELF_DOCUMENT_BITS != 0 ||
        (next_chunk + d->chunks) >> SHELF_CHUNK_BITS != 0)
        return ERR_FULL;
    if (new_documents > 0)
        d->id = d->collection << SHELF_DOCUMENT_BITS | next_document;
    w->first = shelf_chunk_from(d->collection) | next_chunk;
    return OK;
}

static enum err
write_all(struct shelf_conn *c, struct files_put *p, struct document *d,
          const char *redactions)
{
    struct writing w = {.c = c, .d = d};
    int64_t new_documents = 0, skipped = d->skip != SKIP_NOT;
    enum err e;

    /* That it is there, before anything is written. */
    e = numbers(&w, d, 0);
    if (e == OK)
        e = replace(c, d, &new_documents);
    if (e == OK)
        e = numbers(&w, d, new_documents);
    if (e != OK)
        return e;
    w.lang = (int64_t)word_guess(buf_cstr(&p->guess), p->guess.len);
    e = row_write(&w, d, redactions);
    if (e == OK && d->facts.described_by[0] == '\0')
        e = shelf_do(c, SHELF_DESCRIBED_DROP, "i", d->id);
    else if (e == OK) /* of a sidecar; else it is there */
        e = shelf_do(c, SHELF_DESCRIBED_HAVE, "ibt", d->id, d->hash,
                     sizeof(d->hash), d->facts.described_by);
    if (e == OK)
        e = chunks_write(&w, p);
    if (e == OK)
        e = shelf_do(c, SHELF_COLLECTION_COUNT, "iiiiiiii", d->collection,
                     1 - skipped, skipped, (int64_t)d->chunks,
                     skipped != 0 ? INT64_C(0) : d->size, clock_wall_ms(),
                     new_documents, (int64_t)d->chunks);
    return e;
}

enum err
files_put_end(struct files_put *p, struct document *d, const char *redactions)
{
    struct shelf_conn *c;
    enum err e = p->err;

    d->collection = p->collection;
    if (d->skip != SKIP_NOT) {
        p->chunks = 0;
        p->text_len = 0;
    }
    if (e == OK && (d->name[0] == '\0' || d->label < LABEL_CLOUD_OK ||
                    d->label >= LABEL_IGNORE))
        e = ERR_BADREQ;
    if (e == OK)
        e = shelf_take_early(p->files, &c);
    if (e != OK) {
        files_put_abandon(p);
        return e;
    }
    d->chunks = p->chunks;
    d->text_len = p->text_len;
    d->added_ms = clock_wall_ms();
    e = shelf_write(c);
    if (e == OK)
        e = shelf_end(c, write_all(c, p, d, redactions));
    if (!c->batch) {
        helper_free(c->helper);
        c->helper = NULL;
    }
    shelf_give(c);
    files_put_abandon(p);
    return e;
}
