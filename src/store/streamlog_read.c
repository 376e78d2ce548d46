/*
 * Reading the stream log: one snapshot for a whole turn of the loop, one
 * cursor on it. A reader that follows a stream asks for the event after the
 * one it was given last, so the cursor is mostly where it has to be and one
 * step does; anything else is a search.
 *
 * The snapshot is reset after every turn of the loop: a held one would keep
 * LMDB from using old pages again, and the log would only grow.
 */
#include "base/base.h"

#include "store/streamlog_env.h"

#include "base/log.h"

#define TRIES 8

static enum err
failed(const char *what, int rc)
{
    if (rc == MDB_NOTFOUND)
        return ERR_NOTFOUND;
    log_error("streams.read", "at=%s error=\"%s\"", what, mdb_strerror(rc));
    return ERR_STORE;
}

static int
snapshot_begin(struct streamlog *l)
{
    int rc, dead;

    if (l->r != NULL) {
        rc = mdb_txn_renew(l->r);
        return rc != 0 ? rc : mdb_cursor_renew(l->r, l->rc);
    }
    rc = mdb_txn_begin(l->env, NULL, MDB_RDONLY, &l->r);
    if (rc == MDB_READERS_FULL && mdb_reader_check(l->env, &dead) == 0 &&
        dead > 0)
        rc = mdb_txn_begin(l->env, NULL, MDB_RDONLY, &l->r);
    if (rc != 0) {
        l->r = NULL;
        return rc;
    }
    rc = mdb_cursor_open(l->r, l->dbi, &l->rc);
    if (rc != 0) {
        mdb_txn_abort(l->r);
        l->r = NULL;
    }
    return rc;
}

enum err
streamlog_snapshot(struct streamlog *l)
{
    int rc = MDB_PANIC;

    if (l->r_live)
        return OK;
    for (int i = 0; i < TRIES && l->env != NULL; i++) {
        rc = snapshot_begin(l);
        if (rc == 0) {
            l->r_live = true;
            l->at_event = false;
            return OK;
        }
        if (rc != MDB_MAP_RESIZED || l->w != NULL || streamlog_adopt(l) != OK)
            break;
    }
    return failed("snapshot", rc) == OK ? OK : ERR_STORE;
}

void
streamlog_rest(struct streamlog *l)
{
    if (l->r_live)
        mdb_txn_reset(l->r);
    l->r_live = l->at_event = false;
}

void
streamlog_settle(struct streamlog *l)
{
    MDB_txn *w;

    streamlog_rest(l);
    if (l->env == NULL || l->w != NULL)
        return;
    if (mdb_txn_begin(l->env, NULL, 0, &w) == 0)
        mdb_txn_abort(w);
}

enum err
streamlog_head(struct streamlog *l, const struct ident *turn,
               struct stream_head *out)
{
    uint8_t key[KEY_EVENT_LEN];
    MDB_val k = {sizeof(key), key}, v;
    enum err e = memory_streams_head(l->memory, turn, out);
    int rc;

    if (e == OK)
        return OK;
    e = streamlog_snapshot(l);
    if (e != OK)
        return e;
    key_event(key, turn, 0);
    rc = mdb_get(l->r, l->dbi, &k, &v);
    if (rc != 0)
        return failed("head", rc);
    e = record_head_read(v.mv_data, v.mv_size, out);
    if (e != OK)
        log_error("streams.damaged", "what=head");
    return e;
}

/* The event under the cursor, if it is one of the turn. */
static enum err
event_here(struct streamlog *l, const struct ident *turn, const MDB_val *k,
           const MDB_val *v, struct event *out)
{
    struct ident whose;
    uint32_t seq;

    l->at_event = false;
    if (key_event_read(k->mv_data, k->mv_size, &whose, &seq) != OK) {
        log_error("streams.damaged", "what=key");
        return ERR_STORE;
    }
    if (!ident_eq(&whose, turn) || seq == 0)
        return ERR_NOTFOUND;
    if (record_event_read(v->mv_data, v->mv_size, out) != OK) {
        log_error("streams.damaged", "what=event");
        return ERR_STORE;
    }
    out->seq = seq;
    l->at_event = true;
    l->at_turn = whose;
    l->at_seq = seq;
    return OK;
}

enum err
streamlog_next(struct streamlog *l, const struct ident *turn, uint32_t after,
               struct event *out)
{
    uint8_t key[KEY_EVENT_LEN];
    MDB_val k = {sizeof(key), key}, v;
    enum err e;
    bool here;
    int rc;

    if (memory_streams_has(l->memory, turn))
        return memory_streams_next(l->memory, turn, after, out);
    e = streamlog_snapshot(l);
    if (e != OK)
        return e;
    if (after == UINT32_MAX)
        return ERR_NOTFOUND;
    here = l->at_event && l->at_seq == after && ident_eq(&l->at_turn, turn);
    if (!here)
        key_event(key, turn, after + 1);
    l->at_event = false;
    rc = mdb_cursor_get(l->rc, &k, &v, here ? MDB_NEXT : MDB_SET_RANGE);
    return rc != 0 ? failed("next", rc) : event_here(l, turn, &k, &v, out);
}

enum err
streamlog_last(struct streamlog *l, const struct ident *turn, struct event *out)
{
    uint8_t key[KEY_EVENT_LEN];
    MDB_val k = {sizeof(key), key}, v;
    enum err e;
    int rc;

    if (memory_streams_has(l->memory, turn))
        return memory_streams_last(l->memory, turn, out);
    e = streamlog_snapshot(l);
    if (e != OK)
        return e;
    key_event(key, turn, UINT32_MAX);
    l->at_event = false;
    rc = mdb_cursor_get(l->rc, &k, &v, MDB_SET_RANGE);
    if (rc == 0 || rc == MDB_NOTFOUND)
        rc = mdb_cursor_get(l->rc, &k, &v, rc == 0 ? MDB_PREV : MDB_LAST);
    return rc != 0 ? failed("last", rc) : event_here(l, turn, &k, &v, out);
}

/* --- numbers ------------------------------------------------------------ */

uint64_t
streamlog_txnid(struct streamlog *l)
{
    MDB_envinfo info = {0};

    (void)pthread_rwlock_rdlock(&l->map_lock);
    if (l->env != NULL)
        (void)mdb_env_info(l->env, &info);
    (void)pthread_rwlock_unlock(&l->map_lock);
    return info.me_last_txnid;
}

/* Each commit that changes anything adds one to the txnid: what ours did not
 * add, others did. */
bool
streamlog_others(struct streamlog *l)
{
    uint64_t others = streamlog_txnid(l) - l->commits;
    bool changed = others != l->others_seen;

    l->others_seen = others;
    return changed;
}

void
streamlog_stats(struct streamlog *l, struct streamlog_stats *out)
{
    MDB_envinfo info = {0};

    if (l->env != NULL)
        (void)mdb_env_info(l->env, &info);
    *out = l->stats;
    out->map_bytes = info.me_mapsize;
    out->used_bytes = (info.me_last_pgno + 1) * l->page;
}
