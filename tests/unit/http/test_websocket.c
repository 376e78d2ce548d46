/*
 * Tests of http/websocket.c. The loop runs in a thread of its own; every test
 * is a client that blocks.
 */
#include "door_test.h"

#include <poll.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/loop.h"
#include "http/upgrade.h"
#include "http/websocket.h"

#define STRICT_MS 300
#define RETRY_MS 200

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define HANDSHAKE                                                \
    "GET /ws/chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" KEY

static struct loop *loop;
static struct websocket *ws;
static pthread_t thread;
static char path[100];

static struct websocket *taker; /* waits for taken_path to be given up */
static char taken_path[100];
static int owner_fd, owner_lock; /* who has it until then */
static struct websocket *strict; /* has little time for a handshake */
static char strict_path[100];

/* --- an application that says everything back ---------------------------- */

struct client {
    struct wsock *sock;
};

static void *
admit(void *arg, struct request *rq, struct problem *why)
{
    (void)arg;
    if (strcmp(rq->path, "/ws/chat") == 0)
        return xcalloc(1, sizeof(struct client));
    (void)problem_set(why, ERR_NOTFOUND, NULL, NULL, NULL);
    return NULL;
}

static void
opened(void *owner, struct wsock *sock)
{
    struct client *c = owner;

    c->sock = sock;
    IGNORE(wsock_say(sock, "welcome", 7));
}

static void
on_message(void *owner, const char *p, size_t n)
{
    struct client *c = owner;

    IGNORE(wsock_say(c->sock, p, n));
}

static void
on_ready(void *owner)
{
    (void)owner;
}

static void
on_closed(void *owner)
{
    free(owner);
}

static const struct wsock_ops ops = {on_message, on_ready, on_closed};

static struct websocket *
open_at(struct loop *l, const char *at, int handshake_ms)
{
    const struct websocket_config c = {
        .path = at,
        .tcp = "",
        .base_path = "",
        .handshake_ms = handshake_ms,
        .retry_ms = RETRY_MS,
        .sock = {.message_max = 1000, .ping_ms = 60000, .close_ms = 1000},
        .app = {admit, opened, &ops, NULL},
    };

    return websocket_open(l, &c);
}

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

/* Read exactly n bytes. */
static void
get(int fd, char *out, size_t n)
{
    assert_int_equal(recv(fd, out, n, MSG_WAITALL), n);
    out[n] = '\0';
}

#define SWITCHED                           \
    "HTTP/1.1 101 Switching Protocols\r\n" \
    "Upgrade: websocket\r\n"               \
    "Connection: Upgrade\r\n"              \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

/* Read the 101 and the greeting. */
static void
see_welcome(int fd)
{
    char b[400] = "";
    size_t n = 0;

    while (n < 4 || memcmp(b + n - 4, "\r\n\r\n", 4) != 0) {
        assert_true(n < sizeof(b) - 1);
        assert_int_equal(recv(fd, b + n, 1, 0), 1);
        n++;
    }
    assert_int_equal(strncmp(b, SWITCHED, sizeof(SWITCHED) - 1), 0);
    get(fd, b, 9);
    assert_string_equal(b, "\x81\x07welcome");
}

static void
a_handshake_switches(void **state)
{
    int fd = dial();
    char b[20];

    (void)state;
    put(fd, HANDSHAKE "\r\n");
    see_welcome(fd);
    assert_int_equal(send(fd, "\x81\x82\0\0\0\0hi", 8, MSG_NOSIGNAL), 8);
    get(fd, b, 4);
    assert_string_equal(b, "\x81\x02hi");
    close(fd);
}

static void
frames_may_come_with_the_handshake(void **state)
{
    static const char all[] = HANDSHAKE "\r\n\x81\x82\0\0\0\0hi";
    int fd = dial();
    char b[20];

    (void)state;
    assert_int_equal(send(fd, all, sizeof(all) - 1, MSG_NOSIGNAL),
                     sizeof(all) - 1);
    see_welcome(fd);
    get(fd, b, 4);
    assert_string_equal(b, "\x81\x02hi");
    close(fd);
}

static void
a_refusal_is_a_response(void **state)
{
    struct buf b;
    int fd = dial();
    const char *s, *body;
    char length[50];

    (void)state;
    put(fd, "GET /nowhere HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" KEY
            "x-request-ID:  abc-1\r\n\r\n");
    s = answer(fd, &b);
    assert_int_equal(strncmp(s, "HTTP/1.1 404 Not Found\r\n", 24), 0);
    assert_has(s, "\r\nX-Request-Id: abc-1\r\n");
    assert_has(s, "\r\nConnection: close\r\n");
    body = strstr(s, "\r\n\r\n");
    assert_non_null(body);
    assert_has(body, "\"code\":\"not_found\"");
    assert_has(body, "\"request_id\":\"abc-1\"");
    snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n",
             strlen(body + 4));
    assert_has(s, length);
    buf_release(&b);
}

static void
what_is_no_handshake_is_refused(void **state)
{
    static const struct {
        const char *head, *status;
    } rows[] = {
        {"GET /ws/chat HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 426 "},
        {"nonsense\r\n\r\n", "HTTP/1.1 400 "},
        {"POST /ws/chat HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 405 "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf b;
        int fd = dial();

        put(fd, rows[i].head);
        assert_has(answer(fd, &b), rows[i].status);
        buf_release(&b);
    }
}

static void
a_handshake_may_come_byte_by_byte(void **state)
{
    const char *s = HANDSHAKE "\r\n";
    int fd = dial();

    (void)state;
    for (; *s; s++)
        assert_int_equal(send(fd, s, 1, MSG_NOSIGNAL), 1);
    see_welcome(fd);
    close(fd);
}

static void
a_head_without_end_is_431(void **state)
{
    char junk[UPGRADE_HEAD_MAX];
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

        if (i % 3 == 1)
            put(fd, "GET /ws");
        if (i % 3 == 2)
            put(fd, HANDSHAKE "\r\n");
        close(fd);
    }
    a_handshake_switches(NULL);
}

/* As many handshakes as there may be: who comes then waits in the kernel. */
static void
too_many_handshakes_wait(void **state)
{
    int fds[WEBSOCKET_HANDSHAKES_MAX];
    int late;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = dial();
        put(fds[i], "GET");
    }
    late = dial();
    put(late, HANDSHAKE "\r\n");
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        close(fds[i]);
    see_welcome(late);
    close(late);
}

static void
a_socket_of_another_process_is_left_alone(void **state)
{
    struct loop *l = loop_new();
    struct websocket *second = open_at(l, path, WEBSOCKET_HANDSHAKE_MS);

    (void)state;
    assert_non_null(second);
    websocket_close(second);
    loop_free(l);
    assert_int_equal(access(path, F_OK), 0);
    a_handshake_switches(NULL);
}

static void
the_next_process_takes_over(void **state)
{
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
    see_welcome(fd);
    close(fd);
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
    assert_null(open_at(loop, longer, STRICT_MS));
    websocket_close(NULL);
}

static int
setup(void **state)
{
    (void)state;
    make_dir();
    in_dir(path, "s");
    loop = loop_new();
    ws = open_at(loop, path, WEBSOCKET_HANDSHAKE_MS);
    in_dir(taken_path, "t");
    if (unixsock_listen(taken_path, 0600, &owner_fd, &owner_lock))
        return 1;
    taker = open_at(loop, taken_path, WEBSOCKET_HANDSHAKE_MS);
    in_dir(strict_path, "u");
    strict = open_at(loop, strict_path, STRICT_MS);
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
    (void)unlink(in_dir(strict_path, "u.lock"));
    remove_dir();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_switches),
        cmocka_unit_test(frames_may_come_with_the_handshake),
        cmocka_unit_test(a_refusal_is_a_response),
        cmocka_unit_test(what_is_no_handshake_is_refused),
        cmocka_unit_test(a_handshake_may_come_byte_by_byte),
        cmocka_unit_test(a_head_without_end_is_431),
        cmocka_unit_test(clients_may_leave_at_any_time),
        cmocka_unit_test(too_many_handshakes_wait),
        cmocka_unit_test(a_socket_of_another_process_is_left_alone),
        cmocka_unit_test(the_next_process_takes_over),
        cmocka_unit_test(a_client_that_dawdles_is_closed_in_time),
        cmocka_unit_test(a_path_that_is_too_long_is_no_socket),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
