/*
 * An ID token is for one client, one attempt and one access token. Its
 * signature, issuer, audience and time are known to be right when it comes
 * here; the rest of what Core 1.0 wants is looked at, from the very bytes that
 * were signed.
 */
#include "base/base.h"

#include "auth/oidc_id.h"

#include <openssl/evp.h>

#include "auth/jwk.h"
#include "auth/jwt.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define HASH_MAX 64 /* bytes of SHA-512 */

static enum err
invalid(struct problem *why, const char *message)
{
    return problem_set(why, ERR_AUTH, "token_invalid", "Signing in failed",
                       "%s", message);
}

/* One of the parts of a compact token, as JSON: 0 is the header, 1 are the
 * claims. NULL: it is not. */
static cJSON *
part(const char *token, int which)
{
    size_t n, len;
    cJSON *o = NULL;
    char *bytes;

    for (; which > 0; which--) {
        token = strchr(token, '.');
        if (token == NULL)
            return NULL;
        token++;
    }
    len = n = strcspn(token, ".");
    bytes = xmalloc(n + 1);
    if (jwk_unbase64url(bytes, &len, token, n) != OK ||
        json_parse(bytes, len, &o, NULL) != OK)
        o = NULL;
    free(bytes);
    return o;
}

/* The left half of the hash that belongs to the algorithm of the signature;
 * false: it is not known. */
static bool
half_hash(const char *alg, const char *s, uint8_t out[HASH_MAX], size_t *half)
{
    size_t n = strlen(alg);
    const EVP_MD *md = NULL;
    unsigned len = 0;

    if (n == 5 && strcmp(alg + 2, "256") == 0)
        md = EVP_sha256();
    else if (n == 5 && strcmp(alg + 2, "384") == 0)
        md = EVP_sha384();
    else if (n == 5 && strcmp(alg + 2, "512") == 0)
        md = EVP_sha512();
    if (md == NULL || EVP_Digest(s, strlen(s), out, &len, md, NULL) != 1)
        return false;
    *half = len / 2;
    return true;
}

/* Is this hash of ours, written in base64url? */
static bool
hash_ok(const char *alg, const char *token, const char *says)
{
    uint8_t want[HASH_MAX], got[HASH_MAX];
    size_t half, len = sizeof(got);

    return half_hash(alg, token, want, &half) &&
           jwk_unbase64url(got, &len, says, strlen(says)) == OK &&
           len == half && digest_equal(want, got, half);
}

static enum err
check_access(const cJSON *header, const cJSON *claims, const char *access,
             struct problem *why)
{
    const cJSON *hash = cJSON_GetObjectItemCaseSensitive(claims, "at_hash");
    const char *alg = json_str(header, "alg");

    if (hash == NULL)
        return OK;
    if (access == NULL || alg == NULL || !cJSON_IsString(hash) ||
        !hash_ok(alg, access, hash->valuestring))
        return invalid(why, "Its at_hash is not that of the access token.");
    return OK;
}

static bool
item_is(const cJSON *v, const char *value)
{
    return cJSON_IsString(v) && strcmp(v->valuestring, value) == 0;
}

/* "groups=admins": the claim is that text, or a list that has it; "is_admin":
 * it is true. */
static bool
has_claim(const cJSON *claims, const char *wish)
{
    const char *value = strchr(wish, '=');
    const cJSON *v, *item;
    char name[128];

    if (snprintf(name, sizeof(name), "%.*s", (int)strcspn(wish, "="), wish) >=
            (int)sizeof(name) ||
        *name == '\0')
        return false;
    v = cJSON_GetObjectItemCaseSensitive(claims, name);
    if (value == NULL)
        return cJSON_IsTrue(v);
    if (item_is(v, value + 1))
        return true;
    for (item = cJSON_IsArray(v) ? v->child : NULL; item; item = item->next)
        if (item_is(item, value + 1))
            return true;
    return false;
}

enum err
oidc_id_check(const char *token, const struct jwt_claims *c,
              const struct oidc_want *want, bool *admin, struct problem *why)
{
    cJSON *header, *claims;
    enum err e;

    *admin = false;
    if (strcmp(c->nonce, want->nonce) != 0)
        return invalid(why, "Its nonce is not that of this attempt.");
    if (c->iat_ms == 0)
        return invalid(why, "It does not say when it was issued.");
    header = part(token, 0);
    claims = part(token, 1);
    if (header == NULL || claims == NULL)
        e = invalid(why, "It cannot be read.");
    else if (c->n_aud > 1 && *c->azp == '\0')
        e = invalid(why, "It is for several, and does not say (azp) for whom.");
    else if (cJSON_GetObjectItemCaseSensitive(claims, "azp") != NULL &&
             strcmp(c->azp, want->client_id) != 0)
        e = invalid(why, "It was made for another client (azp).");
    else
        e = check_access(header, claims, want->access_token, why);
    if (e == OK)
        *admin = has_claim(claims, want->admin_claim);
    cJSON_Delete(header);
    cJSON_Delete(claims);
    return e;
}

bool
oidc_id_userinfo(const char *p, size_t n, const char *sub,
                 char name[IDENTITY_NAME_MAX + 1])
{
    static const char *const names[] = {"name", "preferred_username", "email"};
    const char *s = NULL;
    cJSON *o = NULL;

    *name = '\0';
    if (json_parse(p, n, &o, NULL) != OK)
        return false;
    if (json_str(o, "sub") != NULL && strcmp(json_str(o, "sub"), sub) == 0)
        for (size_t i = 0; i < COUNT_OF(names) && s == NULL; i++) {
            s = json_str(o, names[i]);
            if (s != NULL && text_blank(s, strlen(s)))
                s = NULL;
        }
    text_show(name, IDENTITY_NAME_MAX + 1, s);
    cJSON_Delete(o);
    return *name != '\0';
}
