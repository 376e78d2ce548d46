/*
 * Gemini's list of models and its embeddings (docs/WIRE.md).
 *
 * The list holds models of all kinds; those that can answer are told, by the
 * name that one asks for. A batch of embeddings is at most a hundred requests,
 * each of which repeats the model's name.
 */
#include "base/base.h"

#include "provider/gemini.h"

#include "base/text.h"
#include "provider/meaning.h"

#define PATH_MAX_BYTES 4096
#define PAGE_SIZE 1000 /* the most that the API gives */

/* --- models -------------------------------------------------------------- */

enum err
gemini_models_build(const struct account *acc, const char *page, int64_t now_ms,
                    struct upstream_request *out, struct problem *why)
{
    struct buf path;
    enum err e;

    (void)now_ms;
    out->method = "GET";
    buf_init(&path, PATH_MAX_BYTES);
    buf_addf(&path, "/models?pageSize=%d", PAGE_SIZE);
    if (page[0] != '\0') {
        buf_adds(&path, "&pageToken=");
        text_percent(&path, page, strlen(page));
    }
    if (buf_status(&path) != OK)
        e = reply_garbage(why, "The name of a page of models is too long.");
    else
        e = gemini_address(out, acc, buf_cstr(&path), "application/json", why);
    buf_release(&path);
    return e;
}

static bool
can_answer(const cJSON *model)
{
    const cJSON *method;

    cJSON_ArrayForEach(method, json_arr(model, "supportedGenerationMethods")) {
        if (cJSON_IsString(method) &&
            strcmp(method->valuestring, "generateContent") == 0)
            return true;
    }
    return false;
}

enum err
gemini_models_read(const char *body, size_t n, model_fn *fn, void *arg,
                   struct buf *next, struct problem *why)
{
    static const char folder[] = "models/";
    cJSON *tree = json_parse_mended(body, n);
    const cJSON *model, *models = json_arr(tree, "models");
    const char *token = json_str(tree, "nextPageToken");

    buf_clear(next);
    if (models == NULL && (!cJSON_IsObject(tree) || tree->child != NULL)) {
        cJSON_Delete(tree); /* {} is an empty list: no member is repeated */
        return reply_garbage(why, "Check the base URL of the Gemini API.");
    }
    cJSON_ArrayForEach(model, models) {
        struct model_info info = {.created_s = -1};

        info.id = json_str(model, "name");
        if (info.id == NULL || !can_answer(model))
            continue;
        if (text_starts(info.id, folder))
            info.id += sizeof(folder) - 1;
        if (info.id[0] == '\0')
            continue;
        info.context_tokens = wire_limit(model, "inputTokenLimit");
        info.output_tokens = wire_limit(model, "outputTokenLimit");
        fn(arg, &info);
    }
    if (token != NULL)
        buf_adds(next, token);
    cJSON_Delete(tree);
    return OK;
}

/* --- embeddings ---------------------------------------------------------- */

static void
put_request(struct json_out *j, const char *model, const char *text,
            int64_t dimensions)
{
    json_begin_obj(j);
    json_put_str(j, "model", model);
    json_name(j, "content");
    json_begin_obj(j);
    json_name(j, "parts");
    json_begin_arr(j);
    json_begin_obj(j);
    json_put_str(j, "text", text);
    json_end_obj(j);
    json_end_arr(j);
    json_end_obj(j);
    if (dimensions > 0)
        json_put_i64(j, "outputDimensionality", dimensions);
    json_end_obj(j);
}

/* model: "models/m", not encoded. */
static enum err
put_embed(struct buf *out, const struct embed_ask *ask, const char *model,
          struct problem *why)
{
    struct json_out j;
    size_t i;

    json_out_init(&j, out);
    json_begin_obj(&j);
    json_name(&j, "requests");
    json_begin_arr(&j);
    for (i = 0; i < ask->n_texts; i++)
        put_request(&j, model, ask->texts[i], ask->dimensions);
    json_end_arr(&j);
    json_end_obj(&j);
    return wire_texts_fit(out, why);
}

enum err
gemini_embed_build(const struct embed_ask *ask, const struct account *acc,
                   struct upstream_request *out, struct problem *why)
{
    struct buf path, model;
    enum err e;

    if (ask->n_texts == 0 || ask->n_texts > GEMINI_EMBED_MAX)
        return problem_set(why, ERR_BADREQ, NULL, "There is nothing to embed",
                           "Between 1 and %d texts can be sent at once.",
                           GEMINI_EMBED_MAX);
    out->method = "POST";
    buf_init(&path, PATH_MAX_BYTES);
    buf_init(&model, PATH_MAX_BYTES);
    gemini_model_path(&path, ask->model);
    buf_adds(&path, ":batchEmbedContents");
    if (!text_starts(ask->model, "models/"))
        buf_adds(&model, "models/");
    buf_adds(&model, ask->model);
    if (buf_status(&path) != OK || buf_status(&model) != OK)
        e = problem_set(why, ERR_BADREQ, "invalid_parameter",
                        "Invalid parameter: model",
                        "The model's name is too long.");
    else
        e = gemini_address(out, acc, buf_cstr(&path), "application/json", why);
    if (e == OK)
        e = put_embed(&out->body, ask, buf_cstr(&model), why);
    buf_release(&path);
    buf_release(&model);
    return e;
}

enum err
gemini_embed_read(const char *body, size_t n, struct embeddings *out,
                  struct problem *why)
{
    cJSON *tree = json_parse_mended(body, n);
    const cJSON *usage = json_obj(tree, "usageMetadata");
    enum err e = wire_rows(json_arr(tree, "embeddings"), "values", out, why);

    if (e == OK)
        out->tokens = json_i64(usage, "promptTokenCount", -1);
    cJSON_Delete(tree);
    return e;
}
