/*
 * A conversation as an operation of the store: times that are not known are
 * guessed from their neighbours, ids are kept or made, and all that the store
 * borrows is copied into an arena.
 */
#include "base/base.h"

#include "api/intake_session.h"

#include "api/session_json.h"
#include "base/text.h"

struct taking {
    const struct intake_config *c;
    struct arena *arena;
    int64_t now_ms;
    size_t bytes; /* of text and extra, so far */
};

void
intake_new_ids(struct intake_op *w)
{
    struct ident id = ident_v4();

    ident_text(w->id, &id);
    for (uint32_t i = 0; i < w->op.import.n; i++)
        w->op.import.messages[i].id = ident_v7();
}

/* At most max bytes, cut between characters. */
static const char *
clip(struct taking *t, const char *s, size_t max)
{
    size_t n = strlen(s);

    return arena_memdup0(t->arena, s, n <= max ? n : utf8_whole(s, max));
}

/* Those that a client could have set, as struct session has them. */
static const char *
join_tags(struct taking *t, const struct import_session *s)
{
    char *out = arena_alloc(t->arena, STORE_TAGS_MAX + 1);
    size_t len = 0, n = 0;

    for (size_t i = 0; i < s->n_tags && n < SESSION_TAGS_MAX; i++) {
        const char *tag = s->tags[i];

        if (text_blank(tag, strlen(tag)) || strlen(tag) > SESSION_TAG_MAX ||
            strpbrk(tag, "\r\n") != NULL || session_has_tag(out, tag))
            continue;
        len += (size_t)snprintf(out + len, STORE_TAGS_MAX + 1 - len, "%s\n",
                                tag);
        n++;
    }
    return out;
}

/* A time that was: not known is `before`, what is to come is now. */
static int64_t
past(const struct taking *t, int64_t at_ms, int64_t before)
{
    if (at_ms <= 0)
        at_ms = before;
    return at_ms < t->now_ms ? at_ms : t->now_ms;
}

static int
compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ident));
}

/* Take the messages' own ids, if they are ids and all different. */
static bool
own_ids(const struct import_session *s, struct message *m)
{
    struct ident *sorted = xcalloc(s->n_messages + 1, sizeof(*sorted));
    bool all = true;

    for (size_t i = 0; i < s->n_messages && all; i++) {
        const char *id = s->messages[i].id;

        all = ident_parse(id, strlen(id), &m[i].id) == OK;
        sorted[i] = m[i].id;
    }
    if (all)
        qsort(sorted, s->n_messages, sizeof(*sorted), compare_ids);
    for (size_t i = 1; i < s->n_messages && all; i++)
        all = !ident_eq(&sorted[i - 1], &sorted[i]);
    free(sorted);
    return all;
}

static struct message
message_of(struct taking *t, const struct import_message *from, int64_t at_ms)
{
    bool answer = from->role == ROLE_ASSISTANT;
    bool whole = from->extra_len <= STORE_EXTRA_MAX;
    struct message m = {
        .parent = from->parent < 0 ? STORE_ROOT : (uint32_t)from->parent,
        .role = (uint8_t)from->role,
        .finish = (uint8_t)(answer && from->finish == FINISH_NONE
                                ? FINISH_STOP
                                : from->finish),
        .at_ms = at_ms,
        .input_tokens = from->usage.input_tokens,
        .output_tokens = from->usage.output_tokens,
        .cached_tokens = from->usage.cached_tokens,
        .cost_micro = from->cost_micro,
        .provider = clip(t, from->provider, STORE_NAME_MAX),
        .model = clip(t, from->model, STORE_NAME_MAX),
        .text = arena_memdup0(t->arena, from->text, from->text_len),
        .text_len = from->text_len,
        .extra = whole ? arena_memdup0(t->arena, from->extra, from->extra_len)
                       : "",
        .extra_len = whole ? from->extra_len : 0,
    };

    t->bytes += m.text_len + m.extra_len;
    return m;
}

static void
take_messages(struct taking *t, const struct import_session *s,
              struct intake_op *w, int64_t created_ms)
{
    struct message *m = arena_alloc(t->arena, (s->n_messages + 1) * sizeof(*m));
    int64_t at_ms = created_ms;
    uint32_t head = 0;

    for (size_t i = 0; i < s->n_messages; i++) {
        at_ms = past(t, s->messages[i].at_ms, at_ms);
        m[i] = message_of(t, &s->messages[i], at_ms);
        if (s->messages[i].main)
            head = (uint32_t)i;
    }
    w->op.import.messages = m;
    w->op.import.n = (uint32_t)s->n_messages;
    w->op.import.head = head;
    w->op.import.updated_ms = t->c->used ? t->now_ms
                                         : past(t, s->updated_ms, at_ms);
    if (s->format == IMPORT_PARLEY && own_ids(s, m) &&
        ident_session_valid(s->id, strlen(s->id)))
        (void)snprintf(w->id, sizeof(w->id), "%s", s->id);
    else
        intake_new_ids(w);
}

const char *
intake_refused(const struct import_session *s)
{
    if (strlen(s->context) > STORE_CONTEXT_MAX)
        return "its context is too long";
    for (size_t i = 0; i < s->n_messages; i++)
        if (s->messages[i].text_len > STORE_TEXT_MAX)
            return "a message of it is too long";
    return NULL;
}

struct intake_op *
intake_op_new(const struct intake_config *c, struct arena *arena,
              int64_t now_ms, const struct import_session *s)
{
    struct taking taking = {.c = c, .arena = arena, .now_ms = now_ms};
    struct taking *t = &taking;
    struct intake_op *w = arena_alloc(arena, sizeof(*w));
    int64_t created_ms = past(t, s->created_ms,
                              s->n_messages > 0 && s->messages[0].at_ms > 0
                                  ? s->messages[0].at_ms
                                  : now_ms);

    w->item = s->item;
    w->op.kind = STORE_SESSION_IMPORT;
    w->op.owner = c->owner;
    w->op.session_id = w->id;
    w->op.patch.now_ms = created_ms;
    w->op.patch.sessions_max = c->sessions_max;
    w->op.patch.title = clip(t, s->title, STORE_TITLE_MAX);
    w->op.patch.titled = s->title[0] != '\0';
    w->op.patch.context = clip(t, s->context, STORE_CONTEXT_MAX);
    w->op.patch.model = strlen(s->model) <= STORE_NAME_MAX
                            ? arena_strdup(arena, s->model)
                            : "";
    w->op.patch.tags = join_tags(t, s);
    w->op.patch.set_pinned = w->op.patch.set_archived = true;
    w->op.patch.pinned = s->pinned;
    w->op.patch.archived = s->archived;
    w->op.import.messages_max = c->messages_max;
    take_messages(t, s, w, created_ms);
    w->bytes = t->bytes;
    return w;
}
