/*
 * A WebSocket's opening handshake, as bytes: an HTTP/1.1 request head becomes
 * a struct request, so that routes, origins and the base path are those of
 * every other door, and RFC 6455 section 4 is checked on it. Pure; any thread.
 */
#ifndef HTTP_UPGRADE_H
#define HTTP_UPGRADE_H

#include "http/request.h"

#define UPGRADE_HEAD_MAX (16 * 1024) /* bytes of a head */
#define UPGRADE_HEADERS_MAX 100
#define UPGRADE_ACCEPT_LEN 28 /* characters of Sec-WebSocket-Accept */

/* Who sent a head. */
struct upgrade_peer {
    const char *addr;      /* REMOTE_ADDR; "" if it has none */
    bool proxy;            /* a web server of ours: X-Forwarded-For's last
                              element is who it speaks for, X-Forwarded-Prefix
                              is what SCRIPT_NAME is elsewhere */
    const char *base_path; /* as request_new takes it */
};

/* Read a head of n bytes, which ends with an empty line. ERR_BADREQ and
 * ERR_TOOBIG still give a request, if with nothing but an id. */
MUST_USE enum err upgrade_read(const char *head, size_t n,
                               const struct upgrade_peer *peer,
                               struct request **out, struct problem *why);
/* Does it ask for a WebSocket as it should? Else why: 400, 405, or 426. */
MUST_USE enum err upgrade_check(const struct request *rq, struct problem *why);
/* The whole 101 response; rq passed upgrade_check. */
void upgrade_switch(struct buf *out, const struct request *rq);
/* A whole response with the problem as its body, and the headers that belong
 * to its status (Allow, Upgrade, Sec-WebSocket-Version, Retry-After). */
void upgrade_refuse(struct buf *out, const struct request *rq,
                    const struct problem *p);

#endif
