/*
 * How long idempotency keys are known, as the store's file has them. What they
 * are good for is in test_store.c and test_expiry.c.
 */
#include "raw_test.h"

#include "base/clock.h"
#include "store/key.h"
#include "store/record.h"

static char dir[256];
static struct store *s;

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
    open_store();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    store_close(s);
    s = NULL;
    folder_remove(dir);
    return 0;
}

/* --- behind its back ------------------------------------------------------ */

/* The store is closed. */
static void
plant(const uint8_t key[KEY_IDEM_LEN], const struct ident *turn,
      int64_t ends_ms)
{
    uint8_t record[RECORD_IDEM_MAX];
    MDB_val k = {KEY_IDEM_LEN, (void *)(uintptr_t)key};
    MDB_val v = {record_idem_write(record, turn, ends_ms), record};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi = raw_open(dir, &env, &txn, 0, "idem");

    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

/* A turn of session abc with this key. */
static struct ident
put_keyed(const char *key)
{
    struct store_op b = op_begin("", "abc", "q"), e;

    b.begin.idem_scope = "abc";
    b.begin.idem_key = key;
    assert_int_equal(store_apply(s, &b), OK);
    assert_false(b.begin.idem_hit);
    e = op_end(&b.begin.turn, "a");
    assert_int_equal(store_apply(s, &e), OK);
    return b.begin.turn;
}

static void
old_keys_are_forgotten(void **state)
{
    enum { OLD = 40 };
    uint8_t key[KEY_IDEM_LEN];
    struct ident turn = put_turn(s, "", "abc", "q", "a"), found;

    (void)state;
    store_close(s);
    for (int i = 0; i < OLD; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "k%d", i);
        key_idem(key, "", "abc", name);
        plant(key, &turn, 12345); /* in 1970 */
    }
    assert_int_equal(raw_entries(dir, "idem"), OLD);
    open_store();
    assert_int_equal(store_idem(s, "", "abc", "k0", &found), ERR_NOTFOUND);
    for (int i = 0; i < OLD; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "new%d", i);
        (void)put_keyed(name);
    }
    assert_int_equal(store_idem(s, "", "abc", "new0", &found), OK);
    store_close(s);
    assert_int_equal(raw_entries(dir, "idem"), OLD); /* the new ones */
    open_store();
}

/* When the key of a turn is forgotten, as the file has it. */
static int64_t
key_ends_ms(const uint8_t key[KEY_IDEM_LEN], struct ident *turn)
{
    MDB_val k = {KEY_IDEM_LEN, (void *)(uintptr_t)key}, v;
    int64_t ends_ms;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi = raw_open(dir, &env, &txn, MDB_RDONLY, "idem");

    assert_int_equal(mdb_get(txn, dbi, &k, &v), 0);
    assert_int_equal(record_idem_read(v.mv_data, v.mv_size, turn, &ends_ms),
                     OK);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return ends_ms;
}

static void
a_key_is_known_for_a_day(void **state)
{
    const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;
    uint8_t key[KEY_IDEM_LEN];
    int64_t begun_ms = clock_wall_ms(), ends_ms;
    struct ident first = put_keyed("k"), turn, found;

    (void)state;
    key_idem(key, "", "abc", "k");
    store_close(s);
    ends_ms = key_ends_ms(key, &turn);
    assert_true(ends_ms >= begun_ms + day_ms);
    assert_true(ends_ms <= clock_wall_ms() + day_ms);
    plant(key, &turn, clock_wall_ms() + day_ms / 24);
    open_store(); /* its last hour has begun */
    assert_int_equal(store_idem(s, "", "abc", "k", &found), OK);
    assert_true(ident_eq(&found, &first));
    store_close(s);
    plant(key, &turn, clock_wall_ms());
    open_store(); /* and is over: it makes another turn */
    assert_int_equal(store_idem(s, "", "abc", "k", &found), ERR_NOTFOUND);
    turn = put_keyed("k");
    assert_int_equal(store_idem(s, "", "abc", "k", &found), OK);
    assert_true(ident_eq(&found, &turn));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(old_keys_are_forgotten),
        TEST(a_key_is_known_for_a_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
