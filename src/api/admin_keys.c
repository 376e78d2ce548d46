/*
 * Everybody's API keys and logins, for the administrator: listed, made for
 * others, revoked, ended.
 */
#include "base/base.h"

#include "api/admin_list.h"

#include "api/keys.h"
#include "api/who.h"
#include "auth/login.h"
#include "base/clock.h"

#define ROW_MAX (4 * 1024) /* bytes of one */
#define LIST_BYTES (64 + (size_t)ADMIN_LIST_MAX * ROW_MAX)

/* --- keys ----------------------------------------------------------------- */

struct key_list {
    struct admin_list l;
    char last[APIKEY_ID_LEN + 1];
};

static bool
put_key(void *arg, const struct apikey *key)
{
    struct key_list *k = arg;

    if (!admin_list_row(&k->l))
        return false;
    json_begin_obj(&k->l.j);
    apikey_put(&k->l.j, key, true);
    json_end_obj(&k->l.j);
    (void)snprintf(k->last, sizeof(k->last), "%s", key->id);
    return true;
}

void
admin_keys(void *app, struct request *rq)
{
    struct admin *a = app;
    struct key_list k = {.last = ""};
    const char *owner, *after;
    enum err e;

    admin_list_begin(&k.l, rq, "keys", LIST_BYTES);
    owner = admin_list_arg(&k.l, "owner");
    after = admin_list_arg(&k.l, "after");
    e = k.l.why.err;
    if (e == OK)
        e = apikey_list(auth_keys(a->auth), owner, after, k.l.limit + 1,
                        put_key, &k);
    admin_list_end(&k.l, e);
    json_put_str(&k.l.j, "next", k.l.more && owner == NULL ? k.last : NULL);
    admin_list_answer(&k.l);
}

/* Whose key it is to be. */
static enum err
read_owner(const cJSON *json, char owner[STORE_OWNER_MAX + 1],
           struct problem *why)
{
    const char *name = NULL;

    if (json_get_str(json, "owner", &name, why) != OK)
        return why->err;
    if (name == NULL || !identity_named(owner, name))
        return problem_set(why, ERR_BADREQ, "invalid_parameter",
                           "owner is missing",
                           "Say whose key it is to be, such as local/ann.");
    return OK;
}

static enum err
make_key(struct admin *a, struct request *rq, struct buf *body,
         struct problem *why)
{
    const struct identity *who = who_asks(rq);
    struct apikey_wish w = {.may = MAY_USER, .maker_may = who->may};
    char owner[STORE_OWNER_MAX + 1] = "";
    cJSON *json = NULL;
    enum err e = json_parse(rq->body != NULL ? rq->body : "", rq->body_len,
                            &json, why);

    if (e == OK)
        e = keys_read_wish(json, clock_wall_ms(), &w, why);
    if (e == OK)
        e = read_owner(json, owner, why);
    w.owner = owner;
    if (e == OK)
        e = keys_make(auth_keys(a->auth), &w, who, body, why);
    cJSON_Delete(json);
    return e;
}

void
admin_key_make(void *app, struct request *rq)
{
    struct problem p = {.err = OK};
    struct buf body;

    buf_init(&body, ROW_MAX);
    if (make_key(app, rq, &body, &p) == OK) {
        admin_json(rq, 201, &body);
        return;
    }
    buf_release(&body);
    admin_fail(rq, &p);
}

void
admin_key_revoke(void *app, struct request *rq)
{
    struct admin *a = app;
    struct problem p = {.err = OK};
    struct buf body;

    if (keys_revoke(auth_keys(a->auth), NULL, rq->path_args[0], who_asks(rq),
                    &p) != OK) {
        admin_fail(rq, &p);
        return;
    }
    buf_init(&body, 1);
    admin_json(rq, 204, &body);
}

/* --- logins --------------------------------------------------------------- */

static bool
put_login(void *arg, const struct login *in)
{
    struct admin_list *l = arg;

    if (!admin_list_row(l))
        return false;
    json_begin_obj(&l->j);
    login_put(&l->j, in);
    json_end_obj(&l->j);
    return true;
}

void
admin_logins(void *app, struct request *rq)
{
    struct admin *a = app;
    struct admin_list l;
    const char *owner;
    enum err e;

    admin_list_begin(&l, rq, "logins", LIST_BYTES);
    owner = admin_list_arg(&l, "owner");
    e = l.why.err;
    if (e == OK)
        e = login_list(auth_logins(a->auth), owner, clock_wall_ms(),
                       l.limit + 1, put_login, &l);
    admin_list_end(&l, e);
    json_put_bool(&l.j, "more", l.more);
    admin_list_answer(&l);
}

/* ?owner=local/ann, and &tokens=0 if only logins are meant. */
void
admin_logins_end(void *app, struct request *rq)
{
    struct admin *a = app;
    struct problem p = {.err = OK};
    const char *owner = NULL;
    int64_t tokens = 1;
    struct json_out j;
    struct buf body;
    size_t n = 0;
    enum err e = request_arg(rq, "owner", &owner, &p);

    if (e == OK)
        e = request_arg_i64(rq, "tokens", 0, 1, &tokens, &p);
    if (e == OK &&
        (owner == NULL || *owner == '\0' || strlen(owner) > STORE_OWNER_MAX))
        e = problem_set(&p, ERR_BADREQ, "invalid_parameter", "owner is missing",
                        "Say whose logins are to end, such as local/ann.");
    if (e == OK) {
        e = login_end_all(auth_logins(a->auth), owner, tokens != 0,
                          clock_wall_ms(), &n);
        if (e != OK)
            (void)problem_set(&p, e, NULL, NULL, NULL);
    }
    if (e != OK) {
        admin_fail(rq, &p);
        return;
    }
    admin_trace(rq, tokens != 0 ? "end logins and tokens" : "end logins",
                owner);
    buf_init(&body, ROW_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_str(&j, "owner", owner);
    json_put_i64(&j, "ended", (int64_t)n);
    json_end_obj(&j);
    admin_json(rq, 200, &body);
}
