/*
 * The WebSocket listener. A web server passes the whole handshake on, an
 * HTTP/1.1 request head without a body. It is read with three bounds (bytes,
 * connections, time) and answered 501 in the house's error form, under the
 * request id that the client sent or a new one. A client that gets it uses
 * SSE.
 *
 * Everything runs on the loop; a handshake is a small state: reading, then
 * gone. The answer is one send of a few hundred bytes into an empty socket
 * buffer, so there is no state for writing.
 */
#include "base/base.h"

#include "http/websocket.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ident.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/reply.h"
#include "http/unixsock.h"

#define ANSWER_MAX 2048 /* bytes */

struct handshake {
    struct websocket *ws;  /* borrowed */
    struct loop_io io;     /* its fd is owned */
    struct loop_timer end; /* handshake_ms after it came */
    struct buf head;       /* what has been read */
};

struct websocket {
    struct loop *loop; /* borrowed */
    char *path;        /* owned */
    struct loop_io io; /* the listening socket, owned; fd -1: not the owner */
    int lock_fd;       /* owned; -1: not the owner */
    int handshake_ms, retry_ms;
    struct loop_timer retry;
    struct handshake *conns[WEBSOCKET_CONNS_MAX]; /* owned; NULL: free */
};

static void
handshake_free(struct handshake *h)
{
    for (int i = 0; i < WEBSOCKET_CONNS_MAX; i++)
        if (h->ws->conns[i] == h)
            h->ws->conns[i] = NULL;
    loop_io_clear(h->ws->loop, &h->io);
    loop_timer_clear(h->ws->loop, &h->end);
    (void)close(h->io.fd);
    buf_release(&h->head);
    free(h);
}

/* X-Request-Id's value if the head has a well-formed one, else a new id. */
static void
find_id(const struct handshake *h, char id[REQUEST_ID_MAX + 1])
{
    static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    static const char name[] = "\r\nx-request-id:";
    const char *p = h->head.data, *end = p + h->head.len;
    char fresh[IDENT_TEXT_LEN];
    struct ident v7;
    size_t n = 0;

    for (; p && p + sizeof(name) - 1 < end; p++) {
        if (!text_ieqn(p, sizeof(name) - 1, name))
            continue;
        for (p += sizeof(name) - 1; p < end && *p == ' '; p++)
            ;
        while (p + n < end && p[n] && strchr(ok, p[n]))
            n++;
        if (n > 0 && n <= REQUEST_ID_MAX && p + n < end && p[n] == '\r') {
            memcpy(id, p, n);
            id[n] = '\0';
            return;
        }
        break;
    }
    v7 = ident_v7();
    ident_text(fresh, &v7);
    memcpy(id, fresh, sizeof(fresh));
}

/* Send the problem as a whole HTTP/1.1 response and end the handshake. */
static void
refuse(struct handshake *h, const struct problem *p, const char *reason)
{
    char id[REQUEST_ID_MAX + 1];
    struct buf body, out;

    find_id(h, id);
    buf_init(&body, ANSWER_MAX);
    buf_init(&out, 2 * ANSWER_MAX);
    reply_problem_json(&body, p, id);
    buf_addf(&out,
             "HTTP/1.1 %d %s\r\n"
             "Content-Type: application/json\r\n"
             "Content-Length: %zu\r\n"
             "Cache-Control: no-store\r\n"
             "X-Content-Type-Options: nosniff\r\n"
             "X-Request-Id: %s\r\n"
             "Connection: close\r\n\r\n",
             reply_status(p), reason, body.len, id);
    buf_add(&out, body.data, body.len);
    if (buf_status(&out) == OK &&
        send(h->io.fd, out.data, out.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_debug("websocket.answer", "errno=%d", errno);
    buf_release(&body);
    buf_release(&out);
    handshake_free(h);
}

static void
refuse_unavailable(struct handshake *h)
{
    struct problem p = {0};

    (void)problem_set(&p, ERR_IMPOSSIBLE, "websocket_unavailable",
                      "WebSocket is not available",
                      "Use server-sent events: GET /chat/stream");
    p.status = 501;
    refuse(h, &p, "Not Implemented");
}

static void
refuse_too_large(struct handshake *h)
{
    struct problem p = {0};

    (void)problem_set(
        &p, ERR_TOOBIG, "headers_too_large", "Request headers too large",
        "A handshake has at most %d KiB", WEBSOCKET_HEAD_MAX / 1024);
    p.status = 431;
    refuse(h, &p, "Request Header Fields Too Large");
}

static void
on_readable(struct loop_io *io, uint32_t events)
{
    struct handshake *h = io->arg;
    size_t seen = h->head.len < 3 ? 0 : h->head.len - 3;
    size_t room = WEBSOCKET_HEAD_MAX - h->head.len;
    char *p = buf_room(&h->head, room < 4096 ? room : 4096);
    ssize_t n;

    (void)events;
    n = recv(io->fd, p, room < 4096 ? room : 4096, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) {
        handshake_free(h);
        return;
    }
    h->head.len += (size_t)n;
    if (memmem(h->head.data + seen, h->head.len - seen, "\r\n\r\n", 4))
        refuse_unavailable(h);
    else if (h->head.len == WEBSOCKET_HEAD_MAX)
        refuse_too_large(h);
}

static void
on_handshake_late(struct loop_timer *t)
{
    handshake_free(t->arg);
}

static struct handshake **
free_place(struct websocket *w)
{
    for (int i = 0; i < WEBSOCKET_CONNS_MAX; i++)
        if (!w->conns[i])
            return &w->conns[i];
    return NULL;
}

static void
on_connection(struct loop_io *io, uint32_t events)
{
    struct websocket *w = io->arg;
    struct handshake **place = free_place(w);
    int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct handshake *h;

    (void)events;
    if (fd < 0)
        return;
    if (!place) {
        log_warn("websocket.full", "max=%d", WEBSOCKET_CONNS_MAX);
        (void)close(fd);
        return;
    }
    h = *place = xcalloc(1, sizeof(*h));
    h->ws = w;
    h->io.fd = fd;
    h->io.fn = on_readable;
    h->io.arg = h;
    h->end.fn = on_handshake_late;
    h->end.arg = h;
    buf_init(&h->head, WEBSOCKET_HEAD_MAX);
    loop_timer_set(w->loop, &h->end, loop_now_ms(w->loop) + w->handshake_ms);
    if (loop_io_set(w->loop, &h->io, EPOLLIN))
        handshake_free(h);
}

/* Own the socket, or come back later. */
static void
try_listen(struct websocket *w)
{
    enum err e = unixsock_listen(w->path, 0660, &w->io.fd, &w->lock_fd);

    if (e == OK) {
        e = loop_io_set(w->loop, &w->io, EPOLLIN);
        if (e == OK)
            return;
        (void)close(w->io.fd);
        (void)close(w->lock_fd);
    }
    w->io.fd = w->lock_fd = -1;
    loop_timer_set(w->loop, &w->retry, loop_now_ms(w->loop) + w->retry_ms);
}

static void
on_retry(struct loop_timer *t)
{
    try_listen(t->arg);
}

struct websocket *
websocket_open(struct loop *l, const char *path)
{
    return websocket_open_timed(l, path, WEBSOCKET_HANDSHAKE_MS,
                                WEBSOCKET_RETRY_MS);
}

struct websocket *
websocket_open_timed(struct loop *l, const char *path, int handshake_ms,
                     int retry_ms)
{
    struct sockaddr_un a;
    struct websocket *w;

    if (unixsock_addr(&a, path))
        return NULL;
    w = xcalloc(1, sizeof(*w));
    w->loop = l;
    w->path = xstrdup(path);
    w->handshake_ms = handshake_ms;
    w->retry_ms = retry_ms;
    w->io.fn = on_connection;
    w->io.arg = w;
    w->retry.fn = on_retry;
    w->retry.arg = w;
    try_listen(w);
    return w;
}

void
websocket_close(struct websocket *w)
{
    if (!w)
        return;
    for (int i = 0; i < WEBSOCKET_CONNS_MAX; i++)
        if (w->conns[i])
            handshake_free(w->conns[i]);
    loop_timer_clear(w->loop, &w->retry);
    if (w->io.fd >= 0) {
        loop_io_clear(w->loop, &w->io);
        (void)unlink(w->path); /* ours: we hold the lock */
        (void)close(w->io.fd);
        (void)close(w->lock_fd);
    }
    free(w->path);
    free(w);
}
