/*
 * Where one is signed in: one's own logins, listed and ended one by one. The
 * one that asks is marked; it may be ended like any other, and then its cookie
 * goes, too. Acceptor threads.
 */
#include "base/base.h"

#include "api/app.h"

#include "api/who.h"
#include "auth/auth.h"
#include "auth/login.h"
#include "base/clock.h"
#include "base/json.h"
#include "ops/audit.h"

#define ROW_MAX (4 * 1024) /* bytes of one, escaped */

/* Is it the one that this request came with? */
static bool
is_current(const struct identity *who, const char *id)
{
    return who->way == IDENTITY_LOGIN && strcmp(who->id, id) == 0;
}

struct listing {
    struct json_out j;
    struct auth *auth;
    const struct identity *who;
};

static bool
put_one(void *arg, const struct login *in)
{
    struct listing *l = arg;

    if (!auth_has_account(l->auth, in)) /* it opens nothing any more */
        return true;
    json_begin_obj(&l->j);
    login_put(&l->j, in);
    json_put_bool(&l->j, "current", is_current(l->who, in->id));
    json_end_obj(&l->j);
    return true;
}

void
api_logins(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct listing l = {.auth = app->auth, .who = who_asks(rq)};
    struct problem p = {.err = OK};
    struct buf body;
    enum err e = who_signed_in(rq, "has logins", &p);

    buf_init(&body, 64 + ROW_MAX * LOGINS_MAX);
    json_out_init(&l.j, &body);
    json_begin_obj(&l.j);
    json_name(&l.j, "logins");
    json_begin_arr(&l.j);
    if (e == OK) {
        e = login_list(auth_logins(app->auth), l.who->owner, clock_wall_ms(),
                       LOGINS_MAX, put_one, &l);
        if (e != OK)
            (void)problem_set(&p, e, NULL, NULL, NULL);
    }
    json_end_arr(&l.j);
    json_end_obj(&l.j);
    if (e == OK) {
        app_json(app, rq, 200, &body);
        return;
    }
    buf_release(&body);
    app_fail(app, rq, &p);
}

void
api_login_end(void *arg, struct request *rq)
{
    struct app *app = arg;
    const struct identity *who = who_asks(rq);
    const char *id = rq->path_args[0];
    struct problem p = {.err = OK};
    enum err e = who_signed_in(rq, "has logins", &p);

    if (e == OK) {
        e = login_end_id(auth_logins(app->auth), who->owner, id);
        if (e == ERR_NOTFOUND)
            (void)problem_set(&p, e, "login_not_found", "No such login",
                              "It is over, or it is not yours.");
        else if (e != OK)
            (void)problem_set(&p, e, NULL, NULL, NULL);
    }
    if (e != OK) {
        app_fail(app, rq, &p);
        return;
    }
    if (is_current(who, id))
        who_login_cookie(rq, NULL, 0);
    audit_event(&(struct audit_fact){
        .what = AUDIT_LOGOUT,
        .who = who->owner,
        .addr = who->addr,
        .with = {AUDIT_BOOL("all", false), AUDIT_TEXT("login", id)}});
    app_end(app, rq, reply_json(rq, 204, "", 0));
}
