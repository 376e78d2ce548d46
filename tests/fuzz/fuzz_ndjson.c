/*
 * Fuzzes upstream/ndjson.c. The first byte says in which pieces the rest is
 * fed; the lines must be the same as when it is fed whole, and the same as
 * those of a reader that is too simple to be wrong.
 */
#include "base/base.h"

#include "base/mem.h"
#include "upstream/ndjson.h"

#define OUT_MAX (64 * 1024 * 1024) /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum err
note_line(void *arg, const char *line, size_t n)
{
    struct buf *out = arg;

    buf_addc(out, '(');
    buf_add(out, line, n);
    buf_addc(out, ')');
    return OK;
}

static void
parse(const char *s, size_t n, size_t piece, struct buf *out)
{
    struct ndjson p;
    size_t at, k;

    ndjson_init(&p);
    for (at = 0; at < n; at += k) {
        char *copy;

        k = n - at < piece ? n - at : piece;
        copy = xmalloc(k);
        memcpy(copy, s + at, k);
        if (ndjson_feed(&p, copy, k, note_line, out) != OK)
            abort();
        free(copy);
    }
    if (ndjson_end(&p, note_line, out) != OK)
        abort();
    ndjson_release(&p);
}

static void
read_simply(const char *s, size_t n, struct buf *out)
{
    size_t from = 0, i, k;

    for (i = 0; i <= n; i++) {
        size_t to = i;

        if (i < n && s[i] != '\n')
            continue;
        if (to > from && s[to - 1] == '\r')
            to--;
        for (k = from; k < to; k++) {
            if (s[k] != ' ' && s[k] != '\t' && s[k] != '\r')
                break;
        }
        if (k < to)
            (void)note_line(out, s + from, to - from);
        from = i + 1;
    }
}

static void
same(const struct buf *a, const struct buf *b)
{
    if (a->len != b->len ||
        (a->len > 0 && memcmp(a->data, b->data, a->len) != 0))
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
