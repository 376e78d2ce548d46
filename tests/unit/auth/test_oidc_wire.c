/* Tests of auth/oidc_wire.c: what a provider is asked, and what is made of what
 * it says. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/oidc_wire.h"

#define ISSUER "https://login.example.com/realms/home"

static const struct oidc_client client = {ISSUER, "a client", "p:s&=+%\xc3\xa9",
                                          "openid profile"};
/* The pair of RFC 7636, appendix B. */
#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
static const struct oidc_ask ask = {"https://chat.example.com/cb?x=1", "STATE",
                                    "NONCE", VERIFIER};

static enum err
discover(const char *json, struct oidc_provider *out)
{
    struct problem why = {.err = OK};
    enum err e = oidc_discovery_read(ISSUER, json, strlen(json), out, &why);

    assert_int_equal(e, why.err);
    if (e != OK)
        assert_string_equal(why.code, "provider_failed");
    return e;
}

#define PLACES                                                        \
    "\"authorization_endpoint\":\"https://login.example.com/a?k=v\"," \
    "\"token_endpoint\":\"https://login.example.com/t\","             \
    "\"jwks_uri\":\"https://keys.example.net/j\""
#define DOCUMENT "\"issuer\":\"" ISSUER "\"," PLACES

static void
the_challenge_is_that_of_the_rfc(void **state)
{
    char challenge[OIDC_RANDOM_LEN + 1], a[OIDC_RANDOM_LEN + 1];
    char b[OIDC_RANDOM_LEN + 1];

    (void)state;
    oidc_challenge(challenge, VERIFIER);
    assert_string_equal(challenge, CHALLENGE);
    oidc_random(a);
    oidc_random(b);
    assert_true(oidc_random_ok(a) && oidc_random_ok(b));
    assert_string_not_equal(a, b);
    assert_false(oidc_random_ok(NULL));
    assert_false(oidc_random_ok(""));
    a[3] = '+';
    assert_false(oidc_random_ok(a));
    a[3] = '\0';
    assert_false(oidc_random_ok(a));
}

static void
the_document_is_below_the_issuer(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, OIDC_LOCATION_MAX);
    oidc_discovery_url(&b, ISSUER);
    assert_string_equal(buf_cstr(&b),
                        ISSUER "/.well-known/openid-configuration");
    buf_clear(&b);
    oidc_discovery_url(&b, "https://a.example/");
    assert_string_equal(buf_cstr(&b),
                        "https://a.example/.well-known/openid-configuration");
    buf_release(&b);
}

static void
a_document_is_read(void **state)
{
    struct oidc_provider p;

    (void)state;
    assert_int_equal(discover("{" DOCUMENT "}", &p), OK);
    assert_string_equal(p.authorization, "https://login.example.com/a?k=v");
    assert_string_equal(p.token, "https://login.example.com/t");
    assert_string_equal(p.jwks, "https://keys.example.net/j");
    assert_string_equal(p.userinfo, "");
    assert_string_equal(p.end_session, "");
    assert_int_equal(p.secret, OIDC_SECRET_HEADER);
    assert_false(p.says_issuer);
    assert_int_equal(
        discover("{" DOCUMENT
                 ",\"userinfo_endpoint\":\"https://login.example.com/u\","
                 "\"end_session_endpoint\":\"https://login.example.com/e\","
                 "\"token_endpoint_auth_methods_supported\":"
                 "[\"private_key_jwt\",\"client_secret_post\"],"
                 "\"authorization_response_iss_parameter_supported\":true,"
                 "\"response_types_supported\":[\"id_token\",\"code\"]}",
                 &p),
        OK);
    assert_string_equal(p.userinfo, "https://login.example.com/u");
    assert_string_equal(p.end_session, "https://login.example.com/e");
    assert_int_equal(p.secret, OIDC_SECRET_FORM);
    assert_true(p.says_issuer);
    assert_int_equal(
        discover("{" DOCUMENT ",\"token_endpoint_auth_methods_supported\":"
                 "[\"client_secret_post\",\"client_secret_basic\"]}",
                 &p),
        OK);
    assert_int_equal(p.secret, OIDC_SECRET_HEADER);
}

static void
a_document_of_another_issuer_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "null",
        "{",
        "{" PLACES "}",
        "{\"issuer\":\"" ISSUER "/\"," PLACES "}",
        "{\"issuer\":\"https://login.example.com\"," PLACES "}",
        "{\"issuer\":[\"" ISSUER "\"]," PLACES "}",
        "{\"issuer\":\"https://evil.example\"," DOCUMENT "}",
        "{\"issuer\":\"" ISSUER "\"}",
        "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":"
        "\"https://a.example/\",\"jwks_uri\":\"https://a.example/\"}",
        "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":"
        "\"https://a.example/\",\"token_endpoint\":\"https://a.example/\"}",
        /* plain http, also of this machine, is not for an issuer of https */
        "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":"
        "\"https://a.example/\",\"token_endpoint\":\"http://127.0.0.1/\","
        "\"jwks_uri\":\"https://a.example/\"}",
        "{" DOCUMENT ",\"response_types_supported\":[\"id_token\"]}",
    };
    struct oidc_provider p;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(discover(bad[i], &p), ERR_UPSTREAM);
}

static void
the_provider_is_asked_for_a_code(void **state)
{
    struct oidc_provider p;
    struct buf b;

    (void)state;
    assert_int_equal(discover("{" DOCUMENT "}", &p), OK);
    buf_init(&b, OIDC_LOCATION_MAX);
    oidc_authorize_url(&b, &p, &client, &ask);
    assert_string_equal(
        buf_cstr(&b),
        "https://login.example.com/a?k=v&response_type=code"
        "&client_id=a%20client"
        "&redirect_uri=https%3A%2F%2Fchat.example.com%2Fcb%3Fx%3D1"
        "&scope=openid%20profile&state=STATE&nonce=NONCE"
        "&code_challenge=" CHALLENGE "&code_challenge_method=S256");
    buf_clear(&b);
    (void)snprintf(p.authorization, sizeof(p.authorization),
                   "https://login.example.com/a");
    oidc_authorize_url(&b, &p, &client, &ask);
    assert_memory_equal(buf_cstr(&b),
                        "https://login.example.com/a?response_type=code&", 47);
    buf_release(&b);
}

static void
assert_answer(const struct oidc_provider *p, struct oidc_answer a,
              const char *code)
{
    struct problem why = {.err = OK};
    enum err e = oidc_answer_check(p, ISSUER, &a, &why);

    assert_int_equal(e, code == NULL ? OK : ERR_AUTH);
    assert_string_equal(why.code, code == NULL ? "" : code);
}

static void
an_answer_is_of_the_issuer_that_was_asked(void **state)
{
    struct oidc_provider p;
    char *longest = test_malloc(OIDC_CODE_MAX + 2);

    (void)state;
    assert_int_equal(discover("{" DOCUMENT "}", &p), OK);
    assert_answer(&p, (struct oidc_answer){.code = "c"}, NULL);
    assert_answer(&p, (struct oidc_answer){.code = "c", .issuer = ISSUER},
                  NULL);
    assert_answer(
        &p, (struct oidc_answer){.code = "c", .issuer = "https://evil.example"},
        "token_invalid");
    assert_answer(&p, (struct oidc_answer){.error = "access_denied"},
                  "access_denied");
    assert_answer(&p,
                  (struct oidc_answer){.error = "server_error", .code = "c"},
                  "provider_refused");
    assert_answer(&p, (struct oidc_answer){.state = "s"}, "provider_failed");
    assert_answer(&p, (struct oidc_answer){.code = ""}, "provider_failed");
    memset(longest, 'c', OIDC_CODE_MAX + 1);
    longest[OIDC_CODE_MAX + 1] = '\0';
    assert_answer(&p, (struct oidc_answer){.code = longest}, "provider_failed");
    assert_answer(&p, (struct oidc_answer){.code = longest + 1}, NULL);
    p.says_issuer = true;
    assert_answer(&p, (struct oidc_answer){.code = "c"}, "token_invalid");
    assert_answer(&p, (struct oidc_answer){.error = "access_denied"},
                  "token_invalid");
    assert_answer(&p, (struct oidc_answer){.code = "c", .issuer = ISSUER},
                  NULL);
    test_free(longest);
}

#define FORM                                                    \
    "grant_type=authorization_code&code=c%2F1"                  \
    "&redirect_uri=https%3A%2F%2Fchat.example.com%2Fcb%3Fx%3D1" \
    "&code_verifier=" VERIFIER

static void
the_client_shows_its_secret_where_it_should(void **state)
{
    struct oidc_client public = client;
    struct oidc_provider p = {.secret = OIDC_SECRET_HEADER};
    struct oidc_form f;

    (void)state;
    oidc_form_make(&f, &p, &client, &ask, "c/1");
    assert_string_equal(buf_cstr(&f.body), FORM);
    /* base64 of a%20client:p%3As%26%3D%2B%25%C3%A9 */
    assert_string_equal(f.authorization,
                        "Basic YSUyMGNsaWVudDpwJTNBcyUyNiUzRCUyQiUyNSVDMyVB"
                        "OQ==");
    oidc_form_release(&f);
    p.secret = OIDC_SECRET_FORM;
    oidc_form_make(&f, &p, &client, &ask, "c/1");
    assert_string_equal(buf_cstr(&f.body),
                        FORM "&client_id=a%20client"
                             "&client_secret=p%3As%26%3D%2B%25%C3%A9");
    assert_null(f.authorization);
    oidc_form_release(&f);
    public.secret = "";
    for (int i = 0; i < 2; i++) {
        p.secret = i == 0 ? OIDC_SECRET_FORM : OIDC_SECRET_HEADER;
        oidc_form_make(&f, &p, &public, &ask, "c/1");
        assert_string_equal(buf_cstr(&f.body), FORM "&client_id=a%20client");
        assert_null(f.authorization);
        oidc_form_release(&f);
    }
}

static void
the_longest_values_fit_into_a_form(void **state)
{
    struct oidc_provider p = {.secret = OIDC_SECRET_FORM};
    char code[OIDC_CODE_MAX + 1];
    struct oidc_form f;

    (void)state;
    memset(code, '%', OIDC_CODE_MAX);
    code[OIDC_CODE_MAX] = '\0';
    oidc_form_make(&f, &p, &client, &ask, code);
    assert_int_equal(buf_status(&f.body), OK);
    assert_true(f.body.len > 3 * (size_t)OIDC_CODE_MAX);
    oidc_form_release(&f);
}

static void
assert_tokens(int status, const char *json, enum err want, const char *code)
{
    struct problem why = {.err = OK};
    struct oidc_tokens t;

    assert_int_equal(oidc_tokens_read(status, json, strlen(json), &t, &why),
                     want);
    if (want == OK) {
        assert_string_equal(t.id, "a.b.c");
    } else {
        assert_null(t.id);
        assert_null(t.access);
        assert_string_equal(why.code, code);
        assert_null(strstr(why.message, "s3cr3t"));
    }
    oidc_tokens_release(&t);
}

static void
tokens_are_read(void **state)
{
    (void)state;
    assert_tokens(200,
                  "{\"token_type\":\"bearer\",\"id_token\":\"a.b.c\","
                  "\"access_token\":\"t\"}",
                  OK, NULL);
    assert_tokens(200, "{\"token_type\":\"Bearer\",\"id_token\":\"a.b.c\"}", OK,
                  NULL);
    assert_tokens(200, "", ERR_UPSTREAM, "provider_failed");
    assert_tokens(200, "[]", ERR_UPSTREAM, "provider_failed");
    assert_tokens(200, "{\"id_token\":\"a.b.c\"}", ERR_UPSTREAM,
                  "provider_failed");
    assert_tokens(200, "{\"token_type\":\"DPoP\",\"id_token\":\"a.b.c\"}",
                  ERR_UPSTREAM, "provider_failed");
    assert_tokens(200, "{\"token_type\":\"Bearer\",\"access_token\":\"t\"}",
                  ERR_UPSTREAM, "provider_failed");
    assert_tokens(200, "{\"token_type\":\"Bearer\",\"id_token\":\"a\\nb\"}",
                  ERR_UPSTREAM, "provider_failed");
    assert_tokens(400, "{\"error\":\"invalid_grant\"}", ERR_AUTH,
                  "login_expired");
    assert_tokens(401,
                  "{\"error\":\"invalid_client\",\"error_description\":"
                  "\"s3cr3t\"}",
                  ERR_UPSTREAM, "provider_failed");
    assert_tokens(400, "{\"error\":\"s3cr3t\"}", ERR_UPSTREAM,
                  "provider_failed");
    assert_tokens(302, "", ERR_UPSTREAM, "provider_failed");
    assert_tokens(500, "s3cr3t", ERR_UPSTREAM, "provider_failed");
    /* a token with an error's status is none */
    assert_tokens(400, "{\"token_type\":\"Bearer\",\"id_token\":\"a.b.c\"}",
                  ERR_UPSTREAM, "provider_failed");
}

static void
an_access_token_that_no_header_holds_is_none(void **state)
{
    static const char json[] = "{\"token_type\":\"Bearer\",\"id_token\":\"a\","
                               "\"access_token\":\"x\\r\\ny\"}";
    struct problem why = {.err = OK};
    struct oidc_tokens t;

    (void)state;
    assert_int_equal(oidc_tokens_read(200, json, strlen(json), &t, &why), OK);
    assert_null(t.access);
    oidc_tokens_release(&t);
}

static void
the_way_out_of_the_provider(void **state)
{
    struct oidc_provider p = {.end_session = ""};
    struct buf b;

    (void)state;
    buf_init(&b, OIDC_LOCATION_MAX);
    oidc_wire_logout(&b, &p, &client, "https://chat.example.com/");
    assert_int_equal(b.len, 0);
    (void)snprintf(p.end_session, sizeof(p.end_session), "https://a.example/e");
    oidc_wire_logout(&b, &p, &client, "https://chat.example.com/");
    assert_string_equal(
        buf_cstr(&b),
        "https://a.example/e?client_id=a%20client"
        "&post_logout_redirect_uri=https%3A%2F%2Fchat.example.com%2F");
    buf_release(&b);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_challenge_is_that_of_the_rfc),
        cmocka_unit_test(the_document_is_below_the_issuer),
        cmocka_unit_test(a_document_is_read),
        cmocka_unit_test(a_document_of_another_issuer_is_refused),
        cmocka_unit_test(the_provider_is_asked_for_a_code),
        cmocka_unit_test(an_answer_is_of_the_issuer_that_was_asked),
        cmocka_unit_test(the_client_shows_its_secret_where_it_should),
        cmocka_unit_test(the_longest_values_fit_into_a_form),
        cmocka_unit_test(tokens_are_read),
        cmocka_unit_test(an_access_token_that_no_header_holds_is_none),
        cmocka_unit_test(the_way_out_of_the_provider),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
