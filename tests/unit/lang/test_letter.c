/* Tests of lang/letter.c. */
#include "lang_test.h"

#include "base/text.h"
#include "lang/letter.h"

static void
every_character_is_read_as_it_is_written(void **state)
{
    (void)state;
    for (uint32_t c = 1; c <= 0x10FFFF; c++) {
        char s[4];
        uint32_t back;
        size_t n = letter_write(c, s);

        if (c >= 0xD800 && c < 0xE000)
            continue;
        if (letter_read(s, n, &back) != n || back != c ||
            letter_before(s, n) != c || !utf8_valid(s, n))
            fail_msg("U+%04X", c);
    }
}

static void
broken_bytes_are_passed_one_by_one(void **state)
{
    uint32_t c;

    (void)state;
    assert_int_equal(letter_read("\xFF", 1, &c), 1);
    assert_int_equal(c, LETTER_BAD);
    assert_int_equal(letter_read("\xE2\x82", 2, &c), 2);
    assert_int_equal(c, LETTER_BAD);
    assert_int_equal(letter_read("\xC3(", 2, &c), 1);
    assert_int_equal(letter_before("\x80\x80\x80\x80\x80", 5), LETTER_BAD);
}

static void
small_letters_of_three_scripts(void **state)
{
    static const char *const pairs[][2] = {
        {"A", "a"}, {"Ä", "ä"}, {"É", "é"}, {"Ø", "ø"},  {"Ÿ", "ÿ"},
        {"Ł", "ł"}, {"Š", "š"}, {"Ž", "ž"}, {"İ", "i"},  {"ẞ", "ß"},
        {"Ά", "ά"}, {"Σ", "σ"}, {"Ω", "ω"}, {"Я", "я"},  {"Ё", "ё"},
        {"Ґ", "ґ"}, {"Ա", "ա"}, {"Ạ", "ạ"}, {"Ａ", "ａ"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        uint32_t big, small;

        (void)letter_read(pairs[i][0], strlen(pairs[i][0]), &big);
        (void)letter_read(pairs[i][1], strlen(pairs[i][1]), &small);
        if (letter_lower(big) != small || !letter_is_upper(big) ||
            letter_is_upper(small) || !letter_is_lower(small))
            fail_msg("%s %s", pairs[i][0], pairs[i][1]);
        assert_int_equal(letter_lower(small), small);
    }
}

static void
a_small_letter_is_never_longer_and_stays_small(void **state)
{
    (void)state;
    for (uint32_t c = 1; c <= 0x10FFFF; c++) {
        char s[4];
        uint32_t small = letter_lower(c);

        if (letter_write(small, s) > letter_write(c, s) ||
            letter_lower(small) != small ||
            (letter_is_upper(c) && letter_is_lower(c)))
            fail_msg("U+%04X", c);
    }
}

static void
classes_of_some_characters(void **state)
{
    static const struct {
        uint32_t c;
        bool alpha, cjk, space, emoji;
    } want[] = {{'a', true, false, false, false},
                {'1', false, false, false, false},
                {'_', false, false, false, false},
                {0xE4, true, false, false, false},
                {0xD7, false, false, false, false},
                {0xA0, false, false, true, false},
                {0x4E2D, true, true, false, false},
                {0x3002, false, false, false, false},
                {0x3042, true, true, false, false},
                {0x30FC, true, true, false, false},
                {0x3000, false, false, true, false},
                {0xD55C, true, false, false, false},
                {0x0E01, true, true, false, false},
                {0x0645, true, false, false, false},
                {0x1F600, false, false, false, true},
                {0x2014, false, false, false, false},
                {0x0301, true, false, false, false},
                {0x20AC, false, false, false, false}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        uint32_t c = want[i].c;

        if (letter_is_alpha(c) != want[i].alpha ||
            letter_is_cjk(c) != want[i].cjk ||
            letter_is_space(c) != want[i].space ||
            letter_is_emoji(c) != want[i].emoji)
            fail_msg("U+%04X", c);
    }
    assert_true(letter_is_hidden(0x200B) && letter_is_hidden(1));
    assert_false(letter_is_hidden(' ') || letter_is_hidden('\n'));
    assert_true(letter_is_digit(0xFF11) && !letter_is_alpha(0xFF11));
    assert_true(letter_is_kana(0x306F) && !letter_is_kana(0x30CF));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_read_as_it_is_written),
        cmocka_unit_test(broken_bytes_are_passed_one_by_one),
        cmocka_unit_test(small_letters_of_three_scripts),
        cmocka_unit_test(a_small_letter_is_never_longer_and_stays_small),
        cmocka_unit_test(classes_of_some_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
