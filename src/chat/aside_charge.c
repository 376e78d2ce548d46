/*
 * An aside's bill. How much is sent is known when it is put together, so that
 * is done once before anything is reserved, where something has to be. When
 * another model is asked in its stead its bill takes the place of the one
 * before.
 */
#include "base/base.h"

#include "chat/aside_charge.h"

#include "chat/called.h"
#include "chat/charge.h"
#include "chat/core.h"

static const char *
payer_of(const struct aside *a)
{
    const struct payer *p = &a->ask->payer;

    return p->owner != NULL ? p->owner : a->ask->owner;
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

    a->unbilled = false;
    bill_init(&a->bill, all->en->allowances, &a->ask->payer, a->ask->owner,
              route);
    bill_aside(&a->bill);
    if (a->bill.what.n == 0)
        return false;
    ask = all->kind->calls->prepare(a->arg, route, false, &why);
    if (ask == NULL) { /* nor will anybody be asked */
        a->bill.what.n = 0;
        return false;
    }
    IGNORE(bill_worst(&a->bill, all->en->allowances, routes, n,
                      a->report.scaled, ask->max_tokens, ask->effort) < 0);
    return true;
}

static void
on_reserved(void *arg, const struct problem *why)
{
    struct aside *a = arg;
    void (*next)(struct aside *, const struct problem *) = a->reserved;

    a->charge = NULL;
    if (why == NULL)
        a->held = true; /* else what was reserved before is so still */
    next(a, why);
}

static void
reserve(struct aside *a,
        void (*next)(struct aside *a, const struct problem *why))
{
    a->reserved = next;
    a->charge = charge_begin(a->all->en, &a->id, &a->bill, on_reserved, a);
}

void
aside_reserve(struct aside *a,
              void (*next)(struct aside *a, const struct problem *why))
{
    if (make_bill(a, &a->routes[0], a->routes, a->n_routes))
        reserve(a, next);
    else
        next(a, NULL);
}

/* --- while it is asked ---------------------------------------------------- */

void
aside_tried(struct aside *a, const struct problem *why, bool over)
{
    bool counted = a->usage.input_tokens >= 0 || a->usage.output_tokens >= 0;
    struct ledger_spent spent;
    struct bill bill;

    if (counted || over)
        called_aside(a, why->code);
    a->unbilled |= counted || over;
    if (over)
        a->asked = false;
    if (!counted)
        return;
    bill_spent(&bill, &spent, payer_of(a), &a->route, a->model, &a->usage,
               a->report.scaled, 0, true);
    spent.part = true;
    charge_settle(a->all->en, &a->id, &spent);
    ledger_add(&a->tried_micro, spent.micro);
    charge_metrics(&a->usage);
    a->usage = (struct usage){-1, -1, -1};
}

static void
on_may(struct aside *a, const struct problem *why)
{
    if (why != NULL)
        a->asked = false;
    generator_may(a->generator, why);
}

void
aside_may(void *arg, const struct route_choice *route)
{
    struct aside *a = arg;

    if (a->unbilled && (make_bill(a, route, route, 1) || a->held))
        reserve(a, on_may);
    else
        on_may(a, NULL);
}

/* --- its end -------------------------------------------------------------- */

void
aside_settle(struct aside *a, enum finish finish)
{
    struct engine *en = a->all->en;
    struct ledger_spent spent = {.model = NULL};
    struct bill bill;

    charge_drop(en, a->charge);
    a->charge = NULL;
    if (a->asked &&
        (finish != FINISH_ERROR || a->said > 0 || a->usage.input_tokens >= 0 ||
         a->usage.output_tokens >= 0)) {
        bill_spent(&bill, &spent, payer_of(a), &a->route, a->model, &a->usage,
                   a->report.scaled, a->said,
                   finish == FINISH_STOP || finish == FINISH_LENGTH);
        spent.aside = true;
    }
    if (a->held || spent.model != NULL)
        charge_settle(en, &a->id, &spent);
    a->held = false;
}
