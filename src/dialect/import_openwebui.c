/*
 * A chat of Open WebUI's export: an object with the columns of its table, and
 * in "chat" what was said. "history.messages" has each message by id with its
 * "parentId", "history.currentId" the last one shown; older ones have only
 * "messages", a list. Answers hold thoughts and calls of tools as <details>
 * elements of certain types, which are cut out.
 */
#include "base/base.h"

#include "dialect/import_draft.h"

#include "base/text.h"

static const char details_begin[] = "<details";
static const char details_end[] = "</details>";

/* Behind the element at s if it is one that is cut out; else NULL. */
static const char *
behind_details(const char *s)
{
    static const char *const types[] = {"type=\"reasoning\"",
                                        "type=\"tool_calls\"",
                                        "type=\"code_interpreter\""};
    const char *tag_end = strchr(s, '>');
    const char *end;

    if (tag_end == NULL)
        return NULL;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (memmem(s, (size_t)(tag_end - s), types[i], strlen(types[i])) ==
            NULL)
            continue;
        end = strstr(tag_end, details_end);
        if (end == NULL)
            return NULL;
        end += sizeof(details_end) - 1;
        return end + strspn(end, " \r\n");
    }
    return NULL;
}

static const char *
without_details(struct import_draft *d, const char *text)
{
    const char *from = text, *at = text;
    const char *copy;
    struct buf out;

    if (strstr(text, details_begin) == NULL)
        return text;
    buf_init(&out, IMPORT_CONVERSATION_MAX);
    while ((at = strstr(at, details_begin)) != NULL) {
        const char *end = behind_details(at);

        if (end == NULL) {
            at++;
            continue;
        }
        buf_add(&out, from, (size_t)(at - from));
        from = at = end;
    }
    buf_adds(&out, from);
    assert(buf_status(&out) == OK); /* it only got shorter */
    copy = arena_memdup0(&d->arena, out.data, out.len);
    buf_release(&out);
    return copy;
}

/* The text and a note for each file. */
static const char *
with_files(struct import_draft *d, const char *text, const cJSON *files)
{
    const cJSON *file;
    size_t n = strlen(text);
    char *out;

    if (cJSON_GetArraySize(files) == 0)
        return text;
    out = arena_alloc(&d->arena, n + (size_t)cJSON_GetArraySize(files) *
                                         sizeof("\n[image]"));
    memcpy(out, text, n);
    cJSON_ArrayForEach(file, files) {
        const char *type = json_str(file, "type");
        const char *note = type != NULL && strcmp(type, "image") == 0
                               ? "[image]"
                               : "[file]";

        if (n > 0)
            out[n++] = '\n';
        memcpy(out + n, note, strlen(note));
        n += strlen(note);
    }
    return out;
}

static const char *
take_message(struct import_draft *d, const cJSON *o, bool tree)
{
    struct import_node *nd = import_draft_node(d);
    const char *role = json_str(o, "role");
    const char *text;

    if (nd == NULL)
        return "too many messages";
    if (tree)
        nd->id = o->string;
    else
        nd->m.id = import_str(d, o, "id");
    nd->follows = !tree;
    nd->parent = import_str(d, o, "parentId");
    text = import_content(d, cJSON_GetObjectItemCaseSensitive(o, "content"));
    if (role == NULL || text == NULL) {
        d->left_out++;
        return NULL;
    }
    nd->m.at_ms = import_time(o, "timestamp");
    if (strcmp(role, "system") == 0) {
        import_draft_system(d, text);
        return NULL;
    }
    if (strcmp(role, "user") == 0) {
        nd->m.role = ROLE_USER;
        text = with_files(d, text, json_arr(o, "files"));
    } else if (strcmp(role, "assistant") == 0) {
        nd->m.role = ROLE_ASSISTANT;
        nd->m.model = import_str(d, o, "model");
        text = without_details(d, text);
    } else {
        text = "";
    }
    import_draft_text(d, nd, text);
    return NULL;
}

const char *
import_read_openwebui(struct import_draft *d, const cJSON *item)
{
    const cJSON *chat = json_obj(item, "chat");
    const cJSON *history, *list, *m;
    const char *rule = NULL;
    bool tree;

    if (chat == NULL)
        chat = item; /* what was said, without the columns */
    history = json_obj(chat, "history");
    list = json_obj(history, "messages");
    tree = list != NULL;
    if (!tree)
        list = json_arr(chat, "messages");
    d->s.id = import_str(d, item, "id");
    d->s.title = import_str(d, item, "title");
    if (d->s.title[0] == '\0')
        d->s.title = import_str(d, chat, "title");
    m = json_arr(chat, "models");
    if (m != NULL && cJSON_IsString(m->child))
        d->s.model = m->child->valuestring;
    d->s.created_ms = import_time(item, "created_at");
    d->s.updated_ms = import_time(item, "updated_at");
    d->s.pinned = import_true(item, "pinned");
    d->s.archived = import_true(item, "archived");
    import_tags(d, json_arr(json_obj(item, "meta"), "tags"));
    d->current = import_str(d, history, "currentId");
    cJSON_ArrayForEach(m, list) {
        rule = cJSON_IsObject(m) ? take_message(d, m, tree)
                                 : "a message must be an object";
        if (rule != NULL)
            return rule;
    }
    return NULL;
}
