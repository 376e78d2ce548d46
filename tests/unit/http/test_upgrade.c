/* Tests of http/upgrade.c. */
#include "http_test.h"

#include "http/reply.h"
#include "http/upgrade.h"

#define GOOD                                                \
    "Host: h.example\r\nUpgrade: websocket\r\nConnection: " \
    "keep-alive, Upgrade\r\n"                               \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"       \
    "Sec-WebSocket-Version: 13\r\n"
#define LINE "GET /ws/chat?token=t HTTP/1.1\r\n"

static const struct upgrade_peer direct = {"127.0.0.1", false, ""};
static const struct upgrade_peer proxy = {"", true, ""};

static enum err
read_head(const char *head, const struct upgrade_peer *peer,
          struct request **rq, struct problem *p)
{
    return upgrade_read(head, strlen(head), peer, rq, p);
}

/* The status that a head is refused with; 0: it is in order. */
static int
status_of(const char *head)
{
    struct request *rq;
    struct problem p;
    enum err e = read_head(head, &direct, &rq, &p);

    if (e == OK)
        e = upgrade_check(rq, &p);
    request_free(rq);
    return e == OK ? 0 : reply_status(&p);
}

static void
a_handshake_is_a_request(void **state)
{
    struct request *rq;
    struct problem p;
    const char *token;

    (void)state;
    assert_int_equal(read_head(LINE GOOD "Origin: https://a.example\r\n\r\n",
                               &direct, &rq, &p),
                     OK);
    assert_int_equal(upgrade_check(rq, &p), OK);
    assert_int_equal(rq->method, METHOD_GET);
    assert_string_equal(rq->path, "/ws/chat");
    assert_string_equal(rq->base, "");
    assert_int_equal(request_arg(rq, "token", &token, &p), OK);
    assert_string_equal(token, "t");
    assert_string_equal(request_var(rq, "REMOTE_ADDR"), "127.0.0.1");
    assert_int_equal(request_origin(rq, ""), ORIGIN_FOREIGN);
    assert_int_equal(request_origin(rq, "https://a.example"), ORIGIN_LISTED);
    request_free(rq);
}

/* The example of RFC 6455, section 1.3. */
static void
the_key_is_answered_as_the_standard_says(void **state)
{
    struct request *rq;
    struct problem p;
    struct buf out;

    (void)state;
    assert_int_equal(
        read_head(LINE GOOD "X-Request-Id: id-7\r\n\r\n", &direct, &rq, &p),
        OK);
    buf_init(&out, 4096);
    upgrade_switch(&out, rq);
    assert_non_null(strstr(buf_cstr(&out), "Sec-WebSocket-Accept: "
                                           "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_non_null(strstr(buf_cstr(&out), "X-Request-Id: id-7\r\n"));
    assert_int_equal(strncmp(buf_cstr(&out), "HTTP/1.1 101 ", 13), 0);
    buf_release(&out);
    request_free(rq);
}

static void
what_is_no_handshake_is_refused(void **state)
{
    static const struct {
        int status;
        const char *head;
    } rows[] = {
        {0, LINE GOOD "\r\n"},
        {0, "GET http://h.example/ws/chat HTTP/1.1\r\n" GOOD "\r\n"},
        {0, LINE GOOD "Content-Length: 0\r\n\r\n"},
        {0, LINE GOOD "X-A: 1\r\nX-A: 2\r\nX_A: 3\r\n\r\n"},
        {405, "POST /ws/chat HTTP/1.1\r\n" GOOD "\r\n"},
        {400, "GET /ws/chat HTTP/1.0\r\n" GOOD "\r\n"},
        {400, "GET /ws/chat HTTP/2.0\r\n" GOOD "\r\n"},
        {400, "GET /ws/chat\r\n" GOOD "\r\n"},
        {400, "GET  HTTP/1.1\r\n" GOOD "\r\n"},
        {400, "GET /ws chat HTTP/1.1\r\n" GOOD "\r\n"},
        {400, "GET /ws\t HTTP/1.1\r\n" GOOD "\r\n"},
        {400, "\r\n"},
        {400, "\r\n\r\n"},
        {400, ""},
        {400, LINE GOOD},
        {400, LINE GOOD "Host: again\r\n\r\n"},
        {400, LINE GOOD "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"},
        {400, LINE GOOD "Content-Length: 5\r\n\r\n"},
        {400, LINE GOOD "Transfer-Encoding: chunked\r\n\r\n"},
        {400, LINE GOOD " folded\r\n\r\n"},
        {400, LINE GOOD "No Colon Here\r\n\r\n"},
        {400, LINE GOOD "Space : before\r\n\r\n"},
        {400, LINE GOOD ": no name\r\n\r\n"},
        {400, LINE GOOD "X: a\rb\r\n\r\n"},
        {400, LINE GOOD "X: a\nb\r\n\r\n"},
        {400, LINE "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
        {426, LINE "Host: h\r\n\r\n"},
        {426, LINE "Host: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"},
        {426, LINE "Host: h\r\nUpgrade: websocket\r\nConnection: "
                   "Upgraded\r\n\r\n"},
        {426, LINE "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 8\r\n\r\n"},
        {400, LINE "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\n\r\n"},
        {400, LINE "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: tooshort\r\n\r\n"},
        {400, LINE "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: ????????????????????????\r\n\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (status_of(rows[i].head) != rows[i].status)
            fail_msg("%d, not %d: %s", status_of(rows[i].head), rows[i].status,
                     rows[i].head);
}

static void
too_many_headers_are_431(void **state)
{
    struct buf head;

    (void)state;
    buf_init(&head, UPGRADE_HEAD_MAX);
    buf_adds(&head, LINE GOOD);
    for (int i = 0; i < UPGRADE_HEADERS_MAX; i++)
        buf_addf(&head, "X-%d: 1\r\n", i);
    buf_adds(&head, "\r\n");
    assert_int_equal(status_of(buf_cstr(&head)), 431);
    buf_release(&head);
}

/* Only a web server of ours is believed, and of its list the last one, as it
 * appends whom it sees. */
static void
a_web_server_says_who_asks_and_where(void **state)
{
    const char *head = "GET /parley/ws/chat HTTP/1.1\r\n" GOOD
                       "X-Forwarded-For: 6.6.6.6, 10.0.0.9\r\n"
                       "X-Forwarded-Prefix: /parley\r\n\r\n";
    struct request *rq;
    struct problem p;

    (void)state;
    assert_int_equal(read_head(head, &proxy, &rq, &p), OK);
    assert_string_equal(request_var(rq, "REMOTE_ADDR"), "10.0.0.9");
    assert_string_equal(rq->base, "/parley");
    assert_string_equal(rq->path, "/ws/chat");
    request_free(rq);
    assert_int_equal(read_head(head, &direct, &rq, &p), OK);
    assert_string_equal(request_var(rq, "REMOTE_ADDR"), "127.0.0.1");
    assert_string_equal(rq->path, "/parley/ws/chat");
    request_free(rq);
}

static void
a_configured_base_is_taken_off(void **state)
{
    const struct upgrade_peer peer = {"", true, "/chat/"};
    struct request *rq;
    struct problem p;

    (void)state;
    assert_int_equal(read_head("GET /chat/ws/x HTTP/1.1\r\n" GOOD
                               "X-Forwarded-Prefix: /\r\n\r\n",
                               &peer, &rq, &p),
                     OK);
    assert_string_equal(rq->path, "/ws/x");
    request_free(rq);
}

static void
a_refusal_is_a_whole_response(void **state)
{
    struct request *rq;
    struct problem p;
    struct buf out;

    (void)state;
    assert_int_equal(read_head(LINE "Host: h\r\n\r\n", &direct, &rq, &p), OK);
    assert_int_equal(upgrade_check(rq, &p), ERR_BADREQ);
    buf_init(&out, 4096);
    upgrade_refuse(&out, rq, &p);
    assert_int_equal(
        strncmp(buf_cstr(&out), "HTTP/1.1 426 Upgrade Required\r\n", 31), 0);
    assert_non_null(
        strstr(buf_cstr(&out), "\r\nSec-WebSocket-Version: 13\r\n"));
    assert_non_null(strstr(buf_cstr(&out), "\r\nUpgrade: websocket\r\n"));
    assert_non_null(strstr(buf_cstr(&out), "\"code\":\"upgrade_required\""));
    buf_clear(&out);
    (void)problem_set(&p, ERR_BUSY, NULL, NULL, NULL);
    p.status = 0;
    p.retry_after_s = 7;
    upgrade_refuse(&out, rq, &p);
    assert_non_null(strstr(buf_cstr(&out), "HTTP/1.1 503 "));
    assert_non_null(strstr(buf_cstr(&out), "\r\nRetry-After: 7\r\n"));
    buf_release(&out);
    request_free(rq);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_is_a_request),
        cmocka_unit_test(the_key_is_answered_as_the_standard_says),
        cmocka_unit_test(what_is_no_handshake_is_refused),
        cmocka_unit_test(too_many_headers_are_431),
        cmocka_unit_test(a_web_server_says_who_asks_and_where),
        cmocka_unit_test(a_configured_base_is_taken_off),
        cmocka_unit_test(a_refusal_is_a_whole_response),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
