/*
 * A store in memory, for tests: the second backend, which keeps the seam
 * honest. It obeys the same rules as LMDB's with the plainest means, arrays
 * that are searched from the front, so that one can be held against the
 * other. Nothing survives its close.
 *
 * One lock guards everything and is held while a read calls back.
 */
#include "base/base.h"

#include "store/backend.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/mem.h"

struct mem_session {
    struct session s;
    struct message *messages; /* owned, as are their strings */
};

struct mem_turn {
    struct turn_info t;
    uint64_t session_no;
};

struct mem_key {
    char *owner, *scope, *key; /* owned */
    struct ident turn;
    int64_t expires_ms;
};

struct memstore {
    pthread_mutex_t mu; /* guards all below */
    struct mem_session **sessions; /* owned, in order of creation */
    size_t n_sessions;
    struct mem_turn *turns;
    size_t n_turns;
    struct mem_key *keys;
    size_t n_keys;
    uint64_t next_no;
};

/* Room for one more at the end of an array of n. */
static void *
grown(void *array, size_t n, size_t size)
{
    return xrealloc(array, (n + 1) * size);
}

/* --- finding ------------------------------------------------------------- */

static struct mem_session *
session_of(struct memstore *ms, const char *owner, const char *id)
{
    for (size_t i = 0; i < ms->n_sessions; i++)
        if (strcmp(ms->sessions[i]->s.id, id) == 0)
            return strcmp(ms->sessions[i]->s.owner, owner) == 0
                       ? ms->sessions[i]
                       : NULL;
    return NULL;
}

static bool
session_exists(const struct memstore *ms, const char *id)
{
    for (size_t i = 0; i < ms->n_sessions; i++)
        if (strcmp(ms->sessions[i]->s.id, id) == 0)
            return true;
    return false;
}

static struct mem_session *
session_no(struct memstore *ms, uint64_t no)
{
    for (size_t i = 0; i < ms->n_sessions; i++)
        if (ms->sessions[i]->s.no == no)
            return ms->sessions[i];
    return NULL;
}

static struct mem_turn *
turn_of(struct memstore *ms, const struct ident *id)
{
    for (size_t i = 0; i < ms->n_turns; i++)
        if (ident_eq(&ms->turns[i].t.id, id))
            return &ms->turns[i];
    return NULL;
}

/* The turn of a key that is remembered, or NULL. */
static struct mem_turn *
key_turn(struct memstore *ms, const char *owner, const char *scope,
         const char *key)
{
    for (size_t i = 0; i < ms->n_keys; i++) {
        struct mem_key *k = &ms->keys[i];

        if (strcmp(k->owner, owner) == 0 && strcmp(k->scope, scope) == 0 &&
            strcmp(k->key, key) == 0 && k->expires_ms > clock_wall_ms() &&
            turn_of(ms, &k->turn) != NULL)
            return turn_of(ms, &k->turn);
    }
    return NULL;
}

/* --- writing ------------------------------------------------------------- */

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
    ms->sessions = grown(ms->sessions, ms->n_sessions,
                         sizeof(*ms->sessions));
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
    struct mem_session *s = session_of(ms, op->owner, op->session_id);
    struct mem_turn *t;
    uint32_t have = s == NULL ? 0 : s->s.n_messages;

    op->begin.idem_hit = false;
    op->begin.existing = op->begin.open_turn = none;
    op->begin.n_messages = 0;
    t = keyed ? key_turn(ms, op->owner, op->begin.idem_scope,
                         op->begin.idem_key)
              : NULL;
    if (t != NULL) {
        op->begin.idem_hit = true;
        op->begin.existing = t->t.id;
        return ERR_CONFLICT;
    }
    if (s == NULL &&
        (!op->begin.create || session_exists(ms, op->session_id)))
        return ERR_NOTFOUND;
    op->begin.n_messages = have;
    if (s != NULL && s->s.open) {
        op->begin.open_turn = s->s.open_turn;
        return ERR_CONFLICT;
    }
    if ((op->begin.expect_messages != UINT32_MAX &&
         op->begin.expect_messages != have) ||
        turn_of(ms, &op->begin.turn) != NULL)
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
    struct mem_turn *t = turn_of(ms, &op->end.turn);
    struct message *m = &op->end.answer;
    struct mem_session *s;

    op->end.n_messages = 0;
    if (t == NULL)
        return ERR_NOTFOUND;
    if (t->t.state != TURN_STATE_OPEN)
        return ERR_CONFLICT;
    s = session_no(ms, t->session_no);
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
    t->t.ended_ms = m->at_ms;
    t->t.conversation_length = op->end.n_messages = s->s.n_messages;
    return OK;
}

static void
session_free(struct mem_session *s)
{
    for (uint32_t i = 0; i < s->s.n_messages; i++) {
        free((void *)(uintptr_t)s->messages[i].provider);
        free((void *)(uintptr_t)s->messages[i].model);
        free((void *)(uintptr_t)s->messages[i].text);
    }
    free(s->messages);
    free(s);
}

static enum err
session_delete(struct memstore *ms, const struct store_op *op)
{
    struct mem_session *s = session_of(ms, op->owner, op->session_id);
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
    session_free(s);
    return OK;
}

static enum err
apply_one(struct memstore *ms, struct store_op *op)
{
    struct mem_session *s;

    switch (op->kind) {
    case STORE_TURN_BEGIN:
        return turn_begin(ms, op);
    case STORE_TURN_END:
        return turn_end(ms, op);
    case STORE_SESSION_TITLE:
        s = session_of(ms, op->owner, op->session_id);
        if (s == NULL)
            return ERR_NOTFOUND;
        (void)snprintf(s->s.title, sizeof(s->s.title), "%s", op->title);
        return OK;
    case STORE_SESSION_DELETE:
        return session_delete(ms, op);
    case STORE_PROBE:
        return OK;
    }
    return ERR_INTERNAL;
}

static enum err
memstore_apply(void *impl, struct store_op *const ops[], size_t n,
               bool *wrote)
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

/* --- reading ------------------------------------------------------------- */

static void
give(const struct mem_session *s, const struct message_query *q,
     message_fn *fn, void *arg)
{
    uint32_t end = q->before < s->s.n_messages ? q->before : s->s.n_messages;
    uint32_t from = end, n = 0;
    size_t bytes = 0;

    while (from > 0 && n < q->limit) {
        bytes += s->messages[from - 1].text_len;
        if (n > 0 && q->bytes_max > 0 && bytes > q->bytes_max)
            break;
        from--;
        n++;
    }
    while (from < end && fn(arg, &s->messages[from]))
        from++;
}

static enum err
memstore_messages(void *impl, const struct message_query *q,
                  struct session *sess, message_fn *fn, void *arg)
{
    struct memstore *ms = impl;
    struct mem_session *s;

    (void)pthread_mutex_lock(&ms->mu);
    s = session_of(ms, q->owner, q->session_id);
    if (s != NULL && sess != NULL)
        *sess = s->s;
    if (s != NULL && q->limit > 0)
        give(s, q, fn, arg);
    (void)pthread_mutex_unlock(&ms->mu);
    return s == NULL ? ERR_NOTFOUND : OK;
}

static bool
give_turn(struct memstore *ms, const struct mem_turn *from, turn_fn *fn,
          void *arg)
{
    const struct mem_session *s = session_no(ms, from->session_no);
    struct turn_info t = from->t;

    assert(s != NULL);
    memcpy(t.session_id, s->s.id, sizeof(t.session_id));
    memcpy(t.owner, s->s.owner, sizeof(t.owner));
    return fn(arg, &t);
}

static enum err
memstore_turns(void *impl, const struct ident *one, turn_fn *fn, void *arg)
{
    struct memstore *ms = impl;
    struct mem_turn *t;
    enum err e = OK;

    (void)pthread_mutex_lock(&ms->mu);
    if (one != NULL) {
        t = turn_of(ms, one);
        if (t == NULL)
            e = ERR_NOTFOUND;
        else
            (void)give_turn(ms, t, fn, arg);
    } else {
        for (size_t i = 0; i < ms->n_turns; i++)
            if (ms->turns[i].t.state == TURN_STATE_OPEN &&
                !give_turn(ms, &ms->turns[i], fn, arg))
                break;
    }
    (void)pthread_mutex_unlock(&ms->mu);
    return e;
}

static enum err
memstore_idem(void *impl, const char *owner, const char *scope,
              const char *key, struct ident *out)
{
    struct memstore *ms = impl;
    struct mem_turn *t;

    (void)pthread_mutex_lock(&ms->mu);
    t = key_turn(ms, owner, scope, key);
    if (t != NULL)
        *out = t->t.id;
    (void)pthread_mutex_unlock(&ms->mu);
    return t == NULL ? ERR_NOTFOUND : OK;
}

/* Is a listed before b? */
static bool
before(const struct session *a, const struct session *b)
{
    return a->updated_ms != b->updated_ms ? a->updated_ms > b->updated_ms
                                          : a->no < b->no;
}

static enum err
memstore_sessions(void *impl, const char *owner, const struct session *after,
                  uint32_t limit, session_fn *fn, void *arg)
{
    struct memstore *ms = impl;

    (void)pthread_mutex_lock(&ms->mu);
    while (owner[0] != '\0' && limit-- > 0) {
        const struct session *next = NULL;

        for (size_t i = 0; i < ms->n_sessions; i++) {
            const struct session *s = &ms->sessions[i]->s;

            if (strcmp(s->owner, owner) == 0 &&
                (after == NULL || before(after, s)) &&
                (next == NULL || before(s, next)))
                next = s;
        }
        if (next == NULL || !fn(arg, next))
            break;
        after = next;
    }
    (void)pthread_mutex_unlock(&ms->mu);
    return OK;
}

static void
memstore_stats(void *impl, struct store_stats *out)
{
    struct memstore *ms = impl;

    (void)pthread_mutex_lock(&ms->mu);
    out->sessions = ms->n_sessions;
    for (size_t i = 0; i < ms->n_sessions; i++)
        out->messages += ms->sessions[i]->s.n_messages;
    (void)pthread_mutex_unlock(&ms->mu);
}

/* --- life ---------------------------------------------------------------- */

static enum err
memstore_open(void **impl, const struct store_config *c)
{
    struct memstore *ms = xcalloc(1, sizeof(*ms));

    (void)c;
    (void)pthread_mutex_init(&ms->mu, NULL);
    *impl = ms;
    return OK;
}

static void
memstore_close(void *impl)
{
    struct memstore *ms = impl;

    for (size_t i = 0; i < ms->n_sessions; i++)
        session_free(ms->sessions[i]);
    for (size_t i = 0; i < ms->n_keys; i++) {
        free(ms->keys[i].owner);
        free(ms->keys[i].scope);
        free(ms->keys[i].key);
    }
    free(ms->sessions);
    free(ms->turns);
    free(ms->keys);
    (void)pthread_mutex_destroy(&ms->mu);
    free(ms);
}

const struct backend memstore_backend = {
    .name = "memory",
    .open = memstore_open,
    .close = memstore_close,
    .apply = memstore_apply,
    .messages = memstore_messages,
    .turns = memstore_turns,
    .idem = memstore_idem,
    .sessions = memstore_sessions,
    .stats = memstore_stats,
};
