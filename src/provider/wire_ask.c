/*
 * What builders of several providers say about an ask in the same way: its
 * pieces, its system texts, its options, tools and images. Any thread; no I/O,
 * no globals.
 */
#include "base/base.h"

#include "provider/wire.h"

#include <math.h>

#include "base/buf.h"
#include "base/text.h"

/* --- pieces -------------------------------------------------------------- */

size_t
wire_pieces(const struct ask_message *m)
{
    return m->pieces != NULL ? m->n_pieces : 1;
}

struct piece
wire_piece(const struct ask_message *m, size_t i)
{
    struct piece text = {.kind = PIECE_TEXT, .text = m->text, .len = m->len};

    return m->pieces != NULL ? m->pieces[i] : text;
}

bool
wire_on_side(const struct ask_message *m, bool user)
{
    return m->role != ROLE_SYSTEM && (m->role != ROLE_ASSISTANT) == user;
}

bool
wire_blank(const struct piece *p)
{
    return p->len == 0 || text_blank(p->text, p->len);
}

bool
wire_sent(const struct piece *p, bool user, const char *provider)
{
    switch (p->kind) {
    case PIECE_TEXT: return !wire_blank(p);
    case PIECE_IMAGE:
    case PIECE_RESULT: return user;
    case PIECE_CALL: return !user;
    case PIECE_THOUGHT:
        return !user && p->origin != NULL && strcmp(p->origin, provider) == 0 &&
               p->signature != NULL && p->signature[0] != '\0';
    }
    return false;
}

void
wire_system(const struct ask *ask, wire_text_fn *fn, void *arg)
{
    size_t i, k;

    if (ask->system != NULL && ask->system[0] != '\0')
        fn(arg, ask->system, strlen(ask->system));
    for (i = 0; i < ask->n_messages; i++) {
        const struct ask_message *m = &ask->messages[i];

        for (k = 0; m->role == ROLE_SYSTEM && k < wire_pieces(m); k++) {
            struct piece p = wire_piece(m, k);

            if (p.kind == PIECE_TEXT && p.len > 0)
                fn(arg, p.text, p.len);
        }
    }
}

/* --- options ------------------------------------------------------------- */

void
wire_put_number(struct json_out *j, const char *name, double v)
{
    if (isnan(v))
        return;
    json_name(j, name);
    json_add_num(j, v);
}

void
wire_put_stops(struct json_out *j, const char *name, const struct ask *ask,
               bool blank)
{
    bool begun = false;
    size_t i;

    for (i = 0; i < ask->n_stop; i++) {
        if (!blank && text_blank(ask->stop[i], strlen(ask->stop[i])))
            continue;
        if (!begun) {
            json_name(j, name);
            json_begin_arr(j);
            begun = true;
        }
        json_add_str(j, ask->stop[i]);
    }
    if (begun)
        json_end_arr(j);
}

void
wire_put_embed(struct json_out *j, const struct embed_ask *ask)
{
    size_t i;

    json_put_str(j, "model", ask->model);
    json_name(j, "input");
    json_begin_arr(j);
    for (i = 0; i < ask->n_texts; i++)
        json_add_str(j, ask->texts[i]);
    json_end_arr(j);
    if (ask->dimensions > 0)
        json_put_i64(j, "dimensions", ask->dimensions);
}

/* --- tools --------------------------------------------------------------- */

enum err
wire_tools_check(const struct ask *ask, struct problem *why)
{
    size_t i;

    for (i = 0; i < ask->n_tools; i++) {
        const char *schema = ask->tools[i].schema;

        if (!wire_is_object(schema, strlen(schema)))
            return problem_set(why, ERR_BADREQ, "invalid_tool",
                               "A tool's definition is not usable",
                               "The parameters of a tool must be a JSON "
                               "Schema object.");
    }
    return OK;
}

void
wire_put_function(struct json_out *j, const struct tool *t, bool strict)
{
    json_begin_obj(j);
    json_put_str(j, "type", "function");
    json_name(j, "function");
    json_begin_obj(j);
    json_put_str(j, "name", t->name);
    if (t->description != NULL && t->description[0] != '\0')
        json_put_str(j, "description", t->description);
    if (t->schema != NULL && t->schema[0] != '\0')
        json_put_raw(j, "parameters", t->schema, strlen(t->schema));
    if (strict && t->strict)
        json_put_bool(j, "strict", true);
    json_end_obj(j);
    json_end_obj(j);
}

void
wire_put_schema(struct json_out *j, const char *name, const char *schema,
                const char *empty)
{
    size_t n = schema != NULL ? strlen(schema) : 0;
    cJSON *tree = NULL;

    json_name(j, name);
    if (n == 0 || json_parse(schema, n, &tree, NULL) != OK ||
        !cJSON_IsObject(tree) || tree->child == NULL) {
        json_add_raw(j, empty, strlen(empty));
    } else if (cJSON_GetObjectItemCaseSensitive(tree, "type") != NULL) {
        json_add_raw(j, schema, n);
    } else {
        json_begin_obj(j);
        json_put_str(j, "type", "object");
        buf_addc(j->buf, ',');
        buf_adds(j->buf, strchr(schema, '{') + 1); /* with the closing brace */
        j->comma = true;
    }
    cJSON_Delete(tree);
}

/* --- images -------------------------------------------------------------- */

enum err
wire_image_refused(struct problem *why, const char *message)
{
    return problem_set(why, ERR_IMPOSSIBLE, "image_not_supported",
                       "This image cannot be sent to the provider", "%s",
                       message);
}

enum err
wire_image(const struct piece *p, struct wire_image *out, struct problem *why)
{
    static const char begin[] = "data:", middle[] = ";base64,";
    size_t skip = sizeof(begin) - 1;
    const char *at;

    out->type = (struct wire_slice){NULL, 0};
    out->data = (struct wire_slice){p->len > 0 ? p->text : "", p->len};
    if (p->media_type != NULL) {
        out->type = (struct wire_slice){p->media_type, strlen(p->media_type)};
        return OK;
    }
    if (p->len <= skip || !text_ieqn(p->text, skip, begin))
        return OK;
    at = memmem(p->text, p->len, middle, sizeof(middle) - 1);
    if (at == NULL)
        return wire_image_refused(why, "Its data URL must be in base64.");
    out->type.p = p->text + skip;
    out->type.n = (size_t)(at - out->type.p);
    out->data.p = at + sizeof(middle) - 1;
    out->data.n = p->len - (size_t)(out->data.p - p->text);
    return OK;
}
