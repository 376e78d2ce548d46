/* Tests of lang/analysis.c. */
#include "lang_test.h"

#include "base/buf.h"
#include "base/text.h"
#include "lang/analysis.h"
#include "lang/lexicon.h"

static const char words[] = "love\t3\nterrible\t-3\nuseless\t-2\n";
static struct lexicon *lex;

static int
open_lexicon(void **state)
{
    (void)state;
    return lexicon_read(&lex, words, sizeof(words) - 1, NULL);
}

static int
close_lexicon(void **state)
{
    (void)state;
    lexicon_free(lex);
    return 0;
}

static void
assert_told(const char *text, const char *want)
{
    struct analysis a;
    struct buf out;

    buf_init(&out, 100000);
    assert_int_equal(analysis_run(text, strlen(text), lex, &a), OK);
    analysis_tell(&out, &a);
    assert_string_equal(buf_cstr(&out), want);
    analysis_release(&a);
    buf_release(&out);
}

static void
a_text_is_told_in_parts(void **state)
{
    (void)state;
    assert_told("The Acme Corp support was useless when the new printer broke "
                "on Monday. The printer cost $300 and the printer is "
                "terrible. I love my old printer.",
                "**Sentiment:** mixed (-0.15)\n"
                "\n- good: love\n- bad: terrible, useless\n"
                "\n**Key points**\n\n"
                "- The printer cost $300 and the printer is terrible.\n"
                "\n**Key phrases:** Acme Corp, printer, support, useless, "
                "Monday\n"
                "\n**Entities**\n"
                "\n- Organisations: Acme Corp\n- Dates: Monday\n"
                "- Money: $300\n");
}

static void
what_says_nothing_is_told_shortly(void **state)
{
    (void)state;
    assert_told("", "**Sentiment:** unknown\n");
    assert_told("The bus leaves.", "**Sentiment:** neutral (0.00)\n"
                                   "\n**Key points**\n\n- The bus leaves.\n"
                                   "\n**Key phrases:** bus\n");
}

static void
key_points_grow_with_the_text(void **state)
{
    static const size_t want[][2] = {{1, 1}, {3, 1}, {4, 2}, {15, 5}, {40, 5}};
    static const char *const nouns[] = {"river", "stone", "forest", "village"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        char s[4000];
        size_t n = 0;
        struct analysis a;

        for (size_t k = 0; k < want[i][0]; k++)
            n += (size_t)snprintf(s + n, sizeof(s) - n,
                                  "The %s number w%zu lies near x%zu. ",
                                  nouns[k % 4], k, k);
        assert_int_equal(analysis_run(s, n, lex, &a), OK);
        assert_int_equal(a.reading.sentences.n, want[i][0]);
        assert_int_equal(a.n_points, want[i][1]);
        for (size_t k = 1; k < a.n_points; k++)
            assert_true(a.points[k] > a.points[k - 1]);
        analysis_release(&a);
    }
}

static void
a_point_may_be_longer_than_all_should_be(void **state)
{
    char *s = repeat("words of a sentence that does not end ",
                     ANALYSIS_POINTS_BYTES + 300);
    struct analysis a;
    struct buf out;

    (void)state;
    buf_init(&out, 100000);
    assert_int_equal(analysis_run(s, strlen(s), lex, &a), OK);
    assert_int_equal(a.n_points, 1);
    analysis_tell(&out, &a);
    assert_non_null(strstr(buf_cstr(&out), " …\n"));
    assert_true(out.len < 2 * ANALYSIS_POINT_MAX);
    buf_release(&out);
    analysis_release(&a);
    free(s);
}

static void
too_much_is_refused(void **state)
{
    char *s = repeat("The word is here. ", ANALYSIS_INPUT_MAX + 1);
    struct analysis a;

    (void)state;
    assert_int_equal(analysis_run(s, ANALYSIS_INPUT_MAX, lex, &a), OK);
    analysis_release(&a);
    assert_int_equal(analysis_run(s, ANALYSIS_INPUT_MAX + 1, lex, &a),
                     ERR_TOOBIG);
    free(s);
}

static void
assert_plain(const char *s, size_t max, const char *want)
{
    struct buf out;

    buf_init(&out, 1000);
    analysis_add_plain(&out, s, strlen(s), max);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
}

static void
plain_text_stays_plain_in_markdown(void **state)
{
    (void)state;
    assert_plain("a*b `c` \\d", 0, "a\\*b \\`c\\` \\\\d");
    assert_plain("snake_case _x_ ä_ö", 0, "snake_case \\_x\\_ ä_ö");
    assert_plain("<b> 1 < 2 <3", 0, "\\<b> 1 < 2 <3");
    assert_plain("one two three", 13, "one two three");
    assert_plain("one two three", 12, "one two …");
    assert_plain("äääää", 5, "ää …");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_told_in_parts),
        cmocka_unit_test(what_says_nothing_is_told_shortly),
        cmocka_unit_test(key_points_grow_with_the_text),
        cmocka_unit_test(a_point_may_be_longer_than_all_should_be),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(plain_text_stays_plain_in_markdown),
    };

    return cmocka_run_group_tests(tests, open_lexicon, close_lexicon);
}
