/* Tests of dialect/openai_vectors.c: rows of numbers, in both forms. */
#include "openai_test.h"

#include <math.h>

#include "base/text.h"
#include "dialect/openai_vectors.h"

static struct buf out;

static int
setup(void **state)
{
    (void)state;
    buf_init(&out, OUT_MAX);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    buf_release(&out);
    return 0;
}

static void
rows_are_a_list(void **state)
{
    static const float a[] = {0.5F, -1, 0.1F}, b[] = {1e-8F, 3, 16777216};

    (void)state;
    openai_vectors_begin(&out);
    openai_vectors_add(&out, 0, a, 3, false);
    openai_vectors_add(&out, 1, b, 3, false);
    openai_vectors_end(&out, "embed-x", 9);
    assert_string_equal(
        buf_cstr(&out),
        "{\"object\":\"list\",\"data\":["
        "{\"object\":\"embedding\",\"index\":0,\"embedding\":[0.5,-1,0.1]},"
        "{\"object\":\"embedding\",\"index\":1,\"embedding\":"
        "[1e-08,3,16777216]}],\"model\":\"embed-x\",\"usage\":"
        "{\"prompt_tokens\":9,\"total_tokens\":9}}");
}

static void
base64_is_little_endian_float32(void **state)
{
    static const float a[] = {1, -2};

    (void)state;
    openai_vectors_add(&out, 0, a, 2, true);
    assert_string_equal(buf_cstr(&out),
                        "{\"object\":\"embedding\",\"index\":0,\"embedding\":"
                        "\"AACAPwAAAMA=\"}");
}

static void
no_digit_of_a_number_is_lost(void **state)
{
    uint32_t bits = 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        const char *text;
        float v;

        bits = bits * 1664525U + 1013904223U;
        memcpy(&v, &bits, sizeof(v));
        if (!isfinite(v))
            continue;
        buf_clear(&out);
        openai_vectors_add(&out, 0, &v, 1, false);
        text = strchr(buf_cstr(&out), '[');
        assert_non_null(text);
        assert_true(strtof(text + 1, NULL) == v);
        assert_int_equal(json_check(out.data, out.len, NULL), OK);
    }
}

static void
what_json_cannot_say_is_zero(void **state)
{
    static const float a[] = {NAN, INFINITY, 2};

    (void)state;
    openai_vectors_add(&out, 0, a, 3, false);
    assert_has(buf_cstr(&out), "[0,0,2]");
    buf_clear(&out);
    openai_vectors_add(&out, 0, a, 0, false);
    assert_has(buf_cstr(&out), "\"embedding\":[]}");
}

static void
tokens_that_were_not_counted_are_null(void **state)
{
    (void)state;
    openai_vectors_begin(&out);
    openai_vectors_end(&out, "m", -1);
    assert_string_equal(buf_cstr(&out),
                        "{\"object\":\"list\",\"data\":[],\"model\":\"m\","
                        "\"usage\":{\"prompt_tokens\":null,"
                        "\"total_tokens\":null}}");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(rows_are_a_list),
        T(base64_is_little_endian_float32),
        T(no_digit_of_a_number_is_lost),
        T(what_json_cannot_say_is_zero),
        T(tokens_that_were_not_counted_are_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
