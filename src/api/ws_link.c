/*
 * Links: frames in, in order. A frame that asks for work while another is
 * worked on waits its turn, up to a few; what costs nothing (ping, stop, auth,
 * logout) is done at once. Until an answer is there the socket still hears.
 *
 * A link outlives its socket while somebody else has it: a worker with its
 * job, or the engine with its reader on the way to a stream. A reader that is
 * attached is simply taken off; the turn goes on.
 */
#include "base/base.h"

#include "api/ws_link.h"

#include "api/ws_count.h"
#include "auth/credentials.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

#define FRAME_KEEP (16 * 1024) /* bytes of scratch kept between frames */

/* --- coming and going ---------------------------------------------------- */

struct ws_link *
ws_link_new(struct ws_door *d, enum ws_endpoint at, const struct identity *who,
            const char *session_id, struct ws_count *count)
{
    struct ws_link *l = xcalloc(1, sizeof(*l));

    l->door = d;
    l->count = count;
    ws_init(&l->ws, at);
    (void)snprintf(l->session_id, sizeof(l->session_id), "%s", session_id);
    l->who = *who;
    memcpy(l->owner, who->owner, sizeof(l->owner));
    credentials_join(d->box, l->who.owner, l->session_id);
    l->next = d->links;
    if (l->next != NULL)
        l->next->prev = l;
    d->links = l;
    d->n_links++;
    d->n_open++;
    d->n_strangers += who->way == IDENTITY_ANONYMOUS;
    l->since_ms = loop_now_ms(engine_loop(d->app->en));
    metric_add(METRIC_WEBSOCKETS_OPEN, 1);
    metric_add(METRIC_WEBSOCKETS, 1);
    return l;
}

static void
wish_free(struct ws_wish *w)
{
    ws_in_release(&w->in);
    free(w);
}

/* The socket is not the link's any more. */
static void
socket_gone(struct ws_link *l)
{
    struct ws_door *d = l->door;

    l->sock = NULL;
    d->n_open--;
    d->n_strangers -= l->who.way == IDENTITY_ANONYMOUS;
    metric_add(METRIC_WEBSOCKETS_OPEN, -1);
    ws_count_give(d->clients, l->count);
    l->count = NULL;
    credentials_leave(d->box, l->who.owner, l->session_id);
    while (l->queue != NULL) {
        struct ws_wish *w = l->queue;

        l->queue = w->next;
        wish_free(w);
    }
    l->n_queue = 0;
}

void
ws_link_over(struct ws_link *l)
{
    struct ws_door *d = l->door;

    assert(l->sock == NULL);
    if (l->state == WS_LINK_FOLLOWS) {
        reader_detach(&l->r);
        d->n_following--;
        l->state = WS_LINK_IDLE;
    }
    if (l->state == WS_LINK_SIGNS_IN)
        ws_login_cancel(l, "");
    if (l->state != WS_LINK_IDLE)
        return; /* it comes back here */
    if (l->prev != NULL)
        l->prev->next = l->next;
    else
        d->links = l->next;
    if (l->next != NULL)
        l->next->prev = l->prev;
    d->n_links--;
    free(l->data);
    free(l);
    if (d->closed && d->n_links == 0)
        free(d);
}

void
ws_link_close(struct ws_link *l, unsigned code, const char *reason)
{
    wsock_close(l->sock, code, reason);
    socket_gone(l);
    ws_link_over(l);
}

static void
on_closed(void *owner)
{
    struct ws_link *l = owner;

    socket_gone(l);
    ws_link_over(l);
}

/* --- saying -------------------------------------------------------------- */

void
ws_link_say(struct ws_link *l, const struct buf *frame)
{
    if (l->sock == NULL)
        return;
    if (buf_status(frame) != OK)
        log_warn("websocket.frame", "max=%zu", frame->max);
    else
        IGNORE(wsock_say(l->sock, frame->data, frame->len));
}

struct buf *
ws_link_scratch(struct ws_link *l)
{
    buf_clear(&l->door->scratch);
    buf_trim(&l->door->scratch, FRAME_KEEP);
    return &l->door->scratch;
}

void
ws_link_problem(struct ws_link *l, const struct problem *p)
{
    struct buf *b = ws_link_scratch(l);

    ws_problem(&l->ws, p, b);
    ws_link_say(l, b);
}

void
ws_link_opened(void *link, struct wsock *sock)
{
    struct ws_link *l = link;
    struct buf *b = ws_link_scratch(l);

    l->sock = sock;
    if (ws_greeting(&l->ws, l->session_id, clock_wall_ms(), b))
        ws_link_say(l, b);
    if (l->queue != NULL) /* who it is, that could not be found out before */
        ws_link_next(l);
}

void
ws_link_stop(struct ws_link *l)
{
    struct buf *b;

    if (l->state == WS_LINK_SIGNS_IN)
        ws_login_cancel(l, "The server is stopping");
    if (l->sock == NULL || l->state != WS_LINK_IDLE)
        return;
    b = ws_link_scratch(l);
    if (ws_notice(&l->ws, "The server is stopping", b))
        ws_link_say(l, b);
    ws_link_close(l, FRAMES_GOING_AWAY, "The server is stopping");
}

/* --- wishes -------------------------------------------------------------- */

static void
on_ping(struct ws_link *l)
{
    struct buf *b = ws_link_scratch(l);

    ws_pong(clock_wall_ms(), b);
    ws_link_say(l, b);
}

static void
on_stop(struct ws_link *l)
{
    struct problem p = {.err = OK};

    if (l->state == WS_LINK_IDLE || l->state == WS_LINK_SIGNS_IN) {
        (void)problem_set(&p, ERR_CONFLICT, "nothing_to_stop",
                          "There is nothing to stop", "No answer is running.");
        ws_link_problem(l, &p);
        return;
    }
    ws_turn_stop(l);
}

/* A wish whose time has come. Takes what it holds. */
static void
begin(struct ws_link *l, struct ws_in *in)
{
    if (in->what == WS_BAD) {
        ws_link_problem(l, &in->why);
        ws_in_release(in);
    } else if (in->what == WS_AUTH) {
        ws_login_begin(l, in);
    } else if (!ws_login_may(l, in->what == WS_ASK || in->what == WS_CLEAR
                                    ? MAY_WRITE
                                    : MAY_READ)) {
        ws_in_release(in);
    } else {
        ws_work_begin(l, in);
    }
}

/* Behind those that wait already. Takes what in holds. */
static void
wait_turn(struct ws_link *l, struct ws_in *in)
{
    struct problem p = {.err = OK};
    struct ws_wish **at = &l->queue;

    if (l->n_queue == WS_LINK_QUEUE_MAX) {
        bool signs_in = in->what == WS_AUTH;

        ws_in_release(in);
        (void)problem_set(&p, ERR_LIMIT, "too_many_messages",
                          "Too many messages are waiting",
                          "At most %d; wait for an answer.", WS_LINK_QUEUE_MAX);
        if (signs_in)
            ws_login_answer(l, &p);
        else
            ws_link_problem(l, &p);
        return;
    }
    while (*at != NULL)
        at = &(*at)->next;
    *at = xcalloc(1, sizeof(**at));
    (*at)->in = *in;
    l->n_queue++;
}

void
ws_link_first(struct ws_link *l, struct ws_in *in)
{
    struct ws_wish *w = xcalloc(1, sizeof(*w));

    w->in = *in;
    w->next = l->queue;
    l->queue = w;
    l->n_queue++;
}

void
ws_link_next(struct ws_link *l)
{
    assert(l->state == WS_LINK_IDLE);
    if (l->sock == NULL) {
        ws_link_over(l);
        return;
    }
    while (l->queue != NULL && l->state == WS_LINK_IDLE && l->closes == 0) {
        struct ws_wish *w = l->queue;

        l->queue = w->next;
        l->n_queue--;
        begin(l, &w->in);
        free(w);
    }
    if (l->closes != 0 && l->state == WS_LINK_IDLE)
        ws_link_close(l, l->closes,
                      l->closes == FRAMES_POLICY ? "Not signed in" : "");
    else if (l->door->stopping)
        ws_link_stop(l);
}

static void
on_message(void *owner, const char *p, size_t n)
{
    struct ws_link *l = owner;
    struct ws_in in;

    metric_add(METRIC_WEBSOCKET_MESSAGES, 1);
    ws_read(&l->ws, p, n, &in);
    if (in.what == WS_AUTH || in.what == WS_BAD) /* it may have been one */
        explicit_bzero((void *)(uintptr_t)p, n); /* the reader's own buffer */
    switch (in.what) {
    case WS_PING: on_ping(l); break;
    case WS_STOP: on_stop(l); break;
    case WS_LOGOUT: ws_login_out(l); break;
    default:
        if (in.what == WS_AUTH ? ws_login_waits(l, &in)
                               : l->state != WS_LINK_IDLE)
            wait_turn(l, &in);
        else
            begin(l, &in);
        if (l->closes != 0 && l->state == WS_LINK_IDLE)
            ws_link_next(l);
        return;
    }
    ws_in_release(&in);
}

static void
on_ready(void *owner)
{
    struct ws_link *l = owner;

    if (l->state == WS_LINK_FOLLOWS)
        reader_resume(&l->r);
}

const struct wsock_ops ws_link_sock = {
    .message = on_message,
    .ready = on_ready,
    .closed = on_closed,
};
