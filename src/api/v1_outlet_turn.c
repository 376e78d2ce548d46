/*
 * The answer of a turn, from its stream log, in OpenAI's dialect. The hub may
 * ask to encode events again, from one that was sent in part (chat/hub.c), so
 * encoding one must not depend on what was encoded before: the encoder is set
 * to where the event is. Runs on the loop thread.
 */
#include "base/base.h"

#include "api/v1_outlet_inside.h"

#include "api/outlet.h"
#include "base/json.h"

static struct v1_outlet *
of_reader(struct reader *r)
{
    return (struct v1_outlet *)(void *)r;
}

static void
on_attached(struct reader *r)
{
    way_watch(&of_reader(r)->way);
}

static void
take_part(struct v1_outlet *o, const struct part *p, struct buf *out)
{
    if (o->whole != NULL)
        openai_whole_part(o->whole, &o->enc, p);
    else
        openai_out_part(&o->enc, p, out);
}

static void
take_text(struct v1_outlet *o, enum part_kind kind, const struct event *ev,
          struct buf *out)
{
    struct part p = {.kind = kind, .text = ev->data, .len = ev->len};

    take_part(o, &p, out);
}

static void
take_start(struct v1_outlet *o, const cJSON *j, struct buf *out)
{
    const char *model = json_str(j, "model");

    o->enc.begun = false; /* if it is encoded again */
    if (model != NULL)
        openai_out_model(&o->enc, model, strlen(model));
    if (o->whole == NULL)
        openai_out_begin(&o->enc, false, out);
}

/* Calls are logged one behind the other. */
static void
take_call(struct v1_outlet *o, const cJSON *j, uint32_t seq, struct buf *out)
{
    const char *id = json_str(j, "id"), *name = json_str(j, "name");
    const char *args = json_str(j, "arguments");
    struct part p = {.kind = PART_CALL};

    if (!o->at.calls)
        o->at.first_call = seq;
    o->at.calls = true;
    p.index = (int)(seq - o->at.first_call);
    p.id = id != NULL ? id : "";
    p.name = name != NULL ? name : "";
    if (o->whole == NULL)
        o->enc.calls = (size_t)p.index;
    take_part(o, &p, out);
    p.kind = PART_ARGS;
    p.text = args != NULL ? args : "";
    p.len = strlen(p.text);
    take_part(o, &p, out);
}

static void
take_end(struct v1_outlet *o, const cJSON *j, struct buf *out)
{
    const char *finish = json_str(j, "finish_reason");
    const cJSON *usage = json_obj(j, "usage");

    o->finish = FINISH_STOP;
    for (int i = FINISH_NONE; finish != NULL && i < FINISH__MAX; i++)
        if (strcmp(finish, finish_name((enum finish)i)) == 0)
            o->finish = (enum finish)i;
    o->usage.input_tokens = json_i64(usage, "input_tokens", -1);
    o->usage.output_tokens = json_i64(usage, "output_tokens", -1);
    o->usage.cached_tokens = json_i64(usage, "cached_tokens", -1);
    o->enc.ended = false; /* if it is encoded again */
    if (o->whole == NULL)
        openai_out_end(&o->enc, o->finish, &o->usage, out);
}

static void
on_event(struct reader *r, const struct event *ev, struct buf *out)
{
    struct v1_outlet *o = of_reader(r);
    cJSON *j = NULL;

    if (ev->type != EVENT_CHUNK && ev->type != EVENT_REASONING)
        j = json_parse_lenient(ev->data, ev->len);
    switch (ev->type) {
    case EVENT_START: take_start(o, j, out); break;
    case EVENT_CHUNK: take_text(o, PART_TEXT, ev, out); break;
    case EVENT_REASONING: take_text(o, PART_REASONING, ev, out); break;
    case EVENT_TOOL_CALL: take_call(o, j, ev->seq, out); break;
    case EVENT_COMPLETE:
    case EVENT_CANCELLED: take_end(o, j, out); break;
    case EVENT_ERROR: outlet_problem(ev, &o->problem); break;
    default: break;
    }
    cJSON_Delete(j);
    if (o->whole != NULL)
        buf_addc(out, '.'); /* something came: the hub calls send */
}

static enum err
on_send(struct reader *r, const struct buf *out, bool last)
{
    struct v1_outlet *o = of_reader(r);
    enum err e = OK;

    if (o->whole != NULL)
        return last ? v1_outlet_send_whole(o) : OK;
    if (last && o->problem.err != OK) {
        if (out->len > 0)
            e = v1_outlet_send(o, out->data, out->len, false);
        return e == OK || e == ERR_AGAIN ? v1_outlet_send_failed(o) : e;
    }
    return out->len > 0 || last ? v1_outlet_send(o, out->data, out->len, last)
                                : OK;
}

static enum err
on_ping(struct reader *r)
{
    enum err e = v1_outlet_ping(of_reader(r));

    r->blocked = e == ERR_AGAIN;
    return e;
}

static void
on_fail(struct reader *r, const struct problem *p)
{
    struct v1_outlet *o = of_reader(r);

    if (p != NULL)
        o->problem = *p;
    else
        (void)problem_set(&o->problem, ERR_INTERNAL, NULL, NULL, NULL);
    IGNORE(v1_outlet_send_failed(o)); /* done looks at what is left */
}

static void
on_done(struct reader *r)
{
    v1_outlet_over(of_reader(r));
}

const struct reader_ops v1_outlet_reader_ops = {
    .attached = on_attached,
    .event = on_event,
    .send = on_send,
    .ping = on_ping,
    .fail = on_fail,
    .done = on_done,
};
