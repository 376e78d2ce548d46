/*
 * What Bedrock has beside chats: the list of models and embeddings.
 *
 * The list is the control plane's: bedrock.REGION.amazonaws.com beside
 * bedrock-runtime.REGION.amazonaws.com. At any other address (a gateway) it is
 * expected beside the rest. It comes in one page. Models that make neither
 * text nor embeddings are left out, and so are those that are only sold as
 * provisioned throughput, since they are not asked for by these ids.
 *
 * Embeddings are made by InvokeModel in the words of each family: Titan takes
 * one text, so one is asked at a time; Cohere takes a list of one.
 * Sources: the service model bedrock 2023-04-20; the user guide's pages on
 * Titan Text Embeddings and on Cohere Embed. Any thread; pure.
 */
#include "base/base.h"

#include "provider/bedrock.h"

#include "base/json.h"
#include "base/text.h"
#include "provider/meaning.h"
#include "provider/wire.h"

#define ID_MAX 512   /* bytes of a model's id */
#define URL_MAX 4096 /* bytes of a base URL */

static const char json_type[] = "application/json";

/* --- models ------------------------------------------------------------- */

static bool
ends_in(const char *s, size_t n, const char *end)
{
    size_t len = strlen(end);

    return n >= len && text_ieqn(s + n - len, len, end);
}

/* Where "-runtime" stands in a base URL of AWS's; NULL: it is another's. */
static const char *
runtime_in(const char *base_url)
{
    const char *host = strstr(base_url, "://"), *at;
    size_t n;

    if (host == NULL)
        return NULL;
    host += 3;
    n = strcspn(host, ":/?#");
    at = host + strlen("bedrock");
    if (!ends_in(host, n, ".amazonaws.com") &&
        !ends_in(host, n, ".amazonaws.com.cn") && !ends_in(host, n, ".api.aws"))
        return NULL;
    return text_istarts(host, "bedrock-runtime") ? at : NULL;
}

enum err
bedrock_models_build(const struct account *acc, const char *page,
                     int64_t now_ms, struct upstream_request *out,
                     struct problem *why)
{
    const char *runtime = runtime_in(acc->base_url);
    struct buf base;
    enum err e;

    (void)page; /* there is one */
    buf_init(&base, URL_MAX);
    if (runtime != NULL) {
        buf_add(&base, acc->base_url, (size_t)(runtime - acc->base_url));
        buf_adds(&base, runtime + strlen("-runtime"));
    } else {
        buf_adds(&base, acc->base_url);
    }
    e = wire_url(out, buf_cstr(&base), "/foundation-models",
                 "Check BEDROCK_BASE_URL.", why);
    buf_release(&base);
    return e == OK ? bedrock_send(out, acc, json_type, now_ms, why) : e;
}

/* Is the word in the array of that name? No array: yes. */
static bool
has_word(const cJSON *o, const char *name, const char *word)
{
    const cJSON *list = json_arr(o, name), *one;

    if (list == NULL || list->child == NULL)
        return true;
    cJSON_ArrayForEach(one, list) {
        if (cJSON_IsString(one) && strcmp(one->valuestring, word) == 0)
            return true;
    }
    return false;
}

static bool
is_wanted(const cJSON *model)
{
    return (has_word(model, "outputModalities", "TEXT") ||
            has_word(model, "outputModalities", "EMBEDDING")) &&
           (has_word(model, "inferenceTypesSupported", "ON_DEMAND") ||
            has_word(model, "inferenceTypesSupported", "INFERENCE_PROFILE"));
}

enum err
bedrock_models_read(const char *body, size_t n, model_fn *fn, void *arg,
                    struct buf *next, struct problem *why)
{
    cJSON *tree = json_parse_lenient(body, n);
    const cJSON *list = json_arr(tree, "modelSummaries"), *model;

    buf_clear(next);
    if (list == NULL) {
        cJSON_Delete(tree);
        return reply_garbage(why, "Check that the address belongs to Bedrock.");
    }
    cJSON_ArrayForEach(model, list) {
        struct model_info info = {.id = json_str(model, "modelId"),
                                  .created_s = -1,
                                  .context_tokens = -1,
                                  .output_tokens = -1};

        if (info.id != NULL && info.id[0] != '\0' &&
            strlen(info.id) <= ID_MAX && is_wanted(model))
            fn(arg, &info);
    }
    cJSON_Delete(tree);
    return OK;
}

/* --- embeddings --------------------------------------------------------- */

static void
put_titan(struct json_out *j, const struct embed_ask *ask)
{
    json_put_str(j, "inputText", ask->texts[0]);
    if (ask->dimensions > 0)
        json_put_i64(j, "dimensions", ask->dimensions);
}

static void
put_cohere(struct json_out *j, const struct embed_ask *ask)
{
    json_name(j, "texts");
    json_begin_arr(j);
    json_add_str(j, ask->texts[0]);
    json_end_arr(j);
    json_put_str(j, "input_type", "search_document");
    if (ask->dimensions > 0)
        json_put_i64(j, "output_dimension", ask->dimensions);
}

enum err
bedrock_embed_build(const struct embed_ask *ask, const struct account *acc,
                    struct upstream_request *out, struct problem *why)
{
    struct json_out j;
    enum err e;

    if (ask->n_texts != 1)
        return problem_set(why, ERR_BADREQ, NULL,
                           "This number of texts cannot be asked for", NULL);
    e = bedrock_url(out, acc, ask->model, "invoke", why);
    if (e != OK)
        return e;
    json_out_init(&j, &out->body);
    json_begin_obj(&j);
    if (strcasestr(ask->model, "cohere") != NULL)
        put_cohere(&j, ask);
    else
        put_titan(&j, ask);
    json_end_obj(&j);
    if (buf_status(&out->body) != OK)
        return problem_set(why, ERR_TOOBIG, NULL,
                           "The text is too long to be sent", NULL);
    return bedrock_send(out, acc, json_type, ask->now_ms, why);
}

/* Titan: {"embedding": [..]}. Cohere: {"embeddings": [[..]]}, or by type
 * {"embeddings": {"float": [[..]]}}. */
static enum err
take_rows(cJSON *tree, struct embeddings *out, struct problem *why)
{
    const cJSON *rows = json_arr(tree, "embeddings");
    cJSON *row, *one;
    enum err e;

    if (rows == NULL)
        rows = json_arr(json_obj(tree, "embeddings"), "float");
    if (rows != NULL || json_arr(tree, "embedding") == NULL)
        return wire_rows(rows, NULL, out, why);
    one = cJSON_CreateArray();
    row = cJSON_DetachItemFromObjectCaseSensitive(tree, "embedding");
    if (one == NULL || !cJSON_AddItemToArray(one, row))
        abort();
    e = wire_rows(one, NULL, out, why);
    cJSON_Delete(one);
    return e;
}

enum err
bedrock_embed_read(const char *body, size_t n, struct embeddings *out,
                   struct problem *why)
{
    cJSON *tree = json_parse_lenient(body, n);
    enum err e = take_rows(tree, out, why);
    int64_t tokens = json_i64(tree, "inputTextTokenCount", -1);

    out->tokens = e == OK && tokens >= 0 ? tokens : -1;
    cJSON_Delete(tree);
    return e;
}
