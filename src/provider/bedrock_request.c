/*
 * Requests to Bedrock: where they go and who they are from. A chat is asked by
 * Converse, or by InvokeModel with Claude's own body if the account says so
 * and the model's name says Claude; what else the account serves knows only
 * Converse.
 *
 * With an access key a request is signed (provider/sigv4.h); else the
 * account's key goes as a bearer token, and without one nothing is said, for
 * gateways that sign by themselves. The body is complete before it is signed.
 *
 * A model's id or ARN is one segment of the path: ':' and '/' are escaped. The
 * host that is signed is the one that curl will name: without the usual port.
 */
#include "base/base.h"

#include "provider/bedrock.h"

#include "base/text.h"
#include "provider/anthropic.h"
#include "provider/sigv4.h"
#include "provider/wire.h"

#define MODEL_MAX 1024 /* bytes; ids and ARNs have some 100 */
#define PATH_MAX_LEN (3 * MODEL_MAX + 64)
#define HOST_MAX 256           /* bytes with port */
#define REGION_MAX 64          /* bytes with NUL */
#define AUTHORIZATION_MAX 8192 /* bytes */

static const char json_type[] = "application/json";
static const char address_hint[] = "Check BEDROCK_BASE_URL.";
static const char key_hint[] =
    "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN or "
    "AWS_BEARER_TOKEN_BEDROCK.";
static const char stream_type[] = "application/vnd.amazon.eventstream";

static enum err
bad_address(struct problem *why)
{
    return problem_set(why, ERR_BADREQ, "provider_address",
                       "The provider's address is not usable", "%s",
                       address_hint);
}

static enum err
bad_key(struct problem *why)
{
    return problem_set(why, ERR_BADREQ, "provider_key",
                       "The provider's key cannot be sent", "%s", key_hint);
}

/* --- addresses ---------------------------------------------------------- */

/* The parts of a URL that are signed. */
struct place {
    char host[HOST_MAX]; /* as the Host header has it */
    const char *path;    /* in the URL; "" is "/" */
};

static enum err
find_place(const char *url, struct place *out)
{
    const char *s = strstr(url, "://"), *at;
    const char *usual = text_istarts(url, "https:") ? ":443" : ":80";
    size_t n;

    if (s == NULL)
        return ERR_BADREQ;
    s += 3;
    n = strcspn(s, "/?#");
    out->path = s + n;
    at = memrchr(s, '@', n);
    if (at != NULL) {
        n -= (size_t)(at + 1 - s);
        s = at + 1;
    }
    if (n > strlen(usual) &&
        memcmp(s + n - strlen(usual), usual, strlen(usual)) == 0)
        n -= strlen(usual);
    if (n == 0 || n >= sizeof(out->host))
        return ERR_BADREQ;
    memcpy(out->host, s, n);
    out->host[n] = '\0';
    return *out->path == '/' || *out->path == '\0' ? OK : ERR_BADREQ;
}

/* The region in bedrock-runtime.REGION.amazonaws.com; "" if it is not that. */
static void
region_of_host(const char *host, char *out, size_t size)
{
    const char *dot = strchr(host, '.');
    size_t n = dot != NULL ? strcspn(dot + 1, ".:") : 0;

    out[0] = '\0';
    if (!text_istarts(host, "bedrock") || dot == NULL || n >= size ||
        dot[1 + n] != '.')
        return;
    memcpy(out, dot + 1, n);
    out[n] = '\0';
}

enum err
bedrock_url(struct upstream_request *out, const struct account *acc,
            const char *model, const char *action, struct problem *why)
{
    size_t n = strlen(model);
    struct buf path;
    enum err e;

    if (n == 0 || n > MODEL_MAX || strcmp(model, ".") == 0 ||
        strcmp(model, "..") == 0)
        return problem_set(why, ERR_BADREQ, NULL,
                           "The model's name cannot be sent",
                           "Name a model id, an inference profile or an ARN.");
    buf_init(&path, PATH_MAX_LEN);
    buf_adds(&path, "/model/");
    text_percent(&path, model, n);
    buf_addc(&path, '/');
    buf_adds(&path, action);
    e = wire_url(out, acc->base_url, buf_cstr(&path), address_hint, why);
    buf_release(&path);
    return e;
}

/* --- who asks ----------------------------------------------------------- */

static const char *
or_empty(const char *s)
{
    return s != NULL ? s : "";
}

static enum err
add_signature(struct upstream_request *out, const struct account_aws *aws,
              const struct place *place, const char *region, int64_t now_ms,
              struct problem *why)
{
    const struct sigv4_header type = {"content-type", json_type};
    struct sigv4_request q = {
        .method = out->method,
        .host = place->host,
        .path = place->path,
        .query = "",
        .headers = &type,
        .n_headers = out->body.len > 0,
        .body = out->body.data,
        .body_len = out->body.len,
        .region = region,
        .service = "bedrock",
        .access_key = aws->access_key,
        .secret_key = aws->secret_key,
        .session_token = or_empty(aws->session_token),
        .now_ms = now_ms,
    };
    char date[SIGV4_DATE_LEN];
    struct buf value;
    enum err e;

    buf_init(&value, AUTHORIZATION_MAX);
    if (sigv4_sign(&q, &value, date) != OK ||
        upstream_request_header(out, "X-Amz-Date", date) != OK) {
        buf_release(&value);
        return bad_key(why);
    }
    e = wire_secret(out, "X-Amz-Security-Token", "", q.session_token, key_hint,
                    why);
    if (e == OK)
        e = wire_secret(out, "Authorization", "", buf_cstr(&value), key_hint,
                        why);
    buf_release(&value);
    return e;
}

/* The region of the settings, else the one in the host's name. */
static enum err
sign(struct upstream_request *out, const struct account_aws *aws,
     int64_t now_ms, struct problem *why)
{
    const char *region = or_empty(aws->region);
    char from_host[REGION_MAX];
    struct place place;

    if (find_place(out->url, &place) != OK)
        return bad_address(why);
    if (or_empty(aws->secret_key)[0] == '\0')
        return bad_key(why);
    region_of_host(place.host, from_host, sizeof(from_host));
    if (region[0] == '\0')
        region = from_host;
    if (region[0] == '\0')
        return problem_set(why, ERR_BADREQ, "provider_region",
                           "The provider's region is not known",
                           "Set AWS_REGION.");
    return add_signature(out, aws, &place, region, now_ms, why);
}

enum err
bedrock_send(struct upstream_request *out, const struct account *acc,
             const char *accept, int64_t now_ms, struct problem *why)
{
    const struct account_aws *aws = acc->aws;
    bool post = out->body.len > 0;
    enum err e;

    out->method = post ? "POST" : "GET";
    e = upstream_request_header(out, "Accept", accept);
    if (e == OK && post)
        e = upstream_request_header(out, "Content-Type", json_type);
    if (e != OK)
        return bad_key(why);
    if (aws != NULL && or_empty(aws->access_key)[0] != '\0')
        return sign(out, aws, now_ms, why);
    return wire_secret(out, "Authorization", "Bearer ", acc->key, key_hint,
                       why);
}

/* --- a chat ------------------------------------------------------------- */

enum err
bedrock_build(const struct ask *ask, const struct account *acc,
              struct upstream_request *out, struct problem *why)
{
    static const char *const actions[2][2] = {
        {"converse-stream", "converse"},
        {"invoke-with-response-stream", "invoke"},
    };
    bool invoke = acc->aws != NULL && acc->aws->invoke &&
                  bedrock_is_claude(ask->model);
    enum err e;

    e = bedrock_url(out, acc, ask->model, actions[invoke][ask->whole], why);
    if (e == OK)
        e = invoke ? anthropic_body(&out->body, ask, true, why)
                   : bedrock_body(&out->body, ask, why);
    if (e != OK)
        return e;
    return bedrock_send(out, acc, ask->whole ? json_type : stream_type,
                        ask->now_ms, why);
}
