/*
 * Circuits. One writer (the loop), readers anywhere: the few numbers are
 * atomic, and a reader that sees one of them a moment before the other shows a
 * state that was true a moment ago.
 */
#include "base/base.h"

#include "chat/circuit.h"

#include <stdatomic.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "provider/provider.h"

#define CIRCUITS_MAX 16 /* providers */

struct circuit {
    _Atomic(const struct provider *) provider; /* NULL: unused */
    int failures;                              /* in a row; loop's */
    bool probing;                 /* one request is on its way; loop's */
    atomic_int_fast64_t until_ms; /* monotonic: open; 0: closed */
};

struct circuits {
    int64_t open_ms; /* constant; 0: never */
    struct circuit all[CIRCUITS_MAX];
};

const char *
circuit_name(enum circuit_state s)
{
    static const char *const names[] = {
        [CIRCUIT_CLOSED] = "closed",
        [CIRCUIT_OPEN] = "open",
        [CIRCUIT_HALF_OPEN] = "half_open",
    };

    return names[s];
}

struct circuits *
circuits_new(int64_t open_ms)
{
    struct circuits *c = xcalloc(1, sizeof(*c));

    c->open_ms = open_ms;
    return c;
}

void
circuits_free(struct circuits *c)
{
    free(c);
}

/* NULL: it has none (yet). */
static struct circuit *
find(struct circuits *c, const struct provider *p)
{
    for (size_t i = 0; i < CIRCUITS_MAX; i++)
        if (atomic_load(&c->all[i].provider) == p)
            return &c->all[i];
    return NULL;
}

static struct circuit *
get(struct circuits *c, const struct provider *p)
{
    struct circuit *k = find(c, p);

    if (k == NULL) {
        k = find(c, NULL);
        assert(k != NULL); /* there are fewer providers */
        atomic_store(&k->provider, p);
    }
    return k;
}

bool
circuit_enter(struct circuits *c, const struct provider *p, int64_t now_ms)
{
    struct circuit *k = get(c, p);
    int64_t until_ms = atomic_load(&k->until_ms);

    if (until_ms == 0)
        return true;
    if (now_ms < until_ms || k->probing)
        return false;
    k->probing = true;
    return true;
}

static void
close_it(struct circuit *k, const struct provider *p, int failures)
{
    k->failures = failures;
    k->probing = false;
    if (atomic_exchange(&k->until_ms, 0) == 0)
        return;
    metric_add(METRIC_CIRCUITS_OPEN, -1);
    log_info("circuit.closed", "provider=%s", p->name);
}

void
circuit_ok(struct circuits *c, const struct provider *p)
{
    close_it(get(c, p), p, 0);
}

void
circuit_began(struct circuits *c, const struct provider *p)
{
    struct circuit *k = get(c, p);

    if (k->probing)
        close_it(k, p, CIRCUIT_FAILURES - 1);
}

void
circuit_failed(struct circuits *c, const struct provider *p, int64_t now_ms)
{
    struct circuit *k = get(c, p);
    bool probed = k->probing;

    k->probing = false;
    if (++k->failures < CIRCUIT_FAILURES || c->open_ms == 0)
        return;
    if (!probed && atomic_load(&k->until_ms) != 0)
        return; /* it was asked before that */
    if (atomic_exchange(&k->until_ms, now_ms + c->open_ms) != 0)
        return;
    metric_add(METRIC_CIRCUITS_OPEN, 1);
    log_warn("circuit.open", "provider=%s failures=%d", p->name, k->failures);
}

void
circuit_nothing(struct circuits *c, const struct provider *p)
{
    get(c, p)->probing = false;
}

enum circuit_state
circuit_state(struct circuits *c, const struct provider *p, int64_t now_ms)
{
    struct circuit *k = find(c, p);
    int64_t until_ms = k != NULL ? atomic_load(&k->until_ms) : 0;

    if (until_ms == 0)
        return CIRCUIT_CLOSED;
    return now_ms < until_ms ? CIRCUIT_OPEN : CIRCUIT_HALF_OPEN;
}

int64_t
circuit_wait_ms(struct circuits *c, const struct provider *p, int64_t now_ms)
{
    struct circuit *k = find(c, p);
    int64_t until_ms = k != NULL ? atomic_load(&k->until_ms) : 0;

    return until_ms > now_ms ? until_ms - now_ms : 0;
}
