/* Tests of the Anthropic provider: where a request goes, what errors mean,
 * models, limits. Its body is tested in test_anthropic_body.c, replies are
 * replayed in test_anthropic_replay.c. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <math.h>

#include "provider/anthropic.h"
#include "transcript.h"
#include "upstream/head.h"

#define KEY "sk-ant-not-a-key"

/* --- asking -------------------------------------------------------------- */

static const struct ask_message hello = {
    .role = ROLE_USER, .text = "Hello", .len = 5};

static struct ask
simple_ask(void)
{
    struct ask a = {.model = "claude-x", .messages = &hello, .n_messages = 1};

    a.temperature = a.top_p = NAN;
    return a;
}

static enum err
build(struct upstream_request *q, const struct ask *a, const char *base,
      const char *key, struct problem *why)
{
    struct account acc = {.base_url = base, .key = key};

    upstream_request_init(q, 1024 * 1024);
    return provider_anthropic.build(a, &acc, q, why);
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
the_request_goes_to_messages(void **state)
{
    static const char *const bases[] = {
        "https://api.example.com", "https://api.example.com/",
        "https://api.example.com/v1", "https://api.example.com/v1/",
        "https://api.example.com/v1//"};
    struct ask a = simple_ask();
    struct upstream_request q;
    struct problem why;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bases); i++) {
        assert_int_equal(build(&q, &a, bases[i], KEY, &why), OK);
        assert_string_equal(q.url, "https://api.example.com/v1/messages");
        assert_string_equal(q.method, "POST");
        assert_true(q.http2);
        assert_string_equal(header(&q, "x-api-key"), KEY);
        assert_null(header(&q, "Authorization"));
        assert_string_equal(header(&q, "anthropic-version"), "2023-06-01");
        assert_string_equal(header(&q, "Content-Type"), "application/json");
        assert_string_equal(header(&q, "Accept"), "text/event-stream");
        upstream_request_release(&q);
    }
}

static void
the_account_says_version_and_key(void **state)
{
    struct account acc = {
        .base_url = "http://127.0.0.1:1/a", .key = "", .version = "2026-10-21"};
    struct ask a = simple_ask();
    struct upstream_request q;
    struct problem why;

    (void)state;
    a.whole = true;
    upstream_request_init(&q, 1024);
    assert_int_equal(provider_anthropic.build(&a, &acc, &q, &why), OK);
    assert_string_equal(q.url, "http://127.0.0.1:1/a/v1/messages");
    assert_false(q.http2);
    assert_null(header(&q, "x-api-key"));
    assert_string_equal(header(&q, "anthropic-version"), "2026-10-21");
    assert_string_equal(header(&q, "Accept"), "application/json");
    upstream_request_release(&q);
}

static void
what_cannot_be_asked_is_refused(void **state)
{
    struct account acc = {.base_url = "http://h", .key = "", .version = "1\n"};
    struct ask a = simple_ask();
    struct upstream_request q;
    struct problem why;

    (void)state;
    assert_int_equal(build(&q, &a, "", "", &why), ERR_BADREQ);
    assert_string_equal(why.code, "provider_address");
    upstream_request_release(&q);
    assert_int_equal(build(&q, &a, "http://h", "a\r\nX: y", &why), ERR_BADREQ);
    assert_string_equal(why.code, "provider_key");
    assert_null(strstr(why.message, "X: y"));
    upstream_request_release(&q);
    upstream_request_init(&q, 1024);
    assert_int_equal(provider_anthropic.build(&a, &acc, &q, &why), ERR_BADREQ);
    assert_string_equal(why.code, "provider_version");
    upstream_request_release(&q);
    a.n_messages = 0;
    assert_int_equal(build(&q, &a, "http://h", "", &why), ERR_BADREQ);
    upstream_request_release(&q);
}

static void
a_body_past_its_ceiling_is_too_big(void **state)
{
    struct account acc = {.base_url = "http://h", .key = ""};
    struct ask a = simple_ask();
    struct upstream_request q;
    struct problem why;

    (void)state;
    upstream_request_init(&q, 50);
    assert_int_equal(provider_anthropic.build(&a, &acc, &q, &why), ERR_TOOBIG);
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
    provider_anthropic.error(status > 0 ? &h : NULL, body, strlen(body), &e);
    return e;
}

#define ERROR(type)                                   \
    "{\"type\":\"error\",\"error\":{\"type\":\"" type \
    "\",\"message\":\"m\"},\"request_id\":\"req_1\"}"
#define REFUSED(text)                                                    \
    "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\"," \
    "\"message\":\"" text "\"}}"
#define DETAIL(type, code)                            \
    "{\"type\":\"error\",\"error\":{\"type\":\"" type \
    "\",\"message\":\"m\",\"details\":{\"error_code\":\"" code "\"}}}"

static const struct {
    int status;
    const char *body, *code;
    int want;
    enum fault fault;
} errors[] = {
    {401, ERROR("authentication_error"), "provider_auth", 502, FAULT_KEY},
    {402, ERROR("billing_error"), "provider_quota", 502, FAULT_MONEY},
    {403, ERROR("permission_error"), "provider_forbidden", 502, FAULT_KEY},
    {404, ERROR("not_found_error"), "model_not_found", 502, FAULT_MODEL},
    {413, ERROR("request_too_large"), "context_too_long", 422, FAULT_TOO_LONG},
    {429, ERROR("rate_limit_error"), "provider_rate_limited", 429, FAULT_OTHER},
    {429, DETAIL("rate_limit_error", "enforced_spend_limit_reached"),
     "provider_quota", 502, FAULT_MONEY},
    {429, DETAIL("rate_limit_error", "contract_spend_limit_reached"),
     "provider_quota", 502, FAULT_MONEY},
    {429, DETAIL("rate_limit_error", "ramp_limit_exceeded"),
     "provider_rate_limited", 429, FAULT_OTHER},
    {402, DETAIL("billing_error", "linked_organization_spend_limit_reached"),
     "provider_quota", 502, FAULT_MONEY},
    {400, DETAIL("invalid_request_error", "organization_on_hold"),
     "provider_forbidden", 502, FAULT_KEY},
    {400, ERROR("invalid_request_error"), "provider_rejected", 502,
     FAULT_OTHER},
    {400, REFUSED("prompt is too long: 210000 tokens > 200000 maximum"),
     "context_too_long", 422, FAULT_TOO_LONG},
    {400,
     REFUSED("input length and `max_tokens` exceed context limit: 1 + 2 > 3"),
     "context_too_long", 422, FAULT_TOO_LONG},
    {400, REFUSED("Your credit balance is too low to access the API"),
     "provider_quota", 502, FAULT_MONEY},
    {409, ERROR("conflict_error"), "provider_failed", 502, FAULT_OTHER},
    {500, ERROR("api_error"), "provider_failed", 502, FAULT_OTHER},
    {504, ERROR("timeout_error"), "provider_failed", 502, FAULT_OTHER},
    {529, ERROR("overloaded_error"), "provider_failed", 502, FAULT_OTHER},
    /* the type goes before the status */
    {400, ERROR("rate_limit_error"), "provider_rate_limited", 429, FAULT_OTHER},
    /* inside a stream */
    {0, ERROR("overloaded_error"), "provider_failed", 502, FAULT_OTHER},
    {0, ERROR("rate_limit_error"), "provider_rate_limited", 429, FAULT_OTHER},
    {0, ERROR("new_error"), "provider_error", 502, FAULT_OTHER},
    {0, "", "provider_error", 502, FAULT_OTHER},
    /* not this wire's: the status alone */
    {401, "", "provider_auth", 502, FAULT_KEY},
    {404, "<html>", "model_not_found", 502, FAULT_MODEL},
    {429, "{\"error\":\"slow down\"}", "provider_rate_limited", 429,
     FAULT_OTHER},
    {400, "{\"error\":{\"message\":\"context window exceeded\"}}",
     "context_too_long", 422, FAULT_TOO_LONG},
    {503, "[]", "provider_failed", 502, FAULT_OTHER},
    {400, "{\"error\":[1]}", "provider_rejected", 502, FAULT_OTHER},
    {400, "null", "provider_rejected", 502, FAULT_OTHER},
};

static void
errors_mean_what_clients_can_use(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(errors); i++) {
        struct provider_error e = error_of(errors[i].status, errors[i].body);

        if (strcmp(e.problem.code, errors[i].code) != 0 ||
            e.problem.status != errors[i].want || e.problem.err == OK ||
            e.fault != errors[i].fault)
            fail_msg("%d %s: %s %d", errors[i].status, errors[i].body,
                     e.problem.code, e.problem.status);
    }
}

static void
nothing_of_the_providers_text_is_passed_on(void **state)
{
    static const int statuses[] = {0, 400, 401, 403, 404, 413, 429, 500};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(statuses); i++) {
        struct provider_error e = error_of(
            statuses[i], "{\"type\":\"error\",\"error\":{\"message\":\"" KEY
                         "\",\"type\":\"" KEY "\"}}");

        assert_null(strstr(e.problem.error, "sk-"));
        assert_null(strstr(e.problem.message, "sk-"));
        assert_null(strstr(e.problem.code, "sk-"));
    }
}

/* --- replies ------------------------------------------------------------- */

static void
a_reply_in_one_piece_is_bounded(void **state)
{
    size_t n = 1024 * 1024, i;
    void *reader = provider_anthropic.reader_new();
    char *spaces = xmalloc(n);
    struct problem why = {.err = OK};
    struct transcript t;
    enum err e = OK;

    (void)state;
    memset(spaces, ' ', n);
    transcript_init(&t);
    e = provider_anthropic.feed(reader, "{", 1, transcript_part, &t, &why);
    for (i = 0; e == OK && i < 20; i++)
        e = provider_anthropic.feed(reader, spaces, n, transcript_part, &t,
                                    &why);
    assert_int_equal(e, ERR_UPSTREAM);
    assert_int_equal(i, 16);
    assert_string_equal(why.code, "provider_garbage");
    transcript_release(&t);
    provider_anthropic.reader_free(reader);
    provider_anthropic.reader_free(NULL);
    free(spaces);
}

static void
an_event_without_end_is_bounded(void **state)
{
    size_t n = 1024 * 1024, i;
    void *reader = provider_anthropic.reader_new();
    char *same = xmalloc(n);
    struct problem why = {.err = OK};
    struct transcript t;
    enum err e;

    (void)state;
    memset(same, 'a', n);
    transcript_init(&t);
    e = provider_anthropic.feed(reader, "data: ", 6, transcript_part, &t, &why);
    for (i = 0; e == OK && i < 20; i++)
        e = provider_anthropic.feed(reader, same, n, transcript_part, &t, &why);
    assert_int_equal(e, ERR_UPSTREAM);
    assert_string_equal(why.code, "provider_garbage");
    transcript_release(&t);
    provider_anthropic.reader_free(reader);
    free(same);
}

static void
events_may_come_without_a_frame(void **state)
{
    static const char *const events[] = {
        "{}",
        "{\"type\":\"message_start\",\"message\":{\"model\":\"m\"}}",
        "{\"type\":\"message_stop\"}",
        "{\"type\":\"message_stop\"}",
    };
    static const enum err wants[] = {OK, OK, ERR_HUP, ERR_HUP};
    struct anthropic_events *s = anthropic_events_new();
    struct problem why = {.err = OK};
    struct transcript t;
    size_t i;

    (void)state;
    transcript_init(&t);
    for (i = 0; i < COUNT_OF(events); i++) {
        assert_int_equal(anthropic_event(s, events[i], strlen(events[i]),
                                         transcript_part, &t, &why),
                         wants[i]);
        assert_int_equal(anthropic_known(s), i > 0);
    }
    assert_string_equal(buf_cstr(&t.out), "model \"m\"\nfinish stop\n");
    assert_false(t.broken);
    anthropic_events_free(s);
    anthropic_events_free(NULL);
    s = anthropic_events_new();
    assert_int_equal(anthropic_event(s, "{", 1, transcript_part, &t, &why),
                     ERR_UPSTREAM);
    assert_string_equal(why.code, "provider_garbage");
    anthropic_events_free(s);
    transcript_release(&t);
}

/* --- models -------------------------------------------------------------- */

static void
write_model(void *arg, const struct model_info *m)
{
    buf_addf(arg, "%s %" PRId64 " %" PRId64 " %" PRId64 "\n", m->id,
             m->created_s, m->context_tokens, m->output_tokens);
}

static void
models_come_in_pages(void **state)
{
    static const char page[] =
        "{\"data\":[{\"type\":\"model\",\"id\":\"claude-a\",\"display_name\":"
        "\"A\",\"created_at\":\"2025-09-29T00:00:00Z\",\"max_input_tokens\":"
        "200000,\"max_tokens\":64000},"
        "{\"id\":\"claude-b\",\"created_at\":\"soon\",\"max_input_tokens\":"
        "null,\"max_tokens\":0},{\"id\":\"\"},{},1],"
        "\"has_more\":true,\"first_id\":\"claude-a\",\"last_id\":\"b/2\"}";
    static const char last[] = "{\"data\":[],\"has_more\":true,"
                               "\"last_id\":\"x\"}";
    struct account acc = {.base_url = "https://h/v1", .key = KEY};
    struct upstream_request q;
    struct problem why = {.err = OK};
    struct buf list, next;

    (void)state;
    buf_init(&list, 4096);
    buf_init(&next, 4096);
    buf_adds(&next, "old");
    assert_int_equal(provider_anthropic.models_read(page, sizeof(page) - 1,
                                                    write_model, &list, &next,
                                                    &why),
                     OK);
    assert_string_equal(buf_cstr(&list), "claude-a 1759104000 200000 64000\n"
                                         "claude-b -1 -1 -1\n");
    assert_string_equal(buf_cstr(&next), "b/2");
    upstream_request_init(&q, 0);
    assert_int_equal(
        provider_anthropic.models_build(&acc, buf_cstr(&next), 0, &q, &why),
        OK);
    assert_string_equal(q.url, "https://h/v1/models?limit=1000&after_id=b%2F2");
    assert_string_equal(q.method, "GET");
    assert_string_equal(header(&q, "x-api-key"), KEY);
    assert_string_equal(header(&q, "anthropic-version"), "2023-06-01");
    assert_int_equal(q.body.len, 0);
    upstream_request_release(&q);
    assert_int_equal(provider_anthropic.models_read(last, sizeof(last) - 1,
                                                    write_model, &list, &next,
                                                    &why),
                     OK);
    assert_int_equal(next.len, 0); /* an empty page ends the list */
    buf_release(&list);
    buf_release(&next);
}

static void
other_lists_are_not_understood(void **state)
{
    static const char *const bad[] = {"",   "[]",     "{",
                                      "{}", "<html>", "{\"data\":{}}"};
    struct account acc = {.base_url = "https://h", .key = ""};
    struct upstream_request q;
    struct problem why;
    struct buf next;
    char *long_page;
    size_t i;

    (void)state;
    buf_init(&next, 64);
    for (i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(provider_anthropic.models_read(bad[i], strlen(bad[i]),
                                                        write_model, NULL,
                                                        &next, &why),
                         ERR_UPSTREAM);
        assert_string_equal(why.code, "provider_garbage");
    }
    buf_release(&next);
    upstream_request_init(&q, 0);
    assert_int_equal(provider_anthropic.models_build(&acc, "", 0, &q, &why),
                     OK);
    assert_string_equal(q.url, "https://h/v1/models?limit=1000");
    long_page = xmalloc(8192);
    memset(long_page, 'a', 8191);
    long_page[8191] = '\0';
    assert_int_equal(
        provider_anthropic.models_build(&acc, long_page, 0, &q, &why),
        ERR_TOOBIG);
    free(long_page);
    upstream_request_release(&q);
    assert_null(provider_anthropic.embed_build);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_goes_to_messages),
        cmocka_unit_test(the_account_says_version_and_key),
        cmocka_unit_test(what_cannot_be_asked_is_refused),
        cmocka_unit_test(a_body_past_its_ceiling_is_too_big),
        cmocka_unit_test(errors_mean_what_clients_can_use),
        cmocka_unit_test(nothing_of_the_providers_text_is_passed_on),
        cmocka_unit_test(a_reply_in_one_piece_is_bounded),
        cmocka_unit_test(an_event_without_end_is_bounded),
        cmocka_unit_test(events_may_come_without_a_frame),
        cmocka_unit_test(models_come_in_pages),
        cmocka_unit_test(other_lists_are_not_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
