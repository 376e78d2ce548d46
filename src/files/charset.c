/*
 * Charsets of pages.
 *
 * Most are UTF-8. What is called ISO 8859-1 is Windows-1252 in truth, as
 * browsers know; both that and UTF-16 are converted here. The rest is left to
 * iconv, for the names that browsers know and no other: its more exotic
 * converters have been a source of holes, and a page may not choose among them.
 */
#include "base/base.h"

#include "files/charset.h"

#include <unistd.h>

#include "base/text.h"
#include "lang/letter.h"

#define BAD "\xEF\xBF\xBD" /* U+FFFD */
#define CHARACTER_MAX 4    /* bytes of a character in UTF-8 */

/* What 0x80 to 0x9F mean in Windows-1252; 0: nothing. */
static const uint16_t high[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
    0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
    0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
    0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

/* Names as pages give them, and as iconv has them. */
static const struct {
    const char *said, *known;
} others[] = {
    {"big5", "BIG5-HKSCS"},
    {"big5-hkscs", "BIG5-HKSCS"},
    {"cp1250", "CP1250"},
    {"cp1251", "CP1251"},
    {"euc-jp", "EUC-JP"},
    {"euc-kr", "CP949"},
    {"gb18030", "GB18030"},
    {"gb2312", "GB18030"},
    {"gbk", "GB18030"},
    {"ibm866", "CP866"},
    {"iso-8859-10", "ISO-8859-10"},
    {"iso-8859-13", "ISO-8859-13"},
    {"iso-8859-14", "ISO-8859-14"},
    {"iso-8859-15", "ISO-8859-15"},
    {"iso-8859-16", "ISO-8859-16"},
    {"iso-8859-2", "ISO-8859-2"},
    {"iso-8859-3", "ISO-8859-3"},
    {"iso-8859-4", "ISO-8859-4"},
    {"iso-8859-5", "ISO-8859-5"},
    {"iso-8859-6", "ISO-8859-6"},
    {"iso-8859-7", "ISO-8859-7"},
    {"iso-8859-8", "ISO-8859-8"},
    {"iso-8859-9", "CP1254"},
    {"koi8-r", "KOI8-R"},
    {"koi8-u", "KOI8-U"},
    {"ks_c_5601-1987", "CP949"},
    {"macintosh", "MACINTOSH"},
    {"shift_jis", "CP932"},
    {"sjis", "CP932"},
    {"tis-620", "CP874"},
    {"windows-1250", "CP1250"},
    {"windows-1251", "CP1251"},
    {"windows-1253", "CP1253"},
    {"windows-1254", "CP1254"},
    {"windows-1255", "CP1255"},
    {"windows-1256", "CP1256"},
    {"windows-1257", "CP1257"},
    {"windows-1258", "CP1258"},
    {"windows-31j", "CP932"},
    {"windows-874", "CP874"},
    {"x-sjis", "CP932"},
};

static const char *const western[] = {"iso-8859-1", "latin1",   "iso8859-1",
                                      "us-ascii",   "ascii",    "windows-1252",
                                      "cp1252",     "x-cp1252", "iso_8859-1"};

/* Open already, for the file that is about to be read. */
static iconv_t held = (iconv_t)-1;
static const char *held_name;

ssize_t
source_fd(void *fd, char *buf, size_t n)
{
    ssize_t got;

    do
        got = read(*(int *)fd, buf, n);
    while (got < 0 && errno == EINTR);
    return got;
}

/* --- what it is written in ------------------------------------------------ */

/* The word behind "charset=" or "encoding=", small letters; "" if none. */
static void
name_at(const char *s, size_t n, char out[CHARSET_NAME_MAX])
{
    size_t i = 0, len = 0;

    while (i < n && (s[i] == ' ' || s[i] == '"' || s[i] == '\''))
        i++;
    for (; i < n && len < CHARSET_NAME_MAX - 1; i++) {
        char c = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
              c == '_'))
            break;
        out[len++] = c;
    }
    out[len] = '\0';
}

/* What a page says about itself, in a meta element or an XML declaration. */
static void
said_in(const char *s, size_t n, char out[CHARSET_NAME_MAX])
{
    static const char *const words[] = {"charset=", "encoding="};

    out[0] = '\0';
    for (size_t i = 0; i < n && out[0] == '\0'; i++) {
        if (s[i] != 'c' && s[i] != 'C' && s[i] != 'e' && s[i] != 'E')
            continue;
        for (size_t w = 0; w < COUNT_OF(words); w++) {
            size_t len = strlen(words[w]);

            if (n - i > len && text_ieqn(s + i, len, words[w]))
                name_at(s + i + len, n - i - len, out);
        }
    }
}

/* iconv's name; NULL: it is none of those. */
static const char *
other(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (strcmp(others[i].said, name) == 0)
            return others[i].known;
    return NULL;
}

static iconv_t
open_other(const char *known)
{
    iconv_t cd;

    if (held_name == NULL || strcmp(held_name, known) != 0)
        return iconv_open("UTF-8", known);
    cd = held;
    held = (iconv_t)-1;
    held_name = NULL;
    return cd;
}

static void
decide(struct charset *c)
{
    char name[CHARSET_NAME_MAX];
    const char *known;

    if (c->in_len >= 2 && (memcmp(c->in, "\xFF\xFE", 2) == 0 ||
                           memcmp(c->in, "\xFE\xFF", 2) == 0)) {
        c->kind = CHARSET_UTF16;
        c->big = c->in[0] == '\xFE';
        c->in_at = 2;
        return;
    }
    if (c->in_len >= 3 && memcmp(c->in, "\xEF\xBB\xBF", 3) == 0) {
        c->in_at = 3;
        return;
    }
    said_in(c->in, c->in_len, name);
    for (size_t i = 0; i < COUNT_OF(western); i++)
        if (strcmp(western[i], name) == 0)
            c->kind = CHARSET_1252;
    known = other(name);
    if (known != NULL) {
        c->convert = open_other(known);
        if (c->convert != (iconv_t)-1)
            c->kind = CHARSET_OTHER;
    }
}

void
charset_prepare(int fd)
{
    char look[CHARSET_LOOK], name[CHARSET_NAME_MAX];
    ssize_t n = pread(fd, look, sizeof(look), 0);

    if (n <= 0)
        return;
    said_in(look, (size_t)n, name);
    held_name = other(name);
    if (held_name != NULL)
        held = iconv_open("UTF-8", held_name);
    if (held == (iconv_t)-1)
        held_name = NULL;
}

/* --- reading -------------------------------------------------------------- */

/* Have some bytes to convert. */
static void
fill(struct charset *c)
{
    if (c->in_at > 0) {
        (void)memmove(c->in, c->in + c->in_at, c->in_len - c->in_at);
        c->in_len -= c->in_at;
        c->in_at = 0;
    }
    while (!c->ended && c->in_len < sizeof(c->in)) {
        ssize_t n = c->from.read(c->from.arg, c->in + c->in_len,
                                 sizeof(c->in) - c->in_len);

        if (n > 0)
            c->in_len += (size_t)n;
        c->ended = n <= 0;
        c->failed = n < 0;
    }
}

void
charset_init(struct charset *c, struct source from)
{
    c->from = from;
    c->kind = CHARSET_UTF8;
    c->big = false;
    c->convert = (iconv_t)-1;
    c->in_at = c->in_len = 0;
    c->ended = c->failed = false;
    fill(c);
    decide(c);
}

void
charset_release(struct charset *c)
{
    if (c->convert != (iconv_t)-1)
        (void)iconv_close(c->convert);
}

uint32_t
charset_western(unsigned char byte)
{
    return byte >= 0x80 && byte < 0xA0 ? high[byte - 0x80] : byte;
}

static size_t
western_character(unsigned char b, char *out)
{
    uint32_t ch = charset_western(b);

    return ch == 0 ? 0 : letter_write(ch, out);
}

/* Returns bytes written; uses up bytes of s[0..n) as in *used. */
static size_t
from_utf8(const char *s, size_t n, char *out, size_t max, bool ended,
          size_t *used)
{
    size_t i = 0, len = 0;

    while (i < n && max - len >= CHARACTER_MAX) {
        int k = utf8_seq(s + i, n - i);

        if (k == 0 && !ended)
            break;
        if (k > 0 && s[i] != '\0') {
            (void)memcpy(out + len, s + i, (size_t)k);
            len += (size_t)k;
        } else if (k <= 0) {
            k = 1;
            len += western_character((unsigned char)s[i], out + len);
        }
        i += (size_t)k;
    }
    *used = i;
    return len;
}

static size_t
from_1252(const char *s, size_t n, char *out, size_t max, size_t *used)
{
    size_t i, len = 0;

    for (i = 0; i < n && max - len >= CHARACTER_MAX; i++)
        len += western_character((unsigned char)s[i], out + len);
    *used = i;
    return len;
}

static uint32_t
unit(const char *s, bool big)
{
    unsigned char a = (unsigned char)s[0], b = (unsigned char)s[1];

    return big ? (uint32_t)(a << 8 | b) : (uint32_t)(b << 8 | a);
}

static size_t
from_utf16(const struct charset *c, const char *s, size_t n, char *out,
           size_t max, size_t *used)
{
    size_t i = 0, len = 0;

    while (n - i >= 2 && max - len >= CHARACTER_MAX) {
        uint32_t ch = unit(s + i, c->big), low;

        if (ch >= 0xD800 && ch < 0xDC00 && n - i < 4 && !c->ended)
            break;
        i += 2;
        if (ch >= 0xD800 && ch < 0xE000) {
            low = ch < 0xDC00 && n - i >= 2 ? unit(s + i, c->big) : 0;
            if (low >= 0xDC00 && low < 0xE000) {
                ch = 0x10000 + ((ch - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            } else {
                ch = LETTER_BAD;
            }
        }
        if (ch != 0)
            len += letter_write(ch, out + len);
    }
    *used = c->ended && n - i < 2 ? n : i;
    return len;
}

static size_t
from_other(const struct charset *c, const char *s, size_t n, char *out,
           size_t max, size_t *used)
{
    char *in = (char *)(uintptr_t)s, *to = out; /* iconv does not write it */
    size_t left = n, room = max, len;

    if (iconv(c->convert, &in, &left, &to, &room) == (size_t)-1 &&
        errno != E2BIG && left > 0 && (errno == EILSEQ || c->ended) &&
        room >= CHARACTER_MAX) {
        (void)memcpy(to, BAD, 3);
        to += 3;
        left--;
    }
    *used = n - left;
    len = (size_t)(to - out);
    for (size_t i = 0; i < len; i++)
        if (out[i] == '\0')
            out[i] = ' ';
    return len;
}

ssize_t
charset_read(void *charset, char *buf, size_t n)
{
    struct charset *c = charset;
    size_t used = 0, len = 0;

    while (len == 0) {
        const char *s;
        size_t has;

        if (c->in_len - c->in_at < CHARACTER_MAX * 4)
            fill(c);
        s = c->in + c->in_at;
        has = c->in_len - c->in_at;
        if (has == 0)
            return c->failed ? -1 : 0;
        switch (c->kind) {
        case CHARSET_UTF8:
            len = from_utf8(s, has, buf, n, c->ended, &used);
            break;
        case CHARSET_1252: len = from_1252(s, has, buf, n, &used); break;
        case CHARSET_UTF16: len = from_utf16(c, s, has, buf, n, &used); break;
        case CHARSET_OTHER: len = from_other(c, s, has, buf, n, &used); break;
        }
        c->in_at += used > 0 ? used : 1; /* never without an end */
    }
    return (ssize_t)len;
}
