/*
 * What an error of Bedrock means (provider/meaning.h).
 *
 * The exception's name is in the header x-amzn-ErrorType, in the frame's
 * :exception-type, or in "__type" or "code" of the body, where a namespace may
 * stand before a '#'. Frames write it with a small first letter. The body is
 * {"message"}, or {"Message"} from AWS's front door. Names and statuses are
 * those of the service model bedrock-runtime 2023-09-30 and of the common
 * errors in the AWS documentation.
 *
 * ValidationException is said of many things; only its text tells a name of a
 * model, a conversation that is too long, and the rest apart.
 */
#include "base/base.h"

#include "provider/bedrock.h"

#include "base/json.h"
#include "base/text.h"
#include "provider/meaning.h"

/* Names without "Exception" at the end. */
static const struct {
    const char *name;
    enum meaning meaning;
} names[] = {
    {"UnrecognizedClient", MEANS_AUTH},
    {"InvalidSignature", MEANS_AUTH},
    {"SignatureDoesNotMatch", MEANS_AUTH},
    {"IncompleteSignature", MEANS_AUTH},
    {"InvalidClientTokenId", MEANS_AUTH},
    {"ExpiredToken", MEANS_AUTH},
    {"RequestExpired", MEANS_AUTH},
    {"MissingAuthenticationToken", MEANS_AUTH},
    {"NotAuthorized", MEANS_FORBIDDEN},
    {"AccessDenied", MEANS_FORBIDDEN},
    {"OptInRequired", MEANS_FORBIDDEN},
    {"ResourceNotFound", MEANS_MODEL},
    {"Throttling", MEANS_LIMIT},
    {"ServiceQuotaExceeded", MEANS_LIMIT},
    {"ModelNotReady", MEANS_FAILED},
    {"ModelTimeout", MEANS_FAILED},
    {"ModelError", MEANS_FAILED},
    {"ModelStreamError", MEANS_FAILED},
    {"InternalServer", MEANS_FAILED},
    {"InternalFailure", MEANS_FAILED},
    {"ServiceUnavailable", MEANS_FAILED},
    {"Validation", MEANS_REJECTED},
};

/* Phrases that tell more: of what was thought before, what it is. */
static const struct {
    const char *phrase;
    enum meaning before, meaning;
} phrases[] = {
    {"is too long", MEANS_REJECTED, MEANS_CONTEXT}, /* "Input", "prompt" */
    {"too many input tokens", MEANS_REJECTED, MEANS_CONTEXT},
    {"model identifier is invalid", MEANS_REJECTED, MEANS_MODEL},
    {"on-demand throughput", MEANS_REJECTED, MEANS_MODEL}, /* wants an
                                                        inference profile */
    {"end of its life", MEANS_REJECTED, MEANS_MODEL},
    {"Operation not allowed", MEANS_REJECTED, MEANS_FORBIDDEN},
    {"INVALID_PAYMENT_INSTRUMENT", MEANS_FORBIDDEN, MEANS_MONEY},
    {"Authentication failed", MEANS_FORBIDDEN, MEANS_AUTH},
    {"API Key", MEANS_FORBIDDEN, MEANS_AUTH},
    {"bearer token", MEANS_FORBIDDEN, MEANS_AUTH},
    {"security token", MEANS_FORBIDDEN, MEANS_AUTH},
};

static bool
by_name(const char *name, enum meaning *out)
{
    static const char suffix[] = "Exception";
    const char *hash = name != NULL ? strrchr(name, '#') : NULL;
    size_t i, n;

    if (name == NULL)
        return false;
    if (hash != NULL)
        name = hash + 1;
    n = strcspn(name, ":");
    if (n > strlen(suffix) &&
        text_ieqn(name + n - strlen(suffix), strlen(suffix), suffix))
        n -= strlen(suffix);
    for (i = 0; i < COUNT_OF(names); i++) {
        if (text_ieqn(name, n, names[i].name)) {
            *out = names[i].meaning;
            return true;
        }
    }
    return false;
}

/* A rejection without a name, inside a reply, is an error like any other. */
static enum meaning
by_text(enum meaning m, const char *text)
{
    enum meaning before = m == MEANS_ERROR ? MEANS_REJECTED : m;
    size_t i;

    for (i = 0; text != NULL && i < COUNT_OF(phrases); i++) {
        if (phrases[i].before == before &&
            strcasestr(text, phrases[i].phrase) != NULL)
            return phrases[i].meaning;
    }
    return before == MEANS_REJECTED && meaning_is_context(text) ? MEANS_CONTEXT
                                                                : m;
}

static void
explain(const struct upstream_head *head, const char *name, const char *body,
        size_t n, struct provider_error *out)
{
    cJSON *tree = n > 0 ? json_parse_lenient(body, n) : NULL;
    const char *text = json_str(tree, "message");
    enum meaning m = meaning_of_status(head != NULL ? head->status : 0);

    if (text == NULL)
        text = json_str(tree, "Message");
    if (!by_name(name, &m) && !by_name(json_str(tree, "__type"), &m))
        (void)by_name(json_str(tree, "code"), &m);
    m = by_text(m, text);
    cJSON_Delete(tree);
    meaning_error(m, head, -1, out);
}

void
bedrock_error(const struct upstream_head *head, const char *body, size_t n,
              struct provider_error *out)
{
    explain(head, head != NULL ? head->error_type : NULL, body, n, out);
}

void
bedrock_exception(const char *type, const char *body, size_t n,
                  struct provider_error *out)
{
    explain(NULL, type, body, n, out);
}
