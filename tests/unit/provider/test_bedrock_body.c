/* Tests of what the Bedrock provider asks by Converse: one capability each.
 * Wanted JSON is written with ' for ". */
#include "base/base.h"

#include "asking.h"
#include "provider/bedrock.h"

#define NOVA "amazon.nova-lite-v1:0"
#define CLAUDE "us.anthropic.claude-sonnet-4-20250514-v1:0"
#define MINE .origin = "bedrock"

static const struct ask_message hello = {ROLE_USER, TEXT("Hello")};
#define HELLO "'messages':[{'role':'user','content':[{'text':'Hello'}]}]"

static struct ask
ask_hello(const char *model)
{
    return ask_of(model, &hello, 1);
}

static void
expect(const struct ask *a, const char *want)
{
    expect_ask(&provider_bedrock, a, want);
}

static const struct tool weather = {
    .name = "weather",
    .description = "Tells the weather",
    .schema = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"number\","
              "\"maximum\":12345678901234567890}}}",
    .strict = true,
};
static const struct tool now = {
    .name = "now", .description = " ", .schema = "{}"};

#define NOW                                             \
    "{'toolSpec':{'name':'now','inputSchema':{'json':{" \
    "'type':'object','properties':{}}}}}"

/* --- messages ----------------------------------------------------------- */

static void
only_what_was_asked_for_is_sent(void **state)
{
    struct ask a = ask_hello(NOVA);

    (void)state;
    expect(&a, "{" HELLO "}");
}

static void
options_are_sent(void **state)
{
    struct ask a = ask_hello(NOVA);

    (void)state;
    a.temperature = 1.5;
    a.top_p = 0.5;
    a.max_tokens = 100;
    a.stop[0] = "END";
    a.stop[1] = "\n";
    a.stop[2] = "##";
    a.n_stop = 3;
    expect(&a, "{" HELLO ",'inferenceConfig':{'temperature':1,'topP':0.5,"
               "'maxTokens':100,'stopSequences':['END','##']}}");
    a.model = CLAUDE; /* which refuses both */
    expect(&a, "{" HELLO ",'inferenceConfig':{'temperature':1,"
               "'maxTokens':100,'stopSequences':['END','##']}}");
}

static void
system_texts_are_gathered_in_order(void **state)
{
    static const struct piece pieces[] = {{PIECE_TEXT, TEXT("Three")},
                                          {PIECE_TEXT, TEXT(" \n")}};
    static const struct ask_message m[] = {
        {ROLE_SYSTEM, TEXT("Two")},
        {ROLE_USER, TEXT("Hello")},
        {ROLE_SYSTEM, PIECES(pieces)},
    };
    struct ask a = ask_of(NOVA, m, COUNT_OF(m));

    (void)state;
    a.system = "One";
    expect(&a,
           "{'system':[{'text':'One'},{'text':'Two'},{'text':'Three'}]," HELLO
           "}");
    a.system = "  ";
    a.messages = m + 1;
    a.n_messages = 1;
    expect(&a, "{" HELLO "}");
}

static void
neighbours_become_one_turn(void **state)
{
    static const struct ask_message m[] = {
        {ROLE_USER, TEXT("a")},      {ROLE_SYSTEM, TEXT(" ")},
        {ROLE_USER, TEXT("b")},      {ROLE_ASSISTANT, TEXT(" ")},
        {ROLE_USER, TEXT("c")},      {ROLE_ASSISTANT, TEXT("d")},
        {ROLE_ASSISTANT, TEXT("e")}, {ROLE_USER, TEXT("f")},
    };
    struct ask a = ask_of(NOVA, m, COUNT_OF(m));

    (void)state;
    expect(&a, "{'messages':[{'role':'user','content':[{'text':'a'},"
               "{'text':'b'},{'text':'c'}]},{'role':'assistant','content':["
               "{'text':'d'},{'text':'e'}]},{'role':'user','content':["
               "{'text':'f'}]}]}");
}

static void
an_answer_does_not_begin(void **state)
{
    static const struct ask_message m[] = {{ROLE_ASSISTANT, TEXT("Welcome")},
                                           {ROLE_USER, TEXT("Hello")}};
    struct ask a = ask_of(NOVA, m, COUNT_OF(m));

    (void)state;
    expect(&a, "{'messages':[{'role':'user','content':[{'text':"
               "'(The conversation begins with your words.)'}]},"
               "{'role':'assistant','content':[{'text':'Welcome'}]},"
               "{'role':'user','content':[{'text':'Hello'}]}]}");
}

static void
nothing_cannot_be_asked(void **state)
{
    static const struct ask_message m[] = {{ROLE_USER, TEXT(" ")},
                                           {ROLE_SYSTEM, TEXT("x")}};
    struct ask a = ask_of(NOVA, m, COUNT_OF(m));

    (void)state;
    expect_refusal(&provider_bedrock, &a, NULL, ERR_BADREQ, NULL);
    a.n_messages = 0;
    expect_refusal(&provider_bedrock, &a, NULL, ERR_BADREQ, NULL);
}

static void
ill_formed_text_stays_json(void **state)
{
    static const struct ask_message m[] = {{ROLE_USER, TEXT("a\xff\"\x01")}};
    struct ask a = ask_of(NOVA, m, 1);

    (void)state;
    expect(&a, "{'messages':[{'role':'user','content':[{'text':"
               "'a\xef\xbf\xbd\\u0022\\u0001'}]}]}");
}

/* --- images ------------------------------------------------------------- */

static void
images_are_sent_along(void **state)
{
    static const struct piece pieces[] = {
        {PIECE_TEXT, TEXT("What?")},
        {PIECE_IMAGE, TEXT("aGk="), .media_type = "image/png"},
        {PIECE_IMAGE, TEXT("aGk="), .media_type = "image/JPG"},
        {PIECE_IMAGE, TEXT("data:image/webp;base64,aGk=")},
        {PIECE_IMAGE, TEXT("s3://bucket/a.b/c.jpeg")},
    };
    static const struct ask_message m[] = {{ROLE_USER, PIECES(pieces)}};
    struct ask a = ask_of(NOVA, m, 1);

    (void)state;
    expect(&a, "{'messages':[{'role':'user','content':[{'text':'What?'},"
               "{'image':{'format':'png','source':{'bytes':'aGk='}}},"
               "{'image':{'format':'jpeg','source':{'bytes':'aGk='}}},"
               "{'image':{'format':'webp','source':{'bytes':'aGk='}}},"
               "{'image':{'format':'jpeg','source':{'s3Location':{'uri':"
               "'s3://bucket/a.b/c.jpeg'}}}}]}]}");
}

static void
other_images_are_refused(void **state)
{
    static const struct piece bad[] = {
        {PIECE_IMAGE, TEXT("https://example.com/a.png")},
        {PIECE_IMAGE, TEXT("aGk="), .media_type = "image/tiff"},
        {PIECE_IMAGE, TEXT(""), .media_type = "image/png"},
        {PIECE_IMAGE, TEXT("data:image/png,xx")},
        {PIECE_IMAGE, TEXT("data:text/html;base64,aGk=")},
        {PIECE_IMAGE, TEXT("s3://bucket/noname")},
        {PIECE_IMAGE, TEXT("s3://bucket/a.exe")},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++) {
        struct ask_message m = {ROLE_USER, .pieces = &bad[i], .n_pieces = 1};
        struct ask a = ask_of(NOVA, &m, 1);

        expect_refusal(&provider_bedrock, &a, NULL, ERR_IMPOSSIBLE,
                       "image_not_supported");
    }
}

/* --- tools -------------------------------------------------------------- */

#define WEATHER                                                         \
    "{'toolSpec':{'name':'weather','description':'Tells the weather',"  \
    "'inputSchema':{'json':{'type':'object','properties':{'n':{'type':" \
    "'number','maximum':12345678901234567890}}}}}}"

static void
tools_are_declared(void **state)
{
    static const struct tool typeless = {
        .name = "t", .description = "", .schema = " { \"required\":[]}"};
    struct tool tools[] = {weather, now, typeless};
    struct ask a = ask_hello(NOVA);

    (void)state;
    a.tools = tools;
    a.n_tools = COUNT_OF(tools);
    expect(&a, "{" HELLO ",'toolConfig':{'tools':[" WEATHER "," NOW
               ",{'toolSpec':{'name':'t','inputSchema':{'json':{'type':"
               "'object','required':[]}}}}]}}");
}

static void
a_schema_keeps_its_digits(void **state)
{
    struct ask a = ask_hello(NOVA);
    struct problem why;
    struct buf out;

    (void)state;
    a.tools = &weather;
    a.n_tools = 1;
    buf_init(&out, 65536);
    assert_int_equal(bedrock_body(&out, &a, &why), OK);
    assert_non_null(strstr(buf_cstr(&out), "12345678901234567890"));
    buf_release(&out);
}

static void
the_choice_of_a_tool_is_said(void **state)
{
    static const struct {
        enum tool_choice choice;
        const char *want;
    } rows[] = {
        {TOOL_CHOICE_AUTO, ",'toolChoice':{'auto':{}}"},
        {TOOL_CHOICE_REQUIRED, ",'toolChoice':{'any':{}}"},
        {TOOL_CHOICE_NAMED, ",'toolChoice':{'tool':{'name':'now'}}"},
    };
    struct ask a = ask_hello(NOVA);
    char want[1024];
    size_t i;

    (void)state;
    a.tools = &now;
    a.n_tools = 1;
    a.tool_named = "now";
    for (i = 0; i < COUNT_OF(rows); i++) {
        a.tool_choice = rows[i].choice;
        snprintf(want, sizeof(want),
                 "{" HELLO ",'toolConfig':{'tools':[" NOW "]%s}}",
                 rows[i].want);
        expect(&a, want);
    }
    a.tool_choice = TOOL_CHOICE_NONE;
    expect(&a, "{" HELLO "}");
}

static void
one_call_at_a_time_is_said_to_claude(void **state)
{
    struct ask a = ask_hello(CLAUDE);

    (void)state;
    a.tools = &now;
    a.n_tools = 1;
    a.parallel_calls = 0;
    a.tool_choice = TOOL_CHOICE_NAMED;
    a.tool_named = "now";
    expect(&a, "{" HELLO ",'toolConfig':{'tools':[" NOW
               "]},'additionalModelRequestFields':{'tool_choice':{'type':"
               "'tool','name':'now','disable_parallel_tool_use':true}}}");
    a.tool_choice = TOOL_CHOICE_UNSAID;
    expect(&a, "{" HELLO ",'toolConfig':{'tools':[" NOW
               "]},'additionalModelRequestFields':{'tool_choice':{'type':"
               "'auto','disable_parallel_tool_use':true}}}");
    a.model = NOVA;
    expect(&a, "{" HELLO ",'toolConfig':{'tools':[" NOW "]}}");
}

static const struct piece calls[] = {
    {PIECE_TEXT, TEXT("Let me see.")},
    {PIECE_CALL, TEXT("{\"n\": 12345678901234567890}"), .id = "tooluse_1",
     .name = "weather"},
    {PIECE_CALL, TEXT(""), .id = "call|2", .name = "now"},
    {PIECE_CALL, TEXT("{\"broken"), .id = "", .name = "now"},
};
static const struct piece result1[] = {
    {PIECE_RESULT, TEXT("12 degrees"), .id = "tooluse_1", .name = "weather"}};
static const struct piece result2[] = {
    {PIECE_RESULT, TEXT("no clock"), .id = "call|2", .name = "now",
     .failed = true},
    {PIECE_RESULT, TEXT(""), .id = "", .name = "now"}};
static const struct ask_message history[] = {
    {ROLE_USER, TEXT("Hello")},   {ROLE_ASSISTANT, PIECES(calls)},
    {ROLE_TOOL, PIECES(result1)}, {ROLE_USER, TEXT("And?")},
    {ROLE_TOOL, PIECES(result2)},
};

/* Of "call|2" and of "": sha256, cut. */
#define ID2 "a1d598c1f661f47328954a4181d5334c"
#define ID0 "e3b0c44298fc1c149afbf4c8996fb924"
#define HISTORY                                                            \
    "'messages':[{'role':'user','content':[{'text':'Hello'}]},"            \
    "{'role':'assistant','content':[{'text':'Let me see.'},{'toolUse':{"   \
    "'toolUseId':'tooluse_1','name':'weather','input':{'n':"               \
    "12345678901234567890}}},{'toolUse':{'toolUseId':'" ID2                \
    "','name':'now','input':{}}},{'toolUse':{'toolUseId':'" ID0            \
    "','name':'now','input':{'arguments':'{\\u0022broken'}}}]},"           \
    "{'role':'user','content':[{'toolResult':{'toolUseId':'tooluse_1',"    \
    "'content':[{'text':'12 degrees'}]}},{'toolResult':{'toolUseId':'" ID2 \
    "','content':[{'text':'no clock'}],'status':'error'}},{'toolResult':{" \
    "'toolUseId':'" ID0 "','content':[{'text':'(empty)'}]}},"              \
    "{'text':'And?'}]}]"

static void
calls_and_results_go_back_together(void **state)
{
    struct ask a = ask_of(NOVA, history, COUNT_OF(history));
    struct tool tools[] = {weather, now};

    (void)state;
    a.tools = tools;
    a.n_tools = 2;
    expect(&a, "{" HISTORY ",'toolConfig':{'tools':[" WEATHER "," NOW "]}}");
}

static void
without_tools_the_history_declares_its_own(void **state)
{
    struct ask a = ask_of(NOVA, history, COUNT_OF(history));
    struct tool tools[] = {weather, now};

    (void)state;
    expect(&a, "{'system':[{'text':'Do not call any tool. Answer with what is "
               "known so far.'}]," HISTORY
               ",'toolConfig':{'tools':[{'toolSpec':{'name':'weather',"
               "'inputSchema':{'json':{'type':'object','properties':{}}}}}," NOW
               "]}}");
    a.tools = tools;
    a.n_tools = 2;
    a.tool_choice = TOOL_CHOICE_NONE;
    a.system = "Be brief.";
    expect(&a, "{'system':[{'text':'Be brief.'},{'text':'Do not call any tool. "
               "Answer with what is known so far.'}]," HISTORY
               ",'toolConfig':{'tools':[" WEATHER "," NOW "]}}");
}

static void
a_tool_without_a_schema_is_refused(void **state)
{
    static const struct tool bad = {
        .name = "t", .description = "", .schema = "[]"};
    struct ask a = ask_hello(NOVA);

    (void)state;
    a.tools = &bad;
    a.n_tools = 1;
    expect_refusal(&provider_bedrock, &a, NULL, ERR_BADREQ, "invalid_tool");
}

/* --- thoughts ----------------------------------------------------------- */

static void
only_own_signed_thoughts_go_back_and_come_first(void **state)
{
    static const struct piece pieces[] = {
        {PIECE_TEXT, TEXT("Hi.")},
        {PIECE_THOUGHT, TEXT("Hm"), .signature = "c2ln", MINE},
        {PIECE_THOUGHT, TEXT(""), .signature = "c2Vh", .sealed = true, MINE},
        {PIECE_THOUGHT, TEXT(""), .signature = "bm9u", MINE},
        {PIECE_THOUGHT, TEXT("no signature"), MINE},
        {PIECE_THOUGHT, TEXT("other"), .signature = "x", .origin = "openai"},
        {PIECE_THOUGHT, TEXT("whose"), .signature = "x"},
    };
    static const struct ask_message m[] = {{ROLE_USER, TEXT("Hello")},
                                           {ROLE_ASSISTANT, PIECES(pieces)},
                                           {ROLE_USER, TEXT("Go on")}};
    struct ask a = ask_of(CLAUDE, m, COUNT_OF(m));

    (void)state;
    expect(&a, "{'messages':[{'role':'user','content':[{'text':'Hello'}]},"
               "{'role':'assistant','content':["
               "{'reasoningContent':{'reasoningText':{'text':'Hm','signature':"
               "'c2ln'}}},{'reasoningContent':{'redactedContent':'c2Vh'}},"
               "{'reasoningContent':{'reasoningText':{'text':'','signature':"
               "'bm9u'}}},{'text':'Hi.'}]},"
               "{'role':'user','content':[{'text':'Go on'}]}]}");
}

static void
a_turn_that_begins_with_a_thought_keeps_its_order(void **state)
{
    static const struct piece pieces[] = {
        {PIECE_THOUGHT, TEXT("One"), .signature = "MQ==", MINE},
        {PIECE_TEXT, TEXT("Hi.")},
        {PIECE_THOUGHT, TEXT("Two"), .signature = "Mg==", MINE},
        {PIECE_CALL, TEXT("{}"), .id = "t1", .name = "now"},
    };
    static const struct piece result[] = {
        {PIECE_RESULT, TEXT("noon"), .id = "t1", .name = "now"}};
    static const struct ask_message m[] = {{ROLE_USER, TEXT("Hello")},
                                           {ROLE_ASSISTANT, PIECES(pieces)},
                                           {ROLE_TOOL, PIECES(result)}};
    struct ask a = ask_of(CLAUDE, m, COUNT_OF(m));

    (void)state;
    a.tools = &now;
    a.n_tools = 1;
    expect(&a, "{'messages':[{'role':'user','content':[{'text':'Hello'}]},"
               "{'role':'assistant','content':["
               "{'reasoningContent':{'reasoningText':{'text':'One','signature':"
               "'MQ=='}}},{'text':'Hi.'},"
               "{'reasoningContent':{'reasoningText':{'text':'Two','signature':"
               "'Mg=='}}},"
               "{'toolUse':{'toolUseId':'t1','name':'now','input':{}}}]},"
               "{'role':'user','content':[{'toolResult':{'toolUseId':'t1',"
               "'content':[{'text':'noon'}]}}]}],"
               "'toolConfig':{'tools':[" NOW "]}}");
}

static void
claude_thinks_with_a_budget(void **state)
{
    static const struct {
        const char *effort;
        int budget;
    } rows[] = {
        {"minimal", 1024}, {"low", 2048}, {"medium", 8192}, {"high", 16384},
        {"xhigh", 16384},  {"none", 0},   {"", 0}};
    struct ask a = ask_hello(CLAUDE);
    char want[1024];
    size_t i;

    (void)state;
    a.temperature = 0.5;
    for (i = 0; i < COUNT_OF(rows); i++) {
        a.effort = rows[i].effort;
        if (rows[i].budget > 0)
            snprintf(want, sizeof(want),
                     "{" HELLO ",'inferenceConfig':{'maxTokens':%d},"
                     "'additionalModelRequestFields':{'thinking':{'type':"
                     "'enabled','budget_tokens':%d}}}",
                     rows[i].budget + BEDROCK_THINKING_TOKENS, rows[i].budget);
        else
            snprintf(want, sizeof(want),
                     "{" HELLO ",'inferenceConfig':{'temperature':0.5}}");
        expect(&a, want);
    }
}

static void
some_decide_themselves_how_long_they_think(void **state)
{
    struct ask a = ask_hello(CLAUDE);

    (void)state;
    a.adaptive = true;
    expect(&a, "{" HELLO "}");
    a.effort = "none";
    expect(&a, "{" HELLO ",'additionalModelRequestFields':{'output_config':"
               "{'effort':'low'}}}");
    a.effort = "medium";
    a.max_tokens = 100;
    expect(&a, "{" HELLO ",'inferenceConfig':{'maxTokens':8292},"
               "'additionalModelRequestFields':{'thinking':{'type':'adaptive',"
               "'display':'summarized'},'output_config':{'effort':"
               "'medium'}}}");
}

static void
what_does_not_go_with_thinking_is_left_out(void **state)
{
    struct ask a = ask_hello(CLAUDE);

    (void)state;
    a.effort = "low";
    a.max_tokens = 100;
    a.top_p = 0.9;
    expect(&a, "{" HELLO ",'inferenceConfig':{'maxTokens':2148},"
               "'additionalModelRequestFields':{'thinking':{'type':'enabled',"
               "'budget_tokens':2048}}}");
    a.top_p = 0.95;
    expect(&a, "{" HELLO ",'inferenceConfig':{'maxTokens':2148,'topP':0.95},"
               "'additionalModelRequestFields':{'thinking':{'type':'enabled',"
               "'budget_tokens':2048}}}");
    a.tools = &now; /* a forced tool leaves out the thinking */
    a.n_tools = 1;
    a.tool_choice = TOOL_CHOICE_REQUIRED;
    expect(&a, "{" HELLO ",'inferenceConfig':{'maxTokens':100,'topP':0.95},"
               "'toolConfig':{'tools':[" NOW "],'toolChoice':{'any':{}}}}");
}

/* A call without a thought: thinking may not begin before its result. */
static void
nobody_begins_to_think_in_the_middle(void **state)
{
    static const struct piece call[] = {
        {PIECE_CALL, TEXT("{}"), .id = "t1", .name = "now"}};
    static const struct piece result[] = {
        {PIECE_RESULT, TEXT("noon"), .id = "t1", .name = "now"}};
    static const struct ask_message m[] = {{ROLE_USER, TEXT("Hello")},
                                           {ROLE_ASSISTANT, PIECES(call)},
                                           {ROLE_TOOL, PIECES(result)}};
    struct ask a = ask_of(CLAUDE, m, COUNT_OF(m));

    (void)state;
    a.effort = "high";
    a.tools = &now;
    a.n_tools = 1;
    expect(&a,
           "{'messages':[{'role':'user','content':[{'text':'Hello'}]},"
           "{'role':'assistant','content':[{'toolUse':{'toolUseId':'t1',"
           "'name':'now','input':{}}}]},{'role':'user','content':["
           "{'toolResult':{'toolUseId':'t1','content':[{'text':'noon'}]}}]}],"
           "'toolConfig':{'tools':[" NOW "]}}");
}

static void
other_families_have_words_for_effort(void **state)
{
    struct ask a = ask_hello("openai.gpt-oss-120b-1:0");

    (void)state;
    a.effort = "minimal";
    expect(&a, "{" HELLO ",'additionalModelRequestFields':{"
               "'reasoning_effort':'low'}}");
    a.model = "us.amazon.nova-2-lite-v1:0";
    a.effort = "max";
    expect(&a, "{" HELLO ",'additionalModelRequestFields':{'reasoningConfig':{"
               "'type':'enabled','maxReasoningEffort':'high'}}}");
    a.model = "meta.llama3-70b-instruct-v1:0";
    expect(&a, "{" HELLO "}");
    a.model = "openai.gpt-oss-120b-1:0";
    a.effort = "none";
    expect(&a, "{" HELLO "}");
}

/* --- the rest ----------------------------------------------------------- */

static void
formats_are_asked_for(void **state)
{
    struct ask a = ask_hello(NOVA);

    (void)state;
    a.format = "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\","
               "\"schema\":{\"type\":\"object\"}}}";
    expect(&a, "{" HELLO ",'outputConfig':{'textFormat':{'type':'json_schema',"
               "'structure':{'jsonSchema':{'schema':"
               "'{\\u0022type\\u0022:\\u0022object\\u0022}'}}}}}");
    a.format = "{\"type\":\"json_object\"}";
    expect(&a, "{'system':[{'text':'Answer with one JSON object and nothing "
               "else.'}]," HELLO "}");
    a.format = "{\"type\":\"text\"}";
    expect(&a, "{" HELLO "}");
    a.format = "{\"type\":\"poem\"}";
    expect_refusal(&provider_bedrock, &a, NULL, ERR_BADREQ,
                   "invalid_parameter");
}

#define MARK "{'cachePoint':{'type':'default'}}"

static void
marks_stand_where_they_are_taken(void **state)
{
    static const struct ask_message m[] = {{ROLE_USER, TEXT("a")},
                                           {ROLE_ASSISTANT, TEXT("b")},
                                           {ROLE_USER, TEXT("c")}};
    struct ask a = ask_of(CLAUDE, m, COUNT_OF(m));

    (void)state;
    a.cache = true;
    a.system = "S";
    a.tools = &now;
    a.n_tools = 1;
    expect(&a, "{'system':[{'text':'S'}," MARK "],'messages':[{'role':'user',"
               "'content':[{'text':'a'}]},{'role':'assistant','content':["
               "{'text':'b'}]},{'role':'user','content':[{'text':'c'}," MARK
               "]}],'toolConfig':{'tools':[" NOW "," MARK "]}}");
    a.model = NOVA;
    expect(&a, "{'system':[{'text':'S'}," MARK "],'messages':[{'role':'user',"
               "'content':[{'text':'a'}]},{'role':'assistant','content':["
               "{'text':'b'}]},{'role':'user','content':[{'text':'c'}," MARK
               "]}],'toolConfig':{'tools':[" NOW "]}}");
    a.passing = true;
    expect(&a, "{'system':[{'text':'S'}," MARK "],'messages':[{'role':'user',"
               "'content':[{'text':'a'}," MARK "]},{'role':'assistant',"
               "'content':[{'text':'b'}]},{'role':'user','content':["
               "{'text':'c'}]}],'toolConfig':{'tools':[" NOW "]}}");
    a.passing = false;
    a.model = "meta.llama3-70b-instruct-v1:0";
    expect(&a, "{'system':[{'text':'S'}],'messages':[{'role':'user',"
               "'content':[{'text':'a'}]},{'role':'assistant','content':["
               "{'text':'b'}]},{'role':'user','content':[{'text':'c'}]}],"
               "'toolConfig':{'tools':[" NOW "]}}");
}

static void
a_body_past_the_limit_is_refused(void **state)
{
    static const struct account acc = {.base_url = "http://h", .key = ""};
    struct ask a = ask_hello(NOVA);
    struct upstream_request q;
    struct problem why = {.err = OK};

    (void)state;
    upstream_request_init(&q, 16);
    assert_int_equal(provider_bedrock.build(&a, &acc, &q, &why), ERR_TOOBIG);
    assert_int_equal(why.err, ERR_TOOBIG);
    upstream_request_release(&q);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_asked_for_is_sent),
        cmocka_unit_test(options_are_sent),
        cmocka_unit_test(system_texts_are_gathered_in_order),
        cmocka_unit_test(neighbours_become_one_turn),
        cmocka_unit_test(an_answer_does_not_begin),
        cmocka_unit_test(nothing_cannot_be_asked),
        cmocka_unit_test(ill_formed_text_stays_json),
        cmocka_unit_test(images_are_sent_along),
        cmocka_unit_test(other_images_are_refused),
        cmocka_unit_test(tools_are_declared),
        cmocka_unit_test(a_schema_keeps_its_digits),
        cmocka_unit_test(the_choice_of_a_tool_is_said),
        cmocka_unit_test(one_call_at_a_time_is_said_to_claude),
        cmocka_unit_test(calls_and_results_go_back_together),
        cmocka_unit_test(without_tools_the_history_declares_its_own),
        cmocka_unit_test(a_tool_without_a_schema_is_refused),
        cmocka_unit_test(only_own_signed_thoughts_go_back_and_come_first),
        cmocka_unit_test(a_turn_that_begins_with_a_thought_keeps_its_order),
        cmocka_unit_test(claude_thinks_with_a_budget),
        cmocka_unit_test(some_decide_themselves_how_long_they_think),
        cmocka_unit_test(what_does_not_go_with_thinking_is_left_out),
        cmocka_unit_test(nobody_begins_to_think_in_the_middle),
        cmocka_unit_test(other_families_have_words_for_effort),
        cmocka_unit_test(formats_are_asked_for),
        cmocka_unit_test(marks_stand_where_they_are_taken),
        cmocka_unit_test(a_body_past_the_limit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
