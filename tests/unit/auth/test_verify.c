/* Tests of auth/verify.c: what a password costs, and who pays. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <crypt.h>
#include <pthread.h>

#include "auth/verify.h"

/* Hashes of "right": a cheap one, and one that takes a good while. */
static char cheap[CRYPT_OUTPUT_SIZE], dear[CRYPT_OUTPUT_SIZE];

static int
make_hashes(void **state)
{
    static struct crypt_data data;
    const char *got = crypt_rn("right", "$2y$04$abcdefghijklmnopqrstuu", &data,
                               sizeof(data));

    (void)state;
    if (got == NULL)
        return -1;
    (void)snprintf(cheap, sizeof(cheap), "%s", got);
    got = crypt_rn("right", "$2y$11$abcdefghijklmnopqrstuu", &data,
                   sizeof(data));
    if (got == NULL)
        return -1;
    (void)snprintf(dear, sizeof(dear), "%s", got);
    return 0;
}

static void
right_is_right_and_wrong_is_wrong(void **state)
{
    struct verify *v = verify_new(4);
    struct verify_ask ask = {.user = "ann", .password = "right", .hash = cheap};

    (void)state;
    assert_int_equal(verify_check(v, &ask), OK);
    ask.password = "wrong";
    assert_int_equal(verify_check(v, &ask), ERR_AUTH);
    ask.password = "";
    assert_int_equal(verify_check(v, &ask), ERR_AUTH);
    ask.password = "right";
    ask.user = "nobody";
    ask.never = true; /* the hash fits, and yet */
    assert_int_equal(verify_check(v, &ask), ERR_AUTH);
    ask.user = "bob";
    ask.never = false;
    ask.hash = "$6$no"; /* crypt refuses it, or it is another */
    assert_int_equal(verify_check(v, &ask), ERR_AUTH);
    verify_free(v);
}

static void
what_was_right_is_known_for_its_generation(void **state)
{
    struct verify *v = verify_new(4);
    struct verify_ask ask = {
        .user = "ann", .password = "right", .hash = cheap, .generation = 1};

    (void)state;
    assert_false(verify_known(v, &ask));
    assert_int_equal(verify_check(v, &ask), OK);
    assert_true(verify_known(v, &ask));
    ask.hash = "no hash"; /* is not looked at any more */
    assert_int_equal(verify_check(v, &ask), OK);
    ask.user = "an";
    assert_false(verify_known(v, &ask));
    ask.user = "annright";
    ask.password = "";
    assert_false(verify_known(v, &ask));
    ask.user = "ann";
    ask.password = "wrong";
    ask.hash = cheap;
    assert_int_equal(verify_check(v, &ask), ERR_AUTH);
    assert_false(verify_known(v, &ask));
    ask.password = "right";
    ask.generation = 2;
    assert_false(verify_known(v, &ask));
    verify_free(v);
}

struct one {
    struct verify *v;
    struct verify_ask ask;
    pthread_barrier_t *start;
    enum err result;
};

static void *
run_one(void *arg)
{
    struct one *o = arg;

    (void)pthread_barrier_wait(o->start);
    o->result = verify_check(o->v, &o->ask);
    return NULL;
}

/* Each with a user and a password; results are in all. */
static void
run_all(struct one *all, size_t n)
{
    pthread_barrier_t start;
    pthread_t threads[8];

    assert_true(n <= COUNT_OF(threads));
    assert_int_equal(pthread_barrier_init(&start, NULL, (unsigned)n), 0);
    for (size_t i = 0; i < n; i++) {
        all[i].start = &start;
        assert_int_equal(pthread_create(&threads[i], NULL, run_one, &all[i]),
                         0);
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    (void)pthread_barrier_destroy(&start);
}

static void
who_asks_the_same_shares_a_computation(void **state)
{
    struct verify *v = verify_new(2); /* one computes, nobody waits */
    struct one all[8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++)
        all[i] = (struct one){
            .v = v, .ask = {.user = "ann", .password = "right", .hash = dear}};
    run_all(all, COUNT_OF(all));
    for (size_t i = 0; i < COUNT_OF(all); i++)
        assert_int_equal(all[i].result, OK);
    verify_free(v);
}

static void
too_many_at_once_are_told_to_come_back(void **state)
{
    static const char *const users[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct verify *v = verify_new(2);
    struct one all[8];
    size_t busy = 0, right = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++)
        all[i] = (struct one){
            .v = v,
            .ask = {.user = users[i], .password = "right", .hash = dear}};
    run_all(all, COUNT_OF(all));
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        busy += all[i].result == ERR_BUSY;
        right += all[i].result == OK;
    }
    assert_int_equal(busy + right, COUNT_OF(all));
    assert_true(right >= 1);
    for (size_t i = 0; i < COUNT_OF(all); i++) /* later it works for all */
        assert_int_equal(verify_check(v, &all[i].ask), OK);
    verify_free(v);
}

static void
a_few_may_wait(void **state)
{
    static const char *const users[] = {"a", "b", "c"};
    struct verify *v = verify_new(4); /* two compute, one waits */
    struct one all[3];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++)
        all[i] = (struct one){
            .v = v,
            .ask = {.user = users[i], .password = "right", .hash = cheap}};
    run_all(all, COUNT_OF(all));
    for (size_t i = 0; i < COUNT_OF(all); i++)
        assert_int_equal(all[i].result, OK);
    verify_free(v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_is_right_and_wrong_is_wrong),
        cmocka_unit_test(what_was_right_is_known_for_its_generation),
        cmocka_unit_test(who_asks_the_same_shares_a_computation),
        cmocka_unit_test(too_many_at_once_are_told_to_come_back),
        cmocka_unit_test(a_few_may_wait),
    };

    return cmocka_run_group_tests(tests, make_hashes, NULL);
}
