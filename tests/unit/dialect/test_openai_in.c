/* Tests of dialect/openai_in*.c: what a request says, and what is refused with
 * which member's name. */
#include "openai_test.h"

#include <math.h>

#include "dialect/openai_in.h"

static struct turn_ask *a;
static struct openai_in in;
static struct openai_in_embed embed;
static struct problem why;

static int
setup(void **state)
{
    (void)state;
    a = turn_ask_new();
    memset(&embed, 0, sizeof(embed));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    turn_ask_free(a);
    openai_in_embed_release(&embed);
    return 0;
}

static enum err
read_it(const char *body)
{
    turn_ask_free(a);
    a = turn_ask_new();
    why = (struct problem){.err = OK};
    return openai_in_chat(body, strlen(body), a, &in, &why);
}

static const struct ask *
read_ok(const char *body)
{
    if (read_it(body) != OK)
        print_error("%s: %s %s\n", body, why.code, why.message);
    assert_int_equal(why.err, OK);
    assert_string_equal(in.param, "");
    return &a->ask;
}

/* With one message of the user's, and these members. */
#define BODY(members) "{\"model\":\"m\",\"messages\":[" USER "]" members "}"
#define MESSAGES(list) "{\"model\":\"m\",\"messages\":[" list "]}"
#define USER "{\"role\":\"user\",\"content\":\"hi\"}"

/* --- messages ------------------------------------------------------------- */

static void
the_least_there_can_be(void **state)
{
    const struct ask *ask = read_ok(BODY(""));

    (void)state;
    assert_string_equal(in.model, "m");
    assert_false(in.stream);
    assert_false(in.include_usage);
    assert_int_equal(ask->n_messages, 1);
    assert_int_equal(ask->messages[0].role, ROLE_USER);
    assert_string_equal(ask->messages[0].text, "hi");
    assert_int_equal(ask->messages[0].len, 2);
    assert_null(ask->messages[0].pieces);
    assert_true(isnan(ask->temperature));
    assert_true(isnan(ask->top_p));
    assert_int_equal(ask->max_tokens, 0);
    assert_int_equal(ask->n_stop, 0);
    assert_int_equal(ask->n_tools, 0);
    assert_int_equal(ask->parallel_calls, -1);
    assert_null(ask->effort);
    assert_null(ask->format);
    assert_null(ask->extra);
}

static void
roles_are_the_wires_and_developer_is_system(void **state)
{
    const struct ask *ask = read_ok(MESSAGES(
        "{\"role\":\"developer\",\"content\":\"d\"},"
        "{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"s\"},"
        "{\"type\":\"text\",\"text\":\"t\"}]}," USER
        ",{\"role\":\"assistant\",\"content\":\"a\"}"));

    (void)state;
    assert_int_equal(ask->n_messages, 4);
    assert_int_equal(ask->messages[0].role, ROLE_SYSTEM);
    assert_int_equal(ask->messages[1].role, ROLE_SYSTEM);
    assert_string_equal(ask->messages[1].text, "s\nt");
    assert_null(ask->messages[1].pieces);
    assert_int_equal(ask->messages[3].role, ROLE_ASSISTANT);
    assert_int_equal(openai_in_user(a), 2);
}

static void
images_are_data_or_addresses(void **state)
{
    const struct ask *ask = read_ok(MESSAGES(
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"see\"},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":"
        "\"data:image/png;base64,AAAA\",\"detail\":\"low\"}},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":"
        "\"https://x.example/y.png\"}}]}"));
    const struct ask_message *m = &ask->messages[0];

    (void)state;
    assert_string_equal(m->text, "see");
    assert_int_equal(m->n_pieces, 3);
    assert_int_equal(m->pieces[0].kind, PIECE_TEXT);
    assert_int_equal(m->pieces[1].kind, PIECE_IMAGE);
    assert_string_equal(m->pieces[1].media_type, "image/png");
    assert_string_equal(m->pieces[1].text, "AAAA");
    assert_null(m->pieces[2].media_type);
    assert_string_equal(m->pieces[2].text, "https://x.example/y.png");
}

#define CALL(id, name, args)                                                  \
    "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"" name \
    "\",\"arguments\":\"" args "\"}}"
#define RESULT(id, text) \
    "{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"" text "\"}"

static void
results_follow_their_calls_in_one_message(void **state)
{
    static const char both[] = CALL("c1", "one",
                                    "{\\\"x\\\":1}") "," CALL("c2", "two", "");
    static const char came[] = RESULT("c2", "zwei") "," RESULT("c1", "eins");
    const struct ask_message *calls, *results;
    const struct ask *ask;
    char body[1024];

    (void)snprintf(body, sizeof(body),
                   MESSAGES(USER ",{\"role\":\"assistant\",\"content\":null,"
                                 "\"tool_calls\":[%s]},%s," USER),
                   both, came);
    ask = read_ok(body);
    calls = &ask->messages[1];
    results = &ask->messages[2];
    (void)state;
    assert_int_equal(ask->n_messages, 4);
    assert_int_equal(calls->n_pieces, 2);
    assert_int_equal(calls->pieces[0].kind, PIECE_CALL);
    assert_string_equal(calls->pieces[0].id, "c1");
    assert_string_equal(calls->pieces[0].name, "one");
    assert_string_equal(calls->pieces[0].text, "{\"x\":1}");
    assert_int_equal(calls->pieces[1].len, 0);
    assert_int_equal(results->role, ROLE_TOOL);
    assert_int_equal(results->n_pieces, 2);
    assert_string_equal(results->pieces[0].name, "two");
    assert_string_equal(results->pieces[0].text, "zwei");
    assert_string_equal(results->pieces[1].id, "c1");
    assert_string_equal(results->pieces[1].name, "one");
    assert_int_equal(openai_in_user(a), 3);
}

static void
thoughts_and_signatures_know_who_made_them(void **state)
{
    static const char body[] = MESSAGES(
        USER ",{\"role\":\"assistant\",\"content\":\"a\","
             "\"reasoning_content\":\"hm\",\"tool_calls\":[{\"id\":\"c\","
             "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
             "\"{}\"},\"extra_content\":{\"google\":{\"thought_signature\":"
             "\"sig\"}}}]}");
    const struct piece *p = read_ok(body)->messages[1].pieces;

    (void)state;
    openai_in_origin(a, "openai");
    assert_int_equal(p[0].kind, PIECE_THOUGHT);
    assert_string_equal(p[0].text, "hm");
    assert_string_equal(p[0].origin, "openai");
    assert_null(p[1].origin);
    assert_string_equal(p[2].origin, "openai");
    assert_string_equal(p[2].signature,
                        "{\"google\":{\"thought_signature\":\"sig\"}}");
    p = read_ok(body)->messages[1].pieces;
    openai_in_origin(a, "gemini");
    assert_string_equal(p[2].signature, "sig");
}

/* --- options -------------------------------------------------------------- */

static void
options_are_taken(void **state)
{
    const struct ask *ask = read_ok(
        BODY(",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
             "\"temperature\":0.5,\"top_p\":1,\"max_tokens\":9,"
             "\"max_completion_tokens\":10,\"stop\":[\"a\",\"b\"],"
             "\"reasoning_effort\":\"low\",\"response_format\":"
             "{\"type\": \"json_object\"},\"n\":1,\"logprobs\":false"));

    (void)state;
    assert_true(in.stream);
    assert_true(in.include_usage);
    assert_true(ask->temperature == 0.5);
    assert_true(ask->top_p == 1.0);
    assert_int_equal(ask->max_tokens, 10);
    assert_int_equal(ask->n_stop, 2);
    assert_string_equal(ask->stop[1], "b");
    assert_string_equal(ask->effort, "low");
    assert_string_equal(ask->format, "{\"type\": \"json_object\"}");
    assert_string_equal(ask->extra, "{\"logprobs\":false}");
    assert_int_equal(read_ok(BODY(",\"stop\":\"x\""))->n_stop, 1);
}

static void
null_is_not_said(void **state)
{
    const struct ask *ask = read_ok(
        BODY(",\"stream\":null,\"temperature\":null,\"stop\":null,\"n\":null,"
             "\"tools\":null,\"tool_choice\":null,\"response_format\":null,"
             "\"stream_options\":null,\"user\":null,\"functions\":null"));

    (void)state;
    assert_true(isnan(ask->temperature));
    assert_int_equal(ask->n_stop, 0);
    assert_null(ask->extra);
}

static void
other_members_are_passed_on_as_they_are_written(void **state)
{
    const struct ask *ask = read_ok(
        BODY(", \"seed\" : 12345678901234567890 ,\"user\":\"\\u0061\","
             "\"m\\u0065tadata\": { \"a\" : [1, \"]}\", {}] },\"x\":1.50"));

    (void)state;
    assert_string_equal(ask->extra,
                        "{\"seed\":12345678901234567890,\"user\":\"\\u0061\","
                        "\"m\\u0065tadata\":{ \"a\" : [1, \"]}\", {}] },"
                        "\"x\":1.50}");
}

#define TOOL(name, more) \
    "{\"type\":\"function\",\"function\":{\"name\":\"" name "\"" more "}}"

static void
tools_are_taken(void **state)
{
    static const char both[] = TOOL(
        "a",
        ",\"description\":\"d\",\"strict\":true,\"parameters\": "
        "{\"type\": \"object\",\"maximum\":10000000000000000001}") "," TOOL("b",
                                                                            "");
    const struct ask *ask;
    char body[1024];

    (void)state;
    (void)snprintf(body, sizeof(body),
                   BODY(",\"tools\":[%s],\"parallel_tool_calls\":false,"
                        "\"tool_choice\":\"required\""),
                   both);
    ask = read_ok(body);
    assert_int_equal(ask->n_tools, 2);
    assert_string_equal(ask->tools[0].name, "a");
    assert_string_equal(ask->tools[0].description, "d");
    assert_true(ask->tools[0].strict);
    assert_string_equal(
        ask->tools[0].schema,
        "{\"type\": \"object\",\"maximum\":10000000000000000001}");
    assert_string_equal(ask->tools[1].description, "");
    assert_false(ask->tools[1].strict);
    assert_string_equal(ask->tools[1].schema,
                        "{\"type\":\"object\",\"properties\":{}}");
    assert_int_equal(ask->tool_choice, TOOL_CHOICE_REQUIRED);
    assert_int_equal(ask->parallel_calls, 0);
    ask = read_ok(BODY(",\"tool_choice\":{\"type\":\"function\",\"function\":"
                       "{\"name\":\"b\"}},\"tools\":[" TOOL("b", "") "]"));
    assert_int_equal(ask->tool_choice, TOOL_CHOICE_NAMED);
    assert_string_equal(ask->tool_named, "b");
}

/* --- refusals ------------------------------------------------------------- */

static void
assert_refused(const char *body, const char *param, const char *code)
{
    enum err e = read_it(body);

    if (e == OK || strcmp(in.param, param) != 0 || strcmp(why.code, code) != 0)
        print_error("%.300s\n%s %s\n", body, in.param, why.code);
    assert_true(e == ERR_BADREQ || e == ERR_TOOBIG);
    assert_int_equal(why.err, e);
    assert_string_equal(in.param, param);
    assert_string_equal(why.code, code);
    assert_true(why.message[0] != '\0');
}

static void
what_is_missing_is_named(void **state)
{
    static const char code[] = "missing_required_parameter";

    (void)state;
    assert_refused("{}", "model", code);
    assert_refused("{\"model\":\"\"}", "model", code);
    assert_refused("{\"model\":\"m\"}", "messages", code);
    assert_refused("{\"model\":\"m\",\"messages\":null}", "messages", code);
    assert_refused(MESSAGES("{}"), "messages[0].role", code);
    assert_refused(MESSAGES("{\"role\":\"user\"}"), "messages[0].content",
                   code);
    assert_refused(MESSAGES(USER ",{\"role\":\"user\",\"content\":[{}]}"),
                   "messages[1].content[0].type", code);
    assert_refused(
        MESSAGES("{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}"),
        "messages[0].content[0].text", code);
    assert_refused(
        MESSAGES("{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}"),
        "messages[0].content[0].image_url", code);
    assert_refused(MESSAGES("{\"role\":\"user\",\"content\":[{\"type\":"
                            "\"image_url\",\"image_url\":{}}]}"),
                   "messages[0].content[0].image_url.url", code);
    assert_refused(MESSAGES("{\"role\":\"tool\",\"content\":\"x\"}"),
                   "messages[0].tool_call_id", code);
    assert_refused(MESSAGES("{\"role\":\"assistant\",\"tool_calls\":[{}]}"),
                   "messages[0].tool_calls[0].id", code);
    assert_refused(
        MESSAGES("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"x\"}]}"),
        "messages[0].tool_calls[0].function", code);
    assert_refused(MESSAGES("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":"
                            "\"x\",\"function\":{}}]}"),
                   "messages[0].tool_calls[0].function.name", code);
    assert_refused(BODY(",\"tools\":[{}]"), "tools[0].type", code);
    assert_refused(BODY(",\"tools\":[{\"type\":\"function\"}]"),
                   "tools[0].function", code);
    assert_refused(BODY(",\"tools\":[{\"type\":\"function\",\"function\":{}}]"),
                   "tools[0].function.name", code);
}

static void
a_wrong_type_is_named(void **state)
{
    static const char code[] = "invalid_type";

    (void)state;
    assert_refused("{\"model\":1}", "model", code);
    assert_refused("{\"model\":\"m\",\"messages\":{}}", "messages", code);
    assert_refused(MESSAGES("1"), "messages[0]", code);
    assert_refused(MESSAGES("{\"role\":1}"), "messages[0].role", code);
    assert_refused(MESSAGES("{\"role\":\"user\",\"content\":1}"),
                   "messages[0].content", code);
    assert_refused(MESSAGES("{\"role\":\"user\",\"content\":[\"x\"]}"),
                   "messages[0].content[0]", code);
    assert_refused(MESSAGES("{\"role\":\"user\",\"content\":[{\"type\":"
                            "\"image_url\",\"image_url\":\"x\"}]}"),
                   "messages[0].content[0].image_url", code);
    assert_refused(MESSAGES("{\"role\":\"assistant\",\"tool_calls\":{}}"),
                   "messages[0].tool_calls", code);
    assert_refused(MESSAGES("{\"role\":\"assistant\",\"tool_calls\":[1]}"),
                   "messages[0].tool_calls[0]", code);
    assert_refused(BODY(",\"stream\":1"), "stream", code);
    assert_refused(BODY(",\"temperature\":\"1\""), "temperature", code);
    assert_refused(BODY(",\"max_tokens\":\"1\""), "max_tokens", code);
    assert_refused(BODY(",\"stop\":1"), "stop", code);
    assert_refused(BODY(",\"stop\":[1]"), "stop", code);
    assert_refused(BODY(",\"stream_options\":true"), "stream_options", code);
    assert_refused(BODY(",\"stream_options\":{\"include_usage\":1}"),
                   "include_usage", code);
    assert_refused(BODY(",\"response_format\":\"json\""), "response_format",
                   code);
    assert_refused(BODY(",\"tools\":{}"), "tools", code);
    assert_refused(BODY(",\"tools\":[1]"), "tools[0]", code);
    assert_refused(BODY(",\"tools\":[" TOOL("f", ",\"parameters\":[]") "]"),
                   "tools[0].function.parameters", code);
    assert_refused(BODY(",\"tools\":[" TOOL("f", ",\"strict\":1") "]"),
                   "tools[0].function.strict", code);
}

static void
a_wrong_value_is_named(void **state)
{
    static const char code[] = "invalid_value";

    (void)state;
    assert_refused("{\"model\":\"m\",\"messages\":[]}", "messages", code);
    assert_refused(MESSAGES("{\"role\":\"function\",\"content\":\"x\"}"),
                   "messages[0].role", code);
    assert_refused(MESSAGES("{\"role\":\"user\",\"content\":[{\"type\":"
                            "\"image_url\",\"image_url\":{\"url\":"
                            "\"file:///x\"}}]}"),
                   "messages[0].content[0].image_url.url", code);
    assert_refused(MESSAGES("{\"role\":\"user\",\"content\":[{\"type\":"
                            "\"image_url\",\"image_url\":{\"url\":"
                            "\"data:image/png,abc\"}}]}"),
                   "messages[0].content[0].image_url.url", code);
    assert_refused(MESSAGES(USER "," RESULT("c", "x")),
                   "messages[1].tool_call_id", code);
    assert_refused(BODY(",\"temperature\":2.5"), "temperature", code);
    assert_refused(BODY(",\"top_p\":-1"), "top_p", code);
    assert_refused(BODY(",\"max_tokens\":0"), "max_tokens", code);
    assert_refused(BODY(",\"max_tokens\":1.5"), "max_tokens", code);
    assert_refused(BODY(",\"n\":0"), "n", code);
    assert_refused(BODY(",\"reasoning_effort\":\"\\\"\""), "reasoning_effort",
                   code);
    assert_refused(BODY(",\"tools\":[" TOOL("a b", "") "]"),
                   "tools[0].function.name", code);
    assert_refused(BODY(",\"tool_choice\":\"required\""), "tool_choice", code);
    assert_refused(
        BODY(",\"tools\":[" TOOL("f", "") "],\"tool_choice\":\"maybe\""),
        "tool_choice", code);
    assert_refused(BODY(",\"tools\":[" TOOL(
                       "f", "") "],\"tool_choice\":"
                                "{\"type\":\"function\",\"function\":{\"name\":"
                                "\"g\"}}"),
                   "tool_choice.function.name", code);
}

static void
what_cannot_be_done_is_refused(void **state)
{
    (void)state;
    assert_refused(BODY(",\"n\":2"), "n", "unsupported_value");
    assert_refused(BODY(",\"functions\":[]"), "functions",
                   "unsupported_parameter");
    assert_refused(BODY(",\"logprobs\":true"), "logprobs",
                   "unsupported_parameter");
    assert_refused(BODY(",\"modalities\":[\"text\",\"audio\"]"), "modalities",
                   "unsupported_value");
    assert_refused(BODY(",\"audio\":{}"), "audio", "unsupported_parameter");
    assert_refused(BODY(",\"tools\":[{\"type\":\"custom\"}]"), "tools[0].type",
                   "unsupported_value");
    assert_refused(MESSAGES("{\"role\":\"user\",\"content\":[{\"type\":"
                            "\"input_audio\"}]}"),
                   "messages[0].content[0].type", "unsupported_value");
    assert_refused(MESSAGES("{\"role\":\"system\",\"content\":[{\"type\":"
                            "\"image_url\"}]}"),
                   "messages[0].content[0].type", "unsupported_value");
    assert_refused("[]", "", "invalid_json");
    assert_refused("{\"model\":\"m\",}", "", "invalid_json");
}

/* So many copies of part, with commas, between head and tail. */
static char *
repeated(const char *head, const char *part, size_t n, const char *tail)
{
    struct buf b;
    char *s;

    buf_init(&b, 64 * OUT_MAX);
    buf_adds(&b, head);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_addc(&b, ',');
        buf_adds(&b, part);
    }
    buf_adds(&b, tail);
    s = strdup(buf_cstr(&b));
    buf_release(&b);
    assert_non_null(s);
    return s;
}

static void
assert_limit(const char *head, const char *part, size_t max, const char *tail,
             const char *param, const char *code)
{
    char *fits = repeated(head, part, max, tail);
    char *past = repeated(head, part, max + 1, tail);

    (void)read_ok(fits);
    assert_refused(past, param, code);
    free(fits);
    free(past);
}

static void
limits_are_kept(void **state)
{
    (void)state;
    assert_limit("{\"model\":\"m\",\"messages\":[", USER,
                 OPENAI_IN_MESSAGES_MAX, "]}", "messages", "too_big");
    assert_limit("{\"model\":\"m\",\"messages\":[{\"role\":\"user\","
                 "\"content\":[",
                 "{\"type\":\"text\",\"text\":\"x\"}", OPENAI_IN_PARTS_MAX,
                 "]}]}", "messages[0].content", "too_big");
    assert_limit("{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\","
                 "\"tool_calls\":[",
                 CALL("c", "f", ""), OPENAI_IN_CALLS_MAX, "]}]}",
                 "messages[0].tool_calls", "too_big");
    assert_limit("{\"model\":\"m\",\"messages\":[" USER "],\"tools\":[",
                 TOOL("f", ""), OPENAI_IN_TOOLS_MAX, "]}", "tools", "too_big");
    assert_limit("{\"model\":\"m\",\"messages\":[" USER "],\"stop\":[", "\"x\"",
                 ASK_STOPS_MAX, "]}", "stop", "invalid_value");
}

/* --- embeddings ----------------------------------------------------------- */

static enum err
read_embed(const char *body)
{
    openai_in_embed_release(&embed);
    why = (struct problem){.err = OK};
    return openai_in_embed(body, strlen(body), &embed, &why);
}

static void
texts_to_embed_are_one_or_many(void **state)
{
    (void)state;
    assert_int_equal(read_embed("{\"model\":\"m\",\"input\":\"x\"}"), OK);
    assert_int_equal(embed.n_texts, 1);
    assert_string_equal(embed.texts[0], "x");
    assert_false(embed.base64);
    assert_int_equal(embed.dimensions, 0);
    assert_int_equal(read_embed("{\"model\":\"m\",\"input\":[\"x\",\"y\"],"
                                "\"encoding_format\":\"base64\","
                                "\"dimensions\":256,\"user\":\"u\"}"),
                     OK);
    assert_int_equal(embed.n_texts, 2);
    assert_string_equal(embed.texts[1], "y");
    assert_true(embed.base64);
    assert_int_equal(embed.dimensions, 256);
}

static void
what_cannot_be_embedded_is_named(void **state)
{
    static const struct {
        const char *body, *param;
    } rows[] = {
        {"{\"input\":\"x\"}", "model"},
        {"{\"model\":\"m\"}", "input"},
        {"{\"model\":\"m\",\"input\":[]}", "input"},
        {"{\"model\":\"m\",\"input\":\"\"}", "input"},
        {"{\"model\":\"m\",\"input\":[1,2]}", "input"},
        {"{\"model\":\"m\",\"input\":[[1],[2]]}", "input"},
        {"{\"model\":\"m\",\"input\":[null]}", "input"},
        {"{\"model\":\"m\",\"input\":{}}", "input"},
        {"{\"model\":\"m\",\"input\":\"x\",\"dimensions\":0}", "dimensions"},
        {"{\"model\":\"m\",\"input\":\"x\",\"encoding_format\":\"int8\"}",
         "encoding_format"},
        {"[]", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(read_embed(rows[i].body), ERR_BADREQ);
        assert_int_equal(why.err, ERR_BADREQ);
        assert_string_equal(embed.param, rows[i].param);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_least_there_can_be),
        T(roles_are_the_wires_and_developer_is_system),
        T(images_are_data_or_addresses),
        T(results_follow_their_calls_in_one_message),
        T(thoughts_and_signatures_know_who_made_them),
        T(options_are_taken),
        T(null_is_not_said),
        T(other_members_are_passed_on_as_they_are_written),
        T(tools_are_taken),
        T(what_is_missing_is_named),
        T(a_wrong_type_is_named),
        T(a_wrong_value_is_named),
        T(what_cannot_be_done_is_refused),
        T(limits_are_kept),
        T(texts_to_embed_are_one_or_many),
        T(what_cannot_be_embedded_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
