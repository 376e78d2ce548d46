/*
 * The state of a turn, from the store: running, or how it ended; and what the
 * model saw of it, which a running turn's stream tells. Of a turn that carries
 * out a command the store knows nothing: its stream's head has its state, as
 * long as there is one. Acceptor threads.
 */
#include "base/base.h"

#include "api/app.h"
#include "api/who.h"
#include "base/json.h"
#include "chat/extra.h"

#define TURN_BODY_MAX (64 * 1024) /* bytes */

static void
turn_missing(struct app *app, struct request *rq, enum err e)
{
    struct problem p = {.err = OK};

    (void)problem_set(&p, e == ERR_STORE ? e : ERR_NOTFOUND, "turn_not_found",
                      "No such turn", "It does not exist, or it is not yours.");
    app_fail(app, rq, &p);
}

/* The turn of a command; its message is none. */
static enum err
command_turn(struct app *app, const struct ident *id, struct turn_info *t)
{
    struct stream_head h;
    struct buf data;
    enum err e;

    buf_init(&data, STORE_EXTRA_MAX);
    e = engine_context(app->en, id, &h, &data);
    buf_release(&data);
    if (e != OK || !ident_is_zero(&h.answer_message))
        return ERR_NOTFOUND;
    (void)memset(t, 0, sizeof(*t));
    t->id = *id;
    t->state = h.ended || !process_alive(&h.process) ? TURN_STATE_ENDED
                                                     : TURN_STATE_OPEN;
    t->begun_ms = h.begun_ms;
    t->ended_ms = h.ended ? h.ended_ms : h.begun_ms;
    (void)snprintf(t->owner, sizeof(t->owner), "%s", h.owner);
    (void)snprintf(t->session_id, sizeof(t->session_id), "%s", h.session_id);
    return OK;
}

/* The turn of the path; answers the request if there is none. */
static bool
find_turn(struct app *app, struct request *rq, bool commands,
          struct turn_info *t)
{
    struct ident id;
    enum err e = ident_parse(rq->path_args[0], strlen(rq->path_args[0]), &id);

    if (e == OK)
        e = store_turn(engine_store(app->en), &id, t);
    if (e == ERR_NOTFOUND && commands)
        e = command_turn(app, &id, t);
    if (e == OK)
        who_turn(app, rq, &id);
    if (e == OK && strcmp(t->owner, app_owner(rq)) == 0)
        return true;
    turn_missing(app, rq, e);
    return false;
}

static bool
put_answer(void *arg, const struct message *m)
{
    struct json_out *j = arg;

    json_put_str(j, "finish_reason", finish_name((enum finish)m->finish));
    json_put_str(j, "provider", m->provider);
    json_put_str(j, "model", m->model);
    return true;
}

void
api_turn(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct turn_info t;
    struct json_out j;
    struct buf body;
    bool ended, command;

    if (!find_turn(app, rq, true, &t))
        return;
    command = ident_is_zero(&t.answer_message);
    ended = t.state == TURN_STATE_ENDED;
    buf_init(&body, TURN_BODY_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_ident(&j, "turn_id", &t.id);
    json_put_str(&j, "session_id", t.session_id);
    if (command)
        json_put_str(&j, "message_id", NULL);
    else
        json_put_ident(&j, "message_id", &t.answer_message);
    json_put_str(&j, "state", ended ? "ended" : "running");
    json_put_time(&j, "begun_at", t.begun_ms);
    if (ended)
        json_put_time(&j, "ended_at", t.ended_ms);
    if (ended && !command) {
        json_put_i64(&j, "conversation_length", t.conversation_length);
        IGNORE(store_turn_answer(engine_store(app->en), &t, put_answer, &j));
    }
    json_end_obj(&j);
    app_json(app, rq, 200, &body);
}

/* --- what the model saw --------------------------------------------------- */

static void
put_context(struct json_out *j, const char *provider, const char *model,
            const char *context)
{
    json_put_str(j, "provider", provider);
    json_put_str(j, "model", model);
    json_name(j, "context");
    if (context == NULL)
        json_add_null(j);
    else
        json_add_raw(j, context, strlen(context));
}

static bool
put_stored_context(void *arg, const struct message *m)
{
    struct extra x;

    extra_read(&x, m->extra, m->extra_len);
    put_context(arg, m->provider, m->model, x.context);
    extra_release(&x);
    return true;
}

static void
put_running_context(struct app *app, const struct turn_info *t,
                    struct json_out *j)
{
    struct stream_head head = {.ended = false};
    struct buf data;

    buf_init(&data, STORE_EXTRA_MAX);
    if (engine_context(app->en, &t->id, &head, &data) != OK)
        put_context(j, NULL, NULL, NULL);
    else
        put_context(j, head.provider, head.model,
                    data.len > 0 && buf_status(&data) == OK ? buf_cstr(&data)
                                                            : NULL);
    buf_release(&data);
}

void
api_turn_context(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct turn_info t;
    struct json_out j;
    struct buf body;
    enum err e = OK;

    if (!find_turn(app, rq, false, &t))
        return;
    buf_init(&body, TURN_BODY_MAX + STORE_EXTRA_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_ident(&j, "turn_id", &t.id);
    json_put_str(&j, "session_id", t.session_id);
    if (t.state == TURN_STATE_ENDED)
        e = store_turn_answer(engine_store(app->en), &t, put_stored_context,
                              &j);
    else
        put_running_context(app, &t, &j);
    json_end_obj(&j);
    if (e == OK) {
        app_json(app, rq, 200, &body);
        return;
    }
    buf_release(&body); /* deleted in between, or damaged */
    turn_missing(app, rq, e);
}
