/*
 * What an OpenAI-compatible server's error means (provider/meaning.h).
 *
 * Servers that speak this wire agree on little here. Seen: {error:{message,
 * type, code}} with code a word, a number or null; {error:"text"};
 * {message}; {detail}; the same in an array of one; HTML. The status decides,
 * words refine it, and anything unknown is just its status.
 */
#include "base/base.h"

#include "provider/openai.h"

#include "base/json.h"

/* The words of type and code that say more than the status. */
static const struct {
    const char *word;
    enum meaning meaning;
} words[] = {
    {"insufficient_quota", MEANS_MONEY},
    {"credit_balance_exhausted", MEANS_MONEY},
    {"billing_hard_limit_reached", MEANS_MONEY},
    {"billing_not_active", MEANS_MONEY},
    {"context_length_exceeded", MEANS_CONTEXT},
    {"exceed_context_size_error", MEANS_CONTEXT},
    {"string_above_max_length", MEANS_CONTEXT},
    {"invalid_api_key", MEANS_AUTH},
    {"authentication_error", MEANS_AUTH},
    {"model_not_found", MEANS_MODEL},
    {"model_not_supported", MEANS_MODEL},
    {"rate_limit_exceeded", MEANS_LIMIT},
    {"rate_limit_error", MEANS_LIMIT},
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

static enum meaning
by_status(int status, const char *text)
{
    enum meaning m = meaning_of_status(status);

    return (m == MEANS_ERROR || m == MEANS_REJECTED) && meaning_is_context(text)
               ? MEANS_CONTEXT
               : m;
}

/* A word is believed where it refines the status; a server that failed has
 * failed, whatever it says. */
static enum meaning
meaning_of(const struct said *s, int status)
{
    enum meaning m;

    if (status < 500 && (by_word(s->code, &m) || by_word(s->type, &m)))
        return m;
    if (by_word(s->code, &m) && m == MEANS_MONEY)
        return m;
    return by_status(status, s->text);
}

enum meaning
openai_meaning(const struct upstream_head *head, const char *body, size_t n)
{
    cJSON *tree = n > 0 ? json_parse_lenient(body, n) : NULL;
    struct said said = read_body(tree);
    enum meaning m = meaning_of(&said,
                                head != NULL ? head->status : said.status);

    cJSON_Delete(tree);
    return m;
}

void
openai_error(const struct upstream_head *head, const char *body, size_t n,
             struct provider_error *out)
{
    meaning_error(openai_meaning(head, body, n), head, -1, out);
}
