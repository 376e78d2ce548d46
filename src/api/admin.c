/*
 * The administrator's requests: who asks is found as everywhere else
 * (api/who.h), and whoever may not administer learns nothing, not even which
 * addresses there are.
 *
 * A page of another origin may change nothing here, also if ALLOWED_ORIGINS
 * lists it.
 */
#include "base/base.h"

#include "api/admin.h"

#include <poll.h>
#include <pthread.h>

#include "api/hosts.h"
#include "api/who.h"
#include "auth/admins.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/text.h"
#include "http/request_peer.h"
#include "ops/audit.h"

#define PREFIX "/admin"
#define SEND_MS 30000 /* for a reply that the web server does not take */

static const struct route routes[] = {
    {METHOD_GET, "/", admin_home, "What the store holds", 0},
    {METHOD_GET, "/usage", admin_usage, "What was used", 0},
    {METHOD_GET, "/audit", admin_audit, "The audit log", 0},
    {METHOD_GET, "/users", admin_users, "Who uses it", 0},
    {METHOD_GET, "/keys", admin_keys, "Everybody's API keys", 0},
    {METHOD_POST, "/keys", admin_key_make, "Make an API key", 0},
    {METHOD_DELETE, "/keys/{id}", admin_key_revoke, "Revoke an API key", 0},
    {METHOD_GET, "/logins", admin_logins, "Who is signed in", 0},
    {METHOD_DELETE, "/logins", admin_logins_end, "End all of a user's", 0},
};

/* guards the opening of the store */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

void
admin_print_routes(FILE *out)
{
    for (size_t i = 0; i < COUNT_OF(routes); i++)
        (void)fprintf(out, "%-6s %s%-22s %s\n", method_name(routes[i].method),
                      PREFIX, routes[i].pattern, routes[i].help);
}

/* --- opening -------------------------------------------------------------- */

void
admin_init(struct admin *a, unsigned threads)
{
    struct problem p = {.err = OK};

    *a = (struct admin){.threads = threads};
    if (request_trust(conf_str(CONF_TRUSTED_PROXIES), &p) != OK)
        log_warn("conf.value", "name=TRUSTED_PROXIES rule=\"%s\"", p.message);
    hosts_load();
}

void
admin_release(struct admin *a)
{
    if (a->auth != NULL)
        audit_stop();
    auth_close(a->auth);
    store_close(a->store);
    *a = (struct admin){.store = NULL};
}

static enum err
open_store(struct store **out)
{
    struct store_config sc = {
        .map_bytes = (size_t)conf_int(CONF_STORE_MAP_MIB) << 20,
        .session_ttl_ms = 1000 * conf_int(CONF_SESSION_TTL)};
    char dir[4096];

    if (snprintf(dir, sizeof(dir), "%s/store", conf_str(CONF_DATA_DIR)) >=
        (int)sizeof(dir))
        return ERR_STORE;
    sc.dir = dir;
    return store_open(out, &sc);
}

static enum err
open_all(struct admin *a)
{
    struct auth_config ac = {.data_dir = conf_str(CONF_DATA_DIR),
                             .threads = a->threads};
    struct audit_config log;
    struct store *s;
    struct auth *auth;
    enum err e = open_store(&s);

    if (e)
        return e;
    ac.store = s;
    e = auth_open(&auth, &ac);
    if (e == OK && audit_config_load(&log)) {
        e = audit_start(&log);
        if (e)
            auth_close(auth);
    }
    if (e) {
        store_close(s);
        return e;
    }
    a->store = s;
    a->auth = auth;
    return OK;
}

static enum err
open_once(struct admin *a, struct problem *why)
{
    enum err e = OK;

    (void)pthread_mutex_lock(&opening);
    if (a->auth == NULL)
        e = open_all(a);
    (void)pthread_mutex_unlock(&opening);
    return e == OK ? OK
                   : problem_set(why, ERR_BUSY, "store_failed",
                                 "The store cannot be opened",
                                 "The operator finds the reason in the log.");
}

/* --- answering ------------------------------------------------------------ */

/* Write what is left of an answer, and end the request. */
static void
finish(struct request *rq, enum err e)
{
    struct conn *c = request_take_conn(rq);

    while (e == ERR_AGAIN) {
        struct pollfd p = {.fd = c->fd, .events = POLLOUT};

        if (poll(&p, 1, SEND_MS) != 1)
            break;
        e = conn_flush(c);
    }
    conn_free(c);
    request_free(rq);
}

void
admin_fail(struct request *rq, const struct problem *p)
{
    finish(rq, reply_problem(rq, p, NULL));
}

void
admin_json(struct request *rq, int status, struct buf *json)
{
    struct problem p = {.err = OK};

    if (buf_status(json) == OK) {
        finish(rq, reply_json(rq, status, json->data, json->len));
    } else {
        (void)problem_set(&p, ERR_TOOBIG, NULL, NULL,
                          "Ask for less at once, by limit.");
        admin_fail(rq, &p);
    }
    buf_release(json);
}

void
admin_trace(const struct request *rq, const char *action, const char *of)
{
    const struct identity *who = who_asks(rq);

    /* It is done, whether that can be noted at once or later. */
    IGNORE(audit_event_wait(&(struct audit_fact){
        .what = AUDIT_ADMIN,
        .who = who->owner,
        .addr = who->addr,
        .with = {AUDIT_TEXT("action", action), AUDIT_TEXT("of", of)}}));
}

/* --- who may -------------------------------------------------------------- */

bool
admin_wanted(void)
{
    return admins_any() || conf_is_set(CONF_OIDC_ADMIN_CLAIM);
}

static bool
changes(const struct request *rq)
{
    return rq->method != METHOD_GET && rq->method != METHOD_HEAD;
}

static enum err
admit(struct admin *a, struct request *rq, struct problem *why)
{
    enum err e;

    if (!admin_wanted())
        return problem_set(why, ERR_NOTFOUND, NULL, NULL, NULL);
    if (hosts_check(rq, false, why) != OK)
        return why->err;
    if (changes(rq) && request_foreign(rq, ""))
        return problem_set(why, ERR_FORBIDDEN, "foreign_origin",
                           "This origin is not allowed",
                           "Changes are made from a page of this server.");
    e = open_once(a, why);
    if (e == OK)
        e = who_identify(a->auth, rq, 0, why);
    if (e == OK && who_asks(rq)->way == IDENTITY_ANONYMOUS) {
        request_head_add(rq, "WWW-Authenticate", auth_challenge(a->auth));
        e = problem_set(why, ERR_AUTH, "sign_in", "Please sign in",
                        "Sign in as an administrator, or send a key.");
    }
    return e == OK ? who_may(rq, MAY_ADMIN, why) : e;
}

/* How a web server passes "/admin/keys" on differs: with the program's own
 * folder as part of the base, or not. */
static void
cut_prefix(struct request *rq)
{
    size_t n = sizeof(PREFIX) - 1;

    if (text_starts(rq->path, PREFIX) &&
        (rq->path[n] == '/' || rq->path[n] == '\0'))
        rq->path += n;
    if (*rq->path == '\0')
        rq->path = "/";
}

void
admin_request(void *arg, struct request *rq, const struct problem *why)
{
    struct admin *a = arg;
    struct problem p = {.err = OK};
    const struct route *route;
    char allow[ROUTE_ALLOW_MAX];
    enum err e;

    log_set_request(rq->id);
    cut_prefix(rq);
    if (why != NULL && why->err != OK) {
        admin_fail(rq, why);
    } else if (admit(a, rq, &p) != OK) {
        admin_fail(rq, &p);
    } else if (rq->body_too_big) {
        (void)problem_set(&p, ERR_TOOBIG, NULL, NULL, NULL);
        admin_fail(rq, &p);
    } else if ((e = route_find(routes, COUNT_OF(routes), rq, &route, allow)) ==
               OK) {
        route->fn(a, rq);
    } else if (e == ERR_METHOD && rq->method == METHOD_OPTIONS) {
        finish(rq, reply_options(rq, allow));
    } else {
        (void)problem_set(&p, e, NULL, NULL, NULL);
        finish(rq, reply_problem(rq, &p, e == ERR_METHOD ? allow : NULL));
    }
    log_set_request(NULL);
}
