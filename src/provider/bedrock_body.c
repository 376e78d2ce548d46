/*
 * An ask as the body of a Converse request; its messages are written in
 * bedrock_turn.c, its tools in bedrock_tools.c. What was not asked for is not
 * sent.
 *
 * Reasoning. Converse has no word for it; each family of models takes a member
 * of its own in additionalModelRequestFields:
 *   Claude     thinking.budget_tokens: minimal 1024, low 2048, medium 8192,
 *              high and other words 16384; the budget is added to maxTokens,
 *              and the temperature, a topP below 0.95 and a forced tool do not
 *              go with it (anthropic_body.c says the same of Anthropic's
 *              wire); one that decides itself (ask.adaptive) is told
 *              output_config.effort: low, medium, high
 *   gpt-oss    reasoning_effort: low, medium, high
 *   Nova 2     reasoningConfig.maxReasoningEffort: low, medium, high
 * Others are not told.
 *
 * Marks for the prompt cache are refused by models that have none: only
 * Claude and Nova get them, and only Claude behind its tools.
 *
 * A temperature ends at 1 here. Of response_format, json_schema becomes
 * outputConfig; json_object is a sentence in the system text. Extra members of
 * OpenAI's wire are left out.
 * Source: ConverseRequest in the service model bedrock-runtime 2023-09-30 and
 * the user guide's pages on inference, reasoning and prompt caching.
 * Any thread; pure.
 */
#include "base/base.h"

#include "provider/bedrock.h"

#include <math.h>

#include "base/json.h"
#include "base/text.h"
#include "provider/anthropic.h"
#include "provider/wire.h"

static const char no_calls[] =
    "Do not call any tool. Answer with what is known so far.";
static const char json_only[] = "Answer with one JSON object and nothing else.";

/* --- the plan ----------------------------------------------------------- */

static bool
in_name(const struct ask *ask, const char *word)
{
    return strcasestr(ask->model, word) != NULL;
}

bool
bedrock_is_claude(const char *model)
{
    return strcasestr(model, "claude") != NULL ||
           strcasestr(model, "anthropic.") != NULL;
}

static bool
has_tool_pieces(const struct ask *ask)
{
    size_t i, k;

    for (i = 0; i < ask->n_messages; i++) {
        const struct ask_message *m = &ask->messages[i];

        for (k = 0; m->pieces != NULL && k < m->n_pieces; k++) {
            if (m->pieces[k].kind == PIECE_CALL ||
                m->pieces[k].kind == PIECE_RESULT)
                return true;
        }
    }
    return false;
}

static const char *
word_of(const char *effort)
{
    if (strcmp(effort, "minimal") == 0)
        return "low";
    return strcmp(effort, "low") == 0 || strcmp(effort, "medium") == 0 ? effort
                                                                       : "high";
}

static void
plan_reasoning(struct bedrock_plan *p)
{
    const struct ask *ask = p->ask;
    bool forced = p->tools && (ask->tool_choice == TOOL_CHOICE_REQUIRED ||
                               ask->tool_choice == TOOL_CHOICE_NAMED);

    if (ask->effort == NULL || ask->effort[0] == '\0' ||
        strcmp(ask->effort, "none") == 0)
        return;
    if (!p->claude)
        p->model_word = word_of(ask->effort);
    else if (!forced && anthropic_may_think(ask, true))
        p->budget = anthropic_budget(ask->effort);
}

static struct bedrock_plan
plan_of(const struct ask *ask, bool json)
{
    struct bedrock_plan p = {.ask = ask,
                             .claude = bedrock_is_claude(ask->model)};

    p.json = json;
    p.marks = ask->cache && (p.claude || in_name(ask, "nova"));
    p.history = has_tool_pieces(ask);
    p.tools = ask->n_tools > 0 && ask->tool_choice != TOOL_CHOICE_NONE;
    plan_reasoning(&p);
    return p;
}

/* --- the system text ---------------------------------------------------- */

struct system_out {
    struct json_out *j;
    bool begun;
};

static void
put_system_text(void *arg, const char *s, size_t n)
{
    struct system_out *o = arg;

    if (text_blank(s, n))
        return;
    if (!o->begun) {
        json_name(o->j, "system");
        json_begin_arr(o->j);
        o->begun = true;
    }
    json_begin_obj(o->j);
    json_put_strn(o->j, "text", s, n);
    json_end_obj(o->j);
}

/* The ask's system text, those that stand in the history, and ours. */
static void
put_system(struct json_out *j, const struct bedrock_plan *p)
{
    struct system_out o = {.j = j};

    wire_system(p->ask, put_system_text, &o);
    if (p->history && !p->tools)
        put_system_text(&o, no_calls, strlen(no_calls));
    if (p->json)
        put_system_text(&o, json_only, strlen(json_only));
    if (!o.begun)
        return;
    if (p->marks)
        bedrock_put_mark(j);
    json_end_arr(j);
}

/* --- options ------------------------------------------------------------ */

/* Claude refuses both at once, and with thinking a temperature. */
static void
put_sampling(struct json_out *j, const struct bedrock_plan *p)
{
    const struct ask *ask = p->ask;
    bool thinks = p->budget > 0;
    bool temperature = !isnan(ask->temperature) && !thinks;

    if (temperature)
        wire_put_number(j, "temperature",
                        ask->temperature > 1 ? 1 : ask->temperature);
    if (!isnan(ask->top_p) && !(temperature && p->claude) &&
        (!thinks || ask->top_p >= ANTHROPIC_TOP_P_THINKING))
        wire_put_number(j, "topP", ask->top_p);
}

static void
put_options(struct json_out *j, const struct bedrock_plan *p)
{
    int64_t most = p->ask->max_tokens;

    if (p->budget > 0) {
        if (most <= 0)
            most = BEDROCK_THINKING_TOKENS;
        most = most > INT64_MAX - p->budget ? most : most + p->budget;
    }
    if (most <= 0 && isnan(p->ask->temperature) && isnan(p->ask->top_p) &&
        p->ask->n_stop == 0)
        return;
    json_name(j, "inferenceConfig");
    json_begin_obj(j);
    if (most > 0)
        json_put_i64(j, "maxTokens", most);
    put_sampling(j, p);
    wire_put_stops(j, "stopSequences", p->ask, false);
    json_end_obj(j);
}

/* Here the schema is a text. */
static void
put_format(struct json_out *j, const char *schema)
{
    json_name(j, "outputConfig");
    json_begin_obj(j);
    json_name(j, "textFormat");
    json_begin_obj(j);
    json_put_str(j, "type", "json_schema");
    json_name(j, "structure");
    json_begin_obj(j);
    json_name(j, "jsonSchema");
    json_begin_obj(j);
    json_put_str(j, "schema", schema);
    json_end_obj(j);
    json_end_obj(j);
    json_end_obj(j);
    json_end_obj(j);
}

/* What only one family of models knows. */
static void
put_fields(struct json_out *j, const struct bedrock_plan *p)
{
    bool oss = p->model_word != NULL && in_name(p->ask, "gpt-oss");
    bool nova = p->model_word != NULL && in_name(p->ask, "nova-2");
    const char *effort = p->claude ? anthropic_effort(p->ask, p->budget) : NULL;

    if (p->budget <= 0 && effort == NULL && !oss && !nova &&
        !bedrock_choice_is_claudes(p))
        return;
    json_name(j, "additionalModelRequestFields");
    json_begin_obj(j);
    if (p->budget > 0)
        anthropic_put_thinking(j, p->ask, p->budget);
    if (effort != NULL) {
        json_name(j, "output_config");
        json_begin_obj(j);
        json_put_str(j, "effort", effort);
        json_end_obj(j);
    }
    if (bedrock_choice_is_claudes(p))
        bedrock_put_claudes_choice(j, p->ask);
    if (oss)
        json_put_str(j, "reasoning_effort", p->model_word);
    if (nova) {
        json_name(j, "reasoningConfig");
        json_begin_obj(j);
        json_put_str(j, "type", "enabled");
        json_put_str(j, "maxReasoningEffort", p->model_word);
        json_end_obj(j);
    }
    json_end_obj(j);
}

static enum err
put_body(struct json_out *j, const struct ask *ask,
         const struct wire_format *format, struct problem *why)
{
    struct bedrock_plan p = plan_of(ask, format->kind == WIRE_FORMAT_JSON);
    enum err e;

    json_begin_obj(j);
    put_system(j, &p);
    e = bedrock_put_messages(j, ask, p.marks, why);
    put_options(j, &p);
    bedrock_put_tools(j, &p);
    if (format->kind == WIRE_FORMAT_SCHEMA)
        put_format(j, format->schema);
    put_fields(j, &p);
    json_end_obj(j);
    return e;
}

enum err
bedrock_body(struct buf *out, const struct ask *ask, struct problem *why)
{
    struct wire_format format;
    struct json_out j;
    enum err e;

    e = wire_tools_check(ask, why);
    if (e == OK)
        e = wire_format_read(ask->format, &format, why);
    if (e != OK)
        return e;
    json_out_init(&j, out);
    e = put_body(&j, ask, &format, why);
    wire_format_release(&format);
    return e == OK ? wire_body_fits(out, why) : e;
}
