/*
 * Text for numbers and bytes: decimal, hex, base64, percent-encoding.
 *
 * Every decoder is strict: one spelling per value where the format allows
 * it. text_i64 takes no sign but '-' and no space; leading zeros are harmless
 * and allowed ("007" is 7, as in forms). Base64 refuses bits that would be
 * thrown away, so two different texts never decode to the same bytes. A
 * decoder that fails takes back what it added.
 */
#include "base/base.h"

#include "base/text.h"

#include "base/buf.h"

static const char hex_digits[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";
static const char b64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum err
text_i64(const char *s, size_t n, int64_t min, int64_t max, int64_t *out)
{
    bool minus = n > 0 && s[0] == '-';
    uint64_t limit = minus ? (uint64_t)1 << 63 : (uint64_t)INT64_MAX;
    uint64_t u = 0;
    int64_t v;
    size_t i = minus;

    if (i == n)
        return ERR_BADREQ;
    for (; i < n; i++) {
        unsigned d = (unsigned)(unsigned char)s[i] - '0';

        if (d > 9 || u > (limit - d) / 10)
            return ERR_BADREQ;
        u = u * 10 + d;
    }
    if (!minus)
        v = (int64_t)u;
    else
        v = u == limit ? INT64_MIN : -(int64_t)u;
    if (v < min || v > max)
        return ERR_BADREQ;
    *out = v;
    return OK;
}

void
text_hex(char *out, const void *p, size_t n)
{
    const unsigned char *u = p;

    for (size_t i = 0; i < n; i++) {
        *out++ = hex_digits[u[i] >> 4];
        *out++ = hex_digits[u[i] & 15];
    }
    *out = '\0';
}

static int
unhex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum err
text_unhex(void *out, size_t n, const char *hex)
{
    unsigned char *u = out;

    for (size_t i = 0; i < n; i++) {
        int hi = unhex(hex[2 * i]);
        int lo = hi < 0 ? -1 : unhex(hex[2 * i + 1]);

        if (lo < 0)
            return ERR_BADREQ;
        u[i] = (unsigned char)(hi << 4 | lo);
    }
    return OK;
}

void
text_base64(struct buf *out, const void *p, size_t n)
{
    const unsigned char *u = p;
    char *at = buf_room(out, (n + 2) / 3 * 4);

    if (!at)
        return;
    out->len += (n + 2) / 3 * 4;
    for (; n >= 3; n -= 3, u += 3) {
        *at++ = b64_digits[u[0] >> 2];
        *at++ = b64_digits[(u[0] & 3) << 4 | u[1] >> 4];
        *at++ = b64_digits[(u[1] & 15) << 2 | u[2] >> 6];
        *at++ = b64_digits[u[2] & 63];
    }
    if (n == 0)
        return;
    *at++ = b64_digits[u[0] >> 2];
    if (n == 1) {
        *at++ = b64_digits[(u[0] & 3) << 4];
        *at++ = '=';
    } else {
        *at++ = b64_digits[(u[0] & 3) << 4 | u[1] >> 4];
        *at++ = b64_digits[(u[1] & 15) << 2];
    }
    *at = '=';
}

static char
b64url_digit(uint32_t v)
{
    return v == 62 ? '-' : v == 63 ? '_' : b64_digits[v];
}

void
text_base64url(char *out, const void *p, size_t n)
{
    const unsigned char *u = p;
    uint32_t bits = 0;
    unsigned n_bits = 0;

    for (size_t i = 0; i < n; i++) {
        bits = (bits << 8 | u[i]) & 0xFFFF;
        for (n_bits += 8; n_bits >= 6; n_bits -= 6)
            *out++ = b64url_digit(bits >> (n_bits - 6) & 63);
    }
    if (n_bits > 0)
        *out++ = b64url_digit(bits << (6 - n_bits) & 63);
    *out = '\0';
}

/* But for the last two of the alphabet. */
static int
unb64_alnum(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    return c >= '0' && c <= '9' ? c - '0' + 52 : -1;
}

int
text_base64url_value(char c)
{
    return c == '-' ? 62 : c == '_' ? 63 : unb64_alnum(c);
}

static int
unb64(char c)
{
    return c == '+' ? 62 : c == '/' ? 63 : unb64_alnum(c);
}

enum err
text_unbase64(struct buf *out, const char *s, size_t n)
{
    size_t digits = n;
    uint32_t bits = 0;
    unsigned char *at;
    size_t size;

    while (digits > 0 && n - digits < 2 && s[digits - 1] == '=')
        digits--;
    if (digits % 4 == 1 || (digits < n && n % 4 != 0))
        return ERR_BADREQ;
    size = digits / 4 * 3 + (digits % 4 ? digits % 4 - 1 : 0);
    at = (unsigned char *)buf_room(out, size);
    if (!at)
        return ERR_TOOBIG;
    for (size_t i = 0; i < digits; i++) {
        int v = unb64(s[i]);

        if (v < 0)
            return ERR_BADREQ;
        bits = (bits << 6 | (uint32_t)v) & 0xFFFFFF;
        if (i % 4 == 1)
            *at++ = (unsigned char)(bits >> 4);
        else if (i % 4 == 2)
            *at++ = (unsigned char)(bits >> 2);
        else if (i % 4 == 3)
            *at++ = (unsigned char)bits;
    }
    if ((digits % 4 == 2 && bits & 15) || (digits % 4 == 3 && bits & 3))
        return ERR_BADREQ;
    out->len += size;
    return OK;
}

enum err
text_unpercent(struct buf *out, const char *s, size_t n, bool plus)
{
    size_t before = out->len;

    for (size_t i = 0; i < n; i++) {
        char c = s[i];

        if (c == '%') {
            int hi = n - i > 2 ? unhex(s[i + 1]) : -1;
            int lo = hi < 0 ? -1 : unhex(s[i + 2]);

            if (lo < 0)
                goto undo;
            c = (char)(hi << 4 | lo);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == '\0')
            goto undo;
        buf_addc(out, c);
    }
    return buf_status(out);
undo:
    out->len = before;
    return ERR_BADREQ;
}

static bool
unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

void
text_percent(struct buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];

        if (unreserved(c)) {
            buf_addc(out, s[i]);
        } else {
            char esc[3] = {'%', hex_upper[c >> 4], hex_upper[c & 15]};

            buf_add(out, esc, sizeof(esc));
        }
    }
}
