/*
 * Checking and repairing. Each kind of damage is planted by raw writes into a
 * store that was sound; it must be found, told about where it is, and, where
 * it can be derived, be gone after a repair, with all texts as they were.
 */
#include "store_test.h"

#include <fcntl.h>
#include <lmdb.h>

#include "store/fsck.h"
#include "store/key.h"
#include "store/record.h"

static char dir[256];
static struct ident turn1, turn2, open_turn;

/* Three sessions: "plain" of ann (2 turns, a context, a summary), "tree" of
 * ann with a branch, "busy" of nobody with an open turn. */
static int
sound_store(void **state)
{
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    struct store_op op;
    struct session sess;
    struct store *s;

    (void)state;
    folder_make(dir);
    assert_int_equal(store_open(&s, &c), OK);
    turn1 = put_turn(s, "ann", "plain", "q0", "a1");
    turn2 = put_turn(s, "ann", "plain", "q2", "a3");
    op = op_on(STORE_SESSION_PATCH, "ann", "plain");
    op.patch.context = "Be brief.";
    assert_int_equal(store_apply(s, &op), OK);
    sess = get_session(s, "ann", "plain");
    op = op_on(STORE_SESSION_SUMMARY, "ann", "plain");
    op.summary.session_no = sess.no;
    op.summary.upto_seq = 2;
    op.summary.cost_micro = -1;
    op.summary.text = "short";
    op.summary.text_len = 5;
    assert_int_equal(store_apply(s, &op), OK);
    (void)put_turn(s, "ann", "tree", "q0", "a1");
    (void)put_turn(s, "ann", "tree", "q2", "a3");
    (void)put_turn_behind(s, "ann", "tree", 1, "q4", "a5");
    op = op_begin("", "busy", "waiting");
    op.begin.idem_scope = "busy";
    op.begin.idem_key = "key";
    assert_int_equal(store_apply(s, &op), OK);
    open_turn = op.begin.turn;
    store_close(s);
    return 0;
}

static int
remove_store(void **state)
{
    (void)state;
    folder_remove(dir);
    return 0;
}

/* --- raw writes ------------------------------------------------------- */

static MDB_env *env;
static MDB_txn *txn;

static void
raw_begin(void)
{
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_set_mapsize(env, TEST_MAP), 0);
    assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
}

static void
raw_end(void)
{
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static MDB_dbi
raw_db(const char *db)
{
    MDB_dbi dbi;

    assert_int_equal(mdb_dbi_open(txn, db, MDB_CREATE, &dbi), 0);
    return dbi;
}

/* In a transaction of its own. data NULL: away with it. */
static void
plant(const char *db, const void *key, size_t key_len, const void *data,
      size_t n)
{
    MDB_val k = {key_len, (void *)(uintptr_t)key};
    MDB_val v = {n, (void *)(uintptr_t)data};

    raw_begin();
    if (data == NULL)
        assert_int_equal(mdb_del(txn, raw_db(db), &k, NULL), 0);
    else
        assert_int_equal(mdb_put(txn, raw_db(db), &k, &v, 0), 0);
    raw_end();
}

static void
plant_no(const char *db, uint64_t no, const void *data, size_t n)
{
    uint8_t key[KEY_NO_LEN];

    key_no(key, no);
    plant(db, key, sizeof(key), data, n);
}

static void
plant_message(uint64_t no, uint32_t seq, const void *data, size_t n)
{
    uint8_t key[KEY_MESSAGE_LEN];

    key_message(key, no, seq);
    plant("messages", key, sizeof(key), data, n);
}

/* What is stored. */
static size_t
peek(const char *db, const void *key, size_t key_len, uint8_t out[2048])
{
    MDB_val k = {key_len, (void *)(uintptr_t)key}, v;
    size_t n = 0;

    raw_begin();
    if (mdb_get(txn, raw_db(db), &k, &v) == 0) {
        assert_in_range(v.mv_size, 0, 2048);
        n = v.mv_size;
        memcpy(out, v.mv_data, n);
    }
    raw_end();
    return n;
}

static struct session
session_no(uint64_t no)
{
    uint8_t key[KEY_NO_LEN], record[2048];
    struct session s;

    key_no(key, no);
    assert_int_equal(
        record_session_read(record, peek("sessions", key, sizeof(key), record),
                            &s),
        OK);
    s.no = no;
    return s;
}

static void
plant_session(const struct session *s)
{
    uint8_t record[RECORD_SESSION_MAX];

    plant_no("sessions", s->no, record, record_session_write(record, s));
}

/* --- checking --------------------------------------------------------- */

struct heard {
    char text[4096];
    size_t n;
};

static void
hear(void *arg, const char *db, const char *key, const char *what, bool fixable)
{
    struct heard *h = arg;

    h->n += (size_t)snprintf(h->text + h->n, sizeof(h->text) - h->n,
                             "%s %s: %s%s\n", db, key, what,
                             fixable ? " +" : "");
    assert_true(h->n < sizeof(h->text));
}

static struct fsck_result
run(bool repair, struct heard *h)
{
    struct fsck_config c = {.dir = dir,
                            .repair = repair,
                            .map_bytes = TEST_MAP,
                            .fault = hear,
                            .arg = h};
    struct fsck_result r;

    memset(h, 0, sizeof(*h));
    assert_int_equal(fsck_run(&c, &r), OK);
    return r;
}

static void
assert_sound(void)
{
    struct heard h;
    struct fsck_result r = run(false, &h);

    assert_string_equal(h.text, "");
    assert_int_equal(r.faults, 0);
    assert_int_equal(r.left, 0);
}

static void
assert_texts(void)
{
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    struct store *s;

    assert_int_equal(store_open(&s, &c), OK);
    assert_messages(s, "ann", "plain", UINT32_MAX, 9, 0,
                    "0:q0|1:a1|2:q2|3:a3|");
    assert_line(s, "ann", "tree", STORE_HEAD, "0:q0|1:a1|4:q4|5:a5|");
    assert_line(s, "ann", "tree", 3, "0:q0|1:a1|2:q2|3:a3|");
    assert_messages(s, "", "busy", UINT32_MAX, 9, 0, "0:waiting|");
    store_close(s);
}

/* Found as told (a line of the faults), and mended. */
static void
assert_mended(const char *want)
{
    struct heard h;
    struct fsck_result r = run(false, &h);

    if (strstr(h.text, want) == NULL)
        print_error("wanted: %s\nfound: %s\n", want, h.text);
    assert_non_null(strstr(h.text, want));
    assert_int_equal(r.faults, r.fixable);
    assert_int_equal(r.faults, r.left);
    r = run(true, &h);
    assert_non_null(strstr(h.text, want));
    assert_int_equal(r.left, 0);
    assert_sound();
    r = run(true, &h);
    assert_int_equal(r.faults, 0);
    assert_texts();
}

/* Found as told, and left: what it holds is not made up. */
static void
assert_left(const char *want)
{
    struct heard h;
    struct fsck_result r = run(false, &h);

    if (strstr(h.text, want) == NULL)
        print_error("wanted: %s\nfound: %s\n", want, h.text);
    assert_non_null(strstr(h.text, want));
    assert_true(r.faults > r.fixable);
    r = run(true, &h);
    assert_true(r.left > 0);
    r = run(false, &h);
    assert_non_null(strstr(h.text, want));
    assert_int_equal(r.fixable, 0);
}

/* --- sound stores ----------------------------------------------------- */

static void
a_sound_store_has_no_faults(void **state)
{
    struct heard h;
    struct fsck_result r;

    (void)state;
    r = run(false, &h);
    assert_string_equal(h.text, "");
    assert_int_equal(r.sessions, 3);
    assert_int_equal(r.messages, 11);
    assert_int_equal(r.turns, 6);
    assert_int_equal(r.owners, 2);
    assert_true(r.bytes > 0);
    r = run(true, &h);
    assert_int_equal(r.faults, 0);
    assert_texts();
}

/* A session from elsewhere, with a branch and without turns, and one more turn
 * behind it. */
static void
import(struct store *s)
{
    static const uint32_t parents[4] = {STORE_ROOT, 0, 1, 1};
    struct store_op op = op_on(STORE_SESSION_IMPORT, "cy", "imported");
    struct message m[4];

    for (uint32_t i = 0; i < 4; i++) {
        struct store_op like = op_begin("cy", "imported", "said");

        m[i] = like.begin.user;
        m[i].id = ident_v7();
        memset(&m[i].turn, 0, sizeof(m[i].turn));
        m[i].parent = parents[i];
    }
    op.patch.now_ms = 1000;
    op.import.updated_ms = 2000;
    op.import.messages = m;
    op.import.n = 4;
    op.import.head = 3;
    assert_int_equal(store_apply(s, &op), OK);
    (void)put_turn(s, "cy", "imported", "q", "a");
}

static void
a_store_that_was_used_in_every_way_is_sound(void **state)
{
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    struct store_op op;
    struct store *s;

    (void)state;
    assert_int_equal(store_open(&s, &c), OK);
    assert_int_equal(set_head(s, "ann", "tree", 3), OK);
    (void)put_turn(s, "ann", "tree", "q6", "a7");
    assert_int_equal(set_head(s, "ann", "plain", 1), OK);
    op = op_begin("bob", "other root", "q");
    op.session_id = "roots";
    assert_int_equal(store_apply(s, &op), OK);
    op = op_end(&op.begin.turn, "a");
    assert_int_equal(store_apply(s, &op), OK);
    op = op_begin("bob", "roots", "again");
    op.begin.root = true;
    assert_int_equal(store_apply(s, &op), OK);
    op = op_end(&open_turn, "late");
    assert_int_equal(store_apply(s, &op), OK);
    (void)put_turn(s, "cy", "gone", "q", "a");
    op = op_on(STORE_SESSION_DELETE, "cy", "gone");
    assert_int_equal(store_apply(s, &op), OK);
    (void)put_turn(s, "cy", "empty", "q", "a");
    op = op_on(STORE_SESSION_CLEAR, "cy", "empty");
    assert_int_equal(store_apply(s, &op), OK);
    op = op_on(STORE_SESSION_PATCH, "ann", "plain");
    op.patch.context = "";
    assert_int_equal(store_apply(s, &op), OK);
    (void)put_turn(s, "cy", "empty", "q", "a");
    import(s);
    op = op_on(STORE_PROBE, "", "");
    assert_int_equal(store_apply(s, &op), OK);
    store_close(s);
    assert_sound();
}

static void
no_store_is_not_a_sound_one(void **state)
{
    struct fsck_config c = {.dir = "/nowhere/at/all"};
    struct fsck_result r;
    char path[300];

    (void)state;
    assert_int_equal(fsck_run(&c, &r), ERR_NOTFOUND);
    c.repair = true;
    assert_int_equal(fsck_run(&c, &r), ERR_NOTFOUND);
    (void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
    c = (struct fsck_config){.dir = dir};
    assert_int_equal(truncate(path, 5 * 4096), 0);
    assert_int_equal(fsck_run(&c, &r), ERR_STORE);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(fsck_run(&c, &r), ERR_STORE);
}

static void
a_newer_store_is_not_touched(void **state)
{
    struct fsck_config c = {.dir = dir, .repair = true, .map_bytes = TEST_MAP};
    uint8_t record[RECORD_SCALAR_LEN];
    struct fsck_result r;

    (void)state;
    record_scalar_write(record, 99);
    plant("meta", "format", 6, record, sizeof(record));
    assert_int_equal(fsck_run(&c, &r), ERR_STORE);
}

/* --- sessions --------------------------------------------------------- */

static void
counts_of_messages_are_counted_again(void **state)
{
    struct session s = session_no(1);

    (void)state;
    s.n_messages = s.length = 2;
    s.head = 1;
    plant_session(&s);
    assert_mended("sessions 1: it has another number of messages +\n");
}

static void
marks_of_branches_are_found_again(void **state)
{
    struct session s = session_no(2);

    (void)state;
    assert_true(s.branched);
    s.branched = false;
    s.length = 6;
    plant_session(&s);
    assert_mended("sessions 2: it has branches +\n");
    s = session_no(2);
    assert_true(s.branched);
    assert_int_equal(s.length, 4);
    s.length = 3;
    plant_session(&s);
    assert_mended("sessions 2: its line has another length +\n");
}

static void
an_open_turn_is_marked_where_it_is(void **state)
{
    struct session s = session_no(3);

    (void)state;
    s.open = false;
    plant_session(&s);
    assert_mended("sessions 3: does not name its open turn +\n");
    s = session_no(3);
    assert_true(ident_eq(&s.open_turn, &open_turn));
    s.open_turn = turn1;
    plant_session(&s);
    assert_mended("sessions 3: does not name its open turn +\n");
    s = session_no(1);
    s.open = true;
    s.open_turn = turn2;
    plant_session(&s);
    assert_mended("sessions 1: names an open turn that it has not +\n");
}

static void
a_context_is_marked_where_it_is(void **state)
{
    struct session s = session_no(1);

    (void)state;
    s.has_context = false;
    plant_session(&s);
    assert_mended("sessions 1: does not say that it has a context +\n");
    s = session_no(2);
    s.has_context = true;
    plant_session(&s);
    assert_mended("sessions 2: says that it has a context +\n");
}

static void
a_session_that_cannot_be_read_keeps_its_messages(void **state)
{
    uint8_t key[KEY_NO_LEN], record[2048];
    size_t n;

    (void)state;
    key_no(key, 1);
    n = peek("sessions", key, sizeof(key), record);
    plant_no("sessions", 1, "\x63what", 5);
    assert_left("sessions 1: cannot be decoded\n");
    plant_no("sessions", 1, record, n);
    assert_texts();
    plant("sessions", "odd", 3, record, n);
    assert_left("sessions odd: the key is no number\n");
}

static void
two_sessions_with_one_id_are_told(void **state)
{
    struct session s = session_no(1);

    (void)state;
    s.no = 7;
    s.n_messages = s.head = s.length = 0;
    s.has_context = false;
    plant_session(&s);
    assert_left("sessions 7: another session has its id\n");
}

/* --- lists ------------------------------------------------------------ */

static void
ids_are_listed_again(void **state)
{
    uint8_t key[KEY_NO_LEN];

    (void)state;
    plant("session_ids", "plain", 5, NULL, 0);
    assert_mended("sessions 1: its id is not in session_ids +\n");
    plant("session_ids", "plain", 5, "?", 1);
    assert_mended("session_ids plain: has no number +\n");
    key_no(key, 2);
    plant("session_ids", "plain", 5, key, sizeof(key));
    assert_mended("sessions 1: its id has another number in session_ids +\n");
    plant("session_ids", "stray", 5, key, sizeof(key));
    assert_mended("session_ids stray: names a session with another id +\n");
    key_no(key, 99);
    plant("session_ids", "stray", 5, key, sizeof(key));
    assert_mended("session_ids stray: names a session that is not there +\n");
}

static void
owners_lists_are_made_again(void **state)
{
    uint8_t key[KEY_RECENT_MAX];
    struct session s = session_no(1);

    (void)state;
    plant("recent", key, key_recent(key, "ann", s.updated_ms, 1), NULL, 0);
    assert_mended("sessions 1: is not in its owner's list +\n");
    plant("recent", key, key_recent(key, "ann", 5, 1), "", 0);
    assert_mended(": lists a session at a wrong place +\n");
    plant("recent", key, key_recent(key, "bob", s.updated_ms, 1), "", 0);
    assert_mended(": lists a session at a wrong place +\n");
    plant("recent", key, key_recent(key, "ann", 5, 77), "", 0);
    assert_mended(": lists a session that is not there +\n");
    plant("recent", "x", 1, "", 0);
    assert_mended("recent \\x78: lists a session that is not there +\n");
}

static void
owners_are_counted_again(void **state)
{
    uint8_t record[RECORD_SCALAR_LEN];

    (void)state;
    record_scalar_write(record, 9);
    plant("owners", "ann", 3, record, sizeof(record));
    assert_mended("owners ann: has 2 sessions +\n");
    plant("owners", "", 1, record, sizeof(record));
    assert_mended("owners \\x00: has 1 sessions +\n");
    plant("owners", "ann", 3, "?", 1);
    assert_mended("owners ann: has 2 sessions +\n");
    plant("owners", "zoe", 3, record, sizeof(record));
    assert_mended("owners zoe: has no sessions +\n");
}

/* --- records ---------------------------------------------------------- */

static void
values_under_names_are_checked_for_their_form(void **state)
{
    uint8_t record[RECORD_VALUE_MAX + 2];
    char name[STORE_RECORD_NAME_MAX + 1];
    size_t n = record_value_write(record, 5, "v", 1);

    (void)state;
    memset(name, 'n', sizeof(name));
    plant("records", "key/1", 5, record, n); /* its time is over: no fault */
    plant("records", name, STORE_RECORD_NAME_MAX, record, n);
    assert_sound();
    plant("records", "key/2", 5, "\x09", 1);
    assert_mended("records key/2: cannot be decoded +\n");
    plant("records", name, STORE_RECORD_NAME_MAX + 1, record, n);
    assert_mended(": the name is too long +\n");
    n = record_value_write(record, 0, name, 0);
    memset(record + n, 'v', STORE_RECORD_MAX + 1);
    plant("records", "a b", 3, record, n + STORE_RECORD_MAX);
    assert_sound();
    plant("records", "a b", 3, record, n + STORE_RECORD_MAX + 1);
    assert_mended("records a\\x20b: cannot be decoded +\n");
}

/* --- messages --------------------------------------------------------- */

static void
a_message_that_is_missing_is_told(void **state)
{
    (void)state;
    plant_message(1, 1, NULL, 0);
    assert_left("messages 1/2: messages 1 to 1 before it are missing\n");
}

static void
a_message_that_cannot_be_read_is_left(void **state)
{
    (void)state;
    plant_message(2, 3, "\x63what", 5);
    assert_left("messages 2/3: cannot be decoded\n");
}

static void
messages_of_no_session_are_removed(void **state)
{
    uint8_t key[KEY_MESSAGE_LEN], record[2048];
    size_t n;

    (void)state;
    key_message(key, 1, 0);
    n = peek("messages", key, sizeof(key), record);
    plant_message(50, 0, record, n);
    plant_message(50, 4, record, n);
    plant_message(UINT64_MAX, 0, record, n);
    plant_message(0, 0, record, n);
    assert_mended("messages 50/4: belongs to no session +\n");
    plant("messages", "odd", 3, record, n);
    assert_mended("messages odd: the key is no message's +\n");
}

static void
a_message_belongs_to_its_turn(void **state)
{
    uint8_t key[KEY_MESSAGE_LEN], record[2048];
    size_t n;

    (void)state;
    key_message(key, 1, 0);
    n = peek("messages", key, sizeof(key), record);
    plant_message(1, 4, record, n); /* a copy, one too many */
    {
        struct heard h;
        struct fsck_result r = run(false, &h);

        assert_true(r.faults > 0);
        assert_non_null(strstr(h.text, "sessions 1: it has another number"));
    }
    plant_message(1, 4, NULL, 0);
    key_message(key, 1, 1);
    (void)peek("messages", key, sizeof(key), record);
    plant_message(1, 3, record, n);
    assert_left("messages 1/3: ");
}

/* --- turns ------------------------------------------------------------ */

static void
open_turns_are_listed_again(void **state)
{
    (void)state;
    plant("open", open_turn.b, 16, NULL, 0);
    assert_mended(": is open, and not in open +\n");
    plant("open", turn1.b, 16, "", 0);
    assert_mended(": is a turn that has ended +\n");
    plant("open", "0123456789abcdef", 16, "", 0);
    assert_mended(": is no turn that is there +\n");
    plant("open", "x", 1, "", 0);
    assert_mended("open x: is no turn that is there +\n");
}

static void
turns_of_no_session_are_removed(void **state)
{
    struct turn_info t = {.state = TURN_STATE_OPEN};
    uint8_t record[RECORD_TURN_MAX];
    struct ident id = ident_v7();

    (void)state;
    plant("turns", id.b, 16, record, record_turn_write(record, &t, 99));
    plant("open", id.b, 16, "", 0);
    assert_mended(": belongs to no session +\n");
}

static void
a_turn_has_its_question_and_its_answer(void **state)
{
    struct turn_info t;
    uint8_t record[2048];
    uint64_t no;
    size_t n = peek("turns", turn1.b, 16, record);

    (void)state;
    assert_int_equal(record_turn_read(record, n, &t, &no), OK);
    t.answer_seq = 3;
    plant("turns", turn1.b, 16, record, record_turn_write(record, &t, no));
    assert_left(": is ended, and its answer is not message 1/3\n");
    t.answer_seq = 1;
    t.user_message = t.answer_message;
    plant("turns", turn1.b, 16, record, record_turn_write(record, &t, no));
    assert_left(": its question is not right before its answer\n");
    plant("turns", turn1.b, 16, NULL, 0);
    assert_left("messages 1/0: its turn is not there\n");
    plant("turns", turn1.b, 16, "?", 1);
    assert_left(": cannot be decoded\n");
}

static void
a_turn_says_a_length_that_can_be(void **state)
{
    struct turn_info t;
    uint8_t record[2048];
    uint64_t no;
    size_t n = peek("turns", turn1.b, 16, record);

    (void)state;
    assert_int_equal(record_turn_read(record, n, &t, &no), OK);
    t.conversation_length = 9;
    plant("turns", turn1.b, 16, record, record_turn_write(record, &t, no));
    assert_left(": says a length of the conversation that cannot be\n");
}

static void
an_open_turn_that_nobody_asked_is_told(void **state)
{
    struct turn_info t = {.state = TURN_STATE_OPEN};
    uint8_t record[RECORD_TURN_MAX];
    struct ident id = ident_v7();

    (void)state;
    plant("turns", id.b, 16, record, record_turn_write(record, &t, 1));
    plant("open", id.b, 16, "", 0);
    assert_left(": is open, and its question is not the last message of "
                "session 1\n");
}

/* --- keys, summaries, contexts, meta ---------------------------------- */

static void
keys_that_cannot_be_read_are_forgotten(void **state)
{
    (void)state;
    plant("idem", "0123456789abcdef0123456789abcdef", 32, "?", 1);
    assert_mended(": cannot be decoded +\n");
}

static void
summaries_and_contexts_of_nothing_are_removed(void **state)
{
    struct session_summary sum = {.upto_seq = 40, .cost_micro = -1};
    uint8_t record[RECORD_SUMMARY_MAX];
    size_t n = record_summary_write(record, &sum, "x", 1);

    (void)state;
    plant_no("summaries", 60, record, n);
    assert_mended("summaries 60: belongs to no session +\n");
    plant_no("summaries", 2, record, n);
    assert_mended("summaries 2: is of messages that are not there +\n");
    sum.upto_seq = 0; /* what was spent alone has no text */
    n = record_summary_write(record, &sum, "x", 1);
    plant_no("summaries", 2, record, n);
    assert_mended("summaries 2: is of messages that are not there +\n");
    plant_no("summaries", 2, "?", 1);
    assert_mended("summaries 2: cannot be decoded +\n");
    plant_no("contexts", 60, "\x01hello", 6);
    assert_mended("contexts 60: belongs to no session +\n");
    plant_no("contexts", 1, "?", 1);
    assert_left("contexts 1: cannot be decoded\n");
}

static void
numbers_of_the_whole_are_read(void **state)
{
    (void)state;
    plant("meta", "next", 4, "?", 1);
    assert_left("meta next: cannot be decoded\n");
    plant("meta", "format", 6, "?", 1);
    {
        struct heard h;

        assert_true(run(false, &h).faults == 2);
    }
}

static void
much_damage_at_once_is_mended(void **state)
{
    uint8_t key[KEY_RECENT_MAX];
    struct session s = session_no(1);

    (void)state;
    plant("recent", key, key_recent(key, "ann", s.updated_ms, 1), NULL, 0);
    s.n_messages = s.length = 3;
    s.head = 2;
    s.has_context = false;
    plant_session(&s);
    plant("session_ids", "plain", 5, "?", 1);
    plant("session_ids", "tree", 4, NULL, 0);
    plant("open", open_turn.b, 16, NULL, 0);
    plant_message(50, 0, "?", 1);
    assert_mended("messages 50/0: belongs to no session +\n");
}

/* --- a store in use --------------------------------------------------- */

/* A process that has it open and writes, until its pipe is closed. */
static pid_t
user_start(int *tell)
{
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    int up[2], down[2];
    char byte = 0;
    pid_t pid;

    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct store *s;
        int n = 0;

        (void)close(down[1]);
        if (store_open(&s, &c) != OK || write(up[1], &byte, 1) != 1)
            _exit(1);
        while (fcntl(down[0], F_SETFL, O_NONBLOCK) == 0 &&
               read(down[0], &byte, 1) != 0) {
            char id[32];

            (void)snprintf(id, sizeof(id), "s%d", n++ % 20);
            (void)put_turn(s, "ann", id, "q", "a");
        }
        store_close(s);
        _exit(0);
    }
    (void)close(down[0]);
    (void)close(up[1]);
    assert_int_equal(read(up[0], &byte, 1), 1);
    (void)close(up[0]);
    *tell = down[1];
    return pid;
}

static void
a_store_in_use_is_seen_at_one_moment(void **state)
{
    uint8_t record[RECORD_SCALAR_LEN];
    struct heard h;
    int tell;
    pid_t pid;

    (void)state;
    record_scalar_write(record, 9);
    plant("owners", "zoe", 3, record, sizeof(record));
    pid = user_start(&tell);
    for (int i = 0; i < 20; i++) {
        struct fsck_result r = run(false, &h);

        assert_string_equal(h.text, "owners zoe: has no sessions +\n");
        assert_true(r.messages >= 11);
    }
    assert_int_equal(run(true, &h).left, 0); /* beside it */
    assert_sound();
    (void)close(tell);
    assert_int_equal(child_wait(pid), 0);
    assert_sound();
    assert_texts();
}

#define ON(t) cmocka_unit_test_setup_teardown(t, sound_store, remove_store)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON(a_sound_store_has_no_faults),
        ON(a_store_that_was_used_in_every_way_is_sound),
        ON(no_store_is_not_a_sound_one),
        ON(a_newer_store_is_not_touched),
        ON(counts_of_messages_are_counted_again),
        ON(marks_of_branches_are_found_again),
        ON(an_open_turn_is_marked_where_it_is),
        ON(a_context_is_marked_where_it_is),
        ON(a_session_that_cannot_be_read_keeps_its_messages),
        ON(two_sessions_with_one_id_are_told),
        ON(ids_are_listed_again),
        ON(owners_lists_are_made_again),
        ON(owners_are_counted_again),
        ON(values_under_names_are_checked_for_their_form),
        ON(a_message_that_is_missing_is_told),
        ON(a_message_that_cannot_be_read_is_left),
        ON(messages_of_no_session_are_removed),
        ON(a_message_belongs_to_its_turn),
        ON(open_turns_are_listed_again),
        ON(turns_of_no_session_are_removed),
        ON(a_turn_has_its_question_and_its_answer),
        ON(a_turn_says_a_length_that_can_be),
        ON(an_open_turn_that_nobody_asked_is_told),
        ON(keys_that_cannot_be_read_are_forgotten),
        ON(summaries_and_contexts_of_nothing_are_removed),
        ON(numbers_of_the_whole_are_read),
        ON(much_damage_at_once_is_mended),
        ON(a_store_in_use_is_seen_at_one_moment),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
