/*
 * Tests of chat/chain.c: of itself, where time is what the tests say, and
 * through the generator that has one.
 */
#include "generator_test.h"

#include <limits.h>

/* --- itself --------------------------------------------------------------- */

static struct circuits *circuits;
static struct chain chain;

static int
chain_setup(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    circuits = circuits_new(30000);
    return 0;
}

static int
chain_teardown(void **state)
{
    (void)state;
    circuits_free(circuits);
    return 0;
}

/* A chain of these: 't' the tap, 'l' the local one. */
static void
chain_of(const char *kinds, int64_t deadline_ms)
{
    struct route_choice of[2 * CHAIN_MAX];
    size_t n = strlen(kinds);

    (void)memset(of, 0, sizeof(of));
    for (size_t i = 0; i < n; i++)
        of[i].provider = kinds[i] == 'l' ? &local_provider : &tap_provider;
    chain_init(&chain, circuits, of, n, deadline_ms);
}

static void
routes_are_asked_in_order_until_there_is_none(void **state)
{
    (void)state;
    chain_of("tlt", 0);
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(chain_route(&chain), &chain.routes[i]);
        assert_int_equal(chain_next(&chain, 1), i < 2);
    }
    assert_ptr_equal(chain_route(&chain), &chain.routes[2]);
}

static void
what_is_past_the_limit_is_left_out(void **state)
{
    (void)state;
    chain_of("tttttttttt", 0);
    assert_int_equal(chain.n_routes, CHAIN_MAX);
    for (int i = 1; i < CHAIN_MAX; i++)
        assert_true(chain_next(&chain, 1));
    assert_false(chain_next(&chain, 1));
}

static void
when_the_time_is_over_only_local_routes_are_left(void **state)
{
    (void)state;
    chain_of("ttltl", 100);
    assert_int_equal(chain_left_ms(&chain, 40), 60);
    assert_true(chain_next(&chain, 99));
    assert_int_equal(chain.at, 1);
    assert_int_equal(chain_left_ms(&chain, 100), 0);
    assert_true(chain_next(&chain, 100));
    assert_int_equal(chain.at, 2);
    assert_true(chain_next(&chain, 5000));
    assert_int_equal(chain.at, 4);
    assert_false(chain_next(&chain, 5000));
    assert_int_equal(chain_left_ms(&chain, 5000), 0);
}

static void
without_a_deadline_there_is_always_time(void **state)
{
    (void)state;
    chain_of("t", 0);
    assert_int_equal(chain_left_ms(&chain, INT64_MAX), INT_MAX);
    chain_of("t", INT64_MAX);
    assert_int_equal(chain_left_ms(&chain, 0), INT_MAX);
}

/* So many routes fail, one after the other. */
static void
fail_routes(int n)
{
    for (int i = 0; i < n; i++) {
        chain_of("t", 0);
        assert_true(chain_enter(&chain, NULL, 1));
        chain_tell(&chain, HEALTH_FAILED, 1);
    }
}

static void
each_route_fails_once_for_its_circuit(void **state)
{
    (void)state;
    fail_routes(CIRCUIT_FAILURES - 2);
    chain_of("tt", 0);
    for (int i = 0; i < 3 * CIRCUIT_FAILURES; i++) {
        assert_true(chain_enter(&chain, NULL, 1));
        chain_tell(&chain, HEALTH_FAILED, 1);
        assert_false(chain_is_down(&chain, 1));
    }
    assert_true(chain_next(&chain, 1));
    assert_true(chain_enter(&chain, NULL, 1));
    chain_tell(&chain, HEALTH_FAILED, 1);
    assert_true(chain_is_down(&chain, 1));
}

static void
what_is_down_is_told_with_the_wait(void **state)
{
    struct problem why = {.err = OK};

    (void)state;
    fail_routes(CIRCUIT_FAILURES);
    assert_false(chain_enter(&chain, &why, 2001));
    assert_int_equal(why.err, ERR_BUSY);
    assert_string_equal(why.code, "provider_down");
    assert_true(why.retryable);
    assert_int_equal(why.retry_after_s, 29); /* not before 28 s */
    chain_tell(&chain, HEALTH_OK, 2001);     /* nobody was asked */
    assert_true(chain_is_down(&chain, 2001));
}

static void
a_local_provider_has_no_circuit(void **state)
{
    (void)state;
    chain_of("l", 0);
    for (int i = 0; i < 2 * CIRCUIT_FAILURES; i++) {
        assert_true(chain_enter(&chain, NULL, 1));
        chain_tell(&chain, HEALTH_FAILED, 1);
    }
    assert_false(chain_is_down(&chain, 1));
}

static void
what_began_closes_a_circuit_on_probation(void **state)
{
    (void)state;
    fail_routes(CIRCUIT_FAILURES);
    chain_began(&chain); /* nobody was asked */
    assert_true(chain_is_down(&chain, 30000));
    assert_true(chain_enter(&chain, NULL, 30001));
    chain_began(&chain);
    assert_int_equal(circuit_state(circuits, &tap_provider, 1), CIRCUIT_CLOSED);
    chain_tell(&chain, HEALTH_UNKNOWN, 30001);
}

/* --- other routes --------------------------------------------------------- */

static void
the_next_route_is_asked_when_tries_are_spent(void **state)
{
    int64_t fallbacks = metric_get(METRIC_FALLBACKS);

    (void)state;
    stand_by();
    tap_refuse(0, 3, 503);
    start(&tap_provider, "tap 0");
    expect(FINISH_STOP, NULL, local_text, 3);
    assert_int_equal(n_moved, 1);
    assert_string_equal(moved_for, "tap_refused");
    assert_int_equal(problem.err, OK);
    assert_int_equal(metric_get(METRIC_FALLBACKS), fallbacks + 1);
    assert_string_equal(ask.model, "local");
}

static void
a_bad_key_moves_on_at_once(void **state)
{
    (void)state;
    stand_by();
    tap_refuse(0, 3, 401);
    taps[0].why = "kk";
    start(&tap_provider, "tap 0");
    expect(FINISH_STOP, NULL, local_text, 1);
    assert_int_equal(n_moved, 1);
}

static void
a_request_that_cannot_be_built_moves_on(void **state)
{
    (void)state;
    stand_by();
    start(&tap_provider, "unaskable");
    expect(FINISH_STOP, NULL, local_text, 0);
    assert_string_equal(moved_for, "unaskable");
}

static void
nobody_else_is_asked_after_the_first_text(void **state)
{
    (void)state;
    stand_by();
    start(&tap_provider, "tap 0");
    tap_text(0, "half");
    tap_close(0, true);
    expect(FINISH_INCOMPLETE, "tap_truncated", "half", 1);
    assert_int_equal(n_moved, 0);
}

static void
the_last_route_fails_with_its_own_problem(void **state)
{
    (void)state;
    stand_by();
    local_err = ERR_STORE;
    tap_refuse(0, 3, 401);
    taps[0].why = "kk";
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "internal", "", 1);
}

/* --- leave to ask --------------------------------------------------------- */

static void
a_route_that_may_not_be_asked_is_passed_over(void **state)
{
    struct problem budget = {.err = OK};

    (void)state;
    (void)problem_set(&budget, ERR_LIMIT, "budget_exceeded", NULL, NULL);
    may_not = &budget;
    stand_by();
    stand_by();
    tap_refuse(0, 1, 400);
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "budget_exceeded", "", 1);
    assert_int_equal(problem.err, ERR_LIMIT);
    assert_int_equal(n_may, 2); /* the first one is not asked about */
    assert_int_equal(n_moved, 2);
    assert_int_equal(n_prepared, 1);
}

static void
nothing_is_asked_until_it_may(void **state)
{
    (void)state;
    may_waits = true;
    stand_by();
    tap_refuse(0, 1, 400);
    start(&tap_provider, "tap 0");
    while (n_may == 0)
        spin(5);
    spin(30);
    assert_int_equal(n_prepared, 1);
    assert_int_equal(n_done, 0);
    generator_may(generator, NULL);
    expect(FINISH_STOP, NULL, local_text, 1);
    assert_int_equal(n_again, 0);
}

static void
a_try_of_the_same_route_needs_leave_too(void **state)
{
    (void)state;
    tap_refuse(0, 2, 503);
    tap_text(0, "ok");
    tap_finish(0, FINISH_STOP);
    start(&tap_provider, "tap 0");
    expect(FINISH_STOP, NULL, "ok", 3);
    assert_int_equal(n_again, 2);
    assert_int_equal(n_may, 2);
    assert_int_equal(n_moved, 0);
}

static void
who_waits_for_leave_can_be_cancelled(void **state)
{
    (void)state;
    may_waits = true;
    tap_refuse(0, 1, 503);
    start(&tap_provider, "tap 0");
    while (n_may == 0)
        spin(5);
    generator_cancel(generator);
    generator = NULL;
    spin(20);
    assert_int_equal(n_done, 0);
    assert_int_equal(tap_count(&taps[0].asked), 1);
}

/* --- the circuit ---------------------------------------------------------- */

/* Ask until the circuit opens. */
static void
open_circuit(void)
{
    config.retries = 0;
    tap_refuse(0, CIRCUIT_FAILURES, 503);
    for (int i = 0; i < CIRCUIT_FAILURES; i++) {
        n_done = 0;
        start(&tap_provider, "tap 0");
        expect(FINISH_ERROR, "tap_refused", "", i + 1);
    }
    n_done = 0;
}

static void
an_open_circuit_is_not_asked(void **state)
{
    (void)state;
    open_circuit();
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "provider_down", "", CIRCUIT_FAILURES);
    assert_true(problem.retryable);
    assert_true(problem.retry_after_s > 0);
    n_done = 0;
    stand_by();
    start(&tap_provider, "tap 0");
    expect(FINISH_STOP, NULL, local_text, CIRCUIT_FAILURES);
    assert_string_equal(moved_for, "provider_down");
}

static enum circuit_state
circuit_now(void)
{
    return circuit_state(config.circuits, &tap_provider, clock_mono_ms());
}

static void
a_question_is_one_failure_however_often_it_was_tried(void **state)
{
    (void)state;
    for (int i = 1; i < CIRCUIT_FAILURES; i++) {
        n_done = 0;
        tap_refuse(0, 3, 503);
        start(&tap_provider, "tap 0");
        expect(FINISH_ERROR, "tap_refused", "", 3 * i);
        assert_int_equal(circuit_now(), CIRCUIT_CLOSED);
    }
    /* The last failure opens it, and no other try is made. */
    n_done = 0;
    tap_refuse(0, 1, 503);
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "tap_refused", "", 3 * CIRCUIT_FAILURES - 2);
    assert_int_equal(circuit_now(), CIRCUIT_OPEN);
}

static void
an_answer_at_the_second_try_is_a_success(void **state)
{
    (void)state;
    for (int i = 0; i < CIRCUIT_FAILURES + 1; i++) {
        n_done = n_parts = 0;
        buf_clear(&text);
        tap_refuse(0, 1, 503);
        tap_text(0, "ok");
        tap_finish(0, FINISH_STOP);
        start(&tap_provider, "tap 0");
        expect(FINISH_STOP, NULL, "ok", 2 * i + 2);
        assert_int_equal(circuit_now(), CIRCUIT_CLOSED);
    }
}

static void
the_request_that_is_let_through_is_one(void **state)
{
    (void)state;
    circuits_free(config.circuits);
    config.circuits = circuits_new(50);
    open_circuit();
    while (circuit_now() == CIRCUIT_OPEN)
        spin(10);
    config.retries = 5;
    tap_refuse(0, 1, 503);
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "tap_refused", "", CIRCUIT_FAILURES + 1);
}

static void
the_first_text_of_it_lets_others_ask(void **state)
{
    (void)state;
    circuits_free(config.circuits);
    config.circuits = circuits_new(50);
    open_circuit();
    while (circuit_now() == CIRCUIT_OPEN)
        spin(10);
    start(&tap_provider, "tap 0");
    spin(20);
    assert_int_equal(circuit_now(), CIRCUIT_HALF_OPEN);
    tap_text(0, "a");
    spin_texts(1);
    assert_int_equal(circuit_now(), CIRCUIT_CLOSED);
    tap_finish(0, FINISH_STOP);
    expect(FINISH_STOP, NULL, "a", CIRCUIT_FAILURES + 1);
}

/* --- time for all of it --------------------------------------------------- */

static void
no_try_begins_when_the_time_is_over(void **state)
{
    int64_t began_ms = clock_mono_ms();

    (void)state;
    config.limits.total_ms = 1500;
    taps[0].refuse_after_s = 1;
    tap_refuse(0, 3, 429);
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "tap_refused", "", 2); /* not at 2000 ms */
    assert_true(clock_mono_ms() - began_ms < 1900);
}

/* Two routes to the tap, and the local provider behind them. */
static void
when_the_time_is_over_a_local_answer_is_left(void **state)
{
    (void)state;
    config.limits.total_ms = 300;
    routes[1] = (struct route_choice){
        .provider = &tap_provider,
        .account = {.base_url = tap_url, .key = ""},
        .model = "m",
    };
    n_routes = 2;
    stand_by();
    start(&tap_provider, "tap 0");
    expect(FINISH_STOP, NULL, local_text, 1);
    assert_int_equal(n_moved, 1);
    assert_string_equal(moved_for, "provider_timeout");
}

static void
a_second_try_has_the_time_that_is_left(void **state)
{
    int64_t began_ms = clock_mono_ms();

    (void)state;
    config.limits.total_ms = 1600;
    taps[0].refuse_after_s = 1;
    tap_refuse(0, 1, 429);
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "provider_timeout", "", 2);
    /* The limit counts from what the loop took for now, which was earlier. */
    assert_true(clock_mono_ms() - began_ms >= 1500);
    assert_true(clock_mono_ms() - began_ms < 1000 + 1600);
}

#define CHAIN(f) cmocka_unit_test_setup_teardown(f, chain_setup, chain_teardown)
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CHAIN(routes_are_asked_in_order_until_there_is_none),
        CHAIN(what_is_past_the_limit_is_left_out),
        CHAIN(when_the_time_is_over_only_local_routes_are_left),
        CHAIN(without_a_deadline_there_is_always_time),
        CHAIN(each_route_fails_once_for_its_circuit),
        CHAIN(what_is_down_is_told_with_the_wait),
        CHAIN(a_local_provider_has_no_circuit),
        CHAIN(what_began_closes_a_circuit_on_probation),
        T(the_next_route_is_asked_when_tries_are_spent),
        T(a_bad_key_moves_on_at_once),
        T(a_request_that_cannot_be_built_moves_on),
        T(nobody_else_is_asked_after_the_first_text),
        T(the_last_route_fails_with_its_own_problem),
        T(a_route_that_may_not_be_asked_is_passed_over),
        T(nothing_is_asked_until_it_may),
        T(a_try_of_the_same_route_needs_leave_too),
        T(who_waits_for_leave_can_be_cancelled),
        T(an_open_circuit_is_not_asked),
        T(a_question_is_one_failure_however_often_it_was_tried),
        T(an_answer_at_the_second_try_is_a_success),
        T(the_request_that_is_let_through_is_one),
        T(the_first_text_of_it_lets_others_ask),
        T(no_try_begins_when_the_time_is_over),
        T(when_the_time_is_over_a_local_answer_is_left),
        T(a_second_try_has_the_time_that_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
