/*
 * Chunks. All of a chunk but its delta is the same for one answer, so it is
 * made once and copied; a text goes from the provider's reader straight into
 * the output, escaped on the way and through no tree. Pure.
 *
 * What OpenAI's clients rely on: the first delta has the role; a call's first
 * delta has index, id, type and name, the later ones pieces of the arguments;
 * the arguments together are JSON, so a call without any gets "{}" at the end;
 * with include_usage every other chunk has "usage": null.
 */
#include "base/base.h"

#include "dialect/openai_out.h"

#include "base/json.h"
#include "base/text.h"

#define HEAD_MAX (4 * OPENAI_OUT_MODEL_MAX + 1024) /* bytes */
#define TAIL "},\"finish_reason\":null}]"
#define CALL_ID_RANDOM 20 /* characters of the completion's id */

void
openai_out_init(struct openai_out *o, const struct ident *id, int64_t created_s,
                bool usage)
{
    char text[IDENT_TEXT_LEN];

    memset(o, 0, sizeof(*o));
    ident_text(text, id);
    (void)snprintf(o->id, sizeof(o->id), "chatcmpl-%s", text);
    o->created_s = created_s;
    o->usage = usage;
    buf_init(&o->head, HEAD_MAX);
}

void
openai_out_release(struct openai_out *o)
{
    buf_release(&o->head);
}

void
openai_out_model(struct openai_out *o, const char *s, size_t n)
{
    if (o->begun || n == 0 || n > OPENAI_OUT_MODEL_MAX || memchr(s, '\0', n))
        return;
    memcpy(o->model, s, n);
    o->model[n] = '\0';
}

void
openai_out_names(const struct openai_out *o, struct json_out *j,
                 const char *object)
{
    json_put_str(j, "id", o->id);
    json_put_str(j, "object", object);
    json_put_i64(j, "created", o->created_s);
    json_put_str(j, "model", o->model);
}

/* --- one chunk ------------------------------------------------------------ */

/* "data: {…" up to and without "choices". */
static void
add_names(const struct openai_out *o, struct buf *out)
{
    struct json_out j;

    buf_adds(out, "data: ");
    json_out_init(&j, out);
    json_begin_obj(&j);
    openai_out_names(o, &j, "chat.completion.chunk");
}

static void
chunk_begin(struct openai_out *o, struct buf *out)
{
    if (o->head.len == 0) {
        add_names(o, &o->head);
        buf_adds(&o->head, ",\"choices\":");
        o->names = o->head.len;
        buf_adds(&o->head, "[{\"index\":0,\"delta\":{");
    }
    buf_add(out, o->head.data, o->head.len);
}

static void
chunk_finish(const struct openai_out *o, struct buf *out)
{
    buf_adds(out, o->usage ? ",\"usage\":null}\n\n" : "}\n\n");
}

static void
chunk_end(const struct openai_out *o, struct buf *out)
{
    buf_adds(out, TAIL);
    chunk_finish(o, out);
}

void
openai_out_begin(struct openai_out *o, bool with_calls, struct buf *out)
{
    if (o->begun)
        return;
    chunk_begin(o, out);
    buf_adds(out, "\"role\":\"assistant\",\"content\":");
    buf_adds(out, with_calls ? "null" : "\"\"");
    chunk_end(o, out);
    o->begun = true;
}

/* --- deltas --------------------------------------------------------------- */

/* One delta with text: whole characters, or what never becomes one. */
static void
put_text(struct openai_out *o, enum part_kind kind, int index, const char *s,
         size_t n, struct buf *out)
{
    if (n == 0)
        return;
    openai_out_begin(o, false, out);
    chunk_begin(o, out);
    if (kind == PART_ARGS) {
        buf_adds(out, "\"tool_calls\":[{\"index\":");
        buf_add_i64(out, index);
        buf_adds(out, ",\"function\":{\"arguments\":");
        json_escape(out, s, n);
        buf_adds(out, "}}]");
    } else {
        buf_adds(out,
                 kind == PART_TEXT ? "\"content\":" : "\"reasoning_content\":");
        json_escape(out, s, n);
    }
    chunk_end(o, out);
}

/* What was kept of a character will not be completed. */
static void
put_carry(struct openai_out *o, struct buf *out)
{
    size_t n = o->carry_len;

    o->carry_len = 0;
    put_text(o, o->carry_kind, o->carry_index, o->carry, n, out);
}

/* Complete the kept character with the first bytes of s; returns how many
 * that took. */
static size_t
fill_carry(struct openai_out *o, const char *s, size_t n, struct buf *out)
{
    size_t used = 0, whole;

    while (o->carry_len > 0 && used < n) {
        o->carry[o->carry_len++] = s[used++];
        whole = utf8_whole(o->carry, o->carry_len);
        put_text(o, o->carry_kind, o->carry_index, o->carry, whole, out);
        o->carry_len -= whole; /* a lead byte may follow a broken one */
        memmove(o->carry, o->carry + whole, o->carry_len);
    }
    return used;
}

static void
take_text(struct openai_out *o, const struct part *p, struct buf *out)
{
    const char *s = p->text;
    size_t n = p->len, whole;

    if (o->carry_len > 0 &&
        (o->carry_kind != p->kind || o->carry_index != p->index))
        put_carry(o, out);
    o->carry_kind = p->kind;
    o->carry_index = p->index;
    whole = fill_carry(o, s, n, out);
    s += whole;
    n -= whole;
    if (n == 0)
        return;
    whole = utf8_whole(s, n);
    put_text(o, p->kind, p->index, s, whole, out);
    assert(n - whole < sizeof(o->carry));
    memcpy(o->carry, s + whole, n - whole);
    o->carry_len = n - whole;
}

/* May the choices of a text go out as they came? An event's data is one line,
 * and what a client is sent is UTF-8. */
static bool
is_as_is(const struct openai_out *o, const struct part *p)
{
    return p->choices != NULL && o->carry_len == 0 &&
           memchr(p->choices, '\n', p->choices_len) == NULL &&
           memchr(p->choices, '\r', p->choices_len) == NULL &&
           utf8_valid(p->choices, p->choices_len);
}

static void
pass_choices(struct openai_out *o, const struct part *p, struct buf *out)
{
    openai_out_begin(o, false, out);
    buf_add(out, o->head.data, o->names);
    buf_add(out, p->choices, p->choices_len);
    chunk_finish(o, out);
}

const char *
openai_out_call_id(const struct openai_out *o, const char *said, size_t index,
                   char *room)
{
    size_t n = 0;

    if (said[0] != '\0')
        return said;
    /* The end of the completion's id is random. */
    n = (size_t)snprintf(room, OPENAI_OUT_CALL_ID_MAX, "call_");
    for (const char *s = o->id + strlen(o->id) - CALL_ID_RANDOM; *s != '\0';
         s++)
        if (*s != '-')
            room[n++] = *s;
    (void)snprintf(room + n, OPENAI_OUT_CALL_ID_MAX - n, "%zu", index);
    return room;
}

static bool
is_call(const struct openai_out *o, int index)
{
    return index >= 0 && (size_t)index < o->calls;
}

static void
take_call(struct openai_out *o, const struct part *p, struct buf *out)
{
    char room[OPENAI_OUT_CALL_ID_MAX];
    struct json_out j;

    /* Numbered in the order of beginning: no other number can come. */
    if (p->index < 0 || (size_t)p->index != o->calls ||
        o->calls == OPENAI_OUT_CALLS_MAX)
        return;
    openai_out_begin(o, true, out);
    chunk_begin(o, out);
    json_out_init(&j, out);
    json_name(&j, "tool_calls");
    json_begin_arr(&j);
    json_begin_obj(&j);
    json_put_i64(&j, "index", p->index);
    json_put_str(&j, "id", openai_out_call_id(o, p->id, o->calls, room));
    json_put_str(&j, "type", "function");
    json_name(&j, "function");
    json_begin_obj(&j);
    json_put_str(&j, "name", p->name);
    json_put_str(&j, "arguments", "");
    json_end_obj(&j);
    json_end_obj(&j);
    json_end_arr(&j);
    chunk_end(o, out);
    o->calls++;
}

void
openai_out_signature(struct json_out *j, const char *s, size_t n)
{
    if (n > 0 && s[0] == '{') { /* beside a call on this very wire */
        if (json_check(s, n, NULL) == OK && !memchr(s, '\n', n) &&
            !memchr(s, '\r', n)) /* an event's data is one line */
            json_put_raw(j, "extra_content", s, n);
        return;
    }
    json_name(j, "extra_content");
    json_begin_obj(j);
    json_name(j, "google");
    json_begin_obj(j);
    json_put_strn(j, "thought_signature", s, n);
    json_end_obj(j);
    json_end_obj(j);
}

static void
take_signature(struct openai_out *o, const struct part *p, struct buf *out)
{
    struct json_out j;

    if (!is_call(o, p->index) || p->len == 0)
        return;
    chunk_begin(o, out);
    json_out_init(&j, out);
    json_name(&j, "tool_calls");
    json_begin_arr(&j);
    json_begin_obj(&j);
    json_put_i64(&j, "index", p->index);
    openai_out_signature(&j, p->text, p->len);
    json_end_obj(&j);
    json_end_arr(&j);
    chunk_end(o, out);
}

void
openai_out_part(struct openai_out *o, const struct part *p, struct buf *out)
{
    assert(!o->ended);
    switch (p->kind) {
    case PART_TEXT:
    case PART_REASONING:
        if (is_as_is(o, p))
            pass_choices(o, p, out);
        else if (p->len > 0)
            take_text(o, p, out);
        break;
    case PART_ARGS:
        if (p->len == 0 || !is_call(o, p->index))
            break;
        o->has_args[p->index] = true;
        take_text(o, p, out);
        break;
    case PART_CALL:
        put_carry(o, out);
        take_call(o, p, out);
        break;
    case PART_SIGNATURE: take_signature(o, p, out); break;
    case PART_MODEL: openai_out_model(o, p->text, p->len); break;
    default: break;
    }
}

/* --- the end -------------------------------------------------------------- */

const char *
openai_out_finish(enum finish finish)
{
    switch (finish) {
    case FINISH_LENGTH:
    case FINISH_TOOL_CALLS:
    case FINISH_FILTER: return finish_name(finish);
    default: return "stop"; /* also what its user stopped */
    }
}

void
openai_out_usage(struct json_out *j, const struct usage *u)
{
    int64_t in = u->input_tokens, out = u->output_tokens;

    json_name(j, "usage");
    if (in < 0 && out < 0) {
        json_add_null(j);
        return;
    }
    json_begin_obj(j);
    json_put_count(j, "prompt_tokens", in);
    json_put_count(j, "completion_tokens", out);
    json_put_count(j, "total_tokens", in < 0 || out < 0 ? -1 : in + out);
    if (u->cached_tokens >= 0) {
        json_name(j, "prompt_tokens_details");
        json_begin_obj(j);
        json_put_i64(j, "cached_tokens", u->cached_tokens);
        json_end_obj(j);
    }
    json_end_obj(j);
}

static void
put_usage_chunk(const struct openai_out *o, const struct usage *u,
                struct buf *out)
{
    struct json_out j = {.buf = out, .comma = true};

    add_names(o, out);
    json_name(&j, "choices");
    json_begin_arr(&j);
    json_end_arr(&j);
    openai_out_usage(&j, u);
    buf_adds(out, "}\n\n");
}

void
openai_out_end(struct openai_out *o, enum finish finish, const struct usage *u,
               struct buf *out)
{
    assert(!o->ended);
    put_carry(o, out);
    openai_out_begin(o, false, out);
    for (size_t i = 0; i < o->calls; i++)
        if (!o->has_args[i])
            put_text(o, PART_ARGS, (int)i, "{}", 2, out);
    chunk_begin(o, out);
    buf_adds(out, "},\"finish_reason\":\"");
    buf_adds(out, openai_out_finish(finish));
    buf_adds(out, "\"}]");
    chunk_finish(o, out);
    if (o->usage)
        put_usage_chunk(o, u, out);
    buf_adds(out, "data: [DONE]\n\n");
    o->ended = true;
}

void
openai_out_error(struct openai_out *o, const struct problem *p, struct buf *out)
{
    assert(!o->ended);
    put_carry(o, out);
    buf_adds(out, "data: ");
    openai_out_problem(out, p, NULL);
    buf_adds(out, "\n\n");
    o->ended = true;
}
