/*
 * Fuzzes upstream/sse_parse.c. The first byte says in which pieces the rest is
 * fed; the events must be the same as when it is fed whole, and the same as
 * those of a reader that is too simple to be wrong: it has all the bytes and
 * cuts them into lines.
 */
#include "base/base.h"

#include "base/mem.h"
#include "upstream/sse_parse.h"

#define OUT_MAX (64 * 1024 * 1024) /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum err
note_event(void *arg, const char *name, const char *data, size_t n)
{
    struct buf *out = arg;

    buf_adds(out, name);
    buf_addc(out, '(');
    buf_add(out, data, n);
    buf_addc(out, ')');
    return OK;
}

static void
parse(const char *s, size_t n, size_t piece, struct buf *out)
{
    struct sse_parser p;
    size_t at, k;

    sse_parse_init(&p);
    for (at = 0; at < n; at += k) {
        char *copy;

        k = n - at < piece ? n - at : piece;
        copy = xmalloc(k);
        memcpy(copy, s + at, k);
        if (sse_parse(&p, copy, k, note_event, out) != OK)
            abort();
        free(copy);
    }
    sse_parse_release(&p);
}

/* The event so far, of the simple reader. */
struct simple {
    struct buf data;
    char name[64];
    bool has_data;
};

static void
simple_line(struct simple *e, const char *s, size_t n, struct buf *out)
{
    const char *colon = n > 0 ? memchr(s, ':', n) : NULL;
    size_t name = colon != NULL ? (size_t)(colon - s) : n;
    const char *v = colon != NULL ? colon + 1 : s + n;
    size_t v_len = (size_t)(s + n - v);

    if (n == 0) {
        if (e->has_data)
            (void)note_event(out, e->name, buf_cstr(&e->data), e->data.len);
        buf_clear(&e->data);
        e->has_data = false;
        e->name[0] = '\0';
        return;
    }
    if (v_len > 0 && *v == ' ') {
        v++;
        v_len--;
    }
    if (name == 4 && memcmp(s, "data", 4) == 0) {
        if (e->has_data)
            buf_addc(&e->data, '\n');
        e->has_data = true;
        buf_add(&e->data, v, v_len);
    } else if (name == 5 && memcmp(s, "event", 5) == 0) {
        if (v_len > 63)
            v_len = 63;
        memcpy(e->name, v, v_len);
        e->name[v_len] = '\0';
    }
}

static void
read_simply(const char *s, size_t n, struct buf *out)
{
    struct simple e = {.has_data = false};
    size_t from = 0, i;
    bool first = true;

    buf_init(&e.data, OUT_MAX);
    for (i = 0; i < n; i++) {
        if (s[i] != '\n' && s[i] != '\r')
            continue;
        if (first && i - from >= 3 && memcmp(s + from, "\xef\xbb\xbf", 3) == 0)
            from += 3;
        first = false;
        simple_line(&e, s + from, i - from, out);
        if (s[i] == '\r' && i + 1 < n && s[i + 1] == '\n')
            i++;
        from = i + 1;
    }
    buf_release(&e.data);
}

static void
same(const struct buf *a, const struct buf *b)
{
    if (a->len != b->len || (a->len > 0 && memcmp(a->data, b->data, a->len)))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf whole, pieces, simple;
    const char *s;

    if (n < 2)
        return 0;
    s = (const char *)data + 1;
    n--;
    buf_init(&whole, OUT_MAX);
    buf_init(&pieces, OUT_MAX);
    buf_init(&simple, OUT_MAX);
    parse(s, n, n, &whole);
    parse(s, n, (size_t)data[0] % 32 + 1, &pieces);
    read_simply(s, n, &simple);
    same(&whole, &pieces);
    same(&whole, &simple);
    buf_release(&whole);
    buf_release(&pieces);
    buf_release(&simple);
    return 0;
}
