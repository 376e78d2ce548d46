/*
 * Reserving waits for the committer, and so does settling; both are letters to
 * it and back. Who asked for a reserve may be gone when it comes: then it is
 * given back at once. A settlement that the disk has no room for is tried again
 * as a turn's end is, and left to the next process by one that stops.
 */
#include "base/base.h"

#include "chat/charge.h"

#include "base/clock.h"
#include "base/metric.h"
#include "chat/core.h"

#define AGAIN_MS 1000

/* --- reserving ------------------------------------------------------------ */

struct charge {
    struct engine *en;
    struct engine_hold hold;
    charge_fn *fn; /* NULL: dropped */
    void *arg;
    struct bill bill; /* names in the arena */
    struct arena arena;
    struct store_op op;
    struct mail mail;
};

static void
charge_free(struct charge *c)
{
    engine_release(c->en, &c->hold);
    arena_release(&c->arena);
    free(c);
}

static void
on_reserved(struct mail *m)
{
    static const struct ledger_spent nothing;
    struct charge *c = m->arg;
    struct problem why = {.err = OK};
    enum err e = c->op.err;

    if (e == ERR_LIMIT)
        bill_problem(&c->bill, &c->op.reserve.what.over, c->op.reserve.at_ms,
                     &why);
    else if (e != OK)
        (void)problem_set(&why, e, NULL, NULL, NULL);
    if (c->fn != NULL)
        c->fn(c->arg, e != OK ? &why : NULL);
    else if (e == OK)
        charge_settle(c->en, &c->op.reserve.turn, &nothing);
    charge_free(c);
}

/* The loop has ended: what is reserved is the next process's to settle. */
static void
drop_reserved(struct mail *m)
{
    charge_free(m->arg);
}

/* Committer thread. */
static void
reserved(struct store_op *op)
{
    struct charge *c = op->arg;

    c->mail.fn = on_reserved;
    c->mail.drop = drop_reserved;
    c->mail.arg = c;
    loop_post(c->en->loop, &c->mail);
}

/* A letter is always on its way: that frees it. */
static void
on_engine_closes(struct engine_hold *h)
{
    (void)h;
}

struct charge *
charge_begin(struct engine *en, const struct ident *id, const struct bill *b,
             charge_fn *fn, void *arg)
{
    struct charge *c = xcalloc(1, sizeof(*c));
    struct ledger_reserve *r = &c->op.reserve.what;

    c->en = en;
    c->fn = fn;
    c->arg = arg;
    c->hold.drop = on_engine_closes;
    engine_hold(en, &c->hold);
    arena_init(&c->arena);
    c->bill = *b;
    for (size_t i = 0; i < b->what.n; i++)
        c->bill.charges[i].name = arena_strdup(&c->arena, b->charges[i].name);
    c->op.kind = STORE_RESERVE;
    c->op.done = reserved;
    c->op.arg = c;
    c->op.reserve.turn = *id;
    c->op.reserve.process = process_self();
    c->op.reserve.at_ms = clock_wall_ms();
    *r = b->what;
    r->charges = c->bill.charges;
    r->owner = arena_strdup(&c->arena, b->what.owner);
    r->model = c->bill.model;
    store_submit(en->store, &c->op);
    return c;
}

/* While the engine closes all of them are gone already. */
void
charge_drop(struct engine *en, struct charge *c)
{
    if (c != NULL && !en->closed)
        c->fn = NULL;
}

/* --- settling ------------------------------------------------------------- */

struct settlement {
    struct engine *en;
    struct engine_hold hold;
    struct store_op op;
    struct mail mail;
    struct loop_timer timer;
    char owner[STORE_OWNER_MAX + 1];
    char model[LEDGER_NAME_MAX + 1];
};

static void
settlement_free(struct settlement *s)
{
    loop_timer_clear(s->en->loop, &s->timer);
    engine_release(s->en, &s->hold);
    free(s);
}

static void
on_again(struct loop_timer *t)
{
    struct settlement *s = t->arg;

    store_submit(s->en->store, &s->op);
}

static void
on_settled(struct mail *m)
{
    struct settlement *s = m->arg;

    if (s->op.err == OK || s->op.err == ERR_CONFLICT ||
        s->op.err == ERR_TOOBIG || engine_draining(s->en)) {
        settlement_free(s);
        return;
    }
    s->timer.fn = on_again;
    s->timer.arg = s;
    loop_timer_set(s->en->loop, &s->timer, loop_now_ms(s->en->loop) + AGAIN_MS);
}

static void
drop_settled(struct mail *m)
{
    settlement_free(m->arg);
}

/* Committer thread. */
static void
settled(struct store_op *op)
{
    struct settlement *s = op->arg;

    s->mail.fn = on_settled;
    s->mail.drop = drop_settled;
    s->mail.arg = s;
    loop_post(s->en->loop, &s->mail);
}

/* It waited to be tried again. */
static void
on_dropped(struct engine_hold *h)
{
    settlement_free(h->arg);
}

void
charge_settle(struct engine *en, const struct ident *id,
              const struct ledger_spent *spent)
{
    struct settlement *s;

    if (en->closed)
        return;
    s = xcalloc(1, sizeof(*s));
    s->en = en;
    s->hold.drop = on_dropped;
    s->hold.arg = s;
    engine_hold(en, &s->hold);
    s->op.kind = STORE_SETTLE;
    s->op.done = settled;
    s->op.arg = s;
    s->op.settle.turn = *id;
    s->op.settle.at_ms = clock_wall_ms();
    s->op.settle.spent = *spent;
    if (spent->model != NULL) {
        (void)snprintf(s->owner, sizeof(s->owner), "%s", spent->owner);
        (void)snprintf(s->model, sizeof(s->model), "%s", spent->model);
        s->op.settle.spent.owner = s->owner;
        s->op.settle.spent.model = s->model;
    }
    store_submit(en->store, &s->op);
}

void
charge_count(struct engine *en, const struct ledger_spent *spent)
{
    struct ident id = ident_v7();

    charge_settle(en, &id, spent);
}

void
charge_metrics(const struct usage *u)
{
    if (u->input_tokens > 0)
        metric_add(METRIC_INPUT_TOKENS, u->input_tokens);
    if (u->output_tokens > 0)
        metric_add(METRIC_OUTPUT_TOKENS, u->output_tokens);
    if (u->cached_tokens > 0)
        metric_add(METRIC_CACHED_TOKENS, u->cached_tokens);
}
