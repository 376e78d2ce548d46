/*
 * One key, what it may be used for, and the one place where libcjose checks a
 * signature.
 *
 * libcjose reads the header of the token itself and does what it says there
 * with the key it is given. So nothing comes this far but a token whose
 * header says what the table has for the kind of this key: a public key never
 * becomes the secret of an HMAC. The secret is imported as bytes, public keys
 * are built from their numbers (auth/jwk_set.c), and no text of a key is ever
 * given to libcjose to find out what it is.
 */
#include "base/base.h"

#include "auth/jwk_impl.h"

#include <cjose/jws.h>

#include "base/mem.h"
#include "base/text.h"

struct alg {
    const char *name;
    enum jwk_kind kind;
    size_t secret_min; /* bytes; 0: no secret */
    size_t sig_len;    /* bytes; 0: as long as the key */
};

static const struct alg algs[] = {
    {"HS256", JWK_SECRET, 32, 32}, {"HS384", JWK_SECRET, 48, 48},
    {"HS512", JWK_SECRET, 64, 64}, {"RS256", JWK_RSA, 0, 0},
    {"RS384", JWK_RSA, 0, 0},      {"RS512", JWK_RSA, 0, 0},
    {"PS256", JWK_RSA, 0, 0},      {"PS384", JWK_RSA, 0, 0},
    {"PS512", JWK_RSA, 0, 0},      {"ES256", JWK_P256, 0, 64},
    {"ES384", JWK_P384, 0, 96},    {"ES512", JWK_P521, 0, 132},
};

static const struct alg *
alg_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(algs); i++)
        if (strcmp(algs[i].name, name) == 0)
            return &algs[i];
    return NULL;
}

bool
jwk_alg_known(const char *alg)
{
    return alg_find(alg) != NULL;
}

bool
jwk_alg_symmetric(const char *alg)
{
    const struct alg *a = alg_find(alg);

    return a != NULL && a->kind == JWK_SECRET;
}

/* --- a key ---------------------------------------------------------------- */

enum err
jwk_secret_new(struct jwk **out, const void *secret, size_t n,
               struct problem *why)
{
    struct jwk *k;

    *out = NULL;
    if (n < JWK_SECRET_MIN || n > JWK_SECRET_MAX)
        return problem_set(why, ERR_BADREQ, "bad_secret",
                           "The secret of tokens is not of the right length",
                           "It has %zu bytes; %d to %d are needed. One is made "
                           "by: openssl rand -hex 32",
                           n, JWK_SECRET_MIN, JWK_SECRET_MAX);
    k = xcalloc(1, sizeof(*k));
    k->kind = JWK_SECRET;
    k->size = n;
    k->key = cjose_jwk_create_oct_spec(secret, n, NULL);
    if (k->key == NULL) {
        jwk_free(k);
        return problem_set(why, ERR_INTERNAL, NULL, NULL, NULL);
    }
    *out = k;
    return OK;
}

void
jwk_free(struct jwk *k)
{
    if (k == NULL)
        return;
    if (k->key != NULL)
        (void)cjose_jwk_release(k->key);
    free(k);
}

enum jwk_kind
jwk_kind(const struct jwk *k)
{
    return k->kind;
}

bool
jwk_takes(const struct jwk *k, const char *alg)
{
    const struct alg *a = alg_find(alg);

    return a != NULL && a->kind == k->kind &&
           (k->kind != JWK_SECRET || k->size >= a->secret_min) &&
           (k->alg[0] == '\0' || strcmp(k->alg, alg) == 0);
}

/* Did libcjose read the same algorithm from the header as we did? */
static bool
same_alg(cjose_jws_t *jws, const char *alg)
{
    const char *its = cjose_header_get(cjose_jws_get_protected(jws),
                                       CJOSE_HDR_ALG, NULL);

    return its != NULL && strcmp(its, alg) == 0;
}

bool
jwk_verify(const struct jwk *k, const char *alg, const char *token, size_t n,
           size_t sig_len)
{
    const struct alg *a = alg_find(alg);
    cjose_jws_t *jws;
    bool right;

    if (!jwk_takes(k, alg) ||
        sig_len != (a->sig_len > 0 ? a->sig_len : k->size))
        return false;
    jws = cjose_jws_import(token, n, NULL);
    if (jws == NULL)
        return false;
    right = same_alg(jws, alg) && cjose_jws_verify(jws, k->key, NULL);
    cjose_jws_release(jws);
    return right;
}

/* --- base64url ------------------------------------------------------------ */

enum err
jwk_unbase64url(void *out, size_t *len, const char *s, size_t n)
{
    uint8_t *to = out;
    uint32_t bits = 0;
    unsigned n_bits = 0;

    if (n % 4 == 1 || n / 4 * 3 + n % 4 * 3 / 4 > *len)
        return ERR_BADREQ;
    for (size_t i = 0; i < n; i++) {
        int d = text_base64url_value(s[i]);

        if (d < 0)
            return ERR_BADREQ;
        bits = bits << 6 | (uint32_t)d;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            *to++ = (uint8_t)(bits >> n_bits);
            bits &= (1U << n_bits) - 1;
        }
    }
    if (bits != 0) /* another text would mean the same bytes */
        return ERR_BADREQ;
    *len = (size_t)(to - (uint8_t *)out);
    return OK;
}
