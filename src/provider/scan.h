/*
 * JSON read in place, from left to right, without a tree: for replies that are
 * many (chunks of a stream) or large (embeddings). It reads strict JSON only,
 * of moderate depth; anything else is "not understood", and what that means is
 * the reader's affair. Strings are slices of the text and are not unescaped.
 *
 * Static inline, so that the hot path is compiled as one. Pure.
 */
#ifndef PROVIDER_SCAN_H
#define PROVIDER_SCAN_H

#include "base/base.h"

#define SCAN_DEPTH_MAX 8   /* of values that are skipped */
#define SCAN_NUMBER_MAX 40 /* characters; cJSON reads at most 63 */

struct scan {
    const char *p, *end; /* what is left of the text */
};

struct scan_str {
    const char *p;
    size_t len;
    bool escaped; /* holds a backslash */
};

static inline int
scan_hex_digit(char h)
{
    if (h >= '0' && h <= '9')
        return h - '0';
    h |= 0x20;
    return h >= 'a' && h <= 'f' ? h - 'a' + 10 : -1;
}

/* The four digits of a \u escape at p; -1 if they are not there. */
static inline int
scan_hex4(const char *p, const char *end)
{
    int i, v = 0;

    if (end - p < 4)
        return -1;
    for (i = 0; i < 4; i++) {
        int d = scan_hex_digit(p[i]);

        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

static inline void
scan_space(struct scan *s)
{
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

/* The next character after white space is c: step over it. */
static inline bool
scan_take(struct scan *s, char c)
{
    scan_space(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static inline bool
scan_peek(struct scan *s, char c)
{
    scan_space(s);
    return s->p < s->end && *s->p == c;
}

static inline bool
scan_word(struct scan *s, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return false;
    s->p += n;
    return true;
}

/* A string; escapes are checked, and left as they are. */
static inline bool
scan_string(struct scan *s, struct scan_str *out)
{
    const char *p;

    if (!scan_take(s, '"'))
        return false;
    out->escaped = false;
    for (p = s->p; p < s->end; p++) {
        if (*p == '"') {
            out->p = s->p;
            out->len = (size_t)(p - s->p);
            s->p = p + 1;
            return true;
        }
        if ((unsigned char)*p < 0x20)
            return false;
        if (*p != '\\')
            continue;
        out->escaped = true;
        if (++p == s->end || strchr("\"\\/bfnrtu", *p) == NULL || *p == '\0' ||
            (*p == 'u' && scan_hex4(p + 1, s->end) < 0))
            return false;
    }
    return false;
}

static inline bool
scan_str_is(const struct scan_str *str, const char *word)
{
    return str->len == strlen(word) && memcmp(str->p, word, str->len) == 0;
}

static inline size_t
scan_digits(struct scan *s)
{
    const char *from = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return (size_t)(s->p - from);
}

/* A number; no white space before it. It is between the old p and the new. */
static inline bool
scan_number(struct scan *s)
{
    const char *from = s->p;

    if (s->p < s->end && *s->p == '-')
        s->p++;
    if (s->p < s->end && *s->p == '0')
        s->p++;
    else if (scan_digits(s) == 0)
        return false;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (scan_digits(s) == 0)
            return false;
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        if (scan_digits(s) == 0)
            return false;
    }
    return s->p - from <= SCAN_NUMBER_MAX;
}

static inline bool scan_skip(struct scan *s, int depth);

static inline bool
scan_skip_members(struct scan *s, int depth, bool object)
{
    char close = object ? '}' : ']';
    struct scan_str name;

    s->p++;
    if (scan_take(s, close))
        return true;
    do {
        if (object && (!scan_string(s, &name) || !scan_take(s, ':')))
            return false;
        if (!scan_skip(s, depth + 1))
            return false;
    } while (scan_take(s, ','));
    return scan_take(s, close);
}

/* Any value, stepped over; depth 0 at first. */
static inline bool
scan_skip(struct scan *s, int depth)
{
    struct scan_str str;

    scan_space(s);
    if (s->p == s->end || depth > SCAN_DEPTH_MAX)
        return false;
    switch (*s->p) {
    case '"': return scan_string(s, &str);
    case '{': return scan_skip_members(s, depth, true);
    case '[': return scan_skip_members(s, depth, false);
    case 't': return scan_word(s, "true");
    case 'f': return scan_word(s, "false");
    case 'n': return scan_word(s, "null");
    default: return scan_number(s);
    }
}

/* Reads the value of a member; false: not understood. */
typedef bool scan_member_fn(void *arg, const struct scan_str *name);

/* An object; fn is called at each value. A name with an escape is not
 * understood. */
static inline bool
scan_object(struct scan *s, scan_member_fn *fn, void *arg)
{
    struct scan_str name;

    if (!scan_take(s, '{'))
        return false;
    if (scan_take(s, '}'))
        return true;
    do {
        if (!scan_string(s, &name) || name.escaped || !scan_take(s, ':') ||
            !fn(arg, &name))
            return false;
    } while (scan_take(s, ','));
    return scan_take(s, '}');
}

#endif
