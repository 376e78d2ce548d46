/* Tests of http/reply.c, read back as a web server's CGI reader would. */
#include "http_test.h"

#include "http/reply.h"

static struct buf far;
static int fd;

/* A request of this method with up to two more variables, on a bare conn. */
static struct request *
open_request(const char *method, const char *a, const char *b)
{
    const char *vars[] = {method, "HTTP_X_REQUEST_ID=rid", "HTTP_HOST=h", a, b,
                          NULL};
    struct request *rq;

    if (!a)
        vars[3] = NULL;
    rq = make_request(vars);
    fd = make_conn(rq, CONN_CGI, 0);
    return rq;
}

static struct request *
get(void)
{
    return open_request("REQUEST_METHOD=GET", NULL, NULL);
}

static const char *
sent(struct request *rq)
{
    return sent_text(rq, fd, &far);
}

static void
a_whole_reply_has_head_and_body(void **state)
{
    struct request *rq = get();
    struct reply rp;

    (void)state;
    reply_begin(&rp, rq, 200, 100);
    reply_header(&rp, "X-A", "%d", 7);
    buf_adds(reply_body(&rp, "text/plain"), "hello");
    assert_int_equal(reply_end(&rp), OK);
    assert_string_equal(sent(rq), "Content-Length: 5\r\n"
                                  "Status: 200 OK\r\n"
                                  "X-Request-Id: rid\r\n"
                                  "X-Content-Type-Options: nosniff\r\n"
                                  "Referrer-Policy: no-referrer\r\n"
                                  "Cross-Origin-Resource-Policy: "
                                  "same-origin\r\n"
                                  "X-A: 7\r\n"
                                  "Cache-Control: no-store\r\n"
                                  "Content-Security-Policy: default-src "
                                  "'none'; base-uri 'none'; form-action "
                                  "'none'; frame-ancestors 'none'\r\n"
                                  "Content-Type: text/plain\r\n"
                                  "\r\n"
                                  "hello");
    buf_release(&far);
}

static void
json_replies_are_passed_as_they_are(void **state)
{
    struct request *rq = get();
    const char *s;

    (void)state;
    assert_int_equal(reply_json(rq, 201, "{\"a\":1}", 7), OK);
    s = sent(rq);
    assert_has(s, "Status: 201 Created\r\n");
    assert_has(s, "Content-Type: application/json\r\n");
    assert_has(s, "Content-Length: 7\r\n");
    assert_has(s, "\r\n\r\n{\"a\":1}");
    buf_release(&far);
}

static void
head_has_the_length_but_not_the_body(void **state)
{
    struct request *rq = open_request("REQUEST_METHOD=HEAD", NULL, NULL);
    const char *s;

    (void)state;
    assert_int_equal(reply_json(rq, 200, "{\"a\":1}", 7), OK);
    s = sent(rq);
    assert_has(s, "Content-Length: 7\r\n");
    assert_string_equal(s + strlen(s) - 4, "\r\n\r\n");
    assert_lacks(s, "{");
    buf_release(&far);
}

static void
no_content_has_neither(void **state)
{
    struct request *rq = get();
    struct reply rp;
    const char *s;

    (void)state;
    reply_begin(&rp, rq, 204, 0);
    assert_int_equal(reply_end(&rp), OK);
    s = sent(rq);
    assert_has(s, "Status: 204 No Content\r\n");
    assert_lacks(s, "Content-Length");
    assert_lacks(s, "Content-Type:");
    buf_release(&far);
}

static void
an_empty_reply_says_zero(void **state)
{
    struct request *rq = get();
    struct reply rp;
    const char *s;

    (void)state;
    reply_begin(&rp, rq, 202, 0);
    reply_header(&rp, "cache-control", "max-age=%d", 60);
    assert_int_equal(reply_end(&rp), OK);
    s = sent(rq);
    assert_has(s, "Content-Length: 0\r\n");
    assert_has(s, "cache-control: max-age=60\r\n");
    assert_lacks(s, "no-store");
    buf_release(&far);
}

static void
header_values_cannot_end_a_line(void **state)
{
    struct request *rq = get();
    struct reply rp;
    const char *s;

    (void)state;
    reply_begin(&rp, rq, 200, 0);
    reply_header(&rp, "X-A", "%s", "a\r\nX-B: c\x7f");
    assert_int_equal(reply_end(&rp), OK);
    s = sent(rq);
    assert_has(s, "X-A: a??X-B: c?\r\n");
    buf_release(&far);
}

static void
a_body_past_its_ceiling_becomes_a_500(void **state)
{
    struct request *rq = get();
    struct reply rp;
    const char *s;

    (void)state;
    reply_begin(&rp, rq, 200, 10);
    buf_adds(reply_body(&rp, "text/plain"), "0123456789");
    assert_int_equal(buf_status(&rp.out), OK);
    buf_adds(&rp.out, "x");
    assert_int_equal(reply_end(&rp), OK);
    s = sent(rq);
    assert_has(s, "Status: 500 Internal Server Error\r\n");
    assert_lacks(s, "0123456789");
    assert_has(s, "\"request_id\":\"rid\"");
    buf_release(&far);
}

static void
a_head_past_its_ceiling_becomes_a_500(void **state)
{
    struct request *rq = get();
    struct reply rp;
    char value[1500];
    const char *s;

    (void)state;
    memset(value, 'v', sizeof(value));
    value[sizeof(value) - 1] = '\0';
    reply_begin(&rp, rq, 200, 10);
    for (int i = 0; i < 10; i++)
        reply_header(&rp, "X-A", "%s", value);
    assert_int_equal(reply_end(&rp), OK);
    s = sent(rq);
    assert_has(s, "Status: 500 ");
    assert_lacks(s, "vvv");
    buf_release(&far);
}

static void
a_problem_is_the_error_body(void **state)
{
    struct request *rq = get();
    struct problem p = {0};
    const char *s;

    (void)state;
    (void)problem_set(&p, ERR_BADREQ, "some_code", "A \"sentence\"", "Do %d",
                      5);
    assert_int_equal(reply_problem(rq, &p, NULL), OK);
    s = sent(rq);
    assert_has(s, "Status: 400 Bad Request\r\n");
    assert_has(s, "Content-Type: application/json\r\n");
    assert_has(s, "\r\n\r\n{\"error\":\"A \\\"sentence\\\"\","
                  "\"message\":\"Do 5\",\"code\":\"some_code\","
                  "\"request_id\":\"rid\"}");
    assert_lacks(s, "Retry-After");
    buf_release(&far);
}

static void
every_err_has_a_status_and_some_say_when_to_come_back(void **state)
{
    (void)state;
    for (int e = ERR_BADREQ; e < ERR__MAX; e++) {
        struct request *rq = get();
        struct problem p = {0};
        const char *s;
        bool later;
        (void)problem_set(&p, (enum err)e, NULL, NULL, NULL);
        assert_in_range(reply_status(&p), 400, 599);
        assert_int_equal(reply_problem(rq, &p, NULL), OK);
        s = sent(rq);
        later = reply_status(&p) == 429 || reply_status(&p) == 503;
        assert_int_equal(strstr(s, "\r\nRetry-After: ") != NULL, later);
        assert_lacks(s, "\"error\":\"\"");
        assert_lacks(s, "\"code\":\"\"");
        buf_release(&far);
    }
}

static void
a_problem_may_choose_its_status_and_time(void **state)
{
    struct request *rq = get();
    struct problem p = {0};
    const char *s;

    (void)state;
    (void)problem_set(&p, ERR_LIMIT, NULL, NULL, NULL);
    p.retry_after_s = 33;
    assert_int_equal(reply_problem(rq, &p, NULL), OK);
    s = sent(rq);
    assert_has(s, "Retry-After: 33\r\n");
    buf_release(&far);
    rq = get();
    (void)problem_set(&p, ERR_METHOD, NULL, NULL, NULL);
    p.retry_after_s = 0;
    assert_int_equal(reply_problem(rq, &p, "GET, HEAD"), OK);
    s = sent(rq);
    assert_has(s, "Status: 405 ");
    assert_has(s, "Allow: GET, HEAD\r\n");
    buf_release(&far);
    p.status = 418;
    assert_int_equal(reply_status(&p), 418);
}

static void
a_listed_origin_gets_cors_and_others_do_not(void **state)
{
    struct request *rq;
    const char *s;

    (void)state;
    reply_set_origins("https://a.example");
    rq = open_request("REQUEST_METHOD=GET", "HTTP_ORIGIN=https://a.example",
                      NULL);
    assert_int_equal(reply_json(rq, 200, "1", 1), OK);
    s = sent(rq);
    assert_has(s, "Access-Control-Allow-Origin: https://a.example\r\n");
    assert_has(s, "Access-Control-Expose-Headers: ");
    assert_has(s, "Access-Control-Allow-Credentials: true\r\n");
    assert_has(s, "Vary: Origin\r\n");
    buf_release(&far);
    rq = open_request("REQUEST_METHOD=GET", "HTTP_ORIGIN=https://b.example",
                      NULL);
    assert_int_equal(reply_json(rq, 200, "1", 1), OK);
    s = sent(rq);
    assert_lacks(s, "Access-Control");
    assert_has(s, "Vary: Origin\r\n"); /* for caches */
    buf_release(&far);
    rq = open_request("REQUEST_METHOD=GET", "HTTP_ORIGIN=http://h", NULL);
    assert_int_equal(reply_json(rq, 200, "1", 1), OK);
    s = sent(rq);
    assert_lacks(s, "Access-Control");
    buf_release(&far);
    reply_set_origins("");
}

static void
options_answers_a_preflight(void **state)
{
    static const char *const headers[] = {
        "Authorization", "X-API-Key",       "Last-Event-ID",
        "Content-Type",  "Idempotency-Key",
    };
    struct request *rq;
    const char *s;

    (void)state;
    reply_set_origins("*");
    rq = open_request("REQUEST_METHOD=OPTIONS", "HTTP_ORIGIN=https://a.example",
                      NULL);
    assert_int_equal(reply_options(rq, "POST, OPTIONS"), OK);
    s = sent(rq);
    assert_has(s, "Status: 204 ");
    assert_has(s, "Allow: POST, OPTIONS\r\n");
    assert_has(s, "Access-Control-Allow-Methods: POST, OPTIONS\r\n");
    assert_has(s, "Access-Control-Allow-Headers: ");
    for (size_t i = 0; i < COUNT_OF(headers); i++)
        assert_has(strstr(s, "Access-Control-Allow-Headers: "), headers[i]);
    assert_has(s, "Access-Control-Max-Age: ");
    assert_has(s, "Access-Control-Allow-Origin: https://a.example\r\n");
    assert_lacks(s, "Access-Control-Allow-Credentials");
    buf_release(&far);
    reply_set_key_header("X-My-Key");
    rq = open_request("REQUEST_METHOD=OPTIONS", "HTTP_ORIGIN=https://a.example",
                      NULL);
    assert_int_equal(reply_options(rq, "POST, OPTIONS"), OK);
    assert_has(sent(rq), ", X-My-Key\r\n");
    buf_release(&far);
    reply_set_key_header("x-api-key");
    reply_set_origins("");
    rq = open_request("REQUEST_METHOD=OPTIONS", "HTTP_ORIGIN=https://a.example",
                      NULL);
    assert_int_equal(reply_options(rq, "POST, OPTIONS"), OK);
    s = sent(rq);
    assert_has(s, "Allow: POST, OPTIONS\r\n");
    assert_lacks(s, "Access-Control");
    buf_release(&far);
}

static void
under_tls_browsers_are_told_to_stay_there(void **state)
{
    struct request *rq = open_request("REQUEST_METHOD=GET", "HTTPS=on", NULL);

    (void)state;
    assert_int_equal(reply_json(rq, 200, "1", 1), OK);
    assert_has(sent(rq), "Strict-Transport-Security: max-age=31536000\r\n");
    buf_release(&far);
    rq = open_request("REQUEST_METHOD=GET", "HTTPS=off", NULL);
    assert_int_equal(reply_json(rq, 200, "1", 1), OK);
    assert_lacks(sent(rq), "Strict-Transport");
    buf_release(&far);
}

static void
a_page_has_a_policy_of_its_own(void **state)
{
    struct request *rq = get();
    struct reply rp;
    const char *s;

    (void)state;
    reply_begin(&rp, rq, 200, 100);
    reply_header(&rp, "Content-Security-Policy", "script-src 'self'");
    buf_adds(reply_body(&rp, "text/html"), "x");
    assert_int_equal(reply_end(&rp), OK);
    s = sent(rq);
    assert_has(s, "Content-Security-Policy: script-src 'self'\r\n");
    assert_lacks(s, "default-src");
    buf_release(&far);
}

static void
what_is_left_is_said_once_by_every_reply(void **state)
{
    struct request *rq = get();
    struct problem p = {0};
    struct buf head;
    const char *s;

    (void)state;
    rq->left = (struct problem_quota){
        .unit = QUOTA_TURNS, .max = 9, .left = 4, .anew_ms = INT64_MAX / 2};
    buf_init(&head, REPLY_HEAD_MAX);
    reply_stream_head(&head, rq, "text/event-stream", NULL);
    assert_has(buf_cstr(&head), "\r\nX-RateLimit-Limit-Requests: 9\r\n"
                                "X-RateLimit-Remaining-Requests: 4\r\n"
                                "X-RateLimit-Reset-Requests: ");
    buf_release(&head);
    rq->left.anew_ms = 1; /* long ago */
    assert_int_equal(reply_json(rq, 200, "{}", 2), OK);
    s = sent(rq);
    assert_has(s, "X-RateLimit-Remaining-Requests: 4\r\n");
    assert_lacks(s, "X-RateLimit-Reset-Requests");
    buf_release(&far);

    /* A limit of answers at once that was reached is said instead; one of
     * tokens is another. */
    for (int unit = QUOTA_TOKENS; unit <= QUOTA_TURNS; unit++) {
        rq = get();
        rq->left = (struct problem_quota){QUOTA_TURNS, 9, 4, 1};
        (void)problem_set(&p, ERR_LIMIT, NULL, NULL, NULL);
        p.quota = (struct problem_quota){(enum problem_unit)unit, 3, 0, 0};
        assert_int_equal(reply_problem(rq, &p, NULL), OK);
        s = sent(rq);
        assert_int_equal(strstr(s, "Requests: 4\r\n") != NULL,
                         unit != QUOTA_TURNS);
        assert_int_equal(strstr(s, "Limit-Requests: 3\r\n") != NULL,
                         unit == QUOTA_TURNS);
        buf_release(&far);
    }
}

static void
a_stream_head_is_a_head_alone(void **state)
{
    struct request *rq = get();
    struct buf b;
    const char *s;

    (void)state;
    buf_init(&b, REPLY_HEAD_MAX);
    reply_stream_head(&b, rq, "text/event-stream", "X-A: b\r\n");
    s = buf_cstr(&b);
    assert_true(strncmp(s, "Status: 200 OK\r\n", 16) == 0);
    assert_has(s, "Content-Type: text/event-stream\r\n");
    assert_has(s, "Cache-Control: no-store\r\n");
    assert_has(s, "X-Accel-Buffering: no\r\n");
    assert_has(s, "X-Request-Id: rid\r\n");
    assert_has(s, "X-A: b\r\n\r\n");
    assert_lacks(s, "Content-Length");
    buf_release(&b);
    request_free(rq);
    close(fd);
}

static void
a_long_reply_is_left_in_the_conn(void **state)
{
    struct request *rq = get();
    struct reply rp;
    size_t n = 5 * 1000 * 1000;
    struct conn *c;
    char *body, take[65536];
    enum err e;
    size_t got = 0;
    ssize_t r;

    (void)state;
    reply_begin(&rp, rq, 200, n);
    body = buf_room(reply_body(&rp, "text/plain"), n);
    memset(body, 'x', n);
    rp.out.len += n;
    e = reply_end(&rp);
    assert_int_equal(e, ERR_AGAIN);
    c = request_take_conn(rq);
    assert_null(rq->conn);
    request_free(rq);
    while (e == ERR_AGAIN) {
        r = read(fd, take, sizeof(take));
        assert_true(r > 0);
        got += (size_t)r;
        e = conn_flush(c);
    }
    conn_free(c);
    while ((r = read(fd, take, sizeof(take))) > 0)
        got += (size_t)r;
    assert_true(got > n && got < n + 1000);
    close(fd);
}

static void
a_client_that_left_is_hup(void **state)
{
    struct request *rq = get();

    (void)state;
    close(fd);
    assert_int_equal(reply_json(rq, 200, "1", 1), ERR_HUP);
    request_free(rq);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_reply_has_head_and_body),
        cmocka_unit_test(json_replies_are_passed_as_they_are),
        cmocka_unit_test(head_has_the_length_but_not_the_body),
        cmocka_unit_test(no_content_has_neither),
        cmocka_unit_test(an_empty_reply_says_zero),
        cmocka_unit_test(header_values_cannot_end_a_line),
        cmocka_unit_test(a_body_past_its_ceiling_becomes_a_500),
        cmocka_unit_test(a_head_past_its_ceiling_becomes_a_500),
        cmocka_unit_test(a_problem_is_the_error_body),
        cmocka_unit_test(every_err_has_a_status_and_some_say_when_to_come_back),
        cmocka_unit_test(a_problem_may_choose_its_status_and_time),
        cmocka_unit_test(a_listed_origin_gets_cors_and_others_do_not),
        cmocka_unit_test(options_answers_a_preflight),
        cmocka_unit_test(under_tls_browsers_are_told_to_stay_there),
        cmocka_unit_test(a_page_has_a_policy_of_its_own),
        cmocka_unit_test(what_is_left_is_said_once_by_every_reply),
        cmocka_unit_test(a_stream_head_is_a_head_alone),
        cmocka_unit_test(a_long_reply_is_left_in_the_conn),
        cmocka_unit_test(a_client_that_left_is_hup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
