/*
 * Embeddings: POST /embeddings, {"data": [{"index", "embedding"}], "usage"}.
 *
 * OpenAI is asked for base64 (little-endian float32), which is a third of the
 * size and exact, as its own SDKs do; from others the default is taken, since
 * some refuse the option. Either form is understood from anybody.
 *
 * A reply can hold millions of numbers, so it is read in place and not through
 * a tree (provider/scan.h). Rows may come in any order; "index" says which is
 * whose, and each text must have exactly one.
 */
#include "base/base.h"

#include "provider/openai.h"

#include <math.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "provider/scan.h"
#include "provider/wire.h"

#define BASE64_MAX (EMBED_DIMENSIONS_MAX * sizeof(float)) /* bytes of a row */
#define NO_INDEX (-1)

/* --- the request -------------------------------------------------------- */

enum err
openai_embed_build(const struct embed_ask *ask, const struct account *acc,
                   struct upstream_request *out, struct problem *why)
{
    struct json_out j;
    enum err e;

    if (ask->n_texts == 0 || ask->n_texts > OPENAI_EMBED_MAX)
        return problem_set(why, ERR_BADREQ, NULL,
                           "This number of texts cannot be asked for", NULL);
    e = openai_request(&openai_wire, acc, "POST", "/embeddings",
                       "application/json", out, why);
    if (e != OK)
        return e;
    json_out_init(&j, &out->body);
    json_begin_obj(&j);
    wire_put_embed(&j, ask);
    if (openai_is_openai(acc->base_url))
        json_put_str(&j, "encoding_format", "base64");
    json_end_obj(&j);
    return wire_texts_fit(&out->body, why);
}

/* --- rows --------------------------------------------------------------- */

struct reading {
    struct scan s;
    float *values; /* owned; the rows as they came */
    size_t n_values, cap;
    int64_t rows[OPENAI_EMBED_MAX]; /* whose each row is, or NO_INDEX */
    size_t n_rows;
    size_t dimensions; /* of each row; 0: none came yet */
    int64_t tokens;
    bool has_data;
    bool has_row; /* this item's embedding was read */
};

static bool
add_value(struct reading *r, double v)
{
    float f = (float)v;

    if (!isfinite(f))
        return false;
    if (r->n_values == r->cap) {
        r->cap = r->cap > 0 ? r->cap * 2 : 1024;
        r->values = xrealloc(r->values, r->cap * sizeof(*r->values));
    }
    r->values[r->n_values++] = f;
    return true;
}

static bool
take_numbers(struct reading *r)
{
    char text[SCAN_NUMBER_MAX + 1];
    size_t first = r->n_values;

    if (!scan_take(&r->s, '['))
        return false;
    do {
        const char *from;
        size_t n;

        scan_space(&r->s);
        from = r->s.p;
        if (r->n_values - first == EMBED_DIMENSIONS_MAX || !scan_number(&r->s))
            return false;
        n = (size_t)(r->s.p - from);
        memcpy(text, from, n);
        text[n] = '\0';
        if (!add_value(r, strtod(text, NULL)))
            return false;
    } while (scan_take(&r->s, ','));
    return scan_take(&r->s, ']');
}

/* "/" may be escaped, as some JSON writers do; nothing else needs to be. */
static enum err
unbase64(const struct scan_str *in, struct buf *out)
{
    struct buf plain;
    size_t i;
    enum err e;

    if (!in->escaped)
        return text_unbase64(out, in->p, in->len);
    buf_init(&plain, in->len);
    for (i = 0; i < in->len; i++) {
        if (in->p[i] != '\\' || in->p[i + 1] != '/')
            buf_addc(&plain, in->p[i]);
    }
    e = text_unbase64(out, plain.data, plain.len);
    buf_release(&plain);
    return e;
}

static bool
take_base64(struct reading *r)
{
    struct scan_str str;
    struct buf bytes;
    bool ok;
    size_t i;

    if (!scan_string(&r->s, &str))
        return false;
    buf_init(&bytes, BASE64_MAX);
    ok = unbase64(&str, &bytes) == OK && bytes.len > 0 && bytes.len % 4 == 0;
    for (i = 0; ok && i < bytes.len; i += 4) {
        const unsigned char *u = (const unsigned char *)bytes.data + i;
        uint32_t bits = (uint32_t)u[0] | (uint32_t)u[1] << 8 |
                        (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
        float f;

        memcpy(&f, &bits, sizeof(f));
        ok = add_value(r, (double)f);
    }
    buf_release(&bytes);
    return ok;
}

static bool
take_row(struct reading *r)
{
    size_t first = r->n_values, n;

    if (r->has_row)
        return false;
    r->has_row = true;
    if (!(scan_peek(&r->s, '"') ? take_base64(r) : take_numbers(r)))
        return false;
    n = r->n_values - first;
    if (r->dimensions == 0)
        r->dimensions = n;
    return n == r->dimensions;
}

/* --- members ------------------------------------------------------------ */

static bool
take_i64(struct scan *s, int64_t *out)
{
    const char *from;

    scan_space(s);
    from = s->p;
    return scan_number(s) &&
           text_i64(from, (size_t)(s->p - from), 0, INT64_MAX, out) == OK;
}

static bool
on_item(void *arg, const struct scan_str *name)
{
    struct reading *r = arg;

    if (scan_str_is(name, "index"))
        return take_i64(&r->s, &r->rows[r->n_rows]);
    if (scan_str_is(name, "embedding"))
        return take_row(r);
    return scan_skip(&r->s, 0);
}

static bool
take_data(struct reading *r)
{
    if (r->has_data || !scan_take(&r->s, '['))
        return false;
    r->has_data = true;
    do {
        if (r->n_rows == OPENAI_EMBED_MAX)
            return false;
        r->rows[r->n_rows] = NO_INDEX;
        r->has_row = false;
        if (!scan_object(&r->s, on_item, r) || !r->has_row)
            return false;
        r->n_rows++;
    } while (scan_take(&r->s, ','));
    return scan_take(&r->s, ']');
}

static bool
on_usage(void *arg, const struct scan_str *name)
{
    struct reading *r = arg;

    if (scan_str_is(name, "prompt_tokens") && !scan_peek(&r->s, 'n'))
        return take_i64(&r->s, &r->tokens);
    return scan_skip(&r->s, 0);
}

static bool
on_reply(void *arg, const struct scan_str *name)
{
    struct reading *r = arg;

    if (scan_str_is(name, "data"))
        return take_data(r);
    if (scan_str_is(name, "usage") && scan_peek(&r->s, '{'))
        return scan_object(&r->s, on_usage, r);
    return scan_skip(&r->s, 0);
}

/* --- the reply ---------------------------------------------------------- */

/* Put the rows into the order of the texts. False: not one for each. */
static bool
put_rows(const struct reading *r, struct embeddings *out)
{
    bool seen[OPENAI_EMBED_MAX] = {false};
    size_t i, size = r->dimensions * sizeof(float);

    out->values = xmalloc(r->n_rows * size);
    out->n = r->n_rows;
    out->dimensions = r->dimensions;
    out->tokens = r->tokens;
    for (i = 0; i < r->n_rows; i++) {
        int64_t at = r->rows[i] == NO_INDEX ? (int64_t)i : r->rows[i];

        if (at >= (int64_t)r->n_rows || seen[at])
            return false;
        seen[at] = true;
        memcpy(out->values + (size_t)at * r->dimensions,
               r->values + i * r->dimensions, size);
    }
    return true;
}

enum err
openai_embed_read(const char *body, size_t n, struct embeddings *out,
                  struct problem *why)
{
    struct reading *r = xcalloc(1, sizeof(*r));
    bool ok;

    r->s = (struct scan){body, body + n};
    r->tokens = -1;
    ok = n > 0 && scan_object(&r->s, on_reply, r);
    scan_space(&r->s);
    ok = ok && r->s.p == r->s.end && r->n_rows > 0 && put_rows(r, out);
    free(r->values);
    free(r);
    if (ok)
        return OK;
    embeddings_release(out);
    return reply_garbage(why, "Check that the model makes embeddings, and that "
                              "the base URL belongs to a compatible API.");
}
