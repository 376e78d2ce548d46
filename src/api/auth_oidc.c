/*
 * Signing in at an OpenID provider, as pages see it: a link to
 * /auth/oauth2/login?next=PATH, after which the browser is back at PATH with a
 * login, or with ?login_error=CODE. Both routes are navigations, so whatever
 * happens the answer is a redirect into the page, which knows how to say it.
 *
 * The protocol is auth/oidc.c's. Here are the arguments, the cookie that binds
 * an attempt to its browser, and the address of this server as the browser
 * writes it, which the provider compares with what is registered there.
 *
 * HEAD answers with nothing begun and nothing used up: who looks at a link
 * before a user does (mail scanners) asks so. Acceptor threads.
 */
#include "base/base.h"

#include "api/auth_oidc.h"

#include "api/account.h"
#include "api/who.h"
#include "auth/auth.h"
#include "auth/oidc.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/text.h"
#include "http/cookie.h"
#include "http/request_peer.h"

#define COOKIE "parley_oidc" /* what binds an attempt to its browser */
#define CALLBACK "/auth/oauth2/callback"
#define LOCATION_MAX 6000 /* bytes */

static void
redirect(struct app *app, struct request *rq, const char *location)
{
    struct reply rp;

    request_head_add(rq, "Location", location);
    reply_begin(&rp, rq, 302, 0);
    app_end(app, rq, reply_end(&rp));
}

/* The page. */
static const char *
home(struct request *rq)
{
    size_t n = strlen(rq->base) + sizeof("/");
    char *path = arena_alloc(&rq->arena, n);

    (void)snprintf(path, n, "%s/", rq->base);
    return path;
}

/* Back into the page; code NULL: all went well. */
static void
back(struct app *app, struct request *rq, const char *next, const char *code)
{
    struct buf url;

    buf_init(&url, LOCATION_MAX);
    if (*next == '\0')
        next = home(rq);
    if (code != NULL)
        oidc_next_error(&url, next, code);
    else
        buf_adds(&url, next);
    redirect(app, rq, buf_cstr(&url));
    buf_release(&url);
}

/* False: the request is answered, as nobody signs in this way, or nothing is
 * to happen. */
static bool
begins(struct app *app, struct request *rq)
{
    struct problem p = {.err = OK};
    struct reply rp;

    if (app->oidc == NULL) {
        (void)problem_set(&p, ERR_NOTFOUND, "no_oidc",
                          "Nobody signs in at a provider here",
                          "Set OIDC_ISSUER and OIDC_CLIENT_ID.");
        app_fail(app, rq, &p);
        return false;
    }
    if (rq->method == METHOD_HEAD) {
        reply_begin(&rp, rq, 200, 0);
        app_end(app, rq, reply_end(&rp));
        return false;
    }
    return true;
}

/* An image of another site, say: no user wants to sign in. */
static bool
embedded(const struct request *rq)
{
    const char *site = request_header(rq, "Sec-Fetch-Site");
    const char *mode = request_header(rq, "Sec-Fetch-Mode");

    return site != NULL && strcmp(site, "cross-site") == 0 && mode != NULL &&
           strcmp(mode, "navigate") != 0;
}

/* --- there ---------------------------------------------------------------- */

/* An argument; one that cannot be read is not there. */
static const char *
arg(struct request *rq, const char *name)
{
    struct problem p = {.err = OK};
    const char *value = NULL;

    return request_arg(rq, name, &value, &p) == OK ? value : NULL;
}

/* The address of a path of ours as the browser has it. Host is what it asked
 * for; that this is us is the provider's to know, by what is registered there.
 */
static const char *
own_url(struct request *rq, const char *path)
{
    const char *host = request_header(rq, "Host");
    char *url;
    size_t n;

    if (host == NULL)
        host = "";
    n = strlen(host) + strlen(rq->base) + strlen(path) + sizeof("https://");
    url = arena_alloc(&rq->arena, n);
    (void)snprintf(url, n, "%s://%s%s%s", request_tls(rq) ? "https" : "http",
                   host, rq->base, path);
    return url;
}

/* Where the provider sends the browser. */
static const char *
callback_url(struct request *rq)
{
    const char *set = conf_str(CONF_OIDC_REDIRECT_URL);

    return *set != '\0' ? set : own_url(rq, CALLBACK);
}

/* The value of the browser's cookie, which it keeps from here on. One that it
 * has is used again: several tabs may be on their way. */
static const char *
browser_of(struct request *rq)
{
    char value[COOKIE_VALUE_MAX + 1];

    if (!cookie_own(rq, COOKIE, value) || !oidc_browser_ok(value))
        oidc_browser_make(value);
    cookie_set(rq, COOKIE, value, OIDC_ATTEMPT_MS / 1000, request_tls(rq));
    return arena_strdup(&rq->arena, value);
}

void
api_oidc_login(void *p, struct request *rq)
{
    struct app *app = p;
    struct problem why = {.err = OK};
    const char *next = arg(rq, "next");
    struct buf location;

    if (!begins(app, rq))
        return;
    if (embedded(rq)) {
        (void)problem_set(&why, ERR_FORBIDDEN, "foreign_origin",
                          "This origin is not allowed", "Use a link.");
        app_fail(app, rq, &why);
        return;
    }
    if (next == NULL || !oidc_next_ok(next, rq->base))
        next = home(rq);
    if (auth_start(app->auth, who_asks(rq), &why) != OK) {
        back(app, rq, next, "server_busy"); /* each costs a record */
        return;
    }
    buf_init(&location, LOCATION_MAX);
    if (oidc_begin(app->oidc, callback_url(rq), next, browser_of(rq),
                   clock_wall_ms(), &location, &why) == OK)
        redirect(app, rq, buf_cstr(&location));
    else
        back(app, rq, next, why.code);
    buf_release(&location);
}

/* --- and back ------------------------------------------------------------- */

static enum err
let_in(struct app *app, struct request *rq, const struct oidc_person *person,
       struct problem *why)
{
    struct identity who = {.way = IDENTITY_LOGIN, .may = person->may};
    int64_t claimed = 0;

    memcpy(who.owner, person->owner, sizeof(who.owner));
    memcpy(who.name, person->name, sizeof(who.name));
    (void)snprintf(who.addr, sizeof(who.addr), "%s", request_peer(rq));
    if (account_begin(app, rq, &who, "oidc", true, &claimed, why) == OK)
        return OK;
    return problem_set(why, why->err, "server_error", NULL, NULL);
}

void
api_oidc_callback(void *p, struct request *rq)
{
    struct app *app = p;
    const struct oidc_answer answer = {.code = arg(rq, "code"),
                                       .state = arg(rq, "state"),
                                       .error = arg(rq, "error"),
                                       .issuer = arg(rq, "iss")};
    char browser[COOKIE_VALUE_MAX + 1];
    struct problem why = {.err = OK};
    struct oidc_person person;
    bool bound;
    enum err e;

    if (!begins(app, rq))
        return;
    bound = cookie_own(rq, COOKIE, browser);
    e = oidc_finish(app->oidc, &answer, bound ? browser : NULL, clock_wall_ms(),
                    &person, &why);
    if (e != OK && *person.next != '\0') /* not of those who just try */
        account_failed(rq, NULL, &why);
    if (e == OK)
        e = let_in(app, rq, &person, &why);
    back(app, rq, person.next, e == OK ? NULL : why.code);
}

/* --- and out -------------------------------------------------------------- */

/* The page, below the address that the provider knows us by. */
static const char *
page_url(struct request *rq)
{
    const char *set = conf_str(CONF_OIDC_REDIRECT_URL);
    size_t n = strlen(set);
    char *url;

    if (n <= strlen(CALLBACK) ||
        strcmp(set + n - strlen(CALLBACK), CALLBACK) != 0)
        return own_url(rq, "/");
    url = arena_strdup(&rq->arena, set);
    url[n - strlen(CALLBACK) + 1] = '\0';
    return url;
}

void
auth_oidc_put_end(struct json_out *j, struct app *app, struct request *rq)
{
    const struct identity *who = who_asks(rq);
    struct buf url;

    if (app->oidc == NULL || who->way != IDENTITY_LOGIN ||
        !text_starts(who->owner, "oidc/"))
        return;
    buf_init(&url, LOCATION_MAX);
    oidc_logout_url(app->oidc, page_url(rq), &url);
    if (url.len > 0 && buf_status(&url) == OK)
        json_put_str(j, "end_session_url", buf_cstr(&url));
    buf_release(&url);
}
