/*
 * How a turn ends. The answer is handed to the committer; only when it is on
 * disk the end event is logged and seen by readers. If the disk is full, the
 * readers are told so at once, and saving is tried again until it succeeds or
 * the process stops (then the next one closes the turn as interrupted). Runs
 * on the loop thread.
 */
#include "base/base.h"

#include "chat/turn_end.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/text.h"
#include "chat/called.h"
#include "chat/charge.h"
#include "chat/core.h"
#include "chat/index.h"
#include "chat/summary.h"
#include "chat/titles.h"
#include "chat/turn_calls.h"
#include "chat/turn_charge.h"
#include "chat/turn_command.h"
#include "chat/turn_extra.h"

#define SAVE_AGAIN_MS 1000

static void
fill_head(const struct turn *t, struct stream_head *h, bool ended)
{
    (void)memset(h, 0, sizeof(*h));
    h->process = process_self();
    h->temporary = t->ask->temporary;
    h->ended = ended;
    h->begun_ms = t->asked_ms;
    h->ended_ms = ended ? clock_wall_ms() : 0;
    h->answer_message = t->answer_message;
    (void)snprintf(h->session_id, sizeof(h->session_id), "%s",
                   t->ask->session_id);
    (void)snprintf(h->owner, sizeof(h->owner), "%s", t->ask->owner);
    (void)snprintf(h->provider, sizeof(h->provider), "%s",
                   t->ask->route.provider->name);
    (void)snprintf(h->model, sizeof(h->model), "%s", t->model);
}

static void
fill_result(const struct turn *t, struct result *r)
{
    (void)memset(r, 0, sizeof(*r));
    r->session_id = t->ask->session_id;
    r->turn = t->id;
    r->answer_message = t->answer_message;
    if (turn_asks_model(t)) {
        r->provider = t->ask->route.provider->name;
        r->model = t->model;
    }
    r->finish = t->finish;
    r->usage = t->usage;
    r->cost_micro = turn_cost(t);
    r->has_cost = r->cost_micro >= 0;
    r->conversation_length = t->conversation_length;
    r->at_ms = t->at_ms;
    r->text = t->text.data != NULL ? t->text.data : "";
    r->text_len = t->text.len;
    r->problem = t->problem.err != OK ? &t->problem : NULL;
    r->command = turn_command_name(t);
    r->outcome = turn_command_outcome(t);
}

enum err
turn_log_start(struct turn *t)
{
    struct stream_head head;
    struct result r;
    struct buf json;
    enum err e;

    t->at_ms = t->asked_ms;
    fill_head(t, &head, false);
    e = streamlog_put_head(t->en->log, &t->id, &head);
    if (e != OK)
        return e;
    fill_result(t, &r);
    if (r.provider != NULL) { /* whoever stands in for it by now */
        r.provider = t->chosen.provider->name;
        r.model = t->chosen.model;
    }
    buf_init(&json, RESULT_MAX);
    result_start_json(&json, &r);
    e = stream_append(t->stream, EVENT_START, json.data, json.len);
    buf_release(&json);
    return e;
}

void
turn_log_route(struct turn *t)
{
    struct stream_head was, head;

    if (!t->begun || t->stream == NULL ||
        streamlog_head(t->en->log, &t->id, &was) != OK)
        return; /* it is in the head that turn_log_start puts */
    fill_head(t, &head, false);
    head.stop = was.stop;
    IGNORE(streamlog_put_head(t->en->log, &t->id, &head));
}

static void
turn_free(struct turn *t)
{
    struct engine *en = t->en;

    t->step = TURN_OVER;
    turn_check(t);
    loop_timer_clear(en->loop, &t->timer);
    turn_release(t);
    session_leave(en->sessions, t);
    if (t->prev != NULL)
        t->prev->next = t->next;
    else
        en->turns = t->next;
    if (t->next != NULL)
        t->next->prev = t->prev;
    if (t->dirty) {
        struct turn **at = &en->dirty;

        while (*at != t)
            at = &(*at)->dirty_next;
        *at = t->dirty_next;
    }
    buf_release(&t->text);
    buf_release(&t->thought);
    buf_release(&t->notes);
    buf_release(&t->extra);
    turn_calls_free(t);
    turn_command_free(t);
    turn_ask_free(t->ask);
    free(t->op);
    free(t);
    engine_turn_over(en);
}

void
turn_refuse(struct turn *t, const struct problem *p)
{
    log_info("turn.refused", "code=%s", p->code);
    stream_close(t->stream, p);
    t->stream = NULL;
    turn_free(t);
}

void
turn_refuse_cancelled(struct turn *t)
{
    struct problem p = {.err = OK};

    (void)problem_set(&p, ERR_CONFLICT, "cancelled", "The turn was cancelled",
                      "It had not begun.");
    turn_refuse(t, &p);
}

void
turn_abandon(struct turn *t)
{
    if (t->generator != NULL)
        called_turn(t, finish_name(FINISH_INTERRUPTED));
    generator_cancel(t->generator);
    t->generator = NULL;
    if (t->stream != NULL)
        stream_close(t->stream, NULL);
    t->stream = NULL;
    turn_free(t);
}

/* A reader on its way from one turn's stream to another's. */
static void
reader_move(struct engine *en, const char *owner, struct reader *r,
            const struct ident *to)
{
    reader_detach(r);
    if (hub_attach(en->hub, to, r) != OK)
        mend_turn(en, owner, to, r);
}

void
turn_join(struct turn *t, const struct ident *existing)
{
    struct ident id = *existing;
    struct reader *r;

    while ((r = stream_first_reader(t->stream)) != NULL)
        reader_move(t->en, t->ask->owner, r, &id);
    stream_close(t->stream, NULL);
    t->stream = NULL;
    turn_free(t);
}

/* --- saving -------------------------------------------------------------- */

/* What a provider counted for this turn. */
static void
count_tokens(const struct turn *t)
{
    token_scale_learn(t->en->scales, t->ask->route.model, t->report.estimate,
                      t->usage.input_tokens);
    charge_metrics(&t->usage);
}

/* The audit log hears of it. */
static void
tell_called(const struct turn *t)
{
    called_turn(t, t->problem.err != OK ? t->problem.code
                                        : finish_name(t->finish));
}

static void
count_end(const struct turn *t)
{
    static const enum metric by_event[EVENT__MAX] = {
        [EVENT_COMPLETE] = METRIC_TURNS_COMPLETE,
        [EVENT_CANCELLED] = METRIC_TURNS_CANCELLED,
        [EVENT_ERROR] = METRIC_TURNS_FAILED,
    };
    int64_t ms = loop_now_ms(t->en->loop) - t->begun_ms;
    enum event_type type = result_event(t->finish);

    metric_add(t->finish == FINISH_INCOMPLETE ? METRIC_TURNS_INCOMPLETE
                                              : by_event[type],
               1);
    metric_observe_ms(METRIC_TURN, ms);
    tell_called(t);
    if (!t->cached)
        count_tokens(t);
    if (log_enabled(LOG_DEBUG) || type == EVENT_ERROR) {
        char id[IDENT_TEXT_LEN] = "temporary";

        if (!t->ask->temporary)
            ident_text(id, &t->id);
        log_line(type == EVENT_ERROR ? LOG_WARN : LOG_DEBUG, "turn.done",
                 "id=%s finish=%s ms=%" PRId64 " bytes=%zu code=%s", id,
                 finish_name(t->finish), ms, t->text.len, t->problem.code);
    }
}

/* Log the end event and the ended head, and let the stream go. */
static void
turn_tell(struct turn *t)
{
    struct stream_head head;
    struct problem lost = {.err = OK};
    struct result r;
    struct buf json, notes, calls, citations;
    enum event_type type;
    enum err e;

    if (t->stream == NULL)
        return;
    fill_result(t, &r);
    buf_init(&notes, 2 * TURN_NOTES_MAX);
    turn_notes_json(&notes, t);
    r.notes = buf_cstr(&notes);
    buf_init(&calls, TURN_CALLS_JSON);
    turn_calls_json(&calls, t);
    r.tool_calls = t->calls != NULL ? buf_cstr(&calls) : NULL;
    buf_init(&citations, STORE_EXTRA_MAX);
    turn_citations_json(&citations, t);
    r.citations = buf_status(&citations) == OK ? buf_cstr(&citations) : NULL;
    if (t->saving) /* whole, but not durable: not acknowledged */
        r.finish = FINISH_ERROR;
    type = result_event(r.finish);
    buf_init(&json, RESULT_MAX);
    result_json(&json, &r);
    e = buf_status(&json);
    if (e == OK)
        e = turn_tell_citations(t);
    if (e == OK)
        e = stream_append(t->stream, type, json.data, json.len);
    buf_release(&json);
    buf_release(&notes);
    buf_release(&calls);
    buf_release(&citations);
    fill_head(t, &head, true);
    if (e == OK)
        e = streamlog_put_head(t->en->log, &t->id, &head);
    if (e != OK)
        (void)problem_set(&lost, e, NULL, NULL, NULL);
    stream_close(t->stream, e != OK ? &lost : NULL);
    t->stream = NULL;
}

void
turn_command_told(struct turn *t)
{
    t->at_ms = clock_wall_ms();
    turn_flush(t);
    count_end(t);
    if (turn_asks_model(t))
        turn_settle(t);
    turn_tell(t);
    turn_free(t);
}

static void
on_save_again(struct loop_timer *timer)
{
    turn_save(timer->arg);
}

/* The store refused the answer for now: say so, keep trying. */
static void
save_failed(struct turn *t, enum err e)
{
    if (t->stream != NULL) {
        tell_called(t); /* once, however long it takes */
        t->saving = true;
        (void)problem_set(&t->problem, e, NULL, NULL, NULL);
        t->problem.retryable = true;
        turn_tell(t);
    }
    if (engine_draining(t->en)) {
        turn_free(t); /* the next process closes it */
        return;
    }
    t->timer.fn = on_save_again;
    t->timer.arg = t;
    loop_timer_set(t->en->loop, &t->timer,
                   loop_now_ms(t->en->loop) + SAVE_AGAIN_MS);
}

static void
on_saved(struct mail *m)
{
    struct turn *t = m->arg;
    enum err e = t->op->err;

    if (e == OK) {
        t->conversation_length = t->op->end.length;
    } else if (e == ERR_NOTFOUND) {
        if (t->stream != NULL)
            stream_forget(t->stream);
        t->finish = FINISH_ERROR;
        (void)problem_set(&t->problem, ERR_NOTFOUND, "session_deleted",
                          "The session was deleted", "Start a new session.");
    } else if (e == ERR_CONFLICT) {
        t->finish = FINISH_INTERRUPTED;
        result_interrupted(&t->problem);
    } else {
        save_failed(t, e);
        return;
    }
    if (t->op->temporary)
        turn_settle(t);
    t->due.held = false; /* it is settled */
    if (!t->saving)
        count_end(t);
    turn_tell(t);
    if (e == OK) {
        summary_after(t->en->summaries, t);
        titles_after(t->en->titles, t);
        if (!t->ask->temporary)
            index_grown(t->en->index, t->ask->owner, t->ask->session_id);
    }
    turn_free(t);
}

/* Committer thread. */
static void
end_done(struct store_op *op)
{
    struct turn *t = op->arg;

    t->mail.fn = on_saved;
    t->mail.arg = t;
    loop_post(t->en->loop, &t->mail);
}

void
turn_save(struct turn *t)
{
    struct store_op *op = xcalloc(1, sizeof(*op));

    t->step = TURN_ENDING;
    turn_check(t);
    free(t->op); /* of an earlier try */
    t->op = op;
    op->kind = STORE_TURN_END;
    op->done = end_done;
    op->arg = t;
    op->owner = t->ask->owner;
    op->session_id = t->ask->session_id;
    op->end.turn = t->id;
    if (t->stream != NULL) {
        t->at_ms = clock_wall_ms();
        turn_flush(t);
        IGNORE(turn_calls_log(t)); /* the end event would fail as well */
        op->end.end_seq = stream_seq(t->stream) + turn_citations(t) + 1;
    }
    buf_clear(&t->extra);
    turn_extra_json(&t->extra, t);
    op->end.answer = (struct message){
        .role = ROLE_ASSISTANT,
        .finish = (uint8_t)t->finish,
        .at_ms = t->at_ms,
        .id = t->answer_message,
        .turn = t->id,
        .input_tokens = t->usage.input_tokens,
        .output_tokens = t->usage.output_tokens,
        .cached_tokens = t->usage.cached_tokens,
        .provider = t->ask->route.provider->name,
        .model = t->model,
        .text = t->text.data != NULL ? t->text.data : "",
        .text_len = t->text.len,
        .cost_micro = turn_cost(t),
        .extra = buf_status(&t->extra) == OK ? buf_cstr(&t->extra) : "",
        .extra_len = buf_status(&t->extra) == OK ? t->extra.len : 0,
    };
    turn_spent(t, &op->end.spent);
    store_submit(t->en->store, op);
}

void
turn_finish(struct turn *t, enum finish finish)
{
    assert(t->finish == FINISH_NONE);
    assert(finish != FINISH_NONE);
    generator_cancel(t->generator);
    t->generator = NULL;
    if (t->carry_len > 0 && !t->too_long)
        utf8_scrub(&t->text, t->carry, t->carry_len); /* if it fits */
    t->carry_len = 0;
    t->finish = finish;
    if (t->report.summarised)
        turn_note(t, "summarised",
                  "A summary stood for the oldest messages: %s does not take "
                  "all of them.",
                  t->ask->route.model);
    if (t->command != NULL)
        turn_command_end(t);
    else if (t->begun)
        turn_save(t);
}
