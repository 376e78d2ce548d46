/*
 * Server-sent events (WHATWG HTML, 9.2): what stands between them, and their
 * ids. The events themselves are dialect/sse.h's. Pure.
 */
#ifndef HTTP_SSE_H
#define HTTP_SSE_H

#include "base/buf.h"

#define SSE_RETRY "retry: 1000\n\n" /* ms; once, at the start */
/* The first bytes, at once; more than the 68 that Apache's filters wait for. */
#define SSE_OK                                                    \
    ": ok: this stream is open until all of it was said; silence" \
    " is filled with pings\n\n"
#define SSE_PING ": ping\n\n" /* every 15 s of silence */

/* "<turn_id>.<seq>" as sent in Last-Event-ID. ERR_BADREQ if it is not. */
MUST_USE enum err sse_parse_id(const char *s, char turn_id[37], uint32_t *seq);
#endif
