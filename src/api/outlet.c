/*
 * Outlets. The request is kept until the head is sent, because an early
 * failure is answered with a status of its own; then it is freed, since a
 * stream may live for minutes. Everything but outlet_new runs on the loop
 * thread.
 *
 * A stream's head goes out with the first event, or at the first ping if the
 * turn has to wait for its session: before the head, a web server does not
 * notice that its client left.
 */
#include "base/base.h"

#include "api/outlet_reply.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/metric.h"
#include "chat/result.h"
#include "dialect/sse.h"
#include "http/sse.h"

#define FIRST_PING_MS 1000 /* the head of a stream that waits is sent then */

static struct outlet *
outlet_of(struct reader *r)
{
    return (struct outlet *)(void *)r;
}

static struct outlet *
outlet_of_way(struct way *w)
{
    return (struct outlet *)(void *)((char *)w - offsetof(struct outlet, way));
}

static void
outlet_free(struct outlet *o)
{
    assert(o->r.stream == NULL);
    loop_timer_clear(engine_loop(o->app->en), &o->timer);
    way_release(&o->way);
    buf_release(&o->body);
    free(o->who);
    free(o->failed);
    free(o);
}

/* --- the way out --------------------------------------------------------- */

static void
on_room(struct way *w)
{
    reader_resume(&outlet_of_way(w)->r);
}

static void
on_left(struct way *w)
{
    struct outlet *o = outlet_of_way(w);

    reader_detach(&o->r);
    outlet_free(o);
}

static void
on_over(struct way *w)
{
    outlet_free(outlet_of_way(w));
}

static const struct way_calls way_calls = {
    .room = on_room,
    .left = on_left,
    .free = on_over,
};

/* Everything is written. */
static void
outlet_over(struct outlet *o)
{
    loop_timer_clear(engine_loop(o->app->en), &o->timer);
    way_over(&o->way);
}

/* --- streams ------------------------------------------------------------- */

static void
text_event(const struct event *ev, struct buf *out)
{
    if (ev->type == EVENT_CHUNK)
        buf_add(out, ev->data, ev->len);
}

/* --- reader operations --------------------------------------------------- */

static void
outlet_attached(struct reader *r)
{
    struct outlet *o = outlet_of(r);
    struct loop *l = engine_loop(o->app->en);

    ident_text(o->turn, stream_id(r->stream)); /* another if it joined one */
    if (o->attached)
        return;
    o->attached = true;
    r->sent_ms = loop_now_ms(l) + FIRST_PING_MS - o->app->ping_ms;
    way_watch(&o->way);
    if (o->kind == OUTLET_SSE && o->follow)
        r->blocked = way_sent(&o->way, outlet_head(o)) == ERR_AGAIN;
    if (o->kind == OUTLET_EVENTS)
        loop_timer_set(l, &o->timer, loop_now_ms(l) + 1 + o->wait_ms);
}

static void
outlet_event(struct reader *r, const struct event *ev, struct buf *out)
{
    struct outlet *o = outlet_of(r);

    switch (o->kind) {
    case OUTLET_SSE: dialect_sse(out, o->turn, ev); return;
    case OUTLET_TEXT:
        text_event(ev, out);
        if (ev->type == EVENT_ERROR)
            outlet_read_failed(o, ev);
        return;
    case OUTLET_EVENTS: outlet_events_body(o, ev); break;
    case OUTLET_DETACH:
        if (o->body.len == 0)
            outlet_detach_body(o, ev);
        break;
    default:
        if (ev->type == EVENT_ERROR && o->kind == OUTLET_JSON)
            outlet_read_failed(o, ev);
        buf_add(&o->body, ev->data, ev->len);
        break;
    }
    buf_addc(out, '.'); /* something came: the hub calls send */
}

/* Who signed out meanwhile hears no more of it; the turn goes on. */
static bool
may_hear(struct outlet *o)
{
    return who_still(o->app, o->who, &o->asked_ms,
                     loop_now_ms(engine_loop(o->app->en)));
}

static enum err
outlet_send(struct reader *r, const struct buf *out, bool last)
{
    struct outlet *o = outlet_of(r);
    enum err e = OK;
    bool failed;

    if (!may_hear(o))
        return way_sent(&o->way, ERR_HUP);

    if (o->kind != OUTLET_SSE && o->kind != OUTLET_TEXT) {
        e = outlet_whole(o, last);
        return way_sent(&o->way, e);
    }
    failed = last && o->kind == OUTLET_TEXT && o->failed != NULL;
    if (out->len == 0 && (!last || failed))
        return failed ? way_sent(&o->way, outlet_text_failed(o)) : OK;
    if (o->way.rq != NULL)
        e = outlet_head(o);
    if (e == OK || e == ERR_AGAIN)
        e = last && !failed ? conn_end(o->way.conn, out->data, out->len)
                            : conn_send(o->way.conn, out->data, out->len);
    if (failed && (e == OK || e == ERR_AGAIN))
        e = outlet_text_failed(o); /* behind what came of the text */
    return way_sent(&o->way, e);
}

static enum err
outlet_ping(struct reader *r)
{
    struct outlet *o = outlet_of(r);
    enum err e = OK;

    if (!may_hear(o))
        return way_sent(&o->way, ERR_HUP);
    if (o->kind != OUTLET_SSE && o->kind != OUTLET_TEXT)
        return OK;
    if (o->way.rq != NULL)
        e = outlet_head(o);
    else if (o->kind == OUTLET_SSE)
        e = conn_send(o->way.conn, SSE_PING, sizeof(SSE_PING) - 1);
    e = way_sent(&o->way, e);
    r->blocked = e == ERR_AGAIN;
    return e;
}

static void
outlet_fail(struct reader *r, const struct problem *p)
{
    struct outlet *o = outlet_of(r);
    struct buf data, out;
    struct event ev = {.type = EVENT_ERROR};
    enum err e;

    if (p == NULL) {
        e = outlet_nothing(o);
    } else if (o->way.rq != NULL) {
        e = reply_problem(o->way.rq, p, NULL);
    } else if (o->kind == OUTLET_TEXT) {
        outlet_keep_failed(o, p);
        e = outlet_text_failed(o);
    } else {
        struct result res = {.problem = p,
                             .session_id = "",
                             .provider = "",
                             .model = "",
                             .finish = FINISH_ERROR,
                             .text = ""};

        buf_init(&data, REPLY_HEAD_MAX);
        buf_init(&out, 2 * REPLY_HEAD_MAX);
        result_json(&data, &res);
        ev.data = data.data;
        ev.len = data.len;
        ev.seq = r->after + 1;
        dialect_sse(&out, o->turn, &ev);
        e = conn_end(o->way.conn, out.data, out.len);
        buf_release(&data);
        buf_release(&out);
    }
    IGNORE(way_sent(&o->way, e)); /* done() looks at what is left */
}

static void
outlet_done(struct reader *r)
{
    outlet_over(outlet_of(r));
}

static const struct reader_ops outlet_ops = {
    .attached = outlet_attached,
    .event = outlet_event,
    .send = outlet_send,
    .ping = outlet_ping,
    .fail = outlet_fail,
    .done = outlet_done,
};

/* Polling: nothing came in time. */
static void
on_wait_over(struct loop_timer *t)
{
    struct outlet *o = t->arg;

    reader_detach(&o->r);
    buf_adds(&o->body, "{\"events\":[");
    IGNORE(outlet_whole(o, false)); /* the way sees what is left */
    outlet_over(o);
}

struct outlet *
outlet_new(struct app *app, struct request *rq, enum outlet_kind kind)
{
    struct outlet *o = xcalloc(1, sizeof(*o));

    o->app = app;
    o->kind = kind;
    if (rq->who != NULL && rq->who->way != IDENTITY_ANONYMOUS) {
        o->who = xmalloc(sizeof(*o->who));
        *o->who = *rq->who;
    }
    way_init(&o->way, app->en, rq, &way_calls);
    o->r.ops = &outlet_ops;
    o->r.ends_only = kind == OUTLET_JSON || kind == OUTLET_STOPPED;
    o->r.once = kind == OUTLET_EVENTS || kind == OUTLET_DETACH;
    o->timer.fn = on_wait_over;
    o->timer.arg = o;
    buf_init(&o->body, OUTLET_REPLY_MAX);
    return o;
}

void
outlet_after(struct outlet *o, uint32_t seq, int64_t wait_ms)
{
    o->follow = true;
    o->r.after = seq;
    o->wait_ms = wait_ms;
}

struct reader *
outlet_reader(struct outlet *o)
{
    return &o->r;
}
