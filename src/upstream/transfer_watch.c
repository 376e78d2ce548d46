/*
 * curl's descriptors in the loop.
 *
 * A descriptor stays in epoll when curl lets go of it between two transfers,
 * so a reused connection costs no epoll_ctl. This is safe only for sockets
 * that curl will close through transfer_on_close, which are those that carried
 * a reply; all others (a resolver's socket pair, the loser of two connects)
 * are removed at once, as their number may soon name something else. An event
 * on a descriptor that nobody wants removes it then.
 */
#include "base/base.h"

#include "upstream/transfer_impl.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define SOCKS_STEP 64

/* A descriptor that curl wanted once. Never freed before the end, so a late
 * event finds it. */
struct transfer_sock {
    struct loop_io io; /* first: found by its address */
    uint32_t want;     /* epoll bits; 0: nobody wants it */
    bool ours;         /* opened by transfer_on_open, not closed yet */
};

static void
on_event(struct loop_io *io, uint32_t events)
{
    struct transfers *ts = io->arg;
    struct transfer_sock *s = (struct transfer_sock *)(void *)io;
    int what = 0;

    if (s->want == 0) {
        loop_io_clear(ts->loop, io);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP))
        what |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        what |= CURL_CSELECT_OUT;
    if (events & EPOLLERR)
        what |= CURL_CSELECT_ERR;
    transfers_run(ts, io->fd, what);
}

static struct transfer_sock *
sock_of(struct transfers *ts, curl_socket_t fd)
{
    size_t i = (size_t)fd;

    if (i >= ts->n_socks) {
        size_t n = i + SOCKS_STEP;

        ts->socks = xrealloc(ts->socks, n * sizeof(*ts->socks));
        memset(ts->socks + ts->n_socks, 0,
               (n - ts->n_socks) * sizeof(*ts->socks));
        ts->n_socks = n;
    }
    if (ts->socks[i] == NULL) {
        struct transfer_sock *s = xcalloc(1, sizeof(*s));

        s->io.fd = fd;
        s->io.fn = on_event;
        s->io.arg = ts;
        ts->socks[i] = s;
    }
    return ts->socks[i];
}

/* Will curl close this socket through transfer_on_close? It does so for
 * sockets that became a connection, and a reply's head proves that. */
static bool
is_connection(const struct transfer_sock *s, CURL *easy)
{
    char *private = NULL;

    if (!s->ours || easy == NULL ||
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private) != CURLE_OK)
        return false;
    return private != NULL && ((struct transfer *)(void *)private)->head_done;
}

int
transfer_on_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
                   void *unused)
{
    struct transfers *ts = arg;
    struct transfer_sock *s = sock_of(ts, fd);

    (void)unused;
    s->want = 0;
    if (what & CURL_POLL_IN)
        s->want |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        s->want |= EPOLLOUT;
    if (s->want != 0) {
        if (loop_io_set(ts->loop, &s->io, s->want) != OK) {
            log_error("upstream.watch", "fd=%d", (int)fd);
            return -1;
        }
    } else if (!is_connection(s, easy)) {
        loop_io_clear(ts->loop, &s->io);
    }
    return 0;
}

/* When one of several connects fails, curl may close its socket without a
 * word and open the next one under the same number; it then believes that the
 * descriptor is watched still. So what it wanted of the old one stands. */
curl_socket_t
transfer_on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct transfers *ts = arg;
    struct transfer_sock *s;
    int fd;

    (void)purpose;
    fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
    if (fd < 0) {
        log_warn("upstream.socket", "errno=%d", errno);
        return CURL_SOCKET_BAD;
    }
    s = sock_of(ts, fd);
    loop_io_clear(ts->loop, &s->io); /* a namesake that is closed already */
    if (s->want != 0 && loop_io_set(ts->loop, &s->io, s->want) != OK)
        s->want = 0;
    s->ours = true;
    return fd;
}

static bool
may_be_called(const struct upstream_request *q, enum guard_class class)
{
    if (q->plain)
        return class == GUARD_LOOPBACK;
    return class == GUARD_PUBLIC || class == q->guard_also;
}

/* Here, as nowhere else, the address is the one that is connected to. Another
 * one of the same name may still do. */
curl_socket_t
transfer_on_guarded(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct transfer *t = arg;
    enum guard_class class = guard_class(&a->addr, a->addrlen);

    if (!may_be_called(&t->out->q, class)) {
        log_warn("upstream.guard", "refused=%s", guard_class_name(class));
        t->guard_refused = true;
        return CURL_SOCKET_BAD;
    }
    return transfer_on_open(t->ts, purpose, a);
}

int
transfer_on_close(void *arg, curl_socket_t fd)
{
    struct transfers *ts = arg;
    struct transfer_sock *s = sock_of(ts, fd);

    loop_io_clear(ts->loop, &s->io);
    s->want = 0;
    s->ours = false;
    return close(fd);
}

void
transfers_unwatch(struct transfers *ts)
{
    size_t i;

    for (i = 0; i < ts->n_socks; i++) {
        if (ts->socks[i] != NULL)
            loop_io_clear(ts->loop, &ts->socks[i]->io);
        free(ts->socks[i]);
    }
    free(ts->socks);
}
