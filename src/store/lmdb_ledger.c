/*
 * Writing the ledger. A turn reserves in the transaction that stores its
 * question, so of many that come at once exactly those begin that fit; it
 * settles in the one that stores its answer. Turns that store nothing have
 * operations of their own for both.
 *
 * Where nothing is limited there is nothing to reserve, and a turn's end costs
 * one row (and a look for sums of its owner and its model that are kept).
 *
 * Sums of past days are of no use: whoever keeps those of a new one takes a few
 * old ones away, and so with months where they could be summed up again. Rows
 * stay.
 */
#include "base/base.h"

#include "store/lmdb_batch.h"
#include "store/lmdb_ledger.h"

#include "base/log.h"

#define SWEEP_STEPS 4     /* old sums that go for each new one */
#define DAYS_FROM 1000000 /* periods before it are months */

/* --- reserving ------------------------------------------------------------ */

/* Does it fit this account? */
static int
check(MDB_cursor *c, const struct ledger_charge *charge, int64_t at_ms,
      const struct ledger_reserve *r, struct ledger_over *over, bool *fits)
{
    struct ledger_sums day, month;
    struct ledger_standing s;
    bool there;
    int rc = lmdb_ledger_standing(c, charge->kind, charge->name, &s);

    if (rc == 0)
        rc = lmdb_ledger_sums(c, charge->kind, ledger_day(at_ms), charge->name,
                              &day, &there);
    if (rc == 0)
        rc = lmdb_ledger_sums(c, charge->kind, ledger_month(at_ms),
                              charge->name, &month, &there);
    if (rc == 0)
        *fits = ledger_fits(&charge->limits, &day, &month, &s, r->tokens,
                            r->micro, at_ms, over);
    return rc;
}

int
batch_hold_check(struct batch *b, struct ledger_reserve *r, int64_t at_ms,
                 enum err *err)
{
    bool ok = true;
    MDB_cursor *c;
    int rc = 0;

    memset(&r->over, 0, sizeof(r->over));
    if (r->n == 0)
        return 0;
    rc = batch_cursor(b, DB_LEDGER, &c);
    for (size_t i = 0; i < r->n && rc == 0 && ok; i++) {
        r->over.charge = i;
        rc = check(c, &r->charges[i], at_ms, r, &r->over, &ok);
    }
    if (rc == 0 && !ok)
        *err = ERR_LIMIT;
    return rc;
}

static int
put_sums(struct batch *b, enum ledger_kind kind, uint32_t period,
         const char *name, const struct ledger_sums *s)
{
    uint8_t key[LEDGER_KEY_MAX], record[LEDGER_SUMS_MAX];

    return batch_put(b, DB_LEDGER, key, ledger_key(key, kind, period, name),
                     record, ledger_sums_write(record, s));
}

/* Take sums away of periods from one on and before another. */
static int
sweep(struct batch *b, enum ledger_kind kind, uint32_t from, uint32_t before)
{
    uint8_t first[LEDGER_KEY_MAX], end[LEDGER_KEY_MAX];
    size_t n = ledger_key(first, kind, from, "");
    MDB_val k = {n, first}, v;
    MDB_cursor *c;
    int rc = batch_cursor(b, DB_LEDGER, &c);

    (void)ledger_key(end, kind, before, "");
    if (rc == 0)
        rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
    for (int i = 0; i < SWEEP_STEPS && rc == 0; i++) {
        if (k.mv_size < n || memcmp(k.mv_data, end, n) >= 0)
            return 0;
        rc = mdb_cursor_del(c, 0);
        if (rc == 0)
            rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Keep the sums of an account's period from now on. */
static int
keep_sums(struct batch *b, enum ledger_kind kind, uint32_t period,
          const char *name)
{
    struct ledger_sums sums;
    bool there;
    MDB_cursor *c;
    int rc = batch_cursor(b, DB_LEDGER, &c);

    if (rc == 0)
        rc = lmdb_ledger_sums(c, kind, period, name, &sums, &there);
    if (rc != 0 || there)
        return rc;
    rc = put_sums(b, kind, period, name, &sums);
    if (rc == 0 && period >= DAYS_FROM)
        return sweep(b, kind, DAYS_FROM, period);
    if (rc == 0 && (kind == LEDGER_OWNER || kind == LEDGER_MODEL))
        return sweep(b, kind, LEDGER_STANDING + 1, period);
    return rc;
}

/* Add to what an account's turns have reserved, or take it back. */
static int
stand(struct batch *b, enum ledger_kind kind, const char *name, int64_t turns,
      int64_t tokens, int64_t micro)
{
    uint8_t key[LEDGER_KEY_MAX], record[LEDGER_SUMS_MAX];
    size_t n = ledger_key(key, kind, LEDGER_STANDING, name);
    struct ledger_standing s;
    MDB_cursor *c;
    int rc = batch_cursor(b, DB_LEDGER, &c);

    if (rc == 0)
        rc = lmdb_ledger_standing(c, kind, name, &s);
    if (rc != 0)
        return rc;
    if (turns > 0) {
        ledger_add(&s.open, turns);
        ledger_add(&s.tokens, tokens);
        ledger_add(&s.micro, micro);
    } else {
        s.open = s.open > 0 ? s.open - 1 : 0;
        s.tokens = s.tokens > tokens ? s.tokens - tokens : 0;
        s.micro = s.micro > micro ? s.micro - micro : 0;
    }
    if (s.open == 0 && s.tokens == 0 && s.micro == 0)
        return batch_del(b, DB_LEDGER, key, n);
    return batch_put(b, DB_LEDGER, key, n, record,
                     ledger_standing_write(record, &s));
}

int
batch_hold(struct batch *b, const struct ident *turn,
           const struct process *process, const struct ledger_reserve *r,
           int64_t at_ms)
{
    uint8_t record[LEDGER_RESERVE_MAX];
    int rc;

    if (r->n == 0)
        return 0;
    rc = batch_put(b, DB_RESERVES, turn->b, sizeof(turn->b), record,
                   ledger_reserve_write(record, r, process, at_ms));
    for (size_t i = 0; i < r->n && rc == 0; i++) {
        const struct ledger_charge *c = &r->charges[i];

        rc = stand(b, c->kind, c->name, 1, r->tokens, r->micro);
        if (rc == 0)
            rc = keep_sums(b, c->kind, ledger_day(at_ms), c->name);
        if (rc == 0)
            rc = keep_sums(b, c->kind, ledger_month(at_ms), c->name);
    }
    return rc;
}

/* --- settling ------------------------------------------------------------- */

/* Add to the sums of an account, if they are kept or are to be. */
static int
count_sums(struct batch *b, enum ledger_kind kind, uint32_t period,
           const char *name, const struct ledger_sums *more, bool keep)
{
    struct ledger_sums sums = {.turns = 0};
    uint8_t key[LEDGER_KEY_MAX];
    MDB_val v;
    int rc = batch_get(b, DB_LEDGER, key, ledger_key(key, kind, period, name),
                       &v);

    if (rc == MDB_NOTFOUND && !keep)
        return 0;
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    if (rc == 0 && ledger_sums_read(v.mv_data, v.mv_size, &sums) != OK)
        IGNORE(lmdb_damaged("ledger"));
    ledger_sums_add(&sums, more);
    return put_sums(b, kind, period, name, &sums);
}

static int
count_account(struct batch *b, enum ledger_kind kind, const char *name,
              int64_t at_ms, const struct ledger_sums *more)
{
    bool keep = kind == LEDGER_KEY || kind == LEDGER_GROUP; /* without rows */
    int rc = count_sums(b, kind, ledger_day(at_ms), name, more, keep);

    return rc != 0 ? rc
                   : count_sums(b, kind, ledger_month(at_ms), name, more, keep);
}

static int
count_row(struct batch *b, const char *owner, const char *model, int64_t at_ms,
          const struct ledger_sums *more)
{
    uint8_t key[LEDGER_KEY_MAX], record[LEDGER_SUMS_MAX];
    struct ledger_sums sums = {.turns = 0};
    size_t n = ledger_row_key(key, ledger_day(at_ms), owner, model);
    MDB_val v;
    int rc = batch_get(b, DB_LEDGER, key, n, &v);

    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    if (rc == 0 && ledger_sums_read(v.mv_data, v.mv_size, &sums) != OK)
        IGNORE(lmdb_damaged("ledger"));
    ledger_sums_add(&sums, more);
    return batch_put(b, DB_LEDGER, key, n, record,
                     ledger_sums_write(record, &sums));
}

/* The reserve of a turn; *there. */
static int
read_kept(struct batch *b, const struct ident *turn, struct ledger_kept *kept,
          bool *there)
{
    MDB_val v;
    int rc = batch_get(b, DB_RESERVES, turn->b, sizeof(turn->b), &v);

    *there = rc == 0;
    if (rc == 0 && ledger_reserve_read(v.mv_data, v.mv_size, kept) != OK) {
        IGNORE(lmdb_damaged("reserves"));
        *there = false;
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* What is counted, and in whose name. */
static struct ledger_sums
sums_of(const struct ledger_spent *spent, const struct ledger_kept *kept,
        bool there)
{
    struct ledger_sums s = {.turns = spent->aside ? 0 : 1,
                            .input_tokens = spent->input_tokens,
                            .output_tokens = spent->output_tokens,
                            .cached_tokens = spent->cached_tokens,
                            .micro = spent->micro};

    if (spent->worst && there) {
        s.input_tokens = kept->input_tokens;
        s.output_tokens = kept->tokens - kept->input_tokens;
        s.micro = kept->micro;
    } else if (s.input_tokens < 0) {
        s.input_tokens = there ? kept->input_tokens : 0;
        ledger_add(&s.micro, there ? kept->input_micro : 0);
    }
    return s;
}

static int
release(struct batch *b, const struct ident *turn,
        const struct ledger_kept *kept, const struct ledger_sums *sums,
        int64_t at_ms)
{
    int rc = batch_del(b, DB_RESERVES, turn->b, sizeof(turn->b));

    for (size_t i = 0; i < kept->n && rc == 0; i++) {
        rc = stand(b, kept->charges[i].kind, kept->charges[i].name, -1,
                   kept->tokens, kept->micro);
        if (rc == 0 && (kept->charges[i].kind == LEDGER_KEY ||
                        kept->charges[i].kind == LEDGER_GROUP))
            rc = count_account(b, kept->charges[i].kind, kept->charges[i].name,
                               at_ms, sums);
    }
    return rc;
}

int
batch_settle(struct batch *b, const struct ident *turn,
             const struct ledger_spent *spent, int64_t at_ms)
{
    const char *owner = spent->owner, *model = spent->model;
    struct ledger_kept kept = {.n = 0};
    struct ledger_sums sums;
    bool there;
    int rc = read_kept(b, turn, &kept, &there);

    if (rc != 0 || (!there && (spent->worst || model == NULL)))
        return rc;
    if (there)
        owner = kept.owner;
    if (spent->worst)
        model = kept.model;
    sums = sums_of(spent, &kept, there);
    if (model == NULL)
        memset(&sums, 0, sizeof(sums));
    if (there)
        rc = release(b, turn, &kept, &sums, at_ms);
    if (rc != 0 || model == NULL)
        return rc;
    rc = count_account(b, LEDGER_OWNER, owner, at_ms, &sums);
    if (rc == 0)
        rc = count_account(b, LEDGER_MODEL, model, at_ms, &sums);
    return rc != 0 ? rc : count_row(b, owner, model, at_ms, &sums);
}

/* --- operations of their own ---------------------------------------------- */

int
batch_reserve_op(struct batch *b, struct store_op *op)
{
    int rc;

    op->err = OK;
    rc = batch_hold_check(b, &op->reserve.what, op->reserve.at_ms, &op->err);
    if (rc != 0 || op->err != OK)
        return rc;
    return batch_hold(b, &op->reserve.turn, &op->reserve.process,
                      &op->reserve.what, op->reserve.at_ms);
}

/* Is the turn there, and open? Then who ends it settles. */
static int
is_open(struct batch *b, const struct ident *turn, bool *open)
{
    MDB_val v;
    int rc = batch_get(b, DB_OPEN, turn->b, sizeof(turn->b), &v);

    *open = rc == 0;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int
batch_settle_op(struct batch *b, struct store_op *op)
{
    bool open;
    int rc = is_open(b, &op->settle.turn, &open);

    op->err = rc == 0 && open ? ERR_CONFLICT : OK;
    if (rc != 0 || op->err != OK)
        return rc;
    return batch_settle(b, &op->settle.turn, &op->settle.spent,
                        op->settle.at_ms);
}
