/*
 * The fast path for the common chunk: a scanner that walks the whole JSON
 * text once and keeps slices of the few members that matter. It builds no
 * tree and allocates only when a text that matters has an escape.
 *
 * The rule that keeps it honest: it accepts only what it understands fully.
 * Strict JSON, moderate depth, every member that matters at most once and of
 * the usual type, exactly one choice, with index 0. Anything else, however
 * legal, is answered with false, and cJSON reads the chunk (openai_chunk.c).
 * So the two paths may differ in speed only; a fuzz driver holds them to it.
 */
#include "base/base.h"

#include "provider/openai.h"

#define DEPTH_MAX 8   /* of values that are skipped */
#define NUMBER_MAX 40 /* characters; cJSON reads at most 63 */

struct scan {
    const char *p, *end;
    struct openai_chunk *c;
    bool has_choices, has_delta, has_finish, has_index;
};

struct str {
    const char *p;
    size_t len;
    bool escaped;
};

static void
skip_space(struct scan *s)
{
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

/* The next character after white space is c: step over it. */
static bool
take(struct scan *s, char c)
{
    skip_space(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool
peek(struct scan *s, char c)
{
    skip_space(s);
    return s->p < s->end && *s->p == c;
}

static bool
take_word(struct scan *s, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return false;
    s->p += n;
    return true;
}

/* A string; what escapes mean is looked at only in texts that matter. */
static bool
take_string(struct scan *s, struct str *out)
{
    const char *p;

    if (!take(s, '"'))
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
            (*p == 'u' && openai_hex4(p + 1, s->end) < 0))
            return false;
    }
    return false;
}

static size_t
take_digits(struct scan *s)
{
    const char *from = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return (size_t)(s->p - from);
}

static bool
take_number(struct scan *s)
{
    const char *from = s->p;

    if (s->p < s->end && *s->p == '-')
        s->p++;
    if (s->p < s->end && *s->p == '0')
        s->p++;
    else if (take_digits(s) == 0)
        return false;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (take_digits(s) == 0)
            return false;
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        if (take_digits(s) == 0)
            return false;
    }
    return s->p - from <= NUMBER_MAX;
}

static bool skip_value(struct scan *s, int depth);

static bool
skip_members(struct scan *s, int depth, bool object)
{
    char close = object ? '}' : ']';
    struct str name;

    s->p++;
    if (take(s, close))
        return true;
    do {
        if (object && (!take_string(s, &name) || !take(s, ':')))
            return false;
        if (!skip_value(s, depth + 1))
            return false;
    } while (take(s, ','));
    return take(s, close);
}

static bool
skip_value(struct scan *s, int depth)
{
    struct str str;

    skip_space(s);
    if (s->p == s->end || depth > DEPTH_MAX)
        return false;
    switch (*s->p) {
    case '"': return take_string(s, &str);
    case '{': return skip_members(s, depth, true);
    case '[': return skip_members(s, depth, false);
    case 't': return take_word(s, "true");
    case 'f': return take_word(s, "false");
    case 'n': return take_word(s, "null");
    default: return take_number(s);
    }
}

/* --- texts -------------------------------------------------------------- */

static char *
put_utf8(char *o, unsigned long c)
{
    if (c < 0x80) {
        *o++ = (char)c;
    } else if (c < 0x800) {
        *o++ = (char)(0xc0 | c >> 6);
        *o++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *o++ = (char)(0xe0 | c >> 12);
        *o++ = (char)(0x80 | (c >> 6 & 0x3f));
        *o++ = (char)(0x80 | (c & 0x3f));
    } else {
        *o++ = (char)(0xf0 | c >> 18);
        *o++ = (char)(0x80 | (c >> 12 & 0x3f));
        *o++ = (char)(0x80 | (c >> 6 & 0x3f));
        *o++ = (char)(0x80 | (c & 0x3f));
    }
    return o;
}

/* A \u escape (its four digits are known to be there) and, for a surrogate,
 * the one after it. NUL and lone surrogates are left to the slow path: 0. */
static unsigned long
unescape_unit(const char **p, const char *end)
{
    unsigned long c = (unsigned long)openai_hex4(*p, end);
    int low;

    *p += 4;
    if (c < 0xd800 || c > 0xdfff)
        return c;
    if (c > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return 0;
    low = openai_hex4(*p + 2, end);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *p += 6;
    return 0x10000 + ((c - 0xd800) << 10) + ((unsigned long)low - 0xdc00);
}

static bool
unescape(struct scan *s, const struct str *in, struct openai_text *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *p = in->p, *end = in->p + in->len, *named;
    char *o = s->c->scratch.data + s->c->scratch.len, *begin = o;

    while (p < end) {
        unsigned long c;

        if (*p != '\\') {
            *o++ = *p++;
            continue;
        }
        p++;
        named = strchr(from, *p);
        if (*p == 'u') {
            p++;
            c = unescape_unit(&p, end);
            if (c == 0)
                return false;
            o = put_utf8(o, c);
        } else {
            *o++ = named != NULL ? to[named - from] : *p;
            p++;
        }
    }
    s->c->scratch.len += (size_t)(o - begin);
    out->p = begin;
    out->len = (size_t)(o - begin);
    return true;
}

/* A text that matters: string or null, the first of its name. A string never
 * grows when it is unescaped, so all texts of a chunk together need less than
 * the chunk's length, and room for that is made once: texts do not move. */
static bool
take_text(struct scan *s, struct openai_text *out)
{
    struct str str;

    if (out->p != NULL)
        return false;
    if (peek(s, 'n')) {
        out->p = ""; /* to see a second one */
        return take_word(s, "null");
    }
    if (!take_string(s, &str))
        return false;
    if (!str.escaped) {
        out->p = str.p;
        out->len = str.len;
        return true;
    }
    if (s->c->scratch.cap == 0 || s->c->scratch.len == 0) {
        if (buf_room(&s->c->scratch, (size_t)(s->end - str.p) + 8) == NULL)
            return false;
    }
    return unescape(s, &str, out);
}

/* --- members ------------------------------------------------------------ */

/* Reads the value of a member; false: not understood. */
typedef bool member_fn(struct scan *s, const struct str *name);

static bool
take_object(struct scan *s, member_fn *fn)
{
    struct str name;

    if (!take(s, '{'))
        return false;
    if (take(s, '}'))
        return true;
    do {
        if (!take_string(s, &name) || name.escaped || !take(s, ':') ||
            !fn(s, &name))
            return false;
    } while (take(s, ','));
    return take(s, '}');
}

static bool
name_is(const struct str *name, const char *word)
{
    return name->len == strlen(word) && memcmp(name->p, word, name->len) == 0;
}

static bool
on_delta(struct scan *s, const struct str *name)
{
    if (name_is(name, "content"))
        return take_text(s, &s->c->content);
    if (name_is(name, "reasoning_content"))
        return take_text(s, &s->c->reasoning_content);
    if (name_is(name, "reasoning"))
        return take_text(s, &s->c->reasoning);
    if (name_is(name, "refusal"))
        return take_text(s, &s->c->refusal);
    return skip_value(s, 0);
}

static bool
take_finish(struct scan *s)
{
    struct str str;

    if (s->has_finish)
        return false;
    s->has_finish = true;
    if (peek(s, 'n'))
        return take_word(s, "null");
    if (!take_string(s, &str) || str.escaped)
        return false;
    s->c->finish = openai_finish(str.p, str.len);
    return true;
}

static bool
on_choice(struct scan *s, const struct str *name)
{
    if (name_is(name, "delta")) {
        if (s->has_delta)
            return false;
        s->has_delta = true;
        return take_object(s, on_delta);
    }
    if (name_is(name, "finish_reason"))
        return take_finish(s);
    if (name_is(name, "index")) {
        if (s->has_index || !take(s, '0'))
            return false;
        s->has_index = true;
        return peek(s, ',') || peek(s, '}');
    }
    if (name_is(name, "message"))
        return false;
    return skip_value(s, 0);
}

static bool
take_choices(struct scan *s)
{
    if (s->has_choices)
        return false;
    s->has_choices = true;
    return take(s, '[') && take_object(s, on_choice) && take(s, ']');
}

static bool
on_chunk(struct scan *s, const struct str *name)
{
    struct str word;

    if (name_is(name, "choices"))
        return take_choices(s);
    if (name_is(name, "model"))
        return take_text(s, &s->c->model);
    if (name_is(name, "usage") || name_is(name, "error"))
        return peek(s, 'n') && take_word(s, "null");
    if (name_is(name, "object") || name_is(name, "type"))
        return take_string(s, &word) && !word.escaped &&
               !name_is(&word, "error");
    return skip_value(s, 0);
}

bool
openai_chunk_fast(struct openai_chunk *c, const char *text, size_t n)
{
    struct scan s = {.p = text, .end = text + n, .c = c};

    if (take_object(&s, on_chunk) && s.has_choices) {
        skip_space(&s);
        if (s.p == s.end) {
            c->known = true;
            return true;
        }
    }
    openai_chunk_clear(c);
    return false;
}
