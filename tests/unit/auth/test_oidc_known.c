/* Tests of auth/oidc_known.c: what is known of a provider, and for how long.
 * The provider is in memory, and the clock is this file's. */
#include "base/base.h"

#include "auth/oidc_known.h"

#include "auth/jwks.h"
#include "fake_provider.h"

static int64_t now_ms;

static int64_t
now(void)
{
    return now_ms;
}

static struct oidc_known *
open_known(void)
{
    struct oidc_known *k = oidc_known_new(FAKE_ISSUER, FAKE_FETCHER);

    fake_reset();
    now_ms = 1000;
    oidc_known_clock(k, now);
    return k;
}

static enum err
get(struct oidc_known *k, struct oidc_provider *p, struct jwks **keys)
{
    struct problem why = {.err = OK};
    enum err e = oidc_known_get(k, p, keys, &why);

    assert_int_equal(e, why.err);
    return e;
}

static void
it_is_asked_once_and_again_when_it_is_old(void **state)
{
    struct oidc_known *k = open_known();
    struct oidc_provider p;
    struct jwks *keys = NULL, *same = NULL;

    (void)state;
    assert_false(oidc_known_peek(k, &p));
    assert_int_equal(get(k, &p, &keys), OK);
    assert_string_equal(p.token, FAKE_ISSUER "/token");
    assert_string_equal(fake.last_url,
                        FAKE_ISSUER "/.well-known/openid-configuration");
    assert_non_null(keys);
    now_ms += OIDC_AGE_MS - 1;
    assert_int_equal(get(k, &p, &same), OK);
    assert_ptr_equal(same, keys);
    assert_int_equal(fake.n_documents, 1);
    fake.document = FAKE_DOCUMENT(FAKE_USERINFO);
    now_ms++;
    assert_int_equal(get(k, &p, &same), OK);
    assert_int_equal(fake.n_documents, 2);
    assert_string_equal(p.userinfo, FAKE_ISSUER "/me");
    assert_ptr_equal(same, keys);
    memset(&p, 0, sizeof(p));
    assert_true(oidc_known_peek(k, &p));
    assert_string_equal(p.userinfo, FAKE_ISSUER "/me");
    assert_int_equal(fake.n_documents, 2);
    oidc_known_free(k);
}

static void
what_was_known_serves_on_while_it_cannot_be_asked(void **state)
{
    struct oidc_known *k = open_known();
    struct oidc_provider p;
    struct jwks *keys;

    (void)state;
    assert_int_equal(get(k, &p, &keys), OK);
    fake.document = "{}";
    now_ms += OIDC_AGE_MS;
    assert_int_equal(get(k, &p, &keys), OK);
    assert_int_equal(fake.n_documents, 2);
    now_ms += OIDC_RETRY_MS - 1; /* it is left alone for a while */
    assert_int_equal(get(k, &p, &keys), OK);
    assert_int_equal(fake.n_documents, 2);
    now_ms++;
    assert_int_equal(get(k, &p, &keys), OK);
    assert_int_equal(fake.n_documents, 3);
    now_ms += OIDC_OLD_MS;
    assert_int_equal(get(k, &p, &keys), ERR_UPSTREAM);
    assert_false(oidc_known_peek(k, &p));
    oidc_known_free(k);
}

static void
a_failure_is_remembered_for_a_moment(void **state)
{
    struct oidc_known *k = open_known();
    struct problem why = {.err = OK};
    struct oidc_provider p;
    struct jwks *keys;

    (void)state;
    fake.document = "{}";
    for (int i = 0; i < 10; i++) {
        assert_int_equal(oidc_known_get(k, &p, &keys, &why), ERR_UPSTREAM);
        assert_string_equal(why.code, "provider_failed");
    }
    assert_int_equal(fake.n_documents, 1);
    fake.document = NULL;
    now_ms += OIDC_RETRY_MS;
    assert_int_equal(get(k, &p, &keys), OK);
    assert_int_equal(fake.n_documents, 2);
    oidc_known_free(k);
}

/* That too many wait here says nothing about the provider. */
static void
a_failure_of_ours_is_not_remembered(void **state)
{
    struct oidc_known *k = open_known();
    struct oidc_provider p;
    struct jwks *keys;

    (void)state;
    fake.fails = ERR_BUSY;
    assert_int_equal(get(k, &p, &keys), ERR_BUSY);
    fake.fails = OK;
    assert_int_equal(get(k, &p, &keys), OK);
    oidc_known_free(k);
}

static enum err
find(struct jwks *keys, const char *kid)
{
    struct problem why = {.err = OK};
    const struct jwk *key = NULL;
    struct jwk_set *set = NULL;
    enum err e = jwks_find(keys, kid, "RS256", false, &key, &set, &why);

    jwk_set_drop(set);
    return e;
}

static void
keys_are_rotated(void **state)
{
    struct oidc_known *k = open_known();
    struct oidc_provider p;
    struct jwks *keys;
    cjose_jwk_t *next = fake_key("key-2");

    (void)state;
    assert_int_equal(get(k, &p, &keys), OK);
    assert_int_equal(find(keys, "key-1"), OK);
    assert_int_equal(find(keys, "key-2"), ERR_AUTH);
    fake.shown = next;
    now_ms += JWKS_RETRY_MS;
    assert_int_equal(find(keys, "key-2"), OK);
    assert_int_equal(find(keys, "key-1"), ERR_AUTH);
    cjose_jwk_release(next);
    oidc_known_free(k);
}

#define MOVED(name)                                \
    "{\"issuer\":\"" FAKE_ISSUER                   \
    "\",\"authorization_endpoint\":\"" FAKE_ISSUER \
    "/auth\",\"token_endpoint\":\"" FAKE_ISSUER    \
    "/token\",\"jwks_uri\":\"" FAKE_ISSUER "/" name "\"}"

static void
keys_that_move_are_followed_but_not_for_ever(void **state)
{
    struct oidc_known *k = open_known();
    struct oidc_provider p;
    struct jwks *keys, *before = NULL;

    (void)state;
    for (int i = 0; i < 12; i++) {
        fake.document = i % 2 == 0 ? MOVED("jwks") : MOVED("other");
        assert_int_equal(get(k, &p, &keys), OK);
        assert_true(i >= 8 || keys != before);
        assert_true(i < 8 || keys == before);
        before = keys;
        now_ms += OIDC_AGE_MS;
    }
    oidc_known_free(k);
}

static int
release(void **state)
{
    (void)state;
    fake_release();
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_asked_once_and_again_when_it_is_old),
        cmocka_unit_test(what_was_known_serves_on_while_it_cannot_be_asked),
        cmocka_unit_test(a_failure_is_remembered_for_a_moment),
        cmocka_unit_test(a_failure_of_ours_is_not_remembered),
        cmocka_unit_test(keys_are_rotated),
        cmocka_unit_test(keys_that_move_are_followed_but_not_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
