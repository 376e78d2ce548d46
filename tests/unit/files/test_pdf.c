/* Tests of files/pdf.c, pdf_words.c and pdf_page.c. */
#include "pdf_test.h"

#include "files/pdf.h"

static bool
have_program(void)
{
    return access("/usr/bin/pdftotext", X_OK) == 0;
}

static void
assert_pdf(const struct pdf_text *texts, size_t n, const char *want)
{
    struct buf b;
    struct seen s;

    if (!have_program())
        skip();
    pdf_make(&b, texts, n, "");
    see(&s, pdf_read, file_of(b.data, b.len));
    assert_string_equal(buf_cstr(&s.text), want);
    assert_string_equal(s.facts.title, "The title");
    buf_release(&s.text);
    buf_release(&b);
}

static void
pages_have_paragraphs_and_headings(void **state)
{
    static const struct pdf_text texts[] = {
        {1, 20, 50, 700, "A heading"},
        {1, 11, 50, 660, "The first paragraph goes over two lines of the page"},
        {1, 11, 50, 646, "and has a long word at the end of one, an exam-"},
        {1, 11, 50, 632, "ple of it. It ends here."},
        {1, 11, 62, 618, "An indented line begins the second one, which also"},
        {1, 11, 50, 604, "has two lines."},
        {2, 11, 50, 660, "2.3 A numbered heading"},
        {2, 11, 50, 630, "Text of the second page, which is long enough."},
        {2, 11, 50, 610, "\\267 one"},
        {2, 11, 50, 596, "\\267 two"},
    };

    (void)state;
    assert_pdf(texts, COUNT_OF(texts),
               "H1@1:A heading|T@1:The first paragraph goes over two lines of "
               "the page and has a long word at the end of one, an example of "
               "it. It ends here.|T@1:An indented line begins the second one, "
               "which also has two lines.|H2@2:2.3 A numbered heading|T@2:Text "
               "of the second page, which is long enough.|R@2:one|R@2:two");
}

static void
what_every_page_has_in_its_margin_is_left_out(void **state)
{
    static const struct pdf_text texts[] = {
        {1, 11, 50, 770, "Report of 2024"}, {1, 11, 50, 600, "Page one."},
        {1, 11, 300, 20, "- 1 -"},          {2, 11, 50, 770, "Report of 2024"},
        {2, 11, 50, 600, "Page two."},      {2, 11, 300, 20, "- 2 -"},
        {3, 11, 50, 770, "Report of 2024"}, {3, 11, 50, 600, "Page three 3."},
        {3, 11, 300, 20, "- 3 -"},
    };

    (void)state;
    assert_pdf(texts, COUNT_OF(texts),
               "T@1:Report of 2024|T@1:Page one.|T@2:Page two.|T@3:Page three "
               "3.");
}

static void
assert_skip(const char *bytes, size_t n, enum skip why)
{
    struct seen s;

    if (!have_program())
        skip();
    see(&s, pdf_read, file_of(bytes, n));
    assert_int_equal(s.why, why);
    buf_release(&s.text);
}

static void
what_cannot_be_read_has_a_reason(void **state)
{
    static const struct pdf_text text = {1, 11, 50, 600, "Secret"};
    struct buf b;

    (void)state;
    assert_skip("", 0, SKIP_BROKEN);
    assert_skip("%PDF-1.4\nno more", 16, SKIP_BROKEN);
    pdf_make(&b, &text, 0, "");
    assert_skip(b.data, b.len, SKIP_EMPTY);
    buf_release(&b);
    pdf_make(&b, &text, 1, PDF_ENCRYPTED);
    assert_skip(b.data, b.len, SKIP_ENCRYPTED);
    buf_release(&b);
}

static void
a_damaged_file_ends_in_peace(void **state)
{
    static const struct pdf_text text = {1, 11, 50, 600, "Some text"};
    struct buf b;
    struct seen s;

    (void)state;
    if (!have_program())
        skip();
    pdf_make(&b, &text, 1, "");
    for (size_t cut = 0; cut < b.len; cut += 64) {
        see(&s, pdf_read, file_of(b.data, cut));
        assert_true(s.err == OK || s.err == ERR_IMPOSSIBLE);
        buf_release(&s.text);
    }
    buf_release(&b);
}

/* --- what pdftotext says -------------------------------------------------- */

static void
words(struct seen *s, const char *out, size_t piece)
{
    struct pdf_words w;
    struct compose c;

    seen_begin(s);
    compose_init(&c, seen_block, s);
    pdf_words_init(&w, &c, &s->facts);
    for (size_t i = 0, n = strlen(out); i < n; i += piece)
        pdf_words_feed(&w, out + i, n - i < piece ? n - i : piece);
    pdf_words_end(&w);
    s->err = compose_end(&c, &s->why);
    pdf_words_release(&w);
    compose_release(&c);
}

static void
words_are_unescaped_and_any_split_is_the_same(void **state)
{
    static const char out[] =
        "<title>A &amp; B</title>\n<page width=\"600\" height=\"800\">\n"
        "<flow>\n"
        "<block xMin=\"50\" yMin=\"100\" xMax=\"90\" yMax=\"110\">\n"
        "<line xMin=\"50\" yMin=\"100\" xMax=\"90\" yMax=\"110\">\n"
        "<word xMin=\"50\" yMin=\"100\" xMax=\"90\" yMax=\"110\">a&lt;b&gt;"
        "</word>\n<word xMin=\"nan\" yMin=\"inf\" xMax=\"1e999\" yMax=\"\">"
        "&#233;&#0;&quot;&#xx;</word>\n</line>\n</block>\n</flow>\n</page>\n";

    (void)state;
    for (size_t piece = 1; piece < sizeof(out); piece += 37) {
        struct seen s;

        words(&s, out, piece);
        assert_string_equal(buf_cstr(&s.text), "T@1:a<b> \xC3\xA9\"&#xx;");
        assert_string_equal(s.facts.title, "A & B");
        buf_release(&s.text);
    }
}

static void
nonsense_is_read_without_harm(void **state)
{
    static const char *const cases[] = {
        "<word >x</word>\n",
        "<page >\n<word >x</word>\n",
        "<page >\n<line >\n<word x</word>\n<word >x\n<word\n</page>\n",
        "<page >\n<line >\n<word ></word>\n</page>\n</page>\n",
        ("<page height=\"-1e308\">\n<block >\n<line yMin=\"1e308\">\n"
         "<word >x</word>\n"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct seen s;

        words(&s, cases[i], 5);
        assert_true(s.err == OK || s.why == SKIP_EMPTY);
        buf_release(&s.text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_have_paragraphs_and_headings),
        cmocka_unit_test(what_every_page_has_in_its_margin_is_left_out),
        cmocka_unit_test(what_cannot_be_read_has_a_reason),
        cmocka_unit_test(a_damaged_file_ends_in_peace),
        cmocka_unit_test(words_are_unescaped_and_any_split_is_the_same),
        cmocka_unit_test(nonsense_is_read_without_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
