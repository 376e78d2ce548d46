/*
 * Giving sessions to another owner, in memory: whose a session is stands in
 * the session alone. Keys of its turns stay with the owner that made them, and
 * lead him nowhere (memstore_key).
 */
#include "base/base.h"

#include "base/mem.h"
#include "store/memstore.h"
#include "store/memstore_data.h"

size_t
memstore_ids(struct memstore *ms, const char *owner,
             char (**ids)[IDENT_SESSION_MAX + 1])
{
    size_t n = 0;

    (void)pthread_rwlock_rdlock(&ms->lock);
    *ids = xcalloc(ms->n_sessions + 1, sizeof((*ids)[0]));
    for (const struct mem_session *s = ms->first; s != NULL; s = s->next)
        if (strcmp(s->s.owner, owner) == 0 && !memstore_gone(ms, s))
            memcpy((*ids)[n++], s->s.id, sizeof(s->s.id));
    (void)pthread_rwlock_unlock(&ms->lock);
    return n;
}

static void
give(struct mem_session *s, struct store_op *op)
{
    memcpy(s->s.owner, op->owner_change.to, strlen(op->owner_change.to) + 1);
    backend_moved(op, s->s.id);
}

static void
give_all(struct memstore *ms, struct store_op *op)
{
    uint32_t max = backend_moves_max(op);

    for (struct mem_session *s = ms->first;
         s != NULL && op->owner_change.n < max; s = s->next) {
        if (strcmp(s->s.owner, op->owner) != 0 || memstore_gone(ms, s))
            continue;
        if (s->s.open)
            op->owner_change.busy++;
        else
            give(s, op);
    }
}

enum err
memstore_give(struct memstore *ms, struct store_op *op)
{
    bool same = strcmp(op->owner, op->owner_change.to) == 0;
    struct mem_session *s;

    backend_moved_none(op);
    if (op->session_id == NULL) {
        if (!same)
            give_all(ms, op);
        return OK;
    }
    s = memstore_session(ms, op->owner, op->session_id);
    if (s == NULL)
        return ERR_NOTFOUND;
    if (s->s.open)
        return ERR_CONFLICT;
    if (!same)
        give(s, op);
    return OK;
}
