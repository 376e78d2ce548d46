/*
 * The growing byte buffer.
 *
 * Capacity doubles from 64 bytes up to the ceiling, so adding n bytes costs
 * O(n) in all. The error is sticky and the writer asks once: code that
 * formats a reply stays a straight line. Once something did not fit, nothing
 * more is added: half a document with a hole in it would be worse than the
 * beginning of one.
 */
#include "base/base.h"

#include "base/buf.h"

#include <stdarg.h>

#include "base/mem.h"

#define BUF_FIRST 64 /* bytes; the smallest allocation */
#define I64_CHARS 20 /* "-9223372036854775808" */

void
buf_init(struct buf *b, size_t max)
{
    b->data = NULL;
    b->len = 0;
    b->cap = 0;
    b->max = max;
    b->over = false;
}

void
buf_init_secret(struct buf *b, size_t max)
{
    buf_init(b, max);
    IGNORE(buf_room(b, max) == NULL);
}

void
buf_release(struct buf *b)
{
    free(b->data);
    buf_init(b, b->max);
}

void
buf_wipe(struct buf *b)
{
    mem_wipe(b->data, b->cap);
    buf_release(b);
}

void
buf_clear(struct buf *b)
{
    b->len = 0;
    b->over = false;
}

void
buf_trim(struct buf *b, size_t keep_cap)
{
    if (b->len > 0 || b->cap <= keep_cap)
        return;
    free(b->data);
    b->data = NULL;
    b->cap = 0;
}

/* At least want bytes of capacity. The byte for buf_cstr's NUL may lie past
 * the ceiling; it is never counted. */
static void
grow(struct buf *b, size_t want)
{
    size_t cap = b->cap ? b->cap : BUF_FIRST;

    while (cap < want)
        cap = cap > SIZE_MAX / 2 ? want : cap * 2;
    if (cap > b->max && want <= b->max)
        cap = b->max ? b->max : 1;
    b->data = xrealloc(b->data, cap);
    b->cap = cap;
}

char *
buf_room(struct buf *b, size_t n)
{
    if (b->over || b->len > b->max || n > b->max - b->len) {
        b->over = true;
        return NULL;
    }
    if (b->cap - b->len < n || !b->data)
        grow(b, b->len + n);
    return b->data + b->len;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
    char *at;

    if (n == 0)
        return;
    at = buf_room(b, n);
    if (!at)
        return;
    memcpy(at, p, n);
    b->len += n;
}

void
buf_adds(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void
buf_addc(struct buf *b, char c)
{
    if (!b->over && b->len < b->cap && b->len < b->max)
        b->data[b->len++] = c;
    else
        buf_add(b, &c, 1);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
    char small[256];
    va_list ap;
    char *at;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->over = true;
        return;
    }
    if ((size_t)n < sizeof(small)) {
        buf_add(b, small, (size_t)n);
        return;
    }
    at = buf_room(b, (size_t)n);
    if (!at)
        return;
    /* vsnprintf writes a NUL of its own behind the text. */
    if (b->cap - b->len < (size_t)n + 1) {
        grow(b, b->len + (size_t)n + 1);
        at = b->data + b->len;
    }
    va_start(ap, fmt);
    (void)vsnprintf(at, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

void
buf_add_i64(struct buf *b, int64_t v)
{
    char text[I64_CHARS];
    char *at = text + sizeof(text);
    uint64_t u = v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v;

    do {
        *--at = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        *--at = '-';
    buf_add(b, at, (size_t)(text + sizeof(text) - at));
}

void
buf_drop(struct buf *b, size_t n)
{
    assert(n <= b->len);
    b->len -= n;
    if (b->len && n)
        memmove(b->data, b->data + n, b->len);
}

const char *
buf_cstr(struct buf *b)
{
    if (b->over || b->len == 0)
        return "";
    if (b->cap == b->len)
        grow(b, b->len + 1);
    b->data[b->len] = '\0';
    return b->data;
}

enum err
buf_status(const struct buf *b)
{
    return b->over ? ERR_TOOBIG : OK;
}
