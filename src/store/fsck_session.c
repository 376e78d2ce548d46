/*
 * Sessions, each with its messages. The messages of a session lie beside each
 * other, so one cursor that goes on reads all of them once; what the session's
 * record says of them (how many, where the line ends, how long it is, whether
 * a turn is open) is counted anew on the way.
 *
 * Where a message is missing or cannot be read, that count would hide the
 * loss: the record is then left as it is.
 */
#include "base/base.h"

#include "store/fsck_inside.h"

/* What the messages say. */
struct tally {
    uint32_t n;
    bool branched;
    bool whole;        /* no gap, all readable */
    struct ident turn; /* of the last message */
    bool asks;         /* the last message is the question of an open turn */
};

static void
session_fault(struct fsck *f, const struct session *s, bool fixable,
              const char *what)
{
    char key[FSCK_KEY_MAX];

    (void)snprintf(key, sizeof(key), "%" PRIu64, s->no);
    fsck_fault(f, DB_SESSIONS, key, fixable, "%s", what);
}

/* --- its messages ----------------------------------------------------- */

/* A message is the question or the answer of its turn. One without a turn was
 * brought in from elsewhere. */
static void
check_pair(struct fsck *f, const struct session *s, const struct message *m,
           struct tally *t)
{
    char key[FSCK_KEY_MAX];
    struct turn_info turn;
    uint64_t no = 0;
    enum err e;
    bool question, answer;

    t->turn = m->turn;
    t->asks = false;
    if (ident_is_zero(&m->turn))
        return;
    (void)snprintf(key, sizeof(key), "%" PRIu64 "/%" PRIu32, s->no, m->seq);
    e = fsck_turn(f, &m->turn, &turn, &no);
    if (e == ERR_NOTFOUND) {
        fsck_fault(f, DB_MESSAGES, key, false, "its turn is not there");
        return;
    }
    if (e != OK)
        return; /* the turn's own fault */
    if (no != s->no) {
        fsck_fault(f, DB_MESSAGES, key, false,
                   "its turn is one of session %" PRIu64, no);
        return;
    }
    question = ident_eq(&m->id, &turn.user_message);
    answer = turn.state == TURN_STATE_ENDED && m->seq == turn.answer_seq &&
             ident_eq(&m->id, &turn.answer_message);
    if (!question && !answer)
        fsck_fault(f, DB_MESSAGES, key, false,
                   "is neither the question nor the answer of its turn");
    t->asks = question && turn.state == TURN_STATE_OPEN;
}

static void
check_message(struct fsck *f, const struct session *s, uint32_t seq,
              const MDB_val *k, const MDB_val *v, struct tally *t)
{
    char key[FSCK_KEY_MAX];
    struct message m;

    fsck_key(key, DB_MESSAGES, k);
    if (seq != t->n) {
        fsck_fault(f, DB_MESSAGES, key, false,
                   "messages %" PRIu32 " to %" PRIu32 " before it are missing",
                   t->n, seq - 1);
        t->whole = false;
    }
    t->n = seq + 1;
    if (record_message_read(v->mv_data, v->mv_size, seq, &m) != OK) {
        fsck_fault(f, DB_MESSAGES, key, false, "cannot be decoded");
        t->whole = false;
        t->asks = false;
        return;
    }
    f->result->messages++;
    if (m.parent != seq - 1) /* STORE_ROOT is what comes before 0 */
        t->branched = true;
    check_pair(f, s, &m, t);
}

static void
check_messages(struct fsck *f, const struct session *s, struct tally *t)
{
    uint8_t from[KEY_MESSAGE_LEN];
    MDB_val k = {sizeof(from), from}, v;
    int rc = MDB_NOTFOUND;

    *t = (struct tally){.whole = true};
    key_message(from, s->no, 0);
    if (f->messages != NULL)
        rc = mdb_cursor_get(f->messages, &k, &v, MDB_SET_RANGE);
    while (rc == 0) {
        uint64_t no;
        uint32_t seq;

        if (key_message_read(k.mv_data, k.mv_size, &no, &seq) != OK ||
            no != s->no)
            return;
        check_message(f, s, seq, &k, &v, t);
        rc = mdb_cursor_get(f->messages, &k, &v, MDB_NEXT);
    }
    if (rc == MDB_NOTFOUND)
        return;
    t->whole = false;
    session_fault(f, s, false, "its messages cannot be read");
}

/* --- what its record says of them ------------------------------------- */

static void
mend_line(struct fsck *f, const struct session *was, struct session *is,
          const struct tally *t)
{
    uint32_t length;

    if (was->n_messages != t->n)
        session_fault(f, was, true, "it has another number of messages");
    if (was->branched != t->branched)
        session_fault(f, was, true,
                      t->branched ? "it has branches" : "it has no branches");
    is->n_messages = t->n;
    is->branched = t->branched;
    if (t->n == 0) {
        is->head = is->length = 0;
        return;
    }
    if (is->head >= t->n || was->n_messages != t->n)
        is->head = t->n - 1; /* where it was is gone, or not known */
    length = is->head + 1;
    if (t->branched &&
        lmdb_line_length(f->messages, is->no, is->head, &length) != OK)
        return; /* no gap: LMDB cannot read on, and that was told */
    if (was->n_messages == t->n && was->length != length)
        session_fault(f, was, true, "its line has another length");
    is->length = length;
}

static void
mend_open(struct fsck *f, const struct session *was, struct session *is,
          const struct tally *t)
{
    is->open = t->asks;
    memset(&is->open_turn, 0, sizeof(is->open_turn));
    if (t->asks)
        is->open_turn = t->turn;
    if (was->open == is->open &&
        (!is->open || ident_eq(&was->open_turn, &is->open_turn)))
        return;
    if (!is->open)
        session_fault(f, was, true, "names an open turn that it has not");
    else
        session_fault(f, was, true, "does not name its open turn");
}

/* A record that cannot be mended by counting: what is plainly wrong of it. */
static void
look_only(struct fsck *f, const struct session *s, const struct tally *t)
{
    struct turn_info turn;
    uint64_t no;

    if (t->n < s->n_messages)
        session_fault(f, s, false, "its last messages are missing");
    else if (t->n > s->n_messages)
        session_fault(f, s, false, "it has more messages than it says");
    if (s->open && fsck_turn(f, &s->open_turn, &turn, &no) == ERR_NOTFOUND)
        session_fault(f, s, false, "its open turn is not there");
}

/* --- its entries elsewhere -------------------------------------------- */

static void
check_id(struct fsck *f, const struct session *s)
{
    uint8_t key[KEY_NO_LEN];
    struct session other;
    uint64_t no;
    MDB_val v;

    key_no(key, s->no);
    if (fsck_get(f, DB_SESSION_IDS, s->id, strlen(s->id), &v) != 0) {
        session_fault(f, s, true, "its id is not in session_ids");
    } else if (key_no_read(v.mv_data, v.mv_size, &no) != OK) {
        session_fault(f, s, true, "its id has no number in session_ids");
    } else if (no == s->no) {
        return;
    } else if (fsck_session(f, no, &other) == OK &&
               strcmp(other.id, s->id) == 0) {
        session_fault(f, s, false, "another session has its id");
        return;
    } else {
        session_fault(f, s, true, "its id has another number in session_ids");
    }
    fsck_fix(f, DB_SESSION_IDS, s->id, strlen(s->id), key, sizeof(key));
}

static void
check_recent(struct fsck *f, const struct session *s)
{
    uint8_t key[KEY_RECENT_MAX];
    size_t n = key_recent(key, s->owner, s->updated_ms, s->no);

    if (fsck_has(f, DB_RECENT, key, n))
        return;
    if (f->listed || s->owner[0] != '\0') {
        session_fault(f, s, true, "is not in its owner's list");
        fsck_fix(f, DB_RECENT, key, n, "", 0);
    }
}

/* --- a session -------------------------------------------------------- */

static void
mend(struct fsck *f, const struct session *was, const struct session *is)
{
    uint8_t key[KEY_NO_LEN];
    uint8_t before[RECORD_SESSION_MAX], record[RECORD_SESSION_MAX];
    size_t n = record_session_write(record, is);

    if (n == record_session_write(before, was) &&
        memcmp(before, record, n) == 0)
        return;
    key_no(key, is->no);
    fsck_fix(f, DB_SESSIONS, key, sizeof(key), record, n);
}

static void
check_session(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    char text[FSCK_KEY_MAX];
    struct session was, is;
    struct tally t;

    fsck_key(text, DB_SESSIONS, k);
    if (key_no_read(k->mv_data, k->mv_size, &was.no) != OK) {
        fsck_fault(f, DB_SESSIONS, text, false, "the key is no number");
        return;
    }
    is.no = was.no;
    if (record_session_read(v->mv_data, v->mv_size, &was) != OK ||
        was.id[0] == '\0') {
        fsck_fault(f, DB_SESSIONS, text, false, "cannot be decoded");
        return;
    }
    was.no = is.no;
    is = was;
    f->result->sessions++;
    fsck_count_owner(f, was.owner);
    check_id(f, &was);
    check_recent(f, &was);
    check_messages(f, &was, &t);
    if (t.whole) {
        mend_line(f, &was, &is, &t);
        mend_open(f, &was, &is, &t);
    } else {
        look_only(f, &was, &t);
    }
    is.has_context = fsck_has(f, DB_CONTEXTS, k->mv_data, k->mv_size);
    if (is.has_context != was.has_context)
        session_fault(f, &was, true,
                      is.has_context ? "does not say that it has a context"
                                     : "says that it has a context");
    mend(f, &was, &is);
}

void
fsck_sessions(struct fsck *f)
{
    fsck_walk(f, DB_SESSIONS, check_session);
}

/* --- messages of no session ------------------------------------------- */

/* From one session to the next; only those of no session are gone through. */
void
fsck_orphans(struct fsck *f)
{
    uint8_t from[KEY_MESSAGE_LEN], session[KEY_NO_LEN];
    MDB_val k, v;
    int rc;

    if (f->messages == NULL)
        return;
    rc = mdb_cursor_get(f->messages, &k, &v, MDB_FIRST);
    while (rc == 0) {
        MDB_cursor_op next = MDB_NEXT;
        uint64_t no;
        uint32_t seq;

        if (key_message_read(k.mv_data, k.mv_size, &no, &seq) != OK) {
            fsck_drop(f, DB_MESSAGES, &k, "the key is no message's");
        } else {
            key_no(session, no);
            if (!fsck_has(f, DB_SESSIONS, session, sizeof(session))) {
                fsck_drop(f, DB_MESSAGES, &k, "belongs to no session");
            } else if (no == UINT64_MAX) {
                return;
            } else {
                key_message(from, no + 1, 0);
                k.mv_data = from;
                k.mv_size = sizeof(from);
                next = MDB_SET_RANGE;
            }
        }
        rc = mdb_cursor_get(f->messages, &k, &v, next);
    }
    if (rc != MDB_NOTFOUND)
        fsck_fault(f, DB_MESSAGES, "*", false, "cannot be read to its end: %s",
                   mdb_strerror(rc));
}
