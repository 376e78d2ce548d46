/* Tests of files/epub.c and epub_package.c. */
#include "readers_test.h"

#include "files/epub.h"

static void
container(struct pack *p)
{
    pack_begin(p);
    (void)pack(p, "mimetype", "application/epub+zip");
    (void)pack(p, "META-INF/container.xml",
               "<container><rootfiles><rootfile full-path='OPS/a.opf'/>"
               "</rootfiles></container>");
}

static void
package(struct pack *p, const char *manifest, const char *spine)
{
    char opf[4096];

    (void)snprintf(opf, sizeof(opf),
                   "<package xmlns:dc='http://purl.org/dc/elements/1.1/'>"
                   "<metadata><dc:title>A book</dc:title></metadata>"
                   "<manifest>%s</manifest><spine>%s</spine></package>",
                   manifest, spine);
    (void)pack(p, "OPS/a.opf", opf);
}

#define ITEM(id, href) \
    "<item id='" id "' href='" href "' media-type='application/xhtml+xml'/>"
#define REF(id) "<itemref idref='" id "'/>"

static const char items[] =
    "<item id='one' href='text/1%20a.xhtml#top' "
    "media-type='application/xhtml+xml'/>"
    "<item id='two' href='../two.xhtml' media-type='application/xhtml+xml'/>"
    "<item id='gone' href='gone.xhtml' media-type='application/xhtml+xml'/>"
    "<item id='n' href='nav.xhtml' properties='nav' "
    "media-type='application/xhtml+xml'/>"
    "<item id='pic' href='p.svg' media-type='image/svg+xml'/>";

static void
chapters_come_in_the_order_of_the_spine(void **state)
{
    struct pack p;
    struct seen s;

    (void)state;
    container(&p);
    package(&p, items,
            REF("two") REF("n") REF("pic") REF("gone") REF("nosuch")
                REF("one"));
    (void)pack(&p, "OPS/text/1 a.xhtml",
               "<html><head><title>no</title></head><body><h1>One</h1><p>a"
               "</p></body></html>");
    (void)pack(&p, "two.xhtml", "<html><body><h2>Two</h2>b</body></html>");
    (void)pack(&p, "OPS/nav.xhtml", "<html><body>contents</body></html>");
    see(&s, epub_read, pack_file(&p));
    assert_string_equal(buf_cstr(&s.text), "H2:Two|T:b|H1:One|T:a");
    assert_string_equal(s.facts.title, "A book");
    buf_release(&s.text);
}

static void
assert_skip(struct pack *p, enum skip why)
{
    struct seen s;

    see(&s, epub_read, pack_file(p));
    assert_int_equal(s.why, why);
    buf_release(&s.text);
}

static void
what_is_no_book_is_broken(void **state)
{
    struct pack p;

    (void)state;
    pack_begin(&p);
    (void)pack(&p, "mimetype", "application/epub+zip");
    assert_skip(&p, SKIP_BROKEN);
    container(&p);
    assert_skip(&p, SKIP_BROKEN);
    container(&p);
    package(&p, ITEM("a", "a.xhtml"), "");
    assert_skip(&p, SKIP_BROKEN);
    container(&p);
    package(&p, ITEM("a", "gone.xhtml"), REF("a"));
    assert_skip(&p, SKIP_BROKEN);
    container(&p);
    package(&p, ITEM("a", "../../../etc/passwd"), REF("a"));
    assert_skip(&p, SKIP_BROKEN);
}

static void
encrypted_books_are_told_from_scrambled_fonts(void **state)
{
    static const char list[] =
        "<encryption><EncryptedData><EncryptionMethod Algorithm='%s'/>"
        "</EncryptedData></encryption>";
    static const struct {
        const char *algorithm;
        enum skip why;
    } cases[] = {
        {"http://www.w3.org/2001/04/xmlenc#aes128-cbc", SKIP_ENCRYPTED},
        {"http://www.idpf.org/2008/embedding", SKIP_NOT},
    };
    char xml[512];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct pack p;

        container(&p);
        package(&p, ITEM("a", "a.xhtml"), REF("a"));
        (void)pack(&p, "OPS/a.xhtml", "<p>x");
        (void)snprintf(xml, sizeof(xml), list, cases[i].algorithm);
        (void)pack(&p, "META-INF/encryption.xml", xml);
        assert_skip(&p, cases[i].why);
    }
}

static void
links_are_resolved(void **state)
{
    static const struct {
        const char *folder, *link, *want; /* NULL: it leads out */
    } cases[] = {
        {"OPS/", "a.xhtml", "OPS/a.xhtml"},
        {"OPS/", "./x/../a.xhtml#b", "OPS/a.xhtml"},
        {"OPS/", "../a%20b.xhtml", "a b.xhtml"},
        {"", "a//b", "a/b"},
        {"OPS/", "/a", "a"},
        {"OPS/", "../../a", NULL},
        {"OPS/", "..", NULL},
        {"OPS/", "%00", NULL},
        {"", "", NULL},
    };
    char out[PART_NAME_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool ok = epub_resolve(cases[i].folder, cases[i].link, out);

        assert_int_equal(ok, cases[i].want != NULL);
        if (ok)
            assert_string_equal(out, cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chapters_come_in_the_order_of_the_spine),
        cmocka_unit_test(what_is_no_book_is_broken),
        cmocka_unit_test(encrypted_books_are_told_from_scrambled_fonts),
        cmocka_unit_test(links_are_resolved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
