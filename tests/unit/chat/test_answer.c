/*
 * Tests of chat/answer.c and chat/engine_context.c: what is known of an answer
 * beside its text comes back from the store, and from the log of a turn that
 * is still answered or was cut down.
 */
#include "chat_test.h"

#define CONTEXT "{\"dropped\":2,\"files\":[]}"
#define NOTES "[{\"code\":\"fallback\",\"message\":\"Another answered\"}]"
#define CALLS "[{\"id\":\"1\",\"name\":\"f\",\"arguments\":{}}]"
#define EXTRA \
    "{\"notes\":" NOTES ",\"tool_calls\":" CALLS ",\"context\":" CONTEXT "}"

static int
setup(void **state)
{
    (void)state;
    rig_folder();
    taps_start();
    return 0;
}

struct left {
    enum event_type type;
    const char *data; /* NULL: no more */
};

/* A turn that p began, and its log; none at all if events is NULL. */
static struct ident
leave_turn(struct process p, const char *session, const struct left *events)
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
    if (events != NULL)
        assert_int_equal(streamlog_put_head(l, &op.begin.turn, &h), OK);
    for (; events != NULL && events->data != NULL; events++)
        assert_int_equal(streamlog_append(l, &op.begin.turn, seq++,
                                          events->type, events->data,
                                          strlen(events->data)),
                         OK);
    assert_int_equal(streamlog_commit(l), OK);
    streamlog_close(l);
    store_close(s);
    return op.begin.turn;
}

/* … and whose answer was stored, as event number end_seq. */
static void
leave_extra(const struct ident *turn, enum finish finish, uint32_t end_seq,
            const char *extra)
{
    struct store *s = rig_store_open();
    struct store_op op = op_end(turn, "because");

    op.end.answer.finish = (uint8_t)finish;
    op.end.answer.cost_micro = 123;
    op.end.answer.extra = extra;
    op.end.answer.extra_len = strlen(extra);
    op.end.end_seq = end_seq;
    assert_int_equal(store_apply(s, &op), OK);
    store_close(s);
}

static void
leave_answer(const struct ident *turn, enum finish finish, uint32_t end_seq)
{
    leave_extra(turn, finish, end_seq, EXTRA);
}

static const struct left with_context[] = {
    {EVENT_START, "{}"}, {EVENT_CONTEXT, CONTEXT},
    {EVENT_CHUNK, "be"}, {EVENT_CHUNK, "cause"},
    {0, NULL},
};

/* --- ends ----------------------------------------------------------------- */

static void
an_end_that_was_lost_says_what_is_stored(void **state)
{
    struct ident turn = leave_turn(dead_process(), "s", with_context);
    struct record *rec;

    (void)state;
    leave_answer(&turn, FINISH_STOP, 5);
    rig_start();
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(rec->n, 5);
    assert_end_has(rec, "\"notes\":" NOTES ",\"message\":\"because\"}");
    assert_end_has(rec, "\"tool_calls\":" CALLS ",");
    assert_end_has(rec, "\"cost_usd\":0.000123}");
    assert_null(strstr(rec->notes[4].text, "dropped"));
}

static void
a_failure_that_was_lost_says_it_too(void **state)
{
    struct ident turn = leave_turn(dead_process(), "s", with_context);
    struct record *rec;

    (void)state;
    leave_answer(&turn, FINISH_INCOMPLETE, 5);
    rig_start();
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_end_has(rec, "\"notes\":" NOTES);
    assert_end_has(rec, "\"tool_calls\":" CALLS);
    assert_end_has(rec, "\"cost_usd\":0.000123}");
    assert_end_has(rec, "\"content\":\"because\"");
}

static void
a_stream_made_anew_has_its_context(void **state)
{
    struct ident turn = leave_turn(dead_process(), "s", NULL);
    struct record *rec;

    (void)state;
    leave_answer(&turn, FINISH_STOP, 9);
    rig_start();
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_int_equal(rec->n, 4);
    assert_int_equal(rec->notes[0].type, EVENT_START);
    assert_int_equal(rec->notes[1].type, EVENT_CONTEXT);
    assert_string_equal(rec->notes[1].text, CONTEXT);
    assert_string_equal(rec->notes[2].text, "because");
    assert_int_equal(rec->notes[3].seq, 9);
    assert_end_has(rec, "\"notes\":" NOTES);
}

/* A context that left nothing out was not streamed, and is not now. */
static void
only_a_context_that_was_told_is_told_again(void **state)
{
    static const struct {
        const char *extra;
        size_t n;
    } rows[] = {
        {"{\"context\":{\"dropped\":0,\"cut\":0,\"shortened\":false}}", 3},
        {"{\"context\":{}}", 3},
        {"{\"context\":{\"cut\":1}}", 4},
        {"{\"context\":{\"shortened\":true}}", 4},
        {"{\"notes\":[]}", 3},
        {"", 3},
    };
    struct ident turns[COUNT_OF(rows)];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char session[8];

        (void)snprintf(session, sizeof(session), "s%zu", i % 10);
        turns[i] = leave_turn(dead_process(), session, NULL);
        leave_extra(&turns[i], FINISH_STOP, 9, rows[i].extra);
    }
    rig_start();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct record *rec = follow(&turns[i], 0);

        record_wait_done(rec);
        assert_int_equal(rec->n, rows[i].n);
        assert_int_equal(rec->notes[1].type,
                         rows[i].n == 4 ? EVENT_CONTEXT : EVENT_CHUNK);
        assert_int_equal(rec->notes[rec->n - 1].seq, 9);
    }
}

/* The end keeps its number, even where there is none left for a context. */
static void
a_short_stream_made_anew_keeps_its_end(void **state)
{
    struct process dead = dead_process();
    struct ident had = leave_turn(dead, "a", NULL);
    struct ident had_not = leave_turn(dead, "b", NULL);
    struct record *rec;

    (void)state;
    leave_answer(&had, FINISH_STOP, 4);
    leave_answer(&had_not, FINISH_STOP, 3);
    rig_start();
    rec = follow(&had, 0);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(rec->n, 4);
    rec = follow(&had_not, 0);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(rec->n, 3);
}

/* An extra that is no JSON: the answer is told all the same. */
static void
a_damaged_extra_says_nothing(void **state)
{
    struct ident turn = leave_turn(dead_process(), "s", with_context);
    struct store *s = rig_store_open();
    struct store_op op = op_end(&turn, "because");
    struct record *rec;

    (void)state;
    op.end.answer.extra = "{\"notes\":[";
    op.end.answer.extra_len = 10;
    op.end.end_seq = 5;
    assert_int_equal(store_apply(s, &op), OK);
    store_close(s);
    rig_start();
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_end_has(rec, "\"notes\":[],\"message\":\"because\"}");
}

/* --- a turn that was cut down --------------------------------------------- */

static bool
add_extra(void *arg, const struct message *m)
{
    struct buf *b = arg;

    buf_add(b, m->extra, m->extra_len);
    if (m->finish != FINISH_NONE)
        assert_int_equal(m->cost_micro, -1);
    return true;
}

static void
assert_stored_extra(const char *session, const char *want)
{
    struct buf b;

    buf_init(&b, 2 * STORE_EXTRA_MAX);
    assert_int_equal(store_messages(engine_store(rig), "", session, UINT32_MAX,
                                    9, 0, NULL, add_extra, &b),
                     OK);
    assert_string_equal(buf_cstr(&b), want);
    buf_release(&b);
}

static void
the_context_of_an_interrupted_turn_is_stored(void **state)
{
    static const struct left without[] = {
        {EVENT_START, "{}"}, {EVENT_CHUNK, "be"}, {0, NULL}};
    static const struct left twice[] = {{EVENT_START, "{}"},
                                        {EVENT_CONTEXT, "{\"dropped\":0}"},
                                        {EVENT_CONTEXT, CONTEXT},
                                        {0, NULL}};
    struct process dead = dead_process();
    struct ident a = leave_turn(dead, "a", with_context);
    struct ident b = leave_turn(dead, "b", without);
    struct ident c = leave_turn(dead, "c", twice);
    const struct ident *all[] = {&a, &b, &c};

    (void)state;
    rig_start();
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct record *rec = follow(all[i], 0);

        record_wait_done(rec);
        assert_whole(rec, EVENT_ERROR, 0);
        assert_end_has(rec, "\"code\":\"interrupted\"");
    }
    assert_stored_extra("a", "{\"context\":" CONTEXT "}");
    assert_stored_extra("b", "");
    assert_stored_extra("c", "{\"context\":" CONTEXT "}");
    assert_stored("a", "user:why?|assistant:because(interrupted)|");
}

static void
a_context_that_is_too_long_is_not_stored(void **state)
{
    static char huge[STORE_EXTRA_MAX + 16];
    const struct left events[] = {{EVENT_START, "{}"},
                                  {EVENT_CONTEXT, huge},
                                  {EVENT_CHUNK, "because"},
                                  {0, NULL}};
    struct record *rec;
    struct ident turn;

    (void)state;
    memset(huge, 'x', sizeof(huge) - 1);
    memcpy(huge, "{\"a\":\"", 6);
    memcpy(huge + sizeof(huge) - 3, "\"}", 3);
    turn = leave_turn(dead_process(), "s", events);
    rig_start();
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_stored_extra("s", "");
    assert_stored("s", "user:why?|assistant:because(interrupted)|");
}

/* --- while it is answered ------------------------------------------------- */

static void
assert_running_context(const struct ident *turn, const char *want)
{
    struct stream_head head = {.ended = false};
    struct buf out;

    buf_init(&out, STORE_EXTRA_MAX);
    assert_int_equal(engine_context(rig, turn, &head, &out), OK);
    assert_string_equal(buf_cstr(&out), want);
    assert_string_equal(head.provider, "tap");
    assert_string_equal(head.model, "tap-1");
    buf_release(&out);
}

static void
the_context_of_a_running_turn_is_in_its_stream(void **state)
{
    static const struct left only_start[] = {{EVENT_START, "{}"}, {0, NULL}};
    static const struct left late[] = {{EVENT_START, "{}"},
                                       {EVENT_CHUNK, "be"},
                                       {EVENT_CONTEXT, CONTEXT},
                                       {0, NULL}};
    static const struct left twice[] = {{EVENT_START, "{}"},
                                        {EVENT_CONTEXT, "{\"dropped\":0}"},
                                        {EVENT_CONTEXT, CONTEXT},
                                        {EVENT_CHUNK, "be"},
                                        {0, NULL}};
    struct other o = other_start();
    struct ident a = leave_turn(o.id, "a", with_context);
    struct ident b = leave_turn(o.id, "b", only_start);
    struct ident c = leave_turn(o.id, "c", late);
    struct ident d = leave_turn(o.id, "d", twice);
    struct ident none = leave_turn(o.id, "e", NULL);
    struct stream_head head = {.ended = false};
    struct buf out;

    (void)state;
    buf_init(&out, STORE_EXTRA_MAX);
    rig_start();
    assert_running_context(&a, CONTEXT);
    assert_running_context(&b, "");
    assert_running_context(&c, "");
    assert_running_context(&d, CONTEXT);
    assert_int_equal(engine_context(rig, &none, &head, &out), ERR_NOTFOUND);
    assert_int_equal(out.len, 0);
    buf_release(&out);
    other_end(&o);
}

static void
a_context_that_is_too_long_is_told_by_the_buffer(void **state)
{
    struct other o = other_start();
    struct ident turn = leave_turn(o.id, "a", with_context);
    struct stream_head head = {.ended = false};
    struct buf out;

    (void)state;
    buf_init(&out, strlen(CONTEXT) - 1);
    rig_start();
    assert_int_equal(engine_context(rig, &turn, &head, &out), OK);
    assert_int_equal(buf_status(&out), ERR_TOOBIG);
    buf_release(&out);
    other_end(&o);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_end_that_was_lost_says_what_is_stored),
        T(a_failure_that_was_lost_says_it_too),
        T(a_stream_made_anew_has_its_context),
        T(only_a_context_that_was_told_is_told_again),
        T(a_short_stream_made_anew_keeps_its_end),
        T(a_damaged_extra_says_nothing),
        T(the_context_of_an_interrupted_turn_is_stored),
        T(a_context_that_is_too_long_is_not_stored),
        T(the_context_of_a_running_turn_is_in_its_stream),
        T(a_context_that_is_too_long_is_told_by_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
