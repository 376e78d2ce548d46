/*
 * An outlet joins a reader to a conn: the way out of one HTTP request, on the
 * loop. It writes the head when the first bytes are due, encodes events in the
 * form that was asked for, and frees itself when all is sent or the client is
 * gone (api/way.h).
 */
#ifndef API_OUTLET_H
#define API_OUTLET_H

#include "api/app.h"

enum outlet_kind {
    OUTLET_SSE,    /* text/event-stream */
    OUTLET_TEXT,   /* the bare text, for curl -N */
    OUTLET_JSON,   /* waits for the end: POST /chat */
    OUTLET_EVENTS, /* one array of events: polling */
    OUTLET_DETACH, /* 202 once the turn has begun */
    OUTLET_STOPPED /* waits for the end of a cancelled turn */
};

struct outlet;

/* Takes rq. Acceptor thread. */
struct outlet *outlet_new(struct app *app, struct request *rq,
                          enum outlet_kind kind);
/* Events after this seq only; wait_ms for polling. */
void outlet_after(struct outlet *o, uint32_t seq, int64_t wait_ms);
/* For engine_ask, engine_follow, engine_stop_turn. */
struct reader *outlet_reader(struct outlet *o);

/* What the data of an EVENT_ERROR says. */
void outlet_problem(const struct event *ev, struct problem *p);

#endif
