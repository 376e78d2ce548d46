/* Tests of auth/oidc.c, with a provider in memory and the store under it: who
 * comes in, and every ID token that lets nobody in. */
#include "base/base.h"

#include "auth/oidc.h"

#include "accounts_test.h"
#include "auth/jwt.h"
#include "auth/oidc_wire.h"
#include "base/conf.h"
#include "fake_provider.h"

#define BACK "https://chat.example.com/auth/oauth2/callback"
#define BROWSER "0123456789012345678901234567890123456789012"

struct attempt {
    char state[128], nonce[128], challenge[128];
    char url[OIDC_LOCATION_MAX + 1];
};

static struct oidc_config
config(struct store *s)
{
    return (struct oidc_config){.store = s,
                                .fetcher = FAKE_FETCHER,
                                .issuer = FAKE_ISSUER,
                                .client_id = FAKE_CLIENT,
                                .client_secret = "s3cr3t",
                                .scopes = "openid profile",
                                .name = "",
                                .admin_claim = "groups=parley-admins"};
}

static struct oidc *
open_oidc(struct accounts *a)
{
    struct oidc_config c = config(NULL);
    struct problem why = {.err = OK};
    struct oidc *o = NULL;

    fake_reset();
    a->s = accounts_open(a->dir);
    c.store = a->s;
    assert_int_equal(oidc_new(&o, &c, &why), OK);
    return o;
}

static void
take_arg(const char *url, const char *name, char out[128])
{
    char find[64];
    const char *at;

    (void)snprintf(find, sizeof(find), "%s=", name);
    at = strstr(url, find);
    assert_non_null(at);
    (void)snprintf(out, 128, "%.*s", (int)strcspn(at + strlen(find), "&"),
                   at + strlen(find));
}

static void
claim_text(const char *name, const char *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(fake.claims, name);
    if (value != NULL)
        cJSON_AddStringToObject(fake.claims, name, value);
}

static void
claim_number(const char *name, double value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(fake.claims, name);
    cJSON_AddNumberToObject(fake.claims, name, value);
}

static void
claim_json(const char *name, const char *json)
{
    cJSON_DeleteItemFromObjectCaseSensitive(fake.claims, name);
    cJSON_AddItemToObject(fake.claims, name, cJSON_Parse(json));
}

/* To the provider, where an ID token is made ready that is good. */
static struct attempt
begin(struct oidc *o)
{
    int64_t now_s = clock_wall_ms() / 1000;
    struct problem why = {.err = OK};
    struct attempt a;
    struct buf b;

    buf_init(&b, OIDC_LOCATION_MAX);
    assert_int_equal(
        oidc_begin(o, BACK, "/#s", BROWSER, clock_wall_ms(), &b, &why), OK);
    (void)snprintf(a.url, sizeof(a.url), "%s", buf_cstr(&b));
    buf_release(&b);
    take_arg(a.url, "state", a.state);
    take_arg(a.url, "nonce", a.nonce);
    take_arg(a.url, "code_challenge", a.challenge);
    claim_text("iss", FAKE_ISSUER);
    claim_text("aud", FAKE_CLIENT);
    claim_text("sub", "42");
    claim_text("nonce", a.nonce);
    claim_number("iat", (double)now_s);
    claim_number("exp", (double)now_s + 300);
    return a;
}

static enum err
finish(struct oidc *o, const struct attempt *a, struct oidc_person *who,
       struct problem *why)
{
    const struct oidc_answer answer = {
        .code = "c/1", .state = a->state, .issuer = FAKE_ISSUER};

    memset(why, 0, sizeof(*why));
    return oidc_finish(o, &answer, BROWSER, clock_wall_ms(), who, why);
}

static void
assert_refused(struct oidc *o, const struct attempt *a, enum err e,
               const char *code)
{
    struct oidc_person who;
    struct problem why;

    assert_int_equal(finish(o, a, &who, &why), e);
    assert_string_equal(why.code, code);
    assert_string_equal(who.owner, "");
    assert_string_equal(who.next, "/#s");
}

/* --- who comes in --------------------------------------------------------- */

static void
somebody_signs_in(void **state)
{
    struct accounts *acc = *state;
    struct oidc *o = open_oidc(acc);
    struct attempt a = begin(o);
    struct oidc_person who;
    struct problem why;
    char verifier[128], challenge[OIDC_RANDOM_LEN + 1];

    assert_string_equal(oidc_name(o), "login.example.com");
    assert_non_null(strstr(a.url, FAKE_ISSUER "/auth?response_type=code"));
    assert_non_null(strstr(a.url, "&scope=openid%20profile&"));
    claim_text("name", "Ann");
    assert_int_equal(finish(o, &a, &who, &why), OK);
    assert_string_equal(who.owner, "oidc/login.example.com/42");
    assert_string_equal(who.name, "Ann");
    assert_int_equal(who.may, MAY_USER);
    assert_string_equal(who.next, "/#s");
    /* the code was changed with the verifier of the challenge, by us */
    assert_non_null(strstr(fake.form, "&code=c%2F1&"));
    take_arg(fake.form, "code_verifier", verifier);
    oidc_challenge(challenge, verifier);
    assert_string_equal(challenge, a.challenge);
    assert_null(strstr(fake.form, "client_secret"));
    assert_int_equal(fake.n_tokens, 1);
    assert_int_equal(fake.n_userinfo, 0);
    /* once */
    assert_int_equal(finish(o, &a, &who, &why), ERR_AUTH);
    assert_string_equal(why.code, "login_expired");
    assert_string_equal(who.next, "");
    assert_int_equal(fake.n_tokens, 1);
    oidc_free(o);
}

static void
the_claim_makes_an_administrator(void **state)
{
    static const struct {
        const char *json;
        unsigned may;
    } cases[] = {
        {"\"parley-admins\"", MAY_ALL},
        {"[\"x\",\"parley-admins\"]", MAY_ALL},
        {"[\"x\",\"parley-admins2\"]", MAY_USER},
        {"\"x parley-admins\"", MAY_USER},
        {"[[\"parley-admins\"]]", MAY_USER},
        {"{\"a\":\"parley-admins\"}", MAY_USER},
        {"true", MAY_USER},
    };
    struct accounts *acc = *state;
    struct oidc *o = open_oidc(acc);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct attempt a = begin(o);
        struct oidc_person who;
        struct problem why;

        claim_json("groups", cases[i].json);
        claim_text("role", "admin"); /* not the claim that is set */
        assert_int_equal(finish(o, &a, &who, &why), OK);
        assert_int_equal(who.may, cases[i].may);
    }
    oidc_free(o);
}

static void
a_name_is_asked_for_if_the_token_has_none(void **state)
{
    struct accounts *acc = *state;
    struct oidc *o = open_oidc(acc);
    struct oidc_person who;
    struct problem why;
    struct attempt a;

    fake.document = FAKE_DOCUMENT(FAKE_USERINFO);
    fake.access = "access-1";
    fake.userinfo = "{\"sub\":\"42\",\"name\":\"Ann\"}";
    a = begin(o);
    assert_int_equal(finish(o, &a, &who, &why), OK);
    assert_string_equal(who.name, "Ann");
    assert_string_equal(fake.bearer, "Bearer access-1");
    /* somebody else's name, or none: no reason to fail */
    fake.userinfo = "{\"sub\":\"43\",\"name\":\"Bob\"}";
    a = begin(o);
    assert_int_equal(finish(o, &a, &who, &why), OK);
    assert_string_equal(who.name, "42");
    fake.userinfo = "nothing";
    a = begin(o);
    assert_int_equal(finish(o, &a, &who, &why), OK);
    assert_string_equal(who.name, "42");
    assert_int_equal(fake.n_userinfo, 3);
    a = begin(o);
    claim_text("email", "ann@example.com");
    assert_int_equal(finish(o, &a, &who, &why), OK);
    assert_string_equal(who.name, "ann@example.com");
    assert_int_equal(fake.n_userinfo, 3);
    oidc_free(o);
}

static void
at_hash_is_that_of_the_access_token(void **state)
{
    struct accounts *acc = *state;
    struct oidc *o = open_oidc(acc);
    struct oidc_person who;
    struct problem why;
    struct attempt a = begin(o);

    /* the pair of OpenID Connect Core, appendix A.3 */
    fake.access = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    claim_text("at_hash", "77QmUPtjPfzWtF2AnpK9RQ");
    assert_int_equal(finish(o, &a, &who, &why), OK);
    a = begin(o);
    fake.access = "another";
    assert_refused(o, &a, ERR_AUTH, "token_invalid");
    a = begin(o);
    fake.access = NULL;
    assert_refused(o, &a, ERR_AUTH, "token_invalid");
    oidc_free(o);
}

/* --- who does not --------------------------------------------------------- */

static void
every_bad_id_token_is_refused(void **state)
{
    static const struct {
        const char *claim, *json; /* NULL: taken away */
    } bad[] = {
        {"nonce", NULL},
        {"nonce", "\"another\""},
        {"nonce", "7"},
        {"iss", NULL},
        {"iss", "\"https://evil.example\""},
        {"iss", "\"" FAKE_ISSUER "/\""},
        {"aud", NULL},
        {"aud", "\"client-2\""},
        {"aud", "\"client-1 \""},
        {"aud", "[]"},
        {"aud", "[\"client-2\"]"},
        {"aud", "[\"client-1\",\"client-2\"]"}, /* without azp */
        {"azp", "\"client-2\""},
        {"azp", "7"},
        {"azp", "\"\""},
        {"sub", NULL},
        {"sub", "\"\""},
        {"sub", "42"},
        {"exp", NULL},
        {"exp", "1000"},
        {"exp", "\"soon\""},
        {"iat", NULL},
        {"iat", "99999999999"},
        {"nbf", "99999999999"},
        {"at_hash", "7"},
        {"at_hash", "\"77QmUPtjPfzWtF2AnpK9RQ\""},
        {"at_hash", "\"\""},
    };
    struct accounts *acc = *state;
    struct oidc *o = open_oidc(acc);

    fake.access = "an access token";
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct attempt a = begin(o);

        if (bad[i].json == NULL)
            claim_text(bad[i].claim, NULL);
        else
            claim_json(bad[i].claim, bad[i].json);
        assert_refused(o, &a, ERR_AUTH, "token_invalid");
        cJSON_Delete(fake.claims);
        fake.claims = cJSON_CreateObject();
    }
    assert_int_equal(fake.n_tokens, COUNT_OF(bad));
    oidc_free(o);
}

static void
of_several_audiences_azp_says_whose_it_is(void **state)
{
    struct accounts *acc = *state;
    struct oidc *o = open_oidc(acc);
    struct attempt a = begin(o);
    struct oidc_person who;
    struct problem why;

    claim_json("aud", "[\"client-1\",\"client-2\"]");
    claim_text("azp", FAKE_CLIENT);
    assert_int_equal(finish(o, &a, &who, &why), OK);
    a = begin(o);
    claim_json("aud", "[\"client-1\",\"client-2\"]");
    claim_text("azp", "client-2");
    assert_refused(o, &a, ERR_AUTH, "token_invalid");
    oidc_free(o);
}

static void
another_key_signs_for_nobody(void **state)
{
    struct accounts *acc = *state;
    struct oidc *o = open_oidc(acc);
    struct attempt a = begin(o);
    cjose_jwk_t *real = fake.key, *forged = fake_key("key-1");
    struct oidc_person who;
    struct problem why;

    fake.key = forged;
    assert_refused(o, &a, ERR_AUTH, "token_invalid");
    a = begin(o);
    fake.kid = "key-2"; /* one that is not published */
    assert_refused(o, &a, ERR_AUTH, "token_invalid");
    a = begin(o);
    fake.kid = "key-1";
    fake.key = real;
    assert_int_equal(finish(o, &a, &who, &why), OK);
    cjose_jwk_release(forged);
    oidc_free(o);
}

static void
what_is_no_signed_token_is_refused(void **state)
{
    static const char *const tokens[] = {
        /* alg none, with the claims of nobody */
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiI0MiJ9.",
        "a.b.c",
        "x",
        "..",
    };
    struct accounts *acc = *state;
    struct oidc *o = open_oidc(acc);
    char reply[512];

    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        struct attempt a = begin(o);

        (void)snprintf(reply, sizeof(reply),
                       "{\"token_type\":\"Bearer\",\"id_token\":\"%s\"}",
                       tokens[i]);
        fake.tokens = reply;
        assert_refused(o, &a, ERR_AUTH, "token_invalid");
    }
    oidc_free(o);
}

/* --- answers that lead nowhere -------------------------------------------- */

static void
finish_with(struct oidc *o, const struct oidc_answer *answer,
            const char *browser, const char *code)
{
    struct oidc_person who;
    struct problem why = {.err = OK};

    assert_int_equal(
        oidc_finish(o, answer, browser, clock_wall_ms(), &who, &why), ERR_AUTH);
    assert_string_equal(why.code, code);
    assert_string_equal(who.owner, "");
    assert_int_equal(fake.n_tokens, 0);
}

static void
an_answer_without_its_browser_or_state_changes_no_code(void **state)
{
    struct accounts *acc = *state;
    struct oidc *o = open_oidc(acc);
    struct attempt a = begin(o);
    struct oidc_answer answer = {.code = "c", .state = a.state};
    char other[OIDC_BROWSER_LEN + 1];

    oidc_browser_make(other);
    assert_true(oidc_browser_ok(other));
    finish_with(o, &answer, other, "login_foreign");
    finish_with(o, &answer, NULL, "login_foreign");
    answer.state = other;
    finish_with(o, &answer, BROWSER, "login_expired");
    answer.state = NULL;
    finish_with(o, &answer, BROWSER, "login_expired");
    answer.state = a.state;
    answer.issuer = "https://evil.example";
    finish_with(o, &answer, BROWSER, "token_invalid");
    a = begin(o);
    answer = (struct oidc_answer){.error = "access_denied", .state = a.state};
    finish_with(o, &answer, BROWSER, "access_denied");
    a = begin(o);
    answer = (struct oidc_answer){.error = "x\ny=\"z", .state = a.state};
    finish_with(o, &answer, BROWSER, "provider_refused");
    a = begin(o);
    answer = (struct oidc_answer){.state = a.state};
    finish_with(o, &answer, BROWSER, "provider_failed");
    oidc_free(o);
}

static void
a_provider_that_fails_is_told_so(void **state)
{
    struct accounts *acc = *state;
    struct oidc *o = open_oidc(acc);
    struct attempt a = begin(o);

    fake.fails = ERR_TIMEOUT;
    assert_refused(o, &a, ERR_TIMEOUT, "provider_failed");
    fake.fails = OK;
    a = begin(o);
    fake.fails = ERR_BUSY;
    assert_refused(o, &a, ERR_BUSY, "server_busy");
    fake.fails = OK;
    a = begin(o);
    fake.tokens = "{\"error\":\"invalid_grant\"}";
    fake.token_status = 400;
    assert_refused(o, &a, ERR_AUTH, "login_expired");
    a = begin(o);
    fake.tokens = "{\"error\":\"invalid_client\"}";
    fake.token_status = 401;
    assert_refused(o, &a, ERR_UPSTREAM, "provider_failed");
    oidc_free(o);
}

static void
without_its_document_nothing_begins(void **state)
{
    struct accounts *acc = *state;
    struct oidc *o = open_oidc(acc);
    struct problem why = {.err = OK};
    struct buf b;

    fake.document = "{}";
    buf_init(&b, OIDC_LOCATION_MAX);
    assert_int_equal(
        oidc_begin(o, BACK, "/", BROWSER, clock_wall_ms(), &b, &why),
        ERR_UPSTREAM);
    assert_string_equal(why.code, "provider_failed");
    assert_int_equal(b.len, 0);
    assert_int_equal(
        oidc_begin(o, "no url", "/", BROWSER, clock_wall_ms(), &b, &why),
        ERR_INTERNAL);
    assert_string_equal(why.code, "server_error");
    oidc_logout_url(o, "https://chat.example.com/", &b);
    assert_int_equal(b.len, 0);
    buf_release(&b);
    oidc_free(o);
}

/* --- settings ------------------------------------------------------------- */

static void
settings_must_fit_together(void **state)
{
    struct problem why = {.err = OK};
    struct oidc *o = NULL;

    (void)state;
    conf_override(CONF_OIDC_ISSUER, "");
    conf_override(CONF_OIDC_CLIENT_ID, "");
    assert_int_equal(oidc_open(&o, NULL, NULL, &why), OK);
    assert_null(o);
    conf_override(CONF_OIDC_CLIENT_ID, "c");
    assert_int_equal(oidc_open(&o, NULL, NULL, &why), ERR_BADREQ);
    conf_override(CONF_OIDC_ISSUER, "http://login.example.com");
    assert_int_equal(oidc_open(&o, NULL, NULL, &why), ERR_BADREQ);
    conf_override(CONF_OIDC_ISSUER, "https://login.example.com/?x");
    assert_int_equal(oidc_open(&o, NULL, NULL, &why), ERR_BADREQ);
    conf_override(CONF_OIDC_ISSUER, "https://login.example.com:8443/x");
    conf_override(CONF_OIDC_CLIENT_ID, "");
    assert_int_equal(oidc_open(&o, NULL, NULL, &why), ERR_BADREQ);
    conf_override(CONF_OIDC_CLIENT_ID, "c");
    conf_override(CONF_OIDC_SCOPES, "profile openidx");
    assert_int_equal(oidc_open(&o, NULL, NULL, &why), ERR_BADREQ);
    conf_override(CONF_OIDC_SCOPES, "profile openid");
    conf_override(CONF_OIDC_REDIRECT_URL, "/callback");
    assert_int_equal(oidc_open(&o, NULL, NULL, &why), ERR_BADREQ);
    assert_null(o);
    conf_override(CONF_OIDC_REDIRECT_URL, BACK);
    assert_int_equal(oidc_open(&o, NULL, NULL, &why), OK);
    assert_string_equal(oidc_name(o), "login.example.com:8443");
    oidc_free(o);
    conf_override(CONF_OIDC_NAME, "the house");
    assert_int_equal(oidc_open(&o, NULL, NULL, &why), OK);
    assert_string_equal(oidc_name(o), "the house");
    oidc_free(o);
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
        ON_ACCOUNTS(somebody_signs_in),
        ON_ACCOUNTS(the_claim_makes_an_administrator),
        ON_ACCOUNTS(a_name_is_asked_for_if_the_token_has_none),
        ON_ACCOUNTS(at_hash_is_that_of_the_access_token),
        ON_ACCOUNTS(every_bad_id_token_is_refused),
        ON_ACCOUNTS(of_several_audiences_azp_says_whose_it_is),
        ON_ACCOUNTS(another_key_signs_for_nobody),
        ON_ACCOUNTS(what_is_no_signed_token_is_refused),
        ON_ACCOUNTS(an_answer_without_its_browser_or_state_changes_no_code),
        ON_ACCOUNTS(a_provider_that_fails_is_told_so),
        ON_ACCOUNTS(without_its_document_nothing_begins),
        cmocka_unit_test(settings_must_fit_together),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
