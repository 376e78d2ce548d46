/*
 * Server-sent events, read. The parser keeps three things between calls: the
 * line that has not ended yet, the data lines of the event so far, and the
 * event's name. Everything else is decided line by line, so that any split of
 * the same bytes gives the same events.
 *
 * The common case, one data line and a blank line inside one buffer, copies
 * nothing: the line is remembered as a slice of the caller's bytes ("held")
 * and handed out when the blank line comes. Only if the call ends first, or a
 * second data line follows, is it copied into the parser.
 *
 * A byte order mark belongs to the first line and is cut off when that line is
 * whole, which needs no state of its own. Line lengths are limited whether or
 * not the line lies in one piece, so that a limit cannot depend on the split.
 *
 * The id is remembered for clients that reconnect (src/client); a provider's
 * stream cannot be resumed. retry is ignored like any unknown field.
 */
#include "base/base.h"

#include "upstream/sse_parse.h"

#define SSE_LINE_MAX (SSE_PARSE_EVENT_MAX + 16) /* bytes; field name and all */
#define SSE_KEEP 512 /* bytes of buffer kept between events */

/* Bytes that are not ours: valid only during one call of sse_parse. */
struct slice {
    const char *p; /* NULL: none */
    size_t n;
};

/* One call of sse_parse. */
struct feed {
    struct sse_parser *p;
    struct slice held; /* the only data line so far, not copied yet */
    sse_parse_fn *fn;
    void *arg;
};

void
sse_parse_init(struct sse_parser *p)
{
    memset(p, 0, sizeof(*p));
    buf_init(&p->line, SSE_LINE_MAX);
    buf_init(&p->data, SSE_PARSE_EVENT_MAX);
}

void
sse_parse_release(struct sse_parser *p)
{
    buf_release(&p->line);
    buf_release(&p->data);
}

/* Copy the held line into the parser: the caller's bytes are about to go. */
static void
keep_held(struct feed *f)
{
    if (f->held.p != NULL) {
        buf_add(&f->p->data, f->held.p, f->held.n);
        f->held.p = NULL;
    }
}

static enum err
add_data(struct feed *f, const char *s, size_t n)
{
    struct sse_parser *p = f->p;

    if (n > SSE_PARSE_EVENT_MAX)
        return ERR_TOOBIG;
    if (!p->has_data) {
        p->has_data = true;
        f->held.p = s;
        f->held.n = n;
        return OK;
    }
    keep_held(f);
    buf_addc(&p->data, '\n');
    buf_add(&p->data, s, n);
    return buf_status(&p->data);
}

static void
set_name(struct sse_parser *p, const char *s, size_t n)
{
    if (n > sizeof(p->name) - 1)
        n = sizeof(p->name) - 1;
    memcpy(p->name, s, n);
    p->name[n] = '\0';
}

static void
set_id(struct sse_parser *p, const char *s, size_t n)
{
    if (n > sizeof(p->id) - 1 || memchr(s, '\0', n) != NULL)
        return;
    memcpy(p->id, s, n);
    p->id[n] = '\0';
}

/* The blank line: hand the event out, if it has data. */
static enum err
dispatch(struct feed *f)
{
    struct sse_parser *p = f->p;
    enum err e = OK;

    if (p->has_data) {
        if (f->held.p != NULL)
            e = f->fn(f->arg, p->name, f->held.p, f->held.n);
        else
            e = f->fn(f->arg, p->name, buf_cstr(&p->data), p->data.len);
    }
    f->held.p = NULL;
    buf_clear(&p->data);
    buf_trim(&p->data, SSE_KEEP);
    p->has_data = false;
    p->name[0] = '\0';
    return e;
}

static bool
field_is(const char *s, size_t n, const char *name)
{
    return n == strlen(name) && memcmp(s, name, n) == 0;
}

/* One line without its end. */
static enum err
take_line(struct feed *f, const char *s, size_t n)
{
    const char *colon, *value;
    size_t name_len, value_len;

    if (n > SSE_LINE_MAX)
        return ERR_TOOBIG;
    if (!f->p->begun) {
        f->p->begun = true;
        if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
            s += 3;
            n -= 3;
        }
    }
    if (n == 0)
        return dispatch(f);
    colon = memchr(s, ':', n);
    name_len = colon != NULL ? (size_t)(colon - s) : n;
    value = s + name_len + (colon != NULL);
    value_len = n - name_len - (colon != NULL);
    if (value_len > 0 && *value == ' ') {
        value++;
        value_len--;
    }
    if (field_is(s, name_len, "data"))
        return add_data(f, value, value_len);
    if (field_is(s, name_len, "event"))
        set_name(f->p, value, value_len);
    else if (field_is(s, name_len, "id"))
        set_id(f->p, value, value_len);
    return OK; /* a comment has an empty name and lands here too */
}

/* A line ended: its beginning may have come in earlier calls. */
static enum err
end_line(struct feed *f, const char *s, size_t n)
{
    struct buf *line = &f->p->line;
    size_t len;

    if (line->len == 0)
        return take_line(f, s, n);
    buf_add(line, s, n);
    if (buf_status(line) != OK)
        return ERR_TOOBIG;
    len = line->len;
    buf_clear(line); /* the bytes stay: held may point at them until the end
                        of this call, and nothing is added before that */
    return take_line(f, line->data, len);
}

/* The call ends inside a line: keep what there is of it. */
static enum err
keep_rest(struct feed *f, const char *s, size_t n)
{
    struct buf *line = &f->p->line;

    keep_held(f);
    if (n > 0)
        buf_add(line, s, n);
    else
        buf_trim(line, SSE_KEEP);
    return buf_status(line);
}

/* The next LF or CR from s on, or end. The places are remembered between
 * calls, so that a buffer with only one kind of them is scanned once. */
static const char *
line_end(const char *s, const char *end, const char **lf, const char **cr)
{
    if (*lf == NULL || *lf < s) {
        *lf = memchr(s, '\n', (size_t)(end - s));
        if (*lf == NULL)
            *lf = end;
    }
    if (*cr == NULL || *cr < s) {
        *cr = memchr(s, '\r', (size_t)(end - s));
        if (*cr == NULL)
            *cr = end;
    }
    return *lf < *cr ? *lf : *cr;
}

enum err
sse_parse(struct sse_parser *p, const char *s, size_t n, sse_parse_fn *fn,
          void *arg)
{
    struct feed f = {.p = p, .fn = fn, .arg = arg};
    const char *end, *stop, *lf = NULL, *cr = NULL;
    enum err e;

    if (n == 0)
        return OK;
    end = s + n;
    if (p->skip_lf && *s == '\n')
        s++;
    p->skip_lf = false;
    while ((stop = s < end ? line_end(s, end, &lf, &cr) : end) < end) {
        e = end_line(&f, s, (size_t)(stop - s));
        if (e != OK)
            return e;
        s = stop + 1;
        if (*stop != '\r')
            continue;
        if (s == end)
            p->skip_lf = true;
        else if (*s == '\n')
            s++;
    }
    return keep_rest(&f, s, (size_t)(end - s));
}
