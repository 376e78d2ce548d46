/* Tests of lang/phrase.c. */
#include "lang_test.h"

#include "lang/phrase.h"
#include "lang/reading.h"

/* The best phrases of a text as "text*count", with "|" between. */
static void
assert_phrases(const char *input, size_t want, const char *told)
{
    struct phrases p;
    struct reading r;
    char out[2000];
    size_t n = 0;

    assert_int_equal(reading_read(&r, input, strlen(input)), OK);
    phrases_read(&p, &r, want);
    assert_true(p.n <= want);
    out[0] = '\0';
    for (size_t i = 0; i < p.n; i++) {
        assert_true(p.at[i].score > 0);
        assert_true(i == 0 || p.at[i].score <= p.at[i - 1].score);
        n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%.*s*%zu",
                              i > 0 ? "|" : "", (int)p.at[i].len, p.at[i].text,
                              p.at[i].count);
    }
    assert_string_equal(out, told);
    reading_release(&r);
}

static void
runs_between_stop_words_are_phrases(void **state)
{
    (void)state;
    assert_phrases("", 5, "");
    assert_phrases("It is what it is.", 5, "");
    assert_phrases("The linear diophantine equations and the strict system, "
                   "in which linear equations are solved.",
                   2, "linear diophantine equations*1|linear equations*1");
    assert_phrases("A web server and a database.", 0, "");
}

static void
the_most_frequent_spelling_is_told(void **state)
{
    (void)state;
    assert_phrases("The Web server is here. A web server is there. This web "
                   "server is it. Those web servers are mine.",
                   1, "web server*4");
}

static void
what_is_part_of_a_better_one_is_left_out(void **state)
{
    (void)state;
    assert_phrases("The free software license. An free software license is it. "
                   "A license for all.",
                   3, "free software license*2");
}

static void
runs_past_the_limit_are_no_phrases(void **state)
{
    (void)state;
    assert_phrases("The alpha beta gamma delta.", 2,
                   "alpha beta gamma delta*1");
    assert_phrases("The alpha beta gamma delta epsilon.", 2, "");
    assert_phrases("这是北京大学图书馆员。", 2, "北京大学图书馆员*1");
    assert_phrases("这是北京大学图书馆员室。", 2, "");
}

static void
names_end_where_their_capitals_do(void **state)
{
    (void)state;
    assert_phrases("When the European Central Bank cut it, we saw.", 1,
                   "European Central Bank*1");
}

static void
there_is_a_most(void **state)
{
    char *s = xmalloc(40 * 200 + 1);
    struct phrases p;
    struct reading r;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < 200; i++)
        n += (size_t)snprintf(s + n, 41, "The ab%zu cd%zu. ", i, i);
    assert_int_equal(reading_read(&r, s, n), OK);
    phrases_read(&p, &r, PHRASES_MAX + 1);
    assert_int_equal(p.n, PHRASES_MAX);
    reading_release(&r);
    free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_between_stop_words_are_phrases),
        cmocka_unit_test(the_most_frequent_spelling_is_told),
        cmocka_unit_test(what_is_part_of_a_better_one_is_left_out),
        cmocka_unit_test(runs_past_the_limit_are_no_phrases),
        cmocka_unit_test(names_end_where_their_capitals_do),
        cmocka_unit_test(there_is_a_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
