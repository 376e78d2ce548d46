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

#include "provider/scan.h"

struct fast {
    struct scan s;
    struct openai_chunk *c;
    bool has_choices, has_delta, has_finish, has_index;
};

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
    unsigned long c = (unsigned long)scan_hex4(*p, end);
    int low;

    *p += 4;
    if (c < 0xd800 || c > 0xdfff)
        return c;
    if (c > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return 0;
    low = scan_hex4(*p + 2, end);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *p += 6;
    return 0x10000 + ((c - 0xd800) << 10) + ((unsigned long)low - 0xdc00);
}

static bool
unescape(struct fast *f, const struct scan_str *in, struct openai_text *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *p = in->p, *end = in->p + in->len, *named;
    char *o = f->c->scratch.data + f->c->scratch.len, *begin = o;

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
    f->c->scratch.len += (size_t)(o - begin);
    out->p = begin;
    out->len = (size_t)(o - begin);
    return true;
}

/* A text that matters: string or null, the first of its name. A string never
 * grows when it is unescaped, so all texts of a chunk together need less than
 * the chunk's length, and room for that is made once: texts do not move. */
static bool
take_text(struct fast *f, struct openai_text *out)
{
    struct scan_str str;

    if (out->p != NULL)
        return false;
    if (scan_peek(&f->s, 'n')) {
        out->p = ""; /* to see a second one */
        return scan_word(&f->s, "null");
    }
    if (!scan_string(&f->s, &str))
        return false;
    if (!str.escaped) {
        out->p = str.p;
        out->len = str.len;
        return true;
    }
    if (f->c->scratch.cap == 0 || f->c->scratch.len == 0) {
        if (buf_room(&f->c->scratch, (size_t)(f->s.end - str.p) + 8) == NULL)
            return false;
    }
    return unescape(f, &str, out);
}

/* --- members ------------------------------------------------------------ */

/* Tool calls are for the tree; many servers say in every chunk that there are
 * none. */
static bool
take_no_calls(struct fast *f)
{
    if (scan_peek(&f->s, '['))
        return scan_take(&f->s, '[') && scan_take(&f->s, ']');
    return scan_word(&f->s, "null");
}

static bool
on_delta(void *arg, const struct scan_str *name)
{
    struct fast *f = arg;

    if (scan_str_is(name, "content"))
        return take_text(f, &f->c->content);
    if (scan_str_is(name, "reasoning_content"))
        return take_text(f, &f->c->reasoning_content);
    if (scan_str_is(name, "reasoning"))
        return take_text(f, &f->c->reasoning);
    if (scan_str_is(name, "refusal"))
        return take_text(f, &f->c->refusal);
    if (scan_str_is(name, "tool_calls") || scan_str_is(name, "function_call"))
        return take_no_calls(f);
    return scan_skip(&f->s, 0);
}

static bool
take_finish(struct fast *f)
{
    struct scan_str str;

    if (f->has_finish)
        return false;
    f->has_finish = true;
    if (scan_peek(&f->s, 'n'))
        return scan_word(&f->s, "null");
    if (!scan_string(&f->s, &str) || str.escaped)
        return false;
    f->c->finish = openai_finish(str.p, str.len);
    return true;
}

static bool
on_choice(void *arg, const struct scan_str *name)
{
    struct fast *f = arg;

    if (scan_str_is(name, "delta")) {
        if (f->has_delta)
            return false;
        f->has_delta = true;
        return scan_object(&f->s, on_delta, f);
    }
    if (scan_str_is(name, "finish_reason"))
        return take_finish(f);
    if (scan_str_is(name, "index")) {
        if (f->has_index || !scan_take(&f->s, '0'))
            return false;
        f->has_index = true;
        return scan_peek(&f->s, ',') || scan_peek(&f->s, '}');
    }
    if (scan_str_is(name, "message"))
        return false;
    return scan_skip(&f->s, 0);
}

static bool
take_choices(struct fast *f)
{
    struct openai_text *as_is = &f->c->choices;

    if (f->has_choices || !scan_peek(&f->s, '['))
        return false;
    f->has_choices = true;
    as_is->p = f->s.p++;
    if (!scan_object(&f->s, on_choice, f) || !scan_take(&f->s, ']'))
        return false;
    if (f->has_index && f->has_delta && f->has_finish)
        as_is->len = (size_t)(f->s.p - as_is->p);
    else
        as_is->p = NULL;
    return true;
}

static bool
on_chunk(void *arg, const struct scan_str *name)
{
    struct fast *f = arg;
    struct scan_str word;

    if (scan_str_is(name, "choices"))
        return take_choices(f);
    if (scan_str_is(name, "model"))
        return take_text(f, &f->c->model);
    if (scan_str_is(name, "usage") || scan_str_is(name, "error"))
        return scan_peek(&f->s, 'n') && scan_word(&f->s, "null");
    if (scan_str_is(name, "object") || scan_str_is(name, "type"))
        return scan_string(&f->s, &word) && !word.escaped &&
               !scan_str_is(&word, "error");
    return scan_skip(&f->s, 0);
}

bool
openai_chunk_fast(struct openai_chunk *c, const char *text, size_t n)
{
    struct fast f = {.s = {text, text + n}, .c = c};

    if (scan_object(&f.s, on_chunk, &f) && f.has_choices) {
        scan_space(&f.s);
        if (f.s.p == f.s.end) {
            c->known = true;
            return true;
        }
    }
    openai_chunk_clear(c);
    return false;
}
