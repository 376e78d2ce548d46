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

    if (ws_auth_answer(&l->ws, why, b))
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
        return oauth2_sign_in(d->oauth2, WS_LINK_OWNER, l->session_id, c,
                              &l->login, why);
    }
    oauth2_forget(d->oauth2, WS_LINK_OWNER, l->session_id,
                  "Other credentials were given");
    e = credentials_put(d->box, WS_LINK_OWNER, l->session_id, c,
                        clock_mono_ms());
    return e == OK ? OK : problem_set(why, e, NULL, NULL, NULL);
}

void
ws_login_begin(struct ws_link *l, struct ws_in *in)
{
    enum err e = ERR_BADREQ; /* in->why says why */

    if (in->auth != NULL)
        e = take(l, &in->auth, &in->why);
    if (e == ERR_AGAIN)
        l->state = WS_LINK_SIGNS_IN;
    else
        ws_login_answer(l, e == OK ? NULL : &in->why);
    ws_in_release(in);
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
    struct ws_door *d = l->door;
    bool signed_in = l->state == WS_LINK_SIGNS_IN;
    struct buf *b;

    if (signed_in)
        ws_login_cancel(l, "Signed out meanwhile");
    take_back(l);
    (void)credentials_forget(d->box, WS_LINK_OWNER, l->session_id);
    oauth2_forget(d->oauth2, WS_LINK_OWNER, l->session_id,
                  "Signed out meanwhile");
    b = ws_link_scratch(l);
    if (ws_logged_out(&l->ws, b))
        ws_link_say(l, b);
    if (signed_in)
        ws_link_next(l);
}
