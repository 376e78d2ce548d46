/* Tests of lang/reading.c. */
#include "lang_test.h"

#include "lang/reading.h"

static void
words_with_one_stem_have_one_number(void **state)
{
    static const char s[] = "Streams stream. A streaming server's server!";
    const struct token *t;
    struct reading r;
    size_t n;

    (void)state;
    assert_int_equal(reading_read(&r, s, sizeof(s) - 1), OK);
    assert_int_equal(r.lang, LANG_NONE); /* "a" is no sign of English */
    reading_release(&r);

    assert_int_equal(reading_read(&r,
                                  "The streams stream. It is a streaming "
                                  "server's server!",
                                  54),
                     OK);
    assert_int_equal(r.lang, LANG_EN);
    assert_int_equal(r.sentences.n, 2);
    t = reading_tokens(&r, 0, &n);
    assert_int_equal(n, 3);
    assert_int_equal(t[0].flags, TOKEN_STOP | TOKEN_SKIP | TOKEN_CAPITAL);
    assert_int_equal(t[1].stem, t[2].stem);
    t = reading_tokens(&r, 1, &n);
    assert_int_equal(n, 6);
    assert_int_equal(t[3].stem, r.tokens[1].stem);
    assert_int_equal(t[4].stem, t[5].stem);
    assert_int_not_equal(t[3].stem, t[4].stem);
    assert_int_equal(t[5].flags, 0);
    reading_release(&r);
}

static void
characters_are_numbered_in_pairs(void **state)
{
    static const char s[] = "東京市。東京。京";
    const struct token *t, *u;
    struct reading r;
    size_t n;

    (void)state;
    assert_int_equal(reading_read(&r, s, sizeof(s) - 1), OK);
    assert_int_equal(r.sentences.n, 3);
    t = reading_tokens(&r, 0, &n);
    assert_int_equal(n, 3);
    u = reading_tokens(&r, 1, &n);
    assert_int_equal(n, 2);
    assert_int_equal(t[0].stem, u[0].stem);
    assert_int_not_equal(t[1].stem, u[1].stem);
    assert_int_equal(t[2].flags, TOKEN_CJK | TOKEN_SKIP);
    t = reading_tokens(&r, 2, &n);
    assert_int_equal(t[0].flags, TOKEN_CJK); /* one that stands alone */
    reading_release(&r);
}

static void
many_words_are_all_told_apart(void **state)
{
    char *s = xmalloc(9 * 20000 + 1);
    struct reading r;

    (void)state;
    for (size_t i = 0; i < 20000; i++)
        (void)snprintf(s + 9 * i, 10, "w%06zux ", i);
    assert_int_equal(reading_read(&r, s, 9 * 20000), OK);
    assert_int_equal(r.n_tokens, 20000);
    assert_int_equal(r.n_stems, 20000);
    reading_release(&r);
    free(s);
}

static void
nothing_and_too_much_are_read(void **state)
{
    char *s = repeat("a ", SENTENCES_INPUT_MAX + 1);
    struct reading r;

    (void)state;
    assert_int_equal(reading_read(&r, "", 0), OK);
    assert_int_equal(r.n_tokens, 0);
    reading_release(&r);
    assert_int_equal(reading_read(&r, s, SENTENCES_INPUT_MAX), OK);
    reading_release(&r);
    assert_int_equal(reading_read(&r, s, SENTENCES_INPUT_MAX + 1), ERR_TOOBIG);
    free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_with_one_stem_have_one_number),
        cmocka_unit_test(characters_are_numbered_in_pairs),
        cmocka_unit_test(many_words_are_all_told_apart),
        cmocka_unit_test(nothing_and_too_much_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
