/*
 * Attachments. An image is passed to the provider as it came, after a look at
 * its base64 and at its first bytes: a provider's refusal of a broken one would
 * cost a request and say less.
 */
#include "base/base.h"

#include "api/ask_media.h"

#include "base/buf.h"
#include "base/text.h"

#define MAGIC_BYTES 12  /* of an image that are looked at */
#define MAGIC_BASE64 16 /* characters that hold them */

static const struct {
    const char *media_type;
    const char *magic;
    size_t at, len; /* of the magic bytes */
} kinds[] = {
    {"image/png", "\x89PNG\r\n\x1A\n", 0, 8},
    {"image/jpeg", "\xFF\xD8\xFF", 0, 3},
    {"image/gif", "GIF8", 0, 4},
    {"image/webp", "WEBP", 8, 4},
};

static enum err
bad(struct problem *why, const char *rule)
{
    return problem_set(why, ERR_BADREQ, "invalid_parameter",
                       "Invalid parameter: attachments",
                       "attachments must be %s", rule);
}

/* Is it what it says, as far as its first bytes tell? */
static bool
looks_right(const char *media_type, const char *data, size_t n)
{
    struct buf head;
    bool right = false;

    if (n < MAGIC_BASE64)
        return false;
    buf_init(&head, MAGIC_BYTES + 1);
    if (text_unbase64(&head, data, MAGIC_BASE64) == OK)
        for (size_t i = 0; i < COUNT_OF(kinds); i++)
            if (strcmp(media_type, kinds[i].media_type) == 0)
                right = memcmp(head.data + kinds[i].at, kinds[i].magic,
                               kinds[i].len) == 0;
    buf_release(&head);
    return right;
}

static bool
is_base64(const char *s, size_t n)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t pad = 0;

    while (pad < 2 && pad < n && s[n - 1 - pad] == '=')
        pad++;
    return n % 4 == 0 && strspn(s, digits) == n - pad;
}

static enum err
take_image(struct turn_ask *a, const char *media_type, const char *data,
           struct piece *to, struct problem *why)
{
    size_t n = strlen(data);

    if (n > ASK_IMAGE_MAX)
        return problem_set(why, ERR_TOOBIG, "image_too_big",
                           "An image is too large", "At most %d bytes.",
                           ASK_IMAGE_MAX / 4 * 3);
    if (!is_base64(data, n) || !looks_right(media_type, data, n))
        return bad(why, "PNG, JPEG, GIF or WebP images in base64, of the "
                        "media_type that they name");
    to->kind = PIECE_IMAGE;
    to->text = arena_memdup0(&a->arena, data, n);
    to->len = n;
    to->media_type = arena_strdup(&a->arena, media_type);
    return OK;
}

/* A file of the index. */
static enum err
take_name(struct turn_ask *a, const char *name, struct problem *why)
{
    if (a->n_named == ASK_NAMED_MAX)
        return bad(why, "at most 8 names");
    a->named[a->n_named++] = arena_strdup(&a->arena, name);
    return OK;
}

static enum err
take_attachments(struct turn_ask *a, const cJSON *list, struct problem *why)
{
    int n = cJSON_GetArraySize(list);
    const cJSON *item;
    struct piece *pieces;
    size_t at = 1;

    if (n > ASK_IMAGES_MAX)
        return bad(why, "at most 8");
    pieces = arena_alloc(&a->arena, ((size_t)n + 1) * sizeof(*pieces));
    pieces[0].kind = PIECE_TEXT;
    pieces[0].text = a->text;
    pieces[0].len = a->text_len;
    cJSON_ArrayForEach(item, list) {
        const char *media_type = json_str(item, "media_type");
        const char *data = json_str(item, "data");

        if (media_type != NULL && data != NULL) {
            if (take_image(a, media_type, data, &pieces[at], why) != OK)
                return why->err;
            at++;
        } else if (json_str(item, "name") != NULL) {
            if (take_name(a, json_str(item, "name"), why) != OK)
                return why->err;
        } else {
            return bad(why, "objects with media_type and data");
        }
    }
    if (at > 1) {
        a->pieces = pieces;
        a->n_pieces = at;
    }
    return OK;
}

static bool
wanted(const cJSON *v)
{
    return cJSON_IsTrue(v) || (cJSON_IsArray(v) && v->child != NULL);
}

enum err
ask_media(struct turn_ask *a, const cJSON *o, struct problem *why)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "attachments");
    const cJSON *tools = cJSON_GetObjectItemCaseSensitive(o, "tools");
    const cJSON *files = json_arr(o, "files");
    const char *image = json_str(o, "image_name");
    const cJSON *item;

    if (list != NULL && !cJSON_IsNull(list)) {
        if (!cJSON_IsArray(list))
            return bad(why, "an array");
        if (take_attachments(a, list, why) != OK)
            return why->err;
    }
    if (image != NULL && image[0] != '\0' && take_name(a, image, why) != OK)
        return why->err;
    cJSON_ArrayForEach(item, files) {
        if (!cJSON_IsString(item))
            return problem_set(why, ERR_BADREQ, "invalid_parameter",
                               "Invalid parameter: files",
                               "files must be true, false or names");
        if (take_name(a, item->valuestring, why) != OK)
            return why->err;
    }
    if (wanted(tools))
        turn_ask_note(a, "tools_ignored", "This server has no tools.");
    return OK;
}
