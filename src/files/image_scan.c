/*
 * The parts of JPEG, PNG, GIF and WebP files: which there are, where the size
 * is said, and which hold metadata. Parts with pixels are stepped over by their
 * lengths, never read. GIF has no lengths for them, so there the walk ends at
 * the first picture; programs write metadata before it.
 *
 * A length that leads past the end of the file ends the walk, and what was
 * found before stays. Parts are counted, as a file may be made of nothing but
 * empty ones. Metadata beyond IMAGE_META_MAX is left out, a part at a time; of
 * several EXIF or XMP parts the first is taken.
 *
 * Left out: PNG texts that are compressed (no program writes XMP so), extended
 * XMP of JPEG (it holds thumbnails and histories of edits), and the number of
 * lines of a JPEG that is said behind its pixels.
 */
#include "base/base.h"

#include "files/image_inside.h"

#include "files/image_fact.h"

#define TEXT_CHUNK_MAX 65536 /* bytes of a text of PNG */
#define GIF_XMP_TAIL 258     /* bytes behind the XMP of a GIF */

static uint32_t
be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t
be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static uint32_t
le16(const uint8_t *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t
le24(const uint8_t *p)
{
    return (uint32_t)p[2] << 16 | le16(p);
}

static uint32_t
le32(const uint8_t *p)
{
    return le16(p + 2) << 16 | le16(p);
}

/* Take metadata of n bytes, if there is room. */
static void
take(struct image_in *in, struct image_meta *m, uint64_t at, size_t n,
     struct buf *out)
{
    if (n <= m->left && image_copy(in, at, n, out))
        m->left -= n;
}

static void
take_first(struct image_in *in, struct image_meta *m, uint64_t at, size_t n,
           struct buf *out)
{
    if (out->len == 0)
        take(in, m, at, n, out);
}

/* Do the n bytes at a place begin so? */
static bool
begins(struct image_in *in, uint64_t at, size_t n, const char *what, size_t len)
{
    const uint8_t *p = n >= len ? image_look(in, at, len) : NULL;

    return p && memcmp(p, what, len) == 0;
}
#define BEGINS(in, at, n, s) begins(in, at, n, s, sizeof(s) - 1)

/* --- JPEG ----------------------------------------------------------------- */

static void
jpeg_part(struct image_in *in, struct image_meta *m, unsigned marker,
          uint64_t at, size_t n)
{
    static const char xmp[] = "http://ns.adobe.com/xap/1.0/";
    const uint8_t *p;

    if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 &&
        marker != 0xCC) {
        p = n >= 5 ? image_look(in, at, 5) : NULL;
        if (p && m->width == 0) {
            m->height = be16(p + 1);
            m->width = be16(p + 3);
        }
    } else if (marker == 0xE1 && BEGINS(in, at, n, "Exif\0")) {
        take_first(in, m, at, n, &m->exif);
    } else if (marker == 0xE1 && begins(in, at, n, xmp, sizeof(xmp))) {
        take_first(in, m, at + sizeof(xmp), n - sizeof(xmp), &m->xmp);
    } else if (marker == 0xED && BEGINS(in, at, n, "Photoshop 3.0\0")) {
        take(in, m, at + 14, n - 14, &m->iptc); /* may go on in the next */
    }
}

static void
jpeg(struct image_in *in, struct image_meta *m)
{
    uint64_t at = 2;

    for (int i = 0; i < IMAGE_PARTS; i++) {
        const uint8_t *p = image_look(in, at, 2);
        unsigned marker;
        size_t n;

        if (p == NULL || p[0] != 0xFF)
            return;
        marker = p[1];
        if (marker == 0xFF || marker == 0x01 ||
            (marker >= 0xD0 && marker <= 0xD8)) {
            at += marker == 0xFF ? 1 : 2; /* fill, or no length */
            continue;
        }
        if (marker == 0xD9 || marker == 0xDA || marker == 0)
            return; /* the end, or pixels */
        p = image_look(in, at + 2, 2);
        if (p == NULL || be16(p) < 2)
            return;
        n = be16(p) - 2;
        jpeg_part(in, m, marker, at + 4, n);
        at += 4 + n;
    }
}

/* --- PNG ------------------------------------------------------------------ */

/* The end of a text and its NUL in b, from i on; b->len + 1: there is none. */
static size_t
past_nul(const struct buf *b, size_t i)
{
    const char *end = i < b->len ? memchr(b->data + i, '\0', b->len - i) : NULL;

    return end ? (size_t)(end - b->data) + 1 : b->len + 1;
}

/* "keyword NUL text", in iTXt with flags, a language and a translation. */
static void
png_text(struct image_in *in, struct image_meta *m, uint64_t at, size_t n,
         bool itxt)
{
    struct buf b;
    size_t i;

    if (n > (itxt ? m->left : TEXT_CHUNK_MAX) || n > m->left)
        return;
    buf_init(&b, n + 1);
    if (!image_copy(in, at, n, &b))
        goto done;
    m->left -= n;
    i = past_nul(&b, 0);
    if (itxt) {
        if (i + 2 > b.len || b.data[i] != 0)
            goto done; /* compressed */
        i = past_nul(&b, past_nul(&b, i + 2));
    }
    if (i > b.len)
        goto done;
    if (strcmp(b.data, "XML:com.adobe.xmp") == 0 && m->xmp.len == 0)
        buf_add(&m->xmp, b.data + i, b.len - i);
    else if (strcmp(b.data, "Title") == 0)
        fact_text(m->text.title, sizeof(m->text.title), b.data + i, b.len - i,
                  false);
    else if (strcmp(b.data, "Description") == 0)
        fact_text(m->text.description, sizeof(m->text.description), b.data + i,
                  b.len - i, true);
done:
    buf_release(&b);
}

static void
png(struct image_in *in, struct image_meta *m)
{
    uint64_t at = 8;

    for (int i = 0; i < IMAGE_PARTS; i++) {
        const uint8_t *p = image_look(in, at, 8);
        char name[4];
        uint32_t n;

        if (p == NULL)
            return;
        n = be32(p);
        memcpy(name, p + 4, 4);
        if (n > INT32_MAX || (i == 0) != (memcmp(name, "IHDR", 4) == 0) ||
            memcmp(name, "IEND", 4) == 0)
            return;
        at += 8;
        if (i == 0) {
            p = n == 13 ? image_look(in, at, 8) : NULL;
            if (p == NULL)
                return;
            m->width = be32(p);
            m->height = be32(p + 4);
        } else if (memcmp(name, "eXIf", 4) == 0) {
            take_first(in, m, at, n, &m->exif);
        } else if (memcmp(name, "iTXt", 4) == 0) {
            png_text(in, m, at, n, true);
        } else if (memcmp(name, "tEXt", 4) == 0) {
            png_text(in, m, at, n, false);
        }
        at += (uint64_t)n + 4;
    }
}

/* --- GIF ------------------------------------------------------------------ */

/* XMP lies in a GIF as it is; its bytes read as lengths of blocks lead into
 * the bytes behind it, which lead to one end wherever one arrives. */
static void
gif_xmp(struct image_in *in, struct image_meta *m, uint64_t begin, uint64_t end)
{
    if (end - begin > GIF_XMP_TAIL && end - begin - GIF_XMP_TAIL <= m->left)
        take_first(in, m, begin, (size_t)(end - begin - GIF_XMP_TAIL), &m->xmp);
}

static void
gif(struct image_in *in, struct image_meta *m)
{
    const uint8_t *p = image_look(in, 0, 13);
    uint64_t at = 13, begin;
    int parts = IMAGE_PARTS;

    if (p == NULL)
        return;
    m->width = le16(p + 6);
    m->height = le16(p + 8);
    if (p[10] & 0x80)
        at += 3u << ((p[10] & 7) + 1); /* colours */
    while ((p = image_look(in, at, 3)) != NULL && p[0] == 0x21 && parts > 0) {
        bool xmp = p[1] == 0xFF && p[2] == 11 &&
                   BEGINS(in, at + 3, 11, "XMP DataXMP");

        at += xmp ? 14 : 2;
        for (begin = at; parts > 0; parts--) {
            p = image_look(in, at, 1);
            if (p == NULL)
                return;
            at += 1u + p[0];
            if (p[0] == 0)
                break;
        }
        if (xmp)
            gif_xmp(in, m, begin, at);
    }
}

/* --- WebP ----------------------------------------------------------------- */

static void
webp_size(struct image_meta *m, const char *name, const uint8_t *p)
{
    uint32_t bits;

    if (memcmp(name, "VP8X", 4) == 0) {
        m->width = le24(p + 4) + 1;
        m->height = le24(p + 7) + 1;
    } else if (memcmp(name, "VP8L", 4) == 0 && p[0] == 0x2F) {
        bits = le32(p + 1);
        m->width = (bits & 0x3FFF) + 1;
        m->height = (bits >> 14 & 0x3FFF) + 1;
    } else if (memcmp(name, "VP8 ", 4) == 0 &&
               memcmp(p + 3, "\x9D\x01\x2A", 3) == 0) {
        m->width = le16(p + 6) & 0x3FFF;
        m->height = le16(p + 8) & 0x3FFF;
    }
}

static void
webp(struct image_in *in, struct image_meta *m)
{
    uint64_t at = 12;

    for (int i = 0; i < IMAGE_PARTS; i++) {
        const uint8_t *p = image_look(in, at, 8);
        char name[4];
        uint32_t n;

        if (p == NULL)
            return;
        memcpy(name, p, 4);
        n = le32(p + 4);
        at += 8;
        p = i == 0 && n >= 5 ? image_look(in, at, n < 10 ? n : 10) : NULL;
        if (p && (n >= 10 || memcmp(name, "VP8L", 4) == 0))
            webp_size(m, name, p);
        if (memcmp(name, "EXIF", 4) == 0)
            take_first(in, m, at, n, &m->exif);
        else if (memcmp(name, "XMP ", 4) == 0)
            take_first(in, m, at, n, &m->xmp);
        at += (uint64_t)n + (n & 1);
    }
}

void
image_scan(struct image_in *in, struct image_meta *m)
{
    static const struct {
        const char *type, *begin;
        size_t len;
        void (*walk)(struct image_in *in, struct image_meta *m);
    } types[] = {
        {"image/jpeg", "\xFF\xD8\xFF", 3, jpeg},
        {"image/png", "\x89PNG\r\n\x1A\n", 8, png},
        {"image/gif", "GIF87a", 6, gif},
        {"image/gif", "GIF89a", 6, gif},
        {"image/webp", "RIFF", 4, webp},
    };

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (!begins(in, 0, IMAGE_LOOK, types[i].begin, types[i].len) ||
            (types[i].walk == webp && !BEGINS(in, 8, IMAGE_LOOK, "WEBP")))
            continue;
        m->type = types[i].type;
        types[i].walk(in, m);
        return;
    }
}
