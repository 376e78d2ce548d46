/*
 * The turns are collected before the store forgets them, so that their
 * streams can be dropped after it has. A stream that is missed goes with the
 * log's grace time.
 */
#include "base/base.h"

#include "chat/erase.h"

#include "base/mem.h"
#include "chat/command_streams.h"
#include "chat/index.h"

struct turns {
    struct ident *ids;
    size_t n, cap;
};

static bool
collect(void *arg, const struct message *m)
{
    struct turns *t = arg;

    if (ident_is_zero(&m->turn))
        return true;
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
      enum erase_what what, const struct ident *by)
{
    struct store_op op = {.owner = owner, .session_id = id};
    struct turns turns = {.n = 0};
    struct session s = {.no = no};
    enum err e = OK;

    op.kind = what == ERASE_MESSAGES ? STORE_SESSION_CLEAR
                                     : STORE_SESSION_DELETE;
    op.erase.expired_only = what == ERASE_EXPIRED;
    e = what == ERASE_EXPIRED
            ? store_last_look(engine_store(en), owner, id, &s, collect, &turns)
            : store_all_messages(engine_store(en), owner, id, 0, UINT32_MAX, &s,
                                 collect, &turns);
    if (e == OK && no != 0 && s.no != no)
        e = ERR_NOTFOUND;
    op.erase.session_no = s.no; /* whose turns were collected */
    if (e == OK)
        e = store_apply(engine_store(en), &op);
    if (e == OK) {
        engine_forget(en, by != NULL || what == ERASE_EXPIRED ? NULL : id,
                      turns.ids, turns.n);
        if (!s.temporary) /* the index has never had it */
            index_erased(engine_index(en), s.no, what == ERASE_MESSAGES);
    }
    if (e == OK || (e == ERR_NOTFOUND && no == 0)) /* it may have had no more */
        command_streams_drop(en, owner, id);
    free(turns.ids);
    return e;
}
