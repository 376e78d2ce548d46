/* Tests of dialect/openai_whole.c: an answer in one piece. */
#include "openai_test.h"

#include "base/mem.h"
#include "dialect/openai_whole.h"

static struct openai_out o;
static struct openai_whole w;
static struct buf out;

static int
setup(void **state)
{
    struct ident id = test_id();

    (void)state;
    openai_out_init(&o, &id, 1700000000, false);
    openai_out_model(&o, "gpt-x", 5);
    openai_whole_init(&w);
    buf_init(&out, OPENAI_WHOLE_JSON_MAX);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    openai_out_release(&o);
    openai_whole_release(&w);
    buf_release(&out);
    return 0;
}

static void
put(struct part p)
{
    openai_whole_part(&w, &o, &p);
}

static const char *
json(enum finish finish, const struct usage *u)
{
    buf_clear(&out);
    openai_whole_json(&w, &o, finish, u, &out);
    assert_int_equal(json_check(out.data, out.len, NULL), OK);
    return buf_cstr(&out);
}

static void
text_is_the_content(void **state)
{
    (void)state;
    put(text_part(PART_TEXT, 0, "caf\xC3"));
    put(text_part(PART_TEXT, 0, "\xA9"));
    assert_string_equal(
        json(FINISH_STOP, &counted),
        NAMES("chat.completion") ",\"choices\":[{\"index\":0,\"message\":"
                                 "{\"role\":\"assistant\",\"content\":"
                                 "\"caf\xC3\xA9\",\"refusal\":null},"
                                 "\"logprobs\":null,\"finish_reason\":"
                                 "\"stop\"}],\"usage\":{\"prompt_tokens\":11,"
                                 "\"completion_tokens\":7,\"total_tokens\":18,"
                                 "\"prompt_tokens_details\":"
                                 "{\"cached_tokens\":3}}}");
}

static void
an_empty_answer_is_an_empty_text(void **state)
{
    (void)state;
    assert_has(json(FINISH_STOP, &unknown), "\"content\":\"\"");
    assert_has(buf_cstr(&out), "\"usage\":null}");
}

static void
calls_are_in_order_and_the_content_is_null(void **state)
{
    (void)state;
    put(text_part(PART_REASONING, 0, "hm"));
    put(call_part(0, "a", "one"));
    put(call_part(1, "", "two"));
    put(text_part(PART_ARGS, 1, "{\"x\":"));
    put(text_part(PART_ARGS, 1, "1}"));
    put(text_part(PART_SIGNATURE, 1, "old"));
    put(text_part(PART_SIGNATURE, 1, "new"));
    assert_has(
        json(FINISH_TOOL_CALLS, &unknown),
        "\"content\":null,\"refusal\":null,\"reasoning_content\":\"hm\","
        "\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":"
        "{\"name\":\"one\",\"arguments\":\"{}\"}},"
        "{\"id\":\"call_08890a0b0c0d0e0f101\",\"type\":\"function\","
        "\"function\":{\"name\":\"two\",\"arguments\":\"{\\\"x\\\":1}\"},"
        "\"extra_content\":{\"google\":{\"thought_signature\":\"new\"}}}]}");
    assert_has(buf_cstr(&out), "\"finish_reason\":\"tool_calls\"");
}

static void
what_belongs_to_no_call_is_left_out(void **state)
{
    (void)state;
    put(text_part(PART_ARGS, 0, "{}"));
    put(call_part(1, "a", "one"));
    put(call_part(-1, "a", "one"));
    put(text_part(PART_SIGNATURE, -1, "s"));
    assert_lacks(json(FINISH_STOP, &unknown), "tool_calls");
    for (int i = 0; i < OPENAI_OUT_CALLS_MAX + 3; i++)
        put(call_part(i, "x", "f"));
    assert_int_equal(w.n_calls, OPENAI_OUT_CALLS_MAX);
}

static void
an_answer_past_the_limit_says_so(void **state)
{
    static const enum part_kind kinds[] = {PART_TEXT, PART_REASONING,
                                           PART_ARGS};
    char *text = xmalloc(OPENAI_WHOLE_MAX);

    (void)state;
    memset(text, 'x', OPENAI_WHOLE_MAX);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct part p = {
            .kind = kinds[i], .text = text, .len = OPENAI_WHOLE_MAX};

        put(call_part(0, "a", "f"));
        put(p);
        assert_int_equal(openai_whole_status(&w), OK);
        p.len = 1;
        put(p);
        assert_int_equal(openai_whole_status(&w), ERR_TOOBIG);
        openai_whole_release(&w);
    }
    free(text);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(text_is_the_content),
        T(an_empty_answer_is_an_empty_text),
        T(calls_are_in_order_and_the_content_is_null),
        T(what_belongs_to_no_call_is_left_out),
        T(an_answer_past_the_limit_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
