/*
 * Tool calls that are passed through. A call is one event: who runs it can do
 * so only when its arguments are complete. Loop thread.
 */
#include "base/base.h"

#include "chat/turn_calls.h"

#include "base/json.h"
#include "base/mem.h"

struct call {
    char *id, *name; /* owned */
    struct buf args;
};

struct turn_calls {
    struct call list[TURN_CALLS_MAX];
    size_t n;
    size_t bytes; /* of all arguments */
    bool logged;
};

static void
begin(struct turn *t, const struct part *p)
{
    struct turn_calls *c = t->calls;
    struct call *call;

    if (c == NULL)
        c = t->calls = xcalloc(1, sizeof(*c));
    if (p->index < 0 || (size_t)p->index != c->n || c->n == TURN_CALLS_MAX)
        return;
    call = &c->list[c->n++];
    call->id = xstrdup(p->id);
    call->name = xstrdup(p->name);
    buf_init(&call->args, TURN_CALLS_BYTES);
}

void
turn_calls_add(struct turn *t, const struct part *p)
{
    struct turn_calls *c = t->calls;

    if (t->ask->ask.n_tools == 0)
        return;
    if (p->kind == PART_CALL) {
        begin(t, p);
        return;
    }
    if (c == NULL || p->index < 0 || (size_t)p->index >= c->n || p->len == 0)
        return;
    if (p->len > TURN_CALLS_BYTES - c->bytes) {
        t->too_long = true;
        return;
    }
    c->bytes += p->len;
    buf_add(&c->list[p->index].args, p->text, p->len);
}

static void
put_call(struct json_out *j, const struct call *c)
{
    json_begin_obj(j);
    json_put_str(j, "id", c->id);
    json_put_str(j, "name", c->name);
    if (c->args.len > 0)
        json_put_strn(j, "arguments", c->args.data, c->args.len);
    else
        json_put_str(j, "arguments", "{}");
    json_end_obj(j);
}

enum err
turn_calls_log(struct turn *t)
{
    struct turn_calls *c = t->calls;
    struct json_out j;
    struct buf json;
    enum err e = OK;

    if (c == NULL || c->logged)
        return OK;
    c->logged = true;
    for (size_t i = 0; i < c->n && e == OK; i++) {
        buf_init(&json, TURN_CALLS_JSON);
        json_out_init(&j, &json);
        put_call(&j, &c->list[i]);
        e = stream_append(t->stream, EVENT_TOOL_CALL, json.data, json.len);
        buf_release(&json);
    }
    return e;
}

void
turn_calls_json(struct buf *out, const struct turn *t)
{
    struct json_out j;

    json_out_init(&j, out);
    json_begin_arr(&j);
    for (size_t i = 0; t->calls != NULL && i < t->calls->n; i++)
        put_call(&j, &t->calls->list[i]);
    json_end_arr(&j);
}

void
turn_calls_free(struct turn *t)
{
    for (size_t i = 0; t->calls != NULL && i < t->calls->n; i++) {
        free(t->calls->list[i].id);
        free(t->calls->list[i].name);
        buf_release(&t->calls->list[i].args);
    }
    free(t->calls);
    t->calls = NULL;
}
