/*
 * Tests of api/body_limits.c: which requests may be files, and how long.
 */
#include "../http/http_test.h"

#include "api/body_limits.h"
#include "base/conf.h"

static size_t
limit_with(const char *method, const char *path, const char *header)
{
    char a[100], b[100];
    const char *const vars[] = {a, b, header, NULL};
    struct body_limits limits;
    struct request *rq;
    struct problem why;
    size_t n;

    (void)snprintf(a, sizeof(a), "REQUEST_METHOD=%s", method);
    (void)snprintf(b, sizeof(b), "PATH_INFO=%s", path);
    assert_int_equal(request_new(&rq, vars, "", &why), OK);
    body_limits_load(&limits);
    n = request_body_max(rq, &limits);
    request_free(rq);
    return n;
}

static size_t
limit_of(const char *method, const char *path)
{
    return limit_with(method, path, NULL);
}

static void
only_an_import_is_a_file(void **state)
{
    (void)state;
    conf_override(CONF_BODY_MAX_KIB, "3");
    conf_override(CONF_IMPORT_MAX_MIB, "5");
    assert_int_equal(limit_of("POST", "/import"), 5 << 20);
    assert_int_equal(limit_of("GET", "/import"), 3 << 10);
    assert_int_equal(limit_of("POST", "/import/"), 3 << 10);
    assert_int_equal(limit_of("POST", "/chat"), 3 << 10);
    assert_int_equal(limit_of("PUT", "/"), 3 << 10);
}

static void
who_shows_nothing_and_must_sends_little(void **state)
{
    static const char *const shown[] = {
        "HTTP_AUTHORIZATION=Bearer x", "HTTP_X_OWN_KEY=x",
        "HTTP_REMOTE_USER=ann", "HTTP_COOKIE=parley_login=abcdef; x=y",
        "REDIRECT_HTTP_AUTHORIZATION=Basic x"};
    static const char *const nothing[] = {
        "HTTP_AUTHORIZATION=", "HTTP_X_API_KEY=not the header",
        "HTTP_COOKIE=parley_owner=abc"};

    (void)state;
    conf_override(CONF_BODY_MAX_KIB, "64");
    conf_override(CONF_IMPORT_MAX_MIB, "5");
    conf_override(CONF_API_KEY_HEADER, "X-Own-Key");
    conf_override(CONF_PROXY_USER_HEADER, "Remote-User");
    conf_override(CONF_AUTH_REQUIRED, "1");
    assert_int_equal(limit_of("POST", "/import"), 16 << 10);
    assert_int_equal(limit_of("POST", "/auth/login"), 16 << 10);
    for (size_t i = 0; i < COUNT_OF(nothing); i++)
        assert_int_equal(limit_with("POST", "/chat", nothing[i]), 16 << 10);
    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        assert_int_equal(limit_with("POST", "/import", shown[i]), 5 << 20);
        assert_int_equal(limit_with("POST", "/chat", shown[i]), 64 << 10);
    }
    conf_override(CONF_BODY_MAX_KIB, "8");
    assert_int_equal(limit_of("POST", "/chat"), 8 << 10);
    conf_override(CONF_AUTH_REQUIRED, "0");
    assert_int_equal(limit_of("POST", "/import"), 5 << 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_an_import_is_a_file),
        cmocka_unit_test(who_shows_nothing_and_must_sends_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
