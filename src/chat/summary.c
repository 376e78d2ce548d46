/*
 * The rolling summary: a run for a session.
 *
 *   loading ──► asking ──────► storing ──► over
 *   (worker:    (generator:    (committer)
 *    block)      one request)
 *
 * Nobody waits for a run, and it has no reader: what it says goes to the log,
 * the metrics and the store. Its request has limits of its own, no fallback
 * and no cache. Its tokens are counted as those of turns are, and its cost is
 * kept with the summary, which the session's cost includes. Which messages it
 * is about is found in summary_block.c.
 *
 * Runs of several processes for one session do no harm: the store takes the
 * first that reaches a message.
 */
#include "base/base.h"

#include "chat/summary.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/text.h"
#include "chat/aside.h"
#include "chat/core.h"
#include "chat/prompt_file.h"
#include "chat/summary_block.h"
#include "provider/models.h"

#define BEGIN_PERCENT 75 /* of the room, and a run begins */
#define SLACK_TOKENS 64  /* frames of what is asked */
#define TEXT_MAX ((size_t)64 * SUMMARY_READ_MAX) /* bytes of a request */

struct summary {
    struct summaries *all;
    struct summary *prev, *next;
    struct aside aside;
    struct summary_block block; /* the worker's while it loads */
    const char *system;         /* in the arena of aside.ask */
    enum err load_err;
    struct job job;
    struct mail mail;
    struct store_op op;
    int64_t begun_ms; /* monotonic */
};

struct summaries {
    struct engine *en;
    struct summary *first;
    size_t n;
    bool wanted;                 /* constant, as is all below */
    char *prompt;                /* owned */
    struct generator_config gen; /* with limits of our own */
};

struct summaries *
summaries_new(struct engine *en)
{
    struct summaries *all = xcalloc(1, sizeof(*all));

    all->en = en;
    all->wanted = conf_int(CONF_SUMMARY) != 0;
    if (all->wanted)
        all->prompt = prompt_file_load(conf_root(), PROMPT_FILE_SUMMARY);
    all->gen = aside_config(en, SUMMARY_TOTAL_MS);
    return all;
}

static void
run_over(struct summary *s)
{
    struct summaries *all = s->all;

    aside_release(&s->aside);
    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        all->first = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    all->n--;
    metric_add(METRIC_SUMMARIES_RUNNING, -1);
    all->en->busy_ms = loop_now_ms(all->en->loop);
    free(s);
}

void
summaries_free(struct summaries *all)
{
    if (all == NULL)
        return;
    while (all->first != NULL)
        run_over(all->first);
    free(all->prompt);
    free(all);
}

bool
summaries_busy(const struct summaries *all)
{
    return all->n > 0;
}

static void
run_failed(struct summary *s, const char *code)
{
    metric_add(METRIC_SUMMARIES_FAILED, 1);
    log_warn("summary.failed", "provider=%s code=%s",
             s->aside.route.provider->name, code);
    run_over(s);
}

/* --- storing ------------------------------------------------------------- */

static void
on_stored(struct mail *m)
{
    struct summary *s = m->arg;

    if (s->op.err == ERR_NOTFOUND || s->op.err == ERR_CONFLICT) {
        log_debug("summary.late", "code=%s", err_code(s->op.err));
        run_over(s); /* the session is gone, or another process was faster */
    } else if (s->op.err != OK) {
        run_failed(s, err_code(s->op.err));
    } else {
        metric_add(METRIC_SUMMARIES, 1);
        log_info("summary.done",
                 "provider=%s messages=%zu bytes=%zu ms=%" PRId64,
                 s->aside.route.provider->name, s->block.n_said,
                 s->op.summary.text_len,
                 loop_now_ms(s->all->en->loop) - s->begun_ms);
        run_over(s);
    }
}

/* Committer thread. */
static void
store_done(struct store_op *op)
{
    struct summary *s = op->arg;

    s->mail.fn = on_stored;
    s->mail.arg = s;
    loop_post(s->all->en->loop, &s->mail);
}

static void
run_store(struct summary *s)
{
    struct store_op *op = &s->op;

    op->kind = STORE_SESSION_SUMMARY;
    op->done = store_done;
    op->arg = s;
    op->owner = s->block.ask->owner;
    op->session_id = s->block.ask->session_id;
    op->summary.session_no = s->block.session_no;
    op->summary.upto_seq = s->block.upto_seq;
    op->summary.cost_micro = aside_cost(&s->aside);
    op->summary.text = aside_text(&s->aside, STORE_SUMMARY_MAX,
                                  &op->summary.text_len);
    if (text_blank(op->summary.text, op->summary.text_len))
        run_failed(s, "empty_summary");
    else
        store_submit(s->all->en->store, op);
}

/* --- asking -------------------------------------------------------------- */

/* What the model may answer with, at most. */
static int64_t
write_max(const struct summary *s)
{
    const struct model *m = model_find(s->aside.route.provider->name,
                                       s->aside.route.model);

    if (s->aside.report.reserve_tokens > 0)
        return s->aside.report.reserve_tokens;
    return m != NULL && m->output_tokens > 0 &&
                   m->output_tokens < SUMMARY_WRITE_MAX
               ? m->output_tokens
               : SUMMARY_WRITE_MAX;
}

static const struct ask *
on_prepare(void *arg, const struct route_choice *route, bool tight,
           struct problem *why)
{
    struct summary *s = arg;
    struct turn_ask *a = s->block.ask;
    struct buf text;

    if (tight && !summary_block_halve(&s->block)) {
        (void)problem_set(why, ERR_TOOBIG, NULL, NULL, NULL);
        return NULL;
    }
    buf_init(&text, TEXT_MAX);
    summary_block_text(&s->block, &text);
    a->text_len = text.len;
    a->text = arena_memdup0(&a->arena, text.data, text.len);
    buf_release(&text);
    if (prompt_build(a, route, s->system, s->all->en->scales, false,
                     &s->aside.report, why) != OK)
        return NULL;
    a->ask.cache = false; /* nothing of it is sent again */
    a->ask.max_tokens = write_max(s);
    return &a->ask;
}

/* One that its own limit cut is better than none. */
static void
on_asked(void *arg, const char *code, bool cut)
{
    struct summary *s = arg;

    (void)cut;
    if (code == NULL)
        run_store(s);
    else
        run_failed(s, code);
}

static const struct aside_calls summary_calls = {
    .prepare = on_prepare,
    .done = on_asked,
};

/* --- loading ------------------------------------------------------------- */

/* Worker. */
static void
load_run(void *arg)
{
    struct summary *s = arg;

    s->load_err = summary_block_load(s->all->en->store, &s->block);
}

static void
on_loaded(struct mail *m)
{
    struct summary *s = m->arg;

    if (s->load_err == ERR_NOTFOUND || engine_draining(s->all->en))
        run_over(s);
    else if (s->load_err != OK)
        run_failed(s, err_code(s->load_err));
    else
        aside_start(&s->aside, &s->all->gen, &s->aside.route, 1, &summary_calls,
                    s);
}

/* --- beginning ----------------------------------------------------------- */

/* Did the conversation outgrow its model, or will it soon? */
static bool
is_outgrown(const struct turn *t, bool *pressed)
{
    const struct prompt_report *r = &t->report;
    int64_t next = r->estimate + tokens_estimate(t->text.data, t->text.len);

    *pressed = r->dropped > 0 || r->cut > 0;
    return *pressed || (r->room >= 0 && next >= r->room * BEGIN_PERCENT / 100);
}

static bool
has_run(const struct summaries *all, const struct turn_ask *a)
{
    const struct summary *s = all->first;

    while (s != NULL && (strcmp(s->block.ask->session_id, a->session_id) != 0 ||
                         strcmp(s->block.ask->owner, a->owner) != 0))
        s = s->next;
    return s != NULL;
}

/* Who writes it; false: nobody can. A provider without a network writes
 * nothing but what it knows. */
static bool
choose(const struct turn *t, struct route_choice *out)
{
    const char *name = conf_str(CONF_SUMMARY_MODEL);
    struct problem why;

    *out = t->ask->route;
    if (name[0] != '\0' && catalog_route(NULL, name, out, &why) != OK) {
        log_warn("summary.route", "code=%s", why.code);
        return false;
    }
    return out->provider->answer == NULL;
}

/* Tokens of messages that one request may hold. */
static int64_t
read_room(struct summary *s)
{
    int64_t room = prompt_room(s->block.ask, &s->aside.route,
                               s->all->en->scales);

    if (room > SUMMARY_READ_MAX)
        room = SUMMARY_READ_MAX;
    return room - SLACK_TOKENS - tokens_estimate(s->system, strlen(s->system));
}

static struct summary *
run_new(struct summaries *all, const struct turn *t,
        const struct route_choice *route, bool pressed)
{
    struct summary *s = xcalloc(1, sizeof(*s));

    aside_init(&s->aside, all->en, t->ask->owner, t->ask->session_id, route,
               STORE_SUMMARY_MAX);
    s->all = all;
    s->begun_ms = loop_now_ms(all->en->loop);
    s->block.ask = s->aside.ask;
    s->block.room = t->report.room;
    s->block.pressed = pressed;
    s->system = summary_prompt_fill(s->block.ask, all->prompt, s->block.room);
    s->block.read_max = read_room(s);
    s->next = all->first;
    if (s->next != NULL)
        s->next->prev = s;
    all->first = s;
    all->n++;
    metric_add(METRIC_SUMMARIES_RUNNING, 1);
    return s;
}

void
summary_after(struct summaries *all, const struct turn *t)
{
    struct route_choice route;
    struct summary *s;
    bool pressed;

    if (!all->wanted || engine_draining(all->en) || t->ask->history_given ||
        result_event(t->finish) != EVENT_COMPLETE ||
        !is_outgrown(t, &pressed) || all->n == SUMMARY_RUNS_MAX ||
        has_run(all, t->ask) || !choose(t, &route))
        return;
    s = run_new(all, t, &route, pressed);
    if (s->block.read_max < 4 * PROMPT_CUT_MIN) {
        run_failed(s, "small_window");
        return;
    }
    s->job.run = load_run;
    s->job.arg = s;
    s->job.done.fn = on_loaded;
    s->job.done.arg = s;
    workers_run(all->en->workers, &s->job);
}
