/*
 * The query language and the snippets, without a file: what FTS5 is asked and
 * what is marked.
 */
#include "search_test.h"

#include "base/text.h"
#include "store/search_from.h"
#include "store/search_snippet.h"
#include "store/search_words.h"

static sqlite3 *db;
static struct search_tokenizer *tokenizer;

static int
open_memory(void **state)
{
    fts5_api *api;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    api = search_token_api(db);
    assert_non_null(api);
    assert_int_equal(search_token_register(api), SQLITE_OK);
    tokenizer = search_token_new(api);
    assert_non_null(tokenizer);
    return 0;
}

static int
close_memory(void **state)
{
    (void)state;
    search_token_free(tokenizer);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return 0;
}

/* --- words --------------------------------------------------------------- */

static bool
text_word(void *arg, const char *word, size_t len, size_t from, size_t to)
{
    struct text *t = arg;

    t->n += (size_t)snprintf(t->s + t->n, sizeof(t->s) - t->n, "%.*s[%zu-%zu] ",
                             (int)len, word, from, to);
    return ++t->count != t->stop_after;
}

static void
assert_walked(const char *text, const char *want)
{
    struct text t = {0};

    search_token_walk(tokenizer, text, strlen(text), text_word, &t);
    assert_string_equal(t.s, want);
}

static void
words_are_folded_and_told_with_their_place(void **state)
{
    struct text t = {.stop_after = 1};

    (void)state;
    assert_walked("", "");
    assert_walked("Two Words", "two[0-3] words[4-9] ");
    assert_walked("ÉCOLE, don't", "ecole[0-6] don[8-11] t[12-13] ");
    search_token_walk(tokenizer, "a b c", 5, text_word, &t);
    assert_string_equal(t.s, "a[0-1] ");
}

static void
words_are_cut_where_a_script_has_no_spaces(void **state)
{
    (void)state;
    assert_walked("É中文é", "e[0-2] 中[2-5] 文[5-8] e[8-10] ");
    assert_walked("日本。語", "日[0-3] 本[3-6] 語[9-12] ");
    assert_walked("한국", "한[0-3] 국[3-6] ");
    assert_walked("a🎉b", "a[0-1] 🎉[1-5] b[5-6] ");
    assert_walked("20°C", "20[0-2] c[4-5] ");
    assert_walked("𠀀𠀁", "𠀀[0-4] 𠀁[4-8] ");
    assert_walked("हिन्दी", "हिन्दी[0-18] ");
}

static void
long_words_are_cut_between_characters(void **state)
{
    char text[3 * SEARCH_TOKEN_MAX + 1] = "x", want[400];
    size_t n = 1;

    (void)state;
    while (n + 2 < sizeof(text)) { /* two bytes, so the limit is within one */
        memcpy(text + n, "\xd0\xb6", 2);
        n += 2;
    }
    text[n] = '\0';
    (void)snprintf(want, sizeof(want), "%.*s[0-%zu] ", SEARCH_TOKEN_MAX - 1,
                   text, n);
    assert_walked(text, want);
    memset(text, 'y', SEARCH_TOKEN_MAX);
    text[SEARCH_TOKEN_MAX] = '\0';
    (void)snprintf(want, sizeof(want), "%s[0-%d] ", text, SEARCH_TOKEN_MAX);
    assert_walked(text, want);
}

/* --- queries ------------------------------------------------------------- */

static void
assert_read(const char *q, const char *want, const char *veto)
{
    struct search_words w;
    struct arena a;

    arena_init(&a);
    search_words_read(&w, &a, tokenizer, q, strlen(q));
    assert_string_equal(w.want, want);
    assert_string_equal(w.veto, veto);
    assert_true((w.n_terms == 0) == (*want == '\0'));
    arena_release(&a);
}

static void
a_query_becomes_strings(void **state)
{
    (void)state;
    assert_read("one two", "\"one\" AND \"two\"", "");
    assert_read("  one\t\n", "\"one\"", "");
    assert_read("\"one two\" three", "\"one two\" AND \"three\"", "");
    assert_read("\"one two", "\"one two\"", "");
    assert_read("one\"two\"", "\"one\" AND \"two\"", "");
    assert_read("“one two” x", "\"one two\" AND \"x\"", "");
    assert_read("one -two -\"three four\"", "\"one\"",
                "\"two\" OR \"three four\"");
    assert_read("--one", "\"--one\"", "");
    assert_read("- one", "\"one\"", "");
    assert_read("a-b", "\"a-b\"", "");
    assert_read("on* tw*", "\"on\" * AND \"tw\" *", "");
    assert_read("\"one tw\"*", "\"one tw\" *", "");
    assert_read("o*", "\"o\"", "");
    assert_read("-on*", "", "\"on\" *");
    assert_read("&& || * \"\" -", "", "");
    assert_read("one OR two", "\"one\" AND \"OR\" AND \"two\"", "");
    assert_read("a:b {c} (d)", "\"a:b\" AND \"{c\" AND \"(d\"", "");
    assert_read("a\xff", "\"a\"", "");
    assert_read("one　two\xc2\xa0three", "\"one\" AND \"two\" AND \"three\"",
                "");
}

static void
words_past_the_limit_are_left_out(void **state)
{
    char q[4 * SEARCH_TERMS_MAX + 40];
    struct search_words w;
    struct arena a;
    size_t n = 0;

    (void)state;
    arena_init(&a);
    for (unsigned i = 0; i < SEARCH_TERMS_MAX - 1; i++)
        n += (size_t)snprintf(q + n, sizeof(q) - n, "w%02u ", i);
    (void)snprintf(q + n, sizeof(q) - n, "last");
    search_words_read(&w, &a, tokenizer, q, strlen(q));
    assert_int_equal(w.n_terms, SEARCH_TERMS_MAX);
    assert_int_equal(w.begins, UINT64_MAX);
    assert_int_equal(w.ends, UINT64_MAX);
    assert_non_null(strstr(w.want, "\"last\""));

    (void)snprintf(q + n, sizeof(q) - n, "\"last over\"* more -less");
    search_words_read(&w, &a, tokenizer, q, strlen(q));
    assert_int_equal(w.n_terms, SEARCH_TERMS_MAX);
    assert_non_null(strstr(w.want, "\"last\""));
    assert_null(strstr(w.want, "over"));
    assert_null(strstr(w.want, "more"));
    assert_false(w.term[SEARCH_TERMS_MAX - 1].prefix);
    assert_string_equal(w.veto, "");
    arena_release(&a);
}

/* --- snippets ------------------------------------------------------------ */

/* The snippet with [ and ] around what is marked. */
static const char *
snippet_of(const char *q, const char *text, size_t n)
{
    static char out[SEARCH_SNIPPET_MAX + 2 * SEARCH_MARKS_MAX + 1];
    struct search_snippet s;
    struct search_words w;
    struct arena a;
    size_t at = 0, o = 0;

    arena_init(&a);
    search_words_read(&w, &a, tokenizer, q, strlen(q));
    search_snippet_make(&s, &w, tokenizer, text, n);
    arena_release(&a);
    assert_true(s.len <= SEARCH_SNIPPET_MAX);
    assert_true(s.n_marks <= SEARCH_MARKS_MAX);
    for (unsigned i = 0; i < s.n_marks; i++) {
        assert_true(s.mark[i].len > 0 && s.mark[i].at >= at);
        memcpy(out + o, s.text + at, s.mark[i].at - at);
        o += s.mark[i].at - at;
        out[o++] = '[';
        memcpy(out + o, s.text + s.mark[i].at, s.mark[i].len);
        o += s.mark[i].len;
        out[o++] = ']';
        at = (size_t)s.mark[i].at + s.mark[i].len;
    }
    assert_true(at <= s.len);
    memcpy(out + o, s.text + at, s.len - at);
    out[o + s.len - at] = '\0';
    return out;
}

static void
assert_snippet(const char *q, const char *text, const char *want)
{
    assert_string_equal(snippet_of(q, text, strlen(text)), want);
}

static void
what_was_looked_for_is_marked(void **state)
{
    (void)state;
    assert_snippet("fox", "The fox, the FOX!", "The [fox], the [FOX]!");
    assert_snippet("cafe", "Un Café.", "Un [Café].");
    assert_snippet("\"brown fox\"", "brown, fox; brown dog",
                   "[brown, fox]; brown dog");
    assert_snippet("\"a b\" b", "a b a", "[a b] a");
    assert_snippet("fo*", "fox fo of", "[fox] [fo] of");
    assert_snippet("fox -dog", "fox dog", "[fox] dog");
    assert_snippet("北京", "我去北京大学。京北", "我去[北京]大学。京北");
    assert_snippet("\"a a\"", "a a a b", "[a a a] b");
    assert_snippet("🎉", "go🎉!", "go[🎉]!");
    assert_snippet("x", "y", "y");
    assert_snippet("x", "", "");
}

static void
a_snippet_is_one_line(void **state)
{
    (void)state;
    assert_snippet("two",
                   "  one\r\n\r\n\ttwo\x01\x7f"
                   "three　four \n",
                   "one [two] three four");
    assert_snippet("\"a b\"", "a\n\nb", "[a b]");
    assert_snippet("a", "a \xff\xe5\x8c",
                   "[a] \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void
a_long_text_is_cut_around_the_best_place(void **state)
{
    static char text[4000];
    const char *s;
    size_t n = 0;

    (void)state;
    n += (size_t)snprintf(text + n, sizeof(text) - n, "red first. ");
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "filler%d ", i);
    n += (size_t)snprintf(text + n, sizeof(text) - n, "a red and blue kite ");
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "after%d ", i);
    s = snippet_of("red blue", text, n);
    assert_non_null(strstr(s, " a [red] and [blue] kite after0 "));
    assert_int_equal(strncmp(s, "…filler", strlen("…filler")), 0);
    assert_string_equal(s + strlen(s) - 3, "…");
    assert_true(strlen(s) > SEARCH_SNIPPET_MAX - 40);
    s = snippet_of("first", text, n);
    assert_int_equal(strncmp(s, "red [first]. filler0", 20), 0);
    s = snippet_of("after99", text, n);
    assert_non_null(strstr(s, " [after99]"));
    assert_string_equal(s + strlen(s) - 9, "[after99]");
}

static void
a_snippet_is_cut_between_characters(void **state)
{
    static char text[3003];

    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 <= sizeof(text) - 1; i += 3)
            memcpy(text + i, i == 1500 + shift ? "京" : "北", 3);
        assert_non_null(
            strstr(snippet_of("京", text, 2700 + shift), "北[京]北"));
        assert_true(utf8_valid(snippet_of("京", text, 2700 + shift),
                               strlen(snippet_of("京", text, 2700 + shift))));
    }
}

static void
a_snippet_has_a_limit_of_marks(void **state)
{
    char text[200];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 4 == 0 ? 'x' : i % 4 == 2 ? 'y' : ' ';
    assert_non_null(strstr(snippet_of("x", text, sizeof(text)), "[x] y x y"));
    /* a phrase longer than a snippet */
    assert_non_null(
        strstr(snippet_of("\"x y x y\"", text, sizeof(text)), "[x y x y x y"));
}

static void
a_word_far_behind_is_not_looked_for(void **state)
{
    size_t n = 2 * 1024 * 1024;
    char *text = malloc(n);

    (void)state;
    assert_non_null(text);
    memset(text, 'a', n);
    for (size_t i = 7; i < n; i += 8)
        text[i] = ' ';
    memcpy(text + n - 8, "farword ", 8);
    assert_int_equal(strncmp(snippet_of("farword", text, n), "aaaaaaa aaa", 11),
                     0);
    memcpy(text + n / 2 - 8, "farword ", 8);
    assert_non_null(strstr(snippet_of("farword", text, n), "[farword]"));
    free(text);
}

/* --- cursors ------------------------------------------------------------- */

static void
a_cursor_is_read_as_it_was_written(void **state)
{
    struct search_from a = {INT64_MAX, INT64_MAX, INT64_MAX - 1, UINT32_MAX,
                            UINT64_MAX},
                       b;
    char text[SEARCH_CURSOR_MAX];

    (void)state;
    search_from_write(text, &a);
    assert_int_equal(search_from_read(text, &b), OK);
    assert_memory_equal(&a.key, &b.key, sizeof(a.key));
    assert_int_equal(a.now_ms, b.now_ms);
    assert_int_equal(a.top, b.top);
    assert_int_equal(a.window, b.window);
    assert_int_equal(a.score, b.score);
    assert_int_equal(search_from_read("0.0.0.0.0", &b), OK);
    assert_int_equal(b.top, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_folded_and_told_with_their_place),
        cmocka_unit_test(words_are_cut_where_a_script_has_no_spaces),
        cmocka_unit_test(long_words_are_cut_between_characters),
        cmocka_unit_test(a_query_becomes_strings),
        cmocka_unit_test(words_past_the_limit_are_left_out),
        cmocka_unit_test(what_was_looked_for_is_marked),
        cmocka_unit_test(a_snippet_is_one_line),
        cmocka_unit_test(a_long_text_is_cut_around_the_best_place),
        cmocka_unit_test(a_snippet_is_cut_between_characters),
        cmocka_unit_test(a_snippet_has_a_limit_of_marks),
        cmocka_unit_test(a_word_far_behind_is_not_looked_for),
        cmocka_unit_test(a_cursor_is_read_as_it_was_written),
    };

    return cmocka_run_group_tests_name("search_words", tests, open_memory,
                                       close_memory);
}
