/*
 * The way out of a request: how its conn is watched, held and flushed, the same
 * for all who write for longer than one call. Only an answer that was brought
 * to its end is flushed: one that was broken off must look so. While it
 * lingers the engine holds it, so that a process which ends waits for it.
 */
#include "base/base.h"

#include "api/way.h"

#include <sys/epoll.h>

#include "base/mem.h"

static void
on_io(struct loop_io *io, uint32_t events)
{
    struct way *w = io->arg;
    enum err e = OK;

    if (events & (EPOLLHUP | EPOLLERR))
        e = ERR_HUP;
    else if (events & EPOLLOUT)
        e = conn_flush(w->conn);
    if (e == OK && (events & EPOLLRDHUP))
        e = ERR_HUP;
    if (e == ERR_AGAIN)
        return;
    if (w->lingers)
        w->calls->free(w);
    else if (e != OK || loop_io_set(engine_loop(w->en), &w->io,
                                    conn_left_events(w->conn)) != OK)
        w->calls->left(w);
    else
        w->calls->room(w);
}

static void
way_on(struct way *w, struct engine *en, struct conn *c,
       const struct way_calls *calls)
{
    w->calls = calls;
    w->en = en;
    w->conn = c;
    w->io.fd = c->fd;
    w->io.fn = on_io;
    w->io.arg = w;
}

void
way_init(struct way *w, struct engine *en, struct request *rq,
         const struct way_calls *calls)
{
    (void)memset(w, 0, sizeof(*w));
    w->rq = rq;
    way_on(w, en, rq->conn, calls);
}

void
way_watch(struct way *w)
{
    IGNORE(loop_io_set(engine_loop(w->en), &w->io, conn_left_events(w->conn)));
}

enum err
way_sent(struct way *w, enum err e)
{
    if (e == ERR_AGAIN &&
        loop_io_set(engine_loop(w->en), &w->io,
                    EPOLLOUT | conn_left_events(w->conn)) != OK)
        return ERR_HUP;
    return e;
}

void
way_head_done(struct way *w)
{
    (void)request_take_conn(w->rq);
    request_free(w->rq);
    w->rq = NULL;
}

/* The process ends before its client has taken it all. */
static void
on_hold_dropped(struct engine_hold *h)
{
    struct way *w = h->arg;

    w->calls->free(w);
}

void
way_over(struct way *w)
{
    const struct conn *c = w->conn;

    if (c->ended && !c->gone && c->rest.len > 0 &&
        way_sent(w, ERR_AGAIN) == ERR_AGAIN) {
        w->lingers = true;
        w->hold.drop = on_hold_dropped;
        w->hold.arg = w;
        engine_hold(w->en, &w->hold);
        return;
    }
    w->calls->free(w);
}

void
way_release(struct way *w)
{
    loop_io_forget(engine_loop(w->en), &w->io);
    if (w->rq != NULL)
        request_free(w->rq); /* with the conn */
    else
        conn_free(w->conn);
    if (w->lingers)
        engine_release(w->en, &w->hold);
}

/* --- the rest of an answered request ------------------------------------- */

struct drain {
    struct way way;
    struct mail mail;
};

static void
drain_free(struct way *w)
{
    struct drain *d = (struct drain *)(void *)w;

    way_release(w);
    free(d);
}

static const struct way_calls drain_calls = {
    .room = drain_free, /* it lingers from the start: never called */
    .left = drain_free,
    .free = drain_free,
};

static void
on_drain(struct mail *m)
{
    way_over(m->arg);
}

static void
on_drain_dropped(struct mail *m)
{
    drain_free(m->arg);
}

void
way_drain(struct engine *en, struct conn *c)
{
    struct drain *d = xcalloc(1, sizeof(*d));

    way_on(&d->way, en, c, &drain_calls);
    d->mail.fn = on_drain;
    d->mail.drop = on_drain_dropped;
    d->mail.arg = &d->way;
    loop_post(engine_loop(en), &d->mail);
}
