/*
 * Newline-delimited JSON, the reading side, as far as lines go: pushed,
 * resumable at any byte, bounded. LF ends a line, a CR before it is cut off,
 * lines of nothing but white space are skipped. A line that lies whole in the
 * bytes given is passed on without copying. What is in a line is the caller's
 * to read. Pure.
 */
#ifndef UPSTREAM_NDJSON_H
#define UPSTREAM_NDJSON_H

#include "base/buf.h"

#define NDJSON_LINE_MAX (16 * 1024 * 1024) /* bytes, without its end */

/* Valid during the call. Non-zero stops: nothing may be fed after that. */
typedef enum err ndjson_fn(void *arg, const char *line, size_t n);
struct ndjson {
    struct buf line; /* an unfinished line */
};
void ndjson_init(struct ndjson *p);
void ndjson_release(struct ndjson *p);
/* OK, ERR_TOOBIG (a line past the limit), or what fn returned. */
MUST_USE enum err ndjson_feed(struct ndjson *p, const char *s, size_t n,
                              ndjson_fn *fn, void *arg);
/* The bytes ended: what is left is a line, too. It is kept, so that the caller
 * may look at it. */
MUST_USE enum err ndjson_end(struct ndjson *p, ndjson_fn *fn, void *arg);

#endif
