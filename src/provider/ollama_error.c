/*
 * What an error of Ollama means (provider/meaning.h): {"error": "a sentence"}
 * with a status, or as a line of a reply of status 200. There are no codes, so
 * inside a reply the sentence is all there is. A model that was not pulled is
 * a 404. Behind a proxy, error may be an object with a message.
 */
#include "base/base.h"

#include "provider/ollama.h"

#include "provider/meaning.h"

/* Phrases of the server's sentences. */
static const struct {
    const char *phrase;
    enum meaning meaning;
} phrases[] = {
    {"try pulling it first", MEANS_MODEL},
    {"unauthorized", MEANS_AUTH},
    {"input length exceeds", MEANS_CONTEXT},
    {"exceeds the available context", MEANS_CONTEXT},
    {"server busy", MEANS_FAILED},
};

static enum meaning
meaning_of(int status, const char *text)
{
    enum meaning m = meaning_of_status(status);
    size_t i;

    if (text == NULL ||
        (m != MEANS_ERROR && m != MEANS_REJECTED && m != MEANS_FAILED))
        return m;
    for (i = 0; i < COUNT_OF(phrases); i++) {
        if (strcasestr(text, phrases[i].phrase) != NULL)
            return phrases[i].meaning;
    }
    return meaning_is_context(text) ? MEANS_CONTEXT : m;
}

void
ollama_error(const struct upstream_head *head, const char *body, size_t n,
             struct provider_error *out)
{
    cJSON *tree = n > 0 ? json_parse_mended(body, n) : NULL;
    const char *text = json_str(tree, "error");

    if (text == NULL)
        text = json_str(json_obj(tree, "error"), "message");
    meaning_error(meaning_of(head != NULL ? head->status : 0, text), head, -1,
                  out);
    cJSON_Delete(tree);
}
