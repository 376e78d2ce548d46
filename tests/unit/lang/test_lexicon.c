/* Tests of lang/lexicon.c. */
#include "lang_test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "lang/lexicon.h"

static struct lexicon *
read_text(const char *s)
{
    struct lexicon *lex;

    assert_int_equal(lexicon_read(&lex, s, strlen(s), NULL), OK);
    return lex;
}

static int
score(const struct lexicon *lex, const char *words)
{
    int found = 99;

    return lexicon_find(lex, words, strlen(words), &found) ? found : 99;
}

static void
words_have_scores(void **state)
{
    struct lexicon *lex = read_text("# a remark\n\nlovely\t3\nawful\t-3\r\n"
                                    "can't stand\t-3\nside-effect\t-2\n"
                                    "naïve\t-2");

    (void)state;
    assert_int_equal(score(lex, "lovely"), 3);
    assert_int_equal(score(lex, "awful"), -3);
    assert_int_equal(score(lex, "can't stand"), -3);
    assert_int_equal(score(lex, "side effect"), -2);
    assert_int_equal(score(lex, "naïve"), -2);
    assert_int_equal(score(lex, "can't"), 99);
    assert_int_equal(score(lex, ""), 99);
    lexicon_free(lex);
    lexicon_free(NULL);
}

static void
the_house_has_the_last_word(void **state)
{
    struct lexicon *lex = read_text("please\t1\nbuggy\t5\n");

    (void)state;
    assert_int_equal(score(lex, "please"), 0);
    assert_int_equal(score(lex, "buggy"), -3);
    lexicon_free(lex);
}

static void
a_bad_line_is_told(void **state)
{
    static const char *const bad[] = {"a\t1\nword\n",    "a\t1\n\t2\n",
                                      "a\t1\nword\tx\n", "a\t1\nword\t6\n",
                                      "a\t1\nword\t\n",  "a\t1\n\xFF\t1\n",
                                      "a\t1\nword\t1 \n"};
    struct lexicon *lex;
    size_t line;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        line = 0;
        assert_int_equal(lexicon_read(&lex, bad[i], strlen(bad[i]), &line),
                         ERR_BADREQ);
        assert_null(lex);
        assert_int_equal(line, 2);
    }
}

static void
limits_hold(void **state)
{
    struct lexicon *lex = read_text("");
    size_t ours = lexicon_count(lex), n = 0, most = LEXICON_ENTRIES_MAX - ours;
    char *s = xmalloc(12 * (most + 1) + 1);

    (void)state;
    lexicon_free(lex);
    for (size_t i = 0; i < most; i++)
        n += (size_t)snprintf(s + n, 13, "w%06zu\t1\n", i);
    assert_int_equal(lexicon_read(&lex, s, n, NULL), OK);
    assert_int_equal(lexicon_count(lex), LEXICON_ENTRIES_MAX);
    lexicon_free(lex);
    n += (size_t)snprintf(s + n, 13, "w%06zu\t1\n", most);
    assert_int_equal(lexicon_read(&lex, s, n, NULL), ERR_TOOBIG);
    free(s);

    for (size_t more = 0; more < 2; more++) {
        s = repeat("#", LEXICON_BYTES_MAX + more);
        assert_int_equal(lexicon_read(&lex, s, LEXICON_BYTES_MAX + more, NULL),
                         more ? ERR_TOOBIG : OK);
        lexicon_free(lex);
        free(s);

        /* A key that is too long, and one of too many words, are passed. */
        s = repeat("x", LEXICON_KEY_MAX + more);
        memcpy(s + LEXICON_KEY_MAX - 3 + more, "\t1\n", 3);
        lex = read_text(s);
        assert_int_equal(lexicon_count(lex), ours + 1);
        lexicon_free(lex);
        free(s);
    }
    s = repeat("x", LEXICON_KEY_MAX + 4);
    memcpy(s + LEXICON_KEY_MAX + 1, "\t1\n", 3);
    lex = read_text(s);
    assert_int_equal(lexicon_count(lex), ours);
    lexicon_free(lex);
    free(s);
    lex = read_text("a b c\t1\na b c d\t1\n");
    assert_int_equal(lexicon_count(lex), ours + 1);
    lexicon_free(lex);
}

static void
put_file(const char *root, const char *text)
{
    char path[300];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/etc", root);
    IGNORE(mkdir(path, 0700));
    (void)snprintf(path, sizeof(path), "%s/etc/lexicon", root);
    IGNORE(mkdir(path, 0700));
    (void)snprintf(path, sizeof(path), "%s/etc/lexicon/afinn.tsv", root);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void
remove_all(const char *root)
{
    static const char *const names[] = {"/etc/lexicon/afinn.tsv",
                                        "/etc/lexicon", "/etc", ""};
    char path[300];

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", root, names[i]);
        assert_int_equal(remove(path), 0);
    }
}

static void
the_file_is_read_once_and_missed_once(void **state)
{
    char root[] = "/tmp/parley-lexicon-XXXXXX";
    const struct lexicon *lex, *again;

    (void)state;
    log_set_level(LOG_ERROR);
    assert_non_null(mkdtemp(root));
    assert_int_equal(lexicon_load(root, &lex), ERR_NOTFOUND);
    assert_null(lex);
    put_file(root, "this is no lexicon\n");
    assert_int_equal(lexicon_load(root, &lex), ERR_NOTFOUND);
    put_file(root, "lovely\t3\n");
    assert_int_equal(lexicon_load(root, &lex), OK);
    assert_int_equal(score(lex, "lovely"), 3);
    remove_all(root);
    assert_int_equal(lexicon_load(root, &again), OK);
    assert_ptr_equal(again, lex);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_have_scores),
        cmocka_unit_test(the_house_has_the_last_word),
        cmocka_unit_test(a_bad_line_is_told),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(the_file_is_read_once_and_missed_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
