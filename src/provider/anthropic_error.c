/*
 * What an error of the Messages API means (provider/meaning.h). Its shape is
 * {type: "error", error: {type, message, details: {error_code}}, request_id}.
 *
 * The type is asked first, then the status, since an error inside a stream has
 * no status and gateways change it. Two things have no type of their own:
 * limits of spending come as rate_limit_error with a code in details, and
 * would be retried in vain; a prompt that is too long and an account without
 * credit come as invalid_request_error, and only the text tells.
 * Sources: resources/shared of @anthropic-ai/sdk (types and codes); the texts
 * are those of the service. Any thread; pure.
 */
#include "base/base.h"

#include "provider/anthropic.h"

#include "base/json.h"
#include "provider/meaning.h"

struct word {
    const char *word;
    enum meaning meaning;
};

static const struct word types[] = {
    {"authentication_error", MEANS_AUTH},
    {"billing_error", MEANS_MONEY},
    {"permission_error", MEANS_FORBIDDEN},
    {"not_found_error", MEANS_MODEL},
    {"request_too_large", MEANS_CONTEXT},
    {"rate_limit_error", MEANS_LIMIT},
    {"invalid_request_error", MEANS_REJECTED},
    {"conflict_error", MEANS_FAILED},
    {"api_error", MEANS_FAILED},
    {"timeout_error", MEANS_FAILED},
    {"overloaded_error", MEANS_FAILED},
};

/* details.error_code, where it says more than the type. */
static const struct word codes[] = {
    {"enforced_spend_limit_reached", MEANS_MONEY},
    {"contract_spend_limit_reached", MEANS_MONEY},
    {"linked_organization_spend_limit_reached", MEANS_MONEY},
    {"linked_organization_billing_unavailable", MEANS_MONEY},
    {"organization_on_hold", MEANS_FORBIDDEN},
    {"claude_code_key_creator_not_member", MEANS_FORBIDDEN},
};

/* Phrases in the text of an invalid_request_error. */
static const struct word phrases[] = {
    {"prompt is too long", MEANS_CONTEXT},
    {"exceed context limit", MEANS_CONTEXT},
    {"credit balance is too low", MEANS_MONEY},
    {"usage limits", MEANS_MONEY}, /* "reached your specified API usage ..." */
};

static bool
by_word(const struct word *list, size_t n, const char *s, enum meaning *out)
{
    size_t i;

    for (i = 0; s != NULL && i < n; i++) {
        if (strcmp(s, list[i].word) == 0) {
            *out = list[i].meaning;
            return true;
        }
    }
    return false;
}

static enum meaning
by_text(const char *text)
{
    size_t i;

    for (i = 0; text != NULL && i < COUNT_OF(phrases); i++) {
        if (strcasestr(text, phrases[i].word) != NULL)
            return phrases[i].meaning;
    }
    return meaning_is_context(text) ? MEANS_CONTEXT : MEANS_REJECTED;
}

static enum meaning
meaning_of(const cJSON *o, int status)
{
    const cJSON *error = json_obj(o, "error");
    const cJSON *details = json_obj(error, "details");
    const char *text = json_str(error, "message");
    enum meaning m;

    if (by_word(codes, COUNT_OF(codes), json_str(details, "error_code"), &m))
        return m;
    if (!by_word(types, COUNT_OF(types), json_str(error, "type"), &m))
        m = meaning_of_status(status);
    return m == MEANS_REJECTED ? by_text(text) : m;
}

void
anthropic_error(const struct upstream_head *head, const char *body, size_t n,
                struct provider_error *out)
{
    cJSON *tree = n > 0 ? json_parse_lenient(body, n) : NULL;
    enum meaning m = meaning_of(tree, head != NULL ? head->status : 0);

    cJSON_Delete(tree);
    meaning_error(m, head, -1, out);
}
