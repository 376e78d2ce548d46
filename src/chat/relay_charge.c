/*
 * A relay's bill. Nothing of a relay is stored, so what it reserves and what it
 * used are operations of their own (chat/charge.h). When another model is asked
 * in its stead its bill takes the place of the one before. Whoever leaves
 * before the answer is whole pays for what was sent and for what came.
 */
#include "base/base.h"

#include "chat/relay_charge.h"

#include "chat/called.h"
#include "chat/charge.h"
#include "chat/core.h"
#include "provider/models.h"

static const char *
payer_of(const struct turn_ask *a)
{
    if (a->payer.owner != NULL)
        return a->payer.owner;
    return a->owner != NULL ? a->owner : "";
}

/* For what is asked of a route; n of them may cost the most. */
static void
make_bill(struct relay *r, const struct route_choice *route,
          const struct route_choice *routes, size_t n)
{
    struct turn_ask *a = r->ask;
    const struct model *m = model_find(route->provider->name, route->model);
    int64_t most;

    bill_init(&r->bill, r->en->allowances, &a->payer, payer_of(a), route);
    r->unbilled = false;
    r->sent = token_scale(r->en->scales, route->model, bill_input(a, ""));
    if (m != NULL && m->context_tokens > 0 && r->sent > m->context_tokens)
        r->sent = m->context_tokens;
    if (r->bill.what.n == 0)
        return;
    most = bill_worst(&r->bill, r->en->allowances, routes, n, r->sent,
                      a->ask.max_tokens, a->ask.effort);
    if (most > 0)
        a->ask.max_tokens = a->answer_max = most;
}

bool
relay_bill(struct relay *r, size_t n)
{
    r->id = ident_v7();
    relay_asks(r, &r->routes[0]);
    make_bill(r, &r->routes[0], r->routes, n);
    return r->bill.what.n > 0;
}

static void
on_reserved(void *arg, const struct problem *why)
{
    struct relay *r = arg;
    void (*next)(struct relay *, const struct problem *) = r->reserved;

    r->charge = NULL;
    if (why == NULL)
        r->held_back = true; /* else what was reserved before is so still */
    next(r, why);
}

void
relay_reserve(struct relay *r,
              void (*next)(struct relay *r, const struct problem *why))
{
    r->reserved = next;
    r->charge = charge_begin(r->en, &r->id, &r->bill, on_reserved, r);
}

/* --- while it is asked ---------------------------------------------------- */

void
relay_tried(struct relay *r, const struct problem *why, bool over)
{
    bool counted = r->usage.input_tokens >= 0 || r->usage.output_tokens >= 0;
    struct ledger_spent spent;
    struct bill bill;

    if (counted || over)
        called_relay(r, why->code);
    r->unbilled |= counted || over;
    if (over)
        r->asked = false;
    if (!counted)
        return;
    bill_spent(&bill, &spent, payer_of(r->ask), &r->route, r->model, &r->usage,
               r->sent, 0, true);
    spent.part = true;
    charge_settle(r->en, &r->id, &spent);
    charge_metrics(&r->usage);
    r->usage = (struct usage){-1, -1, -1};
}

static void
on_may(struct relay *r, const struct problem *why)
{
    if (why != NULL)
        r->asked = false;
    if (r->generator != NULL)
        generator_may(r->generator, why);
}

void
relay_may(void *arg, const struct route_choice *route)
{
    struct relay *r = arg;
    bool limited = r->bill.what.n > 0, anew = r->unbilled;

    if (anew)
        make_bill(r, route, route, 1);
    if (!anew || (!limited && r->bill.what.n == 0))
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
    return !r->asked ||
           (r->finish == FINISH_ERROR && r->said == 0 &&
            r->usage.input_tokens < 0 && r->usage.output_tokens < 0);
}

void
relay_settle(struct relay *r)
{
    struct ledger_spent spent = {.model = NULL};
    bool whole = r->finish != FINISH_CANCELLED && r->finish != FINISH_ERROR &&
                 r->finish != FINISH_INCOMPLETE;

    charge_drop(r->en, r->charge);
    r->charge = NULL;
    if (!is_free(r))
        bill_spent(&r->bill, &spent, payer_of(r->ask), &r->route, r->model,
                   &r->usage, r->sent, r->said, whole);
    if (r->held_back)
        charge_settle(r->en, &r->id, &spent);
    else if (spent.model != NULL)
        charge_count(r->en, &spent);
    r->held_back = false;
}
