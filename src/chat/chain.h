/*
 * The chain of providers that one answer may come from: which of them is asked
 * now, how long all of it may take, and what their circuits are told. A part
 * of one generator (chat/generator.c). Loop thread only; times are monotonic.
 */
#ifndef CHAT_CHAIN_H
#define CHAT_CHAIN_H

#include "chat/circuit.h"
#include "provider/provider.h"

#define CHAIN_MAX 8 /* routes: the chosen one and its fallbacks */

/* What a request says about its provider. */
enum health { HEALTH_OK, HEALTH_FAILED, HEALTH_UNKNOWN };

struct chain {
    struct circuits *circuits; /* borrowed */
    struct route_choice routes[CHAIN_MAX];
    size_t n_routes;
    size_t at;           /* the route that is asked */
    int64_t deadline_ms; /* no transfer after it; 0: none */
    bool entered;        /* its circuit waits to be told */
    bool blamed;         /* it was told of a failure of this route */
};

/* Copies the routes; those past CHAIN_MAX are left out. */
void chain_init(struct chain *c, struct circuits *circuits,
                const struct route_choice *routes, size_t n_routes,
                int64_t deadline_ms);
const struct route_choice *chain_route(const struct chain *c); /* borrowed */
const struct provider *chain_provider(const struct chain *c);
/* The time that is left for transfers, ms; INT_MAX: no limit. */
int chain_left_ms(const struct chain *c, int64_t now_ms);
/* On to the next route; when the time is over, to the next that needs none.
 * False: there is none, and nothing changed. */
MUST_USE bool chain_next(struct chain *c, int64_t now_ms);

/* May the provider of this route be asked? A local one always may. True: tell
 * what became of it before it is asked again. False fills why, which may be
 * NULL. */
MUST_USE bool chain_enter(struct chain *c, struct problem *why, int64_t now_ms);
/* Something of the answer came. */
void chain_began(struct chain *c);
/* The request ended. Of one route the circuit hears of one failure, however
 * many there were. Nothing if no request waits for it. */
void chain_tell(struct chain *c, enum health h, int64_t now_ms);
/* Is it of no use to ask this provider again now? */
bool chain_is_down(const struct chain *c, int64_t now_ms);

#endif
