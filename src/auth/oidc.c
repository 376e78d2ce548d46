/*
 * The two steps of signing in at a provider. The bytes are oidc_wire.c's, what
 * is known of the provider oidc_known.c's, and the attempt in between is a
 * record (oidc_attempt.c), so the second step may be another process's.
 * Acceptor threads run it and wait in fetch_wait, which lets only few of them
 * wait.
 */
#include "base/base.h"

#include "auth/oidc.h"

#include "auth/fetch.h"
#include "auth/jwt.h"
#include "auth/oidc_attempt.h"
#include "auth/oidc_id.h"
#include "auth/oidc_known.h"
#include "auth/oidc_wire.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

struct oidc {
    struct store *store;
    struct fetcher *fetcher;
    char *issuer, *id, *secret, *scopes, *admin_claim, *name; /* constant */
    struct oidc_known *known;
};

/* --- life ----------------------------------------------------------------- */

static enum err
wrong(struct problem *why, const char *message)
{
    return problem_set(why, ERR_BADREQ, "bad_oidc",
                       "The settings of OpenID Connect do not fit together",
                       "%s", message);
}

/* Is it one of the words? */
static bool
has_scope(const char *scopes, const char *word)
{
    while (*scopes != '\0') {
        size_t n = strcspn(scopes, " ");

        if (n == strlen(word) && memcmp(scopes, word, n) == 0)
            return true;
        scopes += n;
        scopes += strspn(scopes, " ");
    }
    return false;
}

/* A host for the button, where no better name is set. */
static char *
host_name(const char *issuer)
{
    const char *host = strstr(issuer, "://") + 3;
    char *name = xstrdup(host);

    name[strcspn(name, "/?")] = '\0';
    return name;
}

enum err
oidc_new(struct oidc **out, const struct oidc_config *c, struct problem *why)
{
    struct oidc *o;

    *out = NULL;
    if (!oidc_url_ok(c->issuer, true) || strchr(c->issuer, '?') != NULL)
        return wrong(why, "OIDC_ISSUER is an https:// URL without a query "
                          "(http:// on this machine alone).");
    if (*c->client_id == '\0' || strlen(c->client_id) > JWT_ID_MAX)
        return wrong(why, "OIDC_CLIENT_ID is missing, or too long.");
    if (strlen(c->client_secret) > 1024 || strlen(c->scopes) > 512)
        return wrong(why, "OIDC_CLIENT_SECRET or OIDC_SCOPES is too long.");
    if (!has_scope(c->scopes, "openid"))
        return wrong(why, "OIDC_SCOPES must have openid.");
    o = xcalloc(1, sizeof(*o));
    o->store = c->store;
    o->fetcher = c->fetcher;
    o->issuer = xstrdup(c->issuer);
    o->id = xstrdup(c->client_id);
    o->secret = xstrdup(c->client_secret);
    o->scopes = xstrdup(c->scopes);
    o->admin_claim = xstrdup(c->admin_claim);
    o->name = *c->name != '\0' ? xstrdup(c->name) : host_name(c->issuer);
    o->known = oidc_known_new(o->issuer, o->fetcher);
    *out = o;
    return OK;
}

enum err
oidc_open(struct oidc **out, struct store *s, struct fetcher *f,
          struct problem *why)
{
    const struct oidc_config c = {
        .store = s,
        .fetcher = f,
        .issuer = conf_str(CONF_OIDC_ISSUER),
        .client_id = conf_str(CONF_OIDC_CLIENT_ID),
        .client_secret = conf_str(CONF_OIDC_CLIENT_SECRET),
        .scopes = conf_str(CONF_OIDC_SCOPES),
        .name = conf_str(CONF_OIDC_NAME),
        .admin_claim = conf_str(CONF_OIDC_ADMIN_CLAIM),
    };
    const char *back = conf_str(CONF_OIDC_REDIRECT_URL);

    *out = NULL;
    if (*c.issuer == '\0' && *c.client_id == '\0')
        return OK;
    if (*c.issuer == '\0')
        return wrong(why, "OIDC_CLIENT_ID is set and OIDC_ISSUER is not.");
    if (*back != '\0' && !oidc_redirect_ok(back))
        return wrong(why, "OIDC_REDIRECT_URL is no URL.");
    return oidc_new(out, &c, why);
}

void
oidc_free(struct oidc *o)
{
    if (o == NULL)
        return;
    oidc_known_free(o->known);
    mem_free_secret(o->secret);
    free(o->issuer);
    free(o->id);
    free(o->scopes);
    free(o->admin_claim);
    free(o->name);
    free(o);
}

const char *
oidc_name(const struct oidc *o)
{
    return o->name;
}

void
oidc_browser_make(char out[OIDC_BROWSER_LEN + 1])
{
    _Static_assert(OIDC_BROWSER_LEN == OIDC_RANDOM_LEN, "one kind of value");
    oidc_random(out);
}

bool
oidc_browser_ok(const char *value)
{
    return oidc_random_ok(value);
}

/* --- what is told --------------------------------------------------------- */

/* Log what went wrong, once, and make why one of what the page is told. */
static enum err
failed(const char *step, struct problem *why)
{
    static const char *const known[] = {
        "access_denied",    "login_expired", "login_foreign", "provider_failed",
        "provider_refused", "token_invalid", "server_busy",
    };
    const char *code = "server_error";
    enum err e = why->err;

    assert(e != OK);
    log_warn("oidc.failed", "step=%s code=%s message=\"%s\"", step,
             *why->code != '\0' ? why->code : err_code(e),
             LOG_TEXT(why->message));
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strcmp(why->code, known[i]) == 0)
            return e;
    switch (e) {
    case ERR_AUTH: code = "token_invalid"; break;
    case ERR_UPSTREAM:
    case ERR_TIMEOUT:
    case ERR_FORBIDDEN:
    case ERR_BADREQ: code = "provider_failed"; break;
    case ERR_BUSY:
    case ERR_STOPPING: code = "server_busy"; break;
    default: break;
    }
    return problem_set(why, e, code, "Signing in failed", "Try again later.");
}

static struct oidc_client
client_of(const struct oidc *o)
{
    return (struct oidc_client){o->issuer, o->id, o->secret, o->scopes};
}

/* --- there ---------------------------------------------------------------- */

enum err
oidc_begin(struct oidc *o, const char *redirect_uri, const char *next,
           const char *browser, int64_t now_ms, struct buf *location,
           struct problem *why)
{
    const struct oidc_client client = client_of(o);
    struct oidc_attempt a = {.next = ""};
    struct oidc_provider p;
    char state[OIDC_RANDOM_LEN + 1];
    const struct oidc_ask ask = {redirect_uri, state, a.nonce, a.verifier};
    struct jwks *keys;
    enum err e;

    assert(strlen(next) <= OIDC_NEXT_MAX && oidc_browser_ok(browser));
    if (!oidc_redirect_ok(redirect_uri)) {
        (void)problem_set(why, ERR_INTERNAL, "server_error", NULL,
                          "The address of this server is not known.");
        return failed("redirect", why);
    }
    e = oidc_known_get(o->known, &p, &keys, why);
    if (e != OK)
        return failed("discovery", why);
    oidc_random(state);
    oidc_random(a.nonce);
    oidc_random(a.verifier);
    digest_name(a.browser, browser, strlen(browser));
    memcpy(a.next, next, strlen(next) + 1);
    memcpy(a.redirect_uri, redirect_uri, strlen(redirect_uri) + 1);
    oidc_authorize_url(location, &p, &client, &ask);
    e = buf_status(location);
    if (e == OK)
        e = oidc_attempt_begin(o->store, &a, state, now_ms);
    mem_wipe(&a, sizeof(a));
    mem_wipe(state, sizeof(state));
    if (e == OK)
        return OK;
    (void)problem_set(why, e, "server_error", NULL, NULL);
    return failed("attempt", why);
}

/* --- and back ------------------------------------------------------------- */

/* Change the code for tokens. */
static enum err
redeem(struct oidc *o, const struct oidc_provider *p, const char *code,
       const struct oidc_attempt *a, struct oidc_tokens *out,
       struct problem *why)
{
    const struct oidc_client client = client_of(o);
    const struct oidc_ask back = {.redirect_uri = a->redirect_uri,
                                  .verifier = a->verifier};
    struct fetch_ask ask = {
        .method = "POST", .url = p->token, .own = o->issuer, .secret = true};
    struct oidc_form form;
    struct buf reply;
    int status = 0;
    enum err e;

    memset(out, 0, sizeof(*out));
    oidc_form_make(&form, p, &client, &back, code);
    ask.headers[0] = (struct fetch_header){"Content-Type",
                                           "application/x-www-form-urlencoded"};
    ask.headers[1] = (struct fetch_header){"Accept", "application/json"};
    if (form.authorization != NULL)
        ask.headers[2] = (struct fetch_header){"Authorization",
                                               form.authorization};
    ask.body = form.body.data;
    ask.body_len = form.body.len;
    buf_init_secret(&reply, OIDC_REPLY_MAX);
    e = fetch_wait(o->fetcher, &ask, &reply, &status, why);
    if (e == OK)
        e = oidc_tokens_read(status, reply.data, reply.len, out, why);
    buf_wipe(&reply);
    oidc_form_release(&form);
    return e;
}

/* A name that the ID token does not have. It is no reason to fail. */
static void
ask_name(struct oidc *o, const struct oidc_provider *p, const char *access,
         const char *sub, char name[IDENTITY_NAME_MAX + 1])
{
    struct fetch_ask ask = {
        .method = "GET", .url = p->userinfo, .own = o->issuer, .secret = true};
    struct problem why = {.err = OK};
    struct buf bearer, reply;
    int status = 0;

    buf_init_secret(&bearer, strlen(access) + 16);
    buf_addf(&bearer, "Bearer %s", access);
    ask.headers[0] = (struct fetch_header){"Accept", "application/json"};
    ask.headers[1] = (struct fetch_header){"Authorization", buf_cstr(&bearer)};
    buf_init_secret(&reply, OIDC_REPLY_MAX);
    if (fetch_wait(o->fetcher, &ask, &reply, &status, &why) != OK ||
        status != 200 || !oidc_id_userinfo(reply.data, reply.len, sub, name))
        log_info("oidc.userinfo", "status=%d code=%s", status, why.code);
    buf_wipe(&reply);
    buf_wipe(&bearer);
}

/* Whom the ID token is about, if it is good. */
static enum err
identify(struct oidc *o, const struct oidc_provider *p, struct jwks *keys,
         const struct oidc_attempt *a, const struct oidc_tokens *t,
         int64_t now_ms, struct oidc_person *out, struct problem *why)
{
    const struct jwt_config trust = {
        .jwks = keys, .issuer = o->issuer, .audience = o->id};
    const struct oidc_want want = {.client_id = o->id,
                                   .nonce = a->nonce,
                                   .access_token = t->access,
                                   .admin_claim = o->admin_claim};
    struct jwt_claims *c = xcalloc(1, sizeof(*c));
    char issuer[IDENTITY_ISSUER_MAX + 1];
    bool admin = false;
    enum err e = jwt_check(&trust, t->id, now_ms, false, c, why);

    if (e == OK)
        e = oidc_id_check(t->id, c, &want, &admin, why);
    if (e == OK) {
        identity_issuer(issuer, o->issuer);
        identity_owner(out->owner, "oidc", issuer, c->sub);
        out->may = MAY_USER | (admin ? MAY_ADMIN : 0U);
        text_show(out->name, sizeof(out->name), c->name);
        if (*out->name == '\0' && p->userinfo[0] != '\0' && t->access != NULL)
            ask_name(o, p, t->access, c->sub, out->name);
        if (*out->name == '\0')
            text_show(out->name, sizeof(out->name), c->sub);
    } else if (e == ERR_BUSY) { /* its keys cannot be had */
        e = problem_set(why, ERR_UPSTREAM, "provider_failed", NULL,
                        "Its keys cannot be had just now.");
    }
    free(c);
    return e;
}

enum err
oidc_finish(struct oidc *o, const struct oidc_answer *answer,
            const char *browser, int64_t now_ms, struct oidc_person *out,
            struct problem *why)
{
    struct oidc_tokens tokens = {NULL, NULL};
    struct oidc_attempt a;
    struct oidc_provider p;
    struct jwks *keys = NULL;
    const char *step = "attempt";
    enum err e;

    memset(out, 0, sizeof(*out));
    e = oidc_attempt_take(o->store, answer->state, browser, &a, why);
    if (e != OK)
        return failed(step, why);
    memcpy(out->next, a.next, sizeof(out->next));
    step = "discovery";
    e = oidc_known_get(o->known, &p, &keys, why);
    if (e == OK) {
        step = "response";
        e = oidc_answer_check(&p, o->issuer, answer, why);
    }
    if (e == OK) {
        step = "code";
        e = redeem(o, &p, answer->code, &a, &tokens, why);
    }
    if (e == OK) {
        step = "id_token";
        e = identify(o, &p, keys, &a, &tokens, now_ms, out, why);
    }
    oidc_tokens_release(&tokens);
    mem_wipe(&a, sizeof(a));
    return e == OK ? OK : failed(step, why);
}

void
oidc_logout_url(struct oidc *o, const char *back, struct buf *out)
{
    const struct oidc_client client = client_of(o);
    struct oidc_provider p;

    if (oidc_known_peek(o->known, &p))
        oidc_wire_logout(out, &p, &client, back);
}
