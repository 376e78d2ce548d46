/*
 * The body of a Chat Completions request. What is known by name is read and
 * checked here; everything else is copied into ask.extra as it is written, to
 * be passed on where the provider speaks this wire. A few members would be
 * passed on and come to nothing, since the answer is not OpenAI's own: these
 * are refused. Pure; any thread.
 */
#include "base/base.h"

#include "dialect/openai_in_read.h"

#include <math.h>

#include "base/buf.h"

#define EFFORT_MAX 16 /* bytes */

/* Members that are read here and not passed on as they are. */
static const char *const known[] = {
    "model",
    "messages",
    "stream",
    "stream_options",
    "n",
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning_effort",
    "response_format",
};

static bool
is_known(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strcmp(known[i], name) == 0)
            return true;
    return false;
}

static const cJSON *
member(const cJSON *o, const char *name)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, name);

    return m != NULL && !cJSON_IsNull(m) ? m : NULL;
}

/* --- what cannot be done -------------------------------------------------- */

static bool
only_text(const cJSON *modalities)
{
    const cJSON *m;

    cJSON_ArrayForEach(m, modalities) {
        if (!cJSON_IsString(m) || strcmp(m->valuestring, "text") != 0)
            return false;
    }
    return cJSON_IsArray(modalities);
}

static enum err
refuse_others(struct openai_read *r, const cJSON *o)
{
    static const char *const gone[] = {"functions", "function_call"};
    static const char code[] = "unsupported_parameter";
    const cJSON *m;
    int64_t n = 1;

    if (openai_whole_number(r, o, "n", 1, 128, &n) != OK)
        return ERR_BADREQ;
    if (n != 1)
        return openai_refuse(r, "unsupported_value", "n", "must be 1");
    for (size_t i = 0; i < COUNT_OF(gone); i++)
        if (member(o, gone[i]) != NULL)
            return openai_refuse(r, code, gone[i], "is not taken, use tools");
    m = member(o, "logprobs");
    if (m != NULL && !cJSON_IsFalse(m))
        return openai_refuse(r, code, "logprobs", "are not given here");
    m = member(o, "modalities");
    if (m != NULL && !only_text(m))
        return openai_refuse(r, "unsupported_value", "modalities",
                             "must be [\"text\"]");
    if (member(o, "audio") != NULL)
        return openai_refuse(r, code, "audio", "is not given here");
    return OK;
}

/* --- options -------------------------------------------------------------- */

static enum err
take_stops(struct openai_read *r, const cJSON *stop)
{
    struct ask *ask = &r->a->ask;
    const cJSON *s;

    if (stop == NULL)
        return OK;
    if (cJSON_IsString(stop)) {
        ask->stop[ask->n_stop++] = arena_strdup(r->arena, stop->valuestring);
        return OK;
    }
    if (!cJSON_IsArray(stop))
        return openai_wrong_type(r, "stop",
                                 "must be a string or an array of strings");
    cJSON_ArrayForEach(s, stop) {
        if (!cJSON_IsString(s))
            return openai_wrong_type(r, "stop", "must hold strings");
        if (ask->n_stop == ASK_STOPS_MAX)
            return openai_wrong_value(r, "stop", "may hold 8 strings at most");
        ask->stop[ask->n_stop++] = arena_strdup(r->arena, s->valuestring);
    }
    return OK;
}

static enum err
take_effort(struct openai_read *r, const cJSON *o)
{
    const char *effort;

    if (openai_string(r, o, "reasoning_effort", "reasoning_effort", &effort) !=
        OK)
        return ERR_BADREQ;
    if (effort == NULL)
        return OK;
    if (effort[0] == '\0' || strlen(effort) > EFFORT_MAX ||
        strspn(effort, "abcdefghijklmnopqrstuvwxyz") != strlen(effort))
        return openai_wrong_value(r, "reasoning_effort",
                                  "must be a word such as \"low\"");
    r->a->ask.effort = arena_strdup(r->arena, effort);
    return OK;
}

static enum err
take_options(struct openai_read *r, const cJSON *o, struct openai_in *in)
{
    const cJSON *stream_options = member(o, "stream_options");
    const cJSON *format = member(o, "response_format");
    struct ask *ask = &r->a->ask;
    bool parallel = false;

    if (openai_bool(r, o, "stream", &in->stream) != OK ||
        openai_number(r, o, "temperature", 0, 2, &ask->temperature) != OK ||
        openai_number(r, o, "top_p", 0, 1, &ask->top_p) != OK ||
        openai_whole_number(r, o, "max_tokens", 1, OPENAI_IN_TOKENS_MAX,
                            &ask->max_tokens) != OK ||
        openai_whole_number(r, o, "max_completion_tokens", 1,
                            OPENAI_IN_TOKENS_MAX, &ask->max_tokens) != OK ||
        openai_bool(r, o, "parallel_tool_calls", &parallel) != OK ||
        take_effort(r, o) != OK || take_stops(r, member(o, "stop")) != OK)
        return ERR_BADREQ;
    if (member(o, "parallel_tool_calls") != NULL)
        ask->parallel_calls = parallel ? 1 : 0;
    if (stream_options != NULL && !cJSON_IsObject(stream_options))
        return openai_wrong_type(r, "stream_options", "must be an object");
    if (format != NULL && !cJSON_IsObject(format))
        return openai_wrong_type(r, "response_format", "must be an object");
    return openai_bool(r, stream_options, "include_usage", &in->include_usage);
}

static enum err
take_model(struct openai_read *r, const cJSON *o, const char **out)
{
    const char *model;

    if (openai_string(r, o, "model", "model", &model) != OK)
        return ERR_BADREQ;
    if (model == NULL || model[0] == '\0')
        return openai_missing(r, "model");
    if (strlen(model) > OPENAI_IN_MODEL_MAX)
        return openai_wrong_value(r, "model", "may have 128 bytes at most");
    *out = arena_strdup(r->arena, model);
    return OK;
}

/* --- members as text ------------------------------------------------------ */

/* Tools and the format by their text, and the rest into extra. */
static enum err
take_texts(struct openai_read *r, const cJSON *o, const char *body, size_t n)
{
    struct ask *ask = &r->a->ask;
    struct openai_span name, value;
    struct buf extra;
    const cJSON *m;
    enum err e = OK;

    buf_init(&extra, n + 3);
    buf_addc(&extra, '{');
    cJSON_ArrayForEach(m, o) {
        if (!openai_walk(&body, &name, &value))
            break;
        if (cJSON_IsNull(m)) {
            continue;
        } else if (strcmp(m->string, "tools") == 0) {
            e = openai_in_tools(r, m, &value);
            if (e != OK)
                break;
        } else if (strcmp(m->string, "response_format") == 0) {
            ask->format = arena_memdup0(r->arena, value.s, value.len);
        } else if (!is_known(m->string)) {
            if (extra.len > 1)
                buf_addc(&extra, ',');
            buf_add(&extra, name.s, name.len);
            buf_addc(&extra, ':');
            buf_add(&extra, value.s, value.len);
        }
    }
    if (e == OK && extra.len > 1) {
        buf_addc(&extra, '}');
        ask->extra = arena_memdup0(r->arena, extra.data, extra.len);
    }
    buf_release(&extra);
    return e;
}

enum err
openai_in_chat(const char *body, size_t n, struct turn_ask *a,
               struct openai_in *in, struct problem *why)
{
    struct openai_read r = {a, &a->arena, in->param, why};
    cJSON *o = NULL;
    enum err e;

    memset(in, 0, sizeof(*in));
    e = json_parse(body, n, &o, why);
    if (e != OK)
        return e;
    if (!cJSON_IsObject(o))
        e = problem_set(why, ERR_BADREQ, "invalid_json",
                        "The body is not a JSON object",
                        "Send an object with 'model' and 'messages'.");
    if (e == OK)
        e = take_model(&r, o, &in->model);
    if (e == OK)
        e = refuse_others(&r, o);
    if (e == OK)
        e = take_options(&r, o, in);
    if (e == OK)
        e = openai_in_messages(&r, member(o, "messages"));
    if (e == OK)
        e = take_texts(&r, o, strchr(body, '{'), n);
    if (e == OK)
        e = openai_in_choice(&r, member(o, "tool_choice"));
    cJSON_Delete(o);
    return e;
}

/* --- afterwards ----------------------------------------------------------- */

/* Gemini's own API knows the signature alone, not the object around it. */
static const char *
signature_for(struct turn_ask *a, const char *json, const char *provider)
{
    const char *signature;
    cJSON *o;

    if (strcmp(provider, "gemini") != 0)
        return json;
    o = json_parse_lenient(json, strlen(json));
    signature = arena_strdup(
        &a->arena, json_str(json_obj(o, "google"), "thought_signature"));
    cJSON_Delete(o);
    return signature;
}

void
openai_in_origin(struct turn_ask *a, const char *provider)
{
    for (size_t i = 0; i < a->ask.n_messages; i++) {
        const struct ask_message *m = &a->ask.messages[i];

        for (size_t k = 0; k < m->n_pieces; k++) {
            /* Ours to write: they were made here, in a's arena. */
            struct piece *p = (struct piece *)(uintptr_t)&m->pieces[k];

            if (p->kind == PIECE_CALL && p->signature != NULL)
                p->signature = signature_for(a, p->signature, provider);
            if (p->kind == PIECE_THOUGHT || p->signature != NULL)
                p->origin = provider;
        }
    }
}

size_t
openai_in_user(const struct turn_ask *a)
{
    size_t i = a->ask.n_messages;

    while (i > 0 && a->ask.messages[i - 1].role != ROLE_USER)
        i--;
    return i > 0 ? i - 1 : a->ask.n_messages;
}

/* --- embeddings ----------------------------------------------------------- */

static enum err
take_inputs(struct openai_read *r, const cJSON *input,
            struct openai_in_embed *in)
{
    const cJSON *item;
    size_t n;

    if (input == NULL)
        return openai_missing(r, "input");
    if (!cJSON_IsString(input) && !cJSON_IsArray(input))
        return openai_wrong_type(r, "input",
                                 "must be a string or an array of strings");
    n = cJSON_IsArray(input) ? (size_t)cJSON_GetArraySize(input) : 1;
    if (n > OPENAI_IN_TEXTS_MAX)
        return openai_too_many(r, "input", OPENAI_IN_TEXTS_MAX);
    in->texts = arena_alloc(r->arena, (n + 1) * sizeof(*in->texts));
    item = cJSON_IsArray(input) ? input->child : input;
    for (; in->n_texts < n; item = item->next) {
        if (cJSON_IsNumber(item) || cJSON_IsArray(item))
            return openai_refuse(r, "unsupported_value", "input",
                                 "must hold texts, tokens are not taken");
        if (!cJSON_IsString(item))
            return openai_wrong_type(r, "input", "must hold strings");
        if (item->valuestring[0] == '\0')
            return openai_wrong_value(r, "input", "must not be empty");
        in->texts[in->n_texts++] = arena_strdup(r->arena, item->valuestring);
    }
    return n > 0 ? OK : openai_wrong_value(r, "input", "must not be empty");
}

static enum err
take_encoding(struct openai_read *r, const cJSON *o, bool *base64)
{
    static const char name[] = "encoding_format";
    const char *format;

    if (openai_string(r, o, name, name, &format) != OK)
        return ERR_BADREQ;
    *base64 = format != NULL && strcmp(format, "base64") == 0;
    if (format != NULL && !*base64 && strcmp(format, "float") != 0)
        return openai_wrong_value(r, name, "must be \"float\" or \"base64\"");
    return OK;
}

enum err
openai_in_embed(const char *body, size_t n, struct openai_in_embed *in,
                struct problem *why)
{
    struct openai_read r = {NULL, &in->arena, in->param, why};
    cJSON *o = NULL;
    enum err e;

    memset(in, 0, sizeof(*in));
    arena_init(&in->arena);
    e = json_parse(body, n, &o, why);
    if (e != OK)
        return e;
    if (!cJSON_IsObject(o))
        e = problem_set(why, ERR_BADREQ, "invalid_json",
                        "The body is not a JSON object",
                        "Send an object with 'model' and 'input'.");
    if (e == OK)
        e = take_model(&r, o, &in->model);
    if (e == OK)
        e = take_inputs(&r, member(o, "input"), in);
    if (e == OK)
        e = openai_whole_number(&r, o, "dimensions", 1, EMBED_DIMENSIONS_MAX,
                                &in->dimensions);
    if (e == OK)
        e = take_encoding(&r, o, &in->base64);
    cJSON_Delete(o);
    return e;
}

void
openai_in_embed_release(struct openai_in_embed *in)
{
    arena_release(&in->arena);
}
