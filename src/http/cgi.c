/*
 * Plain CGI: chat.cgi's side. One process per request, so it does as little
 * as it can: read the environment and the body, connect to the engine, pass
 * both and its own stdout, wait for the acknowledging byte, leave. It does not
 * parse, sign in or log; the engine does.
 *
 * Waiting for that byte makes the end of an engine harmless: a connection that
 * ends without it was not taken by anybody, and the caller may start a new
 * engine and hand over again. That is why the body, once read, is kept for the
 * life of the process.
 *
 * Everything here runs in a process with one thread.
 */
#include "base/base.h"

#include "http/door.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/handover.h"
#include "http/reply.h"
#include "http/unixsock.h"

#define WAIT_MS 10000 /* for the engine to read, and to acknowledge */
#define DRAIN_MAX (64 * 1024 * 1024) /* bytes of a body that is not taken */
#define DRAIN_MS 10000               /* for reading them */

extern char **environ;

/* This process's request: what was read from fd 0. Never freed. */
static struct request *own;
static struct problem own_why; /* what is wrong with it */

static ssize_t
read_stdin(void *arg, char *p, size_t n)
{
    ssize_t r;

    (void)arg;
    do
        r = read(STDIN_FILENO, p, n);
    while (r < 0 && errno == EINTR);
    return r;
}

/* The request's variables out of environ; free with free_vars. */
static enum err
cgi_vars(struct buf *b, const char *vars[REQUEST_PARAMS_MAX + 1])
{
    enum err e;

    buf_init(b, REQUEST_PARAMS_BYTES);
    e = handover_add_vars(b, (const char *const *)environ);
    if (!e)
        e = handover_parse_vars(b->data ? b->data : "", b->len, vars);
    return e;
}

/* Build a request; environ itself if it has more than a request may have, so
 * that request_new finds that out and says so. */
static enum err
new_request(struct request **out, const char *base_path, struct problem *why)
{
    const char *vars[REQUEST_PARAMS_MAX + 1];
    struct buf b;
    enum err e = cgi_vars(&b, vars);

    if (e == OK) {
        e = request_new(out, vars, base_path, why);
    } else {
        e = request_new(out, (const char *const *)environ, base_path, why);
        if (!e)
            e = problem_set(why, ERR_TOOBIG, "headers_too_large",
                            "Request headers too large",
                            "Send fewer or shorter headers");
    }
    buf_release(&b);
    return e;
}

/* Throw away a body that is not taken. Under Apache's mod_cgid fd 0 and 1 are
 * one socket: closed with unread bytes it is reset, and the answer is lost. */
static void
drain_stdin(size_t max)
{
    struct pollfd p = {STDIN_FILENO, POLLIN, 0};
    int64_t end_ms = clock_mono_ms() + DRAIN_MS;
    char bytes[65536];
    size_t left = max > DRAIN_MAX ? max : DRAIN_MAX;
    ssize_t n;

    while (left >= sizeof(bytes) && clock_mono_ms() < end_ms &&
           poll(&p, 1, DRAIN_MS) == 1) {
        n = read_stdin(NULL, bytes, sizeof(bytes));
        if (n <= 0)
            return;
        left -= (size_t)n;
    }
}

static enum err
read_own(const struct body_limits *limits, const char *base_path)
{
    enum err e;

    if (own)
        return own_why.err;
    (void)signal(SIGPIPE, SIG_IGN);
    e = new_request(&own, base_path, &own_why);
    if (!e) /* no length: no body, but for a Transfer-Encoding */
        e = request_read_body(own, limits, false, read_stdin, NULL, &own_why);
    if (own->body_too_big || e == ERR_FULL || e == ERR_STORE)
        drain_stdin(request_body_max(own, limits));
    own_why.err = e;
    return e;
}

static struct conn *
stdout_conn(void)
{
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

    return fd < 0 ? NULL : conn_new(CONN_CGI, fd, 0);
}

/* Answer a problem on stdout; returns its err. */
static enum err
answer(const struct problem *why)
{
    own->conn = stdout_conn();
    if (own->conn && reply_problem(own, why, NULL) == ERR_AGAIN)
        log_warn("cgi.answer", "lost=1"); /* it fits any pipe that is empty */
    conn_free(request_take_conn(own));
    return why->err;
}

/* Write all; the first byte carries n_fds descriptors, at most two. */
static bool
send_all(int s, const void *p, size_t n, const int *fds, size_t n_fds)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;

    while (n > 0) {
        struct iovec iov = {(void *)(uintptr_t)p, n};
        struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
        ssize_t r;
        if (n_fds > 0) {
            memset(&control, 0, sizeof(control));
            m.msg_control = control.bytes;
            m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
            struct cmsghdr *h = CMSG_FIRSTHDR(&m);
            h->cmsg_level = SOL_SOCKET;
            h->cmsg_type = SCM_RIGHTS;
            h->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
            memcpy(CMSG_DATA(h), fds, n_fds * sizeof(int));
        }
        r = sendmsg(s, &m, MSG_NOSIGNAL);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return false;
        n_fds = 0;
        p = (const char *)p + r;
        n -= (size_t)r;
    }
    return true;
}

/* Send the request over s and wait for the engine to have it. */
static enum err
pass(int s)
{
    struct timeval limit = {.tv_sec = WAIT_MS / 1000};
    struct handover h = {0, (uint32_t)own->body_len};
    const int fds[] = {STDOUT_FILENO, own->body_fd};
    bool file = own->body_fd >= 0;
    uint8_t head[HANDOVER_HEAD_LEN];
    struct buf b;
    bool sent;
    ssize_t r;
    char ack;

    if (own->body_too_big)
        h.body_len = HANDOVER_NO_BODY;
    else if (file)
        h.body_len = HANDOVER_FILE;
    (void)setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    (void)setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    buf_init(&b, REQUEST_PARAMS_BYTES);
    if (handover_add_vars(&b, (const char *const *)environ)) {
        buf_release(&b); /* read_own has refused it already */
        return ERR_INTERNAL;
    }
    h.vars_len = (uint32_t)b.len;
    handover_head(head, &h);
    sent = send_all(s, head, sizeof(head), fds, file ? 2 : 1) &&
           send_all(s, b.data, b.len, NULL, 0) &&
           (file || send_all(s, own->body, own->body_len, NULL, 0));
    buf_release(&b);
    if (!sent && (errno == EAGAIN || errno == EWOULDBLOCK))
        return ERR_BUSY;
    do
        r = recv(s, &ack, 1, 0);
    while (r < 0 && errno == EINTR);
    if (r == 1 && ack == HANDOVER_ACK)
        return OK;
    if (r < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return ERR_BUSY;
    return ERR_NOTFOUND; /* it ended; nobody took the request */
}

int
cgi_listen(const char *path)
{
    int fd, lock_fd; /* the lock stays open until the process ends */

    return unixsock_listen(path, 0600, &fd, &lock_fd) == OK ? fd : -1;
}

enum err
cgi_hand_over(const char *path, const struct body_limits *limits,
              const char *base_path)
{
    struct problem busy;
    enum err e = read_own(limits, base_path);
    int s;

    if (e == ERR_HUP)
        return ERR_HUP; /* the client left while sending */
    if (e)
        return answer(&own_why);
    s = unixsock_connect(path);
    if (s < 0)
        return ERR_NOTFOUND;
    e = pass(s);
    (void)close(s);
    if (e != ERR_BUSY)
        return e;
    log_error("cgi.hand_over", "path=%s waited_ms=%d", path, WAIT_MS);
    (void)problem_set(&busy, ERR_BUSY, NULL, NULL, "Try again in a moment");
    return answer(&busy);
}

enum err
cgi_unread(void)
{
    bool file = own && own->body_fd >= 0;
    size_t at = 0;
    int fd = file ? dup(own->body_fd) : memfd_create("body", 0);

    while (fd >= 0 && own && !file && at < own->body_len) {
        ssize_t n = write(fd, own->body + at, own->body_len - at);

        if (n < 0 && errno != EINTR)
            break;
        at += n > 0 ? (size_t)n : 0;
    }
    if (fd < 0 || (own && !file && at < own->body_len) ||
        lseek(fd, 0, SEEK_SET) != 0 || dup2(fd, STDIN_FILENO) < 0) {
        log_error("cgi.unread", "errno=%d", errno);
        return ERR_INTERNAL;
    }
    (void)close(fd);
    return OK;
}

enum err
cgi_request(struct request **out, const struct body_limits *limits,
            const char *base_path, struct problem *why)
{
    enum err e = read_own(limits, base_path);

    *out = NULL;
    if (e == ERR_HUP)
        return e;
    if (e) {
        struct problem again;
        *why = own_why;
        (void)new_request(out, base_path, &again); /* the same mistake */
    } else {
        e = new_request(out, base_path, why);
        (*out)->body = own->body; /* lives as long as the process */
        (*out)->body_len = own->body_len;
        (*out)->body_fd = own->body_fd; /* the request's from now on */
        own->body_fd = -1;
        (*out)->body_too_big = own->body_too_big;
    }
    (*out)->conn = stdout_conn();
    if ((*out)->conn)
        return e;
    request_free(*out);
    *out = NULL;
    return ERR_HUP;
}

/* In the child: become a daemon and the engine. */
static NORETURN void
exec_engine(const char *program, const char *log_path)
{
    char *const argv[] = {(char *)(uintptr_t)program,
                          (char *)(uintptr_t) "--engine", NULL};
    int null_fd = open("/dev/null", O_RDWR);
    int log_fd = -1;
    sigset_t none;

    if (log_path)
        log_fd = open(log_path, O_WRONLY | O_APPEND | O_CREAT, 0600);

    (void)setsid();
    if (fork() != 0)
        _exit(0); /* the engine is init's child, not the web server's */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)dup2(null_fd, STDIN_FILENO);
    (void)dup2(null_fd, STDOUT_FILENO);
    if (log_path)
        (void)dup2(log_fd < 0 ? null_fd : log_fd, STDERR_FILENO);
    (void)close_range(3, ~0U, 0); /* ours, and what the web server leaked */
    for (size_t i = 0; environ[i];) {
        char name[256];
        size_t n = strcspn(environ[i], "=");
        if (!handover_is_cgi_var(environ[i]) || n >= sizeof(name)) {
            i++;
            continue;
        }
        memcpy(name, environ[i], n);
        name[n] = '\0';
        if (unsetenv(name) != 0)
            i++;
    }
    execv(program, argv);
    _exit(127);
}

enum err
cgi_start_engine(const char *program, const char *log_path)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        exec_engine(program, log_path);
    if (pid < 0) {
        log_error("cgi.fork", "errno=%d", errno);
        return ERR_INTERNAL;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return OK;
}
