/*
 * The dialect of the interactive client: frames with a type both ways. A chat
 * is answered by typing and then ai_response. A client that asks for it with
 * "stream": true is told response_start in place of typing, and the pieces as
 * they come. Pure.
 */
#include "base/base.h"

#include "dialect/ws_inside.h"

#define THINKING "AI is thinking..."

static void
client_chat(struct ws_in *in)
{
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(in->ask, "message");

    if (message != NULL && !cJSON_IsNull(message) && !cJSON_IsString(message))
        ws_bad_member(in, "message", "a string");
    else
        ws_ask(in, json_str(in->ask, "message"));
}

static void
client_read(const struct ws *w, struct ws_in *in)
{
    const char *type = json_str(in->ask, "type");

    (void)w;
    if (type == NULL)
        ws_bad(in, "invalid_parameter", WS_SAY_FORMAT,
               "'type' is a string, such as \"chat\".");
    else if (strcmp(type, "chat") == 0)
        client_chat(in);
    else if (!ws_verb(type, &in->what))
        ws_bad_type(in, type);
    else if (in->what == WS_AUTH)
        ws_read_auth(in);
}

static void
typing(const struct event *ev, struct buf *out)
{
    struct json_out j;

    ws_open(&j, "typing", out);
    json_put_str(&j, "message", THINKING);
    ws_put_slice(&j, "timestamp", ws_member(ev, "timestamp"), NULL);
    json_end_obj(&j);
}

static void
answer(const struct event *ev, struct buf *out)
{
    static const char *const more[] = {"message_id", "provider", "model",
                                       "usage",      "command",  "result"};
    struct json_out j;

    ws_open(&j, "ai_response", out);
    ws_put_slice(&j, "message", ws_member(ev, "message"), "\"\"");
    ws_put_slice(&j, "tool_calls", ws_member(ev, "tool_calls"), "[]");
    ws_put_slice(&j, "tool_results", ws_member(ev, "tool_results"), "[]");
    ws_put_slice(&j, "timestamp", ws_member(ev, "timestamp"), NULL);
    for (size_t i = 0; i < COUNT_OF(more); i++)
        ws_put_slice(&j, more[i], ws_member(ev, more[i]), NULL);
    if (ev->type == EVENT_CANCELLED)
        json_put_str(&j, "finish_reason", "cancelled");
    json_end_obj(&j);
}

static bool
client_event(const struct ws_turn *t, const struct event *ev, struct buf *out)
{
    if (EVENT_IS_END(ev->type))
        answer(ev, out);
    else if (t->stream)
        return ws_streaming_event(ev, out);
    else if (ev->type == EVENT_START)
        typing(ev, out);
    else
        return false;
    return true;
}

const struct ws_speech ws_client = {
    .coded = true,
    .read = client_read,
    .event = client_event,
};
