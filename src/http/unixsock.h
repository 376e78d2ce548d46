/*
 * A unix listening socket that exactly one process owns. The owner holds a
 * lock on "<path>.lock"; the kernel gives it back when the process ends in
 * whatever way, so a socket file left by a dead process is never in the way.
 */
#ifndef HTTP_UNIXSOCK_H
#define HTTP_UNIXSOCK_H

#include "base/base.h"

#include <sys/un.h>

/* Fill an address. ERR_TOOBIG with a log line if path does not fit (107
 * bytes). */
MUST_USE enum err unixsock_addr(struct sockaddr_un *a, const char *path);
/* Lock, replace what is at path, listen: non-blocking, close-on-exec, with
 * that file mode. *lock_fd is then open; closing it gives the lock up.
 * ERR_CONFLICT: another process owns it. ERR_TOOBIG, ERR_INTERNAL: logged. */
MUST_USE enum err unixsock_listen(const char *path, mode_t mode, int *fd,
                                  int *lock_fd);
/* Connect, blocking. Returns the fd; -1: nobody listens (errno). */
int unixsock_connect(const char *path);

#endif
