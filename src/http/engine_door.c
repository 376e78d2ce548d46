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
#include <sys/stat.h>
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

/* Read the head; the first byte brings the descriptors: where to answer, and
 * perhaps a body. Returns how many; none if there are others than these, or if
 * the head is cut off. */
static int
read_head(int fd, uint8_t head[HANDOVER_HEAD_LEN], int out[2])
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
        return 0;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        n = (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(h), (size_t)n * sizeof(int));
    }
    if ((n == 1 || n == 2) && !(m.msg_flags & MSG_CTRUNC) &&
        read_full(fd, head + r, HANDOVER_HEAD_LEN - (size_t)r)) {
        memcpy(out, fds, (size_t)n * sizeof(int));
        return n;
    }
    while (n > 0)
        (void)close(fds[--n]);
    return 0;
}

/* The body is a file. Takes file_fd if OK. */
static enum err
take_file(struct request *rq, int file_fd, const struct body_limits *l)
{
    struct stat st;

    if (!request_body_spools(rq, l) || fstat(file_fd, &st) != 0 ||
        !S_ISREG(st.st_mode) || st.st_size < 0)
        return ERR_BADREQ;
    rq->body_too_big = (uint64_t)st.st_size > request_body_max(rq, l);
    rq->body_len = rq->body_too_big ? 0 : (size_t)st.st_size;
    rq->body_fd = file_fd;
    return OK;
}

/* The variables and the body, into a request. */
static enum err
read_rest(int fd, const struct handover *h, const struct door_config *c,
          int *file_fd, struct request **out, struct problem *why)
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
    if (h->body_len != HANDOVER_FILE)
        e = request_read_body(*out, &c->body, true, read_body, &body, why);
    else if (take_file(*out, *file_fd, &c->body) == OK)
        *file_fd = -1;
    else
        e = ERR_HUP;
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
    int fds[2] = {-1, -1}, n;
    struct handover h;
    bool whole;

    *out = NULL;
    if (!same_user(fd)) {
        log_warn("engine.refused", "reason=user");
        return ERR_HUP;
    }
    n = read_head(fd, head, fds);
    whole = n > 0 && handover_parse_head(&h, head) == OK &&
            (n == 2) == (h.body_len == HANDOVER_FILE) &&
            read_rest(fd, &h, c, &fds[1], out, why) == OK;
    if (fds[1] >= 0)
        (void)close(fds[1]);
    if (!whole) {
        log_warn("engine.refused", "reason=message");
        if (fds[0] >= 0)
            (void)close(fds[0]);
        return ERR_HUP;
    }
    (*out)->conn = conn_new(CONN_CGI, fds[0], 0);
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
