/* Tests of auth/rate.c. The clock is given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/base.h"

#include <unistd.h>

#include "auth/rate.h"
#include "base/conf.h"

static char path[] = "/tmp/parley-rate-XXXXXX";
static struct limit *l;
static struct rates r;
static struct identity ann = {
    .way = IDENTITY_BASIC, .owner = "local/ann", .addr = "192.0.2.1"};

static int
setup(void **state)
{
    (void)state;
    conf_override(CONF_RATE_IP, "0");
    conf_override(CONF_RATE_USER, "0");
    conf_override(CONF_RATE_KEY, "0");
    (void)snprintf(path, sizeof(path), "/tmp/parley-rate-XXXXXX");
    assert_non_null(mkdtemp(path));
    l = limit_open(path); /* a folder: it counts for itself */
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    limit_close(l);
    return rmdir(path);
}

static enum err
take(const struct identity *who, struct problem *why)
{
    *why = (struct problem){.err = OK};
    return rates_take(&r, who, 1000000, NULL, why);
}

static void
without_a_setting_there_is_no_limit(void **state)
{
    struct problem why;

    (void)state;
    rates_load(&r, l);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(take(&ann, &why), OK);
}

static void
a_user_has_so_many_and_no_more(void **state)
{
    struct identity bob = ann;
    struct problem why;

    (void)state;
    conf_override(CONF_RATE_USER, "3");
    rates_load(&r, l);
    for (int i = 0; i < 3; i++)
        assert_int_equal(take(&ann, &why), OK);
    assert_int_equal(take(&ann, &why), ERR_LIMIT);
    assert_string_equal(why.code, "rate_limited");
    assert_true(why.retry_after_s >= 1 && why.retry_after_s <= 20);
    assert_int_equal(why.quota.max, 3);
    assert_int_equal(why.quota.left, 0);
    (void)snprintf(bob.owner, sizeof(bob.owner), "local/bob");
    assert_int_equal(take(&bob, &why), OK);
}

static void
what_is_refused_takes_nothing_from_the_others(void **state)
{
    struct identity key = ann;
    struct problem why;

    (void)state;
    conf_override(CONF_RATE_IP, "4");
    conf_override(CONF_RATE_KEY, "1");
    rates_load(&r, l);
    key.way = IDENTITY_KEY;
    (void)snprintf(key.id, sizeof(key.id), "k1");
    assert_int_equal(take(&key, &why), OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(take(&key, &why), ERR_LIMIT);
    for (int i = 0; i < 3; i++) /* of the address, by other ways */
        assert_int_equal(take(&ann, &why), OK);
    assert_int_equal(take(&ann, &why), ERR_LIMIT);
}

static void
what_is_told_is_the_bucket_with_the_least(void **state)
{
    struct problem_quota left = {.unit = QUOTA_TOKENS};
    struct problem why = {.err = OK};
    struct identity bob = ann;

    (void)state;
    rates_load(&r, l);
    assert_int_equal(rates_take(&r, &ann, 1000000, &left, &why), OK);
    assert_int_equal(left.unit, QUOTA_NONE);
    conf_override(CONF_RATE_IP, "5");
    conf_override(CONF_RATE_USER, "4");
    rates_load(&r, l);
    for (int64_t i = 3; i > 0; i--) {
        assert_int_equal(rates_take(&r, &ann, 1000000, &left, &why), OK);
        assert_int_equal(left.unit, QUOTA_TURNS);
        assert_int_equal(left.max, 4);
        assert_int_equal(left.left, i);
        assert_true(left.anew_ms > 0);
    }
    (void)snprintf(bob.owner, sizeof(bob.owner), "local/bob");
    assert_int_equal(rates_take(&r, &bob, 1000000, &left, &why), OK);
    assert_int_equal(left.max, 5);
    assert_int_equal(left.left, 1);
}

static void
attempts_to_sign_in_have_a_bound_of_their_own(void **state)
{
    struct identity other = ann;
    struct problem why = {.err = OK};

    (void)state;
    rates_load(&r, l);
    for (int i = 0; i < RATE_STARTS; i++)
        assert_int_equal(rates_start(&r, &ann, 1000000, &why), OK);
    assert_int_equal(rates_start(&r, &ann, 1000000, &why), ERR_LIMIT);
    assert_true(why.retry_after_s > 0);
    (void)snprintf(other.addr, sizeof(other.addr), "192.0.2.2");
    assert_int_equal(rates_start(&r, &other, 1000000, &why), OK);
    assert_int_equal(take(&ann, &why), OK); /* a question is no attempt */
}

static void
who_has_no_address_and_no_name_is_not_counted(void **state)
{
    struct identity nobody = {.way = IDENTITY_ANONYMOUS};
    struct problem why;

    (void)state;
    conf_override(CONF_RATE_IP, "1");
    conf_override(CONF_RATE_USER, "1");
    rates_load(&r, l);
    for (int i = 0; i < 5; i++)
        assert_int_equal(take(&nobody, &why), OK);
}

#define ON(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON(without_a_setting_there_is_no_limit),
        ON(a_user_has_so_many_and_no_more),
        ON(what_is_refused_takes_nothing_from_the_others),
        ON(what_is_told_is_the_bucket_with_the_least),
        ON(attempts_to_sign_in_have_a_bound_of_their_own),
        ON(who_has_no_address_and_no_name_is_not_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
