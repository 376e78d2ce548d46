/* Tests of chat/result.c: the data of the first and the last event. */
#include "chat_test.h"

#include "base/json.h"
#include "chat/result.h"

static struct result
plain(void)
{
    struct result r = {.session_id = "abc",
                       .provider = "tap",
                       .model = "tap-1",
                       .finish = FINISH_STOP,
                       .usage = {10, 20, -1},
                       .conversation_length = 4,
                       .at_ms = 1700000000123,
                       .text = "Hi",
                       .text_len = 2};

    for (int i = 0; i < 16; i++) {
        r.turn.b[i] = (uint8_t)i;
        r.answer_message.b[i] = (uint8_t)(16 * i);
    }
    return r;
}

#define IDS                                                    \
    "\"session_id\":\"abc\","                                  \
    "\"turn_id\":\"00010203-0405-0607-0809-0a0b0c0d0e0f\","    \
    "\"message_id\":\"00102030-4050-6070-8090-a0b0c0d0e0f0\"," \
    "\"provider\":\"tap\",\"model\":\"tap-1\","

static void
assert_json(const struct result *r, const char *want)
{
    struct buf b;

    buf_init(&b, RESULT_MAX);
    result_json(&b, r);
    assert_string_equal(buf_cstr(&b), want);
    assert_int_equal(json_check(b.data, b.len, NULL), OK);
    buf_release(&b);
}

static void
each_finish_has_one_end(void **state)
{
    (void)state;
    assert_int_equal(result_event(FINISH_STOP), EVENT_COMPLETE);
    assert_int_equal(result_event(FINISH_LENGTH), EVENT_COMPLETE);
    assert_int_equal(result_event(FINISH_TOOL_CALLS), EVENT_COMPLETE);
    assert_int_equal(result_event(FINISH_FILTER), EVENT_COMPLETE);
    assert_int_equal(result_event(FINISH_CANCELLED), EVENT_CANCELLED);
    assert_int_equal(result_event(FINISH_INCOMPLETE), EVENT_ERROR);
    assert_int_equal(result_event(FINISH_INTERRUPTED), EVENT_ERROR);
    assert_int_equal(result_event(FINISH_ERROR), EVENT_ERROR);
}

static void
the_start_says_who_answers(void **state)
{
    struct result r = plain();
    struct buf b;

    (void)state;
    buf_init(&b, RESULT_MAX);
    result_start_json(&b, &r);
    assert_string_equal(buf_cstr(&b),
                        "{" IDS "\"timestamp\":\"2023-11-14T22:13:20.123Z\"}");
    buf_release(&b);
}

static void
an_answer_has_every_field_and_the_message_last(void **state)
{
    struct result r = plain();

    (void)state;
    assert_json(&r, "{" IDS "\"finish_reason\":\"stop\","
                    "\"timestamp\":\"2023-11-14T22:13:20.123Z\","
                    "\"conversation_length\":4,"
                    "\"usage\":{\"input_tokens\":10,\"output_tokens\":20,"
                    "\"cached_tokens\":null,\"cost_usd\":null},"
                    "\"tool_calls\":[],\"tool_results\":[],\"citations\":[],"
                    "\"notes\":[],\"message\":\"Hi\"}");
}

static void
a_failure_says_what_to_do_and_keeps_the_text(void **state)
{
    struct result r = plain();
    struct problem p = {.err = OK};

    (void)state;
    (void)problem_set(&p, ERR_UPSTREAM, "why", "It \"failed\"", "Try again.");
    p.retryable = true;
    r.problem = &p;
    r.finish = FINISH_INCOMPLETE;
    assert_json(&r, "{" IDS "\"finish_reason\":\"incomplete\","
                    "\"timestamp\":\"2023-11-14T22:13:20.123Z\","
                    "\"conversation_length\":4,"
                    "\"usage\":{\"input_tokens\":10,\"output_tokens\":20,"
                    "\"cached_tokens\":null,\"cost_usd\":null},"
                    "\"code\":\"why\",\"error\":\"It \\\"failed\\\"\","
                    "\"retryable\":true,\"kind\":\"upstream_failed\","
                    "\"content\":\"Hi\",\"message\":\"Try again.\"}");
}

static void
assert_cost(int64_t cost_micro, const char *want)
{
    struct json_out j;
    struct buf b;

    buf_init(&b, 100);
    json_out_init(&j, &b);
    result_put_cost(&j, cost_micro);
    assert_memory_equal(buf_cstr(&b), "\"cost_usd\":", 11);
    assert_string_equal(buf_cstr(&b) + 11, want);
    buf_release(&b);
}

static void
a_cost_is_exact_to_the_micro_dollar(void **state)
{
    (void)state;
    assert_cost(-1, "null");
    assert_cost(INT64_MIN, "null");
    assert_cost(0, "0");
    assert_cost(1, "0.000001");
    assert_cost(123, "0.000123");
    assert_cost(100000, "0.1");
    assert_cost(300000, "0.3");
    assert_cost(1000000, "1");
    assert_cost(10000000, "10");
    assert_cost(1234560, "1.23456");
    assert_cost(INT64_MAX, "9223372036854.775807");
}

static void
a_cost_is_known_only_if_it_is_said(void **state)
{
    struct result r = plain();
    struct buf b;

    (void)state;
    buf_init(&b, RESULT_MAX);
    r.has_cost = true;
    r.cost_micro = 4200;
    result_json(&b, &r);
    assert_non_null(
        strstr(buf_cstr(&b), "\"cached_tokens\":null,\"cost_usd\":0.0042}"));
    buf_clear(&b);
    r.cost_micro = 0; /* a local model */
    result_json(&b, &r);
    assert_non_null(strstr(buf_cstr(&b), "\"cost_usd\":0}"));
    buf_release(&b);
}

static void
notes_and_calls_stand_as_they_came(void **state)
{
    struct result r = plain();
    struct problem p = {.err = OK};

    (void)state;
    r.notes = "[{\"code\":\"n\",\"message\":\"m\"}]";
    r.tool_calls = "[{\"id\":\"1\"}]";
    assert_json(&r, "{" IDS "\"finish_reason\":\"stop\","
                    "\"timestamp\":\"2023-11-14T22:13:20.123Z\","
                    "\"conversation_length\":4,"
                    "\"usage\":{\"input_tokens\":10,\"output_tokens\":20,"
                    "\"cached_tokens\":null,\"cost_usd\":null},"
                    "\"tool_calls\":[{\"id\":\"1\"}],\"tool_results\":[],"
                    "\"citations\":[],\"notes\":[{\"code\":\"n\","
                    "\"message\":\"m\"}],\"message\":\"Hi\"}");
    (void)problem_set(&p, ERR_UPSTREAM, "why", "It failed", "Try again.");
    r.problem = &p;
    r.finish = FINISH_INCOMPLETE;
    assert_json(&r, "{" IDS "\"finish_reason\":\"incomplete\","
                    "\"timestamp\":\"2023-11-14T22:13:20.123Z\","
                    "\"conversation_length\":4,"
                    "\"usage\":{\"input_tokens\":10,\"output_tokens\":20,"
                    "\"cached_tokens\":null,\"cost_usd\":null},"
                    "\"code\":\"why\",\"error\":\"It failed\","
                    "\"retryable\":true,\"kind\":\"upstream_failed\","
                    "\"content\":\"Hi\",\"tool_calls\":[{\"id\":\"1\"}],"
                    "\"notes\":[{\"code\":\"n\",\"message\":\"m\"}],"
                    "\"message\":\"Try again.\"}");
}

static void
a_status_and_a_wait_are_passed_on(void **state)
{
    struct result r = plain();
    struct problem p = {.err = OK};
    struct buf b;

    (void)state;
    (void)problem_set(&p, ERR_LIMIT, "slow_down", NULL, NULL);
    p.status = 429;
    p.retry_after_s = 7;
    r.problem = &p;
    buf_init(&b, RESULT_MAX);
    result_json(&b, &r);
    assert_non_null(strstr(buf_cstr(&b), ",\"status\":429,\"retry_after\":7,"));
    assert_int_equal(json_check(b.data, b.len, NULL), OK);
    buf_release(&b);
}

static void
any_text_stays_the_last_member(void **state)
{
    static const char *const texts[] = {
        "",
        "\",\"message\":\"",
        "a\nb\r\n\t\x01",
        "\\\"",
        "}\n\n{",
        ",\"message\":",
        "\xE2\x80\xA8\xE2\x80\xA9",
        "\xF0\x9F\x98\x80",
        "\xE2\x82", /* cut off: replaced */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct result r = plain();
        struct buf b;
        cJSON *j = NULL;

        r.text = texts[i];
        r.text_len = strlen(texts[i]);
        buf_init(&b, RESULT_MAX);
        result_json(&b, &r);
        assert_null(memchr(b.data, '\n', b.len));
        assert_int_equal(json_parse(b.data, b.len, &j, NULL), OK);
        assert_string_equal(json_str(j, "message"), i == COUNT_OF(texts) - 1
                                                        ? "\xEF\xBF\xBD"
                                                        : texts[i]);
        assert_null(cJSON_GetObjectItemCaseSensitive(j, "message")->next);
        cJSON_Delete(j);
        buf_release(&b);
    }
}

static void
the_longest_text_fits(void **state)
{
    struct result r = plain();
    char *text = malloc(STORE_TEXT_MAX);
    struct buf b;

    (void)state;
    assert_non_null(text);
    memset(text, '\x01', STORE_TEXT_MAX); /* six bytes each in JSON */
    r.text = text;
    r.text_len = STORE_TEXT_MAX;
    buf_init(&b, RESULT_MAX);
    result_json(&b, &r);
    assert_int_equal(buf_status(&b), OK);
    buf_release(&b);
    free(text);
}

static void
an_interrupted_turn_may_be_asked_again(void **state)
{
    struct problem p;

    (void)state;
    memset(&p, 0xFF, sizeof(p));
    result_interrupted(&p);
    assert_string_equal(p.code, "interrupted");
    assert_true(p.retryable);
    assert_int_equal(p.status, 0);
    assert_int_equal(p.retry_after_s, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_finish_has_one_end),
        cmocka_unit_test(the_start_says_who_answers),
        cmocka_unit_test(an_answer_has_every_field_and_the_message_last),
        cmocka_unit_test(a_failure_says_what_to_do_and_keeps_the_text),
        cmocka_unit_test(a_cost_is_exact_to_the_micro_dollar),
        cmocka_unit_test(a_cost_is_known_only_if_it_is_said),
        cmocka_unit_test(notes_and_calls_stand_as_they_came),
        cmocka_unit_test(a_status_and_a_wait_are_passed_on),
        cmocka_unit_test(any_text_stays_the_last_member),
        cmocka_unit_test(the_longest_text_fits),
        cmocka_unit_test(an_interrupted_turn_may_be_asked_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
