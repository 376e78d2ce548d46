/*
 * Who asks, for a request: what auth/auth.h wants to know is taken from its
 * headers, and what it says is kept in the request. Here it is also decided as
 * whom a request acts: a session of an owner who never signed in may be gone
 * on with by whoever knows its id (which cannot be guessed), unless everybody
 * has to sign in; then the request acts as that owner. All other sessions are
 * their owner's alone.
 */
#ifndef API_WHO_H
#define API_WHO_H

#include "api/app.h"
#include "auth/identity.h"
#include "http/cookie.h"

/* Rules of a route: see struct route. */
enum who_rule {
    WHO_OPEN = 1,    /* for everybody, also where signing in is required */
    WHO_SESSION = 2, /* its first {…} is a session's id */
    WHO_TOKEN = 4,   /* ?token= counts */
    WHO_OWNS = 8     /* a browser is to have an owner cookie from here on */
};

/* Find out who asks, and whether they may: rq->who and rq->owner are set.
 * ERR_AUTH, ERR_FORBIDDEN, ERR_LIMIT, ERR_BUSY with why; what belongs to such
 * an answer is in rq->head_more. Acceptor thread. */
MUST_USE enum err who_find(struct app *app, struct request *rq, unsigned rules,
                           struct problem *why);
/* The same without an app: no cookie is set, no session is looked at. */
MUST_USE enum err who_identify(struct auth *auth, struct request *rq,
                               unsigned rules, struct problem *why);
/* As who_find, for what cannot wait: ERR_AGAIN: it would have to. Any
 * thread. */
MUST_USE enum err who_find_now(struct app *app, struct request *rq,
                               unsigned rules, struct problem *why);
/* From here on the request acts as who has this session, if it may. True: the
 * session is there. */
bool who_session(struct app *app, struct request *rq, const char *id);
/* The same rule, for who is known by name: owner is set if the session is
 * another's and may be gone on with. */
bool who_session_owner(struct app *app, const char *id,
                       char owner[STORE_OWNER_MAX + 1]);
/* The same with a turn. */
void who_turn(struct app *app, struct request *rq, const struct ident *turn);
/* A session of this id is about to be made: somebody without a cookie gets
 * one, by which the session becomes theirs when it comes back. */
void who_makes(struct app *app, struct request *rq, const char *id);
/* May they do this, too? ERR_FORBIDDEN with why. */
MUST_USE enum err who_may(const struct request *rq, enum may may,
                          struct problem *why);
/* Is it somebody who signed in? Else ERR_AUTH with why: "Only who is signed in
 * `does` this." */
MUST_USE enum err who_signed_in(const struct request *rq, const char *does,
                                struct problem *why);
/* Whose request it is, whatever it acts as; never NULL behind who_find. */
const struct identity *who_asks(const struct request *rq);

/* One of our cookies, if the request is one of our pages (or of no page): what
 * a browser adds by itself to another's proves nothing. */
bool who_cookie(const struct request *rq, const char *name,
                char out[COOKIE_VALUE_MAX + 1]);
/* Who has a connection that lasts is asked now and then whether they still may.
 * False: the login, key or token is over. who NULL is an anonymous one, who is
 * not asked. Looks at most every WHO_ASK_MS, by *asked_ms, which is 0 at first;
 * does not wait. now_ms: monotonic. */
#define WHO_ASK_MS 1000
bool who_still(struct app *app, const struct identity *who, int64_t *asked_ms,
               int64_t now_ms);

/* The cookie of a login; value NULL: none any more. */
void who_login_cookie(struct request *rq, const char *value, int64_t max_age_s);
/* What belonged to the browser's anonymous owner is `to`'s from now on, and
 * the cookie is taken away. How many sessions. */
int64_t who_claim(struct app *app, struct request *rq, const char *to);

#endif
