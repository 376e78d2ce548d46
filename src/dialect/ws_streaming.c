/*
 * The dialect of the streaming service: {"type":"chat_message","message":
 * {content, role},"history"} or its older form {"content"}; back come
 * response_start, a response_chunk for each piece and response_complete. These
 * have the members of the events over SSE, and seq, so that a client can go on
 * over another transport. A cancelled answer is complete here: this dialect
 * knows no other end. Pure.
 */
#include "base/base.h"

#include "dialect/ws_inside.h"

#include "dialect/sse.h"

/* {content, role}; role may be missing. */
static void
streaming_message(struct ws_in *in, const cJSON *message)
{
    const char *role = json_str(message, "role");
    const char *content = json_str(message, "content");

    if (!ws_lacks(message, "role") &&
        (role == NULL || strcmp(role, "user") != 0))
        ws_bad_member(in, "message.role", "\"user\"");
    else if (!ws_lacks(message, "content") && content == NULL)
        ws_bad_member(in, "message.content", "a string");
    else
        ws_ask(in, content);
}

static void
streaming_chat(struct ws_in *in)
{
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(in->ask, "message");
    const char *content = json_str(in->ask, "content");

    if (cJSON_IsObject(message))
        streaming_message(in, message);
    else if (message != NULL && !cJSON_IsNull(message))
        ws_bad_member(in, "message", "an object with content and role");
    else if (!ws_lacks(in->ask, "content") && content == NULL)
        ws_bad_member(in, "content", "a string");
    else
        ws_ask(in, content);
}

static void
streaming_read(const struct ws *w, struct ws_in *in)
{
    const char *type = json_str(in->ask, "type");

    (void)w;
    if (type == NULL && !ws_lacks(in->ask, "type"))
        ws_bad_member(in, "type", "a string");
    else if (type == NULL || strcmp(type, "chat_message") == 0)
        streaming_chat(in);
    else if (!ws_verb(type, &in->what))
        ws_bad_type(in, type);
    else if (in->what == WS_AUTH)
        ws_read_auth(in);
}

bool
ws_streaming_event(const struct event *ev, struct buf *out)
{
    struct event as = *ev;

    switch (ev->type) {
    case EVENT_START:
    case EVENT_CHUNK:
    case EVENT_COMPLETE: break;
    case EVENT_CANCELLED: as.type = EVENT_COMPLETE; break;
    default: return false;
    }
    dialect_event_data(out, &as, ev->seq);
    return true;
}

static bool
streaming_event(const struct ws_turn *t, const struct event *ev,
                struct buf *out)
{
    (void)t;
    return ws_streaming_event(ev, out);
}

const struct ws_speech ws_streaming = {
    .coded = true,
    .read = streaming_read,
    .event = streaming_event,
};
