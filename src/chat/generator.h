/*
 * The generator produces one answer: it joins a provider (pure) to the
 * network, tries again while nothing was relayed, asks the next provider of
 * the chain when one is spent, and reports parts, then done exactly once. For
 * a provider without a network it runs the answer on a worker and hands it out
 * in small pieces. Loop thread only.
 */
#ifndef CHAT_GENERATOR_H
#define CHAT_GENERATOR_H

#include "base/loop.h"
#include "base/worker.h"
#include "chat/chain.h"
#include "provider/provider.h"

struct generator;
struct cache; /* chat/cache.h */

struct generator_config {
    struct loop *loop;
    struct transfers *transfers;
    struct workers *workers;
    struct transfer_limits limits;
    int retries; /* after the first try of each provider */
    struct circuits *circuits;
    struct cache *cache;      /* NULL: answers are not kept */
    int64_t offline_delay_ms; /* between pieces of a local answer */
};

#define GENERATOR_ROUTES_MAX CHAIN_MAX /* the chosen one and its fallbacks */

/* finish is STOP, LENGTH, TOOL_CALLS or FILTER for a whole answer (problem.err
 * is OK); INCOMPLETE when it broke off after text; ERROR when nothing came. */
typedef void generator_done_fn(void *arg, enum finish finish,
                               const struct problem *problem);

/* None of them may start or cancel a generator, but done may start one, and may
 * may call generator_may. */
struct generator_calls {
    /* Whose question it is, borrowed until the end; called once, before
     * anything else. NULL: no answer is kept and none was. */
    const char *(*owner)(void *arg);
    /* What this route is to be asked, borrowed until the next prepare or the
     * end. tight: a provider found the last one longer than its model's
     * window, make it shorter. NULL with why filled: that cannot be. */
    const struct ask *(*prepare)(void *arg, const struct route_choice *route,
                                 bool tight, struct problem *why);
    /* A provider refuses what it was asked: can it be asked without some of it?
     * True: prepare is called once more for the route. NULL: it cannot. */
    bool (*plainer)(void *arg);
    /* The parts that follow were kept from an earlier, equal request; nobody
     * was asked. NULL: not wanted. */
    void (*cached)(void *arg);
    part_fn *part;
    /* A try failed with why, and the same route is tried again; what was
     * counted so far is that try's. NULL: not wanted. */
    void (*again)(void *arg, const struct problem *why);
    /* This route is asked now; why is what the one before failed with. NULL:
     * not wanted. */
    void (*moved)(void *arg, const struct route_choice *route,
                  const struct problem *why);
    /* Behind both: may this route be asked? Say so by generator_may, now or
     * later; until then nothing else is called. NULL: it may. */
    void (*may)(void *arg, const struct route_choice *route);
    generator_done_fn *done;
};

/* Asks routes[0], the others when it cannot answer; they are copied. config
 * and calls are borrowed until done or cancel. Calls owner and prepare, but
 * nothing else, before it returned. */
struct generator *generator_start(const struct generator_config *c,
                                  const struct route_choice *routes,
                                  size_t n_routes,
                                  const struct generator_calls *calls,
                                  void *arg);
/* The answer to may. why NULL: go on; else this route is passed over as one
 * that failed so. g may be gone when it returns. */
void generator_may(struct generator *g, const struct problem *why);
/* Close upstream at once; no callback comes. NULL is fine. */
void generator_cancel(struct generator *g);

#endif
