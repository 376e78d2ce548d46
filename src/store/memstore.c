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

bool
memstore_gone(const struct memstore *ms, const struct mem_session *s)
{
    return backend_gone(&s->s, ms->ttl_ms, clock_wall_ms());
}

struct mem_session *
memstore_session_id(struct memstore *ms, const char *id)
{
    for (size_t i = 0; i < ms->n_sessions; i++)
        if (strcmp(ms->sessions[i]->s.id, id) == 0)
            return ms->sessions[i];
    return NULL;
}

struct mem_session *
memstore_session(struct memstore *ms, const char *owner, const char *id)
{
    struct mem_session *s = memstore_session_id(ms, id);

    return s != NULL && strcmp(s->s.owner, owner) == 0 && !memstore_gone(ms, s)
               ? s
               : NULL;
}

uint64_t
memstore_count(const struct memstore *ms, const char *owner)
{
    uint64_t n = 0;

    for (size_t i = 0; i < ms->n_sessions; i++)
        n += strcmp(ms->sessions[i]->s.owner, owner) == 0;
    return n;
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

/* A turn lives as long as its session does. */
static bool
turn_lives(struct memstore *ms, const struct mem_turn *t)
{
    return t != NULL &&
           !memstore_gone(ms, memstore_session_no(ms, t->session_no));
}

struct mem_turn *
memstore_key(struct memstore *ms, const char *owner, const char *scope,
             const char *key)
{
    for (size_t i = 0; i < ms->n_keys; i++) {
        struct mem_key *k = &ms->keys[i];

        if (strcmp(k->owner, owner) == 0 && strcmp(k->scope, scope) == 0 &&
            strcmp(k->key, key) == 0 && k->expires_ms > clock_wall_ms() &&
            turn_lives(ms, memstore_turn(ms, &k->turn)))
            return memstore_turn(ms, &k->turn);
    }
    return NULL;
}

uint32_t
memstore_length(const struct mem_session *s, uint32_t leaf)
{
    uint32_t n = 0;

    for (; leaf != STORE_ROOT; leaf = s->messages[leaf].parent)
        n++;
    return n;
}

bool
memstore_line_has(const struct mem_session *s, uint32_t leaf, uint32_t seq)
{
    while (leaf != STORE_ROOT && leaf != seq)
        leaf = s->messages[leaf].parent;
    return leaf == seq;
}

/* --- reading ------------------------------------------------------------- */

/* The messages of the line that are wanted, the newest first; returns how
 * many. */
static uint32_t
find_line(const struct mem_session *s, const struct message_query *q,
          uint32_t leaf, uint32_t *found)
{
    size_t bytes = 0;
    uint32_t n = 0;

    for (; leaf != STORE_ROOT && n < q->limit;
         leaf = s->messages[leaf].parent) {
        if (leaf >= q->before)
            continue;
        bytes += s->messages[leaf].text_len + s->messages[leaf].extra_len;
        if (n > 0 && q->bytes_max > 0 && bytes > q->bytes_max)
            break;
        found[n++] = leaf;
    }
    return n;
}

static enum err
give(const struct mem_session *s, const struct message_query *q, message_fn *fn,
     void *arg)
{
    uint32_t leaf = q->leaf == STORE_HEAD ? s->s.head : q->leaf, n = q->limit;
    uint32_t *found;

    if (q->all) {
        for (uint32_t i = q->from; i < s->s.n_messages && n-- > 0; i++)
            if (!fn(arg, &s->messages[i]))
                break;
        return OK;
    }
    if (q->leaf != STORE_HEAD && leaf >= s->s.n_messages)
        return ERR_NOTFOUND;
    if (s->s.n_messages == 0)
        return OK;
    found = xmalloc(s->s.n_messages * sizeof(*found));
    n = find_line(s, q, leaf, found);
    while (n > 0 && fn(arg, &s->messages[found[n - 1]]))
        n--;
    free(found);
    return OK;
}

static enum err
give_summary(const struct mem_session *s, const struct summary_query *q)
{
    if (s->summary == NULL)
        return ERR_NOTFOUND;
    *q->out = s->summary_of;
    if (q->text != NULL)
        buf_add(q->text, s->summary, s->summary_len);
    return OK;
}

static enum err
memstore_messages(void *impl, const struct message_query *q,
                  struct session *sess, message_fn *fn, void *arg)
{
    struct memstore *ms = impl;
    struct mem_session *s;
    enum err e;

    (void)pthread_mutex_lock(&ms->mu);
    s = q->gone_too ? memstore_session_id(ms, q->session_id)
                    : memstore_session(ms, q->owner, q->session_id);
    if (s != NULL && strcmp(s->s.owner, q->owner) != 0)
        s = NULL;
    e = s == NULL ? ERR_NOTFOUND : OK;
    if (e == OK && sess != NULL)
        *sess = s->s;
    if (e == OK && fn != NULL)
        e = give(s, q, fn, arg);
    if (e == OK && q->summary != NULL)
        e = give_summary(s, q->summary);
    if (e == OK && q->context != NULL && s->context != NULL)
        buf_adds(q->context, s->context);
    (void)pthread_mutex_unlock(&ms->mu);
    return e;
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
        if (!turn_lives(ms, t))
            e = ERR_NOTFOUND;
        else
            (void)give_turn(ms, t, fn, arg);
    } else {
        for (size_t i = 0; i < ms->n_turns; i++)
            if (ms->turns[i].t.state == TURN_STATE_OPEN &&
                turn_lives(ms, &ms->turns[i]) &&
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

static void
list(struct memstore *ms, const struct session_query *q, session_fn *fn,
     void *arg)
{
    const struct session *after = q->after, *next;
    uint32_t left = q->limit;

    while (left-- > 0) {
        next = NULL;
        for (size_t i = 0; i < ms->n_sessions; i++) {
            const struct session *s = &ms->sessions[i]->s;

            if (strcmp(s->owner, q->owner) == 0 &&
                !memstore_gone(ms, ms->sessions[i]) &&
                (after == NULL || before(after, s)) &&
                (next == NULL || before(s, next)))
                next = s;
        }
        if (next == NULL || !fn(arg, next))
            return;
        after = next;
    }
}

static void
expired(struct memstore *ms, const struct session_query *q, session_fn *fn,
        void *arg)
{
    uint32_t left = q->limit;
    bool more = true;

    for (size_t i = 0; i < ms->n_sessions; i++) {
        const struct mem_session *s = ms->sessions[i];

        if (s->s.no < q->from)
            continue;
        if (left-- == 0 || !more) {
            *q->next = s->s.no;
            return;
        }
        if (q->everyone || memstore_gone(ms, s))
            more = fn(arg, &s->s);
    }
}

static enum err
memstore_sessions(void *impl, const struct session_query *q, session_fn *fn,
                  void *arg)
{
    struct memstore *ms = impl;

    (void)pthread_mutex_lock(&ms->mu);
    if (q->count != NULL)
        *q->count = memstore_count(ms, q->owner);
    else if (q->owner != NULL)
        list(ms, q, fn, arg);
    else
        expired(ms, q, fn, arg);
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
memstore_session_clear(struct mem_session *s)
{
    for (uint32_t i = 0; i < s->s.n_messages; i++) {
        free((void *)(uintptr_t)s->messages[i].provider);
        free((void *)(uintptr_t)s->messages[i].model);
        free((void *)(uintptr_t)s->messages[i].text);
        free((void *)(uintptr_t)s->messages[i].extra);
    }
    free(s->messages);
    free(s->summary);
    s->messages = NULL;
    s->summary = NULL;
}

void
memstore_session_free(struct mem_session *s)
{
    memstore_session_clear(s);
    free(s->context);
    free(s);
}

/* --- life ---------------------------------------------------------------- */

static enum err
memstore_open(void **impl, const struct store_config *c)
{
    struct memstore *ms = xcalloc(1, sizeof(*ms));

    ms->ttl_ms = c->session_ttl_ms;
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
