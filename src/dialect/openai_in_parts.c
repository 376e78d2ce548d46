/*
 * What a message holds: texts and images, as pieces. A text in several parts
 * is joined where there is nothing but text, since not every provider knows a
 * list of texts. An image is a web address, or data whose type and bytes are
 * told apart here, so that every provider gets them alike. Pure.
 */
#include "base/base.h"

#include "dialect/openai_in_read.h"

#include "base/text.h"

const char *
openai_param(struct openai_making *k, const char *member)
{
    (void)snprintf(k->param, sizeof(k->param), "messages[%zu]%s", k->index,
                   member);
    return k->param;
}

static const char *
part_param(struct openai_making *k, size_t part, const char *member)
{
    (void)snprintf(k->param, sizeof(k->param), "messages[%zu].content[%zu]%s",
                   k->index, part, member);
    return k->param;
}

/* --- pieces --------------------------------------------------------------- */

struct piece *
openai_add_piece(struct openai_making *k, enum piece_kind kind,
                 const char *text, size_t len)
{
    struct piece *p = &k->pieces[k->n++];

    p->kind = kind;
    p->text = arena_memdup0(k->r->arena, text, len);
    p->len = len;
    if (kind == PIECE_TEXT)
        k->texts++;
    else
        k->others++;
    return p;
}

/* All texts of the pieces as one. */
static void
join_texts(struct openai_making *k, const char *between)
{
    size_t n = 0, gap = strlen(between);
    char *all, *to;

    for (size_t i = 0; i < k->n; i++)
        if (k->pieces[i].kind == PIECE_TEXT)
            n += k->pieces[i].len + gap;
    all = to = arena_alloc(k->r->arena, n + 1);
    for (size_t i = 0; i < k->n; i++) {
        if (k->pieces[i].kind != PIECE_TEXT)
            continue;
        if (to != all) {
            memcpy(to, between, gap);
            to += gap;
        }
        memcpy(to, k->pieces[i].text, k->pieces[i].len);
        to += k->pieces[i].len;
    }
    k->m->text = all;
    k->m->len = (size_t)(to - all);
}

/* The pieces are complete: the message has them, or their text. */
void
openai_settle(struct openai_making *k, const char *between)
{
    if (k->texts == 1 && k->others == 0) {
        k->m->text = k->pieces[0].text;
        k->m->len = k->pieces[0].len;
        return;
    }
    join_texts(k, between);
    if (k->others == 0)
        return;
    k->m->pieces = k->pieces;
    k->m->n_pieces = k->n;
}

/* --- images --------------------------------------------------------------- */

/* data:image/png;base64,… */
static enum err
take_data_url(struct openai_making *k, size_t part, const char *url)
{
    const char *comma = strchr(url, ',');
    const char *semi = comma != NULL ? memchr(url, ';', (size_t)(comma - url))
                                     : NULL;
    static const char marked[] = ";base64";
    struct piece *p;

    if (semi == NULL || (size_t)(comma - url) < sizeof(marked) ||
        !text_ieqn(comma - (sizeof(marked) - 1), sizeof(marked) - 1, marked) ||
        comma[1] == '\0' || !text_istarts(url, "data:image/"))
        return openai_wrong_value(k->r, part_param(k, part, ".image_url.url"),
                                  "must be an image as "
                                  "data:image/…;base64,… or a web address");
    p = openai_add_piece(k, PIECE_IMAGE, comma + 1, strlen(comma + 1));
    p->media_type = arena_memdup0(k->r->arena, url + 5,
                                  (size_t)(semi - url) - 5);
    return OK;
}

static enum err
take_image(struct openai_making *k, const cJSON *o, size_t part)
{
    const cJSON *image = cJSON_GetObjectItemCaseSensitive(o, "image_url");
    const char *url;

    if (image == NULL)
        return openai_missing(k->r, part_param(k, part, ".image_url"));
    if (!cJSON_IsObject(image))
        return openai_wrong_type(k->r, part_param(k, part, ".image_url"),
                                 "must be an object");
    if (openai_string(k->r, image, "url", part_param(k, part, ".image_url.url"),
                      &url) != OK)
        return ERR_BADREQ;
    if (url == NULL)
        return openai_missing(k->r, part_param(k, part, ".image_url.url"));
    if (text_istarts(url, "https://") || text_istarts(url, "http://")) {
        (void)openai_add_piece(k, PIECE_IMAGE, url, strlen(url));
        return OK;
    }
    return take_data_url(k, part, url);
}

/* --- content -------------------------------------------------------------- */

static enum err
take_part(struct openai_making *k, const cJSON *o, size_t i)
{
    bool user = k->m->role == ROLE_USER;
    const char *type, *text, *member;

    if (!cJSON_IsObject(o))
        return openai_wrong_type(k->r, part_param(k, i, ""),
                                 "must be an object");
    if (openai_string(k->r, o, "type", part_param(k, i, ".type"), &type) != OK)
        return ERR_BADREQ;
    if (type == NULL)
        return openai_missing(k->r, part_param(k, i, ".type"));
    if (user && strcmp(type, "image_url") == 0)
        return take_image(k, o, i);
    if (strcmp(type, "text") == 0)
        member = "text";
    else if (k->m->role == ROLE_ASSISTANT && strcmp(type, "refusal") == 0)
        member = "refusal";
    else
        return openai_refuse(
            k->r, "unsupported_value", part_param(k, i, ".type"),
            user ? "must be \"text\" or \"image_url\"" : "must be \"text\"");
    if (openai_string(k->r, o, member, part_param(k, i, ".text"), &text) != OK)
        return ERR_BADREQ;
    if (text == NULL)
        return openai_missing(k->r, part_param(k, i, ".text"));
    (void)openai_add_piece(k, PIECE_TEXT, text, strlen(text));
    return OK;
}

enum err
openai_take_content(struct openai_making *k, const cJSON *content)
{
    const cJSON *part;
    size_t i = 0;
    enum err e;

    if (cJSON_IsString(content)) {
        (void)openai_add_piece(k, PIECE_TEXT, content->valuestring,
                               strlen(content->valuestring));
        return OK;
    }
    if (!cJSON_IsArray(content))
        return openai_wrong_type(k->r, openai_param(k, ".content"),
                                 "must be a string or an array of parts");
    cJSON_ArrayForEach(part, content) {
        e = take_part(k, part, i++);
        if (e != OK)
            return e;
    }
    return OK;
}
