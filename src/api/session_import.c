/*
 * Sessions from a file: POST /import, whose body is the file (dialect/import.h
 * says of which programs). Conversations are copied as they are told, and
 * written some at a time (api/intake.h). The same file twice gives every
 * session twice.
 *
 * It takes turns: a worker reads until there is a round to write, the committer
 * writes it, a letter tells the loop, and the loop starts the worker again. So
 * a long file holds no acceptor, a worker only for the moments in which it
 * reads, and turns are committed between the rounds. Every decision is the
 * loop's: has the client left, does the process end, is it time to tell how far
 * it is.
 *
 * What is stored stays, however it ends. Who leaves in the middle ends it.
 */
#include "base/base.h"

#include "api/app.h"

#include <malloc.h>
#include <stdatomic.h>

#include "api/intake.h"
#include "api/noted.h"
#include "api/outlet.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "chat/index.h"
#include "http/spool.h"
#include "http/sse.h"

/* At once; each may take the memory of a round and of the longest
 * conversation. */
#define RUNNING_MAX 4
#define PROGRESS_MS 250          /* between two events that tell of it */
#define TRIM_BYTES (1024 * 1024) /* of a file, and the heap is given back */
#define EVENT_MAX (2 * INTAKE_JSON_MAX)

static atomic_int running;

struct reading {
    struct app *app;
    struct request *rq; /* owned; its conn, too, until the reply */
    struct intake *in;
    struct mail start, step;
    struct job job;
    struct engine_hold hold;
    struct loop_io io;
    bool events; /* text/event-stream is wanted, */
    bool head;   /* and its head is sent */
    int64_t told_ms;
    bool gone;    /* the client left */
    enum err end; /* why nothing more is read; OK: it goes on */

    /* the job's while it runs */
    uint64_t at;  /* bytes that were read */
    bool read;    /* to the end, or to where it failed */
    bool written; /* there may be something to settle */
    bool last;    /* all is settled */
    enum err err; /* of reading */
};

static void
reading_free(struct reading *r)
{
    intake_free(r->in);
    request_free(r->rq);
    free(r);
    atomic_fetch_sub(&running, 1);
}

/* --- the worker ----------------------------------------------------------- */

/* Any thread: the committer, or the worker if there was nothing to write. */
static void
on_written(void *arg)
{
    struct reading *r = arg;

    loop_post(engine_loop(r->app->en), &r->step);
}

/* The next bytes of the body; at its end none. They are good until the next
 * call, in buf or in the body itself. */
static enum err
next_bytes(struct reading *r, char *buf, const char **s, size_t *n)
{
    size_t left = r->rq->body_len - (size_t)r->at;
    ssize_t got;

    *n = left < INTAKE_PIECE ? left : INTAKE_PIECE;
    *s = *n > 0 && r->rq->body_fd < 0 ? r->rq->body + r->at : buf;
    if (r->rq->body_fd >= 0 && *n > 0) {
        got = spool_read(r->rq->body_fd, r->at, buf, *n);
        if (got <= 0)
            return ERR_INTERNAL;
        *n = (size_t)got;
    }
    r->at += *n;
    return OK;
}

static void
read_on(struct reading *r)
{
    char *buf = xmalloc(INTAKE_PIECE);

    while (!r->read && !intake_full(r->in)) {
        const char *s;
        size_t n;

        r->err = next_bytes(r, buf, &s, &n);
        if (r->err == OK)
            r->err = n > 0 ? intake_read(r->in, s, n) : intake_read_end(r->in);
        r->read = r->err != OK || n == 0;
    }
    free(buf);
}

/* Worker. */
static void
run(void *arg)
{
    struct reading *r = arg;
    bool again = r->written && intake_settle(r->in);

    if (intake_status(r->in) != OK || r->end != OK)
        r->read = true;
    if (!again)
        read_on(r);
    r->last = r->read && intake_empty(r->in);
    if (r->last && r->at >= TRIM_BYTES)
        (void)malloc_trim(0); /* the longest conversation's memory */
    r->written = true;
    intake_write(r->in, on_written, r);
}

/* --- telling -------------------------------------------------------------- */

static void
put_progress(const struct reading *r, struct json_out *j)
{
    struct intake_totals t;

    intake_totals(r->in, &t);
    json_put_i64(j, "bytes", (int64_t)r->at);
    json_put_i64(j, "total_bytes", (int64_t)r->rq->body_len);
    json_put_i64(j, "sessions", (int64_t)t.sessions);
    json_put_i64(j, "messages", (int64_t)t.messages);
}

/* Before the first event stands the head: until then a failure has a status of
 * its own. */
static void
event_begin(struct reading *r, struct buf *out, struct json_out *j,
            const char *name)
{
    buf_init(out, EVENT_MAX);
    if (!r->head) {
        reply_stream_head(out, r->rq, "text/event-stream", NULL);
        buf_adds(out, SSE_OK);
    }
    r->head = true;
    buf_addf(out, "event: %s\ndata: ", name);
    json_out_init(j, out);
    json_begin_obj(j);
    json_put_str(j, "type", name);
}

/* Not to one who has not taken what was told before. */
static void
tell_progress(struct reading *r)
{
    int64_t now_ms = loop_now_ms(engine_loop(r->app->en));
    struct json_out j;
    struct buf out;
    enum err e = OK;

    if (!r->events || r->gone || now_ms - r->told_ms < PROGRESS_MS)
        return;
    if (!conn_ready(r->rq->conn))
        e = conn_flush(r->rq->conn);
    if (e == OK) {
        r->told_ms = now_ms;
        event_begin(r, &out, &j, "import_progress");
        put_progress(r, &j);
        json_end_obj(&j);
        buf_adds(&out, "\n\n");
        e = conn_send(r->rq->conn, out.data, out.len);
        buf_release(&out);
    }
    r->gone = e != OK && e != ERR_AGAIN;
}

/* The last event; takes the request. */
static void
tell_end(struct reading *r, struct problem *p)
{
    struct json_out j;
    struct buf out;

    if (p->err == OK) {
        event_begin(r, &out, &j, "import_complete");
        json_put_i64(&j, "bytes", (int64_t)r->at);
        intake_put(r->in, &j);
    } else {
        event_begin(r, &out, &j, "error");
        json_put_str(&j, "error", p->error);
        json_put_str(&j, "message", p->message);
        json_put_str(&j, "code", p->code);
        json_put_str(&j, "request_id", r->rq->id);
    }
    json_end_obj(&j);
    buf_adds(&out, "\n\n");
    app_end(r->app, r->rq, conn_end(r->rq->conn, out.data, out.len));
    buf_release(&out);
}

static void
reply(struct reading *r)
{
    struct problem p = {.err = OK};
    struct json_out j;
    struct buf body;

    if (intake_end(r->in, r->end != OK ? r->end : r->err, &p) != OK &&
        !r->head) {
        app_fail(r->app, r->rq, &p);
    } else if (r->events) {
        tell_end(r, &p);
    } else {
        buf_init(&body, INTAKE_JSON_MAX);
        json_out_init(&j, &body);
        json_begin_obj(&j);
        intake_put(r->in, &j);
        json_end_obj(&j);
        app_json(r->app, r->rq, 200, &body);
    }
    r->rq = NULL;
}

/* --- the loop ------------------------------------------------------------- */

static void
over(struct reading *r)
{
    struct intake_totals t;

    intake_totals(r->in, &t);
    log_info("import.end",
             "bytes=%" PRIu64 " sessions=%zu messages=%zu "
             "faults=%zu left=%d",
             r->at, t.sessions, t.messages, t.faults, r->gone);
    noted(r->rq, &(struct audit_fact){
                     .what = AUDIT_IMPORT,
                     .with = {AUDIT_NUMBER("sessions", (int64_t)t.sessions),
                              AUDIT_NUMBER("messages", (int64_t)t.messages)}});
    loop_io_clear(engine_loop(r->app->en), &r->io);
    engine_release(r->app->en, &r->hold);
    if (!r->gone)
        reply(r);
    reading_free(r);
}

static void
next_step(struct reading *r)
{
    r->job = (struct job){.run = run, .arg = r};
    engine_work(r->app->en, &r->job);
}

static void
on_step(struct mail *m)
{
    struct reading *r = m->arg;

    if (r->gone)
        r->end = ERR_HUP;
    else if (engine_draining(r->app->en) && !r->app->one)
        r->end = ERR_STOPPING;
    if (r->last) {
        over(r);
        return;
    }
    tell_progress(r);
    next_step(r);
}

static void
on_io(struct loop_io *io, uint32_t events)
{
    struct reading *r = io->arg;

    (void)events; /* nothing else is watched for */
    r->gone = true;
    loop_io_clear(engine_loop(r->app->en), io);
}

/* The process ends in the middle of it; no worker is left. */
static void
on_hold_dropped(struct engine_hold *h)
{
    struct reading *r = h->arg;

    loop_io_forget(engine_loop(r->app->en), &r->io);
    engine_release(r->app->en, h);
    reading_free(r);
}

static void
on_start(struct mail *m)
{
    struct reading *r = m->arg;
    const struct conn *c = r->rq->conn;

    r->hold.drop = on_hold_dropped;
    r->hold.arg = r;
    engine_hold(r->app->en, &r->hold);
    r->io.fd = c->fd;
    r->io.fn = on_io;
    r->io.arg = r;
    /* Not for a CGI whose output is a file. */
    IGNORE(loop_io_set(engine_loop(r->app->en), &r->io, conn_left_events(c)));
    next_step(r);
}

/* Or before it began. */
static void
on_start_dropped(struct mail *m)
{
    reading_free(m->arg);
}

/* --- the request ---------------------------------------------------------- */

/* Worker. */
static void
on_session(void *arg, const char *owner, const char *session_id)
{
    struct app *app = arg;

    index_grown(engine_index(app->en), owner, session_id);
}

void
api_import(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct intake_config c = {
        .store = engine_store(app->en),
        .owner = app_owner(rq),
        .sessions_max = engine_sessions_max(app->en),
        .messages_max = (uint32_t)conf_int(CONF_MAX_MESSAGES),
        .used = conf_int(CONF_SESSION_TTL) > 0,
        .stored = on_session,
        .arg = app,
    };
    struct problem p = {.err = OK};
    struct reading *r;

    if (atomic_fetch_add(&running, 1) >= RUNNING_MAX) {
        atomic_fetch_sub(&running, 1);
        (void)problem_set(&p, ERR_BUSY, NULL, NULL,
                          "%d imports are running; try again in a moment.",
                          RUNNING_MAX);
        app_fail(app, rq, &p);
        return;
    }
    r = xcalloc(1, sizeof(*r));
    r->app = app;
    r->rq = rq;
    r->events = request_accepts(rq, "text/event-stream");
    r->in = intake_new(&c);
    r->step.fn = on_step;
    r->step.arg = r;
    r->start.fn = on_start;
    r->start.drop = on_start_dropped;
    r->start.arg = r;
    loop_post(engine_loop(app->en), &r->start);
}
