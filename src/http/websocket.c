/*
 * The WebSocket listener. A web server passes the whole handshake on, an
 * HTTP/1.1 request head without a body. It is read with three bounds (bytes,
 * handshakes, time); then it is a request like those of other doors, which the
 * application admits or not. A refusal is answered in the house's error form,
 * a switch by 101; both are one send into an empty socket buffer, so there is
 * no state for writing here.
 *
 * When no descriptor is left, or too many handshakes are under way, nothing is
 * accepted for a moment: the kernel keeps who waits.
 *
 * A head is never logged: there may be a token in it.
 */
#include "base/base.h"

#include "http/websocket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/tcpsock.h"
#include "http/unixsock.h"
#include "http/upgrade.h"

#define ANSWER_MAX (8 * 1024) /* bytes */
#define ACCEPTS_MAX 64        /* in one turn of the loop */
#define ACCEPT_PAUSE_MS 50    /* when there is no descriptor */
#define READ_BYTES 4096       /* of a head at once */

struct handshake {
    struct websocket *ws; /* borrowed */
    struct handshake *prev, *next;
    struct loop_io io;     /* its fd is owned */
    struct loop_timer end; /* handshake_ms after it came */
    struct buf head;       /* what has been read */
    bool proxy;            /* it came by the unix socket */
};

struct listener {
    struct loop_io io; /* owned; fd -1: not open */
    bool proxy;
};

struct websocket {
    struct loop *loop; /* borrowed */
    struct websocket_config c;
    char *path, *tcp;           /* owned */
    struct listener door, port; /* the unix socket; the TCP port */
    int lock_fd;                /* owned; -1: not the owner */
    struct loop_timer retry;    /* to own the socket */
    struct loop_timer resume;   /* to accept again */
    struct handshake *list;
    size_t n_handshakes;
    struct wsocks socks;
};

/* --- accepting again ----------------------------------------------------- */

static void
accept_again(struct websocket *w)
{
    struct listener *both[] = {&w->door, &w->port};

    for (size_t i = 0; i < COUNT_OF(both); i++)
        if (both[i]->io.fd >= 0 &&
            loop_io_set(w->loop, &both[i]->io, EPOLLIN) != OK)
            loop_timer_set(w->loop, &w->resume,
                           loop_now_ms(w->loop) + ACCEPT_PAUSE_MS);
}

static void
on_resume(struct loop_timer *t)
{
    accept_again(t->arg);
}

/* pause_ms 0: until a handshake is over. */
static void
accept_pause(struct websocket *w, int64_t pause_ms)
{
    loop_io_clear(w->loop, &w->door.io);
    if (w->port.io.fd >= 0)
        loop_io_clear(w->loop, &w->port.io);
    if (pause_ms > 0)
        loop_timer_set(w->loop, &w->resume, loop_now_ms(w->loop) + pause_ms);
}

/* --- handshakes ---------------------------------------------------------- */

/* Forget it; its descriptor stays open. */
static int
handshake_release(struct handshake *h)
{
    struct websocket *w = h->ws;
    int fd = h->io.fd;

    if (h->prev != NULL)
        h->prev->next = h->next;
    else
        w->list = h->next;
    if (h->next != NULL)
        h->next->prev = h->prev;
    loop_io_clear(w->loop, &h->io);
    loop_timer_clear(w->loop, &h->end);
    buf_release(&h->head);
    free(h);
    if (w->n_handshakes-- == WEBSOCKET_HANDSHAKES_MAX)
        accept_again(w);
    return fd;
}

static void
handshake_free(struct handshake *h)
{
    (void)close(handshake_release(h));
}

static void
put(struct handshake *h, struct buf *answer)
{
    if (buf_status(answer) == OK && send(h->io.fd, answer->data, answer->len,
                                         MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_debug("websocket.answer", "errno=%d", errno);
    buf_release(answer);
}

/* Answer with the problem. What the client still sends is read first, as far
 * as it is here: the kernel answers unread bytes with a reset, which would
 * take the answer with it. */
static void
refuse(struct handshake *h, const struct request *rq, const struct problem *p)
{
    char rest[READ_BYTES];
    struct buf answer;

    buf_init(&answer, ANSWER_MAX);
    upgrade_refuse(&answer, rq, p);
    put(h, &answer);
    (void)shutdown(h->io.fd, SHUT_WR);
    for (int i = 0; i < 16; i++)
        if (recv(h->io.fd, rest, sizeof(rest), MSG_DONTWAIT) <= 0)
            break;
    handshake_free(h);
}

static void
make_switch(struct handshake *h, const struct request *rq, void *owner,
            size_t head_len)
{
    struct websocket *w = h->ws;
    struct buf answer;
    struct wsock *s;
    char *early = NULL;
    size_t n = h->head.len - head_len;
    int one = 1;

    buf_init(&answer, ANSWER_MAX);
    upgrade_switch(&answer, rq);
    put(h, &answer);
    if (!h->proxy)
        (void)setsockopt(h->io.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (n > 0)
        early = xmemdup0(h->head.data + head_len, n);
    s = wsock_new(&w->socks, handshake_release(h), w->c.app.ops, owner, early,
                  n);
    free(early);
    w->c.app.opened(owner, s);
}

/* The head is whole. */
static void
on_head(struct handshake *h, size_t head_len)
{
    struct websocket *w = h->ws;
    char addr[TCPSOCK_ADDR_MAX];
    struct upgrade_peer peer = {addr, h->proxy, w->c.base_path};
    struct problem p;
    struct request *rq;
    void *owner = NULL;
    enum err e;

    tcpsock_peer(h->io.fd, addr);
    e = upgrade_read(h->head.data, head_len, &peer, &rq, &p);
    log_set_request(rq->id);
    if (e == OK)
        e = upgrade_check(rq, &p);
    if (e == OK)
        owner = w->c.app.admit(w->c.app.arg, rq, &p);
    if (owner != NULL)
        make_switch(h, rq, owner, head_len);
    else
        refuse(h, rq, &p);
    log_set_request(NULL);
    request_free(rq);
}

static void
on_too_long(struct handshake *h)
{
    static const char *const none[] = {NULL};
    struct problem p, unused;
    struct request *rq;

    memset(&p, 0, sizeof(p));
    IGNORE(request_new(&rq, none, "", &unused));
    (void)problem_set(
        &p, ERR_TOOBIG, "headers_too_large", "Request headers too large",
        "A handshake has at most %d KiB", UPGRADE_HEAD_MAX / 1024);
    p.status = 431;
    refuse(h, rq, &p);
    request_free(rq);
}

static void
on_readable(struct loop_io *io, uint32_t events)
{
    struct handshake *h = io->arg;
    size_t seen = h->head.len < 3 ? 0 : h->head.len - 3;
    size_t room = UPGRADE_HEAD_MAX - h->head.len;
    const char *end;
    char *p;
    ssize_t n;

    (void)events;
    if (room > READ_BYTES)
        room = READ_BYTES;
    p = buf_room(&h->head, room);
    n = recv(io->fd, p, room, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) {
        handshake_free(h);
        return;
    }
    h->head.len += (size_t)n;
    end = memmem(h->head.data + seen, h->head.len - seen, "\r\n\r\n", 4);
    if (end != NULL)
        on_head(h, (size_t)(end - h->head.data) + 4);
    else if (h->head.len == UPGRADE_HEAD_MAX)
        on_too_long(h);
}

static void
on_handshake_late(struct loop_timer *t)
{
    handshake_free(t->arg);
}

static void
handshake_new(struct websocket *w, int fd, bool proxy)
{
    struct handshake *h = xcalloc(1, sizeof(*h));

    h->ws = w;
    h->proxy = proxy;
    h->io.fd = fd;
    h->io.fn = on_readable;
    h->io.arg = h;
    h->end.fn = on_handshake_late;
    h->end.arg = h;
    buf_init(&h->head, UPGRADE_HEAD_MAX);
    h->next = w->list;
    if (h->next != NULL)
        h->next->prev = h;
    w->list = h;
    if (++w->n_handshakes == WEBSOCKET_HANDSHAKES_MAX)
        accept_pause(w, 0);
    loop_timer_set(w->loop, &h->end, loop_now_ms(w->loop) + w->c.handshake_ms);
    if (loop_io_set(w->loop, &h->io, EPOLLIN) != OK)
        handshake_free(h);
}

static void
on_connection(struct loop_io *io, uint32_t events)
{
    struct listener *at = (struct listener *)(void *)io;
    struct websocket *w = io->arg;

    (void)events;
    for (int i = 0;
         i < ACCEPTS_MAX && w->n_handshakes < WEBSOCKET_HANDSHAKES_MAX; i++) {
        int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            handshake_new(w, fd, at->proxy);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
            errno == ENOBUFS) {
            log_warn("websocket.accept", "errno=%d", errno);
            accept_pause(w, ACCEPT_PAUSE_MS);
        }
        return;
    }
}

/* --- owning the socket --------------------------------------------------- */

static void
open_port(struct websocket *w)
{
    int port;

    if (w->tcp[0] == '\0')
        return;
    if (tcpsock_listen(w->tcp, &w->port.io.fd, &port) != OK) {
        w->port.io.fd = -1;
        return;
    }
    log_info("websocket.port", "port=%d", port);
    if (loop_io_set(w->loop, &w->port.io, EPOLLIN) != OK) {
        (void)close(w->port.io.fd);
        w->port.io.fd = -1;
    }
}

/* Own the socket, or come back later. */
static void
try_listen(struct websocket *w)
{
    enum err e = unixsock_listen(w->path, 0660, &w->door.io.fd, &w->lock_fd);

    if (e == OK) {
        e = loop_io_set(w->loop, &w->door.io, EPOLLIN);
        if (e == OK) {
            open_port(w);
            return;
        }
        (void)close(w->door.io.fd);
        (void)close(w->lock_fd);
    }
    w->door.io.fd = w->lock_fd = -1;
    loop_timer_set(w->loop, &w->retry, loop_now_ms(w->loop) + w->c.retry_ms);
}

static void
on_retry(struct loop_timer *t)
{
    try_listen(t->arg);
}

static void
listener_init(struct listener *at, struct websocket *w, bool proxy)
{
    at->io.fd = -1;
    at->io.fn = on_connection;
    at->io.arg = w;
    at->proxy = proxy;
}

struct websocket *
websocket_open(struct loop *l, const struct websocket_config *c)
{
    struct sockaddr_un a;
    struct websocket *w;

    if (unixsock_addr(&a, c->path) != OK)
        return NULL;
    w = xcalloc(1, sizeof(*w));
    w->loop = l;
    w->c = *c;
    w->path = xstrdup(c->path);
    w->tcp = xstrdup(c->tcp);
    w->socks.c = c->sock;
    w->socks.c.loop = l;
    listener_init(&w->door, w, true);
    listener_init(&w->port, w, false);
    w->retry.fn = on_retry;
    w->retry.arg = w;
    w->resume.fn = on_resume;
    w->resume.arg = w;
    try_listen(w);
    return w;
}

void
websocket_stop(struct websocket *w)
{
    while (w->list != NULL)
        handshake_free(w->list);
    loop_timer_clear(w->loop, &w->retry);
    loop_timer_clear(w->loop, &w->resume);
    if (w->port.io.fd >= 0) {
        loop_io_clear(w->loop, &w->port.io);
        (void)close(w->port.io.fd);
        w->port.io.fd = -1;
    }
    if (w->door.io.fd >= 0) {
        loop_io_clear(w->loop, &w->door.io);
        (void)unlink(w->path); /* ours: we hold the lock */
        (void)close(w->door.io.fd);
        (void)close(w->lock_fd);
        w->door.io.fd = -1;
    }
}

size_t
websocket_count(const struct websocket *w)
{
    return w->socks.n;
}

void
websocket_close(struct websocket *w)
{
    if (w == NULL)
        return;
    websocket_stop(w);
    wsocks_abort(&w->socks);
    free(w->path);
    free(w->tcp);
    free(w);
}
