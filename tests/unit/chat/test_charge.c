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
    struct ledger_account a;
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
