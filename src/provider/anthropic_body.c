/*
 * An ask as the body of a Messages request (docs/WIRE.md); its messages are
 * written in anthropic_turn.c.
 *
 * Reasoning. The wire wants a budget in tokens where the ask has a word:
 *   minimal 1024, low 2048, medium 8192, high 16384; other words as high;
 *   "none" or not said: thinking is left out.
 * The budget counts towards max_tokens, so that is raised by it: the ask's
 * max_tokens stays what it is for, the length of the answer. Thinking forbids
 * a temperature, a top_p below 0.95 and a forced tool: the first two are then
 * left out, and a forced tool leaves out the thinking. So does a tool's result
 * for a call that was made without thinking, or elsewhere: the wire refuses to
 * begin to think between a call and its result. Models that decide themselves
 * how long they think (ask.adaptive; from Opus 4.7 on they refuse a budget) are
 * told to be adaptive and an effort of low, medium or high.
 *
 * A temperature ends at 1 here. Newer models refuse temperature and top_p
 * together; the temperature goes first.
 *
 * Of response_format, json_schema becomes output_config.format; json_object
 * has no equal here and is left out, as are extra members of OpenAI's wire.
 * Source: MessageCreateParams in resources/messages of @anthropic-ai/sdk.
 * Any thread; pure.
 */
#include "base/base.h"

#include "provider/anthropic.h"

#include <math.h>

#include "base/json.h"
#include "base/text.h"
#include "provider/wire.h"

#define BEDROCK_VERSION "bedrock-2023-05-31"

static const char any_object[] = "{\"type\":\"object\"}";

static bool
is_forced(const struct ask *ask)
{
    return ask->n_tools > 0 && (ask->tool_choice == TOOL_CHOICE_REQUIRED ||
                                ask->tool_choice == TOOL_CHOICE_NAMED);
}

int64_t
anthropic_budget(const char *effort)
{
    static const struct {
        const char *effort;
        int64_t tokens;
    } rows[] = {
        {"none", 0},   {"minimal", 1024}, /* the least that the wire takes */
        {"low", 2048}, {"medium", 8192},  {"high", 16384},
    };
    size_t i;

    if (effort == NULL || effort[0] == '\0')
        return 0;
    for (i = 0; i + 1 < COUNT_OF(rows); i++) {
        if (strcmp(effort, rows[i].effort) == 0)
            break;
    }
    return rows[i].tokens;
}

/* Tokens to think with; 0: no thinking. */
static int64_t
budget_of(const struct ask *ask, bool bedrock)
{
    if (is_forced(ask) || !anthropic_may_think(ask, bedrock))
        return 0;
    return anthropic_budget(ask->effort);
}

/* --- the system text ---------------------------------------------------- */

static void
put_system_text(struct json_out *j, const char *s, size_t n, bool mark)
{
    json_begin_obj(j);
    json_put_str(j, "type", "text");
    json_put_strn(j, "text", s, n);
    if (mark)
        anthropic_put_mark(j);
    json_end_obj(j);
}

/* The system texts, counted first and then written. */
struct system_out {
    struct json_out *j; /* NULL: only count */
    size_t count, last; /* last: the number of the one to mark */
};

static void
on_system_text(void *arg, const char *s, size_t n)
{
    struct system_out *o = arg;

    if (text_blank(s, n))
        return;
    o->count++;
    if (o->j != NULL)
        put_system_text(o->j, s, n, o->count == o->last);
}

static void
put_system(struct json_out *j, const struct ask *ask)
{
    struct system_out counted = {.j = NULL}, o = {.j = j};

    wire_system(ask, on_system_text, &counted);
    if (counted.count == 0)
        return;
    o.last = ask->cache ? counted.count : 0;
    json_name(j, "system");
    json_begin_arr(j);
    wire_system(ask, on_system_text, &o);
    json_end_arr(j);
}

/* --- tools -------------------------------------------------------------- */

static void
put_tools(struct json_out *j, const struct ask *ask, bool bedrock)
{
    size_t i;

    json_name(j, "tools");
    json_begin_arr(j);
    for (i = 0; i < ask->n_tools; i++) {
        const struct tool *t = &ask->tools[i];

        json_begin_obj(j);
        json_put_str(j, "name", t->name);
        if (t->description != NULL && t->description[0] != '\0')
            json_put_str(j, "description", t->description);
        wire_put_schema(j, "input_schema", t->schema, any_object);
        if (t->strict && !bedrock)
            json_put_bool(j, "strict", true);
        if (ask->cache && i + 1 == ask->n_tools)
            anthropic_put_mark(j);
        json_end_obj(j);
    }
    json_end_arr(j);
}

static void
put_tool_choice(struct json_out *j, const struct ask *ask)
{
    static const char *const types[] = {
        [TOOL_CHOICE_UNSAID] = "auto", [TOOL_CHOICE_AUTO] = "auto",
        [TOOL_CHOICE_NONE] = "none",   [TOOL_CHOICE_REQUIRED] = "any",
        [TOOL_CHOICE_NAMED] = "tool",
    };
    bool one = ask->parallel_calls == 0 && ask->tool_choice != TOOL_CHOICE_NONE;

    if (ask->tool_choice == TOOL_CHOICE_UNSAID && !one)
        return;
    json_name(j, "tool_choice");
    json_begin_obj(j);
    json_put_str(j, "type", types[ask->tool_choice]);
    if (ask->tool_choice == TOOL_CHOICE_NAMED)
        json_put_str(j, "name", ask->tool_named);
    if (one)
        json_put_bool(j, "disable_parallel_tool_use", true);
    json_end_obj(j);
}

/* --- options ------------------------------------------------------------ */

static void
put_sampling(struct json_out *j, const struct ask *ask, bool thinks)
{
    if (!thinks && !isnan(ask->temperature))
        wire_put_number(j, "temperature",
                        ask->temperature > 1 ? 1 : ask->temperature);
    else if (!isnan(ask->top_p) &&
             (!thinks || ask->top_p >= ANTHROPIC_TOP_P_THINKING))
        wire_put_number(j, "top_p", ask->top_p);
}

/* Its thoughts are told in short: it leaves them out if nothing is said. */
void
anthropic_put_thinking(struct json_out *j, const struct ask *ask,
                       int64_t budget)
{
    json_name(j, "thinking");
    json_begin_obj(j);
    if (ask->adaptive) {
        json_put_str(j, "type", "adaptive");
        json_put_str(j, "display", "summarized");
    } else {
        json_put_str(j, "type", "enabled");
        json_put_i64(j, "budget_tokens", budget);
    }
    json_end_obj(j);
}

const char *
anthropic_effort(const struct ask *ask, int64_t budget)
{
    bool none = ask->effort != NULL && strcmp(ask->effort, "none") == 0;

    if (!ask->adaptive || (budget == 0 && !none))
        return NULL;
    if (budget <= anthropic_budget("low"))
        return "low";
    return budget <= anthropic_budget("medium") ? "medium" : "high";
}

/* The schema of response_format; NULL: it has none. Free it. */
static char *
schema_of(const char *format)
{
    cJSON *tree = json_parse_lenient(format, strlen(format));
    const char *type = json_str(tree, "type");
    const cJSON *schema = json_obj(json_obj(tree, "json_schema"), "schema");
    char *text = NULL;

    if (type != NULL && strcmp(type, "json_schema") == 0 && schema != NULL)
        text = cJSON_PrintUnformatted(schema);
    cJSON_Delete(tree);
    return text;
}

static void
put_output_config(struct json_out *j, const struct ask *ask, int64_t budget)
{
    const char *effort = anthropic_effort(ask, budget);
    char *schema = ask->format != NULL ? schema_of(ask->format) : NULL;

    if (effort == NULL && schema == NULL)
        return;
    json_name(j, "output_config");
    json_begin_obj(j);
    if (effort != NULL)
        json_put_str(j, "effort", effort);
    if (schema != NULL) {
        json_name(j, "format");
        json_begin_obj(j);
        json_put_str(j, "type", "json_schema");
        json_put_raw(j, "schema", schema, strlen(schema));
        json_end_obj(j);
    }
    json_end_obj(j);
    cJSON_free(schema);
}

static void
put_options(struct json_out *j, const struct ask *ask, bool bedrock)
{
    int64_t budget = budget_of(ask, bedrock);
    int64_t most = ask->max_tokens > 0 ? ask->max_tokens
                                       : ANTHROPIC_TOKENS_DEFAULT;

    json_put_i64(j, "max_tokens",
                 most > INT64_MAX - budget ? most : most + budget);
    if (budget > 0)
        anthropic_put_thinking(j, ask, budget);
    put_sampling(j, ask, budget > 0);
    wire_put_stops(j, "stop_sequences", ask, false);
    if (ask->n_tools > 0) {
        put_tools(j, ask, bedrock);
        put_tool_choice(j, ask);
    }
    put_output_config(j, ask, budget);
}

enum err
anthropic_body(struct buf *out, const struct ask *ask, bool bedrock,
               struct problem *why)
{
    struct json_out j;
    enum err e;

    json_out_init(&j, out);
    json_begin_obj(&j);
    if (bedrock) {
        json_put_str(&j, "anthropic_version", BEDROCK_VERSION);
    } else {
        json_put_str(&j, "model", ask->model);
        if (!ask->whole)
            json_put_bool(&j, "stream", true);
    }
    put_options(&j, ask, bedrock);
    put_system(&j, ask);
    e = anthropic_put_messages(&j, ask, bedrock, why);
    json_end_obj(&j);
    return e == OK ? wire_body_fits(out, why) : e;
}
