/*
 * The dialect of commands: {"message"} from the client, and exactly one frame
 * back for each. It has no types on the way in. Pure.
 */
#include "base/base.h"

#include "dialect/ws_inside.h"

static void
commands_read(const struct ws *w, struct ws_in *in)
{
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(in->ask, "type");

    (void)w;
    if (cJSON_IsString(type))
        ws_bad_type(in, type->valuestring);
    else if (!ws_lacks(in->ask, "message") &&
             json_str(in->ask, "message") == NULL)
        ws_bad_member(in, "message", "a string");
    else
        ws_ask(in, json_str(in->ask, "message"));
}

static bool
commands_event(const struct ws_turn *t, const struct event *ev, struct buf *out)
{
    struct ws_slice text = ws_member(ev, "message");
    struct ws_slice command = ws_member(ev, "command");
    struct ws_slice result = ws_member(ev, "result");
    struct json_out j;

    (void)t;
    if (ev->type == EVENT_CANCELLED && text.n <= 2) {
        ws_say(out, "system", "The answer was stopped.");
        return true;
    }
    if (command.n > 0 && result.n > 0) {
        ws_open(&j, "command_response", out);
        ws_put_slice(&j, "command", command, NULL);
        ws_put_slice(&j, "result", result, NULL);
    } else {
        ws_open(&j, "message", out);
        ws_put_slice(&j, "content", text, "\"\"");
    }
    json_end_obj(&j);
    return true;
}

const struct ws_speech ws_commands = {
    .ends_only = true,
    .notices = true,
    .read = commands_read,
    .event = commands_event,
};
