/*
 * The chain of ways in: a list of functions, each of which says yes, no, or
 * nothing. They take what they know from the parts beside this file; what they
 * have in common is here: what ADMINS and READ_ONLY make of it, that a password
 * is not looked at where too many were wrong, and that whoever signed out of
 * everywhere is not let in by an older token.
 */
#include "base/base.h"

#include "auth/auth.h"

#include "auth/admins.h"
#include "auth/apikey.h"
#include "auth/auth_inside.h"
#include "auth/basic.h"
#include "auth/fetch.h"
#include "auth/guess.h"
#include "auth/htpasswd.h"
#include "auth/jwt.h"
#include "auth/limit.h"
#include "auth/login.h"
#include "auth/rate.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/ident.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define BEARER "Bearer "
#define CHALLENGE_MAX 80

/* What a way says. */
enum say { SAYS_NOTHING, SAYS_YES, SAYS_NO };

struct asked {
    struct auth *a;
    const struct auth_ask *ask;
    int64_t now_ms;
    struct identity *who;
    struct problem *why;
    enum err e; /* SAYS_NO: which */
};

static enum say
no(struct asked *q, enum err e)
{
    q->e = e;
    return SAYS_NO;
}

/* --- the ways ------------------------------------------------------------- */

static enum say
by_login(struct asked *q)
{
    struct login in;
    enum err e;

    if (q->ask->login == NULL)
        return SAYS_NOTHING;
    e = login_find(q->a->logins, q->ask->login, q->now_ms, &in);
    if (e == ERR_AUTH || (e == OK && !auth_has_account(q->a, &in)))
        return SAYS_NOTHING;
    if (e != OK)
        return no(q, problem_set(q->why, e, NULL, NULL, NULL));
    login_identity(&in, q->who);
    /* Rights of an account are those of now, not of when it signed in. */
    q->who->may = auth_may(
        in.owner, text_starts(in.owner, "local/") ? MAY_USER : q->who->may);
    return SAYS_YES;
}

static enum say
by_key(struct asked *q, const char *secret)
{
    struct apikey key;
    unsigned may;
    enum err e = apikey_find(q->a->keys, secret, q->now_ms, &key, q->why);

    if (e == OK && !auth_has_owner(q->a, key.owner))
        e = apikey_refuse(q->why);
    if (e != OK)
        return no(q, e);
    apikey_identity(&key, q->who);
    may = auth_may(key.owner, MAY_USER);
    if ((may & MAY_WRITE) == 0)
        q->who->may &= MAY_READ;
    if ((may & MAY_ADMIN) == 0) /* its owner is none any more */
        q->who->may &= MAY_USER;
    return SAYS_YES;
}

static enum say
by_jwt(struct asked *q, const char *token)
{
    struct jwt_claims *c;
    char issuer[IDENTITY_ISSUER_MAX + 1];
    int64_t not_before_ms = 0;
    enum err e;

    if (!jwt_config_on(&q->a->jwt) || !jwt_looks_like(token))
        return SAYS_NOTHING;
    c = xcalloc(1, sizeof(*c));
    e = jwt_check(&q->a->jwt, token, q->now_ms, q->ask->no_wait, c, q->why);
    if (e == OK) {
        identity_issuer(issuer, c->iss);
        identity_owner(q->who->owner, c->ours ? "jwt" : "oidc",
                       c->ours ? NULL : issuer, c->sub);
        text_show(q->who->name, sizeof(q->who->name),
                  *c->name != '\0' ? c->name : c->sub);
        q->who->way = IDENTITY_JWT;
        q->who->may = auth_may(q->who->owner, c->may);
        q->who->until_ms = c->exp_ms;
        q->who->since_ms = c->iat_ms;
        e = login_not_before(q->a->logins, q->who->owner, &not_before_ms);
        if (e != OK)
            (void)problem_set(q->why, e, NULL, NULL, NULL);
        else if (not_before_ms > 0 && c->iat_ms < not_before_ms)
            e = problem_set(q->why, ERR_AUTH, "token_revoked",
                            "The token has been revoked",
                            "Its user signed out of everywhere.");
    }
    free(c);
    return e == OK ? SAYS_YES : no(q, e);
}

static enum say
by_token(struct asked *q, const char *token)
{
    if (token == NULL || *token == '\0')
        return SAYS_NOTHING;
    return apikey_looks(token) ? by_key(q, token) : by_jwt(q, token);
}

static enum say
by_bearer(struct asked *q)
{
    const char *h = q->ask->authorization;

    if (h == NULL || strncasecmp(h, BEARER, sizeof(BEARER) - 1) != 0)
        return SAYS_NOTHING;
    h += sizeof(BEARER) - 1;
    return by_token(q, h + strspn(h, " "));
}

static enum say
by_key_header(struct asked *q)
{
    const char *h = q->ask->api_key;

    return h != NULL && apikey_looks(h) ? by_key(q, h) : SAYS_NOTHING;
}

static enum err
check_password(struct asked *q, const char *user, const char *password)
{
    struct auth *a = q->a;
    const char *addr = q->ask->addr != NULL ? q->ask->addr : "";
    int64_t now_ms = clock_mono_ms();
    bool known = htpasswd_known(a->passwords, user, password);
    enum err e;

    if (!known && q->ask->no_wait)
        return ERR_AGAIN;
    /* First, also where it is known: else a pair that has to wait would still
     * find out which password is right. */
    e = guess_may(a->limit, user, addr, now_ms, q->why);
    if (e == OK && !known) {
        e = htpasswd_check(a->passwords, user, password, q->why);
        if (e == ERR_AUTH)
            q->why->retry_after_s =
                (int)(guess_wrong(a->limit, user, addr, now_ms).wait_ms / 1000);
    }
    if (e == OK)
        e = guess_right(a->limit, user, addr, now_ms, q->why);
    if (e != OK)
        return e;
    identity_owner(q->who->owner, "local", NULL, user);
    (void)snprintf(q->who->name, sizeof(q->who->name), "%s", user);
    q->who->way = IDENTITY_BASIC;
    q->who->may = auth_may(q->who->owner, MAY_USER);
    return OK;
}

static enum say
by_form(struct asked *q)
{
    const char *user = q->ask->user, *password = q->ask->password;
    enum err e;

    if (!basic_user_valid(user, strlen(user)) ||
        !basic_password_valid(password, strlen(password)))
        e = problem_set(q->why, ERR_AUTH, "invalid_login",
                        "Wrong user name or password", "%s", "Check both.");
    else
        e = check_password(q, user, password);
    return e == OK ? SAYS_YES : no(q, e);
}

static enum say
by_basic(struct asked *q)
{
    struct basic b;
    enum err e;

    if (q->a->passwords == NULL)
        return SAYS_NOTHING;
    if (q->ask->user != NULL)
        return by_form(q);
    if (q->ask->authorization == NULL)
        return SAYS_NOTHING;
    e = basic_read(q->ask->authorization, &b, q->why);
    if (e == ERR_NOTFOUND)
        return SAYS_NOTHING;
    if (e == ERR_BADREQ) {
        q->why->err = ERR_AUTH;
        return no(q, ERR_AUTH);
    }
    e = check_password(q, b.user, b.password);
    basic_wipe(&b);
    return e == OK ? SAYS_YES : no(q, e);
}

static enum say
by_query(struct asked *q)
{
    return by_token(q, q->ask->token);
}

static enum say
by_proxy(struct asked *q)
{
    const char *name = q->ask->proxy_user;

    if (name == NULL || *name == '\0')
        return SAYS_NOTHING;
    identity_owner(q->who->owner, "proxy", NULL, name);
    text_show(q->who->name, sizeof(q->who->name), name);
    q->who->way = IDENTITY_PROXY;
    q->who->may = auth_may(q->who->owner, MAY_USER);
    return SAYS_YES;
}

static enum say
by_cookie(struct asked *q)
{
    const char *session;

    if (q->ask->owner != NULL)
        (void)identity_cookie_read(q->ask->owner, q->who->owner, &session);
    q->who->way = IDENTITY_ANONYMOUS;
    q->who->may = MAY_USER;
    return SAYS_YES;
}

enum err
auth_find(struct auth *a, const struct auth_ask *ask, int64_t now_ms,
          struct identity *who, struct problem *why)
{
    static enum say (*const ways[])(struct asked * q) = {
        by_login, by_bearer, by_key_header, by_basic,
        by_query, by_proxy,  by_cookie};
    struct asked q = {a, ask, now_ms, who, why, OK};
    enum say says = SAYS_NOTHING;

    for (size_t i = 0; i < COUNT_OF(ways) && says == SAYS_NOTHING; i++) {
        memset(who, 0, sizeof(*who));
        (void)snprintf(who->addr, sizeof(who->addr), "%s",
                       ask->addr != NULL ? ask->addr : "");
        says = ways[i](&q);
    }
    assert(says != SAYS_NOTHING);
    return says == SAYS_YES ? OK : q.e;
}

/* --- rights and rates ----------------------------------------------------- */

unsigned
auth_may(const char *owner, unsigned may)
{
    if (admins_has(owner))
        may |= MAY_ADMIN;
    return admins_listed(conf_str(CONF_READ_ONLY), owner) ? may & MAY_READ
                                                          : may;
}

enum err
auth_rate(struct auth *a, const struct identity *who,
          struct problem_quota *left, struct problem *why)
{
    return rates_take(&a->rates, who, clock_mono_ms(), left, why);
}

enum err
auth_start(struct auth *a, const struct identity *who, struct problem *why)
{
    int64_t now_ms = clock_mono_ms();
    enum err e = rates_start(&a->rates, who, now_ms, why);

    return e == OK ? rates_take(&a->rates, who, now_ms, NULL, why) : e;
}

bool
auth_required(const struct auth *a)
{
    return a->required;
}

bool
auth_has_tokens(const struct auth *a)
{
    return jwt_config_on(&a->jwt);
}

bool
auth_has_passwords(const struct auth *a)
{
    return a->passwords != NULL;
}

const char *
auth_challenge(const struct auth *a)
{
    return a->passwords != NULL ? "Bearer realm=\"parley\", "
                                  "Basic realm=\"parley\", charset=\"UTF-8\""
                                : "Bearer realm=\"parley\"";
}

struct logins *
auth_logins(struct auth *a)
{
    return a->logins;
}

struct apikeys *
auth_keys(struct auth *a)
{
    return a->keys;
}

struct fetcher *
auth_fetcher(struct auth *a)
{
    return a->fetcher;
}

/* --- opening -------------------------------------------------------------- */

enum err
auth_open(struct auth **out, const struct auth_config *c)
{
    const struct logins_config lc = {
        .store = c->store,
        .idle_ms = conf_int(CONF_LOGIN_IDLE_S) * 1000,
        .max_ms = conf_int(CONF_LOGIN_MAX_S) * 1000,
    };
    const char *passwords = conf_str(CONF_HTPASSWD_FILE);
    struct auth *a = xcalloc(1, sizeof(*a));
    struct problem why = {.err = OK};
    char path[4096];
    enum err e;

    a->required = conf_int(CONF_AUTH_REQUIRED) != 0;
    if (c->transfers != NULL)
        a->fetcher = fetcher_new(c->loop, c->transfers);
    e = jwt_config_load(&a->jwt, a->fetcher, &why);
    if (e == OK && *passwords != '\0')
        e = htpasswd_open(&a->passwords, passwords, c->threads, &why);
    (void)snprintf(path, sizeof(path), "%s/limits", c->data_dir);
    a->limit = limit_open(path);
    a->keys = apikeys_new(c->store);
    a->logins = logins_new(&lc);
    rates_load(&a->rates, a->limit);
    if (e != OK) {
        log_error("auth.open", "code=%s error=\"%s\" message=\"%s\"", why.code,
                  why.error, why.message);
        auth_close(a);
        return ERR_BADREQ;
    }
    *out = a;
    return OK;
}

void
auth_stop(struct auth *a)
{
    if (a != NULL && a->fetcher != NULL)
        fetcher_stop(a->fetcher);
}

void
auth_close(struct auth *a)
{
    if (a == NULL)
        return;
    auth_stop(a);
    jwt_config_release(&a->jwt);
    fetcher_free(a->fetcher);
    htpasswd_close(a->passwords);
    limit_close(a->limit);
    apikeys_free(a->keys);
    logins_free(a->logins);
    free(a);
}
