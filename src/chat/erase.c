/*
 * The turns are collected before the store forgets them, so that their
 * streams can be dropped after it has. A stream that is missed goes with the
 * log's grace time.
 */
#include "base/base.h"

#include "chat/erase.h"

#include "base/mem.h"

struct turns {
    struct ident *ids;
    size_t n, cap;
};

static bool
collect(void *arg, const struct message *m)
{
    struct turns *t = arg;

    if (t->n > 0 && ident_eq(&t->ids[t->n - 1], &m->turn))
        return true;
    if (t->n == t->cap) {
        t->cap = t->cap == 0 ? 64 : 2 * t->cap;
        t->ids = xrealloc(t->ids, t->cap * sizeof(*t->ids));
    }
    t->ids[t->n++] = m->turn;
    return true;
}

enum err
erase(struct engine *en, const char *owner, const char *id, uint64_t no,
      enum erase_what what, const struct ident *except)
{
    struct store_op op = {.owner = owner, .session_id = id};
    struct turns turns = {.n = 0};
    enum err e = OK;

    op.kind = what == ERASE_MESSAGES ? STORE_SESSION_CLEAR
                                     : STORE_SESSION_DELETE;
    op.erase.expired_only = what == ERASE_EXPIRED;
    op.erase.session_no = no;
    if (what != ERASE_EXPIRED) /* nothing of one is read any more */
        e = store_all_messages(engine_store(en), owner, id, 0, UINT32_MAX, NULL,
                               collect, &turns);
    if (e == OK)
        e = store_apply(engine_store(en), &op);
    if (e == OK)
        engine_forget(en, id, turns.ids, turns.n, except);
    free(turns.ids);
    return e;
}
