/*
 * What a link's client says of credentials. Those that can be kept as they are
 * are kept at once, whatever the link does. An OAuth2 login is tried first: it
 * takes its turn like a question, and what comes behind it waits until its
 * token server has answered, so that a question asked after it has its token.
 * Answers to auth frames come in the order of the frames.
 *
 * A logout waits for nothing: it breaks off what its link asks of a token
 * server, and takes back the logins that wait.
 */
#include "base/base.h"

#include "api/ws_link.h"

#include "auth/credentials.h"
#include "base/clock.h"

void
ws_login_answer(struct ws_link *l, const struct problem *why)
{
    struct buf *b = ws_link_scratch(l);

    ws_auth_answer(why, b);
    ws_link_say(l, b);
}

static void
refuse(struct ws_link *l, const char *sentence)
{
    struct problem why = {.err = OK};

    (void)problem_set(&why, ERR_CONFLICT, "signed_out", sentence, "%s", "");
    ws_login_answer(l, &why);
}

/* --- signing in ----------------------------------------------------------- */

bool
ws_login_waits(const struct ws_link *l, const struct ws_in *in)
{
    const struct ws_wish *w = l->queue;

    while (w != NULL && w->in.what != WS_AUTH)
        w = w->next;
    return w != NULL || l->state == WS_LINK_SIGNS_IN ||
           (l->state != WS_LINK_IDLE && in->auth != NULL &&
            in->auth->kind == CREDENTIALS_OAUTH2);
}

static void
on_signed_in(struct oauth2_wait *wait, const char *token,
             const struct problem *why)
{
    struct ws_link *l = wait->arg;

    (void)token;
    assert(l->sock != NULL && l->state == WS_LINK_SIGNS_IN);
    l->state = WS_LINK_IDLE;
    ws_login_answer(l, why);
    ws_link_next(l);
}

/* What the chain is asked about them; no_wait is the caller's. */
void
ws_login_ask(struct auth_ask *ask, const struct credentials *c,
             const char *addr)
{
    ask->addr = addr;
    switch (c->kind) {
    case CREDENTIALS_BEARER: ask->token = c->token; break;
    case CREDENTIALS_API_KEY: ask->api_key = c->api_key; break;
    case CREDENTIALS_BASIC:
        ask->user = c->username;
        ask->password = c->password;
        break;
    default: break;
    }
}

/* It speaks for somebody else from now on. What it left before as nobody in
 * particular stays with that. */
static void
become(struct ws_link *l, const struct identity *who)
{
    if (strcmp(l->who.owner, who->owner) != 0) {
        oauth2_forget(l->door->oauth2, l->who.owner, l->session_id,
                      "Somebody else signed in");
        credentials_join(l->door->box, who->owner, l->session_id);
        credentials_leave(l->door->box, l->who.owner, l->session_id);
    }
    l->door->n_strangers += who->way == IDENTITY_ANONYMOUS;
    l->door->n_strangers -= l->who.way == IDENTITY_ANONYMOUS;
    l->since_ms = loop_now_ms(engine_loop(l->door->app->en));
    l->who = *who;
    memcpy(l->owner, who->owner, sizeof(l->owner));
}

/* The credentials are the box's from here on. */
static enum err
take(struct ws_link *l, struct credentials **c, struct problem *why)
{
    struct ws_door *d = l->door;
    enum err e = credentials_check(*c, why);

    if (e != OK)
        return e;
    if ((*c)->kind == CREDENTIALS_OAUTH2) {
        l->login = (struct oauth2_wait){.fn = on_signed_in, .arg = l};
        return oauth2_sign_in(d->oauth2, l->who.owner, l->session_id, c,
                              &l->login, why);
    }
    oauth2_forget(d->oauth2, l->who.owner, l->session_id,
                  "Other credentials were given");
    e = credentials_put(d->box, l->who.owner, l->session_id, c,
                        clock_mono_ms());
    return e == OK ? OK : problem_set(why, e, NULL, NULL, NULL);
}

/* They are kept for the tools, whoever they make of the client. */
static enum err
keep(struct ws_link *l, struct ws_in *in)
{
    enum err e = take(l, &in->auth, &in->why);

    if (e != OK || l->who.way != IDENTITY_ANONYMOUS ||
        !auth_required(l->door->app->auth))
        return e;
    return problem_set(&in->why, ERR_AUTH, "sign_in",
                       "These credentials do not sign in here", "%s", "");
}

static void
found(struct ws_link *l, struct ws_in *in, enum err e,
      const struct identity *who)
{
    if (e == OK && who->way != IDENTITY_ANONYMOUS)
        become(l, who);
    if (e == OK)
        e = l->enters ? OK : keep(l, in);
    if (e == ERR_AGAIN) {
        l->state = WS_LINK_SIGNS_IN;
    } else if (!l->enters) {
        ws_login_answer(l, e == OK ? NULL : &in->why);
    } else if (e != OK || who->way == IDENTITY_ANONYMOUS) {
        ws_link_problem(l, &in->why);
        l->closes = FRAMES_POLICY;
    }
    if (e != ERR_AGAIN)
        l->enters = false;
}

void
ws_login_found(struct ws_link *l, struct ws_in *in, enum err e,
               const struct identity *who, const struct problem *why)
{
    if (e != OK)
        in->why = *why;
    if (l->sock != NULL)
        found(l, in, e, who);
}

void
ws_login_begin(struct ws_link *l, struct ws_in *in)
{
    struct auth_ask ask = {.no_wait = true};
    struct identity who = {.way = IDENTITY_ANONYMOUS, .may = MAY_USER};
    enum err e = OK;

    if (in->auth == NULL) { /* in->why says why */
        ws_login_answer(l, &in->why);
    } else {
        ws_login_ask(&ask, in->auth, l->who.addr);
        if (in->auth->kind != CREDENTIALS_OAUTH2)
            e = auth_find(l->door->app->auth, &ask, clock_wall_ms(), &who,
                          &in->why);
        if (e == ERR_AGAIN && l->state == WS_LINK_IDLE) {
            ws_work_begin(l, in);
            return;
        }
        if (e == ERR_AGAIN) {
            ws_link_first(l, in); /* as soon as a worker can look */
            return;
        }
        found(l, in, e, &who);
    }
    ws_in_release(in);
}

bool
ws_login_may(struct ws_link *l, enum may may)
{
    struct auth *a = l->door->app->auth;
    struct problem p = {.err = OK};

    if (!auth_still(a, &l->who, clock_wall_ms())) {
        (void)problem_set(&p, ERR_AUTH, "signed_out", "Signed out meanwhile",
                          "%s", "Sign in and connect again.");
        l->closes = FRAMES_POLICY;
    } else if (l->who.way == IDENTITY_ANONYMOUS && auth_required(a)) {
        (void)problem_set(&p, ERR_AUTH, "sign_in", "Please sign in", "%s",
                          "Send an auth frame, or connect with a token.");
    } else if ((l->who.may & may) == 0) {
        (void)problem_set(&p, ERR_FORBIDDEN, "read_only", "You may only read",
                          "%s", "Ask for more rights, or use another key.");
    } else if (may == MAY_WRITE) {
        IGNORE(auth_rate(a, &l->who, NULL, &p));
    }
    if (p.err != OK)
        ws_link_problem(l, &p);
    return p.err == OK;
}

void
ws_login_cancel(struct ws_link *l, const char *sentence)
{
    assert(l->state == WS_LINK_SIGNS_IN);
    oauth2_wait_cancel(&l->login);
    l->state = WS_LINK_IDLE;
    if (l->sock != NULL)
        refuse(l, sentence);
}

/* --- signing out ---------------------------------------------------------- */

/* Logins that wait are taken back. */
static void
take_back(struct ws_link *l)
{
    struct ws_wish **at = &l->queue;

    while (*at != NULL) {
        struct ws_wish *w = *at;

        if (w->in.what != WS_AUTH) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        l->n_queue--;
        ws_in_release(&w->in);
        free(w);
        refuse(l, "Signed out meanwhile");
    }
}

void
ws_login_out(struct ws_link *l)
{
    struct identity nobody = {.way = IDENTITY_ANONYMOUS, .may = MAY_USER};
    struct ws_door *d = l->door;
    bool signed_in = l->state == WS_LINK_SIGNS_IN;
    struct buf *b;

    if (signed_in)
        ws_login_cancel(l, "Signed out meanwhile");
    take_back(l);
    (void)credentials_forget(d->box, l->who.owner, l->session_id);
    oauth2_forget(d->oauth2, l->who.owner, l->session_id,
                  "Signed out meanwhile");
    memcpy(nobody.addr, l->who.addr, sizeof(nobody.addr));
    become(l, &nobody);
    b = ws_link_scratch(l);
    ws_logged_out(b);
    ws_link_say(l, b);
    if (signed_in)
        ws_link_next(l);
}
