/*
 * A conversation of chatgpt.com's export (conversations.json).
 *
 * It is a tree: "mapping" has a node for each message, by id, with its parent,
 * and "current_node" is the last one that was shown. Not all nodes are said by
 * somebody: roots without a message, empty system texts, the user's profile,
 * calls of tools and what came of them, thoughts. Those are left out, but for
 * pictures that a tool made: they are the answer, and become a note. The text
 * of a message is taken as it stands.
 */
#include "base/base.h"

#include "dialect/import_draft.h"

/* Kinds of content whose parts, or text, somebody has said. */
static bool
is_said(const char *kind)
{
    static const char *const kinds[] = {"text", "multimodal_text", "code", ""};

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (strcmp(kinds[i], kind) == 0)
            return true;
    return false;
}

/* A program that was shown to the reader, as a block of code. */
static const char *
code_text(struct import_draft *d, const cJSON *content)
{
    const char *text = import_str(d, content, "text");
    const char *language = import_str(d, content, "language");
    size_t n = strlen(text) + strlen(language) + sizeof("```\n\n```");
    char *out;

    if (text[0] == '\0')
        return "";
    if (strcmp(language, "unknown") == 0 || strpbrk(language, "`\r\n") != NULL)
        language = "";
    out = arena_alloc(&d->arena, n);
    (void)snprintf(out, n, "```%s\n%s\n```", language, text);
    return out;
}

static const char *
message_text(struct import_draft *d, const cJSON *content)
{
    const char *kind = import_str(d, content, "content_type");
    const cJSON *parts = json_arr(content, "parts");
    const char *text;

    if (!is_said(kind))
        return "";
    if (strcmp(kind, "code") == 0)
        return code_text(d, content);
    text = parts == NULL ? NULL : import_content(d, parts);
    return text == NULL ? import_str(d, content, "text") : text;
}

/* A picture among the parts? */
static bool
has_picture(const cJSON *content)
{
    const cJSON *part;

    cJSON_ArrayForEach(part, json_arr(content, "parts")) {
        const char *kind = json_str(part, "content_type");

        if (kind != NULL && strcmp(kind, "image_asset_pointer") == 0)
            return true;
    }
    return false;
}

static enum finish
finish_of(const cJSON *meta)
{
    const char *type = json_str(json_obj(meta, "finish_details"), "type");

    if (type == NULL)
        return FINISH_NONE;
    /* There it is the reader who stopped the answer. */
    if (strcmp(type, "interrupted") == 0)
        return FINISH_CANCELLED;
    return import_finish(type);
}

/* Somebody who can be heard said it to all. */
static bool
is_open(const cJSON *message, const cJSON *meta)
{
    const char *to = json_str(message, "recipient");

    return !import_true(meta, "is_visually_hidden_from_conversation") &&
           (to == NULL || strcmp(to, "all") == 0);
}

static void
take_message(struct import_draft *d, struct import_node *nd,
             const cJSON *message)
{
    const cJSON *content = json_obj(message, "content");
    const cJSON *meta = json_obj(message, "metadata");
    const char *role = json_str(json_obj(message, "author"), "role");
    const char *text = "";

    if (role == NULL || content == NULL || !is_open(message, meta)) {
        d->left_out++;
        return;
    }
    nd->m.at_ms = import_time(message, "create_time");
    nd->m.model = import_str(d, meta, "model_slug");
    nd->m.role = ROLE_ASSISTANT;
    if (strcmp(role, "user") == 0) {
        nd->m.role = ROLE_USER;
        nd->m.model = "";
        text = message_text(d, content);
    } else if (strcmp(role, "assistant") == 0) {
        text = message_text(d, content);
        nd->m.finish = finish_of(meta);
    } else if (strcmp(role, "system") == 0) {
        import_draft_system(d, message_text(d, content));
        return;
    } else if (has_picture(content)) {
        text = "[image]";
    }
    import_draft_text(d, nd, text);
}

static const char *
last_model(const struct import_draft *d)
{
    for (size_t i = d->n; i-- > 0;)
        if (d->nodes[i].keep && d->nodes[i].m.model[0] != '\0')
            return d->nodes[i].m.model;
    return "";
}

const char *
import_read_chatgpt(struct import_draft *d, const cJSON *item)
{
    const cJSON *node;

    d->s.id = import_str(d, item, "conversation_id");
    if (d->s.id[0] == '\0')
        d->s.id = import_str(d, item, "id");
    d->s.title = import_str(d, item, "title");
    d->s.model = import_str(d, item, "default_model_slug");
    d->s.created_ms = import_time(item, "create_time");
    d->s.updated_ms = import_time(item, "update_time");
    d->s.archived = import_true(item, "is_archived");
    d->s.pinned = import_true(item, "is_starred");
    d->current = import_str(d, item, "current_node");
    cJSON_ArrayForEach(node, json_obj(item, "mapping")) {
        const cJSON *message = json_obj(node, "message");
        struct import_node *nd = import_draft_node(d);

        if (nd == NULL)
            return "too many messages";
        nd->id = node->string;
        nd->parent = import_str(d, node, "parent");
        if (message != NULL)
            take_message(d, nd, message);
    }
    if (d->s.model[0] == '\0')
        d->s.model = last_model(d);
    return NULL;
}
