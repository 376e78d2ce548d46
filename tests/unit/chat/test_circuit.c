/* Tests of chat/circuit.c; time is what the tests say. */
#include "chat_test.h"

#include "base/metric.h"
#include "chat/circuit.h"

#define OPEN_MS 30000

static struct circuits *c;

static const struct provider one = {.name = "one"};
static const struct provider other = {.name = "other"};

static int
setup(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    c = circuits_new(OPEN_MS);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    circuits_free(c);
    return 0;
}

static void
fail_times(int n, int64_t now_ms)
{
    for (int i = 0; i < n; i++) {
        assert_true(circuit_enter(c, &one, now_ms));
        circuit_failed(c, &one, now_ms);
    }
}

static void
it_opens_at_the_limit_and_not_before(void **state)
{
    int64_t open = metric_get(METRIC_CIRCUITS_OPEN);

    (void)state;
    fail_times(CIRCUIT_FAILURES - 1, 1);
    assert_int_equal(circuit_state(c, &one, 1), CIRCUIT_CLOSED);
    fail_times(1, 1);
    assert_int_equal(circuit_state(c, &one, 1), CIRCUIT_OPEN);
    assert_int_equal(circuit_wait_ms(c, &one, 1), OPEN_MS);
    assert_false(circuit_enter(c, &one, OPEN_MS));
    assert_true(circuit_enter(c, &other, 1)); /* no business of another */
    assert_int_equal(metric_get(METRIC_CIRCUITS_OPEN), open + 1);
    circuit_ok(c, &one);
    assert_int_equal(metric_get(METRIC_CIRCUITS_OPEN), open);
}

static void
a_success_in_between_starts_the_count_anew(void **state)
{
    (void)state;
    fail_times(CIRCUIT_FAILURES - 1, 1);
    circuit_ok(c, &one);
    fail_times(CIRCUIT_FAILURES - 1, 1);
    assert_int_equal(circuit_state(c, &one, 1), CIRCUIT_CLOSED);
}

static void
one_request_is_let_through_after_the_wait(void **state)
{
    int64_t then = 1 + OPEN_MS;

    (void)state;
    fail_times(CIRCUIT_FAILURES, 1);
    assert_int_equal(circuit_state(c, &one, then), CIRCUIT_HALF_OPEN);
    assert_int_equal(circuit_wait_ms(c, &one, then), 0);
    assert_true(circuit_enter(c, &one, then));
    assert_false(circuit_enter(c, &one, then));
    circuit_failed(c, &one, then);
    assert_false(circuit_enter(c, &one, then));
    assert_int_equal(circuit_state(c, &one, then), CIRCUIT_OPEN);
    then += OPEN_MS;
    assert_true(circuit_enter(c, &one, then));
    circuit_nothing(c, &one); /* its user went away */
    assert_true(circuit_enter(c, &one, then));
    circuit_ok(c, &one);
    assert_int_equal(circuit_state(c, &one, then), CIRCUIT_CLOSED);
    assert_true(circuit_enter(c, &one, then));
    assert_true(circuit_enter(c, &one, then));
}

static void
late_failures_do_not_keep_it_open(void **state)
{
    (void)state;
    fail_times(CIRCUIT_FAILURES, 1);
    circuit_failed(c, &one, OPEN_MS); /* asked before it opened */
    assert_true(circuit_enter(c, &one, 1 + OPEN_MS));
    circuit_ok(c, &one);
}

static void
an_answer_that_has_begun_closes_it_on_probation(void **state)
{
    int64_t then = 1 + OPEN_MS;

    (void)state;
    fail_times(CIRCUIT_FAILURES, 1);
    assert_true(circuit_enter(c, &one, then));
    circuit_began(c, &one);
    assert_int_equal(circuit_state(c, &one, then), CIRCUIT_CLOSED);
    assert_true(circuit_enter(c, &one, then));
    circuit_failed(c, &one, then);
    assert_int_equal(circuit_state(c, &one, then), CIRCUIT_OPEN);
    then += OPEN_MS;
    assert_true(circuit_enter(c, &one, then));
    circuit_began(c, &one);
    circuit_ok(c, &one); /* the end of the same answer */
    fail_times(CIRCUIT_FAILURES - 1, then);
    assert_int_equal(circuit_state(c, &one, then), CIRCUIT_CLOSED);
}

static void
a_beginning_while_it_is_closed_says_nothing(void **state)
{
    (void)state;
    fail_times(CIRCUIT_FAILURES - 1, 1);
    circuit_began(c, &one);
    fail_times(1, 1);
    assert_int_equal(circuit_state(c, &one, 1), CIRCUIT_OPEN);
    circuit_began(c, &one); /* asked before it opened */
    assert_int_equal(circuit_state(c, &one, 1), CIRCUIT_OPEN);
}

static void
without_a_time_it_never_opens(void **state)
{
    (void)state;
    circuits_free(c);
    c = circuits_new(0);
    fail_times(10 * CIRCUIT_FAILURES, 1);
    assert_int_equal(circuit_state(c, &one, 1), CIRCUIT_CLOSED);
    assert_true(circuit_enter(c, &one, 1));
}

static void
what_was_never_asked_is_closed(void **state)
{
    (void)state;
    assert_int_equal(circuit_state(c, &one, 1), CIRCUIT_CLOSED);
    assert_int_equal(circuit_wait_ms(c, &one, 1), 0);
    assert_string_equal(circuit_name(CIRCUIT_HALF_OPEN), "half_open");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(it_opens_at_the_limit_and_not_before),
        T(a_success_in_between_starts_the_count_anew),
        T(one_request_is_let_through_after_the_wait),
        T(late_failures_do_not_keep_it_open),
        T(an_answer_that_has_begun_closes_it_on_probation),
        T(a_beginning_while_it_is_closed_says_nothing),
        T(without_a_time_it_never_opens),
        T(what_was_never_asked_is_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
