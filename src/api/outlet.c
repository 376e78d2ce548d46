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

#include <sys/epoll.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/metric.h"
#include "chat/result.h"
#include "dialect/sse.h"
#include "http/sse.h"

#define FIRST_PING_MS 1000 /* the head of a stream that waits is sent then */

static void on_io(struct loop_io *io, uint32_t events);

static struct outlet *
outlet_of(struct reader *r)
{
    return (struct outlet *)(void *)r;
}

static void
outlet_free(struct outlet *o)
{
    struct loop *l = engine_loop(o->en);

    assert(o->r.stream == NULL);
    loop_timer_clear(l, &o->timer);
    loop_io_forget(l, &o->io);
    if (o->rq != NULL)
        request_free(o->rq); /* with the conn */
    else
        conn_free(o->conn);
    if (o->lingers)
        engine_release(o->en, &o->hold);
    buf_release(&o->body);
    free(o->failed);
    free(o);
}

/* What tells that the client left. Behind Apache's mod_cgid the descriptor is
 * a socket that is half closed from the start: no sign of anything there. */
static uint32_t
left_events(const struct outlet *o)
{
    return o->conn->kind == CONN_CGI ? EPOLLHUP : EPOLLRDHUP;
}

/* The process ends before its client has taken it all. */
static void
on_hold_dropped(struct engine_hold *h)
{
    outlet_free(h->arg);
}

/* Everything is written; what the kernel did not take is flushed first. */
static void
outlet_over(struct outlet *o, enum err e)
{
    struct loop *l = engine_loop(o->en);

    o->over = true;
    loop_timer_clear(l, &o->timer);
    if (e == ERR_AGAIN &&
        loop_io_set(l, &o->io, EPOLLOUT | left_events(o)) == OK) {
        o->lingers = true;
        o->hold.drop = on_hold_dropped;
        o->hold.arg = o;
        engine_hold(o->en, &o->hold);
        return;
    }
    outlet_free(o);
}

static void
on_io(struct loop_io *io, uint32_t events)
{
    struct outlet *o = io->arg;
    enum err e = OK;

    if (events & (EPOLLHUP | EPOLLERR))
        e = ERR_HUP;
    else if (events & EPOLLOUT)
        e = conn_flush(o->conn);
    if (e == OK && (events & EPOLLRDHUP))
        e = ERR_HUP;
    if (e == ERR_AGAIN)
        return;
    if (e != OK || o->over) {
        reader_detach(&o->r);
        outlet_free(o);
        return;
    }
    if (loop_io_set(engine_loop(o->en), &o->io, left_events(o)) != OK) {
        reader_detach(&o->r);
        outlet_free(o);
        return;
    }
    reader_resume(&o->r);
}

/* After a send: watch for room if there was none. */
static enum err
outlet_sent(struct outlet *o, enum err e)
{
    if (e == ERR_AGAIN && loop_io_set(engine_loop(o->en), &o->io,
                                      EPOLLOUT | left_events(o)) != OK)
        return ERR_HUP;
    return e;
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
    struct loop *l = engine_loop(o->en);

    ident_text(o->turn, stream_id(r->stream)); /* another if it joined one */
    if (o->attached)
        return;
    o->attached = true;
    r->sent_ms = loop_now_ms(l) + FIRST_PING_MS - o->app->ping_ms;
    /* Not for a CGI whose output is a file; writing there never waits. */
    IGNORE(loop_io_set(l, &o->io, left_events(o)));
    if (o->kind == OUTLET_SSE && o->follow)
        r->blocked = outlet_sent(o, outlet_head(o)) == ERR_AGAIN;
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

static enum err
outlet_send(struct reader *r, const struct buf *out, bool last)
{
    struct outlet *o = outlet_of(r);
    enum err e = OK;
    bool failed;

    if (o->kind != OUTLET_SSE && o->kind != OUTLET_TEXT) {
        e = outlet_whole(o, last);
        o->over = true;
        return outlet_sent(o, e);
    }
    failed = last && o->kind == OUTLET_TEXT && o->failed != NULL;
    o->over = last;
    if (out->len == 0 && (!last || failed))
        return failed ? outlet_sent(o, outlet_text_failed(o)) : OK;
    if (o->rq != NULL)
        e = outlet_head(o);
    if (e == OK || e == ERR_AGAIN)
        e = last && !failed ? conn_end(o->conn, out->data, out->len)
                            : conn_send(o->conn, out->data, out->len);
    if (failed && (e == OK || e == ERR_AGAIN))
        e = outlet_text_failed(o); /* behind what came of the text */
    return outlet_sent(o, e);
}

static enum err
outlet_ping(struct reader *r)
{
    struct outlet *o = outlet_of(r);
    enum err e = OK;

    if (o->kind != OUTLET_SSE && o->kind != OUTLET_TEXT)
        return OK;
    if (o->rq != NULL)
        e = outlet_head(o);
    else if (o->kind == OUTLET_SSE)
        e = conn_send(o->conn, SSE_PING, sizeof(SSE_PING) - 1);
    e = outlet_sent(o, e);
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
    } else if (o->rq != NULL) {
        e = reply_problem(o->rq, p, NULL);
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
        e = conn_end(o->conn, out.data, out.len);
        buf_release(&data);
        buf_release(&out);
    }
    o->over = true;
    IGNORE(outlet_sent(o, e)); /* done() looks at what is left */
}

static void
outlet_done(struct reader *r)
{
    struct outlet *o = outlet_of(r);

    /* What is left of a whole answer goes out before the end. */
    outlet_over(
        o, o->over && !o->conn->gone && o->conn->rest.len > 0 ? ERR_AGAIN : OK);
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
    enum err e;

    reader_detach(&o->r);
    buf_adds(&o->body, "{\"events\":[");
    e = outlet_whole(o, false);
    outlet_over(o, outlet_sent(o, e));
}

struct outlet *
outlet_new(struct app *app, struct request *rq, enum outlet_kind kind)
{
    struct outlet *o = xcalloc(1, sizeof(*o));

    o->app = app;
    o->en = app->en;
    o->rq = rq;
    o->conn = rq->conn;
    o->kind = kind;
    o->r.ops = &outlet_ops;
    o->r.ends_only = kind == OUTLET_JSON || kind == OUTLET_STOPPED;
    o->r.once = kind == OUTLET_EVENTS || kind == OUTLET_DETACH;
    o->io.fd = o->conn->fd;
    o->io.fn = on_io;
    o->io.arg = o;
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

/* --- the rest of an answered request ------------------------------------- */

static void
on_drain(struct mail *m)
{
    outlet_over(m->arg, ERR_AGAIN);
}

static void
on_drain_dropped(struct mail *m)
{
    outlet_free(m->arg);
}

void
outlet_drain(struct engine *en, struct conn *c)
{
    struct outlet *o = xcalloc(1, sizeof(*o));

    o->en = en;
    o->conn = c;
    o->io.fd = c->fd;
    o->io.fn = on_io;
    o->io.arg = o;
    o->mail.fn = on_drain;
    o->mail.drop = on_drain_dropped;
    o->mail.arg = o;
    buf_init(&o->body, 0);
    loop_post(engine_loop(en), &o->mail);
}
