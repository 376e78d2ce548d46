/* Tests of files/text_json.c and files/text_json_row.c. */
#include "text_test.h"

#include "files/text_json.h"

static void
check(const char *s, const char *want)
{
    check_bytes(TEXT_JSON, s, strlen(s), want);
}

static void
broken(const char *s)
{
    check_skip(TEXT_JSON, s, strlen(s), SKIP_BROKEN);
}

static void
each_value_stands_behind_its_path(void **state)
{
    (void)state;
    check("{\n \"name\": \"parley\",\n \"server\": {\"host\": \"x\", \"port\": "
          "80},\n \"private\": true, \"no\": null, \"empty\": \"\"\n}",
          "R|name: parley\nR|server > host: x\nR|server > port: 80\n"
          "R|private: true");
    check("{\n\"a\": {\"b\": {\"c\": 1}, \"d\": 2}, \"e\": 3}",
          "R|a > b > c: 1\nR|a > d: 2\nR|e: 3");
    check("{\n\"tags\": [\"sun\", \"sea\"], \"x\": 1}",
          "R|tags: sun, sea\nR|x: 1");
    check("{\n\"m\": [[1, 2], [3]]}", "R|m: 1, 2\nR|m: 3");
    check("12", "R|12");
    check("\"hi\"", "R|hi");
    check("[1, 2.5e3, true]", "R|1, 2.5e3, true");
}

static void
objects_in_arrays_are_records(void **state)
{
    (void)state;
    check("[{\"id\": 1, \"at\": {\"city\": \"Bern\"}, \"t\": [1, 2]},"
          "{\"id\": 2}]",
          "R|id: 1, at.city: Bern, t: 1, 2\nR|id: 2");
    check("{\n\"users\": [{\"name\": \"Anna\"}, {\"name\": \"Bob\", \"o\": "
          "[{\"p\": 1}, {\"p\": 2}]}], \"n\": 2}",
          "R|users > name: Anna\nR|users > name: Bob, o.p: 1, o.p: 2\nR|n: 2");
    check("{\n\"a\": {\"b\": [{\"c\": 1}]}}", "R|a > b > c: 1");
    check("[[{\"a\": 1, \"b\": 2}]]", "R|a: 1, b: 2");
}

static void
one_object_a_line_is_a_record(void **state)
{
    (void)state;
    check("{\"a\": 1, \"b\": {\"c\": \"x\"}}\n{\"a\": 2, \"b\": {\"c\": "
          "\"y\"}}\n",
          "R|a: 1, b.c: x\nR|a: 2, b.c: y");
    check("{\"u\":[{\"n\":1},{\"n\":2}],\"z\":3}",
          "R|u > n: 1\nR|u > n: 2\nR|z: 3");
    check("1\n2 \"x\"[3]", "R|1\nR|2\nR|x\nR|3");
}

static void
strings_are_decoded(void **state)
{
    (void)state;
    check("{\"a\\\"\\u00e9\": \"x\\n\\ty\\/\\\\\"}", "R|a\"\xC3\xA9: x y/\\");
    check("\"\\ud83d\\ude00 \\u20ac\"", "R|\xF0\x9F\x98\x80 \xE2\x82\xAC");
    check("\"\\ud83d\"", "R|\xEF\xBF\xBD");
    check("\"\\ud83dx\\ude00\"", "R|\xEF\xBF\xBDx\xEF\xBF\xBD");
    check("\"\\ud83d\\ud83d\\ude00\"", "R|\xEF\xBF\xBD\xF0\x9F\x98\x80");
    check("\"a\\u0000b\\u0085c\\u001f\"", "R|a b c");
    check("\"  a \\n b  \"", "R|a b");
}

static void
what_settings_have_is_let_pass(void **state)
{
    (void)state;
    check("// a\n{ /* b * / ** */\n\"a\": 1, // c\n\"b\": [1, 2,],}\n//",
          "R|a: 1\nR|b: 1, 2");
    check("[NaN, Infinity, -Infinity]", "R|NaN, Infinity, -Infinity");
    check("{\n\"a\" /**/ : /**/ 1/**/}", "R|a: 1");
}

static void
what_is_no_json_is_broken(void **state)
{
    (void)state;
    broken("{");
    broken("[1, 2");
    broken("{\"a\": \"x");
    broken("{\"a\" 1}");
    broken("{a: 1}");
    broken("[1 2]");
    broken("[1}");
    broken("{\"a\": 1]");
    broken("]");
    broken("[,]");
    broken("[\"\\x\"]");
    broken("[\"\\u12g4\"]");
    broken("[01]");
    broken("[tru]");
    broken("hello world");
    broken("/");
    broken("\"\\u00");
}

static void
a_line_that_is_lost_is_lost_alone(void **state)
{
    (void)state;
    check("{\"a\": 1}\n{\"a\": 2, oops}\n{\"a\": 3}\n{\"a\":",
          "R|a: 1\nR|a: 2\nR|a: 3");
    check("{\"a\": 1}\n{\"a\": tru\n{\"a\": 3}", "R|a: 1\nR|a: 3");
    check("{\"a\": 1}}\n[2]", "R|a: 1\nR|2");
    check("[1]\nx\n[2]", "R|1\nR|2");
}

static void
it_may_be_so_deep(void **state)
{
    (void)state;
    for (size_t depth = TEXT_JSON_DEPTH_MAX; depth <= TEXT_JSON_DEPTH_MAX + 1;
         depth++) {
        char *s = many('[', 2 * depth + 1);

        memset(s + depth + 1, ']', depth);
        s[depth] = '7';
        if (depth <= TEXT_JSON_DEPTH_MAX)
            check(s, "R|7");
        else
            check_skip(TEXT_JSON, s, 2 * depth + 1, SKIP_BOMB);
        free(s);
    }
}

static void
long_names_are_cut(void **state)
{
    (void)state;
    for (size_t n = TEXT_JSON_NAME_MAX; n <= TEXT_JSON_NAME_MAX + 1; n++) {
        char *name = many('n', n);
        char *in = xmalloc(n + 100);
        char *want = xmalloc(n + 100);

        (void)snprintf(in, n + 100, "{\"%s\": 1}", name);
        (void)snprintf(want, n + 100, "R|%.*s: 1", TEXT_JSON_NAME_MAX, name);
        check(in, want);
        free(name);
        free(in);
        free(want);
    }
}

static void
names_beyond_the_longest_path_are_left_out(void **state)
{
    struct buf in;
    struct reading r;
    char *name = many('n', TEXT_JSON_NAME_MAX);

    (void)state;
    buf_init(&in, 65536);
    for (int i = 0; i < 20; i++)
        buf_addf(&in, "{\"%s\": ", name);
    buf_addc(&in, '1');
    for (int i = 0; i < 20; i++)
        buf_addc(&in, '}');
    read_all_ways(&r, TEXT_JSON, in.data, in.len);
    assert_int_equal(r.e, OK);
    assert_in_range(r.out.len, TEXT_JSON_PATH_MAX - 200,
                    TEXT_JSON_PATH_MAX + 10);
    reading_release(&r);
    buf_release(&in);
    free(name);
}

static void
a_number_may_be_so_long(void **state)
{
    (void)state;
    for (size_t n = 256; n <= 257; n++) {
        char *s = many('1', n);

        if (n == 256) {
            char *want = xmalloc(n + 3);

            (void)snprintf(want, n + 3, "R|%s", s);
            check(s, want);
            free(want);
        } else {
            broken(s);
        }
        free(s);
    }
}

static void
data_of_machines_is_left_out(void **state)
{
    struct reading r;
    char *s = many('A', 3000);

    (void)state;
    s[0] = '"';
    s[TEXT_JSON_LOOK] = '"'; /* one byte less than is looked at */
    read_all_ways(&r, TEXT_JSON, s, TEXT_JSON_LOOK + 1);
    assert_int_equal(r.out.len, TEXT_JSON_LOOK - 1 + 2);
    reading_release(&r);
    s[TEXT_JSON_LOOK] = 'A';
    s[2999] = '"';
    check_bytes(TEXT_JSON, s, 3000, "R|\xE2\x80\xA6");
    s[5] = ' ';
    read_all_ways(&r, TEXT_JSON, s, 3000);
    assert_int_equal(r.out.len, 3000);
    reading_release(&r);
    free(s);
}

static void
a_long_record_goes_on_in_another_row(void **state)
{
    char *x = many('x', TEXT_JSON_ROW_LONG);
    struct buf in;
    struct reading r;

    (void)state;
    for (int n = TEXT_JSON_ROW_LONG; n <= TEXT_JSON_ROW_LONG + 1; n++) {
        buf_init(&in, 65536);
        buf_addf(&in, "[{\"a\": \"%.*s\", \"b\": 1}]", n - 3, x);
        read_all_ways(&r, TEXT_JSON, in.data, in.len);
        assert_int_equal(r.blocks, n > TEXT_JSON_ROW_LONG ? 2 : 1);
        reading_release(&r);
        buf_release(&in);
    }
    free(x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_stands_behind_its_path),
        cmocka_unit_test(objects_in_arrays_are_records),
        cmocka_unit_test(one_object_a_line_is_a_record),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(what_settings_have_is_let_pass),
        cmocka_unit_test(what_is_no_json_is_broken),
        cmocka_unit_test(a_line_that_is_lost_is_lost_alone),
        cmocka_unit_test(it_may_be_so_deep),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(names_beyond_the_longest_path_are_left_out),
        cmocka_unit_test(a_number_may_be_so_long),
        cmocka_unit_test(data_of_machines_is_left_out),
        cmocka_unit_test(a_long_record_goes_on_in_another_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
