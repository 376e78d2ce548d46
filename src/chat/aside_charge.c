/*
 * An aside's bill. How much is sent is known when it is put together, so that
 * is done once before anything is reserved, where something has to be. When
 * another model is asked in its stead its bill takes the place of the one
 * before.
 */
#include "base/base.h"

#include "chat/aside_charge.h"

#include "chat/called.h"
#include "chat/core.h"

static const char *
payer_of(const struct aside *a)
{
    return payer_owner(&a->ask->payer, a->ask->owner);
}

/* For what is asked of a route; n of them may cost the most. False: nothing is
 * to be reserved. How much is sent is known when it is made. */
static bool
make_bill(struct aside *a, const struct route_choice *route,
          const struct route_choice *routes, size_t n)
{
    const struct asides *all = a->all;
    const struct ask *ask;
    struct problem why;

    a->due.unbilled = false;
    bill_init(&a->due.bill, all->en->allowances, &a->ask->payer, a->ask->owner,
              route);
    bill_aside(&a->due.bill);
    if (a->due.bill.what.n == 0)
        return false;
    ask = all->kind->calls->prepare(a->arg, route, false, &why);
    if (ask == NULL) { /* nor will anybody be asked */
        a->due.bill.what.n = 0;
        return false;
    }
    IGNORE(bill_worst(&a->due.bill, all->en->allowances, routes, n,
                      a->report.scaled, ask->max_tokens, ask->effort) < 0);
    return true;
}

void
aside_reserve(struct aside *a, charge_fn *next)
{
    if (make_bill(a, &a->routes[0], a->routes, a->n_routes))
        due_reserve(&a->due, a->all->en, &a->id, next, a);
    else
        next(a, NULL);
}

/* --- while it is asked ---------------------------------------------------- */

void
aside_tried(struct aside *a, const struct problem *why, bool over)
{
    struct due_call call = {payer_of(a), &a->route, a->model, &a->usage,
                            a->report.scaled};

    if (over || due_is_counted(&a->usage))
        called_aside(a, why->code);
    due_tried(&a->due, a->all->en, &a->id, &call, over);
}

static void
on_may(void *arg, const struct problem *why)
{
    struct aside *a = arg;

    due_may(&a->due, a->generator, why);
}

void
aside_may(void *arg, const struct route_choice *route)
{
    struct aside *a = arg;

    if (a->due.unbilled && (make_bill(a, route, route, 1) || a->due.held))
        due_reserve(&a->due, a->all->en, &a->id, on_may, a);
    else
        on_may(a, NULL);
}

/* --- its end -------------------------------------------------------------- */

void
aside_settle(struct aside *a, enum finish finish)
{
    struct ledger_spent spent = {.model = NULL};
    struct bill bill;

    if (a->due.asked &&
        (finish != FINISH_ERROR || a->said > 0 || due_is_counted(&a->usage))) {
        bill_spent(&bill, &spent, payer_of(a), &a->route, a->model, &a->usage,
                   a->report.scaled, a->said,
                   finish == FINISH_STOP || finish == FINISH_LENGTH);
        spent.aside = true;
    }
    due_settle(&a->due, a->all->en, &a->id, &spent);
}
