/*
 * Tests of chat/erase.c: what is taken away is gone for everybody: from the
 * store, from the log of streams, from memory; and nothing else is.
 */
#include "chat_test.h"

#include "chat/cache.h"
#include "chat/erase.h"

static enum err
erase_session(const char *id)
{
    return erase(rig, "", id, 0, ERASE_SESSION, NULL);
}

static void
assert_no_session(const char *id)
{
    struct session s;

    assert_int_equal(store_session(engine_store(rig), "", id, &s),
                     ERR_NOTFOUND);
}

/* Nobody can follow it. */
static void
assert_no_stream(const struct ident *turn)
{
    struct record *rec = follow(turn, 0);

    record_wait_done(rec);
    assert_refused(rec, ERR_NOTFOUND, "turn_not_found");
}

struct there {
    struct ident turn;
    bool yes;
};

static void
look_stream(void *arg)
{
    struct there *there = arg;
    struct stream_head head;

    there->yes = streamlog_head(rig->log, &there->turn, &head) == OK;
}

/* What the log has goes with the next pass over its streams. */
static void
assert_not_logged(const struct ident *turn)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    struct there there = {*turn, true};

    while (there.yes && clock_mono_ms() < until_ms) {
        engine_call(rig, look_stream, &there);
        if (there.yes)
            fake_sleep_ms(5);
    }
    assert_false(there.yes);
}

static void
expire(const char *id)
{
    struct store_op op = op_on(STORE_SESSION_PATCH, "", id);

    op.patch.set_expires = true;
    op.patch.expires_ms = 1;
    assert_int_equal(store_apply(engine_store(rig), &op), OK);
}

/* --- sessions ------------------------------------------------------------- */

static void
a_session_goes_with_its_streams(void **state)
{
    struct ident one, two, other;
    struct record *rec;

    (void)state;
    one = whole_turn(0, "s", "tap 0", "first");
    two = whole_turn(1, "s", "tap 1", "second");
    other = whole_turn(2, "kept", "tap 2", "third");
    assert_int_equal(erase_session("s"), OK);
    assert_no_session("s");
    assert_no_stream(&one);
    assert_no_stream(&two);
    assert_not_logged(&one);
    assert_not_logged(&two);
    assert_stored("kept", "user:tap 2|assistant:third(stop)|");
    rec = follow(&other, 0);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(erase_session("s"), ERR_NOTFOUND);
}

static void
every_branch_goes(void **state)
{
    struct ident first, beside;
    struct turn_ask *a;
    struct record *rec;

    (void)state;
    first = whole_turn(0, "s", "tap 0", "first");
    a = ask_new(&tap_provider, "s", "tap 1");
    a->parent = STORE_HEAD;
    a->root = true;
    a->loaded = true;
    a->expect_messages = UINT32_MAX;
    tap_text(1, "beside");
    tap_finish(1, FINISH_STOP);
    rec = ask_it(a);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    beside = rec->turn;
    assert_stored("s", "user:tap 1|assistant:beside(stop)|");
    assert_int_equal(erase_session("s"), OK);
    assert_not_logged(&first);
    assert_not_logged(&beside);
}

/* It may be there, but not for him: that reads as if it were not. */
static void
what_is_anothers_is_not_there(void **state)
{
    static const enum erase_what whats[] = {ERASE_SESSION, ERASE_EXPIRED,
                                            ERASE_MESSAGES};
    struct ident turn;

    (void)state;
    turn = whole_turn(0, "s", "tap 0", "mine");
    for (size_t i = 0; i < COUNT_OF(whats); i++) {
        assert_int_equal(erase(rig, "mallory", "s", 0, whats[i], NULL),
                         ERR_NOTFOUND);
        assert_int_equal(erase(rig, "mallory", "nothing", 0, whats[i], NULL),
                         ERR_NOTFOUND);
    }
    assert_stored("s", "user:tap 0|assistant:mine(stop)|");
    record_wait_done(follow(&turn, 0));
    assert_whole(records, EVENT_COMPLETE, 0);
}

static void
only_the_session_that_was_meant(void **state)
{
    struct session old, now;

    (void)state;
    (void)whole_turn(0, "s", "tap 0", "first");
    old = get_session(engine_store(rig), "", "s");
    assert_int_equal(erase_session("s"), OK);
    (void)whole_turn(1, "s", "tap 1", "second");
    now = get_session(engine_store(rig), "", "s");
    assert_true(now.no != old.no);
    assert_int_equal(erase(rig, "", "s", old.no, ERASE_SESSION, NULL),
                     ERR_NOTFOUND);
    assert_stored("s", "user:tap 1|assistant:second(stop)|");
    assert_int_equal(erase(rig, "", "s", now.no, ERASE_SESSION, NULL), OK);
    assert_no_session("s");
}

/* --- while turns run ------------------------------------------------------ */

static void
a_turn_that_runs_is_ended(void **state)
{
    struct record *rec, *waits, *late;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_text(0, "never whole");
    record_wait_events(rec, 2);
    (void)pthread_mutex_lock(&rec->mu);
    rec->store = NULL; /* the store will not have its answer */
    (void)pthread_mutex_unlock(&rec->mu);
    waits = ask_tap("s", "tap 1"); /* behind it */
    record_wait_attached(waits);
    assert_int_equal(erase_session("s"), OK);
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_end_has(rec, "\"code\":\"session_deleted\"");
    record_wait_done(waits);
    assert_refused(waits, ERR_CONFLICT, "cancelled");
    assert_not_logged(&rec->turn);
    assert_no_stream(&rec->turn);
    late = follow(&rec->turn, rec->notes[rec->n - 1].seq);
    record_wait_done(late);
    assert_refused(late, ERR_NOTFOUND, "turn_not_found");
    assert_no_session("s");
}

static void
a_turn_of_another_session_goes_on(void **state)
{
    struct record *rec;

    (void)state;
    (void)whole_turn(0, "s", "tap 0", "first");
    rec = ask_tap("kept", "tap 1");
    tap_text(1, "still ");
    record_wait_events(rec, 2);
    assert_int_equal(erase_session("s"), OK);
    tap_text(1, "here");
    tap_finish(1, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_stored("kept", "user:tap 1|assistant:still here(stop)|");
}

/* --- messages ------------------------------------------------------------- */

static void
messages_go_and_the_session_stays(void **state)
{
    struct store_op op = op_on(STORE_SESSION_PATCH, "", "s");
    struct ident turn;
    struct session s;

    (void)state;
    turn = whole_turn(0, "s", "tap 0", "first");
    op.patch.title = "Named";
    op.patch.titled = true;
    assert_int_equal(store_apply(engine_store(rig), &op), OK);
    assert_int_equal(erase(rig, "", "s", 0, ERASE_MESSAGES, NULL), OK);
    s = get_session(engine_store(rig), "", "s");
    assert_int_equal(s.n_messages, 0);
    assert_string_equal(s.title, "Named");
    assert_stored("s", "");
    assert_not_logged(&turn);
    (void)whole_turn(1, "s", "tap 1", "second");
    assert_stored("s", "user:tap 1|assistant:second(stop)|");
}

static void
messages_stay_while_a_turn_runs(void **state)
{
    struct record *rec;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_text(0, "still ");
    record_wait_events(rec, 2);
    assert_int_equal(erase(rig, "", "s", 0, ERASE_MESSAGES, NULL),
                     ERR_CONFLICT);
    tap_text(0, "here");
    tap_finish(0, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_stored("s", "user:tap 0|assistant:still here(stop)|");
}

/* --- sessions whose time is over ------------------------------------------ */

static void
only_what_is_over_goes_as_expired(void **state)
{
    struct ident turn;

    (void)state;
    turn = whole_turn(0, "s", "tap 0", "first");
    assert_int_equal(erase(rig, "", "s", 0, ERASE_EXPIRED, NULL), ERR_CONFLICT);
    assert_stored("s", "user:tap 0|assistant:first(stop)|");
    expire("s");
    assert_no_session("s");
    assert_int_equal(erase_session("s"), ERR_NOTFOUND);
    assert_int_equal(erase(rig, "", "s", 0, ERASE_EXPIRED, NULL), OK);
    assert_int_equal(erase(rig, "", "s", 0, ERASE_EXPIRED, NULL), ERR_NOTFOUND);
    assert_not_logged(&turn);
    assert_no_stream(&turn);
}

/* A message to one makes a new one of the same id. */
static void
what_is_over_makes_room(void **state)
{
    struct ident old;
    struct record *rec;
    struct session was, now;

    (void)state;
    old = whole_turn(0, "s", "tap 0", "first");
    was = get_session(engine_store(rig), "", "s");
    expire("s");
    rec = ask_tap("s", "tap 1");
    /* The provider is asked while the question is stored, and asked again
     * when there is room: only the second request is to be answered. */
    record_wait_events(rec, 1);
    tap_text(1, "second");
    tap_finish(1, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_stored("s", "user:tap 1|assistant:second(stop)|");
    now = get_session(engine_store(rig), "", "s");
    assert_true(now.no != was.no);
    assert_int_equal(now.expires_ms, 0);
    assert_not_logged(&old);
}

/* --- answers known by heart ----------------------------------------------- */

static void
look_cache(void *arg)
{
    *(size_t *)arg = cache_bytes(rig->cache);
}

static void
fill_cache(void *arg)
{
    static const uint8_t key[DIGEST_LEN] = {1};
    struct kept k;

    (void)arg;
    kept_init(&k);
    buf_adds(&k.bytes, "an answer");
    cache_put(rig->cache, key, &k, loop_now_ms(rig->loop));
    kept_release(&k);
}

static int
setup_cache(void **state)
{
    (void)state;
    rig_folder();
    conf_override(CONF_CACHE_TTL_S, "600");
    taps_start();
    rig_start();
    return 0;
}

static void
no_answer_is_remembered(void **state)
{
    size_t bytes = 0;

    (void)state;
    (void)whole_turn(0, "s", "tap 0", "first");
    engine_call(rig, fill_cache, NULL);
    engine_call(rig, look_cache, &bytes);
    assert_true(bytes > 0);
    assert_int_equal(erase_session("s"), OK);
    engine_call(rig, look_cache, &bytes);
    assert_int_equal(bytes, 0);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_session_goes_with_its_streams),
        TEST(every_branch_goes),
        TEST(what_is_anothers_is_not_there),
        TEST(only_the_session_that_was_meant),
        TEST(a_turn_that_runs_is_ended),
        TEST(a_turn_of_another_session_goes_on),
        TEST(messages_go_and_the_session_stays),
        TEST(messages_stay_while_a_turn_runs),
        TEST(only_what_is_over_goes_as_expired),
        TEST(what_is_over_makes_room),
        cmocka_unit_test_setup_teardown(no_answer_is_remembered, setup_cache,
                                        rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
