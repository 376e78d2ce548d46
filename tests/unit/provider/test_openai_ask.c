/* Tests of what the OpenAI provider asks: messages of pieces, tools, options
 * and the account's headers, compared as JSON. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <math.h>

#include "base/json.h"
#include "provider/openai.h"

static const struct account local = {.base_url = "http://127.0.0.1:1/v1",
                                     .key = ""};
static const struct account openai = {.base_url = "https://api.openai.com/v1",
                                      .key = ""};
static const struct account groq = {
    .base_url = "https://api.groq.com/openai/v1", .key = ""};

static struct ask
ask_of(const struct ask_message *messages, size_t n)
{
    struct ask a = {.model = "m", .messages = messages, .n_messages = n};

    a.temperature = a.top_p = NAN;
    a.parallel_calls = -1;
    return a;
}

/* The member of the request's body is this JSON (NULL: it is not there). */
static void
expect_member(const struct ask *a, const struct account *acc, const char *name,
              const char *want)
{
    struct upstream_request q;
    struct problem why = {.err = OK};
    cJSON *body = NULL, *wanted = NULL;
    const cJSON *got;

    upstream_request_init(&q, 1024 * 1024);
    if (provider_openai.build(a, acc, &q, &why) != OK)
        fail_msg("not built: %s", why.error);
    assert_int_equal(json_parse(q.body.data, q.body.len, &body, NULL), OK);
    got = cJSON_GetObjectItemCaseSensitive(body, name);
    if (want == NULL) {
        if (got != NULL)
            fail_msg("%s is in %s", name, buf_cstr(&q.body));
    } else {
        assert_int_equal(json_parse(want, strlen(want), &wanted, NULL), OK);
        if (!cJSON_Compare(got, wanted, true))
            fail_msg("%s is not %s in\n%s", name, want, buf_cstr(&q.body));
    }
    cJSON_Delete(body);
    cJSON_Delete(wanted);
    upstream_request_release(&q);
}

static void
expect_messages(const struct ask_message *m, size_t n, const char *want)
{
    struct ask a = ask_of(m, n);

    expect_member(&a, &local, "messages", want);
}

static void
expect_refused(const struct ask *a, enum err err, const char *code)
{
    struct upstream_request q;
    struct problem why = {.err = OK};

    upstream_request_init(&q, 1024 * 1024);
    assert_int_equal(provider_openai.build(a, &local, &q, &why), err);
    assert_int_equal(why.err, err);
    assert_string_equal(why.code, code);
    upstream_request_release(&q);
}

#define TEXT(s)                                               \
    {                                                         \
        .kind = PIECE_TEXT, .text = (s), .len = sizeof(s) - 1 \
    }
#define MESSAGE(r, list)                                          \
    {                                                             \
        .role = (r), .pieces = (list), .n_pieces = COUNT_OF(list) \
    }

static const struct ask_message hello = {
    .role = ROLE_USER, .text = "Hello", .len = 5};

/* --- messages ------------------------------------------------------------ */

static void
roles_stay_where_they_are(void **state)
{
    const struct ask_message m[] = {
        {.role = ROLE_USER, .text = "a", .len = 1},
        {.role = ROLE_ASSISTANT, .text = "b", .len = 1},
        {.role = ROLE_SYSTEM, .text = "c", .len = 1},
        {.role = ROLE_USER, .text = "d", .len = 1},
    };
    struct ask a = ask_of(m, COUNT_OF(m));

    (void)state;
    a.system = "Be brief.";
    expect_member(&a, &local, "messages",
                  "[{\"role\":\"system\",\"content\":\"Be brief.\"},"
                  "{\"role\":\"user\",\"content\":\"a\"},"
                  "{\"role\":\"assistant\",\"content\":\"b\"},"
                  "{\"role\":\"system\",\"content\":\"c\"},"
                  "{\"role\":\"user\",\"content\":\"d\"}]");
}

static void
texts_alone_are_a_string(void **state)
{
    const struct piece one[] = {TEXT(""), TEXT("just \"this\"")};
    const struct piece two[] = {TEXT("a"), TEXT(""), TEXT("b"), TEXT("c")};
    const struct piece none[] = {TEXT("")};
    const struct ask_message m[] = {
        MESSAGE(ROLE_USER, one),  MESSAGE(ROLE_ASSISTANT, two),
        MESSAGE(ROLE_USER, none), MESSAGE(ROLE_ASSISTANT, none),
        MESSAGE(ROLE_USER, two),
    };

    (void)state;
    expect_messages(m, COUNT_OF(m),
                    "[{\"role\":\"user\",\"content\":\"just \\\"this\\\"\"},"
                    "{\"role\":\"assistant\",\"content\":\"abc\"},"
                    "{\"role\":\"user\",\"content\":\"a\\nb\\nc\"}]");
}

static void
images_are_data_or_addresses(void **state)
{
    const struct piece pieces[] = {
        TEXT("What is it?"),
        {.kind = PIECE_IMAGE,
         .text = "aGk=",
         .len = 4,
         .media_type = "image/png"},
        {.kind = PIECE_IMAGE, .text = "https://h/i.png", .len = 15},
        {.kind = PIECE_IMAGE, .text = "", .len = 0, .media_type = "image/png"},
        TEXT(""),
        TEXT("And this?"),
    };
    const struct ask_message m[] = {MESSAGE(ROLE_USER, pieces)};

    (void)state;
    expect_messages(
        m, 1,
        "[{\"role\":\"user\",\"content\":["
        "{\"type\":\"text\",\"text\":\"What is it?\"},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":"
        "\"data:image/png;base64,aGk=\"}},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://h/i.png\"}},"
        "{\"type\":\"text\",\"text\":\"And this?\"}]}]");
}

static void
an_image_that_cannot_be_sent_is_refused(void **state)
{
    const struct piece file[] = {
        {.kind = PIECE_IMAGE, .text = "file:///etc/passwd", .len = 18}};
    const struct piece image[] = {
        {.kind = PIECE_IMAGE, .text = "https://h/i", .len = 11}};
    const struct ask_message bad[] = {
        MESSAGE(ROLE_USER, file),
        MESSAGE(ROLE_ASSISTANT, image),
        MESSAGE(ROLE_SYSTEM, image),
        MESSAGE(ROLE_TOOL, image),
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++) {
        struct ask a = ask_of(&bad[i], 1);

        expect_refused(&a, ERR_IMPOSSIBLE, "image_not_supported");
    }
}

static void
pieces_of_another_role_are_refused(void **state)
{
    const struct piece call[] = {
        {.kind = PIECE_CALL, .text = "", .id = "1", .name = "f"}};
    const struct piece result[] = {
        {.kind = PIECE_RESULT, .text = "", .id = "1", .name = "f"}};
    const struct piece text[] = {TEXT("x")};
    const struct ask_message bad[] = {
        MESSAGE(ROLE_USER, call),
        MESSAGE(ROLE_TOOL, call),
        MESSAGE(ROLE_ASSISTANT, result),
        MESSAGE(ROLE_TOOL, text),
        {.role = ROLE_TOOL, .text = "42", .len = 2},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++) {
        struct ask a = ask_of(&bad[i], 1);

        expect_refused(&a, ERR_BADREQ, "bad_request");
    }
}

static void
calls_and_results_go_back(void **state)
{
    const struct piece calls[] = {
        TEXT("Let me see."),
        {.kind = PIECE_CALL,
         .text = "{\"a\":\"\\u00e9\"}",
         .len = 14,
         .id = "call_a",
         .name = "f"},
        {.kind = PIECE_CALL, .text = "", .id = "call_b", .name = "g"},
    };
    const struct piece results[] = {
        {.kind = PIECE_RESULT,
         .text = "4\n2",
         .len = 3,
         .id = "call_a",
         .name = "f"},
        {.kind = PIECE_RESULT,
         .text = "",
         .id = "call_b",
         .name = "g",
         .failed = true},
    };
    const struct ask_message m[] = {
        MESSAGE(ROLE_ASSISTANT, calls),
        MESSAGE(ROLE_TOOL, results),
    };

    (void)state;
    expect_messages(
        m, COUNT_OF(m),
        "[{\"role\":\"assistant\",\"content\":\"Let me see.\",\"tool_calls\":["
        "{\"id\":\"call_a\",\"type\":\"function\",\"function\":{\"name\":\"f\","
        "\"arguments\":\"{\\\"a\\\":\\\"\\\\u00e9\\\"}\"}},"
        "{\"id\":\"call_b\",\"type\":\"function\",\"function\":{\"name\":\"g\","
        "\"arguments\":\"{}\"}}]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"call_a\",\"content\":\"4\\n2\"},"
        "{\"role\":\"tool\",\"tool_call_id\":\"call_b\",\"content\":\"\"}]");
}

static void
calls_without_ids_get_some_that_match(void **state)
{
    const struct piece first[] = {
        {.kind = PIECE_CALL, .text = "", .id = "", .name = "f"},
        {.kind = PIECE_CALL, .text = "", .id = "x", .name = "f"},
        {.kind = PIECE_CALL, .text = "", .id = "", .name = "g"},
    };
    const struct piece answers[] = {
        {.kind = PIECE_RESULT, .text = "1", .len = 1, .id = ""},
        {.kind = PIECE_RESULT, .text = "2", .len = 1, .id = "x"},
        {.kind = PIECE_RESULT, .text = "3", .len = 1, .id = ""},
    };
    const struct ask_message m[] = {
        MESSAGE(ROLE_ASSISTANT, first),
        MESSAGE(ROLE_USER, answers),
    };

    (void)state;
    expect_messages(
        m, COUNT_OF(m),
        "[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
        "{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
        "\"arguments\":\"{}\"}},"
        "{\"id\":\"x\",\"type\":\"function\",\"function\":{\"name\":\"f\","
        "\"arguments\":\"{}\"}},"
        "{\"id\":\"call_2\",\"type\":\"function\",\"function\":{\"name\":\"g\","
        "\"arguments\":\"{}\"}}]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"1\"},"
        "{\"role\":\"tool\",\"tool_call_id\":\"x\",\"content\":\"2\"},"
        "{\"role\":\"tool\",\"tool_call_id\":\"call_2\",\"content\":\"3\"}]");
}

#define CALL_WANT(extra)                                                 \
    "\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{" \
    "\"name\":\"f\",\"arguments\":\"{}\"}" extra "}]}]"

static void
thoughts_go_back_to_who_had_them(void **state)
{
    static const char sig[] = "{\"google\":{\"thought_signature\":\"ab+/\"}}";
    const struct piece pieces[] = {
        {.kind = PIECE_THOUGHT, .text = "Hm", .len = 2, .origin = "openai"},
        {.kind = PIECE_THOUGHT, .text = "no", .len = 2, .origin = "anthropic"},
        {.kind = PIECE_THOUGHT, .text = "no", .len = 2},
        {.kind = PIECE_THOUGHT, .text = "m.", .len = 2, .origin = "openai"},
        {.kind = PIECE_CALL,
         .text = "",
         .id = "c",
         .name = "f",
         .signature = sig,
         .origin = "openai"},
    };
    const struct piece alone[] = {
        {.kind = PIECE_THOUGHT, .text = "Hm", .len = 2, .origin = "openai"}};
    const struct ask_message m[] = {MESSAGE(ROLE_ASSISTANT, pieces),
                                    MESSAGE(ROLE_ASSISTANT, alone)};
    struct ask a = ask_of(m, COUNT_OF(m));

    (void)state;
    expect_member(&a, &local, "messages",
                  "[{\"role\":\"assistant\",\"content\":null,"
                  "\"reasoning_content\":\"Hmm.\"," CALL_WANT(
                      ",\"extra_content\":{\"google\":{\"thought_signature\":"
                      "\"ab+/\"}}"));
    expect_member(&a, &openai, "messages",
                  "[{\"role\":\"assistant\",\"content\":null," CALL_WANT(""));
    expect_member(&a, &groq, "messages",
                  "[{\"role\":\"assistant\",\"content\":null," CALL_WANT(""));
}

static void
strange_signatures_stay_here(void **state)
{
    static const struct {
        const char *signature, *origin;
    } rows[] = {
        {"{\"a\":1}", "gemini"}, {"{\"a\":1}", NULL},   {"{\"a\":", "openai"},
        {"EqQB", "openai"},      {"[1]", "openai"},     {"", "openai"},
        {"{} ,{}", "openai"},    {"{\"a\"}", "openai"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        const struct piece call[] = {{.kind = PIECE_CALL,
                                      .text = "",
                                      .id = "c",
                                      .name = "f",
                                      .signature = rows[i].signature,
                                      .origin = rows[i].origin}};
        const struct ask_message m[] = {MESSAGE(ROLE_ASSISTANT, call)};

        expect_messages(
            m, 1, "[{\"role\":\"assistant\",\"content\":null," CALL_WANT(""));
    }
}

/* --- tools --------------------------------------------------------------- */

static const struct tool two_tools[] = {
    {.name = "f",
     .description = "Does \"f\".",
     .schema = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":"
               "\"number\",\"maximum\":12345678901234567890}}}",
     .strict = true},
    {.name = "g", .description = "", .schema = "{}"},
};

static void
tools_are_defined(void **state)
{
    struct ask a = ask_of(&hello, 1);

    (void)state;
    expect_member(&a, &local, "tools", NULL);
    a.tools = two_tools;
    a.n_tools = 2;
    expect_member(&a, &local, "tools",
                  "[{\"type\":\"function\",\"function\":{\"name\":\"f\","
                  "\"description\":\"Does \\\"f\\\".\",\"parameters\":{"
                  "\"type\":\"object\",\"properties\":{\"n\":{\"type\":"
                  "\"number\",\"maximum\":12345678901234567890}}},"
                  "\"strict\":true}},"
                  "{\"type\":\"function\",\"function\":{\"name\":\"g\","
                  "\"parameters\":{}}}]");
    expect_member(&a, &local, "tool_choice", NULL);
    expect_member(&a, &local, "parallel_tool_calls", NULL);
}

static void
tools_are_chosen(void **state)
{
    static const struct {
        enum tool_choice choice;
        const char *want;
    } rows[] = {
        {TOOL_CHOICE_UNSAID, NULL},
        {TOOL_CHOICE_AUTO, "\"auto\""},
        {TOOL_CHOICE_NONE, "\"none\""},
        {TOOL_CHOICE_REQUIRED, "\"required\""},
        {TOOL_CHOICE_NAMED,
         "{\"type\":\"function\",\"function\":{\"name\":\"g\"}}"},
    };
    struct ask a = ask_of(&hello, 1);
    size_t i;

    (void)state;
    a.tool_named = "g";
    for (i = 0; i < COUNT_OF(rows); i++) {
        a.tool_choice = rows[i].choice;
        a.tools = two_tools;
        a.n_tools = 2;
        a.parallel_calls = (int)i % 2;
        expect_member(&a, &local, "tool_choice", rows[i].want);
        expect_member(&a, &local, "parallel_tool_calls",
                      i % 2 ? "true" : "false");
        a.n_tools = 0; /* both are errors without tools */
        expect_member(&a, &local, "tool_choice", NULL);
        expect_member(&a, &local, "parallel_tool_calls", NULL);
    }
    a.n_tools = 2;
    a.tool_named = NULL;
    expect_refused(&a, ERR_BADREQ, "bad_request");
}

/* --- options ------------------------------------------------------------- */

static void
options_are_sent_as_asked(void **state)
{
    struct ask a = ask_of(&hello, 1);

    (void)state;
    expect_member(&a, &local, "stop", NULL);
    expect_member(&a, &local, "reasoning_effort", NULL);
    expect_member(&a, &local, "response_format", NULL);
    a.temperature = 0;
    a.top_p = 0.25;
    a.max_tokens = 9;
    a.stop[0] = "\n";
    a.stop[1] = "END";
    a.n_stop = 2;
    a.effort = "low";
    a.format = "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\","
               "\"schema\":{}}}";
    expect_member(&a, &local, "temperature", "0");
    expect_member(&a, &local, "top_p", "0.25");
    expect_member(&a, &local, "max_tokens", "9");
    expect_member(&a, &openai, "max_tokens", NULL);
    expect_member(&a, &openai, "max_completion_tokens", "9");
    expect_member(&a, &local, "stop", "[\"\\n\",\"END\"]");
    expect_member(&a, &local, "reasoning_effort", "\"low\"");
    expect_member(&a, &local, "response_format", a.format);
}

static void
a_reply_in_one_piece_can_be_asked_for(void **state)
{
    struct ask a = ask_of(&hello, 1);
    struct upstream_request q;
    struct problem why;

    (void)state;
    expect_member(&a, &local, "stream", "true");
    expect_member(&a, &local, "stream_options", "{\"include_usage\":true}");
    a.whole = true;
    expect_member(&a, &local, "stream", "false");
    expect_member(&a, &local, "stream_options", NULL);
    upstream_request_init(&q, 1024);
    assert_int_equal(provider_openai.build(&a, &local, &q, &why), OK);
    assert_string_equal(q.headers[1], "Accept: application/json");
    upstream_request_release(&q);
}

static void
further_members_are_passed_on(void **state)
{
    struct ask a = ask_of(&hello, 1);

    (void)state;
    a.extra = " { \"seed\" : 12345678901234567, \"user\":\"a,}\\\"{\","
              "\"logit_bias\":{\"5\":[1,{\"x\":\"]\"}]} ,\"temperature\":0.5, "
              "\"stop\":\"x\",\"max_completion_tokens\":3} ";
    expect_member(&a, &local, "seed", "12345678901234567");
    expect_member(&a, &local, "user", "\"a,}\\\"{\"");
    expect_member(&a, &local, "logit_bias", "{\"5\":[1,{\"x\":\"]\"}]}");
    expect_member(&a, &local, "temperature", "0.5");
    expect_member(&a, &local, "stop", "\"x\"");
    expect_member(&a, &local, "max_completion_tokens", "3");
    a.extra = "{}";
    expect_member(&a, &local, "seed", NULL);
    a.extra = "";
    expect_member(&a, &local, "seed", NULL);
}

static void
digits_of_further_members_are_kept(void **state)
{
    struct ask a = ask_of(&hello, 1);
    struct upstream_request q;
    struct problem why;

    (void)state;
    a.extra = "{\"seed\":9223372036854775807,\"x\":1.10}";
    upstream_request_init(&q, 1024);
    assert_int_equal(provider_openai.build(&a, &local, &q, &why), OK);
    assert_non_null(
        strstr(buf_cstr(&q.body), ",\"seed\":9223372036854775807,\"x\":1.10}"));
    upstream_request_release(&q);
}

static void
what_the_request_says_wins(void **state)
{
    struct ask a = ask_of(&hello, 1);

    (void)state;
    a.temperature = 1;
    a.max_tokens = 5;
    a.n_stop = 1;
    a.stop[0] = "s";
    a.tools = two_tools;
    a.n_tools = 2;
    a.extra = "{\"model\":\"x\",\"messages\":[],\"stream\":false,\"n\":3,"
              "\"str\\u0065am_options\":{},\"temp\\u0065rature\":0.5,"
              "\"max_tokens\":1,\"max_completion_tokens\":1,\"stop\":[],"
              "\"tools\":[],\"top_p\":0.5,\"tool_choice\":\"none\"}";
    expect_member(&a, &local, "model", "\"m\"");
    expect_member(&a, &local, "messages",
                  "[{\"role\":\"user\",\"content\":\"Hello\"}]");
    expect_member(&a, &local, "stream", "true");
    expect_member(&a, &local, "stream_options", "{\"include_usage\":true}");
    expect_member(&a, &local, "n", NULL);
    expect_member(&a, &local, "temperature", "1");
    expect_member(&a, &local, "max_tokens", "5");
    expect_member(&a, &local, "max_completion_tokens", NULL);
    expect_member(&a, &local, "stop", "[\"s\"]");
    expect_member(&a, &local, "top_p", "0.5");
    expect_member(&a, &local, "tool_choice", "\"none\"");
}

static void
further_members_must_be_an_object(void **state)
{
    static const char *const bad[] = {"[]",         "5", "{",
                                      "{\"a\":1}}", "x", "{\"a\":1,\"a\":2}"};
    struct ask a = ask_of(&hello, 1);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++) {
        a.extra = bad[i];
        expect_refused(&a, ERR_BADREQ, "bad_request");
    }
}

/* --- the account --------------------------------------------------------- */

static bool
has_header(const struct upstream_request *q, const char *line)
{
    size_t i;

    for (i = 0; i < q->n_headers; i++) {
        if (strcmp(q->headers[i], line) == 0)
            return true;
    }
    return false;
}

static void
the_account_is_named(void **state)
{
    struct account acc = {.base_url = "http://h/v1",
                          .key = "k",
                          .org = "org-1",
                          .project = "proj_2"};
    struct ask a = ask_of(&hello, 1);
    struct upstream_request q;
    struct problem why;

    (void)state;
    upstream_request_init(&q, 1024);
    assert_int_equal(provider_openai.build(&a, &acc, &q, &why), OK);
    assert_true(has_header(&q, "OpenAI-Organization: org-1"));
    assert_true(has_header(&q, "OpenAI-Project: proj_2"));
    assert_int_equal(q.n_headers, 5);
    upstream_request_release(&q);
    acc.org = "";
    acc.project = NULL;
    assert_int_equal(provider_openai.build(&a, &acc, &q, &why), OK);
    assert_int_equal(q.n_headers, 3);
    upstream_request_release(&q);
    acc.org = "a\r\nX: y";
    assert_int_equal(provider_openai.build(&a, &acc, &q, &why), ERR_BADREQ);
    assert_string_equal(why.code, "provider_account");
    upstream_request_release(&q);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_stay_where_they_are),
        cmocka_unit_test(texts_alone_are_a_string),
        cmocka_unit_test(images_are_data_or_addresses),
        cmocka_unit_test(an_image_that_cannot_be_sent_is_refused),
        cmocka_unit_test(pieces_of_another_role_are_refused),
        cmocka_unit_test(calls_and_results_go_back),
        cmocka_unit_test(calls_without_ids_get_some_that_match),
        cmocka_unit_test(thoughts_go_back_to_who_had_them),
        cmocka_unit_test(strange_signatures_stay_here),
        cmocka_unit_test(tools_are_defined),
        cmocka_unit_test(tools_are_chosen),
        cmocka_unit_test(options_are_sent_as_asked),
        cmocka_unit_test(a_reply_in_one_piece_can_be_asked_for),
        cmocka_unit_test(further_members_are_passed_on),
        cmocka_unit_test(digits_of_further_members_are_kept),
        cmocka_unit_test(what_the_request_says_wins),
        cmocka_unit_test(further_members_must_be_an_object),
        cmocka_unit_test(the_account_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
