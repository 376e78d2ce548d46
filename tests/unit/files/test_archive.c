/* Tests of files/archive.c, mostly through the reader of ODT. */
#include "readers_test.h"

#include "files/archive.h"

#define BODY "<a><body><p>some words</p></body></a>"

static void
assert_skip(int fd, enum skip why)
{
    struct seen s;

    see(&s, odt_read, fd);
    assert_int_equal(s.why, why);
    buf_release(&s.text);
}

/* XML of n bytes that packs very well. */
static char *
blanks(size_t n)
{
    char *xml = xmalloc(n);

    (void)memset(xml, ' ', n);
    (void)memcpy(xml, "<a>", 3);
    (void)memcpy(xml + n - 4, "</a>", 4);
    return xml;
}

static void
parts_are_found_by_name(void **state)
{
    struct pack p;
    struct archive a;
    struct archive_part part;
    struct source from;
    enum skip why;
    char bytes[64];
    int fd;

    (void)state;
    pack_begin(&p);
    (void)pack(&p, "A/b.xml", "hello");
    (void)pack(&p, "../../etc/passwd", "no harm");
    fd = pack_file(&p);
    assert_int_equal(archive_open(&a, fd, &why), OK);
    assert_int_equal(archive_part(&a, "a/B.xml", &part), OK);
    from = archive_source(&part);
    assert_int_equal(from.read(from.arg, bytes, sizeof(bytes)), 5);
    assert_int_equal(from.read(from.arg, bytes, sizeof(bytes)), 0);
    archive_part_end(&part);
    assert_int_equal(archive_part(&a, "nosuch", &part), ERR_NOTFOUND);
    archive_close(&a);
    (void)close(fd); /* is still open until now */
}

static void
too_much_of_too_little_is_a_bomb(void **state)
{
    static const struct {
        size_t n;
        enum skip why;
    } cases[] = {
        {(size_t)ARCHIVE_SMALL / 2, SKIP_EMPTY}, /* small, whatever it was */
        {(size_t)ARCHIVE_SMALL * 2, SKIP_BOMB},
        {(size_t)EXTRACT_ENTRY_MAX + 4096, SKIP_BOMB},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *xml = blanks(cases[i].n);
        struct pack p;

        pack_begin(&p);
        (void)pack_bytes(&p, "content.xml", xml, cases[i].n);
        free(xml);
        assert_skip(pack_file(&p), cases[i].why);
    }
}

/* Where a header of this kind begins; it is the only one. */
static size_t
find(const char *bytes, size_t n, const char *mark)
{
    const char *at = memmem(bytes, n, mark, 4);

    assert_non_null(at);
    return (size_t)(at - bytes);
}

static void
a_part_that_lies_about_its_size_is_found_out(void **state)
{
    size_t n = 16 * 1024 * 1024, len;
    char *xml = blanks(n), *bytes;
    struct seen s;
    struct pack p;

    (void)state;
    pack_begin(&p);
    (void)pack_bytes(&p, "content.xml", xml, n);
    bytes = pack_end(&p, &len);
    free(xml);
    (void)memcpy(bytes + find(bytes, len, "PK\1\2") + 24, "\0\1\0\0", 4);
    (void)memcpy(bytes + find(bytes, len, "PK\3\4") + 22, "\0\1\0\0", 4);
    see(&s, odt_read, file_of(bytes, len));
    assert_true(s.why == SKIP_BOMB || s.why == SKIP_BROKEN);
    buf_release(&s.text);
    free(bytes);
}

static void
a_wrong_checksum_is_broken(void **state)
{
    size_t n;
    char *bytes, *at;
    struct pack p;
    zip_int64_t i;

    (void)state;
    pack_begin(&p);
    i = pack(&p, "content.xml", BODY);
    assert_int_equal(
        zip_set_file_compression(p.zip, (zip_uint64_t)i, ZIP_CM_STORE, 0), 0);
    bytes = pack_end(&p, &n);
    assert_skip(file_of(bytes, n), SKIP_NOT);
    at = memmem(bytes, n, "words", 5);
    assert_non_null(at);
    at[0] = 'W';
    assert_skip(file_of(bytes, n), SKIP_BROKEN);
    free(bytes);
}

static void
a_part_with_a_password_is_encrypted(void **state)
{
    struct pack p;
    zip_int64_t i;

    (void)state;
    pack_begin(&p);
    i = pack(&p, "content.xml", BODY);
    assert_int_equal(zip_file_set_encryption(p.zip, (zip_uint64_t)i,
                                             ZIP_EM_AES_256, "secret"),
                     0);
    assert_skip(pack_file(&p), SKIP_ENCRYPTED);
}

static void
an_archive_within_is_not_opened(void **state)
{
    struct pack inner, outer;
    size_t n;
    char *bytes;

    (void)state;
    pack_begin(&inner);
    (void)pack(&inner, "content.xml", BODY);
    bytes = pack_end(&inner, &n);
    pack_begin(&outer);
    (void)pack_bytes(&outer, "content.xml", bytes, n);
    free(bytes);
    assert_skip(pack_file(&outer), SKIP_BROKEN);
}

static void
too_many_parts_are_a_bomb(void **state)
{
    struct pack p;
    char name[32];

    (void)state;
    pack_begin(&p);
    for (unsigned i = 0; i <= ARCHIVE_ENTRIES_MAX; i++) {
        zip_source_t *s = zip_source_buffer(p.zip, "", 0, 0);

        (void)snprintf(name, sizeof(name), "%u", i);
        assert_true(zip_file_add(p.zip, name, s, 0) >= 0);
    }
    assert_skip(pack_file(&p), SKIP_BOMB);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_found_by_name),
        cmocka_unit_test(too_much_of_too_little_is_a_bomb),
        cmocka_unit_test(a_part_that_lies_about_its_size_is_found_out),
        cmocka_unit_test(a_wrong_checksum_is_broken),
        cmocka_unit_test(a_part_with_a_password_is_encrypted),
        cmocka_unit_test(an_archive_within_is_not_opened),
        cmocka_unit_test(too_many_parts_are_a_bomb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
