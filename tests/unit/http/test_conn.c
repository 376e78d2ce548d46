/* Tests of http/conn.c: framing, back-pressure, and peers that leave. */
#include "http_test.h"

#include <poll.h>
#include <signal.h>

#include "http/conn.h"

struct pair {
    struct conn *c;
    int far; /* the web server's end */
};

static struct pair
open_pair(enum conn_kind kind, uint16_t id)
{
    struct pair p;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    p.c = conn_new(kind, fds[0], id);
    p.far = fds[1];
    return p;
}

/* Take FastCGI records apart: content of STDOUT into out. Returns true if
 * the end (empty STDOUT, END_REQUEST with zeros) closes it, and only then. */
static bool
unwrap(const struct buf *in, uint16_t id, struct buf *out)
{
    const uint8_t *p = (const uint8_t *)in->data, *end = p + in->len;
    bool closed = false;

    buf_init(out, FAR_MAX);
    while (p < end) {
        size_t len;
        assert_true(end - p >= 8);
        assert_int_equal(p[0], 1);
        assert_int_equal(p[2] << 8 | p[3], id);
        len = (size_t)(p[4] << 8 | p[5]);
        assert_true((size_t)(end - p) >= 8 + len + p[6]);
        if (p[1] == 6 && len > 0) {
            assert_false(closed);
            buf_add(out, p + 8, len);
        } else if (p[1] == 6) {
            closed = true;
        } else {
            assert_int_equal(p[1], 3);
            assert_true(closed);
            assert_int_equal(len, 8);
            for (int i = 0; i < 8; i++)
                assert_int_equal(p[8 + i], 0);
            assert_true(p + 8 + len + p[6] == end);
            return true;
        }
        p += 8 + len + p[6];
    }
    return false;
}

static char *
pattern(size_t n)
{
    char *p = xmalloc(n);

    for (size_t i = 0; i < n; i++)
        p[i] = (char)(i * 31 + i / 251);
    return p;
}

static void
a_small_reply_is_one_record_and_the_end(void **state)
{
    struct pair p = open_pair(CONN_FCGI, 0x1234);
    struct buf in, out;

    (void)state;
    assert_int_equal(conn_end(p.c, "hello", 5), OK);
    assert_true(p.c->ended);
    conn_free(p.c);
    read_all(p.far, &in);
    assert_int_equal(in.len, 8 + 5 + 24);
    assert_true(unwrap(&in, 0x1234, &out));
    assert_int_equal(out.len, 5);
    assert_memory_equal(out.data, "hello", 5);
    buf_release(&in);
    buf_release(&out);
    close(p.far);
}

static void
sending_nothing_sends_nothing(void **state)
{
    struct pair p = open_pair(CONN_FCGI, 1);
    struct buf in;

    (void)state;
    assert_int_equal(conn_send(p.c, "", 0), OK);
    assert_int_equal(conn_flush(p.c), OK);
    conn_free(p.c);
    read_all(p.far, &in);
    assert_int_equal(in.len, 0);
    buf_release(&in);
    close(p.far);
}

static void
an_empty_reply_still_ends(void **state)
{
    struct pair p = open_pair(CONN_FCGI, 1);
    struct buf in, out;

    (void)state;
    assert_int_equal(conn_end(p.c, NULL, 0), OK);
    conn_free(p.c);
    read_all(p.far, &in);
    assert_true(unwrap(&in, 1, &out));
    assert_int_equal(out.len, 0);
    buf_release(&in);
    buf_release(&out);
    close(p.far);
}

/* Send n bytes to a reader that takes `sip` at a time; compare. */
static void
send_to_slow_reader(enum conn_kind kind, size_t n, size_t sip)
{
    struct pair p = open_pair(kind, 7);
    char *data = pattern(n), *sip_buf = xmalloc(sip);
    struct buf in, out;
    enum err e = conn_end(p.c, data, n);

    buf_init(&in, FAR_MAX);
    assert_true(e == OK || e == ERR_AGAIN);
    while (e == ERR_AGAIN) {
        struct pollfd pfd = {p.c->fd, POLLOUT, 0};
        ssize_t r = read(p.far, sip_buf, sip);
        assert_false(conn_ready(p.c));
        assert_true(r > 0);
        buf_add(&in, sip_buf, (size_t)r);
        if (poll(&pfd, 1, 0) == 1)
            e = conn_flush(p.c);
    }
    assert_int_equal(e, OK);
    assert_true(conn_ready(p.c));
    assert_null(p.c->rest.data);
    conn_free(p.c);
    for (ssize_t r; (r = read(p.far, sip_buf, sip)) > 0;)
        buf_add(&in, sip_buf, (size_t)r);
    if (kind == CONN_FCGI) {
        assert_true(unwrap(&in, 7, &out));
    } else {
        buf_init(&out, FAR_MAX);
        buf_add(&out, in.data, in.len);
    }
    assert_int_equal(out.len, n);
    assert_memory_equal(out.data, data, n);
    buf_release(&in);
    buf_release(&out);
    free(data);
    free(sip_buf);
    close(p.far);
}

static void
long_replies_arrive_whole_at_any_pace(void **state)
{
    static const size_t sizes[] = {65527,   65528,       65529,
                                   131056,  1024 * 1024, 1048448,
                                   1048449, 3000001,     12 * 1024 * 1024};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        send_to_slow_reader(CONN_FCGI, sizes[i], 64 * 1024);
        send_to_slow_reader(CONN_CGI, sizes[i], 50001);
    }
    send_to_slow_reader(CONN_FCGI, 400000, 1021);
}

static void
what_is_sent_while_full_waits_its_turn(void **state)
{
    struct pair p = open_pair(CONN_FCGI, 3);
    struct buf in, out, want;
    char line[32];
    enum err e = OK;

    (void)state;
    buf_init(&want, FAR_MAX);
    for (int i = 0; i < 60000; i++) {
        int n = snprintf(line, sizeof(line), "line %d\n", i);
        e = conn_send(p.c, line, (size_t)n);
        assert_true(e == OK || e == ERR_AGAIN);
        buf_add(&want, line, (size_t)n);
    }
    assert_int_equal(e, ERR_AGAIN);
    assert_int_equal(conn_end(p.c, "end\n", 4), ERR_AGAIN);
    buf_add(&want, "end\n", 4);
    buf_init(&in, FAR_MAX);
    while (e == ERR_AGAIN) {
        char *at = buf_room(&in, 4096);
        ssize_t r = read(p.far, at, 4096);
        assert_true(r > 0);
        in.len += (size_t)r;
        e = conn_flush(p.c);
    }
    conn_free(p.c);
    for (;;) {
        char *at = buf_room(&in, 4096);
        ssize_t r = read(p.far, at, 4096);
        if (r <= 0)
            break;
        in.len += (size_t)r;
    }
    assert_true(unwrap(&in, 3, &out));
    assert_int_equal(out.len, want.len);
    assert_memory_equal(out.data, want.data, want.len);
    buf_release(&in);
    buf_release(&out);
    buf_release(&want);
    close(p.far);
}

static void
a_reply_past_the_ceiling_changes_nothing(void **state)
{
    struct pair p = open_pair(CONN_FCGI, 1);
    size_t n = 1024 * 1024;
    char *data = pattern(n);
    enum err e = OK;
    int i;

    (void)state;
    for (i = 0; i < 200 && e != ERR_TOOBIG; i++)
        e = conn_send(p.c, data, n);
    assert_int_equal(e, ERR_TOOBIG);
    assert_in_range(i, CONN_REST_MAX / n - 1, CONN_REST_MAX / n + 2);
    assert_true(p.c->rest.len <= CONN_REST_MAX);
    assert_false(p.c->rest.over);
    assert_int_equal(conn_end(p.c, data, n), ERR_TOOBIG);
    assert_false(p.c->ended);
    conn_free(p.c);
    free(data);
    close(p.far);
}

static void
a_peer_that_left_is_hup_for_good(void **state)
{
    struct pair p = open_pair(CONN_FCGI, 1);

    (void)state;
    close(p.far);
    assert_int_equal(conn_send(p.c, "x", 1), ERR_HUP);
    assert_true(p.c->gone);
    assert_false(conn_ready(p.c));
    assert_int_equal(conn_send(p.c, "x", 1), ERR_HUP);
    assert_int_equal(conn_flush(p.c), ERR_HUP);
    assert_int_equal(conn_end(p.c, "x", 1), ERR_HUP);
    conn_free(p.c);
    conn_free(NULL);
}

static void
a_peer_may_leave_while_bytes_wait(void **state)
{
    struct pair p = open_pair(CONN_FCGI, 1);
    char *data = pattern(4000000);

    (void)state;
    assert_int_equal(conn_end(p.c, data, 4000000), ERR_AGAIN);
    close(p.far);
    assert_int_equal(conn_flush(p.c), ERR_HUP);
    conn_free(p.c);
    free(data);
}

static void
only_a_departed_client_gets_an_end_that_was_not_sent(void **state)
{
    struct buf in, out;

    (void)state;
    for (int departed = 0; departed < 2; departed++) {
        struct pair p = open_pair(CONN_FCGI, 9);
        assert_int_equal(conn_send(p.c, "data", 4), OK);
        if (departed)
            shutdown(p.far, SHUT_WR);
        conn_free(p.c);
        read_all(p.far, &in);
        assert_int_equal(unwrap(&in, 9, &out), departed);
        assert_int_equal(out.len, 4);
        buf_release(&in);
        buf_release(&out);
        close(p.far);
    }
}

static void
a_pipe_does_not_block_and_carries_bare_bytes(void **state)
{
    int fds[2];
    struct conn *c;
    char *data = pattern(300000), *got = xmalloc(300000);
    size_t have = 0;
    enum err e;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    c = conn_new(CONN_CGI, fds[1], 0);
    assert_false(c->is_socket);
    assert_true(fcntl(fds[1], F_GETFL) & O_NONBLOCK);
    assert_false(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    e = conn_end(c, data, 300000);
    assert_int_equal(e, ERR_AGAIN);
    while (e == ERR_AGAIN) {
        ssize_t r = read(fds[0], got + have, 10000);
        assert_true(r > 0);
        have += (size_t)r;
        e = conn_flush(c);
    }
    assert_int_equal(e, OK);
    conn_free(c);
    for (ssize_t r; (r = read(fds[0], got + have, 300000 - have)) > 0;)
        have += (size_t)r;
    assert_int_equal(have, 300000);
    assert_memory_equal(got, data, 300000);
    free(data);
    free(got);
    close(fds[0]);
}

static void
a_closed_pipe_is_hup(void **state)
{
    int fds[2];
    struct conn *c;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    c = conn_new(CONN_CGI, fds[1], 0);
    close(fds[0]);
    assert_int_equal(conn_send(c, "x", 1), ERR_HUP);
    conn_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_reply_is_one_record_and_the_end),
        cmocka_unit_test(sending_nothing_sends_nothing),
        cmocka_unit_test(an_empty_reply_still_ends),
        cmocka_unit_test(long_replies_arrive_whole_at_any_pace),
        cmocka_unit_test(what_is_sent_while_full_waits_its_turn),
        cmocka_unit_test(a_reply_past_the_ceiling_changes_nothing),
        cmocka_unit_test(a_peer_that_left_is_hup_for_good),
        cmocka_unit_test(a_peer_may_leave_while_bytes_wait),
        cmocka_unit_test(only_a_departed_client_gets_an_end_that_was_not_sent),
        cmocka_unit_test(a_pipe_does_not_block_and_carries_bare_bytes),
        cmocka_unit_test(a_closed_pipe_is_hup),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
