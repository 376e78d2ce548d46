/*
 * What an error of Google's APIs means (provider/meaning.h): google.rpc.Status
 * as JSON, {error: {code, message, status, details}}, or an array of one such
 * object where a stream was asked for without alt=sse.
 *
 * The HTTP status decides, and inside a stream the code, which is the same
 * number. It is refined where Google is coarse: a bad key is a 400, and so is
 * a conversation that is too long; an account without money is a 429 like any
 * other limit. How long to wait is not in a header but in a detail of type
 * RetryInfo, as a protobuf Duration: "34.4s".
 */
#include "base/base.h"

#include "provider/gemini.h"

#include "base/text.h"
#include "provider/meaning.h"

#define WAIT_MAX_S 86400 /* a longer wait is a day */

/* What of an error body is looked at. Borrowed from the tree. */
struct said {
    int code;
    const char *status, *text; /* NULL: not there */
    const char *reason;        /* of ErrorInfo; NULL */
    int64_t wait_ms;           /* -1: not said */
};

/* A Duration in ms, rounded up; -1: it is none. */
static int64_t
duration_ms(const char *s)
{
    int64_t seconds = 0, ms = 0, scale = 100;
    bool more = false;

    if (s == NULL || *s < '0' || *s > '9')
        return -1;
    for (; *s >= '0' && *s <= '9'; s++) {
        if (seconds <= WAIT_MAX_S)
            seconds = seconds * 10 + (*s - '0');
    }
    if (*s == '.')
        s++;
    for (; *s >= '0' && *s <= '9'; s++, scale /= 10) {
        ms += scale * (*s - '0');
        more |= scale == 0 && *s != '0';
    }
    if (strcmp(s, "s") != 0)
        return -1;
    return seconds >= WAIT_MAX_S ? WAIT_MAX_S * 1000
                                 : seconds * 1000 + ms + more;
}

static void
read_detail(struct said *s, const cJSON *detail)
{
    const char *type = json_str(detail, "@type");

    if (type == NULL)
        return;
    if (strstr(type, "google.rpc.RetryInfo") != NULL)
        s->wait_ms = duration_ms(json_str(detail, "retryDelay"));
    else if (strstr(type, "google.rpc.ErrorInfo") != NULL)
        s->reason = json_str(detail, "reason");
}

static struct said
read_body(const cJSON *o)
{
    struct said s = {.wait_ms = -1};
    const cJSON *error, *detail;
    int64_t code;

    if (o != NULL && cJSON_IsArray(o))
        o = o->child;
    error = json_obj(o, "error");
    code = json_i64(error, "code", 0);
    if (code >= 400 && code <= 599)
        s.code = (int)code;
    s.status = json_str(error, "status");
    s.text = json_str(error, "message");
    if (error == NULL)
        s.text = json_str(o, "error");
    cJSON_ArrayForEach(detail, json_arr(error, "details"))
        read_detail(&s, detail);
    return s;
}

/* For an error without a number: google.rpc.Code's names. */
static int
code_of(const char *status)
{
    static const struct {
        const char *name;
        int code;
    } names[] = {
        {"INVALID_ARGUMENT", 400},   {"FAILED_PRECONDITION", 400},
        {"UNAUTHENTICATED", 401},    {"PERMISSION_DENIED", 403},
        {"NOT_FOUND", 404},          {"ABORTED", 409},
        {"RESOURCE_EXHAUSTED", 429}, {"INTERNAL", 500},
        {"UNAVAILABLE", 503},        {"DEADLINE_EXCEEDED", 504},
    };
    size_t i;

    for (i = 0; status != NULL && i < COUNT_OF(names); i++) {
        if (strcmp(status, names[i].name) == 0)
            return names[i].code;
    }
    return 0;
}

static bool
says(const char *text, const char *phrase)
{
    return text != NULL && strcasestr(text, phrase) != NULL;
}

static enum meaning
meaning_of(const struct said *s, int code)
{
    if (code == 400) {
        if (s->reason != NULL && text_starts(s->reason, "API_KEY_INVALID"))
            return MEANS_AUTH;
        if (says(s->text, "API key not valid") ||
            says(s->text, "API key expired"))
            return MEANS_AUTH;
        if (says(s->text, "input token count") || meaning_is_context(s->text))
            return MEANS_CONTEXT;
        if (s->status != NULL && strcmp(s->status, "FAILED_PRECONDITION") == 0)
            return MEANS_FORBIDDEN; /* not from this country, or not unpaid */
    }
    if (code == 429 && (says(s->text, "credits are depleted") ||
                        says(s->text, "spending cap")))
        return MEANS_MONEY;
    return meaning_of_status(code);
}

void
gemini_error(const struct upstream_head *head, const char *body, size_t n,
             struct provider_error *out)
{
    cJSON *tree = n > 0 ? json_parse_mended(body, n) : NULL;
    struct said said = read_body(tree);
    int code = said.code != 0 ? said.code : code_of(said.status);
    enum meaning m = meaning_of(&said, head != NULL ? head->status : code);

    meaning_error(m, head, said.wait_ms, out);
    cJSON_Delete(tree);
}
