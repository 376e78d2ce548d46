/*
 * The turn's resources: begin one, follow it, poll it, cancel it. Each handler
 * parses on the acceptor, then hands the conn to the loop in an outlet.
 */
#include "base/base.h"

#include "api/chat.h"

#include "api/ask.h"
#include "api/payer.h"
#include "api/who.h"
#include "auth/auth.h"
#include "base/json.h"
#include "base/text.h"
#include "http/form.h"
#include "http/request_peer.h"
#include "http/sse.h"

#define POLL_WAIT_MAX_S 25 /* below what proxies wait for a reply */

enum outlet_kind
chat_kind(const struct request *rq, const struct ask_options *opt)
{
    if (opt->detach)
        return OUTLET_DETACH;
    if (opt->stream || request_accepts(rq, "text/event-stream"))
        return OUTLET_SSE;
    if (request_accepts(rq, "text/plain"))
        return OUTLET_TEXT;
    return OUTLET_JSON;
}

/* A key that nobody in particular sends without a session is that of their
 * address: two who happen to choose the same one do not share an answer. No
 * session's id has this form. */
static const char *
key_scope(const struct request *rq, struct turn_ask *ask)
{
    char scope[REQUEST_PEER_MAX + 2];

    (void)snprintf(scope, sizeof(scope), "@%s", request_peer(rq));
    return arena_strdup(&ask->arena, scope);
}

enum err
chat_admit(struct app *app, struct request *rq, struct turn_ask *ask,
           struct problem *why)
{
    if (who_may(rq, MAY_WRITE, why) != OK)
        return why->err;
    if (!who_session(app, rq, ask->session_id))
        who_makes(app, rq, ask->session_id);
    ask->owner = arena_strdup(&ask->arena, app_owner(rq));
    if (ask->fresh && ask->idem_key != NULL && *ask->owner == '\0')
        ask->idem_scope = key_scope(rq, ask);
    ask->lists = app_lists(rq);
    payer_take(app, who_asks(rq), ask);
    return OK;
}

void
chat_begin(struct app *app, struct request *rq, struct turn_ask *ask,
           enum outlet_kind kind)
{
    struct problem p = {.err = OK};
    struct ident existing;
    struct outlet *o;
    enum err e = chat_admit(app, rq, ask, &p);

    if (e == OK)
        e = ask_load(app->en, ask, &existing, &p);
    if (e == ERR_CONFLICT) {
        turn_ask_free(ask);
        o = outlet_new(app, rq, kind);
        engine_follow(app->en, app_owner(rq), &existing, outlet_reader(o));
        return;
    }
    if (e != OK) {
        turn_ask_free(ask);
        app_fail(app, rq, &p);
        return;
    }
    o = outlet_new(app, rq, kind);
    engine_ask(app->en, ask, outlet_reader(o));
}

void
api_chat(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct ask_options opt = {.stream = false};
    struct problem p = {.err = OK};
    struct turn_ask *ask;

    if (ask_parse(rq, false, &ask, &opt, &p) != OK) {
        app_fail(app, rq, &p);
        return;
    }
    chat_begin(app, rq, ask, chat_kind(rq, &opt));
}

/* The turn and the last seq seen, from turn_id, Last-Event-ID (header or
 * query). *named false: neither was given. */
static enum err
which_turn(struct request *rq, struct ident *turn, uint32_t *seq, bool *named,
           struct problem *why)
{
    const char *last = request_header(rq, "Last-Event-ID");
    const char *id = NULL;
    char last_turn[IDENT_TEXT_LEN] = "";

    *seq = 0;
    *named = false;
    if (request_arg(rq, "turn_id", &id, why) != OK)
        return ERR_BADREQ;
    if ((last == NULL || *last == '\0') &&
        request_arg(rq, "last_event_id", &last, why) != OK)
        return ERR_BADREQ;
    if (last != NULL && *last != '\0' &&
        sse_parse_id(last, last_turn, seq) != OK)
        return problem_set(why, ERR_BADREQ, "invalid_event_id",
                           "Invalid Last-Event-ID",
                           "It has the form <turn_id>.<seq>");
    if (id == NULL || *id == '\0')
        id = last_turn;
    else if (last_turn[0] != '\0' && !text_ieq(id, last_turn))
        *seq = 0; /* the id of another turn's event */
    if (*id == '\0')
        return OK;
    *named = true;
    if (ident_parse(id, strlen(id), turn) != OK)
        return problem_set(why, ERR_NOTFOUND, "turn_not_found", "No such turn",
                           "It does not exist, or it is not yours.");
    return OK;
}

void
api_chat_stream(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct ask_options opt = {.stream = true};
    struct problem p = {.err = OK};
    struct turn_ask *ask;
    struct outlet *o;
    struct ident turn;
    uint32_t seq;
    bool named;

    if (which_turn(rq, &turn, &seq, &named, &p) != OK) {
        app_fail(app, rq, &p);
        return;
    }
    if (rq->method == METHOD_HEAD) {
        app_stream_head(app, rq);
        return;
    }
    if (named) {
        who_turn(app, rq, &turn);
        o = outlet_new(app, rq, OUTLET_SSE);
        outlet_after(o, seq, 0);
        engine_follow(app->en, app_owner(rq), &turn, outlet_reader(o));
        return;
    }
    /* It is a question, though a GET. */
    if (auth_rate(app->auth, who_asks(rq), &rq->left, &p) != OK ||
        ask_parse(rq, true, &ask, &opt, &p) != OK) {
        app_fail(app, rq, &p);
        return;
    }
    chat_begin(app, rq, ask, OUTLET_SSE);
}

void
api_chat_events(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct outlet *o;
    struct ident turn;
    uint32_t seq;
    int64_t after = 0, wait_s = 0;
    bool named;

    if (which_turn(rq, &turn, &seq, &named, &p) == OK && !named)
        (void)problem_set(&p, ERR_BADREQ, "missing_turn_id",
                          "Missing required parameter: turn_id",
                          "Say which turn: ?turn_id=…");
    after = seq;
    if (p.err != OK ||
        request_arg_i64(rq, "after", 0, UINT32_MAX, &after, &p) != OK ||
        request_arg_i64(rq, "wait", 0, POLL_WAIT_MAX_S, &wait_s, &p) != OK) {
        app_fail(app, rq, &p);
        return;
    }
    who_turn(app, rq, &turn);
    o = outlet_new(app, rq, OUTLET_EVENTS);
    outlet_after(o, (uint32_t)after, wait_s * 1000);
    engine_follow(app->en, app_owner(rq), &turn, outlet_reader(o));
}

/* turn_id from a JSON or form body. */
static enum err
body_turn(struct request *rq, struct ident *turn, struct problem *why)
{
    const char *id = NULL;
    cJSON *json = NULL;
    struct form form;
    enum err e = OK;

    if (strcmp(rq->type, "application/x-www-form-urlencoded") == 0) {
        e = form_parse(&form, &rq->arena, rq->body != NULL ? rq->body : "",
                       rq->body_len, why);
        if (e == OK && form_get(&form, "turn_id") != NULL)
            id = form_get(&form, "turn_id")->value;
    } else {
        e = json_parse(rq->body != NULL ? rq->body : "", rq->body_len, &json,
                       why);
        if (e == OK && cJSON_IsObject(json))
            e = json_get_str(json, "turn_id", &id, why);
    }
    if (e == OK && (id == NULL || *id == '\0'))
        e = problem_set(why, ERR_BADREQ, "missing_turn_id",
                        "Missing required parameter: turn_id",
                        "Say which turn to stop.");
    else if (e == OK && ident_parse(id, strlen(id), turn) != OK)
        e = problem_set(why, ERR_NOTFOUND, "turn_not_found", "No such turn",
                        "It does not exist, or it is not yours.");
    cJSON_Delete(json);
    return e;
}

void
api_chat_stop(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct outlet *o;
    struct ident turn;

    if (body_turn(rq, &turn, &p) != OK) {
        app_fail(app, rq, &p);
        return;
    }
    who_turn(app, rq, &turn);
    o = outlet_new(app, rq, OUTLET_STOPPED);
    engine_stop_turn(app->en, app_owner(rq), &turn, outlet_reader(o));
}
