/*
 * Writes of the store in memory: the rules of store.h one after another, each
 * check before the first change.
 */
#include "base/base.h"

#include "store/memstore_data.h"

#include "base/clock.h"
#include "base/mem.h"

/* Room for one more at the end of an array of n. */
static void *
grown(void *array, size_t n, size_t size)
{
    return xrealloc(array, (n + 1) * size);
}

static void
message_put(struct mem_session *s, struct message *m, uint32_t parent)
{
    struct message *to;

    s->messages = grown(s->messages, s->s.n_messages, sizeof(*s->messages));
    backend_count(&s->s, m, parent);
    to = &s->messages[m->seq];
    *to = *m;
    to->provider = xstrdup(m->provider);
    to->model = xstrdup(m->model);
    to->text = xmemdup0(m->text_len > 0 ? m->text : "", m->text_len);
    to->extra = xmemdup0(m->extra_len > 0 ? m->extra : "", m->extra_len);
    if (m->at_ms > s->s.updated_ms)
        s->s.updated_ms = m->at_ms;
}

static struct mem_session *
session_new(struct memstore *ms, const struct store_op *op, int64_t at_ms)
{
    struct mem_session *s = xcalloc(1, sizeof(*s));

    backend_session(&s->s, op, at_ms);
    s->s.no = ++ms->next_no;
    ms->sessions = grown(ms->sessions, ms->n_sessions, sizeof(*ms->sessions));
    ms->sessions[ms->n_sessions++] = s;
    return s;
}

static void
head_move(struct mem_session *s, uint32_t to)
{
    s->s.head = to;
    s->s.length = memstore_length(s, to);
}

/* The session of an operation; NULL with OK: it is to be made. */
static enum err
session_or_new(struct memstore *ms, const struct store_op *op, bool create,
               uint64_t sessions_max, struct mem_session **out)
{
    struct mem_session *s = memstore_session_id(ms, op->session_id);

    *out = s;
    if (s == NULL && create && sessions_max > 0 &&
        memstore_count(ms, op->owner) >= sessions_max)
        return ERR_LIMIT;
    if (s == NULL)
        return create ? OK : ERR_NOTFOUND;
    return strcmp(s->s.owner, op->owner) == 0 ? OK : ERR_NOTFOUND;
}

static void
key_put(struct memstore *ms, const struct store_op *op)
{
    struct mem_key k = {xstrdup(op->owner), xstrdup(op->begin.idem_scope),
                        xstrdup(op->begin.idem_key), op->begin.turn,
                        clock_wall_ms() + STORE_IDEM_MS};

    ms->keys = grown(ms->keys, ms->n_keys, sizeof(*ms->keys));
    ms->keys[ms->n_keys++] = k;
}

static void
turn_put(struct memstore *ms, const struct store_op *op, uint64_t no)
{
    struct mem_turn t = {{.id = op->begin.turn,
                          .state = TURN_STATE_OPEN,
                          .user_message = op->begin.user.id,
                          .answer_message = op->begin.answer_message,
                          .begun_ms = op->begin.user.at_ms,
                          .process = op->begin.process},
                         no};

    ms->turns = grown(ms->turns, ms->n_turns, sizeof(*ms->turns));
    ms->turns[ms->n_turns++] = t;
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
    static const struct ident none;
    bool keyed = op->begin.idem_key != NULL && op->begin.idem_scope != NULL;
    struct mem_session *s;
    struct mem_turn *t;
    enum err e;

    op->begin.idem_hit = op->begin.expired = false;
    op->begin.too_many_sessions = false;
    op->begin.existing = op->begin.open_turn = none;
    op->begin.n_messages = 0;
    t = keyed ? memstore_key(ms, op->owner, op->begin.idem_scope,
                             op->begin.idem_key)
              : NULL;
    if (t != NULL) {
        op->begin.idem_hit = true;
        op->begin.existing = t->t.id;
        return ERR_CONFLICT;
    }
    e = begin_check(ms, op, &s);
    if (e != OK)
        return e;
    if (s == NULL)
        s = session_new(ms, op, op->begin.user.at_ms);
    backend_title(&s->s, op);
    turn_put(ms, op, s->s.no);
    s->s.open = true;
    s->s.open_turn = op->begin.turn;
    message_put(s, &op->begin.user, op->begin.user.parent);
    head_move(s, op->begin.user.seq);
    op->begin.n_messages = s->s.n_messages;
    if (keyed)
        key_put(ms, op);
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
    s = memstore_session_no(ms, t->session_no);
    if (s == NULL)
        return ERR_NOTFOUND;
    m->turn = op->end.turn;
    if (ident_is_zero(&m->id))
        m->id = t->t.answer_message;
    question = backend_question(&s->s);
    message_put(s, m, question);
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

static enum err
session_patch(struct memstore *ms, struct store_op *op)
{
    const char *context = op->patch.context;
    struct mem_session *s;
    uint32_t head;
    enum err e = session_or_new(ms, op, op->patch.create,
                                op->patch.sessions_max, &s);

    op->patch.too_many_sessions = e == ERR_LIMIT;
    if (e == OK && s != NULL)
        e = backend_patch_there(op, memstore_gone(ms, s));
    if (e == OK && op->patch.set_head && s == NULL)
        e = op->patch.head == STORE_HEAD ? OK : ERR_NOTFOUND;
    else if (e == OK && op->patch.set_head)
        e = backend_parent(&s->s, op->patch.head, false, &head);
    if (e != OK)
        return e;
    if (s == NULL)
        s = session_new(ms, op, op->patch.now_ms);
    else if (op->patch.set_head && head != STORE_ROOT)
        head_move(s, head);
    backend_patch(&s->s, op);
    if (context != NULL) {
        free(s->context);
        s->context = context[0] != '\0' ? xstrdup(context) : NULL;
    }
    op->patch.after = s->s;
    return OK;
}

static enum err
session_summary(struct memstore *ms, const struct store_op *op)
{
    struct mem_session *s = memstore_session(ms, op->owner, op->session_id);

    if (s == NULL || s->s.no != op->summary.session_no)
        return ERR_NOTFOUND;
    if (s->summary == NULL)
        s->summary_of = (struct session_summary){.cost_micro = -1};
    if (op->summary.upto_seq == 0 || op->summary.upto_seq > s->s.n_messages ||
        (op->summary.upto_seq <= s->summary_of.upto_seq &&
         memstore_line_has(s, s->summary_of.upto_seq - 1,
                           op->summary.upto_seq - 1)))
        return ERR_CONFLICT;
    free(s->summary);
    s->summary = xmemdup0(op->summary.text_len > 0 ? op->summary.text : "",
                          op->summary.text_len);
    s->summary_len = op->summary.text_len;
    s->summary_of.upto_seq = op->summary.upto_seq;
    s->summary_of.cost_micro = backend_add_cost(s->summary_of.cost_micro,
                                                op->summary.cost_micro);
    return OK;
}

static void
turns_drop(struct memstore *ms, uint64_t session_no)
{
    size_t kept = 0;

    for (size_t i = 0; i < ms->n_turns; i++)
        if (ms->turns[i].session_no != session_no)
            ms->turns[kept++] = ms->turns[i];
    ms->n_turns = kept;
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
    turns_drop(ms, s->s.no);
    memstore_session_clear(s);
    backend_clear(&s->s);
    return OK;
}

static enum err
session_delete(struct memstore *ms, const struct store_op *op)
{
    struct mem_session *s = memstore_session_id(ms, op->session_id);
    size_t kept = 0;

    if (s == NULL || strcmp(s->s.owner, op->owner) != 0 ||
        (op->erase.session_no != 0 && op->erase.session_no != s->s.no))
        return ERR_NOTFOUND;
    if (op->erase.expired_only && !memstore_gone(ms, s))
        return ERR_CONFLICT;
    turns_drop(ms, s->s.no);
    for (size_t i = 0; i < ms->n_sessions; i++)
        if (ms->sessions[i] != s)
            ms->sessions[kept++] = ms->sessions[i];
    ms->n_sessions = kept;
    memstore_session_free(s);
    return OK;
}

static enum err
message_extra(struct memstore *ms, const struct store_op *op)
{
    struct mem_session *s = memstore_session(ms, op->owner, op->session_id);
    struct message *m;

    if (s == NULL || op->extra.seq >= s->s.n_messages)
        return ERR_NOTFOUND;
    m = &s->messages[op->extra.seq];
    if (!ident_eq(&m->id, &op->extra.message))
        return ERR_NOTFOUND;
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
        if (op->patch.sessions_max > 0 &&
            memstore_count(ms, op->owner) >= op->patch.sessions_max)
            return ERR_LIMIT;
        return backend_import_check(op, &none);
    }
    if (s == NULL || memstore_gone(ms, s) ||
        strcmp(s->s.owner, op->owner) != 0 || s->s.no != op->import.session_no)
        return ERR_NOTFOUND;
    return backend_import_check(op, &s->s);
}

static enum err
session_import(struct memstore *ms, struct store_op *op)
{
    const char *context = op->patch.context;
    struct mem_session *s;
    enum err e = import_check(ms, op, &s);

    if (e != OK)
        return e;
    if (s == NULL) {
        s = session_new(ms, op, op->patch.now_ms);
        backend_patch(&s->s, op);
        if (context != NULL && context[0] != '\0')
            s->context = xstrdup(context);
    }
    for (uint32_t i = 0; i < op->import.n; i++)
        message_put(s, &op->import.messages[i], op->import.messages[i].parent);
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
    case STORE_PROBE: return OK;
    }
    return ERR_INTERNAL;
}

enum err
memstore_apply(void *impl, struct store_op *const ops[], size_t n, bool *wrote)
{
    struct memstore *ms = impl;

    *wrote = false;
    (void)pthread_mutex_lock(&ms->mu);
    for (size_t i = 0; i < n; i++) {
        ops[i]->err = apply_one(ms, ops[i]);
        if (ops[i]->err == OK)
            *wrote = true;
    }
    (void)pthread_mutex_unlock(&ms->mu);
    return OK;
}
