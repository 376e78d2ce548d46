/* Tests of the Ollama provider: what is asked, what errors mean, models,
 * embeddings, limits. Replies are replayed in test_ollama_replay.c. */
#include "base/base.h"

#include "asking.h"
#include "provider/ollama.h"
#include "upstream/ndjson.h"

#define BASE "http://127.0.0.1:11434"

static const struct ask_message hello = {.role = ROLE_USER, TEXT("Hello")};

static struct ask
simple_ask(void)
{
    return ask_of("llama3.2", &hello, 1);
}

/* The body of simple_ask, with more members. */
static void
expect_more(const struct ask *a, const char *more)
{
    char want[2048];

    (void)snprintf(want, sizeof(want),
                   "{'model':'%s','messages':[{'role':'user','content':"
                   "'Hello'}],'stream':%s%s}",
                   a->model, a->whole ? "false" : "true", more);
    expect_ask(&provider_ollama, a, want);
}

/* --- asking -------------------------------------------------------------- */

static void
the_request_goes_to_the_native_chat(void **state)
{
    static const char *const keys[] = {"", "k"};
    struct ask a = simple_ask();
    struct upstream_request q;
    struct problem why;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(keys); i++) {
        struct account acc = {.base_url = BASE "/", .key = keys[i]};

        upstream_request_init(&q, ASKING_BODY_MAX);
        assert_int_equal(provider_ollama.build(&a, &acc, &q, &why), OK);
        assert_string_equal(q.url, BASE "/api/chat");
        assert_string_equal(q.method, "POST");
        assert_false(q.http2);
        assert_string_equal(header_of(&q, "Content-Type"), "application/json");
        if (keys[i][0] == '\0')
            assert_null(header_of(&q, "Authorization"));
        else
            assert_string_equal(header_of(&q, "Authorization"), "Bearer k");
        upstream_request_release(&q);
    }
}

static void
only_what_was_asked_for_is_sent(void **state)
{
    struct ask a = simple_ask();

    (void)state;
    expect_more(&a, "");
    a.whole = true;
    expect_more(&a, "");
}

static void
what_cannot_be_asked_is_refused(void **state)
{
    static const struct account nowhere = {.base_url = "", .key = ""};
    static const struct account two_lines = {.base_url = "http://h",
                                             .key = "a\nX: y"};
    static const struct piece image[] = {
        {.kind = PIECE_TEXT, TEXT("What?")},
        {.kind = PIECE_IMAGE, TEXT("https://h/a.png")},
    };
    static const struct ask_message with_image = {.role = ROLE_USER,
                                                  PIECES(image)};
    static const struct tool bad = {"f", "", "{", false};
    struct ask a = simple_ask();

    (void)state;
    expect_refusal(&provider_ollama, &a, &nowhere, ERR_BADREQ,
                   "provider_address");
    expect_refusal(&provider_ollama, &a, &two_lines, ERR_BADREQ,
                   "provider_key");
    a.tools = &bad;
    a.n_tools = 1;
    expect_refusal(&provider_ollama, &a, NULL, ERR_BADREQ, "invalid_tool");
    a = simple_ask();
    a.format = "[]";
    expect_refusal(&provider_ollama, &a, NULL, ERR_BADREQ, "invalid_parameter");
    a = ask_of("m", &with_image, 1);
    expect_refusal(&provider_ollama, &a, NULL, ERR_IMPOSSIBLE,
                   "image_not_supported");
    a = ask_of("m", NULL, 0);
    a.system = "Be brief.";
    expect_refusal(&provider_ollama, &a, NULL, ERR_BADREQ, NULL);
}

static void
a_body_past_its_ceiling_is_too_big(void **state)
{
    static const struct account acc = {.base_url = "http://h", .key = ""};
    static const struct piece big[] = {{.kind = PIECE_RESULT,
                                        TEXT("0123456789012345678901234567890"
                                             "1234567890123456789"),
                                        .id = "",
                                        .name = "f"}};
    static const struct ask_message m = {.role = ROLE_TOOL, PIECES(big)};
    struct ask a = ask_of("m", &m, 1);
    struct upstream_request q;
    struct problem why;

    (void)state;
    upstream_request_init(&q, 40);
    assert_int_equal(provider_ollama.build(&a, &acc, &q, &why), ERR_TOOBIG);
    assert_int_equal(why.err, ERR_TOOBIG);
    upstream_request_release(&q);
}

/* --- the conversation ---------------------------------------------------- */

static void
pieces_become_members_of_a_message(void **state)
{
    static const struct piece asked[] = {
        {.kind = PIECE_TEXT, TEXT("What")},
        {.kind = PIECE_IMAGE, TEXT("AAEC"), .media_type = "image/png"},
        {.kind = PIECE_TEXT, TEXT("")},
        {.kind = PIECE_TEXT, TEXT("is this?")},
        {.kind = PIECE_IMAGE, TEXT("AwQ="), .media_type = "image/jpeg"},
    };
    static const struct piece calls[] = {
        {.kind = PIECE_THOUGHT, TEXT("Hm"), .origin = "ollama"},
        {.kind = PIECE_THOUGHT, TEXT("not ours"), .origin = "anthropic"},
        {.kind = PIECE_TEXT, TEXT("One moment.")},
        {.kind = PIECE_CALL, TEXT("{\"a\":1}"), .id = "call_1", .name = "f"},
        {.kind = PIECE_CALL, TEXT(""), .id = "", .name = "g"},
        {.kind = PIECE_CALL, TEXT("{broken"), .id = "", .name = "h"},
    };
    static const struct piece results[] = {
        {.kind = PIECE_RESULT, TEXT("{\"t\":21}"), .id = "call_1", .name = "f"},
        {.kind = PIECE_RESULT, TEXT(""), .id = "", .name = "g"},
        {.kind = PIECE_RESULT,
         TEXT("no h"),
         .id = "",
         .name = "h",
         .failed = true},
    };
    static const struct ask_message messages[] = {
        {.role = ROLE_USER, PIECES(asked)},
        {.role = ROLE_ASSISTANT, PIECES(calls)},
        {.role = ROLE_TOOL, PIECES(results)},
        {.role = ROLE_SYSTEM, TEXT("Be kind.")},
        {.role = ROLE_ASSISTANT, TEXT("")},
        {.role = ROLE_USER, TEXT("And?")},
    };
    struct ask a = ask_of("m", messages, COUNT_OF(messages));

    (void)state;
    a.system = "Be brief.";
    expect_ask(
        &provider_ollama, &a,
        "{'model':'m','messages':[{'role':'system','content':'Be brief.'},"
        "{'role':'user','content':'What\\nis this?',"
        "'images':['AAEC','AwQ=']},"
        "{'role':'assistant','content':'One moment.','thinking':'Hm',"
        "'tool_calls':[{'id':'call_1','function':{'name':'f',"
        "'arguments':{'a':1}}},{'function':{'name':'g','arguments':{}}},"
        "{'function':{'name':'h','arguments':{'arguments':'{broken'}}}]},"
        "{'role':'tool','content':'{\\\"t\\\":21}','tool_name':'f',"
        "'tool_call_id':'call_1'},"
        "{'role':'tool','content':'','tool_name':'g'},"
        "{'role':'tool','content':'Error: no h','tool_name':'h'},"
        "{'role':'system','content':'Be kind.'},"
        "{'role':'user','content':'And?'}],'stream':true}");
}

static void
an_image_or_a_call_needs_no_text(void **state)
{
    static const struct piece image[] = {
        {.kind = PIECE_IMAGE, TEXT("AAEC"), .media_type = "image/png"}};
    static const struct piece call[] = {
        {.kind = PIECE_CALL, TEXT("{}"), .id = "", .name = "f"}};
    static const struct piece nothing[] = {
        {.kind = PIECE_THOUGHT, TEXT("Hm"), .origin = "gemini"}};
    static const struct ask_message messages[] = {
        {.role = ROLE_USER, PIECES(image)},
        {.role = ROLE_ASSISTANT, PIECES(call)},
        {.role = ROLE_ASSISTANT, PIECES(nothing)},
    };
    struct ask a = ask_of("m", messages, COUNT_OF(messages));

    (void)state;
    expect_ask(&provider_ollama, &a,
               "{'model':'m','messages':["
               "{'role':'user','content':'','images':['AAEC']},"
               "{'role':'assistant','content':'','tool_calls':"
               "[{'function':{'name':'f','arguments':{}}}]}],'stream':true}");
}

/* --- tools and options --------------------------------------------------- */

#define TOOL_F                                                     \
    "{'type':'function','function':{'name':'f','description':'F'," \
    "'parameters':{'type':'object'}}}"
#define TOOL_G "{'type':'function','function':{'name':'g','parameters':{}}}"

static void
tools_are_offered_as_far_as_they_may_be_called(void **state)
{
    static const struct tool tools[] = {
        {"f", "F", "{\"type\":\"object\"}", true},
        {"g", "", "{}", false},
    };
    static const struct {
        enum tool_choice choice;
        const char *want;
    } rows[] = {
        {TOOL_CHOICE_UNSAID, ",'tools':[" TOOL_F "," TOOL_G "]"},
        {TOOL_CHOICE_AUTO, ",'tools':[" TOOL_F "," TOOL_G "]"},
        {TOOL_CHOICE_REQUIRED, ",'tools':[" TOOL_F "," TOOL_G "]"},
        {TOOL_CHOICE_NAMED, ",'tools':[" TOOL_G "]"},
        {TOOL_CHOICE_NONE, ""},
    };
    struct ask a = simple_ask();
    size_t i;

    (void)state;
    a.tools = tools;
    a.n_tools = COUNT_OF(tools);
    a.tool_named = "g";
    for (i = 0; i < COUNT_OF(rows); i++) {
        a.tool_choice = rows[i].choice;
        expect_more(&a, rows[i].want);
    }
}

static void
options_have_their_names(void **state)
{
    struct ask a = simple_ask();

    (void)state;
    a.temperature = 0;
    a.top_p = 0.25;
    a.max_tokens = 77;
    a.stop[0] = "END";
    a.n_stop = 1;
    a.extra = "{\"seed\":1}";
    expect_more(&a, ",'options':{'temperature':0,'top_p':0.25,"
                    "'num_predict':77,'stop':['END']}");
    a = simple_ask();
    a.window = 32768;
    expect_more(&a, ",'options':{'num_ctx':32768}");
    a = simple_ask();
    a.format = "{\"type\":\"text\"}";
    expect_more(&a, "");
    a.format = "{\"type\":\"json_object\"}";
    expect_more(&a, ",'format':'json'");
    a.format = "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\","
               "\"schema\":{\"type\":\"array\"}}}";
    expect_more(&a, ",'format':{'type':'array'}");
}

static void
effort_is_think(void **state)
{
    static const struct {
        const char *model, *effort, *want;
    } rows[] = {
        {"qwen3", NULL, ""},
        {"qwen3", "none", ",'think':false"},
        {"qwen3", "minimal", ",'think':true"},
        {"qwen3", "high", ",'think':true"},
        {"gpt-oss:20b", "none", ",'think':false"},
        {"gpt-oss:20b", "minimal", ",'think':'low'"},
        {"hf.co/x/gpt-oss", "medium", ",'think':'medium'"},
        {"gpt-oss", "high", ",'think':'high'"},
    };
    struct ask a = simple_ask();
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        a.model = rows[i].model;
        a.effort = rows[i].effort;
        expect_more(&a, rows[i].want);
    }
}

/* --- errors -------------------------------------------------------------- */

static void
errors_mean_what_clients_can_use(void **state)
{
    static const struct {
        int status;
        const char *body, *code;
        enum fault fault;
    } rows[] = {
        {404, "{'error':'model *x* not found'}", "model_not_found",
         FAULT_MODEL},
        {404, "404 page not found", "model_not_found", FAULT_MODEL},
        {400, "{'error':'x does not support tools'}", "provider_rejected",
         FAULT_OTHER},
        {400, "{'error':'the input length exceeds the context length'}",
         "context_too_long", FAULT_TOO_LONG},
        {500, "{'error':'input length exceeds maximum context length'}",
         "context_too_long", FAULT_TOO_LONG},
        {401, "{'error':'unauthorized'}", "provider_auth", FAULT_KEY},
        {402, "{}", "provider_quota", FAULT_MONEY},
        {429, "{'error':'too many requests'}", "provider_rate_limited",
         FAULT_OTHER},
        {500, "{'error':'model requires more system memory'}",
         "provider_failed", FAULT_OTHER},
        {503, "{'error':'server busy, please try again'}", "provider_failed",
         FAULT_OTHER},
        {502, "<html>", "provider_failed", FAULT_OTHER},
        {400, "", "provider_rejected", FAULT_OTHER},
        {400, "[]", "provider_rejected", FAULT_OTHER},
        {0, "{'error':'model *x* not found, try pulling it first'}",
         "model_not_found", FAULT_MODEL},
        {0, "{'error':{'message':'unauthorized'}}", "provider_auth", FAULT_KEY},
        {0, "{'error':'unexpected EOF'}", "provider_error", FAULT_OTHER},
        {0, "{'error':{}}", "provider_error", FAULT_OTHER},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct provider_error e = error_of(&provider_ollama, rows[i].status,
                                           rows[i].body);

        if (strcmp(e.problem.code, rows[i].code) != 0)
            fail_msg("%d %s: %s", rows[i].status, rows[i].body, e.problem.code);
        assert_int_equal(e.fault, rows[i].fault);
        assert_int_equal(e.wait_ms, -1);
    }
}

/* --- models and embeddings ----------------------------------------------- */

static void
the_list_of_models_is_of_tags(void **state)
{
    static const struct account acc = {.base_url = BASE, .key = "k"};
    struct upstream_request q;
    struct problem why;

    (void)state;
    upstream_request_init(&q, ASKING_BODY_MAX);
    assert_int_equal(provider_ollama.models_build(&acc, "", 0, &q, &why), OK);
    assert_string_equal(q.method, "GET");
    assert_string_equal(q.url, BASE "/api/tags");
    assert_string_equal(header_of(&q, "Authorization"), "Bearer k");
    assert_int_equal(q.body.len, 0);
    upstream_request_release(&q);
}

static void
models_are_told_with_their_time(void **state)
{
    (void)state;
    expect_models(
        &provider_ollama,
        "{'models':[{'name':'llama3.2:latest','model':'llama3.2:latest',"
        "'modified_at':'2024-12-06T00:48:09.983619Z','size':1},"
        "{'model':'b','modified_at':'2023-11-04T14:56:49.277302595-07:00'},"
        "{'name':'c','modified_at':'2024-02-30'},"
        "{'name':'d','modified_at':'2024-12-06T00:48:09'},"
        "{'name':'e','modified_at':'0001-01-01T00:00:00Z'},"
        "{'name':'f','modified_at':'2024-12-06T00:48:09+05:30'},"
        "{'name':'g','modified_at':7},{'size':1},null]}",
        "llama3.2:latest 1733446089 -1 -1\nb 1699135009 -1 -1\n"
        "c -1 -1 -1\nd -1 -1 -1\ne -1 -1 -1\nf 1733426289 -1 -1\n"
        "g -1 -1 -1\n",
        "");
    expect_models(&provider_ollama, "{'models':[]}", "", "");
    expect_models(&provider_ollama, "{'models':null}", "", "");
    expect_no_models(&provider_ollama, "{}");
    expect_no_models(&provider_ollama, "{'models':{}}");
    expect_no_models(&provider_ollama, "Ollama is running");
    expect_no_models(&provider_ollama, "");
}

static void
texts_are_embedded_together(void **state)
{
    static const struct account acc = {.base_url = BASE, .key = ""};
    static const char *const texts[] = {"one", "two"};
    struct embed_ask a = {.model = "all-minilm", .texts = texts};
    struct upstream_request q;
    struct problem why;

    (void)state;
    upstream_request_init(&q, ASKING_BODY_MAX);
    assert_int_equal(provider_ollama.embed_build(&a, &acc, &q, &why),
                     ERR_BADREQ);
    a.n_texts = provider_ollama.embed_max + 1;
    assert_int_equal(provider_ollama.embed_build(&a, &acc, &q, &why),
                     ERR_BADREQ);
    a.n_texts = 2;
    assert_int_equal(provider_ollama.embed_build(&a, &acc, &q, &why), OK);
    assert_string_equal(q.url, BASE "/api/embed");
    expect_body(&q, "{'model':'all-minilm','input':['one','two']}");
    upstream_request_release(&q);
    a.dimensions = 64;
    assert_int_equal(provider_ollama.embed_build(&a, &acc, &q, &why), OK);
    expect_body(&q, "{'model':'all-minilm','input':['one','two'],"
                    "'dimensions':64}");
    upstream_request_release(&q);
    upstream_request_init(&q, 10);
    assert_int_equal(provider_ollama.embed_build(&a, &acc, &q, &why),
                     ERR_TOOBIG);
    upstream_request_release(&q);
}

static void
embeddings_are_rows(void **state)
{
    static const char body[] =
        "{\"model\":\"all-minilm\",\"embeddings\":[[0.5,-1],[1,2]],"
        "\"total_duration\":14143917,\"prompt_eval_count\":8}";
    struct embeddings e = {.tokens = -1};
    struct problem why;

    (void)state;
    assert_int_equal(
        provider_ollama.embed_read(body, sizeof(body) - 1, &e, &why), OK);
    assert_int_equal(e.n, 2);
    assert_int_equal(e.dimensions, 2);
    assert_true(e.values[0] == 0.5f && e.values[1] == -1.0f &&
                e.values[3] == 2.0f);
    assert_int_equal(e.tokens, 8);
    embeddings_release(&e);
    expect_no_embeddings(&provider_ollama, "{'embeddings':[]}");
    expect_no_embeddings(&provider_ollama, "{'embeddings':[[]]}");
    expect_no_embeddings(&provider_ollama, "{'embeddings':[[1,2],[1]]}");
    expect_no_embeddings(&provider_ollama, "{'embeddings':[[1,2],{'a':1}]}");
    expect_no_embeddings(&provider_ollama, "{'embeddings':[{'a':1}]}");
    expect_no_embeddings(&provider_ollama, "{'embeddings':[[null]]}");
    expect_no_embeddings(&provider_ollama, "{'error':'no'}");
    expect_no_embeddings(&provider_ollama, "");
}

/* --- limits -------------------------------------------------------------- */

static void
an_endless_line_is_given_up(void **state)
{
    (void)state;
    expect_limit(&provider_ollama, "{\"message\":\"", NDJSON_LINE_MAX);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_goes_to_the_native_chat),
        cmocka_unit_test(only_what_was_asked_for_is_sent),
        cmocka_unit_test(what_cannot_be_asked_is_refused),
        cmocka_unit_test(a_body_past_its_ceiling_is_too_big),
        cmocka_unit_test(pieces_become_members_of_a_message),
        cmocka_unit_test(an_image_or_a_call_needs_no_text),
        cmocka_unit_test(tools_are_offered_as_far_as_they_may_be_called),
        cmocka_unit_test(options_have_their_names),
        cmocka_unit_test(effort_is_think),
        cmocka_unit_test(errors_mean_what_clients_can_use),
        cmocka_unit_test(the_list_of_models_is_of_tags),
        cmocka_unit_test(models_are_told_with_their_time),
        cmocka_unit_test(texts_are_embedded_together),
        cmocka_unit_test(embeddings_are_rows),
        cmocka_unit_test(an_endless_line_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
