/*
 * One answer from one provider. A try is: build the request, start the
 * transfer, feed the reply to the provider's reader. A failure before the
 * first relayed part may be tried again after a wait (upstream/retry); after
 * it, what was relayed stands and the answer is incomplete.
 *
 * A local answer (offline) is made whole by a worker, then handed out word by
 * word, so that a user without a key sees what a stream is like. Runs on the
 * loop thread.
 */
#include "base/base.h"

#include "chat/generator.h"

#include "base/ident.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/text.h"
#include "upstream/retry.h"

#define LOCAL_ANSWER_MAX (1024 * 1024)      /* bytes */
#define LOCAL_PIECE 12                      /* bytes at least, to a space */
#define REQUEST_BODY_MAX (64 * 1024 * 1024) /* bytes sent to a provider */

/* A local answer under way on a worker. It outlives a cancelled generator. */
struct local {
    struct job job;
    struct generator *generator; /* NULL: cancelled */
    const struct provider *provider;
    struct ask ask; /* a deep copy of the last message alone */
    struct ask_message message;
    char *text; /* owned */
    struct buf out;
    enum err err;
};

struct generator {
    const struct generator_config *c;
    const struct route_choice *route;
    const struct ask *ask;
    part_fn *part;
    generator_done_fn *done;
    void *arg;

    struct transfer *transfer;
    void *reader;
    struct loop_timer timer; /* the next try, or the next piece */
    int tries;
    bool relayed;           /* text was passed on: no more tries */
    enum finish finish;     /* the provider's end marker was seen */
    struct problem problem; /* what went wrong in this try */

    struct local *local; /* running on a worker */
    struct buf answer;   /* local: the whole answer */
    size_t given;        /* bytes of it handed out */
};

static void try_start(struct generator *g);

static void
generator_free(struct generator *g)
{
    loop_timer_clear(g->c->loop, &g->timer);
    if (g->reader != NULL)
        g->route->provider->reader_free(g->reader);
    if (g->local != NULL)
        g->local->generator = NULL;
    buf_release(&g->answer);
    free(g);
}

static void
generator_end(struct generator *g, enum finish finish)
{
    generator_done_fn *done = g->done;
    void *arg = g->arg;
    struct problem problem = g->problem;

    generator_free(g);
    done(arg, finish, &problem);
}

static void
take_part(void *arg, const struct part *p)
{
    struct generator *g = arg;

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
        g->relayed = true;
        break;
    default: break;
    }
    g->part(g->arg, p);
}

static void
on_retry_timer(struct loop_timer *t)
{
    try_start(t->arg);
}

/* This try failed with g->problem: wait and try again, or give up. */
static void
try_failed(struct generator *g, int64_t wait_ms)
{
    metric_add(METRIC_UPSTREAM_FAILURES, 1);
    if (!g->relayed && wait_ms >= 0) {
        log_info("upstream.retry",
                 "provider=%s try=%d code=%s wait_ms=%" PRId64,
                 g->route->provider->name, g->tries, g->problem.code, wait_ms);
        metric_add(METRIC_UPSTREAM_RETRIES, 1);
        g->timer.fn = on_retry_timer;
        g->timer.arg = g;
        loop_timer_set(g->c->loop, &g->timer,
                       loop_now_ms(g->c->loop) + wait_ms);
        return;
    }
    log_warn("upstream.failed", "provider=%s tries=%d code=%s",
             g->route->provider->name, g->tries, g->problem.code);
    generator_end(g, g->relayed ? FINISH_INCOMPLETE : FINISH_ERROR);
}

static void
on_data(void *arg, const char *p, size_t n)
{
    struct generator *g = arg;

    if (g->problem.err != OK)
        return; /* failed already: the rest is of no interest */
    (void)g->route->provider->feed(g->reader, p, n, take_part, g, &g->problem);
    if (g->problem.err != OK) {
        transfer_cancel(g->transfer);
        g->transfer = NULL;
        try_failed(g, -1);
    }
}

/* What the end of a transfer means in words for the user. */
static void
problem_of(struct generator *g, const struct transfer_result *r)
{
    switch (r->end) {
    case TRANSFER_TIMEOUT:
        (void)problem_set(&g->problem, ERR_TIMEOUT, "provider_timeout",
                          "The provider is too slow",
                          "Nothing came from the provider in time. Try "
                          "again.");
        break;
    case TRANSFER_CONNECT:
        (void)problem_set(&g->problem, ERR_UPSTREAM, "provider_unreachable",
                          "The provider cannot be reached",
                          "Check the provider's address and the network, "
                          "then try again.");
        break;
    case TRANSFER_CUT:
    case TRANSFER_COMPLETE:
        (void)problem_set(&g->problem, ERR_UPSTREAM, "incomplete",
                          "The answer broke off",
                          "The provider ended the stream early. What came "
                          "is kept; try again for the rest.");
        break;
    default:
        (void)problem_set(&g->problem, ERR_UPSTREAM, "provider_garbage",
                          "The provider's reply is not understood",
                          "Check that the address is one of a compatible "
                          "API.");
    }
    g->problem.retryable = true;
}

static void
on_done(void *arg, const struct transfer_result *r)
{
    struct generator *g = arg;
    const struct provider *prov = g->route->provider;
    struct provider_error error = {.fault = FAULT_OTHER};
    uint32_t jitter;

    g->transfer = NULL;
    if ((r->end == TRANSFER_COMPLETE || r->end == TRANSFER_CUT) &&
        r->head != NULL && r->head->status < 400 && g->problem.err == OK) {
        if (prov->end(g->reader, take_part, g, &g->problem) == OK &&
            g->finish != FINISH_NONE) {
            g->problem.err = OK;
            generator_end(g, g->finish);
            return;
        }
    }
    if (r->head != NULL && r->head->status >= 400) {
        prov->error(r->head, r->error_body, r->error_len, &error);
        g->problem = error.problem;
    } else if (g->problem.err == OK) {
        problem_of(g, r);
    }
    log_info("upstream.done", "provider=%s end=%d status=%d reason=\"%s\"",
             prov->name, (int)r->end, r->head != NULL ? r->head->status : 0,
             r->reason != NULL ? r->reason : "");
    ident_random(&jitter, sizeof(jitter));
    try_failed(g, retry_wait_ms(r, g->tries, g->c->retries + 1,
                                error.fault == FAULT_MONEY, jitter));
}

static void
on_unsent_timer(struct loop_timer *t)
{
    try_failed(t->arg, -1);
}

static const struct transfer_calls calls = {
    .data = on_data,
    .done = on_done,
};

static void
try_start(struct generator *g)
{
    const struct provider *prov = g->route->provider;
    struct upstream_request q;
    enum err e;

    g->tries++;
    g->finish = FINISH_NONE;
    (void)memset(&g->problem, 0, sizeof(g->problem));
    if (g->reader != NULL)
        prov->reader_free(g->reader);
    g->reader = prov->reader_new();
    upstream_request_init(&q, REQUEST_BODY_MAX);
    e = prov->build(g->ask, &g->route->account, &q, &g->problem);
    if (e == OK) {
        metric_add(METRIC_UPSTREAM_REQUESTS, 1);
        g->transfer = transfer_start(g->c->transfers, &q, &g->c->limits, &calls,
                                     g);
        if (g->transfer == NULL)
            (void)problem_set(&g->problem, ERR_UPSTREAM, "provider_address",
                              "The provider's address is not usable",
                              "Check the provider's base URL.");
    }
    upstream_request_release(&q);
    if (g->transfer != NULL)
        return;
    /* Told from the loop: the caller of generator_start is not done yet. */
    g->timer.fn = on_unsent_timer;
    g->timer.arg = g;
    loop_timer_set(g->c->loop, &g->timer, loop_now_ms(g->c->loop));
}

/* --- local answers ------------------------------------------------------- */

static void
on_piece_timer(struct loop_timer *t)
{
    struct generator *g = t->arg;
    const char *from = g->answer.len > 0 ? g->answer.data + g->given : "";
    size_t left = g->answer.len - g->given;
    size_t n = left < LOCAL_PIECE ? left : LOCAL_PIECE;
    struct part p = {.kind = PART_TEXT};

    if (g->c->offline_delay_ms == 0)
        n = left;
    while (n < left && from[n] != ' ' && from[n] != '\n')
        n++;
    p.text = from;
    p.len = n;
    g->given += n;
    if (n > 0)
        take_part(g, &p);
    if (g->given == g->answer.len) {
        generator_end(g, FINISH_STOP);
        return;
    }
    loop_timer_set(g->c->loop, &g->timer,
                   loop_now_ms(g->c->loop) + g->c->offline_delay_ms);
}

static void
local_free(struct local *l)
{
    buf_release(&l->out);
    free(l->text);
    free(l);
}

static void
local_run(void *arg)
{
    struct local *l = arg;

    l->err = l->provider->answer(&l->ask, &l->out);
}

static void
local_done(struct mail *m)
{
    struct local *l = m->arg;
    struct generator *g = l->generator;
    enum err e = l->err;

    if (g == NULL) {
        local_free(l);
        return;
    }
    g->local = NULL;
    g->answer = l->out;
    buf_init(&l->out, 0);
    local_free(l);
    if (e != OK) {
        (void)problem_set(&g->problem, ERR_INTERNAL, NULL, NULL, NULL);
        generator_end(g, FINISH_ERROR);
        return;
    }
    g->timer.fn = on_piece_timer;
    g->timer.arg = g;
    on_piece_timer(&g->timer);
}

static void
local_start(struct generator *g)
{
    struct local *l = xcalloc(1, sizeof(*l));
    const struct ask_message *last = &g->ask->messages[g->ask->n_messages - 1];

    l->generator = g;
    l->provider = g->route->provider;
    l->text = xmemdup0(last->text, last->len);
    l->message.role = ROLE_USER;
    l->message.text = l->text;
    l->message.len = last->len;
    l->ask.model = "";
    l->ask.messages = &l->message;
    l->ask.n_messages = 1;
    buf_init(&l->out, LOCAL_ANSWER_MAX);
    l->job.run = local_run;
    l->job.arg = l;
    l->job.done.fn = local_done;
    l->job.done.arg = l;
    g->local = l;
    workers_run(g->c->workers, &l->job);
}

struct generator *
generator_start(const struct generator_config *c,
                const struct route_choice *route, const struct ask *ask,
                part_fn *part, generator_done_fn *done, void *arg)
{
    struct generator *g = xcalloc(1, sizeof(*g));

    assert(ask->n_messages > 0);
    g->c = c;
    g->route = route;
    g->ask = ask;
    g->part = part;
    g->done = done;
    g->arg = arg;
    if (route->provider->answer != NULL)
        local_start(g);
    else
        try_start(g);
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
