/*
 * Tests of auth/jwk_set.c: which keys of a published set are taken, and the
 * examples of RFC 7515 that are signed with such keys.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/jwk.h"
#include "base/buf.h"
#include "jwt_vectors.h"

#define RSA "\"kty\":\"RSA\",\"n\":\"" RFC_A2_N "\",\"e\":\"AQAB\""
#define EC                                               \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC_A3_X \
    "\",\"y\":\"" RFC_A3_Y "\""
/* 32 and 256 zeroes in base64url. */
#define ZERO_32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static enum err
parse(struct jwk_set **s, const char *text, size_t *skipped,
      struct problem *why)
{
    return jwk_set_parse(s, text, strlen(text), skipped, why);
}

static struct jwk_set *
set_of(const char *text)
{
    struct jwk_set *s;
    struct problem why = {.err = OK};

    if (parse(&s, text, NULL, &why) != OK)
        fail_msg("%s", why.message);
    return s;
}

static void
the_signatures_of_rfc_7515_are_right(void **state)
{
    struct jwk_set *s = set_of(RFC_JWKS);
    const struct jwk *a2 = jwk_set_find(s, "a2", "RS256");
    const struct jwk *a3 = jwk_set_find(s, "a3", "ES256");
    const struct jwk *a4 = jwk_set_find(s, "a4", "ES512");

    (void)state;
    assert_int_equal(jwk_set_count(s), 3);
    assert_int_equal(jwk_kind(a2), JWK_RSA);
    assert_int_equal(jwk_kind(a3), JWK_P256);
    assert_int_equal(jwk_kind(a4), JWK_P521);
    assert_true(jwk_verify(a2, "RS256", RFC_A2, strlen(RFC_A2), 256));
    assert_true(jwk_verify(a3, "ES256", RFC_A3, strlen(RFC_A3), 64));
    assert_true(jwk_verify(a4, "ES512", RFC_A4, strlen(RFC_A4), 132));
    assert_false(jwk_verify(a2, "RS256", RFC_A1, strlen(RFC_A1), 256));
    assert_false(jwk_verify(a2, "PS256", RFC_A2, strlen(RFC_A2), 256));
    assert_false(jwk_verify(a2, "HS256", RFC_A1, strlen(RFC_A1), 32));
    assert_false(jwk_verify(a3, "ES256", RFC_A3, strlen(RFC_A3), 63));
    jwk_set_drop(s);
}

static void
a_changed_signature_is_wrong(void **state)
{
    static const char *const tokens[] = {RFC_A2, RFC_A3};
    struct jwk_set *s = set_of(RFC_JWKS);

    (void)state;
    for (size_t t = 0; t < COUNT_OF(tokens); t++) {
        const char *alg = t == 0 ? "RS256" : "ES256";
        const struct jwk *k = jwk_set_find(s, t == 0 ? "a2" : "a3", alg);
        size_t n = strlen(tokens[t]), from = n - 60;
        char other[1024];

        memcpy(other, tokens[t], n);
        for (size_t i = from; i < n; i += 7) {
            other[i] = tokens[t][i] == 'C' ? 'E' : 'C';
            assert_false(jwk_verify(k, alg, other, n, t == 0 ? 256 : 64));
            other[i] = tokens[t][i];
        }
        assert_true(jwk_verify(k, alg, other, n, t == 0 ? 256 : 64));
    }
    jwk_set_drop(s);
}

static void
keys_are_found_by_name_and_algorithm(void **state)
{
    struct jwk_set *s = set_of(RFC_JWKS);

    (void)state;
    assert_null(jwk_set_find(s, "a2", "ES256"));
    assert_null(jwk_set_find(s, "a2", "HS256"));
    assert_null(jwk_set_find(s, "a2", "none"));
    assert_null(jwk_set_find(s, "A2", "RS256"));
    assert_null(jwk_set_find(s, "b", "RS256"));
    assert_null(jwk_set_find(s, "", "RS256"));
    assert_non_null(jwk_set_find(s, "a2", "PS512"));
    assert_non_null(jwk_set_find(s, NULL, "RS256"));
    assert_non_null(jwk_set_find(s, NULL, "ES512"));
    assert_null(jwk_set_find(s, NULL, "ES384"));
    jwk_set_drop(s);
    s = set_of("{\"keys\":[{" RSA ",\"kid\":\"1\"},{" RSA ",\"kid\":\"2\"}]}");
    assert_null(jwk_set_find(s, NULL, "RS256")); /* which one? */
    assert_non_null(jwk_set_find(s, "2", "RS256"));
    jwk_set_drop(s);
    s = set_of("{\"keys\":[{" RSA ",\"kid\":\"1\",\"alg\":\"RS256\"},"
               "{" RSA ",\"kid\":\"1\",\"alg\":\"PS256\"},"
               "{" EC ",\"kid\":\"1\"}]}");
    assert_int_equal(jwk_set_count(s), 3);
    assert_non_null(jwk_set_find(s, "1", "RS256"));
    assert_ptr_not_equal(jwk_set_find(s, "1", "RS256"),
                         jwk_set_find(s, "1", "PS256"));
    assert_int_equal(jwk_kind(jwk_set_find(s, "1", "ES256")), JWK_P256);
    assert_null(jwk_set_find(s, "1", "RS512"));
    jwk_set_drop(s);
}

/* Alone these make no set; beside a good key they are left out. */
static void
keys_that_must_not_be_used_are_left_out(void **state)
{
    static const char *const rows[] = {
        "{}",
        "null",
        "7",
        "[]",
        "{\"kty\":\"oct\",\"k\":\"" ZERO_32 "\"}",
        "{\"kty\":\"oct\",\"kid\":\"a2\",\"alg\":\"HS256\",\"k\":\"AAAA\"}",
        "{" RSA ",\"k\":\"AAAA\"}",
        "{" RSA ",\"d\":\"AQAB\"}",
        "{" EC ",\"d\":\"" ZERO_32 "\"}",
        "{" RSA ",\"use\":\"enc\"}",
        "{" RSA ",\"use\":7}",
        "{" RSA ",\"key_ops\":[\"encrypt\"]}",
        "{" RSA ",\"key_ops\":[]}",
        "{" RSA ",\"key_ops\":\"verify\"}",
        "{" RSA ",\"alg\":\"RSA-OAEP\"}",
        "{" RSA ",\"alg\":\"HS256\"}",
        "{" RSA ",\"alg\":\"ES256\"}",
        "{" RSA ",\"alg\":\"none\"}",
        "{" RSA ",\"alg\":7}",
        "{" RSA ",\"kid\":7}",
        "{" EC ",\"alg\":\"RS256\"}",
        "{" EC ",\"alg\":\"ES384\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ZERO_32 "\"}",
        "{\"kty\":\"rsa\",\"n\":\"" RFC_A2_N "\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RFC_A2_N "\"}",
        /* an exponent of 1, 0, 65536, and one too long */
        "{\"kty\":\"RSA\",\"n\":\"" RFC_A2_N "\",\"e\":\"AQ\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RFC_A2_N "\",\"e\":\"AA\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RFC_A2_N "\",\"e\":\"AQAA\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RFC_A2_N "\",\"e\":\"AQAAAAAAAAAB\"}",
        /* too short, even, padded, of the other alphabet, with a bit more */
        "{\"kty\":\"RSA\",\"n\":\"" ZERO_32 "\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"-_8B\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RFC_A2_N "==\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"+" RFC_A2_N "\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RFC_A2_N "AA\",\"e\":\"AQAB\"}",
        /* not on the curve, of another length, of another curve */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC_A3_Y
        "\",\"y\":\"" RFC_A3_X "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ZERO_32
        "\",\"y\":\"" ZERO_32 "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC_A3_X "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC_A3_X "\",\"y\":\"\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" RFC_A3_X
        "\",\"y\":\"" RFC_A3_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" RFC_A3_X
        "\",\"y\":\"" RFC_A3_Y "\"}",
        "{\"kty\":\"EC\",\"x\":\"" RFC_A3_X "\",\"y\":\"" RFC_A3_Y "\"}",
    };
    struct problem why;
    struct jwk_set *s;
    char text[4096];
    size_t skipped;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)snprintf(text, sizeof(text), "{\"keys\":[%s]}", rows[i]);
        if (parse(&s, text, NULL, &why) != ERR_BADREQ)
            fail_msg("taken: %s", rows[i]);
        assert_null(s);
        assert_string_equal(why.code, "bad_jwks");
        (void)snprintf(text, sizeof(text), "{\"keys\":[%s,{" EC "}]}", rows[i]);
        assert_int_equal(parse(&s, text, &skipped, &why), OK);
        assert_int_equal(skipped, 1);
        assert_int_equal(jwk_set_count(s), 1);
        jwk_set_drop(s);
    }
}

static void
keys_of_many_manners_are_taken(void **state)
{
    static const char *const rows[] = {
        "{" RSA "}",
        "{" RSA ",\"use\":\"sig\",\"key_ops\":[\"sign\",\"verify\"]}",
        "{" RSA ",\"alg\":\"PS512\",\"x5c\":[\"AA==\"],\"unknown\":{}}",
        "{" EC ",\"alg\":\"ES256\",\"ext\":true}",
        /* a zero before the modulus */
        "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AADPgmUUq4NqB_Jy1nhSCBJKEm0JHW"
        "NjYqoiZO0-MzKjv7f3fGwP1-zTU6Jg9v0SmeDZyA0Mc9cVFkWjzI_xUH5nN3e-nYrOj4ul"
        "gY6GRqTKs9qDGuYQuxJ0xbkkQQ\"}",
    };
    struct problem why;
    struct jwk_set *s;
    char text[2048];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows) - 1; i++) {
        (void)snprintf(text, sizeof(text), "{\"keys\":[%s],\"x\":1}", rows[i]);
        if (parse(&s, text, NULL, &why) != OK)
            fail_msg("refused: %s", rows[i]);
        jwk_set_drop(s);
    }
    (void)snprintf(text, sizeof(text), "{\"keys\":[%s]}", rows[4]);
    assert_int_equal(parse(&s, text, NULL, &why), ERR_BADREQ); /* 1024 bits */
}

static void
what_is_no_set_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":[{" EC "}]} x",
        "{\"keys\":[],\"keys\":[{" EC "}]}",
        "{\"keys\":[{" EC ",\"kty\":\"EC\"}]}",
        "{" EC "}",
    };
    struct problem why;
    struct jwk_set *s;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (parse(&s, rows[i], NULL, &why) != ERR_BADREQ)
            fail_msg("taken: %s", rows[i]);
}

/* So many keys of different names. */
static void
many(struct buf *out, int n, int names)
{
    buf_clear(out);
    buf_adds(out, "{\"keys\":[");
    for (int i = 0; i < n; i++)
        buf_addf(out, "%s{" EC ",\"kid\":\"%d\"}", i > 0 ? "," : "", i % names);
    buf_adds(out, "]}");
    assert_int_equal(buf_status(out), OK);
}

static void
a_set_has_bounds(void **state)
{
    struct problem why;
    struct jwk_set *s;
    struct buf text;
    size_t skipped;

    (void)state;
    buf_init(&text, 1024 * 1024);
    many(&text, JWK_KEYS_MAX, JWK_KEYS_MAX);
    assert_int_equal(jwk_set_parse(&s, text.data, text.len, NULL, &why), OK);
    assert_int_equal(jwk_set_count(s), JWK_KEYS_MAX);
    jwk_set_drop(s);
    many(&text, JWK_KEYS_MAX + 1, JWK_KEYS_MAX + 1);
    assert_int_equal(jwk_set_parse(&s, text.data, text.len, NULL, &why),
                     ERR_BADREQ);
    many(&text, 10, 4); /* a name twice: the first one counts */
    assert_int_equal(jwk_set_parse(&s, text.data, text.len, &skipped, &why),
                     OK);
    assert_int_equal(skipped, 6);
    assert_non_null(jwk_set_find(s, "3", "ES256"));
    jwk_set_drop(s);
    buf_clear(&text);
    buf_adds(&text, "{\"keys\":[{" EC "}]}");
    while (text.len <= JWK_SET_MAX)
        buf_addc(&text, ' ');
    assert_int_equal(jwk_set_parse(&s, text.data, text.len - 1, NULL, &why),
                     OK);
    jwk_set_drop(s);
    assert_int_equal(jwk_set_parse(&s, text.data, text.len, NULL, &why),
                     ERR_BADREQ);
    buf_release(&text);
}

static void
a_set_lives_as_long_as_it_is_held(void **state)
{
    struct jwk_set *s = set_of(RFC_JWKS);
    const struct jwk *k;

    (void)state;
    assert_ptr_equal(jwk_set_hold(s), s);
    k = jwk_set_find(s, "a3", "ES256");
    jwk_set_drop(s);
    assert_true(jwk_verify(k, "ES256", RFC_A3, strlen(RFC_A3), 64));
    jwk_set_drop(s);
    jwk_set_drop(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signatures_of_rfc_7515_are_right),
        cmocka_unit_test(a_changed_signature_is_wrong),
        cmocka_unit_test(keys_are_found_by_name_and_algorithm),
        cmocka_unit_test(keys_that_must_not_be_used_are_left_out),
        cmocka_unit_test(keys_of_many_manners_are_taken),
        cmocka_unit_test(what_is_no_set_is_refused),
        cmocka_unit_test(a_set_has_bounds),
        cmocka_unit_test(a_set_lives_as_long_as_it_is_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
