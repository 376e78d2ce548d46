/*
 * Everybody's API keys and logins, for the administrator: listed, made for
 * others, revoked, ended.
 */
#include "base/base.h"

#include "api/admin.h"

#include "api/keys.h"
#include "api/who.h"
#include "auth/login.h"
#include "base/clock.h"

#define LIST_MAX 1000      /* rows of one answer */
#define ROW_MAX (4 * 1024) /* bytes of one */

static const char *
text_arg(struct request *rq, const char *name, struct problem *why)
{
    const char *s = NULL;

    return request_arg(rq, name, &s, why) == OK ? s : NULL;
}

struct listing {
    struct json_out j;
    uint32_t left;
    bool more;
    char last[APIKEY_ID_LEN + 1];
};

/* --- keys ----------------------------------------------------------------- */

static bool
put_key(void *arg, const struct apikey *key)
{
    struct listing *l = arg;

    l->more = l->left == 0;
    if (l->more)
        return false;
    l->left--;
    json_begin_obj(&l->j);
    keys_put(&l->j, key, true);
    json_end_obj(&l->j);
    (void)snprintf(l->last, sizeof(l->last), "%s", key->id);
    return true;
}

void
admin_keys(void *app, struct request *rq)
{
    struct admin *a = app;
    struct problem p = {.err = OK};
    int64_t limit = 100;
    const char *owner = text_arg(rq, "owner", &p);
    const char *after = text_arg(rq, "after", &p);
    struct listing l;
    struct buf body;
    enum err e = p.err;

    if (e == OK)
        e = request_arg_i64(rq, "limit", 1, LIST_MAX, &limit, &p);
    l = (struct listing){.left = (uint32_t)limit};
    buf_init(&body, 64 + LIST_MAX * ROW_MAX);
    json_out_init(&l.j, &body);
    json_begin_obj(&l.j);
    json_name(&l.j, "keys");
    json_begin_arr(&l.j);
    if (e == OK) {
        e = apikey_list(auth_keys(a->auth), owner, after, (uint32_t)limit + 1,
                        put_key, &l);
        if (e != OK)
            (void)problem_set(&p, e, NULL, NULL, NULL);
    }
    json_end_arr(&l.j);
    json_put_str(&l.j, "next", l.more && owner == NULL ? l.last : NULL);
    json_end_obj(&l.j);
    if (e == OK) {
        admin_json(rq, 200, &body);
        return;
    }
    buf_release(&body);
    admin_fail(rq, &p);
}

/* Whose key it is to be. */
static enum err
read_owner(const cJSON *json, char owner[STORE_OWNER_MAX + 1],
           struct problem *why)
{
    const char *name = NULL;

    if (json_get_str(json, "owner", &name, why) != OK)
        return why->err;
    if (name == NULL || *name == '\0' || strlen(name) > STORE_OWNER_MAX)
        return problem_set(why, ERR_BADREQ, "invalid_parameter",
                           "owner is missing",
                           "Say whose key it is to be, such as local/ann.");
    if (strchr(name, '/') == NULL)
        identity_owner(owner, "local", NULL, name);
    else
        (void)snprintf(owner, STORE_OWNER_MAX + 1, "%s", name);
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
    struct listing *l = arg;
    struct json_out *j = &l->j;

    l->more = l->left == 0;
    if (l->more)
        return false;
    l->left--;
    json_begin_obj(j);
    json_put_str(j, "id", in->id);
    json_put_str(j, "owner", in->owner);
    json_put_str(j, "name", in->name);
    json_put_str(j, "way", in->way);
    json_put_str(j, "user_agent", in->agent);
    json_put_str(j, "address", in->addr);
    json_put_time(j, "begun_at", in->begun_ms);
    json_put_time(j, "last_used_at", in->used_ms);
    json_put_time(j, "ends_at", in->ends_ms);
    json_end_obj(j);
    return true;
}

void
admin_logins(void *app, struct request *rq)
{
    struct admin *a = app;
    struct problem p = {.err = OK};
    int64_t limit = 100;
    const char *owner = text_arg(rq, "owner", &p);
    struct listing l;
    struct buf body;
    enum err e = p.err;

    if (e == OK)
        e = request_arg_i64(rq, "limit", 1, LIST_MAX, &limit, &p);
    l = (struct listing){.left = (uint32_t)limit};
    buf_init(&body, 64 + LIST_MAX * ROW_MAX);
    json_out_init(&l.j, &body);
    json_begin_obj(&l.j);
    json_name(&l.j, "logins");
    json_begin_arr(&l.j);
    if (e == OK) {
        e = login_list(auth_logins(a->auth), owner, clock_wall_ms(),
                       (uint32_t)limit + 1, put_login, &l);
        if (e != OK)
            (void)problem_set(&p, e, NULL, NULL, NULL);
    }
    json_end_arr(&l.j);
    json_put_bool(&l.j, "more", l.more);
    json_end_obj(&l.j);
    if (e == OK) {
        admin_json(rq, 200, &body);
        return;
    }
    buf_release(&body);
    admin_fail(rq, &p);
}

/* ?owner=local/ann, and &tokens=0 if only logins are meant. */
void
admin_logins_end(void *app, struct request *rq)
{
    struct admin *a = app;
    struct problem p = {.err = OK};
    const char *owner = text_arg(rq, "owner", &p);
    int64_t tokens = 1;
    struct json_out j;
    struct buf body;
    size_t n = 0;
    enum err e = p.err;

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
