/*
 * Keys that signatures are checked with (RFC 7517, RFC 7518), by libcjose. The
 * key decides what it is used for: a table has the algorithms of each kind, and
 * a token whose header names another one is not looked at.
 *
 *   secret of 32, 48, 64 bytes or more   HS256, HS384, HS512
 *   RSA of 2048 to 8192 bits             RS256 RS384 RS512 PS256 PS384 PS512
 *   EC P-256, P-384, P-521               ES256, ES384, ES512
 *
 * A published set (JWKS) has public keys alone: what is symmetric, private, too
 * short, not for signatures, or of a kind that is not known is left out. Keys
 * are constant once made: any thread.
 */
#ifndef AUTH_JWK_H
#define AUTH_JWK_H

#include "base/base.h"

#define JWK_SECRET_MIN 32        /* bytes; RFC 7518, section 3.2 */
#define JWK_SECRET_MAX 4096      /* bytes */
#define JWK_RSA_MIN 2048         /* bits */
#define JWK_RSA_MAX 8192         /* bits */
#define JWK_KID_MAX 255          /* bytes of a key's name */
#define JWK_KEYS_MAX 64          /* keys of a set */
#define JWK_SET_MAX (256 * 1024) /* bytes of a set's text */
#define JWK_ALG_MAX 5            /* characters of an algorithm's name */

enum jwk_kind { JWK_SECRET, JWK_RSA, JWK_P256, JWK_P384, JWK_P521 };

struct jwk; /* one key */

/* Is it an algorithm of the table, and does it need the secret? */
bool jwk_alg_known(const char *alg);
bool jwk_alg_symmetric(const char *alg);

/* The secret that tokens of our own are signed with. ERR_BADREQ: too short or
 * too long; why says the lengths, never the secret. */
MUST_USE enum err jwk_secret_new(struct jwk **out, const void *secret, size_t n,
                                 struct problem *why);
void jwk_free(struct jwk *k); /* NULL is fine */
enum jwk_kind jwk_kind(const struct jwk *k);
/* Is the key for this algorithm? */
bool jwk_takes(const struct jwk *k, const char *alg);
/* Is the signature of a compact token right? The token is known to be well
 * formed (auth/jwt.h), alg is what its header says, sig_len the bytes of its
 * signature. */
bool jwk_verify(const struct jwk *k, const char *alg, const char *token,
                size_t n, size_t sig_len);

/* A set of public keys, shared by those who hold it. */
struct jwk_set;
/* ERR_BADREQ: no JSON of that form, or no key in it that may be used; why says
 * what. skipped (may be NULL): keys that were left out. The caller holds it
 * once. */
MUST_USE enum err jwk_set_parse(struct jwk_set **out, const char *text,
                                size_t n, size_t *skipped, struct problem *why);
struct jwk_set *jwk_set_hold(struct jwk_set *s);
void jwk_set_drop(struct jwk_set *s); /* NULL is fine */
size_t jwk_set_count(const struct jwk_set *s);
/* The key of this name for this algorithm. kid NULL: the only one for it. NULL:
 * there is none. Lives as long as the set. */
const struct jwk *jwk_set_find(const struct jwk_set *s, const char *kid,
                               const char *alg);

/* The bytes of base64url as JOSE has it: no padding, no white space, no bit set
 * that means nothing (RFC 7515, section 2). *len: room in out, then the bytes
 * there. ERR_BADREQ. */
MUST_USE enum err jwk_unbase64url(void *out, size_t *len, const char *s,
                                  size_t n);

#endif
