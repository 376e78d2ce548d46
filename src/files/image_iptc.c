/*
 * IPTC's fields (IIM 4) in Photoshop's resources of a JPEG: keywords, caption,
 * headline, date, city and country. Their character set is said by one of them
 * (1:90) or by nobody; what is valid UTF-8 is read as that in any case, since
 * programs forget to say so.
 */
#include "base/base.h"

#include "files/image_inside.h"

#include "files/image_fact.h"

#define RESOURCE_IPTC 0x0404
#define FIELD(record, data) ((record) << 8 | (data))

struct date {
    char day[9], clock[12];
};

static size_t
be16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

static size_t
be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static void
copy(char *out, size_t size, const char *s, size_t n)
{
    snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), s);
}

static void
take_field(struct facts *f, struct date *date, unsigned field, const char *s,
           size_t n)
{
    switch (field) {
    case FIELD(2, 5): /* the title */
        fact_text(f->title, sizeof(f->title), s, n, false);
        break;
    case FIELD(2, 105): /* the headline */
        if (f->title[0] == '\0')
            fact_text(f->title, sizeof(f->title), s, n, false);
        break;
    case FIELD(2, 120):
        fact_text(f->description, sizeof(f->description), s, n, true);
        break;
    case FIELD(2, 25): /* keywords, one each */
    case FIELD(2, 90): /* city */
    case FIELD(2, 101): /* country */ fact_tag(f, s, n); break;
    case FIELD(2, 55): copy(date->day, sizeof(date->day), s, n); break;
    case FIELD(2, 60): copy(date->clock, sizeof(date->clock), s, n); break;
    default: break;
    }
}

/* 0x1C, record, number, length, bytes; and again. */
static void
read_fields(struct facts *f, const uint8_t *p, size_t n)
{
    struct date date = {.day = ""};
    char both[32];

    while (n >= 5 && p[0] == 0x1C) {
        size_t len = be16(p + 3), head = 5;

        if (len & 0x8000) { /* so many bytes of a longer length */
            if (len != 0x8004 || n < 9)
                break;
            len = be32(p + 5);
            head = 9;
        }
        if (len > n - head)
            break;
        take_field(f, &date, FIELD(p[1], p[2]), (const char *)p + head, len);
        p += head + len;
        n -= head + len;
    }
    snprintf(both, sizeof(both), "%s%s%s", date.day, date.clock[0] ? "T" : "",
             date.clock);
    fact_date(f->taken, both, strlen(both));
}

/* "8BIM", number, a name, length, bytes; names and bytes fill even lengths. */
void
image_iptc(const struct buf *iptc, struct facts *f)
{
    const uint8_t *p = (const uint8_t *)iptc->data;
    size_t n = iptc->len;

    while (n >= 12 && memcmp(p, "8BIM", 4) == 0) {
        size_t name = ((size_t)p[6] + 2) & ~(size_t)1, head = 6 + name + 4;
        size_t len;

        if (head > n)
            return;
        len = be32(p + head - 4);
        if (len > n - head)
            return;
        if (be16(p + 4) == RESOURCE_IPTC)
            read_fields(f, p + head, len);
        len += len & 1;
        if (len > n - head)
            return;
        p += head + len;
        n -= head + len;
    }
}
