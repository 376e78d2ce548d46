/*
 * Tests of http/request_origin.c: which requests may change something, and
 * whose cookies count. (Comparing origins is in test_request.c.)
 */
#include "http_test.h"

/* What a browser sends along; NULL or "": not. */
struct sent {
    const char *method, *origin, *site, *mode, *cookie, *authorization, *agent,
        *type, *referer, *key;
};

#define CHROME "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0"
#define OLD "Mozilla/5.0 (Macintosh) Version/13.1 Safari/605.1.15"
#define FORM "application/x-www-form-urlencoded"

static struct request *
make(const struct sent *s)
{
    static const char *const names[] = {
        "REQUEST_METHOD",      "HTTP_ORIGIN",  "HTTP_SEC_FETCH_SITE",
        "HTTP_SEC_FETCH_MODE", "HTTP_COOKIE",  "HTTP_AUTHORIZATION",
        "HTTP_USER_AGENT",     "CONTENT_TYPE", "HTTP_REFERER",
        "HTTP_X_API_KEY",
    };
    const char *const values[] = {
        s->method ? s->method : "POST",
        s->origin,
        s->site,
        s->mode,
        s->cookie,
        s->authorization,
        s->agent,
        s->type,
        s->referer,
        s->key,
    };
    char text[COUNT_OF(names)][256];
    const char *vars[COUNT_OF(names) + 2] = {"HTTP_HOST=chat.example"};
    size_t n = 1;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (values[i] == NULL)
            continue;
        (void)snprintf(text[i], sizeof(text[i]), "%s=%s", names[i], values[i]);
        vars[n++] = text[i];
    }
    return make_request(vars);
}

static bool
foreign(const char *allowed, struct sent s)
{
    struct request *rq = make(&s);
    bool yes = request_foreign(rq, allowed);

    request_free(rq);
    return yes;
}

static bool
ambient(const char *allowed, struct sent s)
{
    struct request *rq = make(&s);
    bool yes = request_ambient(rq, allowed);

    request_free(rq);
    return yes;
}

#define S(...) ((struct sent){__VA_ARGS__})

static void
programs_may_change_things(void **state)
{
    (void)state;
    assert_false(foreign("", S(.type = FORM)));
    assert_false(foreign("", S(.type = "application/json")));
    assert_false(foreign("", S(.type = FORM, .agent = "curl/8.5.0")));
    assert_false(foreign("", S(.type = FORM, .agent = "python-requests/2.32",
                               .cookie = "parley=1")));
    assert_false(
        foreign("", S(.method = "GET", .agent = "node", .cookie = "parley=1")));
    assert_false(foreign("", S(.authorization = "Basic eDp5",
                               .agent = "curl/8.5.0", .type = FORM)));
}

static void
our_own_page_and_the_address_bar_may_too(void **state)
{
    (void)state;
    assert_false(foreign("", S(.origin = "https://chat.example",
                               .site = "same-origin", .cookie = "a=1",
                               .agent = CHROME, .type = "application/json")));
    assert_false(foreign("", S(.method = "GET", .site = "same-origin",
                               .cookie = "a=1", .agent = CHROME)));
    assert_false(
        foreign("", S(.method = "GET", .site = "none", .mode = "navigate",
                      .cookie = "a=1", .agent = CHROME)));
}

static void
other_sites_may_not(void **state)
{
    static const char *const sites[] = {"cross-site", "same-site", "garbage"};
    static const char *const modes[] = {"no-cors", "navigate", "cors",
                                        "websocket"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sites); i++)
        for (size_t j = 0; j < COUNT_OF(modes); j++)
            assert_true(foreign("", S(.method = "GET", .site = sites[i],
                                      .mode = modes[j], .agent = CHROME)));
    assert_true(
        foreign("", S(.origin = "https://evil.example", .site = "cross-site")));
    assert_true(foreign("", S(.origin = "https://sub.chat.example",
                              .site = "same-site", .cookie = "a=1")));
    assert_true(foreign("", S(.origin = "null", .site = "cross-site")));
    assert_true(foreign("", S(.origin = "null", .type = FORM)));
    /* What is sent along with it does not help. */
    assert_true(foreign("", S(.origin = "https://evil.example",
                              .referer = "https://chat.example/",
                              .site = "same-origin")));
}

static void
old_browsers_have_to_show_a_page_of_ours(void **state)
{
    static const char *const types[] = {FORM, "multipart/form-data",
                                        "text/plain", NULL};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct sent s = {.agent = OLD, .cookie = "a=1", .type = types[i]};

        assert_true(foreign("", s));
        s.referer = "https://evil.example/?https://chat.example/";
        assert_true(foreign("", s));
        s.referer = "https://chat.example.evil.example/";
        assert_true(foreign("", s));
        s.referer = "chat.example";
        assert_true(foreign("", s));
        s.referer = "https://chat.example/static/index.html";
        assert_false(foreign("", s));
    }
    assert_true(foreign("", S(.method = "GET", .agent = OLD, .cookie = "a")));
    assert_true(foreign(
        "", S(.method = "GET", .agent = OLD, .authorization = "basic eDp5")));
    assert_false(foreign("", S(.method = "GET", .agent = OLD))); /* nobody's */
    assert_false(foreign(
        "", S(.agent = OLD, .cookie = "a=1", .type = "application/json")));
    assert_false(
        foreign("", S(.method = "DELETE", .agent = OLD, .cookie = "a=1")));
    assert_true(
        foreign("", S(.agent = "Opera/9.80", .cookie = "a=1", .type = FORM)));
}

static void
a_token_in_a_header_is_proof_enough(void **state)
{
    (void)state;
    assert_false(foreign("", S(.origin = "capacitor://localhost",
                               .authorization = "Bearer prly_x")));
    assert_false(foreign("", S(.origin = "https://evil.example",
                               .site = "cross-site", .key = "prly_x")));
    assert_true(foreign("", S(.origin = "https://evil.example", .key = "")));
    assert_true(foreign("", S(.origin = "https://evil.example",
                              .authorization = "Basic eDp5")));
}

static void
a_star_lets_all_pages_ask_but_no_link(void **state)
{
    (void)state;
    assert_false(foreign(
        "*", S(.origin = "https://evil.example", .site = "cross-site")));
    assert_false(foreign("*", S(.origin = "null")));
    assert_false(foreign(
        "*", S(.method = "GET", .site = "cross-site", .mode = "no-cors")));
    assert_true(foreign(
        "*", S(.method = "GET", .site = "cross-site", .mode = "navigate")));
    assert_false(foreign("https://a.example", S(.origin = "https://a.example",
                                                .site = "cross-site")));
}

static void
cookies_count_only_for_pages_that_are_named(void **state)
{
    const char *listed = "https://a.example";

    (void)state;
    assert_true(ambient("", S(.cookie = "a=1")));
    assert_true(ambient("", S(.origin = "https://chat.example")));
    assert_true(ambient(listed, S(.origin = "https://a.example")));
    assert_true(
        ambient("*, https://a.example", S(.origin = "https://a.example")));
    assert_false(ambient("*", S(.origin = "https://a.example")));
    assert_false(ambient("*", S(.origin = "null")));
    assert_false(ambient(listed, S(.origin = "https://b.example")));
    assert_true(
        ambient("", S(.method = "GET", .site = "none", .mode = "navigate")));
    assert_true(
        ambient("", S(.method = "GET", .site = "same-origin", .mode = "cors")));
    /* A link leads here as whoever follows it; an image does not. */
    assert_true(ambient(
        "", S(.method = "GET", .site = "cross-site", .mode = "navigate")));
    assert_false(ambient(
        "", S(.method = "GET", .site = "cross-site", .mode = "no-cors")));
    assert_false(ambient(
        "*", S(.method = "GET", .site = "same-site", .mode = "no-cors")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_may_change_things),
        cmocka_unit_test(our_own_page_and_the_address_bar_may_too),
        cmocka_unit_test(other_sites_may_not),
        cmocka_unit_test(old_browsers_have_to_show_a_page_of_ours),
        cmocka_unit_test(a_token_in_a_header_is_proof_enough),
        cmocka_unit_test(a_star_lets_all_pages_ask_but_no_link),
        cmocka_unit_test(cookies_count_only_for_pages_that_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
