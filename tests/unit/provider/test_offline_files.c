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

static bool
tell(const struct excerpt *x, size_t n, const char *message)
{
    const struct ask ask = {.excerpts = x, .n_excerpts = n};
    struct buf out;
    bool found;

    buf_init(&out, ANSWER_MAX);
    found = offline_from_files(&ask, message, strlen(message), &out);
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

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_sentences_are_told_with_their_number),
        cmocka_unit_test(what_is_not_there_is_not_told),
        cmocka_unit_test(what_overlaps_is_told_once),
        cmocka_unit_test(a_file_of_many_parts_is_named_once),
        cmocka_unit_test(odd_excerpts_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
