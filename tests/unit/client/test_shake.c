/* Tests of client/shake.c, the handshake of a WebSocket's client. The key and
 * its answer are those of RFC 6455, 1.3. */
#include "client_test.h"

#include "client/shake.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static void
addresses_are_taken_apart(void **state)
{
    static const struct {
        const char *url, *session, *dial, *host, *path;
    } cases[] = {
        {"ws://h", "", "http://h/", "h", "/ws/chat"},
        {"ws://h/", "", "http://h/", "h", "/ws/chat"},
        {"wss://h:1/a/b/", "s", "https://h:1/", "h:1", "/a/b?session_id=s"},
        {"WS://h?x=1#f", "s", "http://h/", "h", "/ws/chat?x=1&session_id=s"},
        {"ws://[::1]:9/a?t=%20", "", "http://[::1]:9/", "[::1]:9", "/a?t=%20"},
    };
    struct shake_url u;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(shake_url(&u, cases[i].url, cases[i].session), OK);
        assert_string_equal(u.dial, cases[i].dial);
        assert_string_equal(u.host, cases[i].host);
        assert_string_equal(u.path, cases[i].path);
    }
}

static void
bad_addresses_are_refused(void **state)
{
    static const char *const bad[] = {
        "ws://", "ws:///x", "h", "ws://a b/", "ws://h/\r\nX: y", "ws://me@h/"};
    struct shake_url u;
    char big[8192];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(shake_url(&u, bad[i], ""), ERR_BADREQ);
    (void)snprintf(big, sizeof(big), "ws://h/%0*d", 5000, 1);
    assert_int_equal(shake_url(&u, big, ""), ERR_BADREQ);
    (void)snprintf(big, sizeof(big), "ws://%0*d/", 600, 1);
    assert_int_equal(shake_url(&u, big, ""), ERR_BADREQ);
}

static void
a_request_has_what_the_rfc_wants(void **state)
{
    struct shake_url u;
    struct buf out;
    const char *s;

    (void)state;
    assert_int_equal(shake_url(&u, "ws://h:1/a", ""), OK);
    buf_init(&out, 4096);
    shake_request(&out, &u, KEY, "X: y");
    s = buf_cstr(&out);
    assert_ptr_equal(strstr(s, "GET /a HTTP/1.1\r\nHost: h:1\r\n"), s);
    assert_non_null(strstr(s, "\r\nUpgrade: websocket\r\n"));
    assert_non_null(strstr(s, "\r\nConnection: Upgrade\r\n"));
    assert_non_null(strstr(s, "\r\nSec-WebSocket-Version: 13\r\n"));
    assert_non_null(strstr(s, "\r\nSec-WebSocket-Key: " KEY "\r\n"));
    assert_string_equal(s + strlen(s) - 8, "X: y\r\n\r\n");
    buf_release(&out);
}

static void
keys_differ(void **state)
{
    char a[SHAKE_KEY_LEN], b[SHAKE_KEY_LEN];

    (void)state;
    shake_key(a);
    shake_key(b);
    assert_int_equal(strlen(a), SHAKE_KEY_LEN - 1);
    assert_string_not_equal(a, b);
}

static void
the_right_answer_opens(void **state)
{
    static const char good[] = "HTTP/1.1 101 Switching Protocols\r\n"
                               "connection: upgrade\r\n"
                               "UPGRADE:  WebSocket \r\n"
                               "sec-websocket-accept:" ACCEPT "\r\n\r\n\x81";
    size_t n = sizeof(good) - 1;
    struct shake_reply r;

    (void)state;
    for (size_t i = 0; i < n - 1; i++)
        assert_int_equal(shake_reply(&r, good, i, KEY), ERR_AGAIN);
    assert_int_equal(shake_reply(&r, good, n, KEY), OK);
    assert_int_equal(r.status, 101);
    assert_int_equal(r.head_len, n - 1);
}

static void
other_answers_do_not(void **state)
{
    static const char *const bad[] = {
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n",
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Accept: x" ACCEPT "\r\n\r\n",
        "HTTP/2 101 X\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n\r\n",
        "\r\n\r\n",
    };
    struct shake_reply r;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(shake_reply(&r, bad[i], strlen(bad[i]), KEY),
                         ERR_BADREQ);
    assert_int_equal(shake_reply(&r, "HTTP/1.1 403\r\n\r\n", 16, KEY), OK);
    assert_int_equal(r.status, 403);
}

static void
an_endless_head_is_refused(void **state)
{
    char *s = xmalloc(SHAKE_HEAD_MAX + 100);
    struct shake_reply r;

    (void)state;
    memset(s, 'x', SHAKE_HEAD_MAX + 100);
    assert_int_equal(shake_reply(&r, s, SHAKE_HEAD_MAX + 1, KEY), ERR_TOOBIG);
    memcpy(s + SHAKE_HEAD_MAX + 10, "\r\n\r\n", 4);
    assert_int_equal(shake_reply(&r, s, SHAKE_HEAD_MAX + 100, KEY), ERR_TOOBIG);
    free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(bad_addresses_are_refused),
        cmocka_unit_test(a_request_has_what_the_rfc_wants),
        cmocka_unit_test(keys_differ),
        cmocka_unit_test(the_right_answer_opens),
        cmocka_unit_test(other_answers_do_not),
        cmocka_unit_test(an_endless_head_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
