/*
 * The dialect of cloud-chat: one message, and back the context that another
 * model is to be given with it: system text, excerpts of files, an image. At
 * /api/chat the answer of the local model comes with it. Every frame has a
 * "message", since its clients look into that before they look at the type.
 * Pure.
 */
#include "base/base.h"

#include "dialect/ws_inside.h"

#include "base/text.h"
#include "chat/result.h"
#include "chat/retrieve.h"

static enum err
refuse(struct problem *why, const char *error)
{
    return problem_set(why, ERR_BADREQ, "invalid_parameter", error, "%s", "");
}

static bool
is_message(const cJSON *v)
{
    const char *role = json_str(v, "role");
    enum role r;

    return cJSON_IsObject(v) && json_str(v, "content") != NULL &&
           role != NULL && role_parse(role, &r) == OK && r != ROLE_TOOL;
}

enum err
ws_context_check(const cJSON *ask, struct problem *why)
{
    const cJSON *history = cJSON_GetObjectItemCaseSensitive(ask, "history");
    const char *message = json_str(ask, "message");
    const cJSON *v;

    if (!ws_lacks(ask, "message") && message == NULL)
        return refuse(why, "Invalid message: it must be a string");
    if (message == NULL || text_blank(message, strlen(message)))
        return problem_set(why, ERR_BADREQ, "missing_message",
                           "No message provided", "%s", "");
    if (!ws_lacks(ask, "image_name") && json_str(ask, "image_name") == NULL)
        return refuse(why, "Invalid image_name: it must be a string");
    if (ws_lacks(ask, "history"))
        return OK;
    if (!cJSON_IsArray(history))
        return refuse(why, "Invalid history: it must be a list of messages");
    cJSON_ArrayForEach(v, history) {
        if (!is_message(v))
            return refuse(why,
                          "Invalid history: each message has a content and a "
                          "role, which is user, assistant or system");
    }
    return OK;
}

enum err
ws_file_missing(const char *name, struct problem *why)
{
    return retrieve_missing(why, name, "");
}

static void
cloud_read(const struct ws *w, struct ws_in *in)
{
    if (ws_context_check(in->ask, &in->why) != OK)
        in->what = WS_BAD;
    else if (w->at == WS_AT_LOCAL)
        ws_ask(in, json_str(in->ask, "message"));
    else
        in->what = WS_CONTEXT;
}

/* --- the context ---------------------------------------------------------- */

static void
put_files(struct json_out *j, const struct ws_context *c)
{
    json_name(j, "relevant_files");
    json_begin_arr(j);
    for (size_t i = 0; i < c->n_files; i++)
        json_add_str(j, c->files[i].name);
    json_end_arr(j);
    json_name(j, "file_details");
    json_begin_arr(j);
    for (size_t i = 0; i < c->n_files; i++) {
        json_begin_obj(j);
        json_put_str(j, "fileName", c->files[i].name);
        json_name(j, "similarity");
        json_add_num(j, c->files[i].similarity);
        json_end_obj(j);
    }
    json_end_arr(j);
}

/* Only where there are any: its clients do not know of it. */
static void
put_held(struct json_out *j, const struct ws_context *c)
{
    if (c->n_held == 0)
        return;
    json_name(j, "held_back");
    json_begin_arr(j);
    for (size_t i = 0; i < c->n_held; i++)
        json_add_str(j, c->held[i]);
    json_end_arr(j);
}

static void
put_image(struct json_out *j, const struct ws_image *im)
{
    json_name(j, "image_context");
    if (im == NULL) {
        json_add_null(j);
        return;
    }
    json_begin_obj(j);
    json_put_str(j, "image_name", im->name);
    json_name(j, "tags");
    json_begin_arr(j);
    for (size_t i = 0; i < im->n_tags; i++)
        json_add_str(j, im->tags[i]);
    json_end_arr(j);
    json_put_str(j, "description", im->description);
    json_put_str(j, "image_base64", im->base64);
    json_end_obj(j);
}

static void
put_history(struct json_out *j, const cJSON *history)
{
    const cJSON *v;

    json_name(j, "history");
    json_begin_arr(j);
    cJSON_ArrayForEach(v, history) {
        json_begin_obj(j);
        json_put_str(j, "role", json_str(v, "role"));
        json_put_str(j, "content", json_str(v, "content"));
        json_end_obj(j);
    }
    json_end_arr(j);
}

void
ws_context_data(const struct ws_context *c, struct buf *out)
{
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_str(&j, "system_prompt", c->system_prompt);
    json_put_str(&j, "rag_context", c->rag_context);
    put_files(&j, c);
    put_image(&j, c->image);
    put_held(&j, c);
    json_put_str(&j, "user_message", c->user_message);
    put_history(&j, c->history);
    json_end_obj(&j);
}

void
ws_context_status(struct buf *out)
{
    ws_say(out, "status", "Looking for what belongs to the message");
}

void
ws_context_result(const struct ws_context *c, struct buf *out)
{
    buf_adds(out, "{\"type\":\"result\","
                  "\"message\":\"The context is complete\",\"data\":");
    ws_context_data(c, out);
    buf_addc(out, '}');
}

/* --- the local model's answer --------------------------------------------- */

static void
answer(const struct ws_turn *t, const struct event *ev, struct buf *out)
{
    static const char *const more[] = {"session_id", "message_id", "provider",
                                       "model",      "usage",      "timestamp"};
    struct ws_slice text = ws_member(ev, "message");
    struct json_out j;

    ws_open(&j, "result", out);
    ws_put_slice(&j, "message", text, "\"\"");
    json_name(&j, "data");
    json_begin_obj(&j);
    if (t->data_len > 2) { /* its members */
        assert(t->data[0] == '{');
        json_add_raw(&j, t->data + 1, t->data_len - 2);
    }
    ws_put_slice(&j, "response", text, "\"\"");
    for (size_t i = 0; i < COUNT_OF(more); i++)
        ws_put_slice(&j, more[i], ws_member(ev, more[i]), NULL);
    json_end_obj(&j);
    json_end_obj(&j);
}

static bool
cloud_event(const struct ws_turn *t, const struct event *ev, struct buf *out)
{
    if (EVENT_IS_END(ev->type))
        answer(t, ev, out);
    else if (ev->type == EVENT_START)
        ws_say(out, "status", "The model is answering");
    else
        return false;
    return true;
}

const struct ws_speech ws_cloud = {
    .read = cloud_read,
    .event = cloud_event,
};
