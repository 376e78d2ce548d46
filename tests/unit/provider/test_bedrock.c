/*
 * Tests of the Bedrock provider: where requests go and how they are signed,
 * what errors mean, limits, models, embeddings. What is asked is tested in
 * test_bedrock_body.c, replies in test_bedrock_replay.c.
 */
#include "base/base.h"

#include "asking.h"
#include "provider/bedrock.h"
#include "transcript.h"

#define BASE "https://bedrock-runtime.us-east-1.amazonaws.com"
#define MODEL "anthropic.claude-3-5-sonnet-20240620-v1:0"
#define WHEN_MS INT64_C(1440938160000) /* 2015-08-30T12:36:00Z */
#define CREDENTIAL "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/"
/* As AWS's SDK for JavaScript signs the same. */
#define SIGNATURE_PLAIN                \
    "0b780fe5e68fe10edee8a3db03aa55ab" \
    "0f11c309dde4c2eec2c9da1f427d1e3f"
#define SIGNATURE_SESSION              \
    "d53d3d27bb27340136c827e3f1e56ed8" \
    "cf9e5056a86a58bf598b9d0b012797d9"

static const struct account_aws keys = {
    .access_key = "AKIDEXAMPLE",
    .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    .session_token = "",
    .region = "us-east-1",
};
static const struct account account = {
    .base_url = BASE, .key = "", .aws = &keys};
static const struct ask_message hello = {ROLE_USER, TEXT("Hello")};

static struct ask
ask_hello(const char *model)
{
    struct ask a = ask_of(model, &hello, 1);

    a.now_ms = WHEN_MS;
    return a;
}

static void
build(struct upstream_request *q, const struct ask *a,
      const struct account *acc)
{
    struct problem why;

    upstream_request_init(q, ASKING_BODY_MAX);
    if (provider_bedrock.build(a, acc, q, &why) != OK)
        fail_msg("refused: %s %s", why.code, why.message);
}

static void
expect_url(const struct ask *a, const struct account *acc, const char *want)
{
    struct upstream_request q;

    build(&q, a, acc);
    assert_string_equal(q.url, want);
    assert_string_equal(q.method, "POST");
    upstream_request_release(&q);
}

/* --- where requests go -------------------------------------------------- */

static void
the_model_is_one_segment_of_the_path(void **state)
{
    struct ask a = ask_hello(MODEL);

    (void)state;
    expect_url(&a, &account,
               BASE "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0"
                    "/converse-stream");
    a.whole = true;
    expect_url(&a, &account,
               BASE "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0"
                    "/converse");
    a.model = "arn:aws:bedrock:us-east-1:1:inference-profile/us.x-v1:0";
    expect_url(&a, &account,
               BASE "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3A"
                    "inference-profile%2Fus.x-v1%3A0/converse");
    a.model = "a b\r\n?#../\xc3\xa9";
    expect_url(&a, &account,
               BASE "/model/a%20b%0D%0A%3F%23..%2F%C3%A9/converse");
}

static void
a_prefix_and_slashes_are_kept_apart(void **state)
{
    struct account acc = account;
    struct ask a = ask_hello("m");

    (void)state;
    acc.base_url = "http://127.0.0.1:4010/bedrock//";
    expect_url(&a, &acc,
               "http://127.0.0.1:4010/bedrock/model/m/converse-stream");
}

static void
only_claude_is_invoked(void **state)
{
    struct account_aws aws = keys;
    struct account acc = account;
    struct ask a = ask_hello("us." MODEL);
    struct upstream_request q;

    (void)state;
    aws.invoke = true;
    acc.aws = &aws;
    build(&q, &a, &acc);
    assert_string_equal(q.url, BASE "/model/us.anthropic.claude-3-5-sonnet-"
                                    "20240620-v1%3A0"
                                    "/invoke-with-response-stream");
    expect_body(&q, "{'anthropic_version':'bedrock-2023-05-31','max_tokens':"
                    "4096,'messages':[{'role':'user','content':[{'type':"
                    "'text','text':'Hello'}]}]}");
    upstream_request_release(&q);
    a.whole = true;
    build(&q, &a, &acc);
    assert_non_null(strstr(q.url, "-v1%3A0/invoke"));
    assert_string_equal(header_of(&q, "Accept"), "application/json");
    upstream_request_release(&q);
    a.model = "amazon.nova-lite-v1:0";
    expect_url(&a, &acc, BASE "/model/amazon.nova-lite-v1%3A0/converse");
}

static void
a_name_that_is_no_segment_is_refused(void **state)
{
    char longest[1025 + 1];
    const char *const bad[] = {"", ".", "..", longest};
    size_t i;

    (void)state;
    memset(longest, 'm', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    for (i = 0; i < COUNT_OF(bad); i++) {
        struct ask a = ask_hello(bad[i]);

        expect_refusal(&provider_bedrock, &a, &account, ERR_BADREQ, NULL);
    }
}

/* --- who asks ----------------------------------------------------------- */

static void
a_request_is_signed_with_what_is_sent(void **state)
{
    struct ask a = ask_hello(MODEL);
    struct upstream_request q;

    (void)state;
    build(&q, &a, &account);
    assert_true(q.http2);
    assert_string_equal(header_of(&q, "X-Amz-Date"), "20150830T123600Z");
    assert_string_equal(header_of(&q, "Content-Type"), "application/json");
    assert_string_equal(header_of(&q, "Accept"),
                        "application/vnd.amazon.eventstream");
    assert_null(header_of(&q, "X-Amz-Security-Token"));
    assert_string_equal(header_of(&q, "Authorization"), CREDENTIAL
                        "us-east-1/bedrock/aws4_request, "
                        "SignedHeaders=content-type;host;x-amz-date, "
                        "Signature=" SIGNATURE_PLAIN);
    upstream_request_release(&q);
}

static void
a_session_is_named_and_signed(void **state)
{
    struct account_aws aws = keys;
    struct account acc = account;
    struct ask a = ask_hello(MODEL);
    struct upstream_request q;

    (void)state;
    aws.session_token = "token/==";
    acc.aws = &aws;
    acc.key = "not used";
    build(&q, &a, &acc);
    assert_string_equal(header_of(&q, "X-Amz-Security-Token"), "token/==");
    assert_string_equal(header_of(&q, "Authorization"), CREDENTIAL
                        "us-east-1/bedrock/aws4_request, SignedHeaders="
                        "content-type;host;x-amz-date;x-amz-security-token, "
                        "Signature=" SIGNATURE_SESSION);
    upstream_request_release(&q);
}

/* The port is signed as curl sends it: not if it is the usual one. */
static void
the_host_is_signed_as_it_is_sent(void **state)
{
    static const struct {
        const char *base, *same;
    } rows[] = {
        {"https://h.example:443", "https://h.example"},
        {"http://h.example:80/", "http://h.example"},
        {"http://user:pass@h.example", "http://h.example"},
        {"https://h.example/x", "https://h.example:443/x"},
    };
    struct account acc = account;
    struct ask a = ask_hello("m");
    struct upstream_request p, q;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        acc.base_url = rows[i].base;
        build(&p, &a, &acc);
        acc.base_url = rows[i].same;
        build(&q, &a, &acc);
        assert_string_equal(header_of(&p, "Authorization"),
                            header_of(&q, "Authorization"));
        upstream_request_release(&p);
        upstream_request_release(&q);
    }
    acc.base_url = "https://h.example:80";
    build(&p, &a, &acc);
    acc.base_url = "https://h.example";
    build(&q, &a, &acc);
    assert_string_not_equal(header_of(&p, "Authorization"),
                            header_of(&q, "Authorization"));
    upstream_request_release(&p);
    upstream_request_release(&q);
}

static void
the_region_is_said_or_in_the_host(void **state)
{
    struct account_aws aws = keys;
    struct account acc = account;
    struct ask a = ask_hello("m");
    struct upstream_request q;

    (void)state;
    acc.aws = &aws;
    aws.region = "eu-west-3";
    build(&q, &a, &acc);
    assert_non_null(strstr(header_of(&q, "Authorization"), "/eu-west-3/"));
    upstream_request_release(&q);
    aws.region = "";
    acc.base_url = "https://bedrock-runtime.ap-south-1.amazonaws.com";
    build(&q, &a, &acc);
    assert_non_null(strstr(header_of(&q, "Authorization"), "/ap-south-1/"));
    upstream_request_release(&q);
    acc.base_url = "https://gateway.example.com";
    expect_refusal(&provider_bedrock, &a, &acc, ERR_BADREQ, "provider_region");
    acc.base_url = "http://bedrock:4010";
    expect_refusal(&provider_bedrock, &a, &acc, ERR_BADREQ, "provider_region");
}

static void
without_access_keys_the_key_is_a_bearer(void **state)
{
    static const struct account_aws none = {
        .access_key = "", .secret_key = "", .session_token = "", .region = ""};
    struct account acc = {.base_url = BASE, .key = "ABSK-x", .aws = &none};
    struct ask a = ask_hello("m");
    struct upstream_request q;

    (void)state;
    build(&q, &a, &acc);
    assert_string_equal(header_of(&q, "Authorization"), "Bearer ABSK-x");
    assert_null(header_of(&q, "X-Amz-Date"));
    upstream_request_release(&q);
    acc.aws = NULL;
    build(&q, &a, &acc);
    assert_string_equal(header_of(&q, "Authorization"), "Bearer ABSK-x");
    upstream_request_release(&q);
    acc.key = "";
    build(&q, &a, &acc);
    assert_null(header_of(&q, "Authorization"));
    upstream_request_release(&q);
}

static void
keys_of_more_than_a_line_are_refused(void **state)
{
    struct account_aws aws = keys;
    struct account acc = account;
    struct ask a = ask_hello("m");

    (void)state;
    acc.aws = &aws;
    aws.secret_key = "";
    expect_refusal(&provider_bedrock, &a, &acc, ERR_BADREQ, "provider_key");
    aws = keys;
    aws.access_key = "A\nB: c";
    expect_refusal(&provider_bedrock, &a, &acc, ERR_BADREQ, "provider_key");
    aws = keys;
    aws.session_token = "A\r\nB: c";
    expect_refusal(&provider_bedrock, &a, &acc, ERR_BADREQ, "provider_key");
    acc.aws = NULL;
    acc.key = "A\nB: c";
    expect_refusal(&provider_bedrock, &a, &acc, ERR_BADREQ, "provider_key");
}

static void
addresses_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {"", "///", "h", "http://",
                                      "http://h?x=1"};
    struct account acc = account;
    struct ask a = ask_hello("m");
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++) {
        acc.base_url = bad[i];
        expect_refusal(&provider_bedrock, &a, &acc, ERR_BADREQ,
                       "provider_address");
    }
}

/* --- errors ------------------------------------------------------------- */

static const struct {
    int status;
    const char *type, *body, *code;
    enum fault fault;
} errors[] = {
    {400, "ValidationException", "{'message':'Malformed input request'}",
     "provider_rejected", FAULT_OTHER},
    {400, "ValidationException",
     "{'message':'Input is too long for requested model.'}", "context_too_long",
     FAULT_TOO_LONG},
    {400, "ValidationException",
     "{'message':'The model returned the following errors: prompt is too "
     "long: 210001 tokens > 200000 maximum'}",
     "context_too_long", FAULT_TOO_LONG},
    {400, "ValidationException",
     "{'message':'This model\\u0027s maximum context length is 8192'}",
     "context_too_long", FAULT_TOO_LONG},
    {400, "ValidationException",
     "{'message':'The provided model identifier is invalid.'}",
     "model_not_found", FAULT_MODEL},
    {400, "ValidationException",
     "{'message':'Invocation of model ID x with on-demand throughput isn\\u"
     "2019t supported. Retry your request with the ID or ARN of an "
     "inference profile that contains this model.'}",
     "model_not_found", FAULT_MODEL},
    {400, "ValidationException", "{'message':'Operation not allowed'}",
     "provider_forbidden", FAULT_KEY},
    {400, "ServiceQuotaExceededException", "{'message':'x'}",
     "provider_rate_limited", FAULT_OTHER},
    {403, "AccessDeniedException",
     "{'message':'You don\\u0027t have access to the model with the "
     "specified model ID.'}",
     "provider_forbidden", FAULT_KEY},
    {403, "AccessDeniedException",
     "{'message':'Model access is denied due to INVALID_PAYMENT_INSTRUMENT:"
     "A valid payment instrument must be provided.'}",
     "provider_quota", FAULT_MONEY},
    {403, "AccessDeniedException",
     "{'Message':'Authentication failed: Please make sure your API Key is "
     "valid.'}",
     "provider_auth", FAULT_KEY},
    {403, "UnrecognizedClientException",
     "{'message':'The security token included in the request is invalid.'}",
     "provider_auth", FAULT_KEY},
    {403, "InvalidSignatureException",
     "{'message':'The request signature we calculated does not match'}",
     "provider_auth", FAULT_KEY},
    {403, "ExpiredTokenException", "{'message':'expired'}", "provider_auth",
     FAULT_KEY},
    {403, "", "{'Message':'Bearer Token has expired'}", "provider_auth",
     FAULT_KEY},
    {404, "ResourceNotFoundException",
     "{'message':'Model use case details have not been submitted'}",
     "model_not_found", FAULT_MODEL},
    {408, "ModelTimeoutException", "{'message':'x'}", "provider_failed",
     FAULT_OTHER},
    {424, "ModelErrorException",
     "{'message':'x','originalStatusCode':500,'resourceName':'m'}",
     "provider_failed", FAULT_OTHER},
    {429, "ThrottlingException",
     "{'message':'Too many tokens, please wait before trying again.'}",
     "provider_rate_limited", FAULT_OTHER},
    {429, "ModelNotReadyException", "{'message':'x'}", "provider_failed",
     FAULT_OTHER},
    {500, "InternalServerException", "{'message':'x'}", "provider_failed",
     FAULT_OTHER},
    {503, "ServiceUnavailableException", "{'message':'x'}", "provider_failed",
     FAULT_OTHER},
    /* the name in the body, with and without a namespace */
    {400, "",
     "{'__type':'com.amazon.coral.availability#Throttling"
     "Exception','message':'Rate exceeded'}",
     "provider_rate_limited", FAULT_OTHER},
    {400, "", "{'code':'AccessDeniedException'}", "provider_forbidden",
     FAULT_KEY},
    /* no name at all */
    {400, "", "", "provider_rejected", FAULT_OTHER},
    {401, "", "<html>", "provider_auth", FAULT_KEY},
    {413, "", "{}", "context_too_long", FAULT_TOO_LONG},
    {502, "NewException", "{'message':7}", "provider_failed", FAULT_OTHER},
};

static void
errors_mean_what_their_names_say(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(errors); i++) {
        char *body = quoted(errors[i].body), line[128];
        struct upstream_head h;
        struct provider_error e;

        upstream_head_init(&h);
        h.status = errors[i].status;
        snprintf(line, sizeof(line), "x-amzn-ErrorType: %s:http://x/",
                 errors[i].type);
        upstream_head_line(&h, line, strlen(line), WHEN_MS);
        provider_bedrock.error(&h, body, strlen(body), &e);
        if (strcmp(e.problem.code, errors[i].code) != 0 ||
            e.fault != errors[i].fault)
            fail_msg("%d %s %s: %s", errors[i].status, errors[i].type, body,
                     e.problem.code);
        free(body);
    }
}

static void
exceptions_in_a_stream_have_small_letters(void **state)
{
    static const struct {
        const char *type, *code;
    } rows[] = {
        {"internalServerException", "provider_failed"},
        {"modelStreamErrorException", "provider_failed"},
        {"modelTimeoutException", "provider_failed"},
        {"serviceUnavailableException", "provider_failed"},
        {"throttlingException", "provider_rate_limited"},
        {"validationException", "provider_rejected"},
        {"somethingNew", "provider_error"},
        {"", "provider_error"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct provider_error e;

        bedrock_exception(rows[i].type, "{\"message\":\"m\"}", 15, &e);
        assert_string_equal(e.problem.code, rows[i].code);
    }
}

static void
the_providers_text_is_not_shown(void **state)
{
    struct provider_error e = error_of(&provider_bedrock, 400,
                                       "{'message':'key SECRET is wrong'}");

    (void)state;
    assert_null(strstr(e.problem.error, "SECRET"));
    assert_null(strstr(e.problem.message, "SECRET"));
}

/* --- limits ------------------------------------------------------------- */

static void
a_reply_in_one_piece_ends_at_its_limit(void **state)
{
    (void)state;
    expect_limit(&provider_bedrock, "{", 16 * 1024 * 1024);
}

static void
calls_without_end_are_garbage(void **state)
{
    struct bedrock_events *s = bedrock_events_new();
    struct transcript t;
    struct problem why = {.err = OK};
    enum err e = OK;
    char json[128];
    int i;

    (void)state;
    transcript_init(&t);
    for (i = 0; e == OK && i < 100000; i++) {
        snprintf(json, sizeof(json),
                 "{\"contentBlockIndex\":%d,\"start\":{\"toolUse\":{"
                 "\"toolUseId\":\"t\",\"name\":\"f\"}}}",
                 i);
        e = bedrock_event(s, "contentBlockStart", json, strlen(json),
                          transcript_part, &t, &why);
    }
    assert_int_equal(e, ERR_UPSTREAM);
    assert_string_equal(why.code, "provider_garbage");
    assert_int_equal(i, 256 + 1);
    transcript_release(&t);
    bedrock_events_free(s);
}

static void
a_signature_without_end_is_garbage(void **state)
{
    static const char begin[] =
        "{\"delta\":{\"reasoningContent\":{\"signature\":\"";
    static const char end[] = "\"}}}";
    struct bedrock_events *s = bedrock_events_new();
    struct problem why = {.err = OK};
    enum err e = OK;
    struct buf json;
    int i;

    (void)state;
    buf_init(&json, ASKING_BODY_MAX * 2);
    buf_adds(&json, begin);
    for (i = 0; i < 64 * 1024; i++)
        buf_adds(&json, "0123456789abcdef");
    buf_adds(&json, end);
    assert_int_equal(buf_status(&json), OK);
    for (i = 0; e == OK && i < 100; i++)
        e = bedrock_event(s, "contentBlockDelta", json.data, json.len, NULL,
                          NULL, &why);
    assert_int_equal(e, ERR_UPSTREAM);
    assert_int_equal(i, 5);
    buf_release(&json);
    bedrock_events_free(s);
}

/* --- models ------------------------------------------------------------- */

static void
models_are_listed_by_the_control_plane(void **state)
{
    static const struct {
        const char *base, *want;
    } rows[] = {
        {BASE, "https://bedrock.us-east-1.amazonaws.com/foundation-models"},
        {"https://bedrock-runtime-fips.us-west-2.amazonaws.com/",
         "https://bedrock-fips.us-west-2.amazonaws.com/foundation-models"},
        {"https://bedrock-runtime.cn-north-1.amazonaws.com.cn",
         "https://bedrock.cn-north-1.amazonaws.com.cn/foundation-models"},
        {"http://127.0.0.1:4010/x/",
         "http://127.0.0.1:4010/x/foundation-models"},
        {"https://bedrock-runtime.example.com",
         "https://bedrock-runtime.example.com/foundation-models"},
    };
    struct account acc = account;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct upstream_request q;
        struct problem why;

        acc.base_url = rows[i].base;
        upstream_request_init(&q, ASKING_BODY_MAX);
        assert_int_equal(
            provider_bedrock.models_build(&acc, "", WHEN_MS, &q, &why), OK);
        assert_string_equal(q.url, rows[i].want);
        assert_string_equal(q.method, "GET");
        assert_int_equal(q.body.len, 0);
        assert_null(header_of(&q, "Content-Type"));
        assert_non_null(strstr(header_of(&q, "Authorization"),
                               "SignedHeaders=host;x-amz-date, "));
        upstream_request_release(&q);
    }
    acc.base_url = "";
    {
        struct upstream_request q;
        struct problem why;

        upstream_request_init(&q, ASKING_BODY_MAX);
        assert_int_equal(
            provider_bedrock.models_build(&acc, "", WHEN_MS, &q, &why),
            ERR_BADREQ);
        upstream_request_release(&q);
    }
}

static void
models_that_can_be_asked_are_told(void **state)
{
    (void)state;
    expect_models(
        &provider_bedrock,
        "{'modelSummaries':["
        "{'modelArn':'arn:a','modelId':'amazon.nova-lite-v1:0',"
        "'outputModalities':['TEXT'],'inferenceTypesSupported':['ON_DEMAND']},"
        "{'modelId':'anthropic.claude-x-v1:0','outputModalities':['TEXT'],"
        "'inferenceTypesSupported':['INFERENCE_PROFILE']},"
        "{'modelId':'amazon.titan-embed-text-v2:0','outputModalities':"
        "['EMBEDDING'],'inferenceTypesSupported':['ON_DEMAND']},"
        "{'modelId':'amazon.nova-lite-v1:0:24k','outputModalities':['TEXT'],"
        "'inferenceTypesSupported':['PROVISIONED']},"
        "{'modelId':'stability.image','outputModalities':['IMAGE'],"
        "'inferenceTypesSupported':['ON_DEMAND']},"
        "{'modelId':'plain'},{'modelId':''},{'modelId':7},{},7,null]}",
        "amazon.nova-lite-v1:0 -1 -1 -1\n"
        "anthropic.claude-x-v1:0 -1 -1 -1\n"
        "amazon.titan-embed-text-v2:0 -1 -1 -1\n"
        "plain -1 -1 -1\n",
        "");
    expect_models(&provider_bedrock, "{'modelSummaries':[]}", "", "");
    expect_no_models(&provider_bedrock, "{'data':[]}");
    expect_no_models(&provider_bedrock, "");
    expect_no_models(&provider_bedrock, "<html>");
}

/* --- embeddings --------------------------------------------------------- */

static void
expect_embed(const char *model, int64_t dimensions, const char *url,
             const char *body)
{
    static const char *const texts[] = {"Hello"};
    struct embed_ask a = {.model = model,
                          .texts = texts,
                          .n_texts = 1,
                          .dimensions = dimensions,
                          .now_ms = WHEN_MS};
    struct upstream_request q;
    struct problem why;

    upstream_request_init(&q, ASKING_BODY_MAX);
    assert_int_equal(provider_bedrock.embed_build(&a, &account, &q, &why), OK);
    assert_string_equal(q.url, url);
    expect_body(&q, body);
    assert_non_null(header_of(&q, "Authorization"));
    upstream_request_release(&q);
    a.n_texts = 0;
    assert_int_equal(provider_bedrock.embed_build(&a, &account, &q, &why),
                     ERR_BADREQ);
    upstream_request_release(&q);
}

static void
embeddings_are_asked_in_the_familys_words(void **state)
{
    (void)state;
    assert_int_equal(provider_bedrock.embed_max, 1);
    expect_embed("amazon.titan-embed-text-v2:0", 0,
                 BASE "/model/amazon.titan-embed-text-v2%3A0/invoke",
                 "{'inputText':'Hello'}");
    expect_embed("amazon.titan-embed-text-v2:0", 256,
                 BASE "/model/amazon.titan-embed-text-v2%3A0/invoke",
                 "{'inputText':'Hello','dimensions':256}");
    expect_embed("cohere.embed-english-v3", 0,
                 BASE "/model/cohere.embed-english-v3/invoke",
                 "{'texts':['Hello'],'input_type':'search_document'}");
    expect_embed("us.cohere.embed-v4:0", 512,
                 BASE "/model/us.cohere.embed-v4%3A0/invoke",
                 "{'texts':['Hello'],'input_type':'search_document',"
                 "'output_dimension':512}");
}

static void
expect_row(const char *body, int64_t tokens)
{
    char *text = quoted(body);
    struct embeddings e = {.tokens = -1};
    struct problem why;

    assert_int_equal(provider_bedrock.embed_read(text, strlen(text), &e, &why),
                     OK);
    assert_int_equal(e.n, 1);
    assert_int_equal(e.dimensions, 3);
    assert_true(e.values[0] == 0.5f && e.values[1] == -0.25f &&
                e.values[2] == 1.0f);
    assert_int_equal(e.tokens, tokens);
    embeddings_release(&e);
    free(text);
}

static void
embeddings_are_read_in_all_shapes(void **state)
{
    (void)state;
    expect_row("{'embedding':[0.5,-0.25,1],'inputTextTokenCount':4}", 4);
    expect_row("{'embedding':[0.5,-0.25,1],'embeddingsByType':{'float':"
               "[0.5,-0.25,1]},'inputTextTokenCount':4}",
               4);
    expect_row("{'embeddings':[[0.5,-0.25,1]],'id':'x','texts':['hello'],"
               "'response_type':'embeddings_floats'}",
               -1);
    expect_row("{'embeddings':{'float':[[0.5,-0.25,1]]},'response_type':"
               "'embeddings_by_type'}",
               -1);
    expect_no_embeddings(&provider_bedrock, "{'embedding':[]}");
    expect_no_embeddings(&provider_bedrock, "{'embedding':['a']}");
    expect_no_embeddings(&provider_bedrock, "{'embedding':[1e39]}");
    expect_no_embeddings(&provider_bedrock, "{'embeddings':[]}");
    expect_no_embeddings(&provider_bedrock, "{'message':'x'}");
    expect_no_embeddings(&provider_bedrock, "");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_model_is_one_segment_of_the_path),
        cmocka_unit_test(a_prefix_and_slashes_are_kept_apart),
        cmocka_unit_test(only_claude_is_invoked),
        cmocka_unit_test(a_name_that_is_no_segment_is_refused),
        cmocka_unit_test(a_request_is_signed_with_what_is_sent),
        cmocka_unit_test(a_session_is_named_and_signed),
        cmocka_unit_test(the_host_is_signed_as_it_is_sent),
        cmocka_unit_test(the_region_is_said_or_in_the_host),
        cmocka_unit_test(without_access_keys_the_key_is_a_bearer),
        cmocka_unit_test(keys_of_more_than_a_line_are_refused),
        cmocka_unit_test(addresses_that_are_none_are_refused),
        cmocka_unit_test(errors_mean_what_their_names_say),
        cmocka_unit_test(exceptions_in_a_stream_have_small_letters),
        cmocka_unit_test(the_providers_text_is_not_shown),
        cmocka_unit_test(a_reply_in_one_piece_ends_at_its_limit),
        cmocka_unit_test(calls_without_end_are_garbage),
        cmocka_unit_test(a_signature_without_end_is_garbage),
        cmocka_unit_test(models_are_listed_by_the_control_plane),
        cmocka_unit_test(models_that_can_be_asked_are_told),
        cmocka_unit_test(embeddings_are_asked_in_the_familys_words),
        cmocka_unit_test(embeddings_are_read_in_all_shapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
