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
 * stay until they are old (lmdb_ledger_prune.c).
 */
#include "base/base.h"

#include "store/lmdb_batch.h"
#include "store/lmdb_ledger.h"

#include "base/log.h"

#define SWEEP_STEPS 4 /* old sums that go for each new one */

/* --- reserving ------------------------------------------------------------ */

/* The reserve of a turn; *there. */
static int
read_kept(struct batch *b, const struct ident *turn, struct ledger_kept *kept,
          bool *there)
{
    MDB_val v;
    int rc = batch_get(b, DB_RESERVES, turn->b, sizeof(turn->b), &v);

    memset(kept, 0, sizeof(*kept));
    *there = rc == 0;
    if (rc == 0 && ledger_reserve_read(v.mv_data, v.mv_size, kept) != OK) {
        IGNORE(lmdb_damaged("reserves"));
        memset(kept, 0, sizeof(*kept));
        *there = false;
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Without what the turn itself has reserved already. */
static void
leave_out(struct ledger_standing *s, const struct ledger_charge *charge,
          const struct ledger_kept *was)
{
    struct ledger_standing own = ledger_kept_standing(was);

    for (size_t i = 0; i < was->n; i++)
        if (was->charges[i].kind == charge->kind &&
            strcmp(was->charges[i].name, charge->name) == 0)
            ledger_unstand(s, &own);
}

/* Does it fit this account? */
static int
check(MDB_cursor *c, const struct ledger_charge *charge, int64_t at_ms,
      const struct ledger_kept *was, const struct ledger_reserve *r,
      struct ledger_over *over, bool *fits)
{
    struct ledger_limits limits = charge->limits;
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
    if (rc != 0)
        return rc;
    leave_out(&s, charge, was);
    if (r->aside)
        limits.turns_at_once = 0;
    *fits = ledger_fits(&limits, &day, &month, &s, r->tokens, r->micro, at_ms,
                        over);
    return 0;
}

int
batch_hold_check(struct batch *b, const struct ident *turn,
                 struct ledger_reserve *r, int64_t at_ms, enum err *err)
{
    struct ledger_kept was;
    bool ok = true, there;
    MDB_cursor *c;
    int rc;

    memset(&r->over, 0, sizeof(r->over));
    if (r->n == 0)
        return 0;
    rc = read_kept(b, turn, &was, &there);
    if (rc == 0)
        rc = batch_cursor(b, DB_LEDGER, &c);
    for (size_t i = 0; i < r->n && rc == 0 && ok; i++) {
        r->over.charge = i;
        rc = check(c, &r->charges[i], at_ms, &was, r, &r->over, &ok);
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

/* Keep the sums of an account's period from now on. */
static int
keep_sums(struct batch *b, enum ledger_kind kind, uint32_t period,
          const char *name)
{
    struct ledger_sums sums;
    bool there;
    uint32_t gone = 0;
    MDB_cursor *c;
    int rc = batch_cursor(b, DB_LEDGER, &c);

    if (rc == 0)
        rc = lmdb_ledger_sums(c, kind, period, name, &sums, &there);
    if (rc != 0 || there)
        return rc;
    rc = put_sums(b, kind, period, name, &sums);
    if (rc == 0 && period >= LEDGER_DAYS_FROM)
        return batch_ledger_drop(b, kind, LEDGER_DAYS_FROM, period, SWEEP_STEPS,
                                 &gone);
    if (rc == 0 && (kind == LEDGER_OWNER || kind == LEDGER_MODEL))
        return batch_ledger_drop(b, kind, LEDGER_STANDING + 1, period,
                                 SWEEP_STEPS, &gone);
    return rc;
}

/* Add to what an account's turns have reserved, or give it back. */
static int
stand(struct batch *b, enum ledger_kind kind, const char *name,
      const struct ledger_standing *what, bool back)
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
    if (back)
        ledger_unstand(&s, what);
    else
        ledger_stand(&s, what);
    if (s.open == 0 && s.tokens == 0 && s.micro == 0)
        return batch_del(b, DB_LEDGER, key, n);
    return batch_put(b, DB_LEDGER, key, n, record,
                     ledger_standing_write(record, &s));
}

/* What was reserved is given back. */
static int
unhold(struct batch *b, const struct ident *turn,
       const struct ledger_kept *kept)
{
    struct ledger_standing s = ledger_kept_standing(kept);
    int rc = batch_del(b, DB_RESERVES, turn->b, sizeof(turn->b));

    for (size_t i = 0; i < kept->n && rc == 0; i++)
        rc = stand(b, kept->charges[i].kind, kept->charges[i].name, &s, true);
    return rc;
}

int
batch_hold(struct batch *b, const struct ident *turn,
           const struct process *process, const struct ledger_reserve *r,
           int64_t at_ms)
{
    struct ledger_standing s = {r->aside ? 0 : 1, r->tokens, r->micro};
    uint8_t record[LEDGER_RESERVE_MAX];
    struct ledger_kept was;
    bool there;
    int rc;

    if (r->n == 0)
        return 0;
    rc = read_kept(b, turn, &was, &there);
    if (rc == 0 && there)
        rc = unhold(b, turn, &was);
    if (rc == 0)
        rc = batch_put(b, DB_RESERVES, turn->b, sizeof(turn->b), record,
                       ledger_reserve_write(record, r, process, at_ms));
    for (size_t i = 0; i < r->n && rc == 0; i++) {
        const struct ledger_charge *c = &r->charges[i];

        rc = stand(b, c->kind, c->name, &s, false);
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

/* What is counted, and in whose name. */
static struct ledger_sums
sums_of(const struct ledger_spent *spent, const struct ledger_kept *kept,
        bool there)
{
    bool turn = !spent->aside && !spent->part && !(there && kept->aside);
    struct ledger_sums s = {.turns = turn ? 1 : 0,
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

/* The accounts that have no rows. */
static int
count_charges(struct batch *b, const struct ledger_kept *kept, int64_t at_ms,
              const struct ledger_sums *sums)
{
    int rc = 0;

    for (size_t i = 0; i < kept->n && rc == 0; i++)
        if (kept->charges[i].kind == LEDGER_KEY ||
            kept->charges[i].kind == LEDGER_GROUP)
            rc = count_account(b, kept->charges[i].kind, kept->charges[i].name,
                               at_ms, sums);
    return rc;
}

int
batch_settle(struct batch *b, const struct ident *turn,
             const struct ledger_spent *spent, int64_t at_ms)
{
    const char *owner = spent->owner, *model = spent->model;
    struct ledger_sums sums;
    struct ledger_kept kept;
    bool there;
    int rc = read_kept(b, turn, &kept, &there);

    if (rc != 0 || (!there && (spent->worst || model == NULL)))
        return rc;
    if (there)
        owner = kept.owner;
    if (spent->worst)
        model = kept.model;
    if (there && !spent->part)
        rc = unhold(b, turn, &kept);
    if (rc != 0 || model == NULL)
        return rc;
    sums = sums_of(spent, &kept, there);
    rc = count_charges(b, &kept, at_ms, &sums);
    if (rc == 0)
        rc = count_account(b, LEDGER_OWNER, owner, at_ms, &sums);
    if (rc == 0)
        rc = count_account(b, LEDGER_MODEL, model, at_ms, &sums);
    return rc != 0 ? rc : count_row(b, owner, model, at_ms, &sums);
}

/* --- operations of their own ---------------------------------------------- */

static int
give_back(struct batch *b, const struct ident *turn)
{
    struct ledger_kept kept;
    bool there;
    int rc = read_kept(b, turn, &kept, &there);

    return rc == 0 && there ? unhold(b, turn, &kept) : rc;
}

int
batch_reserve_op(struct batch *b, struct store_op *op)
{
    int rc;

    op->err = OK;
    if (op->reserve.what.n == 0)
        return give_back(b, &op->reserve.turn);
    rc = batch_hold_check(b, &op->reserve.turn, &op->reserve.what,
                          op->reserve.at_ms, &op->err);
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
    bool open = false;
    int rc = op->settle.spent.part ? 0 : is_open(b, &op->settle.turn, &open);

    op->err = rc == 0 && open ? ERR_CONFLICT : OK;
    if (rc != 0 || op->err != OK)
        return rc;
    return batch_settle(b, &op->settle.turn, &op->settle.spent,
                        op->settle.at_ms);
}
