/*
 * What else is asked of an ID token, beside what is asked of every token
 * (auth/jwt.h): OpenID Connect Core 1.0, sections 3.1.3.7 and 3.1.3.8. Pure;
 * any thread. For auth/oidc.c and tests.
 */
#ifndef AUTH_OIDC_ID_H
#define AUTH_OIDC_ID_H

#include "auth/identity.h"

struct jwt_claims; /* auth/jwt.h */

/* What it must say. Borrowed. */
struct oidc_want {
    const char *client_id, *nonce;
    const char *access_token; /* NULL: none was given */
    const char *admin_claim;  /* "name=value" or "name"; "": none */
};

/* A token that jwt_check found good, with the claims that it gave. *admin: the
 * admin claim is there. ERR_AUTH token_invalid with why, the sentence of which
 * is for the log. */
MUST_USE enum err oidc_id_check(const char *token, const struct jwt_claims *c,
                                const struct oidc_want *want, bool *admin,
                                struct problem *why);

/* A name from a reply of the userinfo endpoint, which has to be of this
 * subject (section 5.3.2). False: there is none. */
bool oidc_id_userinfo(const char *p, size_t n, const char *sub,
                      char name[IDENTITY_NAME_MAX + 1]);

#endif
