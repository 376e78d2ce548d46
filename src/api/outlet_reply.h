/*
 * The inside of an outlet, shared by outlet.c and outlet_reply.c only. Loop
 * thread.
 */
#ifndef API_OUTLET_REPLY_H
#define API_OUTLET_REPLY_H

#include "api/outlet.h"
#include "api/way.h"
#include "api/who.h"
#include "chat/result.h"

#define OUTLET_REPLY_MAX RESULT_MAX /* bytes */

struct outlet {
    struct reader r; /* first: the hub knows only this */
    struct way way;
    struct loop_timer timer; /* polling: the wait */
    struct app *app;
    struct identity *who; /* owned; NULL: who is anonymous */
    int64_t asked_ms;     /* monotonic; whether they still may, last */
    enum outlet_kind kind;
    bool attached;
    bool follow; /* of a turn that exists: its head need not wait */
    int64_t wait_ms;
    char turn[IDENT_TEXT_LEN];
    struct buf body;        /* gathered: the reply of the whole kinds */
    struct problem *failed; /* owned; NULL: the end was no error */
};

/* The head and the first bytes of a stream; lets the request go. */
MUST_USE enum err outlet_head(struct outlet *o);
/* What an EVENT_ERROR says, kept as the outlet's problem. */
void outlet_read_failed(struct outlet *o, const struct event *ev);
/* Gather the body of a 202, and of an array of events. */
void outlet_detach_body(struct outlet *o, const struct event *ev);
void outlet_events_body(struct outlet *o, const struct event *ev);
/* Send the reply of a whole kind; last: the stream has ended. */
MUST_USE enum err outlet_whole(struct outlet *o, bool last);
/* Keep a copy of p as what went wrong. */
void outlet_keep_failed(struct outlet *o, const struct problem *p);
/* The answer failed, for a client that wants text. */
MUST_USE enum err outlet_text_failed(struct outlet *o);
/* 204: everything was seen, EventSource stops by itself. */
MUST_USE enum err outlet_nothing(struct outlet *o);

#endif
