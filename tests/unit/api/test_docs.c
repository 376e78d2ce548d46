/*
 * Tests of api/docs.c: where the files of the documentation are looked for.
 * Its routes are tests/e2e/openapi.test.js's.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/docs.h"

static char root[64];
static struct buf out;

static const char *const folders[] = {"/static/vendor", "/static", "/docs", ""};
static const char *const files[] = {"/static/docs.html", "/docs/openapi.yaml",
                                    "/static/vendor/openapi.json"};

/* A path below root, good until the next one. */
static const char *
below(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s%s", root, name);
    return path;
}

static void
put_file(const char *name, const char *text, size_t times)
{
    FILE *f = fopen(below(name), "w");

    assert_non_null(f);
    for (size_t i = 0; i < times; i++)
        assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int
setup(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/parley-docs-XXXXXX");
    assert_non_null(mkdtemp(root));
    for (size_t i = COUNT_OF(folders) - 1; i-- > 0;)
        assert_int_equal(mkdir(below(folders[i]), 0700), 0);
    buf_init(&out, DOCS_MAX);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    buf_release(&out);
    for (size_t i = 0; i < COUNT_OF(files); i++)
        (void)unlink(below(files[i]));
    for (size_t i = 0; i < COUNT_OF(folders); i++)
        (void)rmdir(below(folders[i]));
    return 0;
}

static void
each_is_a_file_of_its_own(void **state)
{
    static const enum doc_name names[] = {DOC_PAGE, DOC_YAML, DOC_JSON};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        put_file(files[i], files[i], 1);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        buf_clear(&out);
        assert_int_equal(docs_read(root, names[i], &out), OK);
        assert_string_equal(buf_cstr(&out), files[i]);
    }
}

static void
one_that_is_missing_is_not_found(void **state)
{
    (void)state;
    assert_int_equal(docs_read(root, DOC_YAML, &out), ERR_NOTFOUND);
    assert_int_equal(docs_read("", DOC_PAGE, &out), ERR_NOTFOUND);
    assert_int_equal(out.len, 0);
}

static void
a_root_that_is_too_long_is_not_found(void **state)
{
    char far[5000];

    (void)state;
    (void)memset(far, 'a', sizeof(far) - 1);
    far[sizeof(far) - 1] = '\0';
    assert_int_equal(docs_read(far, DOC_YAML, &out), ERR_NOTFOUND);
}

static void
a_folder_is_no_file(void **state)
{
    (void)state;
    assert_int_equal(mkdir(below(files[1]), 0700), 0);
    assert_int_equal(docs_read(root, DOC_YAML, &out), ERR_INTERNAL);
    assert_int_equal(rmdir(below(files[1])), 0);
}

static void
one_that_is_too_long_is_not_given(void **state)
{
    static const char line[] = "0123456789abcdef0123456789abcdef\n";

    (void)state;
    put_file(files[1], line, DOCS_MAX / (sizeof(line) - 1) + 1);
    assert_int_equal(docs_read(root, DOC_YAML, &out), ERR_INTERNAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_is_a_file_of_its_own, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_that_is_missing_is_not_found, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_root_that_is_too_long_is_not_found,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_is_no_file, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_too_long_is_not_given,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
