/* Tests of auth/basic.c: what a Basic header is, and what is none. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/basic.h"
#include "base/buf.h"
#include "base/text.h"

/* "Basic " and the base64 of n bytes. */
static enum err
read_pair(const char *pair, size_t n, struct basic *out, struct problem *why)
{
    struct buf header;
    enum err e;

    buf_init(&header, 65536);
    buf_adds(&header, "Basic ");
    text_base64(&header, pair, n);
    memset(why, 0, sizeof(*why));
    e = basic_read(buf_cstr(&header), out, why);
    buf_release(&header);
    return e;
}

static void
the_example_of_the_rfc(void **state)
{
    struct problem why = {0};
    struct basic b;

    (void)state;
    assert_int_equal(basic_read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", &b, &why),
                     OK);
    assert_string_equal(b.user, "Aladdin");
    assert_string_equal(b.password, "open sesame");
    assert_int_equal(basic_read("bAsIc   dGVzdDoxMjPCow==", &b, &why), OK);
    assert_string_equal(b.user, "test");
    assert_string_equal(b.password, "123\xc2\xa3");
    basic_wipe(&b);
    assert_string_equal(b.password, "");
}

static void
the_first_colon_splits(void **state)
{
    struct problem why;
    struct basic b;

    (void)state;
    assert_int_equal(read_pair("a:b:c:", 6, &b, &why), OK);
    assert_string_equal(b.user, "a");
    assert_string_equal(b.password, "b:c:");
    assert_int_equal(read_pair("a:", 2, &b, &why), OK);
    assert_string_equal(b.password, "");
}

static void
other_schemes_are_not_ours(void **state)
{
    static const char *const others[] = {"", "Bearer abc", "Basics YTpi",
                                         "Basi YTpi", "Digest x=y"};
    struct problem why = {0};
    struct basic b;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_int_equal(basic_read(others[i], &b, &why), ERR_NOTFOUND);
    assert_int_equal(why.err, OK);
}

static void
base64_is_strict(void **state)
{
    static const char *const wrong[] = {
        "Basic",        "Basic ",      "Basic YTpi Zg==", "Basic YTpi=",
        "Basic YTo",    "Basic YTp=",  "Basic YTo==",     "Basic ====",
        "Basic Y\nTpi", "Basic YT_i",  "Basic YTpj*",     "Basic YTpiYg=a",
        "Basic YTpi\t", "Basic YTpi ", "Basic YTr=",
    };
    struct basic b;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct problem why = {0};

        if (basic_read(wrong[i], &b, &why) != ERR_BADREQ)
            fail_msg("%s is taken", wrong[i]);
        assert_string_equal(why.code, "invalid_basic");
        assert_string_equal(b.user, "");
        assert_string_equal(b.password, "");
    }
}

static void
what_is_in_it_is_looked_at(void **state)
{
    static const struct {
        const char *pair;
        size_t n;
    } wrong[] = {
        {"nocolon", 7}, {":password", 9},      {"a\0b:c", 5}, {"a:b\0c", 5},
        {"a\n:b", 4},   {"a:b\x1b", 4},        {"a:\x7f", 3}, {"\xff:b", 3},
        {"a:\xc3", 3},  {"a:\xc2\x85", 4},     {" a:b", 4},   {"a :b", 4},
        {"#a:b", 4},    {"a:\xed\xa0\x80", 5},
    };
    struct problem why;
    struct basic b;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        if (read_pair(wrong[i].pair, wrong[i].n, &b, &why) != ERR_BADREQ)
            fail_msg("pair %zu is taken", i);
}

static void
limits_are_those_of_the_password_file(void **state)
{
    char pair[HTPASSWD_USER_MAX + HTPASSWD_PASSWORD_MAX + 4];
    struct problem why;
    struct basic b;
    const size_t whole = HTPASSWD_USER_MAX + 1 + HTPASSWD_PASSWORD_MAX;

    (void)state;
    memset(pair, 'x', sizeof(pair));
    pair[HTPASSWD_USER_MAX] = ':';
    assert_int_equal(read_pair(pair, whole, &b, &why), OK);
    assert_int_equal(strlen(b.user), HTPASSWD_USER_MAX);
    assert_int_equal(strlen(b.password), HTPASSWD_PASSWORD_MAX);
    assert_int_equal(read_pair(pair, whole + 1, &b, &why), ERR_BADREQ);
    assert_int_equal(read_pair(pair, whole + 3, &b, &why), ERR_BADREQ);
    pair[HTPASSWD_USER_MAX] = 'x';
    pair[HTPASSWD_USER_MAX + 1] = ':';
    assert_int_equal(read_pair(pair, whole, &b, &why), ERR_BADREQ);
    assert_string_equal(b.password, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc),
        cmocka_unit_test(the_first_colon_splits),
        cmocka_unit_test(other_schemes_are_not_ours),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(what_is_in_it_is_looked_at),
        cmocka_unit_test(limits_are_those_of_the_password_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
