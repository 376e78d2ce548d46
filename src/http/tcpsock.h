/*
 * A listening TCP socket of this machine alone: what speaks to it is trusted no
 * more than any local user, but no other machine can.
 */
#ifndef HTTP_TCPSOCK_H
#define HTTP_TCPSOCK_H

#include "base/base.h"

#define TCPSOCK_ADDR_MAX 46 /* bytes of an address's text with its NUL */

/* Listen at "127.0.0.1:9001", "localhost:9001" or "[::1]:9001" (port 0: any
 * free one), non-blocking, close-on-exec. *port: the one it is. ERR_BADREQ: it
 * is no such address, or not of the loopback; ERR_INTERNAL: taken, say. Both
 * are logged. */
MUST_USE enum err tcpsock_listen(const char *at, int *fd, int *port);
/* Whom fd is connected with: "127.0.0.1"; "" for a unix socket. */
void tcpsock_peer(int fd, char out[TCPSOCK_ADDR_MAX]);

#endif
