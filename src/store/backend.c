/*
 * The rules of the seam that have nothing to do with where records live: how
 * the tree of a session's messages grows, when a session is gone, what a patch
 * changes. Each backend asks here, so that all of them answer alike. Pure.
 *
 * Messages are numbered in the order in which they came, and what a message
 * follows came before it. So a session whose messages each follow the one
 * before is a single line, which needs no walk: the line of seq n is 0 to n.
 * The first message that follows another one makes a branch, since something
 * follows that already.
 */
#include "base/base.h"

#include "store/backend.h"

#include "base/mem.h"

bool
backend_gone(const struct session *s, int64_t ttl_ms, int64_t now_ms)
{
    if (s->expires_ms != 0)
        return now_ms >= s->expires_ms;
    /* One that is being answered is in use. */
    return ttl_ms > 0 && !s->open && now_ms - ttl_ms >= s->updated_ms;
}

enum err
backend_parent(const struct session *s, uint32_t named, bool root,
               uint32_t *parent)
{
    *parent = STORE_ROOT;
    if (root || (named == STORE_HEAD && s->n_messages == 0))
        return OK;
    *parent = named == STORE_HEAD ? s->head : named;
    return *parent < s->n_messages ? OK : ERR_NOTFOUND;
}

bool
backend_length(const struct session *s, uint32_t leaf, uint32_t *length)
{
    if (leaf == STORE_ROOT)
        *length = 0;
    else if (leaf == s->head)
        *length = s->length;
    else if (!s->branched)
        *length = leaf + 1;
    else
        return false;
    return true;
}

void
backend_count(struct session *s, struct message *m, uint32_t parent)
{
    m->seq = s->n_messages++;
    m->parent = parent;
    if (parent != m->seq - 1) /* STORE_ROOT is what comes before 0 */
        s->branched = true;
}

uint32_t
backend_question(const struct session *s)
{
    return s->n_messages - 1; /* STORE_ROOT if there is none */
}

_Static_assert((uint32_t)0 - 1 == STORE_ROOT, "what comes before 0");

void
backend_session(struct session *s, const struct store_op *op, int64_t at_ms)
{
    memset(s, 0, sizeof(*s));
    memcpy(s->id, op->session_id, strlen(op->session_id) + 1);
    memcpy(s->owner, op->owner, strlen(op->owner) + 1);
    s->created_ms = s->updated_ms = at_ms;
}

void
backend_title(struct session *s, const struct store_op *op)
{
    if (op->begin.title != NULL && s->n_messages == 0 && !s->titled &&
        s->title[0] == '\0')
        memcpy(s->title, op->begin.title, strlen(op->begin.title) + 1);
}

enum err
backend_patch_there(const struct store_op *op, const struct session *s,
                    bool gone)
{
    if (op->patch.only_no != 0 && op->patch.only_no != s->no)
        return ERR_NOTFOUND;
    if (op->patch.create)
        return gone || op->patch.only_new ? ERR_CONFLICT : OK;
    return gone ? ERR_NOTFOUND : OK;
}

enum err
backend_import_check(const struct store_op *op, const struct session *s)
{
    uint64_t all = (uint64_t)op->import.from + op->import.n;

    if (s->open || s->n_messages != op->import.from)
        return ERR_CONFLICT;
    if (all >= UINT32_MAX ||
        (op->import.messages_max > 0 && all > op->import.messages_max))
        return ERR_LIMIT;
    if (all > 0 && op->import.head >= all)
        return ERR_BADREQ;
    for (uint32_t i = 0; i < op->import.n; i++) {
        uint32_t parent = op->import.messages[i].parent;

        if (parent != STORE_ROOT && parent >= op->import.from + i)
            return ERR_BADREQ;
    }
    return OK;
}

void
backend_patch(struct session *s, const struct store_op *op)
{
    if (op->patch.title != NULL && (!op->patch.only_untitled || !s->titled)) {
        memcpy(s->title, op->patch.title, strlen(op->patch.title) + 1);
        s->titled = op->patch.titled;
    }
    if (op->patch.context != NULL)
        s->has_context = op->patch.context[0] != '\0';
    if (op->patch.model != NULL)
        memcpy(s->model, op->patch.model, strlen(op->patch.model) + 1);
    if (op->patch.tags != NULL)
        memcpy(s->tags, op->patch.tags, strlen(op->patch.tags) + 1);
    if (op->patch.set_pinned)
        s->pinned = op->patch.pinned;
    if (op->patch.set_archived)
        s->archived = op->patch.archived;
    if (op->patch.set_expires)
        s->expires_ms = op->patch.expires_ms;
}

void
backend_begin_clear(struct store_op *op)
{
    static const struct ident none;

    op->begin.idem_hit = op->begin.expired = false;
    op->begin.too_many_sessions = false;
    op->begin.existing = op->begin.open_turn = none;
    op->begin.n_messages = 0;
}

void
backend_clear(struct session *s)
{
    s->n_messages = s->head = s->length = 0;
    s->branched = false;
}

/* --- owners --------------------------------------------------------------- */

void
backend_moved_none(struct store_op *op)
{
    free(op->owner_change.moved);
    op->owner_change.moved = NULL;
    op->owner_change.n = op->owner_change.busy = 0;
}

void
backend_moved(struct store_op *op, const char *id)
{
    uint32_t n = op->owner_change.n++;

    op->owner_change.moved = xrealloc(op->owner_change.moved,
                                      op->owner_change.n *
                                          sizeof(op->owner_change.moved[0]));
    memcpy(op->owner_change.moved[n], id, strlen(id) + 1);
}

uint32_t
backend_moves_max(const struct store_op *op)
{
    if (op->session_id != NULL)
        return 1;
    return op->owner_change.limit < STORE_MOVES_MAX ? op->owner_change.limit
                                                    : STORE_MOVES_MAX;
}

/* --- records -------------------------------------------------------------- */

bool
backend_record_expected(const struct record_change *c, const void *value,
                        size_t len)
{
    switch (c->expect) {
    case RECORD_ANY: return true;
    case RECORD_ABSENT: return value == NULL;
    case RECORD_PRESENT: return value != NULL;
    case RECORD_SAME:
        return value != NULL && len == c->was_len &&
               (len == 0 || memcmp(value, c->was, len) == 0);
    }
    return false;
}

bool
backend_record_gone(const struct record_change *c, int64_t now_ms)
{
    return c->value == NULL || (c->expires_ms != 0 && c->expires_ms <= now_ms);
}

const struct record_change *
backend_record_before(const struct store_op *op, size_t i)
{
    const struct record_change *of = &op->records.changes[i];

    while (i-- > 0) {
        const struct record_change *c = &op->records.changes[i];

        if (c->n == of->n && memcmp(c->name, of->name, c->n) == 0)
            return c;
    }
    return NULL;
}
