/*
 * A batch on LMDB: one write transaction, its operations in order, one sync.
 * Each operation reads and checks everything before its first write, so one
 * that fails on its own leaves no trace; anything unexpected after that
 * aborts the transaction, and nothing of the batch has happened.
 *
 * One cursor per database is kept for the whole batch: records of a batch
 * mostly lie beside each other at the right edge of the trees, where a cursor
 * that is already there finds its place without a search from the root.
 *
 * A map that is too small is grown and the batch done again from the start;
 * operations therefore set all their results anew each time.
 */
#include "base/base.h"

#include "store/lmdb_batch.h"

#include "base/clock.h"
#include "base/log.h"

#define TRIES 12 /* the map doubles each time */

/* --- cursors ------------------------------------------------------------ */

int
batch_cursor(struct batch *b, enum db db, MDB_cursor **out)
{
    if (b->cursors[db] == NULL) {
        int rc = mdb_cursor_open(b->txn, b->l->dbi[db], &b->cursors[db]);

        if (rc != 0)
            return rc;
    }
    *out = b->cursors[db];
    return 0;
}

int
batch_get(struct batch *b, enum db db, const void *key, size_t key_len,
          MDB_val *v)
{
    MDB_val k = {key_len, (void *)(uintptr_t)key};
    MDB_cursor *c;
    int rc = batch_cursor(b, db, &c);

    return rc != 0 ? rc : mdb_cursor_get(c, &k, v, MDB_SET);
}

static int
put(struct batch *b, enum db db, const void *key, size_t key_len, MDB_val *v,
    unsigned flags)
{
    MDB_val k = {key_len, (void *)(uintptr_t)key};
    MDB_cursor *c;
    int rc = batch_cursor(b, db, &c);

    if (rc != 0)
        return rc;
    b->wrote = true;
    return mdb_cursor_put(c, &k, v, flags);
}

int
batch_put(struct batch *b, enum db db, const void *key, size_t key_len,
          const void *data, size_t n)
{
    MDB_val v = {n, (void *)(uintptr_t)data};

    return put(b, db, key, key_len, &v, 0);
}

int
batch_put_found(struct batch *b, enum db db, const void *key, size_t key_len,
                const void *data, size_t n)
{
    MDB_val v = {n, (void *)(uintptr_t)data};

    return put(b, db, key, key_len, &v, MDB_CURRENT);
}

int
batch_put_new(struct batch *b, enum db db, const void *key, size_t key_len,
              const void *data, size_t n)
{
    MDB_val v = {n, (void *)(uintptr_t)data};
    int rc = put(b, db, key, key_len, &v, MDB_APPEND);

    if (rc != MDB_KEYEXIST)
        return rc;
    v.mv_size = n; /* not the last one, or there */
    v.mv_data = (void *)(uintptr_t)data;
    return put(b, db, key, key_len, &v, MDB_NOOVERWRITE);
}

int
batch_reserve(struct batch *b, enum db db, const void *key, size_t key_len,
              size_t n, void **out)
{
    MDB_val v = {n, NULL};
    int rc = put(b, db, key, key_len, &v, MDB_RESERVE);

    *out = v.mv_data;
    return rc;
}

int
batch_put_message(struct batch *b, uint64_t no, const struct message *m)
{
    uint8_t key[KEY_MESSAGE_LEN];
    MDB_val v = {record_message_size(m), NULL};
    size_t size = v.mv_size;
    bool last = no + 1 == b->next_no;
    int rc;

    key_message(key, no, m->seq);
    rc = put(b, DB_MESSAGES, key, sizeof(key), &v,
             MDB_RESERVE | (last ? MDB_APPEND : 0));
    if (rc == MDB_KEYEXIST && last) {
        v.mv_size = size;
        rc = put(b, DB_MESSAGES, key, sizeof(key), &v, MDB_RESERVE);
    }
    if (rc == 0)
        record_message_write(v.mv_data, size, m);
    return rc;
}

int
batch_del(struct batch *b, enum db db, const void *key, size_t key_len)
{
    MDB_val v;
    int rc = batch_get(b, db, key, key_len, &v);

    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc != 0)
        return rc;
    b->wrote = true;
    return mdb_cursor_del(b->cursors[db], 0);
}

/* --- sessions ----------------------------------------------------------- */

int
batch_session_by_no(struct batch *b, uint64_t no, struct session *out,
                    enum err *err)
{
    uint8_t key[KEY_NO_LEN];
    MDB_val v;
    int rc;

    key_no(key, no);
    rc = batch_get(b, DB_SESSIONS, key, sizeof(key), &v);
    *err = OK;
    if (rc == MDB_NOTFOUND) {
        *err = ERR_NOTFOUND;
        return 0;
    }
    if (rc != 0)
        return rc;
    *err = record_session_read(v.mv_data, v.mv_size, out);
    if (*err != OK)
        log_error("store.damaged", "db=sessions no=%" PRIu64, no);
    out->no = no;
    return 0;
}

int
batch_session(struct batch *b, const char *owner, const char *id,
              struct session *out, enum err *err)
{
    MDB_val v;
    uint64_t no;
    int rc = batch_get(b, DB_SESSION_IDS, id, strlen(id), &v);

    *err = OK;
    if (rc == MDB_NOTFOUND) {
        *err = ERR_NOTFOUND;
        return 0;
    }
    if (rc != 0)
        return rc;
    *err = key_no_read(v.mv_data, v.mv_size, &no);
    if (*err != OK) {
        log_error("store.damaged", "db=session_ids");
        return 0;
    }
    rc = batch_session_by_no(b, no, out, err);
    if (rc != 0)
        return rc;
    if (*err == ERR_NOTFOUND) {
        log_error("store.damaged", "db=sessions no=%" PRIu64, no);
        *err = ERR_STORE;
    }
    if (*err == OK && strcmp(out->owner, owner) != 0)
        *err = ERR_FORBIDDEN;
    return 0;
}

int
batch_put_session(struct batch *b, const struct session *s)
{
    uint8_t key[KEY_NO_LEN], record[RECORD_SESSION_MAX];

    key_no(key, s->no);
    return batch_put(b, DB_SESSIONS, key, sizeof(key), record,
                     record_session_write(record, s));
}

int
batch_relist(struct batch *b, const struct session *s, int64_t was_ms)
{
    uint8_t key[KEY_RECENT_MAX];
    int rc;

    if (s->updated_ms == was_ms)
        return 0;
    rc = batch_del(b, DB_RECENT, key, key_recent(key, s->owner, was_ms, s->no));
    if (rc != 0)
        return rc;
    return batch_put(b, DB_RECENT, key,
                     key_recent(key, s->owner, s->updated_ms, s->no), "", 0);
}

/* --- the batch ---------------------------------------------------------- */

static int
probe(struct batch *b, struct store_op *op)
{
    uint8_t record[RECORD_SCALAR_LEN];

    record_scalar_write(record, (uint64_t)b->now_ms);
    op->err = OK;
    return batch_put(b, DB_META, "probe", 5, record, sizeof(record));
}

static int
run(struct batch *b, struct store_op *const ops[], size_t n)
{
    static int (*const kinds[])(struct batch *, struct store_op *) = {
        [STORE_TURN_BEGIN] = batch_turn_begin,
        [STORE_TURN_END] = batch_turn_end,
        [STORE_SESSION_PATCH] = batch_patch,
        [STORE_SESSION_CLEAR] = batch_clear,
        [STORE_SESSION_DELETE] = batch_delete,
        [STORE_SESSION_SUMMARY] = batch_summary,
        [STORE_MESSAGE_EXTRA] = batch_extra,
        [STORE_SESSION_IMPORT] = batch_import,
        [STORE_SESSION_OWNER] = batch_owner,
        [STORE_RECORDS] = batch_records,
        [STORE_RESERVE] = batch_reserve_op,
        [STORE_SETTLE] = batch_settle_op,
        [STORE_LEDGER_PRUNE] = batch_ledger_prune,
        [STORE_PROBE] = probe,
    };
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        assert((size_t)ops[i]->kind < COUNT_OF(kinds));
        rc = kinds[ops[i]->kind](b, ops[i]);
    }
    return rc;
}

enum err
lmdb_apply(void *impl, struct store_op *const ops[], size_t n, bool *wrote)
{
    struct lmdb *l = impl;
    enum err e;
    int rc = 0;

    *wrote = false;
    if (n == 0) {
        lmdb_env_tend(l);
        return OK;
    }
    for (int i = 0; i < TRIES; i++) {
        struct batch b = {.l = l, .now_ms = clock_wall_ms()};

        e = lmdb_write_begin(l, &b.txn);
        if (e != OK)
            return e;
        rc = run(&b, ops, n);
        if (rc == 0 && b.wrote)
            rc = lmdb_write_commit(l, b.txn);
        else
            lmdb_write_abort(l, b.txn); /* or there is nothing to write */
        if (rc == 0) {
            *wrote = b.wrote;
            return OK;
        }
        if (rc != MDB_MAP_FULL)
            break;
        e = lmdb_env_grow(l);
        if (e != OK)
            return e;
    }
    e = lmdb_err(l, "commit", rc);
    lmdb_env_tend(l);
    return e == ERR_FULL || e == ERR_TOOBIG ? e : ERR_STORE;
}
