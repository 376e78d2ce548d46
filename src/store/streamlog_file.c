/*
 * The file under the stream log, and how it grows.
 *
 * The map is writable and never synced: a store into it cannot report an
 * error, so every page of it must have its block before anybody touches it.
 * The file is therefore allocated up to the size of the map, first here, then
 * moved under the map; LMDB, which only ever sets the file's length, must
 * never set it shorter than another process has mapped it. All that changes
 * the length is done under a lock that processes share (streamlog_mark.c).
 */
#include "base/base.h"

#include "store/streamlog_env.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/disk.h"

#define MAP_MIN_BYTES (1024 * 1024)
#define MAP_MAX_BYTES ((size_t)1024 * 1024 * 1024)
#define GROW_MAX_BYTES (64 * 1024 * 1024) /* at a time: the loop waits */
#define READERS_MAX 1022
#define LOCK_FILE_BYTES (128 * 1024) /* more than LMDB needs for them */
#define REDO_MAX (64 * 1024 * 1024)

/* --- the environment ---------------------------------------------------- */

/* Blocks of a copy-on-write file system are only ours while they are not
 * copied. Best effort: other file systems do not know the flag. */
static void
no_copy_on_write(int fd)
{
    int flags = 0;

    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0)
        return;
    flags |= FS_NOCOW_FL;
    (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

/* Open data.mdb and size the map: at least map_min, at least the file. */
static enum err
data_open(struct streamlog *l)
{
    char path[DISK_PATH_MAX];
    struct stat st;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (disk_path(path, l->conf.dir, "data.mdb") != OK)
        return ERR_STORE;
    l->data_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (l->data_fd < 0 || fstat(l->data_fd, &st) != 0) {
        log_error("streams.open", "error=\"%s\"", strerror(errno));
        return ERR_STORE;
    }
    if (st.st_size == 0)
        no_copy_on_write(l->data_fd);
    l->map_bytes = l->conf.map_min;
    if ((size_t)st.st_size > l->map_bytes)
        l->map_bytes = (size_t)st.st_size;
    l->map_bytes = (l->map_bytes + page - 1) / page * page;
    return OK;
}

/* LMDB makes the meta pages, by write(2), and sets the file's length; blocks
 * are allocated before anything else is touched. */
static int
env_new(struct streamlog *l)
{
    char path[DISK_PATH_MAX];
    MDB_txn *txn;
    MDB_stat st;
    int rc, dead, fd;

    if (disk_path(path, l->conf.dir, "lock.mdb") != OK)
        return ENAMETOOLONG;
    disk_allocate_ahead(path, LOCK_FILE_BYTES);
    rc = mdb_env_create(&l->env);
    if (rc != 0)
        return rc;
    rc = mdb_env_set_maxreaders(l->env, READERS_MAX);
    if (rc == 0)
        rc = mdb_env_set_mapsize(l->env, l->map_bytes);
    if (rc == 0)
        rc = mdb_env_open(l->env, l->conf.dir,
                          MDB_WRITEMAP | MDB_NOSYNC | MDB_NOTLS | MDB_NOMEMINIT,
                          0600);
    if (rc == 0)
        rc = mdb_env_get_fd(l->env, &fd);
    if (rc == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        rc = errno;
    if (rc == 0 && disk_allocate(l->data_fd, 0, (off_t)l->map_bytes) != OK)
        rc = ENOSPC;
    if (rc == 0)
        rc = mdb_reader_check(l->env, &dead);
    if (rc == 0)
        rc = mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn);
    if (rc == 0) {
        rc = mdb_dbi_open(txn, NULL, 0, &l->dbi);
        if (rc == 0)
            rc = mdb_stat(txn, l->dbi, &st);
        mdb_txn_abort(txn);
    }
    if (rc == 0) {
        l->page = st.ms_psize;
        return 0;
    }
    mdb_env_close(l->env);
    l->env = NULL;
    return rc;
}

static void
data_close(struct streamlog *l)
{
    if (l->data_fd >= 0)
        (void)close(l->data_fd);
    l->data_fd = -1;
}

/* With LOCK_CHANGE. */
static enum err
files_open(struct streamlog *l, bool alone)
{
    enum err e = OK;
    int rc = 0;

    if (alone && !streamlog_mark_trusted(l))
        e = streamlog_wipe(l, NULL);
    if (alone && e == OK && !streamlog_mark_write(l, "open")) {
        log_error("streams.mark", "error=\"%s\"", strerror(errno));
        e = disk_is_full(l->conf.dir, errno) ? ERR_FULL : ERR_STORE;
    }
    for (int i = 0; i < 2 && e == OK; i++) {
        e = data_open(l);
        if (e != OK)
            break;
        rc = env_new(l);
        if (rc == 0)
            return OK;
        data_close(l);
        if (!alone || i > 0 ||
            (rc != MDB_INVALID && rc != MDB_CORRUPTED &&
             rc != MDB_VERSION_MISMATCH && rc != MDB_PAGE_NOTFOUND))
            break;
        e = streamlog_wipe(l, "damaged");
    }
    if (e != OK)
        return e;
    log_error("streams.open", "dir=\"%s\" error=\"%s\"", l->conf.dir,
              mdb_strerror(rc));
    return rc > 0 && disk_is_full(l->conf.dir, rc) ? ERR_FULL : ERR_STORE;
}

enum err
streamlog_open(struct streamlog **out, const struct streamlog_config *c)
{
    struct streamlog *l = xcalloc(1, sizeof(*l));
    enum err e;

    l->conf = *c;
    l->conf.dir = xstrdup(c->dir);
    if (l->conf.map_min == 0)
        l->conf.map_min = MAP_MIN_BYTES;
    if (l->conf.map_max == 0)
        l->conf.map_max = MAP_MAX_BYTES;
    if (c->temporary != NULL)
        l->memory = memory_streams_new(c->temporary);
    l->lock_fd = l->data_fd = -1;
    (void)pthread_rwlock_init(&l->map_lock, NULL);
    buf_init(&l->redo, REDO_MAX);
    e = disk_folder(l->conf.dir);
    if (e == OK)
        e = streamlog_lock_open(l);
    if (e == OK)
        e = files_open(l, streamlog_lock(l, LOCK_USERS, F_WRLCK, false));
    if (e == OK && !streamlog_lock(l, LOCK_USERS, F_RDLCK, true))
        e = ERR_STORE;
    if (e != OK) {
        streamlog_close(l);
        return e;
    }
    (void)streamlog_lock(l, LOCK_CHANGE, F_UNLCK, true);
    (void)streamlog_others(l);
    *out = l;
    return OK;
}

static void
env_close(struct streamlog *l)
{
    streamlog_abort(l);
    if (l->rc != NULL)
        mdb_cursor_close(l->rc);
    if (l->r != NULL)
        mdb_txn_abort(l->r);
    l->rc = NULL;
    l->r = NULL;
    l->r_live = l->at_event = false;
    if (l->env != NULL)
        mdb_env_close(l->env);
    l->env = NULL;
    data_close(l);
}

void
streamlog_close(struct streamlog *l)
{
    bool synced = false, opened;

    if (l == NULL)
        return;
    opened = l->env != NULL;
    if (opened && streamlog_lock(l, LOCK_CHANGE, F_WRLCK, true) &&
        streamlog_lock(l, LOCK_USERS, F_WRLCK, false)) {
        streamlog_abort(l);
        synced = mdb_env_sync(l->env, 1) == 0;
    }
    env_close(l);
    if (synced && !streamlog_mark_write(l, "clean"))
        log_warn("streams.mark", "error=\"%s\"", strerror(errno));
    if (l->lock_fd >= 0)
        (void)close(l->lock_fd); /* and the locks with it */
    (void)pthread_rwlock_destroy(&l->map_lock);
    buf_release(&l->redo);
    memory_streams_free(l->memory);
    free((void *)(uintptr_t)l->conf.dir);
    free(l);
}

/* --- growth ------------------------------------------------------------- */

/* Put the map on the first bytes of the file, which are allocated. If that
 * fails LMDB is left without a map: open it again. */
static enum err
map_move(struct streamlog *l, size_t bytes)
{
    int rc;

    (void)pthread_rwlock_wrlock(&l->map_lock);
    rc = mdb_env_set_mapsize(l->env, bytes);
    if (rc == 0) {
        l->map_bytes = bytes;
    } else {
        log_error("streams.map", "bytes=%zu error=\"%s\"", bytes,
                  mdb_strerror(rc));
        env_close(l);
        if (data_open(l) == OK)
            rc = env_new(l);
        if (l->env == NULL)
            log_error("streams.lost", "error=\"%s\"", mdb_strerror(rc));
        rc = ENOMEM;
    }
    (void)pthread_rwlock_unlock(&l->map_lock);
    return rc == 0 ? OK : ERR_STORE;
}

/* With LOCK_CHANGE. */
static enum err
grow_locked(struct streamlog *l, size_t bytes)
{
    struct stat st;
    size_t size, want = l->map_bytes;
    enum err e;

    if (fstat(l->data_fd, &st) != 0)
        return ERR_STORE;
    size = (size_t)st.st_size;
    if (size > l->map_bytes) /* another process was faster */
        return map_move(l, size);
    if (want > GROW_MAX_BYTES)
        want = GROW_MAX_BYTES;
    want = l->map_bytes + (want > bytes ? want : bytes);
    want = (want + l->page - 1) / l->page * l->page;
    if (want > l->conf.map_max)
        want = l->conf.map_max / l->page * l->page;
    if (want < l->map_bytes + bytes || want <= l->map_bytes)
        return ERR_FULL;
    e = disk_allocate(l->data_fd, st.st_size, (off_t)want);
    if (e == OK)
        return map_move(l, want);
    /* Give back what was allocated of it. */
    if (ftruncate(l->data_fd, st.st_size) != 0)
        log_warn("streams.truncate", "error=\"%s\"", strerror(errno));
    return e;
}

enum err
streamlog_grow(struct streamlog *l, size_t bytes)
{
    enum err e;

    assert(l->w == NULL && !l->r_live);
    if (!streamlog_lock(l, LOCK_CHANGE, F_WRLCK, true))
        return ERR_STORE;
    e = grow_locked(l, bytes);
    (void)streamlog_lock(l, LOCK_CHANGE, F_UNLCK, true);
    if (e == OK)
        log_info("streams.map", "bytes=%zu", l->map_bytes);
    return e;
}

enum err
streamlog_adopt(struct streamlog *l)
{
    struct stat st;
    enum err e = ERR_STORE;

    assert(l->w == NULL && !l->r_live);
    if (!streamlog_lock(l, LOCK_CHANGE, F_WRLCK, true))
        return ERR_STORE;
    if (fstat(l->data_fd, &st) == 0 && (size_t)st.st_size >= l->map_bytes)
        e = map_move(l, (size_t)st.st_size);
    (void)streamlog_lock(l, LOCK_CHANGE, F_UNLCK, true);
    return e;
}
