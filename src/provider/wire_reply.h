/*
 * How replies of several providers begin: the first byte that is not white
 * space tells in which form they come. Pure.
 */
#ifndef PROVIDER_WIRE_REPLY_H
#define PROVIDER_WIRE_REPLY_H

#include "base/buf.h"
#include "upstream/sse_parse.h"

/* Skip white space: *p and *n move behind it. Returns the first other byte,
 * which is not skipped; -1: there is none. */
int wire_first(const char **p, size_t *n);

/* A reply of status 200 that is one of three things: an event stream, one JSON
 * object (it was asked for in one piece, a gateway does not stream, or it is
 * an error with the wrong status), or something else altogether. */
struct wire_reply {
    enum {
        WIRE_START, /* only white space so far */
        WIRE_EVENTS,
        WIRE_JSON,
        WIRE_ENDED /* set by the owner: the rest is ignored */
    } mode;
    struct sse_parser sse;
    struct buf json; /* WIRE_JSON: the body so far */
};

void wire_reply_init(struct wire_reply *r);
void wire_reply_release(struct wire_reply *r);
/* Body bytes in any split; fn gets events, and ERR_HUP of it stops the reading
 * of these bytes without being an error. OK, what else fn returned, or
 * ERR_UPSTREAM with hint: this is neither form, or past a limit. */
MUST_USE enum err wire_reply_feed(struct wire_reply *r, const char *p, size_t n,
                                  sse_parse_fn *fn, void *arg, const char *hint,
                                  struct problem *why);

#endif
