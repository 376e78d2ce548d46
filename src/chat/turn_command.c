/*
 * Commands as turns. The command's function runs on a worker, since it waits
 * for the store; meanwhile nothing else of its session runs. What it has to say
 * is the answer's text, and its result a member of the end event.
 */
#include "base/base.h"

#include "chat/turn_command.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "chat/command.h"
#include "chat/command_key.h"
#include "chat/core.h"
#include "chat/temporary.h"
#include "chat/turn_answer.h"
#include "chat/turn_charge.h"
#include "chat/turn_end.h"
#include "chat/turn_extra.h"
#include "chat/turn_text.h"

struct work {
    struct command_run run; /* first */
    enum command_step step;
    bool used; /* its key: by the message of t->existing */
    uint32_t conversation_length;
};

static struct work *
work_of(const struct turn *t)
{
    return (struct work *)(void *)t->command;
}

/* --- carrying it out ------------------------------------------------------ */

/* Worker. The session's model, if the request names none. One that cannot be
 * asked any more is passed over: /model shows and sets it. ERR_IMPOSSIBLE: it
 * is to be in a temporary session, and this one is stored. */
static enum err
choose(struct turn *t)
{
    struct turn_ask *a = t->ask;
    struct route_choice route;
    struct problem why;

    if (prompt_session(t->en->store, a) != OK)
        return ERR_IMPOSSIBLE;
    if (a->any_model && a->session_model[0] != '\0' &&
        catalog_route(NULL, a->session_model, &route, &why) == OK)
        a->route = route;
    return OK;
}

/* Worker. */
static void
work_run(void *arg)
{
    struct turn *t = arg;
    struct work *w = work_of(t);
    struct command_run *run = &w->run;
    struct problem why = {.err = OK};
    struct session s;

    w->step = COMMAND_DONE;
    w->used = run->ask->idem_key != NULL &&
              store_idem(t->en->store, run->ask->owner, run->ask->idem_scope,
                         run->ask->idem_key, &t->existing) == OK;
    if (w->used)
        return;
    if (choose(t) != OK) {
        (void)temporary_problem(&why, ERR_IMPOSSIBLE);
        command_fail(run, &why);
    } else if (run->line->why.err != OK) {
        command_fail(run, &run->line->why);
    } else {
        w->step = run->line->command->run(run);
    }
    if (store_session(t->en->store, run->ask->owner, run->ask->session_id,
                      &s) == OK)
        w->conversation_length = s.length;
}

/* It may ask a model. */
static void
ask_now(void *arg, const struct problem *why)
{
    struct turn *t = arg;

    if (t->finish != FINISH_NONE) { /* cancelled while it waited */
        return;
    }
    if (why != NULL) {
        t->problem = *why;
        turn_finish(t, FINISH_ERROR);
        return;
    }
    turn_ask_provider(t);
}

/* Who cancelled it meanwhile is too late if it is done. */
static void
on_worked(struct mail *m)
{
    struct turn *t = m->arg;
    struct work *w = work_of(t);

    if (w->used) {
        turn_join(t, &t->existing);
        return;
    }
    if (t->finish == FINISH_CANCELLED && w->step == COMMAND_ASK) {
        turn_refuse_cancelled(t);
        return;
    }
    t->finish = FINISH_NONE;
    t->step = TURN_RUNNING;
    t->begun = true;
    t->chosen = t->ask->route;
    (void)snprintf(t->model, sizeof(t->model), "%s", t->chosen.model);
    t->conversation_length = w->conversation_length;
    if (turn_log_start(t) != OK) {
        turn_problem_full(t);
        turn_finish(t, FINISH_ERROR);
    } else if (w->step == COMMAND_DONE) {
        turn_text_add(t, buf_cstr(&w->run.text), w->run.text.len);
        turn_mark(t);
        turn_finish(t, FINISH_STOP);
    } else {
        turn_bill(t);
        turn_reserve(t, ask_now);
    }
}

void
turn_command_start(struct turn *t)
{
    struct work *w = xcalloc(1, sizeof(*w));

    command_keys_put(t->en->keys, t->ask, &t->id);
    t->command = &w->run;
    w->run.en = t->en;
    w->run.turn = t->id;
    w->run.ask = t->ask;
    w->run.line = t->ask->command;
    buf_init(&w->run.json, COMMAND_RESULT_MAX);
    buf_init(&w->run.text, COMMAND_RESULT_MAX);
    (void)memset(&t->answer_message, 0, sizeof(t->answer_message));
    if (t->ask->pieces != NULL) { /* and the line, as it was written */
        t->ask->pieces = NULL;
        t->ask->n_pieces = 0;
        turn_note(t, "image_ignored", "A command does not see images.");
    }
    if (t->ask->n_named > 0)
        turn_note(t, "file_ignored", "A command does not read files.");
    t->asked_ms = clock_wall_ms();
    t->step = TURN_LOADING;
    turn_work(t, work_run, on_worked);
}

/* --- the end -------------------------------------------------------------- */

static void
on_end_timer(struct loop_timer *timer)
{
    turn_command_told(timer->arg);
}

void
turn_command_end(struct turn *t)
{
    struct work *w = work_of(t);

    t->step = TURN_ENDING;
    if (w->step == COMMAND_ASK && t->problem.err == OK &&
        t->finish != FINISH_CANCELLED)
        w->run.line->command->answered(
            &w->run, t->text.data != NULL ? t->text.data : "", t->text.len);
    if (w->run.json.len > 0) {
        json_end_obj(&w->run.j);
        (void)buf_cstr(&w->run.json);
    }
    t->timer.fn = on_end_timer;
    t->timer.arg = t;
    loop_timer_set(t->en->loop, &t->timer, 0);
}

const char *
turn_command_name(const struct turn *t)
{
    return t->command != NULL ? t->command->line->name : NULL;
}

bool
turn_asks_model(const struct turn *t)
{
    return t->command == NULL || work_of(t)->step == COMMAND_ASK;
}

const char *
turn_command_outcome(const struct turn *t)
{
    const struct command_run *run = t->command;

    return run != NULL && run->json.len > 0 && buf_status(&run->json) == OK
               ? run->json.data
               : NULL;
}

void
turn_command_free(struct turn *t)
{
    struct work *w = work_of(t);

    if (w == NULL)
        return;
    buf_release(&w->run.json);
    buf_release(&w->run.text);
    free(w);
    t->command = NULL;
}
