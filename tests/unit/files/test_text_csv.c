/* Tests of files/text_csv.c and files/text_row.c. */
#include "text_test.h"

static void
check(const char *s, const char *want)
{
    check_bytes(TEXT_CSV, s, strlen(s), want);
}

static void
a_row_says_its_columns(void **state)
{
    (void)state;
    check("name,city\nAnna,Bern\nBob,Paris\n",
          "R|name: Anna, city: Bern\nR|name: Bob, city: Paris");
    check("name,city\r\nAnna,Bern", "R|name: Anna, city: Bern");
    check("name,city\nAnna\nBob,Paris,x\n,\n\n,Rome",
          "R|name: Anna\nR|name: Bob, city: Paris, x\nR|city: Rome");
}

static void
cells_may_be_quoted(void **state)
{
    (void)state;
    check("a,b\n\"1,2\",\"say \"\"hi\"\"\"\n", "R|a: 1,2, b: say \"hi\"");
    check("a,b\n\"two\nlines\",\" x  y \"\n", "R|a: two lines, b: x y");
    check("\"a, b\",\"c \"\"d\"\"\",\"e\nf\"\nx,y,z",
          "R|a, b: x, c \"d\": y, e f: z");
    check("a,b\n\"x\"y,z\"w\"\n", "R|a: xy, b: z\"w\"");
    check("a,b\n \"x,y\",2\n", "R|a: x,y, b: 2");
    check("a,b\n\"\",\"\"\nx,\"", "R|a: x");
}

static void
the_comma_may_be_another(void **state)
{
    (void)state;
    check("a;b;c,d\n1;2;3\n", "R|a: 1, b: 2, c,d: 3");
    check("a\tb\n1, 2\t3\n", "R|a: 1, 2, b: 3");
    check("a|b\n1|2", "R|a: 1, b: 2");
    check("sep=;\na;b,c,d\n1;2\n", "R|a: 1, b,c,d: 2");
    check("\"a;b;c\",d\n1,2", "R|a;b;c: 1, d: 2");
}

static void
numbers_are_no_heads(void **state)
{
    (void)state;
    check("1,Anna\n2,Bob", "R|1, Anna\nR|2, Bob");
    check("Anna,-1.5\nBob,2", "R|Anna, -1.5\nR|Bob, 2");
    check("country,2019,2020\nPeru,1,2", "R|country: Peru, 2019: 1, 2020: 2");
    check("2019,2020\n1,2", "R|2019, 2020\nR|1, 2");
    check("one\ntwo\n", "R|one\nR|two");
    check(",,,a\n1,2,3,4", "R|a\nR|1, 2, 3, 4");
}

static void
heads_alone_are_found(void **state)
{
    (void)state;
    check("name,city\n", "R|name, city");
    check("\n\nname,city", "R|name, city");
    check_skip(TEXT_CSV, ",,\n,,\n", 6, SKIP_EMPTY);
}

static void
a_quote_that_never_ends_was_none(void **state)
{
    struct reading r;
    struct buf in;

    (void)state;
    for (int extra = 0; extra <= 1; extra++) {
        buf_init(&in, READ_MAX);
        buf_adds(&in, "a,b\n\"");
        for (int i = 0; i < 64 * 1024 - 2 + extra; i++)
            buf_addc(&in, 'x');
        buf_adds(&in, "\n\"1,2\n3,4\n");
        read_all_ways(&r, TEXT_CSV, in.data, in.len);
        assert_int_equal(r.e, OK);
        assert_non_null(strstr(buf_cstr(&r.out), "R|a: 3, b: 4"));
        assert_non_null(
            strstr(r.out.data, extra == 0 ? "x 1, b: 2" : "1, b: 2"));
        reading_release(&r);
        buf_release(&in);
    }
}

static void
a_first_record_too_long_holds_no_heads(void **state)
{
    (void)state;
    for (size_t n = 16 * 1024 - 1; n <= 16 * 1024; n++) {
        char *s = many('x', n + 4);
        struct reading r;

        memcpy(s, "a,", 2);
        memcpy(s + n, "\n1,2", 4);
        read_all_ways(&r, TEXT_CSV, s, n + 4);
        assert_int_equal(r.e, OK);
        if (n < 16 * 1024)
            assert_memory_equal(r.out.data, "R|a: 1, xxx", 11);
        else
            assert_memory_equal(r.out.data, "R+|a, xxx", 9);
        reading_release(&r);
        free(s);
    }
}

static void
columns_beyond_the_limit_have_no_head(void **state)
{
    struct reading r;
    struct buf in;

    (void)state;
    buf_init(&in, READ_MAX);
    for (int i = 0; i < TEXT_COLUMNS_MAX + 1; i++)
        buf_addf(&in, "%sh%d", i ? "," : "", i);
    buf_addc(&in, '\n');
    for (int i = 0; i < TEXT_COLUMNS_MAX + 1; i++)
        buf_addf(&in, "%s%d", i ? "," : "", i);
    read_all_ways(&r, TEXT_CSV, in.data, in.len);
    assert_non_null(strstr(buf_cstr(&r.out), ", h255: 255, 256"));
    reading_release(&r);
    buf_release(&in);
}

static void
a_cell_of_megabytes_comes_in_parts(void **state)
{
    struct reading r;
    struct buf in;

    (void)state;
    buf_init(&in, READ_MAX);
    buf_adds(&in, "a,b\n");
    for (int i = 0; i < 300000; i++)
        buf_adds(&in, "word ");
    buf_adds(&in, ",end\n1,2\n");
    read_all_ways(&r, TEXT_CSV, in.data, in.len);
    assert_int_equal(r.e, OK);
    assert_int_equal(r.longest, BLOCK_MAX);
    assert_memory_equal(r.out.data, "R+|a: word word", 15);
    assert_non_null(strstr(buf_cstr(&r.out), "word, b: end\nR|a: 1, b: 2"));
    reading_release(&r);
    buf_release(&in);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_says_its_columns),
        cmocka_unit_test(cells_may_be_quoted),
        cmocka_unit_test(the_comma_may_be_another),
        cmocka_unit_test(numbers_are_no_heads),
        cmocka_unit_test(heads_alone_are_found),
        cmocka_unit_test(a_quote_that_never_ends_was_none),
        cmocka_unit_test(a_first_record_too_long_holds_no_heads),
        cmocka_unit_test(columns_beyond_the_limit_have_no_head),
        cmocka_unit_test(a_cell_of_megabytes_comes_in_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
