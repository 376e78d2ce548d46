/*
 * The two writes of a turn. Beginning one puts the user's message and marks
 * the session busy; ending it puts the answer and sets the session free. The
 * checks come first and in one order: is this key known, is the session
 * yours and its time not over, is it free, is it as long as you think, is
 * there what the message follows, is there room.
 *
 * Idempotency keys are forgotten after a day. Nobody looks for old ones:
 * whoever puts a new one looks at a few others in passing, in a circle, so
 * there are never many more than were used within a day.
 */
#include "base/base.h"

#include "store/lmdb_batch.h"

#include "base/log.h"

#define SWEEP_STEPS 4 /* keys looked at for each new one */

/* --- idempotency keys --------------------------------------------------- */

/* Is the turn there and this owner's, and its session's time not over? */
static int
turn_lives(struct batch *b, const char *owner, const struct ident *turn,
           bool *yes)
{
    struct turn_info t;
    struct session s;
    enum err e;
    uint64_t no;
    MDB_val v;
    int rc = batch_get(b, DB_TURNS, turn->b, sizeof(turn->b), &v);

    *yes = false;
    if (rc != 0)
        return rc == MDB_NOTFOUND ? 0 : rc;
    if (record_turn_read(v.mv_data, v.mv_size, &t, &no) != OK) {
        log_error("store.damaged", "db=turns");
        return 0;
    }
    rc = batch_session_by_no(b, no, &s, &e);
    *yes = rc == 0 && e == OK && strcmp(s.owner, owner) == 0 &&
           !backend_gone(&s, b->l->ttl_ms, b->now_ms);
    return rc;
}

/* Does the key name a turn that is still there? */
static int
idem_find(struct batch *b, const char *owner, const uint8_t key[KEY_IDEM_LEN],
          bool *hit, struct ident *turn)
{
    MDB_val v;
    int64_t expires_ms;
    int rc = batch_get(b, DB_IDEM, key, KEY_IDEM_LEN, &v);

    *hit = false;
    if (rc != 0)
        return rc == MDB_NOTFOUND ? 0 : rc;
    if (record_idem_read(v.mv_data, v.mv_size, turn, &expires_ms) != OK) {
        log_error("store.damaged", "db=idem");
        return 0;
    }
    if (expires_ms <= b->now_ms)
        return 0;
    return turn_lives(b, owner, turn, hit);
}

static int
idem_sweep(struct batch *b)
{
    struct lmdb *l = b->l;
    MDB_val k = {KEY_IDEM_LEN, l->idem_at}, v;
    MDB_cursor *c = NULL;
    int rc = batch_cursor(b, DB_IDEM, &c);

    if (rc == 0)
        rc = mdb_cursor_get(c, &k, &v,
                            l->idem_started ? MDB_SET_RANGE : MDB_FIRST);
    for (int i = 0; i < SWEEP_STEPS && rc == 0; i++) {
        struct ident turn;
        int64_t expires_ms;

        if (record_idem_read(v.mv_data, v.mv_size, &turn, &expires_ms) != OK ||
            expires_ms <= b->now_ms) {
            rc = mdb_cursor_del(c, 0);
            if (rc != 0)
                return rc;
        }
        rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    l->idem_started = rc == 0 && k.mv_size == KEY_IDEM_LEN;
    if (l->idem_started)
        memcpy(l->idem_at, k.mv_data, KEY_IDEM_LEN);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
idem_put(struct batch *b, const uint8_t key[KEY_IDEM_LEN],
         const struct ident *turn)
{
    uint8_t record[RECORD_IDEM_MAX];
    int rc = batch_put(
        b, DB_IDEM, key, KEY_IDEM_LEN, record,
        record_idem_write(record, turn, b->now_ms + STORE_IDEM_MS));

    return rc != 0 ? rc : idem_sweep(b);
}

/* --- begin -------------------------------------------------------------- */

/* Is there room for a question and its answer? */
static enum err
check_room(const struct store_op *op, const struct session *s)
{
    if (s->n_messages >= UINT32_MAX - 2)
        return ERR_TOOBIG;
    if (op->begin.messages_max > 0 &&
        (op->begin.messages_max < 2 ||
         s->n_messages > op->begin.messages_max - 2))
        return ERR_LIMIT;
    return OK;
}

/* The checks. op->err stays OK if the turn may begin; *fresh: its session is
 * to be made. */
static int
begin_check(struct batch *b, struct store_op *op, struct session *s,
            bool *fresh)
{
    int rc = batch_session_or_new(b, op, op->begin.create, op->begin.user.at_ms,
                                  op->begin.sessions_max, s, fresh, &op->err);

    op->begin.too_many_sessions = op->err == ERR_LIMIT;
    if (rc != 0 || op->err != OK)
        return rc;
    if (!*fresh && backend_gone(s, b->l->ttl_ms, b->now_ms)) {
        op->begin.expired = true;
        op->err = ERR_CONFLICT;
        return 0;
    }
    op->begin.n_messages = s->n_messages;
    if (s->open) {
        op->begin.open_turn = s->open_turn;
        op->err = ERR_CONFLICT;
    } else if (op->begin.expect_messages != UINT32_MAX &&
               op->begin.expect_messages != s->n_messages) {
        op->err = ERR_CONFLICT;
    } else {
        op->err = backend_parent(s, op->begin.parent, op->begin.root,
                                 &op->begin.user.parent);
        if (op->err == OK)
            op->err = check_room(op, s);
    }
    if (op->err != OK)
        return 0;
    return batch_hold_check(b, &op->begin.turn, &op->begin.reserve,
                            op->begin.user.at_ms, &op->err);
}

/* Writes the turn first: an id that is taken is then still without trace. */
static int
begin_put_turn(struct batch *b, struct store_op *op, uint64_t no)
{
    struct turn_info t = {.state = TURN_STATE_OPEN,
                          .user_message = op->begin.user.id,
                          .answer_message = op->begin.answer_message,
                          .begun_ms = op->begin.user.at_ms,
                          .process = op->begin.process};
    uint8_t record[RECORD_TURN_MAX];
    int rc = batch_put_new(b, DB_TURNS, op->begin.turn.b, 16, record,
                           record_turn_write(record, &t, no));

    if (rc == MDB_KEYEXIST) {
        op->err = ERR_CONFLICT;
        return 0;
    }
    return rc != 0 ? rc : batch_put(b, DB_OPEN, op->begin.turn.b, 16, "", 0);
}

static int
begin_put(struct batch *b, struct store_op *op, struct session *s, bool fresh)
{
    struct message *m = &op->begin.user;
    int64_t was_ms = s->updated_ms;
    uint32_t length;
    int rc = batch_line_length(b, s, m->parent, &length, &op->err);

    if (rc == 0 && op->err == OK)
        rc = begin_put_turn(b, op, s->no);
    if (rc != 0 || op->err != OK)
        return rc;
    backend_title(s, op);
    backend_count(s, m, m->parent);
    s->head = m->seq;
    s->length = length + 1;
    s->open = true;
    s->open_turn = op->begin.turn;
    if (m->at_ms > s->updated_ms)
        s->updated_ms = m->at_ms;
    rc = fresh ? batch_put_new_session(b, s) : batch_put_session(b, s);
    if (rc == 0)
        rc = batch_put_message(b, s->no, m);
    if (rc == 0 && !fresh)
        rc = batch_relist(b, s, was_ms);
    if (rc == 0)
        rc = batch_hold(b, &op->begin.turn, &op->begin.process,
                        &op->begin.reserve, m->at_ms);
    op->begin.n_messages = s->n_messages;
    return rc;
}

int
batch_turn_begin(struct batch *b, struct store_op *op)
{
    static const struct ident none;
    uint8_t key[KEY_IDEM_LEN];
    bool keyed = op->begin.idem_key != NULL && op->begin.idem_scope != NULL;
    struct session s;
    bool fresh;
    int rc;

    op->err = OK;
    backend_begin_clear(op);
    op->begin.reserve.over.limit = LEDGER_FITS;
    if (keyed) {
        key_idem(key, op->owner, op->begin.idem_scope, op->begin.idem_key);
        rc = idem_find(b, op->owner, key, &op->begin.idem_hit,
                       &op->begin.existing);
        if (rc != 0)
            return rc;
        if (op->begin.idem_hit) {
            op->err = ERR_CONFLICT;
            return 0;
        }
        op->begin.existing = none;
    }
    rc = begin_check(b, op, &s, &fresh);
    if (rc == 0 && op->err == OK)
        rc = begin_put(b, op, &s, fresh);
    if (rc == 0 && op->err == OK && keyed)
        rc = idem_put(b, key, &op->begin.turn);
    return rc;
}

/* --- end ---------------------------------------------------------------- */

/* The turn and its session, or op->err. */
static int
end_check(struct batch *b, struct store_op *op, struct turn_info *t,
          struct session *s)
{
    MDB_val v;
    uint64_t no;
    int rc = batch_get(b, DB_TURNS, op->end.turn.b, 16, &v);

    op->err = OK;
    op->end.length = 0;
    if (rc == MDB_NOTFOUND) {
        op->err = ERR_NOTFOUND;
        return 0;
    }
    if (rc != 0)
        return rc;
    op->err = record_turn_read(v.mv_data, v.mv_size, t, &no);
    if (op->err != OK) {
        log_error("store.damaged", "db=turns");
        return 0;
    }
    if (t->state != TURN_STATE_OPEN) {
        op->err = ERR_CONFLICT;
        return 0;
    }
    return batch_session_by_no(b, no, s, &op->err);
}

/* Put the answer behind its question, wherever the head is by now. */
static int
end_count(struct batch *b, struct store_op *op, struct session *s)
{
    uint32_t question = backend_question(s), length;
    bool at_head = question == STORE_ROOT || question == s->head;
    int rc = batch_line_length(b, s, question, &length, &op->err);

    if (rc != 0 || op->err != OK)
        return rc;
    backend_count(s, &op->end.answer, question);
    op->end.length = length + 1;
    if (at_head) {
        s->head = op->end.answer.seq;
        s->length = length + 1;
    }
    return 0;
}

static int
end_put(struct batch *b, struct store_op *op, const struct session *s,
        const struct turn_info *t, int64_t was_ms)
{
    uint8_t record[RECORD_TURN_MAX];
    int rc = batch_put_message(b, s->no, &op->end.answer);

    if (rc == 0)
        rc = batch_put_session(b, s);
    if (rc == 0)
        rc = batch_put(b, DB_TURNS, op->end.turn.b, 16, record,
                       record_turn_write(record, t, s->no));
    if (rc == 0)
        rc = batch_del(b, DB_OPEN, op->end.turn.b, 16);
    return rc != 0 ? rc : batch_relist(b, s, was_ms);
}

int
batch_turn_end(struct batch *b, struct store_op *op)
{
    struct message *m = &op->end.answer;
    struct turn_info t;
    struct session s;
    int64_t was_ms;
    int rc = end_check(b, op, &t, &s);

    if (rc == 0 && op->err == OK)
        rc = end_count(b, op, &s);
    if (rc == 0 && (op->err == OK || op->err == ERR_NOTFOUND))
        rc = batch_settle(b, &op->end.turn, &op->end.spent, m->at_ms);
    if (rc != 0 || op->err != OK)
        return rc;
    was_ms = s.updated_ms;
    m->turn = op->end.turn;
    if (ident_is_zero(&m->id))
        m->id = t.answer_message;
    if (s.open && ident_eq(&s.open_turn, &op->end.turn))
        s.open = false;
    if (m->at_ms > s.updated_ms)
        s.updated_ms = m->at_ms;
    t.state = TURN_STATE_ENDED;
    t.answer_message = m->id;
    t.answer_seq = m->seq;
    t.conversation_length = op->end.length;
    t.end_seq = op->end.end_seq;
    t.ended_ms = m->at_ms;
    return end_put(b, op, &s, &t, was_ms);
}
