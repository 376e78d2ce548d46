/*
 * The LMDB environment of the store: opened, grown, reopened, read from. For
 * lmdb*.c only.
 *
 * map_lock stands between transactions and the two things that must not
 * happen while this process has one: moving the map and reopening the
 * environment. Transactions hold it shared from begin to end; who moves the
 * map takes it exclusively, with no transaction of his own.
 */
#ifndef STORE_LMDB_ENV_H
#define STORE_LMDB_ENV_H

#include <lmdb.h>
#include <pthread.h>

#include "store/backend.h"

/* The databases. docs/WIRE.md has what is in them. */
enum db {
    DB_META,
    DB_SESSION_IDS,
    DB_SESSIONS,
    DB_MESSAGES,
    DB_TURNS,
    DB_OPEN,
    DB_RECENT,
    DB_IDEM,
    DB_SUMMARIES,
    DB_CONTEXTS,
    DB_OWNERS,
    DB_RECORDS,
    DB_LEDGER,
    DB_RESERVES,
    DB__N
};

#define LMDB_POOL 32          /* idle read transactions that are kept */
#define LMDB_FORMAT 2         /* of the whole; a newer one is refused */
#define LMDB_READERS_MAX 1022 /* read transactions of all processes */

struct lmdb {
    char *dir;        /* owned */
    int64_t ttl_ms;   /* of sessions without a time of their own; 0: never */
    size_t map_bytes; /* as configured, then as grown */
    MDB_env *env;     /* NULL: could not be reopened */
    MDB_dbi dbi[DB__N];
    pthread_rwlock_t map_lock; /* guards env, dbi, map_bytes */

    pthread_mutex_t pool_mu; /* guards pool, n_pool */
    MDB_txn *pool[LMDB_POOL];
    unsigned n_pool;

    /* Written by the committer, read by any thread (atomic). */
    uint64_t own_txn; /* id of the last transaction that this process wrote, or
                         of the last there was when it opened the store */
    uint64_t others;  /* how many of other processes lie before it */

    /* owned by: committer */
    uint8_t idem_at[32]; /* where the sweep of idem goes on */
    bool idem_started;
    uint8_t record_at[STORE_RECORD_NAME_MAX]; /* likewise, of records */
    size_t record_at_len;                     /* 0: at the first */
};

/* What a database is called in the file. */
const char *lmdb_db_name(enum db db);
/* Open or make the environment in dir. ERR_STORE with a log line. */
MUST_USE enum err lmdb_env_open(struct lmdb *l);
void lmdb_env_close(struct lmdb *l);
/* Double the map. ERR_FULL: no address space. Committer, no transaction. */
MUST_USE enum err lmdb_env_grow(struct lmdb *l);

/* A read transaction. OK must be followed by lmdb_read_end. */
MUST_USE enum err lmdb_read_begin(struct lmdb *l, MDB_txn **out);
void lmdb_read_end(struct lmdb *l, MDB_txn *txn);
/* A write transaction; reopens and adopts another process's growth as needed.
 * Committer. */
MUST_USE enum err lmdb_write_begin(struct lmdb *l, MDB_txn **out);
MUST_USE int lmdb_write_commit(struct lmdb *l, MDB_txn *txn); /* LMDB's */
void lmdb_write_abort(struct lmdb *l, MDB_txn *txn);
/* How many transactions other processes have committed since the store was
 * opened; never too many, and for a moment too few. */
uint64_t lmdb_others(const struct lmdb *l, const MDB_envinfo *info);
/* After a failure and now and then: reopen if LMDB gave up, and free the
 * slots of readers that died. Committer, no transaction. */
void lmdb_env_tend(struct lmdb *l);

/* LMDB's result as ours; logs what is neither OK nor NOTFOUND. */
MUST_USE enum err lmdb_err(const struct lmdb *l, const char *what, int rc);

/* lmdb_read.c, lmdb_list.c: the slots of the vtable. */
MUST_USE enum err lmdb_messages(void *impl, const struct message_query *q,
                                struct session *sess, message_fn *fn,
                                void *arg);
MUST_USE enum err lmdb_turns(void *impl, const struct ident *one, turn_fn *fn,
                             void *arg);
MUST_USE enum err lmdb_idem(void *impl, const char *owner, const char *scope,
                            const char *key, struct ident *out);
MUST_USE enum err lmdb_sessions(void *impl, const struct session_query *q,
                                session_fn *fn, void *arg);

/* lmdb_records.c: likewise. */
MUST_USE enum err lmdb_records(void *impl, const struct record_query *q,
                               record_fn *fn, void *arg);

/* lmdb_upgrade.c: bring a folder of an older version up to date. On a full disk
 * that waits for the next start. ERR_STORE with a log line. */
MUST_USE enum err lmdb_upgrade(struct lmdb *l);

/* lmdb_batch.c */
MUST_USE enum err lmdb_apply(void *impl, struct store_op *const ops[], size_t n,
                             bool *wrote);

#endif
