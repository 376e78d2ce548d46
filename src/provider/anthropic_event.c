/*
 * The events of a Messages stream as parts (docs/WIRE.md). Bedrock carries the
 * same events in other frames, so this file gets one JSON text at a time and
 * does not know where it came from. A whole Message is read as the events that
 * would have told it. Content blocks are read in anthropic_block.c.
 *
 * The counts of message_delta are totals of the whole message, and those that
 * do not apply are missing: each replaces what was known, none is added.
 * Source: RawMessageStreamEvent and the accumulation in lib/MessageStream of
 * @anthropic-ai/sdk. Any thread; pure.
 */
#include "base/base.h"

#include "provider/anthropic.h"

#include "base/json.h"
#include "base/mem.h"
#include "provider/anthropic_block.h"
#include "provider/meaning.h"

#define TOKENS_MAX (INT64_C(1) << 53) /* a greater count is none */

struct anthropic_events {
    struct anthropic_blocks blocks;
    enum finish finish;
    bool known, model_told, ended;
    int64_t input, created, read, output; /* tokens; -1: not said */
};

struct anthropic_events *
anthropic_events_new(void)
{
    struct anthropic_events *s = xcalloc(1, sizeof(*s));

    anthropic_blocks_init(&s->blocks);
    s->input = s->created = s->read = s->output = -1;
    return s;
}

void
anthropic_events_free(struct anthropic_events *s)
{
    if (s == NULL)
        return;
    anthropic_blocks_release(&s->blocks);
    free(s);
}

bool
anthropic_known(const struct anthropic_events *s)
{
    return s->known;
}

static bool
is(const char *s, const char *word)
{
    return s != NULL && strcmp(s, word) == 0;
}

/* --- parts -------------------------------------------------------------- */

static void
tell(struct anthropic_events *s, const struct part *p)
{
    s->blocks.fn(s->blocks.arg, p);
}

static void
tell_error(struct anthropic_events *s, const char *json, size_t n)
{
    struct provider_error error;
    struct part p = {.kind = PART_ERROR, .problem = &error.problem};

    anthropic_error(NULL, json, n, &error);
    s->ended = s->known = true;
    tell(s, &p);
}

static void
tell_finish(struct anthropic_events *s)
{
    struct part p = {.kind = PART_FINISH, .finish = s->finish};

    if (p.finish == FINISH_NONE || p.finish == FINISH_STOP)
        p.finish = s->blocks.calls > 0 ? FINISH_TOOL_CALLS : FINISH_STOP;
    s->ended = true;
    tell(s, &p);
}

/* pause_turn: the server stopped a long turn of its own tools, none of which
 * are asked for here. */
static enum finish
finish_of(const char *reason)
{
    static const struct {
        const char *name;
        enum finish finish;
    } names[] = {
        {"end_turn", FINISH_STOP},
        {"stop_sequence", FINISH_STOP},
        {"pause_turn", FINISH_STOP},
        {"max_tokens", FINISH_LENGTH},
        {"model_context_window_exceeded", FINISH_LENGTH},
        {"tool_use", FINISH_TOOL_CALLS},
        {"refusal", FINISH_FILTER},
    };
    size_t i;

    for (i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(reason, names[i].name) == 0)
            return names[i].finish;
    }
    return FINISH_STOP;
}

/* --- what events and messages share ------------------------------------- */

static bool
take_count(const cJSON *usage, const char *name, int64_t *count)
{
    int64_t v = json_i64(usage, name, -1);

    if (v < 0 || v > TOKENS_MAX)
        return false;
    *count = v;
    return true;
}

/* The prompt is what was read anew, what was written to the cache, and what
 * was read from it; input_tokens is the first alone. */
static void
take_usage(struct anthropic_events *s, const cJSON *usage)
{
    struct part p = {.kind = PART_USAGE};
    bool any = take_count(usage, "input_tokens", &s->input);

    any |= take_count(usage, "cache_creation_input_tokens", &s->created);
    any |= take_count(usage, "cache_read_input_tokens", &s->read);
    any |= take_count(usage, "output_tokens", &s->output);
    if (!any)
        return;
    p.usage.input_tokens = s->input;
    if (s->input >= 0)
        p.usage.input_tokens += (s->created > 0 ? s->created : 0) +
                                (s->read > 0 ? s->read : 0);
    p.usage.output_tokens = s->output;
    p.usage.cached_tokens = s->read;
    tell(s, &p);
}

static void
take_model(struct anthropic_events *s, const cJSON *message)
{
    const char *model = json_str(message, "model");

    if (s->model_told || model == NULL || model[0] == '\0')
        return;
    s->model_told = true;
    anthropic_tell(&s->blocks, PART_MODEL, -1, model);
}

static void
take_stop_reason(struct anthropic_events *s, const cJSON *o)
{
    const char *reason = json_str(o, "stop_reason");

    if (reason != NULL)
        s->finish = finish_of(reason);
}

/* --- events ------------------------------------------------------------- */

/* True: the type is known. */
static bool
take_event(struct anthropic_events *s, const char *type, const cJSON *o)
{
    int64_t index = json_i64(o, "index", 0);

    if (is(type, "content_block_delta")) {
        anthropic_block_delta(&s->blocks, index, json_obj(o, "delta"));
    } else if (is(type, "content_block_start")) {
        anthropic_block_start(&s->blocks, index, json_obj(o, "content_block"));
    } else if (is(type, "content_block_stop")) {
        anthropic_block_stop(&s->blocks, index);
    } else if (is(type, "message_start")) {
        take_model(s, json_obj(o, "message"));
        take_usage(s, json_obj(json_obj(o, "message"), "usage"));
    } else if (is(type, "message_delta")) {
        anthropic_blocks_stop(&s->blocks);
        take_stop_reason(s, json_obj(o, "delta"));
        take_usage(s, json_obj(o, "usage"));
    } else if (is(type, "message_stop")) {
        anthropic_blocks_stop(&s->blocks);
        tell_finish(s);
    } else {
        return is(type, "ping");
    }
    return true;
}

/* Servers that imitate this wire leave the type out. */
static bool
is_error(const cJSON *o, const char *type)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(o, "error");

    return is(type, "error") ||
           (type == NULL && error != NULL && !cJSON_IsNull(error));
}

static enum err
begin(struct anthropic_events *s, const char *json, size_t n, part_fn *fn,
      void *arg, struct problem *why, cJSON **o)
{
    *o = NULL;
    s->blocks.fn = fn;
    s->blocks.arg = arg;
    if (s->ended)
        return ERR_HUP;
    *o = json_parse_mended(json, n);
    if (cJSON_IsObject(*o))
        return OK;
    cJSON_Delete(*o);
    return reply_garbage(why, "Check that the provider's address belongs to "
                              "the Messages API.");
}

enum err
anthropic_event(struct anthropic_events *s, const char *json, size_t n,
                part_fn *fn, void *arg, struct problem *why)
{
    cJSON *o;
    enum err e = begin(s, json, n, fn, arg, why, &o);
    const char *type;

    if (e != OK)
        return e;
    type = json_str(o, "type");
    if (is_error(o, type))
        tell_error(s, json, n);
    else if (take_event(s, type, o))
        s->known = true;
    cJSON_Delete(o);
    return s->ended ? ERR_HUP : OK;
}

static void
take_message(struct anthropic_events *s, const cJSON *o)
{
    const cJSON *content;

    s->known = true;
    take_model(s, o);
    cJSON_ArrayForEach(content, json_arr(o, "content")) {
        anthropic_block_start(&s->blocks, 0, content);
        anthropic_block_stop(&s->blocks, 0);
    }
    take_stop_reason(s, o);
    take_usage(s, json_obj(o, "usage"));
    tell_finish(s);
}

enum err
anthropic_message(struct anthropic_events *s, const char *json, size_t n,
                  part_fn *fn, void *arg, struct problem *why)
{
    cJSON *o;
    enum err e = begin(s, json, n, fn, arg, why, &o);

    if (e != OK)
        return e;
    if (is_error(o, json_str(o, "type")))
        tell_error(s, json, n);
    else if (json_arr(o, "content") != NULL)
        take_message(s, o);
    cJSON_Delete(o);
    return s->ended ? ERR_HUP : OK;
}
