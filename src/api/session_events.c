/*
 * GET /sessions/{id}/events: a device that watches a session. It holds what its
 * client has seen and no events: when the session may have changed, and the
 * socket takes more, a worker makes what is new of the store (session_news.h),
 * and the loop sends it. So a slow client costs a cursor, and a client that
 * comes back goes on in any process.
 *
 * What was made is sent whole if it is short. Of a long message only a piece
 * goes at a time: what the kernel does not take is thrown away and made again
 * when there is room, since the store has it. If it is another one then (its
 * neighbours changed), the stream is broken off in the middle of the event; its
 * client comes back and gets it whole.
 *
 * Everything runs on the loop but for the handler and the job. A device that is
 * to go while its job runs waits for the job's letter.
 */
#include "base/base.h"

#include "api/session_news.h"
#include "api/way.h"
#include "api/who.h"
#include "auth/auth.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "chat/watch.h"
#include "http/sse.h"

#define WHOLE_MAX (64 * 1024) /* bytes that are sent in one go */
#define PIECE (32 * 1024)     /* bytes of a longer event sent at once */
#define BUSY_RETRY_S 5
#define STOPPING_RETRY_S 2
#define ONE_RETRY "retry: 5000\n\n" /* ms; each return costs a process */

struct device {
    struct watch watch; /* first */
    struct way way;
    struct app *app;
    struct mail mail; /* its beginning */
    struct loop_timer timer;
    struct identity who; /* its client, as long as it is signed in */
    char owner[STORE_OWNER_MAX + 1];
    char session_id[IDENT_SESSION_MAX + 1];
    struct seen seen;         /* by its client, in whole events */
    size_t skip;              /* bytes behind it that were sent already, */
    uint8_t sent[DIGEST_LEN]; /* and what they are the beginning of */
    int64_t sent_ms;          /* monotonic; last bytes given */
    int64_t expires_ms;       /* wall clock; of the session; 0: never */
    bool joined;              /* it watches */
    bool looked;              /* once */
    bool busy;                /* its job runs */
    bool wanted;              /* look again */
    bool closing;             /* end when there is nothing more */
    bool left;                /* nobody is there: free it after the job */
    struct job job;
    /* the job's while it runs */
    struct session_news news;
    struct buf out;
    struct seen now;          /* what is seen with out */
    uint8_t made[DIGEST_LEN]; /* of out, if it is long */
    enum err err;
};

static void device_look(struct device *d);

static struct device *
of_watch(struct watch *w)
{
    return (struct device *)(void *)w;
}

static struct device *
of_way(struct way *w)
{
    return (struct device *)(void *)((char *)w - offsetof(struct device, way));
}

/* --- the end -------------------------------------------------------------- */

static void
device_free(struct device *d)
{
    assert(!d->joined && !d->busy);
    way_release(&d->way);
    buf_release(&d->out);
    free(d);
}

static void
device_leave(struct device *d)
{
    loop_timer_clear(engine_loop(d->app->en), &d->timer);
    if (d->joined)
        watch_leave(d->app->en, &d->watch);
    d->joined = false;
}

/* All is written: the end goes out. */
static void
device_end(struct device *d)
{
    device_leave(d);
    IGNORE(conn_end(d->way.conn, NULL, 0)); /* the way sees what is left */
    way_over(&d->way);
}

/* The client is gone, or is to think that we are. */
static void
device_break(struct device *d)
{
    device_leave(d);
    d->left = true;
    if (d->busy)
        loop_io_clear(engine_loop(d->app->en), &d->way.io);
    else
        device_free(d);
}

/* --- giving what is new --------------------------------------------------- */

/* Ping, or look whether the session's time is over, whichever is first. One
 * whose turn is open outlives its time, until the turn ends. */
static void
set_timer(struct device *d)
{
    struct loop *l = engine_loop(d->app->en);
    int64_t at_ms = d->sent_ms + d->app->ping_ms;
    int64_t left_ms = d->expires_ms - clock_wall_ms(); /* < 0: none */

    if (at_ms <= loop_now_ms(l)) /* it cannot be told anything now */
        at_ms = loop_now_ms(l) + d->app->ping_ms;
    if (left_ms >= 0 && left_ms < at_ms - loop_now_ms(l))
        at_ms = loop_now_ms(l) + left_ms + 1;
    loop_timer_set(l, &d->timer, at_ms);
}

/* Worker. */
static void
make_news(void *arg)
{
    struct device *d = arg;

    d->now = d->seen;
    d->err = auth_still(d->app->auth, &d->who, clock_wall_ms())
                 ? session_news(&d->news, &d->now)
                 : ERR_HUP; /* it comes back, and is asked who it is */
    if (d->err == OK && d->out.len > WHOLE_MAX)
        digest_sha256(d->made, d->out.data, d->out.len);
}

/* Is it the same that was sent in part? */
static bool
goes_on(const struct device *d)
{
    return d->skip == 0 || (d->out.len > WHOLE_MAX &&
                            memcmp(d->sent, d->made, sizeof(d->made)) == 0);
}

/* Send what was made. ERR_AGAIN: as much as there was room for. */
static enum err
send_made(struct device *d)
{
    bool whole = d->out.len <= WHOLE_MAX;
    enum err e = OK;

    if (d->out.len > 0)
        d->sent_ms = loop_now_ms(engine_loop(d->app->en));
    while (e == OK && d->skip < d->out.len) {
        size_t n = d->out.len - d->skip;

        if (!whole && n > PIECE)
            n = PIECE;
        e = conn_send(d->way.conn, d->out.data + d->skip, n);
        d->skip += n;
    }
    if ((e == OK || e == ERR_AGAIN) && d->skip == d->out.len) {
        d->seen = d->now;
        d->skip = 0;
    } else {
        (void)memcpy(d->sent, d->made, sizeof(d->sent));
    }
    return way_sent(&d->way, e);
}

static void
on_made(struct mail *m)
{
    struct device *d = m->arg;
    enum err e = d->err;

    d->busy = false;
    if (d->left) {
        device_free(d);
        return;
    }
    d->looked = true;
    if (e == OK)
        d->expires_ms = d->news.expires_ms;
    if (e == OK)
        e = goes_on(d) ? send_made(d) : ERR_HUP;
    d->wanted = d->wanted || d->news.more || d->skip > 0;
    buf_clear(&d->out);
    buf_trim(&d->out, 0);
    if (e != OK && e != ERR_AGAIN)
        device_break(d);
    else if (d->skip == 0 && d->seen.kind == SEEN_END && !d->news.more)
        device_end(d);
    else if (d->wanted)
        device_look(d);
    else if (d->closing)
        device_end(d);
    else
        set_timer(d);
}

/* The engine ended before the letter came. */
static void
on_made_dropped(struct mail *m)
{
    struct device *d = m->arg;

    d->busy = false;
    if (d->left)
        device_free(d);
}

/* What is new goes out as soon as there is room. */
static void
device_look(struct device *d)
{
    d->wanted = true;
    if (d->busy || !conn_ready(d->way.conn))
        return;
    d->wanted = false;
    d->busy = true;
    d->job = (struct job){.run = make_news, .arg = d};
    d->job.done.fn = on_made;
    d->job.done.drop = on_made_dropped;
    d->job.done.arg = d;
    engine_work(d->app->en, &d->job);
}

/* What was sent just now ended with e. */
static void
go_on(struct device *d, enum err e)
{
    if (e != OK && e != ERR_AGAIN) {
        device_break(d);
        return;
    }
    set_timer(d);
    device_look(d);
}

static void
on_timer(struct loop_timer *t)
{
    struct device *d = t->arg;
    int64_t now_ms = loop_now_ms(engine_loop(d->app->en));
    enum err e = OK;

    if (conn_ready(d->way.conn) && d->skip == 0 &&
        now_ms - d->sent_ms >= d->app->ping_ms) {
        d->sent_ms = now_ms;
        e = way_sent(&d->way,
                     conn_send(d->way.conn, SSE_PING, sizeof(SSE_PING) - 1));
    }
    go_on(d, e);
}

/* --- what happens to it --------------------------------------------------- */

static void
on_wake(struct watch *w)
{
    device_look(of_watch(w));
}

static void
on_stop(struct watch *w)
{
    struct device *d = of_watch(w);

    d->closing = true;
    if (d->looked && !d->busy && !d->wanted)
        device_end(d);
}

static void
on_drop(struct watch *w)
{
    device_break(of_watch(w));
}

static const struct watch_calls watch_calls = {on_wake, on_stop, on_drop};

static void
on_room(struct way *w)
{
    struct device *d = of_way(w);

    if (d->wanted)
        device_look(d);
}

static void
on_left(struct way *w)
{
    device_break(of_way(w));
}

static void
on_over(struct way *w)
{
    device_free(of_way(w));
}

static const struct way_calls way_calls = {
    .room = on_room,
    .left = on_left,
    .free = on_over,
};

/* --- the beginning -------------------------------------------------------- */

static void
refuse(struct device *d, enum err e)
{
    struct problem p = {.err = OK};

    (void)problem_set(&p, e, "too_many_streams", NULL, NULL);
    p.retry_after_s = BUSY_RETRY_S;
    IGNORE(reply_problem(d->way.rq, &p, NULL));
    way_over(&d->way);
}

static enum err
send_head(struct device *d)
{
    struct buf head;
    enum err e;

    buf_init(&head, REPLY_HEAD_MAX);
    reply_stream_head(&head, d->way.rq, "text/event-stream", NULL);
    buf_adds(&head, SSE_OK);
    buf_adds(&head, d->app->one ? ONE_RETRY : SSE_RETRY);
    way_head_done(&d->way);
    e = conn_send(d->way.conn, head.data, head.len);
    buf_release(&head);
    return way_sent(&d->way, e);
}

static void
on_start(struct mail *m)
{
    struct device *d = m->arg;
    enum err e = watch_join(d->app->en, &d->watch, d->session_id);

    if (e != OK) {
        refuse(d, e);
        return;
    }
    d->joined = true;
    d->sent_ms = loop_now_ms(engine_loop(d->app->en));
    way_watch(&d->way);
    go_on(d, send_head(d));
}

static void
on_start_dropped(struct mail *m)
{
    device_free(m->arg);
}

static void
device_start(struct app *app, struct request *rq, const struct seen *seen)
{
    struct device *d = xcalloc(1, sizeof(*d));

    d->app = app;
    d->watch.calls = &watch_calls;
    d->timer.fn = on_timer;
    d->timer.arg = d;
    d->seen = *seen;
    d->who = *who_asks(rq);
    (void)snprintf(d->owner, sizeof(d->owner), "%s", app_owner(rq));
    (void)snprintf(d->session_id, sizeof(d->session_id), "%s",
                   rq->path_args[0]);
    buf_init(&d->out, SEEN_OUT_MAX);
    d->news.store = engine_store(app->en);
    d->news.owner = d->owner;
    d->news.session_id = d->session_id;
    d->news.out = &d->out;
    way_init(&d->way, app->en, rq, &way_calls);
    d->mail.fn = on_start;
    d->mail.drop = on_start_dropped;
    d->mail.arg = d;
    loop_post(engine_loop(app->en), &d->mail);
}

/* What the client says that it has seen: the header, or last_event_id. */
static enum err
read_seen(struct request *rq, struct seen *seen, struct problem *why)
{
    const char *last = request_header(rq, "Last-Event-ID");

    (void)memset(seen, 0, sizeof(*seen));
    if ((last == NULL || *last == '\0') &&
        request_arg(rq, "last_event_id", &last, why) != OK)
        return ERR_BADREQ;
    if (last == NULL || *last == '\0')
        return OK;
    if (seen_read(last, seen) != OK)
        return problem_set(why, ERR_BADREQ, "invalid_event_id",
                           "Invalid Last-Event-ID",
                           "It is the id of an event of a session.");
    return OK;
}

void
api_session_events(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct session s;
    struct seen seen;
    enum err e = read_seen(rq, &seen, &p);

    if (e == OK && engine_draining(app->en)) {
        e = problem_set(&p, ERR_STOPPING, NULL, NULL, NULL);
        p.retry_after_s = STOPPING_RETRY_S;
    }
    if (e != OK) {
        app_fail(app, rq, &p);
        return;
    }
    e = store_session(engine_store(app->en), app_owner(rq), rq->path_args[0],
                      &s);
    if (e != OK)
        app_session_missing(app, rq, e);
    else if (rq->method == METHOD_HEAD)
        app_stream_head(app, rq);
    else
        device_start(app, rq, &seen);
}
