/*
 * The way out of one request on the loop: its conn, watched. The client may
 * leave, a full socket may drain, and at the end what the kernel did not take
 * is flushed before all is freed. What is written, and when, is the affair of
 * whoever embeds it. Loop thread, but for way_init.
 */
#ifndef API_WAY_H
#define API_WAY_H

#include "api/app.h"

struct way;

struct way_calls {
    /* Everything that was kept is taken: there is room for more. */
    void (*room)(struct way *w);
    /* The client is gone. Nothing more can be sent; way_release when the
     * rest has been let go of. Never after way_over. */
    void (*left)(struct way *w);
    /* After way_over: free what w is part of, with way_release. */
    void (*free)(struct way *w);
};

/* Embed it. */
struct way {
    const struct way_calls *calls;
    struct engine *en;
    struct request *rq; /* owned; NULL once the head is sent */
    struct conn *conn;  /* rq's while there is one, then owned */
    struct loop_io io;
    struct engine_hold hold; /* while it lingers */
    bool lingers;            /* over, and the engine waits for it */
};

/* Takes rq, which has its conn. Any thread. */
void way_init(struct way *w, struct engine *en, struct request *rq,
              const struct way_calls *calls);
/* Watch for a client that leaves. Not possible for a CGI whose output is a
 * file; writing there never waits. */
void way_watch(struct way *w);
/* After each send with result e: watch for room if there was none. Gives e, or
 * ERR_HUP if that cannot be watched. */
MUST_USE enum err way_sent(struct way *w, enum err e);
/* The request was answered, or the head of its stream is made: it is freed,
 * and its conn stays. */
void way_head_done(struct way *w);
/* Nothing more is written. What is left of a reply that was brought to its end
 * is flushed, then calls->free. */
void way_over(struct way *w);
/* Let go of all that it holds: the conn is closed. */
void way_release(struct way *w);

/* Send what is left in the conn of an answered request, then close it. Takes
 * c. Any thread. */
void way_drain(struct engine *en, struct conn *c);

#endif
