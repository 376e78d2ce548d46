/*
 * Bytes of a file to clean UTF-8.
 *
 * A mark at the beginning says UTF-16; anything else is read as UTF-8, and each
 * byte that is none as Windows-1252. So a file in either is read right, and so
 * is one in which both stand (a log that two programs wrote); what is lost are
 * the rare sequences of Windows-1252 that happen to be UTF-8.
 *
 * CR, CR LF, NEL, form feed and vertical tab end a line as LF does. Other
 * control characters are left out, and those that no text has are counted: a
 * NUL in the first TEXT_BINARY_LOOK bytes, or many of them anywhere, and the
 * file is no text. Spans are counted from the beginning of the file, so the
 * answer does not depend on how it was cut.
 */
#include "base/base.h"

#include "files/text_inside.h"

#include "base/text.h"

/* Windows-1252, 80 to 9F; 0: not a character. */
static const uint16_t cp1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
    0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
    0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
    0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

void
text_decode_init(struct text_decode *d, text_sink *sink, void *arg)
{
    memset(d, 0, offsetof(struct text_decode, out));
    d->sink = sink;
    d->arg = arg;
}

static void
flush(struct text_decode *d)
{
    if (d->len > 0)
        d->sink(d->arg, d->out, d->len);
    d->len = 0;
}

static void
put_bytes(struct text_decode *d, const char *s, size_t n)
{
    if (d->len + n > sizeof(d->out))
        flush(d);
    memcpy(d->out + d->len, s, n);
    d->len += n;
}

static void
put_char(struct text_decode *d, uint32_t c)
{
    char s[4];
    size_t n = 1;

    if (c < 0x80) {
        s[0] = (char)c;
    } else if (c < 0x800) {
        s[0] = (char)(0xC0 | c >> 6);
        n = 2;
    } else if (c < 0x10000) {
        s[0] = (char)(0xE0 | c >> 12);
        n = 3;
    } else {
        s[0] = (char)(0xF0 | c >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++)
        s[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3F));
    put_bytes(d, s, n);
}

/* A control character that texts do not have, at pos. */
static void
count_bad(struct text_decode *d, uint64_t pos, bool nul)
{
    uint64_t span = pos / TEXT_BINARY_SPAN;

    if (span != d->span)
        d->bad = 0;
    d->span = span;
    d->bad++;
    if ((nul && pos < TEXT_BINARY_LOOK) || d->bad > TEXT_BINARY_BAD)
        d->binary = true;
}

/* Any character that is not plain; NEL counts as one of C0. */
static void
put_control(struct text_decode *d, uint32_t c, uint64_t pos)
{
    switch (c) {
    case '\r':
        put_char(d, '\n');
        d->cr = true;
        return;
    case '\n':
        if (!d->cr)
            put_char(d, '\n');
        break;
    case '\v':
    case '\f':
    case 0x85: put_char(d, '\n'); break;
    case '\b':
    case 0x1A: /* the end of a file, long ago */
    case 0x1B: break;
    default:
        if (c < 0x20)
            count_bad(d, pos, c == 0);
        break;
    }
    d->cr = false;
}

static bool
is_control(uint32_t c)
{
    return (c < 0x20 && c != '\t') || (c >= 0x7F && c < 0xA0);
}

static void
put(struct text_decode *d, uint32_t c, uint64_t pos)
{
    if (is_control(c)) {
        put_control(d, c, pos);
        return;
    }
    d->cr = false;
    put_char(d, c);
}

/* How many bytes at the start stand for themselves, whatever was before. */
static size_t
plain_run(const uint8_t *s, size_t n)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t high = ones << 7;
    size_t i = 0;

    while (n - i >= 8) {
        uint64_t w;
        uint64_t del;

        memcpy(&w, s + i, 8);
        del = w ^ ones * 0x7F;
        if ((w | (w - ones * 0x20) | (del - ones)) & high)
            break;
        i += 8;
    }
    while (i < n && s[i] >= 0x20 && s[i] < 0x7F)
        i++;
    return i;
}

/* The same with whole characters beyond ASCII, but for control characters. */
static size_t
clean_run(const uint8_t *s, size_t n)
{
    size_t i = plain_run(s, n);

    while (i < n && s[i] >= 0xC2 &&
           !(s[i] == 0xC2 && n - i > 1 && s[i + 1] < 0xA0)) {
        int len = utf8_seq((const char *)s + i, n - i);

        if (len <= 0)
            break;
        i += (size_t)len;
        if (i < n && s[i] < 0x80)
            i += plain_run(s + i, n - i);
    }
    return i;
}

static void
put_run(struct text_decode *d, const uint8_t *s, size_t n)
{
    d->cr = false;
    while (n > 0) {
        size_t k = sizeof(d->out) - d->len;

        k = k < n ? utf8_whole((const char *)s, k) : n;
        memcpy(d->out + d->len, s, k);
        d->len += k;
        s += k;
        n -= k;
        if (n > 0)
            flush(d);
    }
}

static void
put_1252(struct text_decode *d, uint8_t byte)
{
    if (byte >= 0xA0)
        put(d, byte, d->pos);
    else if (cp1252[byte - 0x80] != 0)
        put(d, cp1252[byte - 0x80], d->pos);
}

/* At a byte above 7F that begins no clean run. Its length; 0: more bytes are
 * needed. */
static size_t
take_high(struct text_decode *d, const uint8_t *s, size_t n)
{
    int len = utf8_seq((const char *)s, n);

    if (len == 0)
        return 0;
    if (len < 0) { /* one byte of it: the next may begin a character */
        put_1252(d, s[0]);
        return 1;
    }
    assert(s[0] == 0xC2); /* C1 */
    put_control(d, s[1], d->pos);
    return 2;
}

/* Returns how many bytes were taken. */
static size_t
take_utf8(struct text_decode *d, const uint8_t *s, size_t n)
{
    size_t i = 0;

    while (i < n && !d->binary) {
        size_t k = clean_run(s + i, n - i);

        if (k > 0) {
            put_run(d, s + i, k);
        } else if (s[i] < 0x80) {
            put(d, s[i], d->pos);
            k = 1;
        } else {
            k = take_high(d, s + i, n - i);
            if (k == 0)
                break;
        }
        i += k;
        d->pos += k;
    }
    return i;
}

static void
take_unit(struct text_decode *d, uint16_t u)
{
    if (d->high && u >= 0xDC00 && u <= 0xDFFF) {
        uint32_t top = (uint32_t)(d->high - 0xD800) << 10;

        put(d, 0x10000 + top + (u - 0xDC00U), d->pos);
        d->high = 0;
        return;
    }
    if (d->high)
        put(d, 0xFFFD, d->pos);
    d->high = u >= 0xD800 && u <= 0xDBFF ? u : 0;
    if (u >= 0xDC00 && u <= 0xDFFF)
        put(d, 0xFFFD, d->pos);
    else if (!d->high)
        put(d, u, d->pos);
}

static size_t
take_utf16(struct text_decode *d, const uint8_t *s, size_t n)
{
    size_t i = 0;

    for (; n - i >= 2 && !d->binary; i += 2, d->pos += 2)
        take_unit(d, d->code == TEXT_UTF16_LE
                         ? (uint16_t)(s[i] | s[i + 1] << 8)
                         : (uint16_t)(s[i] << 8 | s[i + 1]));
    return i;
}

static size_t
take(struct text_decode *d, const uint8_t *s, size_t n)
{
    return d->code == TEXT_UTF8 ? take_utf8(d, s, n) : take_utf16(d, s, n);
}

/* Looks at the first bytes. How many are the mark. */
static size_t
take_mark(struct text_decode *d, const uint8_t *s, size_t n)
{
    d->begun = true;
    if (n >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0)
        return 3;
    if (n < 2 || (s[0] ^ s[1]) != 1 || s[0] < 0xFE)
        return 0;
    d->code = s[0] == 0xFF ? TEXT_UTF16_LE : TEXT_UTF16_BE;
    return 2;
}

/* Bytes that were left of the piece before, with those that complete them. */
static void
take_held(struct text_decode *d, const uint8_t **s, size_t *n)
{
    while (d->held > 0 && *n > 0 && !d->binary) {
        size_t took = 0;

        d->hold[d->held++] = *(*s)++;
        (*n)--;
        if (!d->begun) {
            if (d->held < 3)
                continue;
            took = take_mark(d, d->hold, d->held);
            d->pos += took;
        }
        took += take(d, d->hold + took, d->held - took);
        d->held -= took;
        memmove(d->hold, d->hold + took, d->held);
    }
}

void
text_decode_feed(struct text_decode *d, const uint8_t *s, size_t n)
{
    size_t took;

    if (d->binary || n == 0)
        return;
    take_held(d, &s, &n);
    if (n > 0 && !d->begun && n >= 3) {
        took = take_mark(d, s, n);
        d->pos += took;
        s += took;
        n -= took;
    }
    if (n > 0 && !d->binary) {
        took = d->begun ? take(d, s, n) : 0;
        d->held = d->binary ? 0 : n - took; /* of one character */
        memcpy(d->hold, s + took, d->held);
    }
    flush(d); /* also of a binary: all that stands before that is known */
}

void
text_decode_end(struct text_decode *d)
{
    uint64_t tail;
    size_t i = 0;

    if (d->binary)
        return;
    if (!d->begun) {
        i = take_mark(d, d->hold, d->held);
        d->pos += i;
        i += take(d, d->hold + i, d->held - i);
        if (d->binary)
            return;
    }
    d->pos += d->held - i;
    if (d->code == TEXT_UTF8)
        for (; i < d->held; i++) /* of a character that was cut off */
            put_1252(d, d->hold[i]);
    else if (d->high || i < d->held)
        put(d, 0xFFFD, d->pos);
    tail = d->pos - d->span * TEXT_BINARY_SPAN;
    if (tail < TEXT_BINARY_SPAN && d->bad * 16 > tail)
        d->binary = true;
    flush(d);
}
