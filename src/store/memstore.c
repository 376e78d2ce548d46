/*
 * A store in memory, for tests: the second backend, which keeps the seam
 * honest. It obeys the same rules as LMDB's with the plainest means, arrays
 * that are searched from the front, so that one can be held against the
 * other. Nothing survives its close.
 *
 * One lock guards everything and is held while a read calls back. Writes are
 * in memstore_apply.c.
 */
#include "base/base.h"

#include "store/memstore_data.h"

#include "base/clock.h"
#include "base/mem.h"

/* --- finding ------------------------------------------------------------- */

struct mem_session *
memstore_session(struct memstore *ms, const char *owner, const char *id)
{
    for (size_t i = 0; i < ms->n_sessions; i++)
        if (strcmp(ms->sessions[i]->s.id, id) == 0)
            return strcmp(ms->sessions[i]->s.owner, owner) == 0
                       ? ms->sessions[i]
                       : NULL;
    return NULL;
}

struct mem_session *
memstore_session_no(struct memstore *ms, uint64_t no)
{
    for (size_t i = 0; i < ms->n_sessions; i++)
        if (ms->sessions[i]->s.no == no)
            return ms->sessions[i];
    return NULL;
}

struct mem_turn *
memstore_turn(struct memstore *ms, const struct ident *id)
{
    for (size_t i = 0; i < ms->n_turns; i++)
        if (ident_eq(&ms->turns[i].t.id, id))
            return &ms->turns[i];
    return NULL;
}

/* The turn of a key that is remembered, or NULL. */
struct mem_turn *
memstore_key(struct memstore *ms, const char *owner, const char *scope,
             const char *key)
{
    for (size_t i = 0; i < ms->n_keys; i++) {
        struct mem_key *k = &ms->keys[i];

        if (strcmp(k->owner, owner) == 0 && strcmp(k->scope, scope) == 0 &&
            strcmp(k->key, key) == 0 && k->expires_ms > clock_wall_ms() &&
            memstore_turn(ms, &k->turn) != NULL)
            return memstore_turn(ms, &k->turn);
    }
    return NULL;
}

/* --- reading ------------------------------------------------------------- */

static void
give(const struct mem_session *s, const struct message_query *q, message_fn *fn,
     void *arg)
{
    uint32_t end = q->before < s->s.n_messages ? q->before : s->s.n_messages;
    uint32_t from = end, n = 0;
    size_t bytes = 0;

    while (from > 0 && n < q->limit) {
        bytes += s->messages[from - 1].text_len +
                 s->messages[from - 1].extra_len;
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
    s = memstore_session(ms, q->owner, q->session_id);
    if (s != NULL && sess != NULL)
        *sess = s->s;
    if (s != NULL && q->limit > 0)
        give(s, q, fn, arg);
    if (s != NULL && s->summary != NULL && q->summary != NULL) {
        *q->summary->out = s->summary_of;
        if (q->summary->text != NULL)
            buf_add(q->summary->text, s->summary, s->summary_len);
    } else if (q->summary != NULL) {
        s = NULL;
    }
    (void)pthread_mutex_unlock(&ms->mu);
    return s == NULL ? ERR_NOTFOUND : OK;
}

static bool
give_turn(struct memstore *ms, const struct mem_turn *from, turn_fn *fn,
          void *arg)
{
    const struct mem_session *s = memstore_session_no(ms, from->session_no);
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
        t = memstore_turn(ms, one);
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
memstore_idem(void *impl, const char *owner, const char *scope, const char *key,
              struct ident *out)
{
    struct memstore *ms = impl;
    struct mem_turn *t;

    (void)pthread_mutex_lock(&ms->mu);
    t = memstore_key(ms, owner, scope, key);
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

void
memstore_session_free(struct mem_session *s)
{
    for (uint32_t i = 0; i < s->s.n_messages; i++) {
        free((void *)(uintptr_t)s->messages[i].provider);
        free((void *)(uintptr_t)s->messages[i].model);
        free((void *)(uintptr_t)s->messages[i].text);
        free((void *)(uintptr_t)s->messages[i].extra);
    }
    free(s->messages);
    free(s->summary);
    free(s);
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
        memstore_session_free(ms->sessions[i]);
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
