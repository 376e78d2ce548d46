/* Tests of base/err.c. */
#include "base_test.h"

#include "base/text.h"

static void
every_error_has_words_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < ERR__MAX; i++) {
        const char *code = err_code((enum err)i);

        assert_true(strlen(code) > 0);
        assert_true(strlen(err_text((enum err)i)) > 0);
        for (const char *c = code; *c; c++)
            assert_true((*c >= 'a' && *c <= 'z') || *c == '_');
        for (int k = 0; k < i; k++)
            assert_string_not_equal(code, err_code((enum err)k));
    }
}

static void
an_unknown_error_is_internal(void **state)
{
    (void)state;
    assert_string_equal(err_code((enum err)999), err_code(ERR_INTERNAL));
    assert_string_equal(err_text((enum err) - 1), err_text(ERR_INTERNAL));
}

static void
a_problem_takes_the_words_of_its_error(void **state)
{
    struct problem p;

    (void)state;
    memset(&p, 0xFF, sizeof(p));
    assert_int_equal(problem_set(&p, ERR_TOOBIG, NULL, NULL, NULL), ERR_TOOBIG);
    assert_int_equal(p.err, ERR_TOOBIG);
    assert_int_equal(p.status, 0);
    assert_int_equal(p.retry_after_s, 0);
    assert_false(p.retryable);
    assert_string_equal(p.code, "too_big");
    assert_string_equal(p.error, err_text(ERR_TOOBIG));
    assert_true(strlen(p.message) > 0);
}

static void
given_words_replace_the_defaults(void **state)
{
    struct problem p;

    (void)state;
    problem_set(&p, ERR_LIMIT, "slow_down", "Slow down", "wait %d s", 7);
    assert_true(p.retryable);
    assert_string_equal(p.code, "slow_down");
    assert_string_equal(p.error, "Slow down");
    assert_string_equal(p.message, "wait 7 s");
}

static void
nobody_need_listen(void **state)
{
    (void)state;
    assert_int_equal(problem_set(NULL, ERR_HUP, NULL, NULL, NULL), ERR_HUP);
}

static void
what_does_not_fit_is_cut_between_characters(void **state)
{
    struct problem p;
    char text[600];

    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'a', shift);
        for (size_t i = shift; i + 4 < sizeof(text); i += 4)
            memcpy(text + i, "\xF0\x9F\x98\x80", 5);
        problem_set(&p, ERR_BADREQ, text, text, "%s", text);
        assert_true(strlen(p.message) >= sizeof(p.message) - 4);
        assert_true(strlen(p.error) >= sizeof(p.error) - 4);
        assert_true(utf8_valid(p.code, strlen(p.code)));
        assert_true(utf8_valid(p.error, strlen(p.error)));
        assert_true(utf8_valid(p.message, strlen(p.message)));
    }
    memset(text, 'b', 255);
    text[255] = '\0';
    problem_set(&p, ERR_BADREQ, NULL, NULL, "%s", text);
    assert_string_equal(p.message, text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_words_of_its_own),
        cmocka_unit_test(an_unknown_error_is_internal),
        cmocka_unit_test(a_problem_takes_the_words_of_its_error),
        cmocka_unit_test(given_words_replace_the_defaults),
        cmocka_unit_test(nobody_need_listen),
        cmocka_unit_test(what_does_not_fit_is_cut_between_characters),
    };

    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
