/* Tests of what the OpenAI provider has beside chat: the list of models, and
 * embeddings. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <math.h>

#include "base/json.h"
#include "base/text.h"
#include "provider/openai.h"

static const struct account local = {.base_url = "http://127.0.0.1:1/v1/",
                                     .key = "k"};
static const struct account openai = {.base_url = "https://api.openai.com/v1",
                                      .key = ""};

/* --- models -------------------------------------------------------------- */

/* A model_fn: one line for each. */
static void
write_model(void *arg, const struct model_info *m)
{
    buf_addf(arg, "%s %" PRId64 " %" PRId64 " %" PRId64 "\n", m->id,
             m->created_s, m->context_tokens, m->output_tokens);
}

static enum err
read_models(const char *body, struct buf *lines)
{
    struct problem why = {.err = OK};
    struct buf next;
    enum err e;

    buf_init(&next, 64);
    buf_adds(&next, "old");
    buf_clear(lines);
    e = provider_openai.models_read(body, strlen(body), write_model, lines,
                                    &next, &why);
    assert_int_equal(next.len, 0);
    assert_int_equal(e != OK, why.err != OK);
    buf_release(&next);
    return e;
}

static void
models_are_asked_for(void **state)
{
    struct upstream_request q;
    struct problem why;

    (void)state;
    upstream_request_init(&q, 1024);
    assert_int_equal(provider_openai.models_build(&local, "", 0, &q, &why), OK);
    assert_string_equal(q.method, "GET");
    assert_string_equal(q.url, "http://127.0.0.1:1/v1/models");
    assert_int_equal(q.body.len, 0);
    assert_string_equal(q.headers[0], "Accept: application/json");
    assert_string_equal(q.headers[1], "Authorization: Bearer k");
    assert_int_equal(q.n_headers, 2);
    upstream_request_release(&q);
}

static void
models_are_listed(void **state)
{
    static const struct {
        const char *body, *want;
    } rows[] = {
        {"{\"object\":\"list\",\"data\":[{\"id\":\"gpt-4\",\"object\":"
         "\"model\",\"created\":1687882411,\"owned_by\":\"openai\"},"
         "{\"id\":\"o3\"}]}",
         "gpt-4 1687882411 -1 -1\no3 -1 -1 -1\n"},
        {"{\"data\":[{\"id\":\"a\",\"context_length\":100,\"top_provider\":{"
         "\"max_completion_tokens\":7}}]}",
         "a -1 100 7\n"},
        {"{\"data\":[{\"id\":\"g\",\"context_window\":8192,"
         "\"max_completion_tokens\":4096}]}",
         "g -1 8192 4096\n"},
        {"{\"data\":[{\"id\":\"v\",\"max_model_len\":4096},"
         "{\"id\":\"m\",\"max_context_length\":32768}]}",
         "v -1 4096 -1\nm -1 32768 -1\n"},
        {"{\"data\":[{\"id\":\"l\",\"meta\":{\"n_ctx_train\":40960}}]}",
         "l -1 40960 -1\n"},
        {"{\"data\":[{\"id\":\"h/m\",\"providers\":[{\"provider\":\"x\","
         "\"context_length\":131072},{\"provider\":\"y\"},5,"
         "{\"context_length\":32768}]}]}",
         "h/m -1 32768 -1\n"},
        {"[{\"id\":\"t\",\"context_length\":5}]", "t -1 5 -1\n"},
        {"{\"object\":\"list\",\"data\":null}", ""},
        {"{\"data\":[]}", ""},
        {"{\"data\":[null,1,\"a\",[],{},{\"id\":5},{\"id\":\"\"},"
         "{\"id\":\"a\\nb\"},{\"id\":\"ok\",\"created\":\"x\","
         "\"context_length\":\"9\"}]}",
         "ok -1 -1 -1\n"},
    };
    struct buf lines;
    size_t i;

    (void)state;
    buf_init(&lines, 4096);
    for (i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(read_models(rows[i].body, &lines), OK);
        assert_string_equal(buf_cstr(&lines), rows[i].want);
    }
    buf_release(&lines);
}

static void
what_is_no_list_is_not_understood(void **state)
{
    static const char *const bad[] = {
        "",
        "<html>",
        "{}",
        "{\"data\":{}}",
        "{\"data\":\"x\"}",
        "null",
        "\"x\"",
        "{\"error\":{\"message\":\"m\"}}",
        "{\"data\":[",
    };
    struct buf lines;
    size_t i;

    (void)state;
    buf_init(&lines, 4096);
    for (i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(read_models(bad[i], &lines), ERR_UPSTREAM);
    buf_release(&lines);
}

/* --- embeddings: the request --------------------------------------------- */

static const char *const texts[] = {"one", "tw\"o"};

static void
expect_embed_body(const struct account *acc, int64_t dimensions,
                  const char *want)
{
    struct embed_ask a = {.model = "e", .texts = texts, .n_texts = 2};
    struct upstream_request q;
    struct problem why;

    a.dimensions = dimensions;
    upstream_request_init(&q, 1024);
    assert_int_equal(provider_openai.embed_build(&a, acc, &q, &why), OK);
    assert_non_null(strstr(q.url, "/v1/embeddings"));
    assert_string_equal(q.method, "POST");
    assert_string_equal(buf_cstr(&q.body), want);
    upstream_request_release(&q);
}

static void
embeddings_are_asked_for(void **state)
{
    (void)state;
    assert_int_equal(provider_openai.embed_max, 2048);
    expect_embed_body(&local, 0,
                      "{\"model\":\"e\",\"input\":[\"one\",\"tw\\\"o\"]}");
    expect_embed_body(&openai, 256,
                      "{\"model\":\"e\",\"input\":[\"one\",\"tw\\\"o\"],"
                      "\"dimensions\":256,\"encoding_format\":\"base64\"}");
}

static void
what_cannot_be_embedded_is_refused(void **state)
{
    struct embed_ask a = {.model = "e", .texts = texts, .n_texts = 0};
    struct upstream_request q;
    struct problem why;

    (void)state;
    upstream_request_init(&q, 20);
    assert_int_equal(provider_openai.embed_build(&a, &local, &q, &why),
                     ERR_BADREQ);
    a.n_texts = 2049;
    assert_int_equal(provider_openai.embed_build(&a, &local, &q, &why),
                     ERR_BADREQ);
    a.n_texts = 2;
    assert_int_equal(provider_openai.embed_build(&a, &local, &q, &why),
                     ERR_TOOBIG);
    upstream_request_release(&q);
}

/* --- embeddings: the reply ----------------------------------------------- */

static enum err
read_embeddings(const char *body, struct embeddings *out)
{
    struct problem why = {.err = OK};
    enum err e;

    memset(out, 0, sizeof(*out));
    out->tokens = -1;
    e = provider_openai.embed_read(body, strlen(body), out, &why);
    assert_int_equal(e != OK, why.err != OK);
    if (e != OK) {
        assert_int_equal(e, ERR_UPSTREAM);
        assert_null(out->values);
    }
    return e;
}

static void
expect_embeddings(const char *body, size_t n, const float *want, int64_t tokens)
{
    struct embeddings e;

    if (read_embeddings(body, &e) != OK)
        fail_msg("not understood: %s", body);
    assert_int_equal(e.n, n);
    assert_int_equal(e.dimensions, 2);
    assert_int_equal(e.tokens, tokens);
    assert_memory_equal(e.values, want, n * 2 * sizeof(float));
    embeddings_release(&e);
    assert_null(e.values);
}

static void
rows_are_in_the_order_of_the_texts(void **state)
{
    static const float want[] = {0.5f, -1, 1.5e-3f, 0};

    (void)state;
    expect_embeddings("{\"object\":\"list\",\"data\":[{\"object\":"
                      "\"embedding\",\"embedding\":[1.5e-3, 0],\"index\":1},"
                      "{\"index\":0,\"embedding\":[ 0.5 ,-1.0 ]}],"
                      "\"model\":\"e\",\"usage\":{\"prompt_tokens\":8,"
                      "\"total_tokens\":8}}",
                      2, want, 8);
    expect_embeddings(" {\"data\" : [ {\"embedding\":[0.5,-1]} , "
                      "{\"embedding\":[0.0015,0]} ] } ",
                      2, want, -1);
    expect_embeddings("{\"usage\":null,\"data\":[{\"embedding\":[0.5,-1],"
                      "\"x\":{\"y\":[1,\"]\"]}}]}",
                      1, want, -1);
}

static void
base64_rows_are_little_endian_floats(void **state)
{
    static const float want[] = {1, -2.5f};
    static const unsigned char bytes[] = {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0};
    static const unsigned char odd[] = {0xff, 0xff, 0x7f, 0x3f,
                                        0xff, 0xff, 0x7f, 0x3f};
    struct embeddings e;
    struct buf body;

    (void)state;
    buf_init(&body, 1024);
    buf_adds(&body, "{\"data\":[{\"index\":0,\"embedding\":\"");
    text_base64(&body, bytes, sizeof(bytes));
    buf_adds(&body, "\"}]}");
    expect_embeddings(buf_cstr(&body), 1, want, -1);
    buf_clear(&body);
    text_base64(&body, odd, sizeof(odd));
    assert_string_equal(buf_cstr(&body), "//9/P///fz8=");
    assert_int_equal(read_embeddings("{\"data\":[{\"embedding\":"
                                     "\"\\/\\/9\\/P\\/\\/\\/fz8=\"}]}",
                                     &e),
                     OK);
    assert_true(e.values[0] == e.values[1] && e.values[0] < 1 &&
                e.values[0] > 0.99f);
    embeddings_release(&e);
    buf_release(&body);
}

static void
what_are_no_embeddings_is_not_understood(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "<html>",
        "{\"data\":[]}",
        "{\"data\":null}",
        "{\"data\":[{}]}",
        "{\"data\":[{\"index\":0}]}",
        "{\"data\":[{\"embedding\":[]}]}",
        "{\"data\":[{\"embedding\":null}]}",
        "{\"data\":[{\"embedding\":\"\"}]}",
        "{\"data\":[{\"embedding\":\"AAA=\"}]}",
        "{\"data\":[{\"embedding\":\"AAAA\"}]}",
        "{\"data\":[{\"embedding\":\"AACA\\u002f\"}]}",
        "{\"data\":[{\"embedding\":\"AADAfw==\"}]}", /* not a number */
        "{\"data\":[{\"embedding\":[1e999]}]}",
        "{\"data\":[{\"embedding\":[1e39]}]}",
        "{\"data\":[{\"embedding\":[\"1\"]}]}",
        "{\"data\":[{\"embedding\":[1,]}]}",
        "{\"data\":[{\"embedding\":[1],\"embedding\":[1]}]}",
        "{\"data\":[{\"embedding\":[1]},{\"embedding\":[1,2]}]}",
        "{\"data\":[{\"index\":1,\"embedding\":[1]}]}",
        "{\"data\":[{\"index\":-1,\"embedding\":[1]}]}",
        "{\"data\":[{\"index\":0.5,\"embedding\":[1]}]}",
        ("{\"data\":[{\"index\":0,\"embedding\":[1]},"
         "{\"index\":0,\"embedding\":[1]}]}"),
        "{\"data\":[{\"embedding\":[1]}],\"data\":[{\"embedding\":[1]}]}",
        "{\"data\":[{\"embedding\":[1]}]} x",
        "{\"data\":[{\"embedding\":[1]}]",
        "{\"error\":{\"message\":\"m\"}}",
    };
    struct embeddings e;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++) {
        if (read_embeddings(bad[i], &e) == OK)
            fail_msg("understood: %s", bad[i]);
    }
}

/* One row of n numbers, or n rows of one. */
static enum err
read_many(size_t n, bool rows)
{
    struct embeddings e;
    struct buf body;
    enum err err;
    size_t i;

    buf_init(&body, 1024 * 1024);
    buf_adds(&body, "{\"data\":[{\"embedding\":[1");
    for (i = 1; i < n; i++)
        buf_adds(&body, rows ? "]},{\"embedding\":[1" : ",1");
    buf_adds(&body, "]}]}");
    err = read_embeddings(buf_cstr(&body), &e);
    if (err == OK)
        assert_int_equal(rows ? e.n : e.dimensions, n);
    embeddings_release(&e);
    buf_release(&body);
    return err;
}

static void
rows_and_dimensions_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(read_many(2048, true), OK);
    assert_int_equal(read_many(2049, true), ERR_UPSTREAM);
    assert_int_equal(read_many(EMBED_DIMENSIONS_MAX, false), OK);
    assert_int_equal(read_many(EMBED_DIMENSIONS_MAX + 1, false), ERR_UPSTREAM);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_asked_for),
        cmocka_unit_test(models_are_listed),
        cmocka_unit_test(what_is_no_list_is_not_understood),
        cmocka_unit_test(embeddings_are_asked_for),
        cmocka_unit_test(what_cannot_be_embedded_is_refused),
        cmocka_unit_test(rows_are_in_the_order_of_the_texts),
        cmocka_unit_test(base64_rows_are_little_endian_floats),
        cmocka_unit_test(what_are_no_embeddings_is_not_understood),
        cmocka_unit_test(rows_and_dimensions_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
