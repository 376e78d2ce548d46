/*
 * One connection off a listening socket, for the doors that read it blocking.
 */
#ifndef HTTP_ACCEPTOR_H
#define HTTP_ACCEPTOR_H

#include "base/base.h"

#define ACCEPTOR_READ_MS 10000 /* a peer silent for longer loses its turn */

/* Accept: close-on-exec, blocking, reads time out after ACCEPTOR_READ_MS.
 * ERR_AGAIN: nothing waits (or it left again); ERR_BUSY: no descriptor. */
MUST_USE enum err acceptor_take(int listen_fd, int *fd);

#endif
