/* Tests of files/rules.c: what a file of rules says about paths. That its
 * patterns mean what gitignore's do is held against git itself in
 * test_rules_git.c. */
#include "plain_test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "files/rules.h"

static struct rules *
rules_of(const char *text)
{
    struct rules *r = NULL;
    struct problem why = {.err = OK};

    if (rules_read(text, strlen(text), &r, &why))
        fail_msg("%s", why.message);
    return r;
}

static void
assert_label(const struct rules *r, const char *path, enum label want)
{
    enum label is = rules_label(r, path, false);

    if (is != want)
        fail_msg("%s: %s, not %s", path, label_name(is), label_name(want));
}

static void
assert_wrong(const char *text, size_t line, const char *what)
{
    struct rules *r = NULL;
    struct problem why = {.err = OK};
    char begin[64];

    assert_int_equal(rules_read(text, strlen(text), &r, &why), ERR_BADREQ);
    assert_null(r);
    assert_string_equal(why.code, "invalid_rules");
    snprintf(begin, sizeof(begin), ".parleyrules, line %zu: ", line);
    assert_ptr_equal(strstr(why.message, begin), why.message);
    if (strstr(why.message, what) == NULL)
        fail_msg("%s: %s", text, why.message);
}

static void
labels_have_names(void **state)
{
    enum label l;

    (void)state;
    for (int i = 0; i <= LABEL_IGNORE; i++) {
        assert_true(label_parse(label_name((enum label)i), &l));
        assert_int_equal(l, i);
    }
    assert_false(label_parse("Local-Only", &l));
    assert_false(label_parse("", &l));
}

static void
without_rules_all_may_leave(void **state)
{
    struct rules *r = rules_of("# nothing\n\n   \n\t# here\n");

    (void)state;
    assert_label(NULL, "a", LABEL_CLOUD_OK);
    assert_label(r, "a/b/c", LABEL_CLOUD_OK);
    assert_label(r, "", LABEL_CLOUD_OK);
    assert_string_equal(rules_redactions(r), "");
    assert_string_equal(rules_redactions(NULL), "");
    rules_free(r);
    rules_free(NULL);
}

static void
a_folders_label_holds_for_all_below_it(void **state)
{
    struct rules *r = rules_of("local-only letters/\n"
                               "redact /job/notes\n"
                               "ignore *.tmp\n");

    (void)state;
    assert_label(r, "letters/anna.txt", LABEL_LOCAL_ONLY);
    assert_label(r, "old/letters/2019/anna.txt", LABEL_LOCAL_ONLY);
    assert_label(r, "letters", LABEL_CLOUD_OK); /* a file */
    assert_int_equal(rules_label(r, "letters", true), LABEL_LOCAL_ONLY);
    assert_label(r, "job/notes/a/b.md", LABEL_REDACT);
    assert_label(r, "my/job/notes/a.md", LABEL_CLOUD_OK);
    assert_label(r, "letters/x.tmp", LABEL_IGNORE);
    assert_label(r, "dir.tmp/x", LABEL_IGNORE);
    assert_label(r, "lettersx/anna.txt", LABEL_CLOUD_OK);
    rules_free(r);
}

static void
the_last_line_that_matches_wins(void **state)
{
    struct rules *r = rules_of("cloud-ok *.md\n"
                               "local-only private/\n"
                               "cloud-ok private/open/\n"
                               "redact names.md\n");

    (void)state;
    assert_label(r, "private/a.md", LABEL_LOCAL_ONLY);
    assert_label(r, "private/open/a.md", LABEL_CLOUD_OK);
    assert_label(r, "private/open/names.md", LABEL_REDACT);
    assert_label(r, "names.md", LABEL_REDACT);
    rules_free(r);
}

static void
what_is_taken_back_is_its_own_label_alone(void **state)
{
    struct rules *r = rules_of("local-only letters/\n"
                               "ignore letters/*.bak\n"
                               "ignore !letters/keep.bak\n"
                               "local-only !letters/public/\n"
                               "local-only letters/public/not/\n"
                               "redact !letters/\n");

    (void)state;
    assert_label(r, "letters/a.txt", LABEL_LOCAL_ONLY);
    assert_label(r, "letters/a.bak", LABEL_IGNORE);
    assert_label(r, "letters/keep.bak", LABEL_LOCAL_ONLY);
    assert_label(r, "letters/public/a.txt", LABEL_CLOUD_OK);
    assert_label(r, "letters/public/not/a.txt", LABEL_LOCAL_ONLY);
    rules_free(r);
}

static void
nothing_below_an_ignored_folder_comes_back(void **state)
{
    struct rules *r = rules_of("ignore build/\n"
                               "ignore !build/keep.txt\n"
                               "cloud-ok build/also.txt\n"
                               "ignore temp/\n"
                               "cloud-ok temp/\n");

    (void)state;
    assert_label(r, "build/keep.txt", LABEL_IGNORE);
    assert_label(r, "build/also.txt", LABEL_IGNORE);
    assert_label(r, "temp/x", LABEL_CLOUD_OK);
    rules_free(r);
}

static void
patterns_are_those_of_gitignore(void **state)
{
    struct rules *r = rules_of("redact a/**/z\n"
                               "local-only **/deep/x?\n"
                               "ignore under/**\n"
                               "ignore [a-c]1.txt\n"
                               "ignore [!a-c]2.txt\n"
                               "ignore [[:digit:]]_\n"
                               "ignore with\\*star\n"
                               "ignore \\!bang\n"
                               "ignore   two words  \n"
                               "ignore end\\ \n"
                               "ignore K\xC3\xA4se-?.txt\r\n");

    (void)state;
    assert_label(r, "a/z", LABEL_REDACT);
    assert_label(r, "a/b/c/z", LABEL_REDACT);
    assert_label(r, "a/bz", LABEL_CLOUD_OK);
    assert_label(r, "deep/x1", LABEL_LOCAL_ONLY);
    assert_label(r, "q/deep/x1", LABEL_LOCAL_ONLY);
    assert_label(r, "q/deep/x12", LABEL_CLOUD_OK);
    assert_label(r, "under/a/b", LABEL_IGNORE);
    assert_int_equal(rules_label(r, "under", true), LABEL_CLOUD_OK);
    assert_label(r, "q/b1.txt", LABEL_IGNORE);
    assert_label(r, "d1.txt", LABEL_CLOUD_OK);
    assert_label(r, "d2.txt", LABEL_IGNORE);
    assert_label(r, "b2.txt", LABEL_CLOUD_OK);
    assert_label(r, "7_", LABEL_IGNORE);
    assert_label(r, "with*star", LABEL_IGNORE);
    assert_label(r, "withXstar", LABEL_CLOUD_OK);
    assert_label(r, "!bang", LABEL_IGNORE);
    assert_label(r, "two words", LABEL_IGNORE);
    assert_label(r, "end ", LABEL_IGNORE);
    assert_label(r, "K\xC3\xA4se-\xC3\xB6.txt", LABEL_IGNORE);
    assert_label(r, "K\xC3\xA4se-\xC3.txt", LABEL_IGNORE); /* a byte, too */
    rules_free(r);
}

static void
errors_name_the_line(void **state)
{
    (void)state;
    assert_wrong("local-only a\nlokal b\n", 2, "must begin with");
    assert_wrong("\n\nlocal-only", 3, "no pattern");
    assert_wrong("ignore !", 1, "no pattern");
    assert_wrong("ignore /", 1, "no pattern");
    assert_wrong("ignore a[b", 1, "no end");
    assert_wrong("ignore a[b\\", 1, "no end");
    assert_wrong("ignore a[]", 1, "no end");
    assert_wrong("ignore a[[:nothing:]]", 1, "not known");
    assert_wrong("ignore a[z-a]", 1, "backwards");
    assert_wrong("ignore a\\", 1, "backslash");
    assert_wrong("ignore a\\\r\n", 1, "backslash");
    assert_wrong("ignore a\nredact-text [\n", 2, "no end");
    assert_wrong("ignore a\nredact-text *\n", 2, "anything");
    assert_wrong("ignore a\nredact-text ** ?*\n", 2, "anything");
    assert_wrong("ignore a\nignore \xFF\n", 2, "UTF-8");
    assert_wrong("ignore a\nlocal-only-and-more a\n", 2, "must begin with");
}

static void
a_nul_or_too_much_is_refused(void **state)
{
    struct rules *r = NULL;
    struct problem why = {.err = OK};
    struct buf b;

    (void)state;
    assert_int_equal(rules_read("ignore a\0b", 10, &r, &why), ERR_BADREQ);
    buf_init(&b, 4 * RULES_BYTES_MAX);
    for (int i = 0; i < RULES_MAX; i++)
        buf_adds(&b, "ignore a\n");
    assert_int_equal(rules_read(b.data, b.len, &r, &why), OK);
    rules_free(r);
    r = NULL;
    buf_adds(&b, "ignore a\n");
    assert_int_equal(rules_read(b.data, b.len, &r, &why), ERR_BADREQ);
    assert_non_null(strstr(why.message, "line 4097: there are too many"));
    buf_clear(&b);
    buf_adds(&b, "ignore ");
    for (int i = 0; i < 1024; i++)
        buf_addc(&b, '*');
    assert_int_equal(rules_read(b.data, b.len, &r, &why), OK);
    rules_free(r);
    r = NULL;
    buf_addc(&b, '*');
    assert_int_equal(rules_read(b.data, b.len, &r, &why), ERR_BADREQ);
    buf_clear(&b);
    buf_addc(&b, '#');
    while (b.len <= RULES_BYTES_MAX)
        buf_addc(&b, ' ');
    assert_int_equal(rules_read(b.data, b.len - 1, &r, &why), OK);
    rules_free(r);
    r = NULL;
    assert_int_equal(rules_read(b.data, b.len, &r, &why), ERR_BADREQ);
    assert_null(r);
    buf_release(&b);
}

/* What takes 2^60 steps in a matcher that tries again. */
static void
no_pattern_is_slow(void **state)
{
    char line[600] = "ignore ", path[1000];
    struct rules *r;

    (void)state;
    for (int i = 0; i < 60; i++)
        strncat(line, i % 2 ? "*a" : "?*a*", sizeof(line) - strlen(line) - 1);
    strncat(line, "b", sizeof(line) - strlen(line) - 1);
    memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    r = rules_of(line);
    assert_label(r, path, LABEL_CLOUD_OK);
    rules_free(r);
    snprintf(line, sizeof(line), "ignore ");
    for (int i = 0; i < 60; i++)
        strncat(line, "**/a/", sizeof(line) - strlen(line) - 1);
    strncat(line, "b", sizeof(line) - strlen(line) - 1);
    for (size_t i = 1; i < sizeof(path) - 1; i += 2)
        path[i] = '/';
    r = rules_of(line);
    assert_label(r, path, LABEL_CLOUD_OK);
    rules_free(r);
}

static void
a_path_that_is_too_long_is_ignored(void **state)
{
    char *path = xmalloc(5000);
    struct rules *r = rules_of("cloud-ok *\n");

    (void)state;
    memset(path, '/', 4999);
    path[4096] = '\0';
    assert_label(r, path, LABEL_CLOUD_OK);
    path[4096] = '/';
    path[4097] = '\0';
    assert_label(r, path, LABEL_IGNORE);
    rules_free(r);
    free(path);
}

static void
redactions_are_lines(void **state)
{
    struct rules *r = rules_of("\xEF\xBB\xBFredact-text  Project  Falcon \n"
                               "local-only a\n"
                               "redact-text ACC-[0-9]*");

    (void)state;
    assert_string_equal(rules_redactions(r), "Project  Falcon\nACC-[0-9]*");
    rules_free(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_have_names),
        cmocka_unit_test(without_rules_all_may_leave),
        cmocka_unit_test(a_folders_label_holds_for_all_below_it),
        cmocka_unit_test(the_last_line_that_matches_wins),
        cmocka_unit_test(what_is_taken_back_is_its_own_label_alone),
        cmocka_unit_test(nothing_below_an_ignored_folder_comes_back),
        cmocka_unit_test(patterns_are_those_of_gitignore),
        cmocka_unit_test(errors_name_the_line),
        cmocka_unit_test(a_nul_or_too_much_is_refused),
        cmocka_unit_test(no_pattern_is_slow),
        cmocka_unit_test(a_path_that_is_too_long_is_ignored),
        cmocka_unit_test(redactions_are_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
