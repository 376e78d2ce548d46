/*
 * Who asks: the chain of all the ways in. The first that has something to say
 * decides, yes or no:
 *
 *   the cookie of a login
 *   Authorization: Bearer (an API key if it begins as ours do, else a JWT)
 *   the header of API keys
 *   Authorization: Basic
 *   a token in the query (only where the caller passes one)
 *   the name in the header of a trusted proxy
 *   the anonymous owner's cookie
 *
 * A way says nothing where it is not set up, or where what came is not of its
 * kind: programs send all sorts of keys to a server that asks for none. So a
 * Bearer that is no key of ours is looked at only if tokens are set up, and
 * Basic only if there is a password file. A login cookie that is over says
 * nothing either, for a browser keeps on sending it.
 *
 * Any thread. What may wait (a password's hash, keys that are fetched) is not
 * done with no_wait.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "auth/identity.h"
#include "auth/login.h"

struct transfers; /* upstream/transfer.h */
struct apikeys;   /* auth/apikey.h */
struct logins;    /* auth/login.h */
struct fetcher;   /* auth/fetch.h */
struct auth;

#define AUTH_COOKIE_LOGIN "parley_login"
#define AUTH_COOKIE_OWNER "parley_owner"

/* What a request shows of itself; NULL: nothing. Borrowed. */
struct auth_ask {
    const char *login;           /* the login cookie's value */
    const char *owner;           /* the owner cookie's value */
    const char *authorization;   /* header */
    const char *api_key;         /* header */
    const char *token;           /* of the query */
    const char *proxy_user;      /* from a proxy that is trusted to say it */
    const char *user, *password; /* of a form, in place of a header */
    const char *addr;            /* of the client; "" if not known */
    bool no_wait;
};

struct auth_config {
    struct store *store;
    struct loop *loop;
    struct transfers *transfers; /* NULL: nothing can be fetched */
    const char *data_dir;
    unsigned threads; /* that ask */
};
/* Settings are read from base/conf. Mistakes that leave a way in open or shut
 * by surprise: ERR_BADREQ, with a log line each. */
MUST_USE enum err auth_open(struct auth **out, const struct auth_config *c);
/* The loop ends: whoever waits for an issuer is told. Before the threads that
 * may are joined. */
void auth_stop(struct auth *a);
void auth_close(struct auth *a); /* NULL is fine */

/* Who is it? OK, also for an anonymous one. ERR_AUTH: what came is not valid.
 * (a wrong password: with retry_after_s, if the next one has to wait).
 * ERR_LIMIT: too many wrong passwords. ERR_BUSY: it cannot be found out just
 * now. ERR_AGAIN: it cannot be found out without waiting. why is filled, but
 * for ERR_AGAIN. now_ms: wall clock. */
MUST_USE enum err auth_find(struct auth *a, const struct auth_ask *ask,
                            int64_t now_ms, struct identity *who,
                            struct problem *why);
/* What a login of an account has to remember of its password, so that it ends
 * when that is changed: "" where it has none. False: there is no such account.
 */
bool auth_mark(struct auth *a, const char *owner, const char *name,
               char out[LOGIN_MARK_MAX + 1]);
/* The account of a login is still there, and its password is the same. Also of
 * a login that is no account's. */
bool auth_has_account(struct auth *a, const struct login *in);
/* Has this owner an account? True also of one who needs none: of another realm,
 * or where there is no password file. */
bool auth_has_owner(struct auth *a, const char *owner);
/* Is it still so? False: its key was revoked, its login ended, its token is
 * over, its account is gone. For connections that last. Does not wait. */
bool auth_still(struct auth *a, const struct identity *who, int64_t now_ms);
/* Must everybody be signed in? */
bool auth_required(const struct auth *a);
/* Are signed tokens set up? */
bool auth_has_tokens(const struct auth *a);
/* Are there accounts with passwords? */
bool auth_has_passwords(const struct auth *a);
/* The value of a WWW-Authenticate header. */
const char *auth_challenge(const struct auth *a);

/* What the ways of signing in stand on. */
struct logins *auth_logins(struct auth *a);
struct apikeys *auth_keys(struct auth *a);
struct fetcher *auth_fetcher(struct auth *a); /* NULL: no transfers */

/* What the settings ADMINS and READ_ONLY make of what a way in gives. */
unsigned auth_may(const char *owner, unsigned may);

/* May this identity ask now? One is taken from its buckets (RATE_USER,
 * RATE_KEY, RATE_IP). ERR_LIMIT with why and why->retry_after_s. OK: *left
 * (may be NULL) as rates_take's. */
MUST_USE enum err auth_rate(struct auth *a, const struct identity *who,
                            struct problem_quota *left, struct problem *why);
/* The same for an attempt to sign in at a provider; RATE_IP counts, too. */
MUST_USE enum err auth_start(struct auth *a, const struct identity *who,
                             struct problem *why);

#endif
