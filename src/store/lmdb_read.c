/*
 * Reads. Each is one snapshot: a session and its messages always fit each
 * other. Records are decoded in place; what a callback is given points into
 * the map and is good until it returns. A damaged record is logged where it
 * was found and ends the read with ERR_STORE.
 */
#include "base/base.h"

#include "store/lmdb_read.h"

#include "base/clock.h"
#include "base/log.h"

enum err
lmdb_snapshot_begin(struct snapshot *s, struct lmdb *l)
{
    s->l = l;
    s->now_ms = clock_wall_ms();
    return lmdb_read_begin(l, &s->txn);
}

void
lmdb_snapshot_end(struct snapshot *s)
{
    lmdb_read_end(s->l, s->txn);
}

enum err
lmdb_get(const struct snapshot *s, enum db db, const void *key, size_t n,
         MDB_val *v)
{
    MDB_val k = {n, (void *)(uintptr_t)key};

    return lmdb_err(s->l, "get", mdb_get(s->txn, s->l->dbi[db], &k, v));
}

enum err
lmdb_session_by_no(const struct snapshot *s, uint64_t no, struct session *out)
{
    uint8_t key[KEY_NO_LEN];
    MDB_val v;
    enum err e;

    key_no(key, no);
    e = lmdb_get(s, DB_SESSIONS, key, sizeof(key), &v);
    if (e != OK)
        return e;
    if (record_session_read(v.mv_data, v.mv_size, out) != OK)
        return lmdb_damaged("sessions");
    out->no = no;
    return OK;
}

/* owner NULL: whosever. ERR_NOTFOUND also when it is another owner's, or its
 * time is over and it is not wanted so (gone_too). */
static enum err
session_find(const struct snapshot *s, const char *owner, const char *id,
             bool gone_too, struct session *out)
{
    uint64_t no;
    MDB_val v;
    enum err e = lmdb_get(s, DB_SESSION_IDS, id, strlen(id), &v);

    if (e != OK)
        return e;
    if (key_no_read(v.mv_data, v.mv_size, &no) != OK)
        return lmdb_damaged("session_ids");
    e = lmdb_session_by_no(s, no, out);
    if (e == ERR_NOTFOUND)
        return lmdb_damaged("sessions");
    if (e == OK && ((owner != NULL && strcmp(out->owner, owner) != 0) ||
                    (!gone_too && backend_gone(out, s->l->ttl_ms, s->now_ms))))
        return ERR_NOTFOUND;
    return e;
}

/* --- one session ---------------------------------------------------------- */

static enum err
give_summary(const struct snapshot *s, uint64_t no, struct summary_query *q)
{
    uint8_t key[KEY_NO_LEN];
    const char *text;
    size_t len;
    MDB_val v;
    enum err e;

    key_no(key, no);
    e = lmdb_get(s, DB_SUMMARIES, key, sizeof(key), &v);
    if (e != OK)
        return e;
    if (record_summary_read(v.mv_data, v.mv_size, q->out, &text, &len) != OK)
        return lmdb_damaged("summaries");
    if (q->text != NULL)
        buf_add(q->text, text, len);
    return OK;
}

static enum err
give_context(const struct snapshot *s, uint64_t no, struct buf *out)
{
    uint8_t key[KEY_NO_LEN];
    const char *text;
    size_t len;
    MDB_val v;
    enum err e;

    key_no(key, no);
    e = lmdb_get(s, DB_CONTEXTS, key, sizeof(key), &v);
    if (e == OK && record_context_read(v.mv_data, v.mv_size, &text, &len) != OK)
        e = ERR_NOTFOUND;
    if (e != OK)
        return e == ERR_NOTFOUND ? lmdb_damaged("contexts") : e;
    buf_add(out, text, len);
    return OK;
}

enum err
lmdb_messages(void *impl, const struct message_query *q, struct session *sess,
              message_fn *fn, void *arg)
{
    struct session own;
    struct snapshot s;
    enum err e = lmdb_snapshot_begin(&s, impl);

    if (e != OK)
        return e;
    if (sess == NULL)
        sess = &own;
    e = session_find(&s, q->owner, q->session_id, q->gone_too, sess);
    if (e == OK && fn != NULL)
        e = lmdb_line_give(&s, q, sess, fn, arg);
    if (e == OK && q->summary != NULL)
        e = give_summary(&s, sess->no, q->summary);
    if (e == OK && q->context != NULL && sess->has_context)
        e = give_context(&s, sess->no, q->context);
    lmdb_snapshot_end(&s);
    return e;
}

/* --- turns -------------------------------------------------------------- */

/* ERR_NOTFOUND also when its session's time is over. */
static enum err
turn_find(const struct snapshot *s, const struct ident *id,
          struct turn_info *out)
{
    struct session sess;
    uint64_t no;
    MDB_val v;
    enum err e = lmdb_get(s, DB_TURNS, id->b, sizeof(id->b), &v);

    if (e != OK)
        return e;
    if (record_turn_read(v.mv_data, v.mv_size, out, &no) != OK)
        return lmdb_damaged("turns");
    out->id = *id;
    e = lmdb_session_by_no(s, no, &sess);
    if (e != OK)
        return e;
    memcpy(out->session_id, sess.id, sizeof(out->session_id));
    memcpy(out->owner, sess.owner, sizeof(out->owner));
    return backend_gone(&sess, s->l->ttl_ms, s->now_ms) ? ERR_NOTFOUND : OK;
}

static enum err
open_turns(const struct snapshot *s, turn_fn *fn, void *arg)
{
    MDB_cursor *c;
    MDB_val k, v;
    int rc;
    enum err e = lmdb_err(s->l, "cursor",
                          mdb_cursor_open(s->txn, s->l->dbi[DB_OPEN], &c));

    if (e != OK)
        return e;
    for (rc = mdb_cursor_get(c, &k, &v, MDB_FIRST); rc == 0;
         rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
        struct turn_info t;
        struct ident id;

        if (k.mv_size != sizeof(id.b)) {
            e = lmdb_damaged("open");
            break;
        }
        memcpy(id.b, k.mv_data, sizeof(id.b));
        if (turn_find(s, &id, &t) == OK && !fn(arg, &t))
            break; /* one that is damaged must not hide the others */
    }
    mdb_cursor_close(c);
    return e != OK || rc == 0 || rc == MDB_NOTFOUND
               ? e
               : lmdb_err(s->l, "open", rc);
}

enum err
lmdb_turns(void *impl, const struct ident *one, turn_fn *fn, void *arg)
{
    struct turn_info t;
    struct snapshot s;
    enum err e = lmdb_snapshot_begin(&s, impl);

    if (e != OK)
        return e;
    if (one == NULL) {
        e = open_turns(&s, fn, arg);
    } else {
        e = turn_find(&s, one, &t);
        if (e == OK)
            (void)fn(arg, &t);
    }
    lmdb_snapshot_end(&s);
    return e;
}

enum err
lmdb_idem(void *impl, const char *owner, const char *scope, const char *key,
          struct ident *out)
{
    uint8_t digest[KEY_IDEM_LEN];
    struct turn_info t;
    struct snapshot s;
    struct ident turn;
    int64_t expires_ms;
    MDB_val v;
    enum err e = lmdb_snapshot_begin(&s, impl);

    if (e != OK)
        return e;
    key_idem(digest, owner, scope, key);
    e = lmdb_get(&s, DB_IDEM, digest, sizeof(digest), &v);
    if (e == OK &&
        record_idem_read(v.mv_data, v.mv_size, &turn, &expires_ms) != OK)
        e = lmdb_damaged("idem");
    if (e == OK && expires_ms <= s.now_ms)
        e = ERR_NOTFOUND;
    if (e == OK) /* the key of a turn that is gone is unknown */
        e = turn_find(&s, &turn, &t);
    if (e == OK && strcmp(t.owner, owner) != 0)
        e = ERR_NOTFOUND; /* it was given away */
    lmdb_snapshot_end(&s);
    if (e == OK)
        *out = turn;
    return e;
}
