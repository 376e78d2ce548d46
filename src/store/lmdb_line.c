/*
 * Messages of a session, along a line. Where nothing branches, the line of a
 * message is what lies before it in the tree of LMDB, and one cursor that goes
 * back and then on gives it. Where something does, the way goes from each
 * message to its parent; most of those lie beside each other all the same, so
 * what is remembered of the way is not its messages but its stretches, and the
 * second pass, in the right order, is one walk on for each of them.
 *
 * A page from the middle of a long line with branches costs the way from its
 * end. Nothing is kept to spare that: lines are looked at from the end.
 */
#include "base/base.h"

#include "store/lmdb_read.h"

#include "base/mem.h"

/* The message that a cursor is on; ERR_NOTFOUND: of another session. */
static enum err
message_at(const MDB_val *k, const MDB_val *v, uint64_t no, struct message *out)
{
    uint64_t whose;
    uint32_t seq;

    if (key_message_read(k->mv_data, k->mv_size, &whose, &seq) != OK)
        return lmdb_damaged("messages");
    if (whose != no)
        return ERR_NOTFOUND;
    if (record_message_read(v->mv_data, v->mv_size, seq, out) != OK)
        return lmdb_damaged("messages");
    return OK;
}

/* --- up a line ------------------------------------------------------------ */

/* Put the cursor on a message that must be there. */
static enum err
go_to(MDB_cursor *c, uint64_t no, uint32_t seq, struct message *m)
{
    uint8_t key[KEY_MESSAGE_LEN];
    MDB_val k = {sizeof(key), key}, v;

    key_message(key, no, seq);
    if (mdb_cursor_get(c, &k, &v, MDB_SET) != 0)
        return lmdb_damaged("messages");
    return message_at(&k, &v, no, m);
}

/* From m, which the cursor is on and which has a parent, to that. */
static enum err
go_up(MDB_cursor *c, uint64_t no, struct message *m)
{
    uint32_t parent = m->parent;
    MDB_val k, v;
    enum err e;

    if (parent != m->seq - 1)
        return go_to(c, no, parent, m);
    if (mdb_cursor_get(c, &k, &v, MDB_PREV) != 0)
        return lmdb_damaged("messages");
    e = message_at(&k, &v, no, m);
    if (e == ERR_NOTFOUND || (e == OK && m->seq != parent))
        return lmdb_damaged("messages");
    return e;
}

enum err
lmdb_line_length(MDB_cursor *c, uint64_t no, uint32_t leaf, uint32_t *length)
{
    struct message m;
    enum err e = go_to(c, no, leaf, &m);

    for (*length = 1; e == OK && m.parent != STORE_ROOT; ++*length)
        e = go_up(c, no, &m);
    return e;
}

enum err
lmdb_line_has(MDB_cursor *c, uint64_t no, uint32_t leaf, uint32_t seq,
              bool *has)
{
    struct message m = {.seq = leaf};
    enum err e = OK;

    if (seq < leaf)
        e = go_to(c, no, leaf, &m);
    while (e == OK && m.seq > seq && m.parent != STORE_ROOT)
        e = go_up(c, no, &m);
    *has = e == OK && m.seq == seq;
    return e;
}

/* --- a stretch of messages ------------------------------------------------ */

/* Give n messages, the first of which the cursor is on. *more is cleared when
 * fn has enough. */
static enum err
walk_on(MDB_cursor *c, uint64_t no, uint32_t n, message_fn *fn, void *arg,
        bool *more)
{
    MDB_val k, v;
    int rc = mdb_cursor_get(c, &k, &v, MDB_GET_CURRENT);

    while (rc == 0) {
        struct message m;
        enum err e = message_at(&k, &v, no, &m);

        if (e != OK)
            return e == ERR_NOTFOUND ? lmdb_damaged("messages") : e;
        *more = fn(arg, &m);
        if (!*more || --n == 0)
            return OK;
        rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    return lmdb_damaged("messages");
}

/* All messages from q->from on, whatever line they are on. */
static enum err
give_all(struct lmdb *l, MDB_cursor *c, const struct message_query *q,
         uint64_t no, message_fn *fn, void *arg)
{
    uint8_t key[KEY_MESSAGE_LEN];
    MDB_val k = {sizeof(key), key}, v;
    int rc;

    key_message(key, no, q->from);
    rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
    for (uint32_t left = q->limit; rc == 0; left--) {
        struct message m;
        enum err e = message_at(&k, &v, no, &m);

        if (e != OK)
            return e == ERR_NOTFOUND ? OK : e;
        if (!fn(arg, &m) || left == 1)
            return OK;
        rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? OK : lmdb_err(l, "messages", rc);
}

/* --- without branches ----------------------------------------------------- */

/* Put the cursor on the last message before seq `before`. */
static int
last_before(MDB_cursor *c, uint64_t no, uint32_t before, MDB_val *k, MDB_val *v)
{
    uint8_t key[KEY_MESSAGE_LEN];
    int rc;

    key_message(key, no, before);
    k->mv_size = sizeof(key);
    k->mv_data = key;
    rc = mdb_cursor_get(c, k, v, MDB_SET_RANGE);
    return mdb_cursor_get(c, k, v, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

/* Walk back over as many messages as are wanted; the cursor ends on the
 * first. *n is how many. */
static enum err
walk_back(struct lmdb *l, MDB_cursor *c, const struct message_query *q,
          uint32_t before, uint64_t no, uint32_t *n)
{
    size_t bytes = 0;
    MDB_val k, v;
    int rc = last_before(c, no, before, &k, &v);

    *n = 0;
    while (rc == 0) {
        struct message m;
        enum err e = message_at(&k, &v, no, &m);

        if (e == ERR_NOTFOUND)
            break;
        if (e != OK)
            return e;
        bytes += m.text_len + m.extra_len;
        if (*n > 0 && q->bytes_max > 0 && bytes > q->bytes_max)
            break;
        if (++*n == q->limit)
            return OK;
        rc = mdb_cursor_get(c, &k, &v, MDB_PREV);
    }
    if (rc == MDB_NOTFOUND) /* at the first record of all: stay on it */
        rc = mdb_cursor_get(c, &k, &v, MDB_FIRST);
    else if (rc == 0) /* one too far */
        rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    if (*n == 0)
        return OK;
    return rc == 0 ? OK : lmdb_err(l, "messages", rc);
}

static enum err
give_plain(struct lmdb *l, MDB_cursor *c, const struct message_query *q,
           uint64_t no, uint32_t leaf, message_fn *fn, void *arg)
{
    uint32_t n = 0;
    bool more;
    enum err e = walk_back(l, c, q, q->before <= leaf ? q->before : leaf + 1,
                           no, &n);

    return e == OK && n > 0 ? walk_on(c, no, n, fn, arg, &more) : e;
}

/* --- with branches -------------------------------------------------------- */

struct stretch {
    uint32_t first, n;
};

/* The way of a line, its end first. */
struct way {
    struct stretch *at; /* owned */
    size_t n, cap;
};

static void
way_add(struct way *w, uint32_t seq)
{
    if (w->n > 0 && w->at[w->n - 1].first == seq + 1) {
        w->at[w->n - 1].first = seq;
        w->at[w->n - 1].n++;
        return;
    }
    if (w->n == w->cap) {
        w->cap = w->cap == 0 ? 8 : 2 * w->cap;
        w->at = xrealloc(w->at, w->cap * sizeof(*w->at));
    }
    w->at[w->n++] = (struct stretch){seq, 1};
}

/* The messages of the line that are wanted. */
static enum err
way_find(struct way *w, MDB_cursor *c, const struct message_query *q,
         uint64_t no, uint32_t leaf)
{
    size_t bytes = 0;
    uint32_t n = 0;
    struct message m;
    enum err e = go_to(c, no, leaf, &m);

    while (e == OK) {
        if (m.seq < q->before) {
            bytes += m.text_len + m.extra_len;
            if (n > 0 && q->bytes_max > 0 && bytes > q->bytes_max)
                return OK;
            way_add(w, m.seq);
            if (++n == q->limit)
                return OK;
        }
        if (m.parent == STORE_ROOT)
            return OK;
        e = go_up(c, no, &m);
    }
    return e;
}

static enum err
give_branched(MDB_cursor *c, const struct message_query *q, uint64_t no,
              uint32_t leaf, message_fn *fn, void *arg)
{
    struct way w = {.n = 0};
    struct message first;
    bool more = true;
    enum err e = way_find(&w, c, q, no, leaf);

    for (size_t i = w.n; i > 0 && e == OK && more; i--) {
        e = go_to(c, no, w.at[i - 1].first, &first);
        if (e == OK)
            e = walk_on(c, no, w.at[i - 1].n, fn, arg, &more);
    }
    free(w.at);
    return e;
}

/* --- the query ------------------------------------------------------------ */

enum err
lmdb_line_give(const struct snapshot *s, const struct message_query *q,
               const struct session *sess, message_fn *fn, void *arg)
{
    uint32_t leaf = q->leaf == STORE_HEAD ? sess->head : q->leaf;
    MDB_cursor *c;
    enum err e;

    if (!q->all && q->leaf != STORE_HEAD && leaf >= sess->n_messages)
        return ERR_NOTFOUND;
    if (q->limit == 0 || sess->n_messages == 0 || (!q->all && q->before == 0))
        return OK;
    e = lmdb_err(s->l, "cursor",
                 mdb_cursor_open(s->txn, s->l->dbi[DB_MESSAGES], &c));
    if (e != OK)
        return e;
    if (q->all)
        e = give_all(s->l, c, q, sess->no, fn, arg);
    else if (sess->branched)
        e = give_branched(c, q, sess->no, leaf, fn, arg);
    else
        e = give_plain(s->l, c, q, sess->no, leaf, fn, arg);
    mdb_cursor_close(c);
    return e;
}
