/*
 * Turns: each has its question, and when it is ended its answer right behind
 * that; those that are open are listed, and nothing else is. Keys that were
 * used may point to turns that are gone; they only have to be readable.
 */
#include "base/base.h"

#include "store/fsck_inside.h"

/* Is there, at this place, this message of this turn? */
static bool
is_there(struct fsck *f, uint64_t no, uint32_t seq, const struct ident *turn,
         const struct ident *id, struct message *m)
{
    return fsck_message(f, no, seq, m) == OK && ident_eq(&m->turn, turn) &&
           ident_eq(&m->id, id);
}

static void
check_ended(struct fsck *f, const char *key, const struct ident *id,
            const struct turn_info *t, uint64_t no)
{
    struct message m;

    if (!is_there(f, no, t->answer_seq, id, &t->answer_message, &m)) {
        fsck_fault(f, DB_TURNS, key, false,
                   "is ended, and its answer is not message %" PRIu64
                   "/%" PRIu32,
                   no, t->answer_seq);
        return;
    }
    if (t->answer_seq == 0 || m.parent != t->answer_seq - 1 ||
        !is_there(f, no, t->answer_seq - 1, id, &t->user_message, &m))
        fsck_fault(f, DB_TURNS, key, false,
                   "its question is not right before its answer");
    else if (t->conversation_length < 2 ||
             t->conversation_length > t->answer_seq + 1)
        fsck_fault(f, DB_TURNS, key, false,
                   "says a length of the conversation that cannot be");
}

static void
check_open(struct fsck *f, const char *key, const struct ident *id,
           const struct turn_info *t, const struct session *s)
{
    struct message m;

    if (!fsck_has(f, DB_OPEN, id->b, sizeof(id->b))) {
        fsck_fault(f, DB_TURNS, key, true, "is open, and not in open");
        fsck_fix(f, DB_OPEN, id->b, sizeof(id->b), "", 0);
    }
    if (s->n_messages == 0 ||
        !is_there(f, s->no, s->n_messages - 1, id, &t->user_message, &m))
        fsck_fault(f, DB_TURNS, key, false,
                   "is open, and its question is not the last message of "
                   "session %" PRIu64,
                   s->no);
}

static void
check_turn(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    char key[FSCK_KEY_MAX];
    struct session s;
    struct turn_info t;
    struct ident id;
    uint64_t no;
    enum err e;

    fsck_key(key, DB_TURNS, k);
    if (k->mv_size != sizeof(id.b) ||
        record_turn_read(v->mv_data, v->mv_size, &t, &no) != OK) {
        fsck_fault(f, DB_TURNS, key, false, "cannot be decoded");
        return;
    }
    memcpy(id.b, k->mv_data, sizeof(id.b));
    f->result->turns++;
    e = fsck_session(f, no, &s);
    if (e == ERR_NOTFOUND)
        fsck_drop(f, DB_TURNS, k, "belongs to no session");
    else if (e == OK && t.state == TURN_STATE_ENDED)
        check_ended(f, key, &id, &t, no);
    else if (e == OK)
        check_open(f, key, &id, &t, &s);
}

/* Whatever a turn is that cannot be read, it stays listed. */
static void
check_listed(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    struct session s;
    struct turn_info t;
    struct ident id;
    uint64_t no;
    enum err e = ERR_NOTFOUND;

    (void)v;
    if (k->mv_size == sizeof(id.b)) {
        memcpy(id.b, k->mv_data, sizeof(id.b));
        e = fsck_turn(f, &id, &t, &no);
    }
    if (e == ERR_NOTFOUND)
        fsck_drop(f, DB_OPEN, k, "is no turn that is there");
    else if (e == OK && t.state != TURN_STATE_OPEN)
        fsck_drop(f, DB_OPEN, k, "is a turn that has ended");
    else if (e == OK && fsck_session(f, no, &s) == ERR_NOTFOUND)
        fsck_drop(f, DB_OPEN, k, "is a turn that belongs to no session");
}

static void
check_idem(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    struct ident turn;
    int64_t expires_ms;

    if (k->mv_size != KEY_IDEM_LEN ||
        record_idem_read(v->mv_data, v->mv_size, &turn, &expires_ms) != OK)
        fsck_drop(f, DB_IDEM, k, "cannot be decoded");
}

void
fsck_turns(struct fsck *f)
{
    fsck_walk(f, DB_TURNS, check_turn);
    fsck_walk(f, DB_OPEN, check_listed);
    fsck_walk(f, DB_IDEM, check_idem);
}
