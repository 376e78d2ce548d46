/*
 * Facts come from cameras, programs and people of three decades; whatever they
 * wrote becomes one clean line of UTF-8 here, or nothing.
 */
#include "base/base.h"

#include "files/image_fact.h"

#include "base/text.h"
#include "lang/letter.h"

#define TAG_MAX 255 /* bytes; a longer one is cut */

/* Windows-1252 from 0x80 to 0x9F; 0: no character. */
static const uint16_t high[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
    0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
    0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
    0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

/* --- text ----------------------------------------------------------------- */

/* Takes characters one by one, puts white space together, and stops when the
 * room is full. */
struct pen {
    char *out;
    size_t size, n;
    bool lines, full;
    uint32_t gap; /* a blank or line feed before the next one; 0: none */
};

static void
pen_add(struct pen *p, uint32_t c)
{
    char bytes[8];
    size_t len = 0;

    if (p->full || c == 0xFEFF || c == 0x200B)
        return;
    if (letter_is_space(c) || c < ' ' || (c >= 0x7F && c < 0xA0)) {
        if (p->n && (p->gap != '\n' || !p->lines))
            p->gap = c == '\n' && p->lines ? '\n' : ' ';
        return;
    }
    if (p->gap)
        bytes[len++] = (char)p->gap;
    len += letter_write(c, bytes + len);
    p->full = p->n + len >= p->size;
    if (p->full)
        return;
    memcpy(p->out + p->n, bytes, len);
    p->n += len;
    p->gap = 0;
}

static bool
pen_end(struct pen *p)
{
    if (p->n)
        p->out[p->n] = '\0';
    return p->n > 0;
}

bool
fact_text(char *out, size_t size, const char *s, size_t n, bool lines)
{
    struct pen p = {.out = out, .size = size, .lines = lines};
    bool utf8;
    uint32_t c;

    while (n && s[n - 1] == '\0')
        n--;
    utf8 = utf8_valid(s, utf8_whole(s, n));
    for (size_t i = 0; i < n && !p.full;) {
        if (utf8) {
            i += letter_read(s + i, n - i, &c);
        } else {
            c = (unsigned char)s[i++];
            if (c >= 0x80 && c < 0xA0)
                c = high[c - 0x80];
        }
        pen_add(&p, c);
    }
    return pen_end(&p);
}

bool
fact_utf16(char *out, size_t size, const uint8_t *s, size_t n, bool big)
{
    struct pen p = {.out = out, .size = size, .lines = true};

    for (size_t i = 0; i + 1 < n && !p.full; i += 2) {
        uint32_t c = (uint32_t)s[i + !big] << 8 | s[i + big];

        if (c >= 0xD800 && c < 0xE000) {
            uint32_t low = i + 3 < n
                               ? (uint32_t)s[i + 2 + !big] << 8 | s[i + 2 + big]
                               : 0;

            if (c >= 0xDC00 || low < 0xDC00 || low >= 0xE000) {
                c = LETTER_BAD;
            } else {
                c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            }
        }
        pen_add(&p, c);
    }
    return pen_end(&p);
}

/* --- tags ----------------------------------------------------------------- */

static bool
has_tag(const struct facts *f, const char *tag)
{
    size_t n;

    for (const char *s = f->tags; *s; s += n + (s[n] == '\n')) {
        n = strcspn(s, "\n");
        if (text_ieqn(s, n, tag))
            return true;
    }
    return false;
}

void
fact_tag(struct facts *f, const char *s, size_t n)
{
    char tag[TAG_MAX + 1];
    size_t used = strlen(f->tags), len;

    if (!fact_text(tag, sizeof(tag), s, n, false) || has_tag(f, tag))
        return;
    len = strlen(tag);
    if (used + (used > 0) + len >= sizeof(f->tags))
        return;
    if (used)
        f->tags[used++] = '\n';
    memcpy(f->tags + used, tag, len + 1);
}

void
fact_tags(struct facts *f, const char *s, size_t n, const char *signs)
{
    for (size_t i = 0, begin = 0; i <= n; i++)
        if (i == n || (s[i] && strchr(signs, s[i]))) {
            fact_tag(f, s + begin, i - begin);
            begin = i + 1;
        }
}

/* --- dates ---------------------------------------------------------------- */

/* Exactly `digits` of them at s + *i; -1: not there. */
static int
number(const char *s, size_t n, size_t *i, size_t digits)
{
    int value = 0;

    if (n - *i < digits)
        return -1;
    for (size_t k = 0; k < digits; k++) {
        char c = s[*i + k];

        if (c < '0' || c > '9')
            return -1;
        value = value * 10 + c - '0';
    }
    *i += digits;
    return value;
}

static int
days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* Past one of the signs; without one: is one needed? */
static bool
sign(const char *s, size_t n, size_t *i, const char *signs, bool needed)
{
    if (*i < n && s[*i] && strchr(signs, s[*i])) {
        (*i)++;
        return true;
    }
    return !needed;
}

/* "18:30:05", "18:30", "183005", "1830". */
static bool
read_clock(const char *s, size_t n, size_t *i, int clock[3])
{
    bool close;

    clock[0] = number(s, n, i, 2);
    close = *i < n && s[*i] != ':';
    if (clock[0] < 0 || clock[0] > 23 || !sign(s, n, i, ":", !close))
        return false;
    clock[1] = number(s, n, i, 2);
    if (clock[1] < 0 || clock[1] > 59)
        return false;
    clock[2] = 0;
    if (*i < n && sign(s, n, i, ":", !close))
        clock[2] = number(s, n, i, 2);
    if (clock[2] < 0 || clock[2] > 59) /* a leap second, or a zone */
        clock[2] = clock[2] < 0 ? 0 : 59;
    return true;
}

/* A month or a day behind a sign, or at once; 0: it is not known ("00", or
 * nothing more is said); -1: this is no date. */
static int
read_part(const char *s, size_t n, size_t *i, bool close, int most)
{
    int value;

    if (*i == n)
        return 0;
    if (!close && !sign(s, n, i, "-:/.", true))
        return -1;
    value = number(s, n, i, 2);
    return value > most ? -1 : value;
}

bool
fact_date(char out[20], const char *s, size_t n)
{
    int year, month, day = 0, clock[3];
    size_t i = 0;
    bool close;

    while (n && (s[n - 1] == ' ' || s[n - 1] == '\0'))
        n--;
    while (i < n && (s[i] == ' ' || s[i] == '\t'))
        i++;
    year = number(s, n, &i, 4);
    close = i < n && s[i] >= '0' && s[i] <= '9';
    month = year < 1 ? -1 : read_part(s, n, &i, close, 12);
    if (month > 0)
        day = read_part(s, n, &i, close, days_of(year, month));
    if (month < 0 || day < 0)
        return false;
    snprintf(out, 20, "%04d", year % 10000);
    if (month > 0)
        snprintf(out + 4, 16, "-%02d", month % 100);
    if (day > 0)
        snprintf(out + 7, 13, "-%02d", day % 100);
    if (day > 0 && sign(s, n, &i, "T ", true) && read_clock(s, n, &i, clock))
        snprintf(out + 10, 10, "T%02d:%02d:%02d", clock[0] % 100,
                 clock[1] % 100, clock[2] % 100);
    return true;
}

/* --- the rest ------------------------------------------------------------- */

bool
fact_place(struct facts *f, double latitude, double longitude)
{
    if (!(latitude >= -90 && latitude <= 90 && longitude >= -180 &&
          longitude <= 180) ||
        (latitude == 0 && longitude == 0))
        return false;
    f->has_place = true;
    f->latitude = latitude;
    f->longitude = longitude;
    return true;
}

static void
fill(char *to, size_t size, const char *from)
{
    if (to[0] == '\0')
        snprintf(to, size, "%s", from);
}

void
fact_join(struct facts *to, const struct facts *from)
{
    fill(to->title, sizeof(to->title), from->title);
    fill(to->taken, sizeof(to->taken), from->taken);
    fill(to->camera, sizeof(to->camera), from->camera);
    fill(to->description, sizeof(to->description), from->description);
    if (!to->has_place && from->has_place)
        fact_place(to, from->latitude, from->longitude);
    fact_tags(to, from->tags, strlen(from->tags), "\n");
}
