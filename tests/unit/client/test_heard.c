/* Tests of client/heard.c: each character of an answer is told once, however
 * often and in whatever pieces the server tells it. */
#include "client_test.h"

#define TURN "01234567-89ab-7def-8123-456789abcdef"
#define START                                                                 \
    "{\"type\":\"response_start\",\"session_id\":\"abc\",\"turn_id\":\"" TURN \
    "\"}"

struct world {
    struct told told;
    struct parley *p;
    struct heard h;
};

static int
setup(void **state)
{
    struct parley_config c = {.url = "http://127.0.0.1:1"};
    struct world *w = xcalloc(1, sizeof(*w));

    w->p = told_parley(&w->told, &c);
    heard_init(&w->h, w->p);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;

    heard_release(&w->h);
    parley_free(w->p);
    told_release(&w->told);
    free(w);
    return 0;
}

static void
hear(struct world *w, uint32_t seq, const char *json)
{
    assert_int_equal(heard_event(&w->h, seq, json, strlen(json)), OK);
}

static void
chunk(struct world *w, uint32_t seq, const char *text)
{
    char json[256];

    (void)snprintf(json, sizeof(json),
                   "{\"type\":\"response_chunk\",\"content\":\"%s\"}", text);
    hear(w, seq, json);
}

static void
pieces_and_an_end_are_told(void **state)
{
    struct world *w = *state;

    hear(w, 1, START);
    assert_string_equal(w->h.turn_id, TURN);
    assert_string_equal(parley_session(w->p), "abc");
    chunk(w, 2, "one ");
    chunk(w, 3, "two");
    assert_false(w->h.ended);
    hear(w, 4,
         "{\"type\":\"response_complete\",\"content\":\"one two\","
         "\"finish_reason\":\"stop\"}");
    assert_true(w->h.ended);
    assert_int_equal(w->h.status, PARLEY_OK);
    assert_text(&w->told, "one two");
    assert_told(&w->told, "connected\nanswer: one two [stop]\n");
}

static void
what_comes_again_is_not_told_again(void **state)
{
    struct world *w = *state;

    hear(w, 1, START);
    chunk(w, 2, "one ");
    chunk(w, 3, "two");
    hear(w, 1, START);
    chunk(w, 2, "one ");
    chunk(w, 3, "two");
    chunk(w, 4, " three");
    assert_text(&w->told, "one two three");
}

static void
an_answer_that_is_told_whole_is_continued(void **state)
{
    struct world *w = *state;

    hear(w, 1, START);
    chunk(w, 2, "one ");
    hear(w, 0, "{\"type\":\"ai_response\",\"message\":\"one two\"}");
    assert_text(&w->told, "one two");
    assert_told(&w->told, "connected\nanswer: one two []\n");
}

static void
one_that_is_another_text_is_left_out(void **state)
{
    struct world *w = *state;

    chunk(w, 2, "one");
    hear(w, 9, "{\"type\":\"response_complete\",\"content\":\"two three\"}");
    assert_text(&w->told, "one");
    assert_int_equal(w->h.status, PARLEY_OK);
}

static void
an_answer_that_was_stopped_is_kept(void **state)
{
    struct world *w = *state;

    chunk(w, 2, "on");
    hear(w, 3,
         "{\"type\":\"response_cancelled\",\"content\":\"one\","
         "\"finish_reason\":\"cancelled\"}");
    assert_int_equal(w->h.status, PARLEY_STOPPED);
    assert_text(&w->told, "one");
    assert_told(&w->told, "answer: one [cancelled]\n");
}

static void
an_error_ends_it_with_what_there_is(void **state)
{
    struct world *w = *state;

    hear(
        w, 3,
        "{\"type\":\"error\",\"code\":\"interrupted\",\"error\":\"It\\nbroke\","
        "\"message\":\"Ask again.\",\"content\":\"some\"}");
    assert_int_equal(w->h.status, PARLEY_REFUSED);
    assert_text(&w->told, "some");
    assert_told(&w->told, "error 1 interrupted: It broke: Ask again.\n");
    chunk(w, 4, "late");
    assert_text(&w->told, "");
}

static void
tools_are_named_and_the_unknown_is_passed_over(void **state)
{
    struct world *w = *state;

    hear(w, 1, "{\"type\":\"tool_call\",\"name\":\"clock\"}");
    hear(w, 2, "{\"type\":\"of_tomorrow\",\"content\":[1]}");
    hear(w, 3, "{\"type\":\"response_chunk\",\"content\":7}");
    assert_told(&w->told, "tool: clock\n");
    assert_text(&w->told, "");
}

static void
what_is_no_event_is_refused(void **state)
{
    static const char *const bad[] = {"", "x", "[]", "{}", "{\"type\":1}"};
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(heard_event(&w->h, 1, bad[i], strlen(bad[i])),
                         ERR_BADREQ);
}

static void
ids_that_are_none_are_not_kept(void **state)
{
    struct world *w = *state;

    hear(w, 1,
         "{\"type\":\"response_start\",\"session_id\":\"a b\","
         "\"turn_id\":\"x/../y\"}");
    assert_string_equal(w->h.turn_id, "");
    assert_string_equal(parley_session(w->p), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pieces_and_an_end_are_told, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_comes_again_is_not_told_again,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_answer_that_is_told_whole_is_continued, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_another_text_is_left_out,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_that_was_stopped_is_kept,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_ends_it_with_what_there_is,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            tools_are_named_and_the_unknown_is_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_event_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(ids_that_are_none_are_not_kept, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
