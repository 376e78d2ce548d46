/*
 * Tests of auth/jwt_claims.c: times, issuer, audience, subject, and what the
 * owner of a token may do.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/jwt_claims.h"

#define NOW_MS INT64_C(1700000000000)
#define EXP "\"exp\":1700000300"

static struct jwt_config config;
static struct jwt_claims out;
static struct problem why;

/* With sub and exp, if the text does not bring its own. */
static enum err
read_as(const char *claims, bool ours)
{
    char text[4096];
    cJSON *o;
    enum err e;

    (void)snprintf(text, sizeof(text), "{%s%s%s%s%s}", claims,
                   claims[0] != '\0' ? "," : "",
                   strstr(claims, "\"sub\"") == NULL ? "\"sub\":\"ann\"" : "",
                   strstr(claims, "\"sub\"") == NULL &&
                           strstr(claims, "\"exp\"") == NULL
                       ? ","
                       : "",
                   strstr(claims, "\"exp\"") == NULL ? EXP : "");
    if (strstr(claims, "\"sub\"") != NULL && strstr(claims, "\"exp\"") != NULL)
        (void)snprintf(text, sizeof(text), "{%s}", claims);
    o = cJSON_Parse(text);
    if (o == NULL)
        fail_msg("not JSON: %s", text);
    memset(&out, 0, sizeof(out));
    memset(&why, 0, sizeof(why));
    out.ours = ours;
    e = jwt_claims_read(&out, o, &config, NOW_MS, &why);
    assert_int_equal(why.err, e);
    cJSON_Delete(o);
    return e;
}

static enum err
read_claims(const char *claims)
{
    return read_as(claims, true);
}

static void
refused(const char *claims)
{
    if (read_claims(claims) != ERR_AUTH ||
        strcmp(why.code, "invalid_token") != 0)
        fail_msg("not refused: %s (%s)", claims, why.code);
}

static void
expired(const char *claims)
{
    if (read_claims(claims) != ERR_AUTH ||
        strcmp(why.code, "token_expired") != 0)
        fail_msg("not over: %s (%s)", claims, why.code);
}

static void
taken(const char *claims)
{
    if (read_claims(claims) != OK)
        fail_msg("refused: %s (%s)", claims, why.message);
}

/* --- times ---------------------------------------------------------------- */

static void
a_token_ends_when_it_says_and_a_minute(void **state)
{
    (void)state;
    taken("\"exp\":1700000001");
    taken("\"exp\":1699999940.001");
    taken("\"exp\":1.7000003e9");
    taken("\"exp\":253402300799");
    expired("\"exp\":1699999940");
    expired("\"exp\":1699999939.999");
    expired("\"exp\":0");
    expired("\"exp\":-1");
    expired("\"exp\":-253402300799");
    refused("\"exp\":\"1700000300\"");
    refused("\"exp\":null");
    refused("\"exp\":true");
    refused("\"exp\":[1700000300]");
    refused("\"exp\":1e300");
    refused("\"exp\":-1e300");
    refused("\"exp\":253402300800");
    refused("\"exp\":1700000300000"); /* milliseconds */
}

static void
a_token_without_an_end_is_refused(void **state)
{
    cJSON *o = cJSON_Parse("{\"sub\":\"ann\"}");

    (void)state;
    assert_int_equal(jwt_claims_read(&out, o, &config, NOW_MS, &why), ERR_AUTH);
    assert_non_null(strstr(why.message, "(exp)"));
    cJSON_Delete(o);
}

static void
a_token_begins_when_it_says_but_a_minute(void **state)
{
    (void)state;
    taken("\"nbf\":1700000000");
    taken("\"nbf\":1700000060");
    taken("\"nbf\":0");
    refused("\"nbf\":1700000060.001");
    refused("\"nbf\":1700000061");
    refused("\"nbf\":253402300799");
    refused("\"nbf\":\"0\"");
    refused("\"nbf\":null");
    refused("\"nbf\":1e99");
    taken("\"iat\":1600000000.75");
    assert_int_equal(out.iat_ms, INT64_C(1600000000750));
    taken("\"iat\":1700000060");
    refused("\"iat\":1700000061");
    refused("\"iat\":{}");
    refused("\"iat\":\"yesterday\"");
    taken("\"x\":1");
    assert_int_equal(out.iat_ms, 0);
}

/* --- from whom, for whom -------------------------------------------------- */

static void
the_issuer_is_exactly_the_one_that_is_set(void **state)
{
    (void)state;
    taken("\"iss\":\"anybody\"");
    assert_string_equal(out.iss, "anybody");
    refused("\"iss\":7");
    refused("\"iss\":null");
    refused("\"iss\":\"\"");
    refused("\"iss\":[\"https://a.example\"]");
    config.issuer = "https://a.example";
    taken("\"iss\":\"https://a.example\"");
    refused("\"iss\":\"https://a.example/\"");
    refused("\"iss\":\"https://A.example\"");
    refused("\"iss\":\"https://a.exampl\"");
    refused("\"iss\":\"https://a.example.evil.example\"");
    refused("\"x\":1");
    config.issuer = "";
    taken("\"x\":1");
    config.issuer = NULL;
}

static void
the_audience_has_the_one_that_is_set(void **state)
{
    char many[1024] = "\"aud\":[\"a\"";

    (void)state;
    taken("\"aud\":\"anything\"");
    assert_int_equal(out.n_aud, 1);
    taken("\"aud\":[]");
    taken("\"aud\":[\"a\",\"b\"]");
    assert_int_equal(out.n_aud, 2);
    refused("\"aud\":7");
    refused("\"aud\":null");
    refused("\"aud\":{\"parley\":1}");
    refused("\"aud\":[\"parley\",7]");
    refused("\"aud\":[[\"parley\"]]");
    config.audience = "parley";
    taken("\"aud\":\"parley\"");
    taken("\"aud\":[\"x\",\"parley\",\"y\"]");
    refused("\"aud\":[]");
    refused("\"aud\":\"parley2\"");
    refused("\"aud\":\"Parley\"");
    refused("\"aud\":\"x parley\"");
    refused("\"aud\":[\"x\",\"y\"]");
    refused("\"aud\":[\"parley\",7]");
    refused("\"x\":1");
    config.audience = NULL;
    for (int i = 1; i <= JWT_AUD_MAX; i++)
        (void)snprintf(many + strlen(many), sizeof(many) - strlen(many),
                       ",\"a\"");
    (void)snprintf(many + strlen(many), sizeof(many) - strlen(many), "]");
    refused(many);
}

static void
the_subject_is_a_clean_text(void **state)
{
    char text[400];

    (void)state;
    taken("\"sub\":\"\xC3\xA4 b/c\"");
    assert_string_equal(out.sub, "\xC3\xA4 b/c");
    refused("\"sub\":\"\"");
    refused("\"sub\":7");
    refused("\"sub\":null");
    refused("\"sub\":[\"ann\"]");
    refused("\"sub\":{\"name\":\"ann\"}");
    refused("\"sub\":\"a\\nb\"");
    refused("\"sub\":\"a\\u001b[2J\"");
    refused("\"sub\":\"a\\u007f\"");
    refused("\"sub\":\"a\\u0085b\"");
    (void)snprintf(text, sizeof(text), "\"sub\":\"%0255d\"", 1);
    taken(text);
    assert_int_equal(strlen(out.sub), JWT_SUB_MAX);
    (void)snprintf(text, sizeof(text), "\"sub\":\"%0256d\"", 1);
    refused(text);
}

static void
what_is_only_for_show_is_left_out_if_it_is_wrong(void **state)
{
    char text[400];

    (void)state;
    taken("\"name\":\"Ann\",\"preferred_username\":\"a\",\"jti\":\"j\","
          "\"nonce\":\"n\",\"azp\":\"z\",\"sid\":\"s\"");
    assert_string_equal(out.name, "Ann");
    assert_string_equal(out.jti, "j");
    assert_string_equal(out.nonce, "n");
    assert_string_equal(out.azp, "z");
    assert_string_equal(out.sid, "s");
    taken("\"name\":\"A\\nB\",\"preferred_username\":7,\"email\":\"a@b\"");
    assert_string_equal(out.name, "a@b");
    taken("\"jti\":7,\"nonce\":\"a\\u0001\",\"azp\":[],\"sid\":{}");
    assert_string_equal(out.jti, "");
    assert_string_equal(out.nonce, "");
    assert_string_equal(out.azp, "");
    assert_string_equal(out.sid, "");
    /* 127 bytes and a character of two: not half of it */
    (void)snprintf(text, sizeof(text), "\"name\":\"%0127d\xC3\xA4\"", 0);
    taken(text);
    assert_int_equal(strlen(out.name), 127);
    (void)snprintf(text, sizeof(text), "\"jti\":\"%0129d\"", 0);
    taken(text);
    assert_string_equal(out.jti, "");
}

/* --- what its owner may do ------------------------------------------------ */

static void
roles_and_scopes_say_what_the_owner_may_do(void **state)
{
    static const struct {
        const char *claims;
        unsigned ours, theirs;
    } rows[] = {
        {"", MAY_USER, MAY_USER},
        {"\"role\":\"admin\"", MAY_ALL, MAY_ALL},
        {"\"role\":\"user\"", MAY_USER, MAY_USER},
        {"\"role\":\"read-only\"", MAY_READ, MAY_READ},
        {"\"role\":\"readonly\"", MAY_READ, MAY_READ},
        {"\"role\":\"viewer\"", MAY_READ, MAY_READ},
        {"\"role\":\"Admin\"", MAY_USER, MAY_USER},
        {"\"role\":\"administrator\"", MAY_USER, MAY_USER},
        {"\"role\":\"\"", MAY_USER, MAY_USER},
        {"\"role\":7", MAY_USER, MAY_USER},
        {"\"role\":{\"admin\":true}", MAY_USER, MAY_USER},
        {"\"admin\":true", MAY_USER, MAY_USER},
        {"\"roles\":[\"read-only\"]", MAY_READ, MAY_READ},
        {"\"roles\":[\"x\",\"admin\"]", MAY_ALL, MAY_ALL},
        {"\"roles\":[\"read-only\",\"user\"]", MAY_USER, MAY_USER},
        {"\"roles\":[[\"admin\"],7]", MAY_USER, MAY_USER},
        {"\"roles\":\"admin\"", MAY_ALL, MAY_ALL},
        {"\"roles\":\"x admin\"", MAY_USER, MAY_USER},
        {"\"role\":\"read-only\",\"roles\":[\"admin\"]", MAY_ALL, MAY_ALL},
        {"\"scope\":\"openid profile\"", MAY_USER, MAY_USER},
        {"\"scope\":\"openid read\"", MAY_READ, MAY_READ},
        {"\"scope\":\"parley:read\"", MAY_READ, MAY_READ},
        {"\"scope\":\"  write  \"", MAY_USER, MAY_USER},
        {"\"scope\":\"other:read\"", MAY_USER, MAY_USER},
        {"\"scope\":\"read write\"", MAY_USER, MAY_USER},
        {"\"scope\":\"reads\"", MAY_USER, MAY_USER},
        {"\"scope\":[\"read\"]", MAY_READ, MAY_READ},
        {"\"scp\":\"read\"", MAY_READ, MAY_READ},
        {"\"scp\":[\"x\",\"write\"]", MAY_USER, MAY_USER},
        {"\"scope\":\"admin\"", MAY_ALL, MAY_USER},
        {"\"scope\":\"parley:admin\"", MAY_ALL, MAY_USER},
        {"\"scope\":\"admin\",\"role\":\"user\"", MAY_USER, MAY_USER},
        {"\"scope\":\"admin\",\"role\":\"read-only\"", MAY_READ, MAY_READ},
        {"\"scope\":\"read\",\"role\":\"admin\"", MAY_READ, MAY_READ},
        {"\"scope\":\"write\",\"role\":\"admin\"", MAY_USER, MAY_USER},
        {"\"scope\":\"admin\",\"role\":\"admin\"", MAY_ALL, MAY_ALL},
        {"\"scope\":\"openid\",\"role\":\"admin\"", MAY_ALL, MAY_ALL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(read_as(rows[i].claims, true), OK);
        if (out.may != rows[i].ours)
            fail_msg("ours, %s: %u", rows[i].claims, out.may);
        assert_int_equal(read_as(rows[i].claims, false), OK);
        if (out.may != rows[i].theirs)
            fail_msg("theirs, %s: %u", rows[i].claims, out.may);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_ends_when_it_says_and_a_minute),
        cmocka_unit_test(a_token_without_an_end_is_refused),
        cmocka_unit_test(a_token_begins_when_it_says_but_a_minute),
        cmocka_unit_test(the_issuer_is_exactly_the_one_that_is_set),
        cmocka_unit_test(the_audience_has_the_one_that_is_set),
        cmocka_unit_test(the_subject_is_a_clean_text),
        cmocka_unit_test(what_is_only_for_show_is_left_out_if_it_is_wrong),
        cmocka_unit_test(roles_and_scopes_say_what_the_owner_may_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
