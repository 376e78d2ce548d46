/*
 * One SQLite file in WAL mode: readers are not kept waiting by the one who
 * writes, and a process that is killed leaves nothing to repair.
 *
 * A connection is opened when a thread needs one and none is idle, up to
 * SEARCH_CONNS of them, and kept. Measured with 100,000 messages: to open one
 * takes 2.5 ms, more than most queries, so it pays to keep them; and a few do
 * for all threads, as one who comes late waits for milliseconds. What a
 * connection caches is freed when it is given back: that leaves 54 KiB of it
 * instead of 4 MiB, and queries are not slower, since the kernel has the pages
 * as well.
 *
 * A file that is not ours, of another version or damaged is deleted, not moved
 * away: it holds people's words and nobody would delete them there. SQLite
 * removes the -wal file by its name when the last connection closes, also if
 * another file has that name by now; so a connection to a file that is gone
 * is told not to.
 */
#include "base/base.h"

#include "store/search_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/search_lock.h"

#define POLL_NS 5000000 /* between tries to lock */
#define TRIES 3

/* --- connections --------------------------------------------------------- */

bool
search_is_current(const struct search_conn *c)
{
    struct stat st;

    return c->db != NULL && stat(c->search->path, &st) == 0 &&
           st.st_dev == c->dev && st.st_ino == c->ino;
}

/* The folder's lock is held, or the process is alone. */
static void
conn_close(struct search_conn *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < COUNT_OF(c->stmt); i++)
        (void)sqlite3_finalize(c->stmt[i]); /* what failed was told */
    search_token_free(c->tokenizer);
    if (c->db != NULL) {
        if (c->damaged || !search_is_current(c))
            (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                                    NULL);
        (void)sqlite3_close(c->db); /* no statement is left */
    }
    if (c->lock_fd >= 0)
        (void)close(c->lock_fd);
    free(c);
}

/* Open the file that is there. ERR_NOTFOUND: none, or none of ours. The lock
 * is held. */
static enum err
conn_open(struct search_conn *c)
{
    bool ours = false;
    struct stat st;
    int rc;

    if (stat(c->search->path, &st) != 0)
        return errno == ENOENT ? ERR_NOTFOUND
                               : search_failed(c, "stat", SQLITE_CANTOPEN);
    c->dev = st.st_dev;
    c->ino = st.st_ino;
    rc = sqlite3_open_v2(c->search->path, &c->db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = search_sql_set_up(c);
    if (rc == SQLITE_OK)
        rc = search_sql_check(c, &ours);
    if (rc != SQLITE_OK) {
        enum err e = search_failed(c, "open", rc);

        return c->damaged ? ERR_NOTFOUND : e;
    }
    return ours ? OK : ERR_NOTFOUND;
}

/* --- a new file ---------------------------------------------------------- */

/* The lock is held exclusively. */
static void
remove_files(const struct search *s)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char path[DISK_PATH_MAX + 16];

    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", s->path, ends[i]);
        if (unlink(path) != 0 && errno != ENOENT)
            log_error("search.unlink", "error=\"%s\"", strerror(errno));
    }
}

/* The lock is held exclusively; there is no file. */
static enum err
make_file(struct search_conn *c)
{
    int fd = open(c->search->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int rc;

    if (fd < 0)
        return disk_is_full(c->search->dir, errno)
                   ? ERR_FULL
                   : search_failed(c, "create", SQLITE_CANTOPEN);
    (void)close(fd);
    rc = sqlite3_open_v2(c->search->path, &c->db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = search_sql_set_up(c);
    if (rc == SQLITE_OK)
        rc = search_sql_make(c);
    return rc == SQLITE_OK ? OK : search_failed(c, "create", rc);
}

/* Put a new file in the place of the one with these numbers, unless another
 * has done so. This thread has no connection. */
static enum err
replace_file(struct search *s, dev_t dev, ino_t ino)
{
    struct search_conn *c = xcalloc(1, sizeof(*c));
    struct stat st;
    enum err e = disk_folder(s->dir);

    c->search = s;
    c->lock_fd = e == OK ? search_lock_open(s->lock) : -1;
    if (e == OK && c->lock_fd < 0)
        e = ERR_STORE;
    if (e == OK)
        e = search_lock_alone(c->lock_fd);
    if (e == OK &&
        (stat(s->path, &st) != 0 || (st.st_dev == dev && st.st_ino == ino))) {
        remove_files(s);
        e = make_file(c);
        log_info("search.new", "result=%s", e == OK ? "ok" : err_code(e));
    }
    conn_close(c);
    return e;
}

enum err
search_file_renew(struct search *s)
{
    struct stat st = {0};

    search_file_close(s);
    IGNORE(stat(s->path, &st) != 0); /* then there is none to be replaced */
    return replace_file(s, st.st_dev, st.st_ino);
}

/* --- taking and giving --------------------------------------------------- */

/* Lock the folder and have the file open that is there now. */
static enum err
conn_ready(struct search *s, struct search_conn **io)
{
    struct search_conn *c = *io;
    enum err e;

    if (c == NULL) {
        *io = c = xcalloc(1, sizeof(*c));
        c->search = s;
        e = disk_folder(s->dir);
        c->lock_fd = e == OK ? search_lock_open(s->lock) : -1;
        if (c->lock_fd < 0)
            return ERR_STORE;
    }
    e = search_lock_shared(c->lock_fd);
    if (e != OK || search_is_current(c))
        return e;
    if (c->db != NULL) { /* to a file that was replaced */
        conn_close(c);
        *io = NULL;
        return conn_ready(s, io);
    }
    return conn_open(c);
}

enum err
search_take(struct search *s, struct search_conn **out)
{
    struct search_conn *c = NULL;
    enum err e = ERR_NOTFOUND;

    (void)pthread_mutex_lock(&s->mu);
    while (s->n_out == SEARCH_CONNS)
        (void)pthread_cond_wait(&s->given, &s->mu);
    s->n_out++;
    if (s->n_idle > 0)
        c = s->idle[--s->n_idle];
    (void)pthread_mutex_unlock(&s->mu);
    for (int i = 0; i < TRIES && e == ERR_NOTFOUND; i++) {
        e = conn_ready(s, &c);
        if (e == ERR_NOTFOUND) {
            dev_t dev = c->dev;
            ino_t ino = c->ino;

            conn_close(c);
            c = NULL;
            e = replace_file(s, dev, ino);
            e = e == OK ? ERR_NOTFOUND : e;
        }
    }
    if (e == OK) {
        *out = c;
        return OK;
    }
    conn_close(c);
    (void)pthread_mutex_lock(&s->mu);
    s->n_out--;
    (void)pthread_cond_signal(&s->given);
    (void)pthread_mutex_unlock(&s->mu);
    return e == ERR_NOTFOUND ? ERR_STORE : e;
}

void
search_give(struct search *s, struct search_conn *c)
{
    dev_t dev = c->dev;
    ino_t ino = c->ino;

    for (size_t i = 0; i < COUNT_OF(c->stmt); i++)
        if (c->stmt[i] != NULL) {
            (void)sqlite3_reset(c->stmt[i]);
            (void)sqlite3_clear_bindings(c->stmt[i]);
        }
    if (c->damaged) {
        conn_close(c);
        c = NULL;
        IGNORE(replace_file(s, dev, ino)); /* the next one tries again */
    } else {
        (void)sqlite3_db_release_memory(c->db);
        search_unlock(c->lock_fd);
    }
    (void)pthread_mutex_lock(&s->mu);
    s->n_out--;
    if (c != NULL)
        s->idle[s->n_idle++] = c;
    (void)pthread_cond_signal(&s->given);
    (void)pthread_mutex_unlock(&s->mu);
}

void
search_file_close(struct search *s)
{
    for (;;) {
        struct search_conn *c = NULL;

        (void)pthread_mutex_lock(&s->mu);
        if (s->n_idle > 0)
            c = s->idle[--s->n_idle];
        (void)pthread_mutex_unlock(&s->mu);
        if (c == NULL)
            return;
        if (search_lock_shared(c->lock_fd) != OK)
            c->damaged = true; /* leave what is beside the file alone */
        conn_close(c);
    }
}
