/*
 * EXIF by libexif: date, place, camera, orientation, and the texts that some
 * programs put there (ImageDescription, UserComment, and Windows's own tags in
 * UTF-16). Every entry is checked for its format and size before it is read;
 * libexif hands out what the file claims.
 */
#include "base/base.h"

#include "files/image_inside.h"

#include <libexif/exif-data.h>

#include "base/text.h"
#include "files/image_fact.h"

#define HEADER "Exif\0"
#define HEADER_LEN 6         /* with a second NUL */
#define CHARSET_LEN 8        /* before a UserComment */
#define EXIF_BYTES_MAX 65535 /* libexif reads no more */

/* An entry of this format with at least n components; NULL: there is none. */
static ExifEntry *
entry(ExifData *d, ExifIfd ifd, unsigned tag, ExifFormat format, size_t n)
{
    ExifEntry *e = exif_content_get_entry(d->ifd[ifd], (ExifTag)tag);
    size_t need = n * exif_format_get_size(format);

    if (e == NULL || e->data == NULL || e->format != format ||
        e->components < n || e->size < need)
        return NULL;
    return e;
}

static bool
read_ascii(ExifData *d, ExifIfd ifd, unsigned tag, char *out, size_t size,
           bool lines)
{
    const ExifEntry *e = entry(d, ifd, tag, EXIF_FORMAT_ASCII, 1);

    return e && fact_text(out, size, (const char *)e->data,
                          strnlen((const char *)e->data, e->size), lines);
}

/* --- texts ---------------------------------------------------------------- */

static void
read_comment(ExifData *d, ExifByteOrder order, struct facts *f)
{
    const ExifEntry *e = entry(d, EXIF_IFD_EXIF, EXIF_TAG_USER_COMMENT,
                               EXIF_FORMAT_UNDEFINED, CHARSET_LEN);
    char *out = f->description;
    const uint8_t *s;
    size_t n;

    if (e == NULL || f->description[0])
        return;
    s = e->data + CHARSET_LEN;
    n = e->size - CHARSET_LEN;
    if (memcmp(e->data, "UNICODE\0", CHARSET_LEN) == 0)
        fact_utf16(out, sizeof(f->description), s, n,
                   order == EXIF_BYTE_ORDER_MOTOROLA);
    else if (memcmp(e->data, "JIS\0\0\0\0\0", CHARSET_LEN) != 0)
        fact_text(out, sizeof(f->description), (const char *)s,
                  strnlen((const char *)s, n), true);
}

/* What Windows writes: UTF-16 with the low byte first, in bytes. */
static bool
read_windows(ExifData *d, unsigned tag, char *out, size_t size)
{
    const ExifEntry *e = entry(d, EXIF_IFD_0, tag, EXIF_FORMAT_BYTE, 2);
    size_t n = 0;

    if (e == NULL)
        return false;
    while (n + 1 < e->size && (e->data[n] || e->data[n + 1]))
        n += 2;
    return fact_utf16(out, size, e->data, n, false);
}

/* What cameras write where a person should. */
static bool
is_noise(const char *s)
{
    return strstr(s, "DIGITAL CAMERA") || strcmp(s, "SONY DSC") == 0 ||
           strstr(s, "Digital Still Camera");
}

static void
read_texts(ExifData *d, ExifByteOrder order, struct facts *f)
{
    char tags[FACTS_TAGS_MAX + 1];

    read_ascii(d, EXIF_IFD_0, EXIF_TAG_IMAGE_DESCRIPTION, f->description,
               sizeof(f->description), true);
    if (is_noise(f->description))
        f->description[0] = '\0';
    read_comment(d, order, f);
    if (f->description[0] == '\0')
        read_windows(d, EXIF_TAG_XP_COMMENT, f->description,
                     sizeof(f->description));
    read_windows(d, EXIF_TAG_XP_TITLE, f->title, sizeof(f->title));
    if (read_windows(d, EXIF_TAG_XP_KEYWORDS, tags, sizeof(tags)))
        fact_tags(f, tags, strlen(tags), ";");
}

static void
read_camera(ExifData *d, struct facts *f)
{
    char make[FACTS_CAMERA_MAX + 1] = "", model[FACTS_CAMERA_MAX + 1] = "";
    char both[2 * FACTS_CAMERA_MAX + 2];

    read_ascii(d, EXIF_IFD_0, EXIF_TAG_MAKE, make, sizeof(make), false);
    read_ascii(d, EXIF_IFD_0, EXIF_TAG_MODEL, model, sizeof(model), false);
    if (model[0] == '\0')
        snprintf(both, sizeof(both), "%s", make);
    else if (make[0] == '\0' || text_istarts(model, make))
        snprintf(both, sizeof(both), "%s", model);
    else
        snprintf(both, sizeof(both), "%s %s", make, model);
    fact_text(f->camera, sizeof(f->camera), both, strlen(both), false);
}

/* --- date and place ------------------------------------------------------- */

static void
read_date(ExifData *d, struct facts *f)
{
    static const struct {
        ExifIfd ifd;
        ExifTag tag;
    } tags[] = {{EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_ORIGINAL},
                {EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_DIGITIZED},
                {EXIF_IFD_0, EXIF_TAG_DATE_TIME}};
    char text[40];

    for (size_t i = 0; i < COUNT_OF(tags); i++)
        if (read_ascii(d, tags[i].ifd, tags[i].tag, text, sizeof(text),
                       false) &&
            fact_date(f->taken, text, strlen(text)))
            return;
}

/* Degrees, minutes, seconds and the letter of a direction. */
static bool
read_angle(ExifData *d, ExifByteOrder order, unsigned tag, char minus,
           double *out)
{
    const ExifEntry *e = entry(d, EXIF_IFD_GPS, tag, EXIF_FORMAT_RATIONAL, 3);
    const ExifEntry *ref = entry(d, EXIF_IFD_GPS, tag - 1, EXIF_FORMAT_ASCII,
                                 1);
    static const double parts[3] = {1, 60, 3600};

    *out = 0;
    if (e == NULL || ref == NULL)
        return false;
    for (size_t i = 0; i < 3; i++) {
        ExifRational r = exif_get_rational(e->data + 8 * i, order);

        if (r.denominator == 0 && (i == 0 || r.numerator != 0))
            return false; /* not known */
        if (r.denominator)
            *out += (double)r.numerator / r.denominator / parts[i];
    }
    if ((ref->data[0] & ~0x20) == minus)
        *out = -*out;
    return true;
}

static void
read_place(ExifData *d, ExifByteOrder order, struct facts *f)
{
    double latitude, longitude;

    if (read_angle(d, order, EXIF_TAG_GPS_LATITUDE, 'S', &latitude) &&
        read_angle(d, order, EXIF_TAG_GPS_LONGITUDE, 'W', &longitude))
        fact_place(f, latitude, longitude);
}

static int
read_orientation(ExifData *d, ExifByteOrder order)
{
    const ExifEntry *e = entry(d, EXIF_IFD_0, EXIF_TAG_ORIENTATION,
                               EXIF_FORMAT_SHORT, 1);
    int turned = e ? exif_get_short(e->data, order) : 0;

    return turned >= 1 && turned <= 8 ? turned : 0;
}

/* libexif finds EXIF by its header, which PNG and WebP leave out. */
static ExifData *
load(const struct buf *exif)
{
    bool has = exif->len >= HEADER_LEN &&
               memcmp(exif->data, HEADER, HEADER_LEN - 1) == 0;
    ExifData *d = exif_data_new();
    struct buf b;

    if (d == NULL)
        return NULL;
    /* No entry is added that is not in the file. */
    exif_data_unset_option(d, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
    buf_init(&b, exif->len + HEADER_LEN);
    if (!has)
        buf_add(&b, HEADER "\0", HEADER_LEN);
    buf_add(&b, exif->data, exif->len);
    exif_data_load_data(
        d, (const unsigned char *)b.data,
        (unsigned)(b.len < EXIF_BYTES_MAX ? b.len : EXIF_BYTES_MAX));
    buf_release(&b);
    return d;
}

int
image_exif(const struct buf *exif, struct facts *f)
{
    ExifData *d = exif->len ? load(exif) : NULL;
    ExifByteOrder order;
    int turned;

    if (d == NULL)
        return 0;
    order = exif_data_get_byte_order(d);
    turned = read_orientation(d, order);
    read_texts(d, order, f);
    read_camera(d, f);
    read_date(d, f);
    read_place(d, order, f);
    exif_data_unref(d);
    return turned;
}
