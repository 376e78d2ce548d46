/* Tests of files/html.c, html_role.c and, through them, compose.c. */
#include "readers_test.h"

#include "files/html.h"

static void
assert_html(const char *html, const char *want)
{
    struct seen s;

    see(&s, html_read, file_of(html, strlen(html)));
    assert_string_equal(buf_cstr(&s.text), want);
    buf_release(&s.text);
}

static void
assert_skip(const char *html, size_t n, enum skip why)
{
    struct seen s;

    see(&s, html_read, file_of(html, n));
    assert_int_equal(s.why, why);
    buf_release(&s.text);
}

static void
paragraphs_and_headings_are_blocks(void **state)
{
    (void)state;
    assert_html("<h1>A</h1><p>One\n  two<p>three<h3>B <b>c</b></h3>four",
                "H1:A|T:One two|T:three|H3:B c|T:four");
    assert_html("plain words", "T:plain words");
    assert_html("<div>a<div>b</div>c</div>d", "T:a|T:b|T:c|T:d");
    assert_html("<p>a<br>b<br><br>c</p>", "T:a\nb\nc");
    assert_html("<p>one<span> two</span><em>three</em></p>", "T:one twothree");
    assert_html("<h2>a<br>b</h2>", "H2:a b");
    assert_html("<p></p><p> &nbsp; </p><h1></h1><p>x</p>", "T:x");
}

static void
lists_and_tables_are_rows(void **state)
{
    (void)state;
    assert_html("<ul><li>a<li><p>b</p><li>c<ul><li>d</ul></ul>e",
                "R:a|R:b|R:c|R:d|T:e");
    assert_html("<dl><dt>t<dd>d</dl>", "R:t|R:d");
    assert_html("<table><caption>Cap</caption><tr><th>a<th>b<tr><td>1<td><td>3"
                "</table>x",
                "T:Cap|R:a | b|R:1 | 3|T:x");
    assert_html("<table><tr><td><p>a</p><p>b</p></td><td>c<br>d</td></table>",
                "R:a b | c d");
    assert_html("<table><tr><td><h2>h</h2>x</td></tr></table>", "H2:h|R:x");
}

static void
layout_by_tables_has_paragraphs(void **state)
{
    char html[2000], text[300];
    struct seen s;

    (void)state;
    (void)memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)snprintf(html, sizeof(html),
                   "<table><tr><td><p>%s</p><p>next</p></td></tr></table>",
                   text);
    see(&s, html_read, file_of(html, strlen(html)));
    assert_int_equal(s.blocks, 2);
    buf_release(&s.text);
}

static void
code_keeps_its_blanks(void **state)
{
    (void)state;
    assert_html("<pre>\n  if (a)\n    b;\n\n\n\n\nc  \n\n</pre>d",
                "C:  if (a)\n    b;\n\n\nc|T:d");
    assert_html("<pre><code>a\n\tb &lt;c&gt;</code></pre>", "C:a\n\tb <c>");
}

static void
what_is_not_for_readers_is_left_out(void **state)
{
    (void)state;
    assert_html("<script>var a = '<p>no</p>';</script><style>p{}</style>"
                "<nav><a>Home</a></nav><p>yes</p><svg><text>no</text></svg>"
                "<noscript>no</noscript><template><p>no</template>"
                "<select><option>no</select><!-- no --><textarea>no</textarea>",
                "T:yes");
    assert_html("<div hidden>no</div><div aria-hidden=true>no</div>"
                "<div role=navigation>no<p>no</div><p>yes",
                "T:yes");
    assert_html("<p>see <img alt='the cat' src=x> there</p>",
                "T:see the cat there");
}

static void
the_title_is_a_fact_and_no_block(void **state)
{
    static const char html[] =
        "<html><head><title> A \n title </title></head><body><p>x";
    struct seen s;

    (void)state;
    see(&s, html_read, file_of(html, strlen(html)));
    assert_string_equal(s.facts.title, "A title");
    assert_string_equal(buf_cstr(&s.text), "T:x");
    buf_release(&s.text);
}

static void
entities_are_characters(void **state)
{
    (void)state;
    assert_html("<p>a&amp;b &eacute;&#233;&#xE9; &hellip; &nosuch; R&D</p>",
                "T:a&b \xC3\xA9\xC3\xA9\xC3\xA9 \xE2\x80\xA6 &nosuch; R&D");
    assert_html("<p>so\xC2\xADlong \xEF\xAC\x81sh a\xC2\xA0"
                "b\xE2\x80\x8B.</p>",
                "T:solong fish a b.");
    assert_html("<p>a&#0;b&#1;c&#x85;d</p>", "T:abc\xE2\x80\xA6"
                                             "d");
}

static void
charsets_are_understood(void **state)
{
    static const char utf16[] = "\xFF\xFE<\0p\0>\0\xE9\0=\xD8\x00\xDE";
    struct seen s;

    (void)state;
    assert_html("<p>caf\xE9 \x93x\x94 \x80</p>",
                "T:caf\xC3\xA9 \xE2\x80\x9Cx\xE2\x80\x9D \xE2\x82\xAC");
    assert_html("<meta charset=iso-8859-1><p>\xC3\xA9</p>",
                "T:\xC3\x83\xC2\xA9");
    assert_html("<meta http-equiv=Content-Type content='text/html; "
                "charset=koi8-r'><p>\xF0\xD2\xC9\xD7\xC5\xD4</p>",
                "T:\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82");
    assert_html("<meta charset='Shift_JIS'><p>\x93\xFA\x96{\x81",
                "T:\xE6\x97\xA5\xE6\x9C\xAC");
    assert_html("<meta charset='no-such-thing'><p>\xC3\xA9</p>", "T:\xC3\xA9");
    see(&s, html_read, file_of(utf16, sizeof(utf16) - 1));
    assert_string_equal(buf_cstr(&s.text), "T:\xC3\xA9\xF0\x9F\x98\x80");
    buf_release(&s.text);
}

/* Any place may be the border of two reads. */
static void
characters_across_reads_stay_whole(void **state)
{
    struct buf html, want;
    struct seen s;

    (void)state;
    for (size_t pad = 0; pad < 20; pad++) {
        buf_init(&html, 64 * 1024);
        buf_init(&want, 64 * 1024);
        buf_adds(&html, "<p>");
        buf_adds(&want, "T:");
        for (size_t i = 0; i < 2000; i++) {
            buf_addf(&html, "%.*s\xF0\x9F\x98\x80\xC3\xA9", (int)(pad + 1),
                     "abcdefghijklmnopqrstuvwxyz");
            buf_addf(&want, "%.*s\xF0\x9F\x98\x80\xC3\xA9", (int)(pad + 1),
                     "abcdefghijklmnopqrstuvwxyz");
        }
        see(&s, html_read, file_of(html.data, html.len));
        for (size_t i = 0; i < s.text.len; i++) /* parts of a block */
            if (s.text.data[i] == '+') {
                (void)memmove(s.text.data + i, s.text.data + i + 1,
                              s.text.len - i - 1);
                s.text.len--;
            }
        assert_string_equal(buf_cstr(&s.text), buf_cstr(&want));
        buf_release(&s.text);
        buf_release(&want);
        buf_release(&html);
    }
}

static void
long_blocks_come_in_parts(void **state)
{
    size_t n = 5 * (size_t)BLOCK_MAX;
    char *html = xmalloc(n);
    struct seen s;

    (void)state;
    (void)memset(html, 'x', n);
    see(&s, html_read, file_of(html, n));
    assert_int_equal(s.err, OK);
    assert_int_equal(s.blocks, 6); /* runs are not cut, so not quite full */
    buf_release(&s.text);
    for (size_t i = 0; i < n; i += 100)
        html[i] = ' ';
    see(&s, html_read, file_of(html, n));
    assert_int_equal(s.err, OK);
    assert_true(s.blocks >= 5);
    buf_release(&s.text);
    free(html);
}

static void
a_page_that_is_too_deep_is_a_bomb(void **state)
{
    size_t n = 100000, len = 5 * n;
    char *html = xmalloc(len);

    (void)state;
    for (size_t i = 0; i < n; i++)
        (void)memcpy(html + 5 * i, "<div>", 5);
    assert_skip(html, len, SKIP_BOMB);
    free(html);
}

static void
nothing_is_empty(void **state)
{
    (void)state;
    assert_skip("", 0, SKIP_EMPTY);
    assert_skip("<html><body><script>x</script>", 30, SKIP_EMPTY);
    assert_skip("\0\0\0\0", 4, SKIP_EMPTY);
}

/* Whatever is cut off, the rest is read. */
static void
any_beginning_is_read(void **state)
{
    static const char html[] =
        "<!DOCTYPE html><html lang='en'><head><title>T &amp; t</title>"
        "<meta charset=utf-8></head><body class=\"a b\"><h1>One</h1><p>Two "
        "&eacute; <a href='x?a=1&b=2'>three</a></p><table><tr><td>4</td>"
        "</tr></table><pre>five\n</pre><!-- six --><ul><li>seven</ul>"
        "<script>if (a < b) c();</script><p>\xC3\xA9 end</body></html>";

    (void)state;
    for (size_t n = 0; n < sizeof(html); n++) {
        struct seen s;

        see(&s, html_read, file_of(html, n));
        assert_true(s.err == OK || s.why == SKIP_EMPTY);
        buf_release(&s.text);
    }
}

/* What a page declares is not declared here. */
static void
entities_of_its_own_are_not_replaced(void **state)
{
    static const char html[] =
        "<!DOCTYPE html [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>"
        "<!ENTITY c SYSTEM 'file:///etc/passwd'>]><p>&b;&c;</p>";
    struct seen s;

    (void)state;
    see(&s, html_read, file_of(html, strlen(html)));
    assert_null(strstr(buf_cstr(&s.text), "lollol"));
    assert_null(strstr(buf_cstr(&s.text), "root:"));
    buf_release(&s.text);
}

static enum err
no_more(void *arg, const struct block *b)
{
    size_t *n = arg;

    (void)b;
    return ++*n == 2 ? ERR_STOPPING : OK;
}

static void
who_takes_blocks_can_end_it(void **state)
{
    static const char html[] = "<p>a<p>b<p>c<p>d";
    int fd = file_of(html, strlen(html));
    struct facts f = {.type = ""};
    enum skip why;
    size_t n = 0;

    (void)state;
    assert_int_equal(html_read(fd, no_more, &n, &f, &why), ERR_STOPPING);
    assert_int_equal(n, 2);
    assert_int_equal(why, SKIP_NOT);
    (void)close(fd);
}

static void
roles_are_in_order(void **state)
{
    static const char *const names[] = {"address", "xmp", "h1", "h6", "p",
                                        "td",      "ul",  "br", "dt"};
    int level;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_not_equal(html_role_of(names[i], &level), HTML_INLINE);
    assert_int_equal(html_role_of("h4", &level), HTML_HEADING);
    assert_int_equal(level, 4);
    assert_int_equal(html_role_of("b", &level), HTML_INLINE);
    assert_int_equal(html_role_of("zzz", &level), HTML_INLINE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paragraphs_and_headings_are_blocks),
        cmocka_unit_test(lists_and_tables_are_rows),
        cmocka_unit_test(layout_by_tables_has_paragraphs),
        cmocka_unit_test(code_keeps_its_blanks),
        cmocka_unit_test(what_is_not_for_readers_is_left_out),
        cmocka_unit_test(the_title_is_a_fact_and_no_block),
        cmocka_unit_test(entities_are_characters),
        cmocka_unit_test(charsets_are_understood),
        cmocka_unit_test(characters_across_reads_stay_whole),
        cmocka_unit_test(long_blocks_come_in_parts),
        cmocka_unit_test(a_page_that_is_too_deep_is_a_bomb),
        cmocka_unit_test(nothing_is_empty),
        cmocka_unit_test(any_beginning_is_read),
        cmocka_unit_test(entities_of_its_own_are_not_replaced),
        cmocka_unit_test(who_takes_blocks_can_end_it),
        cmocka_unit_test(roles_are_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
