/*
 * Time, and the two spellings of it that clients see.
 *
 * The calendar is computed here (days since 1970 to year, month, day and
 * back, in the proleptic Gregorian calendar) rather than by gmtime_r and
 * timegm: a time stamp is written for every message and every log line, and
 * the C library takes a lock for its time zone even when it needs none.
 */
#include "base/base.h"

#include "base/clock.h"

#define DAY_S 86400
#define ISO_MIN_MS (-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define ISO_MAX_MS 253402300799999   /* 9999-12-31T23:59:59.999Z */

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char weekdays[] = "ThuFriSatSunMonTueWed"; /* from day 0 */

static int64_t
read_us(clockid_t id)
{
    struct timespec ts;

    (void)clock_gettime(id, &ts); /* cannot fail for these clocks */
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_mono_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t
clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

static void
digits(char *out, int width, int v)
{
    while (width > 0) {
        out[--width] = (char)('0' + v % 10);
        v /= 10;
    }
}

/* Years are counted from March, in eras of 400: leap days fall at the end. */
static void
civil(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468; /* since 0000-03-01 */
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int doe = (int)(z - era * 146097);
    int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int mp = (5 * doy + 2) / 153;

    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (int)(yoe + era * 400) + (*month <= 2);
}

static int64_t
days_of(int year, int month, int day)
{
    int y = year - (month <= 2);
    int era = (y >= 0 ? y : y - 399) / 400;
    int yoe = y - era * 400;
    int doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return (int64_t)era * 146097 + doe - 719468;
}

void
clock_iso(char out[CLOCK_ISO_LEN], int64_t wall_ms)
{
    int64_t t = wall_ms;
    int64_t days;
    int64_t ms;
    int y;
    int m;
    int d;

    if (t < ISO_MIN_MS)
        t = ISO_MIN_MS;
    if (t > ISO_MAX_MS)
        t = ISO_MAX_MS;
    days = t / (DAY_S * 1000);
    ms = t % (DAY_S * 1000);
    if (ms < 0) {
        ms += DAY_S * 1000;
        days--;
    }
    civil(days, &y, &m, &d);
    memcpy(out, "0000-00-00T00:00:00.000Z", CLOCK_ISO_LEN);
    digits(out, 4, y);
    digits(out + 5, 2, m);
    digits(out + 8, 2, d);
    digits(out + 11, 2, (int)(ms / 3600000));
    digits(out + 14, 2, (int)(ms / 60000 % 60));
    digits(out + 17, 2, (int)(ms / 1000 % 60));
    digits(out + 20, 3, (int)(ms % 1000));
}

/* The digits of a fixed-width field, or -1. */
static int
number(const char *s, int width)
{
    int v = 0;

    for (int i = 0; i < width; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        v = v * 10 + (s[i] - '0');
    }
    return v;
}

static int
month_of(const char *s)
{
    for (int i = 0; i < 12; i++)
        if (memcmp(s, months + (ptrdiff_t)i * 3, 3) == 0)
            return i + 1;
    return 0;
}

static int
month_len(int year, int month)
{
    static const char len[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : len[month - 1];
}

/* "Sun, 06 Nov 1994 08:49:37 GMT": 29 characters, each in its place. */
enum err
clock_http_date(const char *s, int64_t *out_s)
{
    static const char shape[] = "Aaa, 00 Aaa 0000 00:00:00 GMT";
    int day;
    int month;
    int year;
    int h;
    int m;
    int sec;
    int64_t days;

    if (strlen(s) != sizeof(shape) - 1)
        return ERR_BADREQ;
    for (size_t i = 3; i < sizeof(shape) - 1; i++)
        if (strchr(", :GMT", shape[i]) && s[i] != shape[i])
            return ERR_BADREQ;
    day = number(s + 5, 2);
    month = month_of(s + 8);
    year = number(s + 12, 4);
    h = number(s + 17, 2);
    m = number(s + 20, 2);
    sec = number(s + 23, 2);
    if (month == 0 || year < 0 || day < 1 || day > month_len(year, month) ||
        h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 60)
        return ERR_BADREQ;
    days = days_of(year, month, day);
    if (memcmp(s, weekdays + ((days % 7 + 7) % 7) * 3, 3) != 0)
        return ERR_BADREQ;
    *out_s = days * DAY_S + h * 3600 + m * 60 + sec;
    return OK;
}

/* Behind the minutes: ":SS" and a fraction, of which milliseconds count. */
static const char *
iso_seconds(const char *s, int64_t *ms)
{
    int64_t unit = 100;
    int sec;

    *ms = 0;
    if (*s != ':')
        return s;
    sec = number(s + 1, 2);
    if (sec < 0 || sec > 60)
        return NULL;
    *ms = (int64_t)sec * 1000;
    s += 3;
    if (*s != '.' && *s != ',')
        return s;
    if (s[1] < '0' || s[1] > '9')
        return NULL;
    for (s++; *s >= '0' && *s <= '9'; s++) {
        *ms += unit * (*s - '0');
        unit /= 10;
    }
    return s;
}

/* "Z", "+02:00", "+0200", "+02" or nothing; the rest of the string. */
static bool
iso_zone(const char *s, int64_t *ms)
{
    int h;
    int m = 0;

    *ms = 0;
    if (*s == '\0' || strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
        return true;
    if (*s != '+' && *s != '-')
        return false;
    h = number(s + 1, 2);
    if (h < 0 || h > 23)
        return false;
    if (s[3] != '\0') {
        const char *at = s + 3 + (s[3] == ':');

        m = number(at, 2);
        if (m < 0 || m > 59 || at[2] != '\0')
            return false;
    }
    *ms = (*s == '-' ? -1 : 1) * (h * INT64_C(60) + m) * 60000;
    return true;
}

enum err
clock_iso_read(const char *s, int64_t *out_ms)
{
    static const char shape[] = "0000-00-00T00:00";
    int64_t sec_ms;
    int64_t zone_ms;
    int64_t t;
    int year;
    int month;
    int day;
    int h;
    int m;

    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        bool digit = s[i] >= '0' && s[i] <= '9';

        if (shape[i] == '0' ? !digit
                            : s[i] != shape[i] && (i != 10 || s[i] != ' '))
            return ERR_BADREQ;
    }
    year = number(s, 4);
    month = number(s + 5, 2);
    day = number(s + 8, 2);
    h = number(s + 11, 2);
    m = number(s + 14, 2);
    if (month < 1 || month > 12 || day < 1 || day > month_len(year, month) ||
        h > 23 || m > 59)
        return ERR_BADREQ;
    s = iso_seconds(s + sizeof(shape) - 1, &sec_ms);
    if (s == NULL || !iso_zone(s, &zone_ms))
        return ERR_BADREQ;
    t = days_of(year, month, day) * DAY_S * 1000 +
        (h * INT64_C(60) + m) * 60000 + sec_ms - zone_ms;
    if (t < ISO_MIN_MS || t > ISO_MAX_MS)
        return ERR_BADREQ;
    *out_ms = t;
    return OK;
}
