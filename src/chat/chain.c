/*
 * The chain of providers. It holds no request and asks nobody: it is the part
 * of an answer's state that outlives a try, and all that a generator says to
 * the circuits goes through here.
 *
 * For its circuit a question is one failure, however often it was tried. The
 * time for one answer is that of all tries of all routes together; when it is
 * over no provider is asked any more, but a local answer needs none and is
 * given all the same.
 */
#include "base/base.h"

#include "chat/chain.h"

#include <limits.h>

void
chain_init(struct chain *c, struct circuits *circuits,
           const struct route_choice *routes, size_t n_routes,
           int64_t deadline_ms)
{
    assert(n_routes > 0);
    (void)memset(c, 0, sizeof(*c));
    c->circuits = circuits;
    c->n_routes = n_routes < CHAIN_MAX ? n_routes : CHAIN_MAX;
    (void)memcpy(c->routes, routes, c->n_routes * sizeof(*routes));
    c->deadline_ms = deadline_ms;
}

const struct route_choice *
chain_route(const struct chain *c)
{
    return &c->routes[c->at];
}

const struct provider *
chain_provider(const struct chain *c)
{
    return chain_route(c)->provider;
}

int
chain_left_ms(const struct chain *c, int64_t now_ms)
{
    int64_t left_ms = c->deadline_ms - now_ms;

    if (c->deadline_ms == 0 || left_ms > INT_MAX)
        return INT_MAX;
    return left_ms > 0 ? (int)left_ms : 0;
}

bool
chain_next(struct chain *c, int64_t now_ms)
{
    size_t next = c->at + 1;

    assert(!c->entered);
    if (chain_left_ms(c, now_ms) == 0)
        while (next < c->n_routes && c->routes[next].provider->answer == NULL)
            next++;
    if (next == c->n_routes)
        return false;
    c->at = next;
    c->blamed = false;
    return true;
}

/* --- the circuit --------------------------------------------------------- */

static void
say_down(const struct chain *c, struct problem *why, int64_t now_ms)
{
    int64_t wait_ms = circuit_wait_ms(c->circuits, chain_provider(c), now_ms);

    (void)problem_set(why, ERR_BUSY, "provider_down",
                      "The provider failed again and again",
                      "It is not asked for a while. Try again later, or use "
                      "another provider.");
    why->retryable = true;
    why->retry_after_s = 1 + (int)(wait_ms / 1000);
}

bool
chain_enter(struct chain *c, struct problem *why, int64_t now_ms)
{
    assert(!c->entered);
    if (chain_provider(c)->answer != NULL)
        return true;
    c->entered = circuit_enter(c->circuits, chain_provider(c), now_ms);
    if (!c->entered && why != NULL)
        say_down(c, why, now_ms);
    return c->entered;
}

void
chain_began(struct chain *c)
{
    if (c->entered)
        circuit_began(c->circuits, chain_provider(c));
}

void
chain_tell(struct chain *c, enum health h, int64_t now_ms)
{
    if (!c->entered)
        return;
    c->entered = false;
    if (h == HEALTH_FAILED && c->blamed)
        h = HEALTH_UNKNOWN;
    switch (h) {
    case HEALTH_OK: circuit_ok(c->circuits, chain_provider(c)); break;
    case HEALTH_FAILED:
        c->blamed = true;
        circuit_failed(c->circuits, chain_provider(c), now_ms);
        break;
    case HEALTH_UNKNOWN: circuit_nothing(c->circuits, chain_provider(c));
    }
}

bool
chain_is_down(const struct chain *c, int64_t now_ms)
{
    return circuit_state(c->circuits, chain_provider(c), now_ms) ==
           CIRCUIT_OPEN;
}
