/* Tests of auth/oidc_url.c: URLs of a provider, and where a browser goes. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/oidc_wire.h"

static void
urls_are_https_or_of_this_machine(void **state)
{
    static const char *const https[] = {
        "https://a.example",        "https://a.example/x?y=z",
        "HTTPS://a.example:8443/x", "https://[2001:db8::1]:9/",
        "https://127.0.0.1/",
    };
    static const char *const plain[] = {
        "http://127.0.0.1:8080/x", "http://localhost/",   "http://[::1]:1/",
        "http://127.255.0.9",      "HTTP://LOCALHOST:80",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(https); i++)
        assert_true(oidc_url_ok(https[i], false) &&
                    oidc_url_ok(https[i], true) && oidc_redirect_ok(https[i]) &&
                    !oidc_url_plain(https[i]));
    for (size_t i = 0; i < COUNT_OF(plain); i++)
        assert_true(!oidc_url_ok(plain[i], false) &&
                    oidc_url_ok(plain[i], true) && oidc_redirect_ok(plain[i]) &&
                    oidc_url_plain(plain[i]));
    assert_false(oidc_url_ok("http://10.0.0.1/", true));
    assert_true(oidc_redirect_ok("http://10.0.0.1/"));
}

static void
what_is_no_such_url(void **state)
{
    static const char *const bad[] = {
        "",
        "https://",
        "https:///x",
        "https:a.example",
        "//a.example",
        "/x",
        "ftp://a.example/",
        "javascript:alert(1)",
        "https://u@a.example/",
        "https://a.example@evil.example/",
        "https://a.example/#f",
        "https://a.example/ x",
        "https://a.example/\n",
        "https://a.example\\evil/",
        "https://a.example/\xc3\xa9",
        "https://a.example/\"",
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://a.example:x/",
        "https://a.example:/",
        "https://[::1",
        "https://[::1]x/",
    };
    static const char *const far[] = {
        "http://127.0.0.1.evil.example/",
        "http://127.1/",
        "http://localhost.evil.example/",
        "http://127.0.0.256/",
        "http://127.0.0.1x/",
        "http://1270.0.0.1/",
        "http://127.0.0.1evil",
        "http://a.example/",
    };
    char longest[OIDC_URL_MAX + 2] = "https://a.example/";

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(oidc_url_ok(bad[i], true) || oidc_redirect_ok(bad[i]));
    for (size_t i = 0; i < COUNT_OF(far); i++)
        assert_false(oidc_url_ok(far[i], true));
    memset(longest + 18, 'x', OIDC_URL_MAX + 1 - 18);
    assert_false(oidc_url_ok(longest, true));
    longest[OIDC_URL_MAX] = '\0';
    assert_true(oidc_url_ok(longest, true));
}

static void
a_browser_goes_back_into_the_page(void **state)
{
    static const char *const good[] = {
        "/",
        "/?a=b",
        "/#session-1",
        "/x/y",
        "/x/",
        "/...",
        "/.x",
        "/x..",
        "/%41?//",
        "/?next=//a.example",
        "/#/../",
        "/?q=../",
        "/static/js/a.js",
        "/%2f",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(oidc_next_ok(good[i], ""));
    assert_true(oidc_next_ok("/below/this/", "/below/this"));
    assert_true(oidc_next_ok("/below/this/#s", "/below/this"));
}

static void
and_nowhere_else(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\tevil",
        "/x//evil.example",
        "/..",
        "/../x",
        "/./x",
        "/x/..",
        "/x/../y",
        "/%2e%2e/x",
        "/.%2E/x",
        "/%2e",
        "/x\r\nSet-Cookie: a=b",
        "/\"",
        "/<script>",
        "/\xc3\xa9",
        "?x",
        "#x",
        "javascript:alert(1)",
    };
    static const char *const other[] = {
        "/",
        "/below",
        "/below/thisx/",
        "/below/this",
        "/below/other",
        "/below/this/../x",
        "/below/this?",
        "/below/this//evil.example",
    };
    char longest[OIDC_NEXT_MAX + 2] = "/";

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(oidc_next_ok(bad[i], ""));
    for (size_t i = 0; i < COUNT_OF(other); i++)
        assert_false(oidc_next_ok(other[i], "/below/this"));
    memset(longest + 1, 'x', OIDC_NEXT_MAX);
    assert_false(oidc_next_ok(longest, ""));
    longest[OIDC_NEXT_MAX] = '\0';
    assert_true(oidc_next_ok(longest, ""));
}

static void
an_error_is_said_in_the_query(void **state)
{
    static const char *const cases[][2] = {
        {"/", "/?login_error=no_way"},
        {"/x?a=b", "/x?a=b&login_error=no_way"},
        {"/x?", "/x?login_error=no_way"},
        {"/#s?t", "/?login_error=no_way#s?t"},
        {"/?a=b#s", "/?a=b&login_error=no_way#s"},
    };
    struct buf b;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_init(&b, 256);
        oidc_next_error(&b, cases[i][0], "no_way");
        assert_string_equal(buf_cstr(&b), cases[i][1]);
        buf_release(&b);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_https_or_of_this_machine),
        cmocka_unit_test(what_is_no_such_url),
        cmocka_unit_test(a_browser_goes_back_into_the_page),
        cmocka_unit_test(and_nowhere_else),
        cmocka_unit_test(an_error_is_said_in_the_query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
