/*
 * Fuzzes client/terminal.c. The first byte says in which pieces the rest is
 * fed, and whether plain. However it is cut the output is the same; the only
 * control characters in it are tabs, line ends, and styles of ours, and the
 * last style is the normal one.
 */
#include "base/base.h"

#include "base/mem.h"
#include "client/terminal.h"

#define OUT_MAX (64 * 1024 * 1024) /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
show(const char *s, size_t n, size_t piece, bool plain, struct buf *out)
{
    struct terminal t;
    size_t k;

    terminal_init(&t, plain);
    for (size_t at = 0; at < n; at += k) {
        char *copy;

        k = n - at < piece ? n - at : piece;
        copy = xmalloc(k);
        memcpy(copy, s + at, k);
        terminal_feed(&t, copy, k, out);
        free(copy);
    }
    terminal_end(&t, out);
}

/* The length of a style at s; 0: there is none. */
static size_t
style(const char *s, size_t n)
{
    size_t i = 3;

    if (n < 4 || memcmp(s, "\x1b[0", 3) != 0)
        return 0;
    while (i < n && (s[i] == ';' || (s[i] >= '0' && s[i] <= '9')))
        i++;
    return i < n && s[i] == 'm' ? i + 1 : 0;
}

static void
check(const struct buf *out)
{
    bool normal = true;

    for (size_t i = 0; i < out->len; i++) {
        unsigned char c = (unsigned char)out->data[i];
        size_t n;

        if (c == '\x1b') {
            n = style(out->data + i, out->len - i);
            if (n == 0)
                abort();
            normal = n == 4;
            i += n - 1;
        } else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
            abort();
        }
    }
    if (!normal)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf whole, pieces;
    const char *s;
    bool plain;

    if (n < 2)
        return 0;
    plain = (data[0] & 0x80) != 0;
    s = (const char *)data + 1;
    n--;
    buf_init(&whole, OUT_MAX);
    buf_init(&pieces, OUT_MAX);
    show(s, n, n, plain, &whole);
    show(s, n, (size_t)data[0] % 16 + 1, plain, &pieces);
    check(&whole);
    if (whole.len != pieces.len ||
        (whole.len > 0 && memcmp(whole.data, pieces.data, whole.len) != 0))
        abort();
    buf_release(&whole);
    buf_release(&pieces);
    return 0;
}
