/* Tests of http/sse.c: ids of events. */
#include "http_test.h"

#include "http/sse.h"

#define TURN "0192f0c4-1111-7abc-8def-0123456789ab"

static void
an_id_comes_back_as_it_was_sent(void **state)
{
    char id[37];
    uint32_t seq;

    (void)state;
    assert_int_equal(sse_parse_id(TURN ".12", id, &seq), OK);
    assert_string_equal(id, TURN);
    assert_int_equal(seq, 12);
    assert_int_equal(sse_parse_id(TURN ".4294967295", id, &seq), OK);
    assert_true(seq == UINT32_MAX);
    assert_int_equal(sse_parse_id(TURN ".0", id, &seq), OK);
    assert_int_equal(
        sse_parse_id("0192F0C4-1111-7ABC-8DEF-0123456789AB.1", id, &seq), OK);
    assert_string_equal(id, TURN);
}

static void
anything_else_is_not_an_id(void **state)
{
    static const char *const bad[] = {
        "",
        ".",
        "1",
        TURN,
        TURN ".",
        TURN ".-1",
        TURN ".+1",
        TURN ". 1",
        TURN ".1 ",
        TURN ".1x",
        TURN ".4294967296",
        TURN ".00000000001",
        "x" TURN ".1",
        TURN "0.1",
        "0192f0c4-1111-7abc-8def-0123456789ag.1",
        "0192f0c4-1111-7abc-8def_0123456789ab.1",
        "0192f0c401111-7abc-8def-0123456789ab.1",
    };
    char id[37];
    uint32_t seq;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(sse_parse_id(bad[i], id, &seq), ERR_BADREQ);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_comes_back_as_it_was_sent),
        cmocka_unit_test(anything_else_is_not_an_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
