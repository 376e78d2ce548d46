/* Tests of the parser that reads what models write: every text that
 * json_parse_lenient takes means the same, and broken escapes are read. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"

#define BAD "\xef\xbf\xbd" /* U+FFFD */

/* The text of ["..."], from a block without a byte behind it. */
static void
expect_text(const char *escaped, const char *want)
{
    size_t n = strlen(escaped) + 4;
    char *json = xmalloc(n);
    cJSON *tree;

    memcpy(json, "[\"", 2);
    memcpy(json + 2, escaped, n - 4);
    memcpy(json + n - 2, "\"]", 2);
    tree = json_parse_mended(json, n);
    free(json);
    if (tree == NULL)
        fail_msg("%s is not read", escaped);
    assert_string_equal(tree->child->valuestring, want);
    cJSON_Delete(tree);
}

static void
escapes_that_are_whole_stay(void **state)
{
    (void)state;
    expect_text("plain", "plain");
    expect_text("\\u00e9\\u0041", "\xc3\xa9"
                                  "A");
    expect_text("\\ud83d\\ude00", "\xf0\x9f\x98\x80");
    expect_text("\\uD83D\\uDE00!", "\xf0\x9f\x98\x80!");
    expect_text("\\\\u0000", "\\u0000");
    expect_text("\\\\\\u0041", "\\A");
    expect_text("\\n\\t\\\"\\u0022", "\n\t\"\"");
}

static void
broken_escapes_are_replaced(void **state)
{
    (void)state;
    expect_text("\\u0000", BAD);
    expect_text("a\\ud83d", "a" BAD);
    expect_text("\\ude00b", BAD "b");
    expect_text("\\ud83d\\ud83d\\ude00", BAD "\xf0\x9f\x98\x80");
    expect_text("\\ud83d\\u0041", BAD "A");
    expect_text("\\ud83dx\\ude00", BAD "x" BAD);
    expect_text("\\ud83d\\n", BAD "\n");
}

static void
what_is_no_json_stays_none(void **state)
{
    static const char *const bad[] = {"",          "[\"\\u\"]", "[\"\\u12\"]",
                                      "[\"\\ud83", "[\"\\",     "\\u0000",
                                      "[\"\\u00",  "{\\u0000",  "[\"\\ud83d\\"};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++) {
        size_t n = strlen(bad[i]);
        char *exact = xmalloc(n);

        memcpy(exact, bad[i], n);
        if (json_parse_mended(exact, n) != NULL)
            fail_msg("%s was read", bad[i]);
        free(exact);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_that_are_whole_stay),
        cmocka_unit_test(broken_escapes_are_replaced),
        cmocka_unit_test(what_is_no_json_stays_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
