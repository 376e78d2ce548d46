/*
 * The meanings of errors and their words. The status decides where a provider
 * has no better word. Any thread; pure.
 */
#include "base/base.h"

#include "provider/meaning.h"

#define WAIT_DEFAULT_S 10 /* when a limit is hit and no wait is said */

static const struct {
    enum err err;
    enum fault fault;
    int status;
    bool retryable;
    const char *code, *error, *message;
} meanings[MEANS__MAX] = {
    [MEANS_AUTH] = {ERR_UPSTREAM, FAULT_KEY, 502, false, "provider_auth",
                    "The provider refused the key",
                    "Check the provider's API key in the settings."},
    [MEANS_FORBIDDEN] =
        {ERR_UPSTREAM, FAULT_KEY, 502, false, "provider_forbidden",
         "The provider does not allow this",
         "The key may lack a right, or the model is not open to it."},
    [MEANS_MODEL] = {ERR_UPSTREAM, FAULT_MODEL, 502, false, "model_not_found",
                     "The provider does not know this model",
                     "Check the model's name and the provider's base URL."},
    [MEANS_MONEY] = {ERR_UPSTREAM, FAULT_MONEY, 502, false, "provider_quota",
                     "The provider's account is out of credit",
                     "Add credit to the account, or use another provider."},
    [MEANS_LIMIT] = {ERR_LIMIT, FAULT_OTHER, 429, true, "provider_rate_limited",
                     "The provider is asked too often",
                     "Wait a moment, then try again."},
    [MEANS_CONTEXT] =
        {ERR_IMPOSSIBLE, FAULT_TOO_LONG, 422, false, "context_too_long",
         "The conversation is too long for this model",
         "Shorten the message, clear the session, or use another model."},
    [MEANS_REJECTED] =
        {ERR_UPSTREAM, FAULT_OTHER, 502, false, "provider_rejected",
         "The provider rejected the request",
         "The model may not support an option that was asked for."},
    [MEANS_FAILED] = {ERR_UPSTREAM, FAULT_OTHER, 502, true, "provider_failed",
                      "The provider failed",
                      "Nothing is wrong with the message. Try again later."},
    [MEANS_ERROR] = {ERR_UPSTREAM, FAULT_OTHER, 502, true, "provider_error",
                     "The provider reported an error",
                     "Try again; if it stays, try another model."},
};

/* Phrases in the text of servers that have no word for it. */
static const char *const context_phrases[] = {
    "maximum context length",
    "context length",
    "context window",
    "context size",
    /* Servers of Hugging Face's text-generation-inference. */
    "`inputs` must have less than",
    "`inputs` tokens + `max_new_tokens` must be",
};

bool
meaning_is_context(const char *text)
{
    size_t i;

    for (i = 0; text != NULL && i < COUNT_OF(context_phrases); i++) {
        if (strcasestr(text, context_phrases[i]) != NULL)
            return true;
    }
    return false;
}

enum meaning
meaning_of_status(int status)
{
    switch (status) {
    case 0: return MEANS_ERROR;
    case 401: return MEANS_AUTH;
    case 402: return MEANS_MONEY;
    case 403: return MEANS_FORBIDDEN;
    case 404: return MEANS_MODEL;
    case 413: return MEANS_CONTEXT;
    case 408:
    case 409: return MEANS_FAILED;
    case 429: return MEANS_LIMIT;
    default: return status >= 500 ? MEANS_FAILED : MEANS_REJECTED;
    }
}

static int64_t
said_wait_ms(const struct upstream_head *head, int64_t wait_ms)
{
    if (head != NULL && head->retry_after_ms >= 0)
        return head->retry_after_ms;
    return wait_ms;
}

void
meaning_error(enum meaning m, const struct upstream_head *head, int64_t wait_ms,
              struct provider_error *out)
{
    int64_t said = said_wait_ms(head, wait_ms);

    assert((unsigned)m < MEANS__MAX);
    memset(out, 0, sizeof(*out));
    (void)problem_set(&out->problem, meanings[m].err, meanings[m].code,
                      meanings[m].error, "%s", meanings[m].message);
    out->problem.status = meanings[m].status;
    out->problem.retryable = meanings[m].retryable;
    out->fault = meanings[m].fault;
    out->wait_ms = wait_ms;
    if (said >= 0 && meanings[m].retryable)
        out->problem.retry_after_s = said < 1000 ? 1
                                                 : (int)((said + 999) / 1000);
    else if (m == MEANS_LIMIT)
        out->problem.retry_after_s = WAIT_DEFAULT_S;
}

enum err
reply_garbage(struct problem *why, const char *hint)
{
    return problem_set(why, ERR_UPSTREAM, "provider_garbage",
                       "The provider's reply is not understood", "%s", hint);
}

enum err
reply_cut(struct problem *why)
{
    (void)problem_set(why, ERR_UPSTREAM, "incomplete", "The answer broke off",
                      "The provider ended the stream early. Try again for "
                      "the rest.");
    if (why != NULL)
        why->retryable = true;
    return ERR_UPSTREAM;
}
