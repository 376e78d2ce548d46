/* Tests of files/text_markdown.c and files/text_mark.c. */
#include "text_test.h"

#include "files/text_mark.h"

static void
check(const char *s, const char *want)
{
    check_bytes(TEXT_MARKDOWN, s, strlen(s), want);
}

static void
check_title(const char *s, const char *want)
{
    struct reading r;

    read_all_ways(&r, TEXT_MARKDOWN, s, strlen(s));
    assert_int_equal(r.e, OK);
    assert_string_equal(r.facts.title, want);
    reading_release(&r);
}

/* --- headings ------------------------------------------------------------- */

static void
headings_have_one_to_six_marks(void **state)
{
    (void)state;
    check("# One\n## Two ##\n###### Six\n", "H1|One\nH2|Two\nH6|Six");
    check("####### seven", "T|####### seven");
    check("#hash", "T|#hash");
    check("# C#\n## \n   # three blanks", "H1|C#\nH1|three blanks");
    check("text\n# Heading\ntext", "T|text\nH1|Heading\nT|text");
    check("#\tTab", "H1|Tab");
}

static void
a_line_may_be_underlined(void **state)
{
    (void)state;
    check("One\n===\n\nTwo\n---\ntext", "H1|One\nH2|Two\nT|text");
    check("Two lines\nof heading\n=", "H1|Two lines of heading");
    check("text\n\n---\ntext", "T|text\nT|text");
    check("- item\n---\ntext", "R|- item\nT|text");
    check("====", "T|====");
}

static void
a_long_paragraph_is_not_underlined(void **state)
{
    (void)state;
    for (size_t n = 255; n <= 256; n++) {
        char *s = many('x', n + 4);
        struct reading r;

        memcpy(s + n, "\n===", 4);
        read_all_ways(&r, TEXT_MARKDOWN, s, n + 4);
        assert_memory_equal(r.out.data, n == 255 ? "H1|" : "T|x", 3);
        assert_int_equal(r.blocks, 1);
        reading_release(&r);
        free(s);
    }
}

static void
a_heading_longer_than_a_line_is_one(void **state)
{
    char *s = many('x', 40000);
    struct reading r;

    (void)state;
    memcpy(s, "# ", 2);
    memcpy(s + 39990, "\ntext", 5);
    read_all_ways(&r, TEXT_MARKDOWN, s, 39995);
    assert_int_equal(r.blocks, 4);
    assert_memory_equal(r.out.data, "H1+|", 4);
    assert_memory_equal(r.out.data + r.out.len - 7, "\nT|text", 7);
    assert_int_equal(strlen(r.facts.title), FACTS_TITLE_MAX);
    reading_release(&r);
    free(s);
}

/* --- titles --------------------------------------------------------------- */

static void
the_first_heading_of_the_first_level_is_the_title(void **state)
{
    (void)state;
    check_title("## Small\n\n# **Great** `thing`\n\n# Other", "Great thing");
    check_title("## Small\n### Smaller", "Small");
    check_title("Under\n=====\n# Other", "Under");
    check_title("# 1. Numbers stay", "1. Numbers stay");
    check_title("text", "");
}

static void
front_matter_has_the_title(void **state)
{
    (void)state;
    check_title("---\ntitle: \"Anna's day\"\ndate: 2024-05-01\n---\n# Other",
                "Anna's day");
    check_title("+++\ntitle = 'TOML'\n+++\n", "TOML");
    check("---\ntitle: Day\ntags:\n  - sun\n  - sea\n# no\n---\nText",
          "H1|Day\nR|tags:\nR|  - sun\nR|  - sea\nR|# no\nT|Text");
    check("---\nThis is a rule and text\n", "T|This is a rule and text");
    check("\n---\ntitle: x\n---\n", "H2|title: x");
}

static void
front_matter_ends_after_so_many_lines(void **state)
{
    (void)state;
    for (int n = 199; n <= 201; n++) {
        struct reading r;
        struct buf in;

        buf_init(&in, 65536);
        buf_adds(&in, "---\n");
        for (int i = 0; i < n; i++)
            buf_addf(&in, "k%d: v\n", i);
        buf_adds(&in, "---\nText\n");
        read_all_ways(&r, TEXT_MARKDOWN, in.data, in.len);
        if (n <= 200)
            assert_int_equal(r.blocks, n + 1);
        else
            assert_non_null(strstr(buf_cstr(&r.out), "H2|k200: v"));
        reading_release(&r);
        buf_release(&in);
    }
}

/* --- paragraphs, lists, quotes -------------------------------------------- */

static void
paragraphs_lose_their_line_ends(void **state)
{
    (void)state;
    check("one\ntwo\n  three\n\nfour", "T|one two three\nT|four");
    check("hard  \nend\\\nof line", "T|hard\nend\\\nof line");
    check("with *marks* and [links](http://x.y/)",
          "T|with *marks* and [links](http://x.y/)");
}

static void
items_are_rows(void **state)
{
    (void)state;
    check("- one\n- two\n  goes on\n* three\n+ four",
          "R|- one\nR|- two goes on\nR|* three\nR|+ four");
    check("1. one\n2) two\n   - nested\n10. ten",
          "R|1. one\nR|2) two\nR|   - nested\nR|10. ten");
    check("- [ ] to do\n-\n-no item", "R|- [ ] to do\nT|-no item");
    check("- one\n\n  A paragraph of it.\n\n- two\n\nOutside.",
          "R|- one\nT|A paragraph of it.\nR|- two\nT|Outside.");
    check("It was in\n1986. A great year\n- so", "T|It was in 1986. A great "
                                                 "year\nR|- so");
}

static void
quotes_are_text(void **state)
{
    (void)state;
    check("> one\n> two\n\n>> three\n> # Four\nafter",
          "T|one two\nT|three\nH1|Four\nT|after");
    check("before\n> quote", "T|before\nT|quote");
    check("> ```\n> code\n> ```\n> x", "C|code\nT|x");
    check("> ```\n> code\nout", "C|code\nT|out");
}

static void
comments_are_left_out(void **state)
{
    (void)state;
    check("<!-- one -->\na\n<!-- two\n# three\n-->\nb", "T|a\nT|b");
    check("a <!-- in --> b", "T|a <!-- in --> b");
    check("<!-- x --> text", "T|<!-- x --> text");
}

/* --- code ----------------------------------------------------------------- */

static void
fenced_code_keeps_its_lines(void **state)
{
    (void)state;
    check("```c\nint a;\n\n\n  int b;\n```\ntext",
          "C|int a;\n\n  int b;\nT|text");
    check("~~~~\n```\n# no heading\n~~~\n~~~~~\nx",
          "C|```\n# no heading\n~~~\nT|x");
    check("```\nnever ends\n# code", "C|never ends\n# code");
    check("``` not `code`", "T|``` not `code`");
    check("```\n```\nx", "T|x");
    check("- item\n  ```\n  code\n    more\n  ```\n- b",
          "R|- item\nC|code\n  more\nR|- b");
}

static void
indented_code_keeps_its_lines(void **state)
{
    (void)state;
    check("text\n\n    code\n\n      more\n\ttab\nend",
          "T|text\nC|code\n\n  more\ntab\nT|end");
    check("text\n    goes on", "T|text goes on");
}

/* --- tables --------------------------------------------------------------- */

static void
rows_of_tables_say_their_columns(void **state)
{
    (void)state;
    check("| Name | City |\n|:---|---:|\n| Anna | Bern |\n| Bob | |\n\nText",
          "R|Name: Anna, City: Bern\nR|Name: Bob\nT|Text");
    check("a | b\n--|--\n1 | 2\ntext", "R|a: 1, b: 2\nT|text");
    check("Before\nx | y\n-|-\n1|2|3", "T|Before\nR|x: 1, y: 2, 3");
    check("| a\\|b |\n|---|\n| 1\\|2 |", "R|a\\|b: 1\\|2");
    check("no table\n|---|", "T|no table |---|");
    check("| only heads |\n|---|\n\nx", "T|x");
}

static void
heads_are_many_or_long(void **state)
{
    struct text_out *out = xcalloc(1, sizeof(*out));
    struct text_row *row = xmalloc(sizeof(*row));
    char *s = many('h', TEXT_HEAD_MAX + 1);

    (void)state;
    text_row_init(row, out);
    text_row_head(row, s, TEXT_HEAD_MAX);
    assert_int_equal(row->heads_len, TEXT_HEAD_MAX);
    text_row_head(row, s, TEXT_HEAD_MAX + 1);
    assert_int_equal(row->heads_len, 2 * TEXT_HEAD_MAX);
    for (int i = 2; i < TEXT_COLUMNS_MAX + 10; i++)
        text_row_head(row, s, TEXT_HEAD_MAX);
    assert_int_equal(row->n_heads, TEXT_COLUMNS_MAX);
    assert_int_equal(row->heads_len, TEXT_HEADS_MAX);
    free(s);
    free(row);
    free(out);
}

/* --- lines by themselves -------------------------------------------------- */

static void
lines_are_told_apart(void **state)
{
    unsigned number;
    char c;

    (void)state;
    assert_int_equal(mark_item("123456789. x", 12, &number), 11);
    assert_int_equal(number, 123456789);
    assert_int_equal(mark_item("1234567890. x", 13, &number), 0);
    assert_int_equal(mark_item("1.x", 3, &number), 0);
    assert_int_equal(mark_fence("``", 2, &c), 0);
    assert_int_equal(mark_fence("~~~", 3, &c), 3);
    assert_true(mark_rule("* * *", 5));
    assert_false(mark_rule("**", 2));
    assert_false(mark_rule("*-*", 3));
    assert_false(mark_table("---", 3));
    assert_true(mark_table(":--|--:", 7));
    assert_int_equal(mark_columns("  \tx", 4), 4);
    assert_int_equal(mark_unindent("\t\tx", 3, 4), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headings_have_one_to_six_marks),
        cmocka_unit_test(a_line_may_be_underlined),
        cmocka_unit_test(a_long_paragraph_is_not_underlined),
        cmocka_unit_test(a_heading_longer_than_a_line_is_one),
        cmocka_unit_test(the_first_heading_of_the_first_level_is_the_title),
        cmocka_unit_test(front_matter_has_the_title),
        cmocka_unit_test(front_matter_ends_after_so_many_lines),
        cmocka_unit_test(paragraphs_lose_their_line_ends),
        cmocka_unit_test(items_are_rows),
        cmocka_unit_test(quotes_are_text),
        cmocka_unit_test(comments_are_left_out),
        cmocka_unit_test(fenced_code_keeps_its_lines),
        cmocka_unit_test(indented_code_keeps_its_lines),
        cmocka_unit_test(rows_of_tables_say_their_columns),
        cmocka_unit_test(heads_are_many_or_long),
        cmocka_unit_test(lines_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
