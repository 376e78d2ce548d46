/*
 * One GenerateContentResponse: what a chunk of a stream and a whole reply both
 * are (docs/WIRE.md). Parts are told in order; unknown members and kinds of
 * parts are passed over.
 *
 * A call comes whole, with its arguments as an object. (They come in pieces
 * only if that was asked for, and not in this API.) Its id is often missing.
 * The reason at the end is STOP also for calls, so they are counted.
 *
 * Usage repeats in each chunk and grows. Thoughts are counted apart from the
 * candidates, and what tools of the provider's own put into the prompt apart
 * from the prompt.
 */
#include "base/base.h"

#include "provider/gemini.h"

#include "base/text.h"
#include "provider/meaning.h"

#define PATH_MAX_BYTES 96

/* One call of gemini_chunk. */
struct chunk {
    struct wire_slice text; /* all of it */
    int candidate, part;    /* numbers of those under way */
    struct gemini_answer *a;
    part_fn *fn;
    void *arg;
    bool failed; /* the reason was that the model failed */
};

/* Reasons that end an answer. What is not listed is FINISH_STOP. */
static const struct {
    const char *name;
    enum finish finish;
} reasons[] = {
    {"STOP", FINISH_STOP},
    {"MAX_TOKENS", FINISH_LENGTH},
    {"SAFETY", FINISH_FILTER},
    {"RECITATION", FINISH_FILTER},
    {"LANGUAGE", FINISH_FILTER},
    {"BLOCKLIST", FINISH_FILTER},
    {"PROHIBITED_CONTENT", FINISH_FILTER},
    {"SPII", FINISH_FILTER},
    {"MODEL_ARMOR", FINISH_FILTER},
    {"IMAGE_SAFETY", FINISH_FILTER},
    {"IMAGE_PROHIBITED_CONTENT", FINISH_FILTER},
    {"IMAGE_RECITATION", FINISH_FILTER},
    {"FINISH_REASON_UNSPECIFIED", FINISH_NONE},
    /* The model wrote something that is no answer. */
    {"MALFORMED_FUNCTION_CALL", FINISH_ERROR},
    {"MALFORMED_RESPONSE", FINISH_ERROR},
    {"UNEXPECTED_TOOL_CALL", FINISH_ERROR},
    {"TOO_MANY_TOOL_CALLS", FINISH_ERROR},
    {"MISSING_THOUGHT_SIGNATURE", FINISH_ERROR},
};

static enum finish
finish_of(const char *reason)
{
    size_t i;

    for (i = 0; i < COUNT_OF(reasons); i++) {
        if (strcmp(reason, reasons[i].name) == 0)
            return reasons[i].finish;
    }
    return FINISH_STOP;
}

/* --- parts --------------------------------------------------------------- */

static void
tell(struct chunk *c, enum part_kind kind, const char *text, int index)
{
    struct part p = {.kind = kind, .text = text, .index = index};

    if (text == NULL || text[0] == '\0')
        return;
    p.len = strlen(text);
    c->fn(c->arg, &p);
}

static void
tell_call(struct chunk *c, const cJSON *call, const char *signature)
{
    struct part p = {.kind = PART_CALL, .id = "", .index = c->a->n_calls};
    const char *id = json_str(call, "id");
    char path[PATH_MAX_BYTES];

    p.name = json_str(call, "name");
    if (p.name == NULL || p.name[0] == '\0')
        return;
    if (id != NULL)
        p.id = id;
    c->a->n_calls++;
    c->fn(c->arg, &p);
    (void)snprintf(path, sizeof(path),
                   "candidates/%d/content/parts/%d/functionCall/args",
                   c->candidate, c->part);
    wire_tell_args(json_obj(call, "args"), &c->text, path, p.index, c->fn,
                   c->arg);
    tell(c, PART_SIGNATURE, signature, p.index);
}

static void
tell_part(struct chunk *c, const cJSON *part)
{
    const char *signature = json_str(part, "thoughtSignature");
    const cJSON *call = json_obj(part, "functionCall");
    bool thought = cJSON_IsTrue(
        cJSON_GetObjectItemCaseSensitive(part, "thought"));

    if (call != NULL) {
        tell_call(c, call, signature);
        return;
    }
    tell(c, thought ? PART_REASONING : PART_TEXT, json_str(part, "text"), -1);
    tell(c, PART_SIGNATURE, signature, -1);
}

static void
tell_candidate(struct chunk *c, const cJSON *candidate)
{
    const cJSON *part;
    const char *reason = json_str(candidate, "finishReason");

    cJSON_ArrayForEach(part,
                       json_arr(json_obj(candidate, "content"), "parts")) {
        if (cJSON_IsObject(part))
            tell_part(c, part);
        c->part++;
    }
    if (reason != NULL) {
        enum finish finish = finish_of(reason);

        c->failed = finish == FINISH_ERROR;
        if (finish != FINISH_NONE)
            c->a->finish = finish;
    }
}

/* --- usage --------------------------------------------------------------- */

/* The sum of two counts of which at least one is there; else -1. */
static int64_t
sum(const cJSON *o, const char *a, const char *b)
{
    int64_t x = json_i64(o, a, -1), y = json_i64(o, b, -1);

    if (x < 0 || x > INT32_MAX)
        x = -1;
    if (y < 0 || y > INT32_MAX)
        y = -1;
    if (x < 0 || y < 0)
        return x < 0 ? y : x;
    return x + y;
}

static void
tell_usage(struct chunk *c, const cJSON *o)
{
    struct part p = {.kind = PART_USAGE};

    p.usage.input_tokens = sum(o, "promptTokenCount",
                               "toolUsePromptTokenCount");
    p.usage.output_tokens = sum(o, "candidatesTokenCount",
                                "thoughtsTokenCount");
    p.usage.cached_tokens = json_i64(o, "cachedContentTokenCount", -1);
    if (p.usage.input_tokens >= 0 || p.usage.output_tokens >= 0)
        c->fn(c->arg, &p);
}

/* --- the chunk ----------------------------------------------------------- */

static void
tell_error(struct chunk *c, struct provider_error *e)
{
    struct part p = {.kind = PART_ERROR, .problem = &e->problem};

    c->fn(c->arg, &p);
}

static void
tell_chunk(struct chunk *c, const cJSON *o)
{
    const cJSON *candidates = json_arr(o, "candidates"), *candidate;
    const cJSON *usage = json_obj(o, "usageMetadata");
    const cJSON *feedback = json_obj(o, "promptFeedback");
    const char *model = json_str(o, "modelVersion");

    c->a->known |= candidates != NULL || usage != NULL || feedback != NULL;
    if (!c->a->model_told && model != NULL && model[0] != '\0') {
        c->a->model_told = true;
        tell(c, PART_MODEL, model, -1);
    }
    cJSON_ArrayForEach(candidate, candidates) {
        if (cJSON_IsObject(candidate) && json_i64(candidate, "index", 0) == 0) {
            tell_candidate(c, candidate);
            break;
        }
        c->candidate++;
    }
    if (json_str(feedback, "blockReason") != NULL)
        c->a->finish = FINISH_FILTER;
    if (usage != NULL)
        tell_usage(c, usage);
}

enum err
gemini_chunk(struct gemini_answer *a, const char *s, size_t n, part_fn *fn,
             void *arg)
{
    struct chunk c = {.text = {s, n}, .a = a, .fn = fn, .arg = arg};
    struct provider_error error;
    cJSON *tree = json_parse_mended(s, n);

    if (!cJSON_IsObject(tree)) {
        cJSON_Delete(tree);
        return ERR_UPSTREAM;
    }
    if (json_obj(tree, "error") != NULL) {
        gemini_error(NULL, s, n, &error);
        c.failed = true;
    } else {
        tell_chunk(&c, tree);
        if (c.failed)
            meaning_error(MEANS_ERROR, NULL, -1, &error);
    }
    cJSON_Delete(tree);
    if (!c.failed)
        return OK;
    a->known = true;
    tell_error(&c, &error);
    return ERR_HUP;
}
