/* Tests of http/sse.c: events and their ids. */
#include "http_test.h"

#include "http/sse.h"

#define TURN "0192f0c4-1111-7abc-8def-0123456789ab"

static void
an_event_is_three_lines_and_a_blank_one(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    sse_event(&b, TURN, 7, "response_chunk", "{\"a\":1}", 7);
    assert_string_equal(buf_cstr(&b), "id: " TURN ".7\n"
                                      "event: response_chunk\n"
                                      "data: {\"a\":1}\n\n");
    buf_clear(&b);
    sse_event(&b, "t", 0, "e", "", 0);
    assert_string_equal(buf_cstr(&b), "id: t.0\nevent: e\ndata: \n\n");
    buf_clear(&b);
    sse_event(&b, "t", UINT32_MAX, "e", "x", 1);
    assert_string_equal(buf_cstr(&b), "id: t.4294967295\nevent: e\n"
                                      "data: x\n\n");
    buf_release(&b);
}

static void
an_event_past_the_ceiling_is_not_added_in_part(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    sse_event(&b, TURN, 1, "e", "x", 1);
    size_t before = b.len;
    sse_event(&b, TURN, 2, "e", "x", 1);
    assert_int_equal(b.len, before);
    assert_int_equal(buf_status(&b), ERR_TOOBIG);
    buf_release(&b);
    buf_init(&b, 100);
    sse_event(&b, TURN, 2, "e", "x", SIZE_MAX - 10);
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_status(&b), ERR_TOOBIG);
    buf_release(&b);
}

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
        cmocka_unit_test(an_event_is_three_lines_and_a_blank_one),
        cmocka_unit_test(an_event_past_the_ceiling_is_not_added_in_part),
        cmocka_unit_test(an_id_comes_back_as_it_was_sent),
        cmocka_unit_test(anything_else_is_not_an_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
