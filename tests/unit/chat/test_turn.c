/*
 * Tests of chat/turn.c and turn_end.c: the text of an answer in any split, the
 * order of events, what happens when the beginning is refused, and a cancel
 * in every step.
 */
#include "chat_test.h"

#define BIG 1000000 /* bytes of a frame; some eight are the limit */

/* --- text ----------------------------------------------------------------- */

/* One turn whose text comes in the parts that end at a and b (0: no cut);
 * asserts what the reader and the store have. */
static void
split_turn(const char *text, size_t n, size_t a, size_t b, const char *want)
{
    struct record *rec;
    struct buf got;
    char session[40];
    char stored[300];
    static int sessions;

    (void)snprintf(session, sizeof(session), "split-%d", ++sessions);
    tap_put(0, 'T', text, a);
    tap_put(0, 'T', text + a, b - a);
    tap_put(0, 'T', text + b, n - b);
    tap_finish(0, FINISH_STOP);
    rec = ask_tap(session, "tap 0");
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    record_text(rec, &got);
    assert_string_equal(buf_cstr(&got), want);
    (void)snprintf(stored, sizeof(stored), "user:tap 0|assistant:%s(stop)|",
                   want);
    assert_stored(session, stored);
    buf_release(&got);
}

static void
every_split(const char *text, const char *want)
{
    size_t n = strlen(text);

    for (size_t a = 0; a <= n; a++)
        for (size_t b = a; b <= n && b <= a + 2; b++)
            split_turn(text, n, a, b, want);
}

static void
well_formed_text_is_the_same_for_every_split(void **state)
{
    (void)state;
    every_split("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z",
                "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z");
}

static void
ill_formed_text_is_the_same_for_every_split(void **state)
{
#define R "\xEF\xBF\xBD"
    (void)state;
    /* a lead before a character; one cut off before ASCII */
    every_split("\xE2\xE2\x82\xAC\xF0\x9F\x41", R "\xE2\x82\xAC" R "A");
    /* a lone tail, an overlong form, a surrogate */
    every_split("\xAC\xC0\xAF\xED\xA0\x80"
                "b",
                R R R R R R "b");
    /* the end comes within a character */
    every_split("x\xF0\x9F\x98", "x" R);
#undef R
}

static void
a_character_waits_for_its_last_byte(void **state)
{
    struct record *rec;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_put(0, 'T', "a\xE2\x82", 3);
    record_wait_events(rec, 2);
    rig_settle();
    assert_int_equal(rec->n, 2);
    assert_string_equal(rec->notes[1].text, "a");
    tap_put(0, 'T',
            "\xAC"
            "b\xF0\x9F",
            4);
    record_wait_events(rec, 3);
    assert_string_equal(rec->notes[2].text, "\xE2\x82\xAC"
                                            "b");
    tap_put(0, 'T', "\x98\x80", 2);
    record_wait_events(rec, 4);
    assert_string_equal(rec->notes[3].text, "\xF0\x9F\x98\x80");
    tap_finish(0, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
}

static void
reasoning_is_cut_at_characters_and_is_not_the_answer(void **state)
{
    struct record *rec;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_put(0, 'R', "hm\xE2\x82", 4);
    record_wait_events(rec, 2);
    assert_int_equal(rec->notes[1].type, EVENT_REASONING);
    assert_string_equal(rec->notes[1].text, "hm");
    tap_put(0, 'R', "\xAC", 1);
    record_wait_events(rec, 3);
    assert_int_equal(rec->notes[2].type, EVENT_REASONING);
    assert_string_equal(rec->notes[2].text, "\xE2\x82\xAC");
    tap_put(0, 'R', "!\xE2", 2);
    tap_text(0, "yes");
    tap_finish(0, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_end_has(rec, "\"message\":\"yes\"");
    assert_stored("s", "user:tap 0|assistant:yes(stop)|");
}

/* Bytes of reasoning that it was given in its *n events. */
static size_t
told_thoughts(struct record *rec, size_t *n)
{
    size_t told = 0;

    (void)pthread_mutex_lock(&rec->mu);
    *n = rec->n;
    for (size_t i = 0; i < rec->n; i++)
        if (rec->notes[i].type == EVENT_REASONING)
            told += rec->notes[i].len;
    (void)pthread_mutex_unlock(&rec->mu);
    return told;
}

static void
reasoning_has_a_limit(void **state)
{
    const size_t step = TURN_THOUGHTS_MAX / 16;
    char *s = malloc(step);
    struct record *rec;
    size_t told = 0, n;

    (void)state;
    assert_non_null(s);
    memset(s, 't', step);
    rec = ask_tap("s", "tap 0");
    record_wait_events(rec, 1);
    while (told < TURN_THOUGHTS_MAX) {
        tap_put(0, 'R', s, step);
        for (told += step; told_thoughts(rec, &n) < told;)
            record_wait_events(rec, n + 1);
    }
    tap_put(0, 'R', "!", 1);
    free(s);
    tap_text(0, "yes");
    tap_finish(0, FINISH_STOP);
    record_wait_done(rec);
    assert_int_equal(told_thoughts(rec, &n), TURN_THOUGHTS_MAX);
    assert_end_has(rec, "\"code\":\"reasoning_cut\"");
    assert_end_has(rec, "\"message\":\"yes\"");
}

/* Put `bytes` of text whose last character is three bytes long. */
static void
put_long(int tap, size_t bytes)
{
    char *s = malloc(BIG);

    assert_non_null(s);
    memset(s, 'x', BIG);
    while (bytes > 0) {
        size_t n = bytes < BIG ? bytes : BIG;

        bytes -= n;
        if (bytes == 0)
            memcpy(s + n - 3, "\xE2\x82\xAC", 3);
        tap_put(tap, 'T', s, n);
    }
    free(s);
}

static void
long_turn(size_t bytes, const char *more, enum finish want, size_t want_bytes)
{
    struct record *rec;
    struct buf got;
    char session[80];
    char part[40];

    (void)snprintf(session, sizeof(session), "long-%zu-%zu", bytes,
                   strlen(more));
    put_long(0, bytes);
    tap_text(0, more);
    if (want == FINISH_STOP)
        tap_finish(0, FINISH_STOP);
    rec = ask_tap(session, "tap 0");
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    (void)snprintf(part, sizeof(part), "\"finish_reason\":\"%s\"",
                   finish_name(want));
    assert_end_has(rec, part);
    record_text(rec, &got);
    assert_int_equal(got.len, want_bytes);
    assert_true(utf8_valid(got.data, got.len));
    buf_release(&got);
}

static void
an_answer_of_the_limit_is_whole(void **state)
{
    (void)state;
    long_turn(STORE_TEXT_MAX, "", FINISH_STOP, STORE_TEXT_MAX);
}

static void
an_answer_past_the_limit_ends_with_length(void **state)
{
    (void)state;
    long_turn(STORE_TEXT_MAX, "y", FINISH_LENGTH, STORE_TEXT_MAX);
    tap_wait_left(0, 1); /* upstream is closed at once */
    /* The character that does not fit is not cut in two. */
    long_turn(STORE_TEXT_MAX + 1, "", FINISH_LENGTH, STORE_TEXT_MAX - 2);
    tap_wait_left(0, 2);
}

static void
the_limit_holds_for_what_replaces_ill_formed_bytes(void **state)
{
    (void)state;
    /* Two bytes of room, and U+FFFD has three. */
    long_turn(STORE_TEXT_MAX - 2, "\xFF\xFF", FINISH_LENGTH,
              STORE_TEXT_MAX - 2);
    tap_wait_left(0, 1);
    /* The same for a character that the end cuts off. */
    long_turn(STORE_TEXT_MAX - 1, "\xE2", FINISH_STOP, STORE_TEXT_MAX - 1);
}

/* --- events --------------------------------------------------------------- */

static void
events_come_in_order_and_the_end_comes_once(void **state)
{
    struct record *rec;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_put(0, 'M', "tap-1-large", 11);
    tap_text(0, "Hello");
    record_wait_events(rec, 2);
    tap_text(0, " world");
    record_wait_events(rec, 3);
    tap_put(0, 'U', "11 22 3", 7);
    tap_finish(0, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(rec->n, 4);
    assert_string_equal(rec->order, "aesld");
    assert_non_null(strstr(rec->notes[0].text, "\"session_id\":\"s\""));
    assert_string_equal(rec->notes[1].text, "Hello");
    assert_string_equal(rec->notes[2].text, " world");
    assert_end_has(rec, "\"model\":\"tap-1-large\"");
    assert_end_has(rec, "\"finish_reason\":\"stop\"");
    assert_end_has(rec, "\"conversation_length\":2");
    assert_end_has(rec, "\"input_tokens\":11,\"output_tokens\":22,"
                        "\"cached_tokens\":3");
    assert_end_has(rec, ",\"message\":\"Hello world\"}");
    assert_seen("tap-1||user:tap 0|");
    assert_stored("s", "user:tap 0|assistant:Hello world(stop)|");
}

static void
each_finish_has_its_event(void **state)
{
    static const struct {
        enum finish finish;
        const char *name;
    } rows[] = {{FINISH_STOP, "stop"},
                {FINISH_LENGTH, "length"},
                {FINISH_TOOL_CALLS, "tool_calls"},
                {FINISH_FILTER, "content_filter"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct record *rec;
        char part[64];

        tap_finish(0, rows[i].finish); /* without any text */
        rec = ask_tap(rows[i].name, "tap 0");
        record_wait_done(rec);
        assert_whole(rec, EVENT_COMPLETE, 0);
        (void)snprintf(part, sizeof(part), "\"finish_reason\":\"%s\"",
                       rows[i].name);
        assert_end_has(rec, part);
        assert_end_has(rec, ",\"message\":\"\"}");
    }
}

static void
an_answer_that_never_came_is_an_error(void **state)
{
    struct record *rec;

    (void)state;
    tap_refuse(0, 1, 400);
    rec = ask_tap("s", "tap 0");
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_int_equal(rec->n, 2);
    assert_end_has(rec, "\"code\":\"tap_refused\"");
    assert_end_has(rec, "\"finish_reason\":\"error\"");
    assert_stored("s", "user:tap 0|assistant:(error)|");
}

static void
an_answer_that_broke_off_keeps_its_text(void **state)
{
    struct record *rec;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_text(0, "half");
    record_wait_events(rec, 2);
    tap_close(0, true);
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_end_has(rec, "\"finish_reason\":\"incomplete\"");
    assert_end_has(rec, "\"retryable\":true");
    assert_end_has(rec, "\"content\":\"half\"");
    assert_stored("s", "user:tap 0|assistant:half(incomplete)|");
    assert_int_equal(tap_count(&taps[0].asked), 1);
}

static void
nothing_is_told_before_the_question_is_durable(void **state)
{
    struct record *rec;

    (void)state;
    hold_committer();
    rec = ask_tap("s", "tap 0");
    record_wait_attached(rec);
    tap_wait_asked(0, 1); /* asked while the commit is under way */
    tap_text(0, "early");
    look_wait(&rec->turn, look_text, 5);
    assert_string_equal(rec->order, "a");
    assert_stored("s", "");
    hold_release();
    record_wait_events(rec, 2);
    assert_stored("s", "user:tap 0|");
    tap_finish(0, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
}

static void
the_end_is_told_after_the_answer_is_durable(void **state)
{
    struct record *rec;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_text(0, "text");
    record_wait_events(rec, 2);
    hold_committer();
    tap_finish(0, FINISH_STOP);
    look_wait(&rec->turn, look_step, TURN_ENDING);
    rig_settle();
    assert_int_equal(rec->n, 2);
    assert_stored("s", "user:tap 0|");
    hold_release();
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
}

static void
an_answer_that_was_there_before_the_begin_is_told_in_order(void **state)
{
    struct record *rec;

    (void)state;
    hold_committer();
    rec = ask_tap("s", "tap 0");
    tap_text(0, "all");
    tap_finish(0, FINISH_STOP);
    record_wait_attached(rec);
    look_wait(&rec->turn, look_finish, FINISH_STOP);
    hold_release();
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(rec->n, 3);
}

/* --- the beginning is refused --------------------------------------------- */

static struct turn_ask *
ask_with_key(const char *session, const char *text, const char *key)
{
    struct turn_ask *a = ask_new(&tap_provider, session, text);

    a->idem_scope = "";
    a->idem_key = arena_strdup(&a->arena, key);
    return a;
}

/* Loaded as an acceptor does it. */
static void
load(struct turn_ask *a, enum err want)
{
    struct ident existing;

    assert_int_equal(prompt_load(engine_store(rig), a, &existing), want);
}

static void
a_used_key_joins_the_turn_that_runs(void **state)
{
    struct turn_ask *a = ask_with_key("s1", "tap 0", "key");
    struct turn_ask *b = ask_with_key("s2", "tap 1", "key");
    struct record *one, *two;

    (void)state;
    load(a, OK);
    load(b, OK); /* before the first has begun: both think they are first */
    one = ask_it(a);
    tap_text(0, "shared");
    record_wait_events(one, 2);
    two = ask_it(b);
    record_wait_events(two, 2);
    tap_text(0, " text");
    tap_finish(0, FINISH_STOP);
    record_wait_done(one);
    record_wait_done(two);
    assert_whole(one, EVENT_COMPLETE, 0);
    assert_whole(two, EVENT_COMPLETE, 0);
    assert_true(ident_eq(&one->turn, &two->turn));
    assert_string_equal(two->notes[two->n - 1].text,
                        one->notes[one->n - 1].text);
    assert_stored("s1", "user:tap 0|assistant:shared text(stop)|");
    assert_stored("s2", "");
    if (tap_count(&taps[1].asked) > 0)
        tap_wait_left(1, 1); /* what it asked meanwhile was cancelled */
}

static void
a_used_key_joins_the_turn_that_ended(void **state)
{
    struct turn_ask *a = ask_with_key("s1", "tap 0", "key");
    struct turn_ask *b = ask_with_key("s2", "tap 1", "key");
    struct record *one, *two;

    (void)state;
    load(b, OK);
    tap_text(0, "done");
    tap_finish(0, FINISH_STOP);
    one = ask_it(a);
    record_wait_done(one);
    load(b, ERR_CONFLICT);
    two = ask_it(b);
    record_wait_done(two);
    assert_whole(two, EVENT_COMPLETE, 0);
    assert_true(ident_eq(&one->turn, &two->turn));
    assert_stored("s2", "");
}

static void
a_key_used_while_it_waited_joins_after_the_wait(void **state)
{
    struct record *one, *ahead, *two;

    (void)state;
    ahead = ask_tap("s", "tap 0");
    tap_wait_asked(0, 1);
    two = ask_it(ask_with_key("s", "tap 2", "key"));
    record_wait_attached(two);
    one = ask_it(ask_with_key("x", "tap 1", "key"));
    tap_text(1, "once");
    record_wait_events(one, 2);
    tap_finish(0, FINISH_STOP);
    record_wait_done(ahead);
    record_wait_events(two, 2);
    tap_finish(1, FINISH_STOP);
    record_wait_done(one);
    record_wait_done(two);
    assert_whole(two, EVENT_COMPLETE, 0);
    assert_string_equal(two->order, "aaesld");
    assert_true(ident_eq(&one->turn, &two->turn));
    assert_int_equal(tap_count(&taps[2].asked), 0);
    assert_stored("x", "user:tap 1|assistant:once(stop)|");
    assert_stored("s", "user:tap 0|assistant:(stop)|");
}

static void
the_same_key_in_a_session_joins_before_anything_is_stored(void **state)
{
    struct record *one, *two, *ahead, *three;

    (void)state;
    hold_committer();
    ahead = ask_it(ask_with_key("s", "tap 0", "a"));
    two = ask_it(ask_with_key("s", "tap 0", "a"));
    one = ask_it(ask_with_key("s", "tap 1", "b"));
    three = ask_it(ask_with_key("s", "tap 1", "b")); /* of one that waits */
    tap_text(0, "first");
    tap_finish(0, FINISH_STOP);
    tap_text(1, "second");
    tap_finish(1, FINISH_STOP);
    hold_release();
    record_wait_done(ahead);
    record_wait_done(two);
    record_wait_done(one);
    record_wait_done(three);
    assert_whole(two, EVENT_COMPLETE, 0);
    assert_whole(three, EVENT_COMPLETE, 0);
    assert_true(ident_eq(&ahead->turn, &two->turn));
    assert_true(ident_eq(&one->turn, &three->turn));
    assert_int_equal(tap_count(&taps[0].asked), 1);
    assert_int_equal(tap_count(&taps[1].asked), 1);
    assert_stored("s", "user:tap 0|assistant:first(stop)|"
                       "user:tap 1|assistant:second(stop)|");
}

static void
a_history_that_changed_is_loaded_again(void **state)
{
    struct turn_ask *a = ask_new(&tap_provider, "s", "tap 1 late");
    struct record *rec;

    (void)state;
    load(a, OK); /* the session is empty */
    (void)whole_turn(0, "s", "tap 0 early", "answer");
    rec = ask_it(a);
    tap_wait_count(&tap_builds, 3); /* asked twice for this one */
    tap_text(1, "later");
    tap_finish(1, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_seen("tap-1||user:tap 0 early|assistant:answer|user:tap 1 late|");
    assert_end_has(rec, "\"conversation_length\":4");
    assert_end_has(rec, ",\"message\":\"later\"}");
    assert_stored("s", "user:tap 0 early|assistant:answer(stop)|"
                       "user:tap 1 late|assistant:later(stop)|");
}

static void
what_the_first_asking_met_is_forgotten_with_it(void **state)
{
    struct turn_ask *a = ask_new(&tap_provider, "s", "tap 1");
    struct record *rec, *stop;

    (void)state;
    load(a, OK);
    (void)whole_turn(0, "s", "tap 0", "answer");
    tap_refuse(1, 1, 400); /* the asking that the store then refuses fails */
    hold_committer();
    rec = ask_it(a);
    record_wait_attached(rec);
    look_wait(&rec->turn, look_finish, FINISH_ERROR);
    hold_release();
    tap_text(1, "text");
    record_wait_events(rec, 2);
    stop = stop_turn(&rec->turn);
    record_wait_done(stop);
    record_wait_done(rec);
    assert_whole(rec, EVENT_CANCELLED, 0);
    assert_null(strstr(rec->notes[rec->n - 1].text, "tap_refused"));
    assert_end_has(rec, ",\"message\":\"text\"}");
}

static void
a_session_of_another_owner_refuses(void **state)
{
    struct turn_ask *a = ask_new(&tap_provider, "s", "tap 1");
    struct record *rec;

    (void)state;
    (void)whole_turn(0, "s", "tap 0", "mine");
    a->owner = "eve";
    rec = ask_it(a);
    record_wait_done(rec);
    assert_int_equal(rec->n, 0);
    assert_int_equal(rec->problem.err, ERR_NOTFOUND);
    assert_stored("s", "user:tap 0|assistant:mine(stop)|");
}

static void
a_session_deleted_meanwhile_ends_with_an_error(void **state)
{
    struct store_op op = {
        .kind = STORE_SESSION_DELETE, .owner = "", .session_id = "s"};
    struct record *rec;

    (void)state;
    rec = ask_tap("s", "tap 0");
    rec->store = NULL; /* there will be nothing in it */
    tap_text(0, "gone");
    record_wait_events(rec, 2);
    assert_int_equal(store_apply(engine_store(rig), &op), OK);
    tap_finish(0, FINISH_STOP);
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_end_has(rec, "\"code\":\"session_deleted\"");
}

/* --- cancelling ----------------------------------------------------------- */

static void
cancel_while_waiting_refuses(void **state)
{
    struct record *first, *second, *stop;

    (void)state;
    first = ask_tap("s", "tap 0");
    tap_wait_asked(0, 1);
    second = ask_tap("s", "tap 1");
    record_wait_attached(second);
    stop = stop_turn(&second->turn);
    record_wait_done(second);
    record_wait_done(stop);
    assert_refused(second, ERR_CONFLICT, "cancelled");
    assert_refused(stop, ERR_CONFLICT, "cancelled");
    tap_finish(0, FINISH_STOP);
    record_wait_done(first);
    assert_int_equal(tap_count(&taps[1].asked), 0);
    assert_stored("s", "user:tap 0|assistant:(stop)|");
}

static void
cancel_while_loading_refuses(void **state)
{
    struct record *rec, *stop;

    (void)state;
    hold_worker();
    rec = ask_tap("s", "tap 0");
    record_wait_attached(rec);
    look_wait(&rec->turn, look_step, TURN_LOADING);
    stop = stop_turn(&rec->turn);
    record_wait_attached(stop);
    hold_release();
    record_wait_done(rec);
    record_wait_done(stop);
    assert_refused(rec, ERR_CONFLICT, "cancelled");
    assert_refused(stop, ERR_CONFLICT, "cancelled");
    assert_int_equal(tap_count(&taps[0].asked), 0);
    assert_stored("s", "");
}

static void
cancel_before_the_begin_closes_upstream_at_once(void **state)
{
    struct record *rec, *stop;

    (void)state;
    hold_committer();
    rec = ask_tap("s", "tap 0");
    tap_wait_asked(0, 1);
    tap_text(0, "some");
    look_wait(&rec->turn, look_text, 4);
    stop = stop_turn(&rec->turn);
    tap_wait_left(0, 1); /* though nothing is committed yet */
    assert_string_equal(rec->order, "a");
    hold_release();
    record_wait_done(rec);
    record_wait_done(stop);
    assert_whole(rec, EVENT_CANCELLED, 0);
    assert_int_equal(stop->n, 1);
    assert_end_has(stop, "\"finish_reason\":\"cancelled\"");
    assert_stored("s", "user:tap 0|assistant:some(cancelled)|");
}

static void
cancel_before_a_begin_that_is_refused_refuses(void **state)
{
    struct turn_ask *a = ask_new(&tap_provider, "s", "tap 1");
    struct record *rec, *stop;

    (void)state;
    load(a, OK);
    (void)whole_turn(0, "s", "tap 0", "x"); /* the count is another now */
    hold_committer();
    rec = ask_it(a);
    tap_wait_asked(1, 1);
    stop = stop_turn(&rec->turn);
    tap_wait_left(1, 1);
    hold_release();
    record_wait_done(rec);
    record_wait_done(stop);
    assert_refused(rec, ERR_CONFLICT, "cancelled");
    assert_stored("s", "user:tap 0|assistant:x(stop)|");
}

static void
cancel_of_an_answer_that_is_whole_but_not_begun(void **state)
{
    struct record *rec, *stop;

    (void)state;
    hold_committer();
    tap_refuse(0, 1, 400); /* it failed, and its user does not want it */
    rec = ask_tap("s", "tap 0");
    record_wait_attached(rec);
    look_wait(&rec->turn, look_finish, FINISH_ERROR);
    stop = stop_turn(&rec->turn);
    rig_settle();
    hold_release();
    record_wait_done(rec);
    record_wait_done(stop);
    assert_whole(rec, EVENT_CANCELLED, 0);
    assert_null(strstr(rec->notes[rec->n - 1].text, "tap_refused"));
    assert_end_has(rec, ",\"message\":\"\"}");
    assert_stored("s", "user:tap 0|assistant:(cancelled)|");
}

static void
cancel_while_running_keeps_the_text(void **state)
{
    struct record *rec, *stop;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_put(0, 'T', "part\xE2\x82", 6);
    record_wait_events(rec, 2);
    stop = stop_turn(&rec->turn);
    record_wait_done(rec);
    record_wait_done(stop);
    tap_wait_left(0, 1);
    assert_whole(rec, EVENT_CANCELLED, 0);
    assert_end_has(rec, "\"message\":\"part\xEF\xBF\xBD\"}");
    assert_int_equal(stop->n, 1);
    assert_int_equal(stop->notes[0].type, EVENT_CANCELLED);
    assert_stored("s", "user:tap 0|assistant:part\xEF\xBF\xBD(cancelled)|");
}

static void
cancel_while_ending_changes_nothing(void **state)
{
    struct record *rec, *stop;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_text(0, "whole");
    record_wait_events(rec, 2);
    hold_committer();
    tap_finish(0, FINISH_STOP);
    look_wait(&rec->turn, look_step, TURN_ENDING);
    stop = stop_turn(&rec->turn);
    rig_settle();
    hold_release();
    record_wait_done(rec);
    record_wait_done(stop);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(stop->n, 1);
    assert_int_equal(stop->notes[0].type, EVENT_COMPLETE);
    assert_stored("s", "user:tap 0|assistant:whole(stop)|");
}

static void
cancel_of_an_ended_turn_shows_how_it_ended(void **state)
{
    struct ident turn;
    struct record *stop;

    (void)state;
    turn = whole_turn(0, "s", "tap 0", "over");
    stop = stop_turn(&turn);
    record_wait_done(stop);
    assert_int_equal(stop->n, 1);
    assert_int_equal(stop->notes[0].type, EVENT_COMPLETE);
    assert_stored("s", "user:tap 0|assistant:over(stop)|");
}

static void
a_cancelled_turn_makes_room_for_the_next(void **state)
{
    struct record *first, *second, *stop;

    (void)state;
    first = ask_tap("s", "tap 0");
    tap_text(0, "x");
    record_wait_events(first, 2);
    second = ask_tap("s", "tap 1");
    tap_text(1, "y");
    tap_finish(1, FINISH_STOP);
    record_wait_attached(second);
    stop = stop_turn(&first->turn);
    record_wait_done(second);
    assert_whole(second, EVENT_COMPLETE, 0);
    assert_stored("s", "user:tap 0|assistant:x(cancelled)|"
                       "user:tap 1|assistant:y(stop)|");
    record_wait_done(stop);
    record_wait_done(first);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(well_formed_text_is_the_same_for_every_split),
        T(ill_formed_text_is_the_same_for_every_split),
        T(a_character_waits_for_its_last_byte),
        T(reasoning_is_cut_at_characters_and_is_not_the_answer),
        T(reasoning_has_a_limit),
        T(an_answer_of_the_limit_is_whole),
        T(an_answer_past_the_limit_ends_with_length),
        T(the_limit_holds_for_what_replaces_ill_formed_bytes),
        T(events_come_in_order_and_the_end_comes_once),
        T(each_finish_has_its_event),
        T(an_answer_that_never_came_is_an_error),
        T(an_answer_that_broke_off_keeps_its_text),
        T(nothing_is_told_before_the_question_is_durable),
        T(the_end_is_told_after_the_answer_is_durable),
        T(an_answer_that_was_there_before_the_begin_is_told_in_order),
        T(a_used_key_joins_the_turn_that_runs),
        T(a_used_key_joins_the_turn_that_ended),
        T(a_key_used_while_it_waited_joins_after_the_wait),
        T(the_same_key_in_a_session_joins_before_anything_is_stored),
        T(a_history_that_changed_is_loaded_again),
        T(what_the_first_asking_met_is_forgotten_with_it),
        T(a_session_of_another_owner_refuses),
        T(a_session_deleted_meanwhile_ends_with_an_error),
        T(cancel_while_waiting_refuses),
        T(cancel_while_loading_refuses),
        T(cancel_before_the_begin_closes_upstream_at_once),
        T(cancel_before_a_begin_that_is_refused_refuses),
        T(cancel_of_an_answer_that_is_whole_but_not_begun),
        T(cancel_while_running_keeps_the_text),
        T(cancel_while_ending_changes_nothing),
        T(cancel_of_an_ended_turn_shows_how_it_ended),
        T(a_cancelled_turn_makes_room_for_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
