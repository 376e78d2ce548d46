/* Tests of the Hugging Face provider: what differs from OpenAI's. Replies are
 * replayed in test_huggingface_replay.c. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <math.h>

#include "base/json.h"
#include "provider/provider.h"
#include "upstream/head.h"

static const struct account acc = {
    .base_url = "https://router.huggingface.co/v1",
    .key = "hf_not-a-key",
    .org = "my-org",
    .project = "not sent"};

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
the_router_is_asked_on_openais_wire(void **state)
{
    const struct piece thought[] = {
        {.kind = PIECE_THOUGHT, .text = "a", .len = 1, .origin = "huggingface"},
        {.kind = PIECE_TEXT, .text = "b", .len = 1},
    };
    const struct ask_message m[] = {
        {.role = ROLE_USER, .text = "Hello", .len = 5},
        {.role = ROLE_ASSISTANT, .pieces = thought, .n_pieces = 2},
        {.role = ROLE_USER, .text = "And?", .len = 4},
    };
    struct ask a = {.model = "Qwen/Qwen3-8B:novita",
                    .messages = m,
                    .n_messages = 3,
                    .temperature = NAN,
                    .top_p = NAN,
                    .max_tokens = 9};
    struct upstream_request q;
    struct problem why;

    (void)state;
    upstream_request_init(&q, 4096);
    assert_int_equal(provider_huggingface.build(&a, &acc, &q, &why), OK);
    assert_string_equal(q.url,
                        "https://router.huggingface.co/v1/chat/completions");
    assert_true(has_header(&q, "Authorization: Bearer hf_not-a-key"));
    assert_true(has_header(&q, "X-HF-Bill-To: my-org"));
    assert_int_equal(q.n_headers, 4);
    assert_string_equal(
        buf_cstr(&q.body),
        "{\"model\":\"Qwen/Qwen3-8B:novita\",\"messages\":["
        "{\"role\":\"user\",\"content\":\"Hello\"},"
        "{\"role\":\"assistant\",\"content\":\"b\"},"
        "{\"role\":\"user\",\"content\":\"And?\"}],\"stream\":true,"
        "\"stream_options\":{\"include_usage\":true},\"max_tokens\":9}");
    upstream_request_release(&q);
}

static void
problems_name_its_settings(void **state)
{
    const struct ask_message m = {.role = ROLE_USER, .text = "x", .len = 1};
    const struct account bad[] = {{.base_url = "", .key = ""},
                                  {.base_url = "http://h", .key = "a\nb"}};
    struct ask a = {.model = "m",
                    .messages = &m,
                    .n_messages = 1,
                    .temperature = NAN,
                    .top_p = NAN};
    struct upstream_request q;
    struct problem why;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++) {
        upstream_request_init(&q, 4096);
        assert_int_equal(provider_huggingface.build(&a, &bad[i], &q, &why),
                         ERR_BADREQ);
        assert_non_null(
            strstr(why.message, i == 0 ? "HF_BASE_URL" : "HF_API_KEY"));
        upstream_request_release(&q);
    }
}

static struct provider_error
error_of(int status, const char *body)
{
    struct provider_error e;
    struct upstream_head h;

    upstream_head_init(&h);
    h.status = status;
    provider_huggingface.error(&h, body, strlen(body), &e);
    return e;
}

static void
errors_in_all_shapes_mean_the_same(void **state)
{
    static const struct {
        int status;
        const char *body, *code;
    } rows[] = {
        {400,
         "{\"error\":{\"message\":\"The requested model 'a/b' is not supported "
         "by any provider you have enabled.\",\"type\":"
         "\"invalid_request_error\",\"param\":\"model\",\"code\":"
         "\"model_not_supported\"}}",
         "model_not_found"},
        {400,
         "{\"error\":{\"message\":\"The requested model 'a/b' is not supported "
         "by any provider you have enabled.\"}}",
         "model_not_found"},
        {400, "{\"error\":\"Model not supported by provider novita\"}",
         "model_not_found"},
        {422,
         "{\"message\":\"Model a/b is not supported for task conversational "
         "and provider together\"}",
         "model_not_found"},
        {400, "{\"error\":{\"message\":\"'a/b' is not a chat model\"}}",
         "model_not_found"},
        {404, "{\"error\":\"Not Found\"}", "model_not_found"},
        {400,
         "{\"error\":{\"message\":\"temperature is not supported with this "
         "model\"}}",
         "provider_rejected"},
        {400, "{\"error\":\"Input validation error\"}", "provider_rejected"},
        {422, "{\"message\":\"no\"}", "provider_rejected"},
        {400, "{\"message\":\"exceeds the maximum context length\"}",
         "context_too_long"},
        {422,
         "{\"error\":\"Input validation error: `inputs` must have less than "
         "4096 tokens. Given: 4545\",\"error_type\":\"validation\"}",
         "context_too_long"},
        {422,
         "{\"error\":\"Input validation error: `inputs` tokens + "
         "`max_new_tokens` must be <= 32768. Given: 32760 `inputs` tokens and "
         "512 `max_new_tokens`\",\"error_type\":\"validation\"}",
         "context_too_long"},
        {401, "{\"error\":\"Invalid username or password.\"}", "provider_auth"},
        {402,
         "{\"error\":\"You have exceeded your monthly included credits for "
         "Inference Providers.\"}",
         "provider_quota"},
        {403,
         "{\"error\":\"This authentication method does not have "
         "sufficient permissions\"}",
         "provider_forbidden"},
        {429, "{\"message\":\"slow down\"}", "provider_rate_limited"},
        {503, "{\"error\":\"Model not supported by provider x\"}",
         "provider_failed"},
        {502, "<html>", "provider_failed"},
        {400, "[]", "provider_rejected"},
        {400, "", "provider_rejected"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct provider_error e = error_of(rows[i].status, rows[i].body);

        if (strcmp(e.problem.code, rows[i].code) != 0)
            fail_msg("%d %s: %s", rows[i].status, rows[i].body, e.problem.code);
        assert_int_equal(e.fault == FAULT_MODEL,
                         strcmp(e.problem.code, "model_not_found") == 0);
        assert_null(strstr(e.problem.message, "a/b"));
    }
}

static void
a_model_that_is_loading_says_how_long(void **state)
{
    static const struct {
        const char *body;
        int64_t wait_ms;
    } rows[] = {
        {"{\"error\":\"Model a/b is currently loading\","
         "\"estimated_time\":20.5}",
         20500},
        {"{\"error\":\"x\",\"estimated_time\":-1}", -1},
        {"{\"error\":\"x\",\"estimated_time\":1e30}", -1},
        {"{\"error\":\"x\",\"estimated_time\":\"20\"}", -1},
        {"{\"error\":\"x\"}", -1},
        {"", -1},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct provider_error e = error_of(503, rows[i].body);

        assert_int_equal(e.wait_ms, rows[i].wait_ms);
        assert_true(e.problem.retryable);
        assert_int_equal(e.problem.retry_after_s, rows[i].wait_ms > 0 ? 21 : 0);
    }
}

static void
count_model(void *arg, const struct model_info *m)
{
    assert_string_equal(m->id, "a/b");
    assert_int_equal(m->context_tokens, 32768);
    ++*(int *)arg;
}

static void
models_are_listed_and_embeddings_are_not_offered(void **state)
{
    static const char body[] =
        "{\"object\":\"list\",\"data\":[{\"id\":\"a/b\",\"object\":\"model\","
        "\"created\":1,\"owned_by\":\"a\",\"providers\":[{\"provider\":"
        "\"novita\",\"status\":\"live\",\"context_length\":32768,"
        "\"supports_tools\":true}]}]}";
    struct upstream_request q;
    struct problem why;
    struct buf next;
    int n = 0;

    (void)state;
    upstream_request_init(&q, 64);
    assert_int_equal(provider_huggingface.models_build(&acc, "", 0, &q, &why),
                     OK);
    assert_string_equal(q.url, "https://router.huggingface.co/v1/models");
    assert_true(has_header(&q, "X-HF-Bill-To: my-org"));
    upstream_request_release(&q);
    buf_init(&next, 64);
    assert_int_equal(provider_huggingface.models_read(
                         body, sizeof(body) - 1, count_model, &n, &next, &why),
                     OK);
    assert_int_equal(n, 1);
    assert_int_equal(next.len, 0);
    buf_release(&next);
    assert_null(provider_huggingface.embed_build);
    assert_null(provider_huggingface.embed_read);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_router_is_asked_on_openais_wire),
        cmocka_unit_test(problems_name_its_settings),
        cmocka_unit_test(errors_in_all_shapes_mean_the_same),
        cmocka_unit_test(a_model_that_is_loading_says_how_long),
        cmocka_unit_test(models_are_listed_and_embeddings_are_not_offered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
