/* Tests of auth/oidc_id.c: what is asked of an ID token that is signed well. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/jwt.h"
#include "auth/oidc_id.h"
#include "base/buf.h"
#include "base/text.h"

/* The access token of OpenID Connect Core, appendix A.3, and the left halves of
 * its digests. */
#define ACCESS "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
#define HASH_256 "77QmUPtjPfzWtF2AnpK9RQ"
#define HASH_384 "jtAeDp945y1dDqU3nkIVGNZP1HjH_MFs"
#define HASH_512 "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM"

static void
add_part(struct buf *b, const char *json)
{
    size_t from = b->len;

    text_base64(b, json, strlen(json));
    while (b->len > from && b->data[b->len - 1] == '=')
        b->len--;
    for (size_t i = from; i < b->len; i++) {
        if (b->data[i] == '+')
            b->data[i] = '-';
        if (b->data[i] == '/')
            b->data[i] = '_';
    }
}

static enum err
check(const char *header, const char *claims, const struct jwt_claims *c,
      const char *access, bool *admin)
{
    const struct oidc_want want = {.client_id = "c",
                                   .nonce = "n",
                                   .access_token = access,
                                   .admin_claim = "is_admin"};
    struct problem why = {.err = OK};
    struct buf token;
    enum err e;

    buf_init(&token, 4096);
    add_part(&token, header);
    buf_addc(&token, '.');
    add_part(&token, claims);
    buf_adds(&token, ".c2ln");
    e = oidc_id_check(buf_cstr(&token), c, &want, admin, &why);
    assert_int_equal(e, why.err);
    if (e != OK)
        assert_string_equal(why.code, "token_invalid");
    buf_release(&token);
    return e;
}

static void
at_hash_follows_the_algorithm(void **state)
{
    static const struct {
        const char *alg, *hash, *access;
        enum err want;
    } cases[] = {
        {"RS256", HASH_256, ACCESS, OK},
        {"ES256", HASH_256, ACCESS, OK},
        {"PS384", HASH_384, ACCESS, OK},
        {"ES512", HASH_512, ACCESS, OK},
        {"RS256", HASH_512, ACCESS, ERR_AUTH},
        {"RS512", HASH_256, ACCESS, ERR_AUTH},
        {"EdDSA", HASH_512, ACCESS, ERR_AUTH},
        {"none", HASH_256, ACCESS, ERR_AUTH},
        {"RS256", HASH_256, "another", ERR_AUTH},
        {"RS256", HASH_256, NULL, ERR_AUTH},
        {"RS256", HASH_256 "A", ACCESS, ERR_AUTH},
        {"RS256", "", ACCESS, ERR_AUTH},
    };
    const struct jwt_claims c = {.nonce = "n", .n_aud = 1, .iat_ms = 1};
    char header[64], claims[128];
    bool admin;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        (void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}",
                       cases[i].alg);
        (void)snprintf(claims, sizeof(claims), "{\"at_hash\":\"%s\"}",
                       cases[i].hash);
        assert_int_equal(check(header, claims, &c, cases[i].access, &admin),
                         cases[i].want);
    }
}

static void
it_is_for_this_client_and_this_attempt(void **state)
{
    static const char header[] = "{\"alg\":\"RS256\"}";
    struct jwt_claims c = {.nonce = "n", .n_aud = 1, .iat_ms = 1};
    bool admin = true;

    (void)state;
    assert_int_equal(check(header, "{}", &c, NULL, &admin), OK);
    assert_false(admin);
    assert_int_equal(check(header, "[]", &c, NULL, &admin), OK);
    c.n_aud = 2;
    assert_int_equal(check(header, "{}", &c, NULL, &admin), ERR_AUTH);
    (void)snprintf(c.azp, sizeof(c.azp), "c");
    assert_int_equal(check(header, "{\"azp\":\"c\"}", &c, NULL, &admin), OK);
    (void)snprintf(c.azp, sizeof(c.azp), "d");
    assert_int_equal(check(header, "{\"azp\":\"d\"}", &c, NULL, &admin),
                     ERR_AUTH);
    c = (struct jwt_claims){.nonce = "m", .n_aud = 1, .iat_ms = 1};
    assert_int_equal(check(header, "{}", &c, NULL, &admin), ERR_AUTH);
    c = (struct jwt_claims){.nonce = "n", .n_aud = 1};
    assert_int_equal(check(header, "{}", &c, NULL, &admin), ERR_AUTH);
    c.iat_ms = 1;
    assert_int_equal(check(header, "no json", &c, NULL, &admin), ERR_AUTH);
    assert_int_equal(check("", "{}", &c, NULL, &admin), ERR_AUTH);
}

static void
a_claim_that_is_true_makes_an_administrator(void **state)
{
    static const struct {
        const char *claims;
        bool admin;
    } cases[] = {
        {"{\"is_admin\":true}", true},
        {"{\"is_admin\":false}", false},
        {"{\"is_admin\":1}", false},
        {"{\"is_admin\":\"true\"}", false},
        {"{\"Is_Admin\":true}", false},
        {"{\"is_admin\":[true]}", false},
        {"{\"x\":{\"is_admin\":true}}", false},
    };
    const struct jwt_claims c = {.nonce = "n", .n_aud = 1, .iat_ms = 1};
    bool admin;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(
            check("{\"alg\":\"RS256\"}", cases[i].claims, &c, NULL, &admin),
            OK);
        assert_int_equal(admin, cases[i].admin);
    }
}

static void
assert_name(const char *json, const char *want)
{
    char name[IDENTITY_NAME_MAX + 1];

    assert_int_equal(oidc_id_userinfo(json, strlen(json), "42", name),
                     *want != '\0');
    assert_string_equal(name, want);
}

static void
userinfo_gives_a_name_of_its_own_subject(void **state)
{
    char json[512] = "{\"sub\":\"42\",\"name\":\"", want[129];
    size_t n = strlen(json);

    (void)state;
    assert_name("{\"sub\":\"42\",\"name\":\"Ann\",\"email\":\"a@b.c\"}", "Ann");
    assert_name("{\"sub\":\"42\",\"name\":\" \",\"email\":\"a@b.c\"}", "a@b.c");
    assert_name("{\"sub\":\"42\",\"preferred_username\":\"ann\"}", "ann");
    assert_name("{\"sub\":\"43\",\"name\":\"Ann\"}", "");
    assert_name("{\"name\":\"Ann\"}", "");
    assert_name("{\"sub\":42,\"name\":\"Ann\"}", "");
    assert_name("{\"sub\":\"42\"}", "");
    assert_name("[]", "");
    assert_name("", "");
    assert_name("{\"sub\":\"42\",\"name\":\"A\\u001bn\\n\"}", "A?n?");
    assert_name("{\"sub\":\"42\",\"name\":\"A\\u009b2Jn\\u0080\\u00a0\"}",
                "A?2Jn?\xc2\xa0");
    assert_name("{\"sub\":\"42\",\"name\":\"\\u202eA\\u2066n\\u200fn\\u061c\"}",
                "?A?n?n?");
    assert_name(
        "{\"sub\":\"42\",\"name\":\"\\u0628\\u200c\\u0645 \\ud83d\\ude00\"}",
        "\xd8\xa8\xe2\x80\x8c\xd9\x85 \xf0\x9f\x98\x80");
    /* cut between two characters */
    for (size_t i = 0; i < 100; i++)
        memcpy(json + n + 2 * i, "\xc3\xa9", 2);
    memcpy(json + n + 200, "\"}", 3);
    for (size_t i = 0; i < 64; i++)
        memcpy(want + 2 * i, "\xc3\xa9", 2);
    want[128] = '\0';
    assert_name(json, want);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_hash_follows_the_algorithm),
        cmocka_unit_test(it_is_for_this_client_and_this_attempt),
        cmocka_unit_test(a_claim_that_is_true_makes_an_administrator),
        cmocka_unit_test(userinfo_gives_a_name_of_its_own_subject),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
