/* Tests of upstream/head.c and upstream/request.c: headers in and out. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/clock.h"
#include "upstream/head.h"

#define WALL_MS 1767225600000 /* 2026-01-01T00:00:00Z */

static struct upstream_head
read_lines(const char *const *lines)
{
    struct upstream_head h;

    upstream_head_init(&h);
    for (; *lines != NULL; lines++)
        upstream_head_line(&h, *lines, strlen(*lines), WALL_MS);
    return h;
}

#define READ(...) read_lines((const char *const[]){__VA_ARGS__, NULL})

static void
an_empty_head_says_nothing(void **state)
{
    struct upstream_head h;

    (void)state;
    upstream_head_init(&h);
    assert_int_equal(h.status, 0);
    assert_int_equal(h.retry_after_ms, -1);
    assert_int_equal(h.should_retry, -1);
    assert_string_equal(h.type, "");
}

static void
status_lines_of_all_versions_are_read(void **state)
{
    (void)state;
    assert_int_equal(READ("HTTP/1.1 200 OK\r\n").status, 200);
    assert_int_equal(READ("HTTP/1.0 503\r\n").status, 503);
    assert_int_equal(READ("HTTP/2 429 \r\n").status, 429);
    assert_int_equal(READ("HTTP/1.1 x\r\n").status, 0);
    assert_int_equal(READ("HTTP/1.1\r\n").status, 0);
    assert_int_equal(READ("HTTP/1.1 20").status, 0);
}

static void
a_status_line_begins_anew(void **state)
{
    struct upstream_head h = READ("HTTP/1.1 103 Early", "X-Request-Id: a",
                                  "Retry-After: 4", "HTTP/1.1 200 OK");

    (void)state;
    assert_int_equal(h.status, 200);
    assert_string_equal(h.request_id, "");
    assert_int_equal(h.retry_after_ms, -1);
}

static void
the_type_is_lower_case_without_parameters(void **state)
{
    (void)state;
    assert_string_equal(
        READ("Content-Type: Text/Event-Stream; charset=utf-8\r\n").type,
        "text/event-stream");
    assert_string_equal(READ("content-type:application/json").type,
                        "application/json");
    assert_string_equal(READ("content-type:").type, "");
}

static void
the_error_type_is_a_name(void **state)
{
    (void)state;
    assert_string_equal(
        READ("x-amzn-ErrorType: ThrottlingException\r\n").error_type,
        "ThrottlingException");
    assert_string_equal(READ("X-Amzn-Errortype:ValidationException:http://"
                             "internal.amazon.com/coral/com.amazon/")
                            .error_type,
                        "ValidationException");
    assert_string_equal(READ("x-amzn-errortype: com.amazon#A-b_1 c").error_type,
                        "com.amazon#A-b_1");
    assert_string_equal(READ("x-amzn-errortype: \"a").error_type, "");
    assert_string_equal(READ("x-amzn-errortype: A", "HTTP/1.1 200").error_type,
                        "");
    assert_int_equal(
        strlen(READ("x-amzn-errortype: "
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                    "aaaaaaaaaaaaaaaaaaaaaaaa")
                   .error_type),
        63);
}

static void
the_first_request_id_is_kept_and_harmless(void **state)
{
    (void)state;
    assert_string_equal(READ("Request-Id: one", "x-request-id: two").request_id,
                        "one");
    assert_string_equal(READ("x-request-id: a b\tc\"d\\e\x01\xff").request_id,
                        "abcde");
}

static void
long_values_are_cut(void **state)
{
    char line[600] = "x-request-id: ";
    struct upstream_head h;

    (void)state;
    memset(line + 14, 'i', sizeof(line) - 15);
    line[sizeof(line) - 1] = '\0';
    h = READ(line);
    assert_int_equal(strlen(h.request_id), sizeof(h.request_id) - 1);
    memcpy(line, "content-type: ", 14);
    h = READ(line);
    assert_int_equal(strlen(h.type), sizeof(h.type) - 1);
    memcpy(line, "retry-after:  ", 14);
    memset(line + 14, '1', sizeof(line) - 15);
    assert_int_equal(READ(line).retry_after_ms, -1);
}

static void
waits_are_seconds_or_dates(void **state)
{
    (void)state;
    assert_int_equal(READ("Retry-After: 7\r\n").retry_after_ms, 7000);
    assert_int_equal(READ("retry-after: 0.25").retry_after_ms, 250);
    assert_int_equal(READ("retry-after: 0.0101").retry_after_ms, 11);
    assert_int_equal(READ("retry-after: 0").retry_after_ms, 0);
    assert_int_equal(
        READ("retry-after: Thu, 01 Jan 2026 00:00:30 GMT").retry_after_ms,
        30000);
    assert_int_equal(
        READ("retry-after: Wed, 31 Dec 2025 23:59:59 GMT").retry_after_ms, -1);
    assert_true(READ("retry-after: 99999999999999999999").retry_after_ms >
                60000);
}

static void
waits_that_make_no_sense_are_none(void **state)
{
    static const char *const bad[] = {
        "", "-1", "soon", "1s", "0x10", "inf", "nan", "1e3", "1.2.3", ".",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++) {
        char line[64];

        snprintf(line, sizeof(line), "retry-after: %s", bad[i]);
        assert_int_equal(READ(line).retry_after_ms, -1);
    }
}

static void
the_finer_wait_wins_wherever_it_stands(void **state)
{
    (void)state;
    assert_int_equal(
        READ("retry-after-ms: 120", "retry-after: 1").retry_after_ms, 120);
    assert_int_equal(
        READ("retry-after: 1", "retry-after-ms: 120").retry_after_ms, 120);
    assert_int_equal(READ("retry-after-ms: x", "retry-after: 1").retry_after_ms,
                     1000);
}

static void
should_retry_is_true_false_or_not_said(void **state)
{
    (void)state;
    assert_int_equal(READ("X-Should-Retry: true").should_retry, 1);
    assert_int_equal(READ("x-should-retry: False").should_retry, 0);
    assert_int_equal(READ("x-should-retry: maybe").should_retry, -1);
}

static void
lines_without_sense_are_ignored(void **state)
{
    struct upstream_head h = READ("", "\r\n", "no colon", ": nameless",
                                  "x-request-id", "HTTP/1.1 204 No");

    (void)state;
    assert_int_equal(h.status, 204);
}

static void
request_headers_are_joined_and_counted(void **state)
{
    struct upstream_request q;
    int i;

    (void)state;
    upstream_request_init(&q, 10);
    assert_int_equal(upstream_request_header(&q, "Name", "value"), OK);
    assert_string_equal(q.headers[0], "Name: value");
    for (i = 1; i < TRANSFER_HEADERS_MAX; i++)
        assert_int_equal(upstream_request_header(&q, "X", ""), OK);
    assert_int_equal(upstream_request_header(&q, "X", ""), ERR_BADREQ);
    upstream_request_release(&q);
    assert_int_equal(q.n_headers, 0);
    assert_int_equal(q.body.max, 10);
}

static void
a_header_cannot_bring_another(void **state)
{
    struct upstream_request q;

    (void)state;
    upstream_request_init(&q, 10);
    assert_int_equal(upstream_request_header(&q, "A", "b\r\nC: d"), ERR_BADREQ);
    assert_int_equal(upstream_request_header(&q, "A", "b\n"), ERR_BADREQ);
    assert_int_equal(upstream_request_header(&q, "A\r\nB", "c"), ERR_BADREQ);
    assert_int_equal(upstream_request_header(&q, "A:", "c"), ERR_BADREQ);
    assert_int_equal(upstream_request_header(&q, "", "c"), ERR_BADREQ);
    assert_int_equal(q.n_headers, 0);
    upstream_request_release(&q);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_head_says_nothing),
        cmocka_unit_test(status_lines_of_all_versions_are_read),
        cmocka_unit_test(a_status_line_begins_anew),
        cmocka_unit_test(the_type_is_lower_case_without_parameters),
        cmocka_unit_test(the_error_type_is_a_name),
        cmocka_unit_test(the_first_request_id_is_kept_and_harmless),
        cmocka_unit_test(long_values_are_cut),
        cmocka_unit_test(waits_are_seconds_or_dates),
        cmocka_unit_test(waits_that_make_no_sense_are_none),
        cmocka_unit_test(the_finer_wait_wins_wherever_it_stands),
        cmocka_unit_test(should_retry_is_true_false_or_not_said),
        cmocka_unit_test(lines_without_sense_are_ignored),
        cmocka_unit_test(request_headers_are_joined_and_counted),
        cmocka_unit_test(a_header_cannot_bring_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
