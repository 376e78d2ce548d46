/*
 * One's API keys: listed, made, revoked. A key's secret is told once, in the
 * answer that made it. Who asks with a key may make none that can more.
 */
#include "base/base.h"

#include "api/keys.h"

#include "api/who.h"
#include "auth/auth.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "ops/audit.h"

#define KEY_BODY_MAX 2048 /* bytes of one in a reply */
#define KEY_DAYS_MAX 3660
#define KEY_USD_MAX 1e9
#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define MICRO 1000000

/* --- listing -------------------------------------------------------------- */

static bool
put_one(void *arg, const struct apikey *key)
{
    struct json_out *j = arg;

    json_begin_obj(j);
    apikey_put(j, key, false);
    json_end_obj(j);
    return true;
}

void
api_keys(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct json_out j;
    struct buf body;
    enum err e = who_signed_in(rq, "has API keys", &p);

    buf_init(&body, 64 + KEY_BODY_MAX * APIKEYS_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_name(&j, "keys");
    json_begin_arr(&j);
    if (e == OK) {
        e = apikey_list(auth_keys(app->auth), who_asks(rq)->owner, NULL,
                        APIKEYS_MAX, put_one, &j);
        if (e != OK)
            (void)problem_set(&p, e, NULL, NULL, NULL);
    }
    json_end_arr(&j);
    json_end_obj(&j);
    if (e == OK) {
        app_json(app, rq, 200, &body);
        return;
    }
    buf_release(&body);
    app_fail(app, rq, &p);
}

/* --- making --------------------------------------------------------------- */

static enum err
read_dollars(const cJSON *json, const char *name, int64_t *micro,
             struct problem *why)
{
    double v = -1;
    enum err e = json_get_num(json, name, 0, KEY_USD_MAX, &v, why);

    if (e != OK || v < 0)
        return e;
    *micro = (int64_t)(v * MICRO + 0.5);
    return OK;
}

static enum err
read_limits(const cJSON *json, struct apikey_limits *l, struct problem *why)
{
    if (json_get_i64(json, "day_tokens", 0, INT64_MAX, &l->day_tokens, why) !=
            OK ||
        json_get_i64(json, "month_tokens", 0, INT64_MAX, &l->month_tokens,
                     why) != OK ||
        read_dollars(json, "day_usd", &l->day_micro, why) != OK ||
        read_dollars(json, "month_usd", &l->month_micro, why) != OK)
        return why->err;
    return OK;
}

enum err
keys_read_wish(const cJSON *json, int64_t now_ms, struct apikey_wish *w,
               struct problem *why)
{
    const char *scope = NULL;
    int64_t days = 0;

    apikey_limits_init(&w->limits);
    if (!cJSON_IsObject(json))
        return problem_set(why, ERR_BADREQ, "invalid_json",
                           "The body is no JSON object", "%s", "");
    if (json_get_str(json, "name", &w->name, why) != OK ||
        json_get_str(json, "scope", &scope, why) != OK ||
        json_get_i64(json, "expires_in_days", 1, KEY_DAYS_MAX, &days, why) !=
            OK ||
        read_limits(json, &w->limits, why) != OK)
        return why->err;
    if (w->name == NULL)
        w->name = "";
    w->may = apikey_scope(scope != NULL ? scope : "chat");
    if (w->may == 0)
        return problem_set(why, ERR_BADREQ, "invalid_scope", "Invalid scope",
                           "It is read, chat or admin.");
    w->expires_ms = days > 0 ? now_ms + days * DAY_MS : 0;
    return OK;
}

enum err
keys_make(struct apikeys *keys, const struct apikey_wish *w,
          const struct identity *maker, struct buf *body, struct problem *why)
{
    char secret[APIKEY_SECRET_LEN + 1];
    struct apikey key;
    struct json_out j;
    enum err e = apikey_make(keys, w, secret, &key, why);

    if (e != OK)
        return e;
    e = audit_event_wait(&(struct audit_fact){
        .what = AUDIT_KEY_MADE,
        .who = maker->owner,
        .addr = maker->addr,
        .with = {AUDIT_TEXT("key", key.id), AUDIT_TEXT("of", key.owner),
                 AUDIT_TEXT("name", key.name)}});
    if (e != OK) { /* no key of which there is no trace */
        IGNORE(apikey_revoke(keys, key.owner, key.id));
        return problem_set(why, e, NULL, NULL, NULL);
    }
    json_out_init(&j, body);
    json_begin_obj(&j);
    apikey_put(&j, &key, false);
    json_put_str(&j, "key", secret);
    json_end_obj(&j);
    mem_wipe(secret, sizeof(secret));
    return OK;
}

void
api_key_make(void *arg, struct request *rq)
{
    struct app *app = arg;
    const struct identity *who = who_asks(rq);
    struct apikey_wish w = {
        .owner = who->owner, .may = MAY_USER, .maker_may = who->may};
    struct problem p = {.err = OK};
    cJSON *json = NULL;
    struct buf body;
    enum err e = who_signed_in(rq, "has API keys", &p);

    buf_init(&body, KEY_BODY_MAX);
    if (e == OK && rq->body_len > 0)
        e = json_parse(rq->body, rq->body_len, &json, &p);
    else if (e == OK)
        json = cJSON_CreateObject();
    if (e == OK)
        e = keys_read_wish(json, clock_wall_ms(), &w, &p);
    if (e == OK)
        e = keys_make(auth_keys(app->auth), &w, who, &body, &p);
    cJSON_Delete(json);
    if (e == OK) {
        app_json(app, rq, 201, &body);
        return;
    }
    buf_release(&body);
    app_fail(app, rq, &p);
}

/* --- revoking ------------------------------------------------------------- */

enum err
keys_revoke(struct apikeys *keys, const char *owner, const char *id,
            const struct identity *by, struct problem *why)
{
    enum err e = apikey_revoke(keys, owner, id);

    if (e == ERR_NOTFOUND)
        return problem_set(why, e, "key_not_found", "No such key",
                           "It does not exist, or it is not yours.");
    if (e != OK)
        return problem_set(why, e, NULL, NULL, NULL);
    /* It is revoked, whether that can be noted at once or later. */
    IGNORE(audit_event_wait(
        &(struct audit_fact){.what = AUDIT_KEY_REVOKED,
                             .who = by->owner,
                             .addr = by->addr,
                             .with = {AUDIT_TEXT("key", id)}}));
    return OK;
}

void
api_key_revoke(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    enum err e = who_signed_in(rq, "has API keys", &p);

    if (e == OK)
        e = keys_revoke(auth_keys(app->auth), who_asks(rq)->owner,
                        rq->path_args[0], who_asks(rq), &p);
    if (e != OK)
        app_fail(app, rq, &p);
    else
        app_end(app, rq, reply_json(rq, 204, "", 0));
}
