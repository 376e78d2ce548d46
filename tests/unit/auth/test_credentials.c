/* Tests of auth/credentials.c: what is kept for whom, and for how long. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <pthread.h>

#include "auth/credentials.h"
#include "base/mem.h"

#define TTL_MS 1000
#define LATER_MS (1000 * TTL_MS) /* nothing is kept that long */

static struct credentials_box *box;

static int
setup(void **state)
{
    (void)state;
    box = credentials_box_new(2, TTL_MS);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    credentials_box_free(box);
    return 0;
}

static struct credentials *
bearer(const char *token)
{
    struct credentials *c = credentials_new(CREDENTIALS_BEARER);

    c->token = xstrdup(token);
    return c;
}

static enum err
put(const char *owner, const char *session, const char *token, int64_t now_ms)
{
    struct credentials *c = bearer(token);
    enum err e = credentials_put(box, owner, session, &c, now_ms);

    assert_null(c);
    return e;
}

static void
assert_token(const char *owner, const char *session, int64_t now_ms,
             const char *want)
{
    struct credentials *c = credentials_find(box, owner, session, now_ms);

    if (want == NULL) {
        assert_null(c);
        return;
    }
    assert_non_null(c);
    assert_int_equal(c->kind, CREDENTIALS_BEARER);
    assert_string_equal(c->token, want);
    credentials_free(c);
}

static void
each_session_has_its_own(void **state)
{
    (void)state;
    credentials_join(box, "", "a");
    credentials_join(box, "", "b");
    assert_int_equal(put("", "a", "one", 0), OK);
    assert_int_equal(put("", "b", "two", 0), OK);
    assert_token("", "a", 0, "one");
    assert_token("", "b", 0, "two");
    assert_token("", "c", 0, NULL);
    assert_token("other", "a", 0, NULL);
    assert_int_equal(put("", "a", "three", 0), OK);
    assert_token("", "a", 0, "three");
    assert_int_equal(credentials_sweep(box, LATER_MS), 2);
    credentials_leave(box, "", "a");
    credentials_leave(box, "", "b");
}

static void
owners_and_sessions_do_not_run_together(void **state)
{
    (void)state;
    credentials_join(box, "ab", "c");
    credentials_join(box, "a", "bc");
    assert_int_equal(put("ab", "c", "one", 0), OK);
    assert_token("a", "bc", 0, NULL);
    credentials_leave(box, "ab", "c");
    credentials_leave(box, "a", "bc");
    assert_int_equal(credentials_sweep(box, LATER_MS), 0);
}

static void
the_last_connection_takes_them_along(void **state)
{
    (void)state;
    credentials_join(box, "", "a");
    credentials_join(box, "", "a");
    assert_int_equal(put("", "a", "one", 0), OK);
    credentials_leave(box, "", "a");
    assert_token("", "a", 0, "one");
    credentials_leave(box, "", "a");
    assert_token("", "a", 0, NULL);
    credentials_join(box, "", "a");
    assert_token("", "a", 0, NULL);
    credentials_leave(box, "", "a");
}

static void
a_logout_forgets(void **state)
{
    (void)state;
    credentials_join(box, "", "a");
    assert_false(credentials_forget(box, "", "a"));
    assert_int_equal(put("", "a", "one", 0), OK);
    assert_true(credentials_forget(box, "", "a"));
    assert_token("", "a", 0, NULL);
    assert_false(credentials_forget(box, "", "nobody"));
    credentials_leave(box, "", "a");
}

static void
time_forgets(void **state)
{
    (void)state;
    credentials_join(box, "", "a");
    credentials_join(box, "", "b");
    assert_int_equal(put("", "a", "one", 0), OK);
    assert_int_equal(put("", "b", "two", 0), OK);
    assert_token("", "a", TTL_MS - 1, "one"); /* used: it lasts longer */
    assert_int_equal(credentials_sweep(box, TTL_MS), 1);
    assert_token("", "b", TTL_MS, NULL);
    assert_token("", "a", 2 * TTL_MS - 2, "one");
    assert_token("", "a", 3 * TTL_MS - 2, NULL);
    assert_int_equal(credentials_sweep(box, 9 * TTL_MS), 0);
    assert_int_equal(credentials_sweep(box, LATER_MS), 0);
    credentials_leave(box, "", "a");
    credentials_leave(box, "", "b");
}

static void
there_is_a_limit(void **state)
{
    (void)state;
    assert_int_equal(put("", "a", "one", 0), ERR_CONFLICT);
    credentials_join(box, "", "a");
    credentials_join(box, "", "b");
    credentials_join(box, "", "c");
    assert_int_equal(put("", "a", "one", 0), OK);
    assert_int_equal(put("", "b", "two", 0), OK);
    assert_int_equal(put("", "c", "three", 0), ERR_LIMIT);
    assert_int_equal(put("", "b", "four", 0), OK);
    credentials_leave(box, "", "a");
    assert_int_equal(put("", "c", "three", 0), OK);
    /* the rest goes with the box */
}

#define THREADS 4
#define ROUNDS 300

static void *
work(void *arg)
{
    const char *session = arg;

    for (int i = 0; i < ROUNDS; i++) {
        struct credentials *c;

        credentials_join(box, "", session);
        IGNORE(put("", session, session, i)); /* full: another has it */
        c = credentials_find(box, "", session, i);
        if (c != NULL && strcmp(c->token, session) != 0)
            abort();
        credentials_free(c);
        (void)credentials_sweep(box, i);
        (void)credentials_forget(box, "", session);
        credentials_leave(box, "", session);
    }
    return NULL;
}

static void
threads_use_it_at_once(void **state)
{
    static char names[THREADS][2] = {"a", "b", "c", "a"};
    pthread_t t[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, work, names[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(t[i], NULL), 0);
    assert_int_equal(credentials_sweep(box, LATER_MS), 0);
}

static void
copies_have_every_value(void **state)
{
    struct credentials *c = credentials_new(CREDENTIALS_OAUTH2);
    struct credentials *to;

    (void)state;
    c->client_id = xstrdup("i");
    c->client_secret = xstrdup("s");
    c->token_url = xstrdup("https://a.example/");
    c->scope = xstrdup("r w");
    to = credentials_copy(c);
    credentials_free(c);
    assert_int_equal(to->kind, CREDENTIALS_OAUTH2);
    assert_string_equal(to->client_id, "i");
    assert_string_equal(to->client_secret, "s");
    assert_string_equal(to->token_url, "https://a.example/");
    assert_string_equal(to->scope, "r w");
    assert_null(to->token);
    credentials_free(to);
    credentials_free(NULL);
}

static void
a_header_of_the_request_itself_is_refused(void **state)
{
    static const struct {
        const char *header;
        bool right;
    } rows[] = {{"X-API-Key", true},   {"Authorization", true},
                {"api_key", true},     {"", false},
                {"Host", false},       {"host", false},
                {"Connection", false}, {"a:b", false},
                {"a b", false},        {"a\r\nb", false},
                {"\xC3\xA4", false},   {"Content-Length", false}};
    struct problem p;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct credentials *c = credentials_new(CREDENTIALS_API_KEY);

        c->api_key = xstrdup("k");
        c->header = xstrdup(rows[i].header);
        if ((credentials_check(c, &p) == OK) != rows[i].right)
            fail_msg("%s", rows[i].header);
        credentials_free(c);
    }
}

static void
values_can_be_sent(void **state)
{
    struct credentials *c = bearer("a b");
    struct problem p;
    char *s;

    (void)state;
    assert_int_equal(credentials_check(c, &p), ERR_BADREQ);
    assert_null(strstr(p.message, "a b"));
    s = xcalloc(1, CREDENTIALS_VALUE_MAX + 2);
    memset(s, 'x', CREDENTIALS_VALUE_MAX + 1);
    free(c->token);
    c->token = s;
    assert_int_equal(credentials_check(c, &p), ERR_BADREQ);
    s[CREDENTIALS_VALUE_MAX] = '\0';
    assert_int_equal(credentials_check(c, &p), OK);
    credentials_free(c);
    c = credentials_new(CREDENTIALS_BASIC);
    c->username = xstrdup("a:b");
    c->password = xstrdup("p");
    assert_int_equal(credentials_check(c, &p), ERR_BADREQ);
    c->username[1] = '@';
    assert_int_equal(credentials_check(c, &p), OK);
    credentials_free(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static struct credentials *
client(const char *secret, const char *scope)
{
    struct credentials *c = credentials_new(CREDENTIALS_OAUTH2);

    c->client_id = xstrdup("id");
    c->client_secret = xstrdup(secret);
    c->token_url = xstrdup("https://auth.example.com/");
    c->scope = xstrdup(scope);
    return c;
}

static void
logins_are_told_apart(void **state)
{
    struct credentials *a = client("s", NULL), *b = client("s", NULL);
    struct credentials *other[] = {client("S", NULL), client("s", "r"),
                                   bearer("s")};

    (void)state;
    b->token = xstrdup("fetched");
    b->until_ms = 7;
    b->in_body = true;
    assert_true(credentials_same(a, b));
    for (size_t i = 0; i < COUNT_OF(other); i++) {
        assert_false(credentials_same(a, other[i]));
        assert_false(credentials_same(other[i], a));
        assert_true(credentials_same(other[i], other[i]));
        credentials_free(other[i]);
    }
    credentials_free(a);
    a = bearer("s");
    credentials_free(b);
    b = bearer("t");
    assert_false(credentials_same(a, b));
    credentials_free(a);
    credentials_free(b);
}

static void
a_token_belongs_to_the_login_it_was_fetched_with(void **state)
{
    struct credentials *c = client("s", NULL), *t = client("s", NULL);

    (void)state;
    t->token = xstrdup("fetched");
    t->born_ms = 5;
    t->until_ms = 7;
    t->in_body = true;
    assert_false(credentials_renew(box, "", "a", t));
    credentials_join(box, "", "a");
    assert_false(credentials_renew(box, "", "a", t));
    assert_int_equal(credentials_put(box, "", "a", &c, 0), OK);
    assert_true(credentials_renew(box, "", "a", t));
    assert_true(credentials_renew(box, "", "a", t)); /* in place of it */
    c = credentials_find(box, "", "a", 0);
    assert_string_equal(c->token, "fetched");
    assert_int_equal(c->born_ms, 5);
    assert_int_equal(c->until_ms, 7);
    assert_true(c->in_body);
    credentials_free(c);
    c = client("other", NULL);
    assert_int_equal(credentials_put(box, "", "a", &c, 0), OK);
    assert_false(credentials_renew(box, "", "a", t));
    c = credentials_find(box, "", "a", 0);
    assert_null(c->token);
    credentials_free(c);
    credentials_free(t);
    credentials_leave(box, "", "a");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_session_has_its_own),
        TEST(owners_and_sessions_do_not_run_together),
        TEST(the_last_connection_takes_them_along),
        TEST(a_logout_forgets),
        TEST(time_forgets),
        TEST(there_is_a_limit),
        TEST(threads_use_it_at_once),
        TEST(copies_have_every_value),
        TEST(a_header_of_the_request_itself_is_refused),
        TEST(values_can_be_sent),
        TEST(logins_are_told_apart),
        TEST(a_token_belongs_to_the_login_it_was_fetched_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
