/* Tests of files/sidecar.c and of files/image_fact.c, which it stands on. */
#include "plain_test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "files/image.h"
#include "files/image_fact.h"

static struct facts facts;

static bool
read_sidecar(const char *name, const char *text)
{
    size_t n = strlen(text);
    char *copy = xmalloc(n + !n); /* of its exact size */
    bool is;

    memcpy(copy, text, n);
    is = sidecar_read(name, copy, n, &facts);
    free(copy);
    return is;
}

static bool
read_anew(const char *name, const char *text)
{
    memset(&facts, 0, sizeof(facts));
    return read_sidecar(name, text);
}

static void
names_of_sidecars(void **state)
{
    (void)state;
    assert_true(sidecar_is_of("beach.jpg.json", "beach.jpg"));
    assert_true(sidecar_is_of("beach.json", "beach.jpg"));
    assert_true(sidecar_is_of("a.b/beach.txt", "a.b/beach.jpg"));
    assert_true(sidecar_is_of("beach.jpg.TXT", "beach.jpg"));
    assert_true(sidecar_is_of("a.b/beach.json", "a.b/beach"));
    assert_true(sidecar_is_of(".beach.json", ".beach"));
    assert_false(sidecar_is_of("beach.xml", "beach.jpg"));
    assert_false(sidecar_is_of("Beach.json", "beach.jpg"));
    assert_false(sidecar_is_of("beach.jp.json", "beach.jpg"));
    assert_false(sidecar_is_of("beac.json", "beach.jpg"));
    assert_false(sidecar_is_of("b/beach.json", "a/beach.jpg"));
    assert_false(sidecar_is_of("a.json", "a.b/beach"));
    assert_false(sidecar_is_of(".json", ".jpg"));
    assert_false(sidecar_is_of(".json", ""));
    assert_false(sidecar_is_of("a/.json", "a/"));
    assert_false(sidecar_is_of("beach.txt", "beach.txt"));
}

static void
json_says_what_is_to_be_seen(void **state)
{
    (void)state;
    assert_true(read_anew(
        "a.json", "{\"tags\": [\"beach\", 7, \"BEACH\", \" two  words \"], "
                  "\"description\": \"Waves.\\n\\nAnd sand.\", "
                  "\"title\": \"The\\tbeach\", \"more\": {\"x\": []}, "
                  "\"date\": \"2024-08-15T18:30:00+02:00\", "
                  "\"place\": {\"name\": \"Lisbon\", \"latitude\": 38.7, "
                  "\"longitude\": -9.1}}"));
    assert_string_equal(facts.tags, "beach\ntwo words\nLisbon");
    assert_string_equal(facts.description, "Waves.\nAnd sand.");
    assert_string_equal(facts.title, "The beach");
    assert_string_equal(facts.taken, "2024-08-15T18:30:00");
    assert_true(facts.has_place && facts.latitude == 38.7 &&
                facts.longitude == -9.1);
    assert_true(read_anew("a.JSON", "\xEF\xBB\xBF{\"keywords\": \"a, b;c\", "
                                    "\"caption\": \"x\", "
                                    "\"location\": [1, 2]}"));
    assert_string_equal(facts.tags, "a\nb\nc");
    assert_string_equal(facts.description, "x");
    assert_true(facts.has_place && facts.longitude == 2);
}

static void
a_text_is_a_description_and_lines(void **state)
{
    (void)state;
    assert_true(read_anew("a.txt", "Tags: beach, sea;sun\r\n"
                                   "date: 2024-08\n"
                                   "place: 38.7, -9.1\n"
                                   "place: Lisbon\n"
                                   "title: Sea\n"
                                   "date: tomorrow\n"
                                   "\nWaves at\nnoon."));
    assert_string_equal(facts.tags, "beach\nsea\nsun\nLisbon");
    assert_string_equal(facts.taken, "2024-08");
    assert_string_equal(facts.title, "Sea");
    assert_true(facts.has_place && facts.longitude == -9.1);
    assert_string_equal(facts.description, "date: tomorrow\nWaves at\nnoon.");
    assert_true(read_anew("a.txt", "B\xFCrger \x93x\x94 \x81"));
    assert_string_equal(facts.description,
                        "B\xC3\xBCrger \xE2\x80\x9Cx\xE2\x80\x9D");
}

static void
a_sidecar_stands_above_the_image(void **state)
{
    (void)state;
    memset(&facts, 0, sizeof(facts));
    snprintf(facts.type, sizeof(facts.type), "image/png");
    facts.width = 5;
    snprintf(facts.taken, sizeof(facts.taken), "2024-08-15T18:30:00");
    snprintf(facts.description, sizeof(facts.description), "of the camera");
    snprintf(facts.camera, sizeof(facts.camera), "Nikon");
    snprintf(facts.tags, sizeof(facts.tags), "sea\nsun");
    assert_true(read_sidecar("a.json",
                             "{\"tags\": [\"Sun\", \"beach\"], \"date\": "
                             "\"2024\", \"description\": \"Waves\"}"));
    assert_string_equal(facts.tags, "Sun\nbeach\nsea");
    assert_string_equal(facts.description, "Waves");
    assert_string_equal(facts.camera, "Nikon");
    assert_string_equal(facts.taken, "2024-08-15T18:30:00");
    assert_string_equal(facts.type, "image/png");
    assert_int_equal(facts.width, 5);
    assert_true(read_sidecar("a.json", "{\"date\": \"2023-01-02\"}"));
    assert_string_equal(facts.taken, "2023-01-02");
}

static void
what_is_none_changes_nothing(void **state)
{
    static const char *const none[] = {
        "",
        "{",
        "[]",
        "\"x\"",
        "{}",
        "{\"a\": 1}",
        "{\"tags\": 3}",
        "{\"tags\": [], \"description\": []}",
        "{\"description\": \"  \"}",
        "{\"place\": [91, 0]}",
        "{\"place\": {\"lat\": \"x\", \"lon\": 3}}",
        "{\"date\": \"soon\"}"};
    struct buf big;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        memset(&facts, 'x', sizeof(facts));
        facts.tags[5] = facts.taken[3] = facts.title[3] = '\0';
        facts.description[9] = facts.camera[2] = '\0';
        if (read_sidecar("a.json", none[i]))
            fail_msg("%s", none[i]);
        assert_int_equal(facts.width, 0x78787878);
    }
    assert_false(read_anew("a.xml", "{\"tags\": [\"a\"]}"));
    assert_false(read_anew("a.txt", " \n\t\n"));
    assert_false(sidecar_read("a.txt", "a\0b", 3, &facts));
    buf_init(&big, SIDECAR_MAX + 1);
    buf_adds(&big, "{\"tags\": [\"a\"]}");
    while (big.len < SIDECAR_MAX)
        buf_addc(&big, ' ');
    assert_true(sidecar_read("a.json", big.data, big.len, &facts));
    buf_addc(&big, ' ');
    assert_false(sidecar_read("a.json", big.data, big.len, &facts));
    assert_false(sidecar_read("a.txt", big.data, 9000, &facts));
    buf_release(&big);
}

static void
too_many_tags_are_cut_between_two(void **state)
{
    char tag[16];

    (void)state;
    memset(&facts, 0, sizeof(facts));
    for (int i = 0; i < 1000; i++) {
        snprintf(tag, sizeof(tag), "tag%d", i);
        fact_tag(&facts, tag, strlen(tag));
    }
    assert_in_range(strlen(facts.tags), FACTS_TAGS_MAX - 8, FACTS_TAGS_MAX);
    assert_non_null(strstr(facts.tags, "\ntag100\n"));
    fact_tag(&facts, "x\xE2\x82", 3);
}

static void
texts_are_cut_between_characters(void **state)
{
    char out[8] = "before";

    (void)state;
    assert_false(fact_text(out, sizeof(out), " \n\t\xC2\xA0", 5, false));
    assert_string_equal(out, "before");
    assert_true(fact_text(out, sizeof(out), "\n a\n\nb\xE2\x82\xAC\xE2\x82\xAC",
                          12, true));
    assert_string_equal(out, "a\nb\xE2\x82\xAC");
    assert_true(fact_text(out, sizeof(out), "a\n\n b\1\2c\0\0", 10, false));
    assert_string_equal(out, "a b c");
}

static void
dates_as_they_are_written(void **state)
{
    static const struct {
        const char *in, *out;
    } good[] = {{"2024:08:15 18:30:05", "2024-08-15T18:30:05"},
                {"2024-08-15T18:30:05.123+02:00", "2024-08-15T18:30:05"},
                {"2024-08-15T18:30Z", "2024-08-15T18:30:00"},
                {"2024-08-15 18:30", "2024-08-15T18:30:00"},
                {"20240815", "2024-08-15"},
                {"20240815T183005+0100", "2024-08-15T18:30:05"},
                {" 2024/08/15 ", "2024-08-15"},
                {"2024-08-15T25:00:00", "2024-08-15"},
                {"2024-02-29", "2024-02-29"},
                {"2024-08", "2024-08"},
                {"2024:00:00 00:00:00", "2024"},
                {"2024", "2024"}};
    static const char *const bad[] = {
        "",           "0000:00:00 00:00:00", "2023-02-29",
        "2024-13-01", "2024-08-32",          "15.08.2024",
        "20",         "2024 or so",          "12345",
        "now",        "-100-01-01"};
    char out[20];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(fact_date(out, good[i].in, strlen(good[i].in)));
        assert_string_equal(out, good[i].out);
    }
    snprintf(out, sizeof(out), "before");
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (fact_date(out, bad[i], strlen(bad[i])))
            fail_msg("%s", bad[i]);
    assert_string_equal(out, "before");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_sidecars),
        cmocka_unit_test(json_says_what_is_to_be_seen),
        cmocka_unit_test(a_text_is_a_description_and_lines),
        cmocka_unit_test(a_sidecar_stands_above_the_image),
        cmocka_unit_test(what_is_none_changes_nothing),
        cmocka_unit_test(too_many_tags_are_cut_between_two),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(dates_as_they_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
