/*
 * Connections to the index, and transactions.
 *
 * The file is in WAL mode: readers are not kept waiting by the one who writes,
 * and a process that is killed leaves nothing to repair. A connection is opened
 * when a thread needs one and none is idle, and a few are kept. None is waited
 * for, as a caller may hold one already: the callbacks of files_list may ask
 * the index other things.
 *
 * A batch is a transaction that outlives the call: its connection belongs to
 * the thread that began it, and all that this thread does goes there. There are
 * no savepoints within it, since FTS5 would write down its lists at each: what
 * fails after it wrote something takes the batch with it.
 *
 * What a connection caches is freed when it is given back, so idle ones are
 * small. A connection to a file that was removed meanwhile is not used again.
 */
#include "base/base.h"

#include "files/shelf.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* --- connections ---------------------------------------------------------- */

static bool
is_current(const struct shelf_conn *c)
{
    struct stat st;

    return stat(c->files->path, &st) == 0 && st.st_dev == c->dev &&
           st.st_ino == c->ino;
}

static void
conn_close(struct shelf_conn *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < COUNT_OF(c->stmt); i++)
        (void)sqlite3_finalize(c->stmt[i]); /* what failed was told */
    if (c->db != NULL) {
        /* SQLite removes the -wal by its name, which may be another's now. */
        if (!is_current(c))
            (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                                    NULL);
        (void)sqlite3_close(c->db); /* no statement is left */
    }
    helper_free(c->helper);
    shelf_token_free(c->token);
    free(c);
}

/* mkdir -p */
static bool
folder_make(const char *dir)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s", dir) >= (int)sizeof(path))
        return false;
    for (char *p = path + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST && errno != EROFS &&
            errno != EACCES)
            return false;
        *p = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* Have a file that only its owner can read, which SQLite would not make. Where
 * there is one it is not opened: to close it would drop the locks that other
 * connections of this process hold. */
static enum err
file_have(struct shelf_conn *c)
{
    const char *path = c->files->path;
    int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    struct stat st;

    if (stat(path, &st) != 0) {
        int fd = open(path, flags, 0600);

        if (fd < 0 && errno == ENOENT && folder_make(c->files->dir))
            fd = open(path, flags, 0600);
        if ((fd < 0 && errno != EEXIST) || stat(path, &st) != 0) {
            log_error("files.open", "error=\"%s\"", strerror(errno));
            return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_STORE;
        }
        if (fd >= 0)
            (void)close(fd);
    }
    c->dev = st.st_dev;
    c->ino = st.st_ino;
    return OK;
}

static enum err
conn_open(struct files *f, struct shelf_conn **out)
{
    /* Of this process: nobody has the file open while it is made. */
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    struct shelf_conn *c = xcalloc(1, sizeof(*c));
    enum err e;

    c->files = f;
    (void)pthread_mutex_lock(&one);
    e = file_have(c);
    if (e == OK) {
        int rc = sqlite3_open_v2(
            f->path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

        e = rc == SQLITE_OK ? shelf_set_up(c) : shelf_failed(c, "open", rc);
    }
    (void)pthread_mutex_unlock(&one);
    if (e != OK) {
        conn_close(c);
        return e;
    }
    *out = c;
    return OK;
}

static struct shelf_conn *
batch_of(struct files *f)
{
    struct shelf_conn *c;

    for (c = f->batches; c != NULL; c = c->next)
        if (pthread_equal(c->thread, pthread_self()) != 0)
            break;
    return c;
}

enum err
shelf_take_early(struct files *f, struct shelf_conn **out)
{
    struct shelf_conn *c = NULL;

    (void)pthread_mutex_lock(&f->mu);
    c = batch_of(f);
    if (c == NULL && f->n_idle > 0)
        c = f->idle[--f->n_idle];
    (void)pthread_mutex_unlock(&f->mu);
    if (c != NULL && c->batch) {
        *out = c;
        return c->broken;
    }
    if (c != NULL && is_current(c)) {
        *out = c;
        return OK;
    }
    conn_close(c);
    return conn_open(f, out);
}

enum err
shelf_take(struct files *f, struct shelf_conn **out)
{
    enum err e = shelf_take_early(f, out);

    if (e == OK && (*out)->batch) {
        e = shelf_settle(*out);
        (*out)->broken = e;
    }
    return e;
}

void
shelf_give(struct shelf_conn *c)
{
    struct files *f = c->files;

    for (size_t i = 0; i < COUNT_OF(c->stmt); i++)
        if (c->stmt[i] != NULL) {
            (void)sqlite3_reset(c->stmt[i]);
            (void)sqlite3_clear_bindings(c->stmt[i]);
        }
    if (c->batch)
        return;
    (void)sqlite3_db_release_memory(c->db);
    (void)pthread_mutex_lock(&f->mu);
    if (f->n_idle < SHELF_IDLE) {
        f->idle[f->n_idle++] = c;
        c = NULL;
    }
    (void)pthread_mutex_unlock(&f->mu);
    conn_close(c);
}

enum err
files_open(const char *dir, struct files **out)
{
    struct files *f = xcalloc(1, sizeof(*f));
    struct shelf_conn *c;
    enum err e;

    *out = NULL;
    if (snprintf(f->dir, sizeof(f->dir), "%s", dir) >= (int)sizeof(f->dir) ||
        snprintf(f->path, sizeof(f->path), "%s/%s", dir, SHELF_FILE) >=
            (int)sizeof(f->path)) {
        log_error("files.open", "error=too_long max=%d", PATH_MAX - 1);
        free(f);
        return ERR_STORE;
    }
    (void)pthread_mutex_init(&f->mu, NULL);
    e = shelf_take(f, &c);
    if (e != OK) {
        files_close(f);
        return e;
    }
    shelf_give(c);
    f->opened = true;
    *out = f;
    return OK;
}

void
files_close(struct files *f)
{
    if (f == NULL)
        return;
    files_rest(f);
    while (f->n_idle > 0)
        conn_close(f->idle[--f->n_idle]);
    while (f->batches != NULL) { /* not ended: as if it had not begun */
        struct shelf_conn *c = f->batches;

        f->batches = c->next;
        conn_close(c);
    }
    (void)pthread_mutex_destroy(&f->mu);
    free(f);
}

/* --- transactions --------------------------------------------------------- */

enum err
shelf_read(struct shelf_conn *c)
{
    c->changes = sqlite3_total_changes(c->db);
    return c->batch ? OK : shelf_do(c, SHELF_BEGIN, "");
}

enum err
shelf_write(struct shelf_conn *c)
{
    enum err e = OK;

    if (!c->batch) {
        (void)sqlite3_busy_timeout(c->db, SHELF_BUSY_MS);
        e = shelf_do(c, SHELF_BEGIN_WRITE, "");
        (void)sqlite3_busy_timeout(c->db, SHELF_READ_MS);
    }
    c->changes = sqlite3_total_changes(c->db);
    return e;
}

enum err
shelf_end(struct shelf_conn *c, enum err e)
{
    if (c->batch) {
        if (e != OK && sqlite3_get_autocommit(c->db) != 0)
            c->broken = e; /* SQLite has rolled all of it back */
        else if (e != OK && sqlite3_total_changes(c->db) != c->changes)
            c->broken = e;
        return e;
    }
    if (e == OK)
        e = shelf_do(c, SHELF_COMMIT, "");
    if (e != OK && sqlite3_get_autocommit(c->db) == 0)
        IGNORE(shelf_do(c, SHELF_ROLLBACK, "")); /* e is the reason */
    return e;
}

enum err
files_batch_begin(struct files *f)
{
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    assert(!c->batch);
    e = sqlite3_exec(c->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL) ==
                SQLITE_OK
            ? shelf_write(c)
            : ERR_STORE;
    if (e != OK) {
        conn_close(c);
        return e;
    }
    c->batch = true;
    c->broken = OK;
    c->thread = pthread_self();
    (void)pthread_mutex_lock(&f->mu);
    c->next = f->batches;
    f->batches = c;
    (void)pthread_mutex_unlock(&f->mu);
    return OK;
}

/* For the next batch. */
static void
helper_put_back(struct shelf_conn *c)
{
    struct put_helper *h = c->helper;

    c->helper = NULL;
    if (h == NULL)
        return;
    helper_rest(h);
    (void)pthread_mutex_lock(&c->files->mu);
    if (c->files->helper == NULL) {
        c->files->helper = h;
        h = NULL;
    }
    (void)pthread_mutex_unlock(&c->files->mu);
    helper_free(h);
}

void
files_rest(struct files *f)
{
    struct put_helper *h;

    (void)pthread_mutex_lock(&f->mu);
    h = f->helper;
    f->helper = NULL;
    (void)pthread_mutex_unlock(&f->mu);
    helper_free(h);
}

enum err
files_batch_end(struct files *f, bool commit)
{
    struct shelf_conn *c, **at;
    enum err e;

    (void)pthread_mutex_lock(&f->mu);
    c = batch_of(f);
    assert(c != NULL);
    for (at = &f->batches; *at != c; at = &(*at)->next)
        ;
    *at = c->next;
    (void)pthread_mutex_unlock(&f->mu);
    e = c->broken;
    if (e == OK && commit)
        e = shelf_settle(c);
    helper_put_back(c);
    c->batch = false;
    if (e == OK && commit) {
        e = shelf_end(c, OK);
    } else {
        IGNORE(shelf_end(c, ERR_HUP));
    }
    if (sqlite3_exec(c->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL) ==
        SQLITE_OK)
        shelf_give(c);
    else
        conn_close(c);
    return e;
}

const char *
files_dir(const struct files *f)
{
    return f->dir;
}
