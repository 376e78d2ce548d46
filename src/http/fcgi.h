/*
 * The FastCGI door: takes one connection and makes a request of it. The only
 * file that calls libfcgi. Acceptor threads.
 */
#ifndef HTTP_FCGI_H
#define HTTP_FCGI_H

#include "http/door.h"

/* Once per process, before any fcgi_accept and after the handlers for
 * SIGTERM and SIGUSR1 are in place. */
MUST_USE enum err fcgi_init(void);
/* Accept from the non-blocking listening socket and read one request with its
 * body (blocking, up to ACCEPTOR_READ_MS a read). OK: *out is set with its
 * conn, and why is as door_fn wants it. ERR_AGAIN: nothing waits. ERR_BUSY:
 * out of descriptors. ERR_HUP: the web server left in the middle; dropped. */
MUST_USE enum err fcgi_accept(int listen_fd, const struct door_config *c,
                              struct request **out, struct problem *why);

#endif
