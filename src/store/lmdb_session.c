/*
 * Writes on a whole session: its number, its title, its summary, its end. A
 * deletion takes everything that the session owns along; keys that point to
 * its turns stay and read as unknown, since their turns are gone.
 *
 * Numbers increase, so that the records of new sessions lie at the right edge
 * of the trees. The last record says which number is next, at no cost to
 * anybody; only the deletion of that last one has to leave a note, so that no
 * number is ever used twice.
 */
#include "base/base.h"

#include "store/lmdb_batch.h"

#include "base/log.h"

int
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

static int
find_own(struct batch *b, struct store_op *op, struct session *s)
{
    int rc = batch_session(b, op->owner, op->session_id, s, &op->err);

    if (rc == 0 && op->err == ERR_FORBIDDEN)
        op->err = ERR_NOTFOUND;
    return rc;
}

int
batch_title(struct batch *b, struct store_op *op)
{
    struct session s;
    int rc = find_own(b, op, &s);

    if (rc != 0 || op->err != OK)
        return rc;
    memcpy(s.title, op->title, strlen(op->title) + 1);
    return batch_put_session(b, &s);
}

/* What is known of the summary that is there; without one, or with one that is
 * damaged (it is replaced), it reaches nowhere. */
static int
summary_before(struct batch *b, const uint8_t key[KEY_NO_LEN],
               struct session_summary *out)
{
    static const struct session_summary none = {.cost_micro = -1};
    const char *text;
    size_t len;
    MDB_val v;
    int rc = batch_get(b, DB_SUMMARIES, key, KEY_NO_LEN, &v);

    *out = none;
    if (rc != 0)
        return rc == MDB_NOTFOUND ? 0 : rc;
    if (record_summary_read(v.mv_data, v.mv_size, out, &text, &len) != OK) {
        log_error("store.damaged", "db=summaries");
        *out = none;
    }
    return 0;
}

int
batch_summary(struct batch *b, struct store_op *op)
{
    uint8_t key[KEY_NO_LEN], record[RECORD_SUMMARY_MAX];
    struct session_summary sum;
    struct session s;
    int rc = find_own(b, op, &s);

    if (rc == 0 && op->err == OK && s.no != op->summary.session_no)
        op->err = ERR_NOTFOUND;
    if (rc != 0 || op->err != OK)
        return rc;
    key_no(key, s.no);
    rc = summary_before(b, key, &sum);
    if (rc != 0)
        return rc;
    if (op->summary.upto_seq <= sum.upto_seq ||
        op->summary.upto_seq > s.n_messages) {
        op->err = ERR_CONFLICT;
        return 0;
    }
    sum.upto_seq = op->summary.upto_seq;
    sum.cost_micro = backend_add_cost(sum.cost_micro, op->summary.cost_micro);
    return batch_put(b, DB_SUMMARIES, key, sizeof(key), record,
                     record_summary_write(record, &sum, op->summary.text,
                                          op->summary.text_len));
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
        if (record_message_read(v.mv_data, v.mv_size, &m) != OK)
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
batch_delete(struct batch *b, struct store_op *op)
{
    uint8_t key[KEY_RECENT_MAX];
    struct session s;
    int rc = find_own(b, op, &s);

    if (rc != 0 || op->err != OK)
        return rc;
    rc = note_next(b, s.no);
    if (rc == 0)
        rc = delete_messages(b, s.no);
    if (rc == 0 && s.open)
        rc = delete_turn(b, &s.open_turn);
    if (rc == 0 && s.owner[0] != '\0')
        rc = batch_del(b, DB_RECENT, key,
                       key_recent(key, s.owner, s.updated_ms, s.no));
    if (rc == 0)
        rc = batch_del(b, DB_SESSION_IDS, s.id, strlen(s.id));
    if (rc != 0)
        return rc;
    key_no(key, s.no);
    rc = batch_del(b, DB_SUMMARIES, key, KEY_NO_LEN);
    return rc != 0 ? rc : batch_del(b, DB_SESSIONS, key, KEY_NO_LEN);
}
