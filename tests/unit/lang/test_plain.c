/* Tests of lang/plain.c and plain_inline.c. */
#include "lang_test.h"

#include "lang/plain.h"

/* All blocks as "kind:text|…", kinds P I H R; line ends as "/". */
static void
assert_plain(const char *input, const char *want)
{
    struct plain p;
    char out[2000];
    size_t n = 0;

    plain_read(&p, input, strlen(input));
    for (size_t i = 0; i < p.n; i++) {
        const struct plain_block *b = &p.blocks[i];

        n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%c:%.*s",
                              i > 0 ? "|" : "", "PIHR"[b->kind],
                              (int)(b->end - b->start), p.text + b->start);
        assert_true(n < sizeof(out));
        for (size_t k = b->start; k < b->end; k++)
            assert_true(p.from[k] < strlen(input));
    }
    out[n] = '\0';
    for (size_t i = 0; i < n; i++)
        out[i] = out[i] == '\n' ? '/' : out[i];
    assert_string_equal(out, want);
    plain_release(&p);
}

static void
blocks_are_told_apart(void **state)
{
    (void)state;
    assert_plain("", "");
    assert_plain("\n \n\t\n", "");
    assert_plain("one\n\ntwo", "P:one|P:two");
    assert_plain("# Head #\ntext", "H:Head|P:text");
    assert_plain("Head\n====\ntext\n---\n", "H:Head|H:text");
    assert_plain("#no head", "P:#no head");
    assert_plain("- a\n* b\n+ c\n1. d\n2) e\n• f", "I:a|I:b|I:c|I:d|I:e|I:f");
    assert_plain("- [ ] a\n- [x] b", "I:a|I:b");
    assert_plain("> Quoted\n> > Twice", "P:Quoted/Twice");
    assert_plain("| a | b |\n|---|:-:|\n| 1 | 2 |", "R:a | b|R:1 | 2");
    assert_plain("a\n\n***\n\n- - -\n\nb", "P:a|P:b");
    assert_plain("[ref]: http://x.y\na", "P:a");
    assert_plain("a\r\n\r\nb\r\n", "P:a|P:b");
}

static void
code_is_left_out(void **state)
{
    (void)state;
    assert_plain("a\n```c\nint x;\n```\nb", "P:a|P:b");
    assert_plain("a\n~~~\n```\n~~~\nb", "P:a|P:b");
    assert_plain("a\n````\n```\n````\nb", "P:a|P:b");
    assert_plain("a\n```\nnever closed\n", "P:a");
    assert_plain("- a\n  ```\n  x\n  ```\n- b", "I:a|I:b");
    assert_plain("a\n\n    make run\n\nb", "P:a|P:b");
    assert_plain("    all is indented", "P:all is indented");
    assert_plain("- a\n\n    goes on", "I:a|P:goes on");
    assert_plain("a\n\n    Indented as some begin their paragraphs, and long.",
                 "P:a|P:Indented as some begin their paragraphs, and long.");
    assert_plain("a <!-- b", "P:a <!-- b");
    assert_plain("A\n<!-- b\n\nc -->\nD", "P:A|P:D");
    assert_plain("<!-- never closed\nA", "P:<!-- never closed/A");
}

static void
marks_within_a_line_are_left_out(void **state)
{
    (void)state;
    assert_plain("**bold** and *it* and _it_ and __b__ and ~~s~~",
                 "P:bold and it and it and b and s");
    assert_plain("`a*b*` ``c`` x", "P:a*b* c x");
    assert_plain("snake_case 2 * 3 2*3 a ~ b", "P:snake_case 2 * 3 2*3 a ~ b");
    assert_plain("^_^ -_- \\*x\\*", "P:^_^ -_- *x*");
    assert_plain("[a](http://x.y \"t\") ![b](c.png) [d][e] [f] x[^1]",
                 "P:a d [f] x");
    assert_plain("[a](b) (c) ](d) [e](", "P:a (c) ](d) [e](");
    assert_plain("[f (see below)", "P:[f (see below)");
    assert_plain("a <b>b</b> c<br>d <T> e < f > g", "P:a b c/d <T> e < f > g");
    assert_plain("&lt;a&gt; &amp;&nbsp;b &c;", "P:<a> & b &c;");
    assert_plain("http://x.y/_a_*b* z", "P:http://x.y/_a_*b* z");
    assert_plain("<https://x.y> z", "P:https://x.y> z");
    assert_plain("a \t  b\xC2\xA0 c\xE2\x80\x8B"
                 "d",
                 "P:a b cd");
    assert_plain("\xFF"
                 "a\x80 \xE2\x82",
                 "P:a");
}

static void
wrapped_lines_are_joined_and_others_not(void **state)
{
    (void)state;
    assert_plain("short\nlines\nStay", "P:short lines/Stay");
    assert_plain("This line was wrapped because there was no room for\n"
                 "Everything that the writer wanted to say on one line.",
                 "P:This line was wrapped because there was no room for "
                 "Everything that the writer wanted to say on one line.");
    assert_plain("This line is as long as any of them and stays so  \n"
                 "Everything that the writer wanted to say on one line.",
                 "P:This line is as long as any of them and stays so/"
                 "Everything that the writer wanted to say on one line.");
}

static void
a_block_of_too_many_lines_becomes_two(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        char *s = repeat("A\n", 2 * (PLAIN_LINES_MAX + more));
        struct plain p;

        plain_read(&p, s, 2 * (PLAIN_LINES_MAX + more));
        assert_int_equal(p.n, 1 + more);
        plain_release(&p);
        free(s);
    }
}

static void
hostile_marks_take_no_time(void **state)
{
    static const char *const units[] = {"[",  "](",  "[](",  "![x](", "<a ",
                                        "`",  "*_",  "<!--", "> ",    "| ",
                                        "- ", "a\n", "&",    "][",    "[a]("};
    const size_t n = 1024 * 1024;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        char *s = repeat(units[i], n);
        clock_t began = clock();
        struct plain p;

        plain_read(&p, s, n);
        assert_true(p.len <= n);
        plain_release(&p);
        free(s);
        if ((clock() - began) / CLOCKS_PER_SEC >= 5)
            fail_msg("%s takes long", units[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_told_apart),
        cmocka_unit_test(code_is_left_out),
        cmocka_unit_test(marks_within_a_line_are_left_out),
        cmocka_unit_test(wrapped_lines_are_joined_and_others_not),
        cmocka_unit_test(a_block_of_too_many_lines_becomes_two),
        cmocka_unit_test(hostile_marks_take_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
