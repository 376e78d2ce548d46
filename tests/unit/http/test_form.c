/* Tests of http/form.c. */
#include "http_test.h"

#include "http/form.h"

static struct arena arena;
static struct problem why;

static int
setup(void **state)
{
    (void)state;
    arena_init(&arena);
    memset(&why, 0, sizeof(why));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static enum err
parse(struct form *f, const char *s)
{
    return form_parse(f, &arena, s, strlen(s), &why);
}

static void
fields_are_decoded_in_order(void **state)
{
    struct form f;

    (void)state;
    assert_int_equal(parse(&f, "message=hi+there%21&session_id=a-b_1"), OK);
    assert_int_equal(f.n, 2);
    assert_string_equal(form_get(&f, "message")->value, "hi there!");
    assert_int_equal(form_get(&f, "message")->value_len, 9);
    assert_string_equal(form_get(&f, "session_id")->value, "a-b_1");
    assert_null(form_get(&f, "mess"));
    assert_null(form_get(&f, ""));
}

static void
the_first_of_two_counts(void **state)
{
    struct form f;

    (void)state;
    assert_int_equal(parse(&f, "a=1&a=2"), OK);
    assert_int_equal(f.n, 2);
    assert_string_equal(form_get(&f, "a")->value, "1");
}

static void
odd_shapes_are_read_as_the_standard_says(void **state)
{
    struct form f;

    (void)state;
    assert_int_equal(parse(&f, ""), OK);
    assert_int_equal(f.n, 0);
    assert_int_equal(form_parse(&f, &arena, NULL, 0, &why), OK);
    assert_int_equal(f.n, 0);
    assert_int_equal(parse(&f, "&&&"), OK);
    assert_int_equal(f.n, 0);
    assert_int_equal(parse(&f, "a&b=&=c&d=e=f&"), OK);
    assert_int_equal(f.n, 4);
    assert_string_equal(form_get(&f, "a")->value, "");
    assert_string_equal(form_get(&f, "b")->value, "");
    assert_string_equal(form_get(&f, "")->value, "c");
    assert_string_equal(form_get(&f, "d")->value, "e=f");
    assert_int_equal(parse(&f, "na%6De=%C3%A9"), OK);
    assert_string_equal(form_get(&f, "name")->value, "\xc3\xa9");
}

static void
bad_escapes_nul_and_utf8_are_refused(void **state)
{
    static const char *const bad[] = {
        "a=%",   "a=%4",        "a=%zz",  "a=%00",  "%00=a",
        "a=%C3", "a=%ED%A0%80", "a=\xff", "\xc3=1", "ok=1&a=%F8%88%80%80%80",
    };
    struct form f;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(parse(&f, bad[i]), ERR_BADREQ);
        assert_string_equal(why.code, "invalid_form");
    }
    assert_int_equal(form_parse(&f, &arena, "a=b\0c", 5, &why), ERR_BADREQ);
}

static void
the_number_of_fields_is_bounded(void **state)
{
    char s[2 * (FORM_FIELDS_MAX + 1)];
    struct form f;

    (void)state;
    for (size_t i = 0; i < sizeof(s); i += 2)
        memcpy(s + i, "a&", 2);
    assert_int_equal(form_parse(&f, &arena, s, 2 * FORM_FIELDS_MAX, &why), OK);
    assert_int_equal(f.n, FORM_FIELDS_MAX);
    assert_int_equal(form_parse(&f, &arena, s, sizeof(s), &why), ERR_TOOBIG);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(fields_are_decoded_in_order),
        T(the_first_of_two_counts),
        T(odd_shapes_are_read_as_the_standard_says),
        T(bad_escapes_nul_and_utf8_are_refused),
        T(the_number_of_fields_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
