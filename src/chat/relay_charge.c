/*
 * A relay's bill. Nothing of a relay is stored, so what it reserves and what it
 * used are operations of their own (chat/charge.h). Whoever leaves before the
 * answer is whole pays for what was sent and for what came.
 */
#include "base/base.h"

#include "chat/relay_charge.h"

#include "chat/called.h"
#include "chat/core.h"

static const char *
payer_of(const struct relay *r)
{
    return payer_owner(&r->ask->payer, r->ask->owner);
}

/* For what is asked of a route; n of them may cost the most. */
static void
make_bill(struct relay *r, const struct route_choice *route,
          const struct route_choice *routes, size_t n)
{
    bill_init(&r->due.bill, r->en->allowances, &r->ask->payer, payer_of(r),
              route);
    r->due.unbilled = false;
    r->sent = due_input(r->en, r->ask, route, "");
    due_worst(&r->due, r->en, r->ask, routes, n, r->sent);
}

bool
relay_bill(struct relay *r, size_t n)
{
    r->id = ident_v7();
    relay_asks(r, &r->routes[0]);
    make_bill(r, &r->routes[0], r->routes, n);
    return r->due.bill.what.n > 0;
}

void
relay_reserve(struct relay *r, charge_fn *next)
{
    due_reserve(&r->due, r->en, &r->id, next, r);
}

/* --- while it is asked ---------------------------------------------------- */

void
relay_tried(struct relay *r, const struct problem *why, bool over)
{
    struct due_call call = {payer_of(r), &r->route, r->model, &r->usage,
                            r->sent};

    if (over || due_is_counted(&r->usage))
        called_relay(r, why->code);
    due_tried(&r->due, r->en, &r->id, &call, over);
}

static void
on_may(void *arg, const struct problem *why)
{
    struct relay *r = arg;

    due_may(&r->due, r->generator, why);
}

void
relay_may(void *arg, const struct route_choice *route)
{
    struct relay *r = arg;
    bool limited = r->due.bill.what.n > 0, anew = r->due.unbilled;

    if (anew)
        make_bill(r, route, route, 1);
    if (!anew || (!limited && r->due.bill.what.n == 0))
        on_may(r, NULL);
    else
        relay_reserve(r, on_may);
}

void
relay_asks(struct relay *r, const struct route_choice *route)
{
    r->route = *route;
    (void)snprintf(r->model, sizeof(r->model), "%s", route->model);
}

void
relay_said(struct relay *r, const struct part *p)
{
    if (p->kind != PART_MODEL)
        r->said += (int64_t)p->len;
    else if (p->len > 0 && p->len <= STORE_NAME_MAX) {
        (void)memcpy(r->model, p->text, p->len);
        r->model[p->len] = '\0';
    }
}

/* --- its end -------------------------------------------------------------- */

/* Nothing came, and nobody counted anything: it costs nothing. */
static bool
is_free(const struct relay *r)
{
    return !r->due.asked || (r->finish == FINISH_ERROR && r->said == 0 &&
                             !due_is_counted(&r->usage));
}

void
relay_settle(struct relay *r)
{
    struct ledger_spent spent = {.model = NULL};
    bool whole = r->finish != FINISH_CANCELLED && r->finish != FINISH_ERROR &&
                 r->finish != FINISH_INCOMPLETE;

    if (!is_free(r))
        bill_spent(&r->due.bill, &spent, payer_of(r), &r->route, r->model,
                   &r->usage, r->sent, r->said, whole);
    due_settle(&r->due, r->en, &r->id, &spent);
}
