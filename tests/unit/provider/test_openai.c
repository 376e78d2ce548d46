/* Tests of the OpenAI provider: what is asked, what errors mean, limits, and
 * that the common chunks do take the fast path. Replies are replayed in
 * test_openai_replay.c. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <math.h>

#include "provider/openai.h"
#include "transcript.h"
#include "upstream/head.h"

#define KEY "sk-not-a-key"

/* --- asking -------------------------------------------------------------- */

static const struct ask_message hello = {
    .role = ROLE_USER, .text = "Hello", .len = 5};

static struct ask
simple_ask(void)
{
    struct ask a = {.model = "gpt-4", .messages = &hello, .n_messages = 1};

    a.temperature = a.top_p = NAN;
    return a;
}

static enum err
build(struct upstream_request *q, const struct ask *a, const char *base,
      const char *key, struct problem *why)
{
    struct account acc = {.base_url = base, .key = key};

    upstream_request_init(q, 1024 * 1024);
    return provider_openai.build(a, &acc, q, why);
}

static const char *
header(const struct upstream_request *q, const char *name)
{
    size_t i, n = strlen(name);

    for (i = 0; i < q->n_headers; i++) {
        if (strncmp(q->headers[i], name, n) == 0 && q->headers[i][n] == ':')
            return q->headers[i] + n + 2;
    }
    return NULL;
}

static void
the_request_goes_to_chat_completions(void **state)
{
    static const char *const bases[] = {
        "https://api.example.com/v1",
        "https://api.example.com/v1/",
        "https://api.example.com/v1//",
    };
    struct ask a = simple_ask();
    struct upstream_request q;
    struct problem why;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bases); i++) {
        assert_int_equal(build(&q, &a, bases[i], KEY, &why), OK);
        assert_string_equal(q.url,
                            "https://api.example.com/v1/chat/completions");
        assert_string_equal(q.method, "POST");
        assert_true(q.http2);
        assert_string_equal(header(&q, "Authorization"), "Bearer " KEY);
        assert_string_equal(header(&q, "Content-Type"), "application/json");
        upstream_request_release(&q);
    }
}

static void
without_a_key_nobody_is_authorized(void **state)
{
    struct ask a = simple_ask();
    struct upstream_request q;
    struct problem why;

    (void)state;
    assert_int_equal(build(&q, &a, "http://127.0.0.1:1/v1", "", &why), OK);
    assert_null(header(&q, "Authorization"));
    assert_false(q.http2);
    upstream_request_release(&q);
}

static void
only_what_was_asked_for_is_sent(void **state)
{
    struct ask a = simple_ask();
    struct upstream_request q;
    struct problem why;

    (void)state;
    assert_int_equal(build(&q, &a, "http://h/v1", "", &why), OK);
    assert_string_equal(buf_cstr(&q.body),
                        "{\"model\":\"gpt-4\",\"messages\":[{\"role\":"
                        "\"user\",\"content\":\"Hello\"}],\"stream\":true,"
                        "\"stream_options\":{\"include_usage\":true}}");
    upstream_request_release(&q);
}

static void
the_limit_is_called_as_the_server_wants_it(void **state)
{
    static const struct {
        const char *base;
        bool openai;
    } rows[] = {
        {"https://api.openai.com/v1", true},
        {"https://API.OpenAI.com:443/v1", true},
        {"http://127.0.0.1:8080/v1", false},
        {"https://api.openai.com.example.org/v1", false},
        {"https://example.org/api.openai.com", false},
    };
    struct ask a = simple_ask();
    struct upstream_request q;
    struct problem why;
    size_t i;

    (void)state;
    a.max_tokens = 77;
    for (i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(build(&q, &a, rows[i].base, "", &why), OK);
        assert_non_null(strstr(buf_cstr(&q.body),
                               rows[i].openai ? "\"max_completion_tokens\":77"
                                              : "\"max_tokens\":77"));
        upstream_request_release(&q);
    }
}

static void
what_cannot_be_asked_is_refused(void **state)
{
    struct ask a = simple_ask();
    struct upstream_request q;
    struct problem why;

    (void)state;
    assert_int_equal(build(&q, &a, "", "", &why), ERR_BADREQ);
    upstream_request_release(&q);
    assert_int_equal(build(&q, &a, "http://h", "a\r\nX: y", &why), ERR_BADREQ);
    assert_string_equal(why.code, "provider_key");
    assert_null(strstr(why.message, "X: y"));
    upstream_request_release(&q);
    a.n_messages = 0;
    assert_int_equal(build(&q, &a, "http://h", "", &why), ERR_BADREQ);
    upstream_request_release(&q);
}

static void
a_body_past_its_ceiling_is_too_big(void **state)
{
    struct account acc = {.base_url = "http://h/v1", .key = ""};
    struct ask a = simple_ask();
    struct upstream_request q;
    struct problem why;

    (void)state;
    upstream_request_init(&q, 50);
    assert_int_equal(provider_openai.build(&a, &acc, &q, &why), ERR_TOOBIG);
    assert_int_equal(why.err, ERR_TOOBIG);
    upstream_request_release(&q);
}

/* --- errors -------------------------------------------------------------- */

static struct provider_error
error_of(int status, const char *body)
{
    struct provider_error e;
    struct upstream_head h;

    upstream_head_init(&h);
    h.status = status;
    provider_openai.error(&h, body, strlen(body), &e);
    return e;
}

static void
errors_mean_what_clients_can_use(void **state)
{
    static const struct {
        int status;
        const char *body;
        const char *code;
        int want;
    } rows[] = {
        {401, "{\"error\":{\"code\":\"invalid_api_key\"}}", "provider_auth",
         502},
        {403, "{}", "provider_forbidden", 502},
        {404, "{\"error\":{\"code\":\"model_not_found\"}}", "model_not_found",
         502},
        {404, "<html>", "model_not_found", 502},
        {400, "{\"error\":{\"code\":\"model_not_supported\"}}",
         "model_not_found", 502},
        {429, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}",
         "provider_rate_limited", 429},
        {429, "", "provider_rate_limited", 429},
        {429,
         "{\"error\":{\"code\":\"insufficient_quota\",\"type\":"
         "\"insufficient_quota\"}}",
         "provider_quota", 502},
        {402, "{}", "provider_quota", 502},
        {400, "{\"error\":{\"code\":\"context_length_exceeded\"}}",
         "context_too_long", 422},
        {400,
         "{\"error\":{\"code\":400,\"type\":"
         "\"exceed_context_size_error\"}}",
         "context_too_long", 422},
        {400,
         "{\"object\":\"error\",\"message\":\"This model's maximum "
         "context length is 4096 tokens\"}",
         "context_too_long", 422},
        {413, "", "context_too_long", 422},
        {400, "{\"error\":{\"code\":\"unsupported_value\"}}",
         "provider_rejected", 502},
        {422, "{\"detail\":[{\"loc\":[]}]}", "provider_rejected", 502},
        {500, "{\"error\":\"text\"}", "provider_failed", 502},
        {503,
         "{\"error\":{\"code\":503,\"message\":\"Loading model\","
         "\"type\":\"unavailable_error\"}}",
         "provider_failed", 502},
        {529, "[{\"error\":{\"code\":529}}]", "provider_failed", 502},
        {500, "{\"error\":null}", "provider_failed", 502},
        {400, "[]", "provider_rejected", 502},
        {400, "{\"error\":[1,2]}", "provider_rejected", 502},
        {400, "null", "provider_rejected", 502},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct provider_error e = error_of(rows[i].status, rows[i].body);

        if (strcmp(e.problem.code, rows[i].code) != 0 ||
            e.problem.status != rows[i].want || e.problem.err == OK)
            fail_msg("%d %s: %s %d", rows[i].status, rows[i].body,
                     e.problem.code, e.problem.status);
        assert_int_equal(e.fault == FAULT_MONEY,
                         strcmp(e.problem.code, "provider_quota") == 0);
    }
}

static void
nothing_of_the_providers_text_is_passed_on(void **state)
{
    static const int statuses[] = {400, 401, 403, 404, 413, 429, 500};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(statuses); i++) {
        struct provider_error e = error_of(
            statuses[i], "{\"error\":{\"message\":\"" KEY "\","
                         "\"type\":\"" KEY "\",\"code\":\"" KEY "\"}}");

        assert_null(strstr(e.problem.error, "sk-"));
        assert_null(strstr(e.problem.message, "sk-"));
        assert_null(strstr(e.problem.code, "sk-"));
    }
}

static void
the_wait_is_passed_on_in_whole_seconds(void **state)
{
    struct provider_error e;
    struct upstream_head h;

    (void)state;
    upstream_head_init(&h);
    h.status = 429;
    provider_openai.error(&h, "", 0, &e);
    assert_true(e.problem.retry_after_s > 0);
    h.retry_after_ms = 1001;
    provider_openai.error(&h, "", 0, &e);
    assert_int_equal(e.problem.retry_after_s, 2);
    h.retry_after_ms = 0;
    provider_openai.error(&h, "", 0, &e);
    assert_int_equal(e.problem.retry_after_s, 1);
    h.status = 503;
    h.retry_after_ms = 30000;
    provider_openai.error(&h, "", 0, &e);
    assert_int_equal(e.problem.retry_after_s, 30);
}

/* --- chunks -------------------------------------------------------------- */

static void
common_chunks_take_the_fast_path(void **state)
{
    static const char *const common[] = {
        "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,"
        "\"model\":\"m\",\"service_tier\":\"default\","
        "\"system_fingerprint\":null,\"choices\":[{\"index\":0,\"delta\":{"
        "\"content\":\"Hi\"},\"logprobs\":null,\"finish_reason\":null}],"
        "\"usage\":null,\"obfuscation\":\"x\"}",
        " { \"choices\" : [ { \"delta\" : { \"content\" : \"Hi\" , "
        "\"role\" : \"assistant\" } , \"index\" : 0 } ] } ",
        "{\"choices\":[{\"delta\":{\"content\":\"\\u0048\\u0069\","
        "\"reasoning\":null,\"reasoning_details\":[{\"a\":[1.5e3,-2,true]}]},"
        "\"finish_reason\":\"stop\"}],\"timings\":{\"n\":0.25}}",
        "{\"choices\":[{\"delta\":{\"content\":\"Hi\",\"tool_calls\":null,"
        "\"function_call\":null}}]}",
        "{\"choices\":[{\"delta\":{\"tool_calls\":[ ],\"content\":\"Hi\"}}]}",
    };
    struct openai_chunk c;
    size_t i;

    (void)state;
    openai_chunk_init(&c);
    for (i = 0; i < COUNT_OF(common); i++) {
        assert_true(openai_chunk_fast(&c, common[i], strlen(common[i])));
        assert_int_equal(c.content.len, 2);
        assert_memory_equal(c.content.p, "Hi", 2);
        openai_chunk_clear(&c);
    }
    openai_chunk_release(&c);
}

static void
what_is_not_common_is_left_to_cjson(void **state)
{
    static const char *const other[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"choices\":[]}",
        "{\"choices\":null}",
        "{\"choices\":[{\"index\":1}]}",
        "{\"choices\":[{\"index\":00}]}",
        "{\"choices\":[{},{}]}",
        "{\"choices\":[{}],\"choices\":[{}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\",\"content\":\"b\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":null,\"content\":\"b\"}}]}",
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{}]}}]}",
        "{\"choices\":[{\"delta\":{\"tool_calls\":{}}}]}",
        "{\"choices\":[{\"delta\":{\"function_call\":{}}}]}",
        "{\"choices\":[{\"delta\":{}}],\"usage\":{}}",
        "{\"choices\":[{\"delta\":{}}],\"error\":{}}",
        "{\"choices\":[{\"delta\":{}}],\"object\":\"error\"}",
        "{\"choices\":[{\"delta\":{\"content\":\"\\ud800\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"\\u0000\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"\\x\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\nb\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":[]}}]}",
        "{\"choices\":[{\"message\":{\"content\":\"a\"}}]}",
        "{\"choices\":[{\"delta\":{\"con\\u0074ent\":\"a\"}}]}",
        "{\"choices\":[{\"delta\":{}}],\"x\":[[[[[[[[[[[]]]]]]]]]]]}",
        ("{\"choices\":[{\"delta\":{}}],\"x\":1111111111111111111111111111111"
         "1111111111111111111111111111111111111111111}"),
        "{\"choices\":[{\"delta\":{}}]} x",
        "{\"choices\":[{\"delta\":{}}]",
        "{\"choices\":[{\"delta\":{}}],}",
        "{\"choices\":[{\"delta\":{}},]}",
        "{\"choices\":[{\"delta\":{}}],\"x\":01}",
        "{\"choices\":[{\"delta\":{}}],\"x\":tru}",
    };
    struct openai_chunk c;
    size_t i;

    (void)state;
    openai_chunk_init(&c);
    for (i = 0; i < COUNT_OF(other); i++) {
        if (openai_chunk_fast(&c, other[i], strlen(other[i])))
            fail_msg("%s was taken", other[i]);
        assert_null(c.content.p);
    }
    openai_chunk_release(&c);
}

static void
a_reply_in_one_piece_is_bounded(void **state)
{
    size_t n = 1024 * 1024, i;
    void *reader = provider_openai.reader_new();
    char *spaces = xmalloc(n);
    struct problem why = {.err = OK};
    struct transcript t;
    enum err e = OK;

    (void)state;
    memset(spaces, ' ', n);
    transcript_init(&t);
    e = provider_openai.feed(reader, "{", 1, transcript_part, &t, &why);
    for (i = 0; e == OK && i < 20; i++)
        e = provider_openai.feed(reader, spaces, n, transcript_part, &t, &why);
    assert_int_equal(e, ERR_UPSTREAM);
    assert_int_equal(i, 16);
    assert_string_equal(why.code, "provider_garbage");
    transcript_release(&t);
    provider_openai.reader_free(reader);
    provider_openai.reader_free(NULL);
    free(spaces);
}

/* Feed one event with so many calls, each with this function and an id of so
 * many bytes. */
static enum err
feed_calls(size_t n, size_t id_len, const char *function)
{
    void *reader = provider_openai.reader_new();
    struct problem why = {.err = OK};
    struct transcript t;
    struct buf b;
    enum err e;
    size_t i;

    transcript_init(&t);
    buf_init(&b, 16 * 1024 * 1024);
    buf_adds(&b, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[");
    for (i = 0; i < n; i++)
        buf_addf(&b, "%s{\"index\":%zu,\"id\":\"%0*d\",\"function\":{%s}}",
                 i > 0 ? "," : "", i, (int)id_len, 1, function);
    buf_adds(&b, "]}}]}\n\n");
    assert_int_equal(buf_status(&b), OK);
    e = provider_openai.feed(reader, b.data, b.len, transcript_part, &t, &why);
    if (e != OK)
        assert_string_equal(why.code, "provider_garbage");
    provider_openai.reader_free(reader);
    transcript_release(&t);
    buf_release(&b);
    return e;
}

static void
tool_calls_are_bounded(void **state)
{
    char *args = xmalloc(70000);

    (void)state;
    assert_int_equal(feed_calls(256, 8, "\"name\":\"f\""), OK);
    assert_int_equal(feed_calls(257, 8, "\"name\":\"f\""), ERR_UPSTREAM);
    assert_int_equal(feed_calls(5000, 8, "\"name\":\"f\""), ERR_UPSTREAM);
    assert_int_equal(feed_calls(1, 1024, "\"name\":\"f\""), OK);
    assert_int_equal(feed_calls(1, 1025, "\"name\":\"f\""), ERR_UPSTREAM);
    (void)snprintf(args, 70000, "\"arguments\":\"%065536d\"", 1);
    assert_int_equal(feed_calls(1, 8, args), OK);
    (void)snprintf(args, 70000, "\"arguments\":\"%065537d\"", 1);
    assert_int_equal(feed_calls(1, 8, args), ERR_UPSTREAM);
    (void)snprintf(args, 70000, "\"name\":\"f\",\"arguments\":\"%065537d\"", 1);
    assert_int_equal(feed_calls(1, 8, args), OK);
    free(args);
}

static void
names_are_those_of_the_interface(void **state)
{
    static const char *const finish[] = {
        "",           "stop",           "length",
        "tool_calls", "content_filter", "cancelled",
        "incomplete", "interrupted",    "error",
    };
    enum role r;
    int i;

    (void)state;
    for (i = 0; i < FINISH__MAX; i++)
        assert_string_equal(finish_name((enum finish)i), finish[i]);
    for (i = 0; i < ROLE__MAX; i++) {
        assert_int_equal(role_parse(role_name((enum role)i), &r), OK);
        assert_int_equal(r, i);
    }
    assert_int_equal(role_parse("System", &r), ERR_BADREQ);
    assert_int_equal(role_parse("", &r), ERR_BADREQ);
    assert_int_equal(role_parse(NULL, &r), ERR_BADREQ);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_goes_to_chat_completions),
        cmocka_unit_test(without_a_key_nobody_is_authorized),
        cmocka_unit_test(only_what_was_asked_for_is_sent),
        cmocka_unit_test(the_limit_is_called_as_the_server_wants_it),
        cmocka_unit_test(what_cannot_be_asked_is_refused),
        cmocka_unit_test(a_body_past_its_ceiling_is_too_big),
        cmocka_unit_test(errors_mean_what_clients_can_use),
        cmocka_unit_test(nothing_of_the_providers_text_is_passed_on),
        cmocka_unit_test(the_wait_is_passed_on_in_whole_seconds),
        cmocka_unit_test(common_chunks_take_the_fast_path),
        cmocka_unit_test(what_is_not_common_is_left_to_cjson),
        cmocka_unit_test(a_reply_in_one_piece_is_bounded),
        cmocka_unit_test(tool_calls_are_bounded),
        cmocka_unit_test(names_are_those_of_the_interface),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
