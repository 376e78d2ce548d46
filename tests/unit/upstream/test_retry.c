/* Tests of upstream/retry.c: who is tried again, and when. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "upstream/head.h"
#include "upstream/retry.h"

static struct upstream_head
head_of(int status)
{
    struct upstream_head h;

    upstream_head_init(&h);
    h.status = status;
    return h;
}

/* The wait after the first try of three, without jitter. */
static int64_t
wait_for(const struct upstream_head *h)
{
    struct transfer_result r = {TRANSFER_COMPLETE, h, "", 0, ""};

    return retry_wait_ms(&r, 1, 3, -1, 0);
}

static int64_t
wait_for_end(enum transfer_end end)
{
    struct transfer_result r = {.end = end};

    return retry_wait_ms(&r, 1, 3, -1, 0);
}

static void
the_status_decides(void **state)
{
    static const int again[] = {408, 409, 429, 500, 502, 503, 504, 529};
    static const int never[] = {200, 302, 400, 401, 402, 403, 404, 413, 422};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(again); i++) {
        struct upstream_head h = head_of(again[i]);

        assert_int_equal(wait_for(&h), RETRY_BASE_MS);
    }
    for (i = 0; i < COUNT_OF(never); i++) {
        struct upstream_head h = head_of(never[i]);

        assert_int_equal(wait_for(&h), -1);
    }
}

static void
the_provider_may_overrule_the_status(void **state)
{
    struct upstream_head h = head_of(400);

    (void)state;
    h.should_retry = 1;
    assert_int_equal(wait_for(&h), RETRY_BASE_MS);
    h = head_of(503);
    h.should_retry = 0;
    assert_int_equal(wait_for(&h), -1);
    h = head_of(200);
    h.should_retry = 1;
    assert_int_equal(wait_for(&h), -1);
}

static void
broken_connections_are_tried_again_and_slow_ones_not(void **state)
{
    (void)state;
    assert_int_equal(wait_for_end(TRANSFER_CONNECT), RETRY_BASE_MS);
    assert_int_equal(wait_for_end(TRANSFER_FAILED), RETRY_BASE_MS);
    assert_int_equal(wait_for_end(TRANSFER_TIMEOUT), -1);
    assert_int_equal(wait_for_end(TRANSFER_OVERSIZE), -1);
    assert_int_equal(wait_for_end(TRANSFER_UNTRUSTED), -1);
    assert_int_equal(wait_for_end(TRANSFER_FORBIDDEN), -1);
}

static void
the_wait_that_the_body_asks_for_is_obeyed_too(void **state)
{
    struct upstream_head h = head_of(429);
    struct transfer_result r = {TRANSFER_COMPLETE, &h, "", 0, ""};

    (void)state;
    assert_int_equal(retry_wait_ms(&r, 1, 3, 34400, 0), 34400);
    assert_int_equal(retry_wait_ms(&r, 1, 3, RETRY_AFTER_MAX_MS + 1, 0), -1);
    h.retry_after_ms = 7;
    assert_int_equal(retry_wait_ms(&r, 1, 3, 34400, 0), 7);
}

static void
tries_run_out(void **state)
{
    struct upstream_head h = head_of(503);
    struct transfer_result r = {TRANSFER_COMPLETE, &h, "", 0, ""};

    (void)state;
    assert_true(retry_wait_ms(&r, 2, 3, -1, 0) > 0);
    assert_int_equal(retry_wait_ms(&r, 3, 3, -1, 0), -1);
    assert_int_equal(retry_wait_ms(&r, 1, 1, -1, 0), -1);
}

static void
the_replys_own_wait_is_obeyed_if_it_is_short_enough(void **state)
{
    struct upstream_head h = head_of(429);

    (void)state;
    h.retry_after_ms = 1;
    assert_int_equal(wait_for(&h), 1);
    h.retry_after_ms = RETRY_AFTER_MAX_MS;
    assert_int_equal(wait_for(&h), RETRY_AFTER_MAX_MS);
    h.retry_after_ms = RETRY_AFTER_MAX_MS + 1;
    assert_int_equal(wait_for(&h), -1);
    h.retry_after_ms = 0;
    assert_int_equal(wait_for(&h), RETRY_BASE_MS);
}

static void
the_wait_doubles_up_to_its_cap(void **state)
{
    static const int64_t want_ms[] = {500, 1000, 2000, 4000, 8000, 8000};
    struct transfer_result r = {.end = TRANSFER_CONNECT};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(want_ms); i++)
        assert_int_equal(retry_wait_ms(&r, (int)i + 1, 1000, -1, 0),
                         want_ms[i]);
    assert_int_equal(retry_wait_ms(&r, 900, 1000, -1, 0), RETRY_CAP_MS);
}

static void
jitter_shortens_by_up_to_a_quarter(void **state)
{
    struct transfer_result r = {.end = TRANSFER_CONNECT};

    (void)state;
    assert_int_equal(retry_wait_ms(&r, 5, 9, -1, UINT32_MAX / 2 + 1), 7000);
    assert_int_equal(retry_wait_ms(&r, 5, 9, -1, UINT32_MAX), 6001);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_decides),
        cmocka_unit_test(the_provider_may_overrule_the_status),
        cmocka_unit_test(broken_connections_are_tried_again_and_slow_ones_not),
        cmocka_unit_test(the_wait_that_the_body_asks_for_is_obeyed_too),
        cmocka_unit_test(tries_run_out),
        cmocka_unit_test(the_replys_own_wait_is_obeyed_if_it_is_short_enough),
        cmocka_unit_test(the_wait_doubles_up_to_its_cap),
        cmocka_unit_test(jitter_shortens_by_up_to_a_quarter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
