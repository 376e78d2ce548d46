/* Tests of files/odt.c. */
#include "readers_test.h"

#define HEAD                                                           \
    "<?xml version='1.0'?><office:document-content "                   \
    "xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' " \
    "xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0' "     \
    "xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0'>"   \
    "<office:scripts><text:p>no</text:p></office:scripts>"             \
    "<office:body><office:text>"
#define TAIL "</office:text></office:body></office:document-content>"

static int
document(const char *body, const char *manifest)
{
    struct pack p;
    struct buf b;
    int fd;

    buf_init(&b, 1024 * 1024);
    buf_addf(&b, HEAD "%s" TAIL, body);
    pack_begin(&p);
    (void)pack(&p, "mimetype", "application/vnd.oasis.opendocument.text");
    (void)pack(&p, "content.xml", buf_cstr(&b));
    (void)pack(&p, "meta.xml",
               "<m xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title>The "
               "title</dc:title></m>");
    if (manifest != NULL)
        (void)pack(&p, "META-INF/manifest.xml", manifest);
    fd = pack_file(&p);
    buf_release(&b);
    return fd;
}

static void
assert_odt(const char *body, const char *want)
{
    struct seen s;

    see(&s, odt_read, document(body, NULL));
    assert_string_equal(buf_cstr(&s.text), want);
    assert_string_equal(s.facts.title, "The title");
    buf_release(&s.text);
}

static void
text_is_read(void **state)
{
    (void)state;
    assert_odt("<text:h text:outline-level='2'>Head</text:h><text:p>a<text:s "
               "text:c='3'/>b<text:tab/>c<text:line-break/>d <text:span>e"
               "</text:span></text:p>",
               "H2:Head|T:a b c\nd e");
    assert_odt("<text:list><text:list-item><text:p>a</text:p><text:list>"
               "<text:list-item><text:p>b</text:p></text:list-item>"
               "</text:list></text:list-item></text:list><text:p>c</text:p>",
               "R:a|R:b|T:c");
    assert_odt("<table:table><table:table-row table:number-rows-repeated="
               "'1000000'><table:table-cell><text:p>a</text:p><text:p>b"
               "</text:p></table:table-cell><table:table-cell><text:p>c"
               "</text:p></table:table-cell></table:table-row></table:table>"
               "<text:p>d</text:p>",
               "R:a b | c|T:d");
}

static void
notes_come_last_and_the_rest_is_left_out(void **state)
{
    (void)state;
    assert_odt("<text:tracked-changes><text:p>no</text:p>"
               "</text:tracked-changes><text:table-of-content><text:p>no"
               "</text:p></text:table-of-content><text:p>a<text:note>"
               "<text:note-citation>1</text:note-citation><text:note-body>"
               "<text:p>note</text:p></text:note-body></text:note> b"
               "<office:annotation><text:p>no</text:p></office:annotation>"
               "</text:p><text:p>c</text:p>",
               "T:a b|T:c|T:note");
}

static void
a_list_of_parts_tells_that_it_is_encrypted(void **state)
{
    struct seen s;

    (void)state;
    see(&s, odt_read,
        document("<text:p>x</text:p>",
                 "<manifest:manifest xmlns:manifest='urn:m'><manifest:"
                 "file-entry><manifest:encryption-data/></manifest:file-entry>"
                 "</manifest:manifest>"));
    assert_int_equal(s.why, SKIP_ENCRYPTED);
    assert_int_equal(s.blocks, 0);
    buf_release(&s.text);
}

static void
what_is_no_document_is_broken(void **state)
{
    struct pack p;
    struct seen s;

    (void)state;
    pack_begin(&p);
    (void)pack(&p, "mimetype", "application/vnd.oasis.opendocument.text");
    see(&s, odt_read, pack_file(&p));
    assert_int_equal(s.why, SKIP_BROKEN);
    buf_release(&s.text);
    see(&s, odt_read, document("<text:p>", NULL));
    assert_int_equal(s.why, SKIP_BROKEN);
    buf_release(&s.text);
    see(&s, odt_read, document("<text:p/>", NULL));
    assert_int_equal(s.why, SKIP_EMPTY);
    buf_release(&s.text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read),
        cmocka_unit_test(notes_come_last_and_the_rest_is_left_out),
        cmocka_unit_test(a_list_of_parts_tells_that_it_is_encrypted),
        cmocka_unit_test(what_is_no_document_is_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
