/*
 * Tests of chat/turn_command.c: the life of a turn that carries out a command,
 * by itself or with a model; a cancel in every step, a drain, and what a dead
 * process leaves.
 */
#include "chat_test.h"

#include "chat/command.h"
#include "chat/prompt_file.h"

static struct record *
ask_command_of(const struct provider *p, const char *session, const char *line)
{
    struct record *rec = record_new(); /* the store has no turn of it */
    struct turn_ask *a = ask_new(p, session, line);

    command_read(a);
    assert_non_null(a->command);
    engine_ask(rig, a, &rec->r);
    return rec;
}

static struct record *
ask_command(const char *session, const char *line)
{
    return ask_command_of(&tap_provider, session, line);
}

/* … that needs no model. */
static struct record *
whole_command(const char *session, const char *line)
{
    struct record *rec = ask_command(session, line);

    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(rec->n, 3);
    return rec;
}

static void
assert_start_has(const struct record *rec, const char *part)
{
    assert_non_null(strstr(rec->notes[0].text, part));
}

static void
assert_end_lacks(const struct record *rec, const char *part)
{
    assert_null(strstr(rec->notes[rec->n - 1].text, part));
}

/* --- by itself ------------------------------------------------------------ */

static void
a_command_is_told_as_a_turn_and_is_no_message(void **state)
{
    struct record *rec = whole_command("s", "/title text=\"My title\"");
    struct session s;

    (void)state;
    assert_order(rec, "aesld");
    assert_int_equal(rec->notes[0].type, EVENT_START);
    assert_start_has(rec, "\"message_id\":null");
    assert_start_has(rec, "\"provider\":null,\"model\":null");
    assert_string_equal(rec->notes[1].text, "The title is: My title");
    assert_end_has(rec, "\"command\":\"title\"");
    assert_end_has(
        rec, "\"result\":{\"status\":\"success\",\"title\":\"My title\"}");
    assert_end_has(rec, "\"message_id\":null");
    assert_end_has(rec, "\"provider\":null,\"model\":null");
    assert_end_has(rec, "\"finish_reason\":\"stop\"");
    assert_end_has(rec, "\"conversation_length\":0");
    assert_end_has(rec, "\"message\":\"The title is: My title\"}");
    assert_stored("s", "");
    assert_int_equal(store_session(engine_store(rig), "", "s", &s), OK);
    assert_string_equal(s.title, "My title");
}

static void
one_that_cannot_be_run_says_why(void **state)
{
    struct record *rec = whole_command("s", "/nope");
    struct session s;

    (void)state;
    assert_end_has(rec, "\"command\":\"nope\"");
    assert_end_has(rec, "\"result\":{\"status\":\"error\","
                        "\"code\":\"unknown_command\"");
    rec = whole_command("s", "/");
    assert_end_has(rec, "\"command\":\"\"");
    rec = whole_command("s", "/translate text=x");
    assert_end_has(rec, "\"code\":\"missing_argument\"");
    assert_end_has(rec, "\"provider\":null");
    assert_int_equal(tap_count(&tap_builds), 0);
    assert_int_equal(store_session(engine_store(rig), "", "s", &s),
                     ERR_NOTFOUND);
}

static void
an_ended_one_can_be_followed(void **state)
{
    struct record *rec = whole_command("s", "/help"), *again;

    (void)state;
    again = follow(&rec->turn, 0);
    record_wait_done(again);
    assert_whole(again, EVENT_COMPLETE, 0);
    assert_string_equal(again->notes[2].text, rec->notes[2].text);
    again = follow(&rec->turn, 2);
    record_wait_done(again);
    assert_whole(again, EVENT_COMPLETE, 2);
}

static void
it_counts_what_it_leaves(void **state)
{
    (void)state;
    (void)whole_turn(0, "s", "tap 0", "yes");
    assert_end_has(whole_command("s", "/help"), "\"conversation_length\":2");
    assert_end_has(whole_command("s", "/clear"), "\"conversation_length\":0");
    assert_stored("s", "");
}

/* --- with a model --------------------------------------------------------- */

static void
a_model_is_asked_with_its_instruction_alone(void **state)
{
    char want[sizeof(tap_seen)];
    struct record *rec;

    (void)state;
    (void)whole_turn(0, "s", "tap 0", "yes");
    (void)whole_command("s", "/setcontext Be kind.");
    rec = ask_command("s", "/analyze text=\"tap 1 words\"");
    tap_text(1, "Fine ");
    record_wait_events(rec, 2);
    (void)snprintf(want, sizeof(want), "tap-1|%s|user:tap 1 words|",
                   prompt_file_built_in(PROMPT_FILE_ANALYZE));
    assert_seen(want);
    assert_start_has(rec, "\"provider\":\"tap\",\"model\":\"tap-1\"");
    assert_start_has(rec, "\"message_id\":null");
    tap_text(1, "words.");
    tap_put(1, 'U', "7 3 0", 5);
    tap_finish(1, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_end_has(rec, "\"result\":{\"status\":\"success\","
                        "\"analysis\":\"Fine words.\"}");
    assert_end_has(rec, "\"provider\":\"tap\"");
    assert_end_has(rec, "\"input_tokens\":7");
    assert_end_has(rec, "\"conversation_length\":2");
    assert_stored("s", "user:tap 0|assistant:yes(stop)|");
}

static void
a_model_that_fails_leaves_no_result(void **state)
{
    struct record *rec;

    (void)state;
    rec = ask_command("s", "/analyze tap 0");
    tap_text(0, "Fi");
    tap_put(0, 'E', "", 0);
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_end_has(rec, "\"command\":\"analyze\"");
    assert_end_has(rec, "\"code\":\"tap_error\"");
    assert_end_has(rec, "\"content\":\"Fi\"");
    assert_end_lacks(rec, "\"result\":");
    assert_stored("s", "");
}

static void
a_local_provider_is_no_model(void **state)
{
    struct record *rec;

    (void)state;
    local_text = "not to be seen";
    rec = ask_command_of(&local_provider, "s", "/analyze I love Paris.");
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_end_has(rec, "\"sentiment\":");
    assert_end_lacks(rec, local_text);
    rec = ask_command_of(&local_provider, "s",
                         "/translate text=Hi target_language=French");
    record_wait_done(rec);
    assert_end_has(rec, "\"code\":\"needs_model\"");
}

/* --- cancelled ------------------------------------------------------------ */

static void
cancel_while_it_waits(void **state)
{
    struct record *first, *rec, *stop;

    (void)state;
    first = ask_tap("s", "tap 0");
    record_wait_events(first, 1);
    rec = ask_command("s", "/title Never");
    record_wait_attached(rec);
    stop = stop_turn(&rec->turn);
    record_wait_done(rec);
    record_wait_done(stop);
    assert_refused(rec, ERR_CONFLICT, "cancelled");
    tap_finish(0, FINISH_STOP);
    record_wait_done(first);
    assert_string_not_equal(whole_command("s", "/title")->notes[1].text,
                            "The title is: Never");
}

static void
cancel_while_a_worker_has_it_is_too_late_for_what_is_done(void **state)
{
    struct record *rec, *stop;

    (void)state;
    hold_worker();
    rec = ask_command("s", "/title Done");
    record_wait_attached(rec);
    look_wait(&rec->turn, look_step, TURN_LOADING);
    stop = stop_turn(&rec->turn);
    look_wait(&rec->turn, look_finish, FINISH_CANCELLED);
    hold_release();
    record_wait_done(rec);
    record_wait_done(stop);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_end_has(rec, "\"title\":\"Done\"");
    assert_int_equal(stop->n, 1);
    assert_int_equal(stop->notes[0].type, EVENT_COMPLETE);
}

static void
cancel_while_a_worker_has_it_asks_no_model(void **state)
{
    struct record *rec, *stop;

    (void)state;
    hold_worker();
    rec = ask_command("s", "/analyze tap 0");
    record_wait_attached(rec);
    stop = stop_turn(&rec->turn);
    look_wait(&rec->turn, look_finish, FINISH_CANCELLED);
    hold_release();
    record_wait_done(rec);
    record_wait_done(stop);
    assert_refused(rec, ERR_CONFLICT, "cancelled");
    assert_int_equal(tap_count(&tap_builds), 0);
}

static void
cancel_while_a_model_answers(void **state)
{
    struct record *rec, *stop;

    (void)state;
    rec = ask_command("s", "/analyze tap 0");
    tap_text(0, "So far");
    record_wait_events(rec, 2);
    stop = stop_turn(&rec->turn);
    record_wait_done(rec);
    record_wait_done(stop);
    tap_wait_left(0, 1);
    assert_whole(rec, EVENT_CANCELLED, 0);
    assert_end_has(rec, "\"finish_reason\":\"cancelled\"");
    assert_end_has(rec, "\"message\":\"So far\"");
    assert_end_lacks(rec, "\"result\":");
    assert_int_equal(stop->notes[0].type, EVENT_CANCELLED);
    assert_stored("s", "");
}

/* --- beside others -------------------------------------------------------- */

static void
what_waits_behind_a_deletion_goes_on(void **state)
{
    static const char *const lines[] = {"/clear", "/forget"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct record *first = ask_tap("s", "tap 0"), *rec, *next;

        record_wait_events(first, 1);
        rec = ask_command("s", lines[i]);
        record_wait_attached(rec);
        next = ask_tap("s", "tap 1");
        record_wait_attached(next);
        tap_text(0, "before");
        tap_finish(0, FINISH_STOP);
        record_wait_done(rec);
        assert_whole(rec, EVENT_COMPLETE, 0);
        assert_end_has(rec, "\"status\":\"success\"");
        tap_text(1, "after");
        tap_finish(1, FINISH_STOP);
        record_wait_done(next);
        assert_whole(next, EVENT_COMPLETE, 0);
        assert_end_has(next, "\"conversation_length\":2");
        assert_stored("s", "user:tap 1|assistant:after(stop)|");
    }
}

static struct record *
ask_with_key(const char *line, const char *key)
{
    struct turn_ask *a = ask_new(&tap_provider, "s", line);
    struct record *rec = record_new();

    command_read(a);
    a->idem_scope = "s";
    a->idem_key = arena_strdup(&a->arena, key);
    engine_ask(rig, a, &rec->r);
    return rec;
}

static void
a_key_names_one_turn(void **state)
{
    struct record *one, *two, *three;

    (void)state;
    one = ask_with_key("/analyze tap 0", "key");
    tap_text(0, "Once.");
    record_wait_events(one, 2);
    two = ask_with_key("/analyze tap 0", "key");
    record_wait_events(two, 2);
    tap_finish(0, FINISH_STOP);
    record_wait_done(one);
    record_wait_done(two);
    three = ask_with_key("tap 0 a message", "key");
    record_wait_done(three);
    assert_whole(two, EVENT_COMPLETE, 0);
    assert_whole(three, EVENT_COMPLETE, 0);
    assert_true(ident_eq(&one->turn, &two->turn));
    assert_true(ident_eq(&one->turn, &three->turn));
    assert_int_equal(tap_count(&tap_builds), 1);
    assert_stored("s", "");
}

static void
a_key_of_a_message_is_no_key_of_a_command(void **state)
{
    struct record *said = ask_with_key("tap 0", "key"), *rec;

    (void)state;
    tap_finish(0, FINISH_STOP);
    record_wait_done(said);
    rec = ask_with_key("/clear", "key");
    record_wait_done(rec);
    assert_true(ident_eq(&said->turn, &rec->turn));
    assert_stored("s", "user:tap 0|assistant:(stop)|");
}

static void
a_key_is_free_again_where_nothing_began(void **state)
{
    struct record *rec, *stop;

    (void)state;
    hold_worker();
    rec = ask_with_key("/analyze tap 0", "key");
    record_wait_attached(rec);
    stop = stop_turn(&rec->turn);
    look_wait(&rec->turn, look_finish, FINISH_CANCELLED);
    hold_release();
    record_wait_done(rec);
    record_wait_done(stop);
    assert_refused(rec, ERR_CONFLICT, "cancelled");
    tap_text(0, "Now.");
    tap_finish(0, FINISH_STOP);
    rec = ask_with_key("/analyze tap 0", "key");
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_end_has(rec, "\"analysis\":\"Now.\"");
}

/* --- the process ends ----------------------------------------------------- */

static void
a_drain_cuts_a_model_that_outlasts_it(void **state)
{
    struct record *rec, *again;

    (void)state;
    rec = ask_command("s", "/analyze tap 0");
    tap_text(0, "So far");
    record_wait_events(rec, 2);
    rig_stop(0);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_end_has(rec, "\"code\":\"shutting_down\"");
    assert_end_has(rec, "\"content\":\"So far\"");
    assert_end_lacks(rec, "\"result\":");
    rig_start();
    again = follow(&rec->turn, 0);
    record_wait_done(again);
    assert_whole(again, EVENT_ERROR, 0);
    assert_string_equal(again->notes[2].text, rec->notes[2].text);
}

static void
a_drain_waits_for_the_worker(void **state)
{
    int64_t deadline_ms = 10000;
    struct record *rec;

    (void)state;
    hold_worker();
    rec = ask_command("s", "/title Kept");
    record_wait_attached(rec);
    engine_call(rig, rig_drain, &deadline_ms);
    hold_release();
    assert_int_equal(pthread_join(rig_thread, NULL), 0);
    engine_close(rig);
    rig = NULL;
    assert_whole(rec, EVENT_COMPLETE, 0);
    rig_start();
    assert_string_equal(whole_command("s", "/title")->notes[1].text,
                        "The title is: Kept");
}

static void
a_worker_that_outlasts_the_drain_is_waited_for_and_not_told(void **state)
{
    int64_t deadline_ms = 0;
    struct record *rec;

    (void)state;
    hold_worker();
    rec = ask_command("s", "/title Kept");
    record_wait_attached(rec);
    engine_call(rig, rig_drain, &deadline_ms);
    fake_sleep_ms(50); /* whether the loop has ended or not: it must be well */
    hold.held = false;
    (void)sem_post(&hold.go);
    assert_int_equal(pthread_join(rig_thread, NULL), 0);
    engine_close(rig);
    rig = NULL;
    assert_true(rec->done);
    if (rec->n > 0)
        assert_whole(rec, EVENT_COMPLETE, 0);
    rig_start();
    assert_string_equal(whole_command("s", "/title")->notes[1].text,
                        "The title is: Kept");
}

/* The stream of a command that p carried out and did not end. */
static struct ident
leave_command(struct process p, const char *owner)
{
    struct stream_head h = {.process = p, .begun_ms = clock_wall_ms()};
    struct streamlog *l = rig_log_open();
    struct ident turn = ident_v7();

    (void)snprintf(h.session_id, sizeof(h.session_id), "s");
    (void)snprintf(h.owner, sizeof(h.owner), "%s", owner);
    (void)snprintf(h.provider, sizeof(h.provider), "tap");
    (void)snprintf(h.model, sizeof(h.model), "tap-1");
    assert_int_equal(streamlog_put_head(l, &turn, &h), OK);
    assert_int_equal(streamlog_append(l, &turn, 1, EVENT_START, "{}", 2), OK);
    assert_int_equal(streamlog_append(l, &turn, 2, EVENT_CHUNK, "Half", 4), OK);
    assert_int_equal(streamlog_commit(l), OK);
    streamlog_close(l);
    return turn;
}

static void
a_dead_process_leaves_an_interrupted_one(void **state)
{
    struct ident turn;
    struct record *one, *two;

    (void)state;
    rig_stop(0);
    turn = leave_command(dead_process(), "");
    rig_start();
    one = follow(&turn, 0);
    two = follow(&turn, 1);
    record_wait_done(one);
    record_wait_done(two);
    assert_whole(one, EVENT_ERROR, 0);
    assert_whole(two, EVENT_ERROR, 1);
    assert_end_has(one, "\"code\":\"interrupted\"");
    assert_end_has(one, "\"retryable\":true");
    assert_end_has(one, "\"content\":\"Half\"");
    assert_end_has(one, "\"message_id\":null");
    assert_end_has(one, "\"session_id\":\"s\"");
    assert_stored("s", "");
    one = follow(&turn, 3);
    record_wait_done(one);
    assert_order(one, "nd");
}

static void
it_is_not_another_owners(void **state)
{
    struct ident turn;
    struct record *rec;

    (void)state;
    rig_stop(0);
    turn = leave_command(dead_process(), "ann");
    rig_start();
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_refused(rec, ERR_NOTFOUND, "turn_not_found");
}

static void
a_process_that_dies_under_a_reader_is_noticed(void **state)
{
    struct ident turn;
    struct other other;
    struct record *rec;

    (void)state;
    rig_stop(0);
    other = other_start();
    turn = leave_command(other.id, "");
    rig_start();
    rec = follow(&turn, 0);
    record_wait_events(rec, 2);
    assert_false(record_is_done(rec));
    other_end(&other);
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_end_has(rec, "\"code\":\"interrupted\"");
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_command_is_told_as_a_turn_and_is_no_message),
        T(one_that_cannot_be_run_says_why),
        T(an_ended_one_can_be_followed),
        T(it_counts_what_it_leaves),
        T(a_model_is_asked_with_its_instruction_alone),
        T(a_model_that_fails_leaves_no_result),
        T(a_local_provider_is_no_model),
        T(cancel_while_it_waits),
        T(cancel_while_a_worker_has_it_is_too_late_for_what_is_done),
        T(cancel_while_a_worker_has_it_asks_no_model),
        T(cancel_while_a_model_answers),
        T(what_waits_behind_a_deletion_goes_on),
        T(a_key_names_one_turn),
        T(a_key_of_a_message_is_no_key_of_a_command),
        T(a_key_is_free_again_where_nothing_began),
        T(a_drain_cuts_a_model_that_outlasts_it),
        T(a_drain_waits_for_the_worker),
        T(a_worker_that_outlasts_the_drain_is_waited_for_and_not_told),
        T(a_dead_process_leaves_an_interrupted_one),
        T(it_is_not_another_owners),
        T(a_process_that_dies_under_a_reader_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
