/*
 * POST /v1/chat/completions. The body becomes an ask on the acceptor; then the
 * request goes to the loop in an outlet, as the client of a relay, or, if a
 * session is named, as the reader of an ordinary turn.
 *
 * In a session the conversation is what the client sent, not what is stored:
 * its clients send all of it each time. Stored are the user's last message and
 * the answer. SYSTEM_PROMPT is the session's affair too: without one, the
 * model is told what the client said and nothing else.
 */
#include "base/base.h"

#include "api/v1.h"
#include "api/chat.h"

#include "api/payer.h"
#include "api/v1_outlet.h"
#include "api/who.h"
#include "base/text.h"
#include "dialect/openai_in.h"

/* What is stored is the last thing that the user said; what came before it is
 * the history, and what came after it, results of tools, goes last. */
static enum err
take_said(struct turn_ask *a, struct openai_in *in, struct problem *why)
{
    struct ask *ask = &a->ask;
    size_t at = openai_in_user(a);
    const struct ask_message *m = &ask->messages[at];

    (void)snprintf(in->param, sizeof(in->param), "messages");
    if (at == ask->n_messages || text_blank(m->text, m->len))
        return problem_set(why, ERR_BADREQ, "missing_message",
                           "There is no text of the user to be stored",
                           "With " V1_SESSION_HEADER " the user must have said "
                           "something.");
    if (m->len > PROMPT_MESSAGE_MAX)
        return problem_set(why, ERR_TOOBIG, "message_too_big",
                           "The message is too long to be stored",
                           "At most %d bytes.", PROMPT_MESSAGE_MAX);
    a->text = m->text;
    a->text_len = m->len;
    a->pieces = m->pieces;
    a->n_pieces = m->n_pieces;
    /* In a's arena, and nobody else's. */
    a->history = (struct ask_message *)(uintptr_t)ask->messages;
    a->n_history = at;
    a->history_given = true;
    a->after = m + 1;
    a->n_after = ask->n_messages - at - 1;
    return OK;
}

static enum err
take_session(struct app *app, struct request *rq, struct turn_ask *a,
             struct openai_in *in, const char *session, struct problem *why)
{
    const char *key = request_header(rq, "Idempotency-Key");

    if (!ident_session_valid(session, strlen(session)))
        return problem_set(why, ERR_BADREQ, "invalid_session_id",
                           "Invalid " V1_SESSION_HEADER,
                           "1 to 64 characters of A-Z a-z 0-9 _ -");
    a->session_id = arena_strdup(&a->arena, session);
    if (chat_admit(app, rq, a, why) != OK)
        return why->err;
    if (key != NULL && key[0] != '\0' && strlen(key) <= PROMPT_IDEM_MAX) {
        a->idem_key = arena_strdup(&a->arena, key);
        a->idem_scope = a->session_id;
    }
    return take_said(a, in, why);
}

/* An ordinary turn. Takes rq and a. */
static void
begin_turn(struct app *app, struct request *rq, struct turn_ask *a,
           const struct openai_in *in)
{
    struct problem p = {.err = OK};
    struct ident existing;
    struct v1_outlet *o;
    enum err e = ERR_STOPPING;

    if (!engine_draining(app->en))
        e = prompt_load(engine_store(app->en), a, &existing);
    if (e != OK && e != ERR_CONFLICT) {
        turn_ask_free(a);
        (void)problem_set(&p, e, NULL, NULL, NULL);
        v1_fail(app, rq, &p, NULL);
        return;
    }
    o = v1_outlet_new(app, rq, in->stream, in->include_usage);
    if (e == OK) {
        engine_ask(app->en, a, v1_outlet_reader(o));
        return;
    }
    turn_ask_free(a); /* the key names a turn that there is already */
    engine_follow(app->en, app_owner(rq), &existing, v1_outlet_reader(o));
}

void
api_v1_chat(void *arg, struct request *rq)
{
    const char *session = request_header(rq, V1_SESSION_HEADER);
    struct app *app = arg;
    struct turn_ask *a = turn_ask_new();
    struct openai_in in = {.model = NULL};
    struct problem p = {.err = OK};
    enum err e = v1_check_type(rq, &p);

    if (e == OK)
        e = openai_in_chat(v1_body(rq), rq->body_len, a, &in, &p);
    if (e == OK) {
        e = v1_route(in.model, &a->route, &p);
        if (e != OK)
            (void)snprintf(in.param, sizeof(in.param), "model");
    }
    if (e == OK)
        openai_in_origin(a, a->route.provider->name);
    a->temperature = a->ask.temperature;
    a->top_p = a->ask.top_p;
    if (e == OK && session != NULL && session[0] != '\0')
        e = take_session(app, rq, a, &in, session, &p);
    if (e != OK) {
        turn_ask_free(a);
        v1_fail(app, rq, &p, in.param);
    } else if (a->session_id != NULL) {
        begin_turn(app, rq, a, &in);
    } else {
        payer_take(app, who_asks(rq), a);
        v1_outlet_relay(v1_outlet_new(app, rq, in.stream, in.include_usage), a);
    }
}
