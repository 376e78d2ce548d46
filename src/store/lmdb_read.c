/*
 * Reads. Each is one snapshot: a session and its messages always fit each
 * other. Records are decoded in place; what a callback is given points into
 * the map and is good until it returns. A damaged record is logged where it
 * was found and ends the read with ERR_STORE.
 */
#include "base/base.h"

#include "store/key.h"
#include "store/lmdb_env.h"
#include "store/record.h"

#include "base/clock.h"
#include "base/log.h"

static enum err
damaged(const char *db)
{
    log_error("store.damaged", "db=%s", db);
    return ERR_STORE;
}

static int
get(struct lmdb *l, MDB_txn *txn, enum db db, const void *key, size_t n,
    MDB_val *v)
{
    MDB_val k = {n, (void *)(uintptr_t)key};

    return mdb_get(txn, l->dbi[db], &k, v);
}

static enum err
session_by_no(struct lmdb *l, MDB_txn *txn, uint64_t no, struct session *out)
{
    uint8_t key[KEY_NO_LEN];
    MDB_val v;
    enum err e;

    key_no(key, no);
    e = lmdb_err(l, "sessions", get(l, txn, DB_SESSIONS, key, sizeof(key), &v));
    if (e != OK)
        return e;
    if (record_session_read(v.mv_data, v.mv_size, out) != OK)
        return damaged("sessions");
    out->no = no;
    return OK;
}

static enum err
session_find(struct lmdb *l, MDB_txn *txn, const char *owner, const char *id,
             struct session *out)
{
    uint64_t no;
    MDB_val v;
    enum err e = lmdb_err(l, "session_ids",
                          get(l, txn, DB_SESSION_IDS, id, strlen(id), &v));

    if (e != OK)
        return e;
    if (key_no_read(v.mv_data, v.mv_size, &no) != OK)
        return damaged("session_ids");
    e = session_by_no(l, txn, no, out);
    if (e == ERR_NOTFOUND)
        return damaged("sessions");
    return e == OK && strcmp(out->owner, owner) != 0 ? ERR_NOTFOUND : e;
}

/* --- messages ----------------------------------------------------------- */

static enum err
message_at(const MDB_val *k, const MDB_val *v, uint64_t no, struct message *out)
{
    uint64_t whose;
    uint32_t seq;

    if (key_message_read(k->mv_data, k->mv_size, &whose, &seq) != OK)
        return damaged("messages");
    if (whose != no)
        return ERR_NOTFOUND;
    if (record_message_read(v->mv_data, v->mv_size, out) != OK)
        return damaged("messages");
    out->seq = seq;
    return OK;
}

/* Put the cursor on the last message before seq `before`. */
static int
last_before(MDB_cursor *c, uint64_t no, uint32_t before, MDB_val *k, MDB_val *v)
{
    uint8_t key[KEY_MESSAGE_LEN];
    int rc;

    key_message(key, no, before);
    k->mv_size = sizeof(key);
    k->mv_data = key;
    rc = mdb_cursor_get(c, k, v, MDB_SET_RANGE);
    return mdb_cursor_get(c, k, v, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

/* Walk back over as many messages as are wanted; the cursor ends on the
 * first. *n is how many. */
static enum err
walk_back(struct lmdb *l, MDB_cursor *c, const struct message_query *q,
          uint64_t no, uint32_t *n)
{
    size_t bytes = 0;
    MDB_val k, v;
    int rc = last_before(c, no, q->before, &k, &v);

    *n = 0;
    while (rc == 0) {
        struct message m;
        enum err e = message_at(&k, &v, no, &m);

        if (e == ERR_NOTFOUND)
            break;
        if (e != OK)
            return e;
        bytes += m.text_len + m.extra_len;
        if (*n > 0 && q->bytes_max > 0 && bytes > q->bytes_max)
            break;
        if (++*n == q->limit)
            return OK;
        rc = mdb_cursor_get(c, &k, &v, MDB_PREV);
    }
    if (rc == MDB_NOTFOUND) /* at the first record of all: stay on it */
        rc = mdb_cursor_get(c, &k, &v, MDB_FIRST);
    else if (rc == 0) /* one too far */
        rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    if (*n == 0)
        return OK;
    return rc == 0 ? OK : lmdb_err(l, "messages", rc);
}

static enum err
walk_on(struct lmdb *l, MDB_cursor *c, uint64_t no, uint32_t n, message_fn *fn,
        void *arg)
{
    MDB_val k, v;
    int rc = mdb_cursor_get(c, &k, &v, MDB_GET_CURRENT);

    while (rc == 0) {
        struct message m;
        enum err e = message_at(&k, &v, no, &m);

        if (e != OK)
            return e == ERR_NOTFOUND ? damaged("messages") : e;
        if (!fn(arg, &m) || --n == 0)
            return OK;
        rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    return lmdb_err(l, "messages", rc) == ERR_NOTFOUND ? damaged("messages")
                                                       : ERR_STORE;
}

static enum err
give_messages(struct lmdb *l, MDB_txn *txn, const struct message_query *q,
              uint64_t no, message_fn *fn, void *arg)
{
    MDB_cursor *c;
    uint32_t n = 0;
    enum err e = lmdb_err(l, "cursor",
                          mdb_cursor_open(txn, l->dbi[DB_MESSAGES], &c));

    if (e != OK)
        return e;
    e = walk_back(l, c, q, no, &n);
    if (e == OK && n > 0)
        e = walk_on(l, c, no, n, fn, arg);
    mdb_cursor_close(c);
    return e;
}

static enum err
give_summary(struct lmdb *l, MDB_txn *txn, uint64_t no, struct summary_query *q)
{
    uint8_t key[KEY_NO_LEN];
    const char *text;
    size_t len;
    MDB_val v;
    enum err e;

    key_no(key, no);
    e = lmdb_err(l, "summaries",
                 get(l, txn, DB_SUMMARIES, key, sizeof(key), &v));
    if (e != OK)
        return e;
    if (record_summary_read(v.mv_data, v.mv_size, q->out, &text, &len) != OK)
        return damaged("summaries");
    if (q->text != NULL)
        buf_add(q->text, text, len);
    return OK;
}

enum err
lmdb_messages(void *impl, const struct message_query *q, struct session *sess,
              message_fn *fn, void *arg)
{
    struct lmdb *l = impl;
    struct session own;
    MDB_txn *txn;
    enum err e = lmdb_read_begin(l, &txn);

    if (e != OK)
        return e;
    if (sess == NULL)
        sess = &own;
    e = session_find(l, txn, q->owner, q->session_id, sess);
    if (e == OK && q->limit > 0 && q->before > 0 && sess->n_messages > 0)
        e = give_messages(l, txn, q, sess->no, fn, arg);
    if (e == OK && q->summary != NULL)
        e = give_summary(l, txn, sess->no, q->summary);
    lmdb_read_end(l, txn);
    return e;
}

/* --- turns -------------------------------------------------------------- */

static enum err
turn_find(struct lmdb *l, MDB_txn *txn, const struct ident *id,
          struct turn_info *out)
{
    struct session s;
    uint64_t no;
    MDB_val v;
    enum err e = lmdb_err(l, "turns", get(l, txn, DB_TURNS, id->b, 16, &v));

    if (e != OK)
        return e;
    if (record_turn_read(v.mv_data, v.mv_size, out, &no) != OK)
        return damaged("turns");
    out->id = *id;
    e = session_by_no(l, txn, no, &s);
    if (e != OK)
        return e;
    memcpy(out->session_id, s.id, sizeof(out->session_id));
    memcpy(out->owner, s.owner, sizeof(out->owner));
    return OK;
}

static enum err
open_turns(struct lmdb *l, MDB_txn *txn, turn_fn *fn, void *arg)
{
    MDB_cursor *c;
    MDB_val k, v;
    int rc;
    enum err e = lmdb_err(l, "cursor",
                          mdb_cursor_open(txn, l->dbi[DB_OPEN], &c));

    if (e != OK)
        return e;
    for (rc = mdb_cursor_get(c, &k, &v, MDB_FIRST); rc == 0;
         rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
        struct turn_info t;
        struct ident id;

        if (k.mv_size != sizeof(id.b)) {
            e = damaged("open");
            break;
        }
        memcpy(id.b, k.mv_data, sizeof(id.b));
        if (turn_find(l, txn, &id, &t) == OK && !fn(arg, &t))
            break; /* one that is damaged must not hide the others */
    }
    mdb_cursor_close(c);
    return e != OK || rc == 0 || rc == MDB_NOTFOUND ? e
                                                    : lmdb_err(l, "open", rc);
}

enum err
lmdb_turns(void *impl, const struct ident *one, turn_fn *fn, void *arg)
{
    struct lmdb *l = impl;
    struct turn_info t;
    MDB_txn *txn;
    enum err e = lmdb_read_begin(l, &txn);

    if (e != OK)
        return e;
    if (one == NULL) {
        e = open_turns(l, txn, fn, arg);
    } else {
        e = turn_find(l, txn, one, &t);
        if (e == OK)
            (void)fn(arg, &t);
    }
    lmdb_read_end(l, txn);
    return e;
}

enum err
lmdb_idem(void *impl, const char *owner, const char *scope, const char *key,
          struct ident *out)
{
    struct lmdb *l = impl;
    uint8_t digest[KEY_IDEM_LEN];
    struct ident turn;
    int64_t expires_ms;
    MDB_txn *txn;
    MDB_val v;
    enum err e = lmdb_read_begin(l, &txn);

    if (e != OK)
        return e;
    key_idem(digest, owner, scope, key);
    e = lmdb_err(l, "idem", get(l, txn, DB_IDEM, digest, sizeof(digest), &v));
    if (e == OK &&
        record_idem_read(v.mv_data, v.mv_size, &turn, &expires_ms) != OK)
        e = damaged("idem");
    if (e == OK && expires_ms <= clock_wall_ms())
        e = ERR_NOTFOUND;
    if (e == OK) /* a deleted session's key is unknown */
        e = lmdb_err(l, "turns", get(l, txn, DB_TURNS, turn.b, 16, &v));
    lmdb_read_end(l, txn);
    if (e == OK)
        *out = turn;
    return e;
}

/* --- the list of an owner's sessions ------------------------------------ */

static enum err
list(struct lmdb *l, MDB_txn *txn, MDB_cursor *c, const char *owner,
     const struct session *after, uint32_t limit, session_fn *fn, void *arg)
{
    uint8_t prefix[KEY_RECENT_MAX], from[KEY_RECENT_MAX];
    size_t prefix_len = key_recent_owner(prefix, owner);
    MDB_val k = {prefix_len, prefix}, v;
    int rc;

    if (after != NULL) {
        k.mv_size = key_recent(from, owner, after->updated_ms, after->no);
        k.mv_data = from;
    }
    rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
    if (rc == 0 && after != NULL &&
        k.mv_size == key_recent(from, owner, after->updated_ms, after->no) &&
        memcmp(k.mv_data, from, k.mv_size) == 0)
        rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    for (; rc == 0 && limit > 0; limit--) {
        struct session s;
        uint64_t no;
        enum err e;

        if (k.mv_size < prefix_len ||
            memcmp(k.mv_data, prefix, prefix_len) != 0)
            return OK;
        if (key_recent_read(k.mv_data, k.mv_size, &no) != OK)
            return damaged("recent");
        e = session_by_no(l, txn, no, &s);
        if (e != OK)
            return e == ERR_NOTFOUND ? damaged("recent") : e;
        if (!fn(arg, &s))
            return OK;
        rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    return rc == 0 || rc == MDB_NOTFOUND ? OK : lmdb_err(l, "recent", rc);
}

enum err
lmdb_sessions(void *impl, const char *owner, const struct session *after,
              uint32_t limit, session_fn *fn, void *arg)
{
    struct lmdb *l = impl;
    MDB_cursor *c;
    MDB_txn *txn;
    enum err e = lmdb_read_begin(l, &txn);

    if (e != OK)
        return e;
    e = lmdb_err(l, "cursor", mdb_cursor_open(txn, l->dbi[DB_RECENT], &c));
    if (e == OK) {
        e = list(l, txn, c, owner, after, limit, fn, arg);
        mdb_cursor_close(c);
    }
    lmdb_read_end(l, txn);
    return e;
}
