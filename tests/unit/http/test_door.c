/*
 * Tests of http/door.c and http/fcgi.c: a FastCGI client of our own against
 * running acceptors.
 */
#include "door_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

static struct doors *doors;
static int listen_fd = -1, lock_fd = -1;
static char sock_path[100];

/* --- a client ------------------------------------------------------------ */

static void
add_record(struct buf *b, int type, int id, const void *p, size_t n, int pad)
{
    const char head[8] = {1,
                          (char)type,
                          (char)(id >> 8),
                          (char)id,
                          (char)(n >> 8),
                          (char)n,
                          (char)pad,
                          0};

    buf_add(b, head, 8);
    buf_add(b, p, n);
    buf_add(b, "paddingpadding", (size_t)pad);
}

static void
add_param(struct buf *b, const char *name, const char *value)
{
    size_t n = strlen(value);

    buf_addc(b, (char)strlen(name));
    if (n < 128) {
        buf_addc(b, (char)n);
    } else {
        buf_addc(b, (char)(n >> 24 | 0x80));
        buf_addc(b, (char)(n >> 16));
        buf_addc(b, (char)(n >> 8));
        buf_addc(b, (char)n);
    }
    buf_adds(b, name);
    buf_adds(b, value);
}

/* A whole request; length is what CONTENT_LENGTH says, NULL: nothing. */
static void
add_request(struct buf *b, int id, int flags, const char *method,
            const char *length, const char *body, size_t n)
{
    const char begin[8] = {0, 1, (char)flags, 0, 0, 0, 0, 0};
    struct buf params;

    buf_init(&params, 65535);
    add_param(&params, "REQUEST_METHOD", method);
    add_param(&params, "SCRIPT_NAME", "");
    add_param(&params, "PATH_INFO", "/a b");
    if (length)
        add_param(&params, "CONTENT_LENGTH", length);
    buf_init(b, FAR_MAX);
    add_record(b, 1, id, begin, 8, 0);
    add_record(b, 4, id, params.data, params.len, 5);
    add_record(b, 4, id, "", 0, 0);
    for (size_t at = 0; at < n; at += 60001)
        add_record(b, 5, id, body + at, n - at < 60001 ? n - at : 60001, 7);
    add_record(b, 5, id, "", 0, 0);
    buf_release(&params);
}

static int
dial(void)
{
    int fd = unixsock_connect(sock_path);

    assert_true(fd >= 0);
    return fd;
}

static bool
write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t r = send(fd, p, n, MSG_NOSIGNAL);
        if (r <= 0)
            return false;
        p += r;
        n -= (size_t)r;
    }
    return true;
}

/* STDOUT's content; true if the end came and nothing after it. */
static bool
read_answer(int fd, int id, struct buf *out)
{
    struct buf in;
    size_t at = 0;
    bool ended = false;

    buf_init(out, FAR_MAX);
    read_all(fd, &in);
    while (at + 8 <= in.len && !ended) {
        const uint8_t *p = (const uint8_t *)in.data + at;
        size_t n = (size_t)(p[4] << 8 | p[5]);
        assert_int_equal(p[2] << 8 | p[3], id);
        if (p[1] == 6)
            buf_add(out, p + 8, n);
        ended = p[1] == 3;
        at += 8 + n + p[6];
    }
    assert_int_equal(at, in.len);
    buf_release(&in);
    (void)close(fd);
    return ended;
}

static void
expect(int fd, int id, const char *what)
{
    struct buf out;

    assert_true(read_answer(fd, id, &out));
    assert_has(buf_cstr(&out), what);
    buf_release(&out);
}

static void
expect_nothing(int fd)
{
    struct buf in;

    read_all(fd, &in);
    assert_int_equal(in.len, 0);
    buf_release(&in);
    (void)close(fd);
}

/* --- tests --------------------------------------------------------------- */

static void
a_request_is_answered_and_the_connection_closed(void **state)
{
    struct buf b;

    (void)state;
    for (int flags = 0; flags < 2; flags++) { /* 1: FCGI_KEEP_CONN */
        int fd = dial();
        add_request(&b, 0x102, flags, "GET", "", "", 0);
        assert_true(write_all(fd, b.data, b.len));
        expect(fd, 0x102, "\r\n\r\nGET /a b 0 0\n");
        buf_release(&b);
    }
}

static void
any_split_of_the_bytes_gives_the_same_request(void **state)
{
    char want[100];
    struct buf b;

    (void)state;
    add_request(&b, 1, 0, "POST", "11", "hello world", 11);
    snprintf(want, sizeof(want), "\r\n\r\nPOST /a b 11 %u\n",
             sum_of("hello world", 11));
    for (size_t cut = 1; cut < b.len; cut++) {
        int fd = dial();
        assert_true(write_all(fd, b.data, cut));
        if (cut % 16 == 0)
            (void)usleep(1000);
        assert_true(write_all(fd, b.data + cut, b.len - cut));
        expect(fd, 1, want);
    }
    buf_release(&b);
}

static void
a_body_of_ten_megabytes_arrives(void **state)
{
    size_t n = 10 * 1024 * 1024;
    char *body = xmalloc(n), length[32], want[100];
    struct buf b;
    int fd = dial();

    (void)state;
    for (size_t i = 0; i < n; i++)
        body[i] = (char)(i * 7 + i / 1000);
    snprintf(length, sizeof(length), "%zu", n);
    snprintf(want, sizeof(want), "POST /a b %zu %u\n", n, sum_of(body, n));
    add_request(&b, 1, 0, "POST", length, body, n);
    assert_true(write_all(fd, b.data, b.len));
    expect(fd, 1, want);
    buf_release(&b);
    free(body);
}

static void
a_body_without_length_is_read_to_its_end(void **state)
{
    char want[100];
    struct buf b;
    int fd = dial();

    (void)state;
    add_request(&b, 1, 0, "POST", NULL, "0123456789", 10);
    assert_true(write_all(fd, b.data, b.len));
    snprintf(want, sizeof(want), "POST /a b 10 %u\n", sum_of("0123456789", 10));
    expect(fd, 1, want);
    buf_release(&b);
}

static void
problems_reach_the_handler(void **state)
{
    struct buf b;
    int fd = dial();

    (void)state;
    add_request(&b, 1, 0, "POST", "ten", "0123456789", 10);
    assert_true(write_all(fd, b.data, b.len));
    expect(fd, 1, "Status: 400 ");
    buf_release(&b);
    fd = dial();
    add_request(&b, 1, 0, "POST", "5", "0123456789", 10);
    assert_true(write_all(fd, b.data, b.len));
    expect(fd, 1, "Status: 400 ");
    buf_release(&b);
}

static void
a_body_too_big_is_answered_unread(void **state)
{
    struct buf b;
    int fd = dial();

    (void)state;
    add_request(&b, 1, 0, "POST", "16777217", "only the beginning", 18);
    assert_true(write_all(fd, b.data, b.len));
    expect(fd, 1, "Status: 413 ");
    buf_release(&b);
}

static void
a_client_that_leaves_in_the_middle_is_dropped(void **state)
{
    struct buf b;
    int fd;

    (void)state;
    add_request(&b, 1, 0, "POST", "20", "0123456789", 10);
    fd = dial(); /* the body ends early */
    assert_true(write_all(fd, b.data, b.len));
    expect_nothing(fd);
    for (size_t cut = 0; cut < b.len; cut += 9) {
        fd = dial();
        assert_true(write_all(fd, b.data, cut));
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        expect_nothing(fd);
    }
    buf_release(&b);
    a_request_is_answered_and_the_connection_closed(NULL);
}

static void
nonsense_closes_the_connection_and_nothing_else(void **state)
{
    char noise[4096];
    unsigned seed = 1;

    (void)state;
    for (int i = 0; i < 50; i++) {
        int fd = dial();
        char byte;
        for (size_t k = 0; k < sizeof(noise); k++) {
            seed = seed * 1103515245 + 12345;
            noise[k] = (char)(seed >> 16);
        }
        if (i & 1)
            noise[0] = 1;
        if (i & 2)
            noise[1] = (char)(i % 12);
        (void)write_all(fd, noise, sizeof(noise));
        (void)shutdown(fd, SHUT_WR);
        while (read(fd, &byte, 1) > 0)
            ;
        (void)close(fd);
    }
    a_request_is_answered_and_the_connection_closed(NULL);
}

static void *
client_run(void *arg)
{
    struct buf b;

    (void)arg;
    for (int i = 0; i < 100; i++) {
        int fd = dial();
        add_request(&b, i + 1, 0, "POST", "4", "ping", 4);
        assert_true(write_all(fd, b.data, b.len));
        expect(fd, i + 1, "POST /a b 4 ");
        buf_release(&b);
    }
    return NULL;
}

static void
many_clients_are_served_at_once(void **state)
{
    pthread_t t[8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, client_run, NULL), 0);
    for (size_t i = 0; i < COUNT_OF(t); i++)
        pthread_join(t[i], NULL);
}

static void
fd_0_is_asked_what_it_is(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0) {
        int pair[2];
        bool right;
        dup2(listen_fd, 0);
        right = door_is_fcgi();
        if (pipe(pair) != 0)
            _exit(3);
        dup2(pair[0], 0);
        right = right && !door_is_fcgi();
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
            _exit(3);
        dup2(pair[0], 0);
        right = right && !door_is_fcgi();
        close(0);
        right = right && !door_is_fcgi();
        _exit(right ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static atomic_int seen_flags;

static void
keep_flags(void *arg, struct request *rq, const struct problem *why)
{
    (void)arg;
    atomic_store(&seen_flags,
                 (fcntl(rq->conn->fd, F_GETFD) & FD_CLOEXEC ? 1 : 0) |
                     (fcntl(rq->conn->fd, F_GETFL) & O_NONBLOCK ? 2 : 0));
    echo(NULL, rq, why);
}

static int
open_doors(door_fn *fn)
{
    struct door_config c = {.fcgi_fd = listen_fd,
                            .engine_fd = -1,
                            .threads = 3,
                            .body = {.max = ECHO_BODY_MAX},
                            .base_path = "",
                            .fn = fn};

    return doors_open(&doors, &c);
}

static void
closing_and_opening_again_loses_nothing(void **state)
{
    struct buf b;
    int fd;

    (void)state;
    doors_close(doors);
    fd = dial(); /* waits in the backlog */
    add_request(&b, 1, 0, "GET", NULL, "", 0);
    assert_true(write_all(fd, b.data, b.len));
    assert_int_equal(open_doors(keep_flags), OK);
    expect(fd, 1, "GET /a b 0 0\n");
    assert_int_equal(atomic_load(&seen_flags), 1); /* cloexec, blocking */
    buf_release(&b);
}

static int
setup(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    make_dir();
    in_dir(sock_path, "s");
    if (unixsock_listen(sock_path, 0600, &listen_fd, &lock_fd))
        return 1;
    return open_doors(echo);
}

static int
teardown(void **state)
{
    (void)state;
    doors_close(doors);
    doors_close(NULL);
    close(listen_fd);
    close(lock_fd);
    remove_dir();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered_and_the_connection_closed),
        cmocka_unit_test(any_split_of_the_bytes_gives_the_same_request),
        cmocka_unit_test(a_body_of_ten_megabytes_arrives),
        cmocka_unit_test(a_body_without_length_is_read_to_its_end),
        cmocka_unit_test(problems_reach_the_handler),
        cmocka_unit_test(a_body_too_big_is_answered_unread),
        cmocka_unit_test(a_client_that_leaves_in_the_middle_is_dropped),
        cmocka_unit_test(nonsense_closes_the_connection_and_nothing_else),
        cmocka_unit_test(many_clients_are_served_at_once),
        cmocka_unit_test(fd_0_is_asked_what_it_is),
        cmocka_unit_test(closing_and_opening_again_loses_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
