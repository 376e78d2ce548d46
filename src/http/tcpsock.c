/*
 * Listening on the loopback. The address is parsed by hand, not resolved: a
 * name could stand for an address that others reach.
 */
#include "base/base.h"

#include "http/tcpsock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

#define BACKLOG 4096 /* connections; the kernel lowers it to somaxconn */

union addr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Fill a from host and port; false if host is not of the loopback. */
static bool
loopback(union addr *a, socklen_t *len, const char *host, int64_t port)
{
    memset(a, 0, sizeof(*a));
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (strcmp(host, "[::1]") == 0) {
        a->v6.sin6_family = AF_INET6;
        a->v6.sin6_addr = in6addr_loopback;
        a->v6.sin6_port = htons((uint16_t)port);
        *len = sizeof(a->v6);
        return true;
    }
    a->v4.sin_family = AF_INET;
    a->v4.sin_port = htons((uint16_t)port);
    *len = sizeof(a->v4);
    return inet_pton(AF_INET, host, &a->v4.sin_addr) == 1 &&
           ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
}

static enum err
parse(union addr *a, socklen_t *len, const char *at)
{
    const char *colon = strrchr(at, ':');
    char host[TCPSOCK_ADDR_MAX];
    int64_t port;
    size_t n = colon != NULL ? (size_t)(colon - at) : 0;

    if (n == 0 || n >= sizeof(host) ||
        text_i64(colon + 1, strlen(colon + 1), 0, UINT16_MAX, &port) != OK)
        return ERR_BADREQ;
    memcpy(host, at, n);
    host[n] = '\0';
    return loopback(a, len, host, port) ? OK : ERR_BADREQ;
}

enum err
tcpsock_listen(const char *at, int *fd, int *port)
{
    union addr a;
    socklen_t len;
    int one = 1, s;

    if (parse(&a, &len, at) != OK) {
        log_error("socket.address",
                  "at=\"%s\" rule=\"an address of this machine alone, such as "
                  "127.0.0.1:9001\"",
                  at);
        return ERR_BADREQ;
    }
    s = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0)
        goto failed;
    (void)setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(s, &a.any, len) != 0 || listen(s, BACKLOG) != 0 ||
        getsockname(s, &a.any, &len) != 0)
        goto failed;
    *port = ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
    *fd = s;
    return OK;
failed:
    log_error("socket.listen", "at=\"%s\" errno=%d", at, errno);
    if (s >= 0)
        (void)close(s);
    return ERR_INTERNAL;
}

void
tcpsock_peer(int fd, char out[TCPSOCK_ADDR_MAX])
{
    union addr a;
    socklen_t len = sizeof(a);
    const char *text = NULL;

    memset(&a, 0, sizeof(a));
    out[0] = '\0';
    if (getpeername(fd, &a.any, &len) != 0)
        return;
    if (a.any.sa_family == AF_INET)
        text = inet_ntop(AF_INET, &a.v4.sin_addr, out, TCPSOCK_ADDR_MAX);
    else if (a.any.sa_family == AF_INET6)
        text = inet_ntop(AF_INET6, &a.v6.sin6_addr, out, TCPSOCK_ADDR_MAX);
    if (text == NULL)
        out[0] = '\0';
}
