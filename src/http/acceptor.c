/*
 * Taking a connection. Reading it blocks, so a silent peer must not keep an
 * acceptor for good: that is the time limit's one purpose. Writing is never
 * blocking (conn.c) and has none.
 */
#include "base/base.h"

#include "http/acceptor.h"

#include <sys/socket.h>
#include <sys/time.h>

enum err
acceptor_take(int listen_fd, int *fd)
{
    struct timeval limit = {.tv_sec = ACCEPTOR_READ_MS / 1000};

    *fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (*fd < 0)
        return errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                       errno == ENOMEM
                   ? ERR_BUSY
                   : ERR_AGAIN;
    (void)setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return OK;
}
