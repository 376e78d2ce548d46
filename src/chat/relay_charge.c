/*
 * A relay's bill. Nothing of a relay is stored, so what it reserves and what it
 * used are operations of their own (chat/charge.h). Whoever leaves before the
 * answer is whole pays for what was sent and for what came.
 */
#include "base/base.h"

#include "chat/relay_charge.h"

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

bool
relay_bill(struct relay *r, size_t n)
{
    struct turn_ask *a = r->ask;
    const struct model *m = model_find(r->routes[0].provider->name,
                                       r->routes[0].model);
    int64_t most;

    relay_asks(r, &r->routes[0]);
    bill_init(&r->bill, r->en->allowances, &a->payer, payer_of(a),
              &r->routes[0]);
    r->sent = token_scale(r->en->scales, r->routes[0].model, bill_input(a, ""));
    if (m != NULL && m->context_tokens > 0 && r->sent > m->context_tokens)
        r->sent = m->context_tokens;
    if (r->bill.what.n == 0)
        return false;
    most = bill_worst(&r->bill, r->en->allowances, r->routes, n, r->sent,
                      a->ask.max_tokens, a->ask.effort);
    if (most > 0)
        a->ask.max_tokens = a->answer_max = most;
    return true;
}

static void
on_reserved(void *arg, const struct problem *why)
{
    struct relay *r = arg;
    void (*next)(struct relay *, const struct problem *) = r->reserved;

    r->charge = NULL;
    r->held_back = why == NULL;
    next(r, why);
}

void
relay_reserve(struct relay *r,
              void (*next)(struct relay *r, const struct problem *why))
{
    r->id = ident_v7();
    r->reserved = next;
    r->charge = charge_begin(r->en, &r->id, &r->bill, on_reserved, r);
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
