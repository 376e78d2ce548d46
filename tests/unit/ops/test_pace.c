/* Tests of ops/pace.c. */
#include "ops_test.h"

#include "base/buf.h"
#include "ops/pace.h"

#define BEGAN_MS 1000000 /* our clock when the server's says 0 */

/* Feed the events that were sent each 100 ms at the given times of ours. */
static enum pace_end
arrived(const int *came_ms, int n, int of)
{
    int64_t sent_ms, took_ms;
    enum pace_end end;
    struct pace p;

    pace_init(&p);
    for (int i = 0; i < n; i++) {
        char event[160];
        int len = snprintf(event, sizeof(event),
                           "id: %d\nevent: probe\ndata: {\"type\":\"probe\","
                           "\"n\":%d,\"of\":%d,\"ms\":%d}\n\n",
                           i + 1, i + 1, of, i * 100);

        assert_true(pace_feed(&p, event, (size_t)len, BEGAN_MS + came_ms[i]) ==
                    OK);
    }
    end = pace_judge(&p, &sent_ms, &took_ms);
    if (end != PACE_SHORT) {
        assert_true(sent_ms == (n - 1) * 100);
        assert_true(took_ms == came_ms[n - 1] - came_ms[0]);
    }
    pace_release(&p);
    return end;
}

#define ARRIVED(of, ...)                \
    arrived((const int[]){__VA_ARGS__}, \
            (int)COUNT_OF(((const int[]){__VA_ARGS__})), of)

static void
what_comes_as_it_was_sent_is_even(void **state)
{
    (void)state;
    assert_int_equal(ARRIVED(5, 0, 100, 200, 300, 400), PACE_EVEN);
    /* However long the way is, */
    assert_int_equal(ARRIVED(5, 900, 1000, 1100, 1200, 1300), PACE_EVEN);
    /* and however it shakes a little. */
    assert_int_equal(ARRIVED(5, 30, 100, 290, 300, 480), PACE_EVEN);
}

static void
what_comes_at_once_is_a_burst(void **state)
{
    (void)state;
    assert_int_equal(ARRIVED(5, 400, 400, 400, 400, 400), PACE_BURST);
    assert_int_equal(ARRIVED(5, 400, 410, 420, 430, 599), PACE_BURST);
    assert_int_equal(ARRIVED(2, 100, 110), PACE_BURST);
}

static void
what_waits_for_others_comes_in_clumps(void **state)
{
    (void)state;
    assert_int_equal(ARRIVED(7, 0, 300, 300, 300, 600, 600, 600), PACE_CLUMPS);
    /* Waiting for the next one alone is too little to tell. */
    assert_int_equal(ARRIVED(5, 0, 200, 200, 400, 400), PACE_EVEN);
}

static void
what_does_not_come_is_missed(void **state)
{
    int64_t sent_ms, came_ms;
    struct pace p;

    (void)state;
    assert_int_equal(ARRIVED(5, 0, 100, 200, 300), PACE_SHORT);
    assert_int_equal(ARRIVED(1, 0), PACE_SHORT);
    pace_init(&p);
    assert_int_equal(pace_judge(&p, &sent_ms, &came_ms), PACE_SHORT);
    pace_release(&p);
}

static void
what_is_no_event_of_a_probe_is_passed_over(void **state)
{
    static const char noise[] =
        ": ok\n\nevent: other\ndata: {\"of\":1,\"ms\":0}\n\n"
        "event: probe\ndata: nothing\n\nevent: probe\ndata: {\"of\":\"1\"}\n\n"
        "event: probe\ndata: [1]\n\n";
    static const char event[] = "event: probe\ndata: {\"of\":30,\"ms\":7}\n\n";
    struct pace p;

    (void)state;
    pace_init(&p);
    for (size_t i = 0; i < sizeof(noise) - 1; i++)
        assert_true(pace_feed(&p, noise + i, 1, 5) == OK);
    assert_int_equal(p.n, 0);
    for (int i = 0; i < PACE_EVENTS_MAX + 5; i++)
        assert_true(pace_feed(&p, event, sizeof(event) - 1, 5) == OK);
    assert_int_equal(p.n, PACE_EVENTS_MAX); /* no more room than that */
    pace_release(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_as_it_was_sent_is_even),
        cmocka_unit_test(what_comes_at_once_is_a_burst),
        cmocka_unit_test(what_waits_for_others_comes_in_clumps),
        cmocka_unit_test(what_does_not_come_is_missed),
        cmocka_unit_test(what_is_no_event_of_a_probe_is_passed_over),
    };

    return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
