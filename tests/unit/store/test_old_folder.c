/*
 * A data folder that the version before wrote: sessions without anything but a
 * title, messages of two older forms that each follow the one before, no count
 * of an owner's sessions, no contexts. The writers of that version are kept
 * here, byte by byte.
 */
#include "store_test.h"

#include <lmdb.h>

#include "store/key.h"
#include "store/record.h"

#define AT_MS 1700000000000

static char dir[256];
static struct store *s;

/* --- the old writers ------------------------------------------------------ */

struct bytes {
    uint8_t b[512];
    size_t n;
};

static void
put_u8(struct bytes *to, unsigned v)
{
    to->b[to->n++] = (uint8_t)v;
}

static void
put_var(struct bytes *to, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        put_u8(to, (unsigned)(v & 0x7f) | 0x80);
    put_u8(to, (unsigned)v);
}

static void
put_raw(struct bytes *to, const void *p, size_t n)
{
    if (n > 0)
        memcpy(to->b + to->n, p, n);
    to->n += n;
}

static void
put_text(struct bytes *to, const char *text, bool nul)
{
    put_var(to, strlen(text));
    put_raw(to, text, strlen(text) + nul);
}

static struct bytes
old_session(const struct session *sess)
{
    struct bytes r = {.n = 0};

    put_u8(&r, 1);
    put_u8(&r, sess->open);
    put_var(&r, sess->n_messages);
    put_var(&r, (uint64_t)sess->created_ms);
    put_var(&r, (uint64_t)sess->updated_ms);
    put_raw(&r, sess->open_turn.b, 16);
    put_text(&r, sess->id, false);
    put_text(&r, sess->owner, false);
    put_text(&r, sess->title, false);
    return r;
}

/* Version 1 or 2. */
static struct bytes
old_message(unsigned version, const struct message *m)
{
    struct bytes r = {.n = 0};

    put_u8(&r, version);
    put_u8(&r, m->role);
    put_u8(&r, m->finish);
    put_var(&r, (uint64_t)m->at_ms);
    put_raw(&r, m->id.b, 16);
    put_raw(&r, m->turn.b, 16);
    put_var(&r, 0); /* no tokens are known */
    put_var(&r, 0);
    put_var(&r, 0);
    if (version > 1)
        put_var(&r, (uint64_t)m->cost_micro + 1);
    put_text(&r, m->provider, true);
    put_text(&r, m->model, true);
    if (version > 1)
        put_var(&r, 0); /* no extra */
    put_raw(&r, m->text, m->text_len);
    return r;
}

/* --- the old folder ------------------------------------------------------- */

static MDB_txn *txn;

static void
plant(const char *db, const void *key, size_t key_len, const void *data,
      size_t n)
{
    MDB_val k = {key_len, (void *)(uintptr_t)key};
    MDB_val v = {n, (void *)(uintptr_t)data};
    MDB_dbi dbi;

    assert_int_equal(mdb_dbi_open(txn, db, MDB_CREATE, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
}

static void
plant_session(uint64_t no, const char *owner, const char *id, uint32_t n,
              const struct ident *open_turn)
{
    struct session sess = {
        .title = "T", .created_ms = AT_MS, .n_messages = n, .no = no};
    uint8_t key[KEY_RECENT_MAX];
    struct bytes r;

    (void)snprintf(sess.id, sizeof(sess.id), "%s", id);
    (void)snprintf(sess.owner, sizeof(sess.owner), "%s", owner);
    sess.updated_ms = AT_MS + (int64_t)no;
    if (open_turn != NULL) {
        sess.open = true;
        sess.open_turn = *open_turn;
    }
    r = old_session(&sess);
    key_no(key, no);
    plant("sessions", key, KEY_NO_LEN, r.b, r.n);
    plant("session_ids", id, strlen(id), key, KEY_NO_LEN);
    if (owner[0] != '\0')
        plant("recent", key, key_recent(key, owner, sess.updated_ms, no), "",
              0);
}

static void
plant_message(unsigned version, uint64_t no, uint32_t seq, const char *text,
              const struct ident *turn)
{
    struct message m = {.seq = seq,
                        .role = (uint8_t)(seq % 2 == 0 ? 1 : 2),
                        .finish = (uint8_t)(seq % 2),
                        .at_ms = AT_MS,
                        .id = ident_v7(),
                        .turn = *turn,
                        .cost_micro = 5,
                        .provider = seq % 2 == 0 ? "" : "offline",
                        .model = seq % 2 == 0 ? "" : "small",
                        .text = text,
                        .text_len = strlen(text)};
    struct bytes r = old_message(version, &m);
    uint8_t key[KEY_MESSAGE_LEN];

    key_message(key, no, seq);
    plant("messages", key, sizeof(key), r.b, r.n);
}

/* Turns have had one form only. */
static void
plant_turn(uint64_t no, const struct ident *id, enum turn_state state)
{
    struct turn_info t = {.state = state,
                          .user_message = ident_v7(),
                          .answer_message = ident_v7(),
                          .begun_ms = AT_MS,
                          .process = {1, 1},
                          .ended_ms = AT_MS,
                          .answer_seq = 1,
                          .conversation_length = 2,
                          .end_seq = 7};
    uint8_t record[RECORD_TURN_MAX];

    plant("turns", id->b, 16, record, record_turn_write(record, &t, no));
    if (state == TURN_STATE_OPEN)
        plant("open", id->b, 16, "", 0);
}

static struct ident first_turn, open_turn;

static void
plant_folder(void)
{
    struct ident second = ident_v7();
    uint8_t record[RECORD_SCALAR_LEN], idem[RECORD_IDEM_MAX];
    uint8_t key[KEY_IDEM_LEN];

    first_turn = ident_v7();
    open_turn = ident_v7();
    record_scalar_write(record, 1);
    plant("meta", "format", 6, record, sizeof(record));
    plant_session(1, "ann", "abc", 4, NULL);
    plant_message(1, 1, 0, "q0", &first_turn);
    plant_message(1, 1, 1, "a0", &first_turn);
    plant_message(2, 1, 2, "q1", &second);
    plant_message(2, 1, 3, "a1", &second);
    plant_turn(1, &first_turn, TURN_STATE_ENDED);
    plant_turn(1, &second, TURN_STATE_ENDED);
    key_idem(key, "ann", "abc", "k");
    plant("idem", key, sizeof(key), idem,
          record_idem_write(idem, &first_turn, INT64_MAX));
    plant_session(2, "ann", "busy", 1, &open_turn);
    plant_message(2, 2, 0, "q", &open_turn);
    plant_turn(2, &open_turn, TURN_STATE_OPEN);
    plant_session(3, "", "nobody", 0, NULL);
    plant_session(4, "bob", "bobs", 0, NULL);
}

/* Do something in one transaction with the store closed. */
static void
with_files(void (*fn)(void))
{
    MDB_env *env;

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_set_mapsize(env, TEST_MAP), 0);
    assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    fn();
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void
open_store(void)
{
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};

    assert_int_equal(store_open(&s, &c), OK);
}

static int
setup(void **state)
{
    (void)state;
    folder_make(dir);
    with_files(plant_folder);
    open_store();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    store_close(s);
    folder_remove(dir);
    return 0;
}

/* --- it is read ----------------------------------------------------------- */

static bool
check_message(void *arg, const struct message *m)
{
    unsigned *n = arg;

    ++*n;
    assert_int_equal(m->parent, m->seq - 1); /* STORE_ROOT of the first */
    assert_int_equal(m->cost_micro, m->seq < 2 ? -1 : 5);
    assert_int_equal(m->at_ms, AT_MS);
    return true;
}

static void
sessions_are_one_line(void **state)
{
    struct session sess = get_session(s, "ann", "abc");
    struct text list = {0};
    struct turn_info t;
    struct ident found;
    struct buf text;
    unsigned n = 0;

    (void)state;
    assert_string_equal(sess.title, "T");
    assert_int_equal(sess.n_messages, 4);
    assert_int_equal(sess.head, 3);
    assert_int_equal(sess.length, 4);
    assert_int_equal(sess.expires_ms, 0);
    assert_string_equal(sess.model, "");
    assert_string_equal(sess.tags, "");
    assert_false(sess.titled || sess.branched || sess.pinned || sess.archived ||
                 sess.has_context || sess.open);
    assert_messages(s, "ann", "abc", UINT32_MAX, 9, 0, "0:q0|1:a0|2:q1|3:a1|");
    assert_int_equal(
        store_all_messages(s, "ann", "abc", 0, 9, NULL, check_message, &n), OK);
    assert_int_equal(n, 4);
    assert_int_equal(store_turn(s, &first_turn, &t), OK);
    assert_int_equal(t.conversation_length, 2);
    assert_int_equal(store_idem(s, "ann", "abc", "k", &found), OK);
    assert_true(ident_eq(&found, &first_turn));
    buf_init(&text, 100);
    assert_int_equal(store_context(s, "ann", "abc", &text), OK);
    assert_int_equal(text.len, 0);
    buf_release(&text);
    assert_int_equal(store_sessions(s, "ann", NULL, 9, text_session, &list),
                     OK);
    assert_string_equal(list.s, "busy|abc|");
    assert_int_equal(get_session(s, "", "nobody").length, 0);
}

static void
it_is_written_to(void **state)
{
    struct store_op op = op_title("ann", "abc", "New"), e;

    (void)state;
    (void)put_turn(s, "ann", "abc", "q2", "a2");
    (void)put_turn_behind(s, "ann", "abc", 1, "q3", "a3");
    op.patch.context = "c";
    assert_int_equal(store_apply(s, &op), OK);
    e = op_end(&open_turn, "late");
    assert_int_equal(store_apply(s, &e), OK); /* open since the old version */
    assert_int_equal(e.end.length, 2);
    (void)put_turn(s, "", "nobody", "q", "a");
    store_close(s);
    open_store();
    assert_string_equal(get_session(s, "ann", "abc").title, "New");
    assert_true(get_session(s, "ann", "abc").branched);
    assert_messages(s, "ann", "abc", UINT32_MAX, 9, 0, "0:q0|1:a0|6:q3|7:a3|");
    assert_line(s, "ann", "abc", 5, "0:q0|1:a0|2:q1|3:a1|4:q2|5:a2|");
    assert_line(s, "ann", "busy", STORE_HEAD, "0:q|1:late|");
    assert_line(s, "", "nobody", STORE_HEAD, "0:q|1:a|");
}

/* --- what it has no record of --------------------------------------------- */

static void
assert_count(const char *owner, uint64_t want)
{
    uint64_t n = 99;

    assert_int_equal(store_session_count(s, owner, &n), OK);
    assert_int_equal(n, want);
}

static void
sessions_are_counted_by_their_list(void **state)
{
    struct store_op del = op_on(STORE_SESSION_DELETE, "ann", "abc"), b;

    (void)state;
    assert_count("ann", 2);
    assert_count("bob", 1);
    assert_count("eve", 0);
    b = op_begin("ann", "new", "q");
    b.begin.sessions_max = 2;
    assert_int_equal(store_apply(s, &b), ERR_LIMIT);
    b.begin.sessions_max = 3;
    assert_int_equal(store_apply(s, &b), OK);
    assert_count("ann", 3);
    del.owner = "bob"; /* a deletion is the first that is written */
    del.session_id = "bobs";
    assert_int_equal(store_apply(s, &del), OK);
    assert_count("bob", 0);
    del.owner = "ann";
    del.session_id = "abc";
    assert_int_equal(store_apply(s, &del), OK);
    store_close(s);
    open_store();
    assert_count("ann", 2);
    assert_count("bob", 0);
}

/* The owners' counts are made from their lists, before those change. */
static void
sessions_are_given_to_another_owner(void **state)
{
    struct store_op op = op_on(STORE_SESSION_OWNER, "ann", "abc");

    (void)state;
    op.owner_change.to = "bob";
    assert_int_equal(store_apply(s, &op), OK);
    assert_count("ann", 1);
    assert_count("bob", 2);
    assert_int_equal(get_session(s, "bob", "abc").n_messages, 4);
    assert_int_equal(store_apply(s, &op), ERR_NOTFOUND);
    store_close(s);
    open_store();
    assert_count("ann", 1);
    assert_count("bob", 2);
}

static void
values_are_put_under_names(void **state)
{
    struct record_change c = {.name = "k", .n = 1, .value = "v", .len = 1};
    struct store_op op = {.kind = STORE_RECORDS};
    struct buf out;

    (void)state;
    op.records.changes = &c;
    op.records.n = 1;
    buf_init(&out, 16);
    assert_int_equal(store_record(s, "k", 1, &out), ERR_NOTFOUND);
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(store_record(s, "k", 1, &out), OK);
    assert_string_equal(buf_cstr(&out), "v");
    buf_release(&out);
}

static void
check_files(void)
{
    MDB_val k = {6, (void *)"format"}, v;
    MDB_stat st;
    MDB_dbi dbi;
    uint64_t n;

    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
    assert_int_equal(mdb_get(txn, dbi, &k, &v), 0);
    assert_int_equal(record_scalar_read(v.mv_data, v.mv_size, &n), OK);
    assert_int_equal(n, 2);
    assert_int_equal(mdb_dbi_open(txn, "owners", 0, &dbi), 0);
    k = (MDB_val){3, (void *)"ann"};
    assert_int_equal(mdb_get(txn, dbi, &k, &v), 0);
    assert_int_equal(record_scalar_read(v.mv_data, v.mv_size, &n), OK);
    assert_int_equal(n, 2);
    assert_int_equal(mdb_stat(txn, dbi, &st), 0);
    assert_int_equal(st.ms_entries, 1); /* no other wrote one, or has one */
    assert_int_equal(mdb_dbi_open(txn, "contexts", 0, &dbi), 0);
    assert_int_equal(mdb_stat(txn, dbi, &st), 0);
    assert_int_equal(st.ms_entries, 0);
}

/* An owner's record is there as long as it says more than 0, a context as
 * long as its session. */
static void
the_files_have_what_is_needed(void **state)
{
    struct store_op op = op_on(STORE_SESSION_PATCH, "ann", "abc");
    struct store_op del = op_on(STORE_SESSION_DELETE, "ann", "abc");

    (void)state;
    op.patch.context = "c";
    assert_int_equal(store_apply(s, &op), OK);
    (void)put_turn(s, "ann", "new", "q", "a");
    assert_int_equal(store_apply(s, &del), OK);
    (void)put_turn(s, "eve", "eves", "q", "a");
    del.owner = "eve";
    del.session_id = "eves";
    assert_int_equal(store_apply(s, &del), OK);
    (void)put_turn(s, "", "nobody", "q", "a");
    store_close(s);
    with_files(check_files);
    open_store();
}

/* --- damage --------------------------------------------------------------- */

static void
plant_damage(void)
{
    uint8_t key[KEY_MESSAGE_LEN];
    MDB_val k = {sizeof(key), key};
    MDB_dbi dbi;

    key_message(key, 1, 1);
    assert_int_equal(mdb_dbi_open(txn, "messages", 0, &dbi), 0);
    assert_int_equal(mdb_del(txn, dbi, &k, NULL), 0);
    plant("owners", "ann", 3, "\x01junk", 5);
    key_no(key, 2);
    plant("contexts", key, KEY_NO_LEN, "\x02junk", 5);
}

static void
damage_is_told_and_not_guessed_at(void **state)
{
    struct store_op op = op_on(STORE_SESSION_PATCH, "ann", "busy");
    struct text t = {0};
    struct buf text;

    (void)state;
    op.patch.context = "c";
    assert_int_equal(store_apply(s, &op), OK);
    (void)put_turn_behind(s, "ann", "abc", 1, "q2", "a2");
    assert_int_equal(set_head(s, "ann", "abc", 3), OK);
    store_close(s);
    with_files(plant_damage);
    open_store();
    log_set_level(LOG_ERROR + 1);
    assert_int_equal(store_line(s, "ann", "abc", 5, UINT32_MAX, 9, 0, NULL,
                                text_message, &t),
                     ERR_STORE); /* its parent is missing */
    assert_int_equal(store_line(s, "ann", "abc", 3, UINT32_MAX, 9, 0, NULL,
                                text_message, &t),
                     ERR_STORE);
    assert_int_equal(t.count, 0);
    assert_int_equal(set_head(s, "ann", "abc", 5), ERR_STORE);
    assert_line(s, "ann", "abc", 0, "0:q0|");
    buf_init(&text, 100);
    assert_int_equal(store_context(s, "ann", "busy", &text), ERR_STORE);
    assert_int_equal(text.len, 0);
    buf_release(&text);
    assert_int_equal(store_apply(s, &op), OK); /* is replaced */
    assert_count("ann", 2);                    /* counted anew */
    log_set_level(LOG_ERROR);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(sessions_are_one_line),
        T(it_is_written_to),
        T(sessions_are_counted_by_their_list),
        T(sessions_are_given_to_another_owner),
        T(values_are_put_under_names),
        T(the_files_have_what_is_needed),
        T(damage_is_told_and_not_guessed_at),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
