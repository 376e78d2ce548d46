/*
 * Tests of chat/sweep.c: what an engine finds over when it starts is deleted,
 * however much it is, whoever's it is; and nothing else.
 */
#include "chat_test.h"

#include "chat/sweep.h"

#define MANY (2 * SWEEP_DELETES + 50) /* more than go in two looks */

static int
setup(void **state)
{
    (void)state;
    rig_folder();
    taps_start();
    return 0;
}

static void
expire(struct store *s, const char *owner, const char *id, int64_t at_ms)
{
    struct store_op op = op_on(STORE_SESSION_PATCH, owner, id);

    op.patch.create = true;
    op.patch.now_ms = clock_wall_ms();
    op.patch.set_expires = true;
    op.patch.expires_ms = at_ms;
    assert_int_equal(store_apply(s, &op), OK);
}

static uint64_t
sessions_of(const char *owner)
{
    uint64_t n = 0;

    assert_int_equal(store_session_count(engine_store(rig), owner, &n), OK);
    return n;
}

/* Until so many are left, with those whose time is over. */
static void
wait_left(const char *owner, uint64_t n)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;

    while (sessions_of(owner) > n && clock_mono_ms() < until_ms)
        fake_sleep_ms(5);
    assert_int_equal(sessions_of(owner), n);
}

static void
what_is_over_is_deleted(void **state)
{
    struct store *s = rig_store_open();
    int64_t now_ms = clock_wall_ms();
    struct session sess;

    (void)state;
    (void)put_turn(s, "", "over", "q", "a");
    (void)put_turn(s, "", "stays", "q", "a");
    (void)put_turn(s, "", "later", "q", "a");
    (void)put_turn(s, "ann", "anns", "q", "a");
    (void)put_turn(s, "ann", "anns-too", "q", "a");
    expire(s, "", "over", 1);
    expire(s, "", "later", now_ms + 3600000);
    expire(s, "ann", "anns", 1);
    store_close(s);
    rig_start();
    wait_left("", 2);
    wait_left("ann", 1);
    s = engine_store(rig);
    assert_int_equal(store_session(s, "", "stays", &sess), OK);
    assert_int_equal(store_session(s, "", "later", &sess), OK);
    assert_int_equal(store_session(s, "ann", "anns-too", &sess), OK);
}

static void
a_time_to_live_is_swept_too(void **state)
{
    struct store *s = rig_store_open();
    struct session sess;

    (void)state;
    (void)put_turn(s, "", "idle", "q", "a"); /* in 1970 */
    (void)put_turn(s, "", "own", "q", "a");
    expire(s, "", "own", clock_wall_ms() + 3600000);
    expire(s, "", "new", 0);
    store_close(s);
    conf_override(CONF_SESSION_TTL, "3600");
    rig_start();
    wait_left("", 2);
    assert_int_equal(store_session(engine_store(rig), "", "own", &sess), OK);
    assert_int_equal(store_session(engine_store(rig), "", "new", &sess), OK);
}

/* Looks follow each other at once while there is much to do. */
static void
all_of_many_go_without_a_pause(void **state)
{
    struct store *s = rig_store_open();
    char id[40];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof(id), "over-%d", i);
        expire(s, "", id, 1);
        if (i % 50 != 0)
            continue;
        (void)snprintf(id, sizeof(id), "stays-%d", i);
        expire(s, "", id, 0);
    }
    store_close(s);
    rig_start();
    wait_left("", MANY / 50);
}

/* The streams of a session go with it. */
static void
nothing_of_it_can_be_followed(void **state)
{
    struct ident turn;
    struct record *rec;

    (void)state;
    rig_start();
    turn = whole_turn(0, "s", "tap 0", "first");
    expire(engine_store(rig), "", "s", 1);
    rig_stop(0);
    rig_start();
    wait_left("", 0);
    rig_settle();
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_refused(rec, ERR_NOTFOUND, "turn_not_found");
}

/* The engine may end in the middle of it. */
static void
an_end_at_once_does_no_harm(void **state)
{
    struct store *s = rig_store_open();
    char id[40];

    (void)state;
    for (int i = 0; i < 100; i++) {
        (void)snprintf(id, sizeof(id), "over-%d", i);
        expire(s, "", id, 1);
    }
    store_close(s);
    rig_start();
    rig_stop(0);
    rig_start();
    wait_left("", 0);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_over_is_deleted),
        TEST(a_time_to_live_is_swept_too),
        TEST(all_of_many_go_without_a_pause),
        TEST(nothing_of_it_can_be_followed),
        TEST(an_end_at_once_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
