/*
 * What the store in memory keeps, and what it costs: sessions with their
 * messages, turns and keys, each an allocation of its own. A cost is made from
 * the thing alone, so what is given back is what was taken, with a share for
 * the allocator's own; it is near the truth, not the truth.
 */
#include "base/base.h"

#include "store/memstore_data.h"

#include "base/budget.h"
#include "base/clock.h"
#include "base/mem.h"

size_t
memstore_text_cost(const char *text, size_t len)
{
    return text == NULL ? 0 : len + 1 + BUDGET_EACH;
}

static size_t
str_cost(const char *s)
{
    return memstore_text_cost(s, strlen(s));
}

size_t
memstore_message_cost(const struct message *m)
{
    return sizeof(*m) + str_cost(m->provider) + str_cost(m->model) +
           memstore_text_cost("", m->text_len) +
           memstore_text_cost("", m->extra_len);
}

size_t
memstore_session_cost(void)
{
    return sizeof(struct mem_session) + BUDGET_EACH;
}

static size_t
key_cost(const char *owner, const char *scope, const char *key)
{
    return sizeof(struct mem_key) + BUDGET_EACH + str_cost(owner) +
           str_cost(scope) + str_cost(key);
}

static bool
is_keyed(const struct store_op *begin)
{
    return begin->begin.idem_key != NULL && begin->begin.idem_scope != NULL;
}

size_t
memstore_turn_cost(const struct store_op *begin)
{
    return sizeof(struct mem_turn) + BUDGET_EACH +
           (is_keyed(begin) ? key_cost(begin->owner, begin->begin.idem_scope,
                                       begin->begin.idem_key)
                            : 0);
}

/* --- putting ---------------------------------------------------------- */

struct mem_session *
memstore_put_session(struct memstore *ms, const struct store_op *op,
                     int64_t at_ms)
{
    struct mem_session *s = xcalloc(1, sizeof(*s));

    backend_session(&s->s, op, at_ms);
    s->s.temporary = ms->temporary;
    s->s.no = ++ms->next_no | (ms->temporary ? STORE_NO_TEMPORARY : 0);
    mem_table_add(&ms->by_id, &s->node, mem_hash_str(0, s->s.id));
    s->prev = ms->last;
    if (ms->last != NULL)
        ms->last->next = s;
    else
        ms->first = s;
    ms->last = s;
    (void)__atomic_add_fetch(&ms->n_sessions, 1, __ATOMIC_RELEASE);
    return s;
}

void
memstore_put_message(struct mem_session *s, struct message *m, uint32_t parent)
{
    struct message *to;

    if (s->s.n_messages == s->cap) {
        s->cap = s->cap == 0 ? 4 : s->cap + s->cap / 2;
        s->messages = xrealloc(s->messages, s->cap * sizeof(*s->messages));
    }
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

static struct mem_key *
put_key(struct memstore *ms, struct mem_turn *t, const struct store_op *op)
{
    struct mem_key *k = xcalloc(1, sizeof(*k));
    uint64_t hash = mem_hash_str(0, op->owner);

    k->owner = xstrdup(op->owner);
    k->scope = xstrdup(op->begin.idem_scope);
    k->key = xstrdup(op->begin.idem_key);
    k->turn = t;
    k->expires_ms = clock_wall_ms() + STORE_IDEM_MS;
    hash = mem_hash_str(hash, k->scope);
    mem_table_add(&ms->keys, &k->node, mem_hash_str(hash, k->key));
    return k;
}

void
memstore_put_turn(struct memstore *ms, struct mem_session *s,
                  const struct store_op *op)
{
    struct mem_turn *t = xcalloc(1, sizeof(*t));

    t->t = (struct turn_info){
        .id = op->begin.turn,
        .state = TURN_STATE_OPEN,
        .user_message = op->begin.user.id,
        .answer_message = op->begin.answer_message,
        .begun_ms = op->begin.user.at_ms,
        .process = op->begin.process,
        .temporary = ms->temporary,
    };
    t->session = s;
    t->next = s->turns;
    s->turns = t;
    mem_table_add(&ms->turns, &t->node, mem_hash(0, &t->t.id, sizeof(t->t.id)));
    if (is_keyed(op))
        t->key = put_key(ms, t, op);
}

enum err
memstore_set_text(struct memstore *ms, char **text, size_t *len, const char *to,
                  size_t to_len)
{
    size_t was = memstore_text_cost(*text, *len);
    size_t is = to_len == 0 ? 0 : memstore_text_cost(to, to_len);

    if (is > was && !budget_take(ms->room, is - was))
        return ERR_FULL;
    if (is < was)
        budget_give(ms->room, was - is);
    free(*text);
    *text = to_len == 0 ? NULL : xmemdup0(to, to_len);
    *len = to_len;
    return OK;
}

/* --- freeing ---------------------------------------------------------- */

static void
message_free(struct memstore *ms, const struct message *m)
{
    budget_give(ms->room, memstore_message_cost(m));
    free((void *)(uintptr_t)m->provider);
    free((void *)(uintptr_t)m->model);
    free((void *)(uintptr_t)m->text);
    free((void *)(uintptr_t)m->extra);
}

static void
key_free(struct memstore *ms, struct mem_key *k)
{
    budget_give(ms->room, key_cost(k->owner, k->scope, k->key));
    mem_table_remove(&ms->keys, &k->node);
    free(k->owner);
    free(k->scope);
    free(k->key);
    free(k);
}

static void
turn_free(struct memstore *ms, struct mem_turn *t)
{
    budget_give(ms->room, sizeof(*t) + BUDGET_EACH);
    mem_table_remove(&ms->turns, &t->node);
    if (t->key != NULL)
        key_free(ms, t->key);
    free(t);
}

void
memstore_session_clear(struct memstore *ms, struct mem_session *s)
{
    struct mem_turn *t = s->turns, *next;

    for (; t != NULL; t = next) {
        next = t->next;
        turn_free(ms, t);
    }
    for (uint32_t i = 0; i < s->s.n_messages; i++)
        message_free(ms, &s->messages[i]);
    budget_give(ms->room, memstore_text_cost(s->summary, s->summary_len));
    free(s->messages);
    free(s->summary);
    s->messages = NULL;
    s->cap = 0;
    s->turns = NULL;
    s->summary = NULL;
    s->summary_len = 0;
    s->summarised = false;
}

void
memstore_session_free(struct memstore *ms, struct mem_session *s)
{
    memstore_session_clear(ms, s);
    budget_give(ms->room, memstore_session_cost() +
                              memstore_text_cost(s->context, s->context_len));
    free(s->context);
    mem_table_remove(&ms->by_id, &s->node);
    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        ms->first = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    else
        ms->last = s->prev;
    free(s);
    (void)__atomic_sub_fetch(&ms->n_sessions, 1, __ATOMIC_RELEASE);
}
