/* Tests of files/image_text.c. */
#include "plain_test.h"

#include "base/buf.h"
#include "files/image.h"

static void
assert_text(const char *name, const struct facts *f, const char *want)
{
    struct buf out;

    buf_init(&out, 65536);
    image_text(name, f, &out);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
}

static void
assert_date(const char *taken, bool has_place, double latitude,
            const char *want)
{
    struct facts f = {.has_place = has_place, .latitude = latitude};
    char line[200], place[64] = "";

    snprintf(f.taken, sizeof(f.taken), "%s", taken);
    if (has_place)
        snprintf(place, sizeof(place), "Place: %.4f %c, 0.0000 E\n",
                 latitude < 0 ? -latitude : latitude, latitude < 0 ? 'S' : 'N');
    snprintf(line, sizeof(line), "Image x (x)\n%s%s", want, place);
    assert_text("x", &f, line);
}

static void
all_that_is_known_is_said(void **state)
{
    struct facts f = {.type = "image/png",
                      .title = "The beach",
                      .description = "Waves and sand.",
                      .tags = "beach\nsea",
                      .taken = "2024-08-15T18:30:05",
                      .has_place = true,
                      .latitude = 38.72,
                      .longitude = -9.14,
                      .camera = "Nikon",
                      .width = 640,
                      .height = 480};

    (void)state;
    assert_text("trips/Lisbon_2024/beachDay-01.jpg", &f,
                "Image trips/Lisbon_2024/beachDay-01.jpg "
                "(trips Lisbon 2024 beach Day 01)\n"
                "The beach\n"
                "Waves and sand.\n"
                "Tags: beach, sea\n"
                "Taken on Thursday, 15 August 2024, evening, summer\n"
                "Place: 38.7200 N, 9.1400 W\n"
                "Camera: Nikon\n"
                "Size: 640 x 480 pixels\n");
}

static void
names_are_split_into_words(void **state)
{
    const struct facts none = {.width = 0};

    (void)state;
    assert_text("IMG20240815.png", &none,
                "Image IMG20240815.png (IMG 20240815)\n");
    assert_text("HTMLPage.v2.webp", &none,
                "Image HTMLPage.v2.webp (HTML Page v 2)\n");
    assert_text("M\xC3\xB6weAmMeer.gif", &none,
                "Image M\xC3\xB6weAmMeer.gif (M\xC3\xB6we Am Meer)\n");
    assert_text("--.png", &none, "Image --.png\n");
    assert_text("", &none, "Image \n");
    assert_text(".png", &none, "Image .png (png)\n");
    assert_text("a.b/c", &none, "Image a.b/c (a b c)\n");
}

static void
dates_are_in_words(void **state)
{
    (void)state;
    assert_date("2024", false, 0, "Taken in 2024\n");
    assert_date("2024-12", false, 0, "Taken in December 2024, winter\n");
    assert_date("2024-12", true, -33, "Taken in December 2024, summer\n");
    assert_date("2024-04", true, -33, "Taken in April 2024, autumn\n");
    assert_date("2024-04", true, 10, "Taken in April 2024\n");
    assert_date("2000-02-29", false, 0,
                "Taken on Tuesday, 29 February 2000, winter\n");
    assert_date("2024-05-01T00:00:00", false, 0,
                "Taken on Wednesday, 1 May 2024, spring\n");
    assert_date("2024-05-01T23:00:00", false, 0,
                "Taken on Wednesday, 1 May 2024, night, spring\n");
    assert_date("2024-05-01T11:59:59", false, 0,
                "Taken on Wednesday, 1 May 2024, morning, spring\n");
    assert_date("2024-09-01T12:00:00", false, 0,
                "Taken on Sunday, 1 September 2024, afternoon, autumn\n");
    assert_date("rubbish", false, 0, "");
    assert_date("", false, 0, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_known_is_said),
        cmocka_unit_test(names_are_split_into_words),
        cmocka_unit_test(dates_are_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
