/* A FastCGI relay with nothing in it: a request's body goes to the model
 * server as it came, and the reply's bytes come back as they come. It neither
 * parses nor stores, so what it costs is the least that any C program between
 * the web server and the model can cost. Parley is measured against it.
 *
 *     relay 127.0.0.1:PORT        with a listening socket at descriptor 0
 *
 * One epoll loop. Upstream connections are kept and used again. A read from
 * upstream becomes one record and one write; what the web server does not take
 * is kept, and upstream is not read until it is gone. Framing is undone (HTTP
 * chunks) and done (FastCGI records), since without that no relay works. */
#include "bench.h"

#include <sys/uio.h>

#include "reply.h"

#define EVENTS_MAX 512
#define BODY_MAX (1024 * 1024)
#define READ_MAX 61440 /* so that with its head it fits into one record */
#define HEAD_MAX 1024
#define IDLE_MAX 1024

#define FCGI_STDIN 5

struct job;

/* Either end of a job, or an idle upstream connection. */
struct side {
    int fd;
    bool upstream;
    struct job *job; /* NULL: idle */
};

struct job {
    struct side *down, *up; /* up is NULL until the request is whole */
    unsigned char *in;      /* owned; records not yet read to their end */
    size_t in_len, in_cap;
    char *body; /* owned; NULL once it is sent */
    size_t body_len;
    struct reply reply;
    char *rest; /* owned; what the web server did not take yet */
    size_t rest_len, rest_sent;
    bool ended; /* the rest is the last of it */
};

static int ep;
static struct sockaddr_storage target;
static socklen_t target_len;
static struct side *idle[IDLE_MAX];
static size_t idle_len;
static char out[READ_MAX + HEAD_MAX]; /* the content of the record being made */
static size_t out_len;
static struct side *dead[2 * EVENTS_MAX]; /* freed after the round of events */
static size_t dead_len;

static void
side_close(struct side *s)
{
    (void)close(s->fd);
    s->fd = -1;
    s->job = NULL;
    dead[dead_len++] = s;
}

static void
job_free(struct job *j)
{
    side_close(j->down);
    if (j->up != NULL)
        side_close(j->up);
    reply_release(&j->reply);
    free(j->in);
    free(j->body);
    free(j->rest);
    free(j);
}

static struct side *
side_new(int fd, bool upstream, struct job *j, uint32_t events)
{
    struct side *s = bench_alloc(NULL, sizeof(*s));

    s->fd = fd;
    s->upstream = upstream;
    s->job = j;
    bench_watch(ep, EPOLL_CTL_ADD, fd, events, s);
    return s;
}

static void
down_accept(void)
{
    struct job *j;
    int fd;

    while ((fd = accept4(0, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        j = bench_alloc(NULL, sizeof(*j));
        memset(j, 0, sizeof(*j));
        j->down = side_new(fd, false, j, EPOLLIN | EPOLLRDHUP);
    }
}

/* Send the request on a connection that is ready. */
static bool
up_send(struct job *j)
{
    char head[256];
    struct iovec iov[2];
    ssize_t n;

    iov[0].iov_base = head;
    iov[0].iov_len = (size_t)snprintf(
        head, sizeof(head),
        "POST /v1/chat/completions HTTP/1.1\r\nHost: llm\r\n"
        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
        j->body_len);
    iov[1].iov_base = j->body;
    iov[1].iov_len = j->body_len;
    n = writev(j->up->fd, iov, 2);
    free(j->body);
    j->body = NULL;
    return n == (ssize_t)(iov[0].iov_len + iov[1].iov_len);
}

/* Take a kept connection, or open one and go on when it is there. */
static bool
up_begin(struct job *j)
{
    int fd;

    if (idle_len > 0) {
        j->up = idle[--idle_len];
        j->up->job = j;
        return up_send(j);
    }
    fd = bench_connect(&target, target_len);
    if (fd < 0)
        return false;
    j->up = side_new(fd, true, j, EPOLLIN | EPOLLOUT);
    return true;
}

static void
up_keep(struct job *j)
{
    if (idle_len == IDLE_MAX || j->reply.close) {
        side_close(j->up);
    } else {
        j->up->job = NULL;
        idle[idle_len++] = j->up;
    }
    j->up = NULL;
}

static void
idle_drop(struct side *s)
{
    size_t i;

    for (i = 0; i < idle_len; i++)
        if (idle[i] == s)
            idle[i] = idle[--idle_len];
    side_close(s);
}

/* Take the records that are whole; the body is complete with the empty STDIN
 * record. False when the request is none that we carry. */
static bool
down_records(struct job *j, bool *whole)
{
    size_t at = 0, len, pad;
    unsigned char *r;

    while (j->in_len - at >= 8 && !*whole) {
        r = j->in + at;
        len = (size_t)r[4] << 8 | r[5];
        pad = r[6];
        if (j->in_len - at < 8 + len + pad)
            break;
        at += 8 + len + pad;
        if (r[1] != FCGI_STDIN)
            continue;
        if (len == 0) {
            *whole = true;
            break;
        }
        if (j->body_len + len > BODY_MAX)
            return false;
        j->body = bench_alloc(j->body, j->body_len + len);
        memcpy(j->body + j->body_len, r + 8, len);
        j->body_len += len;
    }
    memmove(j->in, j->in + at, j->in_len - at);
    j->in_len -= at;
    return true;
}

/* False when the job is over. */
static bool
down_read(struct job *j)
{
    static unsigned char buf[65536 + 512];
    bool whole = false;
    ssize_t n = read(j->down->fd, buf, sizeof(buf));

    if (n < 0)
        return errno == EAGAIN;
    if (n == 0 || j->up != NULL)
        return false;
    j->in = bench_alloc(j->in, j->in_len + (size_t)n);
    memcpy(j->in + j->in_len, buf, (size_t)n);
    j->in_len += (size_t)n;
    if (!down_records(j, &whole))
        return false;
    if (!whole)
        return true;
    free(j->in);
    j->in = NULL;
    return j->body != NULL && up_begin(j);
}

static void
on_head(void *arg, const char *head)
{
    const struct job *j = arg;
    const char *type = strcasestr(head, "\r\nContent-Type:");
    int len = type != NULL ? (int)strcspn(type + 2, "\r") : 0;

    out_len = (size_t)snprintf(out, HEAD_MAX, "Status: %d\r\n%.*s\r\n\r\n",
                               j->reply.status, len, len > 0 ? type + 2 : "");
}

static void
on_body(void *arg, const char *bytes, size_t len)
{
    (void)arg;
    memcpy(out + out_len, bytes, len);
    out_len += len;
}

/* Write `out` as a record, and the two that end a request after the last one.
 * What is not taken waits, and upstream waits with it. */
static bool
down_write(struct job *j, bool last)
{
    static const char end[24] = "\1\6\0\1\0\0\0\0\1\3\0\1\0\10\0\0";
    char head[8] = {1, 6, 0, 1, (char)(out_len >> 8), (char)out_len, 0, 0};
    struct iovec iov[3] = {{head, out_len > 0 ? sizeof(head) : 0},
                           {out, out_len},
                           {(void *)(uintptr_t)end, last ? sizeof(end) : 0}};
    size_t want = iov[0].iov_len + out_len + iov[2].iov_len, i, done;
    ssize_t n = writev(j->down->fd, iov, 3);

    if (n < 0 && errno != EAGAIN)
        return false;
    done = n > 0 ? (size_t)n : 0;
    if (done == want)
        return !last;
    j->ended = last;
    j->rest = bench_alloc(NULL, want - done);
    for (i = 0; i < 3; i++) {
        n = done < iov[i].iov_len ? (ssize_t)done : (ssize_t)iov[i].iov_len;
        done -= (size_t)n;
        memcpy(j->rest + j->rest_len, (char *)iov[i].iov_base + n,
               iov[i].iov_len - (size_t)n);
        j->rest_len += iov[i].iov_len - (size_t)n;
    }
    bench_watch(ep, EPOLL_CTL_MOD, j->down->fd, EPOLLIN | EPOLLRDHUP | EPOLLOUT,
                j->down);
    if (j->up != NULL)
        bench_watch(ep, EPOLL_CTL_MOD, j->up->fd, 0, j->up);
    return true;
}

static bool
down_flush(struct job *j)
{
    ssize_t n = write(j->down->fd, j->rest + j->rest_sent,
                      j->rest_len - j->rest_sent);

    if (n < 0)
        return errno == EAGAIN;
    j->rest_sent += (size_t)n;
    if (j->rest_sent < j->rest_len)
        return true;
    free(j->rest);
    j->rest = NULL;
    j->rest_len = j->rest_sent = 0;
    bench_watch(ep, EPOLL_CTL_MOD, j->down->fd, EPOLLIN | EPOLLRDHUP, j->down);
    if (j->up != NULL)
        bench_watch(ep, EPOLL_CTL_MOD, j->up->fd, EPOLLIN, j->up);
    return !j->ended;
}

static bool
up_read(struct job *j)
{
    static char buf[READ_MAX];
    ssize_t n = read(j->up->fd, buf, sizeof(buf));
    bool last;

    if (n < 0)
        return errno == EAGAIN;
    out_len = 0;
    if (n > 0)
        reply_feed(&j->reply, buf, (size_t)n, on_head, on_body, j);
    if (j->reply.state == REPLY_BAD || (n == 0 && !reply_closed(&j->reply)))
        return false;
    last = n == 0 || j->reply.state == REPLY_DONE;
    if (last)
        up_keep(j);
    return out_len == 0 && !last ? true : down_write(j, last);
}

static bool
job_event(struct side *s, uint32_t events)
{
    struct job *j = s->job;

    if (!s->upstream) {
        if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
            return false;
        if ((events & EPOLLOUT) != 0 && j->rest != NULL && !down_flush(j))
            return false;
        return (events & EPOLLIN) == 0 || down_read(j);
    }
    if ((events & EPOLLERR) != 0)
        return false;
    if (j->body != NULL && (events & EPOLLOUT) != 0) {
        bench_watch(ep, EPOLL_CTL_MOD, s->fd, EPOLLIN, s);
        return up_send(j);
    }
    return j->rest != NULL || up_read(j);
}

int
main(int argc, char **argv)
{
    static struct epoll_event events[EVENTS_MAX];
    struct side *s;
    struct job *j;
    int i, n;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: relay 127.0.0.1:PORT <&SOCKET\n");
        return 2;
    }
    bench_process_init();
    target_len = bench_address(argv[1], &target);
    ep = epoll_create1(EPOLL_CLOEXEC);
    bench_nonblock(0);
    bench_watch(ep, EPOLL_CTL_ADD, 0, EPOLLIN, NULL);
    for (;;) {
        n = bench_wait(ep, events, EVENTS_MAX, -1);
        for (i = 0; i < n; i++) {
            s = events[i].data.ptr;
            if (s == NULL) {
                down_accept();
                continue;
            }
            if (s->fd < 0)
                continue; /* closed in this round */
            j = s->job;
            if (j == NULL)
                idle_drop(s);
            else if (!job_event(s, events[i].events))
                job_free(j);
        }
        while (dead_len > 0)
            free(dead[--dead_len]);
    }
}
