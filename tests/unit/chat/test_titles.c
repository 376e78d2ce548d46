/*
 * Tests of chat/titles.c: which answers start a title, who is asked and what,
 * what becomes of it, and that no turn ever waits for it or fails with it. The
 * conversation is held with tap 1, the title is asked of tap 0.
 */
#include "chat_test.h"

#include "base/metric.h"
#include "chat/prompt_file.h"
#include "chat/titles.h"
#include "provider/models.h"

static const char table[] =
    "[{\"provider\": \"openai\", \"id\": \"tap-1\", \"context\": 100000,"
    " \"output\": 500, \"price\": {\"in\": 20, \"out\": 100}},"
    " {\"provider\": \"openai\", \"id\": \"tap-cheap\", \"context\": 100000,"
    " \"output\": 500, \"price\": {\"in\": 2, \"out\": 10}}]";

#define CHEAP "gpt-4.1-nano"

/* --- a provider that remembers -------------------------------------------- */

/* Under tap_mu: the last question for a title, and who was asked. */
static char asked_system[4096], asked_text[16 * 1024], asked_models[128];
static int64_t asked_max_tokens;

static enum err
remember_build(const struct ask *ask, const struct account *acc,
               struct upstream_request *out, struct problem *why)
{
    const struct ask_message *last = &ask->messages[ask->n_messages - 1];

    if (last->text[0] == '<') {
        size_t n;

        (void)pthread_mutex_lock(&tap_mu);
        n = strlen(asked_models);
        (void)snprintf(asked_system, sizeof(asked_system), "%s", ask->system);
        (void)snprintf(asked_text, sizeof(asked_text), "%s", last->text);
        (void)snprintf(asked_models + n, sizeof(asked_models) - n, "%s|",
                       ask->model);
        asked_max_tokens = ask->max_tokens;
        (void)pthread_mutex_unlock(&tap_mu);
        assert(ask->n_messages == 1);
    }
    return tap_build(ask, acc, out, why);
}

/* The catalogue and the table of models know it by this name. */
static struct provider named_tap;

static int
setup_with(const char *title_model)
{
    named_tap = tap_provider;
    named_tap.name = "openai";
    named_tap.build = remember_build;
    if (models_parse(table, sizeof(table) - 1, NULL, NULL) != 0)
        return -1;
    asked_system[0] = asked_text[0] = asked_models[0] = '\0';
    rig_folder();
    conf_override(CONF_TITLE_MODEL, title_model);
    conf_override(CONF_UPSTREAM_RETRIES, "0");
    taps_start();
    rig_start();
    return 0;
}

static int
setup(void **state)
{
    (void)state;
    return setup_with("auto");
}

static int
setup_off(void **state)
{
    (void)state;
    return setup_with("OFF");
}

static int
setup_offline(void **state)
{
    (void)state;
    return setup_with("offline");
}

/* --- talking -------------------------------------------------------------- */

static struct record *
talk(const char *session, const char *question, const char *answer,
     enum finish finish)
{
    struct record *rec;

    tap_text(1, answer);
    tap_finish(1, finish);
    rec = ask_it(ask_new(&named_tap, session, question));
    record_wait_done(rec);
    return rec;
}

static void
talk_whole(const char *session, const char *question, const char *answer)
{
    assert_whole(talk(session, question, answer, FINISH_STOP), EVENT_COMPLETE,
                 0);
}

static void
title_says(const char *text)
{
    tap_text(0, text);
    tap_put(0, 'U', "400 20 0", 8);
    tap_finish(0, FINISH_STOP);
}

static void
busy_look(void *arg)
{
    *(bool *)arg = asides_busy(rig->titles);
}

static void
wait_idle(void)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    bool busy = true;

    while (busy && clock_mono_ms() < until_ms) {
        engine_call(rig, busy_look, &busy);
        if (busy)
            fake_sleep_ms(5);
    }
    assert_false(busy);
}

static void
assert_title(const char *session, const char *want, bool titled)
{
    struct session s;

    assert_int_equal(store_session(engine_store(rig), "", session, &s), OK);
    assert_string_equal(s.title, want);
    assert_int_equal(s.titled, titled);
}

static void
patch_title(const char *session, const char *title, bool create)
{
    struct store_op op = {.kind = STORE_SESSION_PATCH,
                          .owner = "",
                          .session_id = session,
                          .patch = {.title = title, .titled = true}};

    op.patch.create = create;
    assert_int_equal(store_apply(engine_store(rig), &op), OK);
}

static void
delete_session(const char *id)
{
    struct store_op del = {
        .kind = STORE_SESSION_DELETE, .owner = "", .session_id = id};

    assert_int_equal(store_apply(engine_store(rig), &del), OK);
}

static int
titles_asked(void)
{
    wait_idle();
    return tap_count(&taps[0].asked);
}

/* --- when ----------------------------------------------------------------- */

static void
the_first_answer_gives_a_title_and_no_later_one(void **state)
{
    int64_t done = metric_get(METRIC_TITLES);

    (void)state;
    title_says("**Title:** \"Backing up a laptop.\"\n\nI hope this helps.");
    talk_whole("s", "tap 1 How do I back up?", "Copy it.");
    wait_idle();
    assert_title("s", "Backing up a laptop", true);
    assert_int_equal(metric_get(METRIC_TITLES), done + 1);
    assert_int_equal(tap_count(&taps[0].asked), 1);
    talk_whole("s", "tap 1 And then?", "Copy it again.");
    assert_int_equal(titles_asked(), 1);
    assert_title("s", "Backing up a laptop", true);
}

static void
until_then_the_first_words_are_the_title(void **state)
{
    (void)state;
    talk_whole("s", "tap 1 How do I back up?", "Copy it.");
    tap_wait_asked(0, 1); /* it has not answered */
    assert_title("s", "Tap 1 How do I back up?", false);
    talk_whole("s", "tap 1 And then?", "Nobody waits.");
    talk_whole("t", "tap 1 Another?", "Nor here.");
    title_says("One");
    fake_sleep_ms(50);
    title_says("Two");
    wait_idle();
    assert_int_equal(tap_count(&taps[0].asked), 2);
}

static void
a_first_answer_that_failed_is_none(void **state)
{
    struct record *rec;

    (void)state;
    tap_close(1, true);
    rec = ask_it(ask_new(&named_tap, "s", "tap 1 x"));
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_int_equal(titles_asked(), 0);
    tap_close(1, false);
    title_says("At the second attempt");
    talk_whole("s", "tap 1 How do I back up?", "Copy it.");
    assert_int_equal(titles_asked(), 1);
    assert_title("s", "At the second attempt", true);
}

static void
a_named_session_keeps_its_name(void **state)
{
    (void)state;
    patch_title("s", "Mine", true);
    talk_whole("s", "tap 1 How do I back up?", "Copy it.");
    assert_int_equal(titles_asked(), 0);
    assert_title("s", "Mine", true);
}

static void
a_name_that_is_given_meanwhile_wins(void **state)
{
    (void)state;
    talk_whole("s", "tap 1 How do I back up?", "Copy it.");
    tap_wait_asked(0, 1);
    patch_title("s", "Mine", false);
    title_says("Not mine");
    wait_idle();
    assert_title("s", "Mine", true);
}

static void
off_is_off(void **state)
{
    (void)state;
    talk_whole("s", "tap 1 How do I back up?", "Copy it.");
    assert_int_equal(titles_asked(), 0);
    assert_title("s", "Tap 1 How do I back up?", false);
}

static void
a_local_answer_starts_none_and_a_local_provider_writes_none(void **state)
{
    struct record *rec;

    (void)state;
    conf_override(CONF_TITLE_MODEL, "auto");
    rec = ask_local("s", "How do I back up?");
    record_wait_done(rec);
    assert_int_equal(titles_asked(), 0);
    conf_override(CONF_TITLE_MODEL, "offline");
    talk_whole("t", "tap 1 How do I back up?", "Copy it.");
    assert_int_equal(titles_asked(), 0);
}

/* --- who, and what -------------------------------------------------------- */

static void
it_is_asked_of_the_cheap_model_then_of_the_one_that_answered(void **state)
{
    (void)state;
    title_says("One");
    talk_whole("s", "tap 1 x", "y");
    wait_idle();
    assert_string_equal(asked_models, CHEAP "|");
    asked_models[0] = '\0';
    tap_refuse(0, 1, 404);
    title_says("Two");
    talk_whole("t", "tap 1 x", "y");
    wait_idle();
    assert_string_equal(asked_models, CHEAP "|tap-1|");
    assert_title("t", "Two", true);
    assert_int_equal(asked_max_tokens, 64);
}

static void
it_is_shown_the_beginnings_of_both(void **state)
{
    static char question[TITLE_QUESTION_MAX + 100], answer[8000];
    char *instruction = prompt_file_load(conf_root(), PROMPT_FILE_TITLE);

    (void)state;
    title_says("One");
    talk_whole("s", "tap 1 How?", "So.");
    wait_idle();
    assert_string_equal(asked_text,
                        "<messages>\nUser: tap 1 How?\n\nAssistant: So.\n"
                        "</messages>\n\nWrite the title.");
    assert_string_equal(asked_system, instruction);
    (void)snprintf(question, sizeof(question), "tap 1 ");
    memset(question + 6, 'q', sizeof(question) - 7);
    memset(answer, 'a', sizeof(answer) - 1);
    title_says("Two");
    talk_whole("t", question, answer);
    wait_idle();
    assert_int_equal(strlen(asked_text),
                     strlen("<messages>\nUser: \n\nAssistant: \n</messages>\n\n"
                            "Write the title.") +
                         TITLE_QUESTION_MAX + TITLE_ANSWER_MAX);
    free(instruction);
}

static void
what_it_cost_is_part_of_the_session(void **state)
{
    int64_t in = metric_get(METRIC_INPUT_TOKENS);
    struct session_summary sum;

    (void)state;
    tap_refuse(0, 1, 404);
    title_says("One"); /* 400 in, 20 out */
    talk_whole("s", "tap 1 x", "y");
    wait_idle();
    assert_int_equal(metric_get(METRIC_INPUT_TOKENS), in + 400);
    assert_int_equal(store_summary(engine_store(rig), "", "s", &sum, NULL), OK);
    assert_int_equal(sum.upto_seq, 0);
    assert_int_equal(sum.cost_micro, 400 * 20 + 20 * 100);
}

/* --- trouble -------------------------------------------------------------- */

static void
an_answer_of_no_use_costs_all_the_same(void **state)
{
    struct session_summary sum;

    (void)state;
    title_says("..."); /* 400 in, 20 out */
    talk_whole("s", "tap 1 x", "y");
    wait_idle();
    assert_title("s", "Tap 1 x", false);
    assert_int_equal(store_summary(engine_store(rig), "", "s", &sum, NULL), OK);
    assert_int_equal(sum.upto_seq, 0);
    assert_int_equal(sum.cost_micro, (400 * 1 + 20 * 4) / 10);
}

static void
an_answer_of_no_use_keeps_the_first_words(void **state)
{
    static const char *const useless[] = {"",    " \n ",   "\"\"",
                                          "...", "Title:", "```\nx\n```"};
    int64_t failed = metric_get(METRIC_TITLES_FAILED);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(useless); i++) {
        char id[2] = {(char)('a' + i), '\0'};

        title_says(useless[i]);
        talk_whole(id, "tap 1 How do I back up?", "Copy it.");
        wait_idle();
        assert_title(id, "Tap 1 How do I back up?", false);
    }
    assert_int_equal(metric_get(METRIC_TITLES_FAILED),
                     failed + (int64_t)COUNT_OF(useless));
    tap_text(0, "All about how I would name this conversation if");
    tap_finish(0, FINISH_LENGTH);
    talk_whole("s", "tap 1 How do I back up?", "Copy it.");
    wait_idle();
    assert_title("s", "Tap 1 How do I back up?", false);
}

static void
a_refusal_costs_nothing_and_is_not_repeated(void **state)
{
    (void)state;
    tap_refuse(0, 2, 400);
    talk_whole("s", "tap 1 How do I back up?", "Copy it.");
    assert_int_equal(titles_asked(), 2); /* the cheap model, and the other */
    assert_title("s", "Tap 1 How do I back up?", false);
    talk_whole("s", "tap 1 And then?", "Copy it.");
    assert_int_equal(titles_asked(), 2);
}

static void
a_long_title_is_cut_at_a_character(void **state)
{
    char text[601], want[STORE_TITLE_MAX + 1];

    (void)state;
    for (size_t i = 0; i < 200; i++)
        (void)snprintf(text + 3 * i, 4, "%s", "\xE6\x97\xA5");
    (void)snprintf(want, sizeof(want), "%.255s", text);
    title_says(text);
    talk_whole("s", "tap 1 How do I back up?", "Copy it.");
    wait_idle();
    assert_title("s", want, true);
}

static void
what_is_not_text_does_not_get_into_it(void **state)
{
    (void)state;
    tap_put(0, 'T', "a\xFF b\0c\x01 d\xE2\x82", 11);
    tap_finish(0, FINISH_STOP);
    talk_whole("s", "tap 1 x", "y");
    wait_idle();
    assert_title("s", "a b c d", true);
}

static void
a_session_made_anew_does_not_inherit(void **state)
{
    (void)state;
    talk_whole("s", "tap 1 How do I back up?", "Copy it.");
    tap_wait_asked(0, 1);
    delete_session("s");
    talk_whole("s", "tap 1 Something else?", "Yes.");
    title_says("Of the one that is gone");
    wait_idle();
    assert_title("s", "Tap 1 Something else?", false);
}

static void
so_many_run_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < TITLE_RUNS_MAX + 2; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "s%d", i);
        talk_whole(id, "tap 1 x", "y");
    }
    tap_wait_asked(0, TITLE_RUNS_MAX);
    rig_settle();
    assert_int_equal(tap_count(&taps[0].asked), TITLE_RUNS_MAX);
}

static void
a_stop_does_not_wait_for_it(void **state)
{
    int64_t began_ms;

    (void)state;
    talk_whole("s", "tap 1 How do I back up?", "Copy it.");
    tap_wait_asked(0, 1);
    began_ms = clock_mono_ms();
    rig_stop(20000);
    assert_true(clock_mono_ms() - began_ms < 10000);
    tap_wait_left(0, 1); /* and nobody is left hanging */
    rig_start();
    assert_title("s", "Tap 1 How do I back up?", false);
}

static void
a_stop_while_it_loads_is_clean(void **state)
{
    struct record *rec;

    (void)state;
    tap_text(1, "Copy it.");
    rec = ask_it(ask_new(&named_tap, "s", "tap 1 How do I back up?"));
    record_wait_events(rec, 2);
    hold_worker();
    tap_finish(1, FINISH_STOP);
    record_wait_done(rec);
    rig_settle();
    hold_release();
    rig_stop(0);
    rig_start();
    assert_title("s", "Tap 1 How do I back up?", false);
}

/* --- who pays for it ------------------------------------------------------ */

static int
setup_budget(void **state)
{
    (void)state;
    if (setup_with("auto") != 0)
        return -1;
    rig_stop(0);
    conf_override(CONF_LIMITS_FILE, "");
    conf_override(CONF_BUDGET_ANSWER_TOKENS, "20");
    return 0;
}

static void
limit_models(const char *json)
{
    static char path[300];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/limits.json", rig_dir);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(json, f) >= 0);
    assert_int_equal(fclose(f), 0);
    conf_override(CONF_LIMITS_FILE, path);
}

static struct ledger_account
account(struct store *s, enum ledger_kind kind, const char *name)
{
    struct ledger_account a = {.day = {.turns = 0}};
    struct ledger_query q = {
        .account = &a, .kind = kind, .name = name, .at_ms = clock_wall_ms()};

    assert_int_equal(store_ledger(s, &q), OK);
    return a;
}

/* The first one is not asked, nor is the one behind it. */
static void
assert_not_asked(void)
{
    int64_t failed = metric_get(METRIC_TITLES_FAILED);

    talk_whole("s", "tap 1 How do I back up?", "Copy it.");
    assert_int_equal(titles_asked(), 0);
    assert_title("s", "Tap 1 How do I back up?", false);
    assert_int_equal(metric_get(METRIC_TITLES_FAILED), failed + 1);
    assert_int_equal(
        account(engine_store(rig), LEDGER_OWNER, "").standing.tokens, 0);
}

static void
a_budget_of_its_payer_that_is_used_up_gives_none(void **state)
{
    (void)state;
    conf_override(CONF_BUDGET_DAY_TOKENS, "100"); /* a question takes 60 */
    rig_start();
    assert_not_asked();
}

static void
a_budget_of_its_model_that_is_used_up_gives_none(void **state)
{
    (void)state;
    limit_models("{\"models\": {\"openai/" CHEAP "\": {\"day_tokens\": 9}}}");
    rig_start();
    assert_not_asked();
}

static void
it_is_reserved_and_settled_and_is_no_turn_at_once(void **state)
{
    struct ledger_account a;

    (void)state;
    conf_override(CONF_BUDGET_DAY_TOKENS, "100000");
    conf_override(CONF_TURNS_AT_ONCE, "1");
    rig_start();
    talk_whole("s", "tap 1 How do I back up?", "Copy it.");
    tap_wait_asked(0, 1);
    a = account(engine_store(rig), LEDGER_OWNER, "");
    assert_int_equal(a.standing.open, 0);
    assert_true(a.standing.tokens > 64);
    talk_whole("t", "tap 1 And then?", "There is room."); /* is not refused */
    title_says("Backing up");
    fake_sleep_ms(50);
    title_says("And then");
    wait_idle();
    while (account(engine_store(rig), LEDGER_OWNER, "").standing.tokens > 0)
        fake_sleep_ms(5);
    a = account(engine_store(rig), LEDGER_OWNER, "");
    assert_int_equal(a.month.turns, 2);
    assert_true(a.month.input_tokens > 400);
}

/* What was sent is counted, with what came of it. */
static void
one_that_a_stop_cuts_is_counted(void **state)
{
    struct ledger_account a;
    struct store *s;

    (void)state;
    for (int limited = 0; limited < 2; limited++) {
        conf_override(CONF_BUDGET_DAY_TOKENS, limited ? "100000" : "0");
        rig_start();
        talk_whole(limited ? "s" : "t", "tap 1 How do I back up?", "Copy it.");
        tap_wait_asked(0, limited + 1);
        rig_stop(0);
        s = rig_store_open();
        a = account(s, LEDGER_MODEL, "openai/" CHEAP);
        assert_int_equal(a.month.turns, 0);
        assert_true(a.month.input_tokens > 50 * (limited + 1));
        assert_int_equal(a.month.output_tokens, 0);
        assert_int_equal(account(s, LEDGER_OWNER, "").standing.tokens, 0);
        assert_int_equal(account(s, LEDGER_OWNER, "").month.turns, limited + 1);
        store_close(s);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)
#define B(f) cmocka_unit_test_setup_teardown(f, setup_budget, rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_first_answer_gives_a_title_and_no_later_one),
        T(until_then_the_first_words_are_the_title),
        T(a_first_answer_that_failed_is_none),
        T(a_named_session_keeps_its_name),
        T(a_name_that_is_given_meanwhile_wins),
        cmocka_unit_test_setup_teardown(off_is_off, setup_off, rig_teardown),
        cmocka_unit_test_setup_teardown(
            a_local_answer_starts_none_and_a_local_provider_writes_none,
            setup_offline, rig_teardown),
        T(it_is_asked_of_the_cheap_model_then_of_the_one_that_answered),
        T(it_is_shown_the_beginnings_of_both),
        T(what_it_cost_is_part_of_the_session),
        T(an_answer_of_no_use_costs_all_the_same),
        T(an_answer_of_no_use_keeps_the_first_words),
        T(a_refusal_costs_nothing_and_is_not_repeated),
        T(a_long_title_is_cut_at_a_character),
        T(what_is_not_text_does_not_get_into_it),
        T(a_session_made_anew_does_not_inherit),
        T(so_many_run_at_once),
        T(a_stop_does_not_wait_for_it),
        T(a_stop_while_it_loads_is_clean),
        B(a_budget_of_its_payer_that_is_used_up_gives_none),
        B(a_budget_of_its_model_that_is_used_up_gives_none),
        B(it_is_reserved_and_settled_and_is_no_turn_at_once),
        B(one_that_a_stop_cuts_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
