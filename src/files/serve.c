/*
 * The broker's other end: one thread answers at once (files to be opened), the
 * other reads (uploads as they come, then folders). A folder that is looked
 * through is left for an upload, and taken up again where it was: what has not
 * changed costs a look at its time.
 *
 * Of several such processes on one data folder only one keeps the folders
 * current: who holds the lock on `crawl.lock`.
 */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "files/broker_inside.h"
#include "files/crawl.h"
#include "files/place.h"
#include "files/receive.h"

struct wanted {
    struct wanted *next;
    int64_t document;
    int reply; /* owned; -1: there were too many of them */
};

struct server {
    const struct serve *s;
    struct files *files;
    int sock;
    pthread_mutex_t mu; /* guards first, last, stopping */
    pthread_cond_t come;
    struct wanted *first, *last;
    bool stopping;
};

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

static void
answer(int sock, enum err e, enum skip skip, int fd)
{
    struct broker_reply reply = {.err = e, .skip = skip};

    (void)broker_send(sock, &reply, sizeof(reply), fd); /* it may have left */
}

static void
open_document(struct server *sv, int64_t id, int reply)
{
    struct collection c;
    struct document d;
    struct place p;
    enum err e = find_place(sv, id, &d, &c, &p);
    int fd = e == OK ? place_open(&p) : -1;

    if (e == OK && fd < 0)
        e = ERR_NOTFOUND;
    answer(reply, e, SKIP_NOT, fd);
    if (fd >= 0)
        (void)close(fd);
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

/* Uploads alone: of a folder's files its rules would have to be known. */
static enum err
read_document(struct server *sv, int64_t id, enum skip *skip)
{
    struct ingest in = {.files = sv->files};
    enum ingested did = INGEST_GONE;
    struct document d, was;
    struct collection c;
    struct place p;
    enum err settled, e = find_place(sv, id, &was, &c, &p);
    int root;

    if (e == OK && c.root[0] != '\0')
        return ERR_NOTFOUND;
    if (e != OK)
        return e;
    root = open(p.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return ERR_NOTFOUND;
    in.collection = was.collection;
    in.root = root;
    e = ingest_file(&in, p.path, was.name, &d, &did);
    settled = ingest_settle(&in);
    (void)close(root);
    *skip = d.skip;
    if (e == OK && did == INGEST_GONE)
        return ERR_NOTFOUND;
    if (e == OK && settled == OK)
        forget_deleted(sv, &p, d.id);
    return e == OK ? settled : e;
}

/* --- folders -------------------------------------------------------------- */

static bool
is_asked(void *arg)
{
    struct server *sv = arg;
    bool yes;

    (void)pthread_mutex_lock(&sv->mu);
    yes = sv->stopping || sv->first != NULL;
    (void)pthread_mutex_unlock(&sv->mu);
    return yes;
}

/* False: it was left for something else. */
static bool
crawl_folder(struct server *sv, const struct serve_folder *f)
{
    struct collection c;
    struct crawl cr = {.files = sv->files,
                       .root = f->root,
                       .only = f->only,
                       .stopped = is_asked,
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

/* False: not all of them. */
static bool
crawl_folders(struct server *sv)
{
    char path[PATH_MAX];
    bool all = true;
    int fd;

    if (snprintf(path, sizeof(path), "%s/crawl.lock", sv->s->dir) >=
        (int)sizeof(path))
        return true;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return true;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        for (size_t i = 0; i < sv->s->n_folders && all; i++)
            all = crawl_folder(sv, &sv->s->folder[i]);
    (void)close(fd);
    return all;
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

static void
read_waiting(struct server *sv)
{
    struct waiting w = {.n = 0};
    enum skip skip;

    IGNORE(files_list(sv->files, NULL, 0, NULL, UINT32_MAX, note_waiting, &w));
    for (size_t i = 0; i < w.n && !is_asked(sv); i++)
        IGNORE(read_document(sv, w.id[i], &skip));
    free(w.id);
}

/* --- the reading thread --------------------------------------------------- */

/* The next wish; NULL: none came until then, or it is over. */
static struct wanted *
next_wanted(struct server *sv, int64_t until_ms)
{
    struct wanted *w;

    (void)pthread_mutex_lock(&sv->mu);
    while (sv->first == NULL && !sv->stopping) {
        int64_t left_ms = until_ms - clock_mono_ms();
        struct timespec at;

        if (left_ms <= 0)
            break;
        (void)clock_gettime(CLOCK_REALTIME, &at);
        at.tv_sec += (time_t)(left_ms / 1000 + 1);
        (void)pthread_cond_timedwait(&sv->come, &sv->mu, &at);
    }
    w = sv->first;
    if (w != NULL)
        sv->first = w->next;
    if (sv->first == NULL)
        sv->last = NULL;
    (void)pthread_mutex_unlock(&sv->mu);
    return w;
}

static void *
reading(void *arg)
{
    struct server *sv = arg;
    int64_t every_ms = sv->s->every_s > 0 ? sv->s->every_s * INT64_C(1000)
                                          : INT32_MAX * INT64_C(1000);
    int64_t next_ms = 0;
    struct wanted *w;

    receive_sweep(sv->s->dir);
    read_waiting(sv);
    for (;;) {
        w = next_wanted(sv, next_ms);
        if (w != NULL) {
            enum skip skip = SKIP_NOT;
            enum err e = read_document(sv, w->document, &skip);

            if (w->reply >= 0) {
                answer(w->reply, e, skip, -1);
                (void)close(w->reply);
            }
            free(w);
            continue;
        }
        (void)pthread_mutex_lock(&sv->mu);
        if (sv->stopping) {
            (void)pthread_mutex_unlock(&sv->mu);
            return NULL;
        }
        (void)pthread_mutex_unlock(&sv->mu);
        if (clock_mono_ms() >= next_ms && crawl_folders(sv))
            next_ms = clock_mono_ms() + every_ms;
    }
}

/* --- serving -------------------------------------------------------------- */

/* Takes reply. */
static void
want(struct server *sv, int64_t document, int reply)
{
    struct wanted *w = xcalloc(1, sizeof(*w));

    w->document = document;
    w->reply = reply;
    (void)pthread_mutex_lock(&sv->mu);
    if (sv->last != NULL)
        sv->last->next = w;
    else
        sv->first = w;
    sv->last = w;
    (void)pthread_cond_signal(&sv->come);
    (void)pthread_mutex_unlock(&sv->mu);
}

static void
serve_socket(struct server *sv)
{
    struct broker_request rq;
    ssize_t n;
    int reply;

    while ((n = broker_take(sv->sock, &rq, sizeof(rq), &reply)) > 0) {
        bool whole = n == (ssize_t)sizeof(rq);

        if (whole && rq.op == BROKER_READ) {
            want(sv, rq.document, reply);
            continue;
        }
        if (whole && rq.op == BROKER_OPEN && reply >= 0)
            open_document(sv, rq.document, reply);
        if (reply >= 0)
            (void)close(reply);
    }
}

static void
stop(struct server *sv)
{
    struct wanted *w, *next;

    (void)pthread_mutex_lock(&sv->mu);
    sv->stopping = true;
    w = sv->first;
    sv->first = sv->last = NULL;
    (void)pthread_cond_signal(&sv->come);
    (void)pthread_mutex_unlock(&sv->mu);
    for (; w != NULL; w = next) {
        next = w->next;
        if (w->reply >= 0)
            (void)close(w->reply);
        free(w);
    }
}

int
serve_run(const struct serve *s, int sock)
{
    struct server sv = {.s = s, .sock = sock};
    pthread_t thread;

    if (files_open(s->dir, &sv.files) != OK)
        return 1; /* the log says why */
    (void)pthread_mutex_init(&sv.mu, NULL);
    (void)pthread_cond_init(&sv.come, NULL);
    if (pthread_create(&thread, NULL, reading, &sv) != 0) {
        log_error("files.serve", "error=\"no thread\"");
        files_close(sv.files);
        return 1;
    }
    serve_socket(&sv);
    stop(&sv);
    (void)pthread_join(thread, NULL);
    files_close(sv.files);
    (void)pthread_cond_destroy(&sv.come);
    (void)pthread_mutex_destroy(&sv.mu);
    return 0;
}
