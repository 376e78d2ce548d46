/*
 * Ollama's list of models and its embeddings (docs/WIRE.md). The list is of
 * what was pulled, for whatever use; a model's time is that of its last
 * change, which the server's own OpenAI door calls "created".
 */
#include "base/base.h"

#include "provider/ollama.h"

#include "base/text.h"
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

/* Seconds east of UTC at the end of a time: "Z", "+02:00"; false: neither. */
static bool
zone_of(const char *s, int64_t *out)
{
    int64_t h, m;

    if (strcmp(s, "Z") == 0) {
        *out = 0;
        return true;
    }
    if ((*s != '+' && *s != '-') || strlen(s) != 6 || s[3] != ':' ||
        text_i64(s + 1, 2, 0, 23, &h) != OK ||
        text_i64(s + 4, 2, 0, 59, &m) != OK)
        return false;
    *out = (h * 60 + m) * 60 * (*s == '-' ? -1 : 1);
    return true;
}

/* An RFC 3339 time in seconds; -1: it is none. */
static int64_t
time_of(const char *s)
{
    struct tm tm = {.tm_sec = 0};
    const char *rest = s != NULL ? strptime(s, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    int64_t t, east;

    if (rest == NULL)
        return -1;
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (!zone_of(rest, &east))
        return -1;
    t = (int64_t)timegm(&tm) - east;
    return t >= 0 ? t : -1;
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
        if (info.id == NULL)
            continue;
        info.created_s = time_of(json_str(model, "modified_at"));
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
    size_t i;

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
    json_put_str(&j, "model", ask->model);
    json_name(&j, "input");
    json_begin_arr(&j);
    for (i = 0; i < ask->n_texts; i++)
        json_add_str(&j, ask->texts[i]);
    json_end_arr(&j);
    if (ask->dimensions > 0)
        json_put_i64(&j, "dimensions", ask->dimensions);
    json_end_obj(&j);
    if (buf_status(&out->body) != OK)
        return problem_set(why, ERR_TOOBIG, NULL,
                           "The texts are too long to be sent",
                           "Send fewer texts at once.");
    return OK;
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
