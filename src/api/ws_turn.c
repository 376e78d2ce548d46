/*
 * A link as a reader: the events of its turn become frames. The hub takes them
 * in pieces and asks for a large event again if the socket could not take all
 * of it, so a slow socket holds one piece and a cursor; the same event must
 * therefore give the same bytes.
 *
 * A turn is stopped by a reader of its own that wants nothing, since the link's
 * is attached already and sees the end like all others.
 */
#include "base/base.h"

#include "api/who.h"
#include "api/ws_link.h"

#include "base/log.h"
#include "base/mem.h"

static struct ws_link *
link_of(struct reader *r)
{
    return (struct ws_link *)(void *)((char *)r - offsetof(struct ws_link, r));
}

/* --- stopping ------------------------------------------------------------ */

static void
stopper_attached(struct reader *r)
{
    (void)r;
}

static void
stopper_event(struct reader *r, const struct event *ev, struct buf *out)
{
    (void)r;
    (void)ev;
    (void)out;
}

static enum err
stopper_send(struct reader *r, const struct buf *out, bool last)
{
    (void)r;
    (void)out;
    (void)last;
    return OK;
}

static enum err
stopper_ping(struct reader *r)
{
    (void)r;
    return OK;
}

static void
stopper_fail(struct reader *r, const struct problem *p)
{
    (void)r;
    (void)p;
}

static void
stopper_done(struct reader *r)
{
    free(r);
}

static const struct reader_ops stopper = {
    .attached = stopper_attached,
    .event = stopper_event,
    .send = stopper_send,
    .ping = stopper_ping,
    .fail = stopper_fail,
    .done = stopper_done,
};

void
ws_turn_stop(struct ws_link *l)
{
    struct reader *r;

    if (l->state != WS_LINK_FOLLOWS) {
        l->stop_wanted = true;
        return;
    }
    l->stop_wanted = false;
    r = xcalloc(1, sizeof(*r));
    r->ops = &stopper;
    r->ends_only = true;
    engine_stop_turn(l->door->app->en, l->owner, &l->turn, r);
}

/* --- following ----------------------------------------------------------- */

static void
on_attached(struct reader *r)
{
    struct ws_link *l = link_of(r);

    l->turn = *stream_id(r->stream);
    if (l->state == WS_LINK_FOLLOWS)
        return;
    l->state = WS_LINK_FOLLOWS;
    l->door->n_following++;
    if (l->stop_wanted)
        ws_turn_stop(l);
}

static void
on_event(struct reader *r, const struct event *ev, struct buf *out)
{
    struct ws_link *l = link_of(r);
    struct buf *frame = ws_link_scratch(l);

    if (!ws_event(&l->ws, &l->as, ev, frame))
        return;
    if (buf_status(frame) == OK)
        frames_put_text(out, frame->data, frame->len);
    else
        log_warn("websocket.frame", "max=%zu", frame->max);
}

/* Who signed out meanwhile hears no more of it, and the connection ends. */
static bool
may_hear(struct ws_link *l)
{
    struct app *app = l->door->app;

    if (who_still(app, &l->who, &l->asked_ms,
                  loop_now_ms(engine_loop(app->en))))
        return true;
    l->closes = FRAMES_POLICY;
    return false;
}

static enum err
on_send(struct reader *r, const struct buf *out, bool last)
{
    struct ws_link *l = link_of(r);

    if (l->sock == NULL || !may_hear(l))
        return ERR_HUP;
    l->ended = last;
    return out->len > 0 ? wsock_write(l->sock, out->data, out->len) : OK;
}

/* The socket has pings of its own. */
static enum err
on_ping(struct reader *r)
{
    return link_of(r)->sock != NULL ? OK : ERR_HUP;
}

static void
on_fail(struct reader *r, const struct problem *p)
{
    struct ws_link *l = link_of(r);

    if (p != NULL)
        ws_link_problem(l, p);
}

static void
on_done(struct reader *r)
{
    struct ws_link *l = link_of(r);

    if (l->state == WS_LINK_FOLLOWS)
        l->door->n_following--;
    l->state = WS_LINK_IDLE;
    l->stop_wanted = false;
    if (l->ended && ws_closes(&l->ws, EVENT_COMPLETE))
        l->closes = FRAMES_NORMAL;
    if (l->sock != NULL && wsock_mid_message(l->sock))
        ws_link_close(l, FRAMES_INTERNAL, "The answer was taken away");
    else
        ws_link_next(l);
}

static const struct reader_ops following = {
    .attached = on_attached,
    .event = on_event,
    .send = on_send,
    .ping = on_ping,
    .fail = on_fail,
    .done = on_done,
};

static void
prepare(struct ws_link *l)
{
    memset(&l->r, 0, sizeof(l->r));
    l->r.ops = &following;
    l->r.ends_only = ws_ends_only(&l->ws);
    l->ended = false;
    l->state = WS_LINK_ASKED;
}

void
ws_turn_ask(struct ws_link *l, struct turn_ask *ask, bool stream, char *data,
            size_t data_len)
{
    free(l->data);
    l->data = data;
    l->as = (struct ws_turn){
        .stream = stream, .data = data, .data_len = data_len};
    prepare(l);
    engine_ask(l->door->app->en, ask, &l->r);
}

void
ws_turn_follow(struct ws_link *l, const struct ident *turn, bool stream)
{
    free(l->data);
    l->data = NULL;
    l->as = (struct ws_turn){.stream = stream};
    prepare(l);
    engine_follow(l->door->app->en, l->owner, turn, &l->r);
}
