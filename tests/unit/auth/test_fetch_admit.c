/*
 * Tests of auth/fetch_admit.c: where a fetch may go, and what its transfer is
 * told to watch over.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/fetch_admit.h"

static struct upstream_request q;
static struct problem why;

static enum err
build(const struct fetch_ask *ask)
{
    enum err e;

    memset(&why, 0, sizeof(why));
    e = fetch_build(&q, ask, &why);
    assert_int_equal(why.err, e);
    if (e != OK)
        upstream_request_release(&q);
    return e;
}

static enum err
build_url(const char *url, const char *own)
{
    const struct fetch_ask ask = {.method = "GET", .url = url, .own = own};

    return build(&ask);
}

enum watch { FREE, PLAIN, GUARDED };

static void
where_it_may_go(void **state)
{
    static const struct {
        const char *url, *own;
        enum err want;
        enum watch watch;
    } rows[] = {
        /* the settings' own origin */
        {"https://a.example/keys", "https://a.example", OK, FREE},
        {"https://A.example:443/keys", "https://a.example/x", OK, FREE},
        {"https://10.0.0.5:8443/keys", "https://10.0.0.5:8443/", OK, FREE},
        {"http://127.0.0.1:80/", "http://127.0.0.1/", OK, PLAIN},
        {"http://127.1.2.3:99/", "http://127.1.2.3:99/", OK, PLAIN},
        {"http://localhost:9/", "http://localhost:9/", OK, PLAIN},
        {"http://[::1]:9/", "http://[::1]:9/", OK, PLAIN},
        {"http://a.example/", "http://a.example/", ERR_BADREQ, FREE},
        {"http://10.0.0.5/", "http://10.0.0.5/", ERR_BADREQ, FREE},
        {"http://localhost.a.example/", "http://localhost.a.example/",
         ERR_BADREQ, FREE},
        {"ftp://a.example/", "ftp://a.example/", ERR_BADREQ, FREE},
        {"file:///etc/passwd", "file:///etc/passwd", ERR_BADREQ, FREE},
        /* another one: the internet at large, over https */
        {"https://b.example/keys", "https://a.example", OK, GUARDED},
        {"https://a.example:8443/", "https://a.example", OK, GUARDED},
        {"https://a.example.evil.example/", "https://a.example", OK, GUARDED},
        {"https://b.example/keys", NULL, OK, GUARDED},
        {"http://a.example/", "https://a.example", ERR_BADREQ, FREE},
        {"http://127.0.0.1/", NULL, ERR_BADREQ, FREE},
        {"http://127.0.0.1:81/", "http://127.0.0.1:82/", ERR_BADREQ, FREE},
        {"https://127.0.0.1/", "http://127.0.0.1/", ERR_FORBIDDEN, FREE},
        {"https://10.0.0.5/", "https://a.example", ERR_FORBIDDEN, FREE},
        {"https://169.254.169.254/", NULL, ERR_FORBIDDEN, FREE},
        {"https://localhost/", NULL, ERR_FORBIDDEN, FREE},
        {"https://user@a.example/", "https://a.example", ERR_BADREQ, FREE},
        {"https://a.example@b.example/", "https://a.example", ERR_BADREQ, FREE},
        {"file:///etc/passwd", "https://a.example", ERR_BADREQ, FREE},
        {"keys", "https://a.example", ERR_BADREQ, FREE},
        {"", "https://a.example", ERR_BADREQ, FREE},
        {"", "", ERR_BADREQ, FREE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum err e = build_url(rows[i].url, rows[i].own);

        if (e != rows[i].want)
            fail_msg("%s of %s: %s", rows[i].url, rows[i].own, err_code(e));
        if (e != OK)
            continue;
        assert_int_equal(q.guarded, rows[i].watch != FREE);
        assert_int_equal(q.plain, rows[i].watch == PLAIN);
        assert_int_equal(q.guard_also, GUARD_PUBLIC);
        assert_string_equal(q.url, rows[i].url);
        upstream_request_release(&q);
    }
}

static void
settings_are_checked_when_they_are_read(void **state)
{
    (void)state;
    assert_int_equal(fetch_own_check("https://a.example/keys", &why), OK);
    assert_int_equal(fetch_own_check("https://10.0.0.5/", &why), OK);
    assert_int_equal(fetch_own_check("http://localhost:9/", &why), OK);
    assert_int_equal(fetch_own_check("http://a.example/", &why), ERR_BADREQ);
    assert_non_null(strstr(why.message, "https://"));
    assert_int_equal(fetch_own_check("https://u:p@a.example/", &why),
                     ERR_BADREQ);
    assert_int_equal(fetch_own_check("a.example", &why), ERR_BADREQ);
    assert_int_equal(fetch_own_check("", &why), ERR_BADREQ);
}

static void
what_is_sent(void **state)
{
    struct fetch_ask ask = {
        .method = "POST",
        .url = "https://a.example/token",
        .headers = {{"Accept", "application/json"},
                    {"Content-Type", "application/x-www-form-urlencoded"}},
        .body = "code=1",
        .body_len = 6,
        .secret = true,
    };

    (void)state;
    assert_int_equal(build(&ask), OK);
    assert_string_equal(q.method, "POST");
    assert_int_equal(q.n_headers, 2);
    assert_string_equal(q.headers[0], "Accept: application/json");
    assert_int_equal(q.body.len, 6);
    assert_memory_equal(q.body.data, "code=1", 6);
    assert_true(q.secret);
    upstream_request_release(&q);
    ask.headers[1].value = "a\r\nEvil: b";
    assert_int_equal(build(&ask), ERR_BADREQ);
    ask.headers[1].name = NULL;
    assert_int_equal(build(&ask), OK);
    upstream_request_release(&q);
    ask.body_len = FETCH_BODY_MAX + 1;
    assert_int_equal(build(&ask), ERR_BADREQ);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_it_may_go),
        cmocka_unit_test(settings_are_checked_when_they_are_read),
        cmocka_unit_test(what_is_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
