/* Tests of upstream/transfer*.c against a provider on 127.0.0.1. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <signal.h>

#include "base/log.h"
#include "fake_provider.h"
#include "upstream/transfer.h"

#define GUARD_MS 20000 /* a test that is not done by then has failed */
#define BIG (300 * 1024)

static struct fake *fake;
static struct loop *loop;
static struct transfers *ts;
static struct loop_timer guard;

/* --- the provider -------------------------------------------------------- */

static void
say_echo(const struct fake_request *rq)
{
    fake_say(rq->fd,
             "HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; x=y\r\n"
             "X-Request-Id: r-1\r\nContent-Length: %zu\r\n\r\n",
             rq->body_len);
    fake_send(rq->fd, rq->body, rq->body_len);
}

static void
say_big_head(int fd)
{
    int i;

    fake_say(fd, "HTTP/1.1 200 OK\r\n");
    for (i = 0; i < 100; i++)
        fake_say(fd, "X-Filler-%d: %01000d\r\n", i, 0);
    fake_say(fd, "Content-Length: 0\r\n\r\n");
}

static void
say_long_error(int fd)
{
    char *s = malloc(BIG);

    if (s == NULL)
        abort();
    memset(s, 'e', BIG);
    fake_say(fd, "HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n", BIG);
    fake_send(fd, s, BIG);
    free(s);
}

/* A piece, a pause, and so on, for as long as the peer is there. */
static void
say_drip(int fd, int pieces, int pause_ms)
{
    struct pollfd left = {fd, POLLRDHUP, 0};
    int i;

    fake_say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n");
    for (i = 0; i < pieces; i++) {
        fake_say(fd, "5\r\nabcd\n\r\n");
        if (poll(&left, 1, pause_ms) > 0)
            return;
    }
    fake_say(fd, "0\r\nX-Trailer: late\r\n\r\n");
}

static bool
until_left(int fd)
{
    struct pollfd p = {fd, POLLRDHUP | POLLIN, 0};

    (void)poll(&p, 1, GUARD_MS);
    return true; /* the next read sees why */
}

static bool
answer_broken(const struct fake_request *rq)
{
    const char *p = rq->path;

    if (strcmp(p, "/nothing") == 0)
        return false;
    if (strcmp(p, "/garbage") == 0)
        fake_say(rq->fd, "SSH-2.0-OpenSSH_9.2\r\n");
    else if (strcmp(p, "/cut") == 0)
        fake_say(rq->fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    else if (strcmp(p, "/cut-chunk") == 0)
        fake_say(rq->fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                         "\r\n5\r\nabcde\r\n9\r\nxy");
    else if (strcmp(p, "/to-close") == 0)
        fake_say(rq->fd, "HTTP/1.1 200 OK\r\n\r\nto the end");
    else if (strcmp(p, "/packed") == 0)
        fake_say(rq->fd, "HTTP/1.1 200 OK\r\n"
                         "transfer-Encoding:\tgzip , chunked \r\n\r\nx");
    else if (strcmp(p, "/big-head") == 0)
        say_big_head(rq->fd);
    else
        fake_say(rq->fd, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    return false;
}

static bool
answer(const struct fake_request *rq)
{
    const char *p = rq->path;

    if (strcmp(p, "/echo") == 0) {
        say_echo(rq);
    } else if (strcmp(p, "/head") == 0) {
        size_t n = strlen(rq->head) - rq->body_len;

        fake_say(rq->fd, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
        fake_send(rq->fd, rq->head, n);
    } else if (strcmp(p, "/limit") == 0) {
        fake_say(rq->fd, "HTTP/1.1 429 Slow\r\nRetry-After: 1.5\r\n"
                         "x-should-retry: true\r\nContent-Length: 7\r\n\r\n"
                         "not now");
    } else if (strcmp(p, "/long-error") == 0) {
        say_long_error(rq->fd);
    } else if (strcmp(p, "/interim") == 0) {
        fake_say(rq->fd, "HTTP/1.1 103 Early\r\nX-Request-Id: no\r\n\r\n"
                         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    } else if (strcmp(p, "/moved") == 0) {
        fake_say(rq->fd, "HTTP/1.1 302 Found\r\nLocation: /echo\r\n"
                         "Content-Length: 0\r\n\r\n");
    } else if (strcmp(p, "/drip") == 0) {
        say_drip(rq->fd, 20, 5);
    } else if (strcmp(p, "/drip-on") == 0) {
        say_drip(rq->fd, 100, 100);
    } else if (strcmp(p, "/silent") == 0) {
        return until_left(rq->fd);
    } else if (strcmp(p, "/stall") == 0) {
        fake_say(rq->fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        return until_left(rq->fd);
    } else if (strcmp(p, "/once") == 0) {
        say_echo(rq);
        return false;
    } else {
        return answer_broken(rq);
    }
    return true;
}

/* --- the client ---------------------------------------------------------- */

/* One transfer as its owner saw it. */
struct seen {
    struct transfer *t;
    int heads, dones, datas;
    struct upstream_head head;
    enum transfer_end end;
    bool had_head;
    char reason[256];
    struct buf data, error;
    struct seen *other; /* see on_data */
    enum { QUIET, CANCEL_SELF, CANCEL_OTHER, START_OTHER } act;
    int64_t cancel_ms;
};

static size_t open_count; /* transfers that a test waits for */
static bool waiting;      /* in wait_all */

static void seen_start(struct seen *s, const char *path, const char *body);

static void
on_guard(struct loop_timer *t)
{
    (void)t;
    fprintf(stderr, "no end after %d ms\n", GUARD_MS);
    abort();
}

static void
close_one(void)
{
    assert_true(open_count > 0);
    if (--open_count == 0 && waiting)
        loop_stop(loop);
}

static void
seen_cancel(struct seen *s)
{
    transfer_cancel(s->t);
    s->t = NULL;
    s->cancel_ms = clock_mono_ms();
    close_one();
}

static void
on_head(void *arg, const struct upstream_head *head)
{
    struct seen *s = arg;

    s->heads++;
    s->head = *head;
}

static void
on_data(void *arg, const char *p, size_t n)
{
    struct seen *s = arg;
    int act = s->act;

    assert_non_null(s->t); /* not after a cancel */
    assert_int_equal(s->heads, 1);
    s->datas++;
    buf_add(&s->data, p, n);
    s->act = QUIET;
    if (act == START_OTHER)
        seen_start(s->other, "/echo", "from inside");
    else if (act == CANCEL_OTHER)
        seen_cancel(s->other);
    else if (act == CANCEL_SELF)
        seen_cancel(s);
}

static void
on_done(void *arg, const struct transfer_result *r)
{
    struct seen *s = arg;

    assert_non_null(s->t);
    s->t = NULL;
    s->dones++;
    s->end = r->end;
    s->had_head = r->head != NULL;
    if (r->head != NULL)
        s->head = *r->head;
    assert_non_null(r->reason);
    snprintf(s->reason, sizeof(s->reason), "%s", r->reason);
    buf_add(&s->error, r->error_body, r->error_len);
    if (s->act == START_OTHER && s->datas == 0)
        seen_start(s->other, "/echo", "from done");
    close_one();
}

static const struct transfer_calls calls = {on_head, on_data, on_done};
static const struct transfer_limits no_limits = {5000, 0, 0, 0};

static void
seen_init(struct seen *s)
{
    memset(s, 0, sizeof(*s));
    buf_init(&s->data, 8 * 1024 * 1024);
    buf_init(&s->error, 8 * 1024 * 1024);
}

static void
seen_release(struct seen *s)
{
    buf_release(&s->data);
    buf_release(&s->error);
}

static void
start_url(struct seen *s, const char *url, const char *body, size_t n,
          const struct transfer_limits *lim)
{
    struct upstream_request q;

    upstream_request_init(&q, 8 * 1024 * 1024);
    q.url = strdup(url);
    q.method = body != NULL ? "POST" : "GET";
    if (body != NULL)
        buf_add(&q.body, body, n);
    assert_int_equal(upstream_request_header(&q, "X-Test", "yes"), OK);
    s->t = transfer_start(ts, &q, lim, &calls, s);
    assert_null(q.url);
    assert_int_equal(q.body.len, 0);
    upstream_request_release(&q);
    if (s->t != NULL)
        open_count++;
    assert_int_equal(s->dones, 0);
}

static void
start_limited(struct seen *s, const char *path, const char *body,
              const struct transfer_limits *lim)
{
    char url[256];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", fake->port, path);
    start_url(s, url, body, body != NULL ? strlen(body) : 0, lim);
    assert_non_null(s->t);
}

static void
seen_start(struct seen *s, const char *path, const char *body)
{
    start_limited(s, path, body, &no_limits);
}

static void
wait_all(void)
{
    if (open_count == 0)
        return;
    guard.fn = on_guard;
    loop_timer_set(loop, &guard, clock_mono_ms() + GUARD_MS);
    waiting = true;
    loop_run(loop);
    waiting = false;
    loop_timer_clear(loop, &guard);
}

static void
fetch(struct seen *s, const char *path, const char *body)
{
    seen_init(s);
    seen_start(s, path, body);
    wait_all();
    assert_int_equal(s->dones, 1);
    assert_int_equal(transfers_running(ts), 0);
}

static void
assert_data(const struct seen *s, const char *want)
{
    assert_int_equal(s->data.len, strlen(want));
    assert_memory_equal(s->data.data, want, strlen(want));
}

static int
setup(void **state)
{
    (void)state;
    fake = fake_start(answer);
    loop = loop_new();
    ts = transfers_new(loop);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    transfers_free(ts);
    loop_free(loop);
    fake_stop(fake);
    open_count = 0;
    return 0;
}

/* Run the loop for a while with nothing expected. */
static void
on_pause(struct loop_timer *t)
{
    (void)t;
    loop_stop(loop);
}

static void
run_for_ms(int ms)
{
    struct loop_timer t = {.fn = on_pause};

    loop_timer_set(loop, &t, clock_mono_ms() + ms);
    loop_run(loop);
    loop_timer_clear(loop, &t);
}

/* --- tests --------------------------------------------------------------- */

static void
a_reply_comes_as_head_data_done(void **state)
{
    struct seen s;

    (void)state;
    fetch(&s, "/echo", "hello");
    assert_int_equal(s.end, TRANSFER_COMPLETE);
    assert_int_equal(s.heads, 1);
    assert_int_equal(s.head.status, 200);
    assert_string_equal(s.head.type, "text/plain");
    assert_string_equal(s.head.request_id, "r-1");
    assert_int_equal(s.head.retry_after_ms, -1);
    assert_data(&s, "hello");
    seen_release(&s);
}

static void
the_request_has_our_headers_and_none_of_curls(void **state)
{
    struct seen s;
    const char *head;

    (void)state;
    fetch(&s, "/head", "x");
    head = buf_cstr(&s.data);
    assert_non_null(strstr(head, "POST /head HTTP/1.1\r\n"));
    assert_non_null(strstr(head, "\r\nX-Test: yes\r\n"));
    assert_null(strcasestr(head, "expect:"));
    assert_null(strcasestr(head, "accept-encoding:"));
    seen_release(&s);
}

static void
get_sends_no_body(void **state)
{
    struct seen s;

    (void)state;
    fetch(&s, "/head", NULL);
    assert_non_null(strstr(buf_cstr(&s.data), "GET /head HTTP/1.1\r\n"));
    assert_null(strcasestr(s.data.data, "content-length"));
    seen_release(&s);
}

static void
a_connection_is_reused(void **state)
{
    struct seen s;
    int i;

    (void)state;
    for (i = 0; i < 20; i++) {
        fetch(&s, "/echo", "again");
        assert_data(&s, "again");
        seen_release(&s);
    }
    assert_int_equal(fake->accepted, 1);
    assert_int_equal(transfers_connections(ts), 1);
}

static void
a_kept_connection_that_closed_is_replaced(void **state)
{
    struct seen s;
    int i;

    (void)state;
    for (i = 0; i < 5; i++) {
        fetch(&s, "/once", "x");
        assert_int_equal(s.end, TRANSFER_COMPLETE);
        assert_data(&s, "x");
        seen_release(&s);
        run_for_ms(20);
    }
    assert_int_equal(fake->accepted, 5);
}

static void
many_run_at_once(void **state)
{
    struct seen s[60];
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(s); i++) {
        seen_init(&s[i]);
        seen_start(&s[i], i % 3 == 0 ? "/drip" : "/echo", "many");
    }
    assert_int_equal(transfers_running(ts), COUNT_OF(s));
    wait_all();
    for (i = 0; i < COUNT_OF(s); i++) {
        assert_int_equal(s[i].end, TRANSFER_COMPLETE);
        assert_int_equal(s[i].data.len, i % 3 == 0 ? 100 : 4);
        seen_release(&s[i]);
    }
    assert_int_equal(transfers_running(ts), 0);
}

static void
a_long_body_is_sent_whole(void **state)
{
    size_t n = 2 * 1024 * 1024, i;
    char *body = malloc(n), url[64];
    struct seen s;

    (void)state;
    assert_non_null(body);
    for (i = 0; i < n; i++)
        body[i] = (char)('a' + i % 23);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/echo", fake->port);
    seen_init(&s);
    start_url(&s, url, body, n, &no_limits);
    wait_all();
    assert_int_equal(s.data.len, n);
    assert_memory_equal(s.data.data, body, n);
    seen_release(&s);
    free(body);
}

static void
a_name_is_resolved_without_blocking(void **state)
{
    struct seen s[3];
    char url[64];
    size_t i;

    (void)state;
    snprintf(url, sizeof(url), "http://localhost:%d/echo", fake->port);
    for (i = 0; i < COUNT_OF(s); i++) {
        seen_init(&s[i]);
        start_url(&s[i], url, "named", 5, &no_limits);
    }
    wait_all();
    for (i = 0; i < COUNT_OF(s); i++) {
        assert_int_equal(s[i].end, TRANSFER_COMPLETE);
        assert_data(&s[i], "named");
        seen_release(&s[i]);
    }
}

static void
a_refused_connection_is_a_connect_failure(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct seen s;
    char url[64];

    (void)state;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    /* bound, not listening: the port is ours and refuses */
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(a.sin_port));
    seen_init(&s);
    start_url(&s, url, "x", 1, &no_limits);
    wait_all();
    assert_int_equal(s.end, TRANSFER_CONNECT);
    assert_false(s.had_head);
    assert_non_null(strcasestr(s.reason, "connect"));
    seen_release(&s);
    close(fd);
}

static void
a_bad_address_is_refused_at_once(void **state)
{
    static const char *const bad[] = {
        "",
        "ftp://127.0.0.1/x",
        "http://",
        "file:///etc/passwd",
        "http://[::1/x",
        "127.0.0.1:80",
        "http://a b/",
    };
    struct seen s;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++) {
        seen_init(&s);
        start_url(&s, bad[i], "x", 1, &no_limits);
        assert_null(s.t);
        seen_release(&s);
    }
    assert_int_equal(transfers_running(ts), 0);
}

static void
how_a_reply_breaks_is_told_apart(void **state)
{
    static const struct {
        const char *path;
        enum transfer_end end;
        const char *data;
    } rows[] = {
        {"/nothing", TRANSFER_CONNECT, ""},
        {"/garbage", TRANSFER_FAILED, ""},
        {"/cut", TRANSFER_CUT, "abc"},
        {"/cut-chunk", TRANSFER_CUT, "abcdexy"},
        {"/to-close", TRANSFER_COMPLETE, "to the end"},
        {"/big-head", TRANSFER_OVERSIZE, ""},
        {"/packed", TRANSFER_FAILED, ""},
    };
    struct seen s;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        fetch(&s, rows[i].path, "x");
        if (s.end != rows[i].end)
            fail_msg("%s: end %d (%s)", rows[i].path, s.end, s.reason);
        assert_data(&s, rows[i].data);
        seen_release(&s);
    }
}

static void
an_error_reply_is_gathered_for_done(void **state)
{
    struct seen s;

    (void)state;
    fetch(&s, "/limit", "x");
    assert_int_equal(s.end, TRANSFER_COMPLETE);
    assert_int_equal(s.head.status, 429);
    assert_int_equal(s.head.retry_after_ms, 1500);
    assert_int_equal(s.head.should_retry, 1);
    assert_int_equal(s.datas, 0);
    assert_string_equal(buf_cstr(&s.error), "not now");
    seen_release(&s);
}

static void
a_long_error_is_cut(void **state)
{
    struct seen s;

    (void)state;
    fetch(&s, "/long-error", "x");
    assert_int_equal(s.end, TRANSFER_COMPLETE);
    assert_int_equal(s.error.len, TRANSFER_ERROR_MAX);
    seen_release(&s);
}

static void
an_interim_reply_is_passed_over(void **state)
{
    struct seen s;

    (void)state;
    fetch(&s, "/interim", "x");
    assert_int_equal(s.heads, 1);
    assert_int_equal(s.head.status, 200);
    assert_string_equal(s.head.request_id, "");
    assert_data(&s, "ok");
    seen_release(&s);
}

static void
a_redirect_is_not_followed(void **state)
{
    struct seen s;

    (void)state;
    fetch(&s, "/moved", "x");
    assert_int_equal(s.head.status, 302);
    assert_int_equal(s.end, TRANSFER_COMPLETE);
    seen_release(&s);
}

static void
silence_ends_in_a_timeout(void **state)
{
    static const struct {
        const char *path;
        struct transfer_limits lim;
        int64_t least_ms;
    } rows[] = {
        {"/silent", {1000, 300, 0, 0}, 300},
        {"/stall", {1000, 0, 300, 0}, 300},
        {"/silent", {1000, 0, 0, 300}, 300},
        {"/drip-on", {1000, 0, 0, 400}, 400},
    };
    struct seen s;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        int64_t began_ms = clock_mono_ms(), took_ms;

        seen_init(&s);
        start_limited(&s, rows[i].path, "x", &rows[i].lim);
        wait_all();
        took_ms = clock_mono_ms() - began_ms;
        assert_int_equal(s.end, TRANSFER_TIMEOUT);
        assert_true(took_ms >= rows[i].least_ms - 5);
        assert_true(took_ms < 3000);
        seen_release(&s);
    }
}

static void
a_drip_within_the_limits_goes_on(void **state)
{
    static const struct transfer_limits lim = {1000, 600, 600, 0};
    struct seen s;

    (void)state;
    seen_init(&s);
    start_limited(&s, "/drip", "x", &lim);
    wait_all();
    assert_int_equal(s.end, TRANSFER_COMPLETE);
    assert_int_equal(s.data.len, 100);
    seen_release(&s);
}

/* Wait for the provider to see that n of its connections were closed. */
static int64_t
left_ms(int n)
{
    int i;

    for (i = 0; i < 400 && fake->left < n; i++)
        run_for_ms(5);
    assert_true(fake->left >= n);
    return fake->left_ms;
}

static void
cancel_from_data_closes_at_once(void **state)
{
    struct seen s;

    (void)state;
    seen_init(&s);
    s.act = CANCEL_SELF;
    seen_start(&s, "/stall", "x");
    wait_all();
    assert_true(left_ms(1) - s.cancel_ms < 100);
    assert_int_equal(s.dones, 0);
    assert_int_equal(transfers_running(ts), 0);
    seen_release(&s);
}

static void
cancel_from_outside_closes_at_once(void **state)
{
    struct seen s;

    (void)state;
    seen_init(&s);
    seen_start(&s, "/silent", "x");
    run_for_ms(50); /* sent by now */
    seen_cancel(&s);
    assert_true(left_ms(1) - s.cancel_ms < 100);
    assert_int_equal(s.dones, 0);
    transfer_cancel(NULL);
    seen_release(&s);
}

static void
cancel_before_anything_happened_is_quiet(void **state)
{
    struct seen s;

    (void)state;
    seen_init(&s);
    seen_start(&s, "/echo", "x");
    seen_cancel(&s);
    run_for_ms(30);
    assert_int_equal(s.heads + s.datas + s.dones, 0);
    seen_release(&s);
}

static void
a_callback_may_cancel_another(void **state)
{
    struct seen a, b;

    (void)state;
    seen_init(&a);
    seen_init(&b);
    seen_start(&b, "/silent", "x");
    run_for_ms(30);
    a.act = CANCEL_OTHER;
    a.other = &b;
    seen_start(&a, "/drip", "x");
    wait_all();
    assert_int_equal(a.end, TRANSFER_COMPLETE);
    assert_int_equal(a.data.len, 100);
    assert_int_equal(b.dones, 0);
    assert_true(left_ms(1) - b.cancel_ms < 100);
    seen_release(&a);
    seen_release(&b);
}

static void
a_callback_may_start_another(void **state)
{
    static const char *const paths[] = {"/drip", "/moved"};
    struct seen a, b;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(paths); i++) { /* from data, from done */
        seen_init(&a);
        seen_init(&b);
        a.act = START_OTHER;
        a.other = &b;
        seen_start(&a, paths[i], "x");
        wait_all();
        assert_int_equal(a.end, TRANSFER_COMPLETE);
        assert_int_equal(b.end, TRANSFER_COMPLETE);
        assert_int_equal(b.data.len, i == 0 ? 11 : 9);
        seen_release(&a);
        seen_release(&b);
    }
}

static void
freeing_all_cancels_what_runs(void **state)
{
    struct seen s[8];
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(s); i++) {
        seen_init(&s[i]);
        seen_start(&s[i], i % 2 != 0 ? "/silent" : "/stall", "x");
    }
    run_for_ms(50);
    transfers_free(ts);
    ts = transfers_new(loop);
    for (i = 0; i < COUNT_OF(s); i++) {
        assert_int_equal(s[i].dones, 0);
        seen_release(&s[i]);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(a_reply_comes_as_head_data_done),
        T(the_request_has_our_headers_and_none_of_curls),
        T(get_sends_no_body),
        T(a_connection_is_reused),
        T(a_kept_connection_that_closed_is_replaced),
        T(many_run_at_once),
        T(a_long_body_is_sent_whole),
        T(a_name_is_resolved_without_blocking),
        T(a_refused_connection_is_a_connect_failure),
        T(a_bad_address_is_refused_at_once),
        T(how_a_reply_breaks_is_told_apart),
        T(an_error_reply_is_gathered_for_done),
        T(a_long_error_is_cut),
        T(an_interim_reply_is_passed_over),
        T(a_redirect_is_not_followed),
        T(silence_ends_in_a_timeout),
        T(a_drip_within_the_limits_goes_on),
        T(cancel_from_data_closes_at_once),
        T(cancel_from_outside_closes_at_once),
        T(cancel_before_anything_happened_is_quiet),
        T(a_callback_may_cancel_another),
        T(a_callback_may_start_another),
        T(freeing_all_cancels_what_runs),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    (void)unsetenv("http_proxy");
    (void)unsetenv("HTTP_PROXY");
    (void)unsetenv("all_proxy");
    (void)unsetenv("ALL_PROXY");
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
