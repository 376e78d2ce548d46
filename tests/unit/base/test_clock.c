/* Tests of base/clock.c. */
#include "base_test.h"

#include <unistd.h>

#include "base/clock.h"

static void
monotonic_time_moves_forward_in_its_units(void **state)
{
    int64_t ms = clock_mono_ms();
    int64_t us = clock_mono_us();

    (void)state;
    assert_in_range(us / 1000 - ms, 0, 60000);
    (void)usleep(3000);
    assert_true(clock_mono_us() - us >= 3000);
    assert_true(clock_mono_ms() - ms >= 2);
}

static void
wall_time_is_that_of_the_system(void **state)
{
    int64_t ms = clock_wall_ms();
    int64_t s = (int64_t)time(NULL);

    (void)state;
    assert_in_range(s - ms / 1000 + 1, 0, 60);
}

static void
iso(int64_t ms, const char *want)
{
    char out[CLOCK_ISO_LEN];

    clock_iso(out, ms);
    assert_string_equal(out, want);
}

static void
iso_stamps_have_milliseconds_and_z(void **state)
{
    (void)state;
    iso(0, "1970-01-01T00:00:00.000Z");
    iso(1, "1970-01-01T00:00:00.001Z");
    iso(-1, "1969-12-31T23:59:59.999Z");
    iso(951782400000, "2000-02-29T00:00:00.000Z");
    iso(1767323045678, "2026-01-02T03:04:05.678Z");
    iso(4107542400000, "2100-03-01T00:00:00.000Z");
    iso(INT64_MAX, "9999-12-31T23:59:59.999Z");
    iso(INT64_MIN, "0000-01-01T00:00:00.000Z");
}

static void
every_day_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t s = -2208988800; s < 7258118400; s += 86400 * 3 + 7919) {
        time_t t = (time_t)s;
        struct tm tm;
        char want[40];
        char got[CLOCK_ISO_LEN];

        assert_non_null(gmtime_r(&t, &tm));
        assert_true(strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S", &tm));
        clock_iso(got, s * 1000 + 5);
        assert_memory_equal(got, want, 19);
        assert_string_equal(got + 19, ".005Z");
        assert_true(
            strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S GMT", &tm));
        int64_t back = 0;
        assert_int_equal(clock_http_date(want, &back), OK);
        assert_true(back == s);
    }
}

static void
what_is_no_http_date_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "120",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Wed, 29 Feb 1900 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08-49-37 GMT",
        "Sun, 06 Nov 199x 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    };
    int64_t s = 5;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(clock_http_date(bad[i], &s), ERR_BADREQ);
        assert_int_equal(s, 5);
    }
    assert_int_equal(clock_http_date("Sun, 06 Nov 1994 08:49:37 GMT", &s), OK);
    assert_int_equal(s, 784111777);
}

static void
iso_stamps_are_read_back(void **state)
{
    static const int64_t times[] = {
        -62167219200000, -1, 0, 951782400123, 1700000000999, 253402300799999};
    char iso[CLOCK_ISO_LEN];
    int64_t back;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        clock_iso(iso, times[i]);
        back = 5;
        assert_int_equal(clock_iso_read(iso, &back), OK);
        assert_true(back == times[i]);
    }
}

static void
iso_stamps_of_others_are_read(void **state)
{
    static const char *const same[] = {
        "2023-11-14T22:13:20Z",      "2023-11-14T22:13:20z",
        "2023-11-14T22:13:20",       "2023-11-14 22:13:20",
        "2023-11-14T22:13:20.0004Z", "2023-11-14T22:13:20,000Z",
        "2023-11-14T23:13:20+01:00", "2023-11-14T16:43:20-0530",
        "2023-11-15T08:13:20+10",    "2023-11-14T22:13:20.000000000000000000Z",
    };
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        ms = 0;
        assert_int_equal(clock_iso_read(same[i], &ms), OK);
        assert_true(ms == 1700000000000);
    }
    assert_int_equal(clock_iso_read("2023-11-14T22:13", &ms), OK);
    assert_true(ms == 1700000000000 - 20000);
    assert_int_equal(clock_iso_read("2023-11-14T22:13:20.5678Z", &ms), OK);
    assert_true(ms == 1700000000567);
}

static void
what_is_no_iso_stamp_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "2023",
        "2023-11-14",
        "2023-11-14T",
        "2023-11-14T22",
        "2023-11-14T22:1",
        "2023-11-14T22:13:",
        "2023-11-14T22:13:2",
        "2023-11-14T22:13:20.",
        "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20 ",
        "2023-11-14T22:13:20Zx",
        "2023-11-14T22:13:20+",
        "2023-11-14T22:13:20+1",
        "2023-11-14T22:13:20+01:",
        "2023-11-14T22:13:20+01:0",
        "2023-11-14T22:13:20+01:60",
        "2023-11-14T22:13:20+24:00",
        "2023-11-14T22:13:20+01:000",
        "2023-11-14T22:13:61Z",
        "2023-11-14T22:60:00Z",
        "2023-11-14T24:00:00Z",
        "2023-11-31T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2023-00-01T00:00:00Z",
        "2023-13-01T00:00:00Z",
        "2023-01-00T00:00:00Z",
        "2023-1--01T00:00:00Z",
        "2023-11-14X22:13:20Z",
        " 2023-11-14T22:13:20Z",
        "9999-12-31T23:59:59.999-00:01",
        "0000-01-01T00:00:00+00:01",
    };
    int64_t ms = 5;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (clock_iso_read(bad[i], &ms) != ERR_BADREQ)
            fail_msg("taken: %s", bad[i]);
        assert_true(ms == 5);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_time_moves_forward_in_its_units),
        cmocka_unit_test(wall_time_is_that_of_the_system),
        cmocka_unit_test(iso_stamps_have_milliseconds_and_z),
        cmocka_unit_test(every_day_agrees_with_the_c_library),
        cmocka_unit_test(what_is_no_http_date_is_refused),
        cmocka_unit_test(iso_stamps_are_read_back),
        cmocka_unit_test(iso_stamps_of_others_are_read),
        cmocka_unit_test(what_is_no_iso_stamp_is_refused),
    };

    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
