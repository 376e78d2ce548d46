/*
 * What turns reserve and settle, seen in the ledger: stored ones, temporary
 * ones, those that nobody waits for any more, and what a dead process left.
 */
#include "chat_test.h"

#include "chat/charge.h"

static int
setup(void **state)
{
    (void)state;
    rig_folder();
    taps_start();
    conf_override(CONF_BUDGET_DAY_TOKENS, "100000");
    conf_override(CONF_TURNS_AT_ONCE, "2");
    conf_override(CONF_LIMITS_FILE, "");
    rig_start();
    return 0;
}

static struct ledger_account
nobody(void)
{
    struct ledger_account a = {.day = {.turns = 0}};
    struct ledger_query q = {.account = &a,
                             .kind = LEDGER_OWNER,
                             .name = "",
                             .at_ms = clock_wall_ms()};

    assert_int_equal(store_ledger(engine_store(rig), &q), OK);
    return a;
}

/* Nothing is reserved, and so many turns are counted. */
static void
wait_settled(int64_t turns)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    struct ledger_account a = nobody();

    while ((a.standing.open > 0 || a.month.turns < turns) &&
           clock_mono_ms() < until_ms) {
        fake_sleep_ms(5);
        a = nobody();
    }
    assert_int_equal(a.standing.open, 0);
    assert_int_equal(a.standing.tokens, 0);
    assert_int_equal(a.month.turns, turns);
}

static struct turn_ask *
temporary_ask(const char *session, const char *text)
{
    struct turn_ask *a = ask_new(&tap_provider, session, text);

    a->temporary = true;
    return a;
}

static void
nobody_is_asked_before_it_is_reserved(void **state)
{
    struct record *rec;
    int builds = tap_builds;

    (void)state;
    hold_committer();
    rec = ask_tap("abc", "tap 0 one");
    rig_settle();
    fake_sleep_ms(20);
    rig_settle();
    assert_int_equal(tap_builds, builds);
    hold_release();
    tap_text(0, "fine");
    tap_finish(0, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    wait_settled(1);
    assert_true(nobody().day.input_tokens > 0);
}

static void
an_answer_without_a_length_is_given_one(void **state)
{
    struct record *rec = ask_tap("abc", "tap 0 one");
    struct ledger_account a;

    (void)state;
    tap_text(0, "f");
    record_wait_events(rec, 2);
    a = nobody();
    assert_int_equal(a.standing.open, 1);
    assert_in_range(a.standing.tokens, 4096, 4196);
    tap_finish(0, FINISH_STOP);
    record_wait_done(rec);
    wait_settled(1);
}

static void
what_does_not_fit_is_refused(void **state)
{
    struct record *one = ask_tap("one", "tap 0 one");
    struct record *two = ask_it(temporary_ask("two", "tap 1 two"));
    struct record *three;

    (void)state;
    tap_text(0, "f");
    tap_text(1, "f");
    record_wait_events(one, 2);
    record_wait_events(two, 2);
    assert_int_equal(nobody().standing.open, 2);
    three = ask_tap("three", "tap 2 three");
    record_wait_done(three);
    assert_refused(three, ERR_LIMIT, "too_many_turns");
    three = ask_it(temporary_ask("four", "tap 2 four"));
    record_wait_done(three);
    assert_refused(three, ERR_LIMIT, "too_many_turns");
    tap_finish(0, FINISH_STOP);
    tap_finish(1, FINISH_STOP);
    record_wait_done(one);
    record_wait_done(two);
    wait_settled(2);
}

/* A session that turns out to be a temporary one. */
static void
a_temporary_session_is_reserved_by_itself(void **state)
{
    struct record *rec;

    (void)state;
    tap_text(0, "fine");
    tap_finish(0, FINISH_STOP);
    rec = ask_it(temporary_ask("abc", "tap 0 one"));
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    wait_settled(1);
    tap_text(1, "fine");
    tap_finish(1, FINISH_STOP);
    rec = ask_tap("abc", "tap 1 two"); /* without saying so */
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    wait_settled(2);
}

static void
what_fails_costs_nothing(void **state)
{
    struct record *rec;

    (void)state;
    tap_refuse(0, 9, 400);
    rec = ask_tap("abc", "tap 0 one");
    record_wait_done(rec);
    wait_settled(0);
}

/* A try that failed costs what its provider said that it took. */
static void
a_try_that_counted_something_costs_it(void **state)
{
    struct record *rec;
    struct ledger_account a;

    (void)state;
    tap_put(0, 'U', "70 1 0", 6);
    tap_close(0, true);
    rec = ask_tap("abc", "tap 0 one");
    tap_wait_asked(0, 2);
    a = nobody();
    assert_int_equal(a.standing.open, 1);
    assert_true(a.standing.tokens > 4096);
    tap_put(0, 'U', "30 10 0", 7);
    tap_text(0, "fine");
    tap_finish(0, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_end_has(rec, "\"input_tokens\":30");
    wait_settled(1);
    a = nobody();
    assert_int_equal(a.day.input_tokens, 100);
    assert_int_equal(a.day.output_tokens, 11);
}

/* What it took is gone: the next try would be more than is left. */
static void
a_try_that_used_the_budget_up_is_the_last(void **state)
{
    struct record *rec;

    (void)state;
    tap_put(0, 'U', "96000 1 0", 9);
    tap_close(0, true);
    rec = ask_tap("abc", "tap 0 one");
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_end_has(rec, "\"code\":\"budget_exceeded\"");
    assert_end_has(rec, "\"kind\":\"rate_limited\"");
    assert_int_equal(tap_count(&taps[0].asked), 1);
    while (nobody().standing.open > 0)
        fake_sleep_ms(5);
    assert_int_equal(nobody().day.input_tokens, 96000);
}

/* --- reserves without a turn ---------------------------------------------- */

static struct charge *charge;
static struct bill bill;
static struct ident id;
static int answers;

static void
on_answer(void *arg, const struct problem *why)
{
    (void)arg;
    assert_null(why);
    answers++;
}

static void
begin(void *arg)
{
    struct route_choice route = {.provider = &tap_provider, .model = "tap-1"};
    struct payer nobody_pays = {.owner = ""};

    (void)arg;
    bill_init(&bill, rig->allowances, &nobody_pays, "", &route);
    IGNORE(bill_worst(&bill, rig->allowances, &route, 1, 5, 10, NULL) < 0);
    id = ident_v7();
    charge = charge_begin(rig, &id, &bill, on_answer, NULL);
}

static void
drop(void *arg)
{
    (void)arg;
    charge_drop(rig, charge);
}

static void
settle(void *arg)
{
    charge_settle(rig, &id, arg);
}

static void
whoever_leaves_gives_back(void **state)
{
    (void)state;
    answers = 0;
    hold_committer();
    engine_call(rig, begin, NULL);
    engine_call(rig, drop, NULL);
    hold_release();
    wait_settled(0);
    assert_int_equal(answers, 0);
}

static void
what_is_reserved_is_settled(void **state)
{
    struct ledger_spent spent = {.owner = "",
                                 .model = "tap/tap-1",
                                 .input_tokens = 5,
                                 .output_tokens = 3};
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;

    (void)state;
    engine_call(rig, begin, NULL);
    while (nobody().standing.open == 0 && clock_mono_ms() < until_ms)
        fake_sleep_ms(5);
    assert_int_equal(nobody().standing.tokens, 15);
    engine_call(rig, settle, &spent);
    wait_settled(1);
    assert_int_equal(nobody().month.output_tokens, 3);
}

static void
what_a_dead_process_left_is_settled_at_start(void **state)
{
    struct ledger_charge c = {LEDGER_OWNER, "", {.day_tokens = 1000}};
    struct store_op op = {.kind = STORE_RESERVE};
    struct store *s;

    (void)state;
    rig_stop(0);
    s = rig_store_open();
    op.reserve.turn = ident_v7();
    op.reserve.process = dead_process();
    op.reserve.at_ms = clock_wall_ms();
    op.reserve.what = (struct ledger_reserve){.charges = &c,
                                              .n = 1,
                                              .owner = "",
                                              .model = "tap/tap-1",
                                              .input_tokens = 5,
                                              .tokens = 70};
    assert_int_equal(store_apply(s, &op), OK);
    op.reserve.turn = ident_v7();
    op.reserve.process = process_self(); /* it lives */
    assert_int_equal(store_apply(s, &op), OK);
    store_close(s);
    rig_start();
    while (nobody().month.turns == 0)
        fake_sleep_ms(5);
    assert_int_equal(nobody().month.input_tokens, 5);
    assert_int_equal(nobody().month.output_tokens, 65);
    assert_int_equal(nobody().standing.open, 1);
}

/* --- many of them --------------------------------------------------------- */

#define DEAD 200 /* more than go in one transaction */

static void
reserve_for(struct store *s, const struct process *p, const char *owner)
{
    struct ledger_charge c = {LEDGER_OWNER, owner, {.day_tokens = 1000000}};
    struct store_op op = {.kind = STORE_RESERVE};

    op.reserve.turn = ident_v7();
    op.reserve.process = *p;
    op.reserve.at_ms = clock_wall_ms();
    op.reserve.what = (struct ledger_reserve){.charges = &c,
                                              .n = 1,
                                              .owner = owner,
                                              .model = "tap/tap-1",
                                              .input_tokens = 5,
                                              .tokens = 70};
    assert_int_equal(store_apply(s, &op), OK);
}

/* Also behind those that live, and behind turns that are to be mended. */
static void
all_that_dead_processes_left_is_settled(void **state)
{
    struct process dead = dead_process(), own = process_self();
    struct charge_sweep *w = xcalloc(1, sizeof(*w));
    struct ledger_charge c = {LEDGER_OWNER, "", {.day_tokens = 1000000}};
    struct ledger_account a;
    struct store *s;

    (void)state;
    rig_stop(0);
    s = rig_store_open();
    for (size_t i = 0; i < CHARGE_SWEEP_MAX + 6; i++) {
        char session[40];
        struct store_op b;

        (void)snprintf(session, sizeof(session), "open-%zu", i);
        b = op_begin("", session, "q");
        b.begin.process = dead;
        b.begin.reserve = (struct ledger_reserve){
            .charges = &c, .n = 1, .owner = "", .model = "m/n", .tokens = 1};
        assert_int_equal(store_apply(s, &b), OK);
    }
    for (int i = 0; i < DEAD; i++) {
        reserve_for(s, &dead, "");
        if (i % 20 == 0)
            reserve_for(s, &own, "lives");
    }
    charge_sweep(s, w);
    assert_int_equal(w->settled, DEAD);
    assert_int_equal(w->n_open, CHARGE_SWEEP_MAX + 6);
    assert_false(w->more);
    a = (struct ledger_account){.day = {.turns = 0}};
    assert_int_equal(
        store_ledger(s, &(struct ledger_query){.account = &a,
                                               .kind = LEDGER_OWNER,
                                               .name = "",
                                               .at_ms = clock_wall_ms()}),
        OK);
    assert_int_equal(a.month.turns, DEAD);
    assert_int_equal(a.standing.open, CHARGE_SWEEP_MAX + 6);
    charge_sweep(s, w); /* from the first on */
    assert_int_equal(w->settled, 0);
    assert_int_equal(w->n_open, CHARGE_SWEEP_MAX + 6);
    free(w);
    store_close(s);
    rig_start(); /* mends them */
    while (nobody().standing.open > 0)
        fake_sleep_ms(5);
}

/* A pass has an end; the next one goes on. */
static void
a_pass_is_bounded(void **state)
{
    struct process dead = dead_process();
    struct charge_sweep *w = xcalloc(1, sizeof(*w));
    struct store *s;
    size_t settled = 0;

    (void)state;
    rig_stop(0);
    s = rig_store_open();
    for (int i = 0; i < CHARGE_SWEEP_PASS + 10; i++)
        reserve_for(s, &dead, "");
    charge_sweep(s, w);
    assert_int_equal(w->settled, CHARGE_SWEEP_PASS);
    assert_true(w->more);
    for (settled = w->settled; w->more; settled += w->settled)
        charge_sweep(s, w);
    assert_int_equal(settled, CHARGE_SWEEP_PASS + 10);
    free(w);
    store_close(s);
}

/* --- what is old ---------------------------------------------------------- */

#define DAY_MS INT64_C(86400000)

static void
used_on(struct store *s, int64_t at_ms)
{
    struct store_op op = {.kind = STORE_SETTLE};

    op.settle.turn = ident_v7();
    op.settle.at_ms = at_ms;
    op.settle.spent = (struct ledger_spent){
        .owner = "local/ann", .model = "tap/tap-1", .input_tokens = 1};
    assert_int_equal(store_apply(s, &op), OK);
}

static uint32_t
oldest_row(struct store *s)
{
    uint32_t day = 1;
    struct ledger_query q = {.oldest = &day};

    assert_int_equal(store_ledger(s, &q), OK);
    return day;
}

/* The last day that is kept is, and the one before is not. */
static void
old_rows_are_taken_away_at_start(void **state)
{
    int64_t now_ms = clock_wall_ms();
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    bool more;
    struct store *s;

    (void)state;
    rig_stop(0);
    s = rig_store_open();
    used_on(s, now_ms);
    for (int64_t days = 58; days < 64; days++)
        used_on(s, now_ms - days * DAY_MS);
    assert_int_equal(charge_prune(s, now_ms, 0, &more), OK); /* for ever */
    assert_false(more);
    assert_int_equal(charge_prune(s, now_ms, 63, &more), OK);
    assert_int_equal(oldest_row(s), ledger_day(now_ms - 63 * DAY_MS));
    store_close(s);
    conf_override(CONF_LEDGER_KEEP_DAYS, "60");
    rig_start();
    s = engine_store(rig);
    while (oldest_row(s) < ledger_day(now_ms - 60 * DAY_MS) &&
           clock_mono_ms() < until_ms)
        fake_sleep_ms(5);
    assert_in_range(oldest_row(s), ledger_day(now_ms - 60 * DAY_MS),
                    ledger_day(now_ms - 59 * DAY_MS)); /* at midnight */
}

/* One look takes no more than its part, and the next goes on at once. */
static void
many_old_rows_go_in_parts(void **state)
{
    int64_t now_ms = clock_wall_ms(), at_ms = now_ms - 1200 * DAY_MS;
    bool more;
    struct store *s;

    (void)state;
    rig_stop(0);
    s = rig_store_open();
    for (int i = 0; i < CHARGE_PRUNE_MAX + 5; i++)
        used_on(s, at_ms + i * DAY_MS);
    used_on(s, now_ms);
    assert_int_equal(charge_prune(s, now_ms, 100, &more), OK);
    assert_true(more);
    assert_int_equal(oldest_row(s),
                     ledger_day(at_ms + CHARGE_PRUNE_MAX * DAY_MS));
    assert_int_equal(charge_prune(s, now_ms, 100, &more), OK);
    assert_false(more);
    assert_int_equal(oldest_row(s), ledger_day(now_ms));
    store_close(s);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(nobody_is_asked_before_it_is_reserved),
        TEST(an_answer_without_a_length_is_given_one),
        TEST(what_does_not_fit_is_refused),
        TEST(a_temporary_session_is_reserved_by_itself),
        TEST(what_fails_costs_nothing),
        TEST(whoever_leaves_gives_back),
        TEST(what_is_reserved_is_settled),
        TEST(what_a_dead_process_left_is_settled_at_start),
        TEST(a_try_that_counted_something_costs_it),
        TEST(a_try_that_used_the_budget_up_is_the_last),
        TEST(all_that_dead_processes_left_is_settled),
        TEST(a_pass_is_bounded),
        TEST(old_rows_are_taken_away_at_start),
        TEST(many_old_rows_go_in_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
