/*
 * Newline-delimited JSON, cut into lines. JSON holds no raw line end, so a
 * line is all that has to be found, and only LF ends one: a CR inside a line
 * is white space to JSON.
 *
 * The limit holds for a line however it comes, so that it cannot depend on
 * where the bytes are split.
 */
#include "base/base.h"

#include "upstream/ndjson.h"

#define NDJSON_KEEP 512 /* bytes of buffer kept between lines */

void
ndjson_init(struct ndjson *p)
{
    buf_init(&p->line, NDJSON_LINE_MAX + 1); /* and its CR */
}

void
ndjson_release(struct ndjson *p)
{
    buf_release(&p->line);
}

static bool
is_blank(const char *s, size_t n)
{
    while (n > 0 && (*s == ' ' || *s == '\t' || *s == '\r')) {
        s++;
        n--;
    }
    return n == 0;
}

/* One line without its LF. */
static enum err
take_line(const char *s, size_t n, ndjson_fn *fn, void *arg)
{
    if (n > 0 && s[n - 1] == '\r')
        n--;
    if (n > NDJSON_LINE_MAX)
        return ERR_TOOBIG;
    return is_blank(s, n) ? OK : fn(arg, s, n);
}

enum err
ndjson_feed(struct ndjson *p, const char *s, size_t n, ndjson_fn *fn, void *arg)
{
    const char *lf;
    enum err e = OK;

    while (n > 0 && (lf = memchr(s, '\n', n)) != NULL) {
        size_t len = (size_t)(lf - s);

        if (p->line.len == 0) {
            e = take_line(s, len, fn, arg);
        } else {
            buf_add(&p->line, s, len);
            if (buf_status(&p->line) != OK)
                return ERR_TOOBIG;
            e = take_line(p->line.data, p->line.len, fn, arg);
            buf_clear(&p->line);
            buf_trim(&p->line, NDJSON_KEEP);
        }
        if (e != OK)
            return e;
        s = lf + 1;
        n -= len + 1;
    }
    buf_add(&p->line, s, n);
    return buf_status(&p->line);
}

enum err
ndjson_end(struct ndjson *p, ndjson_fn *fn, void *arg)
{
    if (p->line.len == 0)
        return OK;
    return take_line(p->line.data, p->line.len, fn, arg);
}
