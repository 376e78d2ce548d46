/*
 * The list of models: GET /models gives {"data": [{"id", "created", …}]}.
 *
 * OpenAI's list says nothing of context windows; others add it under names of
 * their own, and those are read: OpenRouter, Groq, vLLM, Mistral, llama.cpp,
 * and the Hugging Face router, which lists a model's providers. Where several
 * could answer, the smallest window counts, since nobody knows who will.
 *
 * Together answers with the bare array; Ollama with "data": null if it has no
 * model.
 */
#include "base/base.h"

#include "provider/openai.h"

#include "base/json.h"

#define ID_MAX 512 /* bytes of a model's name */

enum err
openai_models_ask(const struct openai_wire *w, const struct account *acc,
                  struct upstream_request *out, struct problem *why)
{
    return openai_request(w, acc, "GET", "/models", "application/json", out,
                          why);
}

/* The first of the names that holds a number above zero; -1 if none does. */
static int64_t
first_number(const cJSON *o, const char *const *names, size_t n)
{
    size_t i;

    for (i = 0; o != NULL && i < n; i++) {
        int64_t v = json_i64(o, names[i], -1);

        if (v > 0)
            return v;
    }
    return -1;
}

static int64_t
context_tokens(const cJSON *model)
{
    static const char *const names[] = {
        "context_length",     /* OpenRouter, Together */
        "context_window",     /* Groq */
        "max_model_len",      /* vLLM */
        "max_context_length", /* Mistral */
    };
    static const char *const llamacpp[] = {"n_ctx", "n_ctx_train"};
    const cJSON *one;
    int64_t v = first_number(model, names, COUNT_OF(names));

    if (v < 0)
        v = first_number(json_obj(model, "meta"), llamacpp, COUNT_OF(llamacpp));
    cJSON_ArrayForEach(one, json_arr(model, "providers")) {
        int64_t its = json_i64(one, "context_length", -1);

        if (its > 0 && (v < 0 || its < v))
            v = its;
    }
    return v;
}

static int64_t
output_tokens(const cJSON *model)
{
    static const char *const names[] = {"max_completion_tokens",
                                        "max_output_tokens"};
    int64_t v = first_number(model, names, COUNT_OF(names));

    return v > 0 ? v
                 : first_number(json_obj(model, "top_provider"), names,
                                COUNT_OF(names));
}

/* A name that can be asked for and shown. */
static bool
id_ok(const char *id)
{
    size_t i;

    if (id == NULL)
        return false;
    for (i = 0; id[i] != '\0'; i++) {
        if ((unsigned char)id[i] < 0x20 || id[i] == 0x7f)
            return false;
    }
    return i > 0 && i <= ID_MAX;
}

enum err
openai_models_read(const char *body, size_t n, model_fn *fn, void *arg,
                   struct buf *next, struct problem *why)
{
    cJSON *tree = n > 0 ? json_parse_lenient(body, n) : NULL;
    const cJSON *data = tree, *one;

    buf_clear(next);
    if (cJSON_IsObject(tree))
        data = cJSON_GetObjectItemCaseSensitive(tree, "data");
    if (!cJSON_IsArray(data) && (data == tree || !cJSON_IsNull(data))) {
        cJSON_Delete(tree);
        return reply_garbage(why, "Check that the base URL belongs to a "
                                  "compatible API; it usually ends in /v1.");
    }
    cJSON_ArrayForEach(one, data) {
        struct model_info m = {.id = json_str(one, "id")};

        if (!cJSON_IsObject(one) || !id_ok(m.id))
            continue;
        m.created_s = json_i64(one, "created", -1);
        m.context_tokens = context_tokens(one);
        m.output_tokens = output_tokens(one);
        fn(arg, &m);
    }
    cJSON_Delete(tree);
    return OK;
}
