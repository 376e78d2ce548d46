/*
 * Who asks, for a request. The chain of ways in is auth/auth.c's; here it is
 * fed from the headers, its answer is made one of HTTP, and the cookies are
 * set.
 *
 * An anonymous browser gets its owner cookie when it first lists sessions. A
 * client that begins with a question may be one that keeps no cookies (curl),
 * whose session must not become the property of a cookie that nobody keeps. So
 * the session is made without an owner, and the cookie that is sent along names
 * it: only when that cookie comes back, the session is given to its owner, and
 * the cookie loses the name.
 */
#include "base/base.h"

#include "api/who.h"

#include "api/account.h"
#include "auth/auth.h"
#include "auth/basic.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/text.h"
#include "chat/retrieve.h"
#include "http/cookie.h"
#include "http/request_peer.h"

#define OWNER_AGE_S (400 * 24 * 3600) /* the longest that browsers keep */
#define CLAIM_STEP 100                /* sessions in one commit */

/* --- cookies -------------------------------------------------------------- */

bool
who_cookie(const struct request *rq, const char *name,
           char out[COOKIE_VALUE_MAX + 1])
{
    out[0] = '\0';
    return request_ambient(rq, conf_str(CONF_ALLOWED_ORIGINS)) &&
           cookie_own(rq, name, out);
}

void
who_login_cookie(struct request *rq, const char *value, int64_t max_age_s)
{
    cookie_set(rq, AUTH_COOKIE_LOGIN, value != NULL ? value : "",
               value != NULL ? max_age_s : 0, request_tls(rq));
}

/* Of an anonymous owner; value NULL: none any more. */
static void
set_owner_cookie(struct request *rq, const char *value)
{
    cookie_set(rq, AUTH_COOKIE_OWNER, value != NULL ? value : "",
               value != NULL ? OWNER_AGE_S : 0, request_tls(rq));
}

/* --- sessions that change hands ------------------------------------------- */

/* ERR_CONFLICT also when one or more were busy. */
static enum err
give(struct store *s, const char *from, const char *session_id, const char *to,
     int64_t *n)
{
    struct store_op op = {.kind = STORE_SESSION_OWNER,
                          .owner = from,
                          .session_id = session_id,
                          .owner_change = {.to = to, .limit = CLAIM_STEP}};
    enum err e;

    do {
        e = store_apply(s, &op);
        if (e == OK)
            *n += op.owner_change.n;
    } while (e == OK && session_id == NULL && op.owner_change.n > 0);
    return e == OK && op.owner_change.busy > 0 ? ERR_CONFLICT : e;
}

int64_t
who_claim(struct app *app, struct request *rq, const char *to)
{
    char value[COOKIE_VALUE_MAX + 1], from[STORE_OWNER_MAX + 1];
    const char *session = NULL;
    struct store *s = engine_store(app->en);
    int64_t n = 0;
    enum err e;

    if (!who_cookie(rq, AUTH_COOKIE_OWNER, value) ||
        !identity_cookie_read(value, from, &session))
        return 0;
    e = give(s, from, NULL, to, &n);
    /* That id is no more than what everybody could know. */
    if (session != NULL && !auth_required(app->auth) &&
        (e == OK || e == ERR_NOTFOUND))
        e = give(s, "", session, to, &n);
    if (e == ERR_NOTFOUND)
        e = OK;
    if (e == OK && retrieve_files(app->en) != NULL)
        e = files_claim(retrieve_files(app->en), from, to);
    if (e == OK) /* else with the next login */
        set_owner_cookie(rq, NULL);
    return n;
}

/* The owner cookie has come back with the session that it was made with. */
static void
settle_cookie(struct app *app, struct request *rq, const char *value,
              const char *owner, const char *session)
{
    char bare[IDENTITY_COOKIE_LEN + 1];
    int64_t n = 0;
    enum err e = give(engine_store(app->en), "", session, owner, &n);

    if (e != OK && e != ERR_NOTFOUND)
        return; /* an answer is under way in it: the next time */
    (void)snprintf(bare, sizeof(bare), "%.*s", IDENTITY_COOKIE_LEN, value);
    set_owner_cookie(rq, bare);
}

/* --- who it is ------------------------------------------------------------ */

/* Whom a trusted proxy names; NULL: nobody. Of two names one may be the
 * client's own. */
static enum err
proxy_user(struct request *rq, const char **out, struct problem *why)
{
    const char *header = conf_str(CONF_PROXY_USER_HEADER);

    *out = NULL;
    if (*header == '\0' || !request_peer_trusted(rq))
        return OK;
    *out = request_header(rq, header);
    /* Two lines that somebody joined have a comma; so names have none. */
    if (request_header_twice(rq, header) ||
        (*out != NULL && strchr(*out, ',') != NULL))
        return problem_set(why, ERR_BADREQ, "ambiguous_user",
                           "The proxy's header came twice",
                           "A proxy removes what a client says there, also "
                           "where it writes _ for -.");
    return OK;
}

static const char *
keep(struct request *rq, const char *s)
{
    return arena_strdup(&rq->arena, s);
}

/* Not where all of them share one list. */
static bool
owners_differ(void)
{
    return strcmp(conf_str(CONF_LIST_ANONYMOUS), "all") != 0;
}

static enum err
fill_ask(struct request *rq, unsigned rules, struct auth_ask *ask,
         struct problem *why)
{
    /* What a browser adds by itself is no word of a page that anybody wrote. */
    bool ambient = request_ambient(rq, conf_str(CONF_ALLOWED_ORIGINS));
    char value[COOKIE_VALUE_MAX + 1];

    if (who_cookie(rq, AUTH_COOKIE_LOGIN, value))
        ask->login = keep(rq, value);
    if (owners_differ() && who_cookie(rq, AUTH_COOKIE_OWNER, value))
        ask->owner = keep(rq, value);
    ask->authorization = request_header(rq, "Authorization");
    if (!ambient && ask->authorization != NULL &&
        text_istarts(ask->authorization, "Basic"))
        ask->authorization = NULL;
    ask->api_key = request_header(rq, conf_str(CONF_API_KEY_HEADER));
    ask->addr = request_peer(rq);
    if ((rules & WHO_TOKEN) != 0 &&
        request_arg(rq, "token", &ask->token, why) != OK)
        return why->err;
    return proxy_user(rq, &ask->proxy_user, why);
}

/* Questions that cost something. */
static bool
is_counted(const struct request *rq, unsigned rules)
{
    return (rules & WHO_OPEN) == 0 && rq->method == METHOD_POST;
}

static enum err
check(struct auth *auth, struct request *rq, unsigned rules,
      struct problem *why)
{
    const struct identity *who = rq->who;
    bool reads = rq->method == METHOD_GET || rq->method == METHOD_HEAD;

    if ((rules & WHO_OPEN) != 0)
        return OK;
    if (who->way == IDENTITY_ANONYMOUS && auth_required(auth))
        return problem_set(why, ERR_AUTH, "sign_in", "Please sign in",
                           "Send a token or an API key, or sign in at "
                           "/auth/login.");
    if (who_may(rq, reads ? MAY_READ : MAY_WRITE, why) != OK)
        return why->err;
    return is_counted(rq, rules) ? auth_rate(auth, who, &rq->left, why) : OK;
}

/* By Basic: a form has its own. */
static void
wrong_password(const struct request *rq, const struct problem *why)
{
    struct problem p = {.err = OK};
    struct basic b = {.user = ""};

    IGNORE(basic_read(request_header(rq, "Authorization"), &b, &p));
    account_failed(rq, b.user, why);
    basic_wipe(&b);
}

/* Who asks, and may they? ask is filled. */
static enum err
identify(struct auth *auth, struct request *rq, unsigned rules,
         struct auth_ask *ask, struct problem *why)
{
    struct identity *who = arena_alloc(&rq->arena, sizeof(*who));
    enum err e = fill_ask(rq, rules, ask, why);

    if (e == OK)
        e = auth_find(auth, ask, clock_wall_ms(), who, why);
    if (e == OK) {
        rq->who = who;
        rq->owner = who->owner;
        e = check(auth, rq, rules, why);
    }
    if (e == ERR_AUTH && strcmp(why->code, "invalid_login") == 0)
        wrong_password(rq, why);
    if (e == ERR_AUTH)
        request_head_add(rq, "WWW-Authenticate", auth_challenge(auth));
    return e;
}

enum err
who_identify(struct auth *auth, struct request *rq, unsigned rules,
             struct problem *why)
{
    struct auth_ask ask = {.no_wait = false};

    return identify(auth, rq, rules, &ask, why);
}

static enum err
find(struct app *app, struct request *rq, unsigned rules, bool no_wait,
     struct problem *why)
{
    struct auth_ask ask = {.no_wait = no_wait};
    enum err e = identify(app->auth, rq, rules, &ask, why);
    char owner[STORE_OWNER_MAX + 1];
    const char *session = NULL;

    if (e != OK || no_wait || rq->who->way != IDENTITY_ANONYMOUS)
        return e;
    if (ask.owner != NULL && identity_cookie_read(ask.owner, owner, &session)) {
        if (session != NULL && !auth_required(app->auth))
            settle_cookie(app, rq, ask.owner, owner, session);
    } else if ((rules & WHO_OWNS) != 0 && owners_differ()) {
        char fresh[IDENTITY_COOKIE_LEN + 1];

        identity_cookie_make(fresh);
        set_owner_cookie(rq, fresh);
        /* A browser keeps it: it is that owner from now on. */
        if (request_header(rq, "Sec-Fetch-Site") != NULL &&
            identity_cookie_read(fresh, owner, &session))
            rq->owner = keep(rq, owner);
    }
    return OK;
}

enum err
who_find(struct app *app, struct request *rq, unsigned rules,
         struct problem *why)
{
    enum err e = find(app, rq, rules, false, why);

    if (e == OK && (rules & WHO_SESSION) != 0)
        (void)who_session(app, rq, rq->path_args[0]);
    return e;
}

enum err
who_find_now(struct app *app, struct request *rq, unsigned rules,
             struct problem *why)
{
    return find(app, rq, rules, true, why);
}

const struct identity *
who_asks(const struct request *rq)
{
    assert(rq->who != NULL);
    return rq->who;
}

enum err
who_may(const struct request *rq, enum may may, struct problem *why)
{
    const struct identity *who = who_asks(rq);

    if ((who->may & may) == may)
        return OK;
    if (may == MAY_ADMIN)
        return problem_set(why, ERR_FORBIDDEN, "not_admin",
                           "Only administrators may do this", "%s", "");
    return problem_set(why, ERR_FORBIDDEN, "read_only",
                       may == MAY_WRITE ? "You may only read"
                                        : "You may not read",
                       "Ask for more rights, or use another key.");
}

enum err
who_signed_in(const struct request *rq, const char *does, struct problem *why)
{
    if (who_asks(rq)->way != IDENTITY_ANONYMOUS)
        return OK;
    return problem_set(why, ERR_AUTH, "sign_in", "Please sign in",
                       "Only who is signed in %s.", does);
}

/* --- as whom it acts ------------------------------------------------------ */

bool
who_session_owner(struct app *app, const char *id,
                  char owner[STORE_OWNER_MAX + 1])
{
    char of[STORE_OWNER_MAX + 1];

    if (store_session_owner(engine_store(app->en), id, of) != OK)
        return false;
    if (!auth_required(app->auth) && identity_owner_anonymous(of))
        memcpy(owner, of, sizeof(of));
    return true;
}

bool
who_session(struct app *app, struct request *rq, const char *id)
{
    char owner[STORE_OWNER_MAX + 1];
    bool there;

    (void)snprintf(owner, sizeof(owner), "%s", rq->owner);
    there = who_session_owner(app, id, owner);
    if (strcmp(owner, rq->owner) != 0)
        rq->owner = keep(rq, owner);
    return there;
}

void
who_turn(struct app *app, struct request *rq, const struct ident *turn)
{
    struct stream_head head;
    struct turn_info t;
    struct buf context;
    const char *owner = NULL;

    if (auth_required(app->auth))
        return;
    buf_init(&context, STORE_EXTRA_MAX);
    if (store_turn(engine_store(app->en), turn, &t) == OK)
        owner = t.owner;
    else if (engine_context(app->en, turn, &head, &context) == OK)
        owner = head.owner; /* a command's */
    buf_release(&context);
    if (owner != NULL && identity_owner_anonymous(owner))
        rq->owner = keep(rq, owner);
}

void
who_makes(struct app *app, struct request *rq, const char *id)
{
    char value[IDENTITY_COOKIE_LEN + 1], whole[COOKIE_VALUE_MAX + 1];

    if (*rq->owner != '\0' || who_asks(rq)->way != IDENTITY_ANONYMOUS ||
        auth_required(app->auth) || !owners_differ())
        return;
    identity_cookie_make(value);
    (void)snprintf(whole, sizeof(whole), "%s~%s", value, id);
    set_owner_cookie(rq, whole);
}

/* --- connections that last ------------------------------------------------ */

bool
who_still(struct app *app, const struct identity *who, int64_t *asked_ms,
          int64_t now_ms)
{
    if (who == NULL || who->way == IDENTITY_ANONYMOUS ||
        now_ms - *asked_ms < WHO_ASK_MS)
        return true;
    *asked_ms = now_ms;
    return auth_still(app->auth, who, clock_wall_ms());
}
