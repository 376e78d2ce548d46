/*
 * A token, from its text to its claims.
 *
 * The order is the defence: first the form (bytes, dots, canonical base64url),
 * then the header, which only chooses among the keys that are there and the
 * algorithms that these are for, then the signature, and only then what the
 * token says (auth/jwt_claims.c). The claims of a token whose signature is
 * wrong are not even read, and nothing of any token comes back or goes to the
 * log.
 *
 * The header is read strictly here before libcjose reads it again: a member
 * that is there twice could mean one thing to one reader and another to the
 * other.
 */
#include "base/base.h"

#include "auth/jwt.h"

#include "auth/jwks.h"
#include "auth/jwt_claims.h"
#include "base/conf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

#define PART_MAX (JWT_TOKEN_MAX / 4 * 3) /* bytes of a decoded part */

/* --- the form ------------------------------------------------------------- */

struct part {
    uint8_t data[PART_MAX];
    size_t len;
};

struct token {
    const char *text;
    size_t len;
    struct part header, claims, sig;
};

static enum err
refuse(struct problem *why, const char *message)
{
    return problem_set(why, ERR_AUTH, "invalid_token", "The token is not valid",
                       "%s", message);
}

static bool
read_part(struct part *p, const char *from, const char *to)
{
    p->len = sizeof(p->data);
    return to > from &&
           jwk_unbase64url(p->data, &p->len, from, (size_t)(to - from)) == OK;
}

/* Three parts that are there; a dot more is in the third one, and no base64url.
 */
static bool
token_read(struct token *t, const char *text)
{
    size_t n = strnlen(text, JWT_TOKEN_MAX + 1);
    const char *end = text + n, *one, *two;

    if (n > JWT_TOKEN_MAX)
        return false;
    one = memchr(text, '.', n);
    two = one != NULL ? memchr(one + 1, '.', (size_t)(end - one - 1)) : NULL;
    if (two == NULL)
        return false;
    t->text = text;
    t->len = n;
    return read_part(&t->header, text, one) &&
           read_part(&t->claims, one + 1, two) &&
           read_part(&t->sig, two + 1, end);
}

bool
jwt_looks_like(const char *token)
{
    const char *dot = strchr(token, '.');

    return text_starts(token, "eyJ") ||
           (dot != NULL && strchr(dot + 1, '.') != NULL);
}

/* --- the header ----------------------------------------------------------- */

struct header {
    char alg[JWK_ALG_MAX + 1];
    char kid[JWK_KID_MAX + 1]; /* "": none */
};

/* What must not be there: each changes what the rest of the token means. */
static bool
has_extension(const cJSON *o)
{
    static const char *const names[] = {"crit", "b64", "zip", "cty", "enc"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (cJSON_GetObjectItemCaseSensitive(o, names[i]) != NULL)
            return true;
    return false;
}

/* Tokens of other uses (a logout, a proof of possession) name it here. */
static bool
is_typ_right(const cJSON *o)
{
    const cJSON *typ = cJSON_GetObjectItemCaseSensitive(o, "typ");

    return typ == NULL || (cJSON_IsString(typ) &&
                           (text_ieq(typ->valuestring, "JWT") ||
                            text_ieq(typ->valuestring, "at+jwt") ||
                            text_ieq(typ->valuestring, "application/at+jwt")));
}

static bool
header_take(struct header *h, const cJSON *o)
{
    const char *alg = json_str(o, "alg"), *kid = json_str(o, "kid");

    if (!cJSON_IsObject(o) || has_extension(o) || !is_typ_right(o) ||
        alg == NULL || !jwk_alg_known(alg))
        return false;
    if (cJSON_GetObjectItemCaseSensitive(o, "kid") != NULL &&
        (kid == NULL || kid[0] == '\0' || strlen(kid) > JWK_KID_MAX))
        return false;
    (void)snprintf(h->alg, sizeof(h->alg), "%s", alg);
    (void)snprintf(h->kid, sizeof(h->kid), "%s", kid != NULL ? kid : "");
    return true;
}

static bool
header_read(struct header *h, const struct part *p)
{
    cJSON *o = NULL;
    bool good = json_parse((const char *)p->data, p->len, &o, NULL) == OK &&
                header_take(h, o);

    cJSON_Delete(o);
    return good;
}

/* --- the signature -------------------------------------------------------- */

/* Which key it must be is said by the algorithm's kind: the secret is never
 * compared with what a public key is for, nor the other way round. */
static enum err
check_signature(const struct jwt_config *c, const struct token *t,
                const struct header *h, bool no_wait, struct problem *why)
{
    const struct jwk *key = c->secret;
    struct jwk_set *set = NULL;
    enum err e = OK;

    if (!jwk_alg_symmetric(h->alg)) {
        if (c->jwks == NULL)
            return refuse(why, "Its algorithm is not accepted.");
        e = jwks_find(c->jwks, h->kid[0] != '\0' ? h->kid : NULL, h->alg,
                      no_wait, &key, &set, why);
    } else if (key == NULL || !jwk_takes(key, h->alg)) {
        return refuse(why, "Its algorithm is not accepted.");
    }
    if (e == OK && !jwk_verify(key, h->alg, t->text, t->len, t->sig.len))
        e = refuse(why, "Its signature is wrong.");
    jwk_set_drop(set);
    return e;
}

/* --- the whole ------------------------------------------------------------ */

static enum err
check_token(const struct jwt_config *c, struct token *t, const char *text,
            int64_t now_ms, bool no_wait, struct jwt_claims *out,
            struct problem *why)
{
    struct header h;
    cJSON *o = NULL;
    enum err e;

    if (!token_read(t, text))
        return refuse(why, "It is no JSON Web Token in the compact form.");
    if (!header_read(&h, &t->header))
        return refuse(why, "Its header or its algorithm is not accepted.");
    e = check_signature(c, t, &h, no_wait, why);
    if (e != OK)
        return e;
    out->ours = jwk_alg_symmetric(h.alg);
    e = json_parse((const char *)t->claims.data, t->claims.len, &o, NULL) == OK
            ? jwt_claims_read(out, o, c, now_ms, why)
            : refuse(why, "Its claims are no valid JSON.");
    cJSON_Delete(o);
    return e;
}

enum err
jwt_check(const struct jwt_config *c, const char *token, int64_t now_ms,
          bool no_wait, struct jwt_claims *out, struct problem *why)
{
    struct token t;
    enum err e;

    memset(out, 0, sizeof(*out));
    e = check_token(c, &t, token, now_ms, no_wait, out, why);
    if (e != OK)
        memset(out, 0, sizeof(*out)); /* nobody takes half a token */
    return e;
}

/* --- settings ------------------------------------------------------------- */

static enum err
load_secret(struct jwt_config *c, struct problem *why)
{
    const char *secret = conf_str(CONF_JWT_SECRET);
    struct problem in = {.err = OK};

    if (secret[0] == '\0' ||
        jwk_secret_new(&c->secret, secret, strlen(secret), &in) == OK)
        return OK;
    return problem_set(why, in.err, in.code, in.error,
                       "JWT_SECRET (or SECRET_KEY): %s", in.message);
}

static enum err
load_jwks(struct jwt_config *c, struct fetcher *f, struct problem *why)
{
    const char *url = conf_str(CONF_JWKS_URL);
    const char *path = conf_str(CONF_JWKS_FILE);
    bool is_file = path[0] != '\0';
    struct problem in = {.err = OK};

    if (url[0] == '\0' && !is_file)
        return OK;
    if (url[0] != '\0' && is_file)
        return problem_set(why, ERR_BADREQ, "bad_jwks", NULL,
                           "JWKS_URL and JWKS_FILE: only one of them can be "
                           "set.");
    if (!is_file && f == NULL)
        return problem_set(why, ERR_BADREQ, "bad_jwks", NULL,
                           "JWKS_URL: nothing can be fetched here.");
    if (jwks_open(&c->jwks, is_file ? path : url, NULL, f, &in) == OK)
        return OK;
    return problem_set(why, in.err, in.code, in.error, "%s: %s",
                       is_file ? "JWKS_FILE" : "JWKS_URL", in.message);
}

/* An issuer makes tokens for others as well, which they could use here. */
static void
warn_open(const struct jwt_config *c)
{
    if (c->jwks != NULL && c->issuer[0] == '\0')
        log_warn("auth.tokens", "setting=JWT_ISSUER reason=\"not set: a token "
                                "of any issuer with these keys is taken\"");
    if (c->jwks != NULL && c->audience[0] == '\0')
        log_warn("auth.tokens", "setting=JWT_AUDIENCE reason=\"not set: tokens "
                                "that are for others are taken\"");
}

enum err
jwt_config_load(struct jwt_config *c, struct fetcher *f, struct problem *why)
{
    enum err e;

    memset(c, 0, sizeof(*c));
    c->issuer = conf_str(CONF_JWT_ISSUER);
    c->audience = conf_str(CONF_JWT_AUDIENCE);
    e = load_secret(c, why);
    if (e == OK)
        e = load_jwks(c, f, why);
    if (e != OK)
        jwt_config_release(c);
    else
        warn_open(c);
    return e;
}

void
jwt_config_release(struct jwt_config *c)
{
    jwk_free(c->secret);
    jwks_close(c->jwks);
    memset(c, 0, sizeof(*c));
}

bool
jwt_config_on(const struct jwt_config *c)
{
    return c->secret != NULL || c->jwks != NULL;
}
