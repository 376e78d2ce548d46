/*
 * Reading a body. The doors differ only in how bytes are read, so each hands
 * in a reader. The body is read to its end, not just to CONTENT_LENGTH: a
 * FastCGI stream ends with a record of its own, and closing a socket with
 * unread bytes would make the kernel tell the web server "reset" instead of
 * passing it the rest of the answer.
 */
#include "base/base.h"

#include "http/request.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/spool.h"

#define STEP (256 * 1024) /* bytes; growth while the length is unknown */

/* Fill p up to n bytes. -1: failed. */
static ssize_t
read_full(request_read_fn *fn, void *arg, char *p, size_t n)
{
    size_t have = 0;

    while (have < n) {
        ssize_t r = fn(arg, p + have, n - have);
        if (r < 0)
            return -1;
        if (r == 0)
            break;
        have += (size_t)r;
    }
    return (ssize_t)have;
}

static enum err
read_known(struct request *rq, size_t n, request_read_fn *fn, void *arg,
           bool to_end, struct problem *why)
{
    char *p = arena_alloc(&rq->arena, n + 1);
    ssize_t r = read_full(fn, arg, p, n);
    char extra;

    if (r < 0 || (size_t)r < n)
        return ERR_HUP;
    if (to_end && (r = fn(arg, &extra, 1)) != 0)
        return r < 0 ? ERR_HUP
                     : problem_set(why, ERR_BADREQ, "invalid_length",
                                   "Invalid Content-Length",
                                   "The body is longer than it says");
    if (n > 0) {
        rq->body = p;
        rq->body_len = n;
    }
    return OK;
}

static enum err
read_to_end(struct request *rq, size_t max, request_read_fn *fn, void *arg)
{
    struct buf b;
    enum err e = OK;

    buf_init(&b, max + 1);
    for (;;) {
        size_t n = max + 1 - b.len < STEP ? max + 1 - b.len : STEP;
        char *p = n ? buf_room(&b, n) : NULL;
        ssize_t r = p ? fn(arg, p, n) : 0;
        if (r < 0)
            e = ERR_HUP;
        if (r <= 0)
            break;
        b.len += (size_t)r;
    }
    if (!e && b.len > max) {
        rq->body_too_big = true;
    } else if (!e && b.len > 0) {
        rq->body = arena_memdup0(&rq->arena, b.data, b.len);
        rq->body_len = b.len;
    }
    buf_release(&b);
    return e;
}

/* The first bytes of a body decide nothing: it is in a file as a whole. With
 * `length` known exactly so many are read, else up to max. */
static enum err
spool_bytes(int fd, size_t max, bool known, request_read_fn *fn, void *arg,
            size_t *len)
{
    char *p = xmalloc(STEP);
    enum err e = OK;

    *len = 0;
    while (e == OK && *len <= max) {
        size_t left = max + !known - *len;
        ssize_t r = left > 0 ? fn(arg, p, left < STEP ? left : STEP) : 0;

        if (r == 0 && known && *len < max)
            r = -1;
        if (r <= 0) {
            e = r < 0 ? ERR_HUP : OK;
            break;
        }
        *len += (size_t)r;
        e = spool_write(fd, p, (size_t)r);
    }
    free(p);
    return e;
}

static enum err
spool(struct request *rq, const char *dir, size_t max, bool known, bool to_end,
      request_read_fn *fn, void *arg, struct problem *why)
{
    enum err e = spool_open(&rq->body_fd, dir);
    ssize_t more;
    char extra;

    if (e == OK)
        e = spool_bytes(rq->body_fd, max, known, fn, arg, &rq->body_len);
    more = e == OK && known && to_end ? fn(arg, &extra, 1) : 0;
    if (more < 0)
        e = ERR_HUP;
    else if (more > 0)
        e = problem_set(why, ERR_BADREQ, "invalid_length",
                        "Invalid Content-Length",
                        "The body is longer than it says");
    else if (e != OK && e != ERR_HUP)
        (void)problem_set(why, e, NULL, NULL, NULL);
    rq->body_too_big = e == OK && rq->body_len > max;
    if (e == OK && rq->body_len > 0 && !rq->body_too_big)
        return OK;
    rq->body_len = 0;
    if (rq->body_fd >= 0)
        (void)close(rq->body_fd);
    rq->body_fd = -1;
    return e;
}

static bool
is_stranger(const struct request *rq, const struct body_limits *l)
{
    return l->stranger != NULL && l->stranger(rq);
}

bool
request_body_spools(const struct request *rq, const struct body_limits *l)
{
    return l->spools != NULL && l->spools(rq) && !is_stranger(rq, l);
}

size_t
request_body_max(const struct request *rq, const struct body_limits *l)
{
    if (is_stranger(rq, l) && l->stranger_max < l->max)
        return l->stranger_max;
    return request_body_spools(rq, l) ? l->spool_max : l->max;
}

enum err
request_read_body(struct request *rq, const struct body_limits *limits,
                  bool to_end, request_read_fn *fn, void *arg,
                  struct problem *why)
{
    const char *s = request_var(rq, "CONTENT_LENGTH");
    size_t digits = s ? strspn(s, "0123456789") : 0;
    size_t max = request_body_max(rq, limits);
    bool spools = request_body_spools(rq, limits);
    int64_t n;

    if (!s || !*s) {
        if (!to_end && !request_var(rq, "HTTP_TRANSFER_ENCODING"))
            return OK;
        return spools ? spool(rq, limits->spool_dir, max, false, to_end, fn,
                              arg, why)
                      : read_to_end(rq, max, fn, arg);
    }
    if (s[digits] || digits == 0)
        return problem_set(why, ERR_BADREQ, "invalid_length",
                           "Invalid Content-Length",
                           "Content-Length must be a number of bytes");
    if (text_i64(s, digits, 0, INT64_MAX, &n) || (uint64_t)n > max) {
        rq->body_too_big = true; /* also past 64 bits */
        return OK;
    }
    if (spools && n >= REQUEST_SPOOL_FROM)
        return spool(rq, limits->spool_dir, (size_t)n, true, to_end, fn, arg,
                     why);
    return read_known(rq, (size_t)n, fn, arg, to_end, why);
}
