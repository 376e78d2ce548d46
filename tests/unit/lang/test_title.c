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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_title_says_what_is_wanted),
        cmocka_unit_test(what_is_only_polite_is_its_own_title),
        cmocka_unit_test(a_long_title_ends_between_words),
        cmocka_unit_test(no_words_no_title),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
