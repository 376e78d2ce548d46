/*
 * Sessions as lists of messages, the shape that OpenAI's API has made common:
 * {"role", "content"}. Our own exports are such lists, too, with more members,
 * and everything of theirs is taken; of others, system texts become the
 * conversation's context, and what a tool was asked and said is left out.
 */
#include "base/base.h"

#include "dialect/import_draft.h"

#include <math.h>

#include "chat/extra.h"

#define EXTRA_MAX (256 * 1024) /* bytes; what extra_write writes at most */
#define COST_MAX 9e9           /* dollars */

/* --- roles ---------------------------------------------------------------- */

static bool
role_of(const char *name, enum role *out)
{
    static const struct {
        const char *name;
        enum role role;
    } others[] = {
        {"developer", ROLE_SYSTEM}, {"function", ROLE_TOOL},
        {"human", ROLE_USER},       {"model", ROLE_ASSISTANT},
        {"ai", ROLE_ASSISTANT},
    };

    if (role_parse(name, out) == OK)
        return true;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (strcmp(name, others[i].name) == 0) {
            *out = others[i].role;
            return true;
        }
    }
    return false;
}

/* --- our own members ------------------------------------------------------ */

static int64_t
count(const cJSON *o, const char *name)
{
    int64_t n = json_i64(o, name, -1);

    return n < 0 ? -1 : n;
}

static int64_t
cost(const cJSON *usage)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(usage, "cost_usd");

    if (!cJSON_IsNumber(v) ||
        !(v->valuedouble >= 0 && v->valuedouble < COST_MAX))
        return -1;
    return llround(v->valuedouble * 1e6);
}

static char *
print_member(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return v == NULL ? NULL : cJSON_PrintUnformatted(v);
}

/* What the store keeps beside the text, made again of its members. */
static void
take_extra(struct import_draft *d, struct import_message *m, const cJSON *o)
{
    char *notes = print_member(o, "notes");
    char *calls = print_member(o, "tool_calls");
    char *context = print_member(o, "context");
    char *cited = print_member(o, "citations");
    struct extra x = {
        .notes = notes != NULL && *notes == '[' ? notes : NULL,
        .tool_calls = calls != NULL && *calls == '[' ? calls : NULL,
        .context = context != NULL && *context == '{' ? context : NULL,
        .citations = cited != NULL && *cited == '[' ? cited : NULL,
    };
    struct buf out;

    buf_init(&out, EXTRA_MAX);
    extra_write(&out, &x);
    assert(buf_status(&out) == OK);
    m->extra = arena_memdup0(&d->arena, out.data, out.len);
    m->extra_len = out.len;
    buf_release(&out);
    cJSON_free(notes);
    cJSON_free(calls);
    cJSON_free(context);
    cJSON_free(cited);
}

static void
take_ours(struct import_draft *d, struct import_node *nd, const cJSON *o)
{
    const cJSON *usage = json_obj(o, "usage");
    const cJSON *parent = cJSON_GetObjectItemCaseSensitive(o, "parent_id");

    nd->id = nd->m.id;
    nd->m.provider = import_str(d, o, "provider");
    nd->m.usage.input_tokens = count(usage, "input_tokens");
    nd->m.usage.output_tokens = count(usage, "output_tokens");
    nd->m.usage.cached_tokens = count(usage, "cached_tokens");
    nd->m.cost_micro = cost(usage);
    if (parent != NULL) {
        nd->follows = false;
        nd->parent = import_str(d, o, "parent_id");
    }
    take_extra(d, &nd->m, o);
}

/* --- messages ------------------------------------------------------------- */

const char *
import_read_message(struct import_draft *d, const cJSON *o)
{
    const char *role = json_str(o, "role");
    bool ours = d->s.format == IMPORT_PARLEY;
    struct import_node *nd;
    const char *text;

    if (!cJSON_IsObject(o))
        return "a message must be an object";
    nd = import_draft_node(d);
    if (nd == NULL)
        return "too many messages";
    nd->follows = true;
    if (role == NULL || !role_of(role, &nd->m.role))
        return "a message's role must be user, assistant, system or tool";
    text = import_content(d, cJSON_GetObjectItemCaseSensitive(o, "content"));
    if (text == NULL)
        return "a message's content must be a string or an array of parts";
    nd->m.id = import_str(d, o, "id");
    nd->m.at_ms = import_time(o, "timestamp");
    if (nd->m.at_ms == 0)
        nd->m.at_ms = import_time(o, "created_at");
    nd->m.model = import_str(d, o, "model");
    nd->m.finish = import_finish(import_str(d, o, "finish_reason"));
    if (ours)
        take_ours(d, nd, o);
    if (nd->m.role == ROLE_SYSTEM && !ours) {
        import_draft_system(d, text);
        return NULL;
    }
    import_draft_text(d, nd, nd->m.role == ROLE_TOOL && !ours ? "" : text);
    return NULL;
}

/* Our name for a time, or what others call it. */
static int64_t
either_time(const cJSON *o, const char *ours, const char *others)
{
    int64_t t = import_time(o, ours);

    return t == 0 ? import_time(o, others) : t;
}

const char *
import_read_messages(struct import_draft *d, const cJSON *item)
{
    const cJSON *list = cJSON_IsArray(item) ? item : json_arr(item, "messages");
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(item, "version");
    const cJSON *m;
    const char *rule = NULL;

    if (list == NULL)
        return "messages must be an array";
    if (d->s.format == IMPORT_PARLEY && version != NULL &&
        !(cJSON_IsNumber(version) && version->valuedouble == 1))
        return "written by a newer version";
    d->s.id = import_str(d, item, "id");
    d->s.title = import_str(d, item, "title");
    d->s.context = import_str(d, item, "context");
    d->s.model = import_str(d, item, "model");
    d->s.created_ms = either_time(item, "created", "created_at");
    d->s.updated_ms = either_time(item, "updated", "updated_at");
    d->s.pinned = import_true(item, "pinned");
    d->s.archived = import_true(item, "archived");
    import_tags(d, json_arr(item, "tags"));
    if (d->s.format == IMPORT_PARLEY)
        d->current = import_str(d, item, "head");
    cJSON_ArrayForEach(m, list) {
        rule = import_read_message(d, m);
        if (rule != NULL)
            return rule;
    }
    return NULL;
}
