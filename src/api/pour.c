/*
 * Pouring: a job and a descriptor take turns. While the job is on a worker the
 * descriptor is not watched; that its client left is seen by the next send.
 * All but the job runs on the loop. The engine holds it, so a process that is
 * to end finishes it within its deadline.
 */
#include "base/base.h"

#include "api/pour.h"

#include <sys/epoll.h>

#include "base/mem.h"

struct pour {
    struct app *app;
    struct conn *conn; /* owned */
    const struct pour_calls *calls;
    void *arg;
    struct mail mail;
    struct engine_hold hold;
    struct loop_io io;
    struct job job;
    /* the job's while it runs */
    struct buf piece;
    enum err err;
    bool last;
};

static void
pour_free(struct pour *p)
{
    p->calls->free(p->arg);
    conn_free(p->conn);
    buf_release(&p->piece);
    free(p);
}

static void
pour_over(struct pour *p)
{
    loop_io_forget(engine_loop(p->app->en), &p->io);
    engine_release(p->app->en, &p->hold);
    pour_free(p);
}

/* Worker. */
static void
make_piece(void *arg)
{
    struct pour *p = arg;

    p->err = p->calls->more(p->arg, &p->piece, &p->last);
    if (p->err == OK)
        p->err = buf_status(&p->piece);
}

static void on_piece(struct mail *m);

static void
next_piece(struct pour *p)
{
    p->job = (struct job){.run = make_piece, .arg = p};
    p->job.done.fn = on_piece;
    p->job.done.arg = p;
    engine_work(p->app->en, &p->job);
}

static void
sent(struct pour *p, enum err e)
{
    if (e == ERR_AGAIN) {
        if (loop_io_set(engine_loop(p->app->en), &p->io, EPOLLOUT) != OK)
            pour_over(p);
    } else if (e != OK || p->last) {
        pour_over(p);
    } else if (loop_io_set(engine_loop(p->app->en), &p->io, 0) != OK) {
        pour_over(p);
    } else {
        next_piece(p);
    }
}

static void
on_piece(struct mail *m)
{
    struct pour *p = m->arg;
    enum err e = p->err;

    if (e == OK && p->last)
        e = conn_end(p->conn, p->piece.data, p->piece.len);
    else if (e == OK && p->piece.len > 0)
        e = conn_send(p->conn, p->piece.data, p->piece.len);
    buf_clear(&p->piece);
    buf_trim(&p->piece, POUR_PIECE);
    sent(p, e);
}

static void
on_io(struct loop_io *io, uint32_t events)
{
    struct pour *p = io->arg;

    sent(p, events & (EPOLLHUP | EPOLLERR) ? ERR_HUP : conn_flush(p->conn));
}

/* The process ends in the middle of it; no worker is left. */
static void
on_hold_dropped(struct engine_hold *h)
{
    pour_over(h->arg);
}

static void
on_start(struct mail *m)
{
    struct pour *p = m->arg;

    p->hold.drop = on_hold_dropped;
    p->hold.arg = p;
    engine_hold(p->app->en, &p->hold);
    sent(p, p->err);
}

/* Or before it began. */
static void
on_start_dropped(struct mail *m)
{
    pour_free(m->arg);
}

void
pour(struct app *app, struct request *rq, const char *content_type,
     const char *extra, const struct pour_calls *calls, void *arg)
{
    struct pour *p;
    struct buf head;
    enum err e;

    buf_init(&head, REPLY_HEAD_MAX);
    reply_stream_head(&head, rq, content_type, extra);
    e = rq->method == METHOD_HEAD ? conn_end(rq->conn, head.data, head.len)
                                  : conn_send(rq->conn, head.data, head.len);
    buf_release(&head);
    if (rq->method == METHOD_HEAD || (e != OK && e != ERR_AGAIN)) {
        calls->free(arg);
        app_end(app, rq, e);
        return;
    }
    p = xcalloc(1, sizeof(*p));
    p->app = app;
    p->calls = calls;
    p->arg = arg;
    p->err = e;
    buf_init(&p->piece, POUR_PIECE_MAX);
    p->conn = request_take_conn(rq);
    p->io.fd = p->conn->fd;
    p->io.fn = on_io;
    p->io.arg = p;
    p->mail.fn = on_start;
    p->mail.drop = on_start_dropped;
    p->mail.arg = p;
    request_free(rq);
    loop_post(engine_loop(app->en), &p->mail);
}
