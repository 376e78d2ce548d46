/* Tests of client/terminal.c. Every text is fed whole, and in pieces of each
 * small length: the output must be the same. */
#include "client_test.h"

#include "client/terminal.h"

#define B "\x1b[0;1m"  /* bold */
#define C "\x1b[0;36m" /* code */
#define Q "\x1b[0;2m"  /* quotation */
#define N "\x1b[0m"    /* normal */

static void
feed(const char *s, size_t n, size_t piece, bool plain, struct buf *out)
{
    struct terminal t;

    terminal_init(&t, plain);
    for (size_t at = 0; at < n; at += piece)
        terminal_feed(&t, s + at, n - at < piece ? n - at : piece, out);
    terminal_end(&t, out);
}

static void
assert_shown(const char *s, bool plain, const char *want)
{
    size_t n = strlen(s);
    struct buf out;

    for (size_t piece = 1; piece <= n + 1; piece++) {
        buf_init(&out, 65536);
        feed(s, n, piece, plain, &out);
        assert_string_equal(buf_cstr(&out), want);
        buf_release(&out);
    }
}

static void
styles_are_shown(void **state)
{
    static const char *const cases[][2] = {
        {"plain text", "plain text"},
        {"a **b** c\n", "a " B "b" N " c\n"},
        {"**b**", B "b" N},
        {"***b*** c", B "b" N " c"},
        {"2 ** 3 * 4", "2 ** 3 * 4"},
        {"*it* and a_b_c", "*it* and a_b_c"},
        {"a `b*c` d", "a " C "b*c" N " d"},
        {"``a`b``", C "a`b" N},
        {"# Head\ntext", B "Head" N "\ntext"},
        {"###### six\n####### seven", B "six" N "\n####### seven"},
        {"#1 is no heading", "#1 is no heading"},
        {"- one\n  * two\n+ three\n-4", "\xe2\x80\xa2 one\n"
                                        "  \xe2\x80\xa2 two\n"
                                        "\xe2\x80\xa2 three\n-4"},
        {"---\n", "---\n"},
        {"> said\nnot", Q "\xe2\x94\x82 said" N "\nnot"},
        {"\\*not\\* \\d", "*not* \\d"},
        {"a\\\nb", "a\\\nb"},
        {"open **bold\nclosed", "open " B "bold" N "\nclosed"},
        {"open `code\nclosed", "open " C "code" N "\nclosed"},
        {"", ""},
        {"*", "*"},
        {"**", "**"},
        {"#", "#"},
        {"\\", "\\"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_shown(cases[i][0], false, cases[i][1]);
}

static void
blocks_of_code_are_shown_as_they_are(void **state)
{
    (void)state;
    assert_shown("a\n```c\n# **x** `y` \\*\n  - z\n```\nb **c**", false,
                 "a\n" C "# **x** `y` \\*\n  - z\n" N "b " B "c" N);
    assert_shown("````\n```\n````\nout", false, C "```\n" N "out");
    assert_shown("```\nnever closed", false, C "never closed" N);
}

static void
control_characters_are_taken_out(void **state)
{
    static const char evil[] =
        "a\x1b]0;t\x07 \x1b[2J\r\x08\x7f\xc2\x9b\xc2\xa0\tb\n";

    (void)state;
    assert_shown(evil, false, "a]0;t [2J\xc2\xa0\tb\n");
    assert_shown(evil, true, "a]0;t [2J\xc2\xa0\tb\n");
    assert_shown("\xc2", true, "");
}

static void
plain_text_keeps_its_marks(void **state)
{
    (void)state;
    assert_shown("# a **b** `c`\n- d \\*\n", true, "# a **b** `c`\n- d \\*\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(styles_are_shown),
        cmocka_unit_test(blocks_of_code_are_shown_as_they_are),
        cmocka_unit_test(control_characters_are_taken_out),
        cmocka_unit_test(plain_text_keeps_its_marks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
