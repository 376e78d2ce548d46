/*
 * The inside of an outlet of the compatible API, shared by v1_outlet*.c only.
 * Loop thread.
 */
#ifndef API_V1_OUTLET_INSIDE_H
#define API_V1_OUTLET_INSIDE_H

#include "api/v1_outlet.h"
#include "api/way.h"
#include "dialect/openai_whole.h"

struct v1_outlet {
    struct reader r; /* first: the hub knows only this */
    struct relay relay;
    struct way way;
    struct loop_timer timer; /* silence of a relay */
    struct app *app;
    struct openai_out enc;
    struct openai_whole *whole; /* owned; NULL: a stream */
    struct buf out;             /* encoded, not sent */
    bool relays;                /* its answer is a relay's */
    int64_t sent_ms;            /* monotonic; last bytes given */
    struct event_at {
        bool calls;          /* a tool call was seen */
        uint32_t first_call; /* its seq */
    } at;
    enum finish finish; /* of the whole answer */
    struct usage usage;
    struct problem problem; /* err not OK: it failed */
};

/* Ops of the reader of a turn: v1_outlet_turn.c. */
extern const struct reader_ops v1_outlet_reader_ops;
/* All is written. */
void v1_outlet_over(struct v1_outlet *o);

/* --- v1_outlet_send.c ----------------------------------------------------- */

/* Bytes of a stream, behind its head if that is not out. OK, ERR_AGAIN: taken,
 * and room is watched for; else the client is gone. So do the others. */
MUST_USE enum err v1_outlet_send(struct v1_outlet *o, const char *s, size_t n,
                                 bool last);
/* What is in out. */
MUST_USE enum err v1_outlet_send_out(struct v1_outlet *o, bool last);
/* The answer in one piece, or its problem. */
MUST_USE enum err v1_outlet_send_whole(struct v1_outlet *o);
/* o->problem, as a status of its own if there is time for one. */
MUST_USE enum err v1_outlet_send_failed(struct v1_outlet *o);
/* Something, so that a silent stream stays open. */
MUST_USE enum err v1_outlet_ping(struct v1_outlet *o);

#endif
