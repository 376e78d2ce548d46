/* Tests of files/kind.c and files/kind_names.c. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"
#include "files/kind_names.h"

static struct kind
kind_str(const char *name, const char *head)
{
    return kind_of(name, (const uint8_t *)head, strlen(head));
}

static void
check_text(const char *name, enum text_kind text, const char *type)
{
    struct kind k = kind_str(name, "some text\n");

    assert_int_equal(k.kind, KIND_TEXT);
    assert_int_equal(k.text, text);
    assert_string_equal(k.type, type);
}

#define check_bytes(name, bytes, want) \
    assert_int_equal(                  \
        kind_of(name, (const uint8_t *)(bytes), sizeof(bytes) - 1).kind, want)

/* A local entry of an archive, stored. */
static void
entry(struct buf *b, const char *name, const char *data)
{
    uint8_t head[30] = "PK\3\4";

    head[18] = head[22] = (uint8_t)strlen(data);
    head[26] = (uint8_t)strlen(name);
    buf_add(b, head, sizeof(head));
    buf_adds(b, name);
    buf_adds(b, data);
}

static struct kind
kind_zip(const char *file, const char *name, const char *data,
         const char *second)
{
    struct buf b;
    struct kind k;

    buf_init(&b, 4096);
    entry(&b, name, data);
    if (second)
        entry(&b, second, "x");
    k = kind_of(file, (const uint8_t *)b.data, b.len);
    buf_release(&b);
    return k;
}

/* --- bytes ---------------------------------------------------------------- */

static void
magic_numbers_are_believed_before_names(void **state)
{
    (void)state;
    check_bytes("a.txt", "%PDF-1.7\n", KIND_PDF);
    check_bytes("a.pdf", "\x89PNG\r\n\x1A\n\0\0", KIND_IMAGE);
    check_bytes("a", "\xFF\xD8\xFF\xE0\0", KIND_IMAGE);
    check_bytes("a.c", "GIF89a\1\0", KIND_IMAGE);
    check_bytes("a.c", "GIF87a\1\0", KIND_IMAGE);
    check_bytes("a", "RIFF\1\2\3\4WEBPVP8 ", KIND_IMAGE);
    assert_string_equal(kind_str("a", "GIF89a").type, "image/gif");
    assert_string_equal(kind_str("a.png", "\xFF\xD8\xFF").type, "image/jpeg");
}

static void
a_magic_number_is_whole(void **state)
{
    (void)state;
    check_bytes("a", "%PDF", KIND_TEXT);
    check_bytes("a", "GIF89", KIND_TEXT);
    check_bytes("a", "GIF88a", KIND_TEXT);
    check_bytes("a", "RIFF\1\2\3\4WAVE", KIND_NONE);
    check_bytes("a", "\x89PNG\r\n\x1A\0\0", KIND_NONE);
}

static void
a_pdf_may_begin_later(void **state)
{
    uint8_t head[KIND_LOOK];

    (void)state;
    for (size_t at = 1019; at <= 1020; at++) {
        memset(head, 0, sizeof(head));
        memcpy(head + at, "%PDF-", 5);
        assert_int_equal(kind_of("x", head, sizeof(head)).kind,
                         at == 1019 ? KIND_PDF : KIND_NONE);
    }
    check_bytes("a.md", "A PDF begins with %PDF-1.4.\n", KIND_TEXT);
}

static void
archives_tell_by_their_first_entry(void **state)
{
    static const char odt[] = "application/vnd.oasis.opendocument.text";

    (void)state;
    assert_int_equal(kind_zip("x", "mimetype", odt, NULL).kind, KIND_ODT);
    assert_string_equal(kind_zip("x.zip", "mimetype", odt, "a").type, odt);
    assert_int_equal(
        kind_zip("x", "mimetype", "application/epub+zip", "META-INF/").kind,
        KIND_EPUB);
    assert_int_equal(kind_zip("x.odt", "mimetype",
                              "application/vnd.oasis.opendocument.text-master",
                              NULL)
                         .kind,
                     KIND_NONE);
    assert_int_equal(kind_zip("x.odt", "mimetype",
                              "application/vnd.oasis.opendocument.spreadsheet",
                              NULL)
                         .kind,
                     KIND_NONE);
    assert_int_equal(kind_zip("x", "mimetype", "", NULL).kind, KIND_NONE);
}

static void
office_tells_by_its_entries(void **state)
{
    static const char types[] = "[Content_Types].xml";

    (void)state;
    assert_int_equal(kind_zip("x", types, "x", "word/document.xml").kind,
                     KIND_DOCX);
    assert_int_equal(kind_zip("x", "_rels/.rels", "x", "word/styles.xml").kind,
                     KIND_DOCX);
    assert_int_equal(kind_zip("x.docx", types, "xl/ ppt/", NULL).kind,
                     KIND_DOCX);
    assert_int_equal(kind_zip("x", types, "x", "xl/workbook.xml").kind,
                     KIND_NONE);
    assert_int_equal(kind_zip("x.docx", types, "x", "xl/workbook.xml").kind,
                     KIND_NONE);
    assert_int_equal(kind_zip("x.docx", types, "x", NULL).kind, KIND_DOCX);
    assert_int_equal(kind_zip("x.xlsx", types, "x", NULL).kind, KIND_NONE);
    assert_int_equal(kind_zip("x.epub", "a", "x", NULL).kind, KIND_EPUB);
    assert_int_equal(kind_zip("x.zip", "word/a", "x", NULL).kind, KIND_NONE);
    assert_int_equal(kind_zip("x.txt", "a", "x", NULL).kind, KIND_NONE);
    /* One with a password is no archive; its reader says so. */
    check_bytes("x.docx", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", KIND_DOCX);
    check_bytes("x.doc", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", KIND_NONE);
}

/* --- names ---------------------------------------------------------------- */

static void
extensions_tell_of_text(void **state)
{
    (void)state;
    check_text("notes.txt", TEXT_PLAIN, "text/plain");
    check_text("a/b.c/README.MD", TEXT_MARKDOWN, "text/markdown");
    check_text("x.py", TEXT_CODE, "text/x-python");
    check_text("x.c++", TEXT_CODE, "text/x-c");
    check_text("x.csv", TEXT_CSV, "text/csv");
    check_text("x.tsv", TEXT_CSV, "text/tab-separated-values");
    check_text("x.json", TEXT_JSON, "application/json");
    check_text("x.jsonl", TEXT_JSON, "application/x-ndjson");
    check_text("x.tar.yaml", TEXT_CODE, "application/yaml");
    check_text("d/Makefile", TEXT_CODE, "text/x-settings");
    check_text(".gitignore", TEXT_CODE, "text/x-settings");
    check_text("LICENSE", TEXT_PLAIN, "text/plain");
    check_text("CMakeLists.txt", TEXT_CODE, "text/x-settings");
}

static void
extensions_tell_of_documents(void **state)
{
    (void)state;
    assert_int_equal(kind_str("x.htm", "hello").kind, KIND_HTML);
    assert_int_equal(kind_str("x.PDF", "hello").kind, KIND_PDF);
    assert_int_equal(kind_str("x.odt", "hello").kind, KIND_ODT);
    assert_int_equal(kind_str("x.jpeg", "hello").kind, KIND_IMAGE);
    assert_int_equal(kind_str("x.webp", "").kind, KIND_IMAGE);
    assert_int_equal(kind_str("x.mp3", "hello").kind, KIND_NONE);
    assert_string_equal(kind_str("x.mp3", "hello").type, "");
}

static void
a_name_of_text_is_believed(void **state)
{
    (void)state;
    check_bytes("x.txt", "\0\1\2", KIND_TEXT); /* its reader: binary */
    check_bytes("x.py", "<html>", KIND_TEXT);
    check_bytes("x.txt", "<!DOCTYPE html><p>", KIND_HTML);
    check_bytes("x.rtf", "text", KIND_NONE);
    check_bytes("x.txt", "{\\rtf1 text}", KIND_NONE);
}

static void
names_that_say_nothing(void **state)
{
    static const char *const names[] = {
        "",         "x",
        "x.",       ".",
        "..",       "x.unheardof",
        ".txt",     "x. txt",
        "x.md txt", "x.thisextensionismuchlongerthananythatisknown",
        "txt",      "a.txt/b",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct kind k;

        assert_false(kind_named(names[i], &k));
        assert_int_equal(kind_str(names[i], "text").kind, KIND_TEXT);
        check_bytes(names[i], "\0\1\2", KIND_NONE);
    }
}

/* --- sniffing ------------------------------------------------------------- */

static void
text_is_known_by_its_bytes(void **state)
{
    (void)state;
    check_bytes("x", "", KIND_TEXT);
    check_bytes("x", "caf\xC3\xA9", KIND_TEXT);
    check_bytes("x", "caf\xE9 latin", KIND_TEXT);
    check_bytes("x", "cut off \xE2\x82", KIND_TEXT);
    check_bytes("x", "\xFF\xFEh\0i\0", KIND_TEXT);
    check_bytes("x", "h\0i", KIND_NONE);
    check_bytes("x",
                "\x80\x81\x82\x83"
                "abcdefghijk",
                KIND_NONE);
    check_bytes("x",
                "\1"
                "abcdefghijklmno",
                KIND_TEXT);
    check_bytes("x",
                "\1"
                "abcdefghijklmn",
                KIND_NONE);
    assert_int_equal(kind_str("x", "#!/bin/sh\n").text, TEXT_CODE);
    assert_int_equal(kind_str("x", "<?xml version='1.0'?><a/>").text,
                     TEXT_CODE);
}

static void
html_is_known_by_its_first_tag(void **state)
{
    (void)state;
    check_bytes("x", "<!DOCTYPE HTML>", KIND_HTML);
    check_bytes("x", "\xEF\xBB\xBF\n <!-- a --> <html lang=de>", KIND_HTML);
    check_bytes("x", "<?xml version='1.0'?>\n<html>", KIND_HTML);
    check_bytes("x", "<body>", KIND_HTML);
    check_bytes("x", "<html", KIND_TEXT);
    check_bytes("x", "<htmlx>", KIND_TEXT);
    check_bytes("x", "<!-- never ends <html>", KIND_TEXT);
    check_bytes("x", "say <html>", KIND_TEXT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(magic_numbers_are_believed_before_names),
        cmocka_unit_test(a_magic_number_is_whole),
        cmocka_unit_test(a_pdf_may_begin_later),
        cmocka_unit_test(archives_tell_by_their_first_entry),
        cmocka_unit_test(office_tells_by_its_entries),
        cmocka_unit_test(extensions_tell_of_text),
        cmocka_unit_test(extensions_tell_of_documents),
        cmocka_unit_test(a_name_of_text_is_believed),
        cmocka_unit_test(names_that_say_nothing),
        cmocka_unit_test(text_is_known_by_its_bytes),
        cmocka_unit_test(html_is_known_by_its_first_tag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
