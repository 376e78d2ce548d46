/*
 * What a link has a worker do, since it reads or writes the store: prepare a
 * turn (as POST /chat does on an acceptor), read a session's messages, empty a
 * session, find the context of a message. The worker sees copies alone; the
 * link waits in its state until the letter comes back, even if its socket is
 * gone meanwhile.
 */
#include "base/base.h"

#include "api/ws_link.h"

#include "api/account.h"
#include "api/ask.h"
#include "api/cloud_chat.h"
#include "api/package.h"
#include "api/payer.h"
#include "api/who.h"
#include "auth/credentials.h"
#include "base/clock.h"
#include "base/mem.h"
#include "chat/erase.h"
#include "chat/retrieve.h"

#define HISTORY_MESSAGES 500               /* newest */
#define HISTORY_TEXT_MAX (4 * 1024 * 1024) /* bytes of them */

struct ws_work {
    struct job job;
    struct ws_link *link; /* the loop's */
    struct app *app;
    struct ws ws;
    struct ws_in in;
    char session_id[IDENT_SESSION_MAX + 1];
    bool lists;
    struct identity who; /* in: who asks; out, of WS_AUTH: who it is */
    char owner[STORE_OWNER_MAX + 1]; /* as whom it acts, in that session */
    /* what came of it */
    enum err e;
    struct problem why;
    struct turn_ask *ask;
    struct ident existing; /* ERR_CONFLICT: the turn that it was */
    struct buf frame, status;
};

/* --- contexts ------------------------------------------------------------ */

/* Who looks into the files. */
static const char *
viewer(const struct ws_work *w)
{
    return retrieve_as(w->who.owner, w->lists);
}

static void
work_context(struct ws_work *w)
{
    struct package p;

    w->e = package_make(&p, w->app, viewer(w), &w->who, w->in.ask, true,
                        &w->why);
    if (w->e == OK) {
        ws_context_status(&w->status);
        ws_context_result(&p.c, &w->frame);
        if (buf_status(&w->frame) != OK)
            w->e = package_too_big(&w->why);
    }
    package_release(&p);
}

/* --- turns --------------------------------------------------------------- */

static void
set_member(cJSON *o, const char *name, const char *value)
{
    const char *has = json_str(o, name);

    if (has != NULL && *has != '\0')
        return;
    if (has != NULL || cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(o, name)))
        cJSON_DeleteItemFromObjectCaseSensitive(o, name);
    else if (cJSON_HasObjectItem(o, name))
        return; /* of a wrong type: who reads it says so */
    (void)cJSON_AddStringToObject(o, name, value);
}

/* /api/chat: the context is told with the answer, and the image is of it. */
static enum err
prepare_local(struct ws_work *w)
{
    struct package p;
    enum err e = package_make(&p, w->app, viewer(w), &w->who, w->in.ask, false,
                              &w->why);

    if (e == OK) {
        ws_context_data(&p.c, &w->frame);
        cloud_local(w->in.ask);
        if (buf_status(&w->frame) != OK)
            e = package_too_big(&w->why);
    }
    package_release(&p);
    return e;
}

static void
act_as(struct ws_work *w, const char *session_id)
{
    memcpy(w->owner, w->who.owner, sizeof(w->owner));
    (void)who_session_owner(w->app, session_id, w->owner);
}

static void
work_ask(struct ws_work *w)
{
    struct ask_options opt; /* the frame's own say how it is told */

    w->e = OK;
    if (w->ws.at == WS_AT_LOCAL)
        w->e = prepare_local(w);
    if (w->e != OK)
        return;
    set_member(w->in.ask, "session_id", w->session_id);
    w->e = ask_from_json(w->in.ask, w->who.owner, NULL, &w->ask, &opt, &w->why);
    if (w->e != OK)
        return;
    act_as(w, w->ask->session_id);
    w->ask->owner = arena_strdup(&w->ask->arena, w->owner);
    w->ask->lists = w->lists;
    payer_take(w->app, &w->who, w->ask);
    w->e = ask_load(w->app->en, w->ask, &w->existing, &w->why);
}

/* --- sessions ------------------------------------------------------------ */

static bool
put_message(void *arg, const struct message *m)
{
    struct ws_message out = {
        .role = role_name((enum role)m->role),
        .text = m->text,
        .text_len = m->text_len,
        .id = &m->id,
        .model = m->model,
        .at_ms = m->at_ms,
    };

    ws_history_message(arg, &out);
    return true;
}

static void
work_history(struct ws_work *w)
{
    struct json_out j;

    act_as(w, w->session_id);
    ws_history_begin(&j, &w->frame);
    w->e = store_messages(engine_store(w->app->en), w->owner, w->session_id,
                          UINT32_MAX, HISTORY_MESSAGES, HISTORY_TEXT_MAX, NULL,
                          put_message, &j);
    ws_history_end(&j);
    if (w->e == ERR_NOTFOUND)
        w->e = OK; /* nothing was said yet */
    if (w->e == OK)
        w->e = buf_status(&w->frame);
}

static void
work_clear(struct ws_work *w)
{
    act_as(w, w->session_id);
    w->e = erase(w->app->en, w->owner, w->session_id, 0, ERASE_MESSAGES, NULL);
    if (w->e == ERR_NOTFOUND)
        w->e = OK;
    if (w->e == OK)
        ws_cleared(&w->frame);
}

/* --- who it is ------------------------------------------------------------ */

static void
work_auth(struct ws_work *w)
{
    struct auth_ask ask = {.addr = NULL};
    char addr[IDENTITY_ADDR_MAX + 1];

    memcpy(addr, w->who.addr, sizeof(addr));
    ws_login_ask(&ask, w->in.auth, addr);
    w->e = auth_find(w->app->auth, &ask, clock_wall_ms(), &w->who, &w->why);
    if (w->e == ERR_AUTH && ask.user != NULL)
        account_failed_at(addr, ask.user, &w->why);
}

/* --- the job ------------------------------------------------------------- */

static void
run(void *arg)
{
    struct ws_work *w = arg;

    switch (w->in.what) {
    case WS_ASK: work_ask(w); break;
    case WS_CONTEXT: work_context(w); break;
    case WS_HISTORY: work_history(w); break;
    case WS_CLEAR: work_clear(w); break;
    case WS_AUTH: work_auth(w); break;
    default: assert(!"no work");
    }
}

static void
work_free(struct ws_work *w)
{
    ws_in_release(&w->in);
    turn_ask_free(w->ask);
    buf_release(&w->frame);
    buf_release(&w->status);
    free(w);
}

/* The message named another session: the connection is in that one now. */
static void
move_session(struct ws_link *l, const char *id)
{
    if (l->sock == NULL || strcmp(l->session_id, id) == 0)
        return;
    credentials_join(l->door->box, l->who.owner, id);
    credentials_leave(l->door->box, l->who.owner, l->session_id);
    (void)snprintf(l->session_id, sizeof(l->session_id), "%s", id);
}

static void
begin_turn(struct ws_link *l, struct ws_work *w)
{
    struct turn_ask *ask = w->ask;
    struct buf data = w->frame;

    move_session(l, ask->session_id);
    memcpy(l->owner, w->owner, sizeof(l->owner));
    if (w->e == ERR_CONFLICT) {
        ws_turn_follow(l, &w->existing, w->in.stream);
        return;
    }
    w->ask = NULL;
    buf_init(&w->frame, 0);
    ws_turn_ask(l, ask, w->in.stream, data.data, data.len);
}

static void
on_worked(struct mail *m)
{
    struct ws_work *w = m->arg;
    struct ws_link *l = w->link;
    bool asks = w->in.what == WS_ASK && w->ask != NULL &&
                (w->e == OK || w->e == ERR_CONFLICT);

    l->state = WS_LINK_IDLE;
    if (w->in.what == WS_AUTH) {
        ws_login_found(l, &w->in, w->e, &w->who, &w->why);
        ws_link_next(l);
    } else if (asks) { /* also if the client left: it has said it */
        begin_turn(l, w);
    } else {
        if (w->e != OK && w->why.err == OK)
            (void)problem_set(&w->why, w->e, NULL, NULL, NULL);
        if (w->e != OK)
            ws_link_problem(l, &w->why);
        if (w->status.len > 0)
            ws_link_say(l, &w->status);
        if (w->frame.len > 0 && w->e == OK)
            ws_link_say(l, &w->frame);
        l->stop_wanted = false;
        if (w->in.what == WS_CONTEXT &&
            ws_closes(&w->ws, w->e == OK ? EVENT_COMPLETE : EVENT_ERROR))
            l->closes = FRAMES_NORMAL;
        ws_link_next(l);
    }
    work_free(w);
}

static void
on_dropped(struct mail *m)
{
    struct ws_work *w = m->arg;
    struct ws_link *l = w->link;

    l->state = WS_LINK_IDLE;
    if (l->sock == NULL)
        ws_link_over(l);
    work_free(w);
}

void
ws_work_begin(struct ws_link *l, struct ws_in *in)
{
    struct ws_work *w = xcalloc(1, sizeof(*w));

    assert(l->state == WS_LINK_IDLE);
    l->state = WS_LINK_WORKS;
    w->link = l;
    w->app = l->door->app;
    w->ws = l->ws;
    w->in = *in;
    memcpy(w->session_id, l->session_id, sizeof(w->session_id));
    w->lists = l->lists || l->who.owner[0] != '\0';
    w->who = l->who;
    buf_init(&w->frame, WSOCK_SAY_MAX);
    buf_init(&w->status, WSOCK_SAY_MAX);
    w->job.run = run;
    w->job.arg = w;
    w->job.done.fn = on_worked;
    w->job.done.drop = on_dropped;
    w->job.done.arg = w;
    engine_work(w->app->en, &w->job);
}
