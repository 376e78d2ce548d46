/*
 * Questions of the program's own.
 *
 * One is a generator with nobody behind it. What it costs is told to who asked,
 * who keeps it with the session; the text goes nowhere else. A failure is
 * worth a line in the log of who asked, and nothing more.
 */
#include "base/base.h"

#include "chat/aside.h"

#include "base/metric.h"
#include "base/text.h"
#include "chat/called.h"
#include "chat/charge.h"
#include "chat/core.h"
#include "provider/models.h"

/* --- all of one kind ------------------------------------------------------ */

void
asides_init(struct asides *all, struct engine *en,
            const struct aside_calls *calls, size_t max, int64_t total_ms)
{
    struct generator_config *c = &all->gen;

    memset(all, 0, sizeof(*all));
    all->en = en;
    all->calls = calls;
    all->max = max;
    *c = en->gen;
    c->cache = NULL;
    if (c->retries > ASIDE_RETRIES_MAX)
        c->retries = ASIDE_RETRIES_MAX;
    if (c->limits.total_ms == 0 || c->limits.total_ms > total_ms)
        c->limits.total_ms = (int)total_ms;
}

void
asides_release(struct asides *all)
{
    while (all->first != NULL)
        aside_over(all->first);
}

bool
asides_may(const struct asides *all, const struct turn_ask *turn)
{
    if (engine_draining(all->en) || all->n == all->max)
        return false;
    for (const struct aside *a = all->first; a != NULL; a = a->next)
        if (strcmp(a->ask->session_id, turn->session_id) == 0 &&
            strcmp(a->ask->owner, turn->owner) == 0)
            return false;
    return true;
}

/* --- its life ------------------------------------------------------------- */

static void
set_route(struct aside *a, const struct route_choice *route)
{
    a->route = *route;
    a->route.model = arena_strdup(&a->ask->arena, route->model);
    (void)snprintf(a->model, sizeof(a->model), "%s", route->model);
}

void
aside_init(struct aside *a, struct asides *all, void *arg,
           const struct turn_ask *turn, const struct route_choice *route,
           size_t text_max)
{
    memset(a, 0, sizeof(*a));
    a->all = all;
    a->arg = arg;
    a->begun_ms = loop_now_ms(all->en->loop);
    a->ask = turn_ask_new();
    a->ask->owner = arena_strdup(&a->ask->arena, turn->owner);
    a->ask->session_id = arena_strdup(&a->ask->arena, turn->session_id);
    allowance_payer(a->ask, turn->payer.owner, turn->payer.key, NULL);
    a->usage = (struct usage){-1, -1, -1};
    set_route(a, route);
    buf_init(&a->text, text_max);
    a->next = all->first;
    if (a->next != NULL)
        a->next->prev = a;
    all->first = a;
    all->n++;
}

void
aside_over(struct aside *a)
{
    struct asides *all = a->all;

    generator_cancel(a->generator);
    buf_release(&a->text);
    turn_ask_free(a->ask);
    if (a->prev != NULL)
        a->prev->next = a->next;
    else
        all->first = a->next;
    if (a->next != NULL)
        a->next->prev = a->prev;
    all->n--;
    all->en->busy_ms = loop_now_ms(all->en->loop);
    all->calls->over(a->arg);
}

int64_t
aside_age_ms(const struct aside *a)
{
    return loop_now_ms(a->all->en->loop) - a->begun_ms;
}

/* --- asking -------------------------------------------------------------- */

static const struct ask *
on_prepare(void *arg, const struct route_choice *route, bool tight,
           struct problem *why)
{
    struct aside *a = arg;

    return a->all->calls->prepare(a->arg, route, tight, why);
}

static void
on_moved(void *arg, const struct route_choice *route, const struct problem *why)
{
    called_aside(arg, why->code);
    set_route(arg, route);
}

static void
on_part(void *arg, const struct part *p)
{
    struct aside *a = arg;
    size_t n;

    switch (p->kind) {
    case PART_TEXT:
        n = a->text.max - a->text.len;
        buf_add(&a->text, p->text, p->len < n ? p->len : n);
        break;
    case PART_MODEL:
        if (p->len > 0 && p->len <= STORE_NAME_MAX) {
            (void)memcpy(a->model, p->text, p->len);
            a->model[p->len] = '\0';
        }
        break;
    case PART_USAGE: a->usage = p->usage; break;
    default: break;
    }
}

static void
count_tokens(const struct aside *a)
{
    token_scale_learn(a->all->en->scales, a->route.model, a->report.estimate,
                      a->usage.input_tokens);
    if (a->usage.input_tokens > 0)
        metric_add(METRIC_INPUT_TOKENS, a->usage.input_tokens);
    if (a->usage.output_tokens > 0)
        metric_add(METRIC_OUTPUT_TOKENS, a->usage.output_tokens);
    if (a->usage.cached_tokens > 0)
        metric_add(METRIC_CACHED_TOKENS, a->usage.cached_tokens);
}

/* It is its owner's to pay for. */
static void
count_cost(struct aside *a, bool whole)
{
    const struct payer *p = &a->ask->payer;
    struct ledger_spent spent;
    struct bill bill;

    if (a->usage.input_tokens < 0 && a->usage.output_tokens < 0 &&
        a->text.len == 0)
        return; /* nothing came */
    bill_spent(&bill, &spent, p->owner != NULL ? p->owner : a->ask->owner,
               &a->route, a->model, &a->usage, a->report.scaled,
               (int64_t)a->text.len, whole);
    spent.aside = true;
    charge_count(a->all->en, &spent);
}

static void
on_done(void *arg, enum finish finish, const struct problem *problem)
{
    struct aside *a = arg;
    const char *code = NULL;

    a->generator = NULL;
    called_aside(a, problem->err != OK ? problem->code : finish_name(finish));
    count_tokens(a);
    count_cost(a, finish == FINISH_STOP || finish == FINISH_LENGTH);
    if (finish != FINISH_STOP && finish != FINISH_LENGTH)
        code = problem->err != OK ? problem->code : finish_name(finish);
    a->all->calls->done(a->arg, code, finish == FINISH_LENGTH);
}

static const struct generator_calls aside_generator_calls = {
    .prepare = on_prepare,
    .part = on_part,
    .moved = on_moved,
    .done = on_done,
};

/* --- loading -------------------------------------------------------------- */

/* Worker. */
static void
load_run(void *arg)
{
    struct aside *a = arg;

    a->load_err = a->all->calls->load(a->arg);
}

static void
on_loaded(struct mail *m)
{
    struct aside *a = m->arg;
    const struct asides *all = a->all;

    if (a->load_err == ERR_NOTFOUND || engine_draining(all->en))
        aside_over(a);
    else if (a->load_err != OK)
        all->calls->done(a->arg, err_code(a->load_err), false);
    else
        a->generator = generator_start(&all->gen, a->routes, a->n_routes,
                                       &aside_generator_calls, a);
}

void
aside_begin(struct aside *a, const struct route_choice *routes, size_t n_routes)
{
    a->routes = routes;
    a->n_routes = n_routes;
    a->job.run = load_run;
    a->job.arg = a;
    a->job.done.fn = on_loaded;
    a->job.done.arg = a;
    workers_run(a->all->en->workers, &a->job);
}

/* --- storing -------------------------------------------------------------- */

static void
on_stored(struct mail *m)
{
    struct aside *a = m->arg;

    a->all->calls->stored(a->arg, a->op.err);
}

/* Committer thread. */
static void
store_done(struct store_op *op)
{
    struct aside *a = op->arg;

    a->mail.fn = on_stored;
    a->mail.arg = a;
    loop_post(a->all->en->loop, &a->mail);
}

void
aside_store(struct aside *a)
{
    a->op.done = store_done;
    a->op.arg = a;
    a->op.owner = a->ask->owner;
    a->op.session_id = a->ask->session_id;
    store_submit(a->all->en->store, &a->op);
}

/* --- what came ----------------------------------------------------------- */

int64_t
aside_cost(const struct aside *a)
{
    const char *provider = a->route.provider->name;
    const struct model *m = model_find(provider, a->model);

    if (m == NULL)
        m = model_find(provider, a->route.model);
    return model_cost(m, &a->usage);
}

const char *
aside_text(struct aside *a, size_t max, size_t *len)
{
    const char *text;
    struct buf b;
    size_t n, from = 0;

    buf_init(&b, 3 * a->text.max);
    utf8_scrub(&b, a->text.data, a->text.len);
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] == '\0')
            b.data[i] = ' ';
    n = b.len < max ? b.len : utf8_whole(b.data, max);
    while (n > 0 && strchr(" \t\r\n", b.data[n - 1]) != NULL)
        n--;
    while (from < n && strchr(" \t\r\n", b.data[from]) != NULL)
        from++;
    *len = n - from;
    text = n == 0 ? "" : arena_memdup0(&a->ask->arena, b.data + from, *len);
    buf_release(&b);
    return text;
}
