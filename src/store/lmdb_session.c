/*
 * Writes on a whole session: its number, its beginning, its end. A deletion
 * takes everything that the session owns along, a clearing all that was said;
 * keys that point to its turns stay and read as unknown, since their turns are
 * gone.
 *
 * Numbers increase, so that the records of new sessions lie at the right edge
 * of the trees. The last record says which number is next, at no cost to
 * anybody; only the deletion of that last one has to leave a note, so that no
 * number is ever used twice.
 */
#include "base/base.h"

#include "store/lmdb_batch.h"

#include "base/log.h"

static int
batch_next_no(struct batch *b, uint64_t *out)
{
    uint64_t last = 0, noted = 0;
    MDB_cursor *c = NULL;
    MDB_val k, v;
    int rc;

    if (b->next_no != 0) {
        *out = b->next_no;
        return 0;
    }
    rc = batch_cursor(b, DB_SESSIONS, &c);
    if (rc == 0)
        rc = mdb_cursor_get(c, &k, &v, MDB_LAST);
    if (rc == 0 && key_no_read(k.mv_data, k.mv_size, &last) != OK)
        return MDB_CORRUPTED;
    if (rc == 0 || rc == MDB_NOTFOUND)
        rc = batch_get(b, DB_META, "next", 4, &v);
    if (rc == 0 && record_scalar_read(v.mv_data, v.mv_size, &noted) != OK)
        return MDB_CORRUPTED;
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    *out = b->next_no = last + 1 > noted ? last + 1 : noted;
    return 0;
}

/* --- a new one ------------------------------------------------------------ */

/* May this owner have one more? */
static int
check_sessions(struct batch *b, const char *owner, uint64_t max, enum err *err)
{
    uint64_t have;
    int rc;

    if (max == 0)
        return 0;
    rc = lmdb_owner_count(b->l, b->txn, owner, &have);
    if (rc == 0 && have >= max)
        *err = ERR_LIMIT;
    return rc;
}

int
batch_session_or_new(struct batch *b, const struct store_op *op, bool create,
                     int64_t at_ms, uint64_t sessions_max, struct session *s,
                     bool *fresh, enum err *err)
{
    int rc = batch_session(b, op->owner, op->session_id, s, err);
    uint64_t no;

    *fresh = rc == 0 && *err == ERR_NOTFOUND && create;
    if (rc == 0 && *err == ERR_FORBIDDEN)
        *err = ERR_NOTFOUND;
    if (!*fresh)
        return rc;
    *err = OK;
    rc = check_sessions(b, op->owner, sessions_max, err);
    if (rc != 0 || *err != OK)
        return rc;
    rc = batch_next_no(b, &no);
    if (rc != 0)
        return rc;
    backend_session(s, op, at_ms);
    s->no = no;
    return 0;
}

/* Where there is no record, the list is counted. */
int
batch_count_owner(struct batch *b, const char *owner, int64_t more)
{
    uint8_t key[STORE_OWNER_MAX], record[RECORD_SCALAR_LEN];
    size_t n = key_owner(key, owner);
    uint64_t have;
    bool found;
    MDB_val v;
    int rc = batch_get(b, DB_OWNERS, key, n, &v);

    found = rc == 0 && record_scalar_read(v.mv_data, v.mv_size, &have) == OK;
    if (!found && (rc == 0 || rc == MDB_NOTFOUND))
        rc = lmdb_owner_count(b->l, b->txn, owner, &have);
    if (rc != 0)
        return rc;
    have = more < 0 && have < (uint64_t)-more ? 0 : have + (uint64_t)more;
    if (have == 0)
        return batch_del(b, DB_OWNERS, key, n);
    record_scalar_write(record, have);
    return found ? batch_put_found(b, DB_OWNERS, key, n, record, sizeof(record))
                 : batch_put(b, DB_OWNERS, key, n, record, sizeof(record));
}

/* Its number under its id, its record at the right edge, its place in the
 * list. */
int
batch_put_new_session(struct batch *b, const struct session *s)
{
    uint8_t key[KEY_NO_LEN], record[RECORD_SESSION_MAX];
    uint8_t recent[KEY_RECENT_MAX];
    int rc;

    b->next_no = s->no + 1;
    key_no(key, s->no);
    rc = batch_put(b, DB_SESSION_IDS, s->id, strlen(s->id), key, sizeof(key));
    if (rc == 0)
        rc = batch_put_new(b, DB_SESSIONS, key, sizeof(key), record,
                           record_session_write(record, s));
    if (rc == 0)
        rc = batch_count_owner(b, s->owner, 1);
    if (rc != 0)
        return rc;
    return batch_put(b, DB_RECENT, recent,
                     key_recent(recent, s->owner, s->updated_ms, s->no), "", 0);
}

int
batch_own_session(struct batch *b, struct store_op *op, struct session *s)
{
    int rc = batch_session(b, op->owner, op->session_id, s, &op->err);

    if (rc == 0 &&
        (op->err == ERR_FORBIDDEN ||
         (op->err == OK && backend_gone(s, b->l->ttl_ms, b->now_ms))))
        op->err = ERR_NOTFOUND;
    return rc;
}

/* --- deletion ----------------------------------------------------------- */

static int
delete_turn(struct batch *b, const struct ident *turn)
{
    int rc = batch_del(b, DB_TURNS, turn->b, sizeof(turn->b));

    return rc != 0 ? rc : batch_del(b, DB_OPEN, turn->b, sizeof(turn->b));
}

/* All messages of a session, and the turns that they name. */
static int
delete_messages(struct batch *b, uint64_t no)
{
    uint8_t from[KEY_MESSAGE_LEN];
    MDB_val k = {sizeof(from), from}, v;
    MDB_cursor *c = NULL;
    struct ident turn = {{0}};
    int rc = batch_cursor(b, DB_MESSAGES, &c);

    if (rc != 0)
        return rc;
    key_message(from, no, 0);
    rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
    while (rc == 0) {
        struct message m;
        uint64_t whose;
        uint32_t seq;

        if (key_message_read(k.mv_data, k.mv_size, &whose, &seq) != OK ||
            whose != no)
            return 0;
        if (record_message_read(v.mv_data, v.mv_size, seq, &m) != OK)
            log_error("store.damaged", "db=messages no=%" PRIu64, no);
        else if (!ident_eq(&m.turn, &turn)) {
            turn = m.turn;
            rc = delete_turn(b, &turn);
            if (rc != 0)
                return rc;
        }
        rc = mdb_cursor_del(c, 0);
        if (rc == 0)
            rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Was it the last one? Then say what comes next. */
static int
note_next(struct batch *b, uint64_t no)
{
    uint8_t record[RECORD_SCALAR_LEN];
    uint64_t next;
    int rc = batch_next_no(b, &next);

    if (rc != 0 || next != no + 1)
        return rc;
    record_scalar_write(record, next);
    return batch_put(b, DB_META, "next", 4, record, sizeof(record));
}

int
batch_clear(struct batch *b, struct store_op *op)
{
    static const struct ident none;
    uint8_t key[KEY_NO_LEN];
    struct session s;
    int rc = batch_own_session(b, op, &s);

    op->clear.open_turn = none;
    if (rc != 0 || op->err != OK)
        return rc;
    if (s.open) {
        op->clear.open_turn = s.open_turn;
        op->err = ERR_CONFLICT;
        return 0;
    }
    rc = delete_messages(b, s.no);
    if (rc != 0)
        return rc;
    key_no(key, s.no);
    rc = batch_del(b, DB_SUMMARIES, key, sizeof(key));
    backend_clear(&s);
    return rc != 0 ? rc : batch_put_session(b, &s);
}

/* May this operation delete it? */
static int
delete_check(struct batch *b, struct store_op *op, struct session *s)
{
    int rc = batch_session(b, op->owner, op->session_id, s, &op->err);

    if (rc != 0)
        return rc;
    if (op->err == ERR_FORBIDDEN ||
        (op->err == OK && op->erase.session_no != 0 &&
         op->erase.session_no != s->no))
        op->err = ERR_NOTFOUND;
    else if (op->err == OK && op->erase.expired_only &&
             !backend_gone(s, b->l->ttl_ms, b->now_ms))
        op->err = ERR_CONFLICT;
    return 0;
}

/* What stands under its number. */
static int
delete_numbered(struct batch *b, uint64_t no)
{
    static const enum db dbs[] = {DB_SUMMARIES, DB_CONTEXTS, DB_SESSIONS};
    uint8_t key[KEY_NO_LEN];
    int rc = 0;

    key_no(key, no);
    for (size_t i = 0; i < COUNT_OF(dbs) && rc == 0; i++)
        rc = batch_del(b, dbs[i], key, sizeof(key));
    return rc;
}

int
batch_delete(struct batch *b, struct store_op *op)
{
    uint8_t key[KEY_RECENT_MAX];
    struct session s;
    int rc = delete_check(b, op, &s);

    if (rc != 0 || op->err != OK)
        return rc;
    rc = note_next(b, s.no);
    if (rc == 0)
        rc = delete_messages(b, s.no);
    if (rc == 0 && s.open)
        rc = delete_turn(b, &s.open_turn);
    if (rc == 0)
        rc = batch_count_owner(b, s.owner, -1);
    if (rc == 0)
        rc = batch_del(b, DB_RECENT, key,
                       key_recent(key, s.owner, s.updated_ms, s.no));
    if (rc == 0)
        rc = batch_del(b, DB_SESSION_IDS, s.id, strlen(s.id));
    return rc != 0 ? rc : delete_numbered(b, s.no);
}
