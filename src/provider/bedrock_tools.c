/*
 * The tools of a Converse request.
 *
 * Converse refuses calls and results in the messages unless tools are
 * declared, and has no way to forbid a call. So if none is to be made but the
 * history holds some, the tools are declared all the same (by the names that
 * the history knows, if need be) and a sentence in the system text forbids
 * them.
 *
 * That only one call may be made at a time is Claude's to know: then the choice
 * stands in additionalModelRequestFields, as Anthropic's wire has it, and not
 * in toolConfig. Strict mode, as OpenAI's wire has it, is left out, since most
 * models here refuse it.
 * Source: ToolConfiguration in the service model bedrock-runtime 2023-09-30.
 * Any thread; pure.
 */
#include "base/base.h"

#include "provider/bedrock.h"

#include "base/json.h"
#include "base/text.h"
#include "provider/wire.h"

#define HISTORY_TOOLS_MAX 64

static const char any_object[] = "{\"type\":\"object\",\"properties\":{}}";

static void
put_tool(struct json_out *j, const char *name, const char *description,
         const char *schema)
{
    json_begin_obj(j);
    json_name(j, "toolSpec");
    json_begin_obj(j);
    json_put_str(j, "name", name);
    if (description != NULL && !text_blank(description, strlen(description)))
        json_put_str(j, "description", description);
    json_name(j, "inputSchema");
    json_begin_obj(j);
    wire_put_schema(j, "json", schema, any_object);
    json_end_obj(j);
    json_end_obj(j);
    json_end_obj(j);
}

static bool
add_once(const char **names, size_t *n, const char *name)
{
    size_t i;

    for (i = 0; i < *n; i++) {
        if (strcmp(names[i], name) == 0)
            return false;
    }
    if (*n == HISTORY_TOOLS_MAX)
        return false;
    names[(*n)++] = name;
    return true;
}

/* The tools whose calls the history holds. */
static void
put_history_tools(struct json_out *j, const struct ask *ask)
{
    const char *names[HISTORY_TOOLS_MAX];
    size_t i, k, n = 0;

    for (i = 0; i < ask->n_messages; i++) {
        const struct ask_message *m = &ask->messages[i];

        for (k = 0; m->pieces != NULL && k < m->n_pieces; k++) {
            const struct piece *p = &m->pieces[k];

            if ((p->kind == PIECE_CALL || p->kind == PIECE_RESULT) &&
                p->name != NULL && p->name[0] != '\0' &&
                add_once(names, &n, p->name))
                put_tool(j, p->name, NULL, NULL);
        }
    }
    if (n == 0)
        put_tool(j, "tool", NULL, NULL);
}

bool
bedrock_choice_is_claudes(const struct bedrock_plan *p)
{
    return p->claude && p->tools && p->ask->parallel_calls == 0;
}

/* "auto" is what is done anyway, but may be said. */
static void
put_tool_choice(struct json_out *j, const struct bedrock_plan *p)
{
    const struct ask *ask = p->ask;

    if (!p->tools || bedrock_choice_is_claudes(p))
        return;
    if (ask->tool_choice == TOOL_CHOICE_AUTO) {
        json_put_raw(j, "toolChoice", "{\"auto\":{}}", 11);
    } else if (ask->tool_choice == TOOL_CHOICE_REQUIRED) {
        json_put_raw(j, "toolChoice", "{\"any\":{}}", 10);
    } else if (ask->tool_choice == TOOL_CHOICE_NAMED) {
        json_name(j, "toolChoice");
        json_begin_obj(j);
        json_name(j, "tool");
        json_begin_obj(j);
        json_put_str(j, "name", ask->tool_named);
        json_end_obj(j);
        json_end_obj(j);
    }
}

void
bedrock_put_tools(struct json_out *j, const struct bedrock_plan *p)
{
    const struct ask *ask = p->ask;
    size_t i;

    if (!p->tools && !p->history)
        return;
    json_name(j, "toolConfig");
    json_begin_obj(j);
    json_name(j, "tools");
    json_begin_arr(j);
    for (i = 0; i < ask->n_tools; i++)
        put_tool(j, ask->tools[i].name, ask->tools[i].description,
                 ask->tools[i].schema);
    if (ask->n_tools == 0)
        put_history_tools(j, ask);
    if (p->marks && p->claude)
        bedrock_put_mark(j);
    json_end_arr(j);
    put_tool_choice(j, p);
    json_end_obj(j);
}

void
bedrock_put_claudes_choice(struct json_out *j, const struct ask *ask)
{
    bool named = ask->tool_choice == TOOL_CHOICE_NAMED;

    json_name(j, "tool_choice");
    json_begin_obj(j);
    json_put_str(j, "type",
                 named                                      ? "tool"
                 : ask->tool_choice == TOOL_CHOICE_REQUIRED ? "any"
                                                            : "auto");
    if (named)
        json_put_str(j, "name", ask->tool_named);
    json_put_bool(j, "disable_parallel_tool_use", true);
    json_end_obj(j);
}
