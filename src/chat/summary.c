/*
 * The rolling summary: one run for a session (chat/aside.h). Its request has no
 * fallback. Its cost is kept with the summary, which the session's cost
 * includes. Which messages it is about is found in summary_block.c.
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
#include "chat/core.h"
#include "chat/summary_block.h"
#include "provider/models.h"

#define BEGIN_PERCENT 75 /* of the room, and a run begins */
#define SLACK_TOKENS 64  /* frames of what is asked */
#define TEXT_MAX ((size_t)64 * SUMMARY_READ_MAX) /* bytes of a request */

struct summary {
    struct aside aside;
    struct summary_block block; /* the worker's while it loads */
    const char *system;         /* in the arena of aside.ask */
};

static void
on_over(void *arg)
{
    metric_add(METRIC_SUMMARIES_RUNNING, -1);
    free(arg);
}

static void
run_failed(struct summary *s, const char *code)
{
    metric_add(METRIC_SUMMARIES_FAILED, 1);
    log_warn("summary.failed", "provider=%s code=%s",
             s->aside.route.provider->name, code);
    aside_useless(&s->aside, s->block.session_no);
}

/* --- storing ------------------------------------------------------------- */

static void
on_stored(void *arg, enum err e)
{
    struct summary *s = arg;

    if (e == ERR_NOTFOUND || e == ERR_CONFLICT) {
        log_debug("summary.late", "code=%s", err_code(e));
        aside_over(&s->aside); /* the session is gone, or another process was
                                  faster */
    } else if (e != OK) {
        run_failed(s, err_code(e));
    } else {
        metric_add(METRIC_SUMMARIES, 1);
        log_info("summary.done",
                 "provider=%s messages=%zu bytes=%zu ms=%" PRId64,
                 s->aside.route.provider->name, s->block.n_said,
                 s->aside.op.summary.text_len, aside_age_ms(&s->aside));
        aside_over(&s->aside);
    }
}

static void
run_store(struct summary *s)
{
    struct store_op *op = &s->aside.op;

    op->kind = STORE_SESSION_SUMMARY;
    op->summary.session_no = s->block.session_no;
    op->summary.upto_seq = s->block.upto_seq;
    op->summary.cost_micro = aside_cost(&s->aside);
    op->summary.text = aside_text(&s->aside, STORE_SUMMARY_MAX,
                                  &op->summary.text_len);
    if (text_blank(op->summary.text, op->summary.text_len))
        run_failed(s, "empty_summary");
    else
        aside_store(&s->aside);
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
    if (prompt_build(a, route, s->system, s->aside.all->en->scales, false,
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

/* Worker. */
static enum err
load(void *arg)
{
    struct summary *s = arg;

    return summary_block_load(s->aside.all->en->store, &s->block);
}

static const struct aside_calls summary_calls = {
    .load = load,
    .prepare = on_prepare,
    .done = on_asked,
    .stored = on_stored,
    .over = on_over,
};

static bool
are_wanted(void)
{
    return conf_int(CONF_SUMMARY) != 0;
}

const struct aside_kind summary_kind = {
    .wanted = are_wanted,
    .prompt = PROMPT_FILE_SUMMARY,
    .max = SUMMARY_RUNS_MAX,
    .total_ms = SUMMARY_TOTAL_MS,
    .calls = &summary_calls,
};

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
                               s->aside.all->en->scales);

    if (room > SUMMARY_READ_MAX)
        room = SUMMARY_READ_MAX;
    return room - SLACK_TOKENS - tokens_estimate(s->system, strlen(s->system));
}

static struct summary *
run_new(struct asides *all, const struct turn *t,
        const struct route_choice *route, bool pressed)
{
    struct summary *s = xcalloc(1, sizeof(*s));

    aside_init(&s->aside, all, s, t->ask, route, STORE_SUMMARY_MAX);
    s->block.ask = s->aside.ask;
    s->block.room = t->report.room;
    s->block.pressed = pressed;
    s->system = summary_prompt_fill(s->block.ask, all->prompt, s->block.room);
    s->block.read_max = read_room(s);
    metric_add(METRIC_SUMMARIES_RUNNING, 1);
    return s;
}

void
summary_after(struct asides *all, const struct turn *t)
{
    struct route_choice route;
    struct summary *s;
    bool pressed;

    if (t->ask->history_given || result_event(t->finish) != EVENT_COMPLETE ||
        !is_outgrown(t, &pressed) || !asides_may(all, t->ask) ||
        !choose(t, &route))
        return;
    s = run_new(all, t, &route, pressed);
    if (s->block.read_max < 4 * PROMPT_CUT_MIN)
        run_failed(s, "small_window");
    else
        aside_begin(&s->aside, &s->aside.route, 1);
}
