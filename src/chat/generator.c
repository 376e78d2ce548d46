/*
 * One answer from a chain of providers. A try is: build the request, start
 * the transfer, feed the reply to the provider's reader. A failure before the
 * first relayed part may be tried again after a wait (upstream/retry); when
 * that is spent, or of no use, the next route is asked. After the first part
 * what was relayed stands, and the answer is incomplete.
 *
 * A request that a provider finds too long is made shorter and sent again,
 * once; one whose images it refuses, without these. A provider whose circuit is
 * open is passed over. Which route that is is chat/chain's business.
 */
#include "base/base.h"

#include "chat/generator.h"

#include "base/clock.h"
#include "base/ident.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/text.h"
#include "chat/chain.h"
#include "chat/generator_problem.h"
#include "chat/local.h"
#include "chat/recall.h"
#include "upstream/retry.h"

#define REQUEST_BODY_MAX (64 * 1024 * 1024) /* bytes sent to a provider */

struct generator {
    const struct generator_config *c;
    const struct generator_calls *calls;
    void *arg;
    struct chain chain;
    const struct ask *ask; /* of this route; the owner's */

    struct transfer *transfer;
    void *reader;
    struct local *local;
    struct recall recall;
    struct loop_timer timer;           /* the next try */
    void (*next)(struct generator *g); /* when it may */
    int tries;                         /* of this route */
    bool shortened;                    /* the request was made shorter */
    bool relayed;           /* something was passed on: no more tries */
    enum finish finish;     /* the provider's end marker was seen */
    struct problem problem; /* what went wrong in this try */
};

static void try_start(struct generator *g);
static void route_start(struct generator *g);

static void
reader_drop(struct generator *g)
{
    if (g->reader != NULL)
        chain_provider(&g->chain)->reader_free(g->reader);
    g->reader = NULL;
}

/* --- ends ---------------------------------------------------------------- */

static void
generator_free(struct generator *g)
{
    chain_tell(&g->chain, HEALTH_UNKNOWN, clock_mono_ms());
    loop_timer_clear(g->c->loop, &g->timer);
    reader_drop(g);
    local_cancel(g->local);
    recall_release(&g->recall);
    free(g);
}

static void
generator_end(struct generator *g, enum finish finish)
{
    generator_done_fn *done = g->calls->done;
    void *arg = g->arg;
    struct problem problem = g->problem;

    if (finish != FINISH_INCOMPLETE && finish != FINISH_ERROR)
        memset(&problem, 0, sizeof(problem));
    generator_free(g);
    done(arg, finish, &problem);
}

static void
relay(struct generator *g, const struct part *p)
{
    if (!g->relayed)
        chain_began(&g->chain);
    g->relayed = true;
    g->calls->part(g->arg, p);
}

static void
take_part(void *arg, const struct part *p)
{
    struct generator *g = arg;

    recall_add(&g->recall, p);
    switch (p->kind) {
    case PART_FINISH: g->finish = p->finish; return;
    case PART_ERROR:
        if (p->problem != NULL)
            g->problem = *p->problem;
        return;
    case PART_TEXT:
    case PART_REASONING:
        if (p->len == 0)
            return;
        metric_add(METRIC_CHUNKS, 1);
        relay(g, p);
        return;
    case PART_CALL:
    case PART_ARGS:
    case PART_SIGNATURE:
    case PART_SEALED: relay(g, p); return;
    default: g->calls->part(g->arg, p);
    }
}

/* Not a millisecond too early: a provider that says when means it. The loop's
 * own time is when its turn began, and whole milliseconds are rounded down. */
static void
later(struct generator *g, loop_timer_fn *fn, int64_t wait_ms)
{
    int64_t at_ms = wait_ms > 0 ? clock_mono_ms() + wait_ms + 1 : 0;

    g->timer.fn = fn;
    g->timer.arg = g;
    loop_timer_set(g->c->loop, &g->timer, at_ms);
}

/* Go on with what has to be allowed, after something failed. */
static void
ask_leave(struct generator *g, void (*next)(struct generator *g))
{
    g->next = next;
    if (g->calls->may != NULL)
        g->calls->may(g->arg, chain_route(&g->chain));
    else
        next(g);
}

/* This route cannot answer, for g->problem: ask the next one, or give up. */
static void
route_failed(struct generator *g)
{
    log_warn("upstream.failed", "provider=%s tries=%d code=%s",
             chain_provider(&g->chain)->name, g->tries, g->problem.code);
    reader_drop(g); /* this provider's */
    if (g->relayed || !chain_next(&g->chain, clock_mono_ms())) {
        generator_end(g, g->relayed ? FINISH_INCOMPLETE : FINISH_ERROR);
        return;
    }
    g->tries = 0;
    g->shortened = false;
    metric_add(METRIC_FALLBACKS, 1);
    if (g->calls->moved != NULL)
        g->calls->moved(g->arg, chain_route(&g->chain), &g->problem);
    ask_leave(g, route_start);
}

static void
on_passed_over_timer(struct loop_timer *t)
{
    route_failed(t->arg);
}

void
generator_may(struct generator *g, const struct problem *why)
{
    if (why != NULL) {
        g->problem = *why;
        later(g, on_passed_over_timer, 0);
    } else {
        g->next(g);
    }
}

/* Others may have opened the circuit since, or this was the one request that
 * it let through: then g->problem, of the last try, stands. */
static void
try_again(struct generator *g)
{
    if (chain_enter(&g->chain, NULL, clock_mono_ms()))
        try_start(g);
    else
        route_failed(g);
}

static void
on_try_timer(struct loop_timer *t)
{
    ask_leave(t->arg, try_again);
}

/* This try failed with g->problem: wait and try again (wait_ms >= 0), or that
 * was the last of this route. */
static void
try_failed(struct generator *g, enum health h, int64_t wait_ms)
{
    int64_t now_ms = clock_mono_ms();

    chain_tell(&g->chain, h, now_ms);
    metric_add(METRIC_UPSTREAM_FAILURES, 1);
    if (g->relayed || wait_ms < 0 ||
        wait_ms >= chain_left_ms(&g->chain, now_ms) ||
        chain_is_down(&g->chain, now_ms)) {
        route_failed(g);
        return;
    }
    log_info("upstream.retry", "provider=%s try=%d code=%s wait_ms=%" PRId64,
             chain_provider(&g->chain)->name, g->tries, g->problem.code,
             wait_ms);
    metric_add(METRIC_UPSTREAM_RETRIES, 1);
    if (g->calls->again != NULL)
        g->calls->again(g->arg, &g->problem);
    later(g, on_try_timer, wait_ms);
}

/* --- a try --------------------------------------------------------------- */

static void
on_data(void *arg, const char *p, size_t n)
{
    struct generator *g = arg;

    if (g->problem.err != OK)
        return; /* failed already: the rest is of no interest */
    (void)chain_provider(&g->chain)->feed(g->reader, p, n, take_part, g,
                                          &g->problem);
    if (g->problem.err != OK) {
        transfer_cancel(g->transfer);
        g->transfer = NULL;
        try_failed(g, HEALTH_FAILED, -1);
    }
}

/* Ask the same for less: what is shorter, or has no images that it need not
 * have. */
static bool
try_less(struct generator *g, enum fault fault, int status)
{
    bool shorter = fault == FAULT_TOO_LONG;
    const struct ask *ask;
    struct problem why;

    if (g->relayed ||
        (shorter ? g->shortened
                 : !generator_is_content(fault, status) ||
                       g->calls->plainer == NULL || !g->calls->plainer(g->arg)))
        return false;
    ask = g->calls->prepare(g->arg, chain_route(&g->chain), shorter, &why);
    if (ask == NULL)
        return false;
    g->shortened |= shorter;
    g->ask = ask;
    later(g, on_try_timer, 0);
    return true;
}

/* A reply of status >= 400. */
static void
refused(struct generator *g, const struct transfer_result *r)
{
    struct provider_error error = {.fault = FAULT_OTHER, .wait_ms = -1};
    int status = r->head->status;
    enum health h = status >= 500 || status == 408 ? HEALTH_FAILED : HEALTH_OK;
    int64_t wait_ms = -1;
    uint32_t jitter;

    chain_provider(&g->chain)->error(r->head, r->error_body, r->error_len,
                                     &error);
    g->problem = error.problem;
    if (try_less(g, error.fault, status)) {
        chain_tell(&g->chain, HEALTH_OK, clock_mono_ms());
        return;
    }
    if (error.fault == FAULT_OTHER) {
        ident_random(&jitter, sizeof(jitter));
        wait_ms = retry_wait_ms(r, g->tries, g->c->retries + 1, error.wait_ms,
                                jitter);
    }
    try_failed(g, h, wait_ms);
}

static void
on_done(void *arg, const struct transfer_result *r)
{
    struct generator *g = arg;
    uint32_t jitter;

    g->transfer = NULL;
    if ((r->end == TRANSFER_COMPLETE || r->end == TRANSFER_CUT) &&
        r->head != NULL && r->head->status < 400 && g->problem.err == OK &&
        chain_provider(&g->chain)->end(g->reader, take_part, g, &g->problem) ==
            OK &&
        g->finish != FINISH_NONE) {
        chain_tell(&g->chain, HEALTH_OK, clock_mono_ms());
        recall_keep(&g->recall, g->finish, loop_now_ms(g->c->loop));
        generator_end(g, g->finish);
        return;
    }
    generator_log(chain_provider(&g->chain), r);
    if (r->head != NULL && r->head->status >= 400) {
        refused(g, r);
        return;
    }
    if (g->problem.err == OK)
        generator_problem(r, &g->problem);
    ident_random(&jitter, sizeof(jitter));
    try_failed(g, HEALTH_FAILED,
               retry_wait_ms(r, g->tries, g->c->retries + 1, -1, jitter));
}

static void
on_unsent_timer(struct loop_timer *t)
{
    try_failed(t->arg, HEALTH_UNKNOWN, -1);
}

/* The answer was kept from an equal request. */
static void
on_recalled_timer(struct loop_timer *t)
{
    struct generator *g = t->arg;

    if (g->calls->cached != NULL)
        g->calls->cached(g->arg);
    kept_tell(&g->recall.kept, g->calls->part, g->arg);
    generator_end(g, FINISH_STOP);
}

static const struct transfer_calls calls = {.data = on_data, .done = on_done};

static void
try_start(struct generator *g)
{
    const struct provider *prov = chain_provider(&g->chain);
    struct transfer_limits limits = g->c->limits;
    struct upstream_request q;
    struct ask ask = *g->ask;
    enum err e;

    ask.now_ms = clock_wall_ms(); /* a wait may have been long */
    g->tries++;
    g->finish = FINISH_NONE;
    memset(&g->problem, 0, sizeof(g->problem));
    reader_drop(g);
    g->reader = prov->reader_new();
    upstream_request_init(&q, REQUEST_BODY_MAX);
    e = prov->build(&ask, &chain_route(&g->chain)->account, &q, &g->problem);
    if (e == OK && recall_ask(&g->recall, chain_route(&g->chain), &q,
                              loop_now_ms(g->c->loop))) {
        upstream_request_release(&q);
        chain_tell(&g->chain, HEALTH_UNKNOWN, clock_mono_ms());
        later(g, on_recalled_timer, 0);
        return;
    }
    if (e == OK) {
        metric_add(METRIC_UPSTREAM_REQUESTS, 1);
        if (limits.total_ms > 0) /* 0 would be no limit */
            limits.total_ms = 1 + chain_left_ms(&g->chain, clock_mono_ms());
        g->transfer = transfer_start(g->c->transfers, &q, &limits, &calls, g);
        if (g->transfer == NULL)
            (void)problem_set(&g->problem, ERR_UPSTREAM, "provider_address",
                              "The provider's address is not usable",
                              "Check the provider's base URL.");
    }
    upstream_request_release(&q);
    if (g->transfer == NULL)
        later(g, on_unsent_timer, 0);
}

/* --- a route ------------------------------------------------------------- */

static void
on_local_done(void *arg, enum err e)
{
    struct generator *g = arg;

    g->local = NULL;
    if (e == OK) {
        generator_end(g, FINISH_STOP);
        return;
    }
    (void)problem_set(&g->problem, ERR_INTERNAL, NULL, NULL, NULL);
    route_failed(g);
}

static void
local_begin(struct generator *g)
{
    struct local_config c = {.loop = g->c->loop,
                             .workers = g->c->workers,
                             .delay_ms = g->c->offline_delay_ms};

    g->local = local_start(&c, chain_provider(&g->chain), g->ask, take_part,
                           on_local_done, g);
}

/* Whatever goes wrong is told from the loop: who called is not done yet. */
static void
route_start(struct generator *g)
{
    if (!chain_enter(&g->chain, &g->problem, clock_mono_ms())) {
        later(g, on_passed_over_timer, 0);
        return;
    }
    memset(&g->problem, 0, sizeof(g->problem));
    g->ask = g->calls->prepare(g->arg, chain_route(&g->chain), false,
                               &g->problem);
    if (g->ask == NULL) {
        later(g, on_unsent_timer, 0);
    } else if (chain_provider(&g->chain)->answer != NULL) {
        local_begin(g);
    } else {
        try_start(g);
    }
}

struct generator *
generator_start(const struct generator_config *c,
                const struct route_choice *routes, size_t n_routes,
                const struct generator_calls *back, void *arg)
{
    struct generator *g = xcalloc(1, sizeof(*g));

    g->c = c;
    g->calls = back;
    g->arg = arg;
    chain_init(
        &g->chain, c->circuits, routes, n_routes,
        c->limits.total_ms > 0 ? loop_now_ms(c->loop) + c->limits.total_ms : 0);
    recall_init(&g->recall, c->cache,
                back->owner != NULL ? back->owner(arg) : NULL);
    route_start(g);
    return g;
}

void
generator_cancel(struct generator *g)
{
    if (g == NULL)
        return;
    transfer_cancel(g->transfer);
    generator_free(g);
}
