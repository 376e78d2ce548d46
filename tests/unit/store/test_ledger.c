/*
 * The ledger: what fits, days, keys and records; and in LMDB, that a turn
 * reserves with its question, settles with its answer, and that nothing is
 * counted twice or forgotten.
 */
#include "store_test.h"

#include <lmdb.h>

#include "store/backend.h"

#define NOV_21 INT64_C(1795219200000) /* 2026-11-21, 00:00 UTC */
#define DAY_MS INT64_C(86400000)

/* --- days ----------------------------------------------------------------- */

static void
days_and_months_are_utc(void **state)
{
    uint32_t first, last;

    (void)state;
    assert_int_equal(ledger_day(NOV_21), 20261121);
    assert_int_equal(ledger_day(NOV_21 - 1), 20261120);
    assert_int_equal(ledger_month(NOV_21), 202611);
    assert_int_equal(ledger_next_day_ms(NOV_21), NOV_21 + DAY_MS);
    assert_int_equal(ledger_next_day_ms(NOV_21 - 1), NOV_21);
    assert_int_equal(ledger_next_month_ms(NOV_21), NOV_21 + 10 * DAY_MS);
    assert_int_equal(ledger_day(ledger_next_month_ms(NOV_21 + 15 * DAY_MS)),
                     20270101);
    assert_int_equal(ledger_after(20260228), 20260301);
    assert_int_equal(ledger_after(20261231), 20270101);
    assert_true(ledger_is_day(20280229));
    assert_false(ledger_is_day(20260229));
    assert_false(ledger_is_day(20261301));
    ledger_days(202611, &first, &last);
    assert_int_equal(first, 20261101);
    assert_int_equal(last, 20261131);
    ledger_days(20261121, &first, &last);
    assert_int_equal(first, last);
}

/* --- the rule ------------------------------------------------------------- */

static void
a_limit_holds_up_to_itself(void **state)
{
    struct ledger_limits l = {.day_tokens = 100, .month_micro = 50};
    struct ledger_sums day = {.input_tokens = 30, .output_tokens = 20};
    struct ledger_sums month = {.micro = 20};
    struct ledger_standing s = {1, 40, 10};
    struct ledger_over over = {.limit = LEDGER_FITS};

    (void)state;
    assert_true(ledger_fits(&l, &day, &month, &s, 10, 20, NOV_21, &over));
    assert_int_equal(over.limit, LEDGER_FITS);
    assert_false(ledger_fits(&l, &day, &month, &s, 11, 20, NOV_21, &over));
    assert_int_equal(over.limit, LEDGER_DAY_TOKENS);
    assert_int_equal(over.max, 100);
    assert_int_equal(over.left, 10);
    assert_int_equal(over.anew_ms, NOV_21 + DAY_MS);
    assert_false(ledger_fits(&l, &day, &month, &s, 10, 21, NOV_21, &over));
    assert_int_equal(over.limit, LEDGER_MONTH_MICRO);
    assert_int_equal(over.left, 20);
    assert_int_equal(over.anew_ms, NOV_21 + 10 * DAY_MS);
    l = (struct ledger_limits){.turns_at_once = 2};
    assert_true(ledger_fits(&l, &day, &month, &s, 1000, 1000, NOV_21, &over));
    s.open = 2;
    assert_false(ledger_fits(&l, &day, &month, &s, 0, 0, NOV_21, &over));
    assert_int_equal(over.limit, LEDGER_TURNS);
    assert_int_equal(over.anew_ms, 0);
    l = (struct ledger_limits){.day_tokens = -1};
    assert_true(
        ledger_fits(&l, &day, &month, &s, INT64_MAX, INT64_MAX, NOV_21, &over));
    l = (struct ledger_limits){.day_tokens = 10};
    day.input_tokens = s.tokens = INT64_MAX;
    assert_false(
        ledger_fits(&l, &day, &month, &s, INT64_MAX, 0, NOV_21, &over));
    assert_int_equal(over.left, 0);
}

/* --- bytes ---------------------------------------------------------------- */

static void
keys_say_what_they_are(void **state)
{
    uint8_t key[LEDGER_KEY_MAX];
    struct ledger_place at;
    size_t n;

    (void)state;
    n = ledger_key(key, LEDGER_OWNER, 20261121, "local/ann");
    assert_int_equal(n, 5 + 9);
    assert_int_equal(ledger_key_read(key, n, &at), OK);
    assert_int_equal(at.kind, LEDGER_OWNER);
    assert_int_equal(at.period, 20261121);
    assert_string_equal(at.name, "local/ann");
    n = ledger_row_key(key, 20261121, "", "openai/x");
    assert_int_equal(ledger_key_read(key, n, &at), OK);
    assert_int_equal(at.kind, LEDGER_ROW);
    assert_string_equal(at.owner, "");
    assert_string_equal(at.name, "openai/x");
    n = ledger_row_key(key, 20261121, "local/ann", "openai/x");
    assert_int_equal(ledger_key_read(key, n, &at), OK);
    assert_string_equal(at.owner, "local/ann");
    key[5] = 200; /* longer than what follows */
    assert_int_equal(ledger_key_read(key, n, &at), ERR_STORE);
    assert_int_equal(ledger_key_read(key, 4, &at), ERR_STORE);
    assert_int_equal(ledger_key_read("x....", 5, &at), ERR_STORE);
    assert_int_equal(ledger_key_read("u....", 5, &at), ERR_STORE);
}

static void
records_come_back_and_nothing_else_does(void **state)
{
    struct ledger_charge charges[2] = {
        {LEDGER_OWNER, "local/ann", {.day_tokens = 1}},
        {LEDGER_MODEL, "openai/x", {.day_tokens = 1}}};
    struct ledger_reserve r = {.charges = charges,
                               .n = 2,
                               .owner = "local/ann",
                               .model = "openai/x",
                               .input_tokens = 3,
                               .input_micro = 4,
                               .tokens = 500,
                               .micro = 600};
    struct ledger_sums sums = {1, 2, 300, 4, INT64_MAX}, back;
    struct process p = {42, 99};
    uint8_t a[LEDGER_SUMS_MAX], b[LEDGER_RESERVE_MAX];
    struct ledger_kept kept;
    size_t n = ledger_sums_write(a, &sums);

    (void)state;
    assert_int_equal(ledger_sums_read(a, n, &back), OK);
    assert_memory_equal(&back, &sums, sizeof(sums));
    for (size_t i = 0; i < n; i++)
        assert_int_equal(ledger_sums_read(a, i, &back), ERR_STORE);
    n = ledger_reserve_write(b, &r, &p, 7);
    assert_int_equal(ledger_reserve_read(b, n, &kept), OK);
    assert_int_equal(kept.at_ms, 7);
    assert_int_equal(kept.process.pid, 42);
    assert_int_equal(kept.process.start_ticks, 99);
    assert_int_equal(kept.tokens, 500);
    assert_int_equal(kept.micro, 600);
    assert_int_equal(kept.n, 2);
    assert_string_equal(kept.charges[1].name, "openai/x");
    for (size_t i = 0; i < n; i++)
        assert_int_equal(ledger_reserve_read(b, i, &kept), ERR_STORE);
}

/* What an older version wrote has no flags: it is of a turn. */
static void
an_older_reserve_can_be_read(void **state)
{
    static const uint8_t old[] = {1, 7, 42, 99, 3, 4, 5, 6, 1, 'a', 1, 'm', 0};
    struct ledger_kept kept;

    (void)state;
    assert_int_equal(ledger_reserve_read(old, sizeof(old), &kept), OK);
    assert_int_equal(kept.at_ms, 7);
    assert_int_equal(kept.micro, 6);
    assert_false(kept.aside);
    assert_string_equal(kept.model, "m");
    assert_int_equal(ledger_kept_standing(&kept).open, 1);
}

/* --- what is old ---------------------------------------------------------- */

static void
this_month_is_always_kept(void **state)
{
    (void)state;
    assert_int_equal(ledger_keeps_from(NOV_21, 30), 20261022);
    assert_int_equal(ledger_keeps_from(NOV_21 + DAY_MS - 1, 30), 20261022);
    assert_int_equal(ledger_keeps_from(NOV_21, 21), 20261031);
    for (int64_t days = 1; days <= 20; days++)
        assert_int_equal(ledger_keeps_from(NOV_21, days), 20261101);
    assert_int_equal(ledger_keeps_from(NOV_21 + 10 * DAY_MS, 1), 20261101);
    assert_int_equal(ledger_keeps_from(NOV_21 + 11 * DAY_MS, 1), 20261201);
    assert_int_equal(ledger_keeps_from(NOV_21, 400), 20251017);
    assert_int_equal(ledger_keeps_from(NOV_21, 36500), 19700101);
}

/* --- in the store --------------------------------------------------------- */

static struct store *
store_of(void **state)
{
    struct on_store *f = *state;

    return f->s;
}

static const struct ledger_charge *
ann(int64_t day_tokens)
{
    static struct ledger_charge charges[3] = {
        {LEDGER_OWNER, "local/ann", {.day_tokens = 0}},
        {LEDGER_KEY, "k1", {.day_tokens = 0}},
        {LEDGER_MODEL, "openai/x", {.day_tokens = 0}}};

    charges[0].limits.day_tokens = day_tokens;
    charges[1].limits.turns_at_once = 1000000;
    charges[2].limits.month_micro = 1000000000;
    return charges;
}

static void
reserve(struct ledger_reserve *r, int64_t day_tokens, int64_t tokens)
{
    *r = (struct ledger_reserve){.charges = ann(day_tokens),
                                 .n = 3,
                                 .owner = "local/ann",
                                 .model = "openai/x",
                                 .input_tokens = 2,
                                 .input_micro = 3,
                                 .tokens = tokens,
                                 .micro = 10 * tokens};
}

static struct store_op
op_reserved(const char *session, int64_t day_tokens, int64_t tokens)
{
    struct store_op op = op_begin("local/ann", session, "q");

    op.begin.user.at_ms = NOV_21;
    reserve(&op.begin.reserve, day_tokens, tokens);
    return op;
}

static const struct ledger_spent five = {.owner = "local/ann",
                                         .model = "openai/x",
                                         .input_tokens = 3,
                                         .output_tokens = 2,
                                         .micro = 50};

static struct store_op
op_spent(const struct ident *turn, const struct ledger_spent *spent)
{
    struct store_op op = op_end(turn, "a");

    op.end.answer.at_ms = NOV_21 + 1;
    op.end.spent = *spent;
    return op;
}

static struct ledger_account
account(struct store *s, enum ledger_kind kind, const char *name, int64_t at_ms)
{
    struct ledger_account a = {.day = {.turns = 0}};
    struct ledger_query q = {
        .account = &a, .kind = kind, .name = name, .at_ms = at_ms};

    assert_int_equal(store_ledger(s, &q), OK);
    return a;
}

static void
assert_account(struct store *s, enum ledger_kind kind, const char *name,
               int64_t day_tokens, int64_t open, int64_t reserved)
{
    struct ledger_account a = account(s, kind, name, NOV_21);

    assert_int_equal(a.day.input_tokens + a.day.output_tokens, day_tokens);
    assert_int_equal(a.month.input_tokens + a.month.output_tokens, day_tokens);
    assert_int_equal(a.standing.open, open);
    assert_int_equal(a.standing.tokens, reserved);
    assert_int_equal(a.standing.micro, 10 * reserved);
}

static bool
count_held(void *arg, const struct ledger_held *held)
{
    assert_int_equal(held->process.pid, getpid());
    ++*(size_t *)arg;
    return true;
}

static size_t
n_held(struct store *s)
{
    size_t n = 0;
    struct ledger_query q = {.held = count_held, .arg = &n};

    assert_int_equal(store_ledger(s, &q), OK);
    return n;
}

static bool
row_text(void *arg, const struct ledger_row *r)
{
    struct text *t = arg;

    t->n += (size_t)snprintf(
        t->s + t->n, sizeof(t->s) - t->n,
        "%u %s %s %" PRId64 "/%" PRId64 "/%" PRId64 "/%" PRId64 "|", r->day,
        r->owner, r->model, r->sums.turns, r->sums.input_tokens,
        r->sums.output_tokens, r->sums.micro);
    return ++t->count != t->stop_after;
}

static void
assert_rows(struct store *s, const char *owner, uint32_t from, uint32_t to,
            const char *want)
{
    struct text t = {0};
    struct ledger_query q = {
        .row = row_text, .owner = owner, .from = from, .to = to, .arg = &t};

    assert_int_equal(store_ledger(s, &q), OK);
    assert_string_equal(t.s, want);
}

static void
a_turn_reserves_and_settles(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_reserved("abc", 100, 60), e;

    assert_int_equal(store_apply(s, &b), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 0, 1, 60);
    assert_account(s, LEDGER_KEY, "k1", 0, 1, 60);
    assert_account(s, LEDGER_MODEL, "openai/x", 0, 1, 60);
    assert_int_equal(n_held(s), 1);
    e = op_spent(&b.begin.turn, &five);
    assert_int_equal(store_apply(s, &e), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 5, 0, 0);
    assert_account(s, LEDGER_KEY, "k1", 5, 0, 0);
    assert_account(s, LEDGER_MODEL, "openai/x", 5, 0, 0);
    assert_int_equal(n_held(s), 0);
    assert_rows(s, "local/ann", 20261121, 20261121,
                "20261121 local/ann openai/x 1/3/2/50|");
    assert_int_equal(store_apply(s, &e), ERR_CONFLICT); /* it has ended */
    assert_account(s, LEDGER_OWNER, "local/ann", 5, 0, 0);
}

static void
what_does_not_fit_leaves_nothing(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_reserved("abc", 100, 100), c;
    struct session sess;

    assert_int_equal(store_apply(s, &b), OK);
    c = op_reserved("def", 100, 1);
    assert_int_equal(store_apply(s, &c), ERR_LIMIT);
    assert_int_equal(c.begin.reserve.over.limit, LEDGER_DAY_TOKENS);
    assert_int_equal(c.begin.reserve.over.charge, 0);
    assert_int_equal(c.begin.reserve.over.left, 0);
    assert_false(c.begin.too_many_sessions);
    assert_int_equal(store_session(s, "local/ann", "def", &sess), ERR_NOTFOUND);
    assert_int_equal(n_held(s), 1);
    c = op_reserved("def", 101, 1);
    assert_int_equal(store_apply(s, &c), OK);
}

/* All of them in one batch or in many: exactly those that fit. */
static void
of_many_at_once_exactly_those_that_fit_begin(void **state)
{
    enum { N = 200, FIT = 10 };
    struct store *s = store_of(state);
    struct store_op *ops = calloc(N, sizeof(*ops));
    char names[N][16];
    size_t begun = 0;

    assert_non_null(ops);
    for (int i = 0; i < N; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "s%d", i);
        ops[i] = op_reserved(names[i], FIT * 7, 7);
        if (store_apply(s, &ops[i]) == OK)
            begun++;
    }
    assert_int_equal(begun, FIT);
    assert_account(s, LEDGER_OWNER, "local/ann", 0, FIT, FIT * 7);
    for (int i = 0; i < N; i++)
        if (ops[i].err == OK) {
            struct store_op e = op_spent(&ops[i].begin.turn, &five);

            assert_int_equal(store_apply(s, &e), OK);
        }
    assert_account(s, LEDGER_OWNER, "local/ann", FIT * 5, 0, 0);
    free(ops);
}

static void
a_deleted_session_settles_too(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_reserved("abc", 100, 60), d, e;

    assert_int_equal(store_apply(s, &b), OK);
    d = op_on(STORE_SESSION_DELETE, "local/ann", "abc");
    assert_int_equal(store_apply(s, &d), OK);
    assert_int_equal(n_held(s), 1);
    e = op_spent(&b.begin.turn, &five);
    assert_int_equal(store_apply(s, &e), ERR_NOTFOUND);
    assert_account(s, LEDGER_OWNER, "local/ann", 5, 0, 0);
    assert_int_equal(n_held(s), 0);
}

static void
what_stores_nothing_reserves_and_settles_too(void **state)
{
    struct store *s = store_of(state);
    struct store_op r = {.kind = STORE_RESERVE}, t = {.kind = STORE_SETTLE};

    r.reserve.turn = t.settle.turn = ident_v7();
    r.reserve.process = process_self();
    r.reserve.at_ms = t.settle.at_ms = NOV_21;
    reserve(&r.reserve.what, 100, 60);
    assert_int_equal(store_apply(s, &r), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 0, 1, 60);
    t.settle.spent = five;
    assert_int_equal(store_apply(s, &t), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 5, 0, 0);
    reserve(&r.reserve.what, 100, 96);
    assert_int_equal(store_apply(s, &r), ERR_LIMIT);
    assert_int_equal(r.reserve.what.over.left, 95);
    reserve(&r.reserve.what, 100, 95);
    assert_int_equal(store_apply(s, &r), OK);
    t.settle.spent = (struct ledger_spent){.model = NULL}; /* nothing */
    assert_int_equal(store_apply(s, &t), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 5, 0, 0);
}

/* Of a turn that is open the answer settles; else nobody can say more. */
static void
the_worst_is_counted_where_nobody_knows(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_reserved("abc", 1000, 60), d, e;
    struct store_op t = {.kind = STORE_SETTLE};

    assert_int_equal(store_apply(s, &b), OK);
    t.settle.turn = b.begin.turn;
    t.settle.at_ms = NOV_21;
    t.settle.spent.worst = true;
    assert_int_equal(store_apply(s, &t), ERR_CONFLICT);
    d = op_on(STORE_SESSION_DELETE, "local/ann", "abc");
    assert_int_equal(store_apply(s, &d), OK);
    assert_int_equal(store_apply(s, &t), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 60, 0, 0);
    assert_rows(s, NULL, 20261101, 20261130,
                "20261121 local/ann openai/x 1/2/58/600|");
    assert_int_equal(store_apply(s, &t), OK); /* nothing is there any more */
    assert_account(s, LEDGER_OWNER, "local/ann", 60, 0, 0);
    /* Of a mended turn the text is known, and what was sent is not. */
    b = op_reserved("def", 1000, 60);
    assert_int_equal(store_apply(s, &b), OK);
    e = op_spent(&b.begin.turn, &five);
    e.end.spent.input_tokens = -1;
    assert_int_equal(store_apply(s, &e), OK);
    assert_rows(s, NULL, 20261101, 20261130,
                "20261121 local/ann openai/x 2/4/60/653|");
}

/* Without limits only rows are written, and they count when limits come. */
static void
what_was_used_before_there_were_limits_counts(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("local/ann", "abc", "q"), e, c;

    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(n_held(s), 0);
    e = op_spent(&b.begin.turn, &five);
    assert_int_equal(store_apply(s, &e), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 5, 0, 0);
    assert_account(s, LEDGER_MODEL, "openai/x", 5, 0, 0);
    assert_account(s, LEDGER_KEY, "k1", 0, 0, 0);
    c = op_reserved("def", 10, 6);
    assert_int_equal(store_apply(s, &c), ERR_LIMIT);
    c = op_reserved("def", 10, 5);
    assert_int_equal(store_apply(s, &c), OK);
    e = op_spent(&c.begin.turn, &five);
    assert_int_equal(store_apply(s, &e), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 10, 0, 0);
}

static void
a_new_day_begins_anew(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_reserved("abc", 10, 10), e;
    struct ledger_account a;

    assert_int_equal(store_apply(s, &b), OK);
    e = op_spent(&b.begin.turn, &five);
    assert_int_equal(store_apply(s, &e), OK);
    b = op_reserved("abc", 10, 10);
    assert_int_equal(store_apply(s, &b), ERR_LIMIT);
    b = op_reserved("abc", 10, 10);
    b.begin.user.at_ms = NOV_21 + DAY_MS;
    assert_int_equal(store_apply(s, &b), OK);
    e = op_spent(&b.begin.turn, &five);
    e.end.answer.at_ms = NOV_21 + DAY_MS + 1;
    assert_int_equal(store_apply(s, &e), OK);
    a = account(s, LEDGER_OWNER, "local/ann", NOV_21 + DAY_MS);
    assert_int_equal(a.day.input_tokens, 3);
    assert_int_equal(a.month.input_tokens, 6);
    assert_rows(s, "local/ann", 20261101, 20261130,
                "20261121 local/ann openai/x 1/3/2/50|"
                "20261122 local/ann openai/x 1/3/2/50|");
    assert_rows(s, "local/an", 20261101, 20261130, "");
}

/* How many sums of months the file has for this kind of account. */
static int
n_months(const struct on_store *f, enum ledger_kind kind)
{
    struct ledger_place at;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_cursor *c;
    MDB_val k, v;
    int n = 0;

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
    assert_int_equal(mdb_env_open(env, f->dir, MDB_RDONLY, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "ledger", 0, &dbi), 0);
    assert_int_equal(mdb_cursor_open(txn, dbi, &c), 0);
    while (mdb_cursor_get(c, &k, &v, MDB_NEXT) == 0) {
        assert_int_equal(ledger_key_read(k.mv_data, k.mv_size, &at), OK);
        n += at.kind == kind && at.period > LEDGER_STANDING &&
             at.period < 1000000;
    }
    mdb_cursor_close(c);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return n;
}

/* What can be summed up again does not stay for ever; a key's has no rows. */
static void
sums_of_past_months_go(void **state)
{
    struct on_store *f = *state;
    struct store_config conf = {.dir = f->dir, .map_bytes = TEST_MAP};
    struct ledger_account a;

    for (int i = 0; i < 12; i++) {
        struct store_op b = op_reserved("abc", 10, 10), e;

        b.begin.user.at_ms = NOV_21 + 31 * i * DAY_MS;
        assert_int_equal(store_apply(f->s, &b), OK);
        e = op_spent(&b.begin.turn, &five);
        e.end.answer.at_ms = b.begin.user.at_ms + 1;
        assert_int_equal(store_apply(f->s, &e), OK);
    }
    a = account(f->s, LEDGER_OWNER, "local/ann", NOV_21);
    assert_int_equal(a.month.input_tokens, 3);
    a = account(f->s, LEDGER_MODEL, "openai/x", NOV_21);
    assert_int_equal(a.month.input_tokens, 3);
    a = account(f->s, LEDGER_KEY, "k1", NOV_21);
    assert_int_equal(a.month.input_tokens, 3);
    store_close(f->s);
    f->s = NULL;
    assert_int_equal(n_months(f, LEDGER_OWNER), 1);
    assert_int_equal(n_months(f, LEDGER_MODEL), 1);
    assert_int_equal(n_months(f, LEDGER_KEY), 12);
    assert_int_equal(store_open_on(&f->s, f->be, &conf), OK);
}

static void
a_turn_that_is_there_already_reserves_nothing(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_reserved("abc", 1000, 60), c;

    b.begin.idem_scope = "abc";
    b.begin.idem_key = "key";
    assert_int_equal(store_apply(s, &b), OK);
    c = op_reserved("abc", 1000, 60);
    c.begin.idem_scope = "abc";
    c.begin.idem_key = "key";
    assert_int_equal(store_apply(s, &c), ERR_CONFLICT);
    assert_true(c.begin.idem_hit);
    c = op_reserved("abc", 1000, 60); /* the session is busy */
    assert_int_equal(store_apply(s, &c), ERR_CONFLICT);
    assert_account(s, LEDGER_OWNER, "local/ann", 0, 1, 60);
}

static void
names_have_bounds(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_reserved("abc", 1000, 60);
    char name[LEDGER_NAME_MAX + 2];
    struct ledger_charge c = {LEDGER_KEY, name, {.day_tokens = 9}};

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    b.begin.reserve.charges = &c;
    b.begin.reserve.n = 1;
    assert_int_equal(store_apply(s, &b), ERR_TOOBIG);
    name[LEDGER_NAME_MAX] = '\0';
    b.begin.reserve.tokens = 9;
    assert_int_equal(store_apply(s, &b), OK);
}

/* --- a reserve takes the place of another --------------------------------- */

static struct store_op
op_reserve_other(const struct ident *turn, const struct ledger_charge *charges,
                 size_t n, int64_t tokens)
{
    struct store_op op = {.kind = STORE_RESERVE};

    op.reserve.turn = *turn;
    op.reserve.process = process_self();
    op.reserve.at_ms = NOV_21;
    op.reserve.what = (struct ledger_reserve){.charges = charges,
                                              .n = n,
                                              .owner = "local/ann",
                                              .model = "openai/y",
                                              .tokens = tokens,
                                              .micro = 10 * tokens};
    return op;
}

static void
another_model_takes_the_place_of_the_first(void **state)
{
    struct store *s = store_of(state);
    struct ledger_charge other[2] = {
        {LEDGER_OWNER, "local/ann", {.day_tokens = 100}},
        {LEDGER_MODEL, "openai/y", {.day_tokens = 39}}};
    struct store_op b = op_reserved("abc", 100, 60), r, e;
    struct ledger_spent spent = five;

    assert_int_equal(store_apply(s, &b), OK);
    r = op_reserve_other(&b.begin.turn, other, 2, 40);
    assert_int_equal(store_apply(s, &r), ERR_LIMIT);
    assert_int_equal(r.reserve.what.over.charge, 1);
    assert_account(s, LEDGER_MODEL, "openai/x", 0, 1, 60); /* as it was */
    assert_account(s, LEDGER_MODEL, "openai/y", 0, 0, 0);
    other[1].limits.day_tokens = 100;
    r = op_reserve_other(&b.begin.turn, other, 2, 100);
    assert_int_equal(store_apply(s, &r), OK); /* its own 60 do not count */
    assert_account(s, LEDGER_OWNER, "local/ann", 0, 1, 100);
    assert_account(s, LEDGER_KEY, "k1", 0, 0, 0);
    assert_account(s, LEDGER_MODEL, "openai/x", 0, 0, 0);
    assert_account(s, LEDGER_MODEL, "openai/y", 0, 1, 100);
    assert_int_equal(n_held(s), 1);
    spent.model = "openai/y";
    e = op_spent(&b.begin.turn, &spent);
    assert_int_equal(store_apply(s, &e), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 5, 0, 0);
    assert_account(s, LEDGER_MODEL, "openai/x", 0, 0, 0);
    assert_account(s, LEDGER_MODEL, "openai/y", 5, 0, 0);
    assert_int_equal(n_held(s), 0);
}

static void
a_reserve_of_nothing_gives_back(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_reserved("abc", 100, 60), r, e;

    assert_int_equal(store_apply(s, &b), OK);
    r = op_reserve_other(&b.begin.turn, NULL, 0, 0);
    assert_int_equal(store_apply(s, &r), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 0, 0, 0);
    assert_int_equal(n_held(s), 0);
    assert_int_equal(store_apply(s, &r), OK); /* there is none */
    e = op_spent(&b.begin.turn, &five);
    assert_int_equal(store_apply(s, &e), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 5, 0, 0);
}

/* Of a turn that is open in the store as well. */
static void
a_part_is_counted_and_the_rest_stays(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_reserved("abc", 100, 60), e;
    struct store_op t = {.kind = STORE_SETTLE};

    assert_int_equal(store_apply(s, &b), OK);
    t.settle.turn = b.begin.turn;
    t.settle.at_ms = NOV_21;
    t.settle.spent = five;
    t.settle.spent.part = true;
    assert_int_equal(store_apply(s, &t), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 5, 1, 60);
    assert_account(s, LEDGER_KEY, "k1", 5, 1, 60);
    assert_rows(s, NULL, 20261101, 20261130,
                "20261121 local/ann openai/x 0/3/2/50|");
    e = op_spent(&b.begin.turn, &five);
    assert_int_equal(store_apply(s, &e), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 10, 0, 0);
    assert_account(s, LEDGER_KEY, "k1", 10, 0, 0);
    assert_rows(s, NULL, 20261101, 20261130,
                "20261121 local/ann openai/x 1/6/4/100|");
}

static void
an_aside_is_none_of_the_turns_at_once(void **state)
{
    struct store *s = store_of(state);
    struct ledger_charge one = {
        LEDGER_OWNER, "local/ann", {.day_tokens = 100, .turns_at_once = 1}};
    struct ident turn = ident_v7(), aside = ident_v7();
    struct store_op r = op_reserve_other(&turn, &one, 1, 10), a;
    struct store_op t = {.kind = STORE_SETTLE};

    assert_int_equal(store_apply(s, &r), OK);
    a = op_reserve_other(&aside, &one, 1, 91);
    a.reserve.what.aside = true;
    assert_int_equal(store_apply(s, &a), ERR_LIMIT);
    assert_int_equal(a.reserve.what.over.limit, LEDGER_DAY_TOKENS);
    a = op_reserve_other(&aside, &one, 1, 90);
    a.reserve.what.aside = true;
    assert_int_equal(store_apply(s, &a), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 0, 1, 100);
    t.settle.at_ms = NOV_21;
    t.settle.turn = turn;
    assert_int_equal(store_apply(s, &t), OK);
    assert_account(s, LEDGER_OWNER, "local/ann", 0, 0, 90);
    t.settle.turn = aside;
    t.settle.spent.worst = true; /* its process died */
    assert_int_equal(store_apply(s, &t), OK);
    assert_rows(s, NULL, 20261101, 20261130,
                "20261121 local/ann openai/y 0/0/90/900|");
}

static bool
keep_first(void *arg, const struct ledger_held *held)
{
    *(struct ident *)arg = held->id;
    return false;
}

static void
reserves_are_given_from_one_on(void **state)
{
    struct store *s = store_of(state);
    struct ledger_charge c = {LEDGER_OWNER, "local/ann", {.day_tokens = 100}};
    struct ident ids[3] = {{{1}}, {{2}}, {{3}}}, after = {{0}}, got;
    struct ledger_query q = {.held = keep_first, .after = &after, .arg = &got};

    for (size_t i = 0; i < 3; i++) {
        struct store_op r = op_reserve_other(&ids[i], &c, 1, 1);

        assert_int_equal(store_apply(s, &r), OK);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(store_ledger(s, &q), OK);
        assert_true(ident_eq(&got, &ids[i]));
        after = got;
    }
    memset(&got, 0, sizeof(got));
    assert_int_equal(store_ledger(s, &q), OK);
    assert_true(ident_is_zero(&got));
}

/* --- what is old goes ----------------------------------------------------- */

static void
used(struct store *s, int64_t at_ms)
{
    struct store_op t = {.kind = STORE_SETTLE};

    t.settle.turn = ident_v7();
    t.settle.at_ms = at_ms;
    t.settle.spent = five;
    assert_int_equal(store_apply(s, &t), OK);
}

static uint32_t
oldest(struct store *s)
{
    uint32_t day = 1;
    struct ledger_query q = {.oldest = &day};

    assert_int_equal(store_ledger(s, &q), OK);
    return day;
}

static uint32_t
pruned(struct store *s, uint32_t before, uint32_t limit)
{
    struct store_op op = {.kind = STORE_LEDGER_PRUNE};

    op.prune.before = before;
    op.prune.limit = limit;
    assert_int_equal(store_apply(s, &op), OK);
    return op.prune.n;
}

static void
rows_before_a_day_go_a_few_at_a_time(void **state)
{
    struct store *s = store_of(state);

    assert_int_equal(oldest(s), 0);
    assert_int_equal(pruned(s, 20261121, 10), 0);
    for (int day = 0; day < 5; day++)
        used(s, NOV_21 - day * DAY_MS);
    assert_int_equal(oldest(s), 20261117);
    assert_int_equal(pruned(s, 20261117, 10), 0);
    assert_int_equal(pruned(s, 20261120, 2), 2);
    assert_int_equal(oldest(s), 20261119);
    assert_int_equal(pruned(s, 20261120, 2), 1);
    assert_int_equal(pruned(s, 20261120, 2), 0);
    assert_rows(s, NULL, 20261101, 20261130,
                "20261120 local/ann openai/x 1/3/2/50|"
                "20261121 local/ann openai/x 1/3/2/50|");
}

/* A budget of this month holds, and what is reserved stays so. */
static void
old_sums_go_and_those_of_now_stay(void **state)
{
    struct on_store *f = *state;
    struct store_config conf = {.dir = f->dir, .map_bytes = TEST_MAP};
    struct store_op b = op_reserved("abc", 0, 10), e;
    struct ledger_account a;

    for (int i = 12; i >= 0; i--) {
        b = op_reserved("abc", 0, 10);
        b.begin.user.at_ms = NOV_21 - 31 * i * DAY_MS;
        assert_int_equal(store_apply(f->s, &b), OK);
        e = op_spent(&b.begin.turn, &five);
        e.end.answer.at_ms = b.begin.user.at_ms + 1;
        assert_int_equal(store_apply(f->s, &e), OK);
    }
    b = op_reserved("abc", 0, 10);
    assert_int_equal(store_apply(f->s, &b), OK);
    assert_true(pruned(f->s, ledger_keeps_from(NOV_21, 1), 1000) > 12);
    a = account(f->s, LEDGER_KEY, "k1", NOV_21);
    assert_int_equal(a.month.input_tokens, 3);
    assert_int_equal(a.standing.tokens, 10);
    a = account(f->s, LEDGER_OWNER, "local/ann", NOV_21);
    assert_int_equal(a.month.input_tokens, 3);
    a = account(f->s, LEDGER_OWNER, "local/ann", NOV_21 - 31 * DAY_MS);
    assert_int_equal(a.month.input_tokens, 0);
    store_close(f->s);
    f->s = NULL;
    assert_int_equal(n_months(f, LEDGER_OWNER), 1);
    assert_int_equal(n_months(f, LEDGER_KEY), 1);
    assert_int_equal(store_open_on(&f->s, f->be, &conf), OK);
}

#define STORE(t) ON_STORE(t, lmdb)

int
main(void)
{
    static struct on_store lmdb = {.be = &lmdb_backend};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_and_months_are_utc),
        cmocka_unit_test(a_limit_holds_up_to_itself),
        cmocka_unit_test(keys_say_what_they_are),
        cmocka_unit_test(records_come_back_and_nothing_else_does),
        STORE(a_turn_reserves_and_settles),
        STORE(what_does_not_fit_leaves_nothing),
        STORE(of_many_at_once_exactly_those_that_fit_begin),
        STORE(a_deleted_session_settles_too),
        STORE(what_stores_nothing_reserves_and_settles_too),
        STORE(the_worst_is_counted_where_nobody_knows),
        STORE(what_was_used_before_there_were_limits_counts),
        STORE(a_new_day_begins_anew),
        STORE(sums_of_past_months_go),
        STORE(a_turn_that_is_there_already_reserves_nothing),
        STORE(names_have_bounds),
        cmocka_unit_test(an_older_reserve_can_be_read),
        cmocka_unit_test(this_month_is_always_kept),
        STORE(another_model_takes_the_place_of_the_first),
        STORE(a_reserve_of_nothing_gives_back),
        STORE(a_part_is_counted_and_the_rest_stays),
        STORE(an_aside_is_none_of_the_turns_at_once),
        STORE(reserves_are_given_from_one_on),
        STORE(rows_before_a_day_go_a_few_at_a_time),
        STORE(old_sums_go_and_those_of_now_stay),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
