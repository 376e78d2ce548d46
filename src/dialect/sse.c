/*
 * Encoding events of the stream log. Text events become {"type","content"};
 * the others hold their JSON object already and get the type in front. The
 * end events keep the answer in "message" (what POST /chat returns), always as
 * the last member: SSE repeats it as "content" without parsing the object. The
 * scan is right because inside a JSON string a quote is always escaped. Pure.
 */
#include "base/base.h"

#include "dialect/sse.h"

#include "base/json.h"

static const char *const names[EVENT__MAX] = {
    [EVENT_START] = "response_start",
    [EVENT_CONTEXT] = "context",
    [EVENT_REASONING] = "reasoning_chunk",
    [EVENT_CHUNK] = "response_chunk",
    [EVENT_TOOL_CALL] = "tool_call",
    [EVENT_TOOL_RESULT] = "tool_result",
    [EVENT_CITATION] = "citation",
    [EVENT_COMPLETE] = "response_complete",
    [EVENT_CANCELLED] = "response_cancelled",
    [EVENT_ERROR] = "error",
};

#define MESSAGE_MEMBER ",\"message\":"
#define MESSAGE_LEN (sizeof(MESSAGE_MEMBER) - 1)

const char *
dialect_event_name(enum event_type t)
{
    return t > 0 && t < EVENT__MAX && names[t] != NULL ? names[t] : "unknown";
}

/* The last ,"message": of the object; NULL if it has none. */
static const char *
find_message(const char *s, size_t n)
{
    const char *found = NULL;
    const char *at = s;

    while (at != NULL && at < s + n) {
        at = memmem(at, (size_t)(s + n - at), MESSAGE_MEMBER, MESSAGE_LEN);
        if (at != NULL) {
            found = at;
            at += MESSAGE_LEN;
        }
    }
    return found;
}

void
dialect_event_data(struct buf *out, const struct event *ev, uint32_t seq)
{
    const char *message;

    buf_adds(out, "{\"type\":\"");
    buf_adds(out, dialect_event_name(ev->type));
    buf_addc(out, '"');
    if (seq != 0) {
        buf_adds(out, ",\"seq\":");
        buf_add_i64(out, seq);
    }
    if (ev->type == EVENT_CHUNK || ev->type == EVENT_REASONING) {
        buf_adds(out, ",\"content\":");
        json_escape(out, ev->data, ev->len);
        buf_addc(out, '}');
        return;
    }
    assert(ev->len >= 2 && ev->data[0] == '{');
    if (ev->len > 2)
        buf_addc(out, ',');
    if (ev->type == EVENT_COMPLETE || ev->type == EVENT_CANCELLED) {
        message = find_message(ev->data, ev->len);
        if (message != NULL) {
            buf_adds(out, "\"content\":");
            buf_add(out, message + MESSAGE_LEN,
                    (size_t)(ev->data + ev->len - 1 - message) - MESSAGE_LEN);
            buf_addc(out, ',');
        }
    }
    buf_add(out, ev->data + 1, ev->len - 1);
}

void
dialect_sse(struct buf *out, const char *turn, const struct event *ev)
{
    buf_adds(out, "id: ");
    buf_adds(out, turn);
    buf_addc(out, '.');
    buf_add_i64(out, ev->seq);
    buf_adds(out, "\nevent: ");
    buf_adds(out, dialect_event_name(ev->type));
    buf_adds(out, "\ndata: ");
    dialect_event_data(out, ev, 0);
    buf_adds(out, "\n\n");
}
