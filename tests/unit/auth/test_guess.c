/* Tests of auth/guess.c: wrong passwords slow, and lock, and nobody else. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>

#include "auth/guess.h"
#include "auth/limit.h"
#include "base/log.h"

#define NOW INT64_C(1000000)
#define HERE "192.0.2.7"
#define ELSEWHERE "198.51.100.9"

static int
open_limit(void **state)
{
    *state = limit_open("/nonexistent/limits"); /* for this process */
    return 0;
}

static int
close_limit(void **state)
{
    limit_close(*state);
    return 0;
}

/* One wrong password; the wait after it. */
static int64_t
wrong(struct limit *l, const char *addr, int64_t now_ms)
{
    struct problem why = {0};

    assert_int_equal(guess_may(l, "ann", addr, now_ms, &why), OK);
    return guess_wrong(l, "ann", addr, now_ms).wait_ms;
}

static void
waits_double_and_the_tenth_locks(void **state)
{
    static const int64_t waits_s[] = {0, 0, 0, 1, 2, 4, 8, 16, 32, 900};
    struct problem why = {0};
    int64_t now_ms = NOW;

    for (size_t i = 0; i < COUNT_OF(waits_s); i++) {
        assert_int_equal(wrong(*state, HERE, now_ms), 1000 * waits_s[i]);
        if (waits_s[i] > 0) {
            now_ms += 1000 * waits_s[i] - 1;
            assert_int_equal(guess_may(*state, "ann", HERE, now_ms, &why),
                             ERR_LIMIT);
            assert_string_equal(why.code, "too_many_attempts");
            assert_int_equal(why.retry_after_s, 1);
            now_ms++;
        }
        assert_int_equal(guess_may(*state, "ann", HERE, now_ms, &why), OK);
    }
    assert_int_equal(wrong(*state, HERE, now_ms), GUESS_LOCK_MS); /* again */
    now_ms += 60000;
    assert_int_equal(guess_may(*state, "ann", HERE, now_ms, &why), ERR_LIMIT);
    assert_int_equal(why.retry_after_s, 14 * 60);
}

static void
a_try_that_has_to_wait_does_not_count(void **state)
{
    struct problem why = {0};

    for (int i = 0; i < 4; i++)
        (void)wrong(*state, HERE, NOW);
    for (int i = 0; i < 100; i++)
        assert_int_equal(guess_may(*state, "ann", HERE, NOW + 999, &why),
                         ERR_LIMIT);
    assert_int_equal(guess_may(*state, "ann", HERE, NOW + 1000, &why), OK);
}

static void
others_are_not_touched(void **state)
{
    struct problem why = {0};
    int64_t now_ms = NOW;

    for (int i = 0; i < GUESS_LOCK_AFTER; i++)
        now_ms += wrong(*state, HERE, now_ms);
    now_ms -= GUESS_LOCK_MS;
    assert_int_equal(guess_may(*state, "ann", HERE, now_ms, &why), ERR_LIMIT);
    assert_int_equal(guess_may(*state, "ann", ELSEWHERE, now_ms, &why), OK);
    assert_int_equal(guess_right(*state, "ann", ELSEWHERE, now_ms, &why), OK);
    assert_int_equal(guess_may(*state, "bob", HERE, now_ms, &why), OK);
    assert_int_equal(guess_right(*state, "bob", HERE, now_ms, &why), OK);
    assert_int_equal(guess_may(*state, "ann", HERE, now_ms, &why), ERR_LIMIT);
    assert_int_equal(guess_right(*state, "ann", HERE, now_ms, &why),
                     ERR_LIMIT); /* also not with the right one */
    assert_string_equal(why.code, "too_many_attempts");
}

static void
a_right_password_clears_the_pair(void **state)
{
    struct problem why = {0};

    for (int i = 0; i < 5; i++)
        (void)guess_wrong(*state, "ann", HERE, NOW);
    assert_int_equal(guess_right(*state, "ann", HERE, NOW + 1999, &why),
                     ERR_LIMIT);
    assert_int_equal(guess_right(*state, "ann", HERE, NOW + 2000, &why), OK);
    for (int i = 0; i < GUESS_FREE; i++)
        assert_int_equal(wrong(*state, HERE, NOW + 2000), 0);
}

static void
an_address_with_too_many_is_locked_for_all(void **state)
{
    struct problem why = {0};
    struct guess_count c = {0};
    char user[32];

    for (int i = 0; i < GUESS_ADDR_LOCK_AFTER; i++) {
        assert_false(c.locked);
        (void)snprintf(user, sizeof(user), "user%d", i);
        assert_int_equal(guess_may(*state, user, HERE, NOW, &why), OK);
        c = guess_wrong(*state, user, HERE, NOW);
        assert_int_equal(c.pair, 1);
        assert_int_equal(c.addr, i + 1);
    }
    assert_true(c.locked);
    assert_int_equal(c.wait_ms, GUESS_LOCK_MS);
    assert_int_equal(guess_may(*state, "ann", HERE, NOW, &why), ERR_LIMIT);
    assert_int_equal(guess_right(*state, "ann", HERE, NOW, &why), ERR_LIMIT);
    assert_int_equal(guess_may(*state, "ann", ELSEWHERE, NOW, &why), OK);
    assert_int_equal(guess_may(*state, "ann", HERE, NOW + GUESS_LOCK_MS, &why),
                     OK);
    assert_int_equal(guess_wrong(*state, "ann", HERE, NOW + GUESS_LOCK_MS).addr,
                     1);
}

static void
a_network_of_ipv6_is_one_address(void **state)
{
    struct problem why = {0};
    char addr[64];

    for (int i = 0; i < 5; i++) {
        (void)snprintf(addr, sizeof(addr), "2001:db8:1:2::%d", i + 1);
        (void)guess_wrong(*state, "ann", addr, NOW);
    }
    assert_int_equal(
        guess_may(*state, "ann", "2001:db8:1:2:ffff::1", NOW, &why), ERR_LIMIT);
    assert_int_equal(guess_may(*state, "ann", "2001:db8:1:3::1", NOW, &why),
                     OK);
}

static void
a_pair_is_forgotten_after_a_day(void **state)
{
    int64_t now_ms = NOW;

    for (int i = 0; i < GUESS_LOCK_AFTER; i++)
        now_ms += wrong(*state, HERE, now_ms);
    now_ms += GUESS_FORGET_MS;
    assert_int_equal(wrong(*state, HERE, now_ms), 0);
}

static void
a_clock_that_went_back_locks_nobody_for_long(void **state)
{
    struct problem why = {0};

    for (int i = 0; i < 5; i++)
        (void)guess_wrong(*state, "ann", HERE, NOW + 1000000000);
    assert_int_equal(guess_may(*state, "ann", HERE, NOW, &why), ERR_LIMIT);
    assert_int_equal(why.retry_after_s, 2);
    assert_int_equal(guess_may(*state, "ann", HERE, NOW + 2000, &why), OK);
}

struct many {
    struct limit *l;
    int64_t now_ms;
};

static void *
try_many(void *arg)
{
    struct many *m = arg;

    for (int i = 0; i < 100; i++)
        (void)guess_wrong(m->l, "ann", HERE, m->now_ms);
    return NULL;
}

static void
threads_lose_no_count(void **state)
{
    struct many m = {.l = *state, .now_ms = NOW};
    struct guess_count c;
    pthread_t t[2];

    for (size_t i = 0; i < COUNT_OF(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, try_many, &m), 0);
    for (size_t i = 0; i < COUNT_OF(t); i++)
        assert_int_equal(pthread_join(t[i], NULL), 0);
    c = guess_wrong(*state, "ann", HERE, NOW);
    assert_int_equal(c.pair, 201);
    assert_int_equal(c.addr, 201);
    for (int i = 0; i < 100; i++)
        c = guess_wrong(*state, "ann", HERE, NOW);
    assert_int_equal(c.pair, 255); /* and no further */
}

int
main(void)
{
#define ONE(f) cmocka_unit_test_setup_teardown(f, open_limit, close_limit)
    const struct CMUnitTest tests[] = {
        ONE(waits_double_and_the_tenth_locks),
        ONE(a_try_that_has_to_wait_does_not_count),
        ONE(others_are_not_touched),
        ONE(a_right_password_clears_the_pair),
        ONE(an_address_with_too_many_is_locked_for_all),
        ONE(a_network_of_ipv6_is_one_address),
        ONE(a_pair_is_forgotten_after_a_day),
        ONE(a_clock_that_went_back_locks_nobody_for_long),
        ONE(threads_lose_no_count),
    };

    log_set_level(LOG_ERROR + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
