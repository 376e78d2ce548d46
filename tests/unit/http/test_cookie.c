/* Tests of http/cookie.c. */
#include "http_test.h"

#include "http/cookie.h"

static char value[COOKIE_VALUE_MAX + 1];

static void
assert_value(const char *header, const char *want)
{
    assert_true(cookie_find(header, "own", value));
    assert_string_equal(value, want);
}

static void
a_cookie_is_found_by_its_whole_name(void **state)
{
    (void)state;
    assert_value("own=abc", "abc");
    assert_value("a=1; own=abc; b=2", "abc");
    assert_value("disown=no; own=abc", "abc");
    assert_value("owner=no;own=a-b_c.d~9", "a-b_c.d~9");
    assert_value("own=abc \t; x", "abc");
    assert_value("own=; x=1", "");
    assert_false(cookie_find("x=own=1", "own", value));
    assert_false(cookie_find("own", "own", value));
    assert_false(cookie_find("Own=abc", "own", value));
    assert_false(cookie_find("", "own", value));
    assert_false(cookie_find(NULL, "own", value));
}

static void
the_first_of_a_name_counts(void **state)
{
    (void)state;
    assert_value("own=first; own=second", "first");
    /* also where it is none of ours: it is not looked further */
    assert_false(cookie_find("own=\"x\"; own=second", "own", value));
}

static void
a_value_that_is_none_of_ours_is_none(void **state)
{
    static const char *const bad[] = {"own=a b",      "own=\"abc\"", "own=a%20",
                                      "own=\xc3\xa4", "own=a\x01",   "own=a/b"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(cookie_find(bad[i], "own", value));
        assert_string_equal(value, "");
    }
}

static void
a_value_may_have_so_many_bytes_and_no_more(void **state)
{
    char header[COOKIE_VALUE_MAX + 16];

    (void)state;
    memset(header, 'x', sizeof(header));
    memcpy(header, "own=", 4);
    header[4 + COOKIE_VALUE_MAX] = '\0';
    assert_value(header, header + 4);
    header[4 + COOKIE_VALUE_MAX] = 'x';
    header[5 + COOKIE_VALUE_MAX] = '\0';
    assert_false(cookie_find(header, "own", value));
}

static void
assert_set(const char *script, const char *v, int64_t age, bool secure,
           const char *want)
{
    char name[256];
    const char *vars[] = {"REQUEST_METHOD=GET", "PATH_INFO=/x", name, NULL};
    struct request *rq;
    struct problem why;

    (void)snprintf(name, sizeof(name), "SCRIPT_NAME=%s", script);
    assert_int_equal(request_new(&rq, vars, "", &why), OK);
    cookie_set(rq, "own", v, age, secure);
    assert_string_equal(rq->head_more, want);
    request_free(rq);
}

static void
it_is_set_for_what_is_below_the_base(void **state)
{
    (void)state;
    assert_set("", "abc", 60, false,
               "Set-Cookie: own=abc; Path=/; HttpOnly; SameSite=Lax; "
               "Max-Age=60\r\n");
    assert_set("", "abc", -1, true,
               "Set-Cookie: __Host-own=abc; Path=/; HttpOnly; SameSite=Lax; "
               "Secure\r\n");
    assert_set(
        "/~u/chat", "abc", -1, true,
        "Set-Cookie: __Secure-own=abc; Path=/~u/chat/; HttpOnly; SameSite=Lax; "
        "Secure\r\n");
    assert_set("/a", "", 0, false,
               "Set-Cookie: own=; Path=/a/; HttpOnly; SameSite=Lax; "
               "Max-Age=0\r\n");
    assert_set("/a; Domain=evil.example", "abc", 60, false, "");
}

static bool
has_own(const char *script, const char *https, const char *cookie)
{
    char name[64], tls[64], header[128];
    const char *vars[] = {
        "REQUEST_METHOD=GET", "PATH_INFO=/x", name, tls, header, NULL};
    struct request *rq;
    struct problem why;
    bool has;

    (void)snprintf(name, sizeof(name), "SCRIPT_NAME=%s", script);
    (void)snprintf(tls, sizeof(tls), "HTTPS=%s", https);
    (void)snprintf(header, sizeof(header), "HTTP_COOKIE=%s", cookie);
    assert_int_equal(request_new(&rq, vars, "", &why), OK);
    has = cookie_own(rq, "own", value);
    request_free(rq);
    return has;
}

static void
under_tls_only_a_name_with_its_prefix_counts(void **state)
{
    (void)state;
    assert_true(has_own("", "off", "own=a"));
    assert_true(has_own("", "off", "own=a; __Host-own=b"));
    assert_string_equal(value, "b");
    assert_true(has_own("", "on", "own=a; __Host-own=b"));
    assert_string_equal(value, "b");
    assert_false(has_own("", "on", "own=a"));
    assert_false(has_own("", "on", "__Secure-own=a"));
    assert_true(has_own("/a", "on", "__Secure-own=a"));
    assert_false(has_own("/a", "on", "own=a"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_is_found_by_its_whole_name),
        cmocka_unit_test(the_first_of_a_name_counts),
        cmocka_unit_test(a_value_that_is_none_of_ours_is_none),
        cmocka_unit_test(a_value_may_have_so_many_bytes_and_no_more),
        cmocka_unit_test(it_is_set_for_what_is_below_the_base),
        cmocka_unit_test(under_tls_only_a_name_with_its_prefix_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
