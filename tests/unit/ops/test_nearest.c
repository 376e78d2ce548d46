/* Tests of ops/nearest.c. */
#include "ops_test.h"

#include "ops/nearest.h"

static void
distances_are_those_of_levenshtein(void **state)
{
    char longest[NEAREST_MAX + 2];

    (void)state;
    assert_int_equal(nearest_distance("", ""), 0);
    assert_int_equal(nearest_distance("PORT", "PORT"), 0);
    assert_int_equal(nearest_distance("", "PORT"), 4);
    assert_int_equal(nearest_distance("PORT", ""), 4);
    assert_int_equal(nearest_distance("kitten", "sitting"), 3);
    assert_int_equal(nearest_distance("sitting", "kitten"), 3);
    assert_int_equal(nearest_distance("OPENAI_KEY", "OPENAI_API_KEY"), 4);
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(nearest_distance(longest, longest), NEAREST_MAX);
    assert_int_equal(nearest_distance(longest + 1, longest + 1), 0);
}

static void
a_typing_mistake_is_found_and_no_more_is_guessed(void **state)
{
    static const char *const names[] = {"HOST", "PORT", "OPENAI_API_KEY",
                                        "HF_API_KEY", "HF_MODEL"};

    (void)state;
#define NEAREST(s) nearest_name(s, names, COUNT_OF(names))
    assert_string_equal(NEAREST("OPENAI_API_KY"), "OPENAI_API_KEY");
    assert_string_equal(NEAREST("OPENAIAPIKEY"), "OPENAI_API_KEY");
    assert_string_equal(NEAREST("PORTS"), "PORT");
    assert_string_equal(NEAREST("HF_MODELL"), "HF_MODEL");
    assert_null(NEAREST("POST_IT"));
    assert_null(NEAREST("EDITOR"));
    assert_null(NEAREST("P"));
    assert_null(NEAREST(""));
    assert_null(nearest_name("PORT", names, 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_those_of_levenshtein),
        cmocka_unit_test(a_typing_mistake_is_found_and_no_more_is_guessed),
    };

    return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
