/*
 * The strict validator: RFC 8259 in one pass, without recursion.
 *
 * cJSON is lenient (control characters in strings, leading zeros, anything
 * after a truncated number, duplicate names), and each leniency is a way for
 * two programs to read one request differently. So the text is checked here
 * first and cJSON only builds the tree.
 *
 * Strings and structure are here; numbers are in json_number.c, duplicate
 * names in json_names.c. The first rule that is broken is reported with its
 * byte offset, never with what stands there.
 */
#include "base/base.h"

#include "base/json_scan.h"

#include "base/json.h"
#include "base/text.h"

struct frame {
    bool object;
    size_t first; /* index of its first name */
};

enum want { VALUE, FIRST_VALUE, NAME, FIRST_NAME, AFTER };

struct scan {
    const char *s;
    size_t n;
    size_t i; /* next byte */
    size_t values;
    struct json_fault *fault;
    size_t depth, depth_max;
    struct frame frames[JSON_DEEP_MAX];
    struct json_names names;
};

/* Bytes that stand for themselves in a string and are ASCII. */
static bool
plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static bool
broken(struct scan *sc, size_t at, const char *rule)
{
    if (!sc->fault->rule) {
        sc->fault->rule = rule;
        sc->fault->at = at;
    }
    return false;
}

/* \uXXXX at the backslash, with its other half if it is a surrogate. */
static bool
scan_unicode(struct scan *sc)
{
    size_t at = sc->i;
    uint32_t c;
    uint32_t low;

    if (sc->n - at < 6 || !json_hex4(sc->s + at + 2, &c))
        return broken(sc, at, "bad \\u escape");
    if (c == 0)
        return broken(sc, at, "\\u0000 is not allowed");
    sc->i += 6;
    if (c < 0xD800 || c > 0xDFFF)
        return true;
    if (c >= 0xDC00 || sc->n - at < 12 || sc->s[at + 6] != '\\' ||
        sc->s[at + 7] != 'u' || !json_hex4(sc->s + at + 8, &low) ||
        low < 0xDC00 || low > 0xDFFF)
        return broken(sc, at, "lone surrogate escape");
    sc->i += 6;
    return true;
}

static bool
scan_escape(struct scan *sc)
{
    char c = sc->n - sc->i > 1 ? sc->s[sc->i + 1] : '\0';

    if (c == 'u')
        return scan_unicode(sc);
    if (c == '\0' || !strchr("\"\\/bfnrt", c))
        return broken(sc, sc->i, "bad escape");
    sc->i += 2;
    return true;
}

/* At the opening quote; leaves i behind the closing one. */
static bool
scan_string(struct scan *sc, struct json_name_at *out)
{
    const char *s = sc->s;
    size_t start = sc->i;

    out->at = start + 1;
    out->escaped = false;
    for (sc->i++;;) {
        int len;
        unsigned char c;

        while (sc->i < sc->n && plain((unsigned char)s[sc->i]))
            sc->i++;
        if (sc->i == sc->n)
            return broken(sc, start, "string without an end");
        c = (unsigned char)s[sc->i];
        if (c == '"') {
            out->len = sc->i - out->at;
            sc->i++;
            return true;
        }
        if (c == '\\') {
            out->escaped = true;
            if (!scan_escape(sc))
                return false;
            continue;
        }
        if (c < 0x20)
            return broken(sc, sc->i, "control character in a string");
        len = utf8_seq(s + sc->i, sc->n - sc->i);
        if (len <= 0)
            return broken(sc, sc->i, "ill-formed UTF-8");
        sc->i += (size_t)len;
    }
}

static bool
scan_number(struct scan *sc)
{
    const char *s = sc->s + sc->i;
    size_t len = json_number_len(s, sc->n - sc->i);

    if (len == 0)
        return broken(sc, sc->i, "malformed number");
    /* Short and without an exponent is finite: do not look twice. */
    if (len >= 4 && !json_number_finite(s, len))
        return broken(sc, sc->i, "number too large for a double");
    if (len > JSON_NUMBER_SHORT)
        sc->fault->long_number = true;
    sc->i += len;
    return true;
}

static bool
scan_word(struct scan *sc, const char *word)
{
    size_t len = strlen(word);

    if (sc->n - sc->i < len || memcmp(sc->s + sc->i, word, len) != 0)
        return broken(sc, sc->i, "unexpected character");
    sc->i += len;
    return true;
}

static bool
open_frame(struct scan *sc, bool object)
{
    if (sc->depth == sc->depth_max)
        return broken(sc, sc->i, "nested too deeply");
    sc->frames[sc->depth].object = object;
    sc->frames[sc->depth].first = sc->names.count;
    sc->depth++;
    sc->i++;
    return true;
}

static bool
close_frame(struct scan *sc)
{
    struct frame *fr = &sc->frames[--sc->depth];
    size_t at;

    if (fr->object && !json_names_pop(&sc->names, fr->first, sc->s, &at))
        return broken(sc, at, "name occurs twice in an object");
    sc->i++;
    return true;
}

static bool
take_value(struct scan *sc, enum want *want)
{
    struct json_name_at ignored;
    char c = sc->s[sc->i];

    if (++sc->values > JSON_VALUES_MAX)
        return broken(sc, sc->i, "too many values");
    *want = AFTER;
    switch (c) {
    case '{': *want = FIRST_NAME; return open_frame(sc, true);
    case '[': *want = FIRST_VALUE; return open_frame(sc, false);
    case '"': return scan_string(sc, &ignored);
    case 't': return scan_word(sc, "true");
    case 'f': return scan_word(sc, "false");
    case 'n': return scan_word(sc, "null");
    default:
        if (c != '-' && (c < '0' || c > '9'))
            return broken(sc, sc->i, "unexpected character");
        return scan_number(sc);
    }
}

static void
skip_space(struct scan *sc)
{
    while (sc->i < sc->n && (sc->s[sc->i] == ' ' || sc->s[sc->i] == '\n' ||
                             sc->s[sc->i] == '\r' || sc->s[sc->i] == '\t'))
        sc->i++;
}

static bool
take_name(struct scan *sc, enum want *want)
{
    struct json_name_at nm;

    if (sc->s[sc->i] != '"')
        return broken(sc, sc->i, "expected a name in quotes");
    if (!scan_string(sc, &nm))
        return false;
    json_names_push(&sc->names, &nm);
    skip_space(sc);
    if (sc->i == sc->n || sc->s[sc->i] != ':')
        return broken(sc, sc->i, "expected a colon");
    sc->i++;
    *want = VALUE;
    return true;
}

/* Behind a value that lies in an array or object. */
static bool
take_after(struct scan *sc, enum want *want)
{
    bool object = sc->frames[sc->depth - 1].object;
    char c = sc->s[sc->i];

    if (c == (object ? '}' : ']'))
        return close_frame(sc);
    if (c != ',')
        return broken(sc, sc->i, "expected a comma or an end");
    sc->i++;
    *want = object ? NAME : VALUE;
    return true;
}

static bool
step(struct scan *sc, enum want *want)
{
    switch (*want) {
    case FIRST_VALUE:
    case FIRST_NAME:
        if (sc->s[sc->i] == (*want == FIRST_NAME ? '}' : ']')) {
            *want = AFTER;
            return close_frame(sc);
        }
        if (*want == FIRST_NAME)
            return take_name(sc, want);
        return take_value(sc, want);
    case VALUE: return take_value(sc, want);
    case NAME: return take_name(sc, want);
    case AFTER: break;
    }
    return take_after(sc, want);
}

static bool
scan_text(struct scan *sc)
{
    enum want want = VALUE;

    if (sc->n >= 3 && memcmp(sc->s, "\xEF\xBB\xBF", 3) == 0)
        return broken(sc, 0, "byte order mark");
    for (;;) {
        skip_space(sc);
        if (want == AFTER && sc->depth == 0)
            break;
        if (sc->i == sc->n)
            return broken(sc, sc->i, sc->values ? "ends too early" : "empty");
        if (!step(sc, &want))
            return false;
    }
    if (sc->i < sc->n)
        return broken(sc, sc->i, "something follows the value");
    return true;
}

enum err
json_scan_deep(const char *s, size_t n, size_t depth_max, struct json_fault *f)
{
    struct scan sc;
    bool ok;

    assert(depth_max <= JSON_DEEP_MAX);
    sc.s = s;
    sc.n = n;
    sc.i = 0;
    sc.values = 0;
    sc.fault = f;
    sc.depth = 0;
    sc.depth_max = depth_max;
    json_names_init(&sc.names);
    f->rule = NULL;
    f->at = 0;
    f->long_number = false;
    ok = scan_text(&sc);
    json_names_release(&sc.names);
    if (ok)
        return OK;
    return sc.values > JSON_VALUES_MAX ? ERR_TOOBIG : ERR_BADREQ;
}

enum err
json_scan(const char *s, size_t n, struct json_fault *f)
{
    return json_scan_deep(s, n, JSON_DEPTH_MAX, f);
}
