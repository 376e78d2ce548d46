/*
 * The ledger: each record can be read, an account's standing is the sum of the
 * reserves that name it, and no turn that has ended has a reserve. A reserve
 * without a turn is no fault: turns that store nothing have them too, and one
 * whose process died is settled when somebody sweeps.
 *
 * Accounts with reserves are gathered in a tree; there are as many as turns are
 * open.
 */
#include "base/base.h"

#include "store/fsck_inside.h"

#include <search.h>

#include "base/mem.h"

struct standing {
    struct ledger_standing sum;
    bool seen; /* in the ledger */
    size_t n;
    uint8_t key[LEDGER_KEY_MAX];
};

static int
compare(const void *a, const void *b)
{
    const struct standing *x = a, *y = b;

    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return memcmp(x->key, y->key, x->n);
}

static struct standing *
find(struct fsck *f, const void *key, size_t n)
{
    struct standing s = {.n = n}, **at;

    memcpy(s.key, key, n);
    at = tfind(&s, &f->standings, compare);
    return at != NULL ? *at : NULL;
}

static void
add(struct fsck *f, enum ledger_kind kind, const char *name,
    const struct ledger_kept *kept)
{
    struct ledger_standing more = ledger_kept_standing(kept);
    struct standing s = {.n = 0}, *at;

    s.n = ledger_key(s.key, kind, LEDGER_STANDING, name);
    at = find(f, s.key, s.n);
    if (at == NULL) {
        struct standing **put = tsearch(xmemdup0(&s, sizeof(s)), &f->standings,
                                        compare);

        if (put == NULL)
            abort(); /* no memory */
        at = *put;
    }
    ledger_stand(&at->sum, &more);
}

static void
check_reserve(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    struct ledger_kept kept;
    struct turn_info t;
    struct ident id;
    uint64_t no;

    if (k->mv_size != sizeof(id.b) ||
        ledger_reserve_read(v->mv_data, v->mv_size, &kept) != OK) {
        fsck_drop(f, DB_RESERVES, k, "cannot be decoded");
        return;
    }
    memcpy(id.b, k->mv_data, sizeof(id.b));
    if (fsck_turn(f, &id, &t, &no) == OK && t.state == TURN_STATE_ENDED) {
        fsck_drop(f, DB_RESERVES, k, "is of a turn that has ended");
        return;
    }
    for (size_t i = 0; i < kept.n; i++)
        add(f, kept.charges[i].kind, kept.charges[i].name, &kept);
}

static void
put_standing(struct fsck *f, const struct standing *s)
{
    uint8_t record[LEDGER_SUMS_MAX];

    fsck_fix(f, DB_LEDGER, s->key, s->n, record,
             ledger_standing_write(record, &s->sum));
}

static void
check_standing(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    struct standing *s = find(f, k->mv_data, k->mv_size);
    struct ledger_standing says;
    char key[FSCK_KEY_MAX];

    if (s == NULL) {
        fsck_drop(f, DB_LEDGER, k, "stands for turns that reserved nothing");
        return;
    }
    s->seen = true;
    if (ledger_standing_read(v->mv_data, v->mv_size, &says) == OK &&
        says.open == s->sum.open && says.tokens == s->sum.tokens &&
        says.micro == s->sum.micro)
        return;
    fsck_key(key, DB_LEDGER, k);
    fsck_fault(f, DB_LEDGER, key, true,
               "%" PRId64 " turns have reserved %" PRId64 " tokens",
               s->sum.open, s->sum.tokens);
    put_standing(f, s);
}

static void
check_ledger(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    struct ledger_place at;
    struct ledger_sums sums;

    if (ledger_key_read(k->mv_data, k->mv_size, &at) != OK)
        fsck_drop(f, DB_LEDGER, k, "the key is of no account");
    else if (at.kind != LEDGER_ROW && at.period == LEDGER_STANDING)
        check_standing(f, k, v);
    else if (ledger_sums_read(v->mv_data, v->mv_size, &sums) != OK)
        fsck_drop(f, DB_LEDGER, k, "cannot be decoded");
}

static void
check_unseen(const void *node, VISIT which, void *arg)
{
    const struct standing *const *s = node;
    struct fsck *f = arg;
    char text[FSCK_KEY_MAX];

    if ((which != postorder && which != leaf) || (*s)->seen)
        return;
    fsck_key(text, DB_LEDGER,
             &(MDB_val){(*s)->n, (void *)(uintptr_t)(*s)->key});
    fsck_fault(f, DB_LEDGER, text, true,
               "is not there, and turns have reserved");
    put_standing(f, *s);
}

void
fsck_ledger(struct fsck *f)
{
    fsck_walk(f, DB_RESERVES, check_reserve);
    fsck_walk(f, DB_LEDGER, check_ledger);
    twalk_r(f->standings, check_unseen, f);
    tdestroy(f->standings, free);
    f->standings = NULL;
}
