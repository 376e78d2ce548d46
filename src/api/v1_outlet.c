/*
 * The life of outlets of the compatible API, and how they follow a relay; how
 * they follow a turn is in v1_outlet_turn.c, what they send in
 * v1_outlet_send.c. Only after PING_MS without a word is the head of a stream
 * sent before the answer begins, for the sake of proxies that end silent
 * requests; an error is then a line of the stream. Runs on the loop thread.
 */
#include "base/base.h"

#include "api/v1_outlet_inside.h"

#include "base/clock.h"
#include "base/mem.h"

#define OUT_MAX (64 * 1024 * 1024) /* bytes encoded before a send */

static struct v1_outlet *
of_relay(struct relay *r)
{
    return (struct v1_outlet *)(void *)((char *)r -
                                        offsetof(struct v1_outlet, relay));
}

static struct v1_outlet *
of_way(struct way *w)
{
    return (struct v1_outlet *)(void *)((char *)w -
                                        offsetof(struct v1_outlet, way));
}

/* --- the way out ---------------------------------------------------------- */

static void
outlet_free(struct v1_outlet *o)
{
    assert(o->r.stream == NULL);
    loop_timer_clear(engine_loop(o->app->en), &o->timer);
    way_release(&o->way);
    openai_out_release(&o->enc);
    if (o->whole != NULL)
        openai_whole_release(o->whole);
    free(o->whole);
    buf_release(&o->out);
    free(o);
}

void
v1_outlet_over(struct v1_outlet *o)
{
    loop_timer_clear(engine_loop(o->app->en), &o->timer);
    way_over(&o->way);
}

/* The client is gone. */
static void
outlet_left(struct v1_outlet *o)
{
    if (o->relays)
        relay_cancel(&o->relay);
    reader_detach(&o->r);
    outlet_free(o);
}

static void
on_room(struct way *w)
{
    struct v1_outlet *o = of_way(w);

    if (o->relays)
        relay_resume(&o->relay);
    else
        reader_resume(&o->r);
}

static void
on_left(struct way *w)
{
    outlet_left(of_way(w));
}

static void
on_over(struct way *w)
{
    outlet_free(of_way(w));
}

static const struct way_calls way_calls = {
    .room = on_room,
    .left = on_left,
    .free = on_over,
};

/* --- a relay -------------------------------------------------------------- */

static void
on_silence(struct loop_timer *t)
{
    struct v1_outlet *o = t->arg;
    struct loop *l = engine_loop(o->app->en);
    enum err e = OK;

    if (!o->relay.blocked && loop_now_ms(l) - o->sent_ms >= o->app->ping_ms)
        e = v1_outlet_ping(o);
    if (e != OK && e != ERR_AGAIN) {
        outlet_left(o);
        return;
    }
    if (e == ERR_AGAIN)
        o->relay.blocked = true;
    if (o->relay.blocked)
        o->sent_ms = loop_now_ms(l);
    loop_timer_set(l, t, o->sent_ms + o->app->ping_ms);
}

static void
on_relay_attached(struct relay *r)
{
    struct v1_outlet *o = of_relay(r);
    struct loop *l = engine_loop(o->app->en);

    o->sent_ms = loop_now_ms(l);
    way_watch(&o->way);
    if (o->whole == NULL)
        loop_timer_set(l, &o->timer, o->sent_ms + o->app->ping_ms);
}

static void
on_relay_part(struct relay *r, const struct part *p)
{
    struct v1_outlet *o = of_relay(r);

    if (o->whole != NULL)
        openai_whole_part(o->whole, &o->enc, p);
    else
        openai_out_part(&o->enc, p, &o->out);
}

static void
on_relay_end(struct relay *r, enum finish finish, const struct usage *u,
             const struct problem *problem)
{
    struct v1_outlet *o = of_relay(r);

    o->finish = finish;
    o->usage = *u;
    if (finish == FINISH_INCOMPLETE || finish == FINISH_ERROR)
        o->problem = *problem;
    else if (o->whole == NULL)
        openai_out_end(&o->enc, finish, u, &o->out);
}

static enum err
on_relay_flush(struct relay *r, bool last)
{
    struct v1_outlet *o = of_relay(r);

    if (o->whole != NULL) {
        if (last)
            return v1_outlet_send_whole(o);
        if (openai_whole_status(o->whole) == OK)
            return OK;
        IGNORE(v1_outlet_send_whole(o)); /* the rest need not be waited for */
        return ERR_HUP;
    }
    if (last && o->problem.err != OK)
        return v1_outlet_send_failed(o);
    return v1_outlet_send_out(o, last);
}

static void
on_relay_done(struct relay *r)
{
    v1_outlet_over(of_relay(r));
}

static const struct relay_ops relay_ops = {
    .attached = on_relay_attached,
    .part = on_relay_part,
    .end = on_relay_end,
    .flush = on_relay_flush,
    .done = on_relay_done,
};

/* --- making one ----------------------------------------------------------- */

struct v1_outlet *
v1_outlet_new(struct app *app, struct request *rq, bool stream, bool usage)
{
    struct v1_outlet *o = xcalloc(1, sizeof(*o));
    struct ident id = ident_v7();

    o->app = app;
    way_init(&o->way, app->en, rq, &way_calls);
    o->r.ops = &v1_outlet_reader_ops;
    o->relay.ops = &relay_ops;
    o->timer.fn = on_silence;
    o->timer.arg = o;
    o->usage = (struct usage){-1, -1, -1};
    openai_out_init(&o->enc, &id, clock_wall_ms() / 1000, usage);
    buf_init(&o->out, OUT_MAX);
    if (!stream) {
        o->whole = xmalloc(sizeof(*o->whole));
        openai_whole_init(o->whole);
    }
    return o;
}

void
v1_outlet_relay(struct v1_outlet *o, struct turn_ask *a)
{
    o->relays = true;
    relay_post(o->app->en, a, &o->relay);
}

struct reader *
v1_outlet_reader(struct v1_outlet *o)
{
    return &o->r;
}
