/* Tests of lang/title.c. */
#include "lang_test.h"

#include "base/buf.h"
#include "base/text.h"
#include "lang/title.h"

static void
assert_title(const char *message, size_t max, const char *want)
{
    struct buf out;

    buf_init(&out, 1000);
    assert_int_equal(title_text(&out, message, strlen(message), max),
                     want[0] != '\0');
    assert_true(out.len <= max);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
}

static void
a_title_says_what_is_wanted(void **state)
{
    (void)state;
    assert_title("How do I install it on Debian?", 60,
                 "How do I install it on Debian?");
    assert_title("Hi! I have a new laptop here. Could you please tell me how "
                 "to back up my files? Thanks!",
                 60, "How to back up my files?");
    assert_title("hello, please write a poem about **autumn**.", 60,
                 "Write a poem about autumn");
    assert_title("übersetze den Satz", 60, "Übersetze den Satz");
    assert_title("今天天气怎么样？", 60, "今天天气怎么样？");
    assert_title("```\nint x;\n```\nwhy does this fail?", 60,
                 "Why does this fail?");
}

static void
what_is_only_polite_is_its_own_title(void **state)
{
    (void)state;
    assert_title("hello!", 60, "Hello!");
    assert_title("hi there", 60, "Hi there");
    assert_title("thank you", 60, "Thank you");
}

static void
a_long_title_ends_between_words(void **state)
{
    (void)state;
    assert_title("alpha beta gamma", 16, "Alpha beta gamma");
    assert_title("alpha beta gamma", 15, "Alpha beta…");
    assert_title("alphabetagammadelta", 10, "Alphabe…");
    assert_title("ääääääääää", 10, "Äää…");
}

static void
no_words_no_title(void **state)
{
    char *s = repeat("long words in a message. ", TITLE_INPUT_MAX + 1);
    struct buf out;

    (void)state;
    assert_title("", 60, "");
    assert_title(" \n ", 60, "");
    assert_title("```\nint x;\n```", 60, "");
    assert_title("?!", 60, "");
    buf_init(&out, 1000);
    assert_true(title_text(&out, s, TITLE_INPUT_MAX + 1, 60));
    assert_string_equal(buf_cstr(&out), "Long words in a message");
    buf_release(&out);
    free(s);
}

/* --- what a model wrote --------------------------------------------------- */

static void
assert_clean(const char *said, size_t max, const char *want)
{
    struct buf out;

    buf_init(&out, 1000);
    assert_int_equal(title_clean(&out, said, strlen(said), max),
                     want[0] != '\0');
    assert_true(out.len <= max);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
}

static void
a_title_that_a_model_wrote_is_made_plain(void **state)
{
    (void)state;
    assert_clean("Backing up a laptop", 256, "Backing up a laptop");
    assert_clean("\n\n  Backing   up\ta laptop \n", 256, "Backing up a laptop");
    assert_clean("\"Backing up a laptop\"", 256, "Backing up a laptop");
    assert_clean("Title: \"Backing up a laptop.\"", 256, "Backing up a laptop");
    assert_clean("**Title:** Backing up", 256, "Backing up");
    assert_clean("**“Backing up”**", 256, "Backing up");
    assert_clean("# Backing up", 256, "Backing up");
    assert_clean("- Backing up", 256, "Backing up");
    assert_clean("> `Backing up`", 256, "Backing up");
    assert_clean("Titel: „Daten sichern“", 256, "Daten sichern");
    assert_clean("标题：《备份电脑》。", 256, "备份电脑");
    assert_clean("«Titre : la sauvegarde»", 256, "la sauvegarde");
    assert_clean("Backing up\n\nI chose this since it is short.", 256,
                 "Backing up");
    assert_clean("Back\xC2\xADing\xE2\x80\xAE up\x01", 256, "Backing up");
}

static void
what_belongs_to_a_title_stays(void **state)
{
    (void)state;
    assert_clean("\"Yes\" and \"no\" in Latin", 256,
                 "\"Yes\" and \"no\" in Latin");
    assert_clean("The author's cats", 256, "The author's cats");
    assert_clean("Title page of a book", 256, "Title page of a book");
    assert_clean("Rust: the borrow checker", 256, "Rust: the borrow checker");
    assert_clean("Wait for it...", 256, "Wait for it...");
    assert_clean("Why does it rain?", 256, "Why does it rain?");
    assert_clean("snake_case or camelCase", 256, "snake_case or camelCase");
}

static void
a_title_that_is_too_long_is_cut_between_characters(void **state)
{
    char *s = repeat("ab ", TITLE_INPUT_MAX + 3);
    struct buf out;

    (void)state;
    assert_clean("abcd efgh", 9, "abcd efgh");
    assert_clean("abcd efgh", 8, "abcd efg");
    assert_clean("abcd efgh", 5, "abcd");
    assert_clean("ääää", 7, "äää");
    assert_clean("日本語", 3, "日");
    buf_init(&out, 1000);
    assert_true(title_clean(&out, s, strlen(s), 256));
    assert_int_equal(out.len, 256);
    buf_release(&out);
    free(s);
}

static void
an_answer_without_a_title_is_none(void **state)
{
    (void)state;
    assert_clean("", 256, "");
    assert_clean(" \n\t ", 256, "");
    assert_clean("\"\"", 256, "");
    assert_clean("Title:", 256, "");
    assert_clean("...", 256, "");
    assert_clean("```\ncode\n```", 256, "");
    assert_clean("\xFF\xFE", 256, "");
    assert_clean("Title:\n\nBacking up", 256, "Backing up");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_title_says_what_is_wanted),
        cmocka_unit_test(what_is_only_polite_is_its_own_title),
        cmocka_unit_test(a_long_title_ends_between_words),
        cmocka_unit_test(no_words_no_title),
        cmocka_unit_test(a_title_that_a_model_wrote_is_made_plain),
        cmocka_unit_test(what_belongs_to_a_title_stays),
        cmocka_unit_test(a_title_that_is_too_long_is_cut_between_characters),
        cmocka_unit_test(an_answer_without_a_title_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
