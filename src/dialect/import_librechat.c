/*
 * A conversation of LibreChat's export: "messages" (or "messagesTree"), each
 * with "messageId" and "parentMessageId"; in the recursive form the answers to
 * a message are its "children". Text is in "text", or in parts in "content".
 * Nothing says which branch was shown last: it is the one of the latest time.
 *
 * The recursive form is two levels deep for each message, so that JSON_DEEP_MAX
 * bounds its length; the same export without "recursive" has no such bound.
 */
#include "base/base.h"

#include "dialect/import_draft.h"

/* Somebody's without a name of a role: people's are marked. */
static void
take_role(struct import_draft *d, struct import_node *nd, const cJSON *o)
{
    nd->m.role = ROLE_USER;
    if (import_true(o, "isCreatedByUser"))
        return;
    nd->m.role = ROLE_ASSISTANT;
    nd->m.model = import_str(d, o, "model");
    nd->m.finish = import_finish(import_str(d, o, "finish_reason"));
    if (nd->m.finish == FINISH_NONE && import_true(o, "unfinished"))
        nd->m.finish = FINISH_INCOMPLETE;
}

static const char *
take_message(struct import_draft *d, const cJSON *o, const char *above)
{
    struct import_node *nd = import_draft_node(d);
    const char *text;

    if (nd == NULL)
        return "too many messages";
    nd->id = import_str(d, o, "messageId");
    nd->parent = above != NULL ? above : import_str(d, o, "parentMessageId");
    nd->m.at_ms = import_time(o, "createdAt");
    take_role(d, nd, o);
    text = import_str(d, o, "text");
    if (text[0] == '\0')
        text = import_content(d, json_arr(o, "content"));
    import_draft_text(d, nd, text);
    return NULL;
}

/* The messages of a list, each followed by those below it. JSON_DEEP_MAX
 * bounds the recursion. */
static const char *
take_list(struct import_draft *d, const cJSON *list, const char *above)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, list) {
        const char *rule = "a message must be an object";
        const cJSON *below = json_arr(o, "children");

        if (cJSON_IsObject(o))
            rule = take_message(d, o, above);
        if (rule == NULL && below != NULL)
            rule = take_list(d, below, import_str(d, o, "messageId"));
        if (rule != NULL)
            return rule;
    }
    return NULL;
}

const char *
import_read_librechat(struct import_draft *d, const cJSON *item)
{
    const cJSON *list = json_arr(item, "messages");
    const cJSON *options = json_obj(item, "options");

    d->s.id = import_str(d, item, "conversationId");
    d->s.title = import_str(d, item, "title");
    d->s.model = import_str(d, options, "model");
    d->s.context = import_str(d, options, "promptPrefix");
    d->newest = true;
    return take_list(d, list != NULL ? list : json_arr(item, "messagesTree"),
                     NULL);
}
