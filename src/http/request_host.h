/*
 * By which name was the server asked? A page of somebody's domain whose name
 * was made to point to this machine (DNS rebinding) is, to its browser, of the
 * same origin as the server; the Host header is what gives it away.
 */
#ifndef HTTP_REQUEST_HOST_H
#define HTTP_REQUEST_HOST_H

#include "http/request.h"

struct request_hosts {
    /* Names, with commas or blanks between: "a.example", "a.example:8443",
     * "*.example" (what is below it), "*". Borrowed. "": the default. */
    const char *allowed;
    const char *own_url; /* borrowed; an address of ours, its host is allowed */
    bool open;           /* nobody has to sign in */
};

/* May the server be asked by this name? Always without one, by an address and
 * as localhost. With a list, by what is in it and nothing else. Without a list
 * any name will do, unless all of this is so: it is open; client and server
 * have addresses of this machine or of a private network (or none that is
 * known); no certificate can have vouched for the name; and it is one that
 * somebody can have a domain of (not "nas", "nas.local").
 * ERR_BADREQ: Host is no host (invalid_host); ERR_FORBIDDEN: another name
 * (unknown_host, status 421). */
MUST_USE enum err request_host_check(const struct request *rq,
                                     const struct request_hosts *h,
                                     struct problem *why);
/* No Host, or an address, or localhost. An empty one is not. */
bool request_host_here(const struct request *rq);
/* Is this a list as above? ERR_BADREQ: why names what is not of its form; that
 * element allows nothing. */
MUST_USE enum err request_hosts_read(const char *allowed, struct problem *why);

#endif
