/*
 * Tokens of OAuth2 clients that sessions have left (RFC 6749 section 4.4): they
 * are fetched when a session signs in and when one is wanted, kept in the box
 * of credentials (auth/credentials.h) as long as the login itself, and renewed
 * before they end. Nobody but who asks for one is given it.
 *
 * For one login of a session one request is under way at a time, and whoever
 * wants its token meanwhile waits for the same. Token servers are called
 * guarded (upstream/transfer.h), within a time, and no redirect is followed.
 * Loop thread only.
 */
#ifndef AUTH_OAUTH2_H
#define AUTH_OAUTH2_H

#include "auth/credentials.h"
#include "upstream/transfer.h"

#define OAUTH2_FETCHES_MAX 64 /* requests at once */
#define OAUTH2_TOTAL_MS 10000 /* of a request, at most */
/* Before its end a token is renewed, or when a tenth of its life is left if
 * that is less. */
#define OAUTH2_EARLY_MS 60000

struct oauth2;
struct oauth2_config {
    struct loop *loop;
    struct transfers *transfers;
    struct credentials_box *box;
    const char *hosts;             /* that may be called: see guard_url */
    struct transfer_limits limits; /* OAUTH2_TOTAL_MS bounds each of them */
};

/* All of c is borrowed, but limits. */
struct oauth2 *oauth2_new(const struct oauth2_config *c);
/* Nobody is called back any more. NULL is fine. */
void oauth2_free(struct oauth2 *o);

/* Somebody who waits; embed it, zeroed, with fn and arg set. fn is called once
 * unless it was cancelled: with the token (borrowed until it returns), or with
 * NULL and why. */
struct oauth2_fetch;
struct oauth2_wait;
typedef void oauth2_fn(struct oauth2_wait *w, const char *token,
                       const struct problem *why);
struct oauth2_wait {
    struct oauth2_wait *prev, *next; /* the fetch's */
    struct oauth2_fetch *fetch;      /* NULL: it does not wait */
    oauth2_fn *fn;
    void *arg;
};
/* fn is not called any more; a request that nobody waits for is broken off.
 * Fine for one that does not wait. */
void oauth2_wait_cancel(struct oauth2_wait *w);

/* Sign a session in with a login (of kind OAUTH2, and checked): fetch a token
 * and, if that went well, keep both in place of what the session had. The same
 * login as before with a token that is still good is not asked about again.
 * Takes *c and makes it NULL. OK: done; ERR_AGAIN: w is called when it is; else
 * why says why not, and the session has what it had. */
MUST_USE enum err oauth2_sign_in(struct oauth2 *o, const char *owner,
                                 const char *session_id, struct credentials **c,
                                 struct oauth2_wait *w, struct problem *why);

/* The token of a session that is signed in. OK: *token is the caller's, who
 * overwrites it; ERR_AGAIN: w is called; ERR_NOTFOUND: it has no OAuth2 login;
 * else why says why not. */
MUST_USE enum err oauth2_bearer(struct oauth2 *o, const char *owner,
                                const char *session_id, char **token,
                                struct oauth2_wait *w, struct problem *why);

/* What the session has is not the box's any more, or is another: requests for
 * it are broken off, and who waits is told (ERR_CONFLICT, with this
 * sentence). */
void oauth2_forget(struct oauth2 *o, const char *owner, const char *session_id,
                   const char *sentence);

#endif
