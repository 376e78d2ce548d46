/*
 * Ollama's list of models and its embeddings (docs/WIRE.md). The list is of
 * what was pulled, for whatever use; a model's time is that of its last
 * change, which the server's own OpenAI door calls "created".
 */
#include "base/base.h"

#include "provider/ollama.h"

#include "provider/meaning.h"

/* --- models -------------------------------------------------------------- */

enum err
ollama_models_build(const struct account *acc, const char *page, int64_t now_ms,
                    struct upstream_request *out, struct problem *why)
{
    (void)page;
    (void)now_ms;
    out->method = "GET";
    return ollama_address(out, acc, "/api/tags", "application/json", why);
}

enum err
ollama_models_read(const char *body, size_t n, model_fn *fn, void *arg,
                   struct buf *next, struct problem *why)
{
    cJSON *tree = json_parse_mended(body, n);
    const cJSON *model, *models;

    buf_clear(next);
    models = cJSON_GetObjectItemCaseSensitive(tree, "models");
    if (!cJSON_IsArray(models) && !cJSON_IsNull(models)) {
        cJSON_Delete(tree);
        return reply_garbage(why, "Check the base URL of the Ollama server.");
    }
    cJSON_ArrayForEach(model, models) {
        struct model_info info = {.context_tokens = -1, .output_tokens = -1};

        info.id = json_str(model, "name");
        if (info.id == NULL)
            info.id = json_str(model, "model");
        if (info.id == NULL || info.id[0] == '\0')
            continue;
        info.created_s = wire_time(json_str(model, "modified_at"));
        fn(arg, &info);
    }
    cJSON_Delete(tree);
    return OK;
}

/* --- embeddings ---------------------------------------------------------- */

enum err
ollama_embed_build(const struct embed_ask *ask, const struct account *acc,
                   struct upstream_request *out, struct problem *why)
{
    struct json_out j;
    enum err e;

    if (ask->n_texts == 0 || ask->n_texts > OLLAMA_EMBED_MAX)
        return problem_set(why, ERR_BADREQ, NULL, "There is nothing to embed",
                           "Between 1 and %d texts can be sent at once.",
                           OLLAMA_EMBED_MAX);
    out->method = "POST";
    e = ollama_address(out, acc, "/api/embed", "application/json", why);
    if (e != OK)
        return e;
    json_out_init(&j, &out->body);
    json_begin_obj(&j);
    wire_put_embed(&j, ask);
    json_end_obj(&j);
    return wire_texts_fit(&out->body, why);
}

enum err
ollama_embed_read(const char *body, size_t n, struct embeddings *out,
                  struct problem *why)
{
    cJSON *tree = json_parse_mended(body, n);
    enum err e = wire_rows(json_arr(tree, "embeddings"), NULL, out, why);

    if (e == OK)
        out->tokens = json_i64(tree, "prompt_eval_count", -1);
    cJSON_Delete(tree);
    return e;
}
