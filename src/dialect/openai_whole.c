/*
 * The answer in one piece. Texts are gathered as they come, so that a
 * character cut by the provider is whole again, and escaped once. Pure.
 */
#include "base/base.h"

#include "dialect/openai_whole.h"

#include "base/json.h"
#include "base/mem.h"

struct openai_whole_call {
    char *id, *name; /* owned */
    struct buf args, signature;
};

void
openai_whole_init(struct openai_whole *w)
{
    memset(w, 0, sizeof(*w));
    buf_init(&w->text, OPENAI_WHOLE_MAX);
    buf_init(&w->thought, OPENAI_WHOLE_MAX);
}

void
openai_whole_release(struct openai_whole *w)
{
    for (size_t i = 0; i < w->n_calls; i++) {
        free(w->calls[i].id);
        free(w->calls[i].name);
        buf_release(&w->calls[i].args);
        buf_release(&w->calls[i].signature);
    }
    free(w->calls);
    buf_release(&w->text);
    buf_release(&w->thought);
    openai_whole_init(w);
}

static void
begin_call(struct openai_whole *w, const struct part *p)
{
    struct openai_whole_call *c;

    if (p->index < 0 || (size_t)p->index != w->n_calls ||
        w->n_calls == OPENAI_OUT_CALLS_MAX)
        return;
    if (w->n_calls == w->cap) {
        w->cap = w->cap > 0 ? 2 * w->cap : 4;
        w->calls = xrealloc(w->calls, w->cap * sizeof(*w->calls));
    }
    c = &w->calls[w->n_calls++];
    c->id = xstrdup(p->id);
    c->name = xstrdup(p->name);
    buf_init(&c->args, OPENAI_WHOLE_MAX);
    buf_init(&c->signature, OPENAI_WHOLE_MAX);
}

static void
add_to_call(struct openai_whole *w, const struct part *p)
{
    struct openai_whole_call *c;

    if (p->index < 0 || (size_t)p->index >= w->n_calls || p->len == 0)
        return;
    if (p->len > OPENAI_WHOLE_MAX - w->args) {
        w->over = true;
        return;
    }
    w->args += p->len;
    c = &w->calls[p->index];
    if (p->kind == PART_SIGNATURE)
        buf_clear(&c->signature); /* it replaces an earlier one */
    buf_add(p->kind == PART_SIGNATURE ? &c->signature : &c->args, p->text,
            p->len);
}

void
openai_whole_part(struct openai_whole *w, struct openai_out *o,
                  const struct part *p)
{
    switch (p->kind) {
    case PART_TEXT:
        if (p->len > 0)
            buf_add(&w->text, p->text, p->len);
        break;
    case PART_REASONING:
        if (p->len > 0)
            buf_add(&w->thought, p->text, p->len);
        break;
    case PART_CALL: begin_call(w, p); break;
    case PART_ARGS:
    case PART_SIGNATURE: add_to_call(w, p); break;
    case PART_MODEL: openai_out_model(o, p->text, p->len); break;
    default: break;
    }
}

enum err
openai_whole_status(const struct openai_whole *w)
{
    return w->over || w->text.over || w->thought.over ? ERR_TOOBIG : OK;
}

/* --- the reply ------------------------------------------------------------ */

static void
put_call(struct json_out *j, const struct openai_out *o,
         const struct openai_whole_call *c, size_t index)
{
    char room[OPENAI_OUT_CALL_ID_MAX];

    json_begin_obj(j);
    json_put_str(j, "id", openai_out_call_id(o, c->id, index, room));
    json_put_str(j, "type", "function");
    json_name(j, "function");
    json_begin_obj(j);
    json_put_str(j, "name", c->name);
    if (c->args.len > 0)
        json_put_strn(j, "arguments", c->args.data, c->args.len);
    else
        json_put_str(j, "arguments", "{}");
    json_end_obj(j);
    if (c->signature.len > 0)
        openai_out_signature(j, c->signature.data, c->signature.len);
    json_end_obj(j);
}

static void
put_message(struct json_out *j, const struct openai_whole *w,
            const struct openai_out *o)
{
    json_name(j, "message");
    json_begin_obj(j);
    json_put_str(j, "role", "assistant");
    if (w->text.len > 0)
        json_put_strn(j, "content", w->text.data, w->text.len);
    else
        json_put_str(j, "content", w->n_calls > 0 ? NULL : "");
    json_put_str(j, "refusal", NULL);
    if (w->thought.len > 0)
        json_put_strn(j, "reasoning_content", w->thought.data, w->thought.len);
    if (w->n_calls > 0) {
        json_name(j, "tool_calls");
        json_begin_arr(j);
        for (size_t i = 0; i < w->n_calls; i++)
            put_call(j, o, &w->calls[i], i);
        json_end_arr(j);
    }
    json_end_obj(j);
}

void
openai_whole_json(const struct openai_whole *w, const struct openai_out *o,
                  enum finish finish, const struct usage *u, struct buf *out)
{
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    openai_out_names(o, &j, "chat.completion");
    json_name(&j, "choices");
    json_begin_arr(&j);
    json_begin_obj(&j);
    json_put_i64(&j, "index", 0);
    put_message(&j, w, o);
    json_put_str(&j, "logprobs", NULL);
    json_put_str(&j, "finish_reason", openai_out_finish(finish));
    json_end_obj(&j);
    json_end_arr(&j);
    openai_out_usage(&j, u);
    json_end_obj(&j);
}
