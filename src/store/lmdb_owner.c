/*
 * Giving sessions to another owner. Whose a session is stands in its record,
 * in its place in the owner's list and in the owners' counts, and nowhere else:
 * messages, turns, summary and context go by its number. A key that began one
 * of its turns is hashed together with the owner, so it cannot be found from
 * here; it reads as unknown from now on, since the turn is another's.
 *
 * All that are to go are found before the first is written: the counts need
 * their number, and the list is not changed under the walk.
 */
#include "base/base.h"

#include "store/lmdb_batch.h"

#include "base/log.h"
#include "base/mem.h"

struct going {
    uint64_t *no; /* owned */
    uint32_t n;
};

static void
going_add(struct going *g, struct store_op *op, const struct session *s)
{
    g->no = xrealloc(g->no, (g->n + 1) * sizeof(*g->no));
    g->no[g->n++] = s->no;
    backend_moved(op, s->id);
}

/* --- finding ------------------------------------------------------------ */

static int
find_one(struct batch *b, struct store_op *op, struct going *g)
{
    struct session s;
    int rc = batch_own_session(b, op, &s);

    if (rc != 0 || op->err != OK)
        return rc;
    if (s.open)
        op->err = ERR_CONFLICT;
    else
        going_add(g, op, &s);
    return 0;
}

/* One that is damaged stays, and does not keep the others. */
static int
look_at(struct batch *b, struct store_op *op, uint64_t no, struct going *g)
{
    struct session s;
    enum err e;
    int rc = batch_session_by_no(b, no, &s, &e);

    if (rc != 0 || e != OK || strcmp(s.owner, op->owner) != 0 ||
        backend_gone(&s, b->l->ttl_ms, b->now_ms))
        return rc;
    if (s.open)
        op->owner_change.busy++;
    else
        going_add(g, op, &s);
    return 0;
}

static int
find_all(struct batch *b, struct store_op *op, struct going *g)
{
    uint32_t max = backend_moves_max(op);
    uint8_t prefix[KEY_RECENT_MAX];
    size_t len = key_recent_owner(prefix, op->owner);
    MDB_val k = {len, prefix}, v;
    MDB_cursor *c = NULL;
    int rc = batch_cursor(b, DB_RECENT, &c);

    if (rc == 0)
        rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
    while (rc == 0 && g->n < max && k.mv_size >= len &&
           memcmp(k.mv_data, prefix, len) == 0) {
        uint64_t no;

        if (key_recent_read(k.mv_data, k.mv_size, &no) != OK)
            log_error("store.damaged", "db=recent");
        else
            rc = look_at(b, op, no, g);
        if (rc == 0)
            rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* --- giving ------------------------------------------------------------- */

static int
give(struct batch *b, const char *to, uint64_t no)
{
    uint8_t key[KEY_RECENT_MAX];
    struct session s;
    enum err e;
    int rc = batch_session_by_no(b, no, &s, &e);

    if (rc != 0 || e != OK)
        return rc != 0 ? rc : MDB_CORRUPTED; /* it was there just now */
    rc = batch_del(b, DB_RECENT, key,
                   key_recent(key, s.owner, s.updated_ms, no));
    memcpy(s.owner, to, strlen(to) + 1);
    if (rc == 0)
        rc = batch_put_session(b, &s);
    return rc != 0
               ? rc
               : batch_put(b, DB_RECENT, key,
                           key_recent(key, s.owner, s.updated_ms, no), "", 0);
}

static int
give_all(struct batch *b, const struct store_op *op, const struct going *g)
{
    int rc = batch_count_owner(b, op->owner, -(int64_t)g->n);

    if (rc == 0)
        rc = batch_count_owner(b, op->owner_change.to, g->n);
    for (uint32_t i = 0; i < g->n && rc == 0; i++)
        rc = give(b, op->owner_change.to, g->no[i]);
    return rc;
}

int
batch_owner(struct batch *b, struct store_op *op)
{
    struct going g = {.no = NULL};
    int rc;

    op->err = OK;
    backend_moved_none(op);
    rc = op->session_id != NULL ? find_one(b, op, &g) : 0;
    if (rc == 0 && strcmp(op->owner, op->owner_change.to) == 0)
        backend_moved_none(op); /* it stays where it is */
    else if (rc == 0 && op->session_id == NULL)
        rc = find_all(b, op, &g);
    if (rc == 0 && op->owner_change.n > 0)
        rc = give_all(b, op, &g);
    free(g.no);
    return rc;
}
