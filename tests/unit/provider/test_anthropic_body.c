/* Tests of what the Anthropic provider asks: one capability each. Wanted JSON
 * is written with ' for ". */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <math.h>

#include "base/json.h"
#include "base/mem.h"
#include "provider/anthropic.h"

/* --- asking -------------------------------------------------------------- */

static const struct ask_message hello = {
    .role = ROLE_USER, .text = "Hello", .len = 5};

static struct ask
ask_with(const struct ask_message *messages, size_t n)
{
    struct ask a = {.model = "claude-x",
                    .messages = messages,
                    .n_messages = n,
                    .parallel_calls = -1};

    a.temperature = a.top_p = NAN;
    return a;
}

static struct ask
simple_ask(void)
{
    return ask_with(&hello, 1);
}

static struct ask_message
says(enum role role, const char *text)
{
    struct ask_message m = {.role = role, .text = text, .len = strlen(text)};

    return m;
}

static struct ask_message
shows(enum role role, const struct piece *pieces, size_t n)
{
    struct ask_message m = {.role = role, .pieces = pieces, .n_pieces = n};

    return m;
}

#define SHOWS(role, pieces) shows(role, pieces, COUNT_OF(pieces))
#define TEXT(s) .text = (s), .len = sizeof(s) - 1

static cJSON *
wanted(const char *text)
{
    char *copy = xstrdup(text), *s;
    cJSON *tree;

    for (s = copy; *s != '\0'; s++) {
        if (*s == '\'')
            *s = '"';
    }
    tree = cJSON_Parse(copy);
    if (tree == NULL)
        fail_msg("the test's JSON is none: %s", text);
    free(copy);
    return tree;
}

/* The body, strictly parsed. */
static cJSON *
body_of(const struct ask *a, bool bedrock)
{
    struct problem why = {.err = OK};
    cJSON *tree = NULL;
    struct buf b;

    buf_init(&b, 1024 * 1024);
    if (anthropic_body(&b, a, bedrock, &why) != OK)
        fail_msg("refused: %s %s", why.code, why.message);
    if (json_parse(b.data, b.len, &tree, &why) != OK)
        fail_msg("%s in %s", why.message, buf_cstr(&b));
    buf_release(&b);
    return tree;
}

static void
expect_json(const cJSON *got, const char *want)
{
    cJSON *tree = wanted(want);
    char *text = cJSON_Print(got);

    if (!cJSON_Compare(got, tree, true))
        fail_msg("%s\n--- wanted: %s", text, want);
    cJSON_free(text);
    cJSON_Delete(tree);
}

static void
expect_body(const struct ask *a, const char *want)
{
    cJSON *tree = body_of(a, false);

    expect_json(tree, want);
    cJSON_Delete(tree);
}

/* One member of the body; want NULL: it is not there. */
static void
expect_member(const struct ask *a, const char *name, const char *want)
{
    cJSON *tree = body_of(a, false);
    const cJSON *got = cJSON_GetObjectItemCaseSensitive(tree, name);

    if (want == NULL && got != NULL)
        fail_msg("%s is there", name);
    if (want != NULL && got == NULL)
        fail_msg("%s is missing", name);
    if (want != NULL)
        expect_json(got, want);
    cJSON_Delete(tree);
}

static void
expect_messages(const struct ask_message *m, size_t n, const char *want)
{
    struct ask a = ask_with(m, n);

    expect_member(&a, "messages", want);
}

static void
expect_refusal(const struct ask *a, bool bedrock, enum err want)
{
    struct problem why = {.err = OK};
    struct buf b;

    buf_init(&b, 1024 * 1024);
    assert_int_equal(anthropic_body(&b, a, bedrock, &why), want);
    assert_int_equal(why.err, want);
    buf_release(&b);
}

static void
only_what_was_asked_for_is_sent(void **state)
{
    struct ask a = simple_ask();

    (void)state;
    expect_body(&a, "{'model':'claude-x','stream':true,'max_tokens':4096,"
                    "'messages':[{'role':'user','content':[{'type':'text',"
                    "'text':'Hello'}]}]}");
    a.whole = true;
    a.extra = "{\"seed\":1}";
    expect_member(&a, "stream", NULL);
    expect_member(&a, "seed", NULL);
}

static void
bedrock_names_version_and_no_model(void **state)
{
    struct ask a = simple_ask();
    cJSON *tree = body_of(&a, true);

    (void)state;
    expect_json(tree, "{'anthropic_version':'bedrock-2023-05-31',"
                      "'max_tokens':4096,'messages':[{'role':'user',"
                      "'content':[{'type':'text','text':'Hello'}]}]}");
    cJSON_Delete(tree);
}

static void
options_have_the_names_of_this_wire(void **state)
{
    struct ask a = simple_ask();

    (void)state;
    a.max_tokens = 77;
    a.temperature = 0.5;
    a.top_p = 0.9;
    a.stop[0] = "END";
    a.stop[1] = " \n"; /* the wire refuses blank ones */
    a.stop[2] = "Human:";
    a.n_stop = 3;
    expect_member(&a, "max_tokens", "77");
    expect_member(&a, "temperature", "0.5");
    expect_member(&a, "top_p", NULL); /* not both */
    expect_member(&a, "stop_sequences", "['END','Human:']");
    a.temperature = 1.7; /* the wire's end at 1 */
    expect_member(&a, "temperature", "1");
    a.temperature = NAN;
    expect_member(&a, "top_p", "0.9");
    a.n_stop = 0;
    expect_member(&a, "stop_sequences", NULL);
}

/* --- the system text ----------------------------------------------------- */

static void
system_texts_are_gathered_in_order(void **state)
{
    static const struct piece parts[] = {
        {.kind = PIECE_TEXT, TEXT("three")},
        {.kind = PIECE_TEXT, TEXT("")},
        {.kind = PIECE_TEXT, TEXT("four")},
    };
    struct ask_message m[] = {
        says(ROLE_SYSTEM, "two"),  says(ROLE_USER, "a"),
        SHOWS(ROLE_SYSTEM, parts), says(ROLE_SYSTEM, " "),
        says(ROLE_USER, "b"),
    };
    struct ask a = ask_with(m, COUNT_OF(m));

    (void)state;
    a.system = "one";
    expect_member(&a, "system",
                  "[{'type':'text','text':'one'},{'type':'text','text':'two'},"
                  "{'type':'text','text':'three'},"
                  "{'type':'text','text':'four'}]");
    expect_member(&a, "messages",
                  "[{'role':'user','content':[{'type':'text','text':'a'},"
                  "{'type':'text','text':'b'}]}]");
    a = simple_ask();
    a.system = " \n";
    expect_member(&a, "system", NULL);
}

/* --- history ------------------------------------------------------------- */

static void
sides_alternate(void **state)
{
    struct ask_message m[] = {
        says(ROLE_USER, "a"),      says(ROLE_USER, "b"),
        says(ROLE_ASSISTANT, "c"), says(ROLE_USER, " "),
        says(ROLE_ASSISTANT, "d"), says(ROLE_USER, "e"),
    };

    (void)state;
    expect_messages(m, COUNT_OF(m),
                    "[{'role':'user','content':[{'type':'text','text':'a'},"
                    "{'type':'text','text':'b'}]},"
                    "{'role':'assistant','content':[{'type':'text','text':'c'},"
                    "{'type':'text','text':'d'}]},"
                    "{'role':'user','content':[{'type':'text','text':'e'}]}]");
}

static void
an_answer_at_the_beginning_gets_a_question(void **state)
{
    struct ask_message m[] = {says(ROLE_ASSISTANT, "Hi!"),
                              says(ROLE_USER, "b")};
    struct ask a = ask_with(m, COUNT_OF(m));
    cJSON *tree = body_of(&a, false);
    const cJSON *list = json_arr(tree, "messages");

    (void)state;
    assert_int_equal(cJSON_GetArraySize(list), 3);
    assert_string_equal(json_str(list->child, "role"), "user");
    assert_string_equal(json_str(list->child->next, "role"), "assistant");
    cJSON_Delete(tree);
}

static void
a_blank_conversation_asks_nothing(void **state)
{
    static const struct piece none[] = {{.kind = PIECE_TEXT, TEXT("")}};
    struct ask_message m[] = {says(ROLE_SYSTEM, "s"), says(ROLE_USER, " \n\t"),
                              SHOWS(ROLE_USER, none),
                              shows(ROLE_USER, none, 0)};
    struct ask a = ask_with(m, COUNT_OF(m));

    (void)state;
    expect_refusal(&a, false, ERR_BADREQ);
}

/* --- images -------------------------------------------------------------- */

static void
images_go_as_data_or_address(void **state)
{
    static const struct piece p[] = {
        {.kind = PIECE_TEXT, TEXT("See")},
        {.kind = PIECE_IMAGE, TEXT("iVBO"), .media_type = "image/png"},
        {.kind = PIECE_IMAGE, TEXT("/9j/"), .media_type = "image/JPG"},
        {.kind = PIECE_IMAGE, TEXT("https://h/a.webp")},
        {.kind = PIECE_IMAGE, TEXT("data:image/gif;base64,R0lG")},
    };
    struct ask_message m[] = {SHOWS(ROLE_USER, p)};

    (void)state;
    expect_messages(
        m, 1,
        "[{'role':'user','content':[{'type':'text','text':'See'},"
        "{'type':'image','source':{'type':'base64','media_type':'image/png',"
        "'data':'iVBO'}},"
        "{'type':'image','source':{'type':'base64','media_type':'image/jpeg',"
        "'data':'/9j/'}},"
        "{'type':'image','source':{'type':'url','url':'https://h/a.webp'}},"
        "{'type':'image','source':{'type':'base64','media_type':'image/gif',"
        "'data':'R0lG'}}]}]");
}

static void
images_that_the_wire_does_not_take_are_refused(void **state)
{
    static const struct piece bad[] = {
        {.kind = PIECE_IMAGE, TEXT("Qk0="), .media_type = "image/bmp"},
        {.kind = PIECE_IMAGE, TEXT(""), .media_type = "image/png"},
        {.kind = PIECE_IMAGE, TEXT("file:///etc/passwd")},
        {.kind = PIECE_IMAGE, TEXT("data:image/png,abc")},
        {.kind = PIECE_IMAGE, TEXT("")},
    };
    static const struct piece url[] = {
        {.kind = PIECE_IMAGE, TEXT("https://h/a.png")}};
    struct ask_message m = {.text = ""};
    struct ask a = ask_with(&m, 1);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++) {
        m = shows(ROLE_USER, &bad[i], 1);
        expect_refusal(&a, false, ERR_IMPOSSIBLE);
    }
    m = SHOWS(ROLE_USER, url);
    expect_refusal(&a, true, ERR_IMPOSSIBLE);
}

/* --- tools --------------------------------------------------------------- */

static const struct tool tools[] = {
    {.name = "weather",
     .description = "Of a town",
     .schema = "{\"type\":\"object\",\"properties\":{\"big\":"
               "{\"const\":12345678901234567890}}}",
     .strict = true},
    {.name = "now", .description = "", .schema = " { }"},
    {.name = "add", .description = "", .schema = "{\"properties\":{}}"},
    {.name = "odd", .description = "", .schema = ""},
};

static void
tools_are_declared(void **state)
{
    struct ask a = simple_ask();
    struct buf b;

    (void)state;
    a.tools = tools;
    a.n_tools = COUNT_OF(tools);
    expect_member(&a, "tools",
                  "[{'name':'weather','description':'Of a town',"
                  "'input_schema':{'type':'object','properties':{'big':"
                  "{'const':12345678901234567890}}},'strict':true},"
                  "{'name':'now','input_schema':{'type':'object'}},"
                  "{'name':'add','input_schema':{'type':'object',"
                  "'properties':{}}},"
                  "{'name':'odd','input_schema':{'type':'object'}}]");
    expect_member(&a, "tool_choice", NULL);
    buf_init(&b, 1024 * 1024);
    assert_int_equal(anthropic_body(&b, &a, false, NULL), OK);
    assert_non_null(strstr(buf_cstr(&b), "12345678901234567890"));
    buf_release(&b);
}

static void
the_choice_of_tools_is_translated(void **state)
{
    static const struct {
        enum tool_choice choice;
        int parallel;
        const char *want;
    } rows[] = {
        {TOOL_CHOICE_UNSAID, -1, NULL},
        {TOOL_CHOICE_UNSAID, 1, NULL},
        {TOOL_CHOICE_UNSAID, 0,
         "{'type':'auto','disable_parallel_tool_use':true}"},
        {TOOL_CHOICE_AUTO, -1, "{'type':'auto'}"},
        {TOOL_CHOICE_NONE, 0, "{'type':'none'}"},
        {TOOL_CHOICE_REQUIRED, 1, "{'type':'any'}"},
        {TOOL_CHOICE_REQUIRED, 0,
         "{'type':'any','disable_parallel_tool_use':true}"},
        {TOOL_CHOICE_NAMED, -1, "{'type':'tool','name':'now'}"},
    };
    struct ask a = simple_ask();
    size_t i;

    (void)state;
    a.tools = tools;
    a.tool_named = "now";
    for (i = 0; i < COUNT_OF(rows); i++) {
        a.tool_choice = rows[i].choice;
        a.parallel_calls = rows[i].parallel;
        a.n_tools = 2;
        expect_member(&a, "tool_choice", rows[i].want);
        a.n_tools = 0; /* the wire refuses a choice without tools */
        expect_member(&a, "tool_choice", NULL);
    }
}

static void
results_come_first_in_one_turn(void **state)
{
    static const struct piece calls[] = {
        {.kind = PIECE_TEXT, TEXT("Let me see.")},
        {.kind = PIECE_CALL, TEXT("{\"a\": 1}"), .id = "toolu_1", .name = "f"},
        {.kind = PIECE_CALL, TEXT(""), .id = "toolu_2", .name = "g"},
        {.kind = PIECE_CALL, TEXT("nonsense"), .id = "toolu_3", .name = "h"},
    };
    static const struct piece one[] = {
        {.kind = PIECE_RESULT, TEXT("11"), .id = "toolu_1", .name = "f"}};
    static const struct piece two[] = {{.kind = PIECE_RESULT,
                                        TEXT("no"),
                                        .id = "toolu_2",
                                        .name = "g",
                                        .failed = true}};
    static const struct piece three[] = {
        {.kind = PIECE_RESULT, TEXT(""), .id = "toolu_3", .name = "h"}};
    struct ask_message m[] = {
        says(ROLE_USER, "Do"),   SHOWS(ROLE_ASSISTANT, calls),
        SHOWS(ROLE_TOOL, one),   says(ROLE_USER, "and?"),
        SHOWS(ROLE_TOOL, two),   says(ROLE_SYSTEM, "sys"),
        SHOWS(ROLE_TOOL, three),
    };

    (void)state;
    expect_messages(
        m, COUNT_OF(m),
        "[{'role':'user','content':[{'type':'text','text':'Do'}]},"
        "{'role':'assistant','content':[{'type':'text','text':'Let me see.'},"
        "{'type':'tool_use','id':'toolu_1','name':'f','input':{'a':1}},"
        "{'type':'tool_use','id':'toolu_2','name':'g','input':{}},"
        "{'type':'tool_use','id':'toolu_3','name':'h',"
        "'input':{'arguments':'nonsense'}}]},"
        "{'role':'user','content':["
        "{'type':'tool_result','tool_use_id':'toolu_1','content':'11'},"
        "{'type':'tool_result','tool_use_id':'toolu_2','content':'no',"
        "'is_error':true},"
        "{'type':'tool_result','tool_use_id':'toolu_3'},"
        "{'type':'text','text':'and?'}]}]");
}

static void
ids_of_others_are_spelled_alike_in_call_and_result(void **state)
{
    static const struct piece calls[] = {
        {.kind = PIECE_CALL, TEXT("{}"), .id = "f:0", .name = "f"},
        {.kind = PIECE_CALL, TEXT("[1]"), .id = "", .name = "g"},
    };
    static const struct piece results[] = {
        {.kind = PIECE_RESULT, TEXT("1"), .id = "f:0", .name = "f"},
        {.kind = PIECE_RESULT, TEXT("2"), .id = "", .name = "g"},
    };
    struct ask_message m[] = {says(ROLE_USER, "Do"),
                              SHOWS(ROLE_ASSISTANT, calls),
                              SHOWS(ROLE_TOOL, results)};

    (void)state;
    expect_messages(
        m, COUNT_OF(m),
        "[{'role':'user','content':[{'type':'text','text':'Do'}]},"
        "{'role':'assistant','content':["
        "{'type':'tool_use','id':'id_663a30','name':'f','input':{}},"
        "{'type':'tool_use','id':'id_','name':'g',"
        "'input':{'arguments':'[1]'}}]},"
        "{'role':'user','content':["
        "{'type':'tool_result','tool_use_id':'id_663a30','content':'1'},"
        "{'type':'tool_result','tool_use_id':'id_','content':'2'}]}]");
}

/* --- thoughts ------------------------------------------------------------ */

static const struct piece thinking[] = {
    {.kind = PIECE_TEXT, TEXT("Well.")},
    {.kind = PIECE_THOUGHT,
     TEXT("Hm"),
     .signature = "c2ln",
     .origin = "anthropic"},
    {.kind = PIECE_THOUGHT,
     TEXT(""),
     .signature = "c2VhbA==",
     .origin = "anthropic",
     .sealed = true},
    {.kind = PIECE_THOUGHT,
     TEXT(""),
     .signature = "b21pdA==",
     .origin = "anthropic"},
    {.kind = PIECE_THOUGHT, TEXT("unsigned"), .origin = "anthropic"},
    {.kind = PIECE_THOUGHT, TEXT("x"), .signature = "s", .origin = "gemini"},
    {.kind = PIECE_CALL,
     TEXT("{}"),
     .id = "t1",
     .name = "f",
     .signature = "s",
     .origin = "gemini"},
};
static const struct piece result[] = {
    {.kind = PIECE_RESULT, TEXT("ok"), .id = "t1", .name = "f"}};

static void
own_thoughts_go_back_first(void **state)
{
    struct ask_message m[] = {says(ROLE_USER, "Do"),
                              SHOWS(ROLE_ASSISTANT, thinking),
                              SHOWS(ROLE_TOOL, result)};

    (void)state;
    expect_messages(
        m, COUNT_OF(m),
        "[{'role':'user','content':[{'type':'text','text':'Do'}]},"
        "{'role':'assistant','content':["
        "{'type':'thinking','thinking':'Hm','signature':'c2ln'},"
        "{'type':'redacted_thinking','data':'c2VhbA=='},"
        "{'type':'thinking','thinking':'','signature':'b21pdA=='},"
        "{'type':'text','text':'Well.'},"
        "{'type':'tool_use','id':'t1','name':'f','input':{}}]},"
        "{'role':'user','content':[{'type':'tool_result','tool_use_id':'t1',"
        "'content':'ok'}]}]");
}

static void
thoughts_between_texts_keep_their_place(void **state)
{
    static const struct piece mixed[] = {
        {.kind = PIECE_THOUGHT,
         TEXT("1"),
         .signature = "a",
         .origin = "anthropic"},
        {.kind = PIECE_TEXT, TEXT("2")},
        {.kind = PIECE_THOUGHT,
         TEXT("3"),
         .signature = "b",
         .origin = "anthropic"},
    };
    struct ask_message m[] = {says(ROLE_USER, "Do"),
                              SHOWS(ROLE_ASSISTANT, mixed),
                              says(ROLE_USER, "x")};

    (void)state;
    expect_messages(m, COUNT_OF(m),
                    "[{'role':'user','content':[{'type':'text','text':'Do'}]},"
                    "{'role':'assistant','content':["
                    "{'type':'thinking','thinking':'1','signature':'a'},"
                    "{'type':'text','text':'2'},"
                    "{'type':'thinking','thinking':'3','signature':'b'}]},"
                    "{'role':'user','content':[{'type':'text','text':'x'}]}]");
}

static void
bedrock_takes_only_its_own_thoughts(void **state)
{
    static const struct piece p[] = {
        {.kind = PIECE_THOUGHT,
         TEXT("1"),
         .signature = "a",
         .origin = "anthropic"},
        {.kind = PIECE_THOUGHT,
         TEXT("2"),
         .signature = "b",
         .origin = "bedrock"},
    };
    struct ask_message m[] = {says(ROLE_USER, "Do"), SHOWS(ROLE_ASSISTANT, p),
                              says(ROLE_USER, "x")};
    struct ask a = ask_with(m, COUNT_OF(m));
    cJSON *tree = body_of(&a, true);

    (void)state;
    expect_json(json_arr(tree, "messages")->child->next,
                "{'role':'assistant','content':[{'type':'thinking',"
                "'thinking':'2','signature':'b'}]}");
    cJSON_Delete(tree);
}

static void
effort_is_a_budget_above_the_answer(void **state)
{
    static const struct {
        const char *effort;
        int64_t max;
        const char *thinking, *tokens;
    } rows[] = {
        {NULL, 0, NULL, "4096"},
        {"", 0, NULL, "4096"},
        {"none", 100, NULL, "100"},
        {"minimal", 100, "{'type':'enabled','budget_tokens':1024}", "1124"},
        {"low", 0, "{'type':'enabled','budget_tokens':2048}", "6144"},
        {"medium", 0, "{'type':'enabled','budget_tokens':8192}", "12288"},
        {"high", 1, "{'type':'enabled','budget_tokens':16384}", "16385"},
        {"xhigh", 1, "{'type':'enabled','budget_tokens':16384}", "16385"},
    };
    struct ask a = simple_ask();
    size_t i;

    (void)state;
    a.temperature = 0.25;
    a.top_p = 0.5;
    for (i = 0; i < COUNT_OF(rows); i++) {
        a.effort = rows[i].effort;
        a.max_tokens = rows[i].max;
        expect_member(&a, "thinking", rows[i].thinking);
        expect_member(&a, "max_tokens", rows[i].tokens);
        expect_member(&a, "temperature", rows[i].thinking ? NULL : "0.25");
        expect_member(&a, "top_p", NULL);
    }
    a.top_p = 0.97;
    expect_member(&a, "top_p", "0.97");
    a.tools = tools;
    a.n_tools = 1;
    a.tool_choice = TOOL_CHOICE_REQUIRED;
    expect_member(&a, "thinking", NULL);
}

static void
some_models_decide_themselves_how_long_they_think(void **state)
{
    static const struct {
        const char *effort, *thinking, *config, *tokens;
    } rows[] = {
        {NULL, NULL, NULL, "100"},
        {"none", NULL, "{'effort':'low'}", "100"},
        {"minimal", "{'type':'adaptive','display':'summarized'}",
         "{'effort':'low'}", "1124"},
        {"low", "{'type':'adaptive','display':'summarized'}",
         "{'effort':'low'}", "2148"},
        {"medium", "{'type':'adaptive','display':'summarized'}",
         "{'effort':'medium'}", "8292"},
        {"high", "{'type':'adaptive','display':'summarized'}",
         "{'effort':'high'}", "16484"},
    };
    struct ask a = simple_ask();
    size_t i;

    (void)state;
    a.adaptive = true;
    a.max_tokens = 100;
    for (i = 0; i < COUNT_OF(rows); i++) {
        a.effort = rows[i].effort;
        expect_member(&a, "thinking", rows[i].thinking);
        expect_member(&a, "output_config", rows[i].config);
        expect_member(&a, "max_tokens", rows[i].tokens);
    }
    a.format = "{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{}}}";
    expect_member(&a, "output_config",
                  "{'effort':'high','format':{'type':'json_schema',"
                  "'schema':{}}}");
}

static void
nobody_begins_to_think_between_call_and_result(void **state)
{
    static const struct piece call[] = {
        {.kind = PIECE_CALL, TEXT("{}"), .id = "t1", .name = "f"}};
    static const char think[] = "{'type':'enabled','budget_tokens':2048}";
    struct ask_message m[] = {
        says(ROLE_USER, "Do"),
        SHOWS(ROLE_ASSISTANT, call),
        SHOWS(ROLE_TOOL, result),
        shows(ROLE_ASSISTANT, thinking + 1, COUNT_OF(thinking) - 1),
        SHOWS(ROLE_TOOL, result),
        says(ROLE_USER, "And now?")};
    struct ask a;

    (void)state;
    a = ask_with(m, 3);
    a.effort = "low";
    expect_member(&a, "thinking", NULL);
    a.n_messages = 5; /* one thought is not enough */
    expect_member(&a, "thinking", NULL);
    a.n_messages = 6; /* the user spoke */
    expect_member(&a, "thinking", think);
    m[1] = m[3];
    a.n_messages = 3;
    expect_member(&a, "thinking", think);
    m[1] = SHOWS(ROLE_ASSISTANT, thinking); /* a text first; it is moved */
    expect_member(&a, "thinking", think);
}

/* --- marks and formats --------------------------------------------------- */

static void
what_repeats_is_marked_once_each(void **state)
{
    static const struct piece p[] = {
        {.kind = PIECE_TEXT, TEXT("look")},
        {.kind = PIECE_RESULT, TEXT("r"), .id = "t1", .name = "f"},
        {.kind = PIECE_TEXT, TEXT("")},
    };
    static const struct piece call[] = {
        {.kind = PIECE_CALL, TEXT("{}"), .id = "t1", .name = "f"}};
    struct ask_message m[] = {
        says(ROLE_SYSTEM, "two"),
        says(ROLE_USER, "a"),
        SHOWS(ROLE_ASSISTANT, call),
        SHOWS(ROLE_USER, p),
    };
    struct ask a = ask_with(m, COUNT_OF(m));

    (void)state;
    a.system = "one";
    a.tools = tools + 1;
    a.n_tools = 2;
    a.cache = true;
    expect_member(&a, "system",
                  "[{'type':'text','text':'one'},{'type':'text','text':'two',"
                  "'cache_control':{'type':'ephemeral'}}]");
    expect_member(&a, "tools",
                  "[{'name':'now','input_schema':{'type':'object'}},"
                  "{'name':'add','input_schema':{'type':'object',"
                  "'properties':{}},'cache_control':{'type':'ephemeral'}}]");
    expect_member(
        &a, "messages",
        "[{'role':'user','content':[{'type':'text','text':'a'}]},"
        "{'role':'assistant','content':[{'type':'tool_use','id':'t1',"
        "'name':'f','input':{}}]},"
        "{'role':'user','content':[{'type':'tool_result','tool_use_id':'t1',"
        "'content':'r'},{'type':'text','text':'look',"
        "'cache_control':{'type':'ephemeral'}}]}]");
    /* What the last message says now it will not say again. */
    a.passing = true;
    expect_member(
        &a, "messages",
        "[{'role':'user','content':[{'type':'text','text':'a',"
        "'cache_control':{'type':'ephemeral'}}]},"
        "{'role':'assistant','content':[{'type':'tool_use','id':'t1',"
        "'name':'f','input':{}}]},"
        "{'role':'user','content':[{'type':'tool_result','tool_use_id':'t1',"
        "'content':'r'},{'type':'text','text':'look'}]}]");
    a.n_messages = 2;
    expect_member(&a, "messages",
                  "[{'role':'user','content':[{'type':'text','text':'a'}]}]");
}

static void
a_schema_becomes_the_output_format(void **state)
{
    static const char *const others[] = {
        "{\"type\":\"json_object\"}", "{\"type\":\"text\"}",
        "{\"type\":\"json_schema\"}", "[]", ""};
    struct ask a = simple_ask();
    size_t i;

    (void)state;
    a.format = "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\","
               "\"strict\":true,\"schema\":{\"type\":\"object\"}}}";
    expect_member(&a, "output_config",
                  "{'format':{'type':'json_schema',"
                  "'schema':{'type':'object'}}}");
    for (i = 0; i < COUNT_OF(others); i++) {
        a.format = others[i];
        expect_member(&a, "output_config", NULL);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_asked_for_is_sent),
        cmocka_unit_test(bedrock_names_version_and_no_model),
        cmocka_unit_test(options_have_the_names_of_this_wire),
        cmocka_unit_test(system_texts_are_gathered_in_order),
        cmocka_unit_test(sides_alternate),
        cmocka_unit_test(an_answer_at_the_beginning_gets_a_question),
        cmocka_unit_test(a_blank_conversation_asks_nothing),
        cmocka_unit_test(images_go_as_data_or_address),
        cmocka_unit_test(images_that_the_wire_does_not_take_are_refused),
        cmocka_unit_test(tools_are_declared),
        cmocka_unit_test(the_choice_of_tools_is_translated),
        cmocka_unit_test(results_come_first_in_one_turn),
        cmocka_unit_test(ids_of_others_are_spelled_alike_in_call_and_result),
        cmocka_unit_test(own_thoughts_go_back_first),
        cmocka_unit_test(thoughts_between_texts_keep_their_place),
        cmocka_unit_test(bedrock_takes_only_its_own_thoughts),
        cmocka_unit_test(effort_is_a_budget_above_the_answer),
        cmocka_unit_test(some_models_decide_themselves_how_long_they_think),
        cmocka_unit_test(nobody_begins_to_think_between_call_and_result),
        cmocka_unit_test(what_repeats_is_marked_once_each),
        cmocka_unit_test(a_schema_becomes_the_output_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
