/*
 * Values under names: what accounts are made of. A name is the key as it is,
 * so that those that begin alike lie beside each other and are listed by a
 * walk; what a name means, whoever gave it knows.
 *
 * A value whose time is over reads as not there from that moment on. It is
 * taken away as idempotency keys are: whoever puts one looks at a few others in
 * passing, in a circle.
 */
#include "base/base.h"

#include "store/lmdb_batch.h"

#include "base/log.h"

#define SWEEP_STEPS 4 /* records looked at for each that is put */

_Static_assert(STORE_RECORD_NAME_MAX == 255, "WIRE.md");
_Static_assert(STORE_RECORD_NAME_MAX <= 511, "LMDB's limit of a key");

static bool
is_over(int64_t expires_ms, int64_t now_ms)
{
    return expires_ms != 0 && expires_ms <= now_ms;
}

/* --- reading ------------------------------------------------------------ */

static enum err
give_one(const struct snapshot *s, const struct record_query *q, record_fn *fn,
         void *arg)
{
    int64_t expires_ms;
    const char *value;
    size_t len;
    MDB_val v;
    enum err e = lmdb_get(s, DB_RECORDS, q->name, q->n, &v);

    if (e != OK)
        return e;
    if (record_value_read(v.mv_data, v.mv_size, &expires_ms, &value, &len) !=
        OK)
        return lmdb_damaged("records");
    if (is_over(expires_ms, s->now_ms))
        return ERR_NOTFOUND;
    (void)fn(arg, q->name, q->n, value, len);
    return OK;
}

/* Does a come before b? */
static bool
is_before(const void *a, size_t n_a, const void *b, size_t n_b)
{
    size_t n = n_a < n_b ? n_a : n_b;
    int c = n > 0 ? memcmp(a, b, n) : 0;

    return c < 0 || (c == 0 && n_a < n_b);
}

/* The first record that is wanted. */
static int
find_first(MDB_cursor *c, const struct record_query *q, MDB_val *k, MDB_val *v)
{
    bool behind = q->after != NULL &&
                  !is_before(q->after, q->n_after, q->name, q->n);
    const void *from = behind ? q->after : q->name;
    size_t n = behind ? q->n_after : q->n;
    int rc;

    *k = (MDB_val){n, (void *)(uintptr_t)from};
    rc = mdb_cursor_get(c, k, v, n > 0 ? MDB_SET_RANGE : MDB_FIRST);
    if (rc == 0 && behind && k->mv_size == n && n > 0 &&
        memcmp(k->mv_data, from, n) == 0)
        rc = mdb_cursor_get(c, k, v, MDB_NEXT);
    return rc;
}

/* One that is damaged must not hide the others. */
static enum err
give_all(const struct snapshot *s, MDB_cursor *c, const struct record_query *q,
         record_fn *fn, void *arg)
{
    MDB_val k, v;
    uint32_t left = q->limit;
    int rc = find_first(c, q, &k, &v);

    for (; rc == 0 && left > 0; rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
        int64_t expires_ms;
        const char *value;
        size_t len;

        if (k.mv_size < q->n ||
            (q->n > 0 && memcmp(k.mv_data, q->name, q->n) != 0))
            return OK;
        if (record_value_read(v.mv_data, v.mv_size, &expires_ms, &value,
                              &len) != OK) {
            (void)lmdb_damaged("records");
            continue;
        }
        if (is_over(expires_ms, s->now_ms))
            continue;
        if (!fn(arg, k.mv_data, k.mv_size, value, len))
            return OK;
        left--;
    }
    return rc == 0 || rc == MDB_NOTFOUND ? OK : lmdb_err(s->l, "records", rc);
}

enum err
lmdb_records(void *impl, const struct record_query *q, record_fn *fn, void *arg)
{
    struct lmdb *l = impl;
    struct snapshot s;
    MDB_cursor *c;
    enum err e = lmdb_snapshot_begin(&s, l);

    if (e != OK)
        return e;
    if (!q->all) {
        e = give_one(&s, q, fn, arg);
    } else {
        e = lmdb_err(l, "cursor",
                     mdb_cursor_open(s.txn, l->dbi[DB_RECORDS], &c));
        if (e == OK) {
            e = give_all(&s, c, q, fn, arg);
            mdb_cursor_close(c);
        }
    }
    lmdb_snapshot_end(&s);
    return e;
}

/* --- changing ----------------------------------------------------------- */

/* What change i meets: a value that is borrowed until the next write, or NULL;
 * ERR_STORE: it cannot be read, which only matters to who expects something. */
static int
meet(struct batch *b, const struct store_op *op, size_t i, const char **value,
     size_t *len, enum err *err)
{
    const struct record_change *c = &op->records.changes[i];
    const struct record_change *before = backend_record_before(op, i);
    int64_t expires_ms;
    MDB_val v;
    int rc;

    *value = NULL;
    *len = 0;
    if (before != NULL) {
        if (!backend_record_gone(before, b->now_ms)) {
            *value = before->value;
            *len = before->len;
        }
        return 0;
    }
    rc = batch_get(b, DB_RECORDS, c->name, c->n, &v);
    if (rc != 0)
        return rc == MDB_NOTFOUND ? 0 : rc;
    if (record_value_read(v.mv_data, v.mv_size, &expires_ms, value, len) !=
        OK) {
        *value = NULL;
        if (c->expect != RECORD_ANY)
            *err = lmdb_damaged("records");
    } else if (is_over(expires_ms, b->now_ms)) {
        *value = NULL;
    }
    return 0;
}

static int
check(struct batch *b, struct store_op *op)
{
    int rc = 0;

    for (size_t i = 0; i < op->records.n && rc == 0 && op->err == OK; i++) {
        const char *value;
        size_t len;

        rc = meet(b, op, i, &value, &len, &op->err);
        if (rc == 0 && op->err == OK &&
            !backend_record_expected(&op->records.changes[i], value, len))
            op->err = ERR_CONFLICT;
        op->records.wrong = i;
    }
    return rc;
}

/* One that is damaged stays, for whoever repairs the store. */
static int
sweep(struct batch *b, size_t steps)
{
    struct lmdb *l = b->l;
    MDB_val k = {l->record_at_len, l->record_at}, v;
    MDB_cursor *c = NULL;
    int rc = batch_cursor(b, DB_RECORDS, &c);

    if (rc == 0)
        rc = mdb_cursor_get(c, &k, &v,
                            l->record_at_len > 0 ? MDB_SET_RANGE : MDB_FIRST);
    for (size_t i = 0; i < steps && rc == 0; i++) {
        int64_t expires_ms;
        const char *value;
        size_t len;

        if (record_value_read(v.mv_data, v.mv_size, &expires_ms, &value,
                              &len) == OK &&
            is_over(expires_ms, b->now_ms)) {
            rc = mdb_cursor_del(c, 0);
            if (rc != 0)
                return rc;
        }
        rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    l->record_at_len = 0;
    if (rc == 0 && k.mv_size <= sizeof(l->record_at)) {
        memcpy(l->record_at, k.mv_data, k.mv_size);
        l->record_at_len = k.mv_size;
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
change(struct batch *b, const struct record_change *c)
{
    uint8_t record[RECORD_VALUE_MAX];

    if (backend_record_gone(c, b->now_ms))
        return batch_del(b, DB_RECORDS, c->name, c->n);
    return batch_put(
        b, DB_RECORDS, c->name, c->n, record,
        record_value_write(record, c->expires_ms, c->value, c->len));
}

int
batch_records(struct batch *b, struct store_op *op)
{
    size_t puts = 0;
    int rc;

    op->err = OK;
    op->records.wrong = 0;
    rc = check(b, op);
    if (rc != 0 || op->err != OK)
        return rc;
    op->records.wrong = 0;
    for (size_t i = 0; i < op->records.n && rc == 0; i++) {
        puts += op->records.changes[i].value != NULL;
        rc = change(b, &op->records.changes[i]);
    }
    return rc == 0 && puts > 0 ? sweep(b, puts * SWEEP_STEPS) : rc;
}
