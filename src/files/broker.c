/*
 * This end of the broker: packets over a pair of sockets. Each request brings
 * the socket on which its reply is wanted, so that threads need not know of
 * each other, and one that waits no longer only closes its own.
 */
#include "base/base.h"

#include "files/broker_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define BROKER_FD 3        /* of the child */
#define OPEN_WAIT_MS 10000 /* for a file to be opened */

extern char **environ;

struct broker {
    int sock;
    pid_t pid;
};

/* --- packets -------------------------------------------------------------- */

bool
broker_send(int sock, const void *p, size_t n, int fd)
{
    struct iovec iov = {(void *)(uintptr_t)p, n};
    union {
        char buf[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {.buf = {0}};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t sent;

    if (fd >= 0) {
        struct cmsghdr *c;

        m.msg_control = control.buf;
        m.msg_controllen = sizeof(control.buf);
        c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        (void)memcpy(CMSG_DATA(c), &fd, sizeof(int));
    }
    do {
        sent = sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)n;
}

ssize_t
broker_take(int sock, void *p, size_t n, int *fd)
{
    struct iovec iov = {p, n};
    union {
        char buf[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.buf,
                       .msg_controllen = sizeof(control.buf)};
    ssize_t got;

    *fd = -1;
    do {
        got = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    for (struct cmsghdr *c = got >= 0 ? CMSG_FIRSTHDR(&m) : NULL; c != NULL;
         c = CMSG_NXTHDR(&m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            (void)memcpy(fd, CMSG_DATA(c), sizeof(int));
    return got;
}

/* --- the process ---------------------------------------------------------- */

/* Also where the socket is BROKER_FD already: adddup2 of a descriptor to itself
 * lets it be inherited. */
static int
spawn(pid_t *pid, const char *path, int sock)
{
    char *argv[] = {(char *)(uintptr_t)path, (char[]){"--serve"}, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none;
    int rc = posix_spawn_file_actions_init(&actions);

    if (rc != 0)
        return rc;
    rc = posix_spawnattr_init(&attr);
    if (rc == 0) {
        (void)sigemptyset(&none);
        (void)posix_spawnattr_setsigmask(&attr, &none);
        (void)posix_spawnattr_setpgroup(&attr, 0);
        (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETPGROUP);
        rc = posix_spawn_file_actions_adddup2(&actions, sock, BROKER_FD);
        /* Not the listening socket: whoever connects wants the server. */
        if (rc == 0)
            rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
                                                  "/dev/null", O_RDONLY, 0);
        if (rc == 0) /* a CGI's reply ends when nobody holds it open */
            rc = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO,
                                                  "/dev/null", O_WRONLY, 0);
        if (rc == 0)
            rc = posix_spawn(pid, path, &actions, &attr, argv, environ);
        (void)posix_spawnattr_destroy(&attr);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

struct broker *
broker_start(const char *path)
{
    struct broker *b;
    int pair[2], rc;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        log_error("files.broker", "error=\"%s\"", strerror(errno));
        return NULL;
    }
    rc = spawn(&pid, path, pair[1]);
    (void)close(pair[1]);
    if (rc != 0) {
        log_error("files.broker", "program=%s error=\"%s\"", path,
                  strerror(rc));
        (void)close(pair[0]);
        return NULL;
    }
    b = xcalloc(1, sizeof(*b));
    b->sock = pair[0];
    b->pid = pid;
    return b;
}

void
broker_stop(struct broker *b)
{
    if (b == NULL)
        return;
    (void)close(b->sock);
    (void)kill(b->pid, SIGTERM);
    while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    free(b);
}

/* --- asking --------------------------------------------------------------- */

static enum err
await(int sock, int wait_ms, struct broker_reply *reply, int *fd)
{
    struct pollfd p = {sock, POLLIN, 0};
    int rc;

    do {
        rc = poll(&p, 1, wait_ms);
    } while (rc < 0 && errno == EINTR);
    if (rc == 0)
        return ERR_AGAIN;
    if (rc < 0 ||
        broker_take(sock, reply, sizeof(*reply), fd) != (ssize_t)sizeof(*reply))
        return ERR_STOPPING;
    return reply->err >= OK && reply->err < ERR__MAX ? (enum err)reply->err
                                                     : ERR_INTERNAL;
}

static enum err
ask(struct broker *b, enum broker_op op, int64_t document, int wait_ms,
    struct broker_reply *reply, int *fd)
{
    struct broker_request rq = {.op = op, .document = document};
    enum err e = ERR_STOPPING;
    int pair[2];

    *fd = -1;
    if (b == NULL ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return ERR_STOPPING;
    if (broker_send(b->sock, &rq, sizeof(rq), pair[1])) {
        (void)close(pair[1]);
        e = await(pair[0], wait_ms, reply, fd);
    } else {
        (void)close(pair[1]);
    }
    (void)close(pair[0]);
    return e;
}

enum err
broker_read(struct broker *b, int64_t document, int wait_ms, enum skip *skip)
{
    struct broker_reply reply;
    int fd;
    enum err e = ask(b, BROKER_READ, document, wait_ms, &reply, &fd);

    if (fd >= 0)
        (void)close(fd);
    if (e == OK)
        *skip = reply.skip >= 0 && reply.skip < SKIP__N ? (enum skip)reply.skip
                                                        : SKIP_BROKEN;
    return e;
}

enum err
broker_open(struct broker *b, int64_t document, int *fd)
{
    struct broker_reply reply;
    enum err e = ask(b, BROKER_OPEN, document, OPEN_WAIT_MS, &reply, fd);

    if (e == OK && *fd < 0)
        return ERR_INTERNAL;
    if (e != OK && *fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
    return e;
}
