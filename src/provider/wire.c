/*
 * What builders and readers of several providers share. Any thread; no I/O,
 * no globals.
 *
 * Text from a history can come from any model, also from one that wrote
 * broken JSON. So nothing is copied into a request as JSON unless it passed
 * the strict check; what did not is sent as a string, and the request stays
 * well formed.
 */
#include "base/base.h"

#include "provider/wire.h"

#include <float.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "provider/meaning.h"

#define URL_MAX 4096           /* bytes */
#define SECRET_MAX (16 * 1024) /* bytes of a header's value */

/* --- requests ------------------------------------------------------------ */

enum err
wire_url(struct upstream_request *q, const char *base_url, const char *path,
         const char *hint, struct problem *why)
{
    size_t base_len = strlen(base_url), path_len = strlen(path);

    while (base_len > 0 && base_url[base_len - 1] == '/')
        base_len--;
    if (base_len == 0 || base_len > URL_MAX || path_len > URL_MAX)
        return problem_set(why, ERR_BADREQ, "provider_address",
                           "The provider's address is not usable", "%s", hint);
    free(q->url);
    q->url = xmalloc(base_len + path_len + 1);
    memcpy(q->url, base_url, base_len);
    memcpy(q->url + base_len, path, path_len + 1);
    q->http2 = text_istarts(base_url, "https:");
    return OK;
}

enum err
wire_secret(struct upstream_request *q, const char *name, const char *prefix,
            const char *secret, const char *hint, struct problem *why)
{
    struct buf value;
    enum err e;

    if (secret == NULL || secret[0] == '\0')
        return OK;
    buf_init(&value, SECRET_MAX);
    (void)buf_room(&value, strlen(prefix) + strlen(secret) + 1); /* no copies
                                                     left behind by growing */
    buf_adds(&value, prefix);
    buf_adds(&value, secret);
    e = buf_status(&value);
    if (e == OK)
        e = upstream_request_header(q, name, buf_cstr(&value));
    buf_wipe(&value);
    if (e == OK)
        return OK;
    return problem_set(why, ERR_BADREQ, "provider_key",
                       "The provider's key cannot be sent", "%s", hint);
}

enum err
wire_json_headers(struct upstream_request *q, const char *accept,
                  struct problem *why)
{
    enum err e;

    e = upstream_request_header(q, "Content-Type", "application/json");
    if (e == OK)
        e = upstream_request_header(q, "Accept", accept);
    return e == OK ? OK : problem_set(why, ERR_INTERNAL, NULL, NULL, NULL);
}

bool
wire_is_object(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && strchr(" \t\r\n", s[i]) != NULL && s[i] != '\0')
        i++;
    return i < n && s[i] == '{' && json_check(s, n, NULL) == OK;
}

void
wire_put_object(struct json_out *j, const char *name, const char *s, size_t n,
                const char *key)
{
    if (wire_is_object(s, n)) {
        json_put_raw(j, name, s, n);
        return;
    }
    json_name(j, name);
    json_begin_obj(j);
    json_put_strn(j, key, n > 0 ? s : "", n);
    json_end_obj(j);
}

void
wire_put_args(struct json_out *j, const char *name, const struct piece *p)
{
    if (p->len == 0)
        json_put_raw(j, name, "{}", 2);
    else
        wire_put_object(j, name, p->text, p->len, "arguments");
}

enum err
wire_body_fits(const struct buf *body, struct problem *why)
{
    if (buf_status(body) == OK)
        return OK;
    return problem_set(why, ERR_TOOBIG, NULL,
                       "The conversation is too long to be sent",
                       "Start a new session or clear this one.");
}

enum err
wire_texts_fit(const struct buf *body, struct problem *why)
{
    if (buf_status(body) == OK)
        return OK;
    return problem_set(why, ERR_TOOBIG, NULL,
                       "The texts are too long to be sent",
                       "Send fewer texts at once.");
}

/* --- response_format ----------------------------------------------------- */

static enum err
format_unknown(struct problem *why)
{
    return problem_set(why, ERR_BADREQ, "invalid_parameter",
                       "Invalid parameter: response_format",
                       "response_format must be of type text, json_object or "
                       "json_schema with a schema.");
}

static enum err
format_of(const cJSON *o, const char *text, struct wire_format *out,
          struct problem *why)
{
    const char *type = json_str(o, "type");
    struct wire_slice slice;
    const cJSON *schema;

    if (type == NULL)
        return format_unknown(why);
    if (strcmp(type, "text") == 0)
        return OK;
    if (strcmp(type, "json_object") == 0) {
        out->kind = WIRE_FORMAT_JSON;
        return OK;
    }
    schema = json_obj(json_obj(o, "json_schema"), "schema");
    if (strcmp(type, "json_schema") != 0 || schema == NULL)
        return format_unknown(why);
    /* As it was written: its numbers keep their digits. */
    if (!wire_find(text, strlen(text), "json_schema/schema", &slice))
        return format_unknown(why);
    out->schema = xmemdup0(slice.p, slice.n);
    out->kind = WIRE_FORMAT_SCHEMA;
    return OK;
}

enum err
wire_format_read(const char *format, struct wire_format *out,
                 struct problem *why)
{
    cJSON *tree = NULL;
    enum err e;

    out->kind = WIRE_FORMAT_TEXT;
    out->schema = NULL;
    if (format == NULL)
        return OK;
    if (json_parse(format, strlen(format), &tree, NULL) != OK)
        return format_unknown(why);
    e = format_of(tree, format, out, why);
    cJSON_Delete(tree);
    return e;
}

void
wire_format_release(struct wire_format *f)
{
    free(f->schema);
    f->schema = NULL;
}

/* --- replies ------------------------------------------------------------- */

int64_t
wire_limit(const cJSON *model, const char *name)
{
    int64_t v = json_i64(model, name, -1);

    return v > 0 ? v : -1;
}

/* Seconds east of UTC at the end of a time: "Z", "+02:00"; false: neither. */
static bool
zone_of(const char *s, int64_t *out)
{
    int64_t h, m;

    if (strcmp(s, "Z") == 0) {
        *out = 0;
        return true;
    }
    if ((*s != '+' && *s != '-') || strlen(s) != 6 || s[3] != ':' ||
        text_i64(s + 1, 2, 0, 23, &h) != OK ||
        text_i64(s + 4, 2, 0, 59, &m) != OK)
        return false;
    *out = (h * 60 + m) * 60 * (*s == '-' ? -1 : 1);
    return true;
}

int64_t
wire_time(const char *s)
{
    struct tm tm = {.tm_sec = 0};
    const char *rest = s != NULL ? strptime(s, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    int64_t t, east;

    if (rest == NULL)
        return -1;
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (!zone_of(rest, &east))
        return -1;
    t = (int64_t)timegm(&tm) - east;
    return t >= 0 ? t : -1;
}

static enum err
rows_unknown(struct embeddings *out, struct problem *why)
{
    embeddings_release(out);
    return reply_garbage(why, "The model may not be one for embeddings.");
}

/* One row into to; false: not so many numbers. */
static bool
row_take(const cJSON *row, float *to, size_t dimensions)
{
    const cJSON *v;
    size_t i = 0;

    cJSON_ArrayForEach(v, row) {
        if (i == dimensions || !cJSON_IsNumber(v) ||
            !(v->valuedouble >= -FLT_MAX && v->valuedouble <= FLT_MAX))
            return false;
        to[i++] = (float)v->valuedouble;
    }
    return i == dimensions;
}

enum err
wire_rows(const cJSON *rows, const char *member, struct embeddings *out,
          struct problem *why)
{
    const cJSON *row = rows != NULL ? rows->child : NULL;
    int dimensions, n = cJSON_GetArraySize(rows);

    dimensions = cJSON_GetArraySize(member != NULL ? json_arr(row, member)
                                                   : row);
    if (!cJSON_IsArray(rows) || n == 0 || dimensions == 0 ||
        dimensions > EMBED_DIMENSIONS_MAX)
        return rows_unknown(out, why);
    out->dimensions = (size_t)dimensions;
    out->values = xmalloc((size_t)n * out->dimensions * sizeof(float));
    for (; row != NULL; row = row->next) {
        const cJSON *values = member != NULL ? json_arr(row, member) : row;

        if (!cJSON_IsArray(values) ||
            !row_take(values, out->values + out->n * out->dimensions,
                      out->dimensions))
            return rows_unknown(out, why);
        out->n++;
    }
    return OK;
}
