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

static bool
session_exists(const struct memstore *ms, const char *id)
{
    for (size_t i = 0; i < ms->n_sessions; i++)
        if (strcmp(ms->sessions[i]->s.id, id) == 0)
            return true;
    return false;
}

static void
message_put(struct mem_session *s, struct message *m)
{
    struct message *to;

    s->messages = grown(s->messages, s->s.n_messages, sizeof(*s->messages));
    m->seq = s->s.n_messages++;
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
session_new(struct memstore *ms, const struct store_op *op)
{
    struct mem_session *s = xcalloc(1, sizeof(*s));

    (void)snprintf(s->s.id, sizeof(s->s.id), "%s", op->session_id);
    (void)snprintf(s->s.owner, sizeof(s->s.owner), "%s", op->owner);
    s->s.created_ms = s->s.updated_ms = op->begin.user.at_ms;
    s->s.no = ++ms->next_no;
    ms->sessions = grown(ms->sessions, ms->n_sessions, sizeof(*ms->sessions));
    ms->sessions[ms->n_sessions++] = s;
    return s;
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
turn_begin(struct memstore *ms, struct store_op *op)
{
    static const struct ident none;
    bool keyed = op->begin.idem_key != NULL && op->begin.idem_scope != NULL;
    struct mem_session *s = memstore_session(ms, op->owner, op->session_id);
    struct mem_turn *t;
    uint32_t have = s == NULL ? 0 : s->s.n_messages;

    op->begin.idem_hit = false;
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
    if (s == NULL && (!op->begin.create || session_exists(ms, op->session_id)))
        return ERR_NOTFOUND;
    op->begin.n_messages = have;
    if (s != NULL && s->s.open) {
        op->begin.open_turn = s->s.open_turn;
        return ERR_CONFLICT;
    }
    if ((op->begin.expect_messages != UINT32_MAX &&
         op->begin.expect_messages != have) ||
        memstore_turn(ms, &op->begin.turn) != NULL)
        return ERR_CONFLICT;
    if (s == NULL)
        s = session_new(ms, op);
    turn_put(ms, op, s->s.no);
    s->s.open = true;
    s->s.open_turn = op->begin.turn;
    message_put(s, &op->begin.user);
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

    op->end.n_messages = 0;
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
    message_put(s, m);
    if (s->s.open && ident_eq(&s->s.open_turn, &op->end.turn)) {
        s->s.open = false;
        s->s.open_turn = none;
    }
    t->t.state = TURN_STATE_ENDED;
    t->t.answer_message = m->id;
    t->t.answer_seq = m->seq;
    t->t.end_seq = op->end.end_seq;
    t->t.ended_ms = m->at_ms;
    t->t.conversation_length = op->end.n_messages = s->s.n_messages;
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
    if (op->summary.upto_seq <= s->summary_of.upto_seq ||
        op->summary.upto_seq > s->s.n_messages)
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

static enum err
session_delete(struct memstore *ms, const struct store_op *op)
{
    struct mem_session *s = memstore_session(ms, op->owner, op->session_id);
    size_t kept = 0;

    if (s == NULL)
        return ERR_NOTFOUND;
    for (size_t i = 0; i < ms->n_turns; i++)
        if (ms->turns[i].session_no != s->s.no)
            ms->turns[kept++] = ms->turns[i];
    ms->n_turns = kept;
    kept = 0;
    for (size_t i = 0; i < ms->n_sessions; i++)
        if (ms->sessions[i] != s)
            ms->sessions[kept++] = ms->sessions[i];
    ms->n_sessions = kept;
    memstore_session_free(s);
    return OK;
}

static enum err
apply_one(struct memstore *ms, struct store_op *op)
{
    struct mem_session *s;

    switch (op->kind) {
    case STORE_TURN_BEGIN: return turn_begin(ms, op);
    case STORE_TURN_END: return turn_end(ms, op);
    case STORE_SESSION_TITLE:
        s = memstore_session(ms, op->owner, op->session_id);
        if (s == NULL)
            return ERR_NOTFOUND;
        (void)snprintf(s->s.title, sizeof(s->s.title), "%s", op->title);
        return OK;
    case STORE_SESSION_DELETE: return session_delete(ms, op);
    case STORE_SESSION_SUMMARY: return session_summary(ms, op);
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
