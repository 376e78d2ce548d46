/*
 * Tests of chat/watch.c: who watches a session is woken when it changes here
 * or in another process, and told when the engine drains or ends.
 */
#include "chat_test.h"

#include "base/metric.h"
#include "chat/index.h"
#include "chat/watch.h"

static int
setup(void **state)
{
    (void)state;
    rig_folder();
    taps_start();
    return 0;
}

/* A watch that counts. It leaves when it is told to. */
struct spy {
    struct watch w; /* first */
    const char *session;
    atomic_int wakes, stops, drops;
    enum err err; /* of joining */
    bool joined;
    bool stays; /* when it is stopped */
};

static struct spy *
spy_of(struct watch *w)
{
    return (struct spy *)(void *)w;
}

static void
spy_leave(void *arg)
{
    struct spy *s = arg;

    if (s->joined)
        watch_leave(rig, &s->w);
    s->joined = false;
}

static void
on_wake(struct watch *w)
{
    (void)atomic_fetch_add(&spy_of(w)->wakes, 1);
}

static void
on_stop(struct watch *w)
{
    (void)atomic_fetch_add(&spy_of(w)->stops, 1);
    if (!spy_of(w)->stays)
        spy_leave(spy_of(w));
}

static void
on_drop(struct watch *w)
{
    (void)atomic_fetch_add(&spy_of(w)->drops, 1);
    spy_leave(spy_of(w));
}

static const struct watch_calls spy_calls = {on_wake, on_stop, on_drop};

static void
spy_join(void *arg)
{
    struct spy *s = arg;

    s->w.calls = &spy_calls;
    s->joined = true; /* it may be stopped at once */
    s->err = watch_join(rig, &s->w, s->session);
    if (s->err != OK)
        s->joined = false;
}

static void
spy_start(struct spy *s, const char *session)
{
    (void)memset(s, 0, sizeof(*s));
    s->session = session;
    engine_call(rig, spy_join, s);
}

static void
wait_for(atomic_int *n, int least)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;

    while (atomic_load(n) < least) {
        assert_true(clock_mono_ms() < until_ms);
        fake_sleep_ms(2);
    }
}

static void
title(struct store *s, const char *session, const char *text)
{
    struct store_op op = op_title("", session, text);

    op.patch.create = true;
    assert_int_equal(store_apply(s, &op), OK);
}

static void
who_watches_is_woken_by_each_change(void **state)
{
    struct store_op op;
    struct store *s;
    struct spy spy;

    (void)state;
    rig_start();
    s = engine_store(rig);
    spy_start(&spy, "s");
    assert_int_equal(spy.err, OK);
    title(s, "s", "one");
    wait_for(&spy.wakes, 1);
    (void)put_turn(s, "", "s", "q", "a");
    wait_for(&spy.wakes, 2);
    op = op_on(STORE_SESSION_CLEAR, "", "s");
    assert_int_equal(store_apply(s, &op), OK);
    wait_for(&spy.wakes, 3);
    op = op_on(STORE_SESSION_DELETE, "", "s");
    assert_int_equal(store_apply(s, &op), OK);
    wait_for(&spy.wakes, 4);
    engine_call(rig, spy_leave, &spy);
}

/* With one operation for both. */
static void
who_watches_what_is_given_away_is_woken(void **state)
{
    struct store_op op = op_on(STORE_SESSION_OWNER, "", NULL);
    struct spy one, other, last;
    struct store *s;

    (void)state;
    rig_start();
    s = engine_store(rig);
    title(s, "s", "one");
    title(s, "t", "one");
    spy_start(&one, "s");
    spy_start(&other, "t");
    spy_start(&last, "last");
    op.owner_change.to = "ann";
    op.owner_change.limit = 9;
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(op.owner_change.n, 2);
    wait_for(&one.wakes, 1);
    wait_for(&other.wakes, 1);
    assert_int_equal(store_apply(s, &op), OK); /* there are no more */
    title(s, "last", "one");
    wait_for(&last.wakes, 1);
    assert_int_equal(atomic_load(&one.wakes), 1);
    engine_call(rig, spy_leave, &one);
    engine_call(rig, spy_leave, &other);
    engine_call(rig, spy_leave, &last);
}

static bool
count_hits(void *arg, const struct search_hit *hits, size_t n)
{
    (void)hits;
    *(size_t *)arg += n;
    return true;
}

/* Until an owner's search finds so many messages. */
static void
wait_found(const char *owner, const char *word, size_t want)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    struct search_ask ask = {
        .owner = owner, .q = word, .q_len = strlen(word), .limit = 9};
    char next[SEARCH_CURSOR_MAX];
    size_t n = want + 1;
    bool whole;

    while (n != want && clock_mono_ms() < until_ms) {
        n = 0;
        assert_int_equal(index_query(engine_index(rig), &ask, 0, next,
                                     count_hits, &n, &whole),
                         OK);
        fake_sleep_ms(5);
    }
    assert_int_equal(n, want);
}

static void
the_words_of_what_is_given_away_follow(void **state)
{
    struct store_op op = op_on(STORE_SESSION_OWNER, "", NULL);

    (void)state;
    rig_start();
    (void)put_turn(engine_store(rig), "", "s", "walnut", "a");
    (void)put_turn(engine_store(rig), "", "t", "walnut", "a");
    wait_found("", "walnut", 2);
    op.owner_change.to = "ann";
    op.owner_change.limit = 9;
    assert_int_equal(store_apply(engine_store(rig), &op), OK);
    wait_found("ann", "walnut", 2);
    wait_found("", "walnut", 0);
}

static void
others_sessions_and_no_news_wake_nobody(void **state)
{
    struct store_op op = {.kind = STORE_PROBE, .owner = ""};
    struct spy spy, last;
    struct store *s;

    (void)state;
    rig_start();
    s = engine_store(rig);
    title(s, "s", "one");
    spy_start(&spy, "s");
    spy_start(&last, "another");
    title(s, "elsewhere", "one");
    assert_int_equal(store_apply(s, &op), OK);
    op = op_title("", "missing", "one");
    assert_int_equal(store_apply(s, &op), ERR_NOTFOUND);
    title(s, "another", "one");
    wait_for(&last.wakes, 1); /* what came before has been told */
    assert_int_equal(atomic_load(&spy.wakes), 0);
    engine_call(rig, spy_leave, &spy);
    title(s, "s", "two");
    title(s, "another", "two");
    wait_for(&last.wakes, 2);
    assert_int_equal(atomic_load(&spy.wakes), 0); /* it left */
    engine_call(rig, spy_leave, &last);
}

static void
all_who_watch_one_session_are_woken(void **state)
{
    struct spy spies[20];

    (void)state;
    rig_start();
    for (size_t i = 0; i < COUNT_OF(spies); i++)
        spy_start(&spies[i], i % 2 ? "s" : "t");
    title(engine_store(rig), "s", "one");
    title(engine_store(rig), "t", "one");
    for (size_t i = 0; i < COUNT_OF(spies); i++)
        wait_for(&spies[i].wakes, 1);
    assert_int_equal(metric_get(METRIC_READERS), COUNT_OF(spies));
    for (size_t i = 0; i < COUNT_OF(spies); i++)
        engine_call(rig, spy_leave, &spies[i]);
    assert_int_equal(metric_get(METRIC_READERS), 0);
}

/* --- another process ------------------------------------------------------ */

/* One that waits for the name of a folder and changes a session there; begun
 * before there is any thread. */
static struct {
    pid_t pid;
    int fd;
} changer;

static void
changer_start(void)
{
    int fds[2];

    if (pipe(fds) != 0)
        abort();
    changer.pid = fork();
    if (changer.pid < 0)
        abort();
    if (changer.pid == 0) {
        (void)close(fds[1]);
        if (read(fds[0], rig_dir, sizeof(rig_dir)) == sizeof(rig_dir)) {
            struct store *s = rig_store_open();

            title(s, "s", "theirs");
            store_close(s);
        }
        _exit(0);
    }
    (void)close(fds[0]);
    changer.fd = fds[1];
}

static void
a_change_in_another_process_wakes_too(void **state)
{
    struct session sess;
    struct spy spy;

    (void)state;
    rig_start();
    title(engine_store(rig), "s", "ours");
    spy_start(&spy, "s");
    assert_int_equal(write(changer.fd, rig_dir, sizeof(rig_dir)),
                     sizeof(rig_dir));
    assert_int_equal(child_wait(changer.pid), 0);
    wait_for(&spy.wakes, 1);
    sess = get_session(engine_store(rig), "", "s");
    assert_string_equal(sess.title, "theirs");
    engine_call(rig, spy_leave, &spy);
}

/* --- limits and ends ------------------------------------------------------ */

static void
there_are_no_more_than_streams(void **state)
{
    struct spy spies[3];

    (void)state;
    conf_override(CONF_MAX_STREAMS, "2");
    rig_start();
    for (size_t i = 0; i < COUNT_OF(spies); i++)
        spy_start(&spies[i], "s");
    assert_int_equal(spies[1].err, OK);
    assert_int_equal(spies[2].err, ERR_BUSY);
    engine_call(rig, spy_leave, &spies[0]);
    spy_start(&spies[2], "s");
    assert_int_equal(spies[2].err, OK);
    (void)whole_turn(0, "s", "tap 0", "a"); /* they take no turn's place */
    engine_call(rig, spy_leave, &spies[1]);
    engine_call(rig, spy_leave, &spies[2]);
}

static void
a_drain_tells_all_and_waits_for_them(void **state)
{
    struct spy spies[2];

    (void)state;
    rig_start();
    spy_start(&spies[0], "s");
    spy_start(&spies[1], "t");
    rig_stop(20000); /* returns when both have left */
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(atomic_load(&spies[i].stops), 1);
        assert_int_equal(atomic_load(&spies[i].drops), 0);
    }
    assert_int_equal(metric_get(METRIC_READERS), 0);
}

static void
who_does_not_leave_is_dropped(void **state)
{
    struct spy spy;

    (void)state;
    rig_start();
    spy_start(&spy, "s");
    spy.stays = true;
    rig_stop(0);
    assert_int_equal(atomic_load(&spy.stops), 1);
    assert_int_equal(atomic_load(&spy.drops), 1);
    assert_int_equal(metric_get(METRIC_READERS), 0);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(who_watches_is_woken_by_each_change),
        TEST(who_watches_what_is_given_away_is_woken),
        TEST(the_words_of_what_is_given_away_follow),
        TEST(others_sessions_and_no_news_wake_nobody),
        TEST(all_who_watch_one_session_are_woken),
        TEST(a_change_in_another_process_wakes_too),
        TEST(there_are_no_more_than_streams),
        TEST(a_drain_tells_all_and_waits_for_them),
        TEST(who_does_not_leave_is_dropped),
    };

    changer_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
