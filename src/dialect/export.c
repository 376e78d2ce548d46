/*
 * The export as JSON: one document, or one session a line.
 *
 * A text is escaped in slices, and what is made is handed on whenever it is a
 * piece, so that a message of many megabytes needs no buffer of that size, let
 * alone of the six times that it may take when it is escaped. A slice ends
 * between characters; its quotes are those of the whole string.
 */
#include "base/base.h"

#include "dialect/export.h"

#include "base/text.h"
#include "chat/extra.h"
#include "dialect/export_inside.h"

static const struct {
    const char *name, *other, *media_type;
} formats[] = {
    [EXPORT_JSON] = {"json", "json", "application/json"},
    [EXPORT_JSONL] = {"jsonl", "ndjson", "application/x-ndjson; charset=utf-8"},
    [EXPORT_MARKDOWN] = {"md", "markdown", "text/markdown; charset=utf-8"},
};

enum err
export_format_parse(const char *s, enum export_format *out)
{
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        if (strcmp(s, formats[i].name) == 0 ||
            strcmp(s, formats[i].other) == 0) {
            *out = (enum export_format)i;
            return OK;
        }
    }
    return ERR_BADREQ;
}

const char *
export_media_type(enum export_format f)
{
    return formats[f].media_type;
}

const char *
export_suffix(enum export_format f)
{
    return formats[f].name;
}

/* --- pieces --------------------------------------------------------------- */

static void
hand_on(struct export *x)
{
    if (x->err == OK)
        x->err = buf_status(&x->buf);
    if (x->err == OK && x->buf.len > 0)
        x->err = x->flush(x->arg, x->buf.data, x->buf.len);
    buf_clear(&x->buf);
}

void
export_room(struct export *x)
{
    if (x->buf.len >= EXPORT_PIECE || x->buf.over)
        hand_on(x);
}

/* A string, however long. */
static void
put_text(struct export *x, const char *name, const char *s, size_t n)
{
    struct buf *b = &x->buf;
    size_t part;

    json_name(&x->json, name);
    buf_addc(b, '"');
    for (; n > 0; s += part, n -= part) {
        size_t at = b->len;

        part = n;
        if (n > EXPORT_PIECE) {
            part = utf8_whole(s, EXPORT_PIECE);
            if (part == 0)
                part = EXPORT_PIECE;
        }
        json_escape(b, s, part);
        if (buf_status(b) == OK) { /* without the quotes of the slice */
            memmove(b->data + at, b->data + at + 1, b->len - at - 2);
            b->len -= 2;
        }
        export_room(x);
    }
    buf_addc(b, '"');
    x->json.comma = true;
}

static bool
given(const char *s)
{
    return s != NULL && s[0] != '\0';
}

static void
put_string(struct export *x, const char *name, const char *s)
{
    if (given(s))
        put_text(x, name, s, strlen(s));
}

static void
put_time(struct export *x, const char *name, int64_t at_ms)
{
    if (at_ms != 0)
        json_put_time(&x->json, name, at_ms);
}

/* --- sessions ------------------------------------------------------------- */

static void
put_tags(struct export *x, const struct export_session *s)
{
    json_name(&x->json, "tags");
    json_begin_arr(&x->json);
    for (size_t i = 0; i < s->n_tags; i++)
        json_add_str(&x->json, s->tags[i]);
    json_end_arr(&x->json);
}

static void
put_format(struct export *x)
{
    json_put_str(&x->json, "format", "parley");
    json_put_i64(&x->json, "version", EXPORT_VERSION);
}

static void
begin_session(struct export *x, const struct export_session *s)
{
    struct json_out *j = &x->json;

    if (x->format == EXPORT_JSON)
        buf_adds(&x->buf, x->any_session ? ",\n" : "\n");
    j->comma = false;
    json_begin_obj(j);
    if (x->format == EXPORT_JSONL)
        put_format(x);
    put_string(x, "id", s->id);
    put_text(x, "title", given(s->title) ? s->title : "",
             given(s->title) ? strlen(s->title) : 0);
    put_string(x, "context", s->context);
    put_string(x, "model", s->model);
    put_tags(x, s);
    json_put_bool(j, "pinned", s->pinned);
    if (s->archived)
        json_put_bool(j, "archived", true);
    put_time(x, "created", s->created_ms);
    put_time(x, "updated", s->updated_ms);
    put_string(x, "head", s->head);
    json_name(j, "messages");
    json_begin_arr(j);
}

/* --- messages ------------------------------------------------------------- */

bool
export_branches(const struct export *x, const struct export_message *m)
{
    if (m->parent_id == NULL)
        return false;
    return strcmp(m->parent_id, x->any_message ? x->last_id : "") != 0;
}

static void
put_extra(struct export *x, const struct export_message *m)
{
    struct extra e;

    extra_read(&e, m->extra, m->extra_len);
    export_room(x);
    if (e.notes != NULL)
        json_put_raw(&x->json, "notes", e.notes, strlen(e.notes));
    if (e.tool_calls != NULL)
        json_put_raw(&x->json, "tool_calls", e.tool_calls,
                     strlen(e.tool_calls));
    if (e.citations != NULL)
        json_put_raw(&x->json, "citations", e.citations, strlen(e.citations));
    if (e.context != NULL)
        json_put_raw(&x->json, "context", e.context, strlen(e.context));
    extra_release(&e);
}

static void
put_message(struct export *x, const struct export_message *m)
{
    struct json_out *j = &x->json;
    const struct usage *u = &m->usage;

    json_begin_obj(j);
    put_string(x, "id", m->id);
    if (export_branches(x, m))
        json_put_str(j, "parent_id", given(m->parent_id) ? m->parent_id : NULL);
    json_put_str(j, "role", role_name(m->role));
    put_time(x, "timestamp", m->at_ms);
    if (m->finish != FINISH_NONE)
        json_put_str(j, "finish_reason", finish_name(m->finish));
    put_string(x, "provider", m->provider);
    put_string(x, "model", m->model);
    if (u->input_tokens >= 0 || u->output_tokens >= 0 ||
        u->cached_tokens >= 0 || m->cost_micro >= 0)
        result_put_usage(j, u, m->cost_micro);
    put_extra(x, m);
    put_text(x, "content", m->text, m->text_len);
    json_end_obj(j);
}

/* --- the calls ------------------------------------------------------------ */

void
export_init(struct export *x, enum export_format f, export_flush_fn *flush,
            void *arg)
{
    (void)memset(x, 0, sizeof(*x));
    x->format = f;
    x->flush = flush;
    x->arg = arg;
    buf_init(&x->buf, EXPORT_BUF_MAX);
    json_out_init(&x->json, &x->buf);
}

void
export_release(struct export *x)
{
    buf_release(&x->buf);
}

static enum err
step_done(struct export *x)
{
    export_room(x);
    return x->err;
}

enum err
export_begin(struct export *x)
{
    if (x->format == EXPORT_JSON) {
        json_begin_obj(&x->json);
        put_format(x);
        json_name(&x->json, "sessions");
        json_begin_arr(&x->json);
    }
    return step_done(x);
}

enum err
export_session(struct export *x, const struct export_session *s)
{
    if (x->format == EXPORT_MARKDOWN)
        export_markdown_session(x, s);
    else
        begin_session(x, s);
    x->any_session = true;
    x->any_message = false;
    x->last_id[0] = '\0';
    return step_done(x);
}

enum err
export_message(struct export *x, const struct export_message *m)
{
    size_t n = m->id == NULL ? 0 : strlen(m->id);

    if (n > EXPORT_ID_MAX && x->err == OK)
        x->err = ERR_TOOBIG;
    if (x->err != OK)
        return x->err;
    if (x->format == EXPORT_MARKDOWN)
        export_markdown_message(x, m);
    else
        put_message(x, m);
    x->any_message = true;
    memcpy(x->last_id, n > 0 ? m->id : "", n + 1);
    return step_done(x);
}

enum err
export_session_end(struct export *x)
{
    if (x->format != EXPORT_MARKDOWN) {
        json_end_arr(&x->json);
        json_end_obj(&x->json);
    }
    if (x->format == EXPORT_JSONL)
        buf_addc(&x->buf, '\n');
    return step_done(x);
}

enum err
export_end(struct export *x)
{
    if (x->format == EXPORT_JSON) {
        if (x->any_session)
            buf_addc(&x->buf, '\n');
        json_end_arr(&x->json);
        json_end_obj(&x->json);
        buf_addc(&x->buf, '\n');
    }
    hand_on(x);
    return x->err;
}
