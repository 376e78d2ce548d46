/*
 * An ask as a generateContent request (docs/WIRE.md); names as in the types
 * of the vendor's SDK (@google/genai), which for this API are those of the
 * wire.
 *
 * How hard to think is said in two ways. Models of version 2.5 take a budget
 * of tokens: the numbers here are those of the vendor's own translation of
 * OpenAI's reasoning_effort (ai.google.dev, "OpenAI compatibility"), and 0
 * turns thinking off, but for Pro, which takes no less than 128. From version
 * 3 on there are levels, and thinking cannot be turned off: "none" asks for
 * the least. The Pro models have no level MINIMAL, the first of them no
 * MEDIUM. Where nothing is said, the model's own way is best.
 *
 * A model older than those refuses the whole setting, so it is not sent one.
 * Parallel calls cannot be forbidden in this API.
 */
#include "base/base.h"

#include "provider/gemini.h"

#include "base/text.h"

#define MODEL_PATH_MAX 4096 /* bytes */

static const char address_hint[] = "Check the base URL of the Gemini API.";
static const char key_hint[] = "GEMINI_API_KEY must be one line.";

/* --- what a name says ---------------------------------------------------- */

enum gemini_kind
gemini_kind(const char *model)
{
    static const char family[] = "gemini-";
    const char *s = text_starts(model, "models/") ? model + 7 : model;
    int major, minor = 0;

    if (text_starts(s, "gemma"))
        return GEMINI_PLAIN;
    if (!text_starts(s, family))
        return GEMINI_BUDGET;
    s += sizeof(family) - 1;
    if (*s < '0' || *s > '9')
        return GEMINI_BUDGET;
    major = *s++ - '0';
    while (*s >= '0' && *s <= '9' && major < 1000)
        major = major * 10 + (*s++ - '0');
    if (s[0] == '.' && s[1] >= '0' && s[1] <= '9')
        minor = s[1] - '0';
    if (major >= 3)
        return GEMINI_LEVEL;
    return major == 2 && minor >= 5 ? GEMINI_BUDGET : GEMINI_PLAIN;
}

static bool
is_pro(const char *model)
{
    return strstr(model, "-pro") != NULL;
}

static const char *
level_of(const char *effort, const char *model)
{
    if (strcmp(effort, "high") == 0)
        return "HIGH";
    if (strcmp(effort, "medium") == 0)
        return strstr(model, "gemini-3-pro") != NULL ? "HIGH" : "MEDIUM";
    if (strcmp(effort, "low") == 0 || is_pro(model))
        return "LOW";
    return "MINIMAL";
}

static int
budget_of(const char *effort, const char *model)
{
    if (strcmp(effort, "high") == 0)
        return 24576;
    if (strcmp(effort, "medium") == 0)
        return 8192;
    if (strcmp(effort, "none") == 0)
        return is_pro(model) ? 128 : 0;
    return 1024;
}

/* --- the body ------------------------------------------------------------ */

static void
put_thinking(struct json_out *j, const struct ask *ask)
{
    enum gemini_kind kind = gemini_kind(ask->model);

    if (ask->effort == NULL || kind == GEMINI_PLAIN)
        return;
    json_name(j, "thinkingConfig");
    json_begin_obj(j);
    json_put_bool(j, "includeThoughts", strcmp(ask->effort, "none") != 0);
    if (kind == GEMINI_LEVEL)
        json_put_str(j, "thinkingLevel", level_of(ask->effort, ask->model));
    else
        json_put_i64(j, "thinkingBudget", budget_of(ask->effort, ask->model));
    json_end_obj(j);
}

static void
put_generation(struct json_out *j, const struct ask *ask,
               const struct wire_format *format)
{
    json_name(j, "generationConfig");
    json_begin_obj(j);
    if (ask->max_tokens > 0)
        json_put_i64(j, "maxOutputTokens", ask->max_tokens);
    wire_put_number(j, "temperature", ask->temperature);
    wire_put_number(j, "topP", ask->top_p);
    wire_put_stops(j, "stopSequences", ask, true);
    if (format->kind != WIRE_FORMAT_TEXT)
        json_put_str(j, "responseMimeType", "application/json");
    if (format->kind == WIRE_FORMAT_SCHEMA)
        json_put_raw(j, "responseJsonSchema", format->schema,
                     strlen(format->schema));
    put_thinking(j, ask);
    json_end_obj(j);
}

static void
put_choice(struct json_out *j, const struct ask *ask)
{
    static const char *const modes[] = {
        [TOOL_CHOICE_AUTO] = "AUTO",
        [TOOL_CHOICE_NONE] = "NONE",
        [TOOL_CHOICE_REQUIRED] = "ANY",
        [TOOL_CHOICE_NAMED] = "ANY",
    };

    if (ask->tool_choice == TOOL_CHOICE_UNSAID)
        return;
    json_name(j, "toolConfig");
    json_begin_obj(j);
    json_name(j, "functionCallingConfig");
    json_begin_obj(j);
    json_put_str(j, "mode", modes[ask->tool_choice]);
    if (ask->tool_choice == TOOL_CHOICE_NAMED && ask->tool_named != NULL) {
        json_name(j, "allowedFunctionNames");
        json_begin_arr(j);
        json_add_str(j, ask->tool_named);
        json_end_arr(j);
    }
    json_end_obj(j);
    json_end_obj(j);
}

static void
put_tools(struct json_out *j, const struct ask *ask)
{
    size_t i;

    if (ask->n_tools == 0)
        return;
    json_name(j, "tools");
    json_begin_arr(j);
    json_begin_obj(j);
    json_name(j, "functionDeclarations");
    json_begin_arr(j);
    for (i = 0; i < ask->n_tools; i++) {
        const struct tool *t = &ask->tools[i];

        json_begin_obj(j);
        json_put_str(j, "name", t->name);
        if (t->description[0] != '\0')
            json_put_str(j, "description", t->description);
        json_put_raw(j, "parametersJsonSchema", t->schema, strlen(t->schema));
        json_end_obj(j);
    }
    json_end_arr(j);
    json_end_obj(j);
    json_end_arr(j);
    put_choice(j, ask);
}

static enum err
put_body(struct buf *out, const struct ask *ask, struct problem *why)
{
    struct wire_format format;
    struct json_out j;
    bool any;
    enum err e;

    e = wire_tools_check(ask, why);
    if (e != OK)
        return e;
    e = wire_format_read(ask->format, &format, why);
    if (e != OK)
        return e;
    json_out_init(&j, out);
    json_begin_obj(&j);
    any = gemini_put_contents(&j, ask);
    put_tools(&j, ask);
    put_generation(&j, ask, &format);
    json_end_obj(&j);
    wire_format_release(&format);
    if (!any)
        return problem_set(why, ERR_BADREQ, NULL, "There is nothing to ask",
                           NULL);
    return wire_body_fits(out, why);
}

/* --- the request --------------------------------------------------------- */

void
gemini_model_path(struct buf *out, const char *model)
{
    static const char *const folders[] = {"models/", "tunedModels/"};
    size_t i, n = 0;

    for (i = 0; i < COUNT_OF(folders) && n == 0; i++) {
        if (text_starts(model, folders[i]))
            n = strlen(folders[i]);
    }
    buf_addc(out, '/');
    if (n > 0)
        buf_add(out, model, n);
    else
        buf_adds(out, folders[0]);
    text_percent(out, model + n, strlen(model + n));
}

enum err
gemini_address(struct upstream_request *out, const struct account *acc,
               const char *path, const char *accept, struct problem *why)
{
    enum err e = wire_url(out, acc->base_url, path, address_hint, why);

    if (e == OK)
        e = wire_secret(out, "x-goog-api-key", "", acc->key, key_hint, why);
    return e == OK ? wire_json_headers(out, accept, why) : e;
}

enum err
gemini_build(const struct ask *ask, const struct account *acc,
             struct upstream_request *out, struct problem *why)
{
    struct buf path;
    enum err e;

    out->method = "POST";
    buf_init(&path, MODEL_PATH_MAX);
    gemini_model_path(&path, ask->model);
    buf_adds(&path, ask->whole ? ":generateContent"
                               : ":streamGenerateContent?alt=sse");
    if (buf_status(&path) != OK)
        e = problem_set(why, ERR_BADREQ, "invalid_parameter",
                        "Invalid parameter: model",
                        "The model's name is too long.");
    else
        e = gemini_address(
            out, acc, buf_cstr(&path),
            ask->whole ? "application/json" : "text/event-stream", why);
    buf_release(&path);
    return e == OK ? put_body(&out->body, ask, why) : e;
}
