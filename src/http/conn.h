/*
 * One request's way out: a descriptor to the web server and how bytes are
 * wrapped on it. A FastCGI conn wraps them in STDOUT records and ends with
 * END_REQUEST; a CGI conn (a descriptor passed by chat.cgi) writes them bare
 * and ends by closing.
 *
 * Sending never blocks: what the kernel does not take at once is kept in
 * `rest`, and the owner waits for EPOLLOUT and calls conn_flush. A writer that
 * sends only while conn_ready() holds a bounded amount. Records are written by
 * ourselves with one sendmsg (no libfcgi stream: that saves a poll and 8.7 KB
 * a request). Owned by one thread at a time: an acceptor, then the loop.
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <sys/epoll.h>

#include "base/buf.h"

#define CONN_REST_MAX (96 * 1024 * 1024) /* bytes; the longest whole reply */

enum conn_kind { CONN_FCGI, CONN_CGI };

struct conn {
    int fd; /* owned */
    enum conn_kind kind;
    uint16_t request_id; /* FastCGI's; 0 for CGI */
    bool is_socket;      /* sendmsg works; else write on an O_NONBLOCK pipe */
    bool ended;          /* the end is sent or in rest */
    bool gone;           /* the peer left */
    struct buf rest;     /* wrapped bytes not taken yet; empty as a rule */
    size_t rest_at;      /* bytes of rest that are sent already */
};

/* Takes fd. A pipe is made non-blocking (our end of it only); the process
 * ignores SIGPIPE (doors_open sees to it). */
struct conn *conn_new(enum conn_kind kind, int fd, uint16_t request_id);
/* Close and free; what is in rest is lost. Without conn_end before, the web
 * server sees a broken answer, unless its client has left already. NULL is
 * fine. */
void conn_free(struct conn *c);
/* Send n bytes. OK: the kernel has all. ERR_AGAIN: the rest is kept, wait for
 * EPOLLOUT. ERR_HUP: the peer left. ERR_TOOBIG: rest is full. */
MUST_USE enum err conn_send(struct conn *c, const void *p, size_t n);
/* The last n bytes (may be 0) and the end of the request, in one write.
 * Nothing can be sent after it; conn_free closes. Results as conn_send. */
MUST_USE enum err conn_end(struct conn *c, const void *p, size_t n);
/* Send some of the rest: one write, so that a long reply does not hold the
 * loop. Results as conn_send. */
MUST_USE enum err conn_flush(struct conn *c);
/* The event that tells that the client left. Behind Apache's mod_cgid the
 * descriptor is a socket that is half closed from the start: that is no sign
 * of anything there. */
uint32_t conn_left_events(const struct conn *c);
bool conn_ready(const struct conn *c); /* rest is empty, peer there */

#endif
