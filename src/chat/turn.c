/*
 * The turn, from its beginning to the moment its end is known; turn_end.c
 * makes the end durable and tells it. The provider is asked while the user's
 * message commits, and nothing is logged before that commit returned. What the
 * commit refuses (another process was faster, the key was used) undoes the
 * asking: no reader saw anything. Runs on the loop thread.
 */
#include "base/base.h"

#include "chat/turn.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "chat/core.h"
#include "chat/erase.h"
#include "chat/retrieve.h"
#include "chat/temporary.h"
#include "chat/turn_answer.h"
#include "chat/turn_calls.h"
#include "chat/turn_charge.h"
#include "chat/turn_command.h"
#include "chat/turn_end.h"
#include "chat/turn_extra.h"
#include "chat/turn_text.h"

#define BUSY_WAIT_MS 100 /* another process has a turn in this session */

static void turn_load(struct turn *t);

void
turn_work(struct turn *t, job_fn *run, void (*done)(struct mail *m))
{
    (void)memset(&t->job, 0, sizeof(t->job));
    t->job.run = run;
    t->job.arg = t;
    t->job.done.fn = done;
    t->job.done.arg = t;
    workers_run(t->en->workers, &t->job);
}

/* --- beginning ----------------------------------------------------------- */

/* Forget what the provider said: the turn begins again or not at all. */
static void
turn_unask(struct turn *t)
{
    turn_undone(t);
    generator_cancel(t->generator);
    t->generator = NULL;
    buf_clear(&t->text);
    buf_clear(&t->thought);
    t->thoughts = 0;
    buf_clear(&t->notes);
    turn_calls_free(t);
    t->carry_len = 0;
    t->too_long = false;
    t->cached = false;
    t->finish = FINISH_NONE;
    t->problem = (struct problem){.err = OK};
    t->usage = (struct usage){-1, -1, -1};
}

static void
on_busy_timer(struct loop_timer *timer)
{
    struct turn *t = timer->arg;

    t->ask->loaded = false;
    turn_go(t);
}

/* A turn of this session is open elsewhere: wait for it, or mend it. */
static void
turn_wait_other(struct turn *t, const struct ident *other)
{
    struct ident id = *other;

    t->step = TURN_WAITING;
    mend_turn(t->en, NULL, &id, NULL); /* does nothing while it lives */
    t->timer.fn = on_busy_timer;
    t->timer.arg = t;
    loop_timer_set(t->en->loop, &t->timer,
                   loop_now_ms(t->en->loop) + BUSY_WAIT_MS);
}

static void
turn_begun(struct turn *t)
{
    t->begun = true;
    if (turn_log_start(t) != OK) {
        generator_cancel(t->generator);
        t->generator = NULL;
        turn_problem_full(t);
        t->finish = FINISH_ERROR;
    } else if (t->finish == FINISH_NONE && t->generator == NULL) {
        turn_ask_provider(t); /* nobody was asked before it was reserved */
    }
    turn_mark(t);
    if (t->finish != FINISH_NONE)
        turn_save(t);
}

/* Worker. The session's time is over: what is left of it goes first. */
static void
make_room_run(void *arg)
{
    struct turn *t = arg;

    t->load_err = erase(t->en, t->ask->owner, t->ask->session_id, 0,
                        ERASE_EXPIRED, &t->id);
}

static void
on_room_made(struct mail *m)
{
    struct turn *t = m->arg;
    struct problem p = {.err = OK};

    t->ask->loaded = false;
    if (t->finish == FINISH_CANCELLED || t->load_err == OK ||
        t->load_err == ERR_NOTFOUND || t->load_err == ERR_CONFLICT) {
        turn_load(t);
        return;
    }
    (void)problem_set(&p, t->load_err, NULL, NULL, NULL);
    turn_refuse(t, &p);
}

static void
refuse_limit(struct turn *t)
{
    bool sessions = t->op->begin.too_many_sessions;
    struct problem p = {.err = OK};

    if (t->op->begin.reserve.over.limit != LEDGER_FITS) {
        turn_refuse_limit(t);
        return;
    }
    (void)problem_set(&p, ERR_LIMIT,
                      sessions ? "too_many_sessions" : "session_full",
                      sessions ? "Too many sessions" : "The session is full",
                      sessions ? "Delete some first." : "Start a new session.");
    turn_refuse(t, &p);
}

static void
on_begun(struct mail *m)
{
    struct turn *t = m->arg;
    enum err e = t->op->err;
    struct problem p = {.err = OK};

    t->begin_pending = false;
    if (e == OK) {
        t->ask->temporary = t->op->temporary;
        free(t->op); /* a stream may be long */
        t->op = NULL;
        turn_begun(t);
        return;
    }
    if (t->finish == FINISH_CANCELLED) {
        turn_refuse_cancelled(t);
        return;
    }
    turn_unask(t);
    if (e == ERR_CONFLICT && t->op->begin.idem_hit) {
        turn_join(t, &t->op->begin.existing);
    } else if (e == ERR_CONFLICT && !ident_is_zero(&t->op->begin.open_turn)) {
        turn_wait_other(t, &t->op->begin.open_turn);
    } else if (e == ERR_CONFLICT && t->op->begin.expired) {
        t->ask->temporary |= t->op->temporary; /* the new one is, too */
        t->step = TURN_LOADING;
        turn_work(t, make_room_run, on_room_made);
    } else if (e == ERR_LIMIT) {
        refuse_limit(t);
    } else if (e == ERR_CONFLICT) {
        t->ask->loaded = false;
        turn_go(t);
    } else {
        temporary_problem_if(t->op->temporary || e == ERR_IMPOSSIBLE, &p, e);
        turn_refuse(t, &p);
    }
}

/* Committer thread. */
static void
begin_done(struct store_op *op)
{
    struct turn *t = op->arg;

    t->mail.fn = on_begun;
    t->mail.arg = t;
    loop_post(t->en->loop, &t->mail);
}

static void
turn_begin(struct turn *t)
{
    struct store_op *op = xcalloc(1, sizeof(*op));
    const struct turn_ask *a = t->ask;

    free(t->op); /* of an earlier try */
    t->op = op;
    t->asked_ms = clock_wall_ms();
    op->kind = STORE_TURN_BEGIN;
    op->done = begin_done;
    op->arg = t;
    op->owner = a->owner;
    op->session_id = a->session_id;
    op->temporary = a->temporary;
    op->begin.create = true;
    op->begin.expect_messages = a->expect_messages;
    op->begin.parent = a->parent;
    op->begin.root = a->root;
    op->begin.messages_max = t->en->messages_max;
    op->begin.sessions_max = t->en->sessions_max;
    op->begin.title = a->title;
    op->begin.turn = t->id;
    op->begin.answer_message = t->answer_message;
    op->begin.process = process_self();
    op->begin.user = (struct message){
        .role = ROLE_USER,
        .at_ms = t->asked_ms,
        .id = t->user_message,
        .turn = t->id,
        .input_tokens = -1,
        .output_tokens = -1,
        .cached_tokens = -1,
        .provider = "",
        .model = "",
        .text = a->text,
        .text_len = a->text_len,
    };
    if (!t->due.held)
        op->begin.reserve = t->due.bill.what;
    op->begin.idem_scope = a->idem_scope;
    op->begin.idem_key = a->idem_key;
    t->begin_pending = true;
    store_submit(t->en->store, op);
}

/* Who answers, where the request leaves it to the session. */
static enum err
turn_choose(struct turn *t, struct problem *why)
{
    const struct turn_ask *a = t->ask;

    if (!a->any_model || a->session_model[0] == '\0')
        return OK;
    if (catalog_route(NULL, a->session_model, &t->chosen, why) != OK)
        return why->err;
    t->ask->route = t->chosen;
    (void)snprintf(t->model, sizeof(t->model), "%s", t->chosen.model);
    return OK;
}

/* It is reserved, or nothing has to be. */
static void
turn_ask_now(void *arg, const struct problem *why)
{
    struct turn *t = arg;

    if (t->finish == FINISH_CANCELLED) {
        turn_refuse_cancelled(t);
    } else if (why != NULL) {
        turn_refuse(t, why);
    } else {
        t->step = TURN_RUNNING;
        turn_begin(t);
        if (!turn_is_limited(t))
            turn_ask_provider(t);
    }
}

void
turn_go(struct turn *t)
{
    struct problem why;

    if (t->en->closed)
        return;
    if (t->ask->command != NULL) {
        turn_command_start(t);
        return;
    }
    if (!t->ask->loaded) {
        turn_load(t);
        return;
    }
    if (turn_choose(t, &why) != OK) {
        turn_refuse(t, &why);
        return;
    }
    turn_bill(t);
    t->step = TURN_LOADING;
    if (t->ask->temporary)
        turn_reserve(t, turn_ask_now);
    else
        turn_ask_now(t, NULL);
}

/* --- loading ------------------------------------------------------------- */

/* Worker. ERR_AGAIN: another process has the session's turn, t->existing. */
static void
load_run(void *arg)
{
    struct turn *t = arg;
    struct store *store = t->en->store;
    const struct turn_ask *a = t->ask;
    struct session s;

    if (store_session(store, a->owner, a->session_id, &s) == OK && s.open &&
        (a->idem_key == NULL || store_idem(store, a->owner, a->idem_scope,
                                           a->idem_key, &t->existing) != OK)) {
        t->existing = s.open_turn;
        t->load_err = ERR_AGAIN;
    } else {
        t->load_err = prompt_load(store, t->ask, &t->existing);
        if (t->load_err == OK)
            retrieve(t->en, t->ask);
    }
}

static void
on_loaded(struct mail *m)
{
    struct turn *t = m->arg;
    struct problem p = {.err = OK};

    if (t->finish == FINISH_CANCELLED) {
        turn_refuse_cancelled(t);
    } else if (t->load_err == ERR_CONFLICT) {
        turn_join(t, &t->existing);
    } else if (t->load_err == ERR_AGAIN) {
        turn_wait_other(t, &t->existing); /* nothing is asked before */
    } else if (t->load_err != OK) {
        (void)temporary_problem(&p, t->load_err);
        turn_refuse(t, &p);
    } else {
        turn_go(t);
    }
}

static void
turn_load(struct turn *t)
{
    t->step = TURN_LOADING;
    turn_work(t, load_run, on_loaded);
}

/* --- from outside -------------------------------------------------------- */

void
turn_start(struct engine *en, struct turn_ask *ask, struct reader *r)
{
    struct turn *t = xcalloc(1, sizeof(*t));
    struct problem p = {.err = OK};
    enum err e;

    t->en = en;
    t->ask = ask;
    t->id = ident_v7();
    t->id = ident_beside(&t->id, TURN_ID);
    t->user_message = ident_beside(&t->id, TURN_QUESTION_ID);
    t->answer_message = ident_beside(&t->id, TURN_ANSWER_ID);
    t->usage = (struct usage){-1, -1, -1};
    t->begun_ms = loop_now_ms(en->loop);
    buf_init(&t->text, TURN_TEXT_MAX);
    buf_init(&t->thought, TURN_THOUGHT_MAX);
    buf_init(&t->notes, TURN_NOTES_MAX);
    buf_init(&t->extra, STORE_EXTRA_MAX);
    t->chosen = ask->route;
    (void)snprintf(t->model, sizeof(t->model), "%s", ask->route.model);
    t->next = en->turns;
    if (en->turns != NULL)
        en->turns->prev = t;
    en->turns = t;
    engine_turn_begun(en);
    t->stream = stream_open(en->hub, &t->id);
    stream_attach(t->stream, r);
    e = session_enter(en->sessions, t);
    if (e == OK) {
        turn_go(t);
    } else if (e == ERR_AGAIN) {
        t->step = TURN_WAITING;
        ask->loaded = false; /* the turn ahead adds to the history */
    } else {
        (void)problem_set(&p, ERR_LIMIT, "session_busy",
                          "Too many messages wait in this session",
                          "Wait for the answers before sending more.");
        p.retry_after_s = 1;
        turn_refuse(t, &p);
    }
}

void
turn_cancel(struct turn *t)
{
    switch (t->step) {
    case TURN_WAITING: turn_refuse_cancelled(t); break;
    case TURN_LOADING: t->finish = FINISH_CANCELLED; break;
    case TURN_RUNNING:
        generator_cancel(t->generator);
        t->generator = NULL;
        if (t->finish == FINISH_NONE) {
            turn_finish(t, FINISH_CANCELLED);
        } else {
            t->finish = FINISH_CANCELLED;
            t->problem = (struct problem){.err = OK};
        }
        break;
    default: break; /* it ends already */
    }
}

void
turn_cut(struct turn *t)
{
    if (t->step != TURN_RUNNING) {
        turn_cancel(t);
        return;
    }
    if (t->finish != FINISH_NONE)
        return;
    generator_cancel(t->generator);
    t->generator = NULL;
    (void)problem_set(&t->problem, ERR_STOPPING, "shutting_down",
                      "The server is stopping",
                      "What came is kept; send the message again in a "
                      "moment.");
    t->problem.retryable = true;
    turn_finish(t, FINISH_INCOMPLETE);
}

void
turn_check(const struct turn *t)
{
    assert(t->logged <= t->text.len);
    assert(t->text.len <= TURN_TEXT_MAX);
    assert(t->carry_len < sizeof(t->carry));
    assert(!(t->begun && t->begin_pending));
    assert(t->step != TURN_ENDING || t->finish != FINISH_NONE);
    assert(t->command == NULL || !t->begin_pending);
    assert(t->step != TURN_OVER || t->generator == NULL);
}
