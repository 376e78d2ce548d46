/*
 * An ask as a Chat Completions request (docs/WIRE.md). Messages are written
 * in openai_messages.c, the address and headers in openai_request.c.
 *
 * Two things depend on who is asked. OpenAI has renamed the limit of the
 * answer: its reasoning models refuse max_tokens, while most servers that
 * speak the same wire know only max_tokens and some refuse members that they
 * do not know. So api.openai.com is sent max_completion_tokens and everybody
 * else max_tokens. The other thing is thoughts: see refuses_thoughts.
 *
 * What was not asked for is not sent, since models differ in what they allow
 * (a temperature, for one). tool_choice and parallel_tool_calls are errors
 * without tools, so they go only with them.
 */
#include "base/base.h"

#include "provider/openai.h"

#include <math.h>

#include "base/json.h"

/* Thoughts go back as reasoning_content: DeepSeek's and Moonshot's APIs refuse
 * tool results without them, llama.cpp and vLLM put them into the template,
 * most others ignore them. These refuse members of a message that they do not
 * know; the router of Hugging Face may hand the request to one of them. */
static const char *const refuses_thoughts[] = {
    "api.openai.com",  "api.groq.com",          "api.mistral.ai",
    "api.cerebras.ai", "router.huggingface.co",
};

static bool
takes_thoughts(const char *base_url)
{
    size_t i;

    for (i = 0; i < COUNT_OF(refuses_thoughts); i++) {
        if (openai_host_is(base_url, refuses_thoughts[i]))
            return false;
    }
    return true;
}

static void
put_number(struct json_out *j, const char *name, double v)
{
    if (isnan(v))
        return;
    json_name(j, name);
    json_add_num(j, v);
}

static void
put_raw(struct json_out *j, const char *name, const char *json)
{
    if (json != NULL && json[0] != '\0')
        json_put_raw(j, name, json, strlen(json));
}

static void
put_options(struct json_out *j, const struct ask *ask, bool openai)
{
    size_t i;

    put_number(j, "temperature", ask->temperature);
    put_number(j, "top_p", ask->top_p);
    if (ask->max_tokens > 0)
        json_put_i64(j, openai ? "max_completion_tokens" : "max_tokens",
                     ask->max_tokens);
    if (ask->effort != NULL)
        json_put_str(j, "reasoning_effort", ask->effort);
    put_raw(j, "response_format", ask->format);
    if (ask->n_stop == 0)
        return;
    json_name(j, "stop");
    json_begin_arr(j);
    for (i = 0; i < ask->n_stop; i++)
        json_add_str(j, ask->stop[i]);
    json_end_arr(j);
}

/* --- tools -------------------------------------------------------------- */

static void
put_tool(struct json_out *j, const struct tool *t)
{
    json_begin_obj(j);
    json_put_str(j, "type", "function");
    json_name(j, "function");
    json_begin_obj(j);
    json_put_str(j, "name", t->name);
    if (t->description != NULL && t->description[0] != '\0')
        json_put_str(j, "description", t->description);
    put_raw(j, "parameters", t->schema);
    if (t->strict)
        json_put_bool(j, "strict", true);
    json_end_obj(j);
    json_end_obj(j);
}

static void
put_choice(struct json_out *j, const struct ask *ask)
{
    switch (ask->tool_choice) {
    case TOOL_CHOICE_UNSAID: return;
    case TOOL_CHOICE_AUTO: json_put_str(j, "tool_choice", "auto"); return;
    case TOOL_CHOICE_NONE: json_put_str(j, "tool_choice", "none"); return;
    case TOOL_CHOICE_REQUIRED:
        json_put_str(j, "tool_choice", "required");
        return;
    case TOOL_CHOICE_NAMED: break;
    }
    json_name(j, "tool_choice");
    json_begin_obj(j);
    json_put_str(j, "type", "function");
    json_name(j, "function");
    json_begin_obj(j);
    json_put_str(j, "name", ask->tool_named);
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
    for (i = 0; i < ask->n_tools; i++)
        put_tool(j, &ask->tools[i]);
    json_end_arr(j);
    put_choice(j, ask);
    if (ask->parallel_calls >= 0)
        json_put_bool(j, "parallel_tool_calls", ask->parallel_calls > 0);
}

/* --- the body ----------------------------------------------------------- */

static void
put_stream(struct json_out *j, bool stream)
{
    json_put_bool(j, "stream", stream);
    if (!stream)
        return;
    json_name(j, "stream_options");
    json_begin_obj(j);
    json_put_bool(j, "include_usage", true);
    json_end_obj(j);
}

static enum err
put_body(struct buf *out, const struct openai_wire *w, const struct ask *ask,
         const char *base_url, struct problem *why)
{
    struct json_out j;
    enum err e;

    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_str(&j, "model", ask->model);
    json_name(&j, "messages");
    e = openai_messages(&j, w, ask, takes_thoughts(base_url), why);
    if (e != OK)
        return e;
    put_stream(&j, !ask->whole);
    put_options(&j, ask, openai_is_openai(base_url));
    put_tools(&j, ask);
    e = openai_extra(&j, ask, why);
    if (e != OK)
        return e;
    json_end_obj(&j);
    if (buf_status(out) != OK)
        return problem_set(why, ERR_TOOBIG, NULL,
                           "The conversation is too long to be sent",
                           "Start a new session or clear this one.");
    return OK;
}

enum err
openai_ask(const struct openai_wire *w, const struct ask *ask,
           const struct account *acc, struct upstream_request *out,
           struct problem *why)
{
    enum err e;

    if (ask->n_messages == 0)
        return problem_set(why, ERR_BADREQ, NULL, "There is nothing to ask",
                           NULL);
    if (ask->tool_choice == TOOL_CHOICE_NAMED && ask->tool_named == NULL)
        return problem_set(why, ERR_BADREQ, NULL,
                           "The tool to be called has no name", NULL);
    e = openai_request(w, acc, "POST", "/chat/completions",
                       ask->whole ? "application/json" : "text/event-stream",
                       out, why);
    return e == OK ? put_body(&out->body, w, ask, acc->base_url, why) : e;
}

enum err
openai_build(const struct ask *ask, const struct account *acc,
             struct upstream_request *out, struct problem *why)
{
    return openai_ask(&openai_wire, ask, acc, out, why);
}
