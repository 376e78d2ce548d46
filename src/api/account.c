/*
 * Signing in and out by a password, and who one is. Signing in by a provider
 * of identities is api/auth_oidc.c's. What belonged to the browser's anonymous
 * owner is taken over, unless the client says not to.
 */
#include "base/base.h"

#include "api/account.h"

#include "api/auth_oidc.h"
#include "api/who.h"
#include "auth/auth.h"
#include "auth/login.h"
#include "auth/oidc.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/json.h"
#include "http/cookie.h"
#include "http/form.h"
#include "http/request_peer.h"
#include "ops/audit.h"

#define LOCKED_S 600           /* who has to wait so long is locked out */
#define ME_BODY_MAX (8 * 1024) /* bytes */

/* --- what is told --------------------------------------------------------- */

void
account_put_ways(struct json_out *j, const struct app *app)
{
    json_name(j, "sign_in");
    json_begin_obj(j);
    json_put_bool(j, "required", auth_required(app->auth));
    json_put_bool(j, "password", auth_has_passwords(app->auth));
    json_put_str(j, "oidc", app->oidc != NULL ? oidc_name(app->oidc) : NULL);
    json_end_obj(j);
}

static void
put_who(struct json_out *j, const struct identity *who)
{
    bool known = who->way != IDENTITY_ANONYMOUS;

    json_put_bool(j, "signed_in", known);
    json_put_str(j, "user", known ? who->owner : NULL);
    json_put_str(j, "name", known && *who->name != '\0' ? who->name : NULL);
    json_put_str(j, "role", identity_role(who));
    json_put_str(j, "way", identity_way_name(who->way));
    if (who->until_ms > 0)
        json_put_time(j, "until", who->until_ms);
}

static void
answer_who(struct app *app, struct request *rq, const struct identity *who,
           int64_t claimed)
{
    struct json_out j;
    struct buf body;

    buf_init(&body, ME_BODY_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    put_who(&j, who);
    if (claimed >= 0)
        json_put_i64(&j, "claimed_sessions", claimed);
    account_put_ways(&j, app);
    json_end_obj(&j);
    app_json(app, rq, 200, &body);
}

void
api_me(void *arg, struct request *rq)
{
    answer_who(arg, rq, who_asks(rq), -1);
}

/* --- signing in ----------------------------------------------------------- */

enum err
account_begin(struct app *app, struct request *rq, const struct identity *who,
              const char *way, bool claim, int64_t *claimed,
              struct problem *why)
{
    char value[LOGIN_VALUE_LEN + 1], old[COOKIE_VALUE_MAX + 1];
    char mark[LOGIN_MARK_MAX + 1];
    struct login_wish wish = {
        .owner = who->owner,
        .mark = mark,
        .name = who->name,
        .way = way,
        .agent = request_header(rq, "User-Agent"),
        .addr = who->addr,
        .may = who->may,
    };
    int64_t now_ms = clock_wall_ms();
    struct login made;
    enum err e;

    if (who_cookie(rq, AUTH_COOKIE_LOGIN, old))
        wish.old = old;
    if (!auth_mark(app->auth, who->owner, who->name, mark))
        return problem_set(why, ERR_AUTH, "invalid_login",
                           "Wrong user name or password", "%s", "Check both.");
    /* Nobody is let in of whom no trace can be kept. */
    e = audit_event_wait(
        &(struct audit_fact){.what = AUDIT_LOGIN,
                             .who = who->owner,
                             .addr = who->addr,
                             .with = {AUDIT_TEXT("way", way)}});
    if (e == OK)
        e = login_begin(auth_logins(app->auth), &wish, now_ms, value, &made);
    if (e != OK)
        return problem_set(why, e, NULL, NULL, NULL);
    who_login_cookie(rq, value, (made.ends_ms - now_ms) / 1000);
    mem_wipe(value, sizeof(value));
    *claimed = claim ? who_claim(app, rq, who->owner) : 0;
    if (*claimed > 0)
        audit_event(
            &(struct audit_fact){.what = AUDIT_SESSIONS_CLAIMED,
                                 .who = who->owner,
                                 .addr = who->addr,
                                 .with = {AUDIT_NUMBER("count", *claimed)}});
    return OK;
}

struct sign_in {
    const char *user, *password;
    bool claim;
};

static enum err
read_form(struct request *rq, struct sign_in *in, struct problem *why)
{
    const struct form_field *f;
    struct form form;

    if (form_parse(&form, &rq->arena, rq->body != NULL ? rq->body : "",
                   rq->body_len, why) != OK)
        return why->err;
    f = form_get(&form, "username");
    in->user = f != NULL ? f->value : NULL;
    f = form_get(&form, "password");
    in->password = f != NULL ? f->value : NULL;
    f = form_get(&form, "claim");
    in->claim = f == NULL ||
                (strcmp(f->value, "false") != 0 && strcmp(f->value, "0") != 0);
    return OK;
}

static enum err
read_json(struct request *rq, cJSON **json, struct sign_in *in,
          struct problem *why)
{
    enum err e = json_parse(rq->body != NULL ? rq->body : "", rq->body_len,
                            json, why);

    if (e == OK && !cJSON_IsObject(*json))
        e = problem_set(why, ERR_BADREQ, "invalid_json",
                        "The body is no JSON object", "%s", "");
    if (e == OK)
        e = json_get_str(*json, "username", &in->user, why);
    if (e == OK)
        e = json_get_str(*json, "password", &in->password, why);
    if (e == OK)
        e = json_get_bool(*json, "claim", &in->claim, why);
    return e;
}

static enum err
sign_in(struct app *app, struct request *rq, const struct sign_in *in,
        struct identity *who, int64_t *claimed, struct problem *why)
{
    struct auth_ask ask = {.addr = request_peer(rq)};
    enum err e;

    if (!auth_has_passwords(app->auth))
        return problem_set(why, ERR_IMPOSSIBLE, "no_passwords",
                           "Nobody signs in by a password here",
                           "Set HTPASSWD_FILE, or use another way.");
    if (in->user == NULL || in->password == NULL || *in->user == '\0')
        return problem_set(why, ERR_BADREQ, "missing_password",
                           "Missing required parameters: username, password",
                           "%s", "");
    ask.user = in->user;
    ask.password = in->password;
    e = auth_find(app->auth, &ask, clock_wall_ms(), who, why);
    if (e == ERR_AUTH)
        account_failed(rq, in->user, why);
    return e != OK ? e
                   : account_begin(app, rq, who, "password", in->claim, claimed,
                                   why);
}

void
account_failed(const struct request *rq, const char *user,
               const struct problem *why)
{
    account_failed_at(request_peer(rq), user, why);
}

void
account_failed_at(const char *addr, const char *user, const struct problem *why)
{
    audit_event(&(struct audit_fact){
        .what = why->retry_after_s >= LOCKED_S ? AUDIT_LOCKED_OUT
                                               : AUDIT_LOGIN_FAILED,
        .addr = addr,
        .with = {AUDIT_TEXT("user", user), AUDIT_TEXT("reason", why->code)}});
}

void
api_login(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct sign_in in = {.claim = true};
    struct problem p = {.err = OK};
    struct identity who = {.way = IDENTITY_ANONYMOUS};
    cJSON *json = NULL;
    int64_t claimed = 0;
    enum err e;

    if (strcmp(rq->type, "application/x-www-form-urlencoded") == 0)
        e = read_form(rq, &in, &p);
    else if (strcmp(rq->type, "application/json") == 0 || *rq->type == '\0')
        e = read_json(rq, &json, &in, &p);
    else
        e = problem_set(&p, ERR_TYPE, NULL, NULL, NULL);
    if (e == OK)
        e = sign_in(app, rq, &in, &who, &claimed, &p);
    json_wipe(json);
    if (e == OK)
        answer_who(app, rq, &who, claimed);
    else
        app_fail(app, rq, &p);
}

/* --- signing out ---------------------------------------------------------- */

/* {"all": true}, or nothing. */
static enum err
read_all(const struct request *rq, bool *all, struct problem *why)
{
    cJSON *json = NULL;
    enum err e = OK;

    if (rq->body_len > 0 && strcmp(rq->type, "application/json") == 0) {
        e = json_parse(rq->body, rq->body_len, &json, why);
        if (e == OK && cJSON_IsObject(json))
            e = json_get_bool(json, "all", all, why);
        cJSON_Delete(json);
    }
    return e;
}

void
api_logout(void *arg, struct request *rq)
{
    struct app *app = arg;
    const struct identity *who = who_asks(rq);
    char value[COOKIE_VALUE_MAX + 1];
    struct problem p = {.err = OK};
    bool all = false;
    enum err e = read_all(rq, &all, &p);
    struct json_out j;
    struct buf body;

    if (e == OK && all)
        e = who_signed_in(rq, "can sign out of everywhere", &p);
    if (e == OK && who_cookie(rq, AUTH_COOKIE_LOGIN, value)) {
        e = login_end(auth_logins(app->auth), value);
        who_login_cookie(rq, NULL, 0);
    }
    if (e == OK && all)
        e = login_end_all(auth_logins(app->auth), who->owner, true,
                          clock_wall_ms(), NULL);
    if (e != OK) {
        if (p.err == OK)
            (void)problem_set(&p, e, NULL, NULL, NULL);
        app_fail(app, rq, &p);
        return;
    }
    if (who->way != IDENTITY_ANONYMOUS)
        audit_event(&(struct audit_fact){.what = AUDIT_LOGOUT,
                                         .who = who->owner,
                                         .addr = who->addr,
                                         .with = {AUDIT_BOOL("all", all)}});
    buf_init(&body, ME_BODY_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_bool(&j, "signed_in", false);
    auth_oidc_put_end(&j, app, rq);
    json_end_obj(&j);
    app_json(app, rq, 200, &body);
}
