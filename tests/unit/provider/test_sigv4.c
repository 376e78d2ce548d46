/*
 * Tests of provider/sigv4.c. The first table is AWS's published test suite for
 * Signature Version 4 (aws4_testsuite; AKIDEXAMPLE, 2015-08-30, us-east-1,
 * "service"). The second holds requests as Bedrock gets them, with the
 * signatures that AWS's SDK for JavaScript (@smithy/signature-v4 5) makes for
 * them; the first was checked against botocore 1.43 too.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/text.h"
#include "provider/sigv4.h"

#define KEY_ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define WHEN_MS INT64_C(1440938160000) /* 2015-08-30T12:36:00Z */
#define TOKEN                                                                  \
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKW" \
    "HGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4" \
    "IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE" \
    "8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yj" \
    "c8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

struct vector {
    const char *name;
    const char *method, *host, *path, *query; /* NULL: the usual */
    struct sigv4_header headers[4];
    const char *body, *token, *region, *service; /* NULL: the usual */
    const char *signature;
};

static const struct vector published[] = {
    {.name = "get-header-key-duplicate",
     .headers = {{"My-Header1", "value2"},
                 {"My-Header1", "value2"},
                 {"My-Header1", "value1"}},
     .signature = "c9d5ea9f3f72853aea855b47ea873832"
                  "890dbdd183b4468f858259531a5138ea"},
    {.name = "get-header-value-order",
     .headers = {{"My-Header1", "value4"},
                 {"My-Header1", "value1"},
                 {"My-Header1", "value3"},
                 {"My-Header1", "value2"}},
     .signature = "08c7e5a9acfcfeb3ab6b2185e75ce8b1"
                  "deb5e634ec47601a50643f830c755c01"},
    {.name = "get-header-value-trim",
     .headers = {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
     .signature = "acc3ed3afb60bb290fc8d2dd0098b991"
                  "1fcaa05412b367055dee359757a9c736"},
    {.name = "get-unreserved",
     .path = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
             "xyz",
     .signature = "07ef7494c76fa4850883e2b006601f94"
                  "0f8a34d404d0cfa977f52a65bbf5f24f"},
    {.name = "get-vanilla",
     .signature = "5fa00fa31553b73ebf1942676e86291e"
                  "8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-vanilla-empty-query-key",
     .query = "Param1=value1",
     .signature = "a67d582fa61cc504c4bae71f336f98b9"
                  "7f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {.name = "get-vanilla-query",
     .signature = "5fa00fa31553b73ebf1942676e86291e"
                  "8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-vanilla-query-order-key",
     .query = "Param1=value2&Param1=Value1",
     .signature = "eedbc4e291e521cf13422ffca22be7d2"
                  "eb8146eecf653089df300a15b2382bd1"},
    {.name = "get-vanilla-query-order-key-case",
     .query = "Param2=value2&Param1=value1",
     .signature = "b97d918cfa904a5beff61c982a1b6f45"
                  "8b799221646efd99d3219ec94cdf2500"},
    {.name = "get-vanilla-query-order-value",
     .query = "Param1=value2&Param1=value1",
     .signature = "5772eed61e12b33fae39ee5e7012498b"
                  "51d56abc0abb7c60486157bd471c4694"},
    {.name = "get-vanilla-query-unreserved",
     .query = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
              "xyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"
              "tuvwxyz",
     .signature = "9c3e54bfcdf0b19771a7f523ee5669cd"
                  "f59bc7cc0884027167c21bb143a40197"},
    {.name = "get-vanilla-utf8-query",
     .query = "\341\210\264=bar",
     .signature = "2cdec8eed098649ff3a119c94853b13c"
                  "643bcf08f8b0a1d91e12c9027818dd04"},
    {.name = "post-header-key-case",
     .method = "POST",
     .signature = "5da7c1a2acd57cee7505fc6676e4e544"
                  "621c30862966e37dddb68e92efbe5d6b"},
    {.name = "post-header-key-sort",
     .method = "POST",
     .headers = {{"My-Header1", "value1"}},
     .signature = "c5410059b04c1ee005303aed430f6e66"
                  "45f61f4dc9e1461ec8f8916fdf18852c"},
    {.name = "post-header-value-case",
     .method = "POST",
     .headers = {{"My-Header1", "VALUE1"}},
     .signature = "cdbc9802e29d2942e5e10b5bccfdd67c"
                  "5f22c7c4e8ae67b53629efa58b974b7d"},
    {.name = "post-vanilla",
     .method = "POST",
     .signature = "5da7c1a2acd57cee7505fc6676e4e544"
                  "621c30862966e37dddb68e92efbe5d6b"},
    {.name = "post-vanilla-empty-query-value",
     .method = "POST",
     .query = "Param1=value1",
     .signature = "28038455d6de14eafc1f9222cf5aa6f1"
                  "a96197d7deb8263271d420d138af7f11"},
    {.name = "post-vanilla-query",
     .method = "POST",
     .query = "Param1=value1",
     .signature = "28038455d6de14eafc1f9222cf5aa6f1"
                  "a96197d7deb8263271d420d138af7f11"},
    {.name = "post-x-www-form-urlencoded",
     .method = "POST",
     .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
     .body = "Param1=value1",
     .signature = "ff11897932ad3f4e8b18135d722051e5"
                  "ac45fc38421b1da7b9d196a0fe09473a"},
    {.name = "post-x-www-form-urlencoded-parameters",
     .method = "POST",
     .headers = {{"Content-Type",
                  "application/x-www-form-urlencoded; charset=utf8"}},
     .body = "Param1=value1",
     .signature = "1a72ec8f64bd914b0e42e42607c7fbce"
                  "7fb2c7465f63e3092b3b0d39fa77a6fe"},
    {.name = "get-relative",
     .path = "/example/..",
     .signature = "5fa00fa31553b73ebf1942676e86291e"
                  "8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-relative-relative",
     .path = "/example1/example2/../..",
     .signature = "5fa00fa31553b73ebf1942676e86291e"
                  "8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-slash",
     .path = "//",
     .signature = "5fa00fa31553b73ebf1942676e86291e"
                  "8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-slash-dot-slash",
     .path = "/./",
     .signature = "5fa00fa31553b73ebf1942676e86291e"
                  "8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-slash-pointless-dot",
     .path = "/./example",
     .signature = "ef75d96142cf21edca26f06005da7988"
                  "e4f8dc83a165a80865db7089db637ec5"},
    {.name = "get-slashes",
     .path = "//example//",
     .signature = "9a624bd73a37c9a373b5312afbebe7a7"
                  "14a789de108f0bdfe846570885f57e84"},
    {.name = "post-sts-header-after",
     .method = "POST",
     .signature = "5da7c1a2acd57cee7505fc6676e4e544"
                  "621c30862966e37dddb68e92efbe5d6b"},
    {.name = "post-sts-header-before",
     .method = "POST",
     .token = TOKEN,
     .signature = "85d96828115b5dc0cfc3bd16ad9e210d"
                  "d772bbebba041836c64533a82be05ead"},
    {.name = "get-utf8",
     .path = "/\341\210\264",
     .signature = "8318018e0b0f223aa2bbf98705b62bb7"
                  "87dc9c0e678f255a891fd03141be5d85"},
    {.name = "get-space",
     .path = "/example space/",
     .signature = "652487583200325589f1fba4c7e578f7"
                  "2c47cb61beeca81406b39ddec1366741"},
};

#define JSON_TYPE                             \
    {                                         \
        {"Content-Type", "application/json"}, \
    }

static const struct vector bedrock[] = {
    {.name = "a colon in the model's id",
     .method = "POST",
     .host = "bedrock-runtime.us-east-1.amazonaws.com",
     .path = "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0"
             "/converse-stream",
     .headers = JSON_TYPE,
     .body = "{\"messages\":[]}",
     .service = "bedrock",
     .signature = "f71e3db385ee813b09e7946a1611908d"
                  "091de26622a86af06d1ed81be707e6c0"},
    {.name = "an ARN and a session",
     .method = "POST",
     .host = "bedrock-runtime.us-east-1.amazonaws.com",
     .path = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012"
             "%3Ainference-profile%2Fus.anthropic.claude-sonnet-4-20250514"
             "-v1%3A0/invoke",
     .headers = JSON_TYPE,
     .body = "{\"a\":\"\303\251\"}",
     .token = "AQoDYXdzEPT//////////wEXAMPLE==",
     .service = "bedrock",
     .signature = "098d97ecfdd9f63ec71a6312aca226a0"
                  "d51c83e9b6b568b6a3b11ab68872394e"},
    {.name = "the list of models",
     .host = "bedrock.eu-central-1.amazonaws.com",
     .path = "/foundation-models",
     .region = "eu-central-1",
     .service = "bedrock",
     .signature = "96fa9cbe1dadced594b91610f298e003"
                  "7df4f7b8284c3e834d0b73dd47764107"},
    {.name = "a port and a prefix",
     .method = "POST",
     .host = "127.0.0.1:4010",
     .path = "/prefix/model/amazon.nova-lite-v1%3A0/converse",
     .headers = JSON_TYPE,
     .body = "{}",
     .region = "us-west-2",
     .service = "bedrock",
     .signature = "0101c30f2cbd2f4e6a7a1c84a707847f"
                  "67802b81430ec5b081fc8d3cab9b9ccf"},
};

static const char *
or_else(const char *s, const char *otherwise)
{
    return s != NULL ? s : otherwise;
}

static struct sigv4_request
request_of(const struct vector *v)
{
    struct sigv4_request q = {
        .method = or_else(v->method, "GET"),
        .host = or_else(v->host, "example.amazonaws.com"),
        .path = or_else(v->path, "/"),
        .query = or_else(v->query, ""),
        .headers = v->headers,
        .body = v->body,
        .body_len = v->body != NULL ? strlen(v->body) : 0,
        .region = or_else(v->region, "us-east-1"),
        .service = or_else(v->service, "service"),
        .access_key = KEY_ID,
        .secret_key = SECRET,
        .session_token = or_else(v->token, ""),
        .now_ms = WHEN_MS,
    };

    while (q.n_headers < COUNT_OF(v->headers) &&
           v->headers[q.n_headers].name != NULL)
        q.n_headers++;
    return q;
}

static void
check(const struct vector *v)
{
    struct sigv4_request q = request_of(v);
    char date[SIGV4_DATE_LEN];
    const char *signature;
    struct buf out;

    buf_init(&out, 4096);
    assert_int_equal(sigv4_sign(&q, &out, date), OK);
    assert_string_equal(date, "20150830T123600Z");
    signature = strstr(buf_cstr(&out), "Signature=");
    assert_non_null(signature);
    if (strcmp(signature + 10, v->signature) != 0)
        fail_msg("%s: %s", v->name, buf_cstr(&out));
    buf_release(&out);
}

static void
the_published_vectors_are_signed_as_published(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(published); i++)
        check(&published[i]);
}

static void
bedrocks_requests_are_signed_as_by_the_sdk(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bedrock); i++)
        check(&bedrock[i]);
}

static void
the_header_names_key_scope_and_headers(void **state)
{
    struct sigv4_request q = request_of(&bedrock[1]);
    char date[SIGV4_DATE_LEN];
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    assert_int_equal(sigv4_sign(&q, &out, date), OK);
    assert_string_equal(
        buf_cstr(&out),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/bedrock/"
        "aws4_request, SignedHeaders=content-type;host;x-amz-date;"
        "x-amz-security-token, Signature=098d97ecfdd9f63ec71a6312aca226a0"
        "d51c83e9b6b568b6a3b11ab68872394e");
    buf_release(&out);
}

static void
the_path_is_encoded_once_more(void **state)
{
    struct sigv4_request q = request_of(&bedrock[0]);
    struct buf out, names;

    (void)state;
    buf_init(&out, 4096);
    buf_init(&names, 4096);
    assert_int_equal(sigv4_canonical(&q, "20150830T123600Z", &out, &names), OK);
    assert_string_equal(
        buf_cstr(&out),
        "POST\n"
        "/model/anthropic.claude-3-5-sonnet-20240620-v1%253A0/converse-stream"
        "\n\n"
        "content-type:application/json\n"
        "host:bedrock-runtime.us-east-1.amazonaws.com\n"
        "x-amz-date:20150830T123600Z\n"
        "\n"
        "content-type;host;x-amz-date\n"
        "5e4ce7b36ba37b78a5d5f9fd08e6b7b5"
        "4ba6879d651aa46ec9e1d6fa24ebe30a");
    assert_string_equal(buf_cstr(&names), "content-type;host;x-amz-date");
    buf_release(&out);
    buf_release(&names);
}

static void
what_cannot_be_signed_is_refused(void **state)
{
    struct sigv4_header many[SIGV4_HEADERS_MAX];
    struct sigv4_request q = request_of(&published[0]);
    char date[SIGV4_DATE_LEN];
    struct buf out;
    size_t i;

    (void)state;
    buf_init(&out, 4096);
    for (i = 0; i < COUNT_OF(many); i++)
        many[i] = (struct sigv4_header){"a", "b"};
    q.headers = many;
    q.n_headers = COUNT_OF(many);
    assert_int_equal(sigv4_sign(&q, &out, date), ERR_BADREQ);
    q.n_headers = COUNT_OF(many) - 2;
    assert_int_equal(sigv4_sign(&q, &out, date), OK);
    q.now_ms = -1;
    assert_int_equal(sigv4_sign(&q, &out, date), ERR_BADREQ);
    q.now_ms = INT64_MAX;
    assert_int_equal(sigv4_sign(&q, &out, date), ERR_BADREQ);
    buf_release(&out);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors_are_signed_as_published),
        cmocka_unit_test(bedrocks_requests_are_signed_as_by_the_sdk),
        cmocka_unit_test(the_header_names_key_scope_and_headers),
        cmocka_unit_test(the_path_is_encoded_once_more),
        cmocka_unit_test(what_cannot_be_signed_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
