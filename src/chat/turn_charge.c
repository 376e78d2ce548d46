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
#include "chat/core.h"
#include "chat/turn_answer.h"
#include "chat/turn_end.h"

static const char *
payer_of(const struct turn *t)
{
    return payer_owner(&t->ask->payer, t->ask->owner);
}

/* For what is asked of a route; n of them may cost the most. */
static void
make_bill(struct turn *t, const struct route_choice *route,
          const struct route_choice *routes, size_t n)
{
    bill_init(&t->due.bill, t->en->allowances, &t->ask->payer, t->ask->owner,
              route);
    t->due.unbilled = false;
    if (turn_is_limited(t))
        due_worst(&t->due, t->en, t->ask, routes, n,
                  due_input(t->en, t->ask, route, t->en->system_prompt));
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
    return t->due.bill.what.n > 0;
}

/* --- apart from the question ---------------------------------------------- */

void
turn_reserve(struct turn *t, charge_fn *next)
{
    if (t->due.held || !turn_is_limited(t))
        next(t, NULL);
    else
        due_reserve(&t->due, t->en, &t->id, next, t);
}

/* --- while it is asked ---------------------------------------------------- */

void
turn_tried(struct turn *t, const struct problem *why, bool over)
{
    struct due_call call = {payer_of(t), &t->ask->route, t->model, &t->usage,
                            t->report.scaled};

    if (over || due_is_counted(&t->usage))
        called_turn(t, why->code);
    due_tried(&t->due, t->en, &t->id, &call, over);
}

static void
on_may(void *arg, const struct problem *why)
{
    struct turn *t = arg;

    due_may(&t->due, t->generator, why);
}

void
turn_may(void *arg, const struct route_choice *route)
{
    struct turn *t = arg;
    bool limited = turn_is_limited(t), anew = t->due.unbilled;

    if (anew)
        make_bill(t, route, route, 1);
    if (!anew || (!limited && !turn_is_limited(t)))
        on_may(t, NULL);
    else
        due_reserve(&t->due, t->en, &t->id, on_may, t);
}

void
turn_undone(struct turn *t)
{
    struct ledger_spent spent;

    if (t->generator == NULL && t->finish == FINISH_NONE)
        return; /* nobody was asked */
    called_turn(t, finish_name(FINISH_CANCELLED));
    t->due.asked = false;
    t->due.tried_micro = 0;
    turn_spent(t, &spent);
    due_part(t->en, &t->id, &spent);
    turn_release(t);
}

/* --- its end -------------------------------------------------------------- */

void
turn_settle(struct turn *t)
{
    struct ledger_spent spent;

    turn_spent(t, &spent);
    due_settle(&t->due, t->en, &t->id, &spent);
}

void
turn_release(struct turn *t)
{
    static const struct ledger_spent nothing;

    due_settle(&t->due, t->en, &t->id, &nothing);
}

void
turn_refuse_limit(struct turn *t)
{
    struct problem p = {.err = OK};

    bill_problem(&t->due.bill, &t->op->begin.reserve.over, t->asked_ms, &p);
    turn_refuse(t, &p);
}

/* An answer that was kept from before costs nothing, as does a provider that
 * failed before it said anything. */
void
turn_spent(struct turn *t, struct ledger_spent *out)
{
    bool whole = t->finish != FINISH_CANCELLED && t->finish != FINISH_ERROR &&
                 t->finish != FINISH_INCOMPLETE;

    if (t->cached || (t->finish == FINISH_ERROR && t->text.len == 0 &&
                      t->thoughts == 0 && !due_is_counted(&t->usage))) {
        memset(out, 0, sizeof(*out));
        return;
    }
    bill_spent(&t->due.bill, out, payer_of(t), &t->ask->route, t->model,
               &t->usage, t->report.scaled,
               (int64_t)(t->text.len + t->thoughts), whole);
}
