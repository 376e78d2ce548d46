/* Tests of client/login.c: headers and frames of each way to sign in. That of
 * OAuth2 with a server is in tests/e2e/cli_chat_login.test.js. */
#include "client_test.h"

static const struct {
    struct parley_config c;
    const char *header, *frame;
} ways[] = {
    {{.auth = PARLEY_AUTH_NONE}, "", "{\"type\":\"auth\"}"},
    {{.auth = PARLEY_AUTH_BEARER, .token = "t\"1"},
     "Authorization: Bearer t\"1",
     "{\"type\":\"auth\",\"auth_type\":\"bearer_token\",\"token\":\"t\\\"1\"}"},
    {{.auth = PARLEY_AUTH_API_KEY, .api_key = "k"},
     "X-API-Key: k",
     "{\"type\":\"auth\",\"auth_type\":\"api_key\",\"api_key\":\"k\"}"},
    {{.auth = PARLEY_AUTH_API_KEY, .api_key = "k", .api_key_header = "X"},
     "X: k",
     "{\"type\":\"auth\",\"auth_type\":\"api_key\",\"api_key\":\"k\","
     "\"api_key_header\":\"X\"}"},
    {{.auth = PARLEY_AUTH_BASIC,
      .username = "Aladdin",
      .password = "open sesame"},
     "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
     "{\"type\":\"auth\",\"auth_type\":\"basic_auth\","
     "\"username\":\"Aladdin\",\"password\":\"open sesame\"}"},
};

static void
each_way_has_its_header_and_its_frame(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        struct parley_config c = ways[i].c;
        struct told told;
        struct parley *p;
        struct buf out;

        c.url = "http://h";
        p = told_parley(&told, &c);
        assert_null(login_missing(&p->c));
        buf_init(&out, 4096);
        assert_int_equal(login_header(p, false, &out), PARLEY_OK);
        assert_string_equal(buf_cstr(&out), ways[i].header);
        login_wipe(&out);
        buf_init(&out, LOGIN_FRAME_MAX);
        login_frame(p, &out);
        assert_string_equal(buf_cstr(&out), ways[i].frame);
        login_wipe(&out);
        login_forget(p);
        buf_init(&out, 4096);
        assert_int_equal(login_header(p, false, &out), PARLEY_OK);
        assert_int_equal(out.len, 0);
        buf_release(&out);
        parley_free(p);
        told_release(&told);
    }
}

static void
what_is_missing_is_said(void **state)
{
    static const struct parley_config bad[] = {
        {.auth = PARLEY_AUTH_BEARER},
        {.auth = PARLEY_AUTH_API_KEY},
        {.auth = PARLEY_AUTH_BASIC, .username = "u"},
        {.auth = PARLEY_AUTH_OAUTH2, .client_id = "i", .client_secret = "s"},
        {.auth = PARLEY_AUTH_OAUTH2,
         .client_id = "i",
         .client_secret = "s",
         .token_url = "http://example.org/token"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_non_null(login_missing(&bad[i]));
    assert_null(login_missing(
        &(struct parley_config){.auth = PARLEY_AUTH_OAUTH2,
                                .client_id = "i",
                                .client_secret = "s",
                                .token_url = "https://example.org/token"}));
}

static void
a_credential_of_two_lines_is_refused(void **state)
{
    struct parley_config c = {
        .url = "http://h", .auth = PARLEY_AUTH_BEARER, .token = "a\r\nX: y"};
    struct told told;
    struct parley *p = told_parley(&told, &c);
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    assert_int_equal(login_header(p, false, &out), PARLEY_WRONG);
    assert_told(&told, "error 2 invalid_credentials: A credential must be one "
                       "line\n");
    buf_release(&out);
    parley_free(p);
    told_release(&told);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_has_its_header_and_its_frame),
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(a_credential_of_two_lines_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
