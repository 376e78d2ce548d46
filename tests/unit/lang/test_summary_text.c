/* Tests of lang/summary_text.c. */
#include "lang_test.h"

#include "base/buf.h"
#include "base/text.h"
#include "lang/summary_text.h"

#define U(s)                       \
    {                              \
        "user", (s), sizeof(s) - 1 \
    }
#define A(s)                            \
    {                                   \
        "assistant", (s), sizeof(s) - 1 \
    }

static size_t
summarise(struct buf *out, const struct summary_message *m, size_t n)
{
    buf_init(out, 1024 * 1024);
    return summary_text(out, m, n);
}

static void
assert_summary(const struct summary_message *m, size_t n, const char *want)
{
    struct buf out;

    (void)summarise(&out, m, n);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
}

static void
questions_and_answers_are_told_in_pairs(void **state)
{
    static const struct summary_message m[] = {
        {"system", "You help.", 9},
        U("Hi there! I have a new laptop. How do I back up my files?"),
        A("Copy your files to an external disk once a week. Any disk will "
          "do.\n\n```sh\ncp -r files /mnt\n```\n"),
        U("Which disk should I buy?"),
        A("Buy a disk that has twice the room of your files."),
    };

    (void)state;
    assert_summary(m, COUNT_OF(m),
                   "4 messages about disk, files.\n\n"
                   "1. **How do I back up my files?**\n"
                   "   Copy your files to an external disk once a week.\n"
                   "2. **Which disk should I buy?**\n"
                   "   Buy a disk that has twice the room of your files.\n");
}

static void
commands_and_politeness_are_left_out(void **state)
{
    static const struct summary_message m[] = {
        U("/help"),           A("Commands: one, two."),
        U("What is a turn?"), A("A turn is a question with its answer."),
        U("ok, thanks!"),     A("You are welcome."),
    };
    struct buf out;

    (void)state;
    assert_int_equal(summarise(&out, m, COUNT_OF(m)), 1);
    assert_non_null(strstr(buf_cstr(&out), "**What is a turn?**"));
    assert_null(strstr(buf_cstr(&out), "Commands"));
    assert_null(strstr(buf_cstr(&out), "welcome"));
    buf_release(&out);
    /* Unless that is all there is. */
    assert_int_equal(summarise(&out, m + 4, 2), 1);
    assert_non_null(strstr(buf_cstr(&out), "You are welcome."));
    buf_release(&out);
}

static void
nothing_is_told_of_nothing(void **state)
{
    static const struct summary_message m[] = {
        U("  "), U("/clear"), A("Done."), {"tool", "x", 1}, {NULL, "y", 1}};
    struct buf out;

    (void)state;
    assert_int_equal(summarise(&out, NULL, 0), 0);
    assert_int_equal(out.len, 0);
    buf_release(&out);
    assert_int_equal(summarise(&out, m, COUNT_OF(m)), 0);
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

static void
answers_without_questions_and_code_are_told_too(void **state)
{
    static const struct summary_message m[] = {
        A("Welcome to the harbour of Hamburg."),
        U("```\nint main(void);\n```"),
        A("The program does nothing yet."),
        U("Why does it do nothing?"),
    };

    (void)state;
    assert_summary(m, COUNT_OF(m),
                   "4 messages about harbour, Hamburg, program.\n\n"
                   "1. Welcome to the harbour of Hamburg.\n"
                   "2. **(code)**\n   The program does nothing yet.\n"
                   "3. **Why does it do nothing?**\n");
}

static void
of_a_long_talk_the_ends_and_the_longest_are_told(void **state)
{
    char text[400][40];
    struct summary_message m[400];
    struct buf out;

    (void)state;
    for (size_t n = SUMMARY_EXCHANGES_MAX; n < 200; n += 63) {
        for (size_t i = 0; i < n; i++) {
            size_t a = (size_t)snprintf(text[2 * i], 40, "What is w%zu?", i);
            size_t b = (size_t)snprintf(text[2 * i + 1], 40,
                                        "Word w%zu is a %s.", i,
                                        i == n - 4 ? "longer story" : "fish");

            m[2 * i] = (struct summary_message){"user", text[2 * i], a};
            m[2 * i + 1] = (struct summary_message){"assistant",
                                                    text[2 * i + 1], b};
        }
        assert_int_equal(summarise(&out, m, 2 * n), SUMMARY_EXCHANGES_MAX);
        assert_non_null(strstr(buf_cstr(&out), "1. **What is w0?**"));
        assert_non_null(strstr(buf_cstr(&out), "longer story"));
        for (size_t i = n - 2; i < n; i++)
            assert_non_null(strstr(buf_cstr(&out), text[2 * i]));
        buf_release(&out);
    }
}

static void
long_messages_are_read_in_part_and_told_in_short(void **state)
{
    const size_t n = SUMMARY_MESSAGE_MAX + 3;
    char *s = repeat("größere Wörter ohne ein Ende und ", n);
    struct summary_message m[] = {{"user", s, utf8_whole(s, n)},
                                  {"assistant", s, utf8_whole(s, n)}};
    struct buf out;

    (void)state;
    assert_int_equal(summarise(&out, m, 2), 1);
    assert_true(out.len < SUMMARY_QUESTION_MAX + SUMMARY_ANSWER_MAX + 400);
    assert_true(utf8_valid(out.data, out.len));
    buf_release(&out);
    free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_and_answers_are_told_in_pairs),
        cmocka_unit_test(commands_and_politeness_are_left_out),
        cmocka_unit_test(nothing_is_told_of_nothing),
        cmocka_unit_test(answers_without_questions_and_code_are_told_too),
        cmocka_unit_test(of_a_long_talk_the_ends_and_the_longest_are_told),
        cmocka_unit_test(long_messages_are_read_in_part_and_told_in_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
