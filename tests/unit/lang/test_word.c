/* Tests of lang/word.c and word_stop.c. */
#include "lang_test.h"

#include "lang/word.h"

/* The words of a text, with "|" between. */
static void
assert_words(const char *input, const char *want)
{
    char out[1000];
    size_t n = 0, pos = 0;
    struct word w;

    out[0] = '\0';
    while (word_next(input, strlen(input), &pos, &w)) {
        n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%.*s",
                              n > 0 ? "|" : "", (int)w.len, input + w.start);
        assert_true(n < sizeof(out) && w.start + w.len <= strlen(input));
    }
    assert_string_equal(out, want);
}

static void
words_are_found_in_prose(void **state)
{
    (void)state;
    assert_words("", "");
    assert_words(" .,!? -- ", "");
    assert_words("Hello, wide world!", "Hello|wide|world");
    assert_words("state-of-the-art and/or", "state|of|the|art|and|or");
    assert_words("Grüße, Ёлка, ñandú, Ωmega", "Grüße|Ёлка|ñandú|Ωmega");
    assert_words("3.5 1,000.50 v1.2.3 5th 2nd,", "3.5|1,000.50|v1.2.3|5th|2nd");
    assert_words("node.js U.S. end.Next x.", "node.js|U.S|end|Next|x");
    assert_words("C++ C# F# c++", "C++|C#|F#|c");
    assert_words("MAX_LEN _x __init__", "MAX_LEN|x|init__");
}

static void
apostrophes_join_and_elisions_divide(void **state)
{
    (void)state;
    assert_words("don't can’t it's 'quoted' dogs'",
                 "don't|can’t|it's|quoted|dogs");
    assert_words("l'homme d’abord qu'il s'est", "l|homme|d|abord|qu|il|s|est");
    assert_words("I'm d'", "I'm|d");
}

static void
addresses_are_no_words(void **state)
{
    (void)state;
    assert_words("see https://a.b/c_d?e=f, now", "see|now");
    assert_words("(http://x.y/z) ftp://a.b http:", "http");
}

static void
characters_of_scripts_without_spaces_are_words(void **state)
{
    size_t pos = 0;
    struct word w;

    (void)state;
    assert_words("我爱Berlin很", "我|爱|Berlin|很");
    assert_words("東京の天気。", "東|京|の|天|気");
    assert_words("한국어 단어", "한국어|단어");
    assert_true(word_next("我", 3, &pos, &w));
    assert_int_equal(w.kind, WORD_CJK);
}

static void
what_a_word_looks_like_is_told(void **state)
{
    static const struct {
        const char *word;
        enum word_kind kind;
        bool capital, caps;
    } want[] = {{"Word", WORD_LETTERS, true, false},
                {"word", WORD_LETTERS, false, false},
                {"NASA", WORD_LETTERS, true, true},
                {"I", WORD_LETTERS, true, false},
                {"iOS", WORD_LETTERS, false, false},
                {"12.5", WORD_NUMBER, false, false},
                {"B2B", WORD_LETTERS, true, true},
                {"Ärger", WORD_LETTERS, true, false}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        size_t pos = 0;
        struct word w;

        assert_true(word_next(want[i].word, strlen(want[i].word), &pos, &w));
        if (w.kind != want[i].kind || w.capital != want[i].capital ||
            w.caps != want[i].caps || w.len != strlen(want[i].word))
            fail_msg("%s", want[i].word);
    }
}

static void
folding_makes_small_letters_and_has_an_end(void **state)
{
    char out[WORD_FOLD_MAX + 1];
    char *s;

    (void)state;
    assert_int_equal(word_fold("Can’T", 7, out), 5);
    assert_string_equal(out, "can't");
    (void)word_fold("ÄÖÜ ΣΑΣ ЖЁ", strlen("ÄÖÜ ΣΑΣ ЖЁ"), out);
    assert_string_equal(out, "äöü σασ жё");
    for (size_t more = 0; more < 2; more++) {
        s = repeat("A", WORD_FOLD_MAX + more);
        assert_int_equal(word_fold(s, WORD_FOLD_MAX + more, out),
                         WORD_FOLD_MAX);
        free(s);
    }
    s = repeat("€", 66); /* three bytes each: none is cut */
    assert_int_equal(word_fold(s, 66, out), 63);
    free(s);
}

static void
stop_words_are_found_in_sorted_lists(void **state)
{
    /* The first and last of each list, and some that a list that is not
     * sorted would lose. */
    static const char *const lists[LANG__MAX][8] = {
        [LANG_EN] = {"about", "yourselves", "the", "don't", "however", "ok",
                     "i'm", "won't"},
        [LANG_DE] = {"aber", "über", "für", "weil", "dass", "zwischen", "nun",
                     "könnte"},
        [LANG_FR] = {"ai", "être", "à", "où", "voilà", "été", "les",
                     "aujourd'hui"},
        [LANG_ES] = {"acá", "él", "ya", "también", "quién", "la", "sí",
                     "ustedes"}};

    (void)state;
    for (int i = LANG_EN; i < LANG__MAX; i++) {
        for (size_t k = 0; k < 8; k++)
            if (!word_is_stop((enum lang)i, lists[i][k]))
                fail_msg("%s", lists[i][k]);
    }
    assert_true(word_is_stop(LANG_NONE, "the") && word_is_stop(LANG_DE, "x"));
    assert_true(word_is_stop(LANG_EN, "的") && word_is_stop(LANG_NONE, "は"));
    assert_true(word_is_stop(LANG_EN, ""));
    assert_false(word_is_stop(LANG_EN, "server") ||
                 word_is_stop(LANG_DE, "the") || word_is_stop(LANG_EN, "京"));
}

static void
languages_are_guessed(void **state)
{
    static const struct {
        const char *text;
        enum lang lang;
    } want[] = {{"This is a text about the weather.", LANG_EN},
                {"Das ist ein Text über das Wetter.", LANG_DE},
                {"Ceci est un texte sur le temps qu'il fait.", LANG_FR},
                {"Este es un texto sobre el tiempo que hace.", LANG_ES},
                {"Größere Änderungen", LANG_DE},
                {"Привет, как дела?", LANG_NONE},
                {"今天天气很好", LANG_NONE},
                {"lighttpd 1.4.69", LANG_NONE},
                {"", LANG_NONE}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(want); i++)
        if (word_guess(want[i].text, strlen(want[i].text)) != want[i].lang)
            fail_msg("%s", want[i].text);
    assert_string_equal(word_lang_code(LANG_DE), "de");
    assert_string_equal(word_lang_code(LANG_NONE), "");
}

static void
assert_stem(enum lang lang, const char *word, const char *want)
{
    struct stemmer *st = stemmer_new(lang);
    char s[WORD_FOLD_MAX + 1];

    (void)snprintf(s, sizeof(s), "%s", word);
    assert_int_equal(stemmer_cut(st, s, strlen(s)), strlen(want));
    assert_string_equal(s, want);
    stemmer_free(st);
}

static void
stems_are_cut_by_language(void **state)
{
    char *longest = repeat("x", WORD_FOLD_MAX);

    (void)state;
    assert_stem(LANG_EN, "streaming", "stream");
    assert_stem(LANG_EN, "streams", "stream");
    assert_stem(LANG_DE, "häuser", "haus");
    assert_stem(LANG_NONE, "streaming", "streaming");
    assert_stem(LANG_EN, longest, longest);
    assert_stem(LANG_EN, "", "");
    stemmer_free(NULL);
    free(longest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_found_in_prose),
        cmocka_unit_test(apostrophes_join_and_elisions_divide),
        cmocka_unit_test(addresses_are_no_words),
        cmocka_unit_test(characters_of_scripts_without_spaces_are_words),
        cmocka_unit_test(what_a_word_looks_like_is_told),
        cmocka_unit_test(folding_makes_small_letters_and_has_an_end),
        cmocka_unit_test(stop_words_are_found_in_sorted_lists),
        cmocka_unit_test(languages_are_guessed),
        cmocka_unit_test(stems_are_cut_by_language),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
