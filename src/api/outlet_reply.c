/*
 * What an outlet writes: the head of a stream, and the replies that are whole
 * (the answer as JSON, one array of events, 202, 204, an early failure). Loop
 * thread.
 */
#include "base/base.h"

#include "api/outlet_reply.h"

#include "base/json.h"
#include "base/mem.h"
#include "dialect/sse.h"
#include "http/sse.h"

/* The head and the first bytes of a stream, before what is in out. */
enum err
outlet_head(struct outlet *o)
{
    struct buf head;
    enum err e;

    buf_init(&head, REPLY_HEAD_MAX);
    if (o->kind == OUTLET_SSE) {
        reply_stream_head(&head, o->way.rq, "text/event-stream", NULL);
        buf_adds(&head, SSE_OK SSE_RETRY);
    } else {
        reply_stream_head(&head, o->way.rq, "text/plain; charset=utf-8", NULL);
    }
    way_head_done(&o->way);
    e = conn_send(o->way.conn, head.data, head.len);
    buf_release(&head);
    return e;
}

void
outlet_keep_failed(struct outlet *o, const struct problem *p)
{
    if (o->failed == NULL)
        o->failed = xmalloc(sizeof(*o->failed));
    *o->failed = *p;
}

void
outlet_problem(const struct event *ev, struct problem *p)
{
    cJSON *j = json_parse_lenient(ev->data, ev->len);
    const char *code = json_str(j, "code");
    const char *error = json_str(j, "error");
    const char *message = json_str(j, "message");
    const char *kind = json_str(j, "kind");
    enum err e = ERR_UPSTREAM;

    memset(p, 0, sizeof(*p));
    for (int i = OK + 1; kind != NULL && i < ERR__MAX; i++)
        if (strcmp(kind, err_code((enum err)i)) == 0)
            e = (enum err)i;
    (void)problem_set(p, e, code, error, "%s", message != NULL ? message : "");
    p->status = (int)json_i64(j, "status", 0);
    p->retry_after_s = (int)json_i64(j, "retry_after", 0);
    cJSON_Delete(j);
}

void
outlet_read_failed(struct outlet *o, const struct event *ev)
{
    struct problem p;

    outlet_problem(ev, &p);
    outlet_keep_failed(o, &p);
}

/* The first event of a turn that was detached. */
void
outlet_detach_body(struct outlet *o, const struct event *ev)
{
    buf_add(&o->body, ev->data, ev->len - 1);
    buf_addf(&o->body, ",\"stream_url\":\"%s/chat/stream?turn_id=%s\"}",
             o->way.rq->base, o->turn);
}

/* One more event of the array that polling gives. */
void
outlet_events_body(struct outlet *o, const struct event *ev)
{
    buf_adds(&o->body, o->body.len == 0 ? "{\"events\":[" : ",");
    dialect_event_data(&o->body, ev, ev->seq);
}

static enum err
reply_whole(struct outlet *o, int status, const char *extra_json)
{
    struct reply rp;
    struct buf *body;

    reply_begin(&rp, o->way.rq, status, OUTLET_REPLY_MAX);
    if (o->failed != NULL && o->failed->retry_after_s > 0)
        reply_header(&rp, "Retry-After", "%d", o->failed->retry_after_s);
    if (o->failed != NULL)
        reply_quota(&rp, o->failed);
    body = reply_body(&rp, "application/json");
    buf_add(body, o->body.data, o->body.len);
    buf_adds(body, extra_json);
    return reply_end(&rp);
}

/* Send the reply of a whole kind: its one event has come. */
enum err
outlet_whole(struct outlet *o, bool last)
{
    char tail[REQUEST_ID_MAX + 64];

    switch (o->kind) {
    case OUTLET_EVENTS:
        (void)snprintf(tail, sizeof(tail),
                       "],\"next\":%" PRIu32 ",\"done\":%s}", o->r.after,
                       last ? "true" : "false");
        return reply_whole(o, 200, tail);
    case OUTLET_DETACH: return reply_whole(o, 202, "");
    case OUTLET_STOPPED: return reply_whole(o, 200, "");
    default:
        if (o->failed == NULL)
            return reply_whole(o, 200, "");
        /* The error event's members, and whose request it was. */
        o->body.len--;
        (void)snprintf(tail, sizeof(tail), ",\"request_id\":\"%s\"}",
                       o->way.rq->id);
        return reply_whole(o, reply_status(o->failed), tail);
    }
}

/* An answer that failed before any text, to a client that wants text. */
enum err
outlet_text_failed(struct outlet *o)
{
    struct buf tail;
    enum err e;

    if (o->way.rq != NULL)
        return reply_problem(o->way.rq, o->failed, NULL);
    buf_init(&tail, REPLY_HEAD_MAX);
    buf_addf(&tail, "\n\n[%s: %s]\n", o->failed->code, o->failed->message);
    e = conn_end(o->way.conn, tail.data, tail.len);
    buf_release(&tail);
    return e;
}

/* Reply with 204: everything was seen. EventSource stops by itself. */
enum err
outlet_nothing(struct outlet *o)
{
    struct reply rp;

    if (o->kind == OUTLET_EVENTS) {
        buf_adds(&o->body, "{\"events\":[");
        return outlet_whole(o, true);
    }
    reply_begin(&rp, o->way.rq, 204, 0);
    return reply_end(&rp);
}
