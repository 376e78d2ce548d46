/*
 * Reading the ledger. Sums of an owner or a model that are not kept are summed
 * up from rows: those of an owner with a step for each day, those of a model
 * with a walk over all rows of its days, which is why they are kept from then
 * on by who writes. A record that is damaged is logged, and counts for nothing.
 */
#include "base/base.h"

#include "store/lmdb_ledger.h"

#include "base/clock.h"

static int
find(MDB_cursor *c, const uint8_t *key, size_t n, MDB_val *v)
{
    MDB_val k = {n, (void *)(uintptr_t)key};

    return mdb_cursor_get(c, &k, v, MDB_SET);
}

/* --- rows ----------------------------------------------------------------- */

/* Rows whose keys begin so. fn says whether to go on. */
typedef bool walk_fn(void *arg, const struct ledger_place *at,
                     const struct ledger_sums *sums);

static int
walk(MDB_cursor *c, const uint8_t *prefix, size_t n, walk_fn *fn, void *arg,
     bool *more)
{
    MDB_val k = {n, (void *)(uintptr_t)prefix}, v;
    struct ledger_place at;
    struct ledger_sums sums;
    int rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);

    while (rc == 0 && *more && k.mv_size >= n &&
           memcmp(k.mv_data, prefix, n) == 0) {
        if (ledger_key_read(k.mv_data, k.mv_size, &at) != OK ||
            ledger_sums_read(v.mv_data, v.mv_size, &sums) != OK)
            IGNORE(lmdb_damaged("ledger"));
        else
            *more = fn(arg, &at, &sums);
        if (*more)
            rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Of each day from first to last. */
static int
walk_days(MDB_cursor *c, const char *owner, uint32_t first, uint32_t last,
          walk_fn *fn, void *arg)
{
    uint8_t prefix[LEDGER_KEY_MAX];
    bool more = true;
    int rc = 0;

    for (uint32_t day = first; day <= last && more && rc == 0;
         day = ledger_after(day))
        rc = walk(c, prefix, ledger_row_key(prefix, day, owner, ""), fn, arg,
                  &more);
    return rc;
}

struct sum {
    const char *model; /* NULL: any */
    struct ledger_sums *out;
};

static bool
add_row(void *arg, const struct ledger_place *at,
        const struct ledger_sums *sums)
{
    const struct sum *s = arg;

    if (s->model == NULL || strcmp(at->name, s->model) == 0)
        ledger_sums_add(s->out, sums);
    return true;
}

/* --- accounts ------------------------------------------------------------- */

int
lmdb_ledger_sums(MDB_cursor *c, enum ledger_kind kind, uint32_t period,
                 const char *name, struct ledger_sums *out, bool *there)
{
    uint8_t key[LEDGER_KEY_MAX];
    struct sum s = {.model = kind == LEDGER_MODEL ? name : NULL, .out = out};
    uint32_t first, last;
    MDB_val v;
    int rc = find(c, key, ledger_key(key, kind, period, name), &v);

    *there = rc == 0;
    if (rc == 0 && ledger_sums_read(v.mv_data, v.mv_size, out) == OK)
        return 0;
    if (rc == 0)
        IGNORE(lmdb_damaged("ledger"));
    memset(out, 0, sizeof(*out));
    if ((rc != 0 && rc != MDB_NOTFOUND) || kind == LEDGER_KEY ||
        kind == LEDGER_GROUP)
        return rc == MDB_NOTFOUND ? 0 : rc;
    ledger_days(period, &first, &last);
    return walk_days(c, kind == LEDGER_OWNER ? name : NULL, first, last,
                     add_row, &s);
}

int
lmdb_ledger_standing(MDB_cursor *c, enum ledger_kind kind, const char *name,
                     struct ledger_standing *out)
{
    uint8_t key[LEDGER_KEY_MAX];
    MDB_val v;
    int rc = find(c, key, ledger_key(key, kind, LEDGER_STANDING, name), &v);

    if (rc == 0 && ledger_standing_read(v.mv_data, v.mv_size, out) == OK)
        return 0;
    if (rc == 0)
        IGNORE(lmdb_damaged("ledger"));
    memset(out, 0, sizeof(*out));
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* --- what is asked -------------------------------------------------------- */

static bool
give_row(void *arg, const struct ledger_place *at,
         const struct ledger_sums *sums)
{
    const struct ledger_query *q = arg;
    struct ledger_row row = {at->period, at->owner, at->name, *sums};

    return q->row(q->arg, &row);
}

static int
give_held(MDB_cursor *c, const struct ledger_query *q)
{
    MDB_val k = {0, NULL}, v;
    int rc;

    if (q->after != NULL)
        k = (MDB_val){sizeof(q->after->b), (void *)(uintptr_t)q->after->b};
    for (rc = mdb_cursor_get(c, &k, &v,
                             q->after != NULL ? MDB_SET_RANGE : MDB_FIRST);
         rc == 0; rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
        struct ledger_kept kept;
        struct ledger_held held;

        if (q->after != NULL && k.mv_size == sizeof(q->after->b) &&
            memcmp(k.mv_data, q->after->b, k.mv_size) == 0)
            continue;
        if (k.mv_size != sizeof(held.id.b) ||
            ledger_reserve_read(v.mv_data, v.mv_size, &kept) != OK) {
            IGNORE(lmdb_damaged("reserves"));
            continue;
        }
        memcpy(held.id.b, k.mv_data, sizeof(held.id.b));
        held.process = kept.process;
        if (!q->held(q->arg, &held))
            return 0;
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
give_oldest(MDB_cursor *c, const struct ledger_query *q)
{
    uint8_t prefix[LEDGER_KEY_MAX];
    MDB_val k = {ledger_row_key(prefix, 0, NULL, ""), prefix}, v;
    struct ledger_place at;
    int rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);

    *q->oldest = 0;
    if (rc == 0 && ledger_key_read(k.mv_data, k.mv_size, &at) == OK &&
        at.kind == LEDGER_ROW)
        *q->oldest = at.period;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
give_account(MDB_cursor *c, const struct ledger_query *q)
{
    bool there;
    int rc = lmdb_ledger_standing(c, q->kind, q->name, &q->account->standing);

    if (rc == 0)
        rc = lmdb_ledger_sums(c, q->kind, ledger_day(q->at_ms), q->name,
                              &q->account->day, &there);
    if (rc == 0)
        rc = lmdb_ledger_sums(c, q->kind, ledger_month(q->at_ms), q->name,
                              &q->account->month, &there);
    return rc;
}

enum err
lmdb_ledger(void *impl, const struct ledger_query *q)
{
    struct lmdb *l = impl;
    MDB_cursor *c = NULL;
    struct snapshot s;
    enum err e = lmdb_snapshot_begin(&s, l);
    int rc;

    if (e != OK)
        return e;
    rc = mdb_cursor_open(s.txn,
                         l->dbi[q->held != NULL ? DB_RESERVES : DB_LEDGER], &c);
    if (rc == 0 && q->held != NULL)
        rc = give_held(c, q);
    if (rc == 0 && q->oldest != NULL)
        rc = give_oldest(c, q);
    if (rc == 0 && q->account != NULL)
        rc = give_account(c, q);
    if (rc == 0 && q->row != NULL)
        rc = walk_days(c, q->owner, q->from, q->to, give_row,
                       (void *)(uintptr_t)q);
    if (c != NULL)
        mdb_cursor_close(c);
    lmdb_snapshot_end(&s);
    return rc == 0 ? OK : lmdb_err(l, "ledger", rc);
}
