/*
 * Tests of chat/engine.c and engine_post.c: who is let in, how the engine
 * stops, what it forgets, and what happens when the log is full.
 */
#include "chat_test.h"

static int
setup_stopped(void **state)
{
    (void)state;
    rig_folder();
    taps_start();
    return 0;
}

/* --- the door ------------------------------------------------------------- */

static void
turns_at_the_capacity_are_taken_and_one_more_is_not(void **state)
{
    struct record *one, *two, *three;

    (void)state;
    conf_override(CONF_MAX_STREAMS, "2");
    rig_start();
    assert_int_equal(engine_capacity(rig), 2);
    one = ask_tap("a", "tap 0");
    two = ask_tap("b", "tap 1");
    three = ask_tap("c", "tap 2");
    record_wait_done(three);
    assert_refused(three, ERR_BUSY, "too_many_streams");
    assert_int_equal(three->problem.retry_after_s, 5);
    assert_int_equal(engine_running(rig), 2);
    tap_finish(0, FINISH_STOP);
    record_wait_done(one);
    rig_settle();
    assert_int_equal(engine_running(rig), 1);
    three = ask_tap("c", "tap 2");
    tap_finish(2, FINISH_STOP);
    record_wait_done(three);
    assert_whole(three, EVENT_COMPLETE, 0);
    tap_finish(1, FINISH_STOP);
    record_wait_done(two);
}

static void
turns_of_a_session_run_in_the_order_they_came(void **state)
{
    struct record *recs[4];

    (void)state;
    conf_override(CONF_SESSION_QUEUE_MAX, "2");
    rig_start();
    recs[0] = ask_tap("s", "tap 0");
    recs[1] = ask_tap("s", "tap 1");
    recs[2] = ask_tap("s", "tap 2");
    recs[3] = ask_tap("s", "tap 3"); /* one more than may wait */
    record_wait_done(recs[3]);
    assert_refused(recs[3], ERR_LIMIT, "session_busy");
    assert_int_equal(recs[3]->problem.retry_after_s, 1);
    tap_text(1, "two");
    tap_finish(1, FINISH_STOP);
    tap_text(2, "three");
    tap_finish(2, FINISH_STOP);
    tap_wait_asked(0, 1);
    assert_int_equal(tap_count(&taps[1].asked), 0);
    tap_text(0, "one");
    tap_finish(0, FINISH_STOP);
    for (int i = 0; i < 3; i++) {
        record_wait_done(recs[i]);
        assert_whole(recs[i], EVENT_COMPLETE, 0);
    }
    assert_seen("tap-1||user:tap 0|assistant:one|user:tap 1|assistant:two|"
                "user:tap 2|");
    assert_stored("s", "user:tap 0|assistant:one(stop)|"
                       "user:tap 1|assistant:two(stop)|"
                       "user:tap 2|assistant:three(stop)|");
}

static void
other_sessions_do_not_wait(void **state)
{
    struct record *slow, *quick;

    (void)state;
    slow = ask_tap("a", "tap 0");
    tap_wait_asked(0, 1);
    tap_finish(1, FINISH_STOP);
    quick = ask_tap("b", "tap 1");
    record_wait_done(quick);
    assert_false(slow->done);
    tap_finish(0, FINISH_STOP);
    record_wait_done(slow);
}

static void
the_system_prompt_and_the_context_are_sent(void **state)
{
    struct turn_ask *a;
    struct record *rec;

    (void)state;
    conf_override(CONF_SYSTEM_PROMPT, "Be brief.");
    rig_start();
    a = ask_new(&tap_provider, "s", "tap 0");
    a->context = "It is noon.";
    tap_finish(0, FINISH_STOP);
    rec = ask_it(a);
    record_wait_done(rec);
    assert_seen("tap-1|Be brief.\n\nIt is noon.|user:tap 0|");
}

static void
a_local_answer_is_stored_as_any_other(void **state)
{
    struct record *rec;

    (void)state;
    conf_override(CONF_OFFLINE_DELAY_MS, "1");
    rig_start();
    local_text = "Parley keeps each answer, \xE2\x82\xAC and all.";
    rec = ask_local("s", "what?");
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_end_has(rec, "\"provider\":\"local\"");
    assert_stored("s", "user:what?|assistant:Parley keeps each answer, "
                       "\xE2\x82\xAC and all.(stop)|");
}

static void
a_turn_that_nobody_follows_is_cancelled_if_that_is_wished(void **state)
{
    struct record *rec, *late;

    (void)state;
    conf_override(CONF_ORPHAN_MS, "60");
    rig_start();
    rec = ask_tap("s", "tap 0");
    tap_text(0, "half");
    record_wait_events(rec, 2);
    record_answers(rec, ERR_HUP); /* at the next bytes */
    tap_text(0, " and");
    record_wait_done(rec);
    tap_wait_left(0, 1); /* upstream was closed */
    late = follow(&rec->turn, 0);
    record_wait_done(late);
    assert_whole(late, EVENT_CANCELLED, 0);
}

/* --- whose turn it is ----------------------------------------------------- */

static void
another_owner_can_neither_follow_nor_stop(void **state)
{
    struct record *mine, *eve, *stop;

    (void)state;
    mine = ask_tap("s", "tap 0");
    tap_text(0, "secret");
    record_wait_events(mine, 2);
    eve = record_new();
    stop = record_new();
    engine_follow(rig, "eve", &mine->turn, &eve->r);
    engine_stop_turn(rig, "eve", &mine->turn, &stop->r);
    record_wait_done(eve);
    record_wait_done(stop);
    assert_refused(eve, ERR_NOTFOUND, "turn_not_found");
    assert_refused(stop, ERR_NOTFOUND, "turn_not_found");
    fake_sleep_ms(150); /* nor is the wish to stop left behind */
    assert_false(mine->done);
    tap_finish(0, FINISH_STOP);
    record_wait_done(mine);
    assert_whole(mine, EVENT_COMPLETE, 0);
    eve = record_new();
    engine_follow(rig, "eve", &mine->turn, &eve->r);
    record_wait_done(eve);
    assert_refused(eve, ERR_NOTFOUND, "turn_not_found");
}

static void
a_turn_that_was_given_away_is_its_new_owners(void **state)
{
    struct ident turn = whole_turn(0, "s", "tap 0", "secret");
    struct store_op op = op_on(STORE_SESSION_OWNER, "", "s");
    struct record *mine, *ann;

    (void)state;
    op.owner_change.to = "ann";
    assert_int_equal(store_apply(engine_store(rig), &op), OK);
    mine = follow(&turn, 0);
    record_wait_done(mine);
    assert_refused(mine, ERR_NOTFOUND, "turn_not_found");
    ann = record_new();
    engine_follow(rig, "ann", &turn, &ann->r);
    record_wait_done(ann);
    assert_whole(ann, EVENT_COMPLETE, 0);
}

static void
a_turn_that_has_not_begun_is_its_owners_too(void **state)
{
    struct record *mine, *eve;

    (void)state;
    hold_committer();
    mine = ask_tap("s", "tap 0");
    record_wait_attached(mine);
    eve = record_new();
    engine_follow(rig, "eve", &mine->turn, &eve->r);
    record_wait_done(eve);
    assert_refused(eve, ERR_NOTFOUND, "turn_not_found");
    hold_release();
    tap_finish(0, FINISH_STOP);
    record_wait_done(mine);
}

/* --- calls ---------------------------------------------------------------- */

static void
note_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
}

static void
a_call_runs_on_the_loop(void **state)
{
    pthread_t where;

    (void)state;
    engine_call(rig, note_thread, &where);
    assert_true(pthread_equal(where, rig_thread));
}

static void
note_idle(void *arg)
{
    *(int64_t *)arg = engine_idle_ms(rig);
}

static void
idle_is_the_time_without_turns_and_readers(void **state)
{
    struct record *rec;
    int64_t ms;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_wait_asked(0, 1);
    fake_sleep_ms(60);
    engine_call(rig, note_idle, &ms);
    assert_int_equal(ms, 0);
    tap_finish(0, FINISH_STOP);
    record_wait_done(rec);
    fake_sleep_ms(60);
    rig_settle(); /* a call is work too: the clock begins anew */
    engine_call(rig, note_idle, &ms);
    assert_true(ms >= 0 && ms < 60);
}

/* --- forgetting ----------------------------------------------------------- */

static void
head_there(void *arg)
{
    struct stream_head h;
    struct ident *id = arg;

    *id = (struct ident){{streamlog_head(rig->log, id, &h) == OK}};
}

static bool
stream_there(const struct ident *turn)
{
    struct ident id = *turn;

    engine_call(rig, head_there, &id);
    return id.b[0] != 0;
}

static void
forgetting_cancels_and_drops(void **state)
{
    struct store_op op = {
        .kind = STORE_SESSION_DELETE, .owner = "", .session_id = "s"};
    struct record *running, *waiting, *other;
    struct ident old;

    (void)state;
    old = whole_turn(0, "s", "tap 0", "old");
    running = ask_tap("s", "tap 1");
    tap_text(1, "new");
    record_wait_events(running, 2);
    waiting = ask_tap("s", "tap 2");
    other = ask_tap("else", "tap 3");
    tap_text(3, "else");
    record_wait_events(other, 2);
    running->store = NULL;
    assert_true(stream_there(&old));
    assert_int_equal(store_apply(engine_store(rig), &op), OK);
    engine_forget(rig, "s", &old, 1);
    assert_false(stream_there(&old));
    record_wait_done(running);
    record_wait_done(waiting);
    assert_refused(waiting, ERR_CONFLICT, "cancelled");
    assert_whole(running, EVENT_ERROR, 0);
    assert_end_has(running, "\"code\":\"session_deleted\"");
    tap_wait_left(1, 1);
    assert_false(other->done);
    tap_finish(3, FINISH_STOP);
    record_wait_done(other);
    assert_whole(other, EVENT_COMPLETE, 0);
    assert_stored("s", "");
}

/* --- stopping ------------------------------------------------------------- */

static void
a_drain_waits_for_running_turns(void **state)
{
    struct record *rec, *late;
    int64_t deadline_ms = 20000;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_text(0, "slow");
    record_wait_events(rec, 2);
    engine_call(rig, rig_drain, &deadline_ms);
    assert_true(engine_draining(rig));
    late = ask_tap("t", "tap 1");
    record_wait_done(late);
    assert_refused(late, ERR_STOPPING, "stopping");
    assert_int_equal(late->problem.retry_after_s, 2);
    fake_sleep_ms(50);
    assert_false(record_is_done(rec));
    tap_finish(0, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(pthread_join(rig_thread, NULL), 0);
    engine_close(rig);
    rig = NULL;
}

static void
a_drain_cuts_at_its_deadline(void **state)
{
    struct record *rec, *waiting, *ending, *unbegun;
    int64_t deadline_ms = 50;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_text(0, "half");
    record_wait_events(rec, 2);
    waiting = ask_tap("s", "tap 1");
    ending = ask_tap("e", "tap 2");
    tap_text(2, "whole");
    record_wait_events(ending, 2);
    hold_committer();
    unbegun = ask_tap("u", "tap 3");
    record_wait_attached(unbegun);
    tap_finish(2, FINISH_STOP);
    look_wait(&ending->turn, look_step, TURN_ENDING);
    engine_call(rig, rig_drain, &deadline_ms);
    tap_wait_left(0, 1);
    hold_release();
    record_wait_done(rec);
    record_wait_done(waiting);
    record_wait_done(ending);
    record_wait_done(unbegun);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_end_has(rec, "\"code\":\"shutting_down\"");
    assert_end_has(rec, "\"retryable\":true");
    assert_end_has(rec, "\"content\":\"half\"");
    assert_end_has(rec, "\"finish_reason\":\"incomplete\"");
    assert_refused(waiting, ERR_CONFLICT, "cancelled");
    assert_whole(ending, EVENT_COMPLETE, 0);
    assert_whole(unbegun, EVENT_ERROR, 0);
    assert_int_equal(pthread_join(rig_thread, NULL), 0);
    engine_close(rig);
    rig = NULL;
    rig_start();
    assert_stored("s", "user:tap 0|assistant:half(incomplete)|");
    assert_stored("e", "user:tap 2|assistant:whole(stop)|");
    assert_stored("u", "user:tap 3|assistant:(incomplete)|");
}

static void
a_drain_cuts_a_turn_that_loads(void **state)
{
    struct record *rec;
    int64_t deadline_ms = 0;

    (void)state;
    hold_worker();
    rec = ask_tap("s", "tap 0");
    record_wait_attached(rec);
    look_wait(&rec->turn, look_step, TURN_LOADING);
    engine_call(rig, rig_drain, &deadline_ms);
    fake_sleep_ms(50);
    hold_release();
    record_wait_done(rec);
    assert_refused(rec, ERR_CONFLICT, "cancelled");
    assert_int_equal(pthread_join(rig_thread, NULL), 0);
    engine_close(rig);
    rig = NULL;
}

static void
hold_it(void *arg)
{
    engine_hold(rig, arg);
}

static void
release_it(void *arg)
{
    engine_release(rig, arg);
}

static void
a_drain_waits_for_who_holds_it(void **state)
{
    int64_t deadline_ms = 20000, began_ms;
    struct engine_hold held = {.drop = NULL};

    (void)state;
    engine_call(rig, hold_it, &held);
    engine_call(rig, rig_drain, &deadline_ms);
    fake_sleep_ms(100);
    rig_settle(); /* it runs yet */
    engine_call(rig, release_it, &held);
    began_ms = clock_mono_ms();
    assert_int_equal(pthread_join(rig_thread, NULL), 0);
    assert_true(clock_mono_ms() - began_ms < 10000);
    engine_close(rig);
    rig = NULL;
}

static void
a_turn_that_the_end_finds_unfinished_is_let_go(void **state)
{
    struct record *rec;
    int64_t deadline_ms = 0;

    (void)state;
    hold_committer(); /* a disk that does not answer */
    rec = ask_tap("s", "tap 0");
    record_wait_attached(rec);
    look_wait(&rec->turn, look_step, TURN_RUNNING);
    engine_call(rig, rig_drain, &deadline_ms);
    assert_int_equal(pthread_join(rig_thread, NULL), 0);
    assert_false(record_is_done(rec));
    (void)sem_post(&hold.go);
    hold.held = false;
    engine_close(rig); /* nothing is used after it was freed */
    rig = NULL;
    assert_true(rec->done);
}

static int dropped;

static void
on_dropped(struct engine_hold *h)
{
    assert_ptr_equal(h->arg, &dropped);
    dropped++;
    engine_release(rig, h);
}

static void
the_loop_ends_now(void *arg)
{
    (void)arg;
    loop_stop(engine_loop(rig));
}

static void
who_holds_a_drain_is_dropped_when_it_is_cut_short(void **state)
{
    struct engine_hold a = {.drop = on_dropped, .arg = &dropped}, b = a, c = a;

    (void)state;
    dropped = 0;
    engine_call(rig, hold_it, &a);
    engine_call(rig, hold_it, &b);
    engine_call(rig, hold_it, &c);
    engine_call(rig, release_it, &b);
    engine_call(rig, the_loop_ends_now, NULL);
    assert_int_equal(pthread_join(rig_thread, NULL), 0);
    engine_close(rig);
    rig = NULL;
    assert_int_equal(dropped, 2);
}

static void
not_called(void *arg)
{
    (void)arg;
    fail();
}

static void
what_comes_after_the_end_is_refused(void **state)
{
    struct record *asked, *following, *stopping;
    struct ident turn = whole_turn(0, "s", "tap 0", "a");

    (void)state;
    engine_call(rig, the_loop_ends_now, NULL);
    assert_int_equal(pthread_join(rig_thread, NULL), 0);
    engine_call(rig, not_called, NULL); /* returns */
    asked = ask_tap("s", "tap 1");
    following = record_new();
    engine_follow(rig, "", &turn, &following->r);
    stopping = record_new();
    engine_stop_turn(rig, "", &turn, &stopping->r);
    assert_false(asked->done);
    engine_close(rig);
    rig = NULL;
    assert_refused(asked, ERR_STOPPING, "stopping");
    assert_refused(following, ERR_STOPPING, "stopping");
    assert_refused(stopping, ERR_STOPPING, "stopping");
    assert_int_equal(asked->problem.retry_after_s, 2);
}

/* Workers are busy with two answers; nobody wants one of them any more. */
static void
local_answers_on_their_way_are_let_go(void **state)
{
    struct record *running, *cancelled;
    sem_t gate, there;

    (void)state;
    (void)sem_init(&gate, 0, 0);
    (void)sem_init(&there, 0, 0);
    local_text = "a long answer";
    local_gate = &gate;
    local_there = &there;
    conf_override(CONF_WORKERS, "2");
    rig_start();
    running = ask_local("a", "x");
    cancelled = ask_local("b", "y");
    for (int i = 0; i < 2; i++)
        while (sem_wait(&there) != 0)
            ;
    engine_stop_turn(rig, "", &cancelled->turn, &record_new()->r);
    record_wait_done(cancelled);
    engine_call(rig, the_loop_ends_now, NULL);
    assert_int_equal(pthread_join(rig_thread, NULL), 0);
    (void)sem_post(&gate);
    (void)sem_post(&gate);
    engine_close(rig); /* nothing stays behind */
    rig = NULL;
    local_gate = NULL;
    local_there = NULL;
    assert_true(running->done);
}

/* --- full ----------------------------------------------------------------- */

static void
put_text(int tap, size_t bytes)
{
    char *s = malloc(bytes);

    assert_non_null(s);
    memset(s, 'x', bytes);
    tap_put(tap, 'T', s, bytes);
    free(s);
}

static void
a_log_without_room_ends_the_turn_and_keeps_the_text(void **state)
{
    struct record *rec, *again;
    struct ident turn;
    char stored[400];

    (void)state;
    conf_override(CONF_STREAM_LOG_MIB, "1");
    rig_start();
    rec = ask_tap("s", "tap 0");
    tap_text(0, "begun");
    record_wait_events(rec, 2);
    put_text(0, 2000000);
    record_wait_done(rec);
    tap_wait_left(0, 1);
    turn = rec->turn;
    /* The end event has all of the text: it did not fit either. */
    assert_int_equal(rec->problem.err, ERR_FULL);
    (void)snprintf(stored, sizeof(stored), "user:tap 0|assistant:begun%0195d",
                   0);
    for (char *p = strrchr(stored, 'n') + 1; *p != '\0'; p++)
        *p = 'x';
    (void)snprintf(stored + strlen(stored), 40, "(incomplete)|");
    assert_stored("s", stored);
    /* Who asks for it again is not left to wait. */
    again = follow(&turn, 0);
    record_wait_done(again);
    assert_int_equal(again->problem.err, ERR_FULL);
    /* Nor is the log lost for others. */
    (void)whole_turn(1, "t", "tap 1", "small");
}

/* --- two processes -------------------------------------------------------- */

/* A process that asks ours to stop a turn, by a flag in its head. */
static void
asks_to_stop(int from)
{
    struct streamlog_config c = {.map_max = TEST_MAP, .grace_ms = 600000};
    struct stream_head h;
    struct streamlog *l;
    struct ident turn;
    char dir[300];

    (void)snprintf(dir, sizeof(dir), "%s/data/streams", rig_dir);
    c.dir = dir;
    if (read(from, &turn, sizeof(turn)) != sizeof(turn) ||
        streamlog_open(&l, &c) != OK || streamlog_head(l, &turn, &h) != OK)
        _exit(1);
    streamlog_rest(l);
    h.stop = true;
    if (streamlog_put_head(l, &turn, &h) != OK || streamlog_commit(l) != OK)
        _exit(2);
    streamlog_close(l);
    _exit(0);
}

static void
another_process_may_ask_for_a_stop(void **state)
{
    struct record *rec;
    int fds[2];
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pid = fork(); /* while nothing is open */
    assert_true(pid >= 0);
    if (pid == 0)
        asks_to_stop(fds[0]);
    (void)close(fds[0]);
    rig_start();
    rec = ask_tap("s", "tap 0");
    tap_text(0, "part");
    record_wait_events(rec, 2);
    assert_int_equal(write(fds[1], &rec->turn, sizeof(rec->turn)),
                     sizeof(rec->turn));
    (void)close(fds[1]);
    assert_int_equal(child_wait(pid), 0);
    record_wait_done(rec);
    tap_wait_left(0, 1);
    assert_whole(rec, EVENT_CANCELLED, 0);
    assert_stored("s", "user:tap 0|assistant:part(cancelled)|");
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
#define S(f) cmocka_unit_test_setup_teardown(f, setup_stopped, rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        S(turns_at_the_capacity_are_taken_and_one_more_is_not),
        S(turns_of_a_session_run_in_the_order_they_came),
        T(other_sessions_do_not_wait),
        S(the_system_prompt_and_the_context_are_sent),
        S(a_local_answer_is_stored_as_any_other),
        S(a_turn_that_nobody_follows_is_cancelled_if_that_is_wished),
        T(another_owner_can_neither_follow_nor_stop),
        T(a_turn_that_was_given_away_is_its_new_owners),
        T(a_turn_that_has_not_begun_is_its_owners_too),
        T(a_call_runs_on_the_loop),
        T(idle_is_the_time_without_turns_and_readers),
        T(forgetting_cancels_and_drops),
        T(a_drain_waits_for_running_turns),
        T(a_drain_cuts_at_its_deadline),
        T(a_drain_cuts_a_turn_that_loads),
        T(a_drain_waits_for_who_holds_it),
        T(a_turn_that_the_end_finds_unfinished_is_let_go),
        T(who_holds_a_drain_is_dropped_when_it_is_cut_short),
        T(what_comes_after_the_end_is_refused),
        S(local_answers_on_their_way_are_let_go),
        S(a_log_without_room_ends_the_turn_and_keeps_the_text),
        S(another_process_may_ask_for_a_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
