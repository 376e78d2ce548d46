/*
 * What the tests of http/ share: a request made of variables, a conn on a
 * socket pair, and reading back what the web server would see.
 */
#ifndef HTTP_TEST_H
#define HTTP_TEST_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "http/request.h"

#define FAR_MAX (128 * 1024 * 1024) /* bytes a test reads back */

/* Variables, then NULL. The request must be well-formed. */
static inline struct request *
make_request(const char *const *vars)
{
    struct request *rq;
    struct problem why;

    assert_int_equal(request_new(&rq, vars, "", &why), OK);
    return rq;
}

/* Give rq a conn; returns the web server's end. */
static inline int
make_conn(struct request *rq, enum conn_kind kind, uint16_t id)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                     0);
    rq->conn = conn_new(kind, fds[0], id);
    return fds[1];
}

/* Everything until the other end closes. */
static inline void
read_all(int fd, struct buf *out)
{
    ssize_t n;

    buf_init(out, FAR_MAX);
    for (;;) {
        char *p = buf_room(out, 65536);
        assert_non_null(p);
        n = read(fd, p, 65536);
        assert_true(n >= 0);
        if (n == 0)
            return;
        out->len += (size_t)n;
    }
}

/* Answer done: free rq (which closes its conn), read what was sent. */
static inline const char *
sent_text(struct request *rq, int fd, struct buf *out)
{
    request_free(rq);
    read_all(fd, out);
    (void)close(fd);
    return buf_cstr(out);
}

#define assert_has(text, part) assert_non_null(strstr(text, part))
#define assert_lacks(text, part) assert_null(strstr(text, part))

#endif
