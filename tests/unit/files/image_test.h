/* Makes small files of the four image formats, piece by piece. */
#ifndef TESTS_UNIT_IMAGE_TEST_H
#define TESTS_UNIT_IMAGE_TEST_H

#include "plain_test.h"

#include "base/buf.h"

#define IMAGE_TEST_MAX (16 * 1024 * 1024)

static inline void
put16(struct buf *b, unsigned v, bool big)
{
    buf_addc(b, (char)(big ? v >> 8 : v));
    buf_addc(b, (char)(big ? v : v >> 8));
}

static inline void
put32(struct buf *b, uint32_t v, bool big)
{
    put16(b, big ? v >> 16 : v & 0xFFFF, big);
    put16(b, big ? v & 0xFFFF : v >> 16, big);
}

/* --- EXIF ----------------------------------------------------------------- */

/* One entry: ASCII (2), shorts (3), rationals (5, n of them in pairs), bytes
 * (1), undefined (7). */
struct tag {
    unsigned tag, format;
    uint32_t count;
    const void *data; /* bytes, or uint32_t for numbers */
};

static inline size_t
tag_size(const struct tag *t)
{
    static const unsigned sizes[] = {0, 1, 1, 2, 4, 8, 1, 1};

    return t->count * sizes[t->format];
}

static inline void
tag_data(struct buf *b, const struct tag *t, bool big)
{
    const uint32_t *numbers = t->data;

    if (t->format == 3)
        for (size_t i = 0; i < t->count; i++)
            put16(b, numbers[i], big);
    else if (t->format == 4 || t->format == 5)
        for (size_t i = 0; i < t->count * (t->format - 3); i++)
            put32(b, numbers[i], big);
    else
        buf_add(b, t->data, t->count);
}

/* A directory at the end of b; its long data goes behind it. */
static inline void
put_ifd(struct buf *b, size_t tiff, const struct tag *tags, size_t n, bool big)
{
    size_t at = b->len - tiff + 2 + n * 12 + 4;

    put16(b, (unsigned)n, big);
    for (size_t i = 0; i < n; i++) {
        size_t size = tag_size(&tags[i]), before = b->len;

        put16(b, tags[i].tag, big);
        put16(b, tags[i].format, big);
        put32(b, tags[i].count, big);
        if (size <= 4) {
            tag_data(b, &tags[i], big);
            while (b->len < before + 12)
                buf_addc(b, '\0');
        } else {
            put32(b, (uint32_t)at, big);
            at += size + size % 2;
        }
    }
    put32(b, 0, big);
    for (size_t i = 0; i < n; i++)
        if (tag_size(&tags[i]) > 4) {
            tag_data(b, &tags[i], big);
            if (tag_size(&tags[i]) % 2)
                buf_addc(b, '\0');
        }
}

/* Three directories: the image's (its last two entries must be the pointers
 * 0x8769 and 0x8825, which are filled in), EXIF's and GPS's. */
static inline void
put_tiff(struct buf *b, struct tag *image, size_t n, const struct tag *exif,
         size_t n_exif, const struct tag *gps, size_t n_gps, bool big)
{
    size_t tiff = b->len, end, end_exif;
    uint32_t at[2] = {0, 0};
    struct buf trial;

    image[n - 2] = (struct tag){0x8769, 4, 1, &at[0]};
    image[n - 1] = (struct tag){0x8825, 4, 1, &at[1]};
    buf_init(&trial, IMAGE_TEST_MAX);
    put_ifd(&trial, 0, image, n, big);
    end = 8 + trial.len;
    buf_clear(&trial);
    put_ifd(&trial, 0, exif, n_exif, big);
    end_exif = end + trial.len;
    buf_release(&trial);
    at[0] = (uint32_t)end;
    at[1] = (uint32_t)end_exif;
    buf_adds(b, big ? "MM" : "II");
    put16(b, 42, big);
    put32(b, 8, big);
    put_ifd(b, tiff, image, n, big);
    put_ifd(b, tiff, exif, n_exif, big);
    put_ifd(b, tiff, gps, n_gps, big);
}

/* --- JPEG ----------------------------------------------------------------- */

static inline void
put_segment(struct buf *b, unsigned marker, const void *p, size_t n)
{
    buf_addc(b, '\xFF');
    buf_addc(b, (char)marker);
    put16(b, (unsigned)n + 2, true);
    buf_add(b, p, n);
}

static inline void
put_jpeg_end(struct buf *b, unsigned width, unsigned height)
{
    struct buf frame;

    buf_init(&frame, 64);
    buf_addc(&frame, 8);
    put16(&frame, height, true);
    put16(&frame, width, true);
    buf_add(&frame, "\x01\x01\x11\0", 4);
    put_segment(b, 0xC2, frame.data, frame.len);
    put_segment(b, 0xDA, "\x01\x01\0\0\x3F\0", 6);
    buf_adds(b, "pixels");
    buf_add(b, "\xFF\xD9", 2);
    buf_release(&frame);
}

/* --- PNG ------------------------------------------------------------------ */

static inline void
put_chunk(struct buf *b, const char *name, const void *p, size_t n)
{
    put32(b, (uint32_t)n, true);
    buf_add(b, name, 4);
    buf_add(b, p, n);
    put32(b, 0, true); /* nobody checks it */
}

static inline void
put_png_begin(struct buf *b, uint32_t width, uint32_t height)
{
    struct buf head;

    buf_init(&head, 64);
    put32(&head, width, true);
    put32(&head, height, true);
    buf_add(&head, "\x08\x02\0\0\0", 5);
    buf_add(b, "\x89PNG\r\n\x1A\n", 8);
    put_chunk(b, "IHDR", head.data, head.len);
    buf_release(&head);
}

/* --- WebP ----------------------------------------------------------------- */

static inline void
put_riff(struct buf *b, const char *name, const void *p, size_t n)
{
    buf_add(b, name, 4);
    put32(b, (uint32_t)n, false);
    buf_add(b, p, n);
    if (n % 2)
        buf_addc(b, '\0');
}

static inline void
put_webp_begin(struct buf *b)
{
    buf_adds(b, "RIFF");
    put32(b, 0, false); /* nobody reads it */
    buf_adds(b, "WEBP");
}

#endif
