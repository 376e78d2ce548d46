/*
 * A turn's bill. It is made when its history is there and before anybody is
 * asked; the estimate is of all that could be sent, cut to what the model
 * takes. When the chain of providers goes over to another model, that one's
 * bill takes its place, under the same id and so in one transaction: the end of
 * the turn finds one reserve, whoever answered. What is reserved apart from the
 * question is given back in turn_release unless it was settled.
 */
#include "base/base.h"

#include "chat/turn_charge.h"

#include "chat/called.h"
#include "chat/charge.h"
#include "chat/core.h"
#include "chat/turn_answer.h"
#include "chat/turn_end.h"
#include "provider/models.h"

static const char *
payer_of(const struct turn *t)
{
    return t->ask->payer.owner != NULL ? t->ask->payer.owner : t->ask->owner;
}

/* For what is asked of a route; n of them may cost the most. */
static void
make_bill(struct turn *t, const struct route_choice *route,
          const struct route_choice *routes, size_t n)
{
    struct turn_ask *a = t->ask;
    const struct model *m = model_find(route->provider->name, route->model);
    int64_t input, most;

    bill_init(&t->bill, t->en->allowances, &a->payer, a->owner, route);
    t->unbilled = false;
    if (t->bill.what.n == 0)
        return;
    input = token_scale(t->en->scales, route->model,
                        bill_input(a, t->en->system_prompt));
    if (m != NULL && m->context_tokens > 0 && input > m->context_tokens)
        input = m->context_tokens;
    most = bill_worst(&t->bill, t->en->allowances, routes, n, input,
                      a->ask.max_tokens, a->ask.effort);
    if (most > 0)
        a->ask.max_tokens = a->answer_max = most;
}

void
turn_bill(struct turn *t)
{
    struct route_choice routes[GENERATOR_ROUTES_MAX];
    size_t n = turn_routes(t, routes);

    make_bill(t, &t->chosen, routes, n);
}

bool
turn_is_limited(const struct turn *t)
{
    return t->bill.what.n > 0;
}

/* --- apart from the question ---------------------------------------------- */

static void
on_reserved(void *arg, const struct problem *why)
{
    struct turn *t = arg;
    void (*next)(struct turn *, const struct problem *) = t->reserved;

    t->charge = NULL;
    if (why == NULL)
        t->held = true; /* else what was reserved before is so still */
    next(t, why);
}

void
turn_reserve(struct turn *t,
             void (*next)(struct turn *t, const struct problem *why))
{
    if (t->held || !turn_is_limited(t)) {
        next(t, NULL);
        return;
    }
    t->reserved = next;
    t->charge = charge_begin(t->en, &t->id, &t->bill, on_reserved, t);
}

/* --- while it is asked ---------------------------------------------------- */

/* Count what was used, as a part of what the turn takes. */
static void
count_part(struct turn *t, const struct ledger_spent *spent)
{
    struct ledger_spent part = *spent;

    part.part = true;
    if (part.model != NULL && (part.input_tokens > 0 || part.output_tokens > 0))
        charge_settle(t->en, &t->id, &part);
}

void
turn_tried(struct turn *t, const struct problem *why, bool over)
{
    bool counted = t->usage.input_tokens >= 0 || t->usage.output_tokens >= 0;
    struct ledger_spent spent;
    struct bill bill;

    if (counted || over)
        called_turn(t, why->code);
    t->unbilled |= counted || over;
    if (over)
        t->calling = false;
    if (!counted)
        return;
    bill_spent(&bill, &spent, payer_of(t), &t->ask->route, t->model, &t->usage,
               t->report.scaled, 0, true);
    count_part(t, &spent);
    ledger_add(&t->tried_micro, spent.micro);
    charge_metrics(&t->usage);
    t->usage = (struct usage){-1, -1, -1};
}

static void
on_may(struct turn *t, const struct problem *why)
{
    if (why != NULL)
        t->calling = false;
    if (t->generator != NULL)
        generator_may(t->generator, why);
}

void
turn_may(void *arg, const struct route_choice *route)
{
    struct turn *t = arg;
    bool limited = turn_is_limited(t), anew = t->unbilled;

    if (anew)
        make_bill(t, route, route, 1);
    if (!anew || (!limited && !turn_is_limited(t))) {
        on_may(t, NULL);
        return;
    }
    t->reserved = on_may;
    t->charge = charge_begin(t->en, &t->id, &t->bill, on_reserved, t);
}

void
turn_undone(struct turn *t)
{
    struct ledger_spent spent;

    if (t->generator == NULL && t->finish == FINISH_NONE)
        return; /* nobody was asked */
    called_turn(t, finish_name(FINISH_CANCELLED));
    t->calling = false;
    t->tried_micro = 0;
    turn_spent(t, &spent);
    count_part(t, &spent);
    turn_release(t);
}

/* --- its end -------------------------------------------------------------- */

void
turn_settle(struct turn *t)
{
    struct ledger_spent spent;

    turn_spent(t, &spent);
    if (t->held || spent.model != NULL)
        charge_settle(t->en, &t->id, &spent);
    t->held = false;
}

void
turn_release(struct turn *t)
{
    static const struct ledger_spent nothing;

    charge_drop(t->en, t->charge);
    t->charge = NULL;
    if (t->held)
        charge_settle(t->en, &t->id, &nothing);
    t->held = false;
}

void
turn_refuse_limit(struct turn *t)
{
    struct problem p = {.err = OK};

    bill_problem(&t->bill, &t->op->begin.reserve.over, t->asked_ms, &p);
    turn_refuse(t, &p);
}

/* An answer that was kept from before costs nothing, as does a provider that
 * failed before it said anything. */
void
turn_spent(struct turn *t, struct ledger_spent *out)
{
    bool whole = t->finish != FINISH_CANCELLED && t->finish != FINISH_ERROR &&
                 t->finish != FINISH_INCOMPLETE;

    if (t->cached ||
        (t->finish == FINISH_ERROR && t->text.len == 0 && t->thoughts == 0 &&
         t->usage.input_tokens < 0 && t->usage.output_tokens < 0)) {
        memset(out, 0, sizeof(*out));
        return;
    }
    bill_spent(&t->bill, out, payer_of(t), &t->ask->route, t->model, &t->usage,
               t->report.scaled, (int64_t)(t->text.len + t->thoughts), whole);
}
