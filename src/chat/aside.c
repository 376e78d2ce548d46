/*
 * Questions of the program's own.
 *
 * One is a generator with nobody behind it. What it costs is told to who asked,
 * who keeps it with the session; the text goes nowhere else. A failure is
 * worth a line in the log of who asked, and nothing more; a budget that is used
 * up is one, before anybody is asked. It is no turn, so it takes none of the
 * turns at once.
 */
#include "base/base.h"

#include "chat/aside.h"

#include "base/conf.h"
#include "base/text.h"
#include "chat/aside_charge.h"
#include "chat/called.h"
#include "chat/charge.h"
#include "chat/core.h"
#include "provider/models.h"

/* --- all of one kind ------------------------------------------------------ */

struct asides *
asides_new(struct engine *en, const struct aside_kind *kind)
{
    struct asides *all = xcalloc(1, sizeof(*all));
    struct generator_config *c = &all->gen;

    all->en = en;
    all->kind = kind;
    all->wanted = kind->wanted();
    if (all->wanted)
        all->prompt = prompt_file_load(conf_root(), kind->prompt);
    *c = en->gen;
    c->cache = NULL;
    if (c->retries > ASIDE_RETRIES_MAX)
        c->retries = ASIDE_RETRIES_MAX;
    if (c->limits.total_ms == 0 || c->limits.total_ms > kind->total_ms)
        c->limits.total_ms = (int)kind->total_ms;
    return all;
}

void
asides_free(struct asides *all)
{
    if (all == NULL)
        return;
    while (all->first != NULL)
        aside_over(all->first);
    free(all->prompt);
    free(all);
}

bool
asides_may(const struct asides *all, const struct turn_ask *turn)
{
    if (!all->wanted || engine_draining(all->en) || all->n == all->kind->max)
        return false;
    for (const struct aside *a = all->first; a != NULL; a = a->next)
        if (strcmp(a->ask->session_id, turn->session_id) == 0 &&
            strcmp(a->ask->owner, turn->owner) == 0)
            return false;
    return true;
}

bool
asides_busy(const struct asides *all)
{
    return all->n > 0;
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
    allowance_payer(a->ask, turn->payer.owner, turn->payer.key,
                    &turn->payer.key_limits);
    a->id = ident_v7();
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
    due_leave(&a->due, all->en);
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
    all->kind->calls->over(a->arg);
}

int64_t
aside_age_ms(const struct aside *a)
{
    return loop_now_ms(a->all->en->loop) - a->begun_ms;
}

/* --- its end -------------------------------------------------------------- */

/* Nothing more comes: note it, settle, and tell. code NULL: it answered. */
static void
ended(struct aside *a, enum finish finish, const char *code)
{
    called_aside(a, code != NULL ? code : finish_name(finish));
    token_scale_learn(a->all->en->scales, a->route.model, a->report.estimate,
                      a->usage.input_tokens);
    charge_metrics(&a->usage);
    aside_settle(a, finish);
    a->due.asked = false;
    a->all->kind->calls->done(a->arg, code, finish == FINISH_LENGTH);
}

void
asides_cut(struct asides *all)
{
    for (struct aside *a = all->first, *next; a != NULL; a = next) {
        next = a->next;
        if (a->generator == NULL && a->due.charge == NULL)
            continue; /* who loads or stores it looks */
        generator_cancel(a->generator);
        a->generator = NULL;
        ended(a, FINISH_INCOMPLETE, "shutting_down");
    }
}

/* --- asking -------------------------------------------------------------- */

static const struct ask *
on_prepare(void *arg, const struct route_choice *route, bool tight,
           struct problem *why)
{
    struct aside *a = arg;
    const struct ask *ask = a->all->kind->calls->prepare(a->arg, route, tight,
                                                         why);

    a->due.asked |= ask != NULL;
    return ask;
}

static void
on_again(void *arg, const struct problem *why)
{
    aside_tried(arg, why, false);
}

static void
on_moved(void *arg, const struct route_choice *route, const struct problem *why)
{
    aside_tried(arg, why, true);
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
        a->said += (int64_t)p->len;
        break;
    case PART_REASONING: a->said += (int64_t)p->len; break;
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
on_done(void *arg, enum finish finish, const struct problem *problem)
{
    struct aside *a = arg;
    const char *code = NULL;

    a->generator = NULL;
    if (finish != FINISH_STOP && finish != FINISH_LENGTH)
        code = problem->err != OK ? problem->code : finish_name(finish);
    ended(a, finish, code);
}

static const struct generator_calls aside_generator_calls = {
    .prepare = on_prepare,
    .part = on_part,
    .again = on_again,
    .moved = on_moved,
    .may = aside_may,
    .done = on_done,
};

/* It is reserved, or nothing has to be. */
static void
ask_now(void *arg, const struct problem *why)
{
    struct aside *a = arg;

    if (why != NULL)
        ended(a, FINISH_ERROR, why->code);
    else
        a->generator = generator_start(&a->all->gen, a->routes, a->n_routes,
                                       &aside_generator_calls, a);
}

/* --- loading -------------------------------------------------------------- */

/* Worker. */
static void
load_run(void *arg)
{
    struct aside *a = arg;

    a->load_err = a->all->kind->calls->load(a->arg);
}

static void
on_loaded(struct mail *m)
{
    struct aside *a = m->arg;
    const struct asides *all = a->all;

    if (a->load_err == ERR_NOTFOUND || engine_draining(all->en))
        aside_over(a);
    else if (a->load_err != OK)
        all->kind->calls->done(a->arg, err_code(a->load_err), false);
    else
        aside_reserve(a, ask_now);
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

    if (a->useless)
        aside_over(a);
    else
        a->all->kind->calls->stored(a->arg, a->op.err);
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

void
aside_useless(struct aside *a, uint64_t session_no)
{
    int64_t micro = aside_cost(a);

    if (micro <= 0) {
        aside_over(a);
        return;
    }
    a->useless = true;
    a->op = (struct store_op){
        .kind = STORE_SESSION_PATCH,
        .patch = {.only_no = session_no, .cost_micro = micro}};
    aside_store(a);
}

/* --- what came ----------------------------------------------------------- */

int64_t
aside_cost(const struct aside *a)
{
    const char *provider = a->route.provider->name;
    const struct model *m = model_find(provider, a->model);

    int64_t micro;

    if (m == NULL)
        m = model_find(provider, a->route.model);
    micro = model_cost(m, &a->usage);
    if (a->due.tried_micro > 0) {
        micro = micro > 0 ? micro : 0;
        ledger_add(&micro, a->due.tried_micro);
    }
    return micro;
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
