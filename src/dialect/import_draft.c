/*
 * A conversation on its way: nodes as they stand in the file, then messages in
 * order.
 *
 * Formats with branches are trees in which some nodes are no messages for us
 * (roots, system texts, calls of tools). Such a node is stepped over: what hung
 * below it hangs below the nearest message above. A message comes after its
 * parent; apart from that the order of the file is kept, which in every format
 * is that of time. No recursion, and n log n for any tree.
 */
#include "base/base.h"

#include "dialect/import_draft.h"

/* --- life ----------------------------------------------------------------- */

struct import_draft *
import_draft_new(enum import_format format, const cJSON *item)
{
    struct import_draft *d = xcalloc(1, sizeof(*d));

    arena_init(&d->arena);
    d->item = item;
    d->s.format = format;
    d->s.id = d->s.title = d->s.context = d->s.model = "";
    d->current = "";
    return d;
}

void
import_draft_free(struct import_draft *d)
{
    if (d == NULL)
        return;
    arena_release(&d->arena);
    free(d->nodes);
    free(d->messages);
    free(d);
}

/* --- filling -------------------------------------------------------------- */

struct import_node *
import_draft_node(struct import_draft *d)
{
    static const struct import_node blank = {
        .id = "",
        .parent = "",
        .m = {.text = "",
              .id = "",
              .provider = "",
              .model = "",
              .extra = "",
              .usage = {-1, -1, -1},
              .cost_micro = -1},
    };

    if (d->n == IMPORT_MESSAGES_MAX)
        return NULL;
    if (d->n == d->cap) {
        d->cap = d->cap == 0 ? 16 : 2 * d->cap;
        d->nodes = xrealloc(d->nodes, d->cap * sizeof(*d->nodes));
    }
    d->nodes[d->n] = blank;
    return &d->nodes[d->n++];
}

void
import_draft_text(struct import_draft *d, struct import_node *nd,
                  const char *text)
{
    bool any = text[0] != '\0';

    if (!any && d->s.format != IMPORT_PARLEY) {
        d->left_out++;
        return;
    }
    nd->keep = true;
    nd->m.text = text;
    nd->m.text_len = strlen(text);
    if (nd->m.id[0] == '\0')
        nd->m.id = nd->id;
    d->talked = true;
}

void
import_draft_system(struct import_draft *d, const char *text)
{
    if (!d->talked && d->s.context[0] == '\0' && text[0] != '\0')
        d->s.context = text;
    else
        d->left_out++;
}

/* --- settling ------------------------------------------------------------- */

/* A node's id, for finding it. */
struct name {
    const char *id;
    size_t node;
};

static int
name_cmp(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->id, ((const struct name *)b)->id);
}

#define NOWHERE SIZE_MAX

struct settling {
    struct import_draft *d;
    struct name *names;
    size_t n_names;
    size_t *up;    /* by node: its parent, or NOWHERE */
    size_t *place; /* by node: 1 + the message that stands for it, 0: none */
    size_t *path;  /* from a node up to one that was placed */
    bool *done;    /* by node: placed */
    bool *walking; /* by node: in path */
    size_t n;      /* messages placed */
};

static size_t
find(const struct settling *st, const char *id)
{
    struct name key = {.id = id};
    const struct name *hit;

    if (id[0] == '\0' || st->n_names == 0)
        return NOWHERE;
    hit = bsearch(&key, st->names, st->n_names, sizeof(key), name_cmp);
    return hit == NULL ? NOWHERE : hit->node;
}

/* False: an id occurs twice. */
static bool
index_names(struct settling *st)
{
    const struct import_draft *d = st->d;

    for (size_t i = 0; i < d->n; i++)
        if (d->nodes[i].id[0] != '\0')
            st->names[st->n_names++] = (struct name){d->nodes[i].id, i};
    if (st->n_names > 0)
        qsort(st->names, st->n_names, sizeof(*st->names), name_cmp);
    for (size_t i = 1; i < st->n_names; i++)
        if (strcmp(st->names[i - 1].id, st->names[i].id) == 0)
            return false;
    return true;
}

static void
link_parents(struct settling *st)
{
    const struct import_draft *d = st->d;

    for (size_t i = 0; i < d->n; i++) {
        if (d->nodes[i].follows)
            st->up[i] = i == 0 ? NOWHERE : i - 1;
        else
            st->up[i] = find(st, d->nodes[i].parent);
    }
}

static void
place(struct settling *st, size_t i)
{
    struct import_node *nd = &st->d->nodes[i];
    size_t above = st->up[i] == NOWHERE ? 0 : st->place[st->up[i]];

    st->done[i] = true;
    st->walking[i] = false;
    if (!nd->keep) {
        st->place[i] = above;
        return;
    }
    nd->m.parent = (int64_t)above - 1;
    st->d->messages[st->n++] = nd->m;
    st->place[i] = st->n;
}

/* Place node i behind all that are above it. False: it is above itself. */
static bool
place_with_parents(struct settling *st, size_t i)
{
    size_t depth = 0;

    for (; i != NOWHERE && !st->done[i]; i = st->up[i]) {
        if (st->walking[i])
            return false;
        st->walking[i] = true;
        st->path[depth++] = i;
    }
    while (depth > 0)
        place(st, st->path[--depth]);
    return true;
}

/* The last message of the line that was shown. */
static int64_t
last_shown(const struct settling *st)
{
    const struct import_message *m = st->d->messages;
    size_t at = find(st, st->d->current);
    size_t last = st->n - 1;

    if (at != NOWHERE && st->place[at] > 0)
        return (int64_t)st->place[at] - 1;
    for (size_t i = st->n; st->d->newest && i-- > 0;)
        if (m[i].at_ms > m[last].at_ms)
            last = i;
    return (int64_t)last;
}

static const char *
settle(struct settling *st)
{
    struct import_draft *d = st->d;

    if (!index_names(st))
        return "two messages have one id";
    link_parents(st);
    for (size_t i = 0; i < d->n; i++)
        if (!place_with_parents(st, i))
            return "messages answer one another in a circle";
    if (st->n == 0)
        return d->s.format == IMPORT_PARLEY ? NULL : "no messages in it";
    for (int64_t i = last_shown(st); i >= 0; i = d->messages[i].parent)
        d->messages[i].main = true;
    return NULL;
}

const char *
import_draft_settle(struct import_draft *d)
{
    struct settling st = {.d = d};
    const char *rule;

    st.names = xcalloc(d->n, sizeof(*st.names));
    st.up = xcalloc(d->n, sizeof(*st.up));
    st.place = xcalloc(d->n, sizeof(*st.place));
    st.path = xcalloc(d->n, sizeof(*st.path));
    st.done = xcalloc(d->n, sizeof(*st.done));
    st.walking = xcalloc(d->n, sizeof(*st.walking));
    d->messages = xcalloc(d->n, sizeof(*d->messages));
    rule = settle(&st);
    free(st.names);
    free(st.up);
    free(st.place);
    free(st.path);
    free(st.done);
    free(st.walking);
    d->s.messages = d->messages;
    d->s.n_messages = st.n;
    return rule;
}
