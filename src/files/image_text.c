/*
 * An image in words: one text that its words and vectors are made of, that is
 * shown to models, and that people see as the snippet of a hit. So it says what
 * somebody might ask for ("beach photos of last summer") in the words of who
 * asks: months have names, dates have seasons and times of day.
 *
 * Seasons are those of the side of the equator where the place is, the northern
 * one if it is not known; the tropics have none. A clock that says midnight to
 * the second is one that was not set.
 */
#include "base/base.h"

#include "files/image.h"

#include "base/text.h"

#define TROPIC 23.4 /* degrees */

/* --- the name ------------------------------------------------------------- */

enum sort { SORT_NONE, SORT_SMALL, SORT_CAPITAL, SORT_DIGIT };

static enum sort
sort_of(char c)
{
    if (c >= '0' && c <= '9')
        return SORT_DIGIT;
    if (c >= 'A' && c <= 'Z')
        return SORT_CAPITAL;
    if ((c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80)
        return SORT_SMALL;
    return SORT_NONE;
}

/* Does a word end between these two, and what comes after them? "IMG2024",
 * "beachDay", "HTMLPage". */
static bool
is_seam(enum sort before, enum sort at, enum sort after)
{
    if (before == SORT_NONE || at == SORT_NONE)
        return false;
    if ((before == SORT_DIGIT) != (at == SORT_DIGIT))
        return true;
    return at == SORT_CAPITAL && (before == SORT_SMALL || after == SORT_SMALL);
}

/* "trips/Lisbon_2024/beachDay-01.jpg": "trips Lisbon 2024 beach Day 01". */
static void
add_name(struct buf *out, const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *dot = strrchr(slash ? slash + 1 : name, '.');
    size_t n = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    enum sort before = SORT_NONE;
    bool gap = false;

    for (size_t i = 0; i < n; i++) {
        enum sort at = sort_of(name[i]);
        enum sort after = i + 1 < n ? sort_of(name[i + 1]) : SORT_NONE;

        gap = gap || at == SORT_NONE || is_seam(before, at, after);
        before = at;
        if (at == SORT_NONE)
            continue;
        if (gap && out->len && out->data[out->len - 1] != ' ')
            buf_addc(out, ' ');
        gap = false;
        buf_addc(out, name[i]);
    }
}

/* --- the date ------------------------------------------------------------- */

static const char *
season_of(const struct facts *f, int month)
{
    static const char *const seasons[] = {"winter", "spring", "summer",
                                          "autumn"};
    double from = f->latitude < 0 ? -f->latitude : f->latitude;
    bool south = f->has_place && f->latitude < 0;

    if (f->has_place && from < TROPIC)
        return NULL;
    return seasons[(month % 12 / 3 + (south ? 2 : 0)) % 4];
}

static const char *
hour_name(const char *clock)
{
    int hour = (clock[0] - '0') * 10 + clock[1] - '0';

    if (strcmp(clock, "00:00:00") == 0)
        return NULL;
    return hour < 5 || hour >= 22 ? "night"
           : hour < 12            ? "morning"
           : hour < 18            ? "afternoon"
                                  : "evening";
}

/* 0: Sunday (Sakamoto). */
static int
weekday(int y, int m, int d)
{
    static const int add[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};

    y -= m < 3;
    return (y + y / 4 - y / 100 + y / 400 + add[m - 1] + d) % 7;
}

/* The digits at s, as many as there are said to be; 0: there are others. */
static int
part(const char *taken, size_t at, size_t digits)
{
    int64_t value;

    if (strlen(taken) < at + digits ||
        text_i64(taken + at, digits, 0, 9999, &value) != OK)
        return 0;
    return (int)value;
}

/* "Taken on Thursday, 15 August 2024, evening, summer". */
static void
add_date(struct buf *out, const struct facts *f)
{
    static const char *const months[] = {
        "January", "February", "March",     "April",   "May",      "June",
        "July",    "August",   "September", "October", "November", "December"};
    static const char *const days[] = {"Sunday",    "Monday",   "Tuesday",
                                       "Wednesday", "Thursday", "Friday",
                                       "Saturday"};
    int year = part(f->taken, 0, 4), month = part(f->taken, 5, 2);
    int day = part(f->taken, 8, 2);
    const char *word;

    if (year == 0)
        return;
    if (month < 1 || month > 12) {
        buf_addf(out, "Taken in %d\n", year);
        return;
    }
    if (day >= 1 && day <= 31)
        buf_addf(out, "Taken on %s, %d ", days[weekday(year, month, day)], day);
    else
        buf_adds(out, "Taken in ");
    buf_addf(out, "%s %d", months[month - 1], year);
    word = strlen(f->taken) == 19 ? hour_name(f->taken + 11) : NULL;
    if (word)
        buf_addf(out, ", %s", word);
    word = season_of(f, month);
    if (word)
        buf_addf(out, ", %s", word);
    buf_addc(out, '\n');
}

/* --- all of it ------------------------------------------------------------ */

static void
add_tags(struct buf *out, const struct facts *f)
{
    if (f->tags[0] == '\0')
        return;
    buf_adds(out, "Tags: ");
    for (const char *s = f->tags; *s; s++)
        if (*s == '\n')
            buf_adds(out, ", ");
        else
            buf_addc(out, *s);
    buf_addc(out, '\n');
}

static void
add_place(struct buf *out, const struct facts *f)
{
    double y = f->latitude, x = f->longitude;

    if (f->has_place)
        buf_addf(out, "Place: %.4f %c, %.4f %c\n", y < 0 ? -y : y,
                 y < 0 ? 'S' : 'N', x < 0 ? -x : x, x < 0 ? 'W' : 'E');
}

void
image_text(const char *name, const struct facts *f, struct buf *out)
{
    struct buf words;

    buf_init(&words, 4 * strlen(name) + 1);
    add_name(&words, name);
    buf_addf(out, "Image %s", name);
    if (words.len)
        buf_addf(out, " (%s)", buf_cstr(&words));
    buf_addc(out, '\n');
    buf_release(&words);
    if (f->title[0])
        buf_addf(out, "%s\n", f->title);
    if (f->description[0])
        buf_addf(out, "%s\n", f->description);
    add_tags(out, f);
    add_date(out, f);
    add_place(out, f);
    if (f->camera[0])
        buf_addf(out, "Camera: %s\n", f->camera);
    if (f->width && f->height)
        buf_addf(out, "Size: %" PRIu32 " x %" PRIu32 " pixels\n", f->width,
                 f->height);
}
