/*
 * The state of a turn, from the store alone: running, or how it ended. Acceptor
 * threads.
 */
#include "base/base.h"

#include "api/app.h"
#include "base/json.h"

#define TURN_BODY_MAX (64 * 1024) /* bytes */

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
    struct problem p = {.err = OK};
    struct turn_info t;
    struct ident id;
    struct json_out j;
    struct buf body;
    bool ended;
    enum err e;

    e = ident_parse(rq->path_args[0], strlen(rq->path_args[0]), &id);
    if (e == OK)
        e = store_turn(engine_store(app->en), &id, &t);
    if (e != OK || strcmp(t.owner, app_owner(rq)) != 0) {
        (void)problem_set(&p, e == ERR_STORE ? e : ERR_NOTFOUND,
                          "turn_not_found", "No such turn",
                          "It does not exist, or it is not yours.");
        app_fail(app, rq, &p);
        return;
    }
    ended = t.state == TURN_STATE_ENDED;
    buf_init(&body, TURN_BODY_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_ident(&j, "turn_id", &t.id);
    json_put_str(&j, "session_id", t.session_id);
    json_put_ident(&j, "message_id", &t.answer_message);
    json_put_str(&j, "state", ended ? "ended" : "running");
    json_put_time(&j, "begun_at", t.begun_ms);
    if (ended) {
        json_put_time(&j, "ended_at", t.ended_ms);
        json_put_i64(&j, "conversation_length", t.conversation_length);
        IGNORE(store_turn_answer(engine_store(app->en), &t, put_answer, &j));
    }
    json_end_obj(&j);
    app_json(app, rq, 200, &body);
}
