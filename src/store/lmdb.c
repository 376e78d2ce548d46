/*
 * The embedded store: LMDB as a backend. This file joins the parts:
 *   lmdb_env.c      the environment: open, grow, reopen, transactions
 *   lmdb_read.c     reads of one session or turn
 *   lmdb_line.c     messages along a line
 *   lmdb_list.c     reads over many sessions
 *   lmdb_batch.c    one write transaction of many operations
 *   lmdb_turn.c     the two writes of a turn
 *   lmdb_session.c  making, clearing and deleting a session
 *   lmdb_patch.c    what a user sets of it, and its summary
 *   lmdb_extra.c    what is added to a message later
 *   lmdb_owner.c    giving sessions to another owner
 *   lmdb_records.c  values under names
 *   lmdb_ledger.c   who used what; lmdb_ledger_read.c reads it, and
 *                   lmdb_ledger_prune.c takes old records away
 *   lmdb_upgrade.c  what older versions left out
 * Several processes may have one store open; LMDB lets them write in turns.
 */
#include "base/base.h"

#include "store/lmdb_env.h"
#include "store/lmdb_ledger.h"

#include "base/mem.h"

#define MAP_BYTES (1024 * 1024) /* at least */

static void
lmdb_close(void *impl)
{
    struct lmdb *l = impl;

    lmdb_env_close(l);
    (void)pthread_rwlock_destroy(&l->map_lock);
    (void)pthread_mutex_destroy(&l->pool_mu);
    free(l->dir);
    free(l);
}

static enum err
lmdb_open(void **impl, const struct store_config *c)
{
    struct lmdb *l = xcalloc(1, sizeof(*l));
    pthread_rwlockattr_t attr;
    enum err e;

    l->dir = xstrdup(c->dir);
    l->ttl_ms = c->session_ttl_ms;
    l->map_bytes = c->map_bytes > MAP_BYTES ? c->map_bytes : MAP_BYTES;
    (void)pthread_mutex_init(&l->pool_mu, NULL);
    /* Who waits to move the map must not starve behind endless readers. */
    (void)pthread_rwlockattr_init(&attr);
    (void)pthread_rwlockattr_setkind_np(
        &attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&l->map_lock, &attr);
    (void)pthread_rwlockattr_destroy(&attr);
    e = lmdb_env_open(l);
    if (e == OK)
        e = lmdb_upgrade(l);
    if (e != OK) {
        lmdb_close(l);
        return e;
    }
    *impl = l;
    return OK;
}

/* Counts are LMDB's own: there is no counter to keep true. */
static void
lmdb_stats(void *impl, struct store_stats *out)
{
    struct lmdb *l = impl;
    MDB_txn *txn;
    MDB_stat st;
    MDB_envinfo info;

    if (lmdb_read_begin(l, &txn) != OK)
        return;
    if (mdb_stat(txn, l->dbi[DB_SESSIONS], &st) == 0)
        out->sessions = st.ms_entries;
    if (mdb_stat(txn, l->dbi[DB_MESSAGES], &st) == 0)
        out->messages = st.ms_entries;
    if (mdb_env_info(l->env, &info) == 0) {
        out->map_bytes = info.me_mapsize;
        out->used_bytes = (info.me_last_pgno + 1) * st.ms_psize;
        out->others = lmdb_others(l, &info);
    }
    lmdb_read_end(l, txn);
}

const struct backend lmdb_backend = {
    .name = "lmdb",
    .open = lmdb_open,
    .close = lmdb_close,
    .apply = lmdb_apply,
    .messages = lmdb_messages,
    .turns = lmdb_turns,
    .idem = lmdb_idem,
    .sessions = lmdb_sessions,
    .records = lmdb_records,
    .ledger = lmdb_ledger,
    .stats = lmdb_stats,
};
