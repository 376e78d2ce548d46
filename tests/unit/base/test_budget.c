/* A budget: what fits, what does not, and threads that want the same bytes. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/budget.h"

static void
the_last_byte_can_be_taken_and_one_more_cannot(void **state)
{
    struct budget b;

    (void)state;
    budget_init(&b, 100);
    assert_true(budget_take(&b, 60));
    assert_false(budget_take(&b, 41));
    assert_int_equal(budget_used(&b), 60);
    assert_true(budget_take(&b, 40));
    assert_false(budget_take(&b, 1));
    assert_true(budget_take(&b, 0));
    budget_give(&b, 1);
    assert_true(budget_take(&b, 1));
    assert_false(budget_take(&b, SIZE_MAX));
}

static void
what_is_forced_goes_past_the_end(void **state)
{
    struct budget b;

    (void)state;
    budget_init(&b, 10);
    budget_force(&b, 25);
    assert_int_equal(budget_used(&b), 25);
    assert_false(budget_take(&b, 0));
    budget_give(&b, 15);
    assert_true(budget_take(&b, 0));
    assert_false(budget_take(&b, 1));
}

static void
without_a_budget_everything_fits(void **state)
{
    (void)state;
    assert_true(budget_take(NULL, SIZE_MAX));
    budget_force(NULL, 1);
    budget_give(NULL, 5);
}

#define THREADS 4
#define ROUNDS 20000

static void *
take_and_give(void *arg)
{
    struct budget *b = arg;
    size_t got = 0;

    for (int i = 0; i < ROUNDS; i++) {
        if (budget_take(b, 3))
            got++;
        if (budget_used(b) > b->max)
            return NULL;
        if (got > 0 && i % 2 == 0) {
            budget_give(b, 3);
            got--;
        }
    }
    budget_give(b, 3 * got);
    return b;
}

static void
threads_never_have_more_than_there_is(void **state)
{
    pthread_t t[THREADS];
    struct budget b;
    void *fine;

    (void)state;
    budget_init(&b, 10);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, take_and_give, &b), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(t[i], &fine), 0);
        assert_ptr_equal(fine, &b);
    }
    assert_int_equal(budget_used(&b), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_byte_can_be_taken_and_one_more_cannot),
        cmocka_unit_test(what_is_forced_goes_past_the_end),
        cmocka_unit_test(without_a_budget_everything_fits),
        cmocka_unit_test(threads_never_have_more_than_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
