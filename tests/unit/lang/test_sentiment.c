/* Tests of lang/sentiment*.c. */
#include "lang_test.h"

#include <math.h>

#include "lang/lexicon.h"
#include "lang/reading.h"
#include "lang/sentiment.h"

static const char words[] =
    "good\t3\ngreat\t3\nlove\t3\nloved\t3\nhappy\t3\nlike\t2\nfun\t4\n"
    "bad\t-3\nterrible\t-3\nhated\t-3\nslow\t-2\nwar\t-2\ndie\t-3\nhelp\t2\n"
    "can't stand\t-3\nnot good\t-2\nproblem\t-2\nsad\t-2\n";
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

/* The score of a text; its label in *label if that is not NULL. */
static double
score_of(const char *s, enum sentiment_label *label)
{
    struct sentiment found;
    struct reading r;
    double score;

    assert_int_equal(reading_read(&r, s, strlen(s)), OK);
    sentiment_read(&found, &r, lex);
    score = found.score;
    if (label != NULL)
        *label = found.label;
    sentiment_release(&found);
    reading_release(&r);
    return score;
}

static void
assert_label(const char *s, enum sentiment_label want)
{
    enum sentiment_label label;
    double score = score_of(s, &label);

    if (label != want)
        fail_msg("\"%s\" is %s (%.2f), not %s", s, sentiment_name(label), score,
                 sentiment_name(want));
}

static void
assert_more(const char *a, const char *b)
{
    if (score_of(a, NULL) <= score_of(b, NULL))
        fail_msg("\"%s\" (%.3f) is not more than \"%s\" (%.3f)", a,
                 score_of(a, NULL), b, score_of(b, NULL));
}

static void
texts_have_labels(void **state)
{
    (void)state;
    assert_label("This is a great thing and I love it.", SENTIMENT_POSITIVE);
    assert_label("This is terrible. I hated it.", SENTIMENT_NEGATIVE);
    assert_label("The bus leaves at noon.", SENTIMENT_NEUTRAL);
    assert_label("I loved the pool. I hated the food.", SENTIMENT_MIXED);
    assert_label("Great!", SENTIMENT_POSITIVE);
    assert_label("", SENTIMENT_UNKNOWN);
    assert_label("...", SENTIMENT_UNKNOWN);
}

static void
negation_turns_a_word_round(void **state)
{
    (void)state;
    assert_label("It is not great.", SENTIMENT_NEGATIVE);
    assert_label("It isn't a great day.", SENTIMENT_NEGATIVE);
    assert_label("It was never really good.", SENTIMENT_NEGATIVE);
    assert_label("This is not bad.", SENTIMENT_POSITIVE);
    assert_label("This works without a problem.", SENTIMENT_POSITIVE);
    assert_label("I don’t love it.", SENTIMENT_NEGATIVE);
    /* It takes strength, and reaches three words but no comma. */
    assert_more("It is bad.", "It is very bad.");
    assert_more("It is good.", "It is not bad.");
    assert_label("Not one of all those is good.", SENTIMENT_POSITIVE);
    assert_label("No, it is great.", SENTIMENT_POSITIVE);
    assert_label("It is not only good, it is great.", SENTIMENT_POSITIVE);
}

static void
entries_of_several_words_come_first(void **state)
{
    (void)state;
    assert_label("I can't stand this.", SENTIMENT_NEGATIVE);
    assert_label("We can’t  stand this.", SENTIMENT_NEGATIVE);
    assert_more("It is not great.", "It is not good, not good.");
}

static void
adverbs_capitals_and_marks_scale(void **state)
{
    (void)state;
    assert_more("It is very good.", "It is good.");
    assert_more("It is extremely good.", "It is very good.");
    assert_more("It is good.", "It is slightly good.");
    assert_more("It is slightly bad.", "It is bad.");
    assert_more("It is GOOD and so on.", "It is good and so on.");
    assert_more("It is good!", "It is good.");
    assert_more("It is good!!!", "It is good!");
    assert_true(fabs(score_of("It is good!!!", NULL) -
                     score_of("It is good!!!!!!!!", NULL)) < 1e-9);
}

static void
what_comes_after_but_weighs_more(void **state)
{
    (void)state;
    assert_label("The food was good but the room was bad.", SENTIMENT_NEGATIVE);
    assert_label("The room was bad but the food was good.", SENTIMENT_POSITIVE);
}

static void
faces_count(void **state)
{
    (void)state;
    assert_label("We go there now :)", SENTIMENT_POSITIVE);
    assert_label("We go there now :-(", SENTIMENT_NEGATIVE);
    assert_label("We go there now 😡", SENTIMENT_NEGATIVE);
    assert_label("We go there <3", SENTIMENT_POSITIVE);
    assert_label("See http://a.b/c and x:/y or f(:a)", SENTIMENT_NEUTRAL);
    assert_label("今天 😀", SENTIMENT_POSITIVE);
}

static void
like_is_no_praise_in_a_comparison(void **state)
{
    (void)state;
    assert_label("I like the colour.", SENTIMENT_POSITIVE);
    assert_label("It looks like the other one.", SENTIMENT_NEUTRAL);
}

static void
another_language_is_unknown(void **state)
{
    enum sentiment_label label;
    double score = score_of("Die Fahrt war lang und das ist so.", &label);

    (void)state;
    assert_int_equal(label, SENTIMENT_UNKNOWN);
    assert_true(fabs(score) < 1e-9);
    assert_label("今天天气很好。", SENTIMENT_UNKNOWN);
    assert_label("Die Fahrt war gut und das ist so 😀", SENTIMENT_POSITIVE);
}

static void
without_a_lexicon_it_is_unknown(void **state)
{
    static const char s[] = "This is a great thing.";
    struct sentiment found;
    struct reading r;

    (void)state;
    assert_int_equal(reading_read(&r, s, sizeof(s) - 1), OK);
    sentiment_read(&found, &r, NULL);
    assert_int_equal(found.label, SENTIMENT_UNKNOWN);
    assert_string_equal(sentiment_name(found.label), "unknown");
    sentiment_release(&found);
    reading_release(&r);
}

static void
counts_words_and_sentences_are_told(void **state)
{
    static const char s[] = "I love it. It is not good! We can't stand it. "
                            "It is good, good and Good. Now.";
    struct sentiment found;
    struct reading r;

    (void)state;
    assert_int_equal(reading_read(&r, s, sizeof(s) - 1), OK);
    sentiment_read(&found, &r, lex);
    assert_int_equal(found.positive, 4);
    assert_int_equal(found.negative, 2);
    assert_true(found.sentences[0] > 0 && found.sentences[1] < 0);
    assert_true(found.sentences[2] < 0 && found.sentences[3] > 0);
    assert_true(fabs(found.sentences[4]) < 1e-9);
    assert_int_equal(found.n_top, 4);
    assert_text(found.top[0].text, found.top[0].len, "love");
    assert_text(found.top[1].text, found.top[1].len, "can't stand");
    assert_text(found.top[2].text, found.top[2].len, "good");
    assert_text(found.top[3].text, found.top[3].len, "not good");
    sentiment_release(&found);
    reading_release(&r);
}

static void
no_more_than_the_strongest_words_are_told(void **state)
{
    for (size_t more = 0; more < 2; more++) {
        char tsv[600], text[600];
        struct lexicon *many;
        struct sentiment found;
        struct reading r;
        size_t n = 0, k = 0;

        (void)state;
        for (size_t i = 0; i < SENTIMENT_TOP_MAX + more; i++) {
            n += (size_t)snprintf(tsv + n, sizeof(tsv) - n, "wx%c\t%d\n",
                                  (char)('a' + i), i == 0 ? 1 : 2);
            k += (size_t)snprintf(text + k, sizeof(text) - k, "The wx%c. ",
                                  (char)('a' + i));
        }
        assert_int_equal(lexicon_read(&many, tsv, n, NULL), OK);
        assert_int_equal(reading_read(&r, text, k), OK);
        sentiment_read(&found, &r, many);
        assert_int_equal(found.n_top, SENTIMENT_TOP_MAX);
        assert_int_equal(found.positive, SENTIMENT_TOP_MAX + more);
        /* The weakest is the one that goes. */
        assert_text(found.top[SENTIMENT_TOP_MAX - 1].text,
                    found.top[SENTIMENT_TOP_MAX - 1].len, more ? "wxi" : "wxa");
        sentiment_release(&found);
        reading_release(&r);
        lexicon_free(many);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_have_labels),
        cmocka_unit_test(negation_turns_a_word_round),
        cmocka_unit_test(entries_of_several_words_come_first),
        cmocka_unit_test(adverbs_capitals_and_marks_scale),
        cmocka_unit_test(what_comes_after_but_weighs_more),
        cmocka_unit_test(faces_count),
        cmocka_unit_test(like_is_no_praise_in_a_comparison),
        cmocka_unit_test(another_language_is_unknown),
        cmocka_unit_test(without_a_lexicon_it_is_unknown),
        cmocka_unit_test(counts_words_and_sentences_are_told),
        cmocka_unit_test(no_more_than_the_strongest_words_are_told),
    };

    return cmocka_run_group_tests(tests, open_lexicon, close_lexicon);
}
