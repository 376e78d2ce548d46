/*
 * FastCGI, as far as libfcgi is good for it: reading. It decodes the records
 * of the request (begin, parameters, body, and management records in between);
 * the answer's records are written by conn.c.
 *
 * Three things about libfcgi 2.4.2 shape this file.
 * - Its accept sets no close-on-exec flag, polls up to two seconds for the
 *   first byte, and retries by itself. So we accept, and give it a request
 *   that looks like a kept connection: ipcFd set, keepConnection set, which
 *   FCGX_Accept_r takes as "a connection is open, read from it". listen_sock
 *   is -1, so when the peer talks nonsense it closes the connection, fails to
 *   accept another and returns.
 * - Closing lingers up to two seconds for TCP's sake unless `detached` is set.
 * - A request costs 17 KB of streams until it is freed, and FCGX_Free with
 *   close 0 frees all of it and leaves the descriptor open. So it is freed as
 *   soon as the body is read; a request that then streams for minutes holds a
 *   descriptor and a request number, nothing of libfcgi's.
 *
 * FCGI_KEEP_CONN is not honoured: the application may close, and no web server
 * in use needs it on a local socket.
 */
#include "base/base.h"

#include "http/fcgi.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/log.h"
#include "http/acceptor.h"

#define DRAIN_MAX (64 * 1024 * 1024) /* bytes of a body that is not taken */
#define DRAIN_PAUSE_MS 50            /* of silence end the draining */

static ssize_t
read_stdin(void *arg, char *p, size_t n)
{
    FCGX_Stream *in = arg;
    int r = FCGX_GetStr(p, n > INT_MAX ? INT_MAX : (int)n, in);

    if (r <= 0 && FCGX_GetError(in) != 0)
        return -1;
    return r;
}

/* Throw a body away that is not taken, as long as it comes fast: the web server
 * has it already, and one that is still writing when we close may report a
 * dead application instead of passing our answer on. */
static void
drain(FCGX_Stream *in, int fd, size_t max)
{
    struct pollfd p = {fd, POLLIN, 0};
    char bytes[8192];
    size_t left = max > DRAIN_MAX ? max : DRAIN_MAX;
    int n;

    while (left >= sizeof(bytes) && poll(&p, 1, DRAIN_PAUSE_MS) == 1) {
        n = FCGX_GetStr(bytes, sizeof(bytes), in);
        if (n <= 0)
            return;
        left -= (size_t)n;
    }
}

/* Read one request from fd, which stays open only if *out is set. */
static enum err
read_request(int fd, const struct door_config *c, struct request **out,
             struct problem *why)
{
    const char *const *vars;
    FCGX_Request fx;
    enum err e;

    *out = NULL;
    if (FCGX_InitRequest(&fx, -1, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
        (void)close(fd);
        return ERR_INTERNAL;
    }
    fx.ipcFd = fd;
    fx.keepConnection = 1;
    fx.detached = 1;
    if (FCGX_Accept_r(&fx) != 0) {
        log_warn("fcgi.refused", "reason=protocol"); /* it closed fd */
        return ERR_HUP;
    }
    if (FCGX_GetError(fx.in) != 0) { /* it takes cut-off parameters as whole */
        FCGX_Free(&fx, 1);
        return ERR_HUP;
    }
    vars = (const char *const *)fx.envp;
    e = request_new(out, vars, c->base_path, why);
    if (!e)
        e = request_read_body(*out, &c->body, true, read_stdin, fx.in, why);
    if (e == ERR_FULL || e == ERR_STORE || (!e && (*out)->body_too_big))
        drain(fx.in, fd, request_body_max(*out, &c->body));
    if (e == ERR_HUP) {
        request_free(*out);
        *out = NULL;
        FCGX_Free(&fx, 1);
        return ERR_HUP;
    }
    (*out)->conn = conn_new(CONN_FCGI, fd, (uint16_t)fx.requestId);
    FCGX_Free(&fx, 0);
    return OK;
}

enum err
fcgi_init(void)
{
    if (FCGX_Init() != 0) {
        log_error("fcgi.init", "errno=%d", errno);
        return ERR_INTERNAL;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* after it: it installs its own */
    return OK;
}

enum err
fcgi_accept(int listen_fd, const struct door_config *c, struct request **out,
            struct problem *why)
{
    int fd;
    enum err e = acceptor_take(listen_fd, &fd);

    return e ? e : read_request(fd, c, out, why);
}
