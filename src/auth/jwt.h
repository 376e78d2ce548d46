/*
 * JSON Web Tokens (RFC 7519) in the compact form of RFC 7515: is one signed by
 * whom we trust, meant for us, and in its time?
 *
 * Which key: HS256, HS384 and HS512 are checked with the secret alone; RS, PS
 * and ES alone with a key of the issuer's set that the header's kid names (no
 * kid: the only one for that algorithm). The key decides: see auth/jwk.h. What
 * a header says of keys itself (jwk, jku, x5u, x5c, x5t) is never used.
 *
 * Refused: alg none, in any case; anything that is not three parts of canonical
 * base64url with two dots between; crit, b64, zip, cty and enc (extensions,
 * nested and encrypted tokens); a typ that is neither JWT nor at+jwt; header or
 * claims that are no JSON object, not UTF-8, or have a member twice; more than
 * JWT_TOKEN_MAX bytes.
 *
 * Claims: exp must be there and not be over, nbf and iat must not be ahead,
 * each with JWT_LEEWAY_S for clocks that differ; they are numbers, perhaps with
 * a fraction. iss is exactly the one that is set, aud is or contains it. sub is
 * a text that is not empty, of JWT_SUB_MAX bytes at most, without control
 * characters.
 *
 * What the owner may do (enum may):
 *   role, roles   a text or a list of texts: "admin" is everything, "user" is
 *                 reading and writing, "read-only" (readonly, read_only,
 *                 viewer) is reading; of several the most; else: user
 *   scope, scp    a text with spaces, or a list of texts: "read", "write" (with
 *                 reading) and "admin", each perhaps behind "parley:". If any
 *                 of these is there, no more than they say is left of the
 *                 above. In a token of our own that has no role, "admin" is
 *                 one.
 */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include "auth/identity.h"
#include "auth/jwk.h"

#define JWT_TOKEN_MAX 8192 /* bytes of a token */
#define JWT_LEEWAY_S 60    /* seconds that clocks may differ */
#define JWT_SUB_MAX 255    /* bytes; OpenID Connect has the same */
#define JWT_ISS_MAX 512    /* bytes */
#define JWT_AUD_MAX 64     /* audiences of a token */
#define JWT_ID_MAX \
    128 /* bytes of jti, nonce, azp, sid; longer ones do not
                              count as there */

struct jwks;    /* auth/jwks.h */
struct fetcher; /* auth/fetch.h */

/* Whom we trust. jwt_config_load fills it, or a caller does. */
struct jwt_config {
    struct jwk *secret;   /* NULL: no token of our own */
    struct jwks *jwks;    /* NULL: no token of others */
    const char *issuer;   /* "" or NULL: any, or none */
    const char *audience; /* likewise */
};

struct jwt_claims {
    char sub[JWT_SUB_MAX + 1];
    char iss[JWT_ISS_MAX + 1]; /* "" */
    char
        name[IDENTITY_NAME_MAX + 1]; /* name, preferred_username or email; "" */
    char jti[JWT_ID_MAX + 1];        /* "" */
    char nonce[JWT_ID_MAX + 1];      /* "" */
    char azp[JWT_ID_MAX + 1];        /* "" */
    char sid[JWT_ID_MAX + 1];        /* "" */
    size_t n_aud;                    /* how many audiences it has */
    unsigned may;                    /* enum may */
    int64_t iat_ms;                  /* 0: it does not say */
    int64_t exp_ms;
    bool ours; /* signed with our secret */
};

/* JWT_SECRET (or SECRET_KEY), JWKS_URL, JWT_ISSUER, JWT_AUDIENCE. ERR_BADREQ: a
 * secret that is too short, a file without keys; why says which setting.
 * Strings of base/conf are borrowed. f may be NULL: then a JWKS_URL that is no
 * file is ERR_BADREQ. */
MUST_USE enum err jwt_config_load(struct jwt_config *c, struct fetcher *f,
                                  struct problem *why);
/* Frees the keys and clears it. After fetcher_stop. */
void jwt_config_release(struct jwt_config *c);
/* Is there any key to check tokens with? */
bool jwt_config_on(const struct jwt_config *c);

/* Is it meant as such a token, good or not: does it begin as most do, or have
 * two dots? For who finds other things in the same place. */
bool jwt_looks_like(const char *token);

/* now_ms: wall clock. Else why is filled: ERR_AUTH (token_expired: it is over;
 * invalid_token: all else), ERR_BUSY (the issuer's keys cannot be had just
 * now). no_wait: ERR_AGAIN, why not filled, if a fetch had to be waited for.
 * out is empty unless OK. Any thread; many at once. */
MUST_USE enum err jwt_check(const struct jwt_config *c, const char *token,
                            int64_t now_ms, bool no_wait,
                            struct jwt_claims *out, struct problem *why);

#endif
