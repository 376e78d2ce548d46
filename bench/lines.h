/* A stream of bytes as lines. A line that is whole in one read is handed on in
 * place; only one that is split between reads is copied. */
#ifndef BENCH_LINES_H
#define BENCH_LINES_H

#include "bench.h"

#define LINE_LEN_MAX (8 * 1024 * 1024) /* bytes */

/* Zeroed it is empty. */
struct lines {
    char *part; /* owned; the beginning of a line, else NULL */
    size_t len;
};

/* A line without its line feed, borrowed for the call. */
typedef void line_fn(void *arg, const char *line, size_t len);

static inline void
lines_release(struct lines *l)
{
    free(l->part);
    l->part = NULL;
    l->len = 0;
}

static inline void
lines_keep(struct lines *l, const char *bytes, size_t n)
{
    if (l->len + n > LINE_LEN_MAX)
        bench_die("a line of more than %d bytes", LINE_LEN_MAX);
    l->part = bench_alloc(l->part, l->len + n);
    memcpy(l->part + l->len, bytes, n);
    l->len += n;
}

/* Take n bytes and give fn the lines that they end. */
static inline void
lines_feed(struct lines *l, const char *bytes, size_t n, line_fn *fn, void *arg)
{
    const char *end;
    size_t len;

    while (n > 0) {
        end = memchr(bytes, '\n', n);
        len = end != NULL ? (size_t)(end - bytes) : n;
        if (end == NULL || l->len > 0)
            lines_keep(l, bytes, len);
        if (end == NULL)
            return;
        if (l->len > 0)
            fn(arg, l->part, l->len);
        else
            fn(arg, bytes, len);
        lines_release(l);
        bytes = end + 1;
        n -= len + 1;
    }
}

#endif
