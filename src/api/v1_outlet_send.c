/*
 * What an outlet of the compatible API sends. The request is kept until the
 * head is sent: a stream's head waits for the first part of the answer, so
 * that a provider's refusal is still a status of its own, which the clients of
 * this API turn into typed errors. Runs on the loop thread.
 */
#include "base/base.h"

#include "api/v1_outlet_inside.h"

#include "http/sse.h"

#define OUT_KEEP 4096 /* bytes kept between sends */

/* Bytes of a stream, behind its head if that is not out. */
enum err
v1_outlet_send(struct v1_outlet *o, const char *s, size_t n, bool last)
{
    struct buf head;
    enum err e;

    o->sent_ms = loop_now_ms(engine_loop(o->app->en));
    if (o->way.rq == NULL)
        return way_sent(&o->way, last ? conn_end(o->way.conn, s, n)
                                      : conn_send(o->way.conn, s, n));
    buf_init(&head, REPLY_HEAD_MAX + n);
    reply_stream_head(&head, o->way.rq, "text/event-stream", NULL);
    way_head_done(&o->way);
    if (n > 0)
        buf_add(&head, s, n);
    e = last ? conn_end(o->way.conn, head.data, head.len)
             : conn_send(o->way.conn, head.data, head.len);
    buf_release(&head);
    return way_sent(&o->way, e);
}

enum err
v1_outlet_send_out(struct v1_outlet *o, bool last)
{
    enum err e = OK;

    if (o->out.len > 0 || last)
        e = buf_status(&o->out) == OK
                ? v1_outlet_send(o, o->out.data, o->out.len, last)
                : ERR_HUP; /* broken off is better than with a gap */
    buf_clear(&o->out);
    buf_trim(&o->out, OUT_KEEP);
    return e;
}

/* The reply with a problem, while there is a request. */
static enum err
send_problem(struct v1_outlet *o)
{
    return way_sent(&o->way, v1_problem(o->way.rq, &o->problem, NULL, NULL));
}

enum err
v1_outlet_send_whole(struct v1_outlet *o)
{
    struct reply rp;

    if (o->problem.err == OK && openai_whole_status(o->whole) != OK)
        (void)problem_set(&o->problem, ERR_UPSTREAM, "answer_too_long",
                          "The answer is too long to be sent in one piece",
                          "Ask for a stream.");
    if (o->problem.err != OK)
        return send_problem(o);
    reply_begin(&rp, o->way.rq, 200, OPENAI_WHOLE_JSON_MAX);
    openai_whole_json(o->whole, &o->enc, o->finish, &o->usage,
                      reply_body(&rp, "application/json"));
    return way_sent(&o->way, reply_end(&rp));
}

/* The end of a stream that failed: a status if there is time for one. */
enum err
v1_outlet_send_failed(struct v1_outlet *o)
{
    if (o->way.rq != NULL)
        return send_problem(o);
    o->enc.ended = false;
    openai_out_error(&o->enc, &o->problem, &o->out);
    return v1_outlet_send_out(o, true);
}

/* Nothing was sent for a while. */
enum err
v1_outlet_ping(struct v1_outlet *o)
{
    return o->whole != NULL
               ? OK
               : v1_outlet_send(o, SSE_PING, sizeof(SSE_PING) - 1, false);
}
