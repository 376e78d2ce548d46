/*
 * Server-sent events, the reading side (WHATWG HTML, 9.2.6): pushed,
 * resumable at any byte, bounded. LF, CR and CRLF end lines; several data
 * lines are joined with LF; comments and unknown fields are ignored; an event
 * unfinished at the end is dropped. A data line that lies whole in the bytes
 * given is passed on without copying. Pure.
 */
#ifndef UPSTREAM_SSE_PARSE_H
#define UPSTREAM_SSE_PARSE_H

#include "base/buf.h"

#define SSE_PARSE_EVENT_MAX (16 * 1024 * 1024) /* bytes of data of an event */

/* name is "" if the event has none. Valid during the call. Non-zero stops. */
typedef enum err sse_parse_fn(void *arg, const char *name, const char *data,
                              size_t n);
struct sse_parser {
    struct buf line; /* an unfinished line */
    struct buf data; /* of the event so far */
    char name[64];   /* longer names are cut */
    char id[64];     /* the last one up to the event; longer are ignored */
    bool has_data;
    bool skip_lf; /* the last byte was CR */
    bool begun;   /* the first bytes (BOM) are behind us */
};
void sse_parse_init(struct sse_parser *p);
void sse_parse_release(struct sse_parser *p);
/* OK, ERR_TOOBIG (an event past the limit), or what fn returned. */
MUST_USE enum err sse_parse(struct sse_parser *p, const char *s, size_t n,
                            sse_parse_fn *fn, void *arg);
#endif
