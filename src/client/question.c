/*
 * A question as JSON: the body of POST /chat, and the frame of a WebSocket's
 * client, which is the same object with a type. Pure.
 */
#include "base/base.h"

#include "client/inside.h"

#include "base/text.h"

static void
put_attachments(struct json_out *j, const struct parley_ask *ask)
{
    struct buf data;

    json_name(j, "attachments");
    json_begin_arr(j);
    for (size_t i = 0; i < ask->n_attachments; i++) {
        const struct parley_attachment *a = &ask->attachments[i];

        buf_init(&data, CLIENT_ASK_MAX);
        text_base64(&data, a->data, a->n);
        json_begin_obj(j);
        json_put_str(j, "media_type", a->media_type);
        json_put_strn(j, "data", data.data, data.len);
        json_end_obj(j);
        buf_release(&data);
    }
    json_end_arr(j);
}

void
question_json(struct buf *out, const struct parley *p,
              const struct parley_ask *ask, const char *key, const char *type)
{
    const struct {
        const char *name, *value;
    } members[] = {
        {"type", type},
        {"message", ask->message},
        {"model", ask->model},
        {"provider", ask->provider},
        {"context", ask->context},
        {"session_id", p->session_id},
        {"client_message_id", key},
    };
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (members[i].value != NULL && members[i].value[0] != '\0')
            json_put_str(&j, members[i].name, members[i].value);
    json_put_bool(&j, "stream", true);
    if (ask->n_attachments > 0)
        put_attachments(&j, ask);
    json_end_obj(&j);
}
