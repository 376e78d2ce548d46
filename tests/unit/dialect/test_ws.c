/*
 * Tests of dialect/ws.c and of what each dialect says: events of a turn, made
 * by chat/result.c as the engine makes them, as the frames of the four
 * documents, to the byte.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"
#include "chat/result.h"
#include "dialect/ws.h"

#define OUT_MAX (4 * 1024 * 1024)
#define AT_MS 1732271400000
#define AT "2024-11-22T10:30:00.000Z"
#define TURN "01020304-0506-7708-890a-0b0c0d0e0f10"
#define MSG "11020304-0506-7708-890a-0b0c0d0e0f10"
#define USAGE                                                         \
    "{\"input_tokens\":5,\"output_tokens\":7,\"cached_tokens\":null," \
    "\"cost_usd\":null}"

static struct buf out, data;
static struct ws ws;
static struct ws_turn turn;
static struct result res;

static int
setup(void **state)
{
    (void)state;
    buf_init(&out, OUT_MAX);
    buf_init(&data, OUT_MAX);
    memset(&turn, 0, sizeof(turn));
    memset(&res, 0, sizeof(res));
    res.session_id = "s-1";
    IGNORE(ident_parse(TURN, 36, &res.turn));
    IGNORE(ident_parse(MSG, 36, &res.answer_message));
    res.provider = "offline";
    res.model = "m";
    res.finish = FINISH_STOP;
    res.usage = (struct usage){5, 7, -1};
    res.conversation_length = 2;
    res.at_ms = AT_MS;
    res.text = "Say \"hi\"\n\xC3\xA4";
    res.text_len = strlen(res.text);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    buf_release(&out);
    buf_release(&data);
    return 0;
}

static void
speak(enum ws_endpoint at, enum ws_dialect d)
{
    ws_init(&ws, at);
    ws.dialect = d;
}

/* The frame of an event; NULL: there is none. It is JSON. */
static const char *
tell(enum event_type type, const char *text)
{
    struct event ev = {.seq = 3, .type = type};
    bool is;

    buf_clear(&data);
    if (text != NULL)
        buf_adds(&data, text);
    else if (type == EVENT_START)
        result_start_json(&data, &res);
    else
        result_json(&data, &res);
    ev.data = data.data;
    ev.len = data.len;
    buf_clear(&out);
    is = ws_event(&ws, &turn, &ev, &out);
    assert_true(is == (out.len > 0));
    if (is)
        assert_int_equal(json_check(out.data, out.len, NULL), OK);
    return is ? buf_cstr(&out) : NULL;
}

static const char *
frame(bool is)
{
    assert_true(is);
    assert_int_equal(json_check(out.data, out.len, NULL), OK);
    return buf_cstr(&out);
}

/* --- commands ------------------------------------------------------------- */

static void
commands_has_one_frame_for_each_message(void **state)
{
    (void)state;
    speak(WS_AT_CHAT, WS_COMMANDS);
    assert_true(ws_ends_only(&ws));
    assert_string_equal(tell(EVENT_COMPLETE, NULL),
                        "{\"type\":\"message\",\"content\":\"Say \\\"hi\\\""
                        "\\n\xC3\xA4\"}");
    assert_false(ws_closes(&ws, EVENT_COMPLETE));
}

static void
commands_has_results_of_commands(void **state)
{
    (void)state;
    speak(WS_AT_CHAT, WS_COMMANDS);
    res.command = "summarize";
    res.outcome = "{\"status\":\"success\",\"summary\":\"a \\\\\\\"} b\"}";
    assert_string_equal(tell(EVENT_COMPLETE, NULL),
                        "{\"type\":\"command_response\",\"command\":"
                        "\"summarize\",\"result\":{\"status\":\"success\","
                        "\"summary\":\"a \\\\\\\"} b\"}}");
}

static void
commands_tells_a_stop(void **state)
{
    (void)state;
    speak(WS_AT_CHAT, WS_COMMANDS);
    res.finish = FINISH_CANCELLED;
    assert_string_equal(tell(EVENT_CANCELLED, NULL),
                        "{\"type\":\"message\",\"content\":\"Say \\\"hi\\\""
                        "\\n\xC3\xA4\"}");
    res.text_len = 0;
    assert_string_equal(tell(EVENT_CANCELLED, NULL),
                        "{\"type\":\"system\",\"message\":"
                        "\"The answer was stopped.\"}");
}

/* --- the client ----------------------------------------------------------- */

static void
the_client_sees_typing_and_the_answer(void **state)
{
    (void)state;
    speak(WS_AT_CHAT, WS_CLIENT);
    assert_false(ws_ends_only(&ws));
    assert_string_equal(tell(EVENT_START, NULL),
                        "{\"type\":\"typing\",\"message\":\"AI is thinking..."
                        "\",\"timestamp\":\"" AT "\"}");
    assert_null(tell(EVENT_CHUNK, "Say"));
    assert_null(tell(EVENT_REASONING, "hm"));
    assert_null(tell(EVENT_CONTEXT, "{}"));
    assert_string_equal(
        tell(EVENT_COMPLETE, NULL),
        "{\"type\":\"ai_response\",\"message\":\"Say \\\"hi\\\"\\n\xC3\xA4\","
        "\"tool_calls\":[],\"tool_results\":[],\"timestamp\":\"" AT "\","
        "\"message_id\":\"" MSG "\",\"provider\":\"offline\",\"model\":\"m\","
        "\"usage\":" USAGE "}");
}

static void
the_client_sees_calls_of_tools(void **state)
{
    (void)state;
    speak(WS_AT_CHAT, WS_CLIENT);
    res.tool_calls = "[{\"id\":\"1\",\"arguments\":\"{\\\"message\\\":1}\"}]";
    assert_non_null(strstr(
        tell(EVENT_COMPLETE, NULL),
        ",\"tool_calls\":[{\"id\":\"1\",\"arguments\":\"{\\\"message\\\":1}\"}"
        "],\"tool_results\":[],"));
}

static void
the_client_may_ask_for_pieces(void **state)
{
    (void)state;
    speak(WS_AT_CHAT, WS_CLIENT);
    turn.stream = true;
    assert_string_equal(tell(EVENT_CHUNK, "Say"),
                        "{\"type\":\"response_chunk\",\"seq\":3,\"content\":"
                        "\"Say\"}");
    assert_non_null(strstr(tell(EVENT_START, NULL),
                           "{\"type\":\"response_start\",\"seq\":3,"));
    assert_non_null(
        strstr(tell(EVENT_COMPLETE, NULL), "{\"type\":\"ai_response\","));
}

static void
the_client_is_told_a_stop(void **state)
{
    (void)state;
    speak(WS_AT_CHAT, WS_CLIENT);
    res.finish = FINISH_CANCELLED;
    assert_non_null(strstr(tell(EVENT_CANCELLED, NULL),
                           ",\"finish_reason\":\"cancelled\"}"));
}

/* --- streaming ------------------------------------------------------------ */

static void
streaming_has_start_chunks_and_the_end(void **state)
{
    (void)state;
    speak(WS_AT_CLIENT, WS_STREAMING);
    assert_false(ws_ends_only(&ws));
    assert_string_equal(tell(EVENT_START, NULL),
                        "{\"type\":\"response_start\",\"seq\":3,"
                        "\"session_id\":\"s-1\",\"turn_id\":\"" TURN "\","
                        "\"message_id\":\"" MSG "\",\"provider\":\"offline\","
                        "\"model\":\"m\",\"timestamp\":\"" AT "\"}");
    assert_string_equal(tell(EVENT_CHUNK, "\xC3\xA4\n"),
                        "{\"type\":\"response_chunk\",\"seq\":3,\"content\":"
                        "\"\xC3\xA4\\n\"}");
    assert_null(tell(EVENT_REASONING, "hm"));
    assert_null(tell(EVENT_CONTEXT, "{}"));
    assert_null(tell(EVENT_TOOL_CALL, "{}"));
    assert_non_null(strstr(tell(EVENT_COMPLETE, NULL),
                           "{\"type\":\"response_complete\",\"seq\":3,"
                           "\"content\":\"Say \\\"hi\\\"\\n\xC3\xA4\","));
}

static void
streaming_is_complete_when_it_was_stopped(void **state)
{
    const char *s;

    (void)state;
    speak(WS_AT_CLIENT, WS_STREAMING);
    res.finish = FINISH_CANCELLED;
    s = tell(EVENT_CANCELLED, NULL);
    assert_non_null(strstr(s, "\"type\":\"response_complete\""));
    assert_non_null(strstr(s, "\"finish_reason\":\"cancelled\""));
}

/* --- cloud-chat ----------------------------------------------------------- */

static void
a_context_has_all_its_members(void **state)
{
    static const char *const tags[] = {"beach", "sunset"};
    static const struct ws_file files[] = {{"a.md", 0.5}, {"b.jpg", 0.25}};
    static const struct ws_image image = {"b.jpg", "The \"sea\"", tags, 2,
                                          "AAAA"};
    struct ws_context c = {
        .system_prompt = "Be kind.", .rag_context = "", .user_message = "hi"};

    (void)state;
    speak(WS_AT_CLOUD, WS_CLOUD);
    ws_context_result(&c, &out);
    assert_string_equal(
        frame(true),
        "{\"type\":\"result\",\"message\":\"The context is complete\","
        "\"data\":{\"system_prompt\":\"Be kind.\",\"rag_context\":\"\","
        "\"relevant_files\":[],\"file_details\":[],\"image_context\":null,"
        "\"user_message\":\"hi\",\"history\":[]}}");
    buf_clear(&out);
    c.rag_context = "a.md: x";
    c.files = files;
    c.n_files = 2;
    c.image = &image;
    c.history = cJSON_Parse("[{\"content\":\"a\",\"role\":\"user\",\"x\":1}]");
    ws_context_data(&c, &out);
    assert_string_equal(
        frame(true),
        "{\"system_prompt\":\"Be kind.\",\"rag_context\":\"a.md: x\","
        "\"relevant_files\":[\"a.md\",\"b.jpg\"],\"file_details\":["
        "{\"fileName\":\"a.md\",\"similarity\":0.5},"
        "{\"fileName\":\"b.jpg\",\"similarity\":0.25}],\"image_context\":"
        "{\"image_name\":\"b.jpg\",\"tags\":[\"beach\",\"sunset\"],"
        "\"description\":\"The \\\"sea\\\"\",\"image_base64\":\"AAAA\"},"
        "\"user_message\":\"hi\",\"history\":[{\"role\":\"user\","
        "\"content\":\"a\"}]}");
    cJSON_Delete((cJSON *)(uintptr_t)c.history);
}

static void
a_file_that_is_not_there_is_named(void **state)
{
    struct problem p;
    char name[400];

    (void)state;
    speak(WS_AT_CLOUD, WS_CLOUD);
    assert_int_equal(ws_file_missing("beach_sunset.jpg", &p), ERR_NOTFOUND);
    ws_problem(&ws, &p, &out);
    assert_string_equal(frame(true),
                        "{\"type\":\"error\",\"message\":\"File not found: "
                        "beach_sunset.jpg\"}");
    memset(name, 'x', sizeof(name));
    name[399] = '\0';
    assert_int_equal(ws_file_missing(name, &p), ERR_NOTFOUND);
    assert_int_equal(strlen(p.error), 16 + 100);
}

static void
the_local_model_answers_with_the_context(void **state)
{
    static const char context[] = "{\"system_prompt\":\"p\"}";

    (void)state;
    speak(WS_AT_LOCAL, WS_CLOUD);
    turn.data = context;
    turn.data_len = strlen(context);
    assert_non_null(
        strstr(tell(EVENT_START, NULL), "{\"type\":\"status\",\"message\":\""));
    assert_null(tell(EVENT_CHUNK, "a"));
    assert_string_equal(
        tell(EVENT_COMPLETE, NULL),
        "{\"type\":\"result\",\"message\":\"Say \\\"hi\\\"\\n\xC3\xA4\","
        "\"data\":{\"system_prompt\":\"p\",\"response\":"
        "\"Say \\\"hi\\\"\\n\xC3\xA4\",\"session_id\":\"s-1\","
        "\"message_id\":\"" MSG "\",\"provider\":\"offline\",\"model\":\"m\","
        "\"usage\":" USAGE ",\"timestamp\":\"" AT "\"}}");
    turn.data = NULL;
    turn.data_len = 0;
    assert_non_null(
        strstr(tell(EVENT_COMPLETE, NULL), ",\"data\":{\"response\":"));
    assert_true(ws_closes(&ws, EVENT_COMPLETE));
    assert_false(ws_closes(&ws, EVENT_ERROR));
}

/* Its clients read the message before they look at the type. */
static void
every_frame_of_cloud_chat_has_a_message(void **state)
{
    struct problem p;

    (void)state;
    speak(WS_AT_CLOUD, WS_CLOUD);
    assert_string_equal(frame(ws_greeting(&ws, "", AT_MS, &out)),
                        "{\"type\":\"status\",\"message\":\"Server ready\"}");
    buf_clear(&out);
    ws_context_status(&out);
    assert_non_null(strstr(frame(true), "\"message\":"));
    assert_null(strstr(buf_cstr(&out), "ready"));
    buf_clear(&out);
    (void)problem_set(&p, ERR_BADREQ, NULL, "No message provided", "%s", "");
    ws_problem(&ws, &p, &out);
    assert_string_equal(
        frame(true),
        "{\"type\":\"error\",\"message\":\"No message provided\"}");
}

/* --- what they share ------------------------------------------------------ */

static void
greetings_are_the_endpoints(void **state)
{
    (void)state;
    ws_init(&ws, WS_AT_CHAT);
    assert_string_equal(
        frame(ws_greeting(&ws, "session-123", AT_MS, &out)),
        "{\"type\":\"connection_established\",\"session_id\":\"session-123\","
        "\"message\":\"Connected to AI assistant\",\"timestamp\":\"" AT "\"}");
    buf_clear(&out);
    ws_init(&ws, WS_AT_CLIENT);
    assert_false(ws_greeting(&ws, "session-123", AT_MS, &out));
    assert_int_equal(out.len, 0);
}

static void
a_failed_turn_is_an_error(void **state)
{
    struct problem p;

    (void)state;
    (void)problem_set(&p, ERR_UPSTREAM, "provider_failed", "It \"failed\"",
                      "Try again.");
    p.retryable = true;
    res.problem = &p;
    res.finish = FINISH_ERROR;
    speak(WS_AT_CHAT, WS_COMMANDS);
    assert_string_equal(tell(EVENT_ERROR, NULL),
                        "{\"type\":\"error\",\"message\":\"It \\\"failed\\\". "
                        "Try again.\"}");
    speak(WS_AT_CHAT, WS_CLIENT);
    assert_string_equal(tell(EVENT_ERROR, NULL),
                        "{\"type\":\"error\",\"message\":\"It \\\"failed\\\". "
                        "Try again.\",\"code\":\"provider_failed\","
                        "\"retryable\":true}");
    speak(WS_AT_CLIENT, WS_STREAMING);
    assert_non_null(strstr(tell(EVENT_ERROR, NULL), "\"retryable\":true"));
    speak(WS_AT_LOCAL, WS_CLOUD);
    assert_null(strstr(tell(EVENT_ERROR, NULL), "retryable"));
    speak(WS_AT_CHAT, WS_UNDECIDED);
    assert_null(strstr(tell(EVENT_ERROR, NULL), "retryable"));
}

/* What another version of us may have logged. */
static void
data_that_is_not_whole_harms_nothing(void **state)
{
    static const char *const broken[] = {
        "{}",
        "{",
        "{\"",
        "{\"a",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":\"",
        "{\"a\":[",
        "{\"a\":1",
        "{\"message\":\"x",
        "{\"a\":\"\\",
        "{\"a\":1}",
        "{\"a\":}",
        "{\"a\":1,",
        "{\"a\":{\"b\":[1,\"]\"]},\"error\":\"e\"}"};

    (void)state;
    for (int d = WS_COMMANDS; d < WS__MAX; d++) {
        speak(WS_AT_CHAT, (enum ws_dialect)d);
        for (size_t i = 0; i < COUNT_OF(broken); i++) {
            struct event ev = {.seq = 1, .type = EVENT_ERROR};

            ev.data = xmemdup0(broken[i], strlen(broken[i]));
            ev.len = strlen(broken[i]);
            buf_clear(&out);
            (void)frame(ws_event(&ws, &turn, &ev, &out));
            free((char *)(uintptr_t)ev.data);
        }
    }
    assert_non_null(strstr(buf_cstr(&out), "\"message\":\"e\""));
}

static void
verbs_are_answered(void **state)
{
    struct problem p;

    (void)state;
    speak(WS_AT_CHAT, WS_CLIENT);
    ws_pong(AT_MS, &out);
    assert_string_equal(frame(true),
                        "{\"type\":\"pong\",\"timestamp\":\"" AT "\"}");
    buf_clear(&out);
    ws_cleared(&out);
    assert_string_equal(frame(true),
                        "{\"type\":\"history_cleared\",\"message\":"
                        "\"Conversation history cleared\"}");
    buf_clear(&out);
    ws_logged_out(&out);
    assert_string_equal(frame(true), "{\"type\":\"logout_success\",\"message\":"
                                     "\"Logged out successfully\"}");
    buf_clear(&out);
    ws_auth_answer(NULL, &out);
    assert_string_equal(frame(true),
                        "{\"type\":\"auth_response\",\"success\":true,"
                        "\"message\":\"Authentication successful\"}");
    buf_clear(&out);
    (void)problem_set(&p, ERR_BADREQ, "c", "token is missing", "%s", "");
    ws_auth_answer(&p, &out);
    assert_string_equal(frame(true),
                        "{\"type\":\"auth_response\",\"success\":false,"
                        "\"message\":\"Authentication failed: token is "
                        "missing\"}");
}

static void
notices_are_for_who_has_a_word_for_them(void **state)
{
    (void)state;
    speak(WS_AT_CHAT, WS_COMMANDS);
    assert_string_equal(frame(ws_notice(&ws, "Bye", &out)),
                        "{\"type\":\"system\",\"message\":\"Bye\"}");
    buf_clear(&out);
    for (int d = WS_UNDECIDED; d < WS__MAX; d++) {
        speak(WS_AT_CHAT, (enum ws_dialect)d);
        if (d != WS_COMMANDS)
            assert_false(ws_notice(&ws, "Bye", &out));
    }
    assert_int_equal(out.len, 0);
}

static void
the_history_is_one_frame(void **state)
{
    struct ws_message m = {"user", "a \"b\"", 5, NULL, NULL, AT_MS};
    struct ident id;
    struct json_out j;

    (void)state;
    ws_history_begin(&j, &out);
    ws_history_end(&j);
    assert_string_equal(frame(true), "{\"type\":\"history\",\"messages\":[]}");
    buf_clear(&out);
    IGNORE(ident_parse(MSG, 36, &id));
    ws_history_begin(&j, &out);
    ws_history_message(&j, &m);
    m.role = "assistant";
    m.id = &id;
    m.model = "m";
    ws_history_message(&j, &m);
    ws_history_end(&j);
    assert_string_equal(
        frame(true),
        "{\"type\":\"history\",\"messages\":[{\"role\":\"user\",\"content\":"
        "\"a \\\"b\\\"\",\"timestamp\":\"" AT "\"},{\"role\":\"assistant\","
        "\"content\":\"a \\\"b\\\"\",\"timestamp\":\"" AT "\",\"id\":\"" MSG
        "\",\"model\":\"m\"}]}");
}

static void
a_frame_past_the_ceiling_is_seen(void **state)
{
    struct buf small;
    struct event ev = {.seq = 1, .type = EVENT_COMPLETE};

    (void)state;
    speak(WS_AT_CHAT, WS_COMMANDS);
    result_json(&data, &res);
    ev.data = data.data;
    ev.len = data.len;
    buf_init(&small, 20);
    (void)ws_event(&ws, &turn, &ev, &small);
    assert_int_equal(buf_status(&small), ERR_TOOBIG);
    buf_release(&small);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commands_has_one_frame_for_each_message),
        TEST(commands_has_results_of_commands),
        TEST(commands_tells_a_stop),
        TEST(the_client_sees_typing_and_the_answer),
        TEST(the_client_sees_calls_of_tools),
        TEST(the_client_may_ask_for_pieces),
        TEST(the_client_is_told_a_stop),
        TEST(streaming_has_start_chunks_and_the_end),
        TEST(streaming_is_complete_when_it_was_stopped),
        TEST(a_context_has_all_its_members),
        TEST(a_file_that_is_not_there_is_named),
        TEST(the_local_model_answers_with_the_context),
        TEST(every_frame_of_cloud_chat_has_a_message),
        TEST(greetings_are_the_endpoints),
        TEST(a_failed_turn_is_an_error),
        TEST(data_that_is_not_whole_harms_nothing),
        TEST(verbs_are_answered),
        TEST(notices_are_for_who_has_a_word_for_them),
        TEST(the_history_is_one_frame),
        TEST(a_frame_past_the_ceiling_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
