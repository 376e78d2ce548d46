/* Tests of files/docx.c and docx_styles.c. */
#include "readers_test.h"

#include "files/docx.h"

#define W \
    "xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'"
#define P(text) "<w:p><w:r><w:t>" text "</w:t></w:r></w:p>"
#define STYLED(style, text)                                            \
    "<w:p><w:pPr><w:pStyle w:val='" style "'/></w:pPr><w:r><w:t>" text \
    "</w:t></w:r></w:p>"

static const char styles[] =
    "<w:styles " W ">"
    "<w:style w:type='paragraph' w:styleId='Kop1'><w:name w:val='heading 1'/>"
    "</w:style>"
    "<w:style w:type='paragraph' w:styleId='Mine'><w:name w:val='Mine'/>"
    "<w:basedOn w:val='Kop2'/></w:style>"
    "<w:style w:type='paragraph' w:styleId='Kop2'><w:name w:val='Heading 2'/>"
    "</w:style>"
    "<w:style w:type='paragraph' w:styleId='Out'><w:name w:val='Out'/><w:pPr>"
    "<w:outlineLvl w:val='2'/></w:pPr></w:style>"
    "<w:style w:type='paragraph' w:styleId='T'><w:name w:val='Title'/>"
    "</w:style>"
    "<w:style w:type='paragraph' w:styleId='TOC1'><w:name w:val='toc 1'/>"
    "</w:style>"
    "<w:style w:type='paragraph' w:styleId='LB'><w:name w:val='List Bullet'/>"
    "</w:style>"
    "<w:style w:type='paragraph' w:styleId='R1'><w:basedOn w:val='R2'/>"
    "</w:style>"
    "<w:style w:type='paragraph' w:styleId='R2'><w:basedOn w:val='R1'/>"
    "</w:style>"
    "<w:style w:type='character' w:styleId='C'><w:name w:val='heading 1'/>"
    "</w:style></w:styles>";

static int
document(const char *body, const char *footnotes)
{
    struct pack p;
    struct buf b;
    int fd;

    buf_init(&b, 1024 * 1024);
    buf_addf(&b,
             "<?xml version='1.0'?><w:document " W "><w:body>%s</w:body>"
             "</w:document>",
             body);
    pack_begin(&p);
    (void)pack(&p, "word/document.xml", buf_cstr(&b));
    (void)pack(&p, "word/styles.xml", styles);
    if (footnotes != NULL)
        (void)pack(&p, "word/footnotes.xml", footnotes);
    fd = pack_file(&p);
    buf_release(&b);
    return fd;
}

static void
assert_docx(const char *body, const char *want)
{
    struct seen s;

    see(&s, docx_read, document(body, NULL));
    assert_string_equal(buf_cstr(&s.text), want);
    buf_release(&s.text);
}

static void
paragraphs_are_blocks(void **state)
{
    (void)state;
    assert_docx(P("one") P("") P("two"), "T:one|T:two");
    assert_docx("<w:p><w:r><w:t>a </w:t></w:r><w:r><w:t>b</w:t><w:tab/><w:t>c"
                "</w:t><w:br/><w:t>d</w:t></w:r></w:p>",
                "T:a b c\nd");
    assert_docx("<w:p><w:r><w:t>on</w:t></w:r><w:r><w:t>e</w:t>"
                "<w:noBreakHyphen/><w:t>x</w:t></w:r></w:p>",
                "T:one-x");
}

static void
headings_are_found_by_their_styles(void **state)
{
    (void)state;
    assert_docx(STYLED("Kop1", "a") STYLED("Mine", "b") STYLED("Out", "c")
                    STYLED("R1", "d") STYLED("nosuch", "e") STYLED("C", "f"),
                "H1:a|H2:b|H3:c|T:d|T:e|T:f");
    assert_docx("<w:p><w:pPr><w:outlineLvl w:val='8'/></w:pPr><w:r><w:t>x"
                "</w:t></w:r></w:p>",
                "H6:x");
}

static void
lists_and_tables_are_rows(void **state)
{
    (void)state;
    assert_docx("<w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='3'/>"
                "</w:numPr></w:pPr><w:r><w:t>a</w:t></w:r></w:p>" STYLED(
                    "LB", "b") P("c"),
                "R:a|R:b|T:c");
    assert_docx(
        "<w:tbl><w:tr><w:tc>" P("a")
            P("b") "</w:tc><w:tc>" P("c") "</w:tc></w:tr><w:tr><w:tc>" P(
                "") "</w:tc><w:tc>"
                    "<w:tbl><w:tr><w:tc>" P("d") "</w:tc></w:tr></w:tbl>" P(
                        "e") "</w:tc></w:tr></w:tbl>" P("f"),
        "R:a b | c|R:d e|T:f");
    assert_docx("<w:tbl><w:tr><w:tc>" STYLED("Kop1", "h")
                    P("x") "</w:tc>"
                           "</w:tr></w:tbl>",
                "H1:h|R:x");
}

static void
the_title_is_known(void **state)
{
    struct seen s;
    struct pack p;

    (void)state;
    see(&s, docx_read, document(STYLED("T", "My title") P("x"), NULL));
    assert_string_equal(s.facts.title, "My title");
    assert_string_equal(buf_cstr(&s.text), "H1:My title|T:x");
    buf_release(&s.text);

    pack_begin(&p);
    (void)pack(&p, "docProps/core.xml",
               "<c xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title>Told "
               "</dc:title></c>");
    (void)pack(&p, "_rels/.rels",
               "<Relationships><Relationship Type='http://x/officeDocument' "
               "Target='/other/main.xml'/></Relationships>");
    (void)pack(&p, "other/main.xml",
               "<w:document " W ">" P("x") "</w:document>");
    see(&s, docx_read, pack_file(&p));
    assert_string_equal(s.facts.title, "Told");
    assert_string_equal(buf_cstr(&s.text), "T:x");
    buf_release(&s.text);
}

#define MC "http://schemas.openxmlformats.org/markup-compatibility/2006"
static const char two_drawings[] =
    "<w:p><w:r><mc:AlternateContent xmlns:mc='" MC "'>"
    "<mc:Choice><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Choice>"
    "<mc:Fallback><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Fallback>"
    "</mc:AlternateContent><w:t>after</w:t></w:r></w:p>";

static void
what_is_not_for_readers_is_left_out(void **state)
{
    (void)state;
    assert_docx(
        STYLED("TOC1", "Contents 3")
            P("a") "<w:p><w:del><w:r><w:t>no"
                   "</w:t></w:r></w:del><w:r><w:instrText>PAGE</w:instrText>"
                   "<w:t>b</w:t></w:r></w:p>",
        "T:a|T:b");
    assert_docx(two_drawings, "T:box|T:after");
}

static const char notes[] =
    "<w:footnotes " W ">"
    "<w:footnote w:type='separator'><w:p><w:r><w:t>no</w:t></w:r></w:p>"
    "</w:footnote>"
    "<w:footnote w:id='2'><w:p><w:r><w:t>note</w:t></w:r></w:p>"
    "</w:footnote></w:footnotes>";

static void
footnotes_come_last(void **state)
{
    struct seen s;

    (void)state;
    see(&s, docx_read, document(P("a") P("b"), notes));
    assert_string_equal(buf_cstr(&s.text), "T:a|T:b|T:note");
    buf_release(&s.text);
}

static void
assert_skip(int fd, enum skip why)
{
    struct seen s;

    see(&s, docx_read, fd);
    assert_int_equal(s.why, why);
    buf_release(&s.text);
}

static void
what_is_no_document_is_broken(void **state)
{
    struct pack p;

    (void)state;
    assert_skip(file_of("", 0), SKIP_BROKEN);
    assert_skip(file_of("PK\3\4 and so on", 15), SKIP_BROKEN);
    pack_begin(&p);
    (void)pack(&p, "other.txt", "x");
    assert_skip(pack_file(&p), SKIP_BROKEN);
    assert_skip(document("<w:p>", NULL), SKIP_BROKEN);
    assert_skip(document("", NULL), SKIP_EMPTY);
}

static void
entities_are_bombs(void **state)
{
    struct pack p;

    (void)state;
    pack_begin(&p);
    (void)pack(&p, "word/document.xml",
               "<?xml version='1.0'?><!DOCTYPE d [<!ENTITY a 'lollollol'>"
               "<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
               "<w:document " W "><w:p><w:r><w:t>&b;</w:t></w:r></w:p>"
               "</w:document>");
    assert_skip(pack_file(&p), SKIP_BOMB);
}

static void
deep_nesting_is_a_bomb(void **state)
{
    size_t n = 100000;
    struct buf b;
    struct pack p;

    (void)state;
    buf_init(&b, 20 * n);
    buf_adds(&b, "<w:document " W ">");
    for (size_t i = 0; i < n; i++)
        buf_adds(&b, "<w:p>");
    pack_begin(&p);
    (void)pack(&p, "word/document.xml", buf_cstr(&b));
    buf_release(&b);
    assert_skip(pack_file(&p), SKIP_BOMB);
}

/* At any place, by the end of the file or by a wrong byte. */
static void
a_damaged_file_ends_in_peace(void **state)
{
    int fd = document(STYLED("Kop1", "a") P("some text") P("and more"), NULL);
    char bytes[8192];
    ssize_t n = read(fd, bytes, sizeof(bytes));
    struct seen s;

    (void)state;
    (void)close(fd);
    assert_in_range(n, 600, sizeof(bytes) - 1);
    for (size_t cut = 0; cut < (size_t)n; cut += 16) {
        see(&s, docx_read, file_of(bytes, cut));
        assert_int_equal(s.err, ERR_IMPOSSIBLE);
        buf_release(&s.text);
    }
    for (size_t at = 0; at < (size_t)n; at += 7) {
        bytes[at] ^= 0x41;
        see(&s, docx_read, file_of(bytes, (size_t)n));
        bytes[at] ^= 0x41;
        buf_release(&s.text);
    }
}

static void
word_with_a_password_is_encrypted(void **state)
{
    static const char name[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";
    char bytes[2048] = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

    (void)state;
    assert_skip(file_of(bytes, sizeof(bytes)), SKIP_TYPE);
    (void)memcpy(bytes + 1024, name, sizeof(name));
    assert_skip(file_of(bytes, sizeof(bytes)), SKIP_ENCRYPTED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paragraphs_are_blocks),
        cmocka_unit_test(headings_are_found_by_their_styles),
        cmocka_unit_test(lists_and_tables_are_rows),
        cmocka_unit_test(the_title_is_known),
        cmocka_unit_test(what_is_not_for_readers_is_left_out),
        cmocka_unit_test(footnotes_come_last),
        cmocka_unit_test(what_is_no_document_is_broken),
        cmocka_unit_test(entities_are_bombs),
        cmocka_unit_test(deep_nesting_is_a_bomb),
        cmocka_unit_test(a_damaged_file_ends_in_peace),
        cmocka_unit_test(word_with_a_password_is_encrypted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
