/*
 * GET /probe: a few events at even times, each with the server's clock in it,
 * so that a client can tell whether the path between them buffers: then they
 * arrive all at once. Runs on the loop.
 */
#include "base/base.h"

#include <sys/epoll.h>

#include "api/way.h"
#include "base/clock.h"
#include "base/mem.h"

#define PROBE_EVENTS 5
#define PROBE_EVENTS_MAX 20
#define PROBE_GAP_MS 200
#define PROBE_GAP_MAX_MS 2000

struct probe {
    struct app *app;
    struct conn *conn; /* owned */
    struct mail mail;
    struct engine_hold hold;
    struct loop_timer timer;
    int64_t begun_ms, gap_ms;
    int sent, events;
};

static void
probe_end(struct probe *p, bool flush)
{
    engine_release(p->app->en, &p->hold);
    if (flush)
        way_drain(p->app->en, p->conn);
    else
        conn_free(p->conn);
    free(p);
}

static void
on_probe(struct loop_timer *t)
{
    struct probe *p = t->arg;
    struct loop *l = engine_loop(p->app->en);
    char event[160];
    int64_t now_ms = clock_mono_ms();
    enum err e;
    int n;

    p->sent++;
    n = snprintf(event, sizeof(event),
                 "id: %d\nevent: probe\ndata: {\"type\":\"probe\",\"n\":%d,"
                 "\"of\":%d,\"ms\":%" PRId64 "}\n\n",
                 p->sent, p->sent, p->events, now_ms - p->begun_ms);
    if (p->sent == p->events) {
        e = conn_end(p->conn, event, (size_t)n);
        probe_end(p, e == ERR_AGAIN);
        return;
    }
    e = conn_send(p->conn, event, (size_t)n);
    if (e != OK) {
        probe_end(p, false); /* gone, or too slow to measure */
        return;
    }
    loop_timer_set(l, t, loop_now_ms(l) + p->gap_ms);
}

static void
probe_free(struct probe *p)
{
    conn_free(p->conn);
    free(p);
}

/* The process ends in the middle of it. */
static void
on_hold_dropped(struct engine_hold *h)
{
    struct probe *p = h->arg;

    loop_timer_clear(engine_loop(p->app->en), &p->timer);
    engine_release(p->app->en, h);
    probe_free(p);
}

/* Or before it began. */
static void
drop_probe(struct mail *m)
{
    probe_free(m->arg);
}

static void
start_probe(struct mail *m)
{
    struct probe *p = m->arg;

    p->hold.drop = on_hold_dropped;
    p->hold.arg = p;
    engine_hold(p->app->en, &p->hold);
    p->begun_ms = clock_mono_ms();
    p->timer.fn = on_probe;
    p->timer.arg = p;
    on_probe(&p->timer);
}

void
api_probe(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem why = {.err = OK};
    int64_t events = PROBE_EVENTS, gap_ms = PROBE_GAP_MS;
    struct probe *p;
    struct buf head;
    enum err e;

    if (request_arg_i64(rq, "events", 1, PROBE_EVENTS_MAX, &events, &why) !=
            OK ||
        request_arg_i64(rq, "gap_ms", 1, PROBE_GAP_MAX_MS, &gap_ms, &why) !=
            OK) {
        app_fail(app, rq, &why);
        return;
    }
    buf_init(&head, REPLY_HEAD_MAX);
    reply_stream_head(&head, rq, "text/event-stream", NULL);
    e = rq->method == METHOD_HEAD ? conn_end(rq->conn, head.data, head.len)
                                  : conn_send(rq->conn, head.data, head.len);
    buf_release(&head);
    if (rq->method == METHOD_HEAD || e != OK) {
        app_end(app, rq, e);
        return;
    }
    p = xcalloc(1, sizeof(*p));
    p->app = app;
    p->conn = request_take_conn(rq);
    p->events = (int)events;
    p->gap_ms = gap_ms;
    p->mail.fn = start_probe;
    p->mail.drop = drop_probe;
    p->mail.arg = p;
    request_free(rq);
    loop_post(engine_loop(app->en), &p->mail);
}
