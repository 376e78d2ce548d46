/*
 * Upkeep of the ledger. Reserves are looked through in the order of their ids,
 * some at a time: those of dead processes are settled together, in one
 * transaction, by the worst case. A turn that is open in the store is not: who
 * mends it settles with the answer that it finds.
 */
#include "base/base.h"

#include "chat/charge.h"

#include <semaphore.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

/* --- what dead processes left --------------------------------------------- */

struct left {
    struct ident ids[CHARGE_SWEEP_MAX];
    size_t n;
    struct process asked; /* the last one, and what was found of it */
    bool alive;
};

static bool
take(void *arg, const struct ledger_held *held)
{
    struct left *l = arg;

    if (held->process.pid != l->asked.pid ||
        held->process.start_ticks != l->asked.start_ticks) {
        l->asked = held->process;
        l->alive = process_alive(&held->process);
    }
    if (!l->alive)
        l->ids[l->n++] = held->id;
    return l->n < CHARGE_SWEEP_MAX;
}

/* Committer thread. */
static void
settled(struct store_op *op)
{
    (void)sem_post(op->arg);
}

static void
settle(struct store *s, struct charge_sweep *w, const struct left *l)
{
    struct store_op *ops = xcalloc(l->n, sizeof(*ops));
    sem_t done;

    (void)sem_init(&done, 0, 0);
    for (size_t i = 0; i < l->n; i++) {
        ops[i].kind = STORE_SETTLE;
        ops[i].done = settled;
        ops[i].arg = &done;
        ops[i].settle.turn = l->ids[i];
        ops[i].settle.at_ms = clock_wall_ms();
        ops[i].settle.spent.worst = true;
        store_submit(s, &ops[i]);
    }
    for (size_t i = 0; i < l->n;)
        i += sem_wait(&done) == 0;
    for (size_t i = 0; i < l->n; i++) {
        w->settled += ops[i].err == OK;
        if (ops[i].err == ERR_CONFLICT)
            w->open[w->n_open++] = l->ids[i];
    }
    (void)sem_destroy(&done);
    free(ops);
}

void
charge_sweep(struct store *s, struct charge_sweep *w)
{
    struct left l = {.n = CHARGE_SWEEP_MAX};
    struct ledger_query q = {.held = take, .arg = &l};
    size_t looks = CHARGE_SWEEP_PASS / CHARGE_SWEEP_MAX;

    w->settled = w->n_open = 0;
    for (; looks > 0 && l.n == CHARGE_SWEEP_MAX; looks--) {
        memset(&l, 0, sizeof(l));
        q.after = ident_is_zero(&w->after) ? NULL : &w->after;
        if (store_ledger(s, &q) != OK)
            l.n = 0;
        if (l.n == 0)
            break;
        w->after = l.ids[l.n - 1];
        settle(s, w, &l);
    }
    w->more = l.n == CHARGE_SWEEP_MAX;
    if (!w->more)
        w->after = (struct ident){{0}};
}

/* --- what is old ---------------------------------------------------------- */

enum err
charge_prune(struct store *s, int64_t now_ms, int64_t days, bool *more)
{
    struct store_op op = {.kind = STORE_LEDGER_PRUNE};
    uint32_t oldest = 0;
    struct ledger_query q = {.oldest = &oldest};
    enum err e;

    *more = false;
    if (days <= 0)
        return OK;
    op.prune.before = ledger_keeps_from(now_ms, days);
    op.prune.limit = CHARGE_PRUNE_MAX;
    e = store_ledger(s, &q);
    if (e != OK || oldest == 0 || oldest >= op.prune.before)
        return e;
    e = store_apply(s, &op);
    if (e != OK)
        return e;
    *more = op.prune.n == CHARGE_PRUNE_MAX;
    log_info("ledger.pruned", "before=%" PRIu32 " records=%" PRIu32,
             op.prune.before, op.prune.n);
    return OK;
}
