/* A stand-in for a model server, for benchmarks: it speaks the OpenAI chat
 * wire over HTTP/1.1 with keep-alive, costs next to nothing, and does exactly
 * what the question says.
 *
 * How to answer is written in the question itself, in the model's name or in
 * any message, as "bench:MODE:COUNT:MICROSECONDS"; the last such mark counts:
 *
 *     bench:instant          eight pieces at once, in one write
 *     bench:burst:20000      so many pieces as fast as the reader takes them,
 *                            hundreds in a write
 *     bench:chunk:1000:4000  one piece a write; all streams tick together, as
 *                            on a busy server, and no two pieces share a write
 *     bench:paced:5:1000000  one piece a write, each stream on its own clock
 *     bench:hold:6:10000000  the same; named apart for the reader's sake
 *
 * A mark travels through any proxy and any chat program unchanged, so every
 * contestant is asked in the same words. With "stream": true the answer is a
 * chunked SSE stream: a role chunk, the pieces, a finish_reason chunk, a usage
 * chunk when include_usage is asked for, and [DONE]. Without, one JSON body.
 *
 * One epoll loop, one thread. Requests are looked at with memmem, not parsed:
 * that is enough for questions that our own tools send, and for nothing else.
 *
 *     llm 127.0.0.1:0 [/path/of/a/socket ...]
 */
#include "heap.h"
#include "mark.h"
#include "texts.h"

#define REQUEST_MAX (4 * 1024 * 1024) /* bytes, head and body */
#define EVENTS_MAX 512
#define FRAME_HEAD_MAX 20 /* bytes before a chunk */

struct conn {
    struct timer timer; /* the first member: a timer's address is its conn's */
    int fd;
    bool listener;
    bool writing;        /* waits for EPOLLOUT */
    bool last;           /* close after this answer */
    bool chunked;        /* HTTP/1.1; else the body ends with the connection */
    bool usage;          /* a usage chunk is wanted */
    bool aligned;        /* ticks with all others */
    long left;           /* pieces still to send; -1: no stream is open */
    int64_t interval_ns; /* 0: a burst */
    char *in;            /* owned; NULL between requests */
    size_t in_len, in_cap;
    const char *out; /* what is being sent */
    char *out_owned; /* the same when it is on the heap, else NULL */
    size_t out_len, out_sent;
};

static int ep;

static void
conn_free(struct conn *c)
{
    if (c->timer.place > 0)
        heap_remove(&c->timer);
    (void)close(c->fd);
    free(c->in);
    free(c->out_owned);
    free(c);
}

static void
conn_accept(struct conn *listener)
{
    struct conn *c;
    int fd, one = 1;

    while ((fd = accept4(listener->fd, NULL, NULL,
                         SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        c = bench_alloc(NULL, sizeof(*c));
        memset(c, 0, sizeof(*c));
        c->fd = fd;
        c->left = -1;
        bench_watch(ep, EPOLL_CTL_ADD, fd, EPOLLIN, c);
    }
}

/* Send what is in out; false when the peer is gone, true otherwise, also when
 * the rest has to wait. */
static bool
conn_flush(struct conn *c)
{
    ssize_t n;

    while (c->out_sent < c->out_len) {
        n = write(c->fd, c->out + c->out_sent, c->out_len - c->out_sent);
        if (n < 0 && errno == EAGAIN) {
            if (!c->writing)
                bench_watch(ep, EPOLL_CTL_MOD, c->fd, EPOLLIN | EPOLLOUT, c);
            c->writing = true;
            return true;
        }
        if (n < 0)
            return false;
        c->out_sent += (size_t)n;
    }
    free(c->out_owned);
    c->out_owned = NULL;
    c->out_len = c->out_sent = 0;
    if (c->writing)
        bench_watch(ep, EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
    c->writing = false;
    return true;
}

/* Send bytes that were put together for this occasion: they are copied only
 * when the socket does not take them at once. */
static bool
conn_send(struct conn *c, const char *bytes, size_t len)
{
    ssize_t n = write(c->fd, bytes, len);

    if (n == (ssize_t)len)
        return true;
    if (n < 0 && errno != EAGAIN)
        return false;
    if (n < 0)
        n = 0;
    c->out_len = len - (size_t)n;
    c->out_sent = 0;
    c->out_owned = bench_alloc(NULL, c->out_len);
    memcpy(c->out_owned, bytes + n, c->out_len);
    c->out = c->out_owned;
    return conn_flush(c);
}

/* Write body to text as one HTTP chunk, or as it is where the answer ends with
 * the connection. Gives the bytes written. */
static size_t
frame(const struct conn *c, const char *body, size_t len, char *text)
{
    size_t n = 0;

    if (c->chunked)
        n = (size_t)snprintf(text, FRAME_HEAD_MAX, "%zx\r\n", len);
    memcpy(text + n, body, len);
    n += len;
    if (c->chunked) {
        memcpy(text + n, "\r\n", 2);
        n += 2;
    }
    return n;
}

/* Write the last events and, when chunked, the last chunk. */
static size_t
frame_tail(const struct conn *c, char *text)
{
    char body[2048];
    int len = snprintf(body, sizeof(body), "%s%s%s", event_stop,
                       c->usage ? event_usage : "", event_done);
    size_t n = frame(c, body, (size_t)len, text);

    if (c->chunked) {
        memcpy(text + n, "0\r\n\r\n", 5);
        n += 5;
    }
    return n;
}

/* Send the next part of an open stream: one piece, or a block of a burst until
 * the socket is full. False when the connection is to be closed. */
static bool
stream_step(struct conn *c)
{
    static char text[sizeof(block) + 4096];
    size_t len;
    long n;

    while (c->left > 0 && !c->writing) {
        n = c->interval_ns > 0 ? 1 : c->left;
        if (n >= BLOCK_PIECES) {
            c->out = c->chunked ? framed : block;
            c->out_len = c->chunked ? framed_len : BLOCK_PIECES * event_len;
            c->left -= BLOCK_PIECES;
            if (!conn_flush(c))
                return false;
            continue;
        }
        len = frame(c, block, (size_t)n * event_len, text);
        c->left -= n;
        if (!conn_send(c, text, len))
            return false;
        if (c->interval_ns > 0)
            break;
    }
    if (c->writing || c->left > 0)
        return true;
    len = frame_tail(c, text);
    c->left = -1;
    return conn_send(c, text, len) && (!c->last || c->writing);
}

static void
stream_wait(struct conn *c, int64_t now_ns)
{
    if (c->interval_ns == 0 || c->left < 0)
        return;
    if (c->aligned)
        c->timer.due_ns = (now_ns / c->interval_ns + 1) * c->interval_ns;
    else if (c->timer.due_ns == 0)
        c->timer.due_ns = now_ns + c->interval_ns;
    else
        c->timer.due_ns += c->interval_ns;
    heap_add(&c->timer);
}

/* The head, the role, and the first piece; a slow stream waits from there. */
static bool
stream_start(struct conn *c, const struct mark *m)
{
    char text[8192], first[1024];
    size_t len, n = sizeof(event_role) - 1;

    c->left = m->count - 1;
    c->interval_ns = m->interval_ns;
    c->aligned = strcmp(m->mode, "chunk") == 0;
    c->timer.due_ns = 0;
    len = (size_t)snprintf(text, sizeof(text), "%s%s\r\n", head_sse,
                           c->chunked ? "Transfer-Encoding: chunked\r\n"
                                      : "Connection: close\r\n");
    memcpy(first, event_role, n);
    memcpy(first + n, block, event_len);
    len += frame(c, first, n + event_len, text + len);
    if (strcmp(m->mode, "instant") == 0) {
        n = (size_t)c->left * event_len;
        if (n > 0)
            len += frame(c, block, n, text + len);
        len += frame_tail(c, text + len);
        c->left = -1;
        return conn_send(c, text, len) && (!c->last || c->writing);
    }
    if (!conn_send(c, text, len))
        return false;
    if (c->interval_ns == 0)
        return stream_step(c);
    stream_wait(c, bench_now_ns());
    return true;
}

/* One JSON body with count pieces; also for whoever asks for the models. */
static bool
answer_whole(struct conn *c, const struct mark *m, bool models)
{
    size_t cap = (size_t)m->count * PIECE_LEN + 2048, len;
    char *body = bench_alloc(NULL, cap), head[256];
    bool ok;
    long i;

    if (models) {
        len = (size_t)snprintf(body, cap,
                               "{\"object\":\"list\",\"data\":[{\"id\":"
                               "\"bench\",\"object\":\"model\",\"created\":"
                               "1741569952,\"owned_by\":\"bench\"}]}");
    } else {
        len = (size_t)snprintf(
            body, cap,
            "{\"id\":\"chatcmpl-BeNcH0123456789abcdefghijklm\",\"object\":"
            "\"chat.completion\",\"created\":1741569952,\"model\":\"bench\","
            "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
            "\"content\":\"");
        for (i = 0; i < m->count; i++, len += PIECE_LEN)
            memcpy(body + len, pieces[i % 8], PIECE_LEN);
        len += (size_t)snprintf(body + len, cap - len,
                                "\"},\"logprobs\":null,\"finish_reason\":"
                                "\"stop\"}],\"usage\":{\"prompt_tokens\":9,"
                                "\"completion_tokens\":%ld,"
                                "\"total_tokens\":%ld}}",
                                m->count, m->count + 9);
    }
    i = snprintf(head, sizeof(head),
                 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\n%s\r\n",
                 len, c->last ? "Connection: close\r\n" : "");
    body = bench_alloc(body, len + (size_t)i);
    memmove(body + i, body, len);
    memcpy(body, head, (size_t)i);
    ok = conn_send(c, body, len + (size_t)i);
    free(body);
    return ok && (!c->last || c->writing);
}

static bool
has(const char *text, size_t len, const char *word)
{
    return memmem(text, len, word, strlen(word)) != NULL;
}

/* Answer the request in `in` when it is whole. False closes. */
static bool
conn_request(struct conn *c)
{
    char *head_end = memmem(c->in, c->in_len, "\r\n\r\n", 4), *field;
    struct mark m;
    size_t body, total;

    if (head_end == NULL)
        return c->in_len < REQUEST_MAX;
    *head_end = '\0'; /* the text before it is a string now */
    field = strcasestr(c->in, "\r\nContent-Length:");
    body = (size_t)(head_end - c->in) + 4;
    total = body + (field != NULL ? strtoul(field + 17, NULL, 10) : 0);
    if (total > REQUEST_MAX || strcasestr(c->in, "\r\nTransfer-Encoding:"))
        return false;
    if (c->in_len < total) {
        *head_end = '\r';
        return true;
    }
    c->chunked = strstr(c->in, " HTTP/1.1") != NULL;
    c->last = !c->chunked || strcasestr(c->in, "\r\nConnection: close");
    mark_find(c->in + body, total - body, &m);
    c->usage = has(c->in + body, total - body, "\"include_usage\":true");
    if (has(c->in + body, total - body, "\"stream\":true") ||
        has(c->in + body, total - body, "\"stream\": true"))
        body = 0;
    total = strncmp(c->in, "GET ", 4) == 0;
    free(c->in);
    c->in = NULL;
    c->in_len = c->in_cap = 0;
    return body == 0 ? stream_start(c, &m) : answer_whole(c, &m, total != 0);
}

static bool
conn_read(struct conn *c)
{
    ssize_t n;

    if (c->in == NULL) {
        c->in_cap = 4096;
        c->in = bench_alloc(NULL, c->in_cap);
    } else if (c->in_len == c->in_cap) {
        c->in_cap *= 2;
        c->in = bench_alloc(c->in, c->in_cap);
    }
    n = read(c->fd, c->in + c->in_len, c->in_cap - c->in_len);
    if (n < 0)
        return errno == EAGAIN;
    if (n == 0)
        return false;
    c->in_len += (size_t)n;
    return c->left >= 0 || c->writing || conn_request(c);
}

static bool
conn_event(struct conn *c, uint32_t events)
{
    if ((events & (EPOLLERR | EPOLLHUP)) != 0)
        return false;
    if ((events & EPOLLOUT) != 0) {
        if (!conn_flush(c))
            return false;
        if (!c->writing && c->left >= 0 && c->interval_ns == 0 &&
            !stream_step(c))
            return false;
        if (!c->writing && c->left < 0 && c->last)
            return false;
    }
    return (events & EPOLLIN) == 0 || conn_read(c);
}

/* Give every stream that is due its next piece, and say when to come back. A
 * stream whose reader is behind skips its turn. */
static int64_t
streams_tick(void)
{
    int64_t now_ns;
    struct conn *c;

    while (heap_len > 0) {
        c = (struct conn *)heap[0];
        now_ns = bench_now_ns();
        if (c->timer.due_ns > now_ns)
            return c->timer.due_ns;
        heap_remove(&c->timer);
        if (!c->writing && !stream_step(c))
            conn_free(c);
        else
            stream_wait(c, now_ns);
    }
    return -1;
}

int
main(int argc, char **argv)
{
    static struct epoll_event events[EVENTS_MAX];
    struct conn *c;
    int i, n;

    if (argc < 2) {
        (void)fprintf(stderr, "usage: llm 127.0.0.1:0 [/socket ...]\n");
        return 2;
    }
    bench_process_init();
    block_init();
    ep = epoll_create1(EPOLL_CLOEXEC);
    for (i = 1; i < argc; i++) {
        c = bench_alloc(NULL, sizeof(*c));
        memset(c, 0, sizeof(*c));
        c->listener = true;
        c->fd = bench_listen(argv[i]);
        bench_watch(ep, EPOLL_CTL_ADD, c->fd, EPOLLIN, c);
    }
    for (;;) {
        n = bench_wait(ep, events, EVENTS_MAX, streams_tick());
        for (i = 0; i < n; i++) {
            c = events[i].data.ptr;
            if (c->listener)
                conn_accept(c);
            else if (!conn_event(c, events[i].events))
                conn_free(c);
        }
    }
}
