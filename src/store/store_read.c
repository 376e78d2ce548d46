/*
 * The reads of the front of the store: names that no record can have are
 * answered here, and what is asked becomes a query of the backend. Nothing is
 * kept, and no lock is held.
 */
#include "base/base.h"

#include "store/store.h"

#include "store/store_inside.h"

/* Names that no record can have are not there. */
static bool
possible(const char *owner, const char *id)
{
    return strnlen(owner, STORE_OWNER_MAX + 1) <= STORE_OWNER_MAX &&
           (id == NULL ||
            ident_session_valid(id, strnlen(id, IDENT_SESSION_MAX + 1)));
}

enum err
store_session(struct store *s, const char *owner, const char *id,
              struct session *out)
{
    struct message_query q = {.owner = owner, .session_id = id};

    if (!possible(owner, id))
        return ERR_NOTFOUND;
    return s->be->messages(s->impl, &q, out, NULL, NULL);
}

enum err
store_messages(struct store *s, const char *owner, const char *id,
               uint32_t before, uint32_t limit, size_t bytes_max,
               struct session *sess, message_fn *fn, void *arg)
{
    return store_line(s, owner, id, STORE_HEAD, before, limit, bytes_max, sess,
                      fn, arg);
}

enum err
store_line(struct store *s, const char *owner, const char *id, uint32_t leaf,
           uint32_t before, uint32_t limit, size_t bytes_max,
           struct session *sess, message_fn *fn, void *arg)
{
    struct message_query q = {.owner = owner,
                              .session_id = id,
                              .leaf = leaf,
                              .before = before,
                              .limit = limit,
                              .bytes_max = bytes_max};

    if (!possible(owner, id))
        return ERR_NOTFOUND;
    return s->be->messages(s->impl, &q, sess, fn, arg);
}

/* What is looked for in messages that are given: a seq, or an id. */
struct sought {
    const struct ident *id;
    uint32_t seq;
    bool found;
};

static bool
is_seq(void *arg, const struct message *m)
{
    struct sought *w = arg;

    w->found = m->seq == w->seq;
    return false;
}

static bool
is_id(void *arg, const struct message *m)
{
    struct sought *w = arg;

    w->found = ident_eq(&m->id, w->id);
    w->seq = m->seq;
    return !w->found;
}

/* The last message of the line up to seq is seq, if the line holds it. */
bool
store_line_holds(struct store *s, const char *owner, const char *id,
                 uint32_t leaf, uint32_t seq)
{
    struct sought w = {.seq = seq};

    return seq != STORE_ROOT &&
           store_line(s, owner, id, leaf, seq + 1, 1, 0, NULL, is_seq, &w) ==
               OK &&
           w.found;
}

enum err
store_all_messages(struct store *s, const char *owner, const char *id,
                   uint32_t from, uint32_t limit, struct session *sess,
                   message_fn *fn, void *arg)
{
    struct message_query q = {.owner = owner,
                              .session_id = id,
                              .all = true,
                              .from = from,
                              .limit = limit};

    if (!possible(owner, id))
        return ERR_NOTFOUND;
    return s->be->messages(s->impl, &q, sess, fn, arg);
}

enum err
store_last_look(struct store *s, const char *owner, const char *id,
                struct session *sess, message_fn *fn, void *arg)
{
    struct message_query q = {.owner = owner,
                              .session_id = id,
                              .all = true,
                              .limit = UINT32_MAX,
                              .gone_too = true};

    if (!possible(owner, id))
        return ERR_NOTFOUND;
    return s->be->messages(s->impl, &q, sess, fn, arg);
}

enum err
store_find_message(struct store *s, const char *owner, const char *id,
                   const struct ident *message, uint32_t *seq)
{
    struct sought w = {.id = message};
    enum err e = store_all_messages(s, owner, id, 0, UINT32_MAX, NULL, is_id,
                                    &w);

    if (e == OK && !w.found)
        e = ERR_NOTFOUND;
    if (e == OK)
        *seq = w.seq;
    return e;
}

enum err
store_context(struct store *s, const char *owner, const char *id,
              struct buf *text)
{
    struct message_query q = {
        .owner = owner, .session_id = id, .context = text};
    enum err e;

    if (!possible(owner, id))
        return ERR_NOTFOUND;
    e = s->be->messages(s->impl, &q, NULL, NULL, NULL);
    return e == OK ? buf_status(text) : e;
}

enum err
store_summary(struct store *s, const char *owner, const char *id,
              struct session_summary *out, struct buf *text)
{
    struct summary_query want = {.out = out, .text = text};
    struct message_query q = {
        .owner = owner, .session_id = id, .summary = &want};
    enum err e;

    if (!possible(owner, id))
        return ERR_NOTFOUND;
    e = s->be->messages(s->impl, &q, NULL, NULL, NULL);
    return e == OK && text != NULL ? buf_status(text) : e;
}

static bool
copy_turn(void *arg, const struct turn_info *t)
{
    struct turn_info *out = arg;

    *out = *t;
    return false;
}

enum err
store_turn(struct store *s, const struct ident *turn, struct turn_info *out)
{
    return s->be->turns(s->impl, turn, copy_turn, out);
}

/* Passes the one message on if it is the one. */
struct answer {
    const struct ident *turn;
    message_fn *fn;
    void *arg;
    bool found;
};

static bool
give_answer(void *arg, const struct message *m)
{
    struct answer *a = arg;

    if (ident_eq(&m->turn, a->turn)) {
        a->found = true;
        (void)a->fn(a->arg, m);
    }
    return false;
}

enum err
store_turn_answer(struct store *s, const struct turn_info *t, message_fn *fn,
                  void *arg)
{
    struct answer a = {&t->id, fn, arg, false};
    struct message_query q = {.owner = t->owner,
                              .session_id = t->session_id,
                              .all = true,
                              .from = t->answer_seq,
                              .limit = 1};
    enum err e;

    if (t->state != TURN_STATE_ENDED)
        return ERR_NOTFOUND;
    e = s->be->messages(s->impl, &q, NULL, give_answer, &a);
    return e == OK && !a.found ? ERR_NOTFOUND : e;
}

enum err
store_idem(struct store *s, const char *owner, const char *scope,
           const char *key, struct ident *out)
{
    return s->be->idem(s->impl, owner, scope, key, out);
}

enum err
store_sessions(struct store *s, const char *owner, const struct session *after,
               uint32_t limit, session_fn *fn, void *arg)
{
    struct session_query q = {.owner = owner, .limit = limit, .after = after};

    if (!possible(owner, NULL))
        return OK;
    return s->be->sessions(s->impl, &q, fn, arg);
}

enum err
store_expired(struct store *s, uint64_t from, uint32_t limit, uint64_t *next,
              session_fn *fn, void *arg)
{
    struct session_query q = {.limit = limit, .from = from, .next = next};

    *next = 0;
    return s->be->sessions(s->impl, &q, fn, arg);
}

enum err
store_walk(struct store *s, uint64_t from, uint32_t limit, uint64_t *next,
           session_fn *fn, void *arg)
{
    struct session_query q = {
        .everyone = true, .limit = limit, .from = from, .next = next};

    *next = 0;
    return s->be->sessions(s->impl, &q, fn, arg);
}

enum err
store_session_count(struct store *s, const char *owner, uint64_t *out)
{
    struct session_query q = {.owner = owner, .count = out};

    *out = 0;
    if (!possible(owner, NULL))
        return OK;
    return s->be->sessions(s->impl, &q, NULL, NULL);
}

enum err
store_session_owner(struct store *s, const char *id,
                    char owner[STORE_OWNER_MAX + 1])
{
    struct message_query q = {.session_id = id};
    struct session sess;
    enum err e;

    if (!possible("", id))
        return ERR_NOTFOUND;
    e = s->be->messages(s->impl, &q, &sess, NULL, NULL);
    if (e == OK)
        memcpy(owner, sess.owner, sizeof(sess.owner));
    return e;
}

static bool
copy_record(void *arg, const char *name, size_t n, const char *value,
            size_t len)
{
    (void)name;
    (void)n;
    buf_add(arg, value, len);
    return false;
}

enum err
store_record(struct store *s, const void *name, size_t n, struct buf *out)
{
    struct record_query q = {.name = name, .n = n};
    enum err e;

    if (n == 0 || n > STORE_RECORD_NAME_MAX)
        return ERR_NOTFOUND;
    e = s->be->records(s->impl, &q, copy_record, out);
    return e == OK ? buf_status(out) : e;
}

/* Of a longer `after` the first bytes say all: no name is as long. */
enum err
store_records(struct store *s, const void *prefix, size_t n_prefix,
              const void *after, size_t n_after, uint32_t limit, record_fn *fn,
              void *arg)
{
    struct record_query q = {.name = prefix,
                             .n = n_prefix,
                             .all = true,
                             .after = after,
                             .n_after = n_after,
                             .limit = limit};

    if (n_prefix > STORE_RECORD_NAME_MAX)
        return OK;
    if (n_after > STORE_RECORD_NAME_MAX)
        q.n_after = STORE_RECORD_NAME_MAX;
    return s->be->records(s->impl, &q, fn, arg);
}

enum err
store_ledger(struct store *s, const struct ledger_query *q)
{
    return s->be->ledger == NULL ? OK : s->be->ledger(s->impl, q);
}

enum err
store_open_turns(struct store *s, turn_fn *fn, void *arg)
{
    return s->be->turns(s->impl, NULL, fn, arg);
}
