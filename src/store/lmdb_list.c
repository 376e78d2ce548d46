/*
 * Reads over many sessions: an owner's list, those whose time is over, how
 * many an owner has. The list is an index of its own, the newest first. The
 * count is a record of its own that is written with every session made or
 * deleted; a store of an older version has none for an owner until then, and
 * the list is counted.
 */
#include "base/base.h"

#include "store/lmdb_read.h"

#include "base/log.h"

/* --- the list of an owner's sessions ------------------------------------- */

static bool
begins_with(const MDB_val *k, const uint8_t *prefix, size_t n)
{
    return k->mv_size >= n && memcmp(k->mv_data, prefix, n) == 0;
}

static enum err
list(const struct snapshot *s, MDB_cursor *c, const struct session_query *q,
     session_fn *fn, void *arg)
{
    uint8_t prefix[KEY_RECENT_MAX], from[KEY_RECENT_MAX];
    size_t prefix_len = key_recent_owner(prefix, q->owner), from_len = 0;
    MDB_val k = {prefix_len, prefix}, v;
    int rc;

    if (q->after != NULL) {
        from_len = key_recent(from, q->owner, q->after->updated_ms,
                              q->after->no);
        k.mv_size = from_len;
        k.mv_data = from;
    }
    rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
    if (rc == 0 && q->after != NULL && k.mv_size == from_len &&
        memcmp(k.mv_data, from, from_len) == 0)
        rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    for (uint32_t left = q->limit; rc == 0 && left > 0;
         rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
        struct session sess;
        uint64_t no;
        enum err e;

        if (!begins_with(&k, prefix, prefix_len))
            return OK;
        if (key_recent_read(k.mv_data, k.mv_size, &no) != OK)
            return lmdb_damaged("recent");
        e = lmdb_session_by_no(s, no, &sess);
        if (e != OK)
            return e == ERR_NOTFOUND ? lmdb_damaged("recent") : e;
        if (backend_gone(&sess, s->l->ttl_ms, s->now_ms))
            continue;
        if (!fn(arg, &sess))
            return OK;
        left--;
    }
    return rc == 0 || rc == MDB_NOTFOUND ? OK : lmdb_err(s->l, "recent", rc);
}

/* --- those whose time is over --------------------------------------------- */

/* One that is damaged must not hide the others. */
static enum err
expired(const struct snapshot *s, MDB_cursor *c, const struct session_query *q,
        session_fn *fn, void *arg)
{
    uint8_t key[KEY_NO_LEN];
    MDB_val k = {sizeof(key), key}, v;
    bool more = true;
    int rc;

    key_no(key, q->from);
    rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
    for (uint32_t left = q->limit; rc == 0; left--) {
        struct session sess;
        uint64_t no;

        if (key_no_read(k.mv_data, k.mv_size, &no) != OK)
            return lmdb_damaged("sessions");
        if (left == 0 || !more) {
            *q->next = no;
            return OK;
        }
        if (record_session_read(v.mv_data, v.mv_size, &sess) != OK) {
            (void)lmdb_damaged("sessions");
        } else if (q->everyone ||
                   backend_gone(&sess, s->l->ttl_ms, s->now_ms)) {
            sess.no = no;
            more = fn(arg, &sess);
        }
        rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? OK : lmdb_err(s->l, "sessions", rc);
}

/* --- how many an owner has ------------------------------------------------ */

/* By its list, which has an entry for each. */
static int
count_list(struct lmdb *l, MDB_txn *txn, const char *owner, uint64_t *out)
{
    uint8_t prefix[KEY_RECENT_MAX];
    size_t n = key_recent_owner(prefix, owner);
    MDB_val k = {n, prefix}, v;
    MDB_cursor *c;
    int rc = mdb_cursor_open(txn, l->dbi[DB_RECENT], &c);

    *out = 0;
    if (rc != 0)
        return rc;
    rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
    while (rc == 0 && begins_with(&k, prefix, n)) {
        ++*out;
        rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    mdb_cursor_close(c);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int
lmdb_owner_count(struct lmdb *l, MDB_txn *txn, const char *owner, uint64_t *out)
{
    uint8_t key[STORE_OWNER_MAX];
    MDB_val k = {key_owner(key, owner), key}, v;
    int rc = mdb_get(txn, l->dbi[DB_OWNERS], &k, &v);

    if (rc == 0 && record_scalar_read(v.mv_data, v.mv_size, out) == OK)
        return 0;
    if (rc == 0)
        (void)lmdb_damaged("owners"); /* and counted anew */
    return rc == 0 || rc == MDB_NOTFOUND ? count_list(l, txn, owner, out) : rc;
}

/* --- the query ------------------------------------------------------------ */

enum err
lmdb_sessions(void *impl, const struct session_query *q, session_fn *fn,
              void *arg)
{
    enum db db = q->owner != NULL ? DB_RECENT : DB_SESSIONS;
    struct lmdb *l = impl;
    struct snapshot s;
    MDB_cursor *c;
    enum err e = lmdb_snapshot_begin(&s, l);

    if (e != OK)
        return e;
    if (q->count != NULL) {
        e = lmdb_err(l, "owners",
                     lmdb_owner_count(l, s.txn, q->owner, q->count));
    } else {
        e = lmdb_err(l, "cursor", mdb_cursor_open(s.txn, l->dbi[db], &c));
        if (e == OK) {
            e = q->owner != NULL ? list(&s, c, q, fn, arg)
                                 : expired(&s, c, q, fn, arg);
            mdb_cursor_close(c);
        }
    }
    lmdb_snapshot_end(&s);
    return e;
}
