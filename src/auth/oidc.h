/*
 * Signing in at an OpenID provider (OpenID Connect Core 1.0): any one that can
 * be discovered, by the code flow with PKCE (RFC 7636), a state that is bound
 * to the browser, a nonce, and the issuer in the response (RFC 9207, RFC 9700).
 *
 *   oidc_begin    the browser is sent to the provider
 *   oidc_finish   it comes back with a code, which is changed for an ID token
 *
 * The ID token is checked as every token (auth/jwt.h) against the provider's
 * keys; besides, its audience must be us, its nonce the one of this attempt,
 * and its at_hash, if there is one, that of the access token. The access token
 * is used at most once, to ask for a name, and no token is kept.
 *
 * What the provider says of itself is fetched when it is needed first and again
 * when it is OIDC_AGE_MS old; if that fails the old one stays, up to
 * OIDC_OLD_MS.
 *
 * Codes of problems are what the page may be told: access_denied,
 * login_expired, login_foreign, provider_failed (it cannot be reached, or is
 * not understood), provider_refused, token_invalid, server_busy, server_error.
 * What was found goes to the log, without anything secret.
 *
 * Any thread that may wait (fetch_wait, the store); many at once.
 */
#ifndef AUTH_OIDC_H
#define AUTH_OIDC_H

#include "auth/identity.h"

#define OIDC_NEXT_MAX 1000               /* bytes of a path to go back to */
#define OIDC_BROWSER_LEN 43              /* characters of the cookie's value */
#define OIDC_ATTEMPT_MS (10 * 60 * 1000) /* for the way there and back */
#define OIDC_AGE_MS (60 * 60 * 1000)
#define OIDC_OLD_MS (24 * 60 * 60 * 1000)
#define OIDC_RETRY_MS 5000 /* after a failed discovery */

struct fetcher; /* auth/fetch.h */
struct oidc;

struct oidc_config {
    struct store *store;     /* borrowed */
    struct fetcher *fetcher; /* likewise */
    const char *issuer, *client_id;
    const char *client_secret; /* "": a public client */
    const char *scopes, *name; /* name: to be shown; "": the issuer's host */
    const char *admin_claim; /* "groups=admins": who is an administrator; "" */
};
/* From OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_SCOPES, OIDC_NAME
 * and OIDC_ADMIN_CLAIM. OK with *out NULL: nothing is set, so there is no such
 * way in. ERR_BADREQ: they do not fit together; why says which. */
MUST_USE enum err oidc_open(struct oidc **out, struct store *s,
                            struct fetcher *f, struct problem *why);
/* The same with settings given, which are copied. */
MUST_USE enum err oidc_new(struct oidc **out, const struct oidc_config *c,
                           struct problem *why);
/* Nobody waits in it any more. After fetcher_stop. NULL is fine. */
void oidc_free(struct oidc *o);

/* What a button that begins it says. */
const char *oidc_name(const struct oidc *o);

/* A new value for the browser's cookie; is one of that form? (NULL is not.) */
void oidc_browser_make(char out[OIDC_BROWSER_LEN + 1]);
bool oidc_browser_ok(const char *value);

/* May the browser be sent to this path after signing in? It begins with base
 * and a slash, stays below it (no "..", however it is written) and on this
 * host, and has nothing that browsers read in a way of their own. */
bool oidc_next_ok(const char *next, const char *base);
/* next with login_error=code added to its query. */
void oidc_next_error(struct buf *out, const char *next, const char *code);
/* May the provider be told to send the browser to this URL: https, or http of
 * any host (inside a network there may be no TLS), of bounded length? */
bool oidc_redirect_ok(const char *url);

/* Begin: the URL of the provider that the browser goes to is put into location.
 * redirect_uri: ours, where it comes back to; next: oidc_next_ok. Else why. */
MUST_USE enum err oidc_begin(struct oidc *o, const char *redirect_uri,
                             const char *next, const char *browser,
                             int64_t now_ms, struct buf *location,
                             struct problem *why);

/* The arguments that came back; NULL: not there. Borrowed. */
struct oidc_answer {
    const char *code, *state, *error, *issuer;
};
/* Who has signed in. */
struct oidc_person {
    char owner[STORE_OWNER_MAX + 1];
    char name[IDENTITY_NAME_MAX + 1]; /* the subject, if it has no better */
    unsigned may;                     /* MAY_USER, and MAY_ADMIN by the claim */
    char next[OIDC_NEXT_MAX + 1];     /* also where it fails; "": not known */
};
/* Go on with the attempt of this state and browser (its cookie, or NULL), once.
 * Else why: ERR_AUTH or one of what fetch_wait and the store have. */
MUST_USE enum err oidc_finish(struct oidc *o, const struct oidc_answer *a,
                              const char *browser, int64_t now_ms,
                              struct oidc_person *out, struct problem *why);

/* Where the browser can end its session at the provider too, and comes back
 * from to the URL `back`. Nothing is put if the provider has no such place or
 * has not been spoken to yet. Never waits. */
void oidc_logout_url(struct oidc *o, const char *back, struct buf *out);

#endif
