/*
 * A published set of keys (JWKS). Its text is as strange as anything from
 * outside, though it comes from who is trusted: what is wrong with one key
 * leaves that key out, for issuers add kinds of keys that older readers do not
 * know (RFC 7517, section 5), and the rest serves on.
 *
 * A set is shared by all threads that check a token with it just now, while a
 * newer one may have taken its place: it counts who holds it. (libcjose's own
 * count is not safe between threads, and is not used.)
 */
#include "base/base.h"

#include "auth/jwk_impl.h"

#include <stdatomic.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define RSA_E_MAX 8 /* bytes of a public exponent; nearly all are 65537 */
#define P_MAX 66    /* bytes of a coordinate of P-521 */

struct jwk_set {
    atomic_uint held;
    size_t n;
    struct jwk *keys[JWK_KEYS_MAX]; /* owned */
};

/* --- public keys ---------------------------------------------------------- */

/* A number or coordinate of a key. */
static bool
get_bytes(const cJSON *o, const char *name, void *out, size_t *len)
{
    const char *s = json_str(o, name);

    return s != NULL && s[0] != '\0' &&
           jwk_unbase64url(out, len, s, strlen(s)) == OK;
}

static size_t
strip_zeroes(uint8_t **p, size_t n)
{
    while (n > 0 && **p == 0) {
        (*p)++;
        n--;
    }
    return n;
}

static size_t
bit_length(const uint8_t *p, size_t n)
{
    size_t bits = n * 8;

    for (unsigned top = p[0]; top < 0x80; top <<= 1)
        bits--;
    return bits;
}

/* An exponent of 1 would make every signature right; an even one, or an even
 * modulus, belongs to no RSA key. */
static bool
read_rsa(struct jwk *k, const cJSON *o)
{
    uint8_t n_room[JWK_RSA_MAX / 8 + 8], e_room[RSA_E_MAX + 8];
    uint8_t *n = n_room, *e = e_room;
    size_t n_len = sizeof(n_room), e_len = sizeof(e_room), bits;
    cjose_jwk_rsa_keyspec spec;

    if (!get_bytes(o, "n", n, &n_len) || !get_bytes(o, "e", e, &e_len))
        return false;
    n_len = strip_zeroes(&n, n_len); /* some write one before the number */
    e_len = strip_zeroes(&e, e_len);
    if (n_len == 0 || e_len == 0 || e_len > RSA_E_MAX)
        return false;
    bits = bit_length(n, n_len);
    if (bits < JWK_RSA_MIN || bits > JWK_RSA_MAX)
        return false;
    if (n[n_len - 1] % 2 == 0 || e[e_len - 1] % 2 == 0 ||
        (e_len == 1 && e[0] < 3))
        return false;
    memset(&spec, 0, sizeof(spec));
    spec.n = n;
    spec.nlen = n_len;
    spec.e = e;
    spec.elen = e_len;
    k->kind = JWK_RSA;
    k->size = n_len;
    k->key = cjose_jwk_create_RSA_spec(&spec, NULL);
    return k->key != NULL;
}

static bool
read_ec(struct jwk *k, const cJSON *o)
{
    static const struct {
        const char *name;
        enum jwk_kind kind;
        cjose_jwk_ec_curve crv;
        size_t len; /* bytes of a coordinate */
    } curves[] = {
        {"P-256", JWK_P256, CJOSE_JWK_EC_P_256, 32},
        {"P-384", JWK_P384, CJOSE_JWK_EC_P_384, 48},
        {"P-521", JWK_P521, CJOSE_JWK_EC_P_521, P_MAX},
    };
    const char *crv = json_str(o, "crv");
    uint8_t x[P_MAX], y[P_MAX];
    cjose_jwk_ec_keyspec spec;

    for (size_t i = 0; crv != NULL && i < COUNT_OF(curves); i++) {
        size_t x_len = sizeof(x), y_len = sizeof(y);

        if (strcmp(crv, curves[i].name) != 0)
            continue;
        if (!get_bytes(o, "x", x, &x_len) || !get_bytes(o, "y", y, &y_len) ||
            x_len != curves[i].len || y_len != curves[i].len)
            return false;
        memset(&spec, 0, sizeof(spec));
        spec.crv = curves[i].crv;
        spec.x = x;
        spec.xlen = x_len;
        spec.y = y;
        spec.ylen = y_len;
        k->kind = curves[i].kind;
        k->size = curves[i].len;
        k->key = cjose_jwk_create_EC_spec(&spec, NULL); /* on the curve? */
        return k->key != NULL;
    }
    return false;
}

/* --- may it be used? ------------------------------------------------------ */

static bool
has(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name) != NULL;
}

/* Published to check signatures with? */
static bool
is_for_signatures(const cJSON *o)
{
    const cJSON *ops = json_arr(o, "key_ops"), *op;
    const char *use = json_str(o, "use");

    if (has(o, "use") && (use == NULL || strcmp(use, "sig") != 0))
        return false;
    if (!has(o, "key_ops"))
        return true;
    cJSON_ArrayForEach(op, ops)
        if (cJSON_IsString(op) && strcmp(op->valuestring, "verify") == 0)
            return true;
    return false;
}

/* A private key, or a secret, that is published is nobody's any more. */
static bool
is_public(const cJSON *o)
{
    static const char *const private[] = {"d",  "p",  "q",   "dp",
                                          "dq", "qi", "oth", "k"};

    for (size_t i = 0; i < COUNT_OF(private); i++)
        if (has(o, private[i]))
            return false;
    return true;
}

static bool
read_names(struct jwk *k, const cJSON *o)
{
    const char *kid = json_str(o, "kid"), *alg = json_str(o, "alg");

    if ((has(o, "kid") && (kid == NULL || strlen(kid) > JWK_KID_MAX)) ||
        (has(o, "alg") && (alg == NULL || !jwk_alg_known(alg))))
        return false;
    (void)snprintf(k->kid, sizeof(k->kid), "%s", kid != NULL ? kid : "");
    (void)snprintf(k->alg, sizeof(k->alg), "%s", alg != NULL ? alg : "");
    return k->alg[0] == '\0' || jwk_takes(k, k->alg);
}

static struct jwk *
read_key(const cJSON *o)
{
    const char *kty = json_str(o, "kty");
    struct jwk *k;
    bool good;

    if (!cJSON_IsObject(o) || kty == NULL || !is_public(o) ||
        !is_for_signatures(o))
        return NULL;
    k = xcalloc(1, sizeof(*k));
    good = (strcmp(kty, "RSA") == 0 && read_rsa(k, o)) ||
           (strcmp(kty, "EC") == 0 && read_ec(k, o));
    if (good && read_names(k, o))
        return k;
    jwk_free(k);
    return NULL;
}

/* --- the set -------------------------------------------------------------- */

static bool
is_twin(const struct jwk_set *s, const struct jwk *k)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->keys[i]->kind == k->kind && k->kid[0] != '\0' &&
            strcmp(s->keys[i]->kid, k->kid) == 0 &&
            strcmp(s->keys[i]->alg, k->alg) == 0)
            return true;
    return false;
}

static enum err
bad(struct problem *why, const char *message)
{
    return problem_set(why, ERR_BADREQ, "bad_jwks",
                       "The set of keys cannot be used", "%s", message);
}

static size_t
read_keys(struct jwk_set *s, const cJSON *list)
{
    size_t skipped = 0;
    const cJSON *o;

    cJSON_ArrayForEach(o, list) {
        struct jwk *k = s->n < JWK_KEYS_MAX ? read_key(o) : NULL;

        if (k != NULL && !is_twin(s, k)) {
            s->keys[s->n++] = k;
            continue;
        }
        jwk_free(k);
        skipped++;
    }
    return skipped;
}

enum err
jwk_set_parse(struct jwk_set **out, const char *text, size_t n, size_t *skipped,
              struct problem *why)
{
    struct jwk_set *s;
    const cJSON *list;
    cJSON *root;
    size_t left_out;

    *out = NULL;
    if (n > JWK_SET_MAX)
        return bad(why, "It is too long.");
    if (json_parse(text, n, &root, NULL) != OK)
        return bad(why, "It is not valid JSON.");
    list = json_arr(root, "keys");
    if (list == NULL || (size_t)cJSON_GetArraySize(list) > JWK_KEYS_MAX) {
        cJSON_Delete(root);
        return bad(why, list == NULL ? "It has no list \"keys\"."
                                     : "It has too many keys.");
    }
    s = xcalloc(1, sizeof(*s));
    atomic_init(&s->held, 1);
    left_out = read_keys(s, list);
    cJSON_Delete(root);
    if (skipped != NULL)
        *skipped = left_out;
    if (s->n == 0) {
        jwk_set_drop(s);
        return bad(why, "It has no public RSA or EC key for signatures that "
                        "is long enough.");
    }
    *out = s;
    return OK;
}

struct jwk_set *
jwk_set_hold(struct jwk_set *s)
{
    (void)atomic_fetch_add(&s->held, 1);
    return s;
}

void
jwk_set_drop(struct jwk_set *s)
{
    if (s == NULL || atomic_fetch_sub(&s->held, 1) != 1)
        return;
    for (size_t i = 0; i < s->n; i++)
        jwk_free(s->keys[i]);
    free(s);
}

size_t
jwk_set_count(const struct jwk_set *s)
{
    return s->n;
}

const struct jwk *
jwk_set_find(const struct jwk_set *s, const char *kid, const char *alg)
{
    const struct jwk *found = NULL;

    for (size_t i = 0; i < s->n; i++) {
        const struct jwk *k = s->keys[i];

        if (!jwk_takes(k, alg) || (kid != NULL && strcmp(k->kid, kid) != 0))
            continue;
        if (found != NULL)
            return NULL; /* which one is meant is not said */
        found = k;
    }
    return found;
}
