/* Tests of chat/tokens.c. */
#include "chat_test.h"

#include "chat/tokens.h"

static void
characters_are_weighed(void **state)
{
    (void)state;
    assert_int_equal(tokens_estimate("", 0), 0);
    assert_int_equal(tokens_estimate("a", 1), 1);
    assert_int_equal(tokens_estimate("abcd", 4), 1);
    assert_int_equal(tokens_estimate("abcde", 5), 2);
    assert_int_equal(tokens_estimate("\xE6\x97\xA5\xE6\x9C\xAC", 6), 2);
}

static void
a_model_is_known_better_with_each_count(void **state)
{
    struct token_scales *s = token_scales_new();

    (void)state;
    assert_int_equal(token_scale(s, "m", 1000), 1000);
    token_scale_learn(s, "m", 1000, 1500);
    assert_int_equal(token_scale(s, "m", 1000), 1500);
    assert_int_equal(token_scale(s, "n", 1000), 1000);
    token_scale_learn(s, "m", 1000, 1100);
    assert_int_equal(token_scale(s, "m", 1000), 1400);
    token_scales_free(s);
}

static void
counts_that_say_nothing_teach_nothing(void **state)
{
    struct token_scales *s = token_scales_new();

    (void)state;
    token_scale_learn(s, "m", 10, 30);    /* too few */
    token_scale_learn(s, "m", 1000, -1);  /* not known */
    token_scale_learn(s, "", 1000, 2000); /* whose? */
    assert_int_equal(token_scale(s, "m", 1000), 1000);
    token_scale_learn(s, "m", 1000, 1000000); /* absurd: within bounds */
    assert_int_equal(token_scale(s, "m", 1000), 4000);
    token_scales_free(s);
}

static void
the_oldest_model_makes_room(void **state)
{
    struct token_scales *s = token_scales_new();
    char name[16];

    (void)state;
    for (int i = 0; i < 65; i++) {
        (void)snprintf(name, sizeof(name), "m%d", i);
        token_scale_learn(s, name, 100, 200);
    }
    assert_int_equal(token_scale(s, "m0", 100), 100);
    assert_int_equal(token_scale(s, "m1", 100), 200);
    assert_int_equal(token_scale(s, "m64", 100), 200);
    token_scales_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_weighed),
        cmocka_unit_test(a_model_is_known_better_with_each_count),
        cmocka_unit_test(counts_that_say_nothing_teach_nothing),
        cmocka_unit_test(the_oldest_model_makes_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
