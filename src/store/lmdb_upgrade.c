/*
 * Upgrades. Records of older versions are read as they are; this is about
 * records that older versions did not write at all. Each step leaves a note in
 * meta, and is taken once, in one transaction.
 *
 *   "listed"  every session has an entry in its owner's list. Those of the
 *             anonymous owner had none.
 */
#include "base/base.h"

#include "store/lmdb_batch.h"

#include "base/log.h"

#define TRIES 12 /* the map doubles each time */

static const char listed[] = "listed";

/* Is there nothing to do? Of a folder without sessions nothing is noted, so
 * that opening a new one writes nothing. */
static enum err
is_done(struct lmdb *l, bool *done)
{
    MDB_val k = {sizeof(listed) - 1, (void *)(uintptr_t)listed}, v;
    MDB_txn *txn;
    MDB_stat st;
    int rc;
    enum err e = lmdb_read_begin(l, &txn);

    if (e != OK)
        return e;
    rc = mdb_get(txn, l->dbi[DB_META], &k, &v);
    *done = rc == 0;
    if (rc == MDB_NOTFOUND) {
        rc = mdb_stat(txn, l->dbi[DB_SESSIONS], &st);
        *done = rc == 0 && st.ms_entries == 0;
    }
    e = lmdb_err(l, "upgrade", rc);
    lmdb_read_end(l, txn);
    return e;
}

static int
list_all(struct batch *b)
{
    uint8_t key[KEY_RECENT_MAX], note[RECORD_SCALAR_LEN];
    struct session s;
    MDB_cursor *c;
    MDB_val k, v;
    int rc = batch_cursor(b, DB_SESSIONS, &c);

    if (rc == 0)
        rc = mdb_cursor_get(c, &k, &v, MDB_FIRST);
    while (rc == 0) {
        uint64_t no;

        if (key_no_read(k.mv_data, k.mv_size, &no) != OK ||
            record_session_read(v.mv_data, v.mv_size, &s) != OK)
            log_error("store.damaged", "db=sessions");
        else
            rc = batch_put(b, DB_RECENT, key,
                           key_recent(key, s.owner, s.updated_ms, no), "", 0);
        if (rc == 0)
            rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    if (rc != MDB_NOTFOUND)
        return rc;
    record_scalar_write(note, 1);
    return batch_put(b, DB_META, listed, sizeof(listed) - 1, note,
                     sizeof(note));
}

enum err
lmdb_upgrade(struct lmdb *l)
{
    bool done = false;
    enum err e = is_done(l, &done);
    int rc = 0;

    for (int i = 0; e == OK && !done && i < TRIES; i++) {
        struct batch b = {.l = l};

        e = lmdb_write_begin(l, &b.txn);
        if (e != OK)
            break;
        rc = list_all(&b);
        if (rc == 0)
            rc = lmdb_write_commit(l, b.txn);
        else
            lmdb_write_abort(l, b.txn);
        done = rc == 0;
        if (rc == MDB_MAP_FULL)
            e = lmdb_env_grow(l);
        else if (rc != 0)
            break;
    }
    if (e == OK && !done)
        e = lmdb_err(l, "upgrade", rc);
    return e == OK || e == ERR_FULL ? OK : ERR_STORE;
}
