/*
 * One event of the audit log for each call of a provider. It goes into the
 * queue of ops/audit.c, so the loop does not wait. It names the files that left
 * this machine with it.
 */
#include "base/base.h"

#include "chat/called.h"

#include "chat/aside.h"
#include "chat/embed.h"
#include "chat/relay.h"
#include "chat/retrieve.h"
#include "chat/sight.h"
#include "chat/turn.h"
#include "chat/turn_command.h"
#include "ops/audit.h"
#include "provider/models.h"

/* bytes of names of files */
#define FILES_LIST_MAX \
    ((FILES_TOP_K_MAX + 2 * ASK_NAMED_MAX) * (FILES_NAME_MAX + 1))

struct call {
    const char *purpose;
    const char *who;
    const struct route_choice *route;
    const char *model; /* that answered; "": the route's */
    struct usage usage;
    int64_t cost_micro; /* millionths of a dollar; -1: not known */
    const char *outcome;
    const char *files; /* names, one on a line, of what was sent; NULL */
};

static void
note(const struct call *c)
{
    const char *model = c->model[0] != '\0' ? c->model : c->route->model;

    if (c->route->provider->answer != NULL)
        return; /* it is this very program */
    audit_event(&(struct audit_fact){
        .what = AUDIT_PROVIDER_CALL,
        .who = c->who,
        .with = {AUDIT_TEXT("for", c->purpose),
                 AUDIT_TEXT("provider", c->route->provider->name),
                 AUDIT_TEXT("model", model),
                 AUDIT_NUMBER("input_tokens", c->usage.input_tokens),
                 AUDIT_NUMBER("output_tokens", c->usage.output_tokens),
                 AUDIT_NUMBER("cost_microusd", c->cost_micro),
                 AUDIT_LIST("files", c->files != NULL ? c->files : ""),
                 AUDIT_TEXT("outcome", c->outcome)}});
}

/* Who asked, whoever's the session is. */
static const char *
asker(const struct turn_ask *ask)
{
    return payer_owner(&ask->payer, ask->owner);
}

static int64_t
cost(const struct route_choice *route, const char *model, const struct usage *u)
{
    const struct model *m = model_find(route->provider->name, model);

    if (m == NULL)
        m = model_find(route->provider->name, route->model);
    return model_cost(m, u);
}

/* Images whose words were not among the excerpts. */
static void
add_images(struct buf *out, const struct turn *t, const struct files_found *f)
{
    for (size_t i = 0; !t->report.stays && i < ASK_NAMED_MAX; i++) {
        const struct sight *s = prompt_shown(t->ask, &t->report, i);
        bool again = s == NULL;

        for (uint32_t k = 0; !again && k < t->report.excerpts; k++)
            again = strcmp(f->hits[k].name, s->name) == 0;
        if (!again)
            buf_addf(out, "%s%s", out->len > 0 ? "\n" : "", s->name);
    }
}

/* What left this machine of files: names, each on a line, one for each
 * excerpt. */
static void
add_files(struct buf *out, const struct turn *t)
{
    const struct files_found *f = retrieved_for(t->ask->retrieved, false);

    for (uint32_t i = 0; !t->report.stays && i < t->report.excerpts; i++) {
        bool again = false;

        for (uint32_t k = 0; k < i; k++)
            again = again || strcmp(f->hits[k].name, f->hits[i].name) == 0;
        if (!again)
            buf_addf(out, "%s%s", i > 0 ? "\n" : "", f->hits[i].name);
    }
    add_images(out, t, f);
}

void
called_turn(const struct turn *t, const char *outcome)
{
    struct buf files;

    if (!t->due.asked || t->cached || !turn_asks_model(t))
        return;
    buf_init(&files, FILES_LIST_MAX);
    add_files(&files, t);
    note(&(struct call){.purpose = t->command != NULL ? "command" : "turn",
                        .files = buf_cstr(&files),
                        .who = asker(t->ask),
                        .route = &t->ask->route,
                        .model = t->model,
                        .usage = t->usage,
                        .cost_micro = cost(&t->ask->route, t->model, &t->usage),
                        .outcome = outcome});
    buf_release(&files);
}

void
called_aside(const struct aside *a, const char *outcome)
{
    if (!a->due.asked)
        return;
    note(&(struct call){.purpose = "background",
                        .who = asker(a->ask),
                        .route = &a->route,
                        .model = a->model,
                        .usage = a->usage,
                        .cost_micro = cost(&a->route, a->model, &a->usage),
                        .outcome = outcome});
}

void
called_relay(const struct relay *r, const char *outcome)
{
    if (!r->due.asked)
        return;
    note(&(struct call){.purpose = "relay",
                        .who = asker(r->ask),
                        .route = &r->route,
                        .model = r->model,
                        .usage = r->usage,
                        .cost_micro = cost(&r->route, r->model, &r->usage),
                        .outcome = outcome});
}

void
called_embed(const struct embed *em, const char *outcome)
{
    const struct usage u = {em->tokens, 0, 0};

    note(&(struct call){.purpose = "embedding",
                        .who = payer_owner(&em->payer, NULL),
                        .route = &em->route,
                        .model = em->route.model,
                        .usage = u,
                        .cost_micro = cost(&em->route, em->route.model, &u),
                        .files = em->files,
                        .outcome = outcome});
}
