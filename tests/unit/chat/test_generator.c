/*
 * Tests of chat/generator.c: tries and when they end, what was relayed, local
 * answers.
 */
#include "generator_test.h"

#include "upstream/retry.h"

/* --- one try -------------------------------------------------------------- */

static void
parts_are_passed_on_and_the_end_comes_once(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_put(0, 'M', "m-2", 3);
    tap_put(0, 'R', "hm", 2);
    tap_text(0, "Hello");
    tap_text(0, " you");
    tap_put(0, 'U', "1 2 3", 5);
    tap_finish(0, FINISH_LENGTH);
    expect(FINISH_LENGTH, NULL, "Hello you", 1);
    assert_string_equal(model, "m-2");
    assert_int_equal(usage.output_tokens, 2);
    assert_int_equal(n_parts, 5);
}

static void
a_request_that_cannot_be_built_is_an_error_from_the_loop(void **state)
{
    (void)state;
    start(&tap_provider, "unaskable");
    expect(FINISH_ERROR, "unaskable", "", 0);
}

static void
an_address_that_cannot_be_used_is_an_error_from_the_loop(void **state)
{
    (void)state;
    start(&tap_provider, "nowhere");
    expect(FINISH_ERROR, "provider_address", "", 0);
}

static void
a_reply_without_an_end_marker_is_no_answer(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_put(0, 'N', "", 0);
    tap_close(0, false);
    expect(FINISH_ERROR, "tap_truncated", "", 1);
}

static void
text_without_an_end_marker_is_incomplete(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_text(0, "half");
    tap_close(0, false);
    expect(FINISH_INCOMPLETE, "tap_truncated", "half", 1);
    assert_true(problem.retryable);
}

static void
an_end_marker_before_a_cut_counts(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_text(0, "whole");
    spin_texts(1);
    tap_put(0, 'F', "1", 1);
    tap_close(0, true);
    expect(FINISH_STOP, NULL, "whole", 1);
}

static void
an_error_in_the_stream_ends_it(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_text(0, "half");
    tap_put(0, 'E', "", 0);
    expect(FINISH_INCOMPLETE, "tap_error", "half", 1);
    tap_wait_left(0, 1);
}

static void
an_error_before_any_text_is_no_answer(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_put(0, 'E', "", 0);
    expect(FINISH_ERROR, "tap_error", "", 1);
}

static void
what_is_not_understood_ends_it(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_text(0, "half");
    tap_put(0, 'X', "", 0);
    tap_text(0, "never seen");
    expect(FINISH_INCOMPLETE, "tap_garbage", "half", 1);
}

/* --- more tries ----------------------------------------------------------- */

static void
a_refusal_is_tried_again(void **state)
{
    int64_t retries = metric_get(METRIC_UPSTREAM_RETRIES);

    (void)state;
    tap_refuse(0, 2, 503);
    tap_text(0, "third");
    tap_finish(0, FINISH_STOP);
    start(&tap_provider, "tap 0");
    expect(FINISH_STOP, NULL, "third", 3);
    assert_int_equal(metric_get(METRIC_UPSTREAM_RETRIES), retries + 2);
}

static void
tries_end_at_their_limit(void **state)
{
    (void)state;
    tap_refuse(0, 3, 503);
    tap_text(0, "fourth");
    tap_finish(0, FINISH_STOP);
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "tap_refused", "", 3);
}

static void
without_retries_one_refusal_is_the_end(void **state)
{
    (void)state;
    config.retries = 0;
    tap_refuse(0, 1, 503);
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "tap_refused", "", 1);
}

static void
a_bad_request_is_not_tried_again(void **state)
{
    (void)state;
    tap_refuse(0, 1, 400);
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "tap_refused", "", 1);
}

static void
want_of_money_is_not_tried_again(void **state)
{
    (void)state;
    taps[0].why = "$$";
    tap_refuse(0, 1, 429);
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "tap_refused", "", 1);
}

static void
a_wait_that_is_too_long_is_not_waited(void **state)
{
    (void)state;
    taps[0].refuse_after_s = RETRY_AFTER_MAX_MS / 1000 + 1;
    tap_refuse(0, 1, 429);
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "tap_refused", "", 1);
}

static void
the_wait_that_was_asked_for_is_kept(void **state)
{
    int64_t began_ms = clock_mono_ms();

    (void)state;
    taps[0].refuse_after_s = 1;
    tap_refuse(0, 1, 429);
    tap_finish(0, FINISH_STOP);
    start(&tap_provider, "tap 0");
    expect(FINISH_STOP, NULL, "", 2);
    assert_true(clock_mono_ms() - began_ms >= 1000);
}

static void
a_cut_before_any_text_is_tried_again(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_put(0, 'M', "m-2", 3); /* the model's name is not text */
    tap_close(0, true);
    while (tap_count(&taps[0].asked) < 2)
        spin(20);
    tap_text(0, "second");
    tap_finish(0, FINISH_STOP);
    expect(FINISH_STOP, NULL, "second", 2);
}

static void
nothing_is_tried_again_after_the_first_text(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_text(0, "a");
    spin_texts(1);
    tap_close(0, true);
    expect(FINISH_INCOMPLETE, "tap_truncated", "a", 1);
    assert_true(problem.retryable);
}

static void
reasoning_counts_as_relayed(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_put(0, 'R', "hm", 2);
    while (n_parts == 0)
        spin(2);
    tap_close(0, true);
    expect(FINISH_INCOMPLETE, "tap_truncated", "", 1);
}

static void
an_empty_part_does_not_count(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_put(0, 'T', "", 0);
    tap_close(0, true);
    while (tap_count(&taps[0].asked) < 2)
        spin(20);
    tap_finish(0, FINISH_STOP);
    expect(FINISH_STOP, NULL, "", 2);
    assert_int_equal(n_parts, 0);
}

static void
a_provider_that_is_not_there_is_unreachable(void **state)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof(a);

    (void)state;
    /* A port that is taken and that nobody listens on. */
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    (void)snprintf(tap_url, sizeof(tap_url), "http://127.0.0.1:%d",
                   ntohs(a.sin_port));
    config.retries = 1;
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "provider_unreachable", "", 0);
    assert_int_equal(problem.err, ERR_UPSTREAM);
    assert_int_equal(tap_count(&tap_builds), 2);
    (void)close(fd);
}

/* --- time ----------------------------------------------------------------- */

static void
a_first_byte_that_does_not_come_is_a_timeout(void **state)
{
    (void)state;
    config.limits.first_byte_ms = 100;
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "provider_timeout", "", 1);
    assert_int_equal(problem.err, ERR_TIMEOUT);
    assert_true(problem.retryable);
    tap_wait_left(0, 1);
}

static void
silence_after_text_is_an_incomplete_answer(void **state)
{
    (void)state;
    config.limits.idle_ms = 100;
    start(&tap_provider, "tap 0");
    tap_text(0, "and then");
    expect(FINISH_INCOMPLETE, "provider_timeout", "and then", 1);
    tap_wait_left(0, 1);
}

static void
an_answer_without_end_ends_at_the_total(void **state)
{
    (void)state;
    config.limits.total_ms = 200;
    start(&tap_provider, "tap 0");
    while (n_done == 0) {
        tap_text(0, "x");
        spin(10);
    }
    assert_int_equal(finish, FINISH_INCOMPLETE);
    assert_string_equal(problem.code, "provider_timeout");
    assert_int_equal(tap_count(&taps[0].asked), 1);
}

/* --- cancelling ----------------------------------------------------------- */

static void
cancel(void)
{
    generator_cancel(generator);
    generator = NULL;
}

static void
cancel_closes_upstream_and_says_nothing(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_text(0, "a");
    spin_texts(1);
    cancel();
    assert_int_equal(transfers_running(transfers), 0);
    tap_wait_left(0, 1);
    spin(20);
    assert_int_equal(n_done, 0);
    generator_cancel(NULL);
}

static void
cancel_at_once_says_nothing(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    cancel();
    start(&tap_provider, "unaskable");
    cancel();
    start(&local_provider, "x");
    cancel();
    spin(50);
    assert_int_equal(n_done + n_parts, 0);
}

static void
cancel_between_two_tries_says_nothing(void **state)
{
    (void)state;
    taps[0].refuse_after_s = 1;
    tap_refuse(0, 1, 503);
    start(&tap_provider, "tap 0");
    while (tap_count(&taps[0].asked) < 1 || transfers_running(transfers) > 0)
        spin(10);
    cancel();
    spin(1200);
    assert_int_equal(n_done, 0);
    assert_int_equal(tap_count(&taps[0].asked), 1);
}

/* --- too long ------------------------------------------------------------- */

static void
what_is_too_long_is_sent_shorter_once(void **state)
{
    (void)state;
    can_shorten = true;
    tap_refuse(0, 1, 400);
    taps[0].why = "++";
    tap_text(0, "fits");
    tap_finish(0, FINISH_STOP);
    start(&tap_provider, "tap 0");
    expect(FINISH_STOP, NULL, "fits", 2);
    assert_int_equal(n_shortened, 1);
}

static void
what_stays_too_long_is_an_error(void **state)
{
    (void)state;
    can_shorten = true;
    tap_refuse(0, 9, 400);
    taps[0].why = "++";
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "tap_refused", "", 2);
    assert_int_equal(n_shortened, 1);
}

static void
what_cannot_be_shortened_is_not_sent_again(void **state)
{
    (void)state;
    tap_refuse(0, 9, 400);
    taps[0].why = "++";
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "tap_refused", "", 1);
}

static void
what_is_refused_is_sent_plainer_where_it_can_be(void **state)
{
    static const int content[] = {400, 413, 415, 422};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(content); i++) {
        teardown(state);
        setup(state);
        plainer = 1;
        tap_refuse(0, 1, content[i]);
        tap_text(0, "in words");
        tap_finish(0, FINISH_STOP);
        start(&tap_provider, "tap 0");
        expect(FINISH_STOP, NULL, "in words", 2);
        assert_int_equal(n_plainer, 1);
        assert_int_equal(n_prepared, 2);
        assert_int_equal(n_shortened, 0);
        assert_int_equal(n_again, 0); /* no try of the same */
    }
}

static void
what_is_refused_plainly_as_well_is_an_error(void **state)
{
    (void)state;
    plainer = 1;
    tap_refuse(0, 9, 400);
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, "tap_refused", "", 2);
    assert_int_equal(n_plainer, 2);
    assert_int_equal(n_prepared, 2);
}

static void
who_is_refused_is_not_asked_to_be_plainer(void **state)
{
    static const int others[] = {401, 403, 404};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        teardown(state);
        setup(state);
        plainer = 9;
        tap_refuse(0, 9, others[i]);
        start(&tap_provider, "tap 0");
        expect(FINISH_ERROR, "tap_refused", "", 1);
        assert_int_equal(n_plainer, 0);
    }
}

/* --- local answers -------------------------------------------------------- */

static void
without_a_delay_a_local_answer_is_one_piece(void **state)
{
    (void)state;
    local_text = "One two three four five six seven eight nine ten.";
    start(&local_provider, "count");
    expect(FINISH_STOP, NULL, local_text, 0);
    assert_int_equal(n_texts, 1);
}

static void
with_a_delay_it_comes_in_pieces_that_end_at_words(void **state)
{
    (void)state;
    config.offline_delay_ms = 1;
    local_text = "One two three four five\nsix seven eight nine ten and a "
                 "word-of-quite-some-length\xE2\x82\xAC at last";
    start(&local_provider, "count");
    expect(FINISH_STOP, NULL, local_text, 0);
    assert_true(n_texts >= 4);
    assert_true(longest < 40);
}

static void
an_empty_local_answer_is_one_all_the_same(void **state)
{
    (void)state;
    config.offline_delay_ms = 1;
    start(&local_provider, "nothing");
    expect(FINISH_STOP, NULL, "", 0);
    assert_int_equal(n_parts, 0);
}

static void
a_local_answer_that_fails_is_an_error(void **state)
{
    (void)state;
    local_text = "not to be seen";
    local_err = ERR_STORE;
    start(&local_provider, "x");
    expect(FINISH_ERROR, "internal", "", 0);
}

static void
cancel_while_the_worker_runs_frees_all(void **state)
{
    sem_t gate, there;

    (void)state;
    (void)sem_init(&gate, 0, 0);
    (void)sem_init(&there, 0, 0);
    local_gate = &gate;
    local_there = &there;
    local_text = "too late";
    {
        char *question = xstrdup("asked and freed");

        start(&local_provider, question);
        while (sem_wait(&there) != 0)
            ;
        cancel();
        free(question); /* the worker has its own */
    }
    (void)sem_post(&gate);
    spin(100);
    assert_int_equal(n_done + n_parts, 0);
    (void)sem_destroy(&gate);
    (void)sem_destroy(&there);
}

static void
cancel_between_two_pieces_says_nothing_more(void **state)
{
    size_t n;

    (void)state;
    config.offline_delay_ms = 20;
    local_text = "One two three four five six seven eight nine ten eleven";
    start(&local_provider, "count");
    spin_texts(1);
    cancel();
    n = n_texts;
    spin(100);
    assert_int_equal(n_texts, n);
    assert_int_equal(n_done, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(parts_are_passed_on_and_the_end_comes_once),
        T(a_request_that_cannot_be_built_is_an_error_from_the_loop),
        T(an_address_that_cannot_be_used_is_an_error_from_the_loop),
        T(a_reply_without_an_end_marker_is_no_answer),
        T(text_without_an_end_marker_is_incomplete),
        T(an_end_marker_before_a_cut_counts),
        T(an_error_in_the_stream_ends_it),
        T(an_error_before_any_text_is_no_answer),
        T(what_is_not_understood_ends_it),
        T(a_refusal_is_tried_again),
        T(tries_end_at_their_limit),
        T(without_retries_one_refusal_is_the_end),
        T(a_bad_request_is_not_tried_again),
        T(want_of_money_is_not_tried_again),
        T(a_wait_that_is_too_long_is_not_waited),
        T(the_wait_that_was_asked_for_is_kept),
        T(a_cut_before_any_text_is_tried_again),
        T(nothing_is_tried_again_after_the_first_text),
        T(reasoning_counts_as_relayed),
        T(an_empty_part_does_not_count),
        T(a_provider_that_is_not_there_is_unreachable),
        T(a_first_byte_that_does_not_come_is_a_timeout),
        T(silence_after_text_is_an_incomplete_answer),
        T(an_answer_without_end_ends_at_the_total),
        T(cancel_closes_upstream_and_says_nothing),
        T(cancel_at_once_says_nothing),
        T(cancel_between_two_tries_says_nothing),
        T(what_is_too_long_is_sent_shorter_once),
        T(what_stays_too_long_is_an_error),
        T(what_cannot_be_shortened_is_not_sent_again),
        T(what_is_refused_is_sent_plainer_where_it_can_be),
        T(what_is_refused_plainly_as_well_is_an_error),
        T(who_is_refused_is_not_asked_to_be_plainer),
        T(without_a_delay_a_local_answer_is_one_piece),
        T(with_a_delay_it_comes_in_pieces_that_end_at_words),
        T(an_empty_local_answer_is_one_all_the_same),
        T(a_local_answer_that_fails_is_an_error),
        T(cancel_while_the_worker_runs_frees_all),
        T(cancel_between_two_pieces_says_nothing_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
