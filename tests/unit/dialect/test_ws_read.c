/*
 * Tests of dialect/ws_read.c, ws_auth.c and what the dialects read: which one
 * a frame is of, what it asks, and what is said of one that is wrong.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/credentials.h"
#include "base/mem.h"
#include "dialect/ws.h"

static struct ws ws;
static struct ws_in in;

static int
teardown(void **state)
{
    (void)state;
    ws_in_release(&in);
    return 0;
}

static void
say(const char *frame)
{
    ws_in_release(&in);
    ws_read(&ws, frame, strlen(frame), &in);
    assert_true((in.ask != NULL) ==
                (in.what == WS_ASK || in.what == WS_CONTEXT));
}

/* Frame of a new connection. */
static void
first(enum ws_endpoint at, const char *frame)
{
    ws_init(&ws, at);
    say(frame);
}

static void
assert_bad(const char *error)
{
    assert_int_equal(in.what, WS_BAD);
    assert_string_equal(in.why.error, error);
    assert_true(in.why.err == ERR_BADREQ || in.why.err == ERR_TOOBIG);
    assert_true(in.why.code[0] != '\0');
}

static void
assert_ask(const char *json)
{
    char *s;

    assert_int_equal(in.what, WS_ASK);
    s = cJSON_PrintUnformatted(in.ask);
    assert_string_equal(s, json);
    free(s);
}

/* --- which dialect -------------------------------------------------------- */

static void
the_first_frame_decides(void **state)
{
    static const struct {
        enum ws_endpoint at;
        const char *frame;
        enum ws_dialect want;
    } rows[] = {
        {WS_AT_CHAT, "{\"message\":\"hi\"}", WS_COMMANDS},
        {WS_AT_CHAT, "{\"message\":\"\"}", WS_COMMANDS},
        {WS_AT_CHAT, "{\"type\":null,\"message\":\"hi\"}", WS_COMMANDS},
        {WS_AT_CHAT, "{\"type\":\"chat\",\"message\":\"hi\"}", WS_CLIENT},
        {WS_AT_CHAT, "{\"type\":\"chat\"}", WS_CLIENT},
        {WS_AT_CHAT, "{\"type\":\"ping\"}", WS_CLIENT},
        {WS_AT_CHAT, "{\"type\":\"auth\"}", WS_CLIENT},
        {WS_AT_CHAT, "{\"type\":\"get_history\"}", WS_CLIENT},
        {WS_AT_CHAT, "{\"type\":\"clear_history\"}", WS_CLIENT},
        {WS_AT_CHAT, "{\"type\":\"logout\"}", WS_CLIENT},
        {WS_AT_CHAT, "{\"type\":\"chat_message\",\"message\":{}}",
         WS_STREAMING},
        {WS_AT_CHAT, "{\"content\":\"hi\"}", WS_STREAMING},
        {WS_AT_CHAT, "{\"message\":{\"content\":\"hi\"}}", WS_STREAMING},
        {WS_AT_CLIENT, "{\"type\":\"ping\"}", WS_STREAMING},
        {WS_AT_CLIENT, "{\"content\":\"hi\"}", WS_STREAMING},
        {WS_AT_CLIENT, "{\"type\":\"chat\",\"message\":\"hi\"}", WS_CLIENT},
        {WS_AT_CLIENT, "{\"message\":\"hi\"}", WS_COMMANDS},
        {WS_AT_CHAT, "not JSON", WS_UNDECIDED},
        {WS_AT_CHAT, "", WS_UNDECIDED},
        {WS_AT_CHAT, "[]", WS_UNDECIDED},
        {WS_AT_CHAT, "{}", WS_UNDECIDED},
        {WS_AT_CHAT, "{\"type\":\"chatty\"}", WS_UNDECIDED},
        {WS_AT_CHAT, "{\"type\":7,\"message\":\"hi\"}", WS_UNDECIDED},
        {WS_AT_CLOUD, "not JSON", WS_CLOUD},
        {WS_AT_LOCAL, "{\"type\":\"chat\"}", WS_CLOUD},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        first(rows[i].at, rows[i].frame);
        assert_int_equal(ws.dialect, rows[i].want);
        if (rows[i].want == WS_UNDECIDED)
            assert_int_equal(in.what, WS_BAD);
    }
}

static void
later_frames_stay_in_it(void **state)
{
    (void)state;
    first(WS_AT_CHAT, "{\"message\":\"hi\"}");
    say("{\"type\":\"chat\",\"message\":\"hi\"}");
    assert_bad("Unknown message type: chat");
    assert_int_equal(ws.dialect, WS_COMMANDS);
    say("{\"message\":\"there\"}");
    assert_ask("{\"message\":\"there\"}");

    first(WS_AT_CHAT, "{\"type\":\"chat\",\"message\":\"hi\"}");
    say("{\"message\":\"hi\"}");
    assert_bad("Invalid message format");
    say("{\"type\":\"chat_message\",\"message\":{\"content\":\"hi\"}}");
    assert_bad("Unknown message type: chat_message");

    first(WS_AT_CLIENT, "{\"content\":\"hi\"}");
    say("{\"type\":\"chat\",\"message\":\"hi\"}");
    assert_bad("Unknown message type: chat");
    say("{\"message\":\"hi\"}");
    assert_bad("Invalid parameter: message");
}

static void
a_frame_that_is_wrong_decides_nothing(void **state)
{
    (void)state;
    first(WS_AT_CHAT, "{\"message\":");
    assert_bad("Invalid message format");
    assert_true(in.why.message[0] != '\0');
    say("\"text\"");
    assert_bad("Invalid message format");
    say("{}");
    assert_bad("Missing required parameter: message");
    say("{\"type\":\"\xC3\xA4\"}");
    assert_bad("Unknown message type: \xC3\xA4");
    say("{\"message\":7}");
    assert_bad("Invalid parameter: message");
    say("{\"type\":\"chat\",\"message\":\"hi\"}");
    assert_ask("{\"message\":\"hi\"}");
}

/* --- what is asked -------------------------------------------------------- */

static void
commands_ask(void **state)
{
    (void)state;
    first(WS_AT_CHAT, "{\"message\":\"/help\"}");
    assert_ask("{\"message\":\"/help\"}");
    say("{\"message\":\"a\",\"model\":\"m\",\"stream\":true,\"detach\":true}");
    assert_ask("{\"model\":\"m\",\"message\":\"a\"}");
    for (int i = 0; i < 3; i++) {
        static const char *const blank[] = {"{\"message\":\"\"}",
                                            "{\"message\":\" \\n\"}",
                                            "{\"message\":null}"};

        say(blank[i]);
        assert_bad("Missing required parameter: message");
    }
    say("{\"message\":[\"a\"]}");
    assert_bad("Invalid parameter: message");
}

static void
the_client_asks(void **state)
{
    (void)state;
    first(WS_AT_CHAT, "{\"type\":\"chat\",\"message\":\"Hello!\"}");
    assert_ask("{\"message\":\"Hello!\"}");
    assert_false(in.stream);
    say("{\"type\":\"chat\",\"message\":\"a\",\"stream\":true,"
        "\"session_id\":\"s\"}");
    assert_ask("{\"session_id\":\"s\",\"message\":\"a\"}");
    assert_true(in.stream);
    say("{\"type\":\"chat\"}");
    assert_bad("Missing required parameter: message");
    say("{\"type\":\"chat\",\"message\":{}}");
    assert_bad("Invalid parameter: message");
    say("{\"type\":[]}");
    assert_bad("Invalid message format");
}

static void
the_client_has_verbs(void **state)
{
    static const struct {
        const char *type;
        enum ws_what what;
    } rows[] = {
        {"ping", WS_PING},     {"history", WS_HISTORY},
        {"clear", WS_CLEAR},   {"get_history", WS_HISTORY},
        {"logout", WS_LOGOUT}, {"clear_history", WS_CLEAR},
        {"stop", WS_STOP},
    };
    char frame[64];

    (void)state;
    ws_init(&ws, WS_AT_CHAT);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)snprintf(frame, sizeof(frame), "{\"type\":\"%s\"}", rows[i].type);
        say(frame);
        assert_int_equal(in.what, rows[i].what);
    }
    assert_int_equal(ws.dialect, WS_CLIENT);
}

static void
streaming_asks(void **state)
{
    (void)state;
    first(WS_AT_CLIENT,
          "{\"type\":\"chat_message\",\"message\":{\"content\":\"Hello, AI!\","
          "\"role\":\"user\"},\"history\":[]}");
    assert_ask("{\"history\":[],\"message\":\"Hello, AI!\"}");
    say("{\"type\":\"chat_message\",\"message\":{\"content\":\"b\"},"
        "\"history\":[{\"role\":\"user\",\"content\":\"a\"}]}");
    assert_ask("{\"history\":[{\"role\":\"user\",\"content\":\"a\"}],"
               "\"message\":\"b\"}");
    say("{\"content\":\"legacy\"}");
    assert_ask("{\"message\":\"legacy\"}");
    say("{\"type\":\"chat_message\",\"content\":\"legacy\"}");
    assert_ask("{\"message\":\"legacy\"}");
    say("{\"type\":\"ping\"}");
    assert_int_equal(in.what, WS_PING);
}

static void
streaming_says_what_is_wrong(void **state)
{
    (void)state;
    first(WS_AT_CLIENT, "{\"type\":\"chat_message\"}");
    assert_bad("Missing required parameter: message");
    say("{\"type\":\"chat_message\",\"message\":\"hi\"}");
    assert_bad("Invalid parameter: message");
    say("{\"type\":\"chat_message\",\"message\":{\"role\":\"user\"}}");
    assert_bad("Missing required parameter: message");
    say("{\"type\":\"chat_message\",\"message\":{\"content\":5}}");
    assert_bad("Invalid parameter: message.content");
    say("{\"type\":\"chat_message\",\"message\":{\"content\":\"a\","
        "\"role\":\"system\"}}");
    assert_bad("Invalid parameter: message.role");
    say("{\"content\":[]}");
    assert_bad("Invalid parameter: content");
    say("{\"type\":true}");
    assert_bad("Invalid parameter: type");
    say("{\"type\":\"nothing\"}");
    assert_bad("Unknown message type: nothing");
}

static void
a_long_type_is_cut_between_characters(void **state)
{
    char frame[256], type[128] = "";

    (void)state;
    for (size_t i = 0; i < 60; i += 2)
        memcpy(type + i, "\xC3\xA4", 3);
    (void)snprintf(frame, sizeof(frame), "{\"type\":\"x%s\"}", type);
    first(WS_AT_CHAT, frame);
    assert_int_equal(in.what, WS_BAD);
    assert_memory_equal(in.why.error, "Unknown message type: x\xC3\xA4", 25);
    assert_int_equal(strlen(in.why.error), 22 + 39);
}

/* --- credentials ---------------------------------------------------------- */

static void
auth_frames_have_their_values(void **state)
{
    (void)state;
    first(WS_AT_CHAT, "{\"type\":\"auth\",\"auth_type\":\"bearer_token\","
                      "\"token\":\"your-token\"}");
    assert_int_equal(in.what, WS_AUTH);
    assert_int_equal(in.auth->kind, CREDENTIALS_BEARER);
    assert_string_equal(in.auth->token, "your-token");

    say("{\"type\":\"auth\",\"auth_type\":\"api_key\",\"api_key\":\"k\"}");
    assert_int_equal(in.auth->kind, CREDENTIALS_API_KEY);
    assert_string_equal(in.auth->api_key, "k");
    assert_string_equal(in.auth->header, "X-API-Key");
    say("{\"type\":\"auth\",\"auth_type\":\"api_key\",\"api_key\":\"k\","
        "\"api_key_header\":\"Authorization\"}");
    assert_string_equal(in.auth->header, "Authorization");

    say("{\"type\":\"auth\",\"auth_type\":\"basic_auth\","
        "\"username\":\"user@example.com\",\"password\":\"p: \xC3\xA4\"}");
    assert_int_equal(in.auth->kind, CREDENTIALS_BASIC);
    assert_string_equal(in.auth->username, "user@example.com");
    assert_string_equal(in.auth->password, "p: \xC3\xA4");

    say("{\"type\":\"auth\",\"auth_type\":\"oauth2_client_credentials\","
        "\"client_id\":\"i\",\"client_secret\":\"s\","
        "\"token_url\":\"https://oauth.example.com/token\","
        "\"scope\":\"read write\"}");
    assert_int_equal(in.auth->kind, CREDENTIALS_OAUTH2);
    assert_string_equal(in.auth->client_id, "i");
    assert_string_equal(in.auth->client_secret, "s");
    assert_string_equal(in.auth->token_url, "https://oauth.example.com/token");
    assert_string_equal(in.auth->scope, "read write");
}

static void
auth_frames_that_lack_something_are_told(void **state)
{
    static const struct {
        const char *members, *error;
    } rows[] = {
        {"", "Unknown auth_type"},
        {",\"auth_type\":\"magic\"", "Unknown auth_type"},
        {",\"auth_type\":7", "Unknown auth_type"},
        {",\"auth_type\":\"bearer_token\"", "token is missing"},
        {",\"auth_type\":\"bearer_token\",\"token\":\"\"", "token is missing"},
        {",\"auth_type\":\"bearer_token\",\"token\":9", "token is missing"},
        {",\"auth_type\":\"bearer_token\",\"token\":\"a\\r\\nX: y\"",
         "token is not valid"},
        {",\"auth_type\":\"api_key\"", "api_key is missing"},
        {",\"auth_type\":\"api_key\",\"api_key\":\"k\","
         "\"api_key_header\":\"a b\"",
         "api_key_header is not valid"},
        {",\"auth_type\":\"basic_auth\",\"username\":\"u\"",
         "password is missing"},
        {",\"auth_type\":\"oauth2\",\"client_id\":\"i\"",
         "client_secret is missing"},
        {",\"auth_type\":\"oauth2\",\"client_id\":\"i\",\"client_secret\":"
         "\"s\",\"token_url\":\"http://oauth.example.com/\"",
         "token_url is not valid"},
    };
    char frame[256];

    (void)state;
    ws_init(&ws, WS_AT_CHAT);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)snprintf(frame, sizeof(frame), "{\"type\":\"auth\"%s}",
                       rows[i].members);
        say(frame);
        assert_int_equal(in.what, WS_AUTH);
        assert_null(in.auth);
        assert_string_equal(in.why.error, rows[i].error);
    }
}

/* --- cloud-chat ----------------------------------------------------------- */

static void
a_context_is_asked_for(void **state)
{
    (void)state;
    first(WS_AT_CLOUD, "{\"message\":\"What beach photos do I have?\","
                       "\"history\":[{\"role\":\"user\",\"content\":\"a\"},"
                       "{\"role\":\"assistant\",\"content\":\"b\"}]}");
    assert_int_equal(in.what, WS_CONTEXT);
    assert_string_equal(json_str(in.ask, "message"),
                        "What beach photos do I have?");
    say("{\"message\":\"a\",\"history\":null,\"image_name\":null}");
    assert_int_equal(in.what, WS_CONTEXT);
    first(WS_AT_LOCAL, "{\"message\":\"a\",\"image_name\":\"b.jpg\"}");
    assert_ask("{\"image_name\":\"b.jpg\",\"message\":\"a\"}");
}

static void
a_context_that_cannot_be_is_told(void **state)
{
    static const struct {
        const char *frame, *error;
    } rows[] = {
        {"{}", "No message provided"},
        {"{\"message\":\"\"}", "No message provided"},
        {"{\"message\":\"  \"}", "No message provided"},
        {"{\"message\":null}", "No message provided"},
        {"{\"message\":1}", "Invalid message: it must be a string"},
        {"{\"message\":\"a\",\"history\":{}}",
         "Invalid history: it must be a list of messages"},
        {"{\"message\":\"a\",\"history\":\"b\"}",
         "Invalid history: it must be a list of messages"},
        {"{\"message\":\"a\",\"history\":[{\"role\":\"robot\","
         "\"content\":\"b\"}]}",
         "Invalid history: each message has a content and a role, which is "
         "user, assistant or system"},
        {"{\"message\":\"a\",\"history\":[{\"role\":\"user\"}]}",
         "Invalid history: each message has a content and a role, which is "
         "user, assistant or system"},
        {"{\"message\":\"a\",\"history\":[1]}",
         "Invalid history: each message has a content and a role, which is "
         "user, assistant or system"},
        {"{\"message\":\"a\",\"image_name\":5}",
         "Invalid image_name: it must be a string"},
        {"nonsense", "Invalid message format"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        first(i % 2 == 0 ? WS_AT_CLOUD : WS_AT_LOCAL, rows[i].frame);
        assert_bad(rows[i].error);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_first_frame_decides, teardown),
        cmocka_unit_test_teardown(later_frames_stay_in_it, teardown),
        cmocka_unit_test_teardown(a_frame_that_is_wrong_decides_nothing,
                                  teardown),
        cmocka_unit_test_teardown(commands_ask, teardown),
        cmocka_unit_test_teardown(the_client_asks, teardown),
        cmocka_unit_test_teardown(the_client_has_verbs, teardown),
        cmocka_unit_test_teardown(streaming_asks, teardown),
        cmocka_unit_test_teardown(streaming_says_what_is_wrong, teardown),
        cmocka_unit_test_teardown(a_long_type_is_cut_between_characters,
                                  teardown),
        cmocka_unit_test_teardown(auth_frames_have_their_values, teardown),
        cmocka_unit_test_teardown(auth_frames_that_lack_something_are_told,
                                  teardown),
        cmocka_unit_test_teardown(a_context_is_asked_for, teardown),
        cmocka_unit_test_teardown(a_context_that_cannot_be_is_told, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
