/* Tests of lang/textrank.c. */
#include "lang_test.h"

#include "lang/reading.h"
#include "lang/textrank.h"

/* The k best sentences of a text, with "|" between. */
static void
assert_best(const char *input, size_t k, size_t bytes, const char *want)
{
    struct textrank_want most = {k, bytes};
    uint32_t picked[16];
    struct textrank ranks;
    struct reading r;
    char out[2000];
    size_t n, len = 0;

    assert_int_equal(reading_read(&r, input, strlen(input)), OK);
    textrank_read(&ranks, &r);
    n = textrank_pick(&ranks, &r, 0, r.sentences.n, &most, picked);
    assert_true(n <= k);
    out[0] = '\0';
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(
            out + len, sizeof(out) - len, "%s%.*s", i > 0 ? "|" : "",
            (int)r.sentences.at[picked[i]].len, r.sentences.at[picked[i]].text);
    assert_string_equal(out, want);
    textrank_release(&ranks);
    reading_release(&r);
}

static const char weather[] =
    "My cat sleeps on the old sofa all day. "
    "The storm brought heavy rain to the northern coast. "
    "Heavy rain flooded many streets along the coast. "
    "He paid with a card. "
    "Streets near the coast were closed because of the storm and the rain. "
    "Who would have thought of rain and storm on the coast?";

static void
sentences_that_share_words_come_first_in_the_order_of_the_text(void **state)
{
    (void)state;
    assert_best(weather, 2, 0,
                "The storm brought heavy rain to the northern coast.|"
                "Heavy rain flooded many streets along the coast.");
    assert_best(weather, 0, 0, "");
    assert_best(weather, 3, 60,
                "The storm brought heavy rain to the northern coast.");
    assert_best("", 3, 0, "");
    assert_best("...", 3, 0, "");
    assert_best("It is what it is.", 3, 0, "");
    assert_best("Only this cat is here.", 3, 0, "Only this cat is here.");
}

static void
what_says_the_same_is_told_once(void **state)
{
    (void)state;
    assert_best("The server stores every message on disk. "
                "Every message is stored on disk by the server! "
                "Backups are taken at night without a pause.",
                3, 0,
                "The server stores every message on disk.|"
                "Backups are taken at night without a pause.");
}

static void
headings_count_only_where_there_is_nothing_else(void **state)
{
    (void)state;
    assert_best("# The storm and the rain on the coast\n\n"
                "The storm and the rain came to the coast.",
                2, 0, "The storm and the rain came to the coast.");
    assert_best("# Storm warning for the coast", 2, 0,
                "Storm warning for the coast");
}

static void
chinese_sentences_share_pairs_of_characters(void **state)
{
    (void)state;
    assert_best("北京今天下大雨，街道被淹。我喜欢吃苹果和香蕉。"
                "大雨使北京的街道关闭。",
                1, 0, "北京今天下大雨，街道被淹。");
}

static void
of_a_long_text_a_sample_is_compared(void **state)
{
    for (size_t more = 0; more < 2; more++) {
        const size_t n = TEXTRANK_SENTENCES_MAX + more * 1000;
        char *s = xmalloc(n * 40 + 1);
        size_t len = 0, compared = 0;
        struct textrank ranks;
        struct reading r;

        (void)state;
        for (size_t i = 0; i < n; i++)
            len += (size_t)snprintf(s + len, 41, "Number w%zu is in the list. ",
                                    i);
        assert_int_equal(reading_read(&r, s, len), OK);
        assert_int_equal(r.sentences.n, n);
        textrank_read(&ranks, &r);
        for (size_t i = 0; i < ranks.n; i++) {
            compared += ranks.rank[i] > 0;
            assert_true(ranks.rank[i] >= 0 && ranks.rank[i] <= 1);
        }
        assert_int_equal(compared, TEXTRANK_SENTENCES_MAX);
        assert_true(ranks.rank[0] > 0 && ranks.rank[n - 1] > 0);
        assert_true(ranks.rank[TEXTRANK_SENTENCES_MAX / 8 - 1] > 0);
        assert_true(ranks.rank[n - TEXTRANK_SENTENCES_MAX / 8] > 0);
        textrank_release(&ranks);
        reading_release(&r);
        free(s);
    }
}

static void
likeness_is_told(void **state)
{
    static const char s[] = "The red car stops here. Here the red cars stop! "
                            "The blue boat leaves. And then.";
    struct reading r;

    (void)state;
    assert_int_equal(reading_read(&r, s, sizeof(s) - 1), OK);
    assert_int_equal(r.sentences.n, 4);
    assert_true(textrank_alike(&r, 0, 1) && textrank_alike(&r, 1, 0));
    assert_false(textrank_alike(&r, 0, 2) || textrank_alike(&r, 0, 3));
    reading_release(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            sentences_that_share_words_come_first_in_the_order_of_the_text),
        cmocka_unit_test(what_says_the_same_is_told_once),
        cmocka_unit_test(headings_count_only_where_there_is_nothing_else),
        cmocka_unit_test(chinese_sentences_share_pairs_of_characters),
        cmocka_unit_test(of_a_long_text_a_sample_is_compared),
        cmocka_unit_test(likeness_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
