/*
 * Old records of the ledger go: rows, by their day, and the sums of accounts of
 * that time. A month of which rows are gone cannot be summed up any more, so
 * its sums go before the first of them, and rows go last: as long as there is
 * an old one, there is something to do. Keys begin with the kind and the
 * period, so what is old lies together, and a step takes a few records of each
 * range until there are as many as it may.
 */
#include "base/base.h"

#include "store/lmdb_batch.h"

int
batch_ledger_drop(struct batch *b, uint8_t kind, uint32_t from, uint32_t before,
                  uint32_t limit, uint32_t *n)
{
    uint8_t first[LEDGER_KEY_MAX], end[LEDGER_KEY_MAX];
    size_t len = ledger_key(first, (enum ledger_kind)kind, from, "");
    MDB_val k = {len, first}, v;
    MDB_cursor *c;
    int rc = batch_cursor(b, DB_LEDGER, &c);

    (void)ledger_key(end, (enum ledger_kind)kind, before, "");
    if (rc == 0)
        rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
    while (rc == 0 && *n < limit && k.mv_size >= len &&
           memcmp(k.mv_data, end, len) < 0) {
        rc = mdb_cursor_del(c, 0);
        if (rc != 0)
            break;
        b->wrote = true;
        ++*n;
        rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int
batch_ledger_prune(struct batch *b, struct store_op *op)
{
    static const uint8_t kinds[] = {LEDGER_OWNER, LEDGER_KEY, LEDGER_MODEL,
                                    LEDGER_GROUP};
    uint32_t before = op->prune.before, limit = op->prune.limit;
    uint32_t month = ledger_month(ledger_day_ms(before) - 1); /* the last */
    uint32_t n = 0;
    int rc = 0;

    for (size_t i = 0; i < sizeof(kinds) && rc == 0; i++) {
        rc = batch_ledger_drop(b, kinds[i], LEDGER_STANDING + 1, month + 1,
                               limit, &n);
        if (rc == 0)
            rc = batch_ledger_drop(b, kinds[i], LEDGER_DAYS_FROM, before, limit,
                                   &n);
    }
    if (rc == 0)
        rc = batch_ledger_drop(b, LEDGER_ROW, 0, before, limit, &n);
    op->prune.n = n;
    op->err = OK;
    return rc;
}
