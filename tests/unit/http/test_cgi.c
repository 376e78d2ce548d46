/*
 * Tests of http/cgi.c and http/engine_door.c: children that are CGI programs,
 * handing over to an engine that is a child too, so that this process, which
 * forks, has one thread. Run as root, one test also plays another user.
 */
#include "door_test.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "http/handover.h"

extern char **environ;

static pid_t engine;
static int engine_pipe; /* closed: the engine ends */
static char path[100];  /* of the engine socket */

/* A CGI process to be: its variables, its body, and what came of it. */
struct cgi {
    const char *length; /* CONTENT_LENGTH; NULL: unset */
    const char *body;
    size_t body_len;
    const char *extra; /* one more variable, "NAME=value"; NULL: none */
    const char *path;  /* NULL: /chat */
    size_t body_max;
    struct buf out; /* what arrived on its stdout */
    int result;     /* what run returned in the child */
};

static void
set_environment(const struct cgi *c)
{
    clearenv();
    setenv("PATH", "/bin", 1);
    setenv("GATEWAY_INTERFACE", "CGI/1.1", 1);
    setenv("REQUEST_METHOD", "POST", 1);
    setenv("SCRIPT_NAME", "/cgi-bin/chat.cgi", 1);
    setenv("PATH_INFO", c->path ? c->path : "/chat", 1);
    if (c->length)
        setenv("CONTENT_LENGTH", c->length, 1);
    if (c->extra)
        putenv(xstrdup(c->extra));
}

/* Fork; the child gets pipes for fd 0 and 1 and returns run's value. */
static void
run_cgi(struct cgi *c, int (*run)(const struct cgi *c))
{
    int in[2], out[2], status;
    size_t at = 0;
    pid_t pid;

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        (void)signal(SIGPIPE, SIG_DFL); /* as a web server starts it */
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        set_environment(c);
        _exit(run(c));
    }
    close(in[0]);
    close(out[1]);
    while (at < c->body_len) {
        ssize_t n = write(in[1], c->body + at, c->body_len - at);
        if (n <= 0)
            break; /* not read: too big */
        at += (size_t)n;
    }
    close(in[1]);
    read_all(out[0], &c->out);
    close(out[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    c->result = WEXITSTATUS(status);
}

/* A path of /spool is one whose body may be four times as long. */
static bool
may_spool(const struct request *rq)
{
    return strcmp(rq->path, "/spool") == 0;
}

static struct body_limits
body_limits(size_t max)
{
    return (struct body_limits){.max = max,
                                .spools = may_spool,
                                .spool_max = 4 * max,
                                .spool_dir = test_dir};
}

static int
give(const char *socket, const struct cgi *c)
{
    struct body_limits limits = body_limits(c->body_max);

    return (int)cgi_hand_over(socket, &limits, "");
}

static int
hand_over(const struct cgi *c)
{
    return give(path, c);
}

static void
expect(struct cgi *c, int (*run)(const struct cgi *c), int result,
       const char *text)
{
    run_cgi(c, run);
    assert_int_equal(c->result, result);
    if (text)
        assert_has(buf_cstr(&c->out), text);
    else
        assert_int_equal(c->out.len, 0);
    buf_release(&c->out);
}

static void
the_engine_answers_on_the_cgis_stdout(void **state)
{
    struct cgi c = {
        .length = "5", .body = "hello", .body_len = 5, .body_max = 1000};
    char want[100];

    (void)state;
    snprintf(want, sizeof(want), "\r\n\r\nPOST /chat 5 %u\n",
             sum_of("hello", 5));
    for (int i = 0; i < 20; i++)
        expect(&c, hand_over, OK, want);
    c.body_len = 9; /* only what CONTENT_LENGTH says is read */
    c.body = "hello you";
    expect(&c, hand_over, OK, want);
}

static void
no_length_is_no_body(void **state)
{
    struct cgi c = {.body_max = 1000};

    (void)state;
    expect(&c, hand_over, OK, "POST /chat 0 0\n");
    c.length = "";
    expect(&c, hand_over, OK, "POST /chat 0 0\n");
}

static void
a_chunked_body_is_read_to_its_end(void **state)
{
    struct cgi c = {.body = "0123456789",
                    .body_len = 10,
                    .body_max = 1000,
                    .extra = "HTTP_TRANSFER_ENCODING=chunked"};

    (void)state;
    expect(&c, hand_over, OK, "POST /chat 10 ");
}

static void
a_large_body_passes(void **state)
{
    size_t n = 10 * 1024 * 1024;
    char *body = xmalloc(n), want[100], length[32];
    struct cgi c = {
        .length = length, .body = body, .body_len = n, .body_max = n};

    (void)state;
    for (size_t i = 0; i < n; i++)
        body[i] = (char)(i * 5 + i / 777);
    snprintf(length, sizeof(length), "%zu", n);
    snprintf(want, sizeof(want), "POST /chat %zu %u\n", n, sum_of(body, n));
    expect(&c, hand_over, OK, want);
    free(body);
}

static void
a_body_too_big_is_the_engines_413(void **state)
{
    struct cgi c = {
        .length = "1001", .body = "x", .body_len = 1, .body_max = 1000};

    (void)state;
    expect(&c, hand_over, OK, "Status: 413 ");
}

static void
a_client_that_left_gets_no_answer(void **state)
{
    struct cgi c = {
        .length = "10", .body = "x", .body_len = 1, .body_max = 1000};

    (void)state;
    expect(&c, hand_over, ERR_HUP, NULL);
}

static int run_in_process(const struct cgi *c);
static int unread_then_run_in_process(const struct cgi *c);

/* The file of a body passes as a descriptor, to an engine or to a program that
 * takes the process over. */
static void
a_body_in_a_file_passes_as_that_file(void **state)
{
    size_t n = 3 * 1024 * 1024;
    char *body = xmalloc(n), want[100], length[32];
    struct cgi c = {.length = length,
                    .body = body,
                    .body_len = n,
                    .body_max = 1024 * 1024,
                    .path = "/spool"};

    (void)state;
    for (size_t i = 0; i < n; i++)
        body[i] = (char)(i * 3 + i / 555);
    snprintf(length, sizeof(length), "%zu", n);
    snprintf(want, sizeof(want), "POST /spool %zu %u\n", n, sum_of(body, n));
    expect(&c, hand_over, OK, want);
    expect(&c, run_in_process, OK, want);
    expect(&c, unread_then_run_in_process, OK, want);
    c.length = NULL;
    c.extra = "HTTP_TRANSFER_ENCODING=chunked";
    expect(&c, hand_over, OK, want);
    c.path = "/chat";
    expect(&c, hand_over, OK, "Status: 413 ");
    c.path = "/spool";
    c.body_max = 700 * 1024;
    expect(&c, hand_over, OK, "Status: 413 ");
    free(body);
}

static void
mistakes_are_answered_by_the_cgi_itself(void **state)
{
    struct cgi c = {.length = "ten", .body_max = 1000};
    char *header = xmalloc(REQUEST_PARAMS_BYTES + 10);

    (void)state;
    expect(&c, hand_over, ERR_BADREQ, "Status: 400 ");
    memcpy(header, "HTTP_X=", 7);
    memset(header + 7, 'x', REQUEST_PARAMS_BYTES);
    header[7 + REQUEST_PARAMS_BYTES] = '\0';
    c.length = NULL;
    c.extra = header;
    expect(&c, hand_over, ERR_TOOBIG, "Status: 431 ");
    free(header);
}

static int
hand_over_to_nobody(const struct cgi *c)
{
    char other[100];

    return give(in_dir(other, "nobody"), c);
}

static void
nobody_there_is_not_answered(void **state)
{
    struct cgi c = {
        .length = "5", .body = "hello", .body_len = 5, .body_max = 1000};

    (void)state;
    expect(&c, hand_over_to_nobody, ERR_NOTFOUND, NULL);
}

/* An engine that accepts, reads a little and ends; then the real one. */
static int
hand_over_twice(const struct cgi *c)
{
    char other[100];
    int fd, lock, conn;
    enum err e;

    (void)in_dir(other, "t");
    if (unixsock_listen(other, 0600, &fd, &lock))
        return 100;
    if (fork() == 0) {
        struct pollfd p = {fd, POLLIN, 0};
        char some[30];
        (void)poll(&p, 1, 5000);
        conn = accept(fd, NULL, NULL);
        _exit(read(conn, some, sizeof(some)) > 0 ? 0 : 1);
    }
    close(fd);
    e = (enum err)give(other, c);
    (void)wait(NULL);
    if (e != ERR_NOTFOUND)
        return 101;
    return give(path, c);
}

static void
an_engine_that_ended_early_has_not_taken_it(void **state)
{
    size_t n = 1000000;
    char *body = xmalloc(n);
    struct cgi c = {
        .length = "1000000", .body = body, .body_len = n, .body_max = n};

    (void)state;
    memset(body, 'x', n);
    expect(&c, hand_over_twice, OK, "POST /chat 1000000 ");
    free(body);
}

static int
run_in_process(const struct cgi *c)
{
    struct problem why;
    struct request *rq;
    struct body_limits limits = body_limits(c->body_max);
    enum err e = cgi_request(&rq, &limits, "", &why);

    if (!rq)
        return (int)e;
    if (strcmp(rq->base, "/cgi-bin/chat.cgi") != 0)
        return 102;
    echo(NULL, rq, &why);
    return (int)e;
}

static int
try_then_run_in_process(const struct cgi *c)
{
    int e = hand_over_to_nobody(c);

    return e == ERR_NOTFOUND ? run_in_process(c) : 103;
}

/* The body is on fd 0 again, for whoever reads it. */
static int
unread_then_run_in_process(const struct cgi *c)
{
    char arg[32];
    int e = hand_over_to_nobody(c);

    if (e != ERR_NOTFOUND || cgi_unread() != OK)
        return 105;
    (void)snprintf(arg, sizeof(arg), "%zu", c->body_max);
    (void)execl("/proc/self/exe", "test_cgi", "--in-process", arg,
                (char *)NULL);
    return 107;
}

static void
a_request_can_be_run_in_its_own_process(void **state)
{
    struct cgi c = {
        .length = "5", .body = "hello", .body_len = 5, .body_max = 1000};

    (void)state;
    expect(&c, run_in_process, OK, "POST /chat 5 ");
    expect(&c, try_then_run_in_process, OK, "POST /chat 5 ");
    c.length = "-5";
    expect(&c, run_in_process, ERR_BADREQ, "Status: 400 ");
    c.length = "6";
    expect(&c, run_in_process, ERR_HUP, NULL);
    c.body_max = 4;
    expect(&c, run_in_process, OK, "Status: 413 ");
}

static int
hand_over_as_nobody(const struct cgi *c)
{
    if (chmod(path, 0666) != 0 || chmod(test_dir, 0755) != 0 ||
        setuid(65534) != 0)
        return 104;
    return give(path, c);
}

static void
another_user_is_not_heard(void **state)
{
    struct cgi c = {.body_max = 1000};

    (void)state;
    if (geteuid() != 0)
        skip();
    expect(&c, hand_over_as_nobody, ERR_NOTFOUND, NULL);
}

/* Send bytes, with this many descriptors, and read what comes back. */
static void
send_raw(const void *p, size_t n, int fds, struct buf *answer)
{
    union {
        char bytes[CMSG_SPACE(8 * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec iov = {(void *)(uintptr_t)p, n};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    int s = unixsock_connect(path);

    assert_true(s >= 0);
    if (fds > 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE((size_t)fds * sizeof(int));
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN((size_t)fds * sizeof(int));
        for (int i = 0; i < fds; i++)
            memcpy(CMSG_DATA(h) + (size_t)i * sizeof(int), &s, sizeof(int));
    }
    assert_int_equal(sendmsg(s, &m, MSG_NOSIGNAL), n);
    assert_int_equal(shutdown(s, SHUT_WR), 0);
    buf_init(answer, 100);
    char *at = buf_room(answer, 100);
    ssize_t r = read(s, at, 100);
    answer->len = r > 0 ? (size_t)r : 0;
    close(s);
}

static void
broken_messages_are_dropped(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        int fds;
    } cases[] = {
        {"PCG1\0\0\0\0\0\0\0\0", 12, 0},         /* no descriptor */
        {"PCG1\0\0\0\0\0\0\0\0", 12, 2},         /* two */
        {"PCG1\0\0\0\0\xfe\xff\xff\xff", 12, 1}, /* no file */
        {"PCG1\x25\0\0\0\xfe\xff\xff\xff"
         "REQUEST_METHOD=POST\0PATH_INFO=/spool\0",
         49, 2},                                    /* a socket */
        {"PCG1\0\0\0\0\0\0\0\0", 12, 8},            /* more than fit */
        {"PCG2\0\0\0\0\0\0\0\0", 12, 1},            /* another version */
        {"PCG1\0\0\0", 7, 1},                       /* cut off */
        {"PCG1\x04\0\0\0\0\0\0\0A=", 14, 1},        /* cut off */
        {"PCG1\x03\0\0\0\0\0\0\0A=1", 15, 1},       /* no NUL */
        {"PCG1\xff\xff\xff\xff\0\0\0\0A=1", 15, 1}, /* too long */
    };
    struct buf answer;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        send_raw(cases[i].bytes, cases[i].n, cases[i].fds, &answer);
        assert_int_equal(answer.len, 0);
        buf_release(&answer);
    }
    the_engine_answers_on_the_cgis_stdout(NULL);
}

static void
the_engine_socket_has_one_owner(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(cgi_listen(path), -1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void
the_engine_is_started_as_a_daemon(void **state)
{
    char script[100], log[100], out[100];
    struct buf b;
    FILE *f;
    int fd;

    (void)state;
    in_dir(out, "out");
    f = fopen(in_dir(script, "it"), "w");
    assert_non_null(f);
    fprintf(f,
            "#!/bin/sh\necho \"$# $1 [$HTTP_HOST] [$KEEP] [$QUERY_STRING]"
            " $(ls /proc/$$/fd | tr '\\n' ' ')\" >%s.new\n"
            "echo to-the-log >&2\nmv %s.new %s\n",
            out, out, out);
    fclose(f);
    assert_int_equal(chmod(script, 0700), 0);
    setenv("HTTP_HOST", "h", 1);
    setenv("QUERY_STRING", "q", 1);
    setenv("KEEP", "kept", 1);
    assert_int_equal(cgi_start_engine(script, in_dir(log, "log")), OK);
    unsetenv("HTTP_HOST");
    unsetenv("QUERY_STRING");
    for (int i = 0; i < 500 && access(out, F_OK) != 0; i++)
        (void)usleep(10000);
    fd = open(out, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    read_all(fd, &b);
    close(fd);
    assert_has(buf_cstr(&b), "1 --engine [] [kept] [] 0 1 10 2 ");
    buf_release(&b);
    fd = open(log, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    read_all(fd, &b);
    close(fd);
    assert_string_equal(buf_cstr(&b), "to-the-log\n");
    buf_release(&b);
}

static int
count_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* The engine's process: serve until the pipe closes. Its value says whether
 * all went well and no descriptor was left open. */
static int
run_engine(int until, int ready)
{
    struct door_config c = {.fcgi_fd = -1,
                            .engine_fd = cgi_listen(path),
                            .threads = 2,
                            .body = body_limits(ECHO_BODY_MAX),
                            .base_path = "",
                            .fn = echo};
    struct doors *doors;
    int before, after;
    char byte = 0;

    if (c.engine_fd < 0 || doors_open(&doors, &c))
        return 1;
    before = count_descriptors();
    if (write(ready, &byte, 1) != 1 || read(until, &byte, 1) != 0)
        return 2;
    after = count_descriptors();
    doors_close(doors);
    close(c.engine_fd);
    return after == before ? 0 : 3;
}

static int
setup(void **state)
{
    int until[2], ready[2];
    char byte;

    (void)state;
    (void)signal(SIGPIPE, SIG_IGN); /* a CGI may not read its body */
    log_set_level(LOG_ERROR);
    make_dir();
    in_dir(path, "s");
    assert_int_equal(pipe2(until, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    engine = fork();
    if (engine == 0) {
        close(until[1]);
        exit(run_engine(until[0], ready[1]));
    }
    close(until[0]);
    close(ready[1]);
    engine_pipe = until[1];
    return read(ready[0], &byte, 1) == 1 ? close(ready[0]) : 1;
}

static int
teardown(void **state)
{
    int status;

    (void)state;
    close(engine_pipe);
    assert_int_equal(waitpid(engine, &status, 0), engine);
    assert_int_equal(status, 0);
    remove_dir();
    return 0;
}

/* As the program that a CGI process becomes. */
static int
in_process(const char *body_max)
{
    struct cgi c = {.body_max = (size_t)strtoull(body_max, NULL, 10)};

    (void)snprintf(test_dir, sizeof(test_dir), "/tmp");
    return run_in_process(&c);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_socket_has_one_owner),
        cmocka_unit_test(the_engine_answers_on_the_cgis_stdout),
        cmocka_unit_test(no_length_is_no_body),
        cmocka_unit_test(a_chunked_body_is_read_to_its_end),
        cmocka_unit_test(a_large_body_passes),
        cmocka_unit_test(a_body_in_a_file_passes_as_that_file),
        cmocka_unit_test(a_body_too_big_is_the_engines_413),
        cmocka_unit_test(a_client_that_left_gets_no_answer),
        cmocka_unit_test(mistakes_are_answered_by_the_cgi_itself),
        cmocka_unit_test(nobody_there_is_not_answered),
        cmocka_unit_test(an_engine_that_ended_early_has_not_taken_it),
        cmocka_unit_test(a_request_can_be_run_in_its_own_process),
        cmocka_unit_test(another_user_is_not_heard),
        cmocka_unit_test(broken_messages_are_dropped),
        cmocka_unit_test(the_engine_is_started_as_a_daemon),
    };

    if (argc == 3 && strcmp(argv[1], "--in-process") == 0)
        return in_process(argv[2]);
    return cmocka_run_group_tests(tests, setup, teardown);
}
