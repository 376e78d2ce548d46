/*
 * Tests of temporary chats in the engine: what chat/temporary.c says, and that
 * a turn, a command, a stream that is made again and a deletion leave nothing
 * on disk.
 */
#include "chat_test.h"

#include "chat/command.h"
#include "chat/erase.h"
#include "chat/sweep.h"
#include "chat/temporary.h"

/* --- sentences -------------------------------------------------------- */

static void
each_error_has_its_words(void **state)
{
    struct problem p = {.err = OK};

    (void)state;
    assert_int_equal(temporary_problem(&p, ERR_FULL), ERR_FULL);
    assert_string_equal(p.code, "temporary_full");
    assert_true(p.retryable);
    assert_true(p.retry_after_s > 0);
    assert_int_equal(temporary_problem(&p, ERR_IMPOSSIBLE), ERR_IMPOSSIBLE);
    assert_string_equal(p.code, "not_temporary");
    assert_int_equal(p.retry_after_s, 0);
    assert_int_equal(temporary_problem(&p, ERR_STORE), ERR_STORE);
    assert_string_equal(p.code, "store_failed");
}

static void
a_setting_switches_them_off(void **state)
{
    struct problem p = {.err = OK};

    (void)state;
    assert_int_equal(temporary_check(&p), OK);
    conf_override(CONF_TEMPORARY_MIB, "0");
    assert_int_equal(temporary_check(&p), ERR_IMPOSSIBLE);
    assert_string_equal(p.code, "temporary_off");
}

/* --- in the engine ---------------------------------------------------- */

static struct turn_ask *
ask_temporary(const char *session, const char *text)
{
    struct turn_ask *a = ask_new(&tap_provider, session, text);

    a->temporary = true;
    return a;
}

static struct ident
temporary_turn(int tap, const char *session, const char *text,
               const char *answer)
{
    struct record *rec;

    tap_text(tap, answer);
    tap_finish(tap, FINISH_STOP);
    rec = ask_it(ask_temporary(session, text));
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    return rec->turn;
}

struct heads {
    struct ident turn;
    bool there, temporary, ended;
};

static void
look_head(void *arg)
{
    struct heads *h = arg;
    struct stream_head head;

    h->there = streamlog_head(rig->log, &h->turn, &head) == OK;
    h->temporary = h->there && head.temporary;
    h->ended = h->there && head.ended;
}

static struct heads
head_of(const struct ident *turn)
{
    struct heads h = {.turn = *turn};

    engine_call(rig, look_head, &h);
    return h;
}

static void
look_idle(void *arg)
{
    *(int64_t *)arg = engine_idle_ms(rig);
}

/* *arg bytes. */
static void
set_room(void *arg)
{
    rig->temporary.max = *(size_t *)arg;
}

static void
a_turn_leaves_nothing_on_disk(void **state)
{
    struct ident turn = temporary_turn(0, "s", "tap 0 violet", "violet too");
    struct heads head = head_of(&turn);
    struct record *rec;
    int64_t idle_ms = -1;

    (void)state;
    assert_true(head.temporary);
    assert_true(head.ended);
    assert_true(get_session(engine_store(rig), "", "s").temporary);
    assert_stored("s", "user:tap 0 violet|assistant:violet too(stop)|");
    (void)whole_turn(1, "stored", "tap 1 cerulean", "an answer");
    engine_call(rig, look_idle, &idle_ms);
    assert_int_equal(idle_ms, 0); /* it would end with the process */
    rig_stop(0);
    assert_true(folder_has_text(rig_dir, "cerulean"));
    assert_false(folder_has_text(rig_dir, "violet"));
    rig_start();
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_refused(rec, ERR_NOTFOUND, "turn_not_found");
}

static void
what_was_asked_without_a_word_stays_temporary(void **state)
{
    struct ident turn;

    (void)state;
    (void)temporary_turn(0, "s", "tap 0", "one");
    turn = whole_turn(1, "s", "tap 1 violet", "two");
    assert_true(head_of(&turn).temporary);
    assert_stored("s", "user:tap 0|assistant:one(stop)|user:tap 1 violet|"
                       "assistant:two(stop)|");
    rig_stop(0);
    assert_false(folder_has_text(rig_dir, "violet"));
}

static void
a_stored_session_refuses_it(void **state)
{
    struct record *rec;

    (void)state;
    (void)whole_turn(0, "s", "tap 0", "one");
    tap_text(1, "two");
    tap_finish(1, FINISH_STOP);
    rec = ask_it(ask_temporary("s", "tap 1"));
    record_wait_done(rec);
    assert_refused(rec, ERR_IMPOSSIBLE, "not_temporary");
    assert_stored("s", "user:tap 0|assistant:one(stop)|");
}

/* Its history was loaded before somebody stored a session of that id. */
static void
the_commit_refuses_it_too(void **state)
{
    struct turn_ask *a = ask_temporary("s", "tap 1");
    struct record *rec;
    struct ident none;

    (void)state;
    assert_int_equal(prompt_load(engine_store(rig), a, &none), OK);
    (void)whole_turn(0, "s", "tap 0", "one");
    a->expect_messages = UINT32_MAX;
    tap_text(1, "two");
    rec = ask_it(a);
    record_wait_done(rec);
    assert_refused(rec, ERR_IMPOSSIBLE, "not_temporary");
    assert_stored("s", "user:tap 0|assistant:one(stop)|");
}

static void
drop_stream(void *arg)
{
    assert(streamlog_drop(rig->log, arg) == OK);
}

static void
a_stream_that_was_dropped_is_made_again_in_memory(void **state)
{
    struct ident turn = temporary_turn(0, "s", "tap 0", "violet");
    struct record *rec;

    (void)state;
    engine_call(rig, drop_stream, &turn);
    assert_false(head_of(&turn).there);
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_end_has(rec, "\"message\":\"violet\"");
    assert_true(head_of(&turn).temporary);
    assert_true(head_of(&turn).ended);
    rig_stop(0);
    assert_false(folder_has_text(rig_dir, "violet"));
}

static struct record *
command(const char *session, const char *text, bool temporary)
{
    struct turn_ask *a = ask_new(&local_provider, session, text);
    struct record *rec;

    a->temporary = temporary;
    command_read(a);
    rec = record_new(); /* nothing of a command is stored */
    engine_ask(rig, a, &rec->r);
    record_wait_done(rec);
    return rec;
}

static void
a_command_leaves_nothing_on_disk(void **state)
{
    struct record *set, *show, *forget;

    (void)state;
    set = command("s", "/setcontext violet context", true);
    assert_whole(set, EVENT_COMPLETE, 0);
    assert_true(head_of(&set->turn).temporary);
    assert_true(get_session(engine_store(rig), "", "s").temporary);
    show = command("s", "/getcontext", false);
    assert_end_has(show, "violet context");
    assert_true(head_of(&show->turn).temporary);
    forget = command("s", "/forget", false);
    assert_whole(forget, EVENT_COMPLETE, 0);
    assert_true(head_of(&forget->turn).temporary);
    rig_stop(0);
    assert_false(folder_has_text(rig_dir, "violet"));
}

static void
a_command_in_a_stored_session_is_refused(void **state)
{
    struct record *rec;

    (void)state;
    (void)whole_turn(0, "s", "tap 0", "one");
    rec = command("s", "/setcontext violet", true);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_end_has(rec, "\"code\":\"not_temporary\"");
    assert_false(get_session(engine_store(rig), "", "s").has_context);
}

static void
an_erased_one_gives_its_room_back(void **state)
{
    struct ident turn = temporary_turn(0, "s", "tap 0", "one");
    struct record *rec;
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;

    (void)state;
    rec = command("s", "/history", false);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_true(budget_used(&rig->temporary) > 0);
    assert_int_equal(erase(rig, "", "s", 0, ERASE_SESSION, NULL), OK);
    while (budget_used(&rig->temporary) > 0 && clock_mono_ms() < until_ms)
        fake_sleep_ms(5);
    assert_int_equal(budget_used(&rig->temporary), 0);
    assert_false(head_of(&turn).there);
}

/* The provider is asked while the question is put in, and again when that
 * failed first: it answers the question that stands. */
static void
turn_after_another(struct turn_ask *ask, int tap, const char *answer)
{
    struct record *rec = ask_it(ask);

    record_wait_events(rec, 1);
    tap_text(tap, answer);
    tap_finish(tap, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
}

static void
one_whose_time_is_over_is_erased(void **state)
{
    struct session s;
    struct store_op op = op_on(STORE_SESSION_PATCH, "", "s");

    (void)state;
    (void)temporary_turn(0, "s", "tap 0", "one");
    op.patch.set_expires = true;
    op.patch.expires_ms = 1;
    assert_int_equal(store_apply(engine_store(rig), &op), OK);
    assert_int_equal(store_session(engine_store(rig), "", "s", &s),
                     ERR_NOTFOUND);
    /* It makes room for itself. */
    turn_after_another(ask_temporary("s", "tap 1"), 1, "two");
    assert_stored("s", "user:tap 1|assistant:two(stop)|");
    assert_int_equal(store_apply(engine_store(rig), &op), OK);
    /* So does this one, and is what was there. */
    turn_after_another(ask_new(&tap_provider, "s", "tap 2"), 2, "three");
    assert_stored("s", "user:tap 2|assistant:three(stop)|");
    assert_true(get_session(engine_store(rig), "", "s").temporary);
}

/* As it is at the start, and every minute. */
static void
sweep_anew(void *arg)
{
    (void)arg;
    sweep_free(rig->sweep);
    rig->sweep = sweep_new(rig);
}

static void
the_sweep_erases_what_is_over(void **state)
{
    struct store_op op = op_on(STORE_SESSION_PATCH, "", "s");
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    size_t kept;

    (void)state;
    (void)temporary_turn(0, "kept", "tap 0", "one");
    kept = budget_used(&rig->temporary);
    (void)temporary_turn(1, "s", "tap 1", "two");
    op.patch.set_expires = true;
    op.patch.expires_ms = 1;
    assert_int_equal(store_apply(engine_store(rig), &op), OK);
    hold_worker(); /* the first sweep is over */
    hold_release();
    rig_settle();
    engine_call(rig, sweep_anew, NULL);
    while (budget_used(&rig->temporary) > kept && clock_mono_ms() < until_ms)
        fake_sleep_ms(5);
    assert_int_equal(budget_used(&rig->temporary), kept);
    assert_stored("kept", "user:tap 0|assistant:one(stop)|");
}

static void
a_turn_that_does_not_fit_is_refused(void **state)
{
    struct record *rec;
    size_t room;

    (void)state;
    (void)temporary_turn(0, "s", "tap 0", "one");
    room = budget_used(&rig->temporary); /* no byte more */
    engine_call(rig, set_room, &room);
    tap_text(1, "two");
    rec = ask_it(ask_temporary("s", "tap 1"));
    record_wait_done(rec);
    assert_refused(rec, ERR_FULL, "temporary_full");
    assert_stored("s", "user:tap 0|assistant:one(stop)|");
    assert_end_has(command("s", "/setcontext a text", false),
                   "\"code\":\"temporary_full\"");
    assert_false(get_session(engine_store(rig), "", "s").has_context);
    (void)whole_turn(2, "stored", "tap 2", "is not harmed");
}

static int
settings(void **state)
{
    (void)state;
    rig_folder();
    return 0;
}

static int
settings_gone(void **state)
{
    (void)state;
    folder_remove(rig_dir);
    return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_has_its_words),
        cmocka_unit_test_setup_teardown(a_setting_switches_them_off, settings,
                                        settings_gone),
        T(a_turn_leaves_nothing_on_disk),
        T(what_was_asked_without_a_word_stays_temporary),
        T(a_stored_session_refuses_it),
        T(the_commit_refuses_it_too),
        T(a_stream_that_was_dropped_is_made_again_in_memory),
        T(a_command_leaves_nothing_on_disk),
        T(a_command_in_a_stored_session_is_refused),
        T(an_erased_one_gives_its_room_back),
        T(one_whose_time_is_over_is_erased),
        T(the_sweep_erases_what_is_over),
        T(a_turn_that_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
