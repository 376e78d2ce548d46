/*
 * What a provider's error means for the user, in our words. The provider's
 * own text is looked at, but never shown: it can repeat the key, the prompt,
 * or details of somebody's account.
 *
 * Servers that speak this wire agree on little here. Seen: {error:{message,
 * type, code}} with code a word, a number or null; {error:"text"};
 * {message}; {detail}; the same in an array of one; HTML. The status decides,
 * words refine it, and anything unknown is just its status.
 */
#include "base/base.h"

#include "provider/openai.h"

#include "base/json.h"

#define WAIT_DEFAULT_S 10 /* when a limit is hit and no wait is said */

enum meaning {
    MEANS_AUTH,
    MEANS_FORBIDDEN,
    MEANS_MODEL,
    MEANS_QUOTA,
    MEANS_LIMIT,
    MEANS_CONTEXT,
    MEANS_REJECTED,
    MEANS_FAILED,
    MEANS_ERROR,
    MEANS__MAX
};

static const struct {
    enum err err;
    int status;
    bool retryable;
    const char *code, *error, *message;
} meanings[MEANS__MAX] = {
    [MEANS_AUTH] = {ERR_UPSTREAM, 502, false, "provider_auth",
                    "The provider refused the key",
                    "Check the provider's API key in the settings."},
    [MEANS_FORBIDDEN] =
        {ERR_UPSTREAM, 502, false, "provider_forbidden",
         "The provider does not allow this",
         "The key may lack a right, or the model is not open to it."},
    [MEANS_MODEL] = {ERR_UPSTREAM, 502, false, "model_not_found",
                     "The provider does not know this model",
                     "Check the model's name and the provider's base URL."},
    [MEANS_QUOTA] = {ERR_UPSTREAM, 502, false, "provider_quota",
                     "The provider's account is out of credit",
                     "Add credit to the account, or use another provider."},
    [MEANS_LIMIT] = {ERR_LIMIT, 429, true, "provider_rate_limited",
                     "The provider is asked too often",
                     "Wait a moment, then try again."},
    [MEANS_CONTEXT] =
        {ERR_IMPOSSIBLE, 422, false, "context_too_long",
         "The conversation is too long for this model",
         "Shorten the message, clear the session, or use another model."},
    [MEANS_REJECTED] =
        {ERR_UPSTREAM, 502, false, "provider_rejected",
         "The provider rejected the request",
         "The model may not support an option that was asked for."},
    [MEANS_FAILED] = {ERR_UPSTREAM, 502, true, "provider_failed",
                      "The provider failed",
                      "Nothing is wrong with the message. Try again later."},
    [MEANS_ERROR] = {ERR_UPSTREAM, 502, true, "provider_error",
                     "The provider reported an error",
                     "Try again; if it stays, try another model."},
};

/* The words of type and code that say more than the status. */
static const struct {
    const char *word;
    enum meaning meaning;
} words[] = {
    {"insufficient_quota", MEANS_QUOTA},
    {"credit_balance_exhausted", MEANS_QUOTA},
    {"billing_hard_limit_reached", MEANS_QUOTA},
    {"billing_not_active", MEANS_QUOTA},
    {"context_length_exceeded", MEANS_CONTEXT},
    {"exceed_context_size_error", MEANS_CONTEXT},
    {"string_above_max_length", MEANS_CONTEXT},
    {"invalid_api_key", MEANS_AUTH},
    {"authentication_error", MEANS_AUTH},
    {"model_not_found", MEANS_MODEL},
    {"rate_limit_exceeded", MEANS_LIMIT},
    {"rate_limit_error", MEANS_LIMIT},
};

/* Phrases in the text of servers that have no word for it. */
static const char *const context_phrases[] = {
    "maximum context length",
    "context length",
    "context window",
    "context size",
};

/* What of an error body is looked at. Borrowed from the tree. */
struct said {
    const char *type, *code, *text; /* NULL: not there */
    int status;                     /* code, if it is a number */
};

static struct said
read_body(const cJSON *o)
{
    struct said s = {0};
    const cJSON *in;
    int64_t status;

    if (o != NULL && cJSON_IsArray(o))
        o = o->child;
    in = json_obj(o, "error");
    if (in == NULL)
        in = o;
    s.type = json_str(in, "type");
    s.code = json_str(in, "code");
    s.text = json_str(in, "message");
    if (s.text == NULL)
        s.text = json_str(o, "error");
    if (s.text == NULL)
        s.text = json_str(o, "detail");
    status = json_i64(in, "code", 0);
    if (status >= 400 && status <= 599)
        s.status = (int)status;
    return s;
}

static bool
by_word(const char *word, enum meaning *out)
{
    size_t i;

    for (i = 0; word != NULL && i < COUNT_OF(words); i++) {
        if (strcmp(word, words[i].word) == 0) {
            *out = words[i].meaning;
            return true;
        }
    }
    return false;
}

static bool
speaks_of_context(const char *text)
{
    size_t i;

    for (i = 0; text != NULL && i < COUNT_OF(context_phrases); i++) {
        if (strcasestr(text, context_phrases[i]) != NULL)
            return true;
    }
    return false;
}

static enum meaning
by_status(int status, const char *text)
{
    switch (status) {
    case 0: return speaks_of_context(text) ? MEANS_CONTEXT : MEANS_ERROR;
    case 401: return MEANS_AUTH;
    case 402: return MEANS_QUOTA;
    case 403: return MEANS_FORBIDDEN;
    case 404: return MEANS_MODEL;
    case 413: return MEANS_CONTEXT;
    case 408:
    case 409: return MEANS_FAILED;
    case 429: return MEANS_LIMIT;
    default: break;
    }
    if (status >= 500)
        return MEANS_FAILED;
    return speaks_of_context(text) ? MEANS_CONTEXT : MEANS_REJECTED;
}

/* A word is believed where it refines the status; a server that failed has
 * failed, whatever it says. */
static enum meaning
meaning_of(const struct said *s, int status)
{
    enum meaning m;

    if (status < 500 && (by_word(s->code, &m) || by_word(s->type, &m)))
        return m;
    if (by_word(s->code, &m) && m == MEANS_QUOTA)
        return m;
    return by_status(status, s->text);
}

static int
wait_s(const struct upstream_head *head)
{
    if (head == NULL || head->retry_after_ms < 0)
        return WAIT_DEFAULT_S;
    return head->retry_after_ms < 1000
               ? 1
               : (int)((head->retry_after_ms + 999) / 1000);
}

void
openai_error(const struct upstream_head *head, const char *body, size_t n,
             struct provider_error *out)
{
    cJSON *tree = n > 0 ? json_parse_lenient(body, n) : NULL;
    struct said said = read_body(tree);
    int status = head != NULL ? head->status : said.status;
    enum meaning m = meaning_of(&said, status);

    cJSON_Delete(tree);
    memset(out, 0, sizeof(*out));
    (void)problem_set(&out->problem, meanings[m].err, meanings[m].code,
                      meanings[m].error, "%s", meanings[m].message);
    out->problem.status = meanings[m].status;
    out->problem.retryable = meanings[m].retryable;
    out->money = m == MEANS_QUOTA;
    if (m == MEANS_LIMIT ||
        (head != NULL && head->retry_after_ms >= 0 && meanings[m].retryable))
        out->problem.retry_after_s = wait_s(head);
}
