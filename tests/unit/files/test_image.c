/* Tests of files/image*.c but for sidecars: what images say of themselves, and
 * what becomes of files that lie or end too early. */
#include "image_test.h"

#include <sys/mman.h>

#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "files/image.h"

static struct buf file;
static struct facts facts;

static enum skip
read_bytes(const void *p, size_t n)
{
    int fd = memfd_create("image", MFD_CLOEXEC);
    enum skip why = SKIP__N;
    enum err e;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), n);
    memset(&facts, 0, sizeof(facts));
    e = image_read(fd, &facts, &why);
    close(fd);
    assert_int_equal(e, why == SKIP_NOT ? OK : ERR_IMPOSSIBLE);
    assert_true(utf8_valid(facts.title, strlen(facts.title)));
    assert_true(utf8_valid(facts.tags, strlen(facts.tags)));
    assert_true(utf8_valid(facts.description, strlen(facts.description)));
    return why;
}

static void
read_file(const char *type, uint32_t width, uint32_t height)
{
    assert_int_equal(buf_status(&file), OK);
    assert_int_equal(read_bytes(file.data, file.len), SKIP_NOT);
    assert_string_equal(facts.type, type);
    assert_int_equal(facts.width, width);
    assert_int_equal(facts.height, height);
}

static int
begin(void **state)
{
    (void)state;
    buf_init(&file, IMAGE_TEST_MAX);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    buf_release(&file);
    return 0;
}

/* --- what is put into them ------------------------------------------------ */

static const uint32_t lisbon[3][6] = {{38, 1, 43, 1, 12, 1},
                                      {9, 1, 8, 1, 2400, 100}};

static void
put_exif(struct buf *b, bool big, uint32_t turned)
{
    struct tag image[] = {{0x010E, 2, 16, "EXIF's own words"},
                          {0x010F, 2, 6, "Canon"},
                          {0x0110, 2, 13, "Canon EOS R5"},
                          {0x0112, 3, 1, &turned},
                          {0, 0, 0, NULL},
                          {0, 0, 0, NULL}};
    const struct tag exif[] = {{0x9003, 2, 20, "2024:08:15 18:30:05"},
                               {0x9286, 7, 14, "ASCII\0\0\0remark"}};
    const struct tag gps[] = {{1, 2, 2, "N"},
                              {2, 5, 3, lisbon[0]},
                              {3, 2, 2, "W"},
                              {4, 5, 3, lisbon[1]}};

    put_tiff(b, image, COUNT_OF(image), exif, COUNT_OF(exif), gps,
             COUNT_OF(gps), big);
}

static const char xmp[] =
    "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>"
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
    "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    "<rdf:Description rdf:about='' "
    "xmlns:dc='http://purl.org/dc/elements/1.1/' "
    "xmlns:lr='http://ns.adobe.com/lightroom/1.0/' "
    "xmlns:exif='http://ns.adobe.com/exif/1.0/' "
    "xmlns:tiff='http://ns.adobe.com/tiff/1.0/' "
    "xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' "
    "photoshop:DateCreated='2023-07-01T10:00' photoshop:City='Lisboa' "
    "exif:GPSLatitude='52,31.2S' tiff:Make='Nikon'>"
    "<exif:GPSLongitude>13,24,30E</exif:GPSLongitude>"
    "<dc:title><rdf:Alt><rdf:li xml:lang='de'>Der Strand</rdf:li>"
    "<rdf:li xml:lang='x-default'>The beach</rdf:li></rdf:Alt></dc:title>"
    "<dc:description><rdf:Alt><rdf:li xml:lang='x-default'>Waves &amp; "
    "sand\nat noon</rdf:li></rdf:Alt></dc:description>"
    "<dc:subject><rdf:Bag><rdf:li>beach</rdf:li><rdf:li> Summer\t2024 "
    "</rdf:li></rdf:Bag></dc:subject>"
    "<lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Portugal|Beach</rdf:li>"
    "</rdf:Bag></lr:hierarchicalSubject>"
    "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>";

static void
put_field(struct buf *b, int record, int number, const char *s)
{
    buf_addc(b, '\x1C');
    buf_addc(b, (char)record);
    buf_addc(b, (char)number);
    put16(b, (unsigned)strlen(s), true);
    buf_adds(b, s);
}

#define QUOTED "\xE2\x80\x9CSea\xE2\x80\x9D"

static void
put_iptc(struct buf *b, bool utf8)
{
    struct buf fields;

    buf_init(&fields, 4096);
    if (utf8)
        put_field(&fields, 1, 90, "\x1B%G");
    put_field(&fields, 2, 5, "IPTC's title");
    put_field(&fields, 2, 25, "beach");
    put_field(&fields, 2, 25, utf8 ? "M\xC3\xB6we" : "M\xF6we");
    put_field(&fields, 2, 120, utf8 ? QUOTED : "\x93Sea\x94");
    put_field(&fields, 2, 55, "20220102");
    put_field(&fields, 2, 60, "030405+0100");
    buf_add(b, "Photoshop 3.0\0", 14);
    buf_add(b, "8BIM\x03\xED\0\0\0\0\0\x01z\0", 14); /* another resource */
    buf_add(b, "8BIM\x04\x04\0\0", 8);
    put32(b, (uint32_t)fields.len, true);
    buf_add(b, fields.data, fields.len);
    buf_release(&fields);
}

static void
add_jpeg_part(unsigned marker, const char *head, size_t head_len,
              void (*put)(struct buf *b, bool flag), bool flag)
{
    struct buf part;

    buf_init(&part, 65000);
    buf_add(&part, head, head_len);
    put(&part, flag);
    put_segment(&file, marker, part.data, part.len);
    buf_release(&part);
}

static void
put_upright(struct buf *b, bool big)
{
    put_exif(b, big, 1);
}

static void
put_turned(struct buf *b, bool big)
{
    put_exif(b, big, 6);
}

static void
put_xmp(struct buf *b, bool flag)
{
    (void)flag;
    buf_adds(b, xmp);
}

#define XMP_HEAD "http://ns.adobe.com/xap/1.0/\0"
#define ADD_EXIF(put, big) add_jpeg_part(0xE1, "Exif\0\0", 6, put, big)
#define ADD_XMP() \
    add_jpeg_part(0xE1, XMP_HEAD, sizeof(XMP_HEAD) - 1, put_xmp, 0)
#define ADD_IPTC(utf8) add_jpeg_part(0xED, "", 0, put_iptc, utf8)

static void
assert_near(double is, double want)
{
    if (is - want > 1e-6 || want - is > 1e-6)
        fail_msg("%f, not %f", is, want);
}

/* --- formats -------------------------------------------------------------- */

static void
a_jpeg_with_exif_of_either_order(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        buf_clear(&file);
        buf_add(&file, "\xFF\xD8\xFF", 3); /* a byte of fill */
        put_segment(&file, 0xE0, "JFIF\0", 5);
        ADD_EXIF(put_upright, big);
        put_jpeg_end(&file, 640, 480);
        read_file("image/jpeg", 640, 480);
        assert_string_equal(facts.taken, "2024-08-15T18:30:05");
        assert_string_equal(facts.camera, "Canon EOS R5");
        assert_string_equal(facts.description, "EXIF's own words");
        assert_string_equal(facts.title, "");
        assert_true(facts.has_place);
        assert_near(facts.latitude, 38 + 43 / 60. + 12 / 3600.);
        assert_near(facts.longitude, -(9 + 8 / 60. + 24 / 3600.));
    }
}

static void
a_turned_image_is_measured_as_shown(void **state)
{
    (void)state;
    buf_add(&file, "\xFF\xD8", 2);
    ADD_EXIF(put_turned, true);
    put_jpeg_end(&file, 640, 480);
    read_file("image/jpeg", 480, 640);
}

static void
who_is_asked_first(void **state)
{
    (void)state;
    buf_add(&file, "\xFF\xD8", 2);
    ADD_IPTC(true);
    ADD_EXIF(put_upright, false);
    ADD_XMP();
    put_jpeg_end(&file, 1, 2);
    read_file("image/jpeg", 1, 2);
    assert_string_equal(facts.taken, "2024-08-15T18:30:05");
    assert_string_equal(facts.camera, "Canon EOS R5");
    assert_near(facts.latitude, 38.72);
    assert_string_equal(facts.title, "The beach");
    assert_string_equal(facts.description, "Waves & sand\nat noon");
    assert_string_equal(facts.tags, "Lisboa\nbeach\nSummer 2024\nPlaces\n"
                                    "Portugal\nM\xC3\xB6we");
}

static void
xmp_alone_says_it_all(void **state)
{
    (void)state;
    buf_add(&file, "\xFF\xD8", 2);
    ADD_XMP();
    put_jpeg_end(&file, 1, 2);
    read_file("image/jpeg", 1, 2);
    assert_string_equal(facts.taken, "2023-07-01T10:00:00");
    assert_string_equal(facts.camera, "Nikon");
    assert_near(facts.latitude, -52.52);
    assert_near(facts.longitude, 13.40833333);
}

static void
iptc_with_and_without_a_character_set(void **state)
{
    (void)state;
    for (int utf8 = 0; utf8 < 2; utf8++) {
        buf_clear(&file);
        buf_add(&file, "\xFF\xD8", 2);
        ADD_IPTC(utf8);
        put_jpeg_end(&file, 3, 3);
        read_file("image/jpeg", 3, 3);
        assert_string_equal(facts.title, "IPTC's title");
        assert_string_equal(facts.tags, "beach\nM\xC3\xB6we");
        assert_string_equal(facts.description, "\xE2\x80\x9CSea\xE2\x80\x9D");
        assert_string_equal(facts.taken, "2022-01-02T03:04:05");
    }
}

static void
a_png_with_exif_xmp_and_texts(void **state)
{
    struct buf exif, text;

    (void)state;
    buf_init(&exif, 65000);
    buf_init(&text, 65000);
    put_turned(&exif, true);
    buf_add(&text, "XML:com.adobe.xmp\0\0\0\0\0", 22);
    buf_adds(&text, xmp);
    put_png_begin(&file, 30, 20);
    put_chunk(&file, "tEXt", "Title\0of PNG", 12);
    put_chunk(&file, "IDAT", "pixels", 6);
    put_chunk(&file, "eXIf", exif.data, exif.len);
    put_chunk(&file, "iTXt", text.data, text.len);
    put_chunk(&file, "IEND", "", 0);
    read_file("image/png", 20, 30);
    assert_string_equal(facts.title, "The beach");
    assert_string_equal(facts.taken, "2024-08-15T18:30:05");
    assert_true(facts.has_place);
    buf_clear(&file);
    put_png_begin(&file, 30, 20);
    put_chunk(&file, "tEXt", "Title\0of PNG", 12);
    put_chunk(&file, "iTXt", "Description\0\0\0en\0x\0l\xC3\xA4nger", 26);
    put_chunk(&file, "IEND", "", 0);
    put_chunk(&file, "tEXt", "Title\0too late", 14);
    read_file("image/png", 30, 20);
    assert_string_equal(facts.title, "of PNG");
    assert_string_equal(facts.description, "l\xC3\xA4nger");
    buf_release(&exif);
    buf_release(&text);
}

static void
a_gif_with_xmp(void **state)
{
    (void)state;
    buf_add(&file, "GIF89a\x40\x01\xC8\0\xF1\0\0", 13);
    buf_add(&file, "aaabbbcccddd", 12); /* four colours */
    buf_add(&file, "\x21\xF9\x04\0\0\0\0\0", 8);
    buf_add(&file, "\x21\xFF\x0BXMP DataXMP", 14);
    buf_adds(&file, xmp);
    buf_addc(&file, 1);
    for (int i = 255; i >= 0; i--)
        buf_addc(&file, (char)i);
    buf_addc(&file, 0);
    buf_add(&file, "\x2C", 1);
    read_file("image/gif", 320, 200);
    assert_string_equal(facts.title, "The beach");
}

static void
a_webp_of_each_kind(void **state)
{
    struct buf exif;

    (void)state;
    put_webp_begin(&file);
    put_riff(&file, "VP8 ", "\0\0\0\x9D\x01\x2A\x40\x01\xC8\0", 10);
    read_file("image/webp", 320, 200);
    buf_clear(&file);
    put_webp_begin(&file);
    put_riff(&file, "VP8L", "\x2F\x3F\xC1\x31\0", 5);
    read_file("image/webp", 320, 200);
    buf_clear(&file);
    buf_init(&exif, 65000);
    put_exif(&exif, false, 8);
    put_webp_begin(&file);
    put_riff(&file, "VP8X", "\x2C\0\0\0\x3F\x01\0\xC7\0\0", 10);
    put_riff(&file, "VP8L", "\x2F\0\0", 3);
    put_riff(&file, "XMP ", xmp, sizeof(xmp) - 1);
    put_riff(&file, "EXIF", exif.data, exif.len);
    read_file("image/webp", 200, 320);
    assert_string_equal(facts.title, "The beach");
    assert_string_equal(facts.camera, "Canon EOS R5");
    buf_release(&exif);
}

/* --- texts of EXIF -------------------------------------------------------- */

static void
read_exif_jpeg(const struct tag *exif, size_t n, struct tag *image, size_t m,
               bool big)
{
    struct buf part;

    buf_init(&part, 65000);
    buf_add(&part, "Exif\0\0", 6);
    put_tiff(&part, image, m, exif, n, NULL, 0, big);
    buf_clear(&file);
    buf_add(&file, "\xFF\xD8", 2);
    put_segment(&file, 0xE1, part.data, part.len);
    put_jpeg_end(&file, 1, 1);
    read_file("image/jpeg", 1, 1);
    buf_release(&part);
}

static void
comments_in_utf16(void **state)
{
    static const char one[] = "UNICODE\0\0A\0\xE4\xD8\x3D\xDE";
    static const char two[] = "UNICODE\0A\0\xE4\0 \xD8";
    const struct tag big[] = {{0x9286, 7, 16, one}};
    const struct tag little[] = {{0x9286, 7, 14, two}};
    struct tag image[] = {{0x010E, 2, 31, "OLYMPUS DIGITAL CAMERA         "},
                          {0x9C9B, 1, 6, "T\0i\0\0"},
                          {0x9C9E, 1, 8, "a\0;\0b\0\0"},
                          {0, 0, 0, NULL},
                          {0, 0, 0, NULL}};

    (void)state;
    read_exif_jpeg(big, 1, image, COUNT_OF(image), true);
    assert_string_equal(facts.description, "A\xC3\xA4\xF0\x9F\x98\x80");
    read_exif_jpeg(little, 1, image, COUNT_OF(image), false);
    assert_string_equal(facts.description, "A\xC3\xA4\xEF\xBF\xBD");
    assert_string_equal(facts.title, "Ti");
    assert_string_equal(facts.tags, "a\nb");
}

static void
dates_that_are_none(void **state)
{
    const struct tag zero[] = {{0x9003, 2, 20, "0000:00:00 00:00:00"},
                               {0x9004, 2, 20, "2021:02:30 00:00:00"}};
    const struct tag blank[] = {{0x9003, 2, 20, "    :  :     :  :  "},
                                {0x9004, 2, 11, "2021:03:04"}};
    struct tag image[] = {{0x0132, 2, 20, "2019:12:31 23:59:60"},
                          {0, 0, 0, NULL},
                          {0, 0, 0, NULL}};

    (void)state;
    read_exif_jpeg(zero, 2, image, COUNT_OF(image), true);
    assert_string_equal(facts.taken, "2019-12-31T23:59:59");
    read_exif_jpeg(blank, 2, image, COUNT_OF(image), true);
    assert_string_equal(facts.taken, "2021-03-04");
}

/* --- what is no image ----------------------------------------------------- */

static void
what_is_no_image_says_why(void **state)
{
    enum skip why;
    int fd = memfd_create("none", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(read_bytes("", 0), SKIP_EMPTY);
    assert_int_equal(read_bytes("hello", 5), SKIP_TYPE);
    assert_int_equal(read_bytes("RIFF\0\0\0\0WAVE", 12), SKIP_TYPE);
    assert_int_equal(read_bytes("\xFF\xD8\xFF", 3), SKIP_BROKEN);
    assert_int_equal(read_bytes("\x89PNG\r\n\x1A\n", 8), SKIP_BROKEN);
    assert_int_equal(read_bytes("GIF89a", 6), SKIP_BROKEN);
    assert_int_equal(read_bytes("GIF89a\0\0\x01\0\0\0\0", 13), SKIP_BROKEN);
    assert_int_equal(read_bytes("RIFF\0\0\0\0WEBP", 12), SKIP_BROKEN);
    put_png_begin(&file, 0, 5);
    assert_int_equal(read_bytes(file.data, file.len), SKIP_BROKEN);
    close(fd);
    assert_int_equal(image_read(fd, &facts, &why), ERR_IMPOSSIBLE);
    assert_int_equal(why, SKIP_READ);
}

/* Cut off anywhere: a size or a reason, and what came before the cut. */
static void
files_that_end_too_early(void **state)
{
    struct buf whole;
    size_t good = 0;

    (void)state;
    buf_add(&file, "\xFF\xD8", 2);
    ADD_XMP();
    ADD_IPTC(true);
    ADD_EXIF(put_turned, true);
    put_jpeg_end(&file, 640, 480);
    whole = file;
    for (size_t n = 0; n < whole.len; n++)
        if (read_bytes(whole.data, n) == SKIP_NOT) {
            good++;
            assert_int_equal(facts.width, 480);
            assert_string_equal(facts.title, "The beach");
        }
    assert_in_range(good, 10, 40);
}

/* Each byte of the metadata in turn is another one. */
static void
files_that_lie(void **state)
{
    size_t n;

    (void)state;
    buf_add(&file, "\xFF\xD8", 2);
    ADD_EXIF(put_turned, false);
    ADD_IPTC(false);
    n = file.len;
    put_jpeg_end(&file, 640, 480);
    for (size_t i = 2; i < n; i++)
        for (int k = 0; k < 3; k++) {
            char was = file.data[i];

            file.data[i] = (char)(k == 0 ? 0xFF : k == 1 ? 0 : was ^ 0x80);
            (void)read_bytes(file.data, file.len);
            file.data[i] = was;
        }
    read_file("image/jpeg", 480, 640);
}

static void
metadata_that_is_too_much_is_left_out(void **state)
{
    char *big = xcalloc(IMAGE_META_MAX, 1);

    (void)state;
    put_png_begin(&file, 7, 8);
    put_chunk(&file, "eXIf", big, IMAGE_META_MAX);
    put_chunk(&file, "iTXt", "Title\0\0\0\0\0seven", 15); /* no room is left */
    read_file("image/png", 7, 8);
    assert_string_equal(facts.title, "");
    buf_clear(&file);
    put_webp_begin(&file);
    put_riff(&file, "VP8X", "\0\0\0\0\x06\0\0\x07\0\0", 10);
    buf_adds(&file, "XMP ");
    put32(&file, UINT32_MAX, false); /* so long it is not */
    buf_adds(&file, xmp);
    read_file("image/webp", 7, 8);
    assert_string_equal(facts.title, "");
    free(big);
}

static void
xmp_with_entities_says_nothing(void **state)
{
    static const char evil[] =
        "<!DOCTYPE r [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        "<dc:title>&b;</dc:title></rdf:Description></rdf:RDF>";

    (void)state;
    put_webp_begin(&file);
    put_riff(&file, "VP8X", "\0\0\0\0\x06\0\0\x07\0\0", 10);
    put_riff(&file, "XMP ", evil, sizeof(evil) - 1);
    read_file("image/webp", 7, 8);
    assert_string_equal(facts.title, "");
    buf_clear(&file);
    put_webp_begin(&file);
    put_riff(&file, "VP8X", "\0\0\0\0\x06\0\0\x07\0\0", 10);
    put_riff(&file, "XMP ", evil + 65, sizeof(evil) - 66);
    read_file("image/webp", 7, 8);
    assert_string_equal(facts.title, "");
}

/* A million empty parts end after some. */
static void
parts_are_counted(void **state)
{
    (void)state;
    buf_add(&file, "\xFF\xD8", 2);
    for (int i = 0; i < 1000000; i++)
        put_segment(&file, 0xFE, "", 0);
    put_jpeg_end(&file, 1, 1);
    assert_int_equal(read_bytes(file.data, file.len), SKIP_BROKEN);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_jpeg_with_exif_of_either_order),
        TEST(a_turned_image_is_measured_as_shown),
        TEST(who_is_asked_first),
        TEST(xmp_alone_says_it_all),
        TEST(iptc_with_and_without_a_character_set),
        TEST(a_png_with_exif_xmp_and_texts),
        TEST(a_gif_with_xmp),
        TEST(a_webp_of_each_kind),
        TEST(comments_in_utf16),
        TEST(dates_that_are_none),
        TEST(what_is_no_image_says_why),
        TEST(files_that_end_too_early),
        TEST(files_that_lie),
        TEST(metadata_that_is_too_much_is_left_out),
        TEST(xmp_with_entities_says_nothing),
        TEST(parts_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
