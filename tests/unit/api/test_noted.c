/* Tests of api/noted.c. */
#include "../ops/audit_test.h"

#include "api/noted.h"
#include "auth/identity.h"

static int
setup(void **state)
{
    struct audit_config c;

    assert_int_equal(audit_setup(state), 0);
    c = audit_config(SECRET, 1 << 20);
    assert_int_equal(audit_start(&c), OK);
    return 0;
}

static int
teardown(void **state)
{
    audit_stop();
    return audit_teardown(state);
}

static void
a_fact_gets_who_asks_and_from_where(void **state)
{
    struct identity ann = {.way = IDENTITY_LOGIN,
                           .may = MAY_USER,
                           .owner = "local/ann",
                           .addr = "2001:db8::7"};
    struct request rq = {.who = &ann};
    struct audit_fact f = {.what = AUDIT_EXPORT};
    char *s;

    (void)state;
    assert_int_equal(noted_wait(&rq, &f), OK);
    s = audit_slurp(AUDIT_LOG, NULL);
    assert_non_null(strstr(s, "\"event\":\"export\",\"who\":\"local/ann\","
                              "\"addr\":\"2001:db8::7\","));
    free(s);
    f.what = AUDIT_IMPORT;
    noted(&rq, &f);
    audit_stop();
    s = audit_slurp(AUDIT_LOG, NULL);
    assert_non_null(strstr(s, "\"event\":\"import\",\"who\":\"local/ann\""));
    free(s);
}

/* The id opens the session; its name in the log does not. */
static void
a_session_is_named_by_a_digest(void **state)
{
    char a[NOTED_SESSION_LEN], b[NOTED_SESSION_LEN];

    (void)state;
    noted_session(a, "abc");
    assert_string_equal(a, "ba7816bf8f01cfea"); /* FIPS 180-2, appendix B.1 */
    noted_session(b, "abd");
    assert_string_not_equal(a, b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_fact_gets_who_asks_and_from_where),
        TEST(a_session_is_named_by_a_digest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
