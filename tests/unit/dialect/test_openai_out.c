/* Tests of dialect/openai_out.c and openai_problem.c: parts as chunks, and
 * problems as errors. */
#include "openai_test.h"

#define CHUNK(delta, finish)                                              \
    "data: " NAMES("chat.completion.chunk") ",\"choices\":[{\"index\":0," \
                                            "\"delta\":{" delta           \
                                            "},\"finish_reason\":" finish \
                                            "}]}\n\n"
#define HEAD "data: " NAMES("chat.completion.chunk")
#define FIRST CHUNK("\"role\":\"assistant\",\"content\":\"\"", "null")
#define CALLS_FIRST CHUNK("\"role\":\"assistant\",\"content\":null", "null")
#define DONE "data: [DONE]\n\n"

static struct openai_out o;
static struct buf out;

static void
begin(bool usage)
{
    struct ident id = test_id();

    openai_out_init(&o, &id, 1700000000, usage);
    openai_out_model(&o, "gpt-x", 5);
}

static int
setup(void **state)
{
    (void)state;
    buf_init(&out, OUT_MAX);
    begin(false);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    openai_out_release(&o);
    buf_release(&out);
    return 0;
}

static void
put(struct part p)
{
    openai_out_part(&o, &p, &out);
}

static void
put_text(const char *text)
{
    put(text_part(PART_TEXT, 0, text));
}

/* What was added since the last time. */
static void
assert_out(const char *want)
{
    assert_string_equal(buf_cstr(&out), want);
    buf_clear(&out);
}

/* --- text ----------------------------------------------------------------- */

static void
a_stream_is_role_texts_finish_and_done(void **state)
{
    (void)state;
    put_text("Hel");
    assert_out(FIRST CHUNK("\"content\":\"Hel\"", "null"));
    put_text("lo \"you\"\n\xE2\x80\xA8");
    assert_out(CHUNK("\"content\":\"lo \\\"you\\\"\\n\\u2028\"", "null"));
    openai_out_end(&o, FINISH_STOP, &counted, &out);
    assert_out(CHUNK("", "\"stop\"") DONE);
}

static void
usage_is_null_until_its_chunk_when_it_was_asked_for(void **state)
{
    const char *text;

    (void)state;
    openai_out_release(&o);
    begin(true);
    put_text("x");
    openai_out_end(&o, FINISH_LENGTH, &counted, &out);
    text = buf_cstr(&out);
    for (const char *s = text; (s = strstr(s, "}]")) != NULL; s += 2)
        assert_int_equal(strncmp(s, "}],\"usage\":null}\n\n", 18), 0);
    assert_has(text, "\"finish_reason\":\"length\"");
    assert_has(text, HEAD ",\"choices\":[],\"usage\":{\"prompt_tokens\":11,"
                          "\"completion_tokens\":7,\"total_tokens\":18,"
                          "\"prompt_tokens_details\":"
                          "{\"cached_tokens\":3}}}\n\n" DONE);
}

static void
what_was_not_counted_is_null(void **state)
{
    const struct usage half = {-1, 7, -1};

    (void)state;
    openai_out_release(&o);
    begin(true);
    openai_out_end(&o, FINISH_STOP, &half, &out);
    assert_has(buf_cstr(&out),
               "\"choices\":[],\"usage\":{\"prompt_tokens\":null,"
               "\"completion_tokens\":7,\"total_tokens\":null}}\n\n");
    buf_clear(&out);
    openai_out_release(&o);
    begin(true);
    openai_out_end(&o, FINISH_STOP, &unknown, &out);
    assert_has(buf_cstr(&out), "\"choices\":[],\"usage\":null}\n\n");
}

static void
an_empty_answer_has_its_role(void **state)
{
    (void)state;
    put_text("");
    assert_out("");
    openai_out_end(&o, FINISH_STOP, &unknown, &out);
    assert_out(FIRST CHUNK("", "\"stop\"") DONE);
}

static void
thoughts_are_reasoning_content(void **state)
{
    (void)state;
    put(text_part(PART_REASONING, 0, "hm"));
    assert_out(FIRST CHUNK("\"reasoning_content\":\"hm\"", "null"));
}

static void
characters_are_never_cut(void **state)
{
    static const char text[] = "a\xE2\x82\xAC\xF0\x9F\x98\x80z";

    (void)state;
    for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
        char first[16], rest[16];

        (void)snprintf(first, sizeof(first), "%.*s", (int)cut, text);
        (void)snprintf(rest, sizeof(rest), "%s", text + cut);
        put_text(first);
        put_text(rest);
        assert_lacks(buf_cstr(&out), "\xEF\xBF\xBD");
        assert_int_equal(o.carry_len, 0);
        assert_has(buf_cstr(&out), "\xE2\x82\xAC");
        assert_has(buf_cstr(&out), "\xF0\x9F\x98\x80");
        buf_clear(&out);
    }
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        put((struct part){.kind = PART_TEXT, .text = text + i, .len = 1});
    assert_out(CHUNK("\"content\":\"a\"", "null")
                   CHUNK("\"content\":\"\xE2\x82\xAC\"", "null")
                       CHUNK("\"content\":\"\xF0\x9F\x98\x80\"", "null")
                           CHUNK("\"content\":\"z\"", "null"));
}

static void
half_a_character_at_the_end_is_replaced(void **state)
{
    (void)state;
    put_text("x");
    buf_clear(&out);
    put_text("\xE2\x82");
    assert_out("");
    put(text_part(PART_REASONING, 0, "y"));
    assert_out(CHUNK("\"content\":\"\xEF\xBF\xBD\"", "null")
                   CHUNK("\"reasoning_content\":\"y\"", "null"));
    put_text("\xF0");
    openai_out_end(&o, FINISH_STOP, &unknown, &out);
    assert_out(CHUNK("\"content\":\"\xEF\xBF\xBD\"", "null")
                   CHUNK("", "\"stop\"") DONE);
}

static void
the_model_is_heard_until_the_first_chunk(void **state)
{
    (void)state;
    put(text_part(PART_MODEL, 0, "gpt-x-2026"));
    put_text("x");
    put(text_part(PART_MODEL, 0, "another"));
    put_text("y");
    assert_has(buf_cstr(&out), "\"model\":\"gpt-x-2026\"");
    assert_lacks(buf_cstr(&out), "another");
}

/* --- tools ---------------------------------------------------------------- */

static void
a_call_is_a_head_and_its_arguments(void **state)
{
    (void)state;
    put(call_part(0, "call_9", "get_weather"));
    assert_out(CALLS_FIRST CHUNK(
        "\"tool_calls\":[{\"index\":0,\"id\":\"call_9\",\"type\":\"function\","
        "\"function\":{\"name\":\"get_weather\",\"arguments\":\"\"}}]",
        "null"));
    put(text_part(PART_ARGS, 0, "{\"city\":"));
    put(text_part(PART_ARGS, 0, "\"Oslo\"}"));
    assert_out(CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
                     "\"{\\\"city\\\":\"}}]",
                     "null") CHUNK("\"tool_calls\":[{\"index\":0,\"function\":"
                                   "{\"arguments\":\"\\\"Oslo\\\"}\"}}]",
                                   "null"));
    openai_out_end(&o, FINISH_TOOL_CALLS, &unknown, &out);
    assert_out(CHUNK("", "\"tool_calls\"") DONE);
}

static void
no_arguments_are_an_empty_object(void **state)
{
    (void)state;
    put(call_part(0, "a", "one"));
    put(call_part(1, "b", "two"));
    put(text_part(PART_ARGS, 1, "{}"));
    buf_clear(&out);
    openai_out_end(&o, FINISH_TOOL_CALLS, &unknown, &out);
    assert_out(CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
                     "\"{}\"}}]",
                     "null") CHUNK("", "\"tool_calls\"") DONE);
}

/* A text as it came from a provider of this wire. */
static void
put_as_is(const char *text, const char *choices)
{
    struct part p = text_part(PART_TEXT, 0, text);

    p.choices = choices;
    p.choices_len = strlen(choices);
    put(p);
}

static void
choices_go_out_as_they_came(void **state)
{
    (void)state;
    put_as_is("a\n",
              "[ {\"vendor\":1.50,\"delta\":{\"content\":\"\\u0061\\n\"}}]");
    assert_out(FIRST HEAD ",\"choices\":[ {\"vendor\":1.50,\"delta\":"
                          "{\"content\":\"\\u0061\\n\"}}]}\n\n");
    openai_out_release(&o);
    begin(true);
    put_text("x");
    buf_clear(&out);
    put_as_is("a", "[1]");
    assert_out(HEAD ",\"choices\":[1],\"usage\":null}\n\n");
}

static void
choices_that_are_no_line_of_utf8_are_made_anew(void **state)
{
    static const char *const bad[] = {"[\n1]", "[\r1]", "[\"\xFF\"]",
                                      "[\"\xC3\"]"};

    (void)state;
    put_text("x");
    buf_clear(&out);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        put_as_is("a", bad[i]);
        assert_out(CHUNK("\"content\":\"a\"", "null"));
    }
    put_text("\xC3"); /* the beginning of a character waits */
    assert_out("");
    put_as_is("\xA9", "[1]");
    assert_out(CHUNK("\"content\":\"\xC3\xA9\"", "null"));
}

static void
a_call_without_an_id_gets_one_of_its_own(void **state)
{
    char room[OPENAI_OUT_CALL_ID_MAX];
    const char *id = openai_out_call_id(&o, "", 12, room);

    (void)state;
    assert_string_equal(id, "call_08890a0b0c0d0e0f1012");
    assert_string_equal(openai_out_call_id(&o, "x", 0, room), "x");
    put(call_part(0, "", "f"));
    assert_has(buf_cstr(&out), "\"id\":\"call_08890a0b0c0d0e0f100\"");
}

static void
what_belongs_to_no_call_is_left_out(void **state)
{
    (void)state;
    put(text_part(PART_ARGS, 0, "{}"));
    put(text_part(PART_ARGS, -1, "{}"));
    put(call_part(3, "x", "f"));
    put(text_part(PART_SIGNATURE, 0, "s"));
    put(text_part(PART_SIGNATURE, -1, "s"));
    put(text_part(PART_SEALED, 0, "s"));
    assert_out("");
    for (int i = 0; i < OPENAI_OUT_CALLS_MAX + 3; i++)
        put(call_part(i, "x", "f"));
    assert_int_equal(o.calls, OPENAI_OUT_CALLS_MAX);
}

static void
signatures_of_calls_go_beside_them(void **state)
{
    (void)state;
    put(call_part(0, "x", "f"));
    buf_clear(&out);
    put(text_part(PART_SIGNATURE, 0, "sig=="));
    assert_out(CHUNK("\"tool_calls\":[{\"index\":0,\"extra_content\":"
                     "{\"google\":{\"thought_signature\":\"sig==\"}}}]",
                     "null"));
    put(text_part(PART_SIGNATURE, 0, "{\"google\":{}}"));
    assert_out(CHUNK("\"tool_calls\":[{\"index\":0,\"extra_content\":"
                     "{\"google\":{}}}]",
                     "null"));
    put(text_part(PART_SIGNATURE, 0, "{\"a\":\n1}")); /* not one line */
    assert_lacks(buf_cstr(&out), "extra_content");
}

/* --- ends ----------------------------------------------------------------- */

static void
reasons_are_the_wires_own(void **state)
{
    (void)state;
    assert_string_equal(openai_out_finish(FINISH_STOP), "stop");
    assert_string_equal(openai_out_finish(FINISH_LENGTH), "length");
    assert_string_equal(openai_out_finish(FINISH_TOOL_CALLS), "tool_calls");
    assert_string_equal(openai_out_finish(FINISH_FILTER), "content_filter");
    assert_string_equal(openai_out_finish(FINISH_CANCELLED), "stop");
}

static void
an_answer_that_broke_off_ends_with_an_error(void **state)
{
    struct problem p;

    (void)state;
    put_text("half");
    buf_clear(&out);
    (void)problem_set(&p, ERR_UPSTREAM, "incomplete", "The answer broke off",
                      "Try again.");
    openai_out_error(&o, &p, &out);
    assert_out("data: {\"error\":{\"message\":\"The answer broke off. Try "
               "again.\",\"type\":\"api_error\",\"param\":null,"
               "\"code\":\"incomplete\"}}\n\n");
}

static void
every_chunk_is_json(void **state)
{
    size_t n = 0;

    (void)state;
    openai_out_release(&o);
    begin(true);
    openai_out_model(&o, "a\"b\n", 4);
    put(text_part(PART_REASONING, 0, "hm"));
    put_text("x\xFFy");
    put(call_part(0, "i\"d", "n"));
    put(text_part(PART_ARGS, 0, "{\"a\":1}"));
    put(text_part(PART_SIGNATURE, 0, "s\"s"));
    openai_out_end(&o, FINISH_TOOL_CALLS, &counted, &out);
    for (const char *s = buf_cstr(&out), *e; *s != '\0'; s = e + 2) {
        e = strstr(s, "\n\n");
        assert_non_null(e);
        assert_int_equal(strncmp(s, "data: ", 6), 0);
        assert_null(memchr(s, '\n', (size_t)(e - s)));
        if (strncmp(s, DONE, sizeof(DONE) - 1) != 0)
            assert_int_equal(json_check(s + 6, (size_t)(e - s) - 6, NULL), OK);
        n++;
    }
    assert_int_equal(n, 9);
}

/* --- errors --------------------------------------------------------------- */

static void
a_providers_refusal_is_what_it_is(void **state)
{
    static const struct {
        const char *code;
        int status;
        const char *type, *shown;
        bool final;
    } rows[] = {
        {"provider_auth", 401, "authentication_error", "invalid_api_key", true},
        {"provider_forbidden", 403, "permission_error", "provider_forbidden",
         true},
        {"model_not_found", 404, "invalid_request_error", "model_not_found",
         true},
        {"provider_not_configured", 404, "invalid_request_error",
         "model_not_found", true},
        {"provider_rate_limited", 429, "rate_limit_error",
         "rate_limit_exceeded", false},
        {"provider_quota", 429, "insufficient_quota", "insufficient_quota",
         true},
        {"context_too_long", 400, "invalid_request_error",
         "context_length_exceeded", true},
        {"provider_failed", 0, "api_error", "provider_failed", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct problem p;
        char want[128];

        (void)problem_set(&p, ERR_UPSTREAM, rows[i].code, "No", "Do.");
        assert_int_equal(openai_out_status(&p), rows[i].status);
        assert_int_equal(openai_out_final(&p), rows[i].final);
        openai_out_problem(&out, &p, NULL);
        (void)snprintf(want, sizeof(want),
                       "{\"error\":{\"message\":\"No. Do.\",\"type\":\"%s\","
                       "\"param\":null,\"code\":\"%s\"}}",
                       rows[i].type, rows[i].shown);
        assert_out(want);
    }
}

static void
every_kind_of_problem_has_a_type(void **state)
{
    (void)state;
    for (int e = ERR_BADREQ; e < ERR__MAX; e++) {
        struct problem p;

        (void)problem_set(&p, (enum err)e, NULL, NULL, NULL);
        openai_out_problem(&out, &p, "messages[1]");
        assert_has(buf_cstr(&out), "\"param\":\"messages[1]\"");
        assert_int_equal(json_check(out.data, out.len, NULL), OK);
        assert_has(buf_cstr(&out), e == ERR_LIMIT  ? "\"rate_limit_error\""
                                   : e == ERR_AUTH ? "\"authentication_error\""
                                   : e == ERR_BADREQ
                                       ? "\"invalid_request_error\""
                                   : e == ERR_STORE ? "\"api_error\""
                                                    : "\"type\":\"");
        buf_clear(&out);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_stream_is_role_texts_finish_and_done),
        T(usage_is_null_until_its_chunk_when_it_was_asked_for),
        T(what_was_not_counted_is_null),
        T(an_empty_answer_has_its_role),
        T(thoughts_are_reasoning_content),
        T(characters_are_never_cut),
        T(half_a_character_at_the_end_is_replaced),
        T(the_model_is_heard_until_the_first_chunk),
        T(a_call_is_a_head_and_its_arguments),
        T(no_arguments_are_an_empty_object),
        T(choices_go_out_as_they_came),
        T(choices_that_are_no_line_of_utf8_are_made_anew),
        T(a_call_without_an_id_gets_one_of_its_own),
        T(what_belongs_to_no_call_is_left_out),
        T(signatures_of_calls_go_beside_them),
        T(reasons_are_the_wires_own),
        T(an_answer_that_broke_off_ends_with_an_error),
        T(every_chunk_is_json),
        T(a_providers_refusal_is_what_it_is),
        T(every_kind_of_problem_has_a_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
