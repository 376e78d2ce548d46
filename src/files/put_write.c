/*
 * The end of a put: all of it in one transaction, in which the document of the
 * same name is replaced. That goes by windows of some chunks: while this thread
 * gives their words to FTS5, a helper computes their vectors, which takes about
 * as long.
 *
 * The number of a document stays when it is replaced, so that a citation still
 * leads to it; numbers of chunks are never used twice, so that vectors that
 * come late from another machine cannot fall on other text.
 */
#include "base/base.h"

#include "files/put.h"

#include <math.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "files/shelf_vector.h"
#include "files/vector.h"

#define READ_BYTES (256 * 1024)
#define WINDOW SKETCH_ROWS /* chunks that are written together */
#define HELP_MIN 6         /* chunks for which a thread is started */

/* Some chunks that were read back. */
struct window {
    struct put_head head[WINDOW];
    size_t at[WINDOW]; /* of the heading in bytes; the text is behind it */
    struct buf bytes;
    uint32_t n;
    const char *name; /* of the document */
    /* The helper's, until it is joined. */
    struct buf about; /* name and heading of a chunk */
    float vector[WINDOW][VECTOR_DIMS];
};

struct writing {
    struct shelf_conn *c;
    const struct document *d;
    int64_t first; /* number of its first chunk */
    int64_t lang;
    struct buf words, rows; /* for FTS5; sketches */
    struct window *window;  /* owned */
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
window_read(struct files_put *p, size_t *at, uint32_t n, struct window *w)
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

static const char *
window_text(const struct window *w, uint32_t i)
{
    return w->bytes.data + w->at[i] + w->head[i].heading_len;
}

static void *
window_vectors(void *arg)
{
    struct window *w = arg;

    for (uint32_t i = 0; i < w->n; i++) {
        buf_clear(&w->about);
        buf_adds(&w->about, w->name);
        buf_addc(&w->about, '\n');
        buf_add(&w->about, w->bytes.data + w->at[i], w->head[i].heading_len);
        vector_of_part(w->about.data, w->about.len, window_text(w, i),
                       w->head[i].text_len, w->vector[i]);
    }
    return NULL;
}

static enum err
chunk_write(struct writing *w, uint32_t seq, uint32_t i)
{
    const struct put_head *h = &w->window->head[i];
    const char *heading = w->window->bytes.data + w->window->at[i];
    const char *text = window_text(w->window, i);
    int64_t no = w->first + seq;
    char path[CHUNK_HEADING_MAX + 1];
    enum err e;

    memcpy(path, heading, h->heading_len);
    path[h->heading_len] = '\0';
    shelf_words_text(&w->words, w->lang, w->d->name, w->d->facts.title, path,
                     text, h->text_len);
    e = shelf_do(w->c, SHELF_CHUNK_ADD, "iiiiiiss", no, w->d->id, (int64_t)seq,
                 h->start, (int64_t)h->text_len, (int64_t)h->page, heading,
                 (size_t)h->heading_len, text, (size_t)h->text_len);
    return e == OK ? shelf_do(w->c, SHELF_WORDS_ADD, "is", no, w->words.data,
                              w->words.len)
                   : e;
}

static enum err
vectors_write(struct writing *w, uint32_t seq)
{
    enum err e = OK;

    buf_clear(&w->rows);
    for (uint32_t i = 0; e == OK && i < w->window->n; i++) {
        const float *v = w->window->vector[i];

        sketch_row(v, VECTOR_DIMS, &w->rows);
        e = shelf_do(w->c, SHELF_VECTOR_ADD, "ib", w->first + seq + i, v,
                     VECTOR_DIMS * sizeof(*v));
    }
    return e == OK ? shelf_do(w->c, SHELF_SKETCH_ADD, "iib", w->first + seq,
                              w->d->id, w->rows.data, w->rows.len)
                   : e;
}

/* The chunks of the window, of which the first has this number. */
static enum err
window_write(struct writing *w, uint32_t seq)
{
    pthread_t helper;
    bool helped = w->window->n >= HELP_MIN &&
                  pthread_create(&helper, NULL, window_vectors, w->window) == 0;
    enum err e = OK;

    for (uint32_t i = 0; e == OK && i < w->window->n; i++)
        e = chunk_write(w, seq + i, i);
    if (helped)
        (void)pthread_join(helper, NULL);
    else if (e == OK)
        (void)window_vectors(w->window);
    return e == OK ? vectors_write(w, seq) : e;
}

static enum err
chunks_write(struct writing *w, struct files_put *p)
{
    size_t at = 0;
    enum err e = OK;

    if (p->fd >= 0) {
        e = put_spill(p);
        if (e == OK && lseek(p->fd, 0, SEEK_SET) != 0)
            e = ERR_STORE;
    }
    for (uint32_t i = 0; e == OK && i < p->chunks; i += WINDOW) {
        uint32_t n = p->chunks - i < WINDOW ? p->chunks - i : WINDOW;

        e = window_read(p, &at, n, w->window);
        if (e == OK)
            e = window_write(w, i);
    }
    return e;
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
    buf_init(&w.words, PUT_TEXT_MAX + FILES_NAME_MAX + FACTS_TITLE_MAX +
                           CHUNK_HEADING_MAX + 16);
    buf_init(&w.rows, SKETCH_ROWS * SKETCH_ROW);
    w.window = xcalloc(1, sizeof(*w.window));
    w.window->name = d->name;
    buf_init(&w.window->about, FILES_NAME_MAX + CHUNK_HEADING_MAX + 2);
    buf_init(&w.window->bytes,
             WINDOW * (sizeof(struct put_head) + CHUNK_HEADING_MAX +
                       (size_t)PUT_TEXT_MAX));
    w.lang = (int64_t)word_guess(buf_cstr(&p->guess), p->guess.len);
    e = row_write(&w, d, redactions);
    if (e == OK)
        e = chunks_write(&w, p);
    if (e == OK)
        e = shelf_do(c, SHELF_COLLECTION_COUNT, "iiiiiiii", d->collection,
                     1 - skipped, skipped, (int64_t)d->chunks,
                     skipped != 0 ? INT64_C(0) : d->size, clock_wall_ms(),
                     new_documents, (int64_t)d->chunks);
    buf_release(&w.window->about);
    buf_release(&w.window->bytes);
    free(w.window);
    buf_release(&w.words);
    buf_release(&w.rows);
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
        e = shelf_take(p->files, &c);
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
    shelf_give(c);
    files_put_abandon(p);
    return e;
}
