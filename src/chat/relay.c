/*
 * Relays. Parts are encoded as they come and sent once at the end of the loop
 * turn, by a hook; the hook is also the only place where a relay ends, so that
 * no callback of a generator ends its own. Runs on the loop thread.
 *
 * Fallbacks are asked as for a turn, but not the offline provider: a program
 * that asked for a model is better served with an error than with words about
 * Parley.
 */
#include "base/base.h"

#include "chat/relay.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "chat/called.h"
#include "chat/charge.h"
#include "chat/core.h"
#include "chat/relay_charge.h"

#define GIVE_MAX (64 * 1024) /* bytes given at once to who was resumed */
#define RETRY_STOPPING_S 2
#define RETRY_BUSY_S 5

struct relays {
    struct engine *en;
    struct relay *all, *dirty;
    struct loop_hook hook;
};

static void
relay_mark(struct relay *r)
{
    struct relays *rs = r->en->relays;

    if (r->dirty)
        return;
    r->dirty = true;
    r->dirty_next = rs->dirty;
    rs->dirty = r;
}

/* --- the generator -------------------------------------------------------- */

static void
pass(struct relay *r, const struct part *p)
{
    if (!r->blocked && r->held.first == NULL)
        r->ops->part(r, p);
    else if (!r->stuck)
        r->stuck = !held_add(&r->held, p);
    relay_mark(r);
}

static void
pass_model(struct relay *r, const char *model)
{
    struct part p = {.kind = PART_MODEL, .text = model, .len = strlen(model)};

    pass(r, &p);
}

static const struct ask *
on_prepare(void *arg, const struct route_choice *route, bool tight,
           struct problem *why)
{
    struct relay *r = arg;

    (void)why;
    if (tight)
        return NULL; /* what to leave out is the client's to say */
    r->ask->ask.model = route->model;
    (void)prompt_options(r->ask, route);
    r->due.asked = true;
    r->ask->ask.now_ms = clock_wall_ms();
    return &r->ask->ask;
}

static void
on_part(void *arg, const struct part *p)
{
    struct relay *r = arg;

    if (p->kind == PART_USAGE) {
        r->usage = p->usage;
        return;
    }
    relay_said(r, p);
    if (!r->first && p->kind != PART_MODEL) {
        r->first = true;
        metric_observe_ms(METRIC_FIRST_TOKEN,
                          loop_now_ms(r->en->loop) - r->begun_ms);
    }
    pass(r, p);
}

static void
on_moved(void *arg, const struct route_choice *route, const struct problem *why)
{
    struct relay *r = arg;

    relay_tried(r, why, true);
    relay_asks(r, route);
    pass_model(r, route->model);
}

static void
on_again(void *arg, const struct problem *why)
{
    relay_tried(arg, why, false);
}

static void
on_generated(void *arg, enum finish finish, const struct problem *problem)
{
    struct relay *r = arg;

    r->generator = NULL;
    r->finish = finish;
    r->problem = *problem;
    relay_mark(r);
}

static const struct generator_calls calls = {
    .prepare = on_prepare,
    .part = on_part,
    .again = on_again,
    .moved = on_moved,
    .may = relay_may,
    .done = on_generated,
};

/* --- beginning ------------------------------------------------------------ */

/* The one that was chosen, then those that may stand in for it. */
static size_t
choose_routes(struct relay *r)
{
    struct route_choice more[GENERATOR_ROUTES_MAX];
    size_t k = catalog_fallbacks(more, COUNT_OF(more)), n = 0;

    r->routes[n++] = r->ask->route;
    for (size_t i = 0; i < k && n < GENERATOR_ROUTES_MAX; i++)
        if (more[i].provider->answer == NULL &&
            (more[i].provider != r->routes[0].provider ||
             strcmp(more[i].model, r->routes[0].model) != 0))
            r->routes[n++] = more[i];
    return n;
}

static void
link_in(struct relay *r)
{
    struct relays *rs = r->en->relays;

    r->prev = NULL;
    r->next = rs->all;
    if (r->next != NULL)
        r->next->prev = r;
    rs->all = r;
    metric_add(METRIC_READERS, 1);
}

static void
relay_refuse(struct relay *r, enum err e, const char *code, int retry_after_s)
{
    (void)problem_set(&r->problem, e, code, NULL, NULL);
    r->problem.retry_after_s = retry_after_s;
    r->problem.retryable = true;
    r->finish = FINISH_ERROR;
    relay_mark(r);
}

/* It is reserved, or nothing has to be. */
static void
ask_now(void *arg, const struct problem *why)
{
    struct relay *r = arg;

    if (r->finish != FINISH_NONE) /* the process stops */
        return;
    if (why != NULL) {
        r->problem = *why;
        r->finish = FINISH_ERROR;
        relay_mark(r);
        return;
    }
    pass_model(r, r->ask->route.model);
    r->generator = generator_start(&r->en->gen, r->routes, r->n_routes, &calls,
                                   r);
}

static void
on_post(struct mail *m)
{
    struct relay *r = m->arg;
    struct engine *en = r->en;

    r->begun_ms = loop_now_ms(en->loop);
    en->busy_ms = r->begun_ms;
    link_in(r);
    r->ops->attached(r);
    if (atomic_load(&en->draining)) {
        relay_refuse(r, ERR_STOPPING, NULL, RETRY_STOPPING_S);
    } else if (engine_full(en)) {
        relay_refuse(r, ERR_BUSY, "too_many_streams", RETRY_BUSY_S);
    } else {
        r->running = true;
        engine_turn_begun(en);
        r->n_routes = choose_routes(r);
        if (relay_bill(r, r->n_routes))
            relay_reserve(r, ask_now);
        else
            ask_now(r, NULL);
    }
}

/* --- the end -------------------------------------------------------------- */

static void
unmark(struct relay *r)
{
    struct relay **at = &r->en->relays->dirty;

    if (!r->dirty)
        return;
    while (*at != r)
        at = &(*at)->dirty_next;
    *at = r->dirty_next;
    r->dirty = false;
}

static void
count(const struct relay *r)
{
    static const enum metric by_event[EVENT__MAX] = {
        [EVENT_COMPLETE] = METRIC_TURNS_COMPLETE,
        [EVENT_CANCELLED] = METRIC_TURNS_CANCELLED,
        [EVENT_ERROR] = METRIC_TURNS_FAILED,
    };
    int64_t ms = loop_now_ms(r->en->loop) - r->begun_ms;

    metric_add(r->finish == FINISH_INCOMPLETE
                   ? METRIC_TURNS_INCOMPLETE
                   : by_event[result_event(r->finish)],
               1);
    metric_observe_ms(METRIC_TURN, ms);
    charge_metrics(&r->usage);
    log_debug("relay.done", "finish=%s ms=%" PRId64 " code=%s",
              finish_name(r->finish), ms, r->problem.code);
}

/* Let go of all that it has but r itself. */
static void
relay_release(struct relay *r)
{
    generator_cancel(r->generator);
    r->generator = NULL;
    held_clear(&r->held);
    unmark(r);
    if (r->prev != NULL)
        r->prev->next = r->next;
    else
        r->en->relays->all = r->next;
    if (r->next != NULL)
        r->next->prev = r->prev;
    metric_add(METRIC_READERS, -1);
    relay_settle(r);
    called_relay(r, r->problem.err != OK ? r->problem.code
                                         : finish_name(r->finish));
    turn_ask_free(r->ask);
    r->ask = NULL;
    if (r->running) {
        count(r);
        engine_turn_over(r->en);
    }
    r->running = false;
}

static void
relay_over(struct relay *r)
{
    relay_release(r);
    r->ops->done(r);
}

void
relay_cancel(struct relay *r)
{
    if (r->finish == FINISH_NONE)
        r->finish = FINISH_CANCELLED;
    relay_release(r);
}

/* Its client is too slow: that ends it, whatever it is doing. */
static void
relay_give_up(struct relay *r)
{
    generator_cancel(r->generator);
    r->generator = NULL;
    held_clear(&r->held);
    (void)problem_set(&r->problem, ERR_TOOBIG, "client_too_slow",
                      "The answer was read too slowly",
                      "More than %d MiB of it waited to be read.",
                      HELD_MAX >> 20);
    r->finish = FINISH_INCOMPLETE;
    r->blocked = false; /* the end is sent behind what it did not take */
    r->stuck = false;
}

static void
give_part(void *arg, const struct part *p)
{
    struct relay *r = arg;

    r->ops->part(r, p);
}

/* End of the loop turn: give, end, send. */
static void
relay_flush(struct relay *r)
{
    bool last = false;
    enum err e;

    if (r->stuck && !r->ended)
        relay_give_up(r);
    if (r->blocked)
        return;
    held_give(&r->held, GIVE_MAX, give_part, r);
    if (r->finish != FINISH_NONE && r->held.first == NULL && !r->ended) {
        r->ended = true;
        r->ops->end(r, r->finish, &r->usage, &r->problem);
        last = true;
    }
    e = r->ops->flush(r, last);
    if (last || (e != OK && e != ERR_AGAIN)) {
        if (!last)
            r->finish = FINISH_CANCELLED;
        relay_over(r);
        return;
    }
    r->blocked = e == ERR_AGAIN;
    if (r->held.first != NULL && !r->blocked)
        relay_mark(r);
}

static bool
flush_all(struct loop_hook *hook)
{
    struct relays *rs = hook->arg;
    struct relay *list = rs->dirty;

    if (list == NULL)
        return false;
    rs->dirty = NULL;
    while (list != NULL) {
        struct relay *r = list;

        list = r->dirty_next;
        r->dirty = false;
        relay_flush(r);
    }
    return rs->dirty != NULL;
}

void
relay_resume(struct relay *r)
{
    r->blocked = false;
    if (r->ask != NULL)
        relay_mark(r);
}

/* --- posting -------------------------------------------------------------- */

/* The loop has ended. */
static void
drop_post(struct mail *m)
{
    struct relay *r = m->arg;

    turn_ask_free(r->ask);
    r->ask = NULL;
    (void)problem_set(&r->problem, ERR_STOPPING, NULL, NULL, NULL);
    r->problem.retry_after_s = RETRY_STOPPING_S;
    r->ops->end(r, FINISH_ERROR, &r->usage, &r->problem);
    IGNORE(r->ops->flush(r, true));
    r->ops->done(r);
}

void
relay_post(struct engine *en, struct turn_ask *a, struct relay *r)
{
    r->en = en;
    r->ask = a;
    r->usage = (struct usage){-1, -1, -1};
    r->mail.fn = on_post;
    r->mail.drop = drop_post;
    r->mail.arg = r;
    loop_post(en->loop, &r->mail);
}

/* --- all of them ---------------------------------------------------------- */

struct relays *
relays_new(struct engine *en)
{
    struct relays *rs = xcalloc(1, sizeof(*rs));

    rs->en = en;
    rs->hook.fn = flush_all;
    rs->hook.arg = rs;
    loop_hook_add(en->loop, &rs->hook);
    return rs;
}

void
relays_free(struct relays *rs)
{
    if (rs == NULL)
        return;
    while (rs->all != NULL) {
        rs->all->finish = FINISH_INCOMPLETE;
        relay_over(rs->all);
    }
    free(rs);
}

void
relays_cut(struct relays *rs)
{
    for (struct relay *r = rs->all; r != NULL; r = r->next) {
        if (r->finish != FINISH_NONE)
            continue;
        generator_cancel(r->generator);
        r->generator = NULL;
        r->finish = FINISH_INCOMPLETE;
        (void)problem_set(&r->problem, ERR_STOPPING, "shutting_down",
                          "The server is stopping",
                          "Send the request again in a moment.");
        r->problem.retryable = true;
        r->problem.retry_after_s = RETRY_STOPPING_S;
        relay_mark(r);
    }
}
