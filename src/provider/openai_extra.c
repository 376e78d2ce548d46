/*
 * Members of OpenAI's wire that Parley has no word for (seed, user,
 * logit_bias, a server's own) are passed on as the client wrote them. They are
 * copied as text and not through a tree, so that a number keeps its digits.
 *
 * What the request says itself wins: such a member is left out, and so are
 * those that would change what the reader gets (stream, n). Names are compared
 * after unescaping, which is what cJSON is asked for here.
 */
#include "base/base.h"

#include "provider/openai.h"

#include <math.h>

#include "base/json.h"

static bool
is_ours(const struct ask *ask, const char *name)
{
    const struct {
        const char *name;
        bool ours;
    } rows[] = {
        {"model", true},
        {"messages", true},
        {"stream", true},
        {"stream_options", true},
        {"n", true},
        {"temperature", !isnan(ask->temperature)},
        {"top_p", !isnan(ask->top_p)},
        {"max_tokens", ask->max_tokens > 0},
        {"max_completion_tokens", ask->max_tokens > 0},
        {"reasoning_effort", ask->effort != NULL},
        {"response_format", ask->format != NULL},
        {"stop", ask->n_stop > 0},
        {"tools", ask->n_tools > 0},
        {"tool_choice",
         ask->n_tools > 0 && ask->tool_choice != TOOL_CHOICE_UNSAID},
        {"parallel_tool_calls", ask->n_tools > 0 && ask->parallel_calls >= 0},
    };
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].ours;
    }
    return false;
}

/* The end of the member that begins at s, in a checked object: the comma or
 * brace after it. */
static const char *
member_end(const char *s)
{
    int depth = 0;

    for (;; s++) {
        if (*s == '"') {
            for (s++; *s != '"'; s++)
                s += *s == '\\';
        } else if (*s == '{' || *s == '[') {
            depth++;
        } else if (depth == 0 && (*s == ',' || *s == '}')) {
            return s;
        } else if (*s == '}' || *s == ']') {
            depth--;
        }
    }
}

enum err
openai_extra(struct json_out *j, const struct ask *ask, struct problem *why)
{
    const cJSON *member;
    const char *s, *end;
    cJSON *tree = NULL;

    if (ask->extra == NULL || ask->extra[0] == '\0')
        return OK;
    if (json_parse(ask->extra, strlen(ask->extra), &tree, NULL) != OK ||
        !cJSON_IsObject(tree)) {
        cJSON_Delete(tree);
        return problem_set(why, ERR_BADREQ, NULL,
                           "The further options are not a JSON object", NULL);
    }
    s = strchr(ask->extra, '{');
    cJSON_ArrayForEach(member, tree) {
        end = member_end(s + 1);
        if (!is_ours(ask, member->string))
            json_add_raw(j, s + 1, (size_t)(end - s - 1));
        s = end;
    }
    cJSON_Delete(tree);
    return OK;
}
