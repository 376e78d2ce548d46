/* Tests of lang/sentence.c and sentence_abbrev.c. */
#include "lang_test.h"

#include "lang/sentence.h"

/* The sentences of a text, with "|" between. */
static void
assert_cut(const char *input, const char *want)
{
    struct sentences all;
    char out[2000];
    size_t n = 0;

    assert_int_equal(sentences_read(&all, input, strlen(input)), OK);
    for (size_t i = 0; i < all.n; i++) {
        const struct sentence *s = &all.at[i];

        n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%.*s",
                              i > 0 ? "|" : "", (int)s->len, s->text);
        assert_true(n < sizeof(out));
        assert_true(s->start < s->end && s->end <= strlen(input));
    }
    out[n] = '\0';
    assert_string_equal(out, want);
    sentences_release(&all);
}

static void
marks_end_sentences(void **state)
{
    (void)state;
    assert_cut("", "");
    assert_cut("One. Two! Three? Four", "One.|Two!|Three?|Four");
    assert_cut("Wait… What?! Yes... No", "Wait…|What?!|Yes...|No");
    assert_cut("wait... what", "wait... what");
    assert_cut("\"Stop!\" he said. \"Why?\" She left.",
               "\"Stop!\" he said.|\"Why?\"|She left.");
    assert_cut("(It is so.) Then. „Ja.“ Und", "(It is so.)|Then.|„Ja.“|Und");
    assert_cut("Great! 😀👍 Next. ... Last", "Great! 😀👍|Next. ...|Last");
    assert_cut("Great!Thanks", "Great!|Thanks");
}

static void
other_scripts_have_their_own_marks(void **state)
{
    (void)state;
    assert_cut("今天很好。我们去吧！好吗？", "今天很好。|我们去吧！|好吗？");
    assert_cut("नमस्ते। दुनिया", "नमस्ते।|दुनिया");
    assert_cut("ماذا؟ نعم", "ماذا؟|نعم");
    assert_cut("Привет. Как дела? Хорошо", "Привет.|Как дела?|Хорошо");
}

static void
abbreviations_and_numbers_do_not(void **state)
{
    (void)state;
    assert_cut("Dr. Smith and Mr. Jones met. They talked.",
               "Dr. Smith and Mr. Jones met.|They talked.");
    assert_cut("J. R. R. Tolkien wrote it. I did. So.",
               "J. R. R. Tolkien wrote it.|I did.|So.");
    assert_cut("Use it, e.g. In tests, i.e. Here.",
               "Use it, e.g. In tests, i.e. Here.");
    assert_cut("See Fig. 3 and p. 5 of No. 7. It fits.",
               "See Fig. 3 and p. 5 of No. 7.|It fits.");
    assert_cut("The U.S. Army left the U.S. The end.",
               "The U.S. Army left the U.S.|The end.");
    assert_cut("Apple Inc. Chief Cook spoke to Apple Inc. The end.",
               "Apple Inc. Chief Cook spoke to Apple Inc.|The end.");
    assert_cut("Pi is 3.14. Version 1.2.3. Then node.js is. End",
               "Pi is 3.14.|Version 1.2.3.|Then node.js is.|End");
    assert_cut("At 5 p.m. Monday. At 5 p.m. The bus.",
               "At 5 p.m. Monday.|At 5 p.m.|The bus.");
    assert_cut("See https://a.b/c?d=E!f. Then",
               "See https://a.b/c?d=E!f.|Then");
    assert_cut("Go to example.com. Then x", "Go to example.com.|Then x");
}

static void
german_has_ordinals_and_its_own_abbreviations(void **state)
{
    (void)state;
    assert_cut("Das war am 3. Mai in der 2. Klasse. Es ging z. B. Herrn Maier "
               "um ca. 5 Mio. Euro, bzw. Das andere. Und Schluss.",
               "Das war am 3. Mai in der 2. Klasse.|Es ging z. B. Herrn Maier "
               "um ca. 5 Mio. Euro, bzw. Das andere.|Und Schluss.");
}

static void
chat_without_capitals_is_cut_as_well(void **state)
{
    (void)state;
    assert_cut("i like it. it is good. what now? ok! fine",
               "i like it.|it is good.|what now?|ok!|fine");
    assert_cut("The word. is small here. So it is. Yes",
               "The word. is small here.|So it is.|Yes");
}

static void
paragraphs_items_and_lines_end_sentences(void **state)
{
    (void)state;
    assert_cut("# Head\nOne\nTwo\n\nThree\n- four\n- Five. six",
               "Head|One|Two|Three|four|Five. six");
    assert_cut("a\n```\nno. No.\n```\nB", "a|B");
    assert_cut("**Note.** It *is* so. [Ax](b). C", "Note.|It is so.|Ax.|C");
}

static void
spans_cover_what_sentences_come_from(void **state)
{
    static const char input[] = "- **One** two. Tëst [x](y)!\n";
    struct sentences all;

    (void)state;
    assert_int_equal(sentences_read(&all, input, sizeof(input) - 1), OK);
    assert_int_equal(all.n, 2);
    assert_text(all.at[0].text, all.at[0].len, "One two.");
    assert_text(input + all.at[0].start, all.at[0].end - all.at[0].start,
                "One** two.");
    assert_text(all.at[1].text, all.at[1].len, "Tëst x!");
    assert_text(input + all.at[1].start, all.at[1].end - all.at[1].start,
                "Tëst [x](y)!");
    assert_int_equal(all.at[0].kind, PLAIN_ITEM);
    assert_int_equal(all.at[0].block, all.at[1].block);
    sentences_release(&all);
}

static void
a_sentence_that_is_too_long_is_cut_between_words(void **state)
{
    char *s = repeat("abcd ", SENTENCE_LEN_MAX + 500);
    struct sentences all;

    (void)state;
    assert_int_equal(sentences_read(&all, s, SENTENCE_LEN_MAX + 500), OK);
    assert_int_equal(all.n, 2);
    assert_true(all.at[0].len <= SENTENCE_LEN_MAX);
    assert_memory_equal(all.at[0].text + all.at[0].len - 4, "abcd", 4);
    assert_memory_equal(all.at[1].text, "abcd", 4);
    sentences_release(&all);
    free(s);
    for (size_t more = 0; more < 2; more++) {
        s = repeat("x", SENTENCE_LEN_MAX + more);
        assert_int_equal(sentences_read(&all, s, SENTENCE_LEN_MAX + more), OK);
        assert_int_equal(all.n, 1 + more);
        sentences_release(&all);
        free(s);
    }
    s = repeat("é", SENTENCE_LEN_MAX * 2); /* never inside a character */
    assert_int_equal(sentences_read(&all, s, SENTENCE_LEN_MAX * 2), OK);
    for (size_t i = 0; i < all.n; i++)
        assert_int_equal(all.at[i].len % 2, 0);
    sentences_release(&all);
    free(s);
}

static void
limits_hold(void **state)
{
    struct sentences all;

    (void)state;
    for (size_t more = 0; more < 2; more++) {
        char *s = repeat("A. ", 3 * (SENTENCES_MAX + more));

        memset(s, 'B', 1); /* "A." would be an initial: make words */
        for (size_t i = 0; i < 3 * (SENTENCES_MAX + more); i += 3)
            memcpy(s + i, "1!", 2);
        assert_int_equal(sentences_read(&all, s, 3 * (SENTENCES_MAX + more)),
                         OK);
        assert_int_equal(all.n, SENTENCES_MAX);
        assert_int_equal(all.cut, more == 1);
        sentences_release(&all);
        free(s);
        s = repeat("word ", SENTENCES_INPUT_MAX + more);
        assert_int_equal(sentences_read(&all, s, SENTENCES_INPUT_MAX + more),
                         more ? ERR_TOOBIG : OK);
        sentences_release(&all);
        free(s);
    }
}

static void
abbreviations_are_found(void **state)
{
    static const struct {
        const char *word;
        enum abbrev kind;
    } want[] = {
        {"Mr", ABBREV_ALWAYS},  {"vgl", ABBREV_ALWAYS}, {"z.B", ABBREV_ALWAYS},
        {"zum", ABBREV_NONE},   {"No", ABBREV_NUMBER},  {"Vol", ABBREV_NUMBER},
        {"Inc", ABBREV_MAYBE},  {"ca", ABBREV_ALWAYS},  {"ud", ABBREV_ALWAYS},
        {"viz", ABBREV_ALWAYS}, {"abs", ABBREV_NUMBER}, {"vol", ABBREV_NUMBER},
        {"a.m", ABBREV_MAYBE},  {"u.s", ABBREV_MAYBE},  {"o.ä", ABBREV_ALWAYS},
        {"", ABBREV_NONE}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(want); i++)
        assert_int_equal(sentence_abbrev(want[i].word, strlen(want[i].word)),
                         want[i].kind);
    assert_true(sentence_starter("The", 3) && sentence_starter("Zum", 3));
    assert_true(sentence_starter("A", 1) && sentence_starter("Für", 4));
    assert_false(sentence_starter("the", 3) || sentence_starter("", 0) ||
                 sentence_starter("Berlin", 6));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_end_sentences),
        cmocka_unit_test(other_scripts_have_their_own_marks),
        cmocka_unit_test(abbreviations_and_numbers_do_not),
        cmocka_unit_test(german_has_ordinals_and_its_own_abbreviations),
        cmocka_unit_test(chat_without_capitals_is_cut_as_well),
        cmocka_unit_test(paragraphs_items_and_lines_end_sentences),
        cmocka_unit_test(spans_cover_what_sentences_come_from),
        cmocka_unit_test(a_sentence_that_is_too_long_is_cut_between_words),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(abbreviations_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
