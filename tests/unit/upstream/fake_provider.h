/*
 * A provider on 127.0.0.1 for tests: a thread accepts, and each connection
 * gets a thread that reads whole requests and answers them by path. It is
 * plain blocking code, so that it shares no idea with what it tests.
 */
#ifndef FAKE_PROVIDER_H
#define FAKE_PROVIDER_H

#include "base/base.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define FAKE_CONNECTIONS_MAX 256
#define FAKE_REQUEST_MAX (4 * 1024 * 1024) /* bytes */

struct fake_request {
    int fd;
    char path[128];
    const char *head; /* NUL-terminated */
    const char *body;
    size_t body_len;
};

/* Answer it; false: close the connection. */
typedef bool fake_answer_fn(const struct fake_request *rq);

struct fake {
    int listen_fd, port, stop_fd[2];
    fake_answer_fn *answer;
    pthread_t thread, threads[FAKE_CONNECTIONS_MAX];
    int fds[FAKE_CONNECTIONS_MAX];
    size_t n_threads; /* by the accepting thread; read after its join */
    atomic_int accepted, left; /* left: the peer closed before we did */
    _Atomic int64_t left_ms;   /* monotonic */
};

/* A connection thread's own. */
struct fake_arg {
    struct fake *f;
    int fd;
};

static inline void
fake_send(int fd, const char *s, size_t n)
{
    while (n > 0) {
        ssize_t k = send(fd, s, n, MSG_NOSIGNAL);

        if (k <= 0)
            return;
        s += k;
        n -= (size_t)k;
    }
}

static inline void PRINTF(2, 3) fake_say(int fd, const char *fmt, ...)
{
    char s[4096];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(s, sizeof(s), fmt, ap);
    va_end(ap);
    fake_send(fd, s, (size_t)n);
}

static inline void
fake_sleep_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* The length of the body that a head announces. */
static inline size_t
fake_body_len(const char *head)
{
    const char *s = strcasestr(head, "\r\ncontent-length:");

    return s != NULL ? strtoul(s + 17, NULL, 10) : 0;
}

/* Read one request into buf; false: the peer closed. */
static inline bool
fake_read(int fd, char *buf, struct fake_request *rq)
{
    size_t n = 0, head_len, need = SIZE_MAX;
    char *end;

    memset(rq, 0, sizeof(*rq));
    while (n < need) {
        ssize_t k = recv(fd, buf + n, FAKE_REQUEST_MAX - n, 0);

        if (k <= 0)
            return false;
        n += (size_t)k;
        buf[n] = '\0';
        end = need == SIZE_MAX ? strstr(buf, "\r\n\r\n") : NULL;
        if (end == NULL)
            continue;
        head_len = (size_t)(end + 4 - buf);
        need = head_len + fake_body_len(buf);
        (void)sscanf(buf, "%*s %127s", rq->path);
        rq->body = buf + head_len;
    }
    rq->fd = fd;
    rq->head = buf;
    rq->body_len = n - (size_t)(rq->body - buf);
    return true;
}

static inline void *
fake_connection(void *p)
{
    struct fake_arg *a = p;
    char *buf = malloc(FAKE_REQUEST_MAX + 1);
    struct fake_request rq;
    bool keep = buf != NULL;

    while (keep) {
        if (!fake_read(a->fd, buf, &rq)) {
            a->f->left_ms = clock_mono_ms();
            a->f->left++;
            break;
        }
        keep = a->f->answer(&rq);
    }
    (void)shutdown(a->fd, SHUT_RDWR); /* closed in fake_stop */
    free(buf);
    free(a);
    return NULL;
}

static inline void *
fake_accept(void *p)
{
    struct fake *f = p;
    struct pollfd fds[2] = {{f->listen_fd, POLLIN, 0},
                            {f->stop_fd[0], POLLIN, 0}};

    for (;;) {
        struct fake_arg *a;
        int fd, one = 1;

        (void)poll(fds, 2, -1);
        if (fds[1].revents != 0 || f->n_threads == FAKE_CONNECTIONS_MAX)
            return NULL;
        fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        f->accepted++;
        a = malloc(sizeof(*a));
        if (a == NULL)
            abort();
        a->f = f;
        a->fd = fd;
        f->fds[f->n_threads] = fd;
        if (pthread_create(&f->threads[f->n_threads++], NULL, fake_connection,
                           a) != 0)
            abort();
    }
}

static inline struct fake *
fake_start(fake_answer_fn *answer)
{
    struct fake *f = calloc(1, sizeof(*f));
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof(a);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (f == NULL)
        abort();
    f->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (f->listen_fd < 0 || pipe(f->stop_fd) != 0 ||
        bind(f->listen_fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        listen(f->listen_fd, 512) != 0 ||
        getsockname(f->listen_fd, (struct sockaddr *)&a, &len) != 0)
        abort();
    f->port = ntohs(a.sin_port);
    f->answer = answer;
    if (pthread_create(&f->thread, NULL, fake_accept, f) != 0)
        abort();
    return f;
}

/* Stop accepting and cut what is open. */
static inline void
fake_stop(struct fake *f)
{
    size_t i;

    (void)!write(f->stop_fd[1], "x", 1);
    (void)pthread_join(f->thread, NULL);
    for (i = 0; i < f->n_threads; i++) {
        (void)shutdown(f->fds[i], SHUT_RDWR);
        (void)pthread_join(f->threads[i], NULL);
        (void)close(f->fds[i]);
    }
    (void)close(f->listen_fd);
    (void)close(f->stop_fd[0]);
    (void)close(f->stop_fd[1]);
    free(f);
}

#endif
