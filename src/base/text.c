/*
 * UTF-8 and small comparisons.
 *
 * One function, utf8_seq, knows the well-formed sequences of Unicode's table
 * 3-7; all others ask it. Validation looks at eight bytes at a time while
 * they are ASCII, which is most of what passes here. Ill-formed bytes are
 * replaced one U+FFFD per maximal subpart, as browsers do it, so a text
 * scrubbed here looks the same as one decoded there.
 *
 * The encodings (numbers, hex, base64, percent) are in text_code.c.
 */
#include "base/base.h"

#include "base/text.h"

#include "base/buf.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define HIGH_BITS UINT64_C(0x8080808080808080)

/* How many bytes at the start are ASCII (a lower bound: it stops early only
 * at a byte that is not, or within the last seven). */
static size_t
ascii_run(const unsigned char *s, size_t n)
{
    size_t i = 0;

    while (n - i >= 8) {
        uint64_t w;

        memcpy(&w, s + i, 8);
        if (w & HIGH_BITS)
            break;
        i += 8;
    }
    while (i < n && s[i] < 0x80)
        i++;
    return i;
}

int
utf8_seq(const char *bytes, size_t n)
{
    const unsigned char *s = (const unsigned char *)bytes;
    unsigned char lo = 0x80;
    unsigned char hi = 0xBF;
    int len;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xC2 || s[0] > 0xF4)
        return -1;
    len = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    if (s[0] == 0xE0)
        lo = 0xA0;
    else if (s[0] == 0xED)
        hi = 0x9F;
    else if (s[0] == 0xF0)
        lo = 0x90;
    else if (s[0] == 0xF4)
        hi = 0x8F;
    for (int i = 1; i < len; i++) {
        if ((size_t)i == n)
            return 0;
        if (s[i] < lo || s[i] > hi)
            return -i;
        lo = 0x80;
        hi = 0xBF;
    }
    return len;
}

bool
text_plain(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c < ' ' || c == 0x7F ||
            (c == 0xC2 && i + 1 < n && (unsigned char)s[i + 1] < 0xA0))
            return false;
    }
    return utf8_valid(s, n);
}

bool
text_visible(const char *s, size_t max)
{
    size_t n = strnlen(s, max + 1);

    for (size_t i = 0; i < n; i++)
        if (s[i] <= ' ' || s[i] > '~')
            return false;
    return n > 0 && n <= max;
}

bool
utf8_valid(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;
    size_t i = 0;

    while (i < n) {
        int len;

        i += ascii_run(u + i, n - i);
        if (i == n)
            break;
        len = utf8_seq(s + i, n - i);
        if (len <= 0)
            return false;
        i += (size_t)len;
    }
    return true;
}

size_t
utf8_whole(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;

    /* A cut character has at most three bytes, the first of them a lead. */
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = u[n - back];

        if (c < 0x80)
            return n;
        if (c >= 0xC0)
            return utf8_seq(s + n - back, back) == 0 ? n - back : n;
    }
    return n;
}

void
utf8_scrub(struct buf *out, const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;
    size_t plain = 0; /* start of the well-formed run not yet copied */
    size_t i = 0;

    while (i < n) {
        int len;

        i += ascii_run(u + i, n - i);
        if (i == n)
            break;
        len = utf8_seq(s + i, n - i);
        if (len > 0) {
            i += (size_t)len;
            continue;
        }
        buf_add(out, s + plain, i - plain);
        buf_adds(out, REPLACEMENT);
        i += len < 0 ? (size_t)-len : n - i;
        plain = i;
    }
    if (plain < n) /* s may be NULL if n is 0 */
        buf_add(out, s + plain, n - plain);
}

/* The code point of a well-formed sequence. */
static uint32_t
decode(const unsigned char *s, int len)
{
    static const unsigned char mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t c = s[0] & mask[len];

    for (int i = 1; i < len; i++)
        c = c << 6 | (s[i] & 0x3F);
    return c;
}

/* Unicode's White_Space, and what shows nothing either: NUL, U+200B, BOM. */
static bool
is_blank(uint32_t c)
{
    if (c <= 0x20)
        return c == 0 || c == 0x20 || (c >= 0x09 && c <= 0x0D);
    switch (c) {
    case 0x85:
    case 0xA0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000:
    case 0xFEFF: return true;
    default: return c >= 0x2000 && c <= 0x200B;
    }
}

bool
text_blank(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;
    size_t i = 0;

    while (i < n) {
        int len = utf8_seq(s + i, n - i);

        if (len <= 0 || !is_blank(decode(u + i, len)))
            return false;
        i += (size_t)len;
    }
    return true;
}

static unsigned char
lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

bool
text_ieqn(const char *a, size_t n, const char *b)
{
    size_t i;

    for (i = 0; i < n && b[i]; i++)
        if (lower((unsigned char)a[i]) != lower((unsigned char)b[i]))
            return false;
    return i == n && b[i] == '\0';
}

bool
text_ieq(const char *a, const char *b)
{
    return text_ieqn(a, strlen(a), b);
}

bool
text_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
text_istarts(const char *s, const char *prefix)
{
    for (; *prefix; s++, prefix++)
        if (lower((unsigned char)*s) != lower((unsigned char)*prefix))
            return false;
    return true;
}

/* --- shown to people ------------------------------------------------------ */

/* A character of n bytes that moves a terminal, or turns text around. */
static bool
is_mark(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;
    unsigned c = u[0];

    if (n == 2)
        c = (u[0] & 0x1fU) << 6 | (u[1] & 0x3fU);
    else if (n == 3)
        c = (u[0] & 0x0fU) << 12 | (u[1] & 0x3fU) << 6 | (u[2] & 0x3fU);
    else if (n > 3)
        return false;
    return c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e ||
           c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* The first character; *n is of how many bytes. false: it is not shown. */
static bool
is_shown(const char *s, size_t *n)
{
    int k = utf8_seq(s, *n);

    *n = k > 0 ? (size_t)k : k < 0 ? (size_t)-k : *n;
    return k > 0 && !is_mark(s, *n);
}

void
text_show(char *out, size_t size, const char *s)
{
    size_t left = s != NULL ? strlen(s) : 0, n = 0;

    while (left > 0) {
        size_t step = left;
        bool shown = is_shown(s, &step);

        if (n + (shown ? step : 1) >= size)
            break;
        if (shown)
            memcpy(out + n, s, step);
        else
            out[n] = '?';
        n += shown ? step : 1;
        s += step;
        left -= step;
    }
    out[n] = '\0';
}

bool
text_shown(const char *s)
{
    size_t left = strlen(s);

    while (left > 0) {
        size_t n = left;

        if (!is_shown(s, &n))
            return false;
        s += n;
        left -= n;
    }
    return true;
}
