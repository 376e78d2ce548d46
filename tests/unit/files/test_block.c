/* Tests of files/block.c. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/text.h"
#include "files/block.h"

static void
every_reason_has_a_name_and_a_sentence(void **state)
{
    (void)state;
    for (int i = SKIP_NOT + 1; i < SKIP__N; i++) {
        const char *text = skip_text((enum skip)i);
        enum skip back = SKIP_NOT;

        assert_non_null(skip_name((enum skip)i));
        assert_true(skip_parse(skip_name((enum skip)i), &back));
        assert_int_equal(back, i);
        assert_true(strlen(text) > 10 && text[strlen(text) - 1] == '.');
    }
    assert_string_equal(skip_name(SKIP_ENCRYPTED), "encrypted");
}

static void
other_names_are_none(void **state)
{
    enum skip why = SKIP_BOMB;

    (void)state;
    assert_false(skip_parse("encrypte", &why));
    assert_false(skip_parse("Encrypted", &why));
    assert_int_equal(why, SKIP_BOMB);
    assert_true(skip_parse("", &why));
    assert_int_equal(why, SKIP_NOT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_a_name_and_a_sentence),
        cmocka_unit_test(other_names_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
