/* The stream log in one process: what goes in, what comes out, what goes. */
#include "store_test.h"

#include "base/clock.h"
#include "store/streamlog.h"

#define GRACE_MS 1000

static char dir[256];
static struct streamlog *log_of;

static void
open_log(size_t map_max)
{
    struct streamlog_config c = {
        .dir = dir, .map_max = map_max, .grace_ms = GRACE_MS};

    assert_int_equal(streamlog_open(&log_of, &c), OK);
}

static int
setup(void **state)
{
    (void)state;
    folder_make(dir);
    open_log((size_t)64 * 1024 * 1024);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    streamlog_close(log_of);
    folder_remove(dir);
    return 0;
}

static struct stream_head
head_of(const char *session)
{
    struct stream_head h = {.process = process_self(), .begun_ms = 500};

    (void)snprintf(h.session_id, sizeof(h.session_id), "%s", session);
    (void)snprintf(h.owner, sizeof(h.owner), "ann");
    (void)snprintf(h.provider, sizeof(h.provider), "offline");
    (void)snprintf(h.model, sizeof(h.model), "small");
    h.answer_message = ident_v7();
    return h;
}

static struct ident
begin_stream(void)
{
    struct ident turn = ident_v7();
    struct stream_head h = head_of("abc");

    assert_int_equal(streamlog_put_head(log_of, &turn, &h), OK);
    return turn;
}

static enum err
append(const struct ident *turn, uint32_t seq, const char *text)
{
    return streamlog_append(log_of, turn, seq, EVENT_CHUNK, text, strlen(text));
}

static void
end_stream(const struct ident *turn, int64_t ended_ms)
{
    struct stream_head h = head_of("abc");

    h.ended = true;
    h.ended_ms = ended_ms;
    assert_int_equal(streamlog_put_head(log_of, turn, &h), OK);
}

/* How many events a stream has; they must count from 1 without a gap. */
static uint32_t
count_events(const struct ident *turn)
{
    struct event e;
    uint32_t n = 0;

    while (streamlog_next(log_of, turn, n, &e) == OK) {
        assert_int_equal(e.seq, n + 1);
        n++;
    }
    return n;
}

/* --- in and out ---------------------------------------------------------- */

static void
events_come_out_in_order(void **state)
{
    struct ident a, b;
    struct event e;
    struct stream_head h;

    (void)state;
    a = begin_stream();
    b = begin_stream();
    for (uint32_t i = 1; i <= 300; i++) {
        char text[16];

        (void)snprintf(text, sizeof(text), "e%u", i);
        assert_int_equal(append(i % 2 == 0 ? &a : &b, (i + 1) / 2, text), OK);
    }
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_int_equal(count_events(&a), 150);
    assert_int_equal(count_events(&b), 150);
    assert_int_equal(streamlog_next(log_of, &a, 149, &e), OK);
    assert_int_equal(e.seq, 150);
    assert_int_equal(e.type, EVENT_CHUNK);
    assert_int_equal(e.len, 4);
    assert_memory_equal(e.data, "e300", 4);
    assert_int_equal(streamlog_next(log_of, &a, 150, &e), ERR_NOTFOUND);
    assert_int_equal(streamlog_next(log_of, &a, UINT32_MAX, &e), ERR_NOTFOUND);
    assert_int_equal(streamlog_last(log_of, &a, &e), OK);
    assert_int_equal(e.seq, 150);
    assert_int_equal(streamlog_last(log_of, &b, &e), OK);
    assert_memory_equal(e.data, "e299", 4);
    assert_int_equal(streamlog_head(log_of, &a, &h), OK);
    assert_string_equal(h.session_id, "abc");
    assert_string_equal(h.owner, "ann");
    assert_string_equal(h.provider, "offline");
    assert_string_equal(h.model, "small");
    assert_false(h.ended);
    assert_int_equal(h.process.pid, getpid());
    end_stream(&a, 900);
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_int_equal(streamlog_head(log_of, &a, &h), OK);
    assert_true(h.ended);
    assert_int_equal(h.ended_ms, 900);
}

static void
a_stream_that_is_not_there_has_nothing(void **state)
{
    struct ident a, none = ident_v7();
    struct stream_head h;
    struct event e;

    (void)state;
    assert_int_equal(streamlog_next(log_of, &none, 0, &e), ERR_NOTFOUND);
    assert_int_equal(streamlog_last(log_of, &none, &e), ERR_NOTFOUND);
    a = begin_stream(); /* after it in order */
    assert_int_equal(append(&a, 1, "x"), OK);
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_int_equal(streamlog_head(log_of, &none, &h), ERR_NOTFOUND);
    assert_int_equal(streamlog_next(log_of, &none, 0, &e), ERR_NOTFOUND);
    assert_int_equal(streamlog_last(log_of, &none, &e), ERR_NOTFOUND);
    assert_int_equal(streamlog_commit(log_of), OK);
}

static void
an_append_is_seen_after_the_commit(void **state)
{
    struct ident a = begin_stream();
    struct event e;
    uint64_t before;

    (void)state;
    assert_int_equal(streamlog_commit(log_of), OK);
    before = streamlog_txnid(log_of);
    assert_int_equal(append(&a, 1, "x"), OK);
    assert_int_equal(streamlog_next(log_of, &a, 0, &e), ERR_NOTFOUND);
    assert_true(streamlog_txnid(log_of) == before);
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_true(streamlog_txnid(log_of) != before);
    assert_int_equal(streamlog_next(log_of, &a, 0, &e), OK);
    before = streamlog_txnid(log_of);
    assert_int_equal(streamlog_commit(log_of), OK); /* of nothing */
    assert_true(streamlog_txnid(log_of) == before);
}

static void
a_seq_is_used_once(void **state)
{
    struct ident a = begin_stream();
    struct event e;

    (void)state;
    assert_int_equal(append(&a, 1, "first"), OK);
    assert_int_equal(append(&a, 1, "again"), ERR_CONFLICT);
    assert_int_equal(append(&a, 2, "second"), OK);
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_int_equal(count_events(&a), 2);
    assert_int_equal(streamlog_next(log_of, &a, 0, &e), OK);
    assert_memory_equal(e.data, "first", 5);
}

static void
an_empty_event_and_a_long_one(void **state)
{
    static char big[STORE_TEXT_MAX];
    struct ident a = begin_stream();
    struct event e;

    (void)state;
    memset(big, 'b', sizeof(big));
    assert_int_equal(append(&a, 1, ""), OK);
    assert_int_equal(
        streamlog_append(log_of, &a, 2, EVENT_COMPLETE, big, sizeof(big)), OK);
    assert_int_equal(
        streamlog_append(log_of, &a, 3, EVENT_COMPLETE, big, 3 * sizeof(big)),
        ERR_TOOBIG);
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_int_equal(streamlog_next(log_of, &a, 0, &e), OK);
    assert_int_equal(e.len, 0);
    assert_int_equal(streamlog_next(log_of, &a, 1, &e), OK);
    assert_int_equal(e.type, EVENT_COMPLETE);
    assert_int_equal(e.len, sizeof(big));
    assert_memory_equal(e.data, big, sizeof(big));
}

static void
a_log_is_there_after_closing(void **state)
{
    struct ident a = begin_stream();

    (void)state;
    assert_int_equal(append(&a, 1, "x"), OK);
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_int_equal(append(&a, 2, "never committed"), OK);
    streamlog_close(log_of);
    open_log((size_t)64 * 1024 * 1024);
    assert_int_equal(count_events(&a), 1);
}

/* --- growth and its end -------------------------------------------------- */

static void
growth_loses_nothing(void **state)
{
    struct ident turns[20];
    struct streamlog_stats st;
    char text[1001];

    (void)state;
    memset(text, 'g', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < COUNT_OF(turns); i++)
        turns[i] = begin_stream();
    /* One transaction of 10 MB in a map of 1 MiB. */
    for (uint32_t seq = 1; seq <= 500; seq++)
        for (size_t i = 0; i < COUNT_OF(turns); i++)
            assert_int_equal(append(&turns[i], seq, text), OK);
    assert_int_equal(streamlog_commit(log_of), OK);
    for (size_t i = 0; i < COUNT_OF(turns); i++)
        assert_int_equal(count_events(&turns[i]), 500);
    streamlog_stats(log_of, &st);
    assert_true(st.map_bytes >= 10 * 1000 * 1000);
    assert_int_equal(st.appends, 10000);
}

/* Fill the log with one stream, a commit for every tenth event; returns how
 * many events it took. The last commit is after the failure. */
static uint32_t
fill(const struct ident *turn)
{
    char text[501];
    uint32_t seq = 1;
    enum err e;

    memset(text, 'f', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    while ((e = append(turn, seq, text)) == OK) {
        if (seq % 10 == 0)
            assert_int_equal(streamlog_commit(log_of), OK);
        assert_true(seq++ < 100000);
    }
    assert_int_equal(e, ERR_FULL);
    assert_int_equal(append(turn, seq, "x"), ERR_FULL);
    assert_int_equal(streamlog_commit(log_of), OK);
    return seq - 1;
}

static void
a_full_log_says_so_and_keeps_what_it_has(void **state)
{
    struct ident a, b;
    struct streamlog_stats st;
    uint32_t n;

    (void)state;
    streamlog_close(log_of);
    open_log((size_t)2 * 1024 * 1024);
    a = begin_stream();
    n = fill(&a);
    assert_true(n > 1000);
    assert_int_equal(count_events(&a), n);
    streamlog_stats(log_of, &st);
    assert_true(st.map_bytes <= 2 * 1024 * 1024);
    /* Dropping works in a full log, and room comes of it. */
    streamlog_rest(log_of);
    assert_int_equal(streamlog_drop(log_of, &a), OK);
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_int_equal(count_events(&a), 0);
    (void)usleep(150 * 1000); /* room is not looked for all the time */
    b = begin_stream();
    assert_true(fill(&b) > n / 2);
}

static void
ended_streams_make_room_before_their_time(void **state)
{
    struct ident first, turn;
    struct stream_head h;
    struct streamlog_stats st;
    char text[1001];

    (void)state;
    streamlog_close(log_of);
    open_log((size_t)2 * 1024 * 1024);
    memset(text, 't', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    first = turn = begin_stream();
    for (int i = 0; i < 200; i++) { /* 20 MB through 2 MiB */
        for (uint32_t seq = 1; seq <= 100; seq++)
            assert_int_equal(append(&turn, seq, text), OK);
        end_stream(&turn, clock_wall_ms());
        assert_int_equal(streamlog_commit(log_of), OK);
        assert_int_equal(count_events(&turn), 100);
        streamlog_rest(log_of);
        turn = begin_stream();
    }
    assert_int_equal(streamlog_head(log_of, &first, &h), ERR_NOTFOUND);
    streamlog_stats(log_of, &st);
    assert_true(st.drops > 100);
    assert_false(streamlog_others(log_of)); /* nobody else was here */
}

/* --- sweeping ------------------------------------------------------------ */

static void
the_sweep_drops_what_ended_long_ago(void **state)
{
    struct ident old[10], running, recent;
    struct stream_head h;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(old); i++) {
        old[i] = begin_stream();
        assert_int_equal(append(&old[i], 1, "x"), OK);
        end_stream(&old[i], 10000);
    }
    running = begin_stream();
    assert_int_equal(append(&running, 1, "x"), OK);
    recent = begin_stream();
    end_stream(&recent, 10000 + GRACE_MS);
    assert_int_equal(streamlog_commit(log_of), OK);

    assert_int_equal(streamlog_sweep(log_of, 10000 + GRACE_MS, 100), 0);
    assert_int_equal(streamlog_sweep(log_of, 10001 + GRACE_MS, 3), 3);
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_int_equal(streamlog_head(log_of, &old[2], &h), ERR_NOTFOUND);
    assert_int_equal(streamlog_head(log_of, &old[3], &h), OK);
    for (int i = 0; i < 20; i++) {
        n += streamlog_sweep(log_of, 10001 + GRACE_MS, 3);
        assert_int_equal(streamlog_commit(log_of), OK);
    }
    assert_int_equal(n, 7);
    for (size_t i = 0; i < COUNT_OF(old); i++)
        assert_int_equal(count_events(&old[i]), 0);
    assert_int_equal(count_events(&running), 1);
    assert_int_equal(streamlog_head(log_of, &recent, &h), OK);
}

static void
a_sweep_of_a_long_stream_is_done_in_steps(void **state)
{
    struct ident a = begin_stream(), b;
    struct stream_head h;
    struct streamlog_stats before, after;

    (void)state;
    for (uint32_t seq = 1; seq <= 10000; seq++)
        assert_int_equal(append(&a, seq, "x"), OK);
    end_stream(&a, 1);
    b = begin_stream();
    assert_int_equal(append(&b, 1, "x"), OK);
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_int_equal(streamlog_sweep(log_of, 100000, 8), 1);
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_int_equal(streamlog_head(log_of, &a, &h), ERR_NOTFOUND);
    streamlog_stats(log_of, &before);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(streamlog_sweep(log_of, 100000, 8), 0);
        assert_int_equal(streamlog_commit(log_of), OK);
    }
    streamlog_stats(log_of, &after);
    assert_true(after.commits > before.commits + 2);
    assert_true(after.commits < before.commits + 8);
    assert_int_equal(count_events(&a), 0);
    assert_int_equal(count_events(&b), 1);
}

static void
a_dropped_stream_is_gone(void **state)
{
    struct ident a = begin_stream(), b = begin_stream();

    (void)state;
    for (uint32_t seq = 1; seq <= 500; seq++) {
        assert_int_equal(append(&a, seq, "x"), OK);
        assert_int_equal(append(&b, seq, "x"), OK);
    }
    assert_int_equal(streamlog_drop(log_of, &a), OK); /* not committed yet */
    assert_int_equal(append(&b, 501, "x"), OK);
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_int_equal(count_events(&a), 0);
    assert_int_equal(count_events(&b), 501);
}

/* A long run in a small log: pages are used again, the file stays small. */
static void
the_log_does_not_grow_for_ever(void **state)
{
    struct streamlog_stats st;
    struct ident turn;
    int64_t now = 10000;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        turn = begin_stream();
        for (uint32_t seq = 1; seq <= 20; seq++)
            assert_int_equal(append(&turn, seq, "some words of text"), OK);
        end_stream(&turn, now);
        (void)streamlog_sweep(log_of, now, 16);
        assert_int_equal(streamlog_commit(log_of), OK);
        assert_int_equal(count_events(&turn), 20);
        streamlog_rest(log_of);
        now += GRACE_MS / 20;
    }
    streamlog_stats(log_of, &st);
    assert_true(st.map_bytes <= 2 * 1024 * 1024);
    assert_true(st.drops > 2900);
}

/* Random work in a small log: whatever is full, what was accepted of a
 * running stream is there, and an ended one is whole or gone. */
static void
a_random_walk_loses_nothing(void **state)
{
    enum { STREAMS = 40 };
    static char text[60000];
    struct ident turns[STREAMS];
    uint32_t events[STREAMS] = {0};
    unsigned seed = 99, full = 0;

    (void)state;
    streamlog_close(log_of);
    open_log((size_t)2 * 1024 * 1024);
    memset(text, 'r', sizeof(text));
    for (int i = 0; i < STREAMS; i++)
        turns[i] = begin_stream();
    for (int step = 0; step < 60000; step++) {
        unsigned k, what;
        size_t n;
        enum err e;

        seed = seed * 1103515245 + 12345;
        k = (seed >> 16) % STREAMS;
        what = (seed >> 8) % 256;
        n = what == 0 ? sizeof(text) : what < 20 ? 3000 : what;
        e = streamlog_append(log_of, &turns[k], events[k] + 1, EVENT_CHUNK,
                             text, n);
        assert_true(e == OK || e == ERR_FULL);
        events[k] += e == OK;
        full += e == ERR_FULL;
        if (events[k] > 20 + what) {
            struct stream_head h = head_of("abc");

            h.ended = true;
            h.ended_ms = step;
            if (streamlog_put_head(log_of, &turns[k], &h) == OK) {
                struct ident fresh = ident_v7();

                assert_int_equal(streamlog_commit(log_of), OK);
                n = count_events(&turns[k]);
                assert_true(n == events[k]);
                streamlog_rest(log_of);
                h.ended = false;
                while (streamlog_put_head(log_of, &fresh, &h) != OK)
                    (void)usleep(110 * 1000); /* then the ended one goes */
                turns[k] = fresh;
                events[k] = 0;
            }
        }
        if (step % 5000 == 4999)
            (void)streamlog_sweep(log_of, step, 8);
        if (what % 8 == 0)
            assert_int_equal(streamlog_commit(log_of), OK);
        if (full >= 500) {
            (void)usleep(110 * 1000);
            full = 0;
        }
    }
    assert_int_equal(streamlog_commit(log_of), OK);
    for (int i = 0; i < STREAMS; i++)
        assert_int_equal(count_events(&turns[i]), events[i]);
}

static void
a_walk_finds_each_stream_once(void **state)
{
    struct ident turns[5], at = {{0}};
    struct stream_head h;
    int seen = 0;

    (void)state;
    assert_int_equal(streamlog_after(log_of, &at, &h), ERR_NOTFOUND);
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        turns[i] = begin_stream();
        assert_int_equal(append(&turns[i], 1, "a"), OK);
        assert_int_equal(append(&turns[i], 2, "b"), OK);
    }
    end_stream(&turns[3], 700);
    assert_int_equal(streamlog_commit(log_of), OK);
    while (streamlog_after(log_of, &at, &h) == OK) {
        size_t i = 0;

        while (i < COUNT_OF(turns) && !ident_eq(&at, &turns[i]))
            i++;
        assert_in_range(i, 0, COUNT_OF(turns) - 1);
        assert_int_equal(seen & 1 << i, 0);
        seen |= 1 << i;
        assert_int_equal(h.ended, i == 3);
        assert_string_equal(h.session_id, "abc");
        if (i == 1) /* what is dropped on the way is no hindrance */
            assert_int_equal(streamlog_drop(log_of, &at), OK);
    }
    assert_int_equal(seen, (1 << COUNT_OF(turns)) - 1);
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_int_equal(streamlog_head(log_of, &turns[1], &h), ERR_NOTFOUND);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(events_come_out_in_order),
        T(a_stream_that_is_not_there_has_nothing),
        T(an_append_is_seen_after_the_commit),
        T(a_seq_is_used_once),
        T(an_empty_event_and_a_long_one),
        T(a_log_is_there_after_closing),
        T(growth_loses_nothing),
        T(a_walk_finds_each_stream_once),
        T(a_full_log_says_so_and_keeps_what_it_has),
        T(ended_streams_make_room_before_their_time),
        T(the_sweep_drops_what_ended_long_ago),
        T(a_sweep_of_a_long_stream_is_done_in_steps),
        T(a_dropped_stream_is_gone),
        T(the_log_does_not_grow_for_ever),
        T(a_random_walk_loses_nothing),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
