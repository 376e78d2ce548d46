/*
 * Who asks for an answer makes its bill before the first model is asked, and
 * another one when the chain of providers goes on to the next: that takes the
 * place of the one before, under the same id and so in one transaction. The end
 * finds one reserve, whoever answered, and settles it together with what the
 * tries before have used. Whoever has an answer knows what is sent and who is
 * told; here is what is the same for all of them.
 */
#include "base/base.h"

#include "chat/due.h"

#include "chat/core.h"
#include "chat/generator.h"
#include "provider/models.h"

int64_t
due_input(struct engine *en, const struct turn_ask *a,
          const struct route_choice *route, const char *system_prompt)
{
    const struct model *m = model_find(route->provider->name, route->model);
    int64_t n = token_scale(en->scales, route->model,
                            bill_input(a, system_prompt));

    return m != NULL && m->context_tokens > 0 && n > m->context_tokens
               ? m->context_tokens
               : n;
}

void
due_worst(struct due *d, struct engine *en, struct turn_ask *a,
          const struct route_choice *routes, size_t n, int64_t input)
{
    int64_t most;

    if (d->bill.what.n == 0)
        return;
    most = bill_worst(&d->bill, en->allowances, routes, n, input,
                      a->ask.max_tokens, a->ask.effort);
    if (most > 0)
        a->ask.max_tokens = a->answer_max = most;
}

static void
on_reserved(void *arg, const struct problem *why)
{
    struct due *d = arg;

    d->charge = NULL;
    if (why == NULL)
        d->held = true;
    d->next(d->arg, why);
}

void
due_reserve(struct due *d, struct engine *en, const struct ident *id,
            charge_fn *next, void *arg)
{
    d->next = next;
    d->arg = arg;
    d->charge = charge_begin(en, id, &d->bill, on_reserved, d);
}

void
due_leave(struct due *d, struct engine *en)
{
    charge_drop(en, d->charge);
    d->charge = NULL;
}

void
due_may(struct due *d, struct generator *g, const struct problem *why)
{
    if (why != NULL)
        d->asked = false;
    if (g != NULL)
        generator_may(g, why);
}

bool
due_is_counted(const struct usage *u)
{
    return u->input_tokens >= 0 || u->output_tokens >= 0;
}

void
due_part(struct engine *en, const struct ident *id,
         const struct ledger_spent *spent)
{
    struct ledger_spent part = *spent;

    part.part = true;
    if (part.model != NULL && (part.input_tokens > 0 || part.output_tokens > 0))
        charge_settle(en, id, &part);
}

void
due_tried(struct due *d, struct engine *en, const struct ident *id,
          const struct due_call *c, bool over)
{
    bool counted = due_is_counted(c->usage);
    struct ledger_spent spent;
    struct bill bill;

    d->unbilled |= counted || over;
    if (over)
        d->asked = false;
    if (!counted)
        return;
    bill_spent(&bill, &spent, c->payer, c->route, c->model, c->usage, c->sent,
               0, true);
    due_part(en, id, &spent);
    ledger_add(&d->tried_micro, spent.micro);
    charge_metrics(c->usage);
    *c->usage = (struct usage){-1, -1, -1};
}

void
due_settle(struct due *d, struct engine *en, const struct ident *id,
           const struct ledger_spent *spent)
{
    due_leave(d, en);
    if (d->held || spent->model != NULL)
        charge_settle(en, id, spent);
    d->held = false;
}
