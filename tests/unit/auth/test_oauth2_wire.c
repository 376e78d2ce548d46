/* Tests of auth/oauth2_wire.c: what is sent, and what is made of replies. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/oauth2_wire.h"
#include "base/mem.h"

static struct credentials *
login(const char *scope)
{
    struct credentials *c = credentials_new(CREDENTIALS_OAUTH2);

    c->client_id = xstrdup("a client");
    c->client_secret = xstrdup("p:s&=+%\xc3\xa9");
    c->token_url = xstrdup("https://auth.example.com/token?x=y");
    c->scope = xstrdup(scope);
    return c;
}

static void
the_client_is_in_the_header(void **state)
{
    struct credentials *c = login("read write");
    struct upstream_request q;

    (void)state;
    oauth2_request(c, &q);
    assert_string_equal(q.url, "https://auth.example.com/token?x=y");
    assert_string_equal(q.method, "POST");
    assert_true(q.secret);
    /* base64 of a%20client:p%3As%26%3D%2B%25%C3%A9 */
    assert_int_equal(q.n_headers, 3);
    assert_string_equal(q.headers[0],
                        "Authorization: Basic YSUyMGNsaWVudDpwJTNBcyUyNiUzRCUy"
                        "QiUyNSVDMyVBOQ==");
    assert_string_equal(q.headers[1],
                        "Content-Type: application/x-www-form-urlencoded");
    assert_string_equal(q.headers[2], "Accept: application/json");
    assert_string_equal(buf_cstr(&q.body),
                        "grant_type=client_credentials&scope=read%20write");
    upstream_request_release(&q);
    credentials_free(c);
}

static void
or_in_the_form(void **state)
{
    struct credentials *c = login("");
    struct upstream_request q;

    (void)state;
    c->in_body = true;
    oauth2_request(c, &q);
    assert_int_equal(q.n_headers, 2);
    assert_string_equal(buf_cstr(&q.body),
                        "grant_type=client_credentials&client_id=a%20client"
                        "&client_secret=p%3As%26%3D%2B%25%C3%A9");
    upstream_request_release(&q);
    credentials_free(c);
}

/* As long as credentials_check lets them be; every byte becomes three. */
static void
the_longest_values_fit(void **state)
{
    struct credentials *c = credentials_new(CREDENTIALS_OAUTH2);
    char **v[] = {&c->client_id, &c->client_secret, &c->scope};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(v); i++) {
        *v[i] = xcalloc(1, CREDENTIALS_VALUE_MAX + 1);
        memset(*v[i], '%', CREDENTIALS_VALUE_MAX);
    }
    c->token_url = xstrdup("https://a.example/");
    for (int i = 0; i < 2; i++) {
        struct upstream_request q;

        c->in_body = i == 1;
        oauth2_request(c, &q);
        assert_int_equal(q.n_headers, 3 - i);
        assert_int_equal(buf_status(&q.body), OK);
        assert_true(q.body.len >
                    (size_t)(1 + 2 * i) * 3 * CREDENTIALS_VALUE_MAX);
        upstream_request_release(&q);
    }
    credentials_free(c);
}

static void
tokens_are_read(void **state)
{
    static const struct {
        const char *text, *token;
        int64_t life_s;
    } rows[] = {
        {"{\"access_token\":\"abc\",\"token_type\":\"Bearer\","
         "\"expires_in\":3600}",
         "abc", 3600},
        {" {\"token_type\":\"bEARER\",\"scope\":\"r\",\"access_token\":"
         "\"a.b-c_~+/=\"} ",
         "a.b-c_~+/=", OAUTH2_LIFE_S},
        {"{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":"
         "\"60\"}",
         "a", 60},
        {"{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":"
         "1.9}",
         "a", 1},
        {"{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":"
         "-5}",
         "a", 0},
        {"{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":"
         "1e300}",
         "a", OAUTH2_LIFE_MAX_S},
        {"{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":"
         "\"99999999999\"}",
         "a", OAUTH2_LIFE_MAX_S},
        {"{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":"
         "\"soon\"}",
         "a", OAUTH2_LIFE_S},
        {"{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":"
         "null}",
         "a", OAUTH2_LIFE_S},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *s = rows[i].text;
        struct oauth2_reply r;
        struct problem why = {.err = OK};

        assert_int_equal(oauth2_reply_read(200, s, strlen(s), &r, &why), OK);
        assert_string_equal(r.token, rows[i].token);
        assert_int_equal(r.life_s, rows[i].life_s);
        assert_false(r.refused_client);
        oauth2_reply_release(&r);
        assert_null(r.token);
    }
}

static void
what_is_wrong_is_said_in_our_words(void **state)
{
    static const struct {
        int status;
        const char *text;
        enum err want;
        bool refused_client;
    } rows[] = {
        {200, "", ERR_UPSTREAM, false},
        {200, "hidden", ERR_UPSTREAM, false},
        {200, "[\"hidden\"]", ERR_UPSTREAM, false},
        {200, "{\"access_token\":\"hidden\"}", ERR_UPSTREAM, false},
        {200, "{\"access_token\":7,\"token_type\":\"Bearer\"}", ERR_UPSTREAM,
         false},
        {200, "{\"access_token\":\"\",\"token_type\":\"Bearer\"}", ERR_UPSTREAM,
         false},
        {200, "{\"access_token\":\"hidden\",\"token_type\":\"hidden\"}",
         ERR_UPSTREAM, false},
        {200, "{\"access_token\":\"hidden x\",\"token_type\":\"Bearer\"}",
         ERR_UPSTREAM, false},
        {200, "{\"access_token\":\"hidden\\u00e9\",\"token_type\":\"Bearer\"}",
         ERR_UPSTREAM, false},
        {200, "{\"access_token\":\"hidden\",\"token_type\":\"Bearer\"} x",
         ERR_UPSTREAM, false},
        {302, "{\"access_token\":\"hidden\",\"token_type\":\"Bearer\"}",
         ERR_UPSTREAM, false},
        {401,
         "{\"error\":\"invalid_client\",\"error_description\":"
         "\"hidden\"}",
         ERR_AUTH, true},
        {400, "{\"error\":\"invalid_client\"}", ERR_AUTH, true},
        {400, "{\"error\":\"invalid_scope\"}", ERR_AUTH, false},
        {400, "{\"error\":\"hidden\"}", ERR_AUTH, false},
        {403, "hidden", ERR_AUTH, false},
        {404, "", ERR_AUTH, false},
        {429, "hidden", ERR_LIMIT, false},
        {500, "{\"error\":{\"hidden\":1}}", ERR_UPSTREAM, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *s = rows[i].text;
        struct oauth2_reply r;
        struct problem why = {.err = OK};
        enum err e = oauth2_reply_read(rows[i].status, s, strlen(s), &r, &why);

        if (e != rows[i].want || why.err != e ||
            r.refused_client != rows[i].refused_client)
            fail_msg("%d %s: %s", rows[i].status, s, err_code(e));
        assert_null(r.token);
        assert_true(why.error[0] != '\0' && why.message[0] != '\0');
        assert_null(strstr(why.error, "hidden"));
        assert_null(strstr(why.message, "hidden"));
        oauth2_reply_release(&r);
    }
}

static void
long_ones_are_not_read(void **state)
{
    size_t n = OAUTH2_REPLY_MAX + 1;
    char *s = xcalloc(1, n);
    struct oauth2_reply r;
    struct problem why;
    int head;

    (void)state;
    memset(s, ' ', n);
    head = snprintf(s, n, "{\"token_type\":\"Bearer\",\"access_token\":\"");
    memset(s + head, 'x', CREDENTIALS_VALUE_MAX + 1);
    memcpy(s + head + CREDENTIALS_VALUE_MAX + 1, "\"}", 2);
    assert_int_equal(oauth2_reply_read(200, s, n - 1, &r, &why), ERR_UPSTREAM);
    assert_non_null(strstr(why.message, "cannot be sent"));
    assert_int_equal(oauth2_reply_read(200, s, n, &r, &why), ERR_UPSTREAM);
    assert_non_null(strstr(why.message, "too long"));
    free(s);
}

static void
every_end_has_a_sentence(void **state)
{
    (void)state;
    for (int i = TRANSFER_COMPLETE; i <= TRANSFER_FORBIDDEN; i++) {
        struct problem why = {.err = OK};
        enum err e = oauth2_unreached((enum transfer_end)i, &why);

        assert_true(e != OK && e == why.err);
        assert_true(why.error[0] != '\0' && why.message[0] != '\0');
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_is_in_the_header),
        cmocka_unit_test(or_in_the_form),
        cmocka_unit_test(the_longest_values_fit),
        cmocka_unit_test(tokens_are_read),
        cmocka_unit_test(what_is_wrong_is_said_in_our_words),
        cmocka_unit_test(long_ones_are_not_read),
        cmocka_unit_test(every_end_has_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
