/*
 * Tests of auth/jwk.c: base64url, the table of algorithms, the secret, and the
 * examples of RFC 7515 whose key is one.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/jwk.h"
#include "jwt_vectors.h"

#define SECRET_32 "0123456789abcdef0123456789abcdef"

static struct jwk *
secret(size_t n)
{
    uint8_t bytes[128];
    struct problem why;
    struct jwk *k;

    memset(bytes, 'k', sizeof(bytes));
    assert_int_equal(jwk_secret_new(&k, bytes, n, &why), OK);
    return k;
}

static void
base64url_is_read_in_its_only_form(void **state)
{
    static const struct {
        const char *text, *bytes;
        size_t n;
    } good[] = {
        {"", "", 0},           {"AA", "\0", 1},         {"AAA", "\0\0", 2},
        {"AAAA", "\0\0\0", 3}, {"Zm9vYmE", "fooba", 5}, {"-_8", "\xFB\xFF", 2},
    };
    static const char *const bad[] = {
        "A",     "AAAAA", "AB",     "AAB", "Zm9vYmF",   "AA==", "AAA=",
        "AAA= ", " AAAA", "AA\nAA", "+/8", "AAAA AAAA", "AA.A", "\303\244AA",
    };
    uint8_t out[16];
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        len = sizeof(out);
        assert_int_equal(
            jwk_unbase64url(out, &len, good[i].text, strlen(good[i].text)), OK);
        assert_int_equal(len, good[i].n);
        assert_memory_equal(out, good[i].bytes, len);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        len = sizeof(out);
        if (jwk_unbase64url(out, &len, bad[i], strlen(bad[i])) == OK)
            fail_msg("taken: %s", bad[i]);
    }
    len = 3;
    assert_int_equal(jwk_unbase64url(out, &len, "AAAA", 4), OK);
    len = 2;
    assert_int_equal(jwk_unbase64url(out, &len, "AAAA", 4), ERR_BADREQ);
}

static void
algorithms_are_named_exactly(void **state)
{
    (void)state;
    assert_true(jwk_alg_known("HS256") && jwk_alg_symmetric("HS256"));
    assert_true(jwk_alg_known("PS384") && !jwk_alg_symmetric("PS384"));
    assert_true(jwk_alg_known("ES512") && !jwk_alg_symmetric("ES512"));
    assert_false(jwk_alg_known("none"));
    assert_false(jwk_alg_known("None"));
    assert_false(jwk_alg_known("hs256"));
    assert_false(jwk_alg_known("HS256 "));
    assert_false(jwk_alg_known("HS1"));
    assert_false(jwk_alg_known("ES256K"));
    assert_false(jwk_alg_known("EdDSA"));
    assert_false(jwk_alg_known("dir"));
    assert_false(jwk_alg_known(""));
    assert_false(jwk_alg_symmetric("RS256"));
}

static void
a_secret_is_long_enough_for_what_it_is_for(void **state)
{
    static const struct {
        size_t n;
        bool hs256, hs384, hs512;
    } rows[] = {{32, true, false, false},
                {47, true, false, false},
                {48, true, true, false},
                {63, true, true, false},
                {64, true, true, true}};
    struct problem why;
    struct jwk *k;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        k = secret(rows[i].n);
        assert_int_equal(jwk_kind(k), JWK_SECRET);
        assert_int_equal(jwk_takes(k, "HS256"), rows[i].hs256);
        assert_int_equal(jwk_takes(k, "HS384"), rows[i].hs384);
        assert_int_equal(jwk_takes(k, "HS512"), rows[i].hs512);
        assert_false(jwk_takes(k, "RS256"));
        assert_false(jwk_takes(k, "none"));
        jwk_free(k);
    }
    assert_int_equal(jwk_secret_new(&k, SECRET_32, 31, &why), ERR_BADREQ);
    assert_null(k);
    assert_string_equal(why.code, "bad_secret");
    assert_non_null(strstr(why.message, "31"));
    assert_null(strstr(why.message, "0123"));
    assert_int_equal(jwk_secret_new(&k, SECRET_32, 0, &why), ERR_BADREQ);
    assert_int_equal(jwk_secret_new(&k, SECRET_32, JWK_SECRET_MAX + 1, &why),
                     ERR_BADREQ);
    jwk_free(NULL);
}

/* The key of RFC 7515, A.1. */
static struct jwk *
rfc_secret(void)
{
    struct problem why;
    uint8_t bytes[64];
    size_t n = sizeof(bytes);
    struct jwk *k;

    assert_int_equal(jwk_unbase64url(bytes, &n, RFC_A1_KEY, strlen(RFC_A1_KEY)),
                     OK);
    assert_int_equal(n, 64);
    assert_int_equal(jwk_secret_new(&k, bytes, n, &why), OK);
    return k;
}

static void
the_signature_of_rfc_7515_a1_is_right(void **state)
{
    struct jwk *k = rfc_secret();
    char other[] = RFC_A1;

    (void)state;
    assert_true(jwk_verify(k, "HS256", RFC_A1, strlen(RFC_A1), 32));
    for (size_t i = 0; i < strlen(RFC_A1); i++) {
        if (RFC_A1[i] == '.')
            continue;
        other[i] = RFC_A1[i] == 'B' ? 'D' : 'B';
        assert_false(jwk_verify(k, "HS256", other, strlen(other), 32));
        other[i] = RFC_A1[i];
    }
    jwk_free(k);
    k = secret(64);
    assert_false(jwk_verify(k, "HS256", RFC_A1, strlen(RFC_A1), 32));
    jwk_free(k);
}

static void
a_signature_has_its_length_and_its_algorithm(void **state)
{
    struct jwk *k = rfc_secret();

    (void)state;
    assert_false(jwk_verify(k, "HS256", RFC_A1, strlen(RFC_A1), 31));
    assert_false(jwk_verify(k, "HS256", RFC_A1, strlen(RFC_A1), 0));
    assert_false(jwk_verify(k, "RS256", RFC_A2, strlen(RFC_A2), 256));
    assert_false(jwk_verify(k, "none", RFC_A5, strlen(RFC_A5), 0));
    assert_false(jwk_verify(k, "HS256", RFC_A5, strlen(RFC_A5), 32));
    assert_false(jwk_verify(k, "HS256", "", 0, 32));
    assert_false(jwk_verify(k, "HS256", "a.b.c", 5, 32));
    jwk_free(k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64url_is_read_in_its_only_form),
        cmocka_unit_test(algorithms_are_named_exactly),
        cmocka_unit_test(a_secret_is_long_enough_for_what_it_is_for),
        cmocka_unit_test(the_signature_of_rfc_7515_a1_is_right),
        cmocka_unit_test(a_signature_has_its_length_and_its_algorithm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
