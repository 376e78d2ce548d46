/*
 * The environment. Durable flags only: no NOSYNC, NOMETASYNC or MAPASYNC,
 * since acknowledged means on disk, and no WRITEMAP, with which a full disk
 * is a signal instead of an error. The map is large and sparse from the
 * start: a read-only map costs address space only.
 *
 * Read transactions are kept in a pool and reset after every read: renewing
 * one is a store into the reader table and no system call, and a reset one
 * does not keep old pages from being used again. NOTLS, so that any thread
 * can take any of them.
 *
 * LMDB stops for good when the write of its meta page fails (MDB_PANIC); the
 * pages on disk are fine then, only this environment is not. So it is closed
 * and opened again, with every reader out of it.
 */
#include "base/base.h"

#include "store/lmdb_env.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "store/disk.h"
#include "store/record.h"

#define LOCK_FILE_BYTES (128 * 1024) /* more than LMDB needs for them */
#define TRIES 8

static const char *const db_names[DB__N] = {
    [DB_META] = "meta",           [DB_SESSION_IDS] = "session_ids",
    [DB_SESSIONS] = "sessions",   [DB_MESSAGES] = "messages",
    [DB_TURNS] = "turns",         [DB_OPEN] = "open",
    [DB_RECENT] = "recent",       [DB_IDEM] = "idem",
    [DB_SUMMARIES] = "summaries", [DB_CONTEXTS] = "contexts",
    [DB_OWNERS] = "owners",       [DB_RECORDS] = "records",
    [DB_LEDGER] = "ledger",       [DB_RESERVES] = "reserves",
};

const char *
lmdb_db_name(enum db db)
{
    return db_names[db];
}

enum err
lmdb_err(const struct lmdb *l, const char *what, int rc)
{
    if (rc == 0)
        return OK;
    if (rc == MDB_NOTFOUND)
        return ERR_NOTFOUND;
    if (rc > 0 && disk_is_full(l->dir, rc)) {
        log_error("store.full", "at=%s error=\"%s\"", what, mdb_strerror(rc));
        return ERR_FULL;
    }
    log_error("store.failed", "at=%s error=\"%s\"", what, mdb_strerror(rc));
    return rc == MDB_TXN_FULL ? ERR_TOOBIG : ERR_STORE;
}

/* --- open --------------------------------------------------------------- */

static int
put_format(struct lmdb *l, MDB_txn *txn)
{
    uint8_t record[RECORD_SCALAR_LEN];
    MDB_val k = {6, (void *)"format"}, v = {sizeof(record), record};

    record_scalar_write(record, LMDB_FORMAT);
    return mdb_put(txn, l->dbi[DB_META], &k, &v, 0);
}

/* The format that the files have; a new store is given ours, and so is one of
 * an older program: its records are read as they are. */
static int
check_format(struct lmdb *l, MDB_txn *txn)
{
    MDB_val k = {6, (void *)"format"}, v;
    uint64_t have;
    int rc = mdb_get(txn, l->dbi[DB_META], &k, &v);

    if (rc == MDB_NOTFOUND)
        return put_format(l, txn);
    if (rc != 0)
        return rc;
    if (record_scalar_read(v.mv_data, v.mv_size, &have) != OK || have == 0) {
        log_error("store.format", "error=damaged");
        return MDB_CORRUPTED;
    }
    if (have > LMDB_FORMAT) {
        log_error("store.format",
                  "have=%" PRIu64 " known=%d error=\"written by a newer "
                  "version of this program\"",
                  have, LMDB_FORMAT);
        return MDB_VERSION_MISMATCH;
    }
    return have < LMDB_FORMAT ? put_format(l, txn) : 0;
}

/* Open the databases once, and check the format. Nothing is written, so
 * nothing synced, if they are there. */
static int
open_dbs(struct lmdb *l)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(l->env, NULL, 0, &txn);

    if (rc != 0)
        return rc;
    for (int i = 0; i < DB__N && rc == 0; i++)
        rc = mdb_dbi_open(txn, db_names[i], MDB_CREATE, &l->dbi[i]);
    if (rc == 0)
        rc = check_format(l, txn);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

/* The map must hold what is there, with room to grow. */
static size_t
map_for(const struct lmdb *l, const char *data)
{
    struct stat st;
    size_t bytes = l->map_bytes;

    if (stat(data, &st) == 0)
        while (bytes / 2 < (size_t)st.st_size && bytes < SIZE_MAX / 4)
            bytes *= 2;
    return bytes;
}

static int
env_new(struct lmdb *l)
{
    char data[DISK_PATH_MAX], lock[DISK_PATH_MAX];
    int rc, dead, fd;

    if (disk_path(data, l->dir, "data.mdb") != OK ||
        disk_path(lock, l->dir, "lock.mdb") != OK)
        return ENAMETOOLONG;
    disk_allocate_ahead(lock, LOCK_FILE_BYTES);
    rc = mdb_env_create(&l->env);
    if (rc != 0)
        return rc;
    rc = mdb_env_set_maxreaders(l->env, LMDB_READERS_MAX);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(l->env, DB__N);
    l->map_bytes = map_for(l, data);
    if (rc == 0)
        rc = mdb_env_set_mapsize(l->env, l->map_bytes);
    if (rc == 0)
        rc = mdb_env_open(l->env, l->dir, MDB_NOTLS, 0600);
    if (rc == 0)
        rc = mdb_env_get_fd(l->env, &fd);
    if (rc == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        rc = errno;
    if (rc == 0)
        rc = mdb_reader_check(l->env, &dead);
    if (rc == 0)
        rc = open_dbs(l);
    if (rc != 0) {
        mdb_env_close(l->env);
        l->env = NULL;
    }
    return rc;
}

enum err
lmdb_env_open(struct lmdb *l)
{
    MDB_envinfo info;
    int rc;

    if (disk_folder(l->dir) != OK)
        return ERR_STORE;
    rc = env_new(l);
    if (rc == MDB_MAP_FULL || rc == MDB_MAP_RESIZED)
        rc = env_new(l); /* another process grew it meanwhile */
    if (rc == 0) {
        (void)mdb_env_info(l->env, &info);
        l->own_txn = info.me_last_txnid;
        return OK;
    }
    log_error("store.open", "dir=\"%s\" error=\"%s\"", l->dir,
              mdb_strerror(rc));
    return rc > 0 && disk_is_full(l->dir, rc) ? ERR_FULL : ERR_STORE;
}

static void
pool_drain(struct lmdb *l)
{
    (void)pthread_mutex_lock(&l->pool_mu);
    while (l->n_pool > 0)
        mdb_txn_abort(l->pool[--l->n_pool]);
    (void)pthread_mutex_unlock(&l->pool_mu);
}

void
lmdb_env_close(struct lmdb *l)
{
    pool_drain(l);
    if (l->env != NULL)
        mdb_env_close(l->env);
    l->env = NULL;
}

/* --- moving the map ----------------------------------------------------- */

static enum err
reopen_locked(struct lmdb *l)
{
    int rc;

    lmdb_env_close(l);
    rc = env_new(l);
    log_warn("store.reopened", "error=\"%s\"",
             rc == 0 ? "none" : mdb_strerror(rc));
    return rc == 0 ? OK : ERR_STORE;
}

/* After a fatal error of LMDB: close and open. Committer, no transaction. */
static enum err
env_reopen(struct lmdb *l)
{
    enum err e;

    (void)pthread_rwlock_wrlock(&l->map_lock);
    e = reopen_locked(l);
    (void)pthread_rwlock_unlock(&l->map_lock);
    return e;
}

/* With the lock held exclusively. A failed move leaves LMDB without a map:
 * then open it again as it was. */
static enum err
map_move_locked(struct lmdb *l, size_t bytes)
{
    MDB_envinfo info;
    int rc = mdb_env_set_mapsize(l->env, bytes);

    if (rc == 0) {
        (void)mdb_env_info(l->env, &info);
        l->map_bytes = info.me_mapsize;
        log_info("store.map", "bytes=%zu", l->map_bytes);
        return OK;
    }
    log_error("store.map", "bytes=%zu error=\"%s\"", bytes, mdb_strerror(rc));
    return reopen_locked(l) == OK ? ERR_FULL : ERR_STORE;
}

enum err
lmdb_env_grow(struct lmdb *l)
{
    enum err e = ERR_FULL;

    (void)pthread_rwlock_wrlock(&l->map_lock);
    if (l->map_bytes <= SIZE_MAX / 4)
        e = map_move_locked(l, l->map_bytes * 2);
    (void)pthread_rwlock_unlock(&l->map_lock);
    return e;
}

/* Another process has grown the file past our map. */
static enum err
map_adopt(struct lmdb *l)
{
    enum err e = ERR_STORE;

    (void)pthread_rwlock_wrlock(&l->map_lock);
    if (l->env != NULL)
        e = map_move_locked(l, 0);
    (void)pthread_rwlock_unlock(&l->map_lock);
    return e;
}

/* --- transactions ------------------------------------------------------- */

static MDB_txn *
pool_take(struct lmdb *l)
{
    MDB_txn *txn = NULL;

    (void)pthread_mutex_lock(&l->pool_mu);
    if (l->n_pool > 0)
        txn = l->pool[--l->n_pool];
    (void)pthread_mutex_unlock(&l->pool_mu);
    return txn;
}

static int
renew_or_begin(struct lmdb *l, MDB_txn **out)
{
    MDB_txn *txn = pool_take(l);
    int rc, dead;

    if (txn != NULL) {
        rc = mdb_txn_renew(txn);
        if (rc == 0)
            *out = txn;
        else
            mdb_txn_abort(txn);
        return rc;
    }
    rc = mdb_txn_begin(l->env, NULL, MDB_RDONLY, out);
    if (rc == MDB_READERS_FULL && mdb_reader_check(l->env, &dead) == 0 &&
        dead > 0)
        rc = mdb_txn_begin(l->env, NULL, MDB_RDONLY, out);
    return rc;
}

enum err
lmdb_read_begin(struct lmdb *l, MDB_txn **out)
{
    int rc = MDB_MAP_RESIZED;

    for (int i = 0; i < TRIES; i++) {
        (void)pthread_rwlock_rdlock(&l->map_lock);
        rc = l->env == NULL ? MDB_PANIC : renew_or_begin(l, out);
        if (rc == 0)
            return OK; /* the lock is given back by lmdb_read_end */
        (void)pthread_rwlock_unlock(&l->map_lock);
        if (rc != MDB_MAP_RESIZED || map_adopt(l) != OK)
            break;
    }
    return lmdb_err(l, "read", rc) == ERR_FULL ? ERR_FULL : ERR_STORE;
}

void
lmdb_read_end(struct lmdb *l, MDB_txn *txn)
{
    mdb_txn_reset(txn);
    (void)pthread_mutex_lock(&l->pool_mu);
    if (l->n_pool < LMDB_POOL) {
        l->pool[l->n_pool++] = txn;
        txn = NULL;
    }
    (void)pthread_mutex_unlock(&l->pool_mu);
    if (txn != NULL)
        mdb_txn_abort(txn);
    (void)pthread_rwlock_unlock(&l->map_lock);
}

/* Ids of write transactions follow each other, whoever writes: what lies
 * between two of ours is others'. own_txn is stored first, so that who reads
 * them the other way round never counts one twice. */
static void
write_began(struct lmdb *l, MDB_txn *txn)
{
    uint64_t id = mdb_txn_id(txn);
    uint64_t last = __atomic_load_n(&l->own_txn, __ATOMIC_RELAXED);

    __atomic_store_n(&l->own_txn, id, __ATOMIC_RELEASE);
    if (id > last + 1)
        (void)__atomic_add_fetch(&l->others, id - last - 1, __ATOMIC_RELEASE);
}

/* Nothing was written: the next one, whosever, has this id. */
static void
write_undone(struct lmdb *l)
{
    (void)__atomic_sub_fetch(&l->own_txn, 1, __ATOMIC_RELEASE);
}

uint64_t
lmdb_others(const struct lmdb *l, const MDB_envinfo *info)
{
    uint64_t others = __atomic_load_n(&l->others, __ATOMIC_ACQUIRE);
    uint64_t own = __atomic_load_n(&l->own_txn, __ATOMIC_ACQUIRE);

    return info->me_last_txnid > own ? others + info->me_last_txnid - own
                                     : others;
}

enum err
lmdb_write_begin(struct lmdb *l, MDB_txn **out)
{
    int rc = MDB_PANIC;

    for (int i = 0; i < TRIES; i++) {
        (void)pthread_rwlock_rdlock(&l->map_lock);
        rc = l->env == NULL ? MDB_PANIC : mdb_txn_begin(l->env, NULL, 0, out);
        if (rc == 0) {
            write_began(l, *out);
            return OK; /* the lock is given back by commit or abort */
        }
        (void)pthread_rwlock_unlock(&l->map_lock);
        if (rc == MDB_MAP_RESIZED) {
            if (map_adopt(l) != OK)
                break;
        } else if (rc != MDB_PANIC || env_reopen(l) != OK) {
            break;
        }
    }
    return lmdb_err(l, "begin", rc) == ERR_FULL ? ERR_FULL : ERR_STORE;
}

int
lmdb_write_commit(struct lmdb *l, MDB_txn *txn)
{
    int rc = mdb_txn_commit(txn);

    if (rc != 0)
        write_undone(l);
    (void)pthread_rwlock_unlock(&l->map_lock);
    return rc;
}

void
lmdb_write_abort(struct lmdb *l, MDB_txn *txn)
{
    write_undone(l); /* while nobody else can write */
    mdb_txn_abort(txn);
    (void)pthread_rwlock_unlock(&l->map_lock);
}

void
lmdb_env_tend(struct lmdb *l)
{
    MDB_txn *txn;
    int rc = MDB_PANIC, dead;

    (void)pthread_rwlock_rdlock(&l->map_lock);
    if (l->env != NULL)
        rc = mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn);
    if (rc == 0) {
        mdb_txn_abort(txn);
        (void)mdb_reader_check(l->env, &dead); /* best effort */
    }
    (void)pthread_rwlock_unlock(&l->map_lock);
    if (rc == MDB_PANIC && env_reopen(l) != OK)
        log_error("store.reopen", "error=\"failed; the next write tries\"");
}
