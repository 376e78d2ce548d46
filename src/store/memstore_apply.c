/*
 * Writes of the store in memory: the rules of store.h one after another, each
 * check before the first change, and the last of them whether there is room.
 */
#include "base/base.h"

#include "store/memstore_data.h"

#include "base/budget.h"
#include "base/mem.h"

static enum err
take_room(const struct memstore *ms, size_t n)
{
    return budget_take(ms->room, n) ? OK : ERR_FULL;
}

static void
head_move(struct mem_session *s, uint32_t to)
{
    s->s.head = to;
    s->s.length = memstore_length(s, to);
}

/* Temporary ones are not counted: they have their room. */
static bool
is_one_too_many(const struct memstore *ms, const struct store_op *op,
                uint64_t sessions_max)
{
    return !ms->temporary && sessions_max > 0 &&
           memstore_count(ms, op->owner) >= sessions_max;
}

/* The session of an operation; NULL with OK: it is to be made. */
static enum err
session_or_new(struct memstore *ms, const struct store_op *op, bool create,
               uint64_t sessions_max, struct mem_session **out)
{
    struct mem_session *s = memstore_session_id(ms, op->session_id);

    *out = s;
    if (s == NULL && create && is_one_too_many(ms, op, sessions_max))
        return ERR_LIMIT;
    if (s == NULL)
        return create ? OK : ERR_NOTFOUND;
    return strcmp(s->s.owner, op->owner) == 0 ? OK : ERR_NOTFOUND;
}

static enum err
begin_check(struct memstore *ms, struct store_op *op, struct mem_session **out)
{
    static const struct session none;
    uint32_t max = op->begin.messages_max;
    const struct session *s;
    enum err e = session_or_new(ms, op, op->begin.create,
                                op->begin.sessions_max, out);

    op->begin.too_many_sessions = e == ERR_LIMIT;
    if (e != OK)
        return e;
    if (*out != NULL && memstore_gone(ms, *out)) {
        op->begin.expired = true;
        return ERR_CONFLICT;
    }
    s = *out != NULL ? &(*out)->s : &none;
    op->begin.n_messages = s->n_messages;
    if (s->open) {
        op->begin.open_turn = s->open_turn;
        return ERR_CONFLICT;
    }
    if (op->begin.expect_messages != UINT32_MAX &&
        op->begin.expect_messages != s->n_messages)
        return ERR_CONFLICT;
    e = backend_parent(s, op->begin.parent, op->begin.root,
                       &op->begin.user.parent);
    if (e == OK && max > 0 && (uint64_t)s->n_messages + 2 > max)
        e = ERR_LIMIT;
    if (e == OK && memstore_turn(ms, &op->begin.turn) != NULL)
        e = ERR_CONFLICT;
    return e;
}

static enum err
turn_begin(struct memstore *ms, struct store_op *op)
{
    bool keyed = op->begin.idem_key != NULL && op->begin.idem_scope != NULL;
    struct mem_session *s;
    struct mem_turn *t;
    enum err e;

    backend_begin_clear(op);
    t = keyed ? memstore_key(ms, op->owner, op->begin.idem_scope,
                             op->begin.idem_key)
              : NULL;
    if (t != NULL) {
        op->begin.idem_hit = true;
        op->begin.existing = t->t.id;
        return ERR_CONFLICT;
    }
    e = begin_check(ms, op, &s);
    if (e == OK)
        e = take_room(ms, (s == NULL ? memstore_session_cost() : 0) +
                              memstore_message_cost(&op->begin.user) +
                              memstore_turn_cost(op));
    if (e != OK)
        return e;
    if (s == NULL)
        s = memstore_put_session(ms, op, op->begin.user.at_ms);
    backend_title(&s->s, op);
    memstore_put_turn(ms, s, op);
    s->s.open = true;
    s->s.open_turn = op->begin.turn;
    memstore_put_message(s, &op->begin.user, op->begin.user.parent);
    head_move(s, op->begin.user.seq);
    op->begin.n_messages = s->s.n_messages;
    return OK;
}

static enum err
turn_end(struct memstore *ms, struct store_op *op)
{
    static const struct ident none;
    struct mem_turn *t = memstore_turn(ms, &op->end.turn);
    struct message *m = &op->end.answer;
    struct mem_session *s;
    uint32_t question;

    op->end.length = 0;
    if (t == NULL)
        return ERR_NOTFOUND;
    if (t->t.state != TURN_STATE_OPEN)
        return ERR_CONFLICT;
    s = t->session;
    m->turn = op->end.turn;
    if (ident_is_zero(&m->id))
        m->id = t->t.answer_message;
    question = backend_question(&s->s);
    budget_force(ms->room, memstore_message_cost(m));
    memstore_put_message(s, m, question);
    if (question == STORE_ROOT || question == s->s.head)
        head_move(s, m->seq);
    if (s->s.open && ident_eq(&s->s.open_turn, &op->end.turn)) {
        s->s.open = false;
        s->s.open_turn = none;
    }
    t->t.state = TURN_STATE_ENDED;
    t->t.answer_message = m->id;
    t->t.answer_seq = m->seq;
    t->t.end_seq = op->end.end_seq;
    t->t.ended_ms = m->at_ms;
    t->t.conversation_length = op->end.length = memstore_length(s, m->seq);
    return OK;
}

/* What was spent on it stands beside the summary; where there is none, in one
 * that reaches nowhere. */
static void
add_cost(struct mem_session *s, int64_t cost_micro)
{
    if (cost_micro <= 0)
        return;
    if (!s->summarised)
        s->summary_of = (struct session_summary){.cost_micro = -1};
    s->summarised = true;
    s->summary_of.cost_micro = backend_add_cost(s->summary_of.cost_micro,
                                                cost_micro);
}

static enum err
session_patch(struct memstore *ms, struct store_op *op)
{
    const char *context = op->patch.context;
    struct mem_session *s;
    uint32_t head;
    bool fresh;
    enum err e = session_or_new(ms, op, op->patch.create,
                                op->patch.sessions_max, &s);

    op->patch.too_many_sessions = e == ERR_LIMIT;
    if (e == OK && s != NULL)
        e = backend_patch_there(op, &s->s, memstore_gone(ms, s));
    if (e == OK && op->patch.set_head && s == NULL)
        e = op->patch.head == STORE_HEAD ? OK : ERR_NOTFOUND;
    else if (e == OK && op->patch.set_head)
        e = backend_parent(&s->s, op->patch.head, false, &head);
    if (e == OK && s == NULL)
        e = take_room(ms, memstore_session_cost());
    if (e != OK)
        return e;
    fresh = s == NULL;
    if (fresh)
        s = memstore_put_session(ms, op, op->patch.now_ms);
    if (context != NULL && memstore_set_text(ms, &s->context, &s->context_len,
                                             context, strlen(context)) != OK) {
        if (fresh)
            memstore_session_free(ms, s);
        return ERR_FULL;
    }
    if (!fresh && op->patch.set_head && head != STORE_ROOT)
        head_move(s, head);
    backend_patch(&s->s, op);
    add_cost(s, op->patch.cost_micro);
    op->patch.after = s->s;
    return OK;
}

static enum err
session_summary(struct memstore *ms, const struct store_op *op)
{
    struct mem_session *s = memstore_session(ms, op->owner, op->session_id);

    if (s == NULL || s->s.no != op->summary.session_no)
        return ERR_NOTFOUND;
    if (!s->summarised)
        s->summary_of = (struct session_summary){.cost_micro = -1};
    if (op->summary.upto_seq == 0 || op->summary.upto_seq > s->s.n_messages ||
        (op->summary.upto_seq <= s->summary_of.upto_seq &&
         memstore_line_has(s, s->summary_of.upto_seq - 1,
                           op->summary.upto_seq - 1)))
        return ERR_CONFLICT;
    if (memstore_set_text(ms, &s->summary, &s->summary_len, op->summary.text,
                          op->summary.text_len) != OK)
        return ERR_FULL;
    s->summarised = true;
    s->summary_of.upto_seq = op->summary.upto_seq;
    s->summary_of.cost_micro = backend_add_cost(s->summary_of.cost_micro,
                                                op->summary.cost_micro);
    return OK;
}

static enum err
session_clear(struct memstore *ms, struct store_op *op)
{
    static const struct ident none;
    struct mem_session *s = memstore_session(ms, op->owner, op->session_id);

    op->clear.open_turn = none;
    if (s == NULL)
        return ERR_NOTFOUND;
    if (s->s.open) {
        op->clear.open_turn = s->s.open_turn;
        return ERR_CONFLICT;
    }
    memstore_session_clear(ms, s);
    backend_clear(&s->s);
    return OK;
}

static enum err
session_delete(struct memstore *ms, const struct store_op *op)
{
    struct mem_session *s = memstore_session_id(ms, op->session_id);

    if (s == NULL || strcmp(s->s.owner, op->owner) != 0 ||
        (op->erase.session_no != 0 && op->erase.session_no != s->s.no))
        return ERR_NOTFOUND;
    if (op->erase.expired_only && !memstore_gone(ms, s))
        return ERR_CONFLICT;
    memstore_session_free(ms, s);
    return OK;
}

static enum err
message_extra(struct memstore *ms, const struct store_op *op)
{
    struct mem_session *s = memstore_session(ms, op->owner, op->session_id);
    size_t was, is = memstore_text_cost("", op->extra.len);
    struct message *m;

    if (s == NULL || op->extra.seq >= s->s.n_messages)
        return ERR_NOTFOUND;
    m = &s->messages[op->extra.seq];
    if (!ident_eq(&m->id, &op->extra.message))
        return ERR_NOTFOUND;
    was = memstore_text_cost("", m->extra_len);
    if (is > was && !budget_take(ms->room, is - was))
        return ERR_FULL;
    if (is < was)
        budget_give(ms->room, was - is);
    free((void *)(uintptr_t)m->extra);
    m->extra = xmemdup0(op->extra.len > 0 ? op->extra.text : "", op->extra.len);
    m->extra_len = op->extra.len;
    return OK;
}

static enum err
import_check(struct memstore *ms, const struct store_op *op,
             struct mem_session **out)
{
    static const struct session none;
    struct mem_session *s = memstore_session_id(ms, op->session_id);

    *out = s;
    if (op->import.from == 0) {
        if (s != NULL)
            return ERR_CONFLICT;
        if (is_one_too_many(ms, op, op->patch.sessions_max))
            return ERR_LIMIT;
        return backend_import_check(op, &none);
    }
    if (s == NULL || memstore_gone(ms, s) ||
        strcmp(s->s.owner, op->owner) != 0 || s->s.no != op->import.session_no)
        return ERR_NOTFOUND;
    return backend_import_check(op, &s->s);
}

/* Everything that an import brings. */
static size_t
import_cost(const struct store_op *op, bool fresh)
{
    const char *context = fresh ? op->patch.context : NULL;
    size_t n = fresh ? memstore_session_cost() : 0;

    if (context != NULL && context[0] != '\0')
        n += memstore_text_cost(context, strlen(context));
    for (uint32_t i = 0; i < op->import.n; i++)
        n += memstore_message_cost(&op->import.messages[i]);
    return n;
}

static enum err
session_import(struct memstore *ms, struct store_op *op)
{
    const char *context = op->patch.context;
    struct mem_session *s;
    enum err e = import_check(ms, op, &s);

    if (e == OK)
        e = take_room(ms, import_cost(op, s == NULL));
    if (e != OK)
        return e;
    if (s == NULL) {
        s = memstore_put_session(ms, op, op->patch.now_ms);
        backend_patch(&s->s, op);
        if (context != NULL && context[0] != '\0') {
            s->context = xstrdup(context);
            s->context_len = strlen(context);
        }
    }
    for (uint32_t i = 0; i < op->import.n; i++)
        memstore_put_message(s, &op->import.messages[i],
                             op->import.messages[i].parent);
    s->s.updated_ms = op->import.updated_ms;
    if (s->s.n_messages > 0)
        head_move(s, op->import.head);
    op->import.after = s->s;
    return OK;
}

static enum err
apply_one(struct memstore *ms, struct store_op *op)
{
    switch (op->kind) {
    case STORE_TURN_BEGIN: return turn_begin(ms, op);
    case STORE_TURN_END: return turn_end(ms, op);
    case STORE_SESSION_PATCH: return session_patch(ms, op);
    case STORE_SESSION_CLEAR: return session_clear(ms, op);
    case STORE_SESSION_DELETE: return session_delete(ms, op);
    case STORE_SESSION_SUMMARY: return session_summary(ms, op);
    case STORE_MESSAGE_EXTRA: return message_extra(ms, op);
    case STORE_SESSION_IMPORT: return session_import(ms, op);
    case STORE_SESSION_OWNER: return memstore_give(ms, op);
    case STORE_RECORDS: return memstore_change_records(ms, op);
    case STORE_RESERVE: /* nothing is limited here */
    case STORE_SETTLE:
    case STORE_LEDGER_PRUNE: return OK;
    case STORE_PROBE: return OK;
    }
    return ERR_INTERNAL;
}

enum err
memstore_apply(void *impl, struct store_op *const ops[], size_t n, bool *wrote)
{
    struct memstore *ms = impl;

    *wrote = false;
    (void)pthread_rwlock_wrlock(&ms->lock);
    for (size_t i = 0; i < n; i++) {
        ops[i]->err = apply_one(ms, ops[i]);
        if (ops[i]->err == OK)
            *wrote = true;
    }
    (void)pthread_rwlock_unlock(&ms->lock);
    return OK;
}
