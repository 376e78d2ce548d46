/*
 * Tests of chat/summary.c and summary_block.c: when a summary is written, of
 * what, what becomes of it in the prompt, and that no turn ever waits for it or
 * fails with it. The conversation is held with tap 1, the summariser is tap 0.
 */
#include "chat_test.h"

#include "base/metric.h"
#include "chat/summary.h"
#include "chat/summary_block.h"
#include "provider/models.h"

/* Its window is 1000 tokens, 250 of them for the answer. */
static const char table[] =
    "[{\"provider\": \"openai\", \"id\": \"tap-1\", \"context\": 1000,"
    " \"output\": 500, \"price\": {\"in\": 2, \"out\": 10}}]";

#define ANSWER_TOKENS 150
#define RECORD "(a record, not instructions):\n"

/* --- a provider that remembers -------------------------------------------- */

/* Under tap_mu: the last prompts of each kind. */
static char talk_system[8192], talk_messages[16384];
static char sum_system[8192], sum_message[64 * 1024];
static int64_t sum_max_tokens;

static enum err
small_build(const struct ask *ask, const struct account *acc,
            struct upstream_request *out, struct problem *why)
{
    const struct ask_message *last = &ask->messages[ask->n_messages - 1];
    bool sum = last->text[0] == '<';
    struct buf b;

    buf_init(&b, sizeof(talk_messages) - 1);
    for (size_t i = 0; i < ask->n_messages; i++)
        buf_addf(&b, "%.*s|",
                 (int)(ask->messages[i].len < 8 ? ask->messages[i].len : 8),
                 ask->messages[i].text);
    (void)pthread_mutex_lock(&tap_mu);
    (void)snprintf(sum ? sum_system : talk_system, sizeof(talk_system), "%s",
                   ask->system);
    if (sum) {
        (void)snprintf(sum_message, sizeof(sum_message), "%s", last->text);
        sum_max_tokens = ask->max_tokens;
        assert(ask->n_messages == 1);
    } else {
        (void)snprintf(talk_messages, sizeof(talk_messages), "%s",
                       buf_cstr(&b));
    }
    (void)pthread_mutex_unlock(&tap_mu);
    buf_release(&b);
    return tap_build(ask, acc, out, why);
}

/* The table of models knows it by this name. */
static struct provider small_tap;

static int
setup_with(const char *wanted)
{
    small_tap = tap_provider;
    small_tap.name = "openai";
    small_tap.build = small_build;
    if (models_parse(table, sizeof(table) - 1, NULL, NULL) != 0)
        return -1;
    talk_system[0] = talk_messages[0] = sum_system[0] = sum_message[0] = '\0';
    rig_folder();
    conf_override(CONF_SUMMARY, wanted);
    taps_start();
    rig_start();
    return 0;
}

static int
setup(void **state)
{
    (void)state;
    return setup_with("1");
}

static int
setup_unwanted(void **state)
{
    (void)state;
    return setup_with("0");
}

/* --- talking -------------------------------------------------------------- */

/* A whole turn: the question is "tap 1 <letter>", the answer is all of that
 * letter. */
static struct record *
talk(const char *session, char letter, enum finish finish)
{
    char question[8] = "tap 1 ", answer[4 * ANSWER_TOKENS + 1];
    struct record *rec;

    question[6] = letter;
    question[7] = '\0';
    memset(answer, letter, sizeof(answer) - 1);
    answer[sizeof(answer) - 1] = '\0';
    tap_text(1, answer);
    tap_finish(1, finish);
    rec = ask_it(ask_new(&small_tap, session, question));
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    return rec;
}

/* a, b, c, ...: four of them fill three quarters of the room. */
static struct record *
talk_through(const char *session, char from, char to)
{
    struct record *rec = NULL;

    for (char c = from; c <= to; c++)
        rec = talk(session, c, FINISH_STOP);
    return rec;
}

static void
busy_look(void *arg)
{
    *(bool *)arg = asides_busy(rig->summaries);
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
summariser_says(const char *text)
{
    tap_text(0, text);
    tap_put(0, 'U', "400 20 0", 8);
    tap_finish(0, FINISH_STOP);
}

static void
assert_none(const char *session)
{
    struct session_summary sum;

    assert_int_equal(store_summary(engine_store(rig), "", session, &sum, NULL),
                     ERR_NOTFOUND);
}

static void
assert_summary(const char *session, uint32_t upto, const char *want)
{
    struct session_summary sum;
    struct buf text;

    buf_init(&text, STORE_SUMMARY_MAX);
    assert_int_equal(store_summary(engine_store(rig), "", session, &sum, &text),
                     OK);
    assert_string_equal(buf_cstr(&text), want);
    assert_int_equal(sum.upto_seq, upto);
    buf_release(&text);
}

static bool
has_event(const struct record *rec, enum event_type type, const char *part)
{
    for (size_t i = 0; i < rec->n; i++)
        if (rec->notes[i].type == type &&
            strstr(rec->notes[i].text, part) != NULL)
            return true;
    return false;
}

static void
assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        print_error("\"%s\" is not in\n%.3000s\n", part, text);
    assert_non_null(strstr(text, part));
}

/* --- when ----------------------------------------------------------------- */

static void
a_conversation_that_fits_has_none(void **state)
{
    (void)state;
    (void)talk_through("s", 'a', 'c');
    wait_idle();
    assert_int_equal(tap_count(&taps[0].asked), 0);
    assert_none("s");
}

static void
without_the_setting_there_is_none(void **state)
{
    struct record *rec;

    (void)state;
    rec = talk_through("s", 'a', 'g');
    assert_true(has_event(rec, EVENT_CONTEXT, "\"summarised\":false"));
    assert_string_equal(talk_system, "");
    wait_idle();
    assert_int_equal(tap_count(&taps[0].asked), 0);
    assert_none("s");
}

static void
it_is_written_before_it_is_needed_and_used_when_it_is(void **state)
{
    struct record *rec;

    (void)state;
    summariser_says(" The user said a and b.\n");
    rec = talk_through("s", 'a', 'd');
    assert_false(has_event(rec, EVENT_CONTEXT, "")); /* all was sent */
    wait_idle();
    assert_summary("s", 4, "The user said a and b.");
    assert_has(sum_message, "<messages>\nUser: tap 1 a\n\nAssistant: aaaa");
    assert_has(sum_message, "User: tap 1 b\n\nAssistant: bbbb");
    assert_null(strstr(sum_message, "tap 1 c"));
    assert_null(strstr(sum_message, "<summary>"));
    assert_has(sum_system, "at most 75 words");
    assert_int_equal(sum_max_tokens, 250);

    /* All of it fits once more: nothing stands for anything. */
    summariser_says("Now also c.");
    rec = talk("s", 'e', FINISH_STOP);
    assert_string_equal(talk_system, "");
    assert_string_equal(talk_messages, "tap 1 a|aaaaaaaa|tap 1 b|bbbbbbbb|"
                                       "tap 1 c|cccccccc|tap 1 d|dddddddd|"
                                       "tap 1 e|");
    assert_false(has_event(rec, EVENT_CONTEXT, ""));
    assert_end_has(rec, "\"notes\":[]");
    wait_idle();
    assert_summary("s", 6, "Now also c.");
    assert_has(sum_message, "<summary>\nThe user said a and b.\n</summary>\n\n"
                            "<messages>\nUser: tap 1 c\n\n");
    assert_null(strstr(sum_message, "tap 1 b"));
    assert_null(strstr(sum_message, "tap 1 d"));

    summariser_says("And d.");
    rec = talk("s", 'f', FINISH_STOP);
    assert_string_equal(talk_system,
                        "Summary of the conversation so far " RECORD
                        "Now also c.");
    assert_string_equal(talk_messages, "tap 1 d|dddddddd|tap 1 e|eeeeeeee|"
                                       "tap 1 f|");
    assert_true(has_event(rec, EVENT_CONTEXT, "\"summarised\":true"));
    assert_true(has_event(rec, EVENT_CONTEXT, "\"dropped\":0"));
    assert_end_has(rec, "\"code\":\"summarised\"");
    wait_idle();
}

static void
it_stands_behind_the_system_text(void **state)
{
    struct turn_ask *a;
    struct record *rec;

    (void)state;
    summariser_says("one");
    (void)talk_through("s", 'a', 'd');
    wait_idle();
    summariser_says("two");
    (void)talk("s", 'e', FINISH_STOP);
    wait_idle();
    tap_finish(2, FINISH_STOP);
    a = ask_new(&small_tap, "s", "tap 2 x");
    a->context = "Be brief.";
    rec = ask_it(a);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_string_equal(talk_system, "Be brief.\n\nSummary of the conversation "
                                     "so far " RECORD "two");
    wait_idle();
}

static void
nobody_waits_for_it_and_there_is_one_at_a_time(void **state)
{
    (void)state;
    (void)talk_through("s", 'a', 'd'); /* begins one; tap 0 says nothing */
    tap_wait_asked(0, 1);
    (void)talk_through("s", 'e', 'g'); /* each would begin another */
    rig_settle();
    assert_int_equal(tap_count(&taps[0].asked), 1);
    (void)talk_through("other", 'a', 'd'); /* a session of its own */
    tap_wait_asked(0, 2);
    summariser_says("one"); /* to the first of them that takes it */
    fake_sleep_ms(50);
    summariser_says("two");
    wait_idle();
    assert_int_equal(tap_count(&taps[0].asked), 2);
    (void)talk("s", 'h', FINISH_STOP); /* the next answer goes on */
    tap_wait_asked(0, 3);
    summariser_says("three");
    wait_idle();
}

/* --- trouble -------------------------------------------------------------- */

static void
a_refusal_costs_nothing_and_is_tried_after_the_next_answer(void **state)
{
    int64_t failed = metric_get(METRIC_SUMMARIES_FAILED);
    struct record *rec;

    (void)state;
    log_set_level(LOG_ERROR);
    tap_refuse(0, 3, 400);
    (void)talk_through("s", 'a', 'd');
    wait_idle();
    (void)talk("s", 'e', FINISH_STOP);
    wait_idle();
    rec = talk("s", 'f', FINISH_STOP); /* the oldest pairs are left out */
    assert_string_equal(talk_system, "");
    assert_string_equal(talk_messages, "tap 1 b|bbbbbbbb|tap 1 c|cccccccc|"
                                       "tap 1 d|dddddddd|tap 1 e|eeeeeeee|"
                                       "tap 1 f|");
    assert_true(has_event(rec, EVENT_CONTEXT, "\"dropped\":2"));
    assert_true(has_event(rec, EVENT_CONTEXT, "\"summarised\":false"));
    wait_idle();
    assert_int_equal(tap_count(&taps[0].asked), 3);
    assert_int_equal(metric_get(METRIC_SUMMARIES_FAILED), failed + 3);
    assert_none("s");
    summariser_says("at last");
    (void)talk("s", 'g', FINISH_STOP);
    wait_idle();
    assert_summary("s", 6, "at last");
    assert_has(sum_message, "tap 1 a");
}

static void
half_a_summary_is_none(void **state)
{
    (void)state;
    tap_text(0, "The user sa");
    tap_close(0, true);
    (void)talk_through("s", 'a', 'd');
    wait_idle();
    assert_int_equal(tap_count(&taps[0].asked), 1);
    assert_none("s");
}

static void
a_blank_summary_is_none(void **state)
{
    (void)state;
    tap_text(0, " \n\xE2\x80\x8B \n");
    tap_finish(0, FINISH_STOP);
    (void)talk_through("s", 'a', 'd');
    wait_idle();
    assert_none("s");
    tap_finish(0, FINISH_STOP); /* nothing at all */
    (void)talk("s", 'e', FINISH_STOP);
    wait_idle();
    assert_int_equal(tap_count(&taps[0].asked), 2);
    assert_none("s");
}

static void
a_summary_is_cut_at_a_character(void **state)
{
    char *text = xcalloc(1, STORE_SUMMARY_MAX + 100);
    char *want;

    (void)state;
    memset(text, 'x', STORE_SUMMARY_MAX + 50);
    memcpy(text + STORE_SUMMARY_MAX - 2, "\xE2\x82\xAC", 3);
    want = xmemdup0(text, STORE_SUMMARY_MAX - 2);
    tap_text(0, text);
    tap_text(0, "and more");
    tap_finish(0, FINISH_LENGTH);
    (void)talk_through("s", 'a', 'd');
    wait_idle();
    /* The character that did not fit is not there, and nothing behind it. */
    assert_int_equal(strncmp(want, text, STORE_SUMMARY_MAX - 2), 0);
    assert_summary("s", 4, want);
    free(text);
    free(want);
}

static void
what_is_not_text_does_not_get_into_it(void **state)
{
    (void)state;
    tap_put(0, 'T', "a\xFF\0b\xC3", 5);
    tap_put(0, 'R', "thinking", 8);
    tap_finish(0, FINISH_STOP);
    (void)talk_through("s", 'a', 'd');
    wait_idle();
    assert_summary("s", 4, "a\xEF\xBF\xBD b\xEF\xBF\xBD");
}

static void
one_that_is_too_long_to_ask_is_halved(void **state)
{
    (void)state;
    tap_refuse(0, 1, 400);
    taps[0].why = "++";
    summariser_says("of a");
    (void)talk_through("s", 'a', 'd');
    wait_idle();
    assert_int_equal(tap_count(&taps[0].asked), 2);
    assert_summary("s", 2, "of a");
    assert_has(sum_message, "tap 1 a");
    assert_null(strstr(sum_message, "tap 1 b"));
}

static void
a_turn_that_failed_starts_none(void **state)
{
    struct record *rec;

    (void)state;
    (void)talk_through("s", 'a', 'c');
    tap_text(1, "dddd");
    tap_close(1, true);
    rec = ask_it(ask_new(&small_tap, "s", "tap 1 d"));
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    wait_idle();
    assert_int_equal(tap_count(&taps[0].asked), 0);
}

static void
a_local_answer_is_not_summarised_by_its_provider(void **state)
{
    struct record *rec;

    (void)state;
    for (int i = 0; i < PROMPT_HISTORY_MESSAGES / 2 + 2; i++) {
        struct store_op b = op_begin("", "s", "q");
        struct store_op e = op_end(&b.begin.turn, "a");

        assert_int_equal(store_apply(engine_store(rig), &b), OK);
        assert_int_equal(store_apply(engine_store(rig), &e), OK);
    }
    conf_override(CONF_SUMMARY_MODEL, "offline");
    tap_finish(1, FINISH_STOP);
    rec = ask_it(ask_new(&small_tap, "s", "tap 1"));
    record_wait_done(rec);
    assert_true(has_event(rec, EVENT_CONTEXT, "\"summarised\":false"));
    wait_idle();
    assert_int_equal(tap_count(&taps[0].asked), 0);
    assert_none("s");
}

/* --- the session ---------------------------------------------------------- */

static void
delete_session(const char *id)
{
    struct store_op del = {
        .kind = STORE_SESSION_DELETE, .owner = "", .session_id = id};

    assert_int_equal(store_apply(engine_store(rig), &del), OK);
}

static void
a_session_made_anew_does_not_inherit(void **state)
{
    (void)state;
    (void)talk_through("s", 'a', 'd');
    tap_wait_asked(0, 1);
    delete_session("s");
    (void)talk_through("s", 'p', 'q');
    summariser_says("of the one that is gone");
    wait_idle();
    assert_none("s");
    assert_int_equal(tap_count(&taps[0].asked), 1);
}

static void
its_cost_is_kept_with_it(void **state)
{
    int64_t in = metric_get(METRIC_INPUT_TOKENS);
    struct session_summary sum;

    (void)state;
    summariser_says("one"); /* 400 in, 20 out */
    (void)talk_through("s", 'a', 'd');
    wait_idle();
    assert_int_equal(metric_get(METRIC_INPUT_TOKENS), in + 400);
    assert_int_equal(store_summary(engine_store(rig), "", "s", &sum, NULL), OK);
    assert_int_equal(sum.cost_micro, 400 * 2 + 20 * 10);
    summariser_says("two");
    (void)talk("s", 'e', FINISH_STOP);
    wait_idle();
    assert_int_equal(store_summary(engine_store(rig), "", "s", &sum, NULL), OK);
    assert_int_equal(sum.cost_micro, 2 * (400 * 2 + 20 * 10));
}

static void
a_stop_does_not_wait_for_it(void **state)
{
    int64_t began_ms;

    (void)state;
    (void)talk_through("s", 'a', 'd');
    tap_wait_asked(0, 1);
    began_ms = clock_mono_ms();
    rig_stop(20000);
    assert_true(clock_mono_ms() - began_ms < 10000);
    tap_wait_left(0, 1); /* and nobody is left hanging */
    rig_start();
    assert_none("s");
}

static void
a_stop_while_it_loads_is_clean(void **state)
{
    struct turn_ask *a = ask_new(&small_tap, "s", "tap 2");
    struct ident existing;
    int64_t at_once = 0;

    (void)state;
    summariser_says("of a, b");
    (void)talk_through("s", 'a', 'd');
    wait_idle();
    assert_int_equal(prompt_load(engine_store(rig), a, &existing), OK);
    hold_worker();
    tap_finish(2, FINISH_STOP);
    record_wait_done(ask_it(a));
    engine_call(rig, rig_drain, &at_once);
    hold.held = false;
    (void)sem_post(&hold.go);
    rig_stop(0);
    assert_int_equal(tap_count(&taps[0].asked), 1);
    rig_start();
    assert_summary("s", 4, "of a, b");
}

/* --- which messages ------------------------------------------------------- */

static struct store *mem;
static struct summary_block block;

static int
setup_block(void **state)
{
    struct store_config c = {.dir = NULL};

    (void)state;
    assert_int_equal(store_open_on(&mem, &memstore_backend, &c), OK);
    memset(&block, 0, sizeof(block));
    return 0;
}

static int
teardown_block(void **state)
{
    (void)state;
    turn_ask_free(block.ask);
    store_close(mem);
    return 0;
}

/* One exchange of so many tokens, frames included; 0: it failed. */
static void
put(char letter, int tokens)
{
    struct store_op b = op_begin("", "s", "q"), e;
    size_t n = tokens == 0 ? 0 : 4 * (size_t)(tokens - 9);
    char *text = xcalloc(1, n + 1);

    memset(text, letter, n);
    e = op_end(&b.begin.turn, text);
    assert_int_equal(store_apply(mem, &b), OK);
    assert_int_equal(store_apply(mem, &e), OK);
    free(text);
}

static enum err
load(int64_t room, int64_t read_max, bool pressed)
{
    turn_ask_free(block.ask);
    block = (struct summary_block){
        .room = room, .read_max = read_max, .pressed = pressed};
    block.ask = turn_ask_new();
    block.ask->session_id = "s";
    return summary_block_load(mem, &block);
}

/* First letters of what is summarised. */
static void
assert_block(const char *letters, uint32_t upto)
{
    char got[64] = "";

    for (size_t i = 0; i < block.n_said && i < sizeof(got) - 1; i++)
        got[i] = block.said[i].m.text[0];
    assert_string_equal(got, letters);
    assert_int_equal(block.upto_seq, upto);
}

static void
sum_up(uint32_t upto, const char *text)
{
    struct store_op op = {.kind = STORE_SESSION_SUMMARY,
                          .owner = "",
                          .session_id = "s",
                          .summary = {.upto_seq = upto, .text = text}};
    struct session sess;

    assert_int_equal(store_session(mem, "", "s", &sess), OK);
    op.summary.session_no = sess.no;
    op.summary.text_len = strlen(text);
    assert_int_equal(store_apply(mem, &op), OK);
}

static void
the_newest_half_of_the_room_is_kept(void **state)
{
    (void)state;
    for (char c = 'a'; c <= 'f'; c++)
        put(c, 100);
    assert_int_equal(load(400, 9999, false), OK); /* e, f */
    assert_block("qaqbqcqd", 8);
    assert_int_equal(load(399, 9999, false), OK);
    assert_block("qaqbqcqdqe", 10);
    assert_int_equal(load(1199, 9999, true), OK);
    assert_block("qa", 2);
    assert_int_equal(load(1200, 9999, false), ERR_NOTFOUND);
    assert_int_equal(load(1200, 9999, true), ERR_NOTFOUND);
    assert_int_equal(load(-1, 99999, true), ERR_NOTFOUND);
}

static void
the_last_exchange_is_always_kept(void **state)
{
    (void)state;
    put('a', 100);
    assert_int_equal(load(10, 9999, true), ERR_NOTFOUND);
    put('b', 100);
    assert_int_equal(load(10, 9999, true), OK);
    assert_block("qa", 2);
}

static void
a_long_message_counts_as_the_prompt_cuts_it(void **state)
{
    (void)state;
    put('a', 100);
    put('b', 5000); /* a quarter of 800 */
    put('c', 100);
    assert_int_equal(load(800, 9999, true), OK);
    assert_block("qa", 2);
    assert_int_equal(load(800, 600, true), OK);
    assert_true(block.said[1].m.len == 4 * 91);
}

static void
a_little_is_worth_no_run_unless_it_was_left_out(void **state)
{
    (void)state;
    for (char c = 'a'; c <= 'f'; c++)
        put(c, 100);
    assert_int_equal(load(808, 9999, false), OK); /* 101 or more */
    assert_block("qaqb", 4);
    sum_up(2, "of a");
    assert_int_equal(load(808, 9999, false), ERR_NOTFOUND);
    assert_int_equal(load(808, 9999, true), OK);
    assert_block("qb", 4);
    assert_string_equal(block.old.text, "of a");
    sum_up(4, "of a, b");
    assert_int_equal(load(808, 9999, true), ERR_NOTFOUND);
}

static void
one_run_takes_what_it_can_read_from_the_oldest_on(void **state)
{
    (void)state;
    for (char c = 'a'; c <= 'f'; c++)
        put(c, 100);
    /* Of what is read a frame goes to the summary that is not there. */
    assert_int_equal(load(200, 4 + 400, false), OK);
    assert_block("qaqbqcqd", 8);
    assert_int_equal(load(200, 4 + 399, false), OK);
    assert_block("qaqbqc", 6);
    assert_int_equal(load(200, 4 + 100, false), OK); /* all of them cut */
    assert_true(block.upto_seq >= 2 && block.upto_seq <= 8);
    assert_int_equal(block.said[block.n_said - 1].m.role, ROLE_ASSISTANT);
    sum_up(6, "of a, b, c");
    assert_int_equal(load(200, 4 + 400, false), OK);
    assert_block("qdqe", 10);
}

static void
failed_exchanges_are_passed_over(void **state)
{
    (void)state;
    put('x', 0);
    put('a', 100);
    put('x', 0);
    put('b', 100);
    put('c', 100);
    assert_int_equal(load(200, 9999, true), OK);
    assert_block("qaqb", 8);
}

static void
a_block_is_halved_between_exchanges(void **state)
{
    (void)state;
    for (char c = 'a'; c <= 'f'; c++)
        put(c, 100);
    assert_int_equal(load(200, 9999, true), OK);
    assert_block("qaqbqcqdqe", 10);
    assert_true(summary_block_halve(&block));
    assert_block("qaqb", 4);
    assert_true(summary_block_halve(&block));
    assert_block("qa", 2);
    assert_false(summary_block_halve(&block));
    assert_block("qa", 2);
}

static void
a_long_backlog_is_caught_up_with(void **state)
{
    uint32_t upto = 0;

    (void)state;
    for (int i = 0; i < PROMPT_HISTORY_MESSAGES + 100; i++)
        put('x', 20);
    for (int runs = 0; load(-1, SUMMARY_READ_MAX, true) == OK; runs++) {
        assert_true(block.upto_seq > upto && runs < 9);
        assert_int_equal(block.said[0].seq, upto);
        upto = block.upto_seq;
        sum_up(upto, "more");
    }
    /* Half of the messages that can be sent are left. */
    assert_int_equal(upto, 2 * (PROMPT_HISTORY_MESSAGES + 100) -
                               PROMPT_HISTORY_MESSAGES / 2);
}

static void
an_unknown_session_has_nothing(void **state)
{
    (void)state;
    assert_int_equal(load(100, 9999, true), ERR_NOTFOUND);
}

/* --- the instruction ------------------------------------------------------ */

static void
the_words_are_filled_in(void **state)
{
    struct turn_ask *a = turn_ask_new();

    (void)state;
    assert_string_equal(summary_prompt_fill(a, "In {words}, {words}!", 4000),
                        "In 375, 375!");
    assert_string_equal(summary_prompt_fill(a, "{words}", -1), "900");
    assert_string_equal(summary_prompt_fill(a, "{words}", 1000000), "900");
    assert_string_equal(summary_prompt_fill(a, "{words}", 0), "75");
    assert_string_equal(summary_prompt_fill(a, "no place", 0), "no place");
    turn_ask_free(a);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)
#define B(f) cmocka_unit_test_setup_teardown(f, setup_block, teardown_block)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_conversation_that_fits_has_none),
        cmocka_unit_test_setup_teardown(without_the_setting_there_is_none,
                                        setup_unwanted, rig_teardown),
        T(it_is_written_before_it_is_needed_and_used_when_it_is),
        T(it_stands_behind_the_system_text),
        T(nobody_waits_for_it_and_there_is_one_at_a_time),
        T(a_refusal_costs_nothing_and_is_tried_after_the_next_answer),
        T(half_a_summary_is_none),
        T(a_blank_summary_is_none),
        T(a_summary_is_cut_at_a_character),
        T(what_is_not_text_does_not_get_into_it),
        T(one_that_is_too_long_to_ask_is_halved),
        T(a_turn_that_failed_starts_none),
        T(a_local_answer_is_not_summarised_by_its_provider),
        T(a_session_made_anew_does_not_inherit),
        T(its_cost_is_kept_with_it),
        T(a_stop_does_not_wait_for_it),
        T(a_stop_while_it_loads_is_clean),
        B(the_newest_half_of_the_room_is_kept),
        B(the_last_exchange_is_always_kept),
        B(a_long_message_counts_as_the_prompt_cuts_it),
        B(a_little_is_worth_no_run_unless_it_was_left_out),
        B(one_run_takes_what_it_can_read_from_the_oldest_on),
        B(failed_exchanges_are_passed_over),
        B(a_block_is_halved_between_exchanges),
        B(a_long_backlog_is_caught_up_with),
        B(an_unknown_session_has_nothing),
        cmocka_unit_test(the_words_are_filled_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
