/*
 * What is said to an OpenID provider and what it says, as bytes: OpenID Connect
 * Core 1.0 and Discovery 1.0, the code flow with PKCE (RFC 7636, S256), the
 * issuer in the response (RFC 9207). Pure; any thread. For auth/oidc.c and
 * tests.
 *
 * Codes of problems are what the page is told (?login_error=): access_denied,
 * login_expired, provider_failed, provider_refused, token_invalid.
 */
#ifndef AUTH_OIDC_WIRE_H
#define AUTH_OIDC_WIRE_H

#include "auth/oidc.h"
#include "base/buf.h"

#define OIDC_URL_MAX 1000           /* bytes of a URL that a provider names */
#define OIDC_REPLY_MAX (128 * 1024) /* bytes of a reply */
#define OIDC_TOKEN_MAX (64 * 1024)  /* bytes of one token */
#define OIDC_CODE_MAX 4096          /* bytes of an authorization code */
#define OIDC_RANDOM_LEN 43          /* characters: 256 bits as base64url */
#define OIDC_LOCATION_MAX 6000      /* bytes of a URL that we make */

/* Who we are to the provider. Borrowed. */
struct oidc_client {
    const char *issuer; /* as it writes itself */
    const char *id;
    const char *secret; /* "": a public client */
    const char *scopes; /* with spaces between; "openid" is one of them */
};

/* Where the client's secret is shown. */
enum oidc_secret { OIDC_SECRET_HEADER, OIDC_SECRET_FORM };

/* What a discovery document says. "": it has none. */
struct oidc_provider {
    char authorization[OIDC_URL_MAX + 1];
    char token[OIDC_URL_MAX + 1];
    char jwks[OIDC_URL_MAX + 1];
    char userinfo[OIDC_URL_MAX + 1];
    char end_session[OIDC_URL_MAX + 1];
    enum oidc_secret secret;
    bool says_issuer; /* in each response */
};

/* A URL without user, fragment, white space or odd characters, that is https
 * or, where `plain` allows it, http of this machine. */
bool oidc_url_ok(const char *url, bool plain);
/* Is it http? (Then oidc_url_ok has seen that it is this machine's.) */
bool oidc_url_plain(const char *url);

/* 256 random bits as base64url; what PKCE makes of a verifier. */
void oidc_random(char out[OIDC_RANDOM_LEN + 1]);
bool oidc_random_ok(const char *s); /* of that form? NULL is not */
void oidc_challenge(char out[OIDC_RANDOM_LEN + 1], const char *verifier);

/* Where the document of an issuer is. */
void oidc_discovery_url(struct buf *out, const char *issuer);
/* Read it. ERR_UPSTREAM: it is another issuer's, or lacks what is needed; the
 * sentence of why is for the log. */
MUST_USE enum err oidc_discovery_read(const char *issuer, const char *p,
                                      size_t n, struct oidc_provider *out,
                                      struct problem *why);

/* What goes to and comes back from the provider through the browser. */
struct oidc_ask {
    const char *redirect_uri, *state, *nonce, *verifier;
};
void oidc_authorize_url(struct buf *out, const struct oidc_provider *p,
                        const struct oidc_client *c, const struct oidc_ask *a);
/* Is it an answer with a code, by the issuer that was asked? ERR_AUTH with
 * why: an error that the provider says, or a response of somebody else. */
MUST_USE enum err oidc_answer_check(const struct oidc_provider *p,
                                    const char *issuer,
                                    const struct oidc_answer *a,
                                    struct problem *why);

/* A request for tokens; release overwrites it. */
struct oidc_form {
    struct buf body;     /* of application/x-www-form-urlencoded */
    char *authorization; /* owned; value of the header; NULL: none */
};
void oidc_form_make(struct oidc_form *f, const struct oidc_provider *p,
                    const struct oidc_client *c, const struct oidc_ask *a,
                    const char *code);
void oidc_form_release(struct oidc_form *f);

/* Owned; release overwrites them. */
struct oidc_tokens {
    char *id;     /* the ID token, not checked yet */
    char *access; /* NULL: none that a header could hold */
};
/* Read the reply to it. out is always filled, and released by the caller.
 * ERR_AUTH: it refuses the code; ERR_UPSTREAM: anything else. Sentences have
 * nothing of the reply in them. */
MUST_USE enum err oidc_tokens_read(int status, const char *p, size_t n,
                                   struct oidc_tokens *out,
                                   struct problem *why);
void oidc_tokens_release(struct oidc_tokens *t);

/* Where the browser can end its session at the provider, and come back from to
 * `back`. Nothing is added if the provider has no such place. */
void oidc_wire_logout(struct buf *out, const struct oidc_provider *p,
                      const struct oidc_client *c, const char *back);

#endif
