/*
 * A request arrives with its own way out: chat.cgi passes its stdout, which is
 * the web server's pipe or socket, and leaves. Whoever holds that descriptor
 * answers, so the answer outlives the CGI process and nothing is copied
 * through it.
 *
 * The acknowledging byte decides whose the request is. Without it the CGI may
 * try another engine; after it only this one answers. A CGI that is gone
 * before the byte could be sent was ended by its web server: dropped.
 */
#include "base/base.h"

#include "http/engine_door.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "http/acceptor.h"
#include "http/handover.h"

#define FDS_MAX 4 /* descriptors taken from one message; all but one closed */

struct body {
    int fd;
    size_t left; /* bytes of this message's body */
};

static ssize_t
read_some(int fd, void *p, size_t n)
{
    ssize_t r;

    do
        r = recv(fd, p, n, 0);
    while (r < 0 && errno == EINTR);
    return r;
}

static ssize_t
read_body(void *arg, char *p, size_t n)
{
    struct body *b = arg;
    ssize_t r;

    if (b->left == 0)
        return 0;
    r = read_some(b->fd, p, n < b->left ? n : b->left);
    if (r <= 0)
        return -1;
    b->left -= (size_t)r;
    return r;
}

static bool
read_full(int fd, void *p, size_t n)
{
    while (n > 0) {
        ssize_t r = read_some(fd, p, n);
        if (r <= 0)
            return false;
        p = (char *)p + r;
        n -= (size_t)r;
    }
    return true;
}

static bool
same_user(int fd)
{
    struct ucred peer;
    socklen_t n = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
           peer.uid == geteuid();
}

/* Read the head; the first byte brings the descriptor. Returns -1 without
 * exactly one, or if the head is cut off. */
static int
read_head(int fd, uint8_t head[HANDOVER_HEAD_LEN])
{
    union {
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {.iov_base = head, .iov_len = HANDOVER_HEAD_LEN};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof(control.bytes)};
    int fds[FDS_MAX], n = 0;
    ssize_t r;

    do
        r = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    while (r < 0 && errno == EINTR);
    if (r <= 0)
        return -1;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        n = (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(h), (size_t)n * sizeof(int));
    }
    if (n == 1 && !(m.msg_flags & MSG_CTRUNC) &&
        read_full(fd, head + r, HANDOVER_HEAD_LEN - (size_t)r))
        return fds[0];
    while (n > 0)
        (void)close(fds[--n]);
    return -1;
}

/* The variables and the body, into a request. */
static enum err
read_rest(int fd, const struct handover *h, const struct door_config *c,
          struct request **out, struct problem *why)
{
    const char *vars[REQUEST_PARAMS_MAX + 1];
    struct body body = {fd, 0};
    struct buf b;
    char *p;
    enum err e;

    buf_init(&b, (size_t)h->vars_len + 1);
    p = buf_room(&b, (size_t)h->vars_len + 1);
    e = p && read_full(fd, p, h->vars_len) ? OK : ERR_HUP;
    if (!e)
        e = handover_parse_vars(p, h->vars_len, vars);
    if (e) {
        buf_release(&b);
        return ERR_HUP;
    }
    e = request_new(out, vars, c->base_path, why);
    buf_release(&b); /* request_new copied */
    if (e)
        return OK; /* why says what; the body stays unread */
    if (h->body_len == HANDOVER_NO_BODY) {
        (*out)->body_too_big = true;
        return OK;
    }
    body.left = h->body_len;
    e = request_read_body(*out, c->body_max, true, read_body, &body, why);
    if (e == ERR_HUP) {
        request_free(*out);
        *out = NULL;
        return ERR_HUP;
    }
    return OK;
}

static enum err
read_request(int fd, const struct door_config *c, struct request **out,
             struct problem *why)
{
    uint8_t head[HANDOVER_HEAD_LEN];
    char ack = HANDOVER_ACK;
    struct handover h;
    int reply_fd;

    *out = NULL;
    if (!same_user(fd)) {
        log_warn("engine.refused", "reason=user");
        return ERR_HUP;
    }
    reply_fd = read_head(fd, head);
    if (reply_fd < 0 || handover_parse_head(&h, head) ||
        read_rest(fd, &h, c, out, why)) {
        log_warn("engine.refused", "reason=message");
        if (reply_fd >= 0)
            (void)close(reply_fd);
        return ERR_HUP;
    }
    (*out)->conn = conn_new(CONN_CGI, reply_fd, 0);
    if (send(fd, &ack, 1, MSG_NOSIGNAL) != 1) {
        request_free(*out);
        *out = NULL;
        return ERR_HUP;
    }
    return OK;
}

enum err
engine_door_accept(int listen_fd, const struct door_config *c,
                   struct request **out, struct problem *why)
{
    int fd;
    enum err e = acceptor_take(listen_fd, &fd);

    if (e)
        return e;
    e = read_request(fd, c, out, why);
    (void)close(fd);
    return e;
}
