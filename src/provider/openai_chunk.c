/*
 * One chunk of a Chat Completions stream, read with cJSON: the slow path,
 * which defines what a chunk means. A whole (not streamed) reply is read by
 * the same code, as it differs only in "message" for "delta".
 */
#include "base/base.h"

#include "provider/openai.h"

#include "base/json.h"
#include "base/mem.h"

#define SCRATCH_MAX (32 * 1024 * 1024) /* bytes; above any event */
#define SCRATCH_KEEP 256               /* bytes kept between chunks */

void
openai_chunk_init(struct openai_chunk *c)
{
    memset(c, 0, sizeof(*c));
    buf_init(&c->scratch, SCRATCH_MAX);
}

static void
free_calls(struct openai_chunk *c)
{
    size_t i;

    for (i = 0; i < c->n_calls; i++) {
        free(c->calls[i].args_made);
        free(c->calls[i].signature);
    }
    free(c->calls);
}

void
openai_chunk_clear(struct openai_chunk *c)
{
    struct buf scratch = c->scratch;

    free_calls(c);
    cJSON_Delete(c->tree);
    memset(c, 0, sizeof(*c));
    buf_clear(&scratch);
    buf_trim(&scratch, SCRATCH_KEEP);
    c->scratch = scratch;
}

void
openai_chunk_release(struct openai_chunk *c)
{
    free_calls(c);
    cJSON_Delete(c->tree);
    buf_release(&c->scratch);
}

enum finish
openai_finish(const char *s, size_t n)
{
    static const struct {
        const char *name;
        enum finish finish;
    } names[] = {
        {"stop", FINISH_STOP},
        {"length", FINISH_LENGTH},
        {"tool_calls", FINISH_TOOL_CALLS},
        {"function_call", FINISH_TOOL_CALLS},
        {"content_filter", FINISH_FILTER},
    };
    size_t i;

    for (i = 0; i < COUNT_OF(names); i++) {
        if (n == strlen(names[i].name) && memcmp(s, names[i].name, n) == 0)
            return names[i].finish;
    }
    return FINISH_STOP;
}

/* --- the tree ----------------------------------------------------------- */

static struct openai_text
text_of(const cJSON *o, const char *name)
{
    struct openai_text t = {json_str(o, name), 0};

    if (t.p != NULL)
        t.len = strlen(t.p);
    return t;
}

static bool
is_word(const cJSON *o, const char *name, const char *word)
{
    const char *s = json_str(o, name);

    return s != NULL && strcmp(s, word) == 0;
}

static void
join_texts(struct buf *out, const cJSON *parts)
{
    const cJSON *part;

    cJSON_ArrayForEach(part, parts) {
        const char *text = json_str(part, "text");

        if (text != NULL && is_word(part, "type", "text"))
            buf_adds(out, text);
    }
}

/* content as an array of parts: the texts of those of type "text". Mistral's
 * reasoning models put thoughts there as well, in parts of type "thinking"
 * that hold such parts themselves. */
static void
join_parts(struct openai_chunk *c, const cJSON *parts)
{
    const cJSON *part;
    size_t thoughts;

    cJSON_ArrayForEach(part, parts) {
        if (is_word(part, "type", "thinking"))
            join_texts(&c->scratch, json_arr(part, "thinking"));
    }
    thoughts = c->scratch.len;
    join_texts(&c->scratch, parts);
    if (c->scratch.len == 0)
        return;
    if (thoughts > 0)
        c->reasoning = (struct openai_text){c->scratch.data, thoughts};
    c->content.p = c->scratch.data + thoughts;
    c->content.len = c->scratch.len - thoughts;
}

/* --- tool calls --------------------------------------------------------- */

/* The arguments are a JSON text in a string; a few servers forget the string
 * and send the object. */
static void
read_args(struct openai_call *call, const cJSON *function)
{
    const cJSON *object = json_obj(function, "arguments");

    call->args = text_of(function, "arguments");
    if (object == NULL)
        return;
    call->args_made = cJSON_PrintUnformatted(object);
    if (call->args_made != NULL)
        call->args = (struct openai_text){call->args_made,
                                          strlen(call->args_made)};
}

static const char *
str_or_empty(const cJSON *o, const char *name)
{
    const char *s = json_str(o, name);

    return s != NULL ? s : "";
}

static void
read_call(struct openai_chunk *c, const cJSON *o, const cJSON *function,
          int64_t index)
{
    struct openai_call *call = &c->calls[c->n_calls++];
    const cJSON *extra = json_obj(o, "extra_content");

    call->index = index;
    call->id = str_or_empty(o, "id");
    call->name = str_or_empty(function, "name");
    read_args(call, function);
    if (extra != NULL && extra->child != NULL)
        call->signature = cJSON_PrintUnformatted(extra);
}

/* whole: in a message, where the calls are complete and their places are their
 * numbers. Calls of OpenAI's type "custom" have no JSON arguments, are never
 * asked for, and are passed over. */
static void
read_calls(struct openai_chunk *c, const cJSON *delta, bool whole)
{
    const cJSON *list = json_arr(delta, "tool_calls"), *o;
    const cJSON *legacy = json_obj(delta, "function_call");
    size_t max = (list != NULL ? (size_t)cJSON_GetArraySize(list) : 0) +
                 (legacy != NULL);
    int64_t place = 0;

    if (max == 0)
        return;
    if (max > OPENAI_CALLS_MAX + 1)
        max = OPENAI_CALLS_MAX + 1;
    c->calls = xcalloc(max, sizeof(*c->calls));
    cJSON_ArrayForEach(o, list) {
        int64_t index = json_i64(o, "index", OPENAI_CALL_UNNUMBERED);

        if (whole)
            index = place++;
        else if (index < 0)
            index = OPENAI_CALL_UNNUMBERED;
        if (cJSON_IsObject(o) && !is_word(o, "type", "custom") &&
            c->n_calls < max)
            read_call(c, o, json_obj(o, "function"), index);
    }
    if (legacy != NULL && c->n_calls < max)
        read_call(c, NULL, legacy, OPENAI_CALL_LEGACY);
}

/* --- choices and usage -------------------------------------------------- */

static void
read_choice(struct openai_chunk *c, const cJSON *choice)
{
    const cJSON *delta = json_obj(choice, "delta"), *parts;
    struct openai_text finish = text_of(choice, "finish_reason");
    bool whole = delta == NULL;

    if (finish.p != NULL)
        c->finish = openai_finish(finish.p, finish.len);
    if (whole)
        delta = json_obj(choice, "message");
    if (delta == NULL)
        return;
    c->content = text_of(delta, "content");
    c->refusal = text_of(delta, "refusal");
    c->reasoning = text_of(delta, "reasoning");
    c->reasoning_content = text_of(delta, "reasoning_content");
    parts = json_arr(delta, "content");
    if (parts != NULL)
        join_parts(c, parts);
    read_calls(c, delta, whole);
}

/* Output is all that the model wrote. OpenAI counts thoughts as completion;
 * xAI and Gemini's compatible API count them in the total only. */
static int64_t
output_tokens(const cJSON *usage)
{
    int64_t in = json_i64(usage, "prompt_tokens", -1);
    int64_t out = json_i64(usage, "completion_tokens", -1);
    int64_t total = json_i64(usage, "total_tokens", -1);

    return in >= 0 && out >= 0 && total >= in && total - in > out ? total - in
                                                                  : out;
}

/* The cached part: OpenAI's name, then DeepSeek's, then Moonshot's. */
static int64_t
cached_tokens(const cJSON *usage)
{
    const cJSON *details = json_obj(usage, "prompt_tokens_details");
    int64_t n = -1;

    if (details != NULL)
        n = json_i64(details, "cached_tokens", -1);
    if (n < 0)
        n = json_i64(usage, "prompt_cache_hit_tokens", -1);
    return n >= 0 ? n : json_i64(usage, "cached_tokens", -1);
}

static void
read_usage(struct openai_chunk *c, const cJSON *usage)
{
    c->usage.input_tokens = json_i64(usage, "prompt_tokens", -1);
    c->usage.output_tokens = output_tokens(usage);
    c->usage.cached_tokens = cached_tokens(usage);
    c->has_usage = c->usage.input_tokens >= 0 || c->usage.output_tokens >= 0;
}

enum err
openai_chunk_read(struct openai_chunk *c, const char *s, size_t n)
{
    const cJSON *choices, *choice, *usage, *error;
    cJSON *tree = json_parse_mended(s, n);

    c->tree = tree;
    if (!cJSON_IsObject(tree))
        return ERR_UPSTREAM;
    error = cJSON_GetObjectItemCaseSensitive(tree, "error");
    if ((error != NULL && !cJSON_IsNull(error)) ||
        is_word(tree, "object", "error") || is_word(tree, "type", "error")) {
        c->is_error = c->known = true;
        return OK;
    }
    c->model = text_of(tree, "model");
    choices = json_arr(tree, "choices");
    cJSON_ArrayForEach(choice, choices) {
        if (cJSON_IsObject(choice) && json_i64(choice, "index", 0) == 0) {
            read_choice(c, choice);
            break;
        }
    }
    usage = json_obj(tree, "usage");
    if (usage != NULL)
        read_usage(c, usage);
    c->known = choices != NULL || usage != NULL;
    return OK;
}
