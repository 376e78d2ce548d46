/*
 * What a reading process does with a document or a folder, one at a time. What
 * cannot be written down, for want of room or because somebody else writes for
 * too long, is put off and tried again.
 */
#include "base/base.h"

#include "files/serve_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "files/crawl.h"
#include "files/place.h"

#define AGAIN_FIRST_MS 1000      /* until what had no room is tried again */
#define AGAIN_MAX_MS (60 * 1000) /* the wait doubles up to this */
#define TAKE_OVER_MS 30000       /* between two looks whether we are to crawl */

/* --- documents ------------------------------------------------------------ */

static enum err
find_place(struct server *sv, int64_t id, struct document *d,
           struct collection *c, struct place *p)
{
    enum err e = files_get(sv->files, id, d);

    if (e == OK)
        e = files_collection_get(sv->files, d->collection, c);
    return e == OK ? place_of(sv->s->dir, c, d->name, p) : e;
}

void
serve_open(struct server *sv, int64_t id, int reply)
{
    struct collection c;
    struct document d;
    struct place p;
    enum err e = find_place(sv, id, &d, &c, &p);
    int fd = e == OK ? place_open(&p) : -1;

    if (e == OK && fd < 0)
        e = ERR_NOTFOUND;
    serve_answer(reply, e, SKIP_NOT, fd);
    if (fd >= 0)
        (void)close(fd);
}

/* There was no room to write down what was read, or no way: later. */
static void
put_off(struct server *sv)
{
    sv->pause_ms = sv->pause_ms == 0                 ? AGAIN_FIRST_MS
                   : sv->pause_ms < AGAIN_MAX_MS / 2 ? 2 * sv->pause_ms
                                                     : AGAIN_MAX_MS;
    sv->again_ms = clock_mono_ms() + sv->pause_ms;
}

/* Who deletes an upload takes its bytes first: was that while it was written
 * into the index? */
static void
forget_deleted(struct server *sv, const struct place *p, int64_t id)
{
    int fd = place_open(p);

    if (fd >= 0)
        (void)close(fd);
    else if (errno == ENOENT)
        IGNORE(files_delete(sv->files, id));
}

static enum err
read_upload(struct server *sv, const struct place *p,
            const struct document *was, struct document *d, enum ingested *did)
{
    struct ingest in = {
        .files = sv->files, .tried = sv->tried, .collection = was->collection};
    enum err settled, e;
    int root = open(p->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (root < 0)
        return ERR_NOTFOUND;
    in.root = root;
    e = ingest_file(&in, p->path, was->name, d, did);
    settled = ingest_settle(&in);
    (void)close(root);
    e = e == OK ? settled : e;
    if (e == OK && *did != INGEST_GONE)
        forget_deleted(sv, p, d->id);
    return e;
}

/* One of a folder, as that and its rules are now. */
static enum err
read_in_folder(struct server *sv, const struct collection *c,
               const struct document *was, struct document *d,
               enum ingested *did)
{
    struct crawl cr = {.files = sv->files,
                       .tried = sv->tried,
                       .collection = c->id,
                       .root = c->root};
    struct problem why;

    for (size_t i = 0; i < sv->s->n_folders; i++)
        if (sv->s->folder[i].root != NULL &&
            strcmp(sv->s->folder[i].root, c->root) == 0 &&
            strcmp(sv->s->folder[i].name, c->name) == 0)
            cr.only = sv->s->folder[i].only;
    return crawl_one(&cr, was->name, d, did, &why);
}

enum err
serve_read(struct server *sv, int64_t id, enum skip *skip)
{
    enum ingested did = INGEST_GONE;
    struct document d = {.skip = SKIP_NOT}, was;
    struct collection c;
    struct place p;
    enum err e = find_place(sv, id, &was, &c, &p);

    if (e != OK)
        return e;
    e = c.root[0] != '\0' ? read_in_folder(sv, &c, &was, &d, &did)
                          : read_upload(sv, &p, &was, &d, &did);
    *skip = d.skip;
    if (e == ERR_FULL || e == ERR_BUSY || e == ERR_STORE)
        put_off(sv);
    return e == OK && did == INGEST_GONE ? ERR_NOTFOUND : e;
}

/* --- folders -------------------------------------------------------------- */

/* False: it was left for something else. */
static bool
crawl_folder(struct server *sv, const struct serve_folder *f)
{
    struct collection c;
    struct crawl cr = {.files = sv->files,
                       .tried = sv->tried,
                       .root = f->root,
                       .only = f->only,
                       .stopped = serve_is_asked,
                       .arg = sv};
    struct crawl_count done;
    struct problem why;
    enum err e;

    if (f->root == NULL || f->root[0] == '\0')
        return true;
    e = files_collection(sv->files, FILES_SHARED, f->name, f->root, &c);
    if (e == ERR_CONFLICT) { /* it was that of another folder */
        e = files_collection(sv->files, FILES_SHARED, f->name, NULL, &c);
        if (e == OK)
            e = files_collection_drop(sv->files, c.id);
        if (e == OK)
            e = files_collection(sv->files, FILES_SHARED, f->name, f->root, &c);
    }
    cr.collection = c.id;
    if (e == OK)
        e = crawl(&cr, &done, &why);
    else
        (void)problem_set(&why, e, NULL, NULL, NULL);
    if (e == ERR_HUP)
        return false;
    if (e == ERR_FULL || e == ERR_BUSY || e == ERR_STORE)
        sv->put_off_folder = true;
    if (e != OK)
        log_warn("files.folder", "collection=%s error=\"%s\" more=\"%s\"",
                 f->name, why.error, why.message);
    else if (done.added + done.gone > 0)
        log_info("files.folder",
                 "collection=%s files=%" PRIu64 " added=%" PRIu64
                 " skipped=%" PRIu64 " gone=%" PRIu64,
                 f->name, done.files, done.added, done.skipped, done.gone);
    return true;
}

/* Are the folders ours? Of several such processes one keeps them, until it
 * ends; then the next one that asks does. */
static bool
is_crawler(struct server *sv)
{
    char path[PATH_MAX];
    int fd;

    if (sv->crawl_lock >= 0)
        return true;
    if (snprintf(path, sizeof(path), "%s/crawl.lock", sv->s->dir) >=
        (int)sizeof(path))
        return false;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        sv->crawl_lock = fd;
    else if (fd >= 0)
        (void)close(fd);
    return sv->crawl_lock >= 0;
}

/* Returns when they are to be looked at again, monotonic. */
int64_t
serve_crawl(struct server *sv)
{
    int64_t every_ms = sv->s->every_s > 0 ? sv->s->every_s * INT64_C(1000)
                                          : INT32_MAX * INT64_C(1000);
    bool all = true;

    if (!is_crawler(sv))
        return clock_mono_ms() +
               (every_ms < TAKE_OVER_MS ? every_ms : TAKE_OVER_MS);
    for (size_t i = 0; i < sv->s->n_folders && all; i++)
        all = crawl_folder(sv, &sv->s->folder[i]);
    if (!all)
        return 0; /* when what is asked for is done */
    if (sv->put_off_folder && every_ms > AGAIN_MAX_MS)
        every_ms = AGAIN_MAX_MS;
    sv->put_off_folder = false;
    return clock_mono_ms() + every_ms;
}

/* What came while nobody could read it. */
struct waiting {
    int64_t *id; /* owned */
    size_t n, cap;
};

static bool
note_waiting(void *arg, const struct document *d)
{
    struct waiting *w = arg;

    if (d->skip != SKIP_WAITING)
        return true;
    if (w->n == w->cap) {
        w->cap = w->cap == 0 ? 64 : 2 * w->cap;
        w->id = xrealloc(w->id, w->cap * sizeof(*w->id));
    }
    w->id[w->n++] = d->id;
    return true;
}

bool
serve_read_waiting(struct server *sv)
{
    struct waiting w = {.n = 0};
    enum skip skip;
    size_t i = 0;

    IGNORE(files_list(sv->files, NULL, 0, NULL, UINT32_MAX, note_waiting, &w));
    for (; i < w.n && !serve_is_asked(sv); i++)
        IGNORE(serve_read(sv, w.id[i], &skip)); /* it puts it off itself */
    free(w.id);
    return i == w.n;
}
