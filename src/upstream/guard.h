/*
 * Whom we may call when the address comes from a client: a URL that is https
 * and on a list, and an address that is of the internet at large, so that
 * nobody makes us talk to what only we can reach. A name is checked twice: the
 * URL before anything is done, and each address that it leads to (also of a
 * redirect) right before it is connected to, since names change. Pure; any
 * thread.
 */
#ifndef UPSTREAM_GUARD_H
#define UPSTREAM_GUARD_H

#include <sys/socket.h>

#include "base/base.h"

enum guard_class {
    GUARD_PUBLIC,
    GUARD_UNSPECIFIED, /* 0.0.0.0/8, :: */
    GUARD_LOOPBACK,    /* 127/8, ::1 */
    GUARD_PRIVATE,     /* RFC 1918, fc00::/7, fec0::/10 */
    GUARD_SHARED,      /* 100.64/10: a carrier's own (RFC 6598) */
    GUARD_LINK_LOCAL,  /* 169.254/16, fe80::/10: cloud metadata, too */
    GUARD_MULTICAST,   /* 224/4, ff00::/8 */
    GUARD_RESERVED     /* documentation, benchmarks, not given out; and all
                          that is no IP address */
};

/* What an address is. An IPv4 address inside an IPv6 one (mapped, compatible,
 * NAT64, 6to4, Teredo) is looked at as well. */
enum guard_class guard_class(const struct sockaddr *a, socklen_t n);
const char *guard_class_name(enum guard_class c); /* "link-local" */

/* May this URL be called? hosts: names that are allowed, with commas or spaces
 * between, each perhaps with a port ("auth.example.com:8443") or for all below
 * a domain ("*.example.com"); without a port 443 is meant. An address that is
 * not public may be called only if the list has it as it is: of the loopback,
 * private or shared ("10.0.0.5", "[::1]:8443"); the name "localhost" stands for
 * the loopback. hosts NULL: any name, at public addresses alone. ERR_BADREQ: it
 * is no URL of the form that is wanted; ERR_FORBIDDEN: it is not on the list or
 * its address is not public. why never has the URL. also (may be NULL) is set
 * to what the addresses that the host leads to may be beside public;
 * GUARD_PUBLIC: nothing else. */
MUST_USE enum err guard_url(const char *url, const char *hosts,
                            enum guard_class *also, struct problem *why);

#endif
