/*
 * Tests of http/websocket.c. The loop runs in a thread of its own; every test
 * is a client that blocks.
 */
#include "door_test.h"

#include <poll.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/loop.h"
#include "http/websocket.h"

#define STRICT_MS 300
#define RETRY_MS 200

#define HANDSHAKE                                                \
    "GET /ws/chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\n"

static struct loop *loop;
static struct websocket *ws;
static pthread_t thread;
static char path[100];

static struct websocket *taker; /* waits for taken_path to be given up */
static char taken_path[100];
static int owner_fd, owner_lock; /* who has it until then */
static struct websocket *strict; /* has little time for a handshake */
static char strict_path[100];

static void *
loop_thread(void *arg)
{
    (void)arg;
    loop_run(loop);
    return NULL;
}

static void
on_stop(struct mail *m)
{
    (void)m;
    loop_stop(loop);
}

static int
dial_at(const char *at)
{
    struct timeval limit = {.tv_sec = 20};
    int fd = unixsock_connect(at);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

static int
dial(void)
{
    return dial_at(path);
}

static const char *
answer(int fd, struct buf *b)
{
    read_all(fd, b);
    close(fd);
    return buf_cstr(b);
}

static void
put(int fd, const char *s)
{
    assert_int_equal(send(fd, s, strlen(s), MSG_NOSIGNAL), strlen(s));
}

static void
a_handshake_is_answered_501(void **state)
{
    struct buf b;
    int fd = dial();
    const char *s, *body;
    char length[50];

    (void)state;
    put(fd, HANDSHAKE "x-request-ID:  abc-1\r\n\r\n");
    s = answer(fd, &b);
    assert_int_equal(strncmp(s, "HTTP/1.1 501 Not Implemented\r\n", 30), 0);
    assert_has(s, "\r\nX-Request-Id: abc-1\r\n");
    assert_has(s, "\r\nConnection: close\r\n");
    body = strstr(s, "\r\n\r\n");
    assert_non_null(body);
    assert_has(body, "\"code\":\"websocket_unavailable\"");
    assert_has(body, "\"request_id\":\"abc-1\"");
    snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n",
             strlen(body + 4));
    assert_has(s, length);
    buf_release(&b);
}

static void
an_id_that_is_not_well_formed_is_replaced(void **state)
{
    static const char *const heads[] = {
        HANDSHAKE "\r\n",
        HANDSHAKE "X-Request-Id: a b\r\n\r\n",
        HANDSHAKE "X-Request-Id:\r\n\r\n",
        "x-request-id: first-line\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        struct buf b;
        int fd = dial();
        const char *at;
        put(fd, heads[i]);
        at = strstr(answer(fd, &b), "\r\nX-Request-Id: ");
        assert_non_null(at);
        assert_int_equal(strcspn(at + 16, "\r"), 36);
        buf_release(&b);
    }
}

static void
a_handshake_may_come_byte_by_byte(void **state)
{
    const char *s = HANDSHAKE "\r\n";
    struct buf b;
    int fd = dial();

    (void)state;
    for (; *s; s++)
        assert_int_equal(send(fd, s, 1, MSG_NOSIGNAL), 1);
    assert_has(answer(fd, &b), "HTTP/1.1 501 ");
    buf_release(&b);
}

static void
a_head_without_end_is_431(void **state)
{
    char junk[WEBSOCKET_HEAD_MAX];
    struct buf b;
    int fd = dial();

    (void)state;
    memset(junk, 'x', sizeof(junk));
    assert_int_equal(send(fd, junk, sizeof(junk), MSG_NOSIGNAL), sizeof(junk));
    assert_has(answer(fd, &b), "HTTP/1.1 431 ");
    buf_release(&b);
}

static void
clients_may_leave_at_any_time(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        int fd = dial();
        if (i & 1)
            put(fd, "GET /ws");
        close(fd);
    }
    a_handshake_is_answered_501(NULL);
}

static void
too_many_handshakes_are_closed(void **state)
{
    int fds[WEBSOCKET_CONNS_MAX];
    struct buf b;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = dial();
        put(fds[i], "GET");
    }
    assert_string_equal(answer(dial(), &b), "");
    buf_release(&b);
    put(fds[7], " / HTTP/1.1\r\n\r\n");
    assert_has(answer(fds[7], &b), "HTTP/1.1 501 ");
    buf_release(&b);
    a_handshake_is_answered_501(NULL); /* there is a place again */
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        if (i != 7)
            close(fds[i]);
}

static void
a_socket_of_another_process_is_left_alone(void **state)
{
    struct loop *l = loop_new();
    struct websocket *second = websocket_open(l, path);

    (void)state;
    assert_non_null(second);
    websocket_close(second);
    loop_free(l);
    assert_int_equal(access(path, F_OK), 0);
    a_handshake_is_answered_501(NULL);
}

static void
the_next_process_takes_over(void **state)
{
    struct buf b;
    int fd = -1;

    (void)state;
    close(owner_fd);
    close(owner_lock); /* the owner ends */
    for (int i = 0; i < 1000 && fd < 0; i++) {
        fd = unixsock_connect(taken_path);
        if (fd < 0)
            (void)usleep(10000);
    }
    assert_true(fd >= 0);
    put(fd, HANDSHAKE "\r\n");
    assert_has(answer(fd, &b), "HTTP/1.1 501 ");
    buf_release(&b);
}

/* Bytes that come now and then win it no time. */
static void
a_client_that_dawdles_is_closed_in_time(void **state)
{
    int64_t began_ms = clock_mono_ms(), took_ms;
    int fd = dial_at(strict_path);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char c;

    (void)state;
    put(fd, HANDSHAKE);
    while (poll(&p, 1, STRICT_MS / 10) == 0 &&
           clock_mono_ms() - began_ms < 20000)
        (void)!send(fd, "x", 1, MSG_NOSIGNAL);
    took_ms = clock_mono_ms() - began_ms;
    assert_true(took_ms >= STRICT_MS - 1);
    assert_true(took_ms < 20000);
    assert_true(recv(fd, &c, 1, 0) <= 0); /* not a byte */
    close(fd);
}

static void
a_path_that_is_too_long_is_no_socket(void **state)
{
    char longer[200];

    (void)state;
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    assert_null(websocket_open(loop, longer));
    websocket_close(NULL);
}

static int
setup(void **state)
{
    (void)state;
    make_dir();
    in_dir(path, "s");
    loop = loop_new();
    ws = websocket_open(loop, path);
    in_dir(taken_path, "t");
    if (unixsock_listen(taken_path, 0600, &owner_fd, &owner_lock))
        return 1;
    taker = websocket_open_timed(loop, taken_path, WEBSOCKET_HANDSHAKE_MS,
                                 RETRY_MS);
    in_dir(strict_path, "u");
    strict = websocket_open_timed(loop, strict_path, STRICT_MS, RETRY_MS);
    if (pthread_create(&thread, NULL, loop_thread, NULL) != 0)
        return 1;
    return 0;
}

static int
teardown(void **state)
{
    struct mail stop = {.fn = on_stop};

    (void)state;
    loop_post(loop, &stop);
    pthread_join(thread, NULL);
    websocket_close(ws);
    websocket_close(taker);
    websocket_close(strict);
    loop_free(loop);
    assert_int_not_equal(access(path, F_OK), 0);
    remove_dir();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_is_answered_501),
        cmocka_unit_test(an_id_that_is_not_well_formed_is_replaced),
        cmocka_unit_test(a_handshake_may_come_byte_by_byte),
        cmocka_unit_test(a_head_without_end_is_431),
        cmocka_unit_test(clients_may_leave_at_any_time),
        cmocka_unit_test(too_many_handshakes_are_closed),
        cmocka_unit_test(a_socket_of_another_process_is_left_alone),
        cmocka_unit_test(the_next_process_takes_over),
        cmocka_unit_test(a_client_that_dawdles_is_closed_in_time),
        cmocka_unit_test(a_path_that_is_too_long_is_no_socket),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
