/*
 * Tests of chat/mend.c: turns that no process writes any more, in each of the
 * states that store and log can be left in.
 */
#include "chat_test.h"

/* The engine is started by the test, after it has left things behind. */
static int
setup(void **state)
{
    (void)state;
    rig_folder();
    taps_start();
    return 0;
}

/* A turn that p began; chunks end with NULL, no stream at all if NULL. */
static struct ident
leave_turn(struct process p, const char *session, const char *const *chunks)
{
    struct stream_head h = {.process = p, .begun_ms = clock_wall_ms()};
    struct store *s = rig_store_open();
    struct streamlog *l = rig_log_open();
    struct store_op op = op_begin("", session, "why?");
    uint32_t seq = 1;

    op.begin.process = p;
    assert_int_equal(store_apply(s, &op), OK);
    h.answer_message = op.begin.answer_message;
    (void)snprintf(h.session_id, sizeof(h.session_id), "%s", session);
    (void)snprintf(h.provider, sizeof(h.provider), "tap");
    (void)snprintf(h.model, sizeof(h.model), "tap-1");
    if (chunks != NULL) {
        assert_int_equal(streamlog_put_head(l, &op.begin.turn, &h), OK);
        assert_int_equal(
            streamlog_append(l, &op.begin.turn, seq++, EVENT_START, "{}", 2),
            OK);
    }
    for (; chunks != NULL && *chunks != NULL; chunks++)
        assert_int_equal(streamlog_append(l, &op.begin.turn, seq++, EVENT_CHUNK,
                                          *chunks, strlen(*chunks)),
                         OK);
    assert_int_equal(streamlog_commit(l), OK);
    streamlog_close(l);
    store_close(s);
    return op.begin.turn;
}

/* … and whose answer was stored, as event number end_seq. */
static void
leave_answer(const struct ident *turn, enum finish finish, const char *text,
             uint32_t end_seq)
{
    struct store *s = rig_store_open();
    struct store_op op = op_end(turn, text);

    op.end.answer.finish = (uint8_t)finish;
    op.end.end_seq = end_seq;
    assert_int_equal(store_apply(s, &op), OK);
    store_close(s);
}

static const char *const two_chunks[] = {"be", "cause", NULL};

/* --- at start ------------------------------------------------------------- */

static void
the_text_in_the_log_is_kept(void **state)
{
    struct ident turn = leave_turn(dead_process(), "s", two_chunks);
    struct record *rec;

    (void)state;
    rig_start();
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_int_equal(rec->n, 4);
    assert_end_has(rec, "\"code\":\"interrupted\"");
    assert_end_has(rec, "\"retryable\":true");
    assert_end_has(rec, "\"content\":\"because\"");
    assert_end_has(rec, "\"finish_reason\":\"interrupted\"");
    assert_end_has(rec, "\"conversation_length\":2");
    assert_end_has(rec, "\"provider\":\"tap\",\"model\":\"tap-1\"");
    assert_stored("s", "user:why?|assistant:because(interrupted)|");
}

static void
turns_are_closed_though_nobody_asks(void **state)
{
    struct process dead = dead_process();
    struct turn_info info;
    struct ident a, b;

    (void)state;
    a = leave_turn(dead, "a", two_chunks);
    b = leave_turn(dead, "b", NULL);
    rig_start();
    rig_stop(10000); /* a drain waits for what is being mended */
    rig_start();
    assert_int_equal(store_turn(engine_store(rig), &a, &info), OK);
    assert_int_equal(info.state, TURN_STATE_ENDED);
    assert_int_equal(store_turn(engine_store(rig), &b, &info), OK);
    assert_int_equal(info.state, TURN_STATE_ENDED);
    assert_stored("a", "user:why?|assistant:because(interrupted)|");
    assert_stored("b", "user:why?|assistant:(interrupted)|");
}

static void
a_turn_without_a_stream_gets_one(void **state)
{
    struct ident turn = leave_turn(dead_process(), "s", NULL);
    struct record *rec;

    (void)state;
    rig_start();
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_end_has(rec, "\"code\":\"interrupted\"");
    assert_end_has(rec, "\"content\":\"\"");
    assert_stored("s", "user:why?|assistant:(interrupted)|");
}

static void
a_turn_that_ended_in_the_store_alone_gets_its_end(void **state)
{
    struct ident turn = leave_turn(dead_process(), "s", two_chunks);
    struct record *one, *two;

    (void)state;
    leave_answer(&turn, FINISH_STOP, "because", 4);
    rig_start();
    one = follow(&turn, 0);
    two = follow(&turn, 2);
    record_wait_done(one);
    record_wait_done(two);
    assert_whole(one, EVENT_COMPLETE, 0);
    assert_whole(two, EVENT_COMPLETE, 2);
    assert_int_equal(one->n, 4);
    assert_end_has(one, ",\"message\":\"because\"}");
    assert_string_equal(two->notes[1].text, one->notes[3].text);
    assert_stored("s", "user:why?|assistant:because(stop)|");
}

static void
a_stream_that_was_dropped_is_made_again(void **state)
{
    struct ident turn = leave_turn(dead_process(), "s", NULL);
    struct record *all, *rest, *none;

    (void)state;
    leave_answer(&turn, FINISH_STOP, "because", 9);
    rig_start();
    rest = follow(&turn, 5); /* as a reader that was cut off there */
    record_wait_done(rest);
    assert_int_equal(rest->n, 1);
    assert_int_equal(rest->notes[0].seq, 9);
    assert_int_equal(rest->notes[0].type, EVENT_COMPLETE);
    all = follow(&turn, 0);
    record_wait_done(all);
    assert_int_equal(all->n, 3);
    assert_int_equal(all->notes[0].type, EVENT_START);
    assert_string_equal(all->notes[1].text, "because");
    assert_int_equal(all->notes[2].seq, 9);
    none = follow(&turn, 9);
    record_wait_done(none);
    assert_order(none, "nd");
}

static void
who_had_seen_all_of_a_dropped_stream_is_told_so(void **state)
{
    struct ident turn = leave_turn(dead_process(), "s", NULL);
    struct record *none;

    (void)state;
    leave_answer(&turn, FINISH_STOP, "because", 9);
    rig_start();
    none = follow(&turn, 9);
    record_wait_done(none);
    assert_order(none, "nd");
}

static void
each_finish_is_made_again_as_it_was(void **state)
{
    static const struct {
        enum finish finish;
        enum event_type type;
        const char *part;
    } rows[] = {
        {FINISH_STOP, EVENT_COMPLETE, "\"finish_reason\":\"stop\""},
        {FINISH_LENGTH, EVENT_COMPLETE, "\"finish_reason\":\"length\""},
        {FINISH_CANCELLED, EVENT_CANCELLED, "\"message\":\"because\"}"},
        {FINISH_INCOMPLETE, EVENT_ERROR, "\"code\":\"incomplete\""},
        {FINISH_ERROR, EVENT_ERROR, "\"code\":\"provider_failed\""},
        {FINISH_INTERRUPTED, EVENT_ERROR, "\"code\":\"interrupted\""},
    };
    struct process dead = dead_process();
    struct ident turns[COUNT_OF(rows)];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char session[8];

        (void)snprintf(session, sizeof(session), "s%zu", i % 10);
        turns[i] = leave_turn(dead, session, NULL);
        leave_answer(&turns[i], rows[i].finish, "because", 3);
    }
    rig_start();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct record *rec = follow(&turns[i], 0);

        record_wait_done(rec);
        assert_whole(rec, rows[i].type, 0);
        assert_end_has(rec, rows[i].part);
        if (rows[i].type == EVENT_ERROR)
            assert_end_has(rec, "\"content\":\"because\"");
    }
}

static void
a_stream_dropped_under_a_slow_reader_is_made_again(void **state)
{
    static char text[3 * READER_BATCH];
    struct record *slow, *other;
    struct ident turn;
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;

    (void)state;
    rig_start();
    memset(text, 'x', sizeof(text) - 1);
    tap_text(0, text);
    slow = ask_tap("s", "tap 0");
    record_answers(slow, ERR_AGAIN);
    record_wait_events(slow, 1);
    tap_finish(0, FINISH_STOP);
    turn = slow->turn;
    other = follow(&turn, 0);
    record_wait_done(other);
    /* drops the stream */
    engine_forget(rig, "nothing-of-it-runs", &turn, 1);
    while (!record_is_done(slow) && clock_mono_ms() < until_ms) {
        engine_call(rig, (void (*)(void *))reader_resume, &slow->r);
        fake_sleep_ms(20);
    }
    record_wait_done(slow); /* by its end, or cut off to ask again */
}

/* --- while somebody looks ------------------------------------------------- */

static void
many_readers_find_a_dead_turn_at_once(void **state)
{
    struct other o = other_start();
    struct ident turn = leave_turn(o.id, "s", two_chunks);
    struct record *recs[8];

    (void)state;
    rig_start(); /* it lives yet: nothing is mended now */
    rig_settle();
    assert_stored("s", "user:why?|");
    other_end(&o);
    for (size_t i = 0; i < COUNT_OF(recs); i++)
        recs[i] = follow(&turn, (uint32_t)i % 4);
    for (size_t i = 0; i < COUNT_OF(recs); i++) {
        record_wait_done(recs[i]);
        assert_whole(recs[i], EVENT_ERROR, (uint32_t)i % 4);
    }
    assert_stored("s", "user:why?|assistant:because(interrupted)|");
}

static void
a_process_that_dies_under_its_readers_is_noticed(void **state)
{
    struct other o = other_start();
    struct ident turn = leave_turn(o.id, "s", two_chunks);
    struct record *rec;

    (void)state;
    rig_start();
    rec = follow(&turn, 0);
    record_wait_events(rec, 3);
    assert_false(record_is_done(rec));
    other_end(&o);
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_end_has(rec, "\"code\":\"interrupted\"");
    assert_stored("s", "user:why?|assistant:because(interrupted)|");
}

static void
a_dead_turn_of_a_deleted_session_fails_its_readers(void **state)
{
    struct other o = other_start();
    struct ident turn = leave_turn(o.id, "s", two_chunks);
    struct store_op op = {
        .kind = STORE_SESSION_DELETE, .owner = "", .session_id = "s"};
    struct record *rec;

    (void)state;
    rig_start();
    rec = follow(&turn, 0);
    record_wait_events(rec, 3);
    assert_int_equal(store_apply(engine_store(rig), &op), OK);
    other_end(&o);
    record_wait_done(rec);
    assert_int_equal(rec->problem.err, ERR_NOTFOUND);
    assert_order(rec, "aesfd");
}

static void
put_head(void *arg)
{
    struct stream_head h = {.begun_ms = clock_wall_ms()};
    const struct turn_info *info = arg;

    h.process = info->process;
    assert(streamlog_put_head(rig->log, &info->id, &h) == OK);
    assert(streamlog_append(rig->log, &info->id, 1, EVENT_START, "{}", 2) ==
           OK);
}

static void
a_turn_whose_log_is_about_to_appear_is_waited_for(void **state)
{
    struct other o = other_start();
    struct turn_info info = {.process = o.id};
    struct record *rec;

    (void)state;
    info.id = leave_turn(o.id, "s", NULL);
    rig_start();
    rec = follow(&info.id, 0);
    fake_sleep_ms(120);
    assert_order(rec, "");
    engine_call(rig, put_head, &info);
    record_wait_events(rec, 1);
    other_end(&o);
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
}

static void
a_turn_whose_log_never_appears_is_not_found(void **state)
{
    struct other o = other_start();
    struct ident turn = leave_turn(o.id, "s", NULL);
    struct record *rec;

    (void)state;
    rig_start();
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_refused(rec, ERR_NOTFOUND, "turn_not_found");
    other_end(&o);
}

static void
a_turn_that_never_was_is_not_found(void **state)
{
    struct ident turn = ident_v7();
    struct record *rec;

    (void)state;
    rig_start();
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_refused(rec, ERR_NOTFOUND, "turn_not_found");
    rec = stop_turn(&turn);
    record_wait_done(rec);
    assert_refused(rec, ERR_NOTFOUND, "turn_not_found");
}

static void
another_owner_finds_nothing(void **state)
{
    struct other o = other_start();
    struct ident alive = leave_turn(o.id, "a", two_chunks);
    struct ident dead = leave_turn(dead_process(), "d", NULL);
    struct ident ended = leave_turn(dead_process(), "e", NULL);
    const struct ident *turns[] = {&alive, &dead, &ended};

    (void)state;
    leave_answer(&ended, FINISH_STOP, "mine", 3);
    rig_start();
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        struct record *rec = record_new();
        struct record *stop = record_new();

        engine_follow(rig, "eve", turns[i], &rec->r);
        engine_stop_turn(rig, "eve", turns[i], &stop->r);
        record_wait_done(rec);
        record_wait_done(stop);
        assert_refused(rec, ERR_NOTFOUND, "turn_not_found");
        assert_refused(stop, ERR_NOTFOUND, "turn_not_found");
    }
    other_end(&o);
}

/* --- a session that another process has ----------------------------------- */

static void
a_new_turn_waits_for_another_process_and_then_goes(void **state)
{
    struct other o = other_start();
    struct record *rec;

    (void)state;
    (void)leave_turn(o.id, "s", two_chunks);
    rig_start();
    tap_text(0, "mine");
    tap_finish(0, FINISH_STOP);
    rec = ask_tap("s", "tap 0");
    fake_sleep_ms(500);
    assert_order(rec, "a");
    assert_int_equal(tap_count(&tap_builds), 0); /* nor is anything asked */
    other_end(&o);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_seen("tap-1||user:why?|assistant:because|user:tap 0|");
    assert_stored("s", "user:why?|assistant:because(interrupted)|"
                       "user:tap 0|assistant:mine(stop)|");
}

static void
a_turn_that_waits_for_another_process_can_be_cancelled(void **state)
{
    struct other o = other_start();
    struct turn_ask *a = ask_new(&tap_provider, "s", "tap 0");
    struct record *rec, *stop;
    struct ident none;

    (void)state;
    (void)leave_turn(o.id, "s", two_chunks);
    rig_start();
    assert_int_equal(prompt_load(engine_store(rig), a, &none), OK);
    rec = ask_it(a); /* loaded by an acceptor: the store refuses its begin */
    record_wait_attached(rec);
    look_wait(&rec->turn, look_step, TURN_WAITING);
    fake_sleep_ms(300);
    assert_true(tap_count(&tap_builds) <= 1);
    stop = stop_turn(&rec->turn);
    record_wait_done(stop);
    record_wait_done(rec);
    assert_refused(rec, ERR_CONFLICT, "cancelled");
    assert_stored("s", "user:why?|");
    other_end(&o);
}

static void
head_stops(void *arg)
{
    struct stream_head h = {.stop = false};

    assert(streamlog_head(rig->log, arg, &h) == OK);
    *(struct ident *)arg = (struct ident){{h.stop}};
}

static void
cancelling_a_turn_of_another_process_is_asked_of_it(void **state)
{
    struct other o = other_start();
    struct ident turn = leave_turn(o.id, "s", two_chunks);
    struct ident flag = turn;
    struct record *stop;

    (void)state;
    rig_start();
    engine_call(rig, head_stops, &flag);
    assert_int_equal(flag.b[0], 0);
    stop = stop_turn(&turn);
    record_wait_attached(stop);
    flag = turn;
    engine_call(rig, head_stops, &flag);
    assert_int_equal(flag.b[0], 1);
    other_end(&o);
    record_wait_done(stop);
    assert_int_equal(stop->n, 1);
    assert_int_equal(stop->notes[0].type, EVENT_ERROR);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_text_in_the_log_is_kept),
        T(turns_are_closed_though_nobody_asks),
        T(a_turn_without_a_stream_gets_one),
        T(a_turn_that_ended_in_the_store_alone_gets_its_end),
        T(a_stream_that_was_dropped_is_made_again),
        T(who_had_seen_all_of_a_dropped_stream_is_told_so),
        T(each_finish_is_made_again_as_it_was),
        T(a_stream_dropped_under_a_slow_reader_is_made_again),
        T(many_readers_find_a_dead_turn_at_once),
        T(a_process_that_dies_under_its_readers_is_noticed),
        T(a_dead_turn_of_a_deleted_session_fails_its_readers),
        T(a_turn_whose_log_is_about_to_appear_is_waited_for),
        T(a_turn_whose_log_never_appears_is_not_found),
        T(a_turn_that_never_was_is_not_found),
        T(another_owner_finds_nothing),
        T(a_new_turn_waits_for_another_process_and_then_goes),
        T(a_turn_that_waits_for_another_process_can_be_cancelled),
        T(cancelling_a_turn_of_another_process_is_asked_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
