/* Tests of chat/spent.c: what is added up, and what is not known. */
#include "../store/store_test.h"

#include <lmdb.h>

#include "chat/spent.h"
#include "store/key.h"

static int
setup(void **state)
{
    struct store_config c = {.dir = "none"};

    return store_open_on((struct store **)state, &memstore_backend, &c) == OK
               ? 0
               : -1;
}

static int
teardown(void **state)
{
    store_close(*state);
    return 0;
}

/* A turn; counts of -1 are not known. */
static void
say(struct store *s, int64_t in, int64_t out, int64_t cost)
{
    struct store_op b = op_begin("ann", "abc", "q");
    struct store_op e = op_end(&b.begin.turn, "a");

    b.begin.user.cost_micro = 1000000; /* questions cost nothing */
    e.end.answer.finish = FINISH_STOP;
    e.end.answer.input_tokens = in;
    e.end.answer.output_tokens = out;
    e.end.answer.cached_tokens = -1;
    e.end.answer.cost_micro = cost;
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(store_apply(s, &e), OK);
}

static void
all_that_is_known_is_added_up(void **state)
{
    struct store_op op = op_on(STORE_SESSION_PATCH, "ann", "abc");
    struct session sess;
    struct spent got;

    say(*state, 10, 2, 300);
    say(*state, -1, -1, -1);
    say(*state, 20, 3, 4000);
    assert_int_equal(spent_load(*state, "ann", "abc", &sess, &got), OK);
    assert_int_equal(sess.n_messages, 6);
    assert_int_equal(got.messages, 6);
    assert_int_equal(got.usage.input_tokens, 30);
    assert_int_equal(got.usage.output_tokens, 5);
    assert_int_equal(got.usage.cached_tokens, -1);
    assert_int_equal(got.cost_micro, 4300);
    op.patch.cost_micro = 50000; /* its title, its summaries */
    assert_int_equal(store_apply(*state, &op), OK);
    assert_int_equal(spent_load(*state, "ann", "abc", NULL, &got), OK);
    assert_int_equal(got.cost_micro, 54300);
}

static void
of_nothing_nothing_is_known(void **state)
{
    struct spent got;

    assert_int_equal(spent_load(*state, "ann", "abc", NULL, &got),
                     ERR_NOTFOUND);
    assert_int_equal(got.messages, 0);
    assert_int_equal(got.cost_micro, -1);
    assert_int_equal(got.usage.output_tokens, -1);
    say(*state, -1, -1, -1);
    assert_int_equal(spent_load(*state, "ann", "abc", NULL, &got), OK);
    assert_int_equal(got.messages, 2);
    assert_int_equal(got.cost_micro, -1);
    assert_int_equal(spent_load(*state, "bob", "abc", NULL, &got),
                     ERR_NOTFOUND);
}

/* The record of a message becomes one that cannot be read. */
static void
damage_message(const char *dir, uint64_t no, uint32_t seq)
{
    uint8_t key[KEY_MESSAGE_LEN];
    MDB_val k = {sizeof(key), key}, v = {1, (void *)"?"};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    key_message(key, no, seq);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "messages", 0, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void
what_cannot_be_read_to_its_end_is_not_a_part_of_it(void **state)
{
    char dir[256];
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    struct session sess;
    struct spent got;
    struct store *s;

    (void)state;
    folder_make(dir);
    assert_int_equal(store_open(&s, &c), OK);
    say(s, 10, 2, 300);
    say(s, 20, 3, 4000);
    assert_int_equal(store_session(s, "ann", "abc", &sess), OK);
    store_close(s);
    damage_message(dir, sess.no, 3);
    assert_int_equal(store_open(&s, &c), OK);
    log_set_level(LOG_ERROR + 1);
    assert_int_equal(spent_load(s, "ann", "abc", NULL, &got), ERR_STORE);
    log_set_level(LOG_ERROR);
    assert_int_equal(got.messages, 0);
    assert_int_equal(got.usage.input_tokens, -1);
    assert_int_equal(got.cost_micro, -1);
    store_close(s);
    folder_remove(dir);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(all_that_is_known_is_added_up),
        T(of_nothing_nothing_is_known),
        T(what_cannot_be_read_to_its_end_is_not_a_part_of_it),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
