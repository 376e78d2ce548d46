/* Tests of base/json_out.c: JSON out. */
#include "base_test.h"

#include <math.h>

#include "base/buf.h"
#include "base/json.h"

#define B(s) (s), sizeof(s) - 1

static void
escaped(const char *s, size_t n, const char *want)
{
    struct buf b;

    buf_init(&b, 4096);
    json_escape(&b, s, n);
    assert_string_equal(buf_cstr(&b), want);
    assert_int_equal(json_check(b.data, b.len, NULL),
                     memchr(s, 0, n) ? ERR_BADREQ : OK);
    buf_release(&b);
}

static void
strings_are_escaped_as_json_wants_it(void **state)
{
    (void)state;
    escaped(B(""), "\"\"");
    escaped(B("plain text"), "\"plain text\"");
    escaped(B("\"\\/"), "\"\\\"\\\\/\"");
    escaped(B("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
    escaped(B("\x01\x1F\x7F"), "\"\\u0001\\u001f\\u007f\"");
    escaped(B("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"),
            "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"");
}

static void
every_line_end_is_escaped(void **state)
{
    (void)state;
    escaped(B("a\nb\r\nc"), "\"a\\nb\\r\\nc\"");
    escaped(B("\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xA7"),
            "\"\\u2028\\u2029\xE2\x80\xA7\"");
}

static void
ill_formed_utf8_becomes_the_replacement_character(void **state)
{
    (void)state;
    escaped(B("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
    escaped(B("\xF0\x9F\x98"), "\"\xEF\xBF\xBD\"");
    escaped(B("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    escaped(B("\xE2\x80"), "\"\xEF\xBF\xBD\"");
}

static void
every_byte_and_pair_survives_the_round_trip(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (unsigned c = 1; c < 0x80 * 0x80; c++) {
        char s[3] = {(char)(c & 0x7F), (char)(c >> 7), '\0'};
        cJSON *tree;

        if (!s[0])
            continue;
        buf_clear(&b);
        json_escape(&b, s, strlen(s));
        assert_int_equal(json_parse(b.data, b.len, &tree, NULL), OK);
        assert_string_equal(tree->valuestring, s);
        cJSON_Delete(tree);
    }
    buf_release(&b);
}

static void
the_writer_places_the_commas(void **state)
{
    struct json_out j;
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    json_out_init(&j, &b);
    json_begin_obj(&j);
    json_put_str(&j, "a", "x\n");
    json_put_str(&j, "z", NULL);
    json_put_strn(&j, "b", "yes!", 3);
    json_put_i64(&j, "c", -5);
    json_put_bool(&j, "d", false);
    json_put_raw(&j, "e", "[1]", 3);
    json_name(&j, "f");
    json_begin_arr(&j);
    json_begin_arr(&j);
    json_end_arr(&j);
    json_begin_obj(&j);
    json_end_obj(&j);
    json_add_null(&j);
    json_add_bool(&j, true);
    json_add_num(&j, 0.5);
    json_end_arr(&j);
    json_name(&j, "g");
    json_begin_obj(&j);
    json_put_i64(&j, "h", INT64_MIN);
    json_end_obj(&j);
    json_put_i64(&j, "i", 0);
    json_end_obj(&j);
    assert_int_equal(buf_status(&b), OK);
    assert_string_equal(
        buf_cstr(&b),
        "{\"a\":\"x\\n\",\"z\":null,\"b\":\"yes\",\"c\":-5,\"d\":false,"
        "\"e\":[1],\"f\":[[],{},null,true,0.5],"
        "\"g\":{\"h\":-9223372036854775808},\"i\":0}");
    assert_int_equal(json_check(b.data, b.len, NULL), OK);
    buf_release(&b);
}

static void
number(double v, const char *want)
{
    struct json_out j;
    struct buf b;

    buf_init(&b, 100);
    json_out_init(&j, &b);
    json_add_num(&j, v);
    assert_string_equal(buf_cstr(&b), want);
    assert_int_equal(json_check(b.data, b.len, NULL), OK);
    buf_release(&b);
}

static void
numbers_are_short_and_come_back_the_same(void **state)
{
    static const double hard[] = {
        1.0 / 3.0,     0.1 + 0.2,
        5e-324,        1.7976931348623157e308,
        123456789.125, 2.2250738585072014e-308,
    };

    (void)state;
    number(0, "0");
    number(1, "1");
    number(-2.5, "-2.5");
    number(0.1, "0.1");
    number(0.7, "0.7");
    number(1e100, "1e+100");
    number(NAN, "null");
    number(INFINITY, "null");
    number(-INFINITY, "null");
    for (size_t i = 0; i < COUNT_OF(hard); i++) {
        struct json_out j;
        struct buf b;

        buf_init(&b, 100);
        json_out_init(&j, &b);
        json_add_num(&j, hard[i]);
        assert_true(strtod(buf_cstr(&b), NULL) == hard[i]);
        buf_release(&b);
    }
}

static void
what_does_not_fit_sticks_in_the_buffer(void **state)
{
    struct json_out j;
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    json_out_init(&j, &b);
    json_begin_obj(&j);
    json_put_str(&j, "name", "value");
    json_end_obj(&j);
    assert_int_equal(buf_status(&b), ERR_TOOBIG);
    buf_release(&b);
}

static void
a_time_that_is_none_is_null(void **state)
{
    struct json_out j;
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    json_out_init(&j, &b);
    json_begin_obj(&j);
    json_put_when(&j, "a", 0);
    json_put_when(&j, "b", 1);
    json_put_time(&j, "c", 0);
    json_end_obj(&j);
    assert_string_equal(buf_cstr(&b),
                        "{\"a\":null,\"b\":\"1970-01-01T00:00:00.001Z\","
                        "\"c\":\"1970-01-01T00:00:00.000Z\"}");
    buf_release(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped_as_json_wants_it),
        cmocka_unit_test(every_line_end_is_escaped),
        cmocka_unit_test(ill_formed_utf8_becomes_the_replacement_character),
        cmocka_unit_test(every_byte_and_pair_survives_the_round_trip),
        cmocka_unit_test(the_writer_places_the_commas),
        cmocka_unit_test(numbers_are_short_and_come_back_the_same),
        cmocka_unit_test(a_time_that_is_none_is_null),
        cmocka_unit_test(what_does_not_fit_sticks_in_the_buffer),
    };

    return cmocka_run_group_tests_name("json_out", tests, NULL, NULL);
}
