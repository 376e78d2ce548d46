/*
 * A relay is an answer that nobody keeps: a generator, straight to one client.
 * Nothing of it is stored or logged, so it ends with its client: when that
 * leaves, the provider's connection is closed at once. It counts as a turn:
 * against the capacity, in a drain, and in the metrics.
 *
 * A client that cannot take more holds back what comes: texts are then
 * gathered, up to HELD_MAX bytes. Past that the relay ends with
 * "client_too_slow".
 *
 * Answers are neither kept for equal questions nor taken from those that were
 * kept (chat/cache.h): nothing of a relay is kept, and who asks the same again
 * here, with n = 1 the only number there is, wants another answer.
 *
 * Loop thread only, but for relay_post.
 */
#ifndef CHAT_RELAY_H
#define CHAT_RELAY_H

#include "chat/due.h"
#include "chat/generator.h"
#include "chat/held.h"
#include "chat/prompt.h"

struct engine;
struct relay;

/* What a client does with its answer. Within part nothing may be cancelled. */
struct relay_ops {
    /* The loop has it now. */
    void (*attached)(struct relay *r);
    /* Encode a part. PART_MODEL comes also when another provider answers. */
    void (*part)(struct relay *r, const struct part *p);
    /* Encode the end, after all parts. With INCOMPLETE and ERROR problem says
     * why, else its err is OK. Called once. */
    void (*end)(struct relay *r, enum finish finish, const struct usage *u,
                const struct problem *problem);
    /* Send what was encoded; last: the end is in it. ERR_AGAIN: taken, but
     * wait for relay_resume. Any other: the client is gone. */
    enum err (*flush)(struct relay *r, bool last);
    /* It is over, and r the client's again. Called once, unless it was
     * cancelled. */
    void (*done)(struct relay *r);
};

/* Embed it, zeroed, and set ops. */
struct relay {
    const struct relay_ops *ops;
    /* The rest is the relay's own. */
    struct engine *en;
    struct turn_ask *ask; /* owned */
    struct generator *generator;
    struct route_choice routes[GENERATOR_ROUTES_MAX];
    size_t n_routes;
    struct relay *prev, *next; /* all of the engine */
    struct relay *dirty_next;
    struct mail mail;
    struct held held;   /* parts that wait */
    bool running;       /* counted by the engine */
    bool dirty;         /* has something for the end of the loop turn */
    bool blocked;       /* waits for relay_resume */
    bool stuck;         /* past HELD_MAX */
    bool ended;         /* end was called */
    bool first;         /* text has come */
    enum finish finish; /* NONE: not known yet */
    struct problem problem;
    struct usage usage;
    struct ident id; /* of what is reserved */
    struct due due;
    int64_t sent;              /* tokens, estimated */
    int64_t said;              /* bytes of the answer, with its reasoning */
    struct route_choice route; /* that is asked, or answered */
    char model[STORE_NAME_MAX + 1];
    int64_t begun_ms; /* monotonic */
};

/* Any thread. Ask a->route what a->ask says (its model is set here). Takes a;
 * r is the relay's until done, or until it is cancelled. */
void relay_post(struct engine *en, struct turn_ask *a, struct relay *r);
/* Its client left: close upstream at once; no callback comes. */
void relay_cancel(struct relay *r);
/* Its client can take more. */
void relay_resume(struct relay *r);

/* --- for the engine ------------------------------------------------------- */

struct relays;

struct relays *relays_new(struct engine *en); /* the engine's loop is there */
void relays_free(struct relays *rs);          /* ends what runs; NULL is fine */
/* End all with what there is: the process is stopping. */
void relays_cut(struct relays *rs);

#endif
