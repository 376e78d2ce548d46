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

#include "base/json.h"
#include "provider/wire.h"

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
put_options(struct json_out *j, const struct ask *ask, bool openai)
{
    wire_put_number(j, "temperature", ask->temperature);
    wire_put_number(j, "top_p", ask->top_p);
    if (ask->max_tokens > 0)
        json_put_i64(j, openai ? "max_completion_tokens" : "max_tokens",
                     ask->max_tokens);
    if (ask->effort != NULL)
        json_put_str(j, "reasoning_effort", ask->effort);
    if (ask->format != NULL && ask->format[0] != '\0')
        json_put_raw(j, "response_format", ask->format, strlen(ask->format));
    wire_put_stops(j, "stop", ask, true);
}

/* --- tools -------------------------------------------------------------- */

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
        wire_put_function(j, &ask->tools[i], true);
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
    return wire_body_fits(out, why);
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
