/* Tests of client/carrier.c and carrier_line.c, with a server of the test's
 * own on 127.0.0.1. */
#include "client_test.h"

#include "../upstream/fake_provider.h"

static bool
answer(const struct fake_request *rq)
{
    if (strcmp(rq->path, "/echo") == 0)
        fake_say(rq->fd,
                 "HTTP/1.1 200 OK\r\nContent-Type: text/plain; x=y\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 rq->body_len, rq->body);
    else if (strcmp(rq->path, "/refuse") == 0)
        fake_say(rq->fd, "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
    else if (strcmp(rq->path, "/moved") == 0)
        fake_say(rq->fd, "HTTP/1.1 301 Gone\r\nLocation: /echo\r\n"
                         "Content-Length: 0\r\n\r\n");
    else if (strcmp(rq->path, "/cut") == 0)
        fake_say(rq->fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome");
    else if (strcmp(rq->path, "/silence") == 0)
        return true;
    else if (strcmp(rq->path, "/garbage") == 0)
        fake_say(rq->fd, "what?\r\n\r\n");
    return strcmp(rq->path, "/cut") != 0 && strcmp(rq->path, "/garbage") != 0;
}

struct world {
    struct fake *fake;
    struct carrier c;
    char url[64];
};

static int
setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));

    w->fake = fake_start(answer);
    carrier_init(&w->c);
    w->c.connect_ms = 10000;
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;

    carrier_release(&w->c);
    fake_stop(w->fake);
    free(w);
    return 0;
}

static const char *
url(struct world *w, const char *path)
{
    (void)snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d%s",
                   w->fake->port, path);
    return w->url;
}

static enum err
take(void *arg, const char *s, size_t n)
{
    buf_add(arg, s, n);
    return OK;
}

static enum err
refuse(void *arg, const char *s, size_t n)
{
    (void)arg, (void)s, (void)n;
    return ERR_BADREQ;
}

static void
a_reply_is_given_whole_or_in_pieces(void **state)
{
    struct world *w = *state;
    struct carrier_call call;
    struct buf got;

    buf_init(&got, 64);
    for (int i = 0; i < 2; i++) {
        carrier_call_init(&call, "POST", url(w, "/echo"));
        call.body = "hello";
        call.body_len = 5;
        call.data = i == 1 ? take : NULL;
        call.arg = &got;
        assert_int_equal(carrier_run(&w->c, &call), CARRIER_DONE);
        assert_int_equal(call.status, 200);
        assert_string_equal(call.type, "text/plain");
        assert_string_equal(buf_cstr(i == 0 ? &call.reply : &got), "hello");
        carrier_call_release(&call);
    }
    assert_int_equal(w->fake->accepted, 1); /* the connection is kept */
    buf_release(&got);
}

static void
a_refusal_is_a_reply_and_not_data(void **state)
{
    struct world *w = *state;
    struct carrier_call call;

    carrier_call_init(&call, "GET", url(w, "/refuse"));
    call.data = refuse;
    assert_int_equal(carrier_run(&w->c, &call), CARRIER_DONE);
    assert_int_equal(call.status, 403);
    assert_string_equal(buf_cstr(&call.reply), "no");
    carrier_call_release(&call);
}

static void
redirects_are_told_and_not_followed(void **state)
{
    struct world *w = *state;
    struct carrier_call call;

    carrier_call_init(&call, "GET", url(w, "/moved"));
    assert_int_equal(carrier_run(&w->c, &call), CARRIER_DONE);
    assert_int_equal(call.status, 301);
    assert_string_equal(call.location, url(w, "/echo"));
    carrier_call_release(&call);
}

static void
what_breaks_off_is_cut(void **state)
{
    struct world *w = *state;
    struct carrier_call call;

    carrier_call_init(&call, "GET", url(w, "/cut"));
    assert_int_equal(carrier_run(&w->c, &call), CARRIER_CUT);
    assert_string_equal(buf_cstr(&call.reply), "some");
    assert_true(call.why[0] != '\0');
    carrier_call_release(&call);
    carrier_call_init(&call, "POST", url(w, "/echo"));
    call.body = "hello";
    call.body_len = 5;
    call.data = refuse;
    assert_int_equal(carrier_run(&w->c, &call), CARRIER_CUT);
    carrier_call_release(&call);
}

static void
nobody_and_nonsense_are_told_apart(void **state)
{
    static const struct {
        const char *url;
        enum carrier_end end;
    } cases[] = {
        {"http://127.0.0.1:1/", CARRIER_NOWHERE},
        {"ftp://127.0.0.1/", CARRIER_WRONG},
        {"http://127.0.0.1:99999/", CARRIER_WRONG},
    };
    struct world *w = *state;
    struct carrier_call call;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        carrier_call_init(&call, "GET", cases[i].url);
        assert_int_equal(carrier_run(&w->c, &call), cases[i].end);
        assert_int_equal(call.status, 0);
        assert_null(strpbrk(call.why, "\r\n"));
        carrier_call_release(&call);
    }
    carrier_call_init(&call, "GET", url(w, "/garbage"));
    assert_int_equal(carrier_run(&w->c, &call), CARRIER_WRONG);
    carrier_call_release(&call);
}

static void *
stop_soon(void *arg)
{
    struct world *w = arg;

    while (w->fake->accepted == 0)
        fake_sleep_ms(1);
    carrier_stop(&w->c);
    return NULL;
}

static void
another_thread_can_stop_it(void **state)
{
    struct world *w = *state;
    struct carrier_call call;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, stop_soon, w), 0);
    carrier_call_init(&call, "GET", url(w, "/silence"));
    assert_int_equal(carrier_run(&w->c, &call), CARRIER_STOPPED);
    carrier_call_release(&call);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(carrier_pause(&w->c, 60000));
    carrier_reset(&w->c);
    assert_true(carrier_pause(&w->c, 1));
}

/* Stopped: ask for something beside it, once; then wait for that. */
struct beside {
    struct world *w;
    int sent;
};

static bool
tick(void *arg)
{
    struct beside *b = arg;
    struct carrier_call call;
    char echo[64];

    if (b->w->fake->accepted == 1 && b->sent++ == 0) {
        (void)snprintf(echo, sizeof(echo), "http://127.0.0.1:%d/echo",
                       b->w->fake->port);
        carrier_call_init(&call, "POST", echo);
        call.body = "stop";
        call.body_len = 4;
        carrier_beside(&b->w->c, &call);
        carrier_call_release(&call);
    }
    return b->w->fake->accepted < 2;
}

static void
a_request_can_be_sent_beside_another(void **state)
{
    struct world *w = *state;
    struct beside b = {.w = w};
    struct carrier_call call;

    carrier_call_init(&call, "GET", url(w, "/silence"));
    call.tick = tick;
    call.arg = &b;
    assert_int_equal(carrier_run(&w->c, &call), CARRIER_STOPPED);
    assert_int_equal(w->fake->accepted, 2);
    carrier_call_release(&call);
}

static void
a_line_moves_bytes_both_ways(void **state)
{
    static const char ask[] = "GET /refuse HTTP/1.1\r\nHost: h\r\n\r\n";
    struct world *w = *state;
    char why[CARRIER_WHY_MAX], got[256];
    struct carrier_line *l = NULL;
    size_t n = 0;
    ssize_t k;

    assert_int_equal(carrier_dial(&w->c, url(w, "/"), &l, why), CARRIER_DONE);
    assert_int_equal(carrier_write(l, ask, sizeof(ask) - 1), sizeof(ask) - 1);
    while (n < 2 || memcmp(got + n - 2, "no", 2) != 0) {
        k = carrier_read(l, got + n, sizeof(got) - n);
        assert_true(k >= 0);
        n += (size_t)k;
        if (k == 0)
            assert_true(carrier_wait(&w->c, l, false, 10000));
    }
    carrier_stop(&w->c);
    carrier_hang_up(l);
    assert_int_equal(carrier_dial(&w->c, url(w, "/"), &l, why),
                     CARRIER_STOPPED);
    carrier_reset(&w->c);
    assert_int_equal(carrier_dial(&w->c, "http://127.0.0.1:1/", &l, why),
                     CARRIER_NOWHERE);
    assert_true(why[0] != '\0');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reply_is_given_whole_or_in_pieces),
        TEST(a_refusal_is_a_reply_and_not_data),
        TEST(redirects_are_told_and_not_followed),
        TEST(what_breaks_off_is_cut),
        TEST(nobody_and_nonsense_are_told_apart),
        TEST(another_thread_can_stop_it),
        TEST(a_request_can_be_sent_beside_another),
        TEST(a_line_moves_bytes_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
