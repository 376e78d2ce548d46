/*
 * Fuzzes auth/jwk_set.c: a published set of keys. Whatever a set holds, its
 * keys are public ones, are found only for the algorithms of their kind, and
 * can be asked for a signature.
 */
#include "base/base.h"

#include "auth/jwk.h"

/* RFC 7515, A.2 and A.3, but for their claims. */
#define RSA_TOKEN                                                              \
    "eyJhbGciOiJSUzI1NiJ9.e30"                                                 \
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4" \
    "Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_n" \
    "ZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_" \
    "dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np" \
    "6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define EC_TOKEN                                                               \
    "eyJhbGciOiJFUzI1NiJ9.e30"                                                 \
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfK" \
    "TUJqPP3-Kg6NU1Q"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_key(const struct jwk *k, const char *alg)
{
    if (k == NULL)
        return;
    assert(jwk_takes(k, alg) && jwk_kind(k) != JWK_SECRET);
    if (strcmp(alg, "RS256") == 0)
        assert(!jwk_verify(k, alg, RSA_TOKEN, strlen(RSA_TOKEN), 256));
    if (strcmp(alg, "ES256") == 0)
        assert(!jwk_verify(k, alg, EC_TOKEN, strlen(EC_TOKEN), 64));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const algs[] = {"RS256", "PS512", "ES256", "ES384",
                                       "ES512"};
    struct problem why = {.err = OK};
    struct jwk_set *s;
    size_t skipped = 0;
    enum err e = jwk_set_parse(&s, (const char *)data, size, &skipped, &why);

    assert(e == OK || (e == ERR_BADREQ && why.err == e && s == NULL));
    if (e != OK)
        return 0;
    assert(jwk_set_count(s) > 0);
    assert(jwk_set_count(s) + skipped <= JWK_KEYS_MAX);
    for (size_t i = 0; i < COUNT_OF(algs); i++) {
        check_key(jwk_set_find(s, NULL, algs[i]), algs[i]);
        check_key(jwk_set_find(s, "a", algs[i]), algs[i]);
    }
    assert(jwk_set_find(s, NULL, "HS256") == NULL);
    assert(jwk_set_find(s, NULL, "none") == NULL);
    jwk_set_drop(s);
    return 0;
}
