/*
 * The way out. One conn is one request's descriptor towards the web server.
 *
 * Bytes are wrapped on the way: FastCGI STDOUT records, each a header of eight
 * bytes and up to RECORD_MAX of content, without padding; or nothing at all
 * for CGI. libfcgi's writer is not used: it polls before it writes, holds 8 KB
 * a stream, and turns EAGAIN into an error for good. Here the headers stand in
 * an iovec between the caller's bytes, so the usual reply is one sendmsg and
 * no copy.
 *
 * Never blocks. What the kernel does not take is copied, wrapped, to `rest`,
 * and goes first at the next flush. A record is therefore never torn: either
 * it is on its way or it is in rest.
 */
#include "base/base.h"

#include "http/conn.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define RECORD_MAX 65528 /* bytes of content; a multiple of 8 below 64 KiB */
#define BATCH 16         /* records in one sendmsg: about 1 MiB */
#define HEAD_LEN 8       /* bytes; FCGI_Header */
#define END_LEN 24       /* bytes; empty STDOUT, END_REQUEST with its body */

enum { TYPE_END_REQUEST = 3, TYPE_STDOUT = 6 };

struct batch {
    uint8_t heads[BATCH][HEAD_LEN];
    uint8_t end[END_LEN];
    struct iovec iov[2 * BATCH + 1];
    int n;
};

static void
put_head(uint8_t *h, uint8_t type, uint16_t id, size_t len)
{
    h[0] = 1; /* version */
    h[1] = type;
    h[2] = (uint8_t)(id >> 8);
    h[3] = (uint8_t)id;
    h[4] = (uint8_t)(len >> 8);
    h[5] = (uint8_t)len;
    h[6] = 0; /* padding */
    h[7] = 0;
}

static void
put_end(uint8_t end[END_LEN], uint16_t id)
{
    memset(end, 0, END_LEN); /* application status 0, REQUEST_COMPLETE */
    put_head(end, TYPE_STDOUT, id, 0);
    put_head(end + HEAD_LEN, TYPE_END_REQUEST, id, 8);
}

static void
batch_add(struct batch *b, const void *p, size_t n)
{
    b->iov[b->n].iov_base = (void *)(uintptr_t)p;
    b->iov[b->n].iov_len = n;
    b->n++;
}

/* Wrap as many of n bytes as fit one batch; returns how many. The end goes
 * with the last of them. */
static size_t
batch_fill(struct batch *b, const struct conn *c, const char *p, size_t n,
           bool end)
{
    size_t used = 0;

    b->n = 0;
    if (c->kind == CONN_CGI) {
        if (n > 0)
            batch_add(b, p, n);
        return n;
    }
    for (int i = 0; i < BATCH && used < n; i++) {
        size_t len = n - used < RECORD_MAX ? n - used : RECORD_MAX;
        put_head(b->heads[i], TYPE_STDOUT, c->request_id, len);
        batch_add(b, b->heads[i], HEAD_LEN);
        batch_add(b, p + used, len);
        used += len;
    }
    if (end && used == n) {
        put_end(b->end, c->request_id);
        batch_add(b, b->end, END_LEN);
    }
    return used;
}

static size_t
wrapped_len(const struct conn *c, size_t n, bool end)
{
    if (c->kind == CONN_CGI)
        return n;
    return n + (n + RECORD_MAX - 1) / RECORD_MAX * HEAD_LEN +
           (end ? END_LEN : 0);
}

static size_t
pending(const struct conn *c)
{
    return c->rest.len - c->rest_at;
}

/* One write. *taken may be 0 (the kernel is full). ERR_HUP marks c gone. */
static enum err
write_some(struct conn *c, struct iovec *iov, int n, size_t *taken)
{
    ssize_t r;

    *taken = 0;
    do {
        if (c->is_socket) {
            struct msghdr m = {.msg_iov = iov, .msg_iovlen = (size_t)n};
            r = sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
        } else {
            r = writev(c->fd, iov, n);
        }
    } while (r < 0 && errno == EINTR);
    if (r >= 0) {
        *taken = (size_t)r;
        return OK;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return OK;
    if (errno != EPIPE && errno != ECONNRESET)
        log_warn("conn.write", "errno=%d", errno);
    c->gone = true;
    return ERR_HUP;
}

/* Send a batch or keep it: all of it if something is waiting already. */
static enum err
batch_send(struct conn *c, struct batch *b)
{
    size_t taken = 0;

    if (b->n == 0)
        return OK;
    if (pending(c) == 0) {
        enum err e = write_some(c, b->iov, b->n, &taken);
        if (e)
            return e;
    }
    for (int i = 0; i < b->n; i++) {
        size_t len = b->iov[i].iov_len;
        if (taken >= len) {
            taken -= len;
            continue;
        }
        buf_add(&c->rest, (char *)b->iov[i].iov_base + taken, len - taken);
        taken = 0;
    }
    assert(!c->rest.over); /* the caller looked */
    return OK;
}

static enum err
conn_put(struct conn *c, const char *p, size_t n, bool end)
{
    struct batch b;

    assert(!c->ended);
    if (c->gone)
        return ERR_HUP;
    if (n > CONN_REST_MAX ||
        pending(c) + wrapped_len(c, n, end) > CONN_REST_MAX)
        return ERR_TOOBIG;
    if (c->rest_at > 0) {
        buf_drop(&c->rest, c->rest_at);
        c->rest_at = 0;
    }
    c->ended = end;
    do {
        size_t used = batch_fill(&b, c, p, n, end);
        enum err e = batch_send(c, &b);
        if (e)
            return e;
        if (used > 0) /* p may be NULL */
            p += used;
        n -= used;
    } while (n > 0);
    return pending(c) > 0 ? ERR_AGAIN : OK;
}

struct conn *
conn_new(enum conn_kind kind, int fd, uint16_t request_id)
{
    struct conn *c = xcalloc(1, sizeof(*c));
    struct stat st;

    c->fd = fd;
    c->kind = kind;
    c->request_id = request_id;
    c->is_socket = true;
    buf_init(&c->rest, CONN_REST_MAX);
    if (kind == CONN_FCGI)
        return c; /* always a socket; spare the system call */
    if (fstat(fd, &st) == 0 && !S_ISSOCK(st.st_mode)) {
        int flags = fcntl(fd, F_GETFL);
        c->is_socket = false;
        if (S_ISFIFO(st.st_mode) && flags >= 0 && !(flags & O_NONBLOCK))
            (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }
    return c;
}

/* A web server whose client left closes its half and waits for the end of the
 * request. Without one it takes us for crashed and fills its log. An answer
 * that we break off ourselves must look broken off: then nothing is said. */
static void
end_for_departed(struct conn *c)
{
    uint8_t end[END_LEN];
    char byte;

    if (c->kind != CONN_FCGI || c->ended || pending(c) > 0 ||
        recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0)
        return;
    put_end(end, c->request_id);
    (void)send(c->fd, end, sizeof(end), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
conn_free(struct conn *c)
{
    if (!c)
        return;
    if (c->fd >= 0) {
        end_for_departed(c);
        (void)close(c->fd);
    }
    buf_release(&c->rest);
    free(c);
}

enum err
conn_send(struct conn *c, const void *p, size_t n)
{
    return conn_put(c, p, n, false);
}

enum err
conn_end(struct conn *c, const void *p, size_t n)
{
    return conn_put(c, p, n, true);
}

enum err
conn_flush(struct conn *c)
{
    struct iovec iov;
    size_t taken;
    enum err e;

    if (c->gone)
        return ERR_HUP;
    if (pending(c) == 0)
        return OK;
    iov.iov_base = c->rest.data + c->rest_at;
    iov.iov_len = pending(c);
    e = write_some(c, &iov, 1, &taken);
    if (e)
        return e;
    c->rest_at += taken;
    if (pending(c) > 0)
        return ERR_AGAIN;
    buf_clear(&c->rest);
    buf_trim(&c->rest, 0);
    c->rest_at = 0;
    return OK;
}

uint32_t
conn_left_events(const struct conn *c)
{
    return c->kind == CONN_CGI ? EPOLLHUP : EPOLLRDHUP;
}

bool
conn_ready(const struct conn *c)
{
    return !c->gone && pending(c) == 0;
}
