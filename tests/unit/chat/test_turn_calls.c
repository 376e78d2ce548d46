/* Tests of chat/turn_calls.c: calls of the client's own tools are events and a
 * part of the result, and calls of tools that there are not are nothing. */
#include "chat_test.h"

#include "chat/turn_calls.h"

static const struct tool tools[] = {{"f", "", "{}", false}};

static struct record *
ask_with_tools(const char *text, size_t n_tools)
{
    struct turn_ask *a = ask_new(&tap_provider, "s", text);

    a->ask.tools = tools;
    a->ask.n_tools = n_tools;
    return ask_it(a);
}

static void
put_call(int tap, const char *id_name, const char *args)
{
    tap_put(tap, 'C', id_name, strlen(id_name));
    if (args != NULL)
        tap_put(tap, 'A', args, strlen(args));
}

/* How many events of this type there are, and the first one's text. */
static size_t
count_events(const struct record *rec, enum event_type type, const char **text)
{
    size_t n = 0;

    for (size_t i = rec->n; i > 0; i--)
        if (rec->notes[i - 1].type == type) {
            *text = rec->notes[i - 1].text;
            n++;
        }
    return n;
}

static void
a_call_is_one_event_and_in_the_result(void **state)
{
    struct record *rec = ask_with_tools("tap 0", 1);
    const char *text = "";

    (void)state;
    tap_text(0, "Wait.");
    put_call(0, "a f", "{\"x\":");
    tap_put(0, 'A', "1}", 2);
    tap_finish(0, FINISH_TOOL_CALLS);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(count_events(rec, EVENT_TOOL_CALL, &text), 1);
    assert_non_null(strstr(text, "\"id\":\"a\",\"name\":\"f\","
                                 "\"arguments\":\"{\\\"x\\\":1}\""));
    assert_end_has(rec, "\"finish_reason\":\"tool_calls\"");
    assert_end_has(rec, "\"tool_calls\":[{\"id\":\"a\",\"name\":\"f\","
                        "\"arguments\":\"{\\\"x\\\":1}\"}]");
    assert_stored("s", "user:tap 0|assistant:Wait.(tool_calls)|");
}

static void
no_arguments_are_an_empty_object(void **state)
{
    struct record *rec = ask_with_tools("tap 0", 1);

    (void)state;
    put_call(0, "a f", NULL);
    tap_finish(0, FINISH_TOOL_CALLS);
    record_wait_done(rec);
    assert_end_has(rec, "\"arguments\":\"{}\"}]");
}

static void
calls_of_tools_that_were_not_given_are_nothing(void **state)
{
    struct record *rec = ask_with_tools("tap 0", 0);
    const char *text = "";

    (void)state;
    tap_text(0, "Hm.");
    put_call(0, "a f", "{}");
    tap_finish(0, FINISH_TOOL_CALLS);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(count_events(rec, EVENT_TOOL_CALL, &text), 0);
    assert_end_has(rec, "\"tool_calls\":[]");
}

static void
arguments_past_the_limit_end_the_turn(void **state)
{
    struct record *rec = ask_with_tools("tap 0", 1);
    char *much = xmalloc(TURN_CALLS_BYTES);

    (void)state;
    memset(much, '1', TURN_CALLS_BYTES);
    put_call(0, "a f", "{}");
    tap_put(0, 'A', much, TURN_CALLS_BYTES);
    record_wait_done(rec);
    tap_wait_left(0, 1);
    assert_end_has(rec, "\"arguments\":\"{}\"}]");
    free(much);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_call_is_one_event_and_in_the_result),
        T(no_arguments_are_an_empty_object),
        T(calls_of_tools_that_were_not_given_are_nothing),
        T(arguments_past_the_limit_end_the_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
