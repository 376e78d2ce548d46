/*
 * What the tests of the doors share: a folder for sockets, and a handler that
 * answers with what it was given.
 */
#ifndef DOOR_TEST_H
#define DOOR_TEST_H

#include "http_test.h"

#include <sys/mman.h>
#include <sys/un.h>

#include "base/log.h"
#include "http/door.h"
#include "http/reply.h"
#include "http/unixsock.h"

#define ECHO_BODY_MAX (16 * 1024 * 1024) /* bytes */

static char test_dir[64];

static inline const char *
in_dir(char out[100], const char *name)
{
    (void)snprintf(out, 100, "%s/%s", test_dir, name);
    return out;
}

static inline void
make_dir(void)
{
    (void)snprintf(test_dir, sizeof(test_dir), "/tmp/parley-http-XXXXXX");
    assert_non_null(mkdtemp(test_dir));
}

static inline void
remove_dir(void)
{
    static const char *const names[] = {"s",  "s.lock", "t",  "t.lock",
                                        "it", "log",    "out"};
    char path[100];

    for (size_t i = 0; i < COUNT_OF(names); i++)
        (void)unlink(in_dir(path, names[i]));
    assert_int_equal(rmdir(test_dir), 0);
}

/* "METHOD path bytes sum", or the problem; 413 for a body too big. */
static inline void
echo(void *arg, struct request *rq, const struct problem *why)
{
    struct problem p = *why;
    struct reply rp;
    unsigned sum = 0;
    enum err e;

    (void)arg;
    if (!p.err && rq->body_too_big)
        (void)problem_set(&p, ERR_TOOBIG, NULL, NULL, NULL);
    if (p.err) {
        e = reply_problem(rq, &p, NULL);
    } else {
        const char *body = rq->body;

        if (rq->body_fd >= 0)
            body = mmap(NULL, rq->body_len, PROT_READ, MAP_PRIVATE, rq->body_fd,
                        0);
        assert(body != MAP_FAILED);
        for (size_t i = 0; i < rq->body_len; i++)
            sum = sum * 31 + (unsigned char)body[i];
        if (rq->body_fd >= 0)
            (void)munmap((void *)(uintptr_t)body, rq->body_len);
        reply_begin(&rp, rq, 200, 5000);
        buf_addf(reply_body(&rp, "text/plain"), "%s %s %zu %u\n",
                 method_name(rq->method), rq->path, rq->body_len, sum);
        e = reply_end(&rp);
    }
    assert(e == OK || e == ERR_HUP);
    request_free(rq);
}

static inline unsigned
sum_of(const char *p, size_t n)
{
    unsigned sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + (unsigned char)p[i];
    return sum;
}

#endif
