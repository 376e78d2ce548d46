/* Tests of dialect/sse.c: events as JSON objects and as server-sent events. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/json.h"
#include "chat/result.h"
#include "dialect/sse.h"

#define OUT_MAX (1024 * 1024)
#define TURN "01020304-0506-7708-890a-0b0c0d0e0f10"

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

static struct event
event_of(enum event_type type, const char *data)
{
    return (struct event){
        .seq = 7, .type = type, .data = data, .len = strlen(data)};
}

static void
assert_data(enum event_type type, const char *data, uint32_t seq,
            const char *want)
{
    struct event ev = event_of(type, data);

    buf_clear(&out);
    dialect_event_data(&out, &ev, seq);
    assert_string_equal(buf_cstr(&out), want);
    assert_int_equal(json_check(out.data, out.len, NULL), OK);
}

static void
each_event_has_its_name(void **state)
{
    (void)state;
    assert_string_equal(dialect_event_name(EVENT_START), "response_start");
    assert_string_equal(dialect_event_name(EVENT_CONTEXT), "context");
    assert_string_equal(dialect_event_name(EVENT_REASONING), "reasoning_chunk");
    assert_string_equal(dialect_event_name(EVENT_CHUNK), "response_chunk");
    assert_string_equal(dialect_event_name(EVENT_TOOL_CALL), "tool_call");
    assert_string_equal(dialect_event_name(EVENT_TOOL_RESULT), "tool_result");
    assert_string_equal(dialect_event_name(EVENT_CITATION), "citation");
    assert_string_equal(dialect_event_name(EVENT_COMPLETE),
                        "response_complete");
    assert_string_equal(dialect_event_name(EVENT_CANCELLED),
                        "response_cancelled");
    assert_string_equal(dialect_event_name(EVENT_ERROR), "error");
    for (int t = EVENT__MAX; t < 300; t += 50)
        assert_string_equal(dialect_event_name((enum event_type)t), "unknown");
    assert_string_equal(dialect_event_name((enum event_type)0), "unknown");
}

static void
text_becomes_the_content(void **state)
{
    (void)state;
    assert_data(EVENT_CHUNK, "Hel", 0,
                "{\"type\":\"response_chunk\",\"content\":\"Hel\"}");
    assert_data(EVENT_REASONING, "hm", 0,
                "{\"type\":\"reasoning_chunk\",\"content\":\"hm\"}");
    assert_data(EVENT_CHUNK, "a\n\"b\"\\\r\t\x01", 0,
                "{\"type\":\"response_chunk\","
                "\"content\":\"a\\n\\\"b\\\"\\\\\\r\\t\\u0001\"}");
    assert_data(EVENT_CHUNK, "", 0,
                "{\"type\":\"response_chunk\",\"content\":\"\"}");
}

static void
polling_adds_the_number(void **state)
{
    (void)state;
    assert_data(EVENT_CHUNK, "x", 12,
                "{\"type\":\"response_chunk\",\"seq\":12,\"content\":\"x\"}");
    assert_data(EVENT_START, "{\"a\":1}", 1,
                "{\"type\":\"response_start\",\"seq\":1,\"a\":1}");
}

static void
objects_get_their_type_in_front(void **state)
{
    (void)state;
    assert_data(EVENT_START, "{\"turn_id\":\"t\"}", 0,
                "{\"type\":\"response_start\",\"turn_id\":\"t\"}");
    assert_data(EVENT_TOOL_CALL, "{}", 0, "{\"type\":\"tool_call\"}");
    assert_data(EVENT_CONTEXT, "{\"dropped\":2,\"files\":[\"a\"]}", 0,
                "{\"type\":\"context\",\"dropped\":2,\"files\":[\"a\"]}");
    assert_data(EVENT_CONTEXT, "{\"message\":\"x\"}", 2,
                "{\"type\":\"context\",\"seq\":2,\"message\":\"x\"}");
    assert_data(EVENT_ERROR, "{\"code\":\"x\",\"message\":\"do\"}", 0,
                "{\"type\":\"error\",\"code\":\"x\",\"message\":\"do\"}");
}

static void
ends_repeat_the_message_as_content(void **state)
{
    (void)state;
    assert_data(EVENT_COMPLETE, "{\"a\":1,\"message\":\"Hi\"}", 0,
                "{\"type\":\"response_complete\",\"content\":\"Hi\",\"a\":1,"
                "\"message\":\"Hi\"}");
    assert_data(EVENT_CANCELLED, "{\"a\":1,\"message\":\"\"}", 3,
                "{\"type\":\"response_cancelled\",\"seq\":3,\"content\":\"\","
                "\"a\":1,\"message\":\"\"}");
    assert_data(EVENT_COMPLETE, "{\"a\":1}", 0,
                "{\"type\":\"response_complete\",\"a\":1}");
}

/* The text may look like anything, also like the member it stands in. */
static void
content_is_the_message_for_any_text(void **state)
{
    static const char *const texts[] = {
        ",\"message\":\"",
        "\",\"message\":\"x",
        "\\\",\"message\":\"x\\",
        "}\n\ndata: x\n\n",
        "line\nline\r\nline\r",
        "ends with a comma,",
        "ends with a quote\"",
        "ends with a backslash\\",
        "\xE2\x80\xA8 and \xE2\x80\xA9",
        "\xF0\x9F\x98\x80 \xE2\x82\xAC",
        "{\"message\":\"inner\"},\"message\":",
        "\x01\x02\x1F",
        "",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct result r = {.session_id = "s,\"message\":",
                           .provider = "p",
                           .model = "m\",\"message\":\"z",
                           .finish = FINISH_STOP,
                           .notes = "[{\"code\":\"c\",\"message\":\"no\"}]",
                           .text = texts[i],
                           .text_len = strlen(texts[i])};
        struct event ev = {.seq = 3, .type = EVENT_COMPLETE};
        struct buf data;
        cJSON *j = NULL;

        buf_init(&data, OUT_MAX);
        result_json(&data, &r);
        ev.data = data.data;
        ev.len = data.len;
        buf_clear(&out);
        dialect_event_data(&out, &ev, 0);
        assert_null(memchr(out.data, '\n', out.len));
        assert_null(memchr(out.data, '\r', out.len));
        assert_int_equal(json_parse(out.data, out.len, &j, NULL), OK);
        assert_string_equal(json_str(j, "content"), texts[i]);
        assert_string_equal(json_str(j, "message"), texts[i]);
        assert_string_equal(json_str(j, "model"), "m\",\"message\":\"z");
        cJSON_Delete(j);
        buf_release(&data);
    }
}

static void
a_server_sent_event_has_three_lines(void **state)
{
    struct event ev = event_of(EVENT_CHUNK, "Hel\nlo");

    (void)state;
    dialect_sse(&out, TURN, &ev);
    assert_string_equal(buf_cstr(&out), "id: " TURN ".7\n"
                                        "event: response_chunk\n"
                                        "data: {\"type\":\"response_chunk\","
                                        "\"content\":\"Hel\\nlo\"}\n\n");
    ev.seq = UINT32_MAX;
    buf_clear(&out);
    dialect_sse(&out, TURN, &ev);
    assert_non_null(strstr(buf_cstr(&out), ".4294967295\n"));
}

static void
events_are_added_to_what_is_there(void **state)
{
    struct event a = event_of(EVENT_CHUNK, "a");
    struct event b = event_of(EVENT_CHUNK, "b");
    size_t n;

    (void)state;
    dialect_sse(&out, TURN, &a);
    n = out.len;
    dialect_sse(&out, TURN, &b);
    assert_int_equal(out.len, 2 * n);
    assert_memory_equal(out.data + n, "id: ", 4);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_event_has_its_name),
        T(text_becomes_the_content),
        T(polling_adds_the_number),
        T(objects_get_their_type_in_front),
        T(ends_repeat_the_message_as_content),
        T(content_is_the_message_for_any_text),
        T(a_server_sent_event_has_three_lines),
        T(events_are_added_to_what_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
