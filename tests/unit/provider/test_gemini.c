/* Tests of the Gemini provider: what is asked, what errors mean, models,
 * embeddings, limits. Replies are replayed in test_gemini_replay.c. */
#include "base/base.h"

#include "asking.h"
#include "provider/gemini.h"

#define KEY "not-a-key"
#define BASE "https://generativelanguage.googleapis.com/v1beta"

static const struct ask_message hello = {.role = ROLE_USER, TEXT("Hello")};

static struct ask
simple_ask(void)
{
    return ask_of("gemini-2.5-flash", &hello, 1);
}

/* --- the address --------------------------------------------------------- */

static void
the_address_names_model_and_way(void **state)
{
    static const struct {
        const char *base, *model;
        bool whole;
        const char *url;
    } rows[] = {
        {BASE, "gemini-2.5-flash", false,
         BASE "/models/gemini-2.5-flash:streamGenerateContent?alt=sse"},
        {BASE "//", "gemini-2.5-flash", true,
         BASE "/models/gemini-2.5-flash:generateContent"},
        {BASE, "models/gemini-2.5-flash", true,
         BASE "/models/gemini-2.5-flash:generateContent"},
        {BASE, "tunedModels/mine", true,
         BASE "/tunedModels/mine:generateContent"},
        {BASE, "a/b?c#d\r\n:e", true,
         BASE "/models/a%2Fb%3Fc%23d%0D%0A%3Ae:generateContent"},
    };
    struct ask a = simple_ask();
    struct upstream_request q;
    struct problem why;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct account acc = {.base_url = rows[i].base, .key = KEY};

        a.model = rows[i].model;
        a.whole = rows[i].whole;
        upstream_request_init(&q, ASKING_BODY_MAX);
        assert_int_equal(provider_gemini.build(&a, &acc, &q, &why), OK);
        assert_string_equal(q.url, rows[i].url);
        assert_string_equal(q.method, "POST");
        assert_true(q.http2);
        assert_string_equal(header_of(&q, "x-goog-api-key"), KEY);
        assert_string_equal(header_of(&q, "Content-Type"), "application/json");
        upstream_request_release(&q);
    }
}

static void
what_cannot_be_asked_is_refused(void **state)
{
    static const struct account nowhere = {.base_url = "/", .key = ""};
    static const struct account two_lines = {.base_url = "http://h",
                                             .key = "a\r\nX: y"};
    static const struct ask_message system = {.role = ROLE_SYSTEM, TEXT("s")};
    static const struct ask_message empty = {.role = ROLE_USER, TEXT("")};
    static const struct tool bad = {"f", "", "[]", false};
    struct ask a = simple_ask();

    (void)state;
    expect_refusal(&provider_gemini, &a, &nowhere, ERR_BADREQ,
                   "provider_address");
    expect_refusal(&provider_gemini, &a, &two_lines, ERR_BADREQ,
                   "provider_key");
    a.tools = &bad;
    a.n_tools = 1;
    expect_refusal(&provider_gemini, &a, NULL, ERR_BADREQ, "invalid_tool");
    a = simple_ask();
    a.format = "{\"type\":\"xml\"}";
    expect_refusal(&provider_gemini, &a, NULL, ERR_BADREQ, "invalid_parameter");
    a.format = "{";
    expect_refusal(&provider_gemini, &a, NULL, ERR_BADREQ, "invalid_parameter");
    a.format = "{\"type\":\"json_schema\",\"json_schema\":{}}";
    expect_refusal(&provider_gemini, &a, NULL, ERR_BADREQ, "invalid_parameter");
    a = ask_of("m", &system, 1);
    expect_refusal(&provider_gemini, &a, NULL, ERR_BADREQ, NULL);
    a = ask_of("m", &empty, 1);
    expect_refusal(&provider_gemini, &a, NULL, ERR_BADREQ, NULL);
}

static void
a_body_past_its_ceiling_is_too_big(void **state)
{
    static const struct account acc = {.base_url = "http://h", .key = ""};
    struct ask a = simple_ask();
    struct upstream_request q;
    struct problem why;

    (void)state;
    upstream_request_init(&q, 50);
    assert_int_equal(provider_gemini.build(&a, &acc, &q, &why), ERR_TOOBIG);
    assert_int_equal(why.err, ERR_TOOBIG);
    assert_null(header_of(&q, "x-goog-api-key"));
    assert_false(q.http2);
    upstream_request_release(&q);
}

/* --- the conversation ---------------------------------------------------- */

static void
neighbours_of_a_role_are_one_content(void **state)
{
    static const struct ask_message messages[] = {
        {.role = ROLE_USER, TEXT("One")},
        {.role = ROLE_SYSTEM, TEXT("Be kind.")},
        {.role = ROLE_USER, TEXT("Two")},
        {.role = ROLE_ASSISTANT, TEXT("")},
        {.role = ROLE_ASSISTANT, TEXT("Three")},
        {.role = ROLE_USER, TEXT("Four “4”\n")},
    };
    struct ask a = ask_of("gemini-2.0-flash", messages, COUNT_OF(messages));

    (void)state;
    a.system = "Be brief.";
    expect_ask(&provider_gemini, &a,
               "{'systemInstruction':{'parts':[{'text':'Be brief.'},"
               "{'text':'Be kind.'}]},'contents':["
               "{'role':'user','parts':[{'text':'One'},{'text':'Two'}]},"
               "{'role':'model','parts':[{'text':'Three'}]},"
               "{'role':'user','parts':[{'text':'Four “4”\\n'}]}],"
               "'generationConfig':{}}");
}

static void
images_are_data_or_addresses(void **state)
{
    static const struct piece pieces[] = {
        {.kind = PIECE_TEXT, TEXT("What?")},
        {.kind = PIECE_IMAGE, TEXT("AAEC"), .media_type = "image/png"},
        {.kind = PIECE_TEXT, TEXT("")},
        {.kind = PIECE_IMAGE, TEXT("https://h/a.JPG?x=.png#.gif")},
        {.kind = PIECE_IMAGE, TEXT("https://h/image")},
    };
    static const struct ask_message m = {.role = ROLE_USER, PIECES(pieces)};
    struct ask a = ask_of("gemini-2.0-flash", &m, 1);

    (void)state;
    expect_ask(&provider_gemini, &a,
               "{'contents':[{'role':'user','parts':[{'text':'What?'},"
               "{'inlineData':{'mimeType':'image/png','data':'AAEC'}},"
               "{'fileData':{'mimeType':'image/jpeg','fileUri':"
               "'https://h/a.JPG?x=.png#.gif'}},"
               "{'fileData':{'fileUri':'https://h/image'}}]}],"
               "'generationConfig':{}}");
}

static void
calls_and_results_go_back_in_parallel(void **state)
{
    static const struct piece calls[] = {
        {.kind = PIECE_THOUGHT, TEXT("Hm"), .origin = "gemini"},
        {.kind = PIECE_THOUGHT,
         TEXT("not ours"),
         .origin = "anthropic",
         .signature = "x"},
        {.kind = PIECE_CALL,
         TEXT("{\"a\": [1]}"),
         .id = "",
         .name = "f",
         .origin = "gemini",
         .signature = "c2ln"},
        {.kind = PIECE_CALL,
         TEXT(""),
         .id = "7",
         .name = "g",
         .origin = "anthropic",
         .signature = "no"},
        {.kind = PIECE_CALL, TEXT("{broken"), .id = "", .name = "h"},
    };
    static const struct piece results[] = {
        {.kind = PIECE_RESULT, TEXT("{\"t\":21}"), .id = "", .name = "f"},
        {.kind = PIECE_RESULT, TEXT("[1]"), .id = "7", .name = "g"},
    };
    static const struct piece failure[] = {
        {.kind = PIECE_RESULT,
         TEXT("{\"no\":1}"),
         .id = "",
         .name = "h",
         .failed = true},
    };
    static const struct ask_message messages[] = {
        {.role = ROLE_USER, TEXT("Go")},
        {.role = ROLE_ASSISTANT, PIECES(calls)},
        {.role = ROLE_TOOL, PIECES(results)},
        {.role = ROLE_TOOL, PIECES(failure)},
        {.role = ROLE_USER, TEXT("And?")},
    };
    struct ask a = ask_of("gemini-3-pro-preview", messages, 5);

    (void)state;
    expect_ask(&provider_gemini, &a,
               "{'contents':[{'role':'user','parts':[{'text':'Go'}]},"
               "{'role':'model','parts':[{'text':'Hm','thought':true},"
               "{'functionCall':{'name':'f','args':{'a':[1]}},"
               "'thoughtSignature':'c2ln'},"
               "{'functionCall':{'id':'7','name':'g','args':{}}},"
               "{'functionCall':{'name':'h','args':{'arguments':'{broken'}}}]},"
               "{'role':'user','parts':["
               "{'functionResponse':{'name':'f','response':{'t':21}}},"
               "{'functionResponse':{'id':'7','name':'g',"
               "'response':{'result':'[1]'}}},"
               "{'functionResponse':{'name':'h',"
               "'response':{'error':'{\\\"no\\\":1}'}}},"
               "{'text':'And?'}]}],'generationConfig':{}}");
}

static void
signatures_go_back_where_they_came(void **state)
{
    static const struct piece pieces[] = {
        {.kind = PIECE_THOUGHT,
         TEXT("Hm"),
         .origin = "gemini",
         .signature = "c2lnMQ=="},
        {.kind = PIECE_THOUGHT, TEXT(""), .origin = "gemini"},
        {.kind = PIECE_TEXT, TEXT("Four")},
        {.kind = PIECE_THOUGHT,
         TEXT(""),
         .origin = "gemini",
         .signature = "c2lnMg=="},
        {.kind = PIECE_THOUGHT, TEXT("s"), .origin = "gemini", .sealed = true},
    };
    static const struct ask_message messages[] = {
        {.role = ROLE_ASSISTANT, PIECES(pieces)},
        {.role = ROLE_USER, TEXT("And?")},
    };
    struct ask a = ask_of("gemini-2.5-pro", messages, 2);

    (void)state;
    expect_ask(&provider_gemini, &a,
               "{'contents':[{'role':'model','parts':["
               "{'text':'Hm','thought':true,'thoughtSignature':'c2lnMQ=='},"
               "{'text':'Four'},"
               "{'text':'','thoughtSignature':'c2lnMg=='}]},"
               "{'role':'user','parts':[{'text':'And?'}]}],"
               "'generationConfig':{}}");
}

static void
foreign_calls_are_excused_where_signatures_are_demanded(void **state)
{
    static const struct piece pieces[] = {
        {.kind = PIECE_CALL,
         TEXT(""),
         .id = "",
         .name = "f",
         .origin = "anthropic",
         .signature = "no"},
        {.kind = PIECE_CALL, TEXT(""), .id = "", .name = "g"},
    };
    static const struct ask_message m = {.role = ROLE_ASSISTANT,
                                         PIECES(pieces)};
    struct ask a = ask_of("gemini-3-flash", &m, 1);

    (void)state;
    expect_ask(&provider_gemini, &a,
               "{'contents':[{'role':'model','parts':["
               "{'functionCall':{'name':'f','args':{}},"
               "'thoughtSignature':'skip_thought_signature_validator'},"
               "{'functionCall':{'name':'g','args':{}}}]}],"
               "'generationConfig':{}}");
    a.model = "gemini-2.5-flash";
    expect_ask(&provider_gemini, &a,
               "{'contents':[{'role':'model','parts':["
               "{'functionCall':{'name':'f','args':{}}},"
               "{'functionCall':{'name':'g','args':{}}}]}],"
               "'generationConfig':{}}");
}

/* --- tools and options --------------------------------------------------- */

static void
tools_are_declared_and_chosen(void **state)
{
    static const struct tool tools[] = {
        {"f", "Does f", "{\"type\":\"object\"}", true},
        {"g", "", " {}", false},
    };
    static const struct {
        enum tool_choice choice;
        const char *want;
    } rows[] = {
        {TOOL_CHOICE_UNSAID, ""},
        {TOOL_CHOICE_AUTO,
         ",'toolConfig':{'functionCallingConfig':{'mode':'AUTO'}}"},
        {TOOL_CHOICE_NONE,
         ",'toolConfig':{'functionCallingConfig':{'mode':'NONE'}}"},
        {TOOL_CHOICE_REQUIRED,
         ",'toolConfig':{'functionCallingConfig':{'mode':'ANY'}}"},
        {TOOL_CHOICE_NAMED, ",'toolConfig':{'functionCallingConfig':{'mode':"
                            "'ANY','allowedFunctionNames':['g']}}"},
    };
    struct ask a = simple_ask();
    size_t i;

    (void)state;
    a.tools = tools;
    a.n_tools = COUNT_OF(tools);
    a.tool_named = "g";
    for (i = 0; i < COUNT_OF(rows); i++) {
        char want[1024];

        (void)snprintf(
            want, sizeof(want),
            "{'contents':[{'role':'user','parts':[{'text':'Hello'}]}],"
            "'tools':[{'functionDeclarations':[{'name':'f',"
            "'description':'Does f',"
            "'parametersJsonSchema':{'type':'object'}},"
            "{'name':'g','parametersJsonSchema':{}}]}]%s,"
            "'generationConfig':{}}",
            rows[i].want);
        a.tool_choice = rows[i].choice;
        expect_ask(&provider_gemini, &a, want);
    }
}

static void
expect_generation(const struct ask *a, const char *want)
{
    char all[1024];

    (void)snprintf(all, sizeof(all),
                   "{'contents':[{'role':'user','parts':[{'text':'Hello'}]}],"
                   "'generationConfig':%s}",
                   want);
    expect_ask(&provider_gemini, a, all);
}

static void
options_have_their_names(void **state)
{
    struct ask a = simple_ask();

    (void)state;
    a.temperature = 0.5;
    a.top_p = 0.25;
    a.max_tokens = 77;
    a.stop[0] = "END";
    a.stop[1] = "\n";
    a.n_stop = 2;
    a.extra = "{\"seed\":1}";
    expect_generation(&a, "{'temperature':0.5,'topP':0.25,"
                          "'maxOutputTokens':77,"
                          "'stopSequences':['END','\\n']}");
    a = simple_ask();
    a.format = "{\"type\":\"text\"}";
    expect_generation(&a, "{}");
    a.format = "{\"type\":\"json_object\"}";
    expect_generation(&a, "{'responseMimeType':'application/json'}");
    a.format = "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\","
               "\"strict\":true,\"schema\":{\"type\":\"array\"}}}";
    expect_generation(&a, "{'responseMimeType':'application/json',"
                          "'responseJsonSchema':{'type':'array'}}");
}

static void
effort_is_a_budget_or_a_level(void **state)
{
    static const struct {
        const char *model, *effort, *want;
    } rows[] = {
        {"gemini-2.5-flash", NULL, "{}"},
        {"gemini-2.5-flash", "none",
         "{'thinkingConfig':{'includeThoughts':false,'thinkingBudget':0}}"},
        {"gemini-2.5-pro", "none",
         "{'thinkingConfig':{'includeThoughts':false,'thinkingBudget':128}}"},
        {"gemini-2.5-flash", "minimal",
         "{'thinkingConfig':{'includeThoughts':true,'thinkingBudget':1024}}"},
        {"models/gemini-2.5-flash", "low",
         "{'thinkingConfig':{'includeThoughts':true,'thinkingBudget':1024}}"},
        {"gemini-flash-latest", "medium",
         "{'thinkingConfig':{'includeThoughts':true,'thinkingBudget':8192}}"},
        {"gemini-2.5-pro", "high",
         "{'thinkingConfig':{'includeThoughts':true,'thinkingBudget':24576}}"},
        {"gemini-3-flash-preview", "none",
         "{'thinkingConfig':{'includeThoughts':false,"
         "'thinkingLevel':'MINIMAL'}}"},
        {"gemini-3.1-pro-preview", "none",
         "{'thinkingConfig':{'includeThoughts':false,'thinkingLevel':'LOW'}}"},
        {"gemini-3-flash", "minimal",
         "{'thinkingConfig':{'includeThoughts':true,"
         "'thinkingLevel':'MINIMAL'}}"},
        {"gemini-3-flash", "low",
         "{'thinkingConfig':{'includeThoughts':true,'thinkingLevel':'LOW'}}"},
        {"gemini-3.1-pro", "medium",
         "{'thinkingConfig':{'includeThoughts':true,"
         "'thinkingLevel':'MEDIUM'}}"},
        {"gemini-3-pro-preview", "medium",
         "{'thinkingConfig':{'includeThoughts':true,'thinkingLevel':'HIGH'}}"},
        {"gemini-10-flash", "high",
         "{'thinkingConfig':{'includeThoughts':true,'thinkingLevel':'HIGH'}}"},
        {"gemini-2.0-flash", "high", "{}"},
        {"gemini-1.5-pro", "high", "{}"},
        {"gemma-3-27b-it", "high", "{}"},
    };
    struct ask a = simple_ask();
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        a.model = rows[i].model;
        a.effort = rows[i].effort;
        expect_generation(&a, rows[i].want);
    }
}

/* --- errors -------------------------------------------------------------- */

static void
errors_mean_what_clients_can_use(void **state)
{
    static const struct {
        int status;
        const char *body, *code;
    } rows[] = {
        {400, "{'error':{'code':400,'status':'INVALID_ARGUMENT'}}",
         "provider_rejected"},
        {400,
         "{'error':{'code':400,'status':'INVALID_ARGUMENT','details':[{'@type':"
         "'type.googleapis.com/google.rpc.ErrorInfo','reason':"
         "'API_KEY_INVALID'}]}}",
         "provider_auth"},
        {400,
         "{'error':{'message':'API key not valid. Please pass a valid API "
         "key.'}}",
         "provider_auth"},
        {400,
         "{'error':{'message':'The input token count (1200000) exceeds the "
         "maximum number of tokens allowed (1048576).'}}",
         "context_too_long"},
        {400, "{'error':{'status':'FAILED_PRECONDITION'}}",
         "provider_forbidden"},
        {401, "{'error':{'status':'UNAUTHENTICATED'}}", "provider_auth"},
        {403, "{'error':{'status':'PERMISSION_DENIED'}}", "provider_forbidden"},
        {404, "{'error':{'status':'NOT_FOUND'}}", "model_not_found"},
        {429, "[{'error':{'status':'RESOURCE_EXHAUSTED'}}]",
         "provider_rate_limited"},
        {429,
         "{'error':{'message':'Your prepayment credits are depleted. Please "
         "go on.'}}",
         "provider_quota"},
        {500, "{'error':{'status':'INTERNAL'}}", "provider_failed"},
        {503, "<html>", "provider_failed"},
        {504, "", "provider_failed"},
        {400, "null", "provider_rejected"},
        {400, "[]", "provider_rejected"},
        {400, "{'error':[{'details':{}}]}", "provider_rejected"},
        {400, "{'error':{'details':[null,1,{'@type':3}]}}",
         "provider_rejected"},
        {0, "{'error':{'code':503}}", "provider_failed"},
        {0, "{'error':{'status':'RESOURCE_EXHAUSTED'}}",
         "provider_rate_limited"},
        {0, "{'error':{'code':7}}", "provider_error"},
        {0, "{'error':{}}", "provider_error"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct provider_error e = error_of(&provider_gemini, rows[i].status,
                                           rows[i].body);

        if (strcmp(e.problem.code, rows[i].code) != 0)
            fail_msg("%d %s: %s", rows[i].status, rows[i].body, e.problem.code);
        assert_int_equal(e.wait_ms, -1);
        assert_int_equal(e.fault == FAULT_MONEY,
                         strcmp(rows[i].code, "provider_quota") == 0);
    }
}

static void
the_wait_is_in_the_body(void **state)
{
    static const struct {
        const char *delay;
        int64_t want;
    } rows[] = {
        {"'34.4s'", 34400},
        {"'34s'", 34000},
        {"'0.0001s'", 1},
        {"'1.234567891s'", 1235},
        {"'7.000000000s'", 7000},
        {"'0s'", 0},
        {"'999999999999999999999999s'", 86400000},
        {"'-1s'", -1},
        {"'1m'", -1},
        {"''", -1},
        {"'s'", -1},
        {"34.4", -1},
        {"null", -1},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct provider_error e;
        char body[512];

        (void)snprintf(body, sizeof(body),
                       "{'error':{'code':429,'details':[{'@type':"
                       "'type.googleapis.com/google.rpc.Help'},{'@type':"
                       "'type.googleapis.com/google.rpc.RetryInfo',"
                       "'retryDelay':%s}]}}",
                       rows[i].delay);
        e = error_of(&provider_gemini, 429, body);
        assert_int_equal(e.wait_ms, rows[i].want);
        if (rows[i].want > 0)
            assert_int_equal(e.problem.retry_after_s,
                             (rows[i].want + 999) / 1000);
    }
}

/* --- models and embeddings ----------------------------------------------- */

static void
the_list_of_models_has_pages(void **state)
{
    static const struct account acc = {.base_url = BASE, .key = KEY};
    struct upstream_request q;
    struct problem why;

    (void)state;
    upstream_request_init(&q, ASKING_BODY_MAX);
    assert_int_equal(provider_gemini.models_build(&acc, "", 0, &q, &why), OK);
    assert_string_equal(q.method, "GET");
    assert_string_equal(q.url, BASE "/models?pageSize=1000");
    assert_string_equal(header_of(&q, "x-goog-api-key"), KEY);
    assert_int_equal(q.body.len, 0);
    upstream_request_release(&q);
    assert_int_equal(provider_gemini.models_build(&acc, "a=&b", 0, &q, &why),
                     OK);
    assert_string_equal(q.url, BASE "/models?pageSize=1000&pageToken=a%3D%26b");
    upstream_request_release(&q);
}

static void
models_that_can_answer_are_told(void **state)
{
    (void)state;
    expect_models(
        &provider_gemini,
        "{'models':[{'name':'models/gemini-2.5-flash','version':'001',"
        "'inputTokenLimit':1048576,'outputTokenLimit':65536,"
        "'supportedGenerationMethods':['countTokens','generateContent']},"
        "{'name':'models/gemini-embedding-001',"
        "'supportedGenerationMethods':['embedContent']},"
        "{'name':'tunedModels/x','inputTokenLimit':'many',"
        "'supportedGenerationMethods':['generateContent']},"
        "{'name':7},null,{}],'nextPageToken':'Ch1t'}",
        "gemini-2.5-flash -1 1048576 65536\ntunedModels/x -1 -1 -1\n", "Ch1t");
    expect_models(&provider_gemini, "{'models':[]}", "", "");
    expect_models(&provider_gemini, "{}", "", "");
    expect_no_models(&provider_gemini, "{'data':[]}");
    expect_no_models(&provider_gemini, "[]");
    expect_no_models(&provider_gemini, "<html>");
    expect_no_models(&provider_gemini, "");
}

static void
texts_are_embedded_in_a_batch(void **state)
{
    static const struct account acc = {.base_url = BASE, .key = KEY};
    static const char *const texts[] = {"one", "two \"2\""};
    struct embed_ask a = {.model = "gemini-embedding-001", .texts = texts};
    struct upstream_request q;
    struct problem why;

    (void)state;
    upstream_request_init(&q, ASKING_BODY_MAX);
    assert_int_equal(provider_gemini.embed_build(&a, &acc, &q, &why),
                     ERR_BADREQ);
    a.n_texts = provider_gemini.embed_max + 1;
    assert_int_equal(provider_gemini.embed_build(&a, &acc, &q, &why),
                     ERR_BADREQ);
    a.n_texts = 2;
    a.dimensions = 256;
    assert_int_equal(provider_gemini.embed_build(&a, &acc, &q, &why), OK);
    assert_string_equal(q.url,
                        BASE "/models/gemini-embedding-001:batchEmbedContents");
    expect_body(&q, "{'requests':[{'model':'models/gemini-embedding-001',"
                    "'content':{'parts':[{'text':'one'}]},"
                    "'outputDimensionality':256},"
                    "{'model':'models/gemini-embedding-001',"
                    "'content':{'parts':[{'text':'two \\\"2\\\"'}]},"
                    "'outputDimensionality':256}]}");
    upstream_request_release(&q);
}

static void
embeddings_are_rows(void **state)
{
    static const char body[] =
        "{\"embeddings\":[{\"values\":[0.5,-1,2e-3]},{\"values\":[1,2,3]}],"
        "\"usageMetadata\":{\"promptTokenCount\":9}}";
    struct embeddings e = {.tokens = -1};
    struct problem why;

    (void)state;
    assert_int_equal(
        provider_gemini.embed_read(body, sizeof(body) - 1, &e, &why), OK);
    assert_int_equal(e.n, 2);
    assert_int_equal(e.dimensions, 3);
    assert_true(e.values[0] == 0.5f && e.values[1] == -1.0f &&
                e.values[2] == 2e-3f && e.values[5] == 3.0f);
    assert_int_equal(e.tokens, 9);
    embeddings_release(&e);
    expect_no_embeddings(&provider_gemini, "{'embeddings':[]}");
    expect_no_embeddings(&provider_gemini, "{'embeddings':[[1,2]]}");
    expect_no_embeddings(&provider_gemini, "{'embeddings':[{'values':[]}]}");
    expect_no_embeddings(&provider_gemini,
                         "{'embeddings':[{'values':[1,2]},{'values':[1]}]}");
    expect_no_embeddings(&provider_gemini,
                         "{'embeddings':[{'values':[1]},{'values':[1,2]}]}");
    expect_no_embeddings(&provider_gemini,
                         "{'embeddings':[{'values':[1,'2']}]}");
    expect_no_embeddings(&provider_gemini,
                         "{'embeddings':[{'values':[1e300]}]}");
    expect_no_embeddings(&provider_gemini, "{'embedding':{'values':[1]}}");
    expect_no_embeddings(&provider_gemini, "nope");
}

/* --- limits -------------------------------------------------------------- */

static void
an_endless_reply_is_given_up(void **state)
{
    (void)state;
    expect_limit(&provider_gemini, "data: {\"candidates\":\"", WIRE_BODY_MAX);
    expect_limit(&provider_gemini, "{\"candidates\":\"", WIRE_BODY_MAX);
    expect_limit(&provider_gemini, "[{\"candidates\":\"", WIRE_BODY_MAX);
    expect_limit(&provider_gemini, "data:\n{\"error\":\"", WIRE_BODY_MAX);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_names_model_and_way),
        cmocka_unit_test(what_cannot_be_asked_is_refused),
        cmocka_unit_test(a_body_past_its_ceiling_is_too_big),
        cmocka_unit_test(neighbours_of_a_role_are_one_content),
        cmocka_unit_test(images_are_data_or_addresses),
        cmocka_unit_test(calls_and_results_go_back_in_parallel),
        cmocka_unit_test(signatures_go_back_where_they_came),
        cmocka_unit_test(
            foreign_calls_are_excused_where_signatures_are_demanded),
        cmocka_unit_test(tools_are_declared_and_chosen),
        cmocka_unit_test(options_have_their_names),
        cmocka_unit_test(effort_is_a_budget_or_a_level),
        cmocka_unit_test(errors_mean_what_clients_can_use),
        cmocka_unit_test(the_wait_is_in_the_body),
        cmocka_unit_test(the_list_of_models_has_pages),
        cmocka_unit_test(models_that_can_answer_are_told),
        cmocka_unit_test(texts_are_embedded_in_a_batch),
        cmocka_unit_test(embeddings_are_rows),
        cmocka_unit_test(an_endless_reply_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
