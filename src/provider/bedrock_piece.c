/*
 * One piece of a message as a content block of Converse.
 *
 * What the wire refuses is mended where that loses nothing: blank texts are
 * left out, ids of other providers' calls are spelled with the letters that
 * are allowed here, and arguments that are no JSON object are wrapped in one.
 * An image of another kind than the wire takes, or at an address that is not
 * S3's, is refused with a reason.
 *
 * A thought goes back only if Bedrock made it and signed it: models that do
 * not sign theirs refuse to be told them again.
 * Source: ContentBlock in the service model bedrock-runtime 2023-09-30. Any
 * thread; pure.
 */
#include "base/base.h"

#include "provider/bedrock.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "provider/wire.h"

#define ID_MAX 64 /* characters of a toolUseId */

/* Ids of the wire are short and plain; any other becomes its hash, which is
 * the same for the call and for its result. */
static void
put_id(struct json_out *j, const char *id)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";
    uint8_t digest[DIGEST_LEN];
    char hex[2 * DIGEST_LEN + 1];
    size_t n = strlen(id);

    if (n > 0 && n <= ID_MAX && strspn(id, letters) == n) {
        json_put_str(j, "toolUseId", id);
        return;
    }
    digest_sha256(digest, id, n);
    text_hex(hex, digest, sizeof(digest));
    json_put_strn(j, "toolUseId", hex, 32);
}

static void
put_call(struct json_out *j, const struct piece *p)
{
    json_name(j, "toolUse");
    json_begin_obj(j);
    put_id(j, p->id);
    json_put_str(j, "name", p->name);
    wire_put_args(j, "input", p);
    json_end_obj(j);
}

static void
put_text_block(struct json_out *j, const char *s, size_t n)
{
    json_begin_obj(j);
    json_put_strn(j, "text", s, n);
    json_end_obj(j);
}

/* The content is required, and must not be blank. status is sent only if it
 * says something: not all models know it. */
static void
put_result(struct json_out *j, const struct piece *p)
{
    json_name(j, "toolResult");
    json_begin_obj(j);
    put_id(j, p->id);
    json_name(j, "content");
    json_begin_arr(j);
    if (wire_blank(p))
        put_text_block(j, "(empty)", 7);
    else
        put_text_block(j, p->text, p->len);
    json_end_arr(j);
    if (p->failed)
        json_put_str(j, "status", "error");
    json_end_obj(j);
}

static void
put_thought(struct json_out *j, const struct piece *p)
{
    json_name(j, "reasoningContent");
    json_begin_obj(j);
    if (p->sealed) {
        json_put_str(j, "redactedContent", p->signature);
    } else {
        json_name(j, "reasoningText");
        json_begin_obj(j);
        json_put_strn(j, "text", p->len > 0 ? p->text : "", p->len);
        json_put_str(j, "signature", p->signature);
        json_end_obj(j);
    }
    json_end_obj(j);
}

/* --- images ------------------------------------------------------------- */

/* The wire's name of a media type; NULL: none. */
static const char *
image_format(const char *s, size_t n)
{
    static const struct {
        const char *type, *format;
    } rows[] = {
        {"image/png", "png"}, {"image/jpeg", "jpeg"}, {"image/jpg", "jpeg"},
        {"image/gif", "gif"}, {"image/webp", "webp"},
    };
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        if (text_ieqn(s, n, rows[i].type))
            return rows[i].format;
    }
    return NULL;
}

static enum err
put_bytes(struct json_out *j, const struct wire_image *image,
          struct problem *why)
{
    const char *format = image_format(image->type.p, image->type.n);

    if (format == NULL || image->data.n == 0)
        return wire_image_refused(why, "It must be a PNG, JPEG, GIF or WebP.");
    json_put_str(j, "format", format);
    json_name(j, "source");
    json_begin_obj(j);
    json_put_strn(j, "bytes", image->data.p, image->data.n);
    json_end_obj(j);
    return OK;
}

/* s3://bucket/path.png: the name must tell the format. */
static enum err
put_s3(struct json_out *j, const char *s, size_t n, struct problem *why)
{
    const char *dot = memrchr(s, '.', n);
    char type[16] = "image/";
    size_t len = dot != NULL ? (size_t)(s + n - dot) - 1 : 0;
    const char *format = NULL;

    if (len > 0 && len <= 4) {
        memcpy(type + 6, dot + 1, len);
        format = image_format(type, 6 + len);
    }
    if (format == NULL)
        return wire_image_refused(why, "The name of an image at S3 must end in "
                                       ".png, .jpg, .gif or .webp.");
    json_put_str(j, "format", format);
    json_name(j, "source");
    json_begin_obj(j);
    json_name(j, "s3Location");
    json_begin_obj(j);
    json_put_strn(j, "uri", s, n);
    json_end_obj(j);
    json_end_obj(j);
    return OK;
}

static enum err
put_image(struct json_out *j, const struct piece *p, struct problem *why)
{
    struct wire_image image;
    enum err e = wire_image(p, &image, why);
    const char *url = image.data.p;

    if (e != OK)
        return e;
    json_name(j, "image");
    json_begin_obj(j);
    if (image.type.p != NULL)
        e = put_bytes(j, &image, why);
    else if (p->len > 5 && text_ieqn(url, 5, "s3://"))
        e = put_s3(j, url, p->len, why);
    else
        e = wire_image_refused(why, "It must be sent along; Bedrock does not "
                                    "fetch addresses.");
    json_end_obj(j);
    return e;
}

enum err
bedrock_put_piece(struct json_out *j, const struct piece *p,
                  struct problem *why)
{
    enum err e = OK;

    json_begin_obj(j);
    switch (p->kind) {
    case PIECE_TEXT: json_put_strn(j, "text", p->text, p->len); break;
    case PIECE_IMAGE: e = put_image(j, p, why); break;
    case PIECE_CALL: put_call(j, p); break;
    case PIECE_RESULT: put_result(j, p); break;
    case PIECE_THOUGHT: put_thought(j, p); break;
    }
    json_end_obj(j);
    return e;
}
