/*
 * Where a session lives decides who is asked: memory for temporary ones, the
 * durable backend for all others. As long as there is no temporary session
 * that costs one load of a number.
 *
 * An operation that is memory's is applied as soon as the committer comes to
 * it, with no transaction and so no sync, whatever the disk does. One that
 * makes a temporary session is refused if the durable backend has the session;
 * an operation of that durable session that is still on its way in the same
 * batch may then find itself to be memory's. So a batch is looked through once
 * more before it is written, which is the rare case, and what is memory's is
 * left out and applied behind it.
 *
 * A session of another owner does not stand in the way: each of the two then
 * sees the own one.
 */
#include "base/base.h"

#include "store/split.h"

#include "base/mem.h"
#include "store/memstore.h"

struct split {
    const struct backend *durable;
    void *impl;              /* durable's */
    struct memstore *memory; /* NULL: there are no temporary sessions */
};

static bool
any(const struct split *sp)
{
    return sp->memory != NULL && memstore_any(sp->memory);
}

static bool
in_memory(const struct split *sp, const char *owner, const char *id)
{
    return any(sp) && memstore_has(sp->memory, owner, id);
}

/* --- writes ----------------------------------------------------------- */

static bool
knows_key(const struct split *sp, const struct store_op *op)
{
    struct ident turn;

    return op->begin.idem_key != NULL && op->begin.idem_scope != NULL &&
           memstore_backend.idem(sp->memory, op->owner, op->begin.idem_scope,
                                 op->begin.idem_key, &turn) == OK;
}

static bool
is_memorys(const struct split *sp, const struct store_op *op)
{
    if (!any(sp) || op->kind == STORE_PROBE || op->kind == STORE_RECORDS ||
        op->kind == STORE_RESERVE || op->kind == STORE_SETTLE ||
        op->kind == STORE_LEDGER_PRUNE)
        return false;
    if (op->kind == STORE_TURN_END)
        return memstore_has_turn(sp->memory, &op->end.turn);
    if (op->session_id == NULL) /* all that an owner has: give_rest */
        return false;
    return memstore_has(sp->memory, op->owner, op->session_id) ||
           (op->kind == STORE_TURN_BEGIN && knows_key(sp, op));
}

static void
out_clear(struct store_op *op)
{
    if (op->kind == STORE_TURN_BEGIN)
        backend_begin_clear(op);
    else if (op->kind == STORE_SESSION_PATCH)
        op->patch.too_many_sessions = false;
}

/* May a temporary session be given to that owner? */
static enum err
check_give(const struct split *sp, const char *to, const char *id)
{
    struct message_query q = {.owner = to, .session_id = id, .gone_too = true};
    enum err e = sp->durable->messages(sp->impl, &q, NULL, NULL, NULL);

    if (e == OK)
        return ERR_CONFLICT; /* it would hide that one */
    return e == ERR_NOTFOUND ? OK : e;
}

/* A turn that is to be reserved with its question was taken for one of a stored
 * session: nothing is reserved here. */
static void
apply_to_memory(struct split *sp, struct store_op *op)
{
    bool wrote;
    enum err e = OK;

    op->temporary = true;
    if (op->kind == STORE_TURN_BEGIN && op->begin.reserve.n > 0) {
        out_clear(op);
        op->err = ERR_CONFLICT;
        return;
    }
    if (op->kind == STORE_SESSION_OWNER) {
        backend_moved_none(op);
        e = check_give(sp, op->owner_change.to, op->session_id);
    }
    if (e == OK)
        e = memstore_backend.apply(sp->memory, &op, 1, &wrote);
    if (e != OK)
        op->err = e;
}

/* An owner's temporary sessions, behind the others that were given away. */
static void
give_rest(struct split *sp, struct store_op *op)
{
    const char *to = op->owner_change.to;
    char(*ids)[IDENT_SESSION_MAX + 1];
    size_t n = memstore_ids(sp->memory, op->owner, &ids);

    for (size_t i = 0; i < n && op->owner_change.n < backend_moves_max(op);
         i++) {
        struct store_op one = {.kind = STORE_SESSION_OWNER,
                               .owner = op->owner,
                               .session_id = ids[i]};

        one.owner_change.to = to;
        if (check_give(sp, to, ids[i]) != OK)
            continue;
        apply_to_memory(sp, &one);
        if (one.err == OK && one.owner_change.n > 0)
            backend_moved(op, ids[i]);
        op->owner_change.busy += one.err == ERR_CONFLICT;
        free(one.owner_change.moved);
    }
    free(ids);
}

static void
give_rests(struct split *sp, struct store_op *const ops[], size_t n)
{
    for (size_t i = 0; i < n && any(sp); i++)
        if (ops[i]->kind == STORE_SESSION_OWNER && ops[i]->session_id == NULL &&
            ops[i]->err == OK)
            give_rest(sp, ops[i]);
}

/* Does it make its session, if that is not there? */
static bool
makes(const struct store_op *op)
{
    switch (op->kind) {
    case STORE_TURN_BEGIN: return op->begin.create;
    case STORE_SESSION_PATCH: return op->patch.create;
    case STORE_SESSION_IMPORT: return op->import.from == 0;
    default: return false;
    }
}

/* The durable backend has the session: gone too, or alive. */
static enum err
refuse(struct store_op *op, bool alive)
{
    if (op->kind == STORE_TURN_BEGIN && !alive)
        op->begin.expired = true;
    if (!alive || op->kind == STORE_SESSION_IMPORT ||
        (op->kind == STORE_SESSION_PATCH && op->patch.only_new))
        return ERR_CONFLICT;
    return ERR_IMPOSSIBLE;
}

/* May a temporary session be made by it? */
static enum err
check_new(const struct split *sp, struct store_op *op)
{
    struct message_query q = {
        .owner = op->owner, .session_id = op->session_id, .gone_too = true};
    enum err e = ERR_IMPOSSIBLE;

    if (sp->memory == NULL)
        return e;
    e = sp->durable->messages(sp->impl, &q, NULL, NULL, NULL);
    if (e == OK) {
        q.gone_too = false;
        e = sp->durable->messages(sp->impl, &q, NULL, NULL, NULL);
        return e == OK || e == ERR_NOTFOUND ? refuse(op, e == OK) : e;
    }
    if (e != ERR_NOTFOUND)
        return e;
    if (op->kind != STORE_TURN_BEGIN || op->begin.idem_key == NULL ||
        op->begin.idem_scope == NULL)
        return OK;
    e = sp->durable->idem(sp->impl, op->owner, op->begin.idem_scope,
                          op->begin.idem_key, &op->begin.existing);
    op->begin.idem_hit = e == OK;
    return e == OK ? ERR_CONFLICT : e == ERR_NOTFOUND ? OK : e;
}

static bool
split_instant(void *impl, struct store_op *op)
{
    struct split *sp = impl;

    if (is_memorys(sp, op)) {
        apply_to_memory(sp, op);
        return true;
    }
    if (!op->temporary || !makes(op)) {
        op->temporary = false;
        return false;
    }
    out_clear(op);
    op->temporary = false;
    op->err = check_new(sp, op);
    if (op->err == OK)
        apply_to_memory(sp, op);
    return true;
}

/* Without those that are memory's by now. */
static enum err
apply_rest(struct split *sp, struct store_op *const ops[], size_t n,
           bool *wrote)
{
    struct store_op **rest = xmalloc(n * sizeof(struct store_op *));
    size_t n_rest = 0;
    enum err e = OK;

    for (size_t i = 0; i < n; i++)
        if (!is_memorys(sp, ops[i]))
            rest[n_rest++] = ops[i];
    if (n_rest > 0)
        e = sp->durable->apply(sp->impl, rest, n_rest, wrote);
    for (size_t i = 0, at = 0; i < n && e == OK; i++) {
        if (at < n_rest && ops[i] == rest[at])
            at++;
        else
            apply_to_memory(sp, ops[i]);
    }
    free(rest);
    return e;
}

static enum err
split_apply(void *impl, struct store_op *const ops[], size_t n, bool *wrote)
{
    struct split *sp = impl;
    size_t at = 0;
    enum err e;

    *wrote = false;
    while (at < n && !is_memorys(sp, ops[at]))
        at++;
    e = at < n ? apply_rest(sp, ops, n, wrote)
               : sp->durable->apply(sp->impl, ops, n, wrote);
    if (e == OK)
        give_rests(sp, ops, n);
    return e;
}

/* --- reads ------------------------------------------------------------ */

static enum err
split_messages(void *impl, const struct message_query *q, struct session *sess,
               message_fn *fn, void *arg)
{
    struct split *sp = impl;
    enum err e;

    if (q->owner == NULL) { /* see store_session_owner */
        e = sp->durable->messages(sp->impl, q, sess, fn, arg);
        return e == ERR_NOTFOUND && any(sp)
                   ? memstore_backend.messages(sp->memory, q, sess, fn, arg)
                   : e;
    }
    return in_memory(sp, q->owner, q->session_id)
               ? memstore_backend.messages(sp->memory, q, sess, fn, arg)
               : sp->durable->messages(sp->impl, q, sess, fn, arg);
}

/* All open ones are asked for to mend what dead processes left. */
static enum err
split_turns(void *impl, const struct ident *one, turn_fn *fn, void *arg)
{
    struct split *sp = impl;

    return one != NULL && any(sp) && memstore_has_turn(sp->memory, one)
               ? memstore_backend.turns(sp->memory, one, fn, arg)
               : sp->durable->turns(sp->impl, one, fn, arg);
}

static enum err
split_idem(void *impl, const char *owner, const char *scope, const char *key,
           struct ident *out)
{
    struct split *sp = impl;

    return any(sp) && memstore_backend.idem(sp->memory, owner, scope, key,
                                            out) == OK
               ? OK
               : sp->durable->idem(sp->impl, owner, scope, key, out);
}

/* Those that are gone are the only ones that are given of memory's, behind all
 * others: their numbers are higher. */
static enum err
split_sessions(void *impl, const struct session_query *q, session_fn *fn,
               void *arg)
{
    struct split *sp = impl;
    bool expired = q->owner == NULL && q->count == NULL && !q->everyone;
    enum err e;

    if (expired && q->from >= STORE_NO_TEMPORARY)
        return sp->memory == NULL
                   ? OK
                   : memstore_backend.sessions(sp->memory, q, fn, arg);
    e = sp->durable->sessions(sp->impl, q, fn, arg);
    if (e == OK && expired && *q->next == 0 && any(sp))
        *q->next = STORE_NO_TEMPORARY;
    return e;
}

static enum err
split_records(void *impl, const struct record_query *q, record_fn *fn,
              void *arg)
{
    struct split *sp = impl;

    return sp->durable->records(sp->impl, q, fn, arg);
}

static enum err
split_ledger(void *impl, const struct ledger_query *q)
{
    struct split *sp = impl;

    return sp->durable->ledger(sp->impl, q);
}

/* What is on disk: temporary ones are not told. */
static void
split_stats(void *impl, struct store_stats *out)
{
    struct split *sp = impl;

    sp->durable->stats(sp->impl, out);
}

/* --- life ------------------------------------------------------------- */

enum err
split_open(void **impl, const struct backend *durable,
           const struct store_config *c)
{
    struct split *sp = xcalloc(1, sizeof(*sp));
    enum err e = durable->open(&sp->impl, c);

    if (e != OK) {
        free(sp);
        return e;
    }
    sp->durable = durable;
    if (c->temporary != NULL)
        sp->memory = memstore_new(c->temporary, c->temporary_ttl_ms);
    *impl = sp;
    return OK;
}

static enum err
open_on_lmdb(void **impl, const struct store_config *c)
{
    return split_open(impl, &lmdb_backend, c);
}

static void
split_close(void *impl)
{
    struct split *sp = impl;

    if (sp->memory != NULL)
        memstore_backend.close(sp->memory);
    sp->durable->close(sp->impl);
    free(sp);
}

const struct backend split_backend = {
    .name = "split",
    .open = open_on_lmdb,
    .close = split_close,
    .apply = split_apply,
    .instant = split_instant,
    .messages = split_messages,
    .turns = split_turns,
    .idem = split_idem,
    .sessions = split_sessions,
    .records = split_records,
    .ledger = split_ledger,
    .stats = split_stats,
};
