/* Tests of base/buf.c. */
#include "base_test.h"

#include "base/buf.h"

static void
it_grows_to_its_ceiling_and_not_past_it(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (int i = 0; i < 100; i++)
        buf_addc(&b, (char)('a' + i % 26));
    assert_int_equal(b.len, 100);
    assert_int_equal(b.cap, 100);
    assert_int_equal(buf_status(&b), OK);
    buf_addc(&b, 'x');
    assert_int_equal(b.len, 100);
    assert_int_equal(buf_status(&b), ERR_TOOBIG);
    buf_release(&b);
}

static void
adding_past_the_ceiling_changes_nothing_and_sticks(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 8);
    buf_adds(&b, "hello");
    buf_adds(&b, "world");
    assert_int_equal(b.len, 5);
    assert_memory_equal(b.data, "hello", 5);
    buf_adds(&b, "x");
    buf_addc(&b, 'x');
    buf_addf(&b, "%d", 1);
    buf_add_i64(&b, 1);
    assert_null(buf_room(&b, 1));
    assert_int_equal(b.len, 5);
    assert_string_equal(buf_cstr(&b), "");
    assert_int_equal(buf_status(&b), ERR_TOOBIG);
    buf_clear(&b);
    assert_int_equal(buf_status(&b), OK);
    buf_adds(&b, "eightchr");
    assert_int_equal(buf_status(&b), OK);
    assert_string_equal(buf_cstr(&b), "eightchr");
    buf_release(&b);
}

static void
a_huge_length_does_not_wrap(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 16);
    buf_adds(&b, "ab");
    assert_null(buf_room(&b, SIZE_MAX - 1));
    assert_true(b.over);
    buf_release(&b);
}

static void
the_ceiling_may_be_zero(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    buf_add(&b, "", 0);
    assert_non_null(buf_room(&b, 0));
    assert_int_equal(buf_status(&b), OK);
    assert_string_equal(buf_cstr(&b), "");
    buf_addc(&b, 'x');
    assert_int_equal(buf_status(&b), ERR_TOOBIG);
    buf_release(&b);
}

static void
formats_fit_exactly_or_not_at_all(void **state)
{
    struct buf b;
    char text[1001];

    (void)state;
    memset(text, 'q', 1000);
    text[1000] = '\0';
    buf_init(&b, 1000);
    buf_addf(&b, "%s", text);
    assert_int_equal(buf_status(&b), OK);
    assert_int_equal(b.len, 1000);
    assert_string_equal(buf_cstr(&b), text);
    buf_clear(&b);
    buf_addf(&b, "%sx", text);
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_status(&b), ERR_TOOBIG);
    buf_clear(&b);
    buf_addf(&b, "%d-%s", 42, "ok");
    buf_addf(&b, "%s", "");
    assert_string_equal(buf_cstr(&b), "42-ok");
    buf_release(&b);
}

static void
whole_numbers_are_written_in_full(void **state)
{
    static const int64_t numbers[] = {
        0, 7, -7, 10, 99, 100, INT32_MAX, INT64_MAX, INT64_MIN, INT64_MIN + 1,
    };
    char want[32];
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        buf_clear(&b);
        buf_add_i64(&b, numbers[i]);
        (void)snprintf(want, sizeof(want), "%" PRId64, numbers[i]);
        assert_string_equal(buf_cstr(&b), want);
    }
    buf_release(&b);
}

static void
the_caller_may_write_into_the_room(void **state)
{
    struct buf b;
    char *at;

    (void)state;
    buf_init(&b, 10);
    buf_adds(&b, "abc");
    at = buf_room(&b, 7);
    assert_non_null(at);
    memcpy(at, "defg", 4);
    b.len += 4;
    assert_string_equal(buf_cstr(&b), "abcdefg");
    buf_release(&b);
}

static void
dropping_moves_the_rest_to_the_front(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    buf_drop(&b, 0);
    buf_adds(&b, "abcdef");
    buf_drop(&b, 2);
    assert_string_equal(buf_cstr(&b), "cdef");
    buf_drop(&b, 4);
    assert_int_equal(b.len, 0);
    assert_string_equal(buf_cstr(&b), "");
    buf_release(&b);
}

static void
trimming_frees_only_what_is_empty_and_large(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10000);
    for (int i = 0; i < 5000; i++)
        buf_addc(&b, 'x');
    buf_trim(&b, 64);
    assert_int_equal(b.len, 5000);
    buf_clear(&b);
    buf_trim(&b, b.cap);
    assert_non_null(b.data);
    buf_trim(&b, 64);
    assert_null(b.data);
    assert_int_equal(b.cap, 0);
    buf_adds(&b, "again");
    assert_string_equal(buf_cstr(&b), "again");
    buf_release(&b);
    assert_null(b.data);
    assert_int_equal(b.max, 10000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_grows_to_its_ceiling_and_not_past_it),
        cmocka_unit_test(adding_past_the_ceiling_changes_nothing_and_sticks),
        cmocka_unit_test(a_huge_length_does_not_wrap),
        cmocka_unit_test(the_ceiling_may_be_zero),
        cmocka_unit_test(formats_fit_exactly_or_not_at_all),
        cmocka_unit_test(whole_numbers_are_written_in_full),
        cmocka_unit_test(the_caller_may_write_into_the_room),
        cmocka_unit_test(dropping_moves_the_rest_to_the_front),
        cmocka_unit_test(trimming_frees_only_what_is_empty_and_large),
    };

    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
