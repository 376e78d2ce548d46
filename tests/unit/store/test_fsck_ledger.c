/*
 * Checking the ledger: what is wrong with reserves and with what stands for
 * them is found, and mended from the reserves.
 */
#include "store_test.h"

#include <lmdb.h>

#include "store/fsck.h"

static char dir[256];
static struct ident open_turn, ended_turn;

static struct ledger_charge ann = {
    LEDGER_OWNER, "local/ann", {.day_tokens = 1000}};

static int
sound_store(void **state)
{
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    struct store_op b, e;
    struct store *s;

    (void)state;
    folder_make(dir);
    assert_int_equal(store_open(&s, &c), OK);
    for (int i = 0; i < 2; i++) {
        b = op_begin("local/ann", i == 0 ? "one" : "two", "q");
        b.begin.reserve = (struct ledger_reserve){.charges = &ann,
                                                  .n = 1,
                                                  .owner = "local/ann",
                                                  .model = "openai/x",
                                                  .input_tokens = 1,
                                                  .tokens = 60,
                                                  .micro = 7};
        assert_int_equal(store_apply(s, &b), OK);
        if (i == 0) {
            e = op_end(&b.begin.turn, "a");
            e.end.spent = (struct ledger_spent){.owner = "local/ann",
                                                .model = "openai/x",
                                                .input_tokens = 3,
                                                .output_tokens = 2};
            assert_int_equal(store_apply(s, &e), OK);
            ended_turn = b.begin.turn;
        }
    }
    open_turn = b.begin.turn;
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

/* data NULL: away with it. */
static void
plant(const char *db, const void *key, size_t key_len, const void *data,
      size_t n)
{
    MDB_val k = {key_len, (void *)(uintptr_t)key};
    MDB_val v = {n, (void *)(uintptr_t)data};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
    assert_int_equal(mdb_env_set_mapsize(env, TEST_MAP), 0);
    assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, db, 0, &dbi), 0);
    assert_int_equal(data == NULL ? mdb_del(txn, dbi, &k, NULL)
                                  : mdb_put(txn, dbi, &k, &v, 0),
                     0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static char told[1024];

static void
tell(void *arg, const char *db, const char *key, const char *what, bool fixable)
{
    size_t n = strlen(told);

    (void)arg;
    (void)key;
    (void)snprintf(told + n, sizeof(told) - n, "%s %s%s|", db, what,
                   fixable ? "" : " (stays)");
}

static void
assert_faults(const char *want)
{
    struct fsck_config c = {
        .dir = dir, .map_bytes = TEST_MAP, .fault = tell, .repair = true};
    struct fsck_result r;

    told[0] = '\0';
    assert_int_equal(fsck_run(&c, &r), OK);
    assert_string_equal(told, want);
    assert_int_equal(r.left, 0);
}

static int64_t
open_turns_of_ann(void)
{
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    struct ledger_account a;
    struct ledger_query q = {
        .account = &a, .kind = LEDGER_OWNER, .name = "local/ann"};
    struct store *s;

    assert_int_equal(store_open(&s, &c), OK);
    assert_int_equal(store_ledger(s, &q), OK);
    store_close(s);
    assert_int_equal(a.standing.tokens, 60 * a.standing.open);
    return a.standing.open;
}

static void
a_sound_ledger_has_no_faults(void **state)
{
    (void)state;
    assert_faults("");
    assert_int_equal(open_turns_of_ann(), 1);
}

static void
a_standing_is_the_sum_of_its_reserves(void **state)
{
    struct ledger_standing wrong = {2, 120, 14};
    uint8_t key[LEDGER_KEY_MAX], record[LEDGER_SUMS_MAX];
    size_t n = ledger_key(key, LEDGER_OWNER, LEDGER_STANDING, "local/ann");

    (void)state;
    plant("ledger", key, n, record, ledger_standing_write(record, &wrong));
    assert_faults("ledger 1 turns have reserved 60 tokens|");
    assert_int_equal(open_turns_of_ann(), 1);
    plant("ledger", key, n, NULL, 0);
    assert_faults("ledger is not there, and turns have reserved|");
    assert_int_equal(open_turns_of_ann(), 1);
    n = ledger_key(key, LEDGER_KEY, LEDGER_STANDING, "k1");
    plant("ledger", key, n, record, ledger_standing_write(record, &wrong));
    assert_faults("ledger stands for turns that reserved nothing|");
}

static void
a_reserve_is_of_a_turn_that_goes_on(void **state)
{
    (void)state;
    plant("reserves", open_turn.b, 16, "?", 1);
    assert_faults("reserves cannot be decoded|"
                  "ledger stands for turns that reserved nothing|");
    assert_int_equal(open_turns_of_ann(), 0);
}

static void
what_has_ended_reserves_nothing(void **state)
{
    struct ledger_reserve r = {
        .charges = &ann, .n = 1, .owner = "local/ann", .model = "openai/x"};
    struct process p = {1, 1};
    uint8_t record[LEDGER_RESERVE_MAX];

    (void)state;
    plant("reserves", ended_turn.b, 16, record,
          ledger_reserve_write(record, &r, &p, 1));
    assert_faults("reserves is of a turn that has ended|");
    assert_int_equal(open_turns_of_ann(), 1);
}

static void
other_records_have_to_be_readable(void **state)
{
    uint8_t key[LEDGER_KEY_MAX];
    size_t n = ledger_row_key(key, 20261121, "local/ann", "openai/x");

    (void)state;
    plant("ledger", key, n, "?", 1);
    plant("ledger", "x", 1, "?", 1);
    assert_faults("ledger cannot be decoded|ledger the key is of no account|");
}

#define STORE(t) cmocka_unit_test_setup_teardown(t, sound_store, remove_store)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE(a_sound_ledger_has_no_faults),
        STORE(a_standing_is_the_sum_of_its_reserves),
        STORE(a_reserve_is_of_a_turn_that_goes_on),
        STORE(what_has_ended_reserves_nothing),
        STORE(other_records_have_to_be_readable),
    };

    log_set_level(LOG_ERROR + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
