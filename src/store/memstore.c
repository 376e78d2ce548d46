/*
 * A store in memory: where temporary sessions live (store/split.h), and the
 * second backend of the tests, which keeps the seam honest: it obeys the same
 * rules as LMDB's, so that one can be held against the other. Nothing survives
 * its close.
 *
 * Sessions, turns and keys are found in hash tables, messages by their number;
 * only a list of sessions, which no temporary one is in, walks over all.
 *
 * One lock guards everything: readers share it, also while they call back, and
 * the committer has it alone. Writes are in memstore_apply.c, and what is kept
 * in memstore_keep.c.
 */
#include "base/base.h"

#include "store/memstore.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/memstore_data.h"

/* --- finding ---------------------------------------------------------- */

bool
memstore_gone(const struct memstore *ms, const struct mem_session *s)
{
    return backend_gone(&s->s, ms->ttl_ms, clock_wall_ms());
}

/* The node is the first member of what is in a table. */
_Static_assert(offsetof(struct mem_session, node) == 0 &&
                   offsetof(struct mem_turn, node) == 0 &&
                   offsetof(struct mem_key, node) == 0,
               "casts below");

struct mem_session *
memstore_session_id(struct memstore *ms, const char *id)
{
    struct mem_node *n = mem_table_first(&ms->by_id, mem_hash_str(0, id));

    for (; n != NULL; n = mem_table_next(n)) {
        struct mem_session *s = (struct mem_session *)(void *)n;

        if (strcmp(s->s.id, id) == 0)
            return s;
    }
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

    for (const struct mem_session *s = ms->first; s != NULL; s = s->next)
        n += strcmp(s->s.owner, owner) == 0;
    return n;
}

struct mem_turn *
memstore_turn(struct memstore *ms, const struct ident *id)
{
    struct mem_node *n = mem_table_first(&ms->turns,
                                         mem_hash(0, id, sizeof(*id)));

    for (; n != NULL; n = mem_table_next(n)) {
        struct mem_turn *t = (struct mem_turn *)(void *)n;

        if (ident_eq(&t->t.id, id))
            return t;
    }
    return NULL;
}

/* A turn lives as long as its session does. */
static bool
turn_lives(const struct memstore *ms, const struct mem_turn *t)
{
    return t != NULL && !memstore_gone(ms, t->session);
}

struct mem_turn *
memstore_key(struct memstore *ms, const char *owner, const char *scope,
             const char *key)
{
    uint64_t hash = mem_hash_str(mem_hash_str(0, owner), scope);
    struct mem_node *n = mem_table_first(&ms->keys, mem_hash_str(hash, key));

    for (; n != NULL; n = mem_table_next(n)) {
        const struct mem_key *k = (struct mem_key *)(void *)n;

        if (strcmp(k->owner, owner) == 0 && strcmp(k->scope, scope) == 0 &&
            strcmp(k->key, key) == 0 && k->expires_ms > clock_wall_ms() &&
            turn_lives(ms, k->turn) &&
            strcmp(k->turn->session->s.owner, owner) == 0)
            return k->turn;
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

/* --- reading ---------------------------------------------------------- */

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
    if (!s->summarised)
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

    (void)pthread_rwlock_rdlock(&ms->lock);
    s = memstore_session_id(ms, q->session_id);
    if (s != NULL && ((q->owner != NULL && strcmp(s->s.owner, q->owner) != 0) ||
                      (!q->gone_too && memstore_gone(ms, s))))
        s = NULL;
    e = s == NULL ? ERR_NOTFOUND : OK;
    if (e == OK && sess != NULL)
        *sess = s->s;
    if (e == OK && fn != NULL)
        e = give(s, q, fn, arg);
    if (e == OK && q->summary != NULL)
        e = give_summary(s, q->summary);
    if (e == OK && q->context != NULL && s->context != NULL)
        buf_add(q->context, s->context, s->context_len);
    (void)pthread_rwlock_unlock(&ms->lock);
    return e;
}

static bool
give_turn(const struct mem_turn *from, turn_fn *fn, void *arg)
{
    const struct session *s = &from->session->s;
    struct turn_info t = from->t;

    memcpy(t.session_id, s->id, sizeof(t.session_id));
    memcpy(t.owner, s->owner, sizeof(t.owner));
    return fn(arg, &t);
}

/* False: fn wants no more. */
static bool
give_open_turns(const struct memstore *ms, const struct mem_session *s,
                turn_fn *fn, void *arg)
{
    const struct mem_turn *t = memstore_gone(ms, s) ? NULL : s->turns;

    for (; t != NULL; t = t->next)
        if (t->t.state == TURN_STATE_OPEN && !give_turn(t, fn, arg))
            return false;
    return true;
}

static enum err
memstore_turns(void *impl, const struct ident *one, turn_fn *fn, void *arg)
{
    struct memstore *ms = impl;
    const struct mem_session *s;
    struct mem_turn *t;
    enum err e = OK;

    (void)pthread_rwlock_rdlock(&ms->lock);
    if (one != NULL) {
        t = memstore_turn(ms, one);
        if (!turn_lives(ms, t))
            e = ERR_NOTFOUND;
        else
            (void)give_turn(t, fn, arg);
    } else {
        for (s = ms->first; s != NULL; s = s->next)
            if (!give_open_turns(ms, s, fn, arg))
                break;
    }
    (void)pthread_rwlock_unlock(&ms->lock);
    return e;
}

static enum err
memstore_idem(void *impl, const char *owner, const char *scope, const char *key,
              struct ident *out)
{
    struct memstore *ms = impl;
    struct mem_turn *t;

    (void)pthread_rwlock_rdlock(&ms->lock);
    t = memstore_key(ms, owner, scope, key);
    if (t != NULL)
        *out = t->t.id;
    (void)pthread_rwlock_unlock(&ms->lock);
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
        for (const struct mem_session *m = ms->first; m != NULL; m = m->next) {
            const struct session *s = &m->s;

            if (strcmp(s->owner, q->owner) == 0 && !memstore_gone(ms, m) &&
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

    for (const struct mem_session *s = ms->first; s != NULL; s = s->next) {
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

    (void)pthread_rwlock_rdlock(&ms->lock);
    if (q->count != NULL)
        *q->count = memstore_count(ms, q->owner);
    else if (q->owner != NULL)
        list(ms, q, fn, arg);
    else
        expired(ms, q, fn, arg);
    (void)pthread_rwlock_unlock(&ms->lock);
    return OK;
}

static void
memstore_stats(void *impl, struct store_stats *out)
{
    struct memstore *ms = impl;

    (void)pthread_rwlock_rdlock(&ms->lock);
    out->sessions = ms->n_sessions;
    for (const struct mem_session *s = ms->first; s != NULL; s = s->next)
        out->messages += s->s.n_messages;
    (void)pthread_rwlock_unlock(&ms->lock);
}

/* --- life ------------------------------------------------------------- */

/* The committer does not wait for ever behind readers that overlap; none of
 * them takes the lock twice. */
struct memstore *
memstore_new(struct budget *room, int64_t ttl_ms)
{
    struct memstore *ms = xcalloc(1, sizeof(*ms));
    pthread_rwlockattr_t attr;

    ms->room = room;
    ms->ttl_ms = ttl_ms;
    ms->temporary = true;
    (void)pthread_rwlockattr_init(&attr);
    (void)pthread_rwlockattr_setkind_np(
        &attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&ms->lock, &attr);
    (void)pthread_rwlockattr_destroy(&attr);
    return ms;
}

static enum err
memstore_open(void **impl, const struct store_config *c)
{
    struct memstore *ms = memstore_new(NULL, c->session_ttl_ms);

    ms->temporary = false;
    *impl = ms;
    return OK;
}

static void
memstore_close(void *impl)
{
    struct memstore *ms = impl;

    while (ms->first != NULL)
        memstore_session_free(ms, ms->first);
    memstore_records_free(ms);
    mem_table_release(&ms->by_id);
    mem_table_release(&ms->turns);
    mem_table_release(&ms->keys);
    (void)pthread_rwlock_destroy(&ms->lock);
    free(ms);
}

/* --- asking ----------------------------------------------------------- */

bool
memstore_any(const struct memstore *ms)
{
    return __atomic_load_n(&ms->n_sessions, __ATOMIC_ACQUIRE) > 0;
}

bool
memstore_has(struct memstore *ms, const char *owner, const char *id)
{
    const struct mem_session *s;
    bool has;

    (void)pthread_rwlock_rdlock(&ms->lock);
    s = memstore_session_id(ms, id);
    has = s != NULL && strcmp(s->s.owner, owner) == 0;
    (void)pthread_rwlock_unlock(&ms->lock);
    return has;
}

bool
memstore_has_turn(struct memstore *ms, const struct ident *turn)
{
    bool has;

    (void)pthread_rwlock_rdlock(&ms->lock);
    has = memstore_turn(ms, turn) != NULL;
    (void)pthread_rwlock_unlock(&ms->lock);
    return has;
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
    .records = memstore_records,
    .stats = memstore_stats,
};
