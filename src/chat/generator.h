/*
 * The generator produces one answer: it joins a provider (pure) to the
 * network, tries again while nothing was relayed, and reports parts, then
 * done exactly once. For a provider without a network it runs the answer on a
 * worker and hands it out in small pieces. Loop thread only.
 */
#ifndef CHAT_GENERATOR_H
#define CHAT_GENERATOR_H

#include "base/loop.h"
#include "base/worker.h"
#include "provider/provider.h"

struct generator;

struct generator_config {
    struct loop *loop;
    struct transfers *transfers;
    struct workers *workers;
    struct transfer_limits limits;
    int retries;              /* after the first try */
    int64_t offline_delay_ms; /* between pieces of a local answer */
};

/* finish is STOP, LENGTH, TOOL_CALLS or FILTER for a whole answer (problem.err
 * is OK); INCOMPLETE when it broke off after text; ERROR when nothing came. */
typedef void generator_done_fn(void *arg, enum finish finish,
                               const struct problem *problem);

/* config, route and ask are borrowed until done or cancel. Never calls back
 * before it returned; part must not cancel. */
struct generator *generator_start(const struct generator_config *c,
                                  const struct route_choice *route,
                                  const struct ask *ask, part_fn *part,
                                  generator_done_fn *done, void *arg);
/* Close upstream at once; no callback comes. NULL is fine. */
void generator_cancel(struct generator *g);

#endif
