/*
 * Who is at the other end, seen through the proxies that are ours. A web
 * server that runs the program says REMOTE_ADDR and HTTPS by itself; what a
 * request says (X-Forwarded-For, X-Forwarded-Proto) is believed only if
 * REMOTE_ADDR is one of TRUSTED_PROXIES, since anybody can send such headers.
 */
#ifndef HTTP_REQUEST_PEER_H
#define HTTP_REQUEST_PEER_H

#include "http/request.h"

#define REQUEST_TRUST_MAX 64 /* addresses and networks */

/* Set the proxies that are trusted: addresses and networks ("10.0.0.5",
 * "10.0.0.0/8", "fd00::/8") with commas or blanks between; "" for none.
 * Replaces what was set. ERR_BADREQ: something is not of this form (it and
 * the rest after it are left out), ERR_TOOBIG: more than REQUEST_TRUST_MAX;
 * why names it. Once, before the first request. */
MUST_USE enum err request_trust(const char *proxies, struct problem *why);

/* The address of the client in its usual form, without a port: REMOTE_ADDR, or
 * if that is trusted the last element of X-Forwarded-For that is not. "": it
 * has none (a unix socket). Never NULL; lives as long as rq. */
const char *request_peer(const struct request *rq);
/* Did the client come by TLS? As HTTPS or REQUEST_SCHEME say, or if REMOTE_ADDR
 * is trusted the last element of X-Forwarded-Proto. */
bool request_tls(const struct request *rq);
/* Is the client on this machine, and does nobody between speak for another?
 * Headers of proxies that are not trusted make it false, and so does a Host
 * that is neither an address nor localhost. */
bool request_local(const struct request *rq);
/* Is REMOTE_ADDR one of TRUSTED_PROXIES? */
bool request_peer_trusted(const struct request *rq);
/* Is it one, and a header that it is believed for came under two names that
 * are one to CGI? Then the client may have written one of them. */
bool request_peer_ambiguous(const struct request *rq);

/* Are these n bytes an address, in brackets or not, with a port or not? */
bool request_is_address(const char *s, size_t n);
/* Is addr one of this machine or of a private network, or none at all? */
bool request_is_inside(const char *addr);

/* Find out who it is; request_new does. */
void request_peer_find(struct request *rq);

#endif
