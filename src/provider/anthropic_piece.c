/*
 * One piece of a message as a content block of the Messages API.
 *
 * What the wire refuses is mended where that loses nothing: ids of other
 * providers' calls are spelled with the letters that are allowed here, and
 * arguments that are no JSON object are wrapped in one. An image of another
 * kind than the wire takes cannot be mended, and is refused with a reason.
 * Source: ContentBlockParam in resources/messages of @anthropic-ai/sdk.
 * Any thread; pure.
 */
#include "base/base.h"

#include "provider/anthropic.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "provider/wire.h"

/* Ids may hold letters, digits, _ and -; others are spelled in hex. */
static void
put_id(struct json_out *j, const char *name, const char *id)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    static const char prefix[] = "id_";
    size_t n = strlen(id), skip = sizeof(prefix) - 1;
    char *hex;

    if (n > 0 && strspn(id, letters) == n) {
        json_put_str(j, name, id);
        return;
    }
    hex = xmalloc(skip + 2 * n + 1);
    memcpy(hex, prefix, skip);
    text_hex(hex + skip, id, n);
    json_put_str(j, name, hex);
    free(hex);
}

static void
put_call(struct json_out *j, const struct piece *p)
{
    json_put_str(j, "type", "tool_use");
    put_id(j, "id", p->id);
    json_put_str(j, "name", p->name);
    wire_put_args(j, "input", p);
}

static void
put_result(struct json_out *j, const struct piece *p)
{
    json_put_str(j, "type", "tool_result");
    put_id(j, "tool_use_id", p->id);
    if (!wire_blank(p))
        json_put_strn(j, "content", p->text, p->len);
    if (p->failed)
        json_put_bool(j, "is_error", true);
}

static void
put_thought(struct json_out *j, const struct piece *p)
{
    if (p->sealed) {
        json_put_str(j, "type", "redacted_thinking");
        json_put_str(j, "data", p->signature);
        return;
    }
    json_put_str(j, "type", "thinking");
    json_put_strn(j, "thinking", p->len > 0 ? p->text : "", p->len);
    json_put_str(j, "signature", p->signature);
}

/* The name by which the wire knows a media type; NULL: it does not. */
static const char *
media_type(const char *s, size_t n)
{
    static const char *const known[] = {"image/jpeg", "image/png", "image/gif",
                                        "image/webp"};
    size_t i;

    if (text_ieqn(s, n, "image/jpg"))
        return known[0];
    for (i = 0; i < COUNT_OF(known); i++) {
        if (text_ieqn(s, n, known[i]))
            return known[i];
    }
    return NULL;
}

static enum err
put_base64(struct json_out *j, const struct wire_image *image,
           struct problem *why)
{
    const char *name = media_type(image->type.p, image->type.n);

    if (name == NULL || image->data.n == 0)
        return wire_image_refused(why, "It must be a JPEG, PNG, GIF or WebP.");
    json_put_str(j, "type", "base64");
    json_put_str(j, "media_type", name);
    json_put_strn(j, "data", image->data.p, image->data.n);
    return OK;
}

static enum err
put_source(struct json_out *j, const struct piece *p, bool bedrock,
           struct problem *why)
{
    struct wire_image image;
    enum err e = wire_image(p, &image, why);
    const char *url = image.data.p;

    if (e != OK)
        return e;
    if (image.type.p != NULL)
        return put_base64(j, &image, why);
    if (bedrock)
        return wire_image_refused(why, "It must be sent along; Bedrock does "
                                       "not fetch addresses.");
    if (!(p->len > 8 && text_ieqn(url, 8, "https://")) &&
        !(p->len > 7 && text_ieqn(url, 7, "http://")))
        return wire_image_refused(why, "Its address must begin with https://.");
    json_put_str(j, "type", "url");
    json_put_strn(j, "url", url, p->len);
    return OK;
}

static enum err
put_image(struct json_out *j, const struct piece *p, bool bedrock,
          struct problem *why)
{
    enum err e;

    json_put_str(j, "type", "image");
    json_name(j, "source");
    json_begin_obj(j);
    e = put_source(j, p, bedrock, why);
    json_end_obj(j);
    return e;
}

void
anthropic_put_mark(struct json_out *j)
{
    json_put_raw(j, "cache_control", "{\"type\":\"ephemeral\"}", 20);
}

enum err
anthropic_put_piece(struct json_out *j, const struct piece *p, bool bedrock,
                    bool mark, struct problem *why)
{
    enum err e = OK;

    json_begin_obj(j);
    switch (p->kind) {
    case PIECE_TEXT:
        json_put_str(j, "type", "text");
        json_put_strn(j, "text", p->text, p->len);
        break;
    case PIECE_IMAGE: e = put_image(j, p, bedrock, why); break;
    case PIECE_CALL: put_call(j, p); break;
    case PIECE_RESULT: put_result(j, p); break;
    case PIECE_THOUGHT: put_thought(j, p); break;
    }
    if (mark)
        anthropic_put_mark(j);
    json_end_obj(j);
    return e;
}
