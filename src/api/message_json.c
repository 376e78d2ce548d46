/*
 * Messages as JSON. Where the session has branches, each message says which one
 * it follows and which stand beside it.
 */
#include "base/base.h"

#include "api/message_json.h"

#include "base/mem.h"
#include "chat/extra.h"
#include "chat/result.h"

#define NO_NODE UINT32_MAX /* the end of a list of siblings */

/* A message's place in the tree. Those that follow the same message are a
 * list in order; so a page costs what it shows, however long the session. */
struct message_node {
    struct ident id;
    uint32_t parent;
    uint32_t child; /* the first that follows this one */
    uint32_t next;  /* sibling */
};

/* --- the tree ------------------------------------------------------------ */

static bool
take_node(void *arg, const struct message *m)
{
    struct message_tree *t = arg;

    if (m->seq >= t->n)
        return false; /* it came meanwhile */
    t->nodes[m->seq].id = m->id;
    t->nodes[m->seq].parent = m->parent;
    return true;
}

/* The nodes that follow no message hang on the one behind the last. */
static struct message_node *
parent_node(const struct message_tree *t, uint32_t parent)
{
    return &t->nodes[parent < t->n ? parent : t->n];
}

/* From the last to the first, so that each list ends up in order. */
static void
link_siblings(struct message_tree *t)
{
    for (uint32_t i = 0; i <= t->n; i++)
        t->nodes[i].child = t->nodes[i].next = NO_NODE;
    for (uint32_t i = t->n; i-- > 0;) {
        struct message_node *node = &t->nodes[i], *parent;

        if (ident_is_zero(&node->id))
            continue; /* it is not there */
        parent = parent_node(t, node->parent);
        node->next = parent->child;
        parent->child = i;
    }
}

void
message_tree_load(struct message_tree *t, struct store *store,
                  const char *owner, const struct session *s)
{
    t->nodes = NULL;
    t->n = 0;
    if (!s->branched || s->n_messages == 0)
        return;
    t->n = s->n_messages;
    t->nodes = xcalloc((size_t)t->n + 1, sizeof(*t->nodes));
    IGNORE(store_all_messages(store, owner, s->id, 0, UINT32_MAX, NULL,
                              take_node, t));
    link_siblings(t);
}

void
message_tree_release(struct message_tree *t)
{
    free(t->nodes);
    t->nodes = NULL;
    t->n = 0;
}

static void
add_id(struct json_out *j, const struct ident *id)
{
    char text[IDENT_TEXT_LEN];

    ident_text(text, id);
    json_add_str(j, text);
}

static void
put_siblings(struct json_out *j, const struct message *m,
             const struct message_tree *t)
{
    uint32_t i = parent_node(t, m->parent)->child;

    if (i == NO_NODE || t->nodes[i].next == NO_NODE)
        return; /* itself alone */
    json_name(j, "siblings");
    json_begin_arr(j);
    for (; i != NO_NODE; i = t->nodes[i].next)
        add_id(j, &t->nodes[i].id);
    json_end_arr(j);
}

/* Where there are branches: which message this one follows, null if none, and
 * who stands beside it. */
static void
put_place(struct json_out *j, const struct message *m,
          const struct message_tree *t)
{
    if (t->nodes == NULL)
        return;
    if (m->parent < t->n)
        json_put_ident(j, "parent_id", &t->nodes[m->parent].id);
    else
        json_put_str(j, "parent_id", NULL);
    put_siblings(j, m, t);
}

/* --- messages ------------------------------------------------------------ */

static void
put_extra(struct json_out *j, const struct message *m)
{
    struct extra x;

    extra_read(&x, m->extra, m->extra_len);
    if (x.tool_calls != NULL)
        json_put_raw(j, "tool_calls", x.tool_calls, strlen(x.tool_calls));
    if (x.citations != NULL)
        json_put_raw(j, "citations", x.citations, strlen(x.citations));
    if (x.notes != NULL)
        json_put_raw(j, "notes", x.notes, strlen(x.notes));
    if (x.feedback != NULL)
        json_put_raw(j, "feedback", x.feedback, strlen(x.feedback));
    extra_release(&x);
}

void
message_put(struct json_out *j, const struct message *m,
            const struct message_tree *t)
{
    struct usage usage = {m->input_tokens, m->output_tokens, m->cached_tokens};
    int64_t cost = m->finish == FINISH_NONE ? -1 : m->cost_micro;

    json_begin_obj(j);
    json_put_ident(j, "id", &m->id);
    put_place(j, m, t);
    if (ident_is_zero(&m->turn)) /* it was said elsewhere */
        json_put_str(j, "turn_id", NULL);
    else
        json_put_ident(j, "turn_id", &m->turn);
    json_put_i64(j, "seq", m->seq);
    json_put_str(j, "role", role_name((enum role)m->role));
    json_put_time(j, "timestamp", m->at_ms);
    if (m->finish != FINISH_NONE)
        json_put_str(j, "finish_reason", finish_name((enum finish)m->finish));
    if (m->provider[0] != '\0') {
        json_put_str(j, "provider", m->provider);
        json_put_str(j, "model", m->model);
    }
    if (usage.input_tokens >= 0 || usage.output_tokens >= 0 || cost >= 0)
        result_put_usage(j, &usage, cost);
    put_extra(j, m);
    json_put_strn(j, "content", m->text, m->text_len);
    json_end_obj(j);
}
