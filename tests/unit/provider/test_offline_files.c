/* Tests of provider/offline_files.c: answers from excerpts of files. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"
#include "provider/offline.h"
#include "provider/provider.h"

#define ANSWER_MAX (1024 * 1024) /* bytes */

static const char birds[] =
    "Herons nest in old alders near the water. They come back every spring. "
    "Nobody counts them.";
static const char boats[] =
    "The ferry leaves at noon. On Sundays the ferry does not sail.";

static char text[ANSWER_MAX + 1];
static struct offline_fit fit;

static bool
tell(const struct excerpt *x, size_t n, const char *message)
{
    const struct ask ask = {.excerpts = x, .n_excerpts = n};
    struct buf out;
    bool found;

    buf_init(&out, ANSWER_MAX);
    found = offline_from_files(&ask, message, strlen(message), &out, &fit);
    assert_int_equal(buf_status(&out), OK);
    assert_int_equal(found, out.len > 0);
    (void)snprintf(text, sizeof(text), "%s", buf_cstr(&out));
    buf_release(&out);
    return found;
}

static struct excerpt
excerpt_of(const char *name, const char *heading, const char *s)
{
    return (struct excerpt){.name = name,
                            .title = "",
                            .heading = heading,
                            .text = s,
                            .len = strlen(s),
                            .similarity = 0.5};
}

#define HAS(part) assert_non_null(strstr(text, part))
#define LACKS(part) assert_null(strstr(text, part))

static void
the_best_sentences_are_told_with_their_number(void **state)
{
    const struct excerpt x[] = {excerpt_of("boats.txt", "", boats),
                                excerpt_of("birds.txt", "Herons", birds)};

    (void)state;
    assert_true(tell(x, COUNT_OF(x), "Where do herons nest?"));
    HAS("**Herons** [2]\n");
    HAS("Herons nest in old alders near the water.");
    HAS("[2] birds.txt");
    LACKS("ferry");
    LACKS("boats.txt");
    assert_true(tell(x, COUNT_OF(x), "When does the ferry sail?"));
    HAS("**boats.txt** [1]\n"); /* without a heading it is its name */
    HAS("[1] boats.txt");
    LACKS("birds.txt");
}

static void
what_is_not_there_is_not_told(void **state)
{
    struct excerpt x[] = {excerpt_of("boats.txt", "", boats),
                          excerpt_of("birds.txt", "Herons", birds)};

    (void)state;
    x[0].similarity = x[1].similarity = 0.1;
    assert_false(tell(x, COUNT_OF(x), "Who invented the telephone?"));
    assert_false(tell(x, COUNT_OF(x), ""));
    assert_false(tell(x, COUNT_OF(x), "the of and"));
    assert_false(tell(x, 0, "Where do herons nest?"));
    assert_false(tell(NULL, 0, "Where do herons nest?"));
}

static void
what_overlaps_is_told_once(void **state)
{
    const struct excerpt x[] = {excerpt_of("birds.txt", "Herons", birds),
                                excerpt_of("birds.txt", "Herons", birds)};
    const char *at;

    (void)state;
    assert_true(tell(x, COUNT_OF(x), "Where do herons nest?"));
    at = strstr(text, "Herons nest in old alders");
    assert_non_null(at);
    assert_null(strstr(at + 1, "Herons nest in old alders"));
}

/* Headings in the text of an excerpt cut it; the file is named once. */
static void
a_file_of_many_parts_is_named_once(void **state)
{
    const struct excerpt x[] = {excerpt_of(
        "birds.md", "Herons",
        "Herons nest in alders.\n\n## Herons in spring\n\nHerons nest early in "
        "spring.\n\n## Herons in winter\n\nHerons nest never in winter.\n")};
    const char *at;

    (void)state;
    assert_true(tell(x, 1, "When do herons nest?"));
    at = strstr(text, "[1] birds.md");
    assert_non_null(at);
    assert_null(strstr(at + strlen("[1] birds.md"), "birds.md"));
}

static void
odd_excerpts_do_no_harm(void **state)
{
    const struct excerpt x[] = {
        excerpt_of("", "", ""), excerpt_of("a", "", "\n\n\n"),
        excerpt_of("b", "## ```", "```\nherons"),
        excerpt_of("c", "%s%n", "%s %n herons nest | | |\n|---|\n"),
        excerpt_of("d", "x\ny", "- herons\n- nest\n\xC3")};

    (void)state;
    for (size_t n = 0; n <= COUNT_OF(x); n++) {
        (void)tell(x, n, "Where do herons nest?");
        (void)tell(x, n, "%s%n");
    }
}

/* --- code and tables ------------------------------------------------------ */

/* The index keeps no fences: lines that look like code get them again. */
static void
code_is_told_as_code(void **state)
{
    const struct excerpt doc = excerpt_of("ferry.md", "Ferry > Start",
                                          "## Start\n\nStart the ferry like "
                                          "this:\n\nmake ferry\ncd ferry && "
                                          "./run --fast\n\nIt floats.");
    struct excerpt source = excerpt_of(
        "ferry.c", "", "static int\nstart_ferry(void)\n{\n    go();\n}\n");

    (void)state;
    assert_true(tell(&doc, 1, "How do I start the ferry?"));
    HAS("Start the ferry like this:\n\n```\nmake ferry\ncd ferry && "
        "./run --fast\n```\n");
    HAS("**Start** [1]"); /* the last of its headings */
    assert_false(fit.code);
    /* All of a file of code is code, and its names are words. */
    source.code = true;
    assert_true(tell(&source, 1, "where does the ferry start"));
    HAS("```\nstatic int\nstart_ferry(void)\n{\n    go();\n}\n```\n");
    assert_true(fit.code);
    source.text = "start_ferry();\n```\n# no heading\n";
    source.len = strlen(source.text);
    assert_true(tell(&source, 1, "where does the ferry start"));
    HAS("```\nstart_ferry();\n# no heading\n```\n"); /* cannot be closed */
}

static void
prose_is_no_code(void **state)
{
    static const char *const texts[] = {
        "The ferry sails; make haste.",
        "From the ferry one sees the town.\nMake sure to look.",
        "- the ferry\n- the boat",
        "# The ferry\n\nIt sails: at noon, at night.",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const struct excerpt x = excerpt_of("a.md", "", texts[i]);

        assert_true(tell(&x, 1, "the ferry?"));
        LACKS("```");
    }
}

static void
the_row_that_was_asked_for_is_told(void **state)
{
    const struct excerpt x = excerpt_of(
        "jabs.md", "Jabs",
        "who: Ines, what: tetanus, diphtheria, last: 2019\n"
        "who: Tom, what: tetanus, diphtheria, last: 2012\n"
        "who: Tom, what: hepatitis, last: 2016\n");

    (void)state;
    assert_true(tell(&x, 1, "When had Tom the tetanus jab?"));
    HAS("- who: Tom, what: tetanus, diphtheria, last: 2012\n");
    LACKS("hepatitis");
}

/* --- images --------------------------------------------------------------- */

static struct excerpt
image_of(const char *name, const char *s)
{
    struct excerpt x = excerpt_of(name, "", s);

    x.image = true;
    x.similarity = 0.2;
    return x;
}

static enum offline_images
list(const struct excerpt *x, size_t n, const char *message)
{
    const struct ask ask = {.excerpts = x, .n_excerpts = n};
    struct buf out;
    enum offline_images found;

    buf_init(&out, ANSWER_MAX);
    found = offline_images(&ask, message, strlen(message), &out);
    assert_int_equal(found == IMAGES_TOLD, out.len > 0);
    (void)snprintf(text, sizeof(text), "%s", buf_cstr(&out));
    buf_release(&out);
    return found;
}

static const char day[] = "Image day.jpg (day)\nAt the beach\nSand, and a red "
                          "ball.\nTags: beach, sand\nTaken on Sunday, 14 July "
                          "2024, summer\nSize: 3 x 2 pixels\n";
static const char dusk[] =
    "Image dusk.jpg (dusk)\nThe sun sets at the beach.\n";
static const char peak[] = "Image peak.png (peak)\nTags: mountain, sunset\n";

static void
all_images_that_fit_are_listed(void **state)
{
    const struct excerpt x[] = {
        image_of("day.jpg", day), image_of("dusk.jpg", dusk),
        excerpt_of("boats.txt", "", boats), image_of("peak.png", peak)};

    (void)state;
    assert_int_equal(list(x, 4, "show me beach pictures"), IMAGES_TOLD);
    HAS("- **day.jpg** [1]: At the beach. Sand, and a red ball. *Taken on "
        "Sunday, 14 July 2024, summer*\n");
    HAS("- **dusk.jpg** [2]: The sun sets at the beach.\n");
    LACKS("peak.png");
    LACKS("pixels");
    assert_int_equal(list(x, 4, "the sunset ones"), IMAGES_TOLD);
    HAS("- **peak.png** [4]: Tags: mountain, sunset\n");
    LACKS("day.jpg");
    assert_int_equal(list(x, 4, "Welche Bilder habe ich?"), IMAGES_TOLD);
    HAS("day.jpg");
    HAS("dusk.jpg");
    HAS("peak.png");
    LACKS("boats.txt");
}

static void
images_that_are_not_there_are_not_listed(void **state)
{
    const struct excerpt x[] = {image_of("day.jpg", day),
                                image_of("dusk.jpg", dusk)};
    const struct excerpt other = excerpt_of("boats.txt", "", boats);

    (void)state;
    assert_int_equal(list(x, 2, "show me a picture of a quasar"), IMAGES_NONE);
    assert_int_equal(list(&other, 1, "show me a picture of a ferry"),
                     IMAGES_NONE);
    assert_int_equal(list(NULL, 0, "show me my photos"), IMAGES_NONE);
    assert_int_equal(list(NULL, 0, ""), IMAGES_NOT_ASKED);
    assert_int_equal(list(x, 2, "does it support images?"), IMAGES_NOT_ASKED);
    assert_int_equal(list(x, 2, "how do I upload a photo"), IMAGES_NOT_ASKED);
    assert_int_equal(list(x, 2, "how do I set a key"), IMAGES_NOT_ASKED);
    assert_int_equal(list(x, 2, "is a png a type of image"), IMAGES_NOT_ASKED);
}

static void
a_long_message_is_read_so_far(void **state)
{
    static const char show[] = "photos my";
    const struct excerpt x = image_of("day.jpg", day);
    char message[OFFLINE_IMAGES_READ + 2];

    (void)state;
    for (size_t over = 0; over < 2; over++) {
        size_t n = OFFLINE_IMAGES_READ + over, at = n - (sizeof(show) - 1);

        (void)memset(message, '.', at);
        (void)memcpy(message + at, show, sizeof(show));
        assert_int_equal(list(&x, 1, message),
                         over == 0 ? IMAGES_TOLD : IMAGES_NOT_ASKED);
    }
}

static void
odd_images_do_no_harm(void **state)
{
    const struct excerpt x[] = {image_of("", ""),
                                image_of("a", "\n\n"),
                                image_of("b", "Image "),
                                image_of("c", "Image c\nTaken \nTaken "),
                                image_of("d", "%s%n beach\nbeach \xC3"),
                                image_of("d", "beach")};
    const char *at;

    (void)state;
    for (size_t n = 0; n <= COUNT_OF(x); n++)
        assert_int_equal(list(x, n, "my photos"),
                         n > 0 ? IMAGES_TOLD : IMAGES_NONE);
    assert_int_equal(list(x, COUNT_OF(x), "the beach?"), IMAGES_TOLD);
    at = strstr(text, "**d**"); /* once, though two excerpts are of it */
    assert_non_null(at);
    assert_null(strstr(at + 1, "**d**"));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_sentences_are_told_with_their_number),
        cmocka_unit_test(what_is_not_there_is_not_told),
        cmocka_unit_test(what_overlaps_is_told_once),
        cmocka_unit_test(a_file_of_many_parts_is_named_once),
        cmocka_unit_test(odd_excerpts_do_no_harm),
        cmocka_unit_test(code_is_told_as_code),
        cmocka_unit_test(prose_is_no_code),
        cmocka_unit_test(the_row_that_was_asked_for_is_told),
        cmocka_unit_test(all_images_that_fit_are_listed),
        cmocka_unit_test(images_that_are_not_there_are_not_listed),
        cmocka_unit_test(a_long_message_is_read_so_far),
        cmocka_unit_test(odd_images_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
