/*
 * Embeddings: request, reply, worker, next request. Runs on the loop thread
 * but for read_rows. While the worker has it, a cancel waits for the worker.
 * Who waits for the rows may hold the last worker: then they are not read
 * there.
 */
#include "base/base.h"

#include "chat/embed.h"

#include "base/clock.h"
#include "base/ident.h"
#include "base/log.h"
#include "base/metric.h"
#include "chat/called.h"
#include "chat/charge.h"
#include "chat/core.h"
#include "upstream/retry.h"

#define REQUEST_MAX (64 * 1024 * 1024) /* bytes sent to a provider */
#define RUNNING_MAX 256                /* at once; descriptors are reserved */
#define RETRY_S 2

static atomic_int running; /* of this process */

static void embed_try(struct embed *em);

/* --- what it costs -------------------------------------------------------- */

/* True: it has to be reserved. */
static bool
make_bill(struct embed *em)
{
    em->sent = 0;
    for (size_t i = 0; i < em->ask.n_texts; i++)
        em->sent += tokens_estimate(em->ask.texts[i], strlen(em->ask.texts[i]));
    bill_init(&em->bill, em->en->allowances, &em->payer,
              payer_owner(&em->payer, NULL), &em->route);
    if (em->aside)
        bill_aside(&em->bill);
    if (em->bill.what.n > 0)
        IGNORE(bill_worst(&em->bill, em->en->allowances, &em->route, 1,
                          em->sent, 0, NULL) < 0);
    em->bill.what.tokens = em->bill.what.input_tokens;
    em->bill.what.micro = em->bill.what.input_micro;
    return em->bill.what.n > 0;
}

static void
settle(struct embed *em)
{
    struct usage u = {em->tokens, 0, 0};
    struct ledger_spent spent = {.model = NULL};

    charge_drop(em->en, em->charge);
    em->charge = NULL;
    if (em->asked)
        bill_spent(&em->bill, &spent, payer_owner(&em->payer, NULL), &em->route,
                   em->route.model, &u, em->sent, 0, true);
    spent.aside = em->aside;
    if (em->held)
        charge_settle(em->en, &em->id, &spent);
    else if (em->asked)
        charge_count(em->en, &spent);
    em->held = em->asked = false;
}

/* --- ends ----------------------------------------------------------------- */

static void
embed_end(struct embed *em)
{
    struct problem p = em->problem;

    loop_timer_clear(em->en->loop, &em->timer);
    if (em->tries > 0 || em->first > 0)
        called_embed(em, p.err != OK ? p.code : "done");
    settle(em);
    buf_release(&em->reply);
    engine_release(em->en, &em->hold);
    atomic_fetch_sub(&running, 1);
    em->en->busy_ms = loop_now_ms(em->en->loop);
    em->ops->done(em, p.err != OK ? &p : NULL);
}

void
embed_cancel(struct embed *em)
{
    em->cancelled = true;
    if (em->working)
        return;
    transfer_cancel(em->transfer);
    em->transfer = NULL;
    (void)problem_set(&em->problem, ERR_HUP, NULL, NULL, NULL);
    embed_end(em);
}

/* The engine closes: its transfers are gone, and its workers. */
static void
on_dropped(struct engine_hold *h)
{
    struct embed *em = h->arg;

    em->transfer = NULL;
    (void)problem_set(&em->problem, ERR_STOPPING, NULL, NULL, NULL);
    embed_end(em);
}

/* --- rows ----------------------------------------------------------------- */

/* Worker; or the loop. */
static void
read_rows(void *arg)
{
    struct embed *em = arg;
    struct embeddings rows = {.values = NULL, .tokens = -1};

    if (em->route.provider->embed_read(em->reply.data, em->reply.len, &rows,
                                       &em->problem) == OK &&
        rows.n != em->count)
        (void)problem_set(&em->problem, ERR_UPSTREAM, "provider_garbage",
                          "The provider's reply is not understood",
                          "It has not one row for each text.");
    if (em->problem.err == OK) {
        em->asked = true;
        em->ops->rows(em, em->first, &rows);
        em->tokens = rows.tokens < 0 || em->tokens < 0
                         ? -1
                         : em->tokens + rows.tokens;
    }
    embeddings_release(&rows);
}

static void
rows_read(struct embed *em)
{
    em->working = false;
    buf_clear(&em->reply);
    buf_trim(&em->reply, 0);
    if (em->cancelled)
        (void)problem_set(&em->problem, ERR_HUP, NULL, NULL, NULL);
    em->first += em->count;
    em->tries = 0;
    if (em->problem.err != OK || em->first == em->ask.n_texts)
        embed_end(em);
    else
        embed_try(em);
}

static void
on_read(struct mail *m)
{
    rows_read(m->arg);
}

static void
on_read_dropped(struct mail *m)
{
    on_dropped(&((struct embed *)m->arg)->hold);
}

static void
start_reading(struct embed *em)
{
    if (em->soon && em->reply.len <= EMBED_SOON_MAX) {
        read_rows(em);
        rows_read(em);
        return;
    }
    em->working = true;
    memset(&em->job, 0, sizeof(em->job));
    em->job.run = read_rows;
    em->job.arg = em;
    em->job.done.fn = on_read;
    em->job.done.drop = on_read_dropped;
    em->job.done.arg = em;
    workers_run(em->en->workers, &em->job);
}

/* --- one request ---------------------------------------------------------- */

static void
on_retry(struct loop_timer *t)
{
    embed_try(t->arg);
}

static void
on_data(void *arg, const char *p, size_t n)
{
    struct embed *em = arg;

    buf_add(&em->reply, p, n);
}

static void
set_problem(struct embed *em, const struct transfer_result *r, int64_t *wait_ms)
{
    struct provider_error error = {.fault = FAULT_OTHER, .wait_ms = -1};
    uint32_t jitter;

    if (r->head != NULL && r->head->status >= 400) {
        em->route.provider->error(r->head, r->error_body, r->error_len, &error);
        em->problem = error.problem;
    } else if (r->end == TRANSFER_TIMEOUT) {
        (void)problem_set(&em->problem, ERR_TIMEOUT, "provider_timeout",
                          "The provider is too slow",
                          "Nothing came from the provider in time.");
    } else if (r->end == TRANSFER_CONNECT || r->end == TRANSFER_UNTRUSTED) {
        (void)problem_set(&em->problem, ERR_UPSTREAM, "provider_unreachable",
                          "The provider cannot be reached",
                          "Check the provider's address and the network.");
    } else {
        (void)problem_set(&em->problem, ERR_UPSTREAM, "provider_failed",
                          "The provider failed", "Try again later.");
    }
    ident_random(&jitter, sizeof(jitter));
    if (error.fault == FAULT_OTHER)
        *wait_ms = retry_wait_ms(r, em->tries, em->en->gen.retries + 1,
                                 error.wait_ms, jitter);
}

static void
on_done(void *arg, const struct transfer_result *r)
{
    struct embed *em = arg;
    int64_t wait_ms = -1;

    em->transfer = NULL;
    if (r->end == TRANSFER_COMPLETE && r->head->status < 400) {
        if (buf_status(&em->reply) == OK) {
            start_reading(em);
            return;
        }
        (void)problem_set(&em->problem, ERR_UPSTREAM, "provider_garbage",
                          "The provider's reply is too long",
                          "Ask for fewer texts at once.");
    } else {
        set_problem(em, r, &wait_ms);
    }
    log_info("embed.failed", "provider=%s code=%s wait_ms=%" PRId64,
             em->route.provider->name, em->problem.code, wait_ms);
    metric_add(METRIC_UPSTREAM_FAILURES, 1);
    if (wait_ms < 0) {
        embed_end(em);
        return;
    }
    metric_add(METRIC_UPSTREAM_RETRIES, 1);
    em->timer.fn = on_retry;
    em->timer.arg = em;
    loop_timer_set(em->en->loop, &em->timer,
                   loop_now_ms(em->en->loop) + wait_ms);
}

static const struct transfer_calls calls = {.data = on_data, .done = on_done};

static void
embed_try(struct embed *em)
{
    const struct provider *prov = em->route.provider;
    size_t left = em->ask.n_texts - em->first;
    struct embed_ask ask = em->ask;
    struct upstream_request q;

    em->count = left < prov->embed_max ? left : prov->embed_max;
    em->tries++;
    em->problem = (struct problem){.err = OK};
    buf_clear(&em->reply);
    ask.model = em->route.model;
    ask.texts += em->first;
    ask.n_texts = em->count;
    ask.now_ms = clock_wall_ms();
    upstream_request_init(&q, REQUEST_MAX);
    if (prov->embed_build(&ask, &em->route.account, &q, &em->problem) == OK) {
        metric_add(METRIC_UPSTREAM_REQUESTS, 1);
        em->transfer = transfer_start(em->en->transfers, &q,
                                      &em->en->gen.limits, &calls, em);
        if (em->transfer == NULL)
            (void)problem_set(&em->problem, ERR_UPSTREAM, "provider_address",
                              "The provider's address is not usable",
                              "Check the provider's base URL.");
    }
    upstream_request_release(&q);
    if (em->transfer == NULL)
        embed_end(em);
}

/* --- beginning ------------------------------------------------------------ */

static void
on_reserved(void *arg, const struct problem *why)
{
    struct embed *em = arg;

    em->charge = NULL;
    em->held = why == NULL;
    if (why == NULL) {
        embed_try(em);
        return;
    }
    em->problem = *why;
    embed_end(em);
}

static void
on_post(struct mail *m)
{
    struct embed *em = m->arg;
    struct engine *en = em->en;

    en->busy_ms = loop_now_ms(en->loop);
    em->hold.drop = on_dropped;
    em->hold.arg = em;
    engine_hold(en, &em->hold);
    buf_init(&em->reply, EMBED_REPLY_MAX);
    em->ops->attached(em);
    if (atomic_fetch_add(&running, 1) >= RUNNING_MAX)
        (void)problem_set(&em->problem, ERR_BUSY, NULL, NULL, NULL);
    else if (atomic_load(&en->draining))
        (void)problem_set(&em->problem, ERR_STOPPING, NULL, NULL, NULL);
    em->problem.retry_after_s = RETRY_S;
    if (em->problem.err != OK) {
        embed_end(em);
    } else if (make_bill(em)) {
        em->id = ident_v7();
        em->charge = charge_begin(en, &em->id, &em->bill, on_reserved, em);
    } else {
        embed_try(em);
    }
}

/* The loop has ended. */
static void
on_post_dropped(struct mail *m)
{
    struct embed *em = m->arg;

    (void)problem_set(&em->problem, ERR_STOPPING, NULL, NULL, NULL);
    em->ops->done(em, &em->problem);
}

void
embed_post(struct engine *en, struct embed *em)
{
    assert(em->route.provider->embed_build != NULL);
    em->en = en;
    em->mail.fn = on_post;
    em->mail.drop = on_post_dropped;
    em->mail.arg = em;
    loop_post(en->loop, &em->mail);
}
