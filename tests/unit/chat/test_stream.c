/*
 * Tests of chat/stream.c and hub.c: what readers are given, when, and how each
 * of them ends. All on one thread, with a log and a loop and no engine.
 */
#include "chat_test.h"

#define PING_MS 50 /* less than how often the hub looks */

static struct loop *loop;
static struct streamlog *log_of;
static struct hub *hub;
static int orphans;
static struct ident orphan;

static void
on_orphan(void *arg, const struct ident *turn)
{
    assert_ptr_equal(arg, &orphans);
    orphans++;
    orphan = *turn;
}

static void
open_all(void)
{
    struct streamlog_config lc = {.map_max = TEST_MAP, .grace_ms = 600000};
    struct hub_config hc = {
        .ping_ms = PING_MS, .orphan = on_orphan, .arg = &orphans};

    lc.dir = rig_dir;
    assert_int_equal(streamlog_open(&log_of, &lc), OK);
    loop = loop_new();
    hc.loop = loop;
    hc.log = log_of;
    hub = hub_new(&hc);
    orphans = 0;
}

static int
setup(void **state)
{
    (void)state;
    folder_make(rig_dir);
    open_all();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    hub_free(hub);
    streamlog_close(log_of);
    loop_free(loop);
    records_free();
    folder_remove(rig_dir);
    return 0;
}

static void
on_stop(struct loop_timer *t)
{
    loop_stop(t->arg);
}

/* For so long, and at least some turns of the loop: on a machine that is busy
 * the time may be over before the first. */
static void
spin(int ms)
{
    struct loop_timer t = {.fn = on_stop, .arg = loop};

    for (int i = 0; i < TURNS_MIN; i++) {
        loop_timer_set(loop, &t, clock_mono_ms() + (i == 0 ? ms : 0));
        loop_run(loop);
    }
}

/* Run until it is done, or has n events. */
static void
spin_record(const struct record *rec, bool done, size_t n)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;

    while (done ? !rec->done : rec->n < n) {
        assert_true(clock_mono_ms() < until_ms);
        spin(2);
    }
}

static struct stream_head
head_of(struct process process, bool ended)
{
    struct stream_head h = {.process = process, .ended = ended};

    h.ended_ms = ended ? clock_wall_ms() : 0;
    (void)snprintf(h.session_id, sizeof(h.session_id), "s");
    return h;
}

/* A stream that is written here. */
static struct stream *
begin_stream(void)
{
    struct stream_head h = head_of(process_self(), false);
    struct ident id = ident_v7();

    assert_int_equal(streamlog_put_head(log_of, &id, &h), OK);
    return stream_open(hub, &id);
}

static void
append(struct stream *s, enum event_type type, const char *text)
{
    assert_int_equal(stream_append(s, type, text, strlen(text)), OK);
}

/* Its end, and the writer leaves. */
static void
end_stream(struct stream *s)
{
    struct stream_head h = head_of(process_self(), true);

    append(s, EVENT_COMPLETE, "{}");
    assert_int_equal(streamlog_put_head(log_of, stream_id(s), &h), OK);
    stream_close(s, NULL);
}

static struct record *
attach(const struct ident *id, uint32_t after)
{
    struct record *rec = record_new();

    rec->r.after = after;
    assert_int_equal(hub_attach(hub, id, &rec->r), OK);
    return rec;
}

/* START, n numbered chunks, end. */
static struct ident
whole_stream(uint32_t n)
{
    struct stream *s = begin_stream();
    struct ident id = *stream_id(s);

    append(s, EVENT_START, "{}");
    for (uint32_t i = 0; i < n; i++) {
        char text[24];

        (void)snprintf(text, sizeof(text), "chunk %u", i);
        append(s, EVENT_CHUNK, text);
    }
    end_stream(s);
    spin(1);
    return id;
}

/* --- following ------------------------------------------------------------ */

static void
a_reader_is_given_events_as_they_come(void **state)
{
    struct stream *s = begin_stream();
    struct record *rec = record_new();

    (void)state;
    stream_attach(s, &rec->r);
    assert_string_equal(rec->order, "a");
    spin(1);
    assert_int_equal(rec->n, 0);
    append(s, EVENT_START, "{}");
    assert_int_equal(rec->n, 0); /* not before the commit */
    spin(1);
    assert_int_equal(rec->n, 1);
    append(s, EVENT_CHUNK, "a");
    append(s, EVENT_CHUNK, "b");
    spin(1);
    assert_int_equal(rec->n, 3);
    assert_int_equal(rec->sends, 2); /* one for what came together */
    assert_int_equal(stream_seq(s), 3);
    end_stream(s);
    spin(1);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_string_equal(rec->order, "aesld");
}

static void
readers_that_come_late_see_the_same(void **state)
{
    struct stream *s = begin_stream();
    struct ident id = *stream_id(s);
    struct record *early = record_new();
    struct record *late, *last;

    (void)state;
    stream_attach(s, &early->r);
    append(s, EVENT_START, "{}");
    append(s, EVENT_CHUNK, "a");
    spin(1);
    late = attach(&id, 0);
    append(s, EVENT_CHUNK, "b");
    spin(1);
    assert_int_equal(late->n, 3);
    end_stream(s);
    last = attach(&id, 0);
    spin(1);
    assert_whole(early, EVENT_COMPLETE, 0);
    assert_whole(late, EVENT_COMPLETE, 0);
    assert_whole(last, EVENT_COMPLETE, 0);
}

static void
an_ended_stream_is_read_from_the_log(void **state)
{
    struct ident id = whole_stream(100);

    (void)state;
    assert_false(hub_has(hub, &id));
    for (uint32_t after = 0; after < 102; after += 25) {
        struct record *rec = attach(&id, after);

        spin(1);
        assert_whole(rec, EVENT_COMPLETE, after);
        assert_int_equal(rec->n, 102 - after);
        assert_string_equal(rec->order, "aeld");
    }
    assert_int_equal(orphans, 0);
}

static void
who_has_seen_all_is_told_so(void **state)
{
    struct ident id = whole_stream(3);

    (void)state;
    for (uint32_t after = 5; after < 8; after++) {
        struct record *rec = attach(&id, after);

        assert_string_equal(rec->order, "nd");
    }
    assert_string_equal(attach(&id, UINT32_MAX)->order, "nd");
}

static void
a_stream_that_is_not_there_is_not_found(void **state)
{
    struct ident id = ident_v7();
    struct record *rec = record_new();

    (void)state;
    rec->r.after = 7;
    assert_int_equal(hub_attach(hub, &id, &rec->r), ERR_NOTFOUND);
    assert_string_equal(rec->order, "");
    assert_int_equal(rec->r.after, 7);
    assert_null(rec->r.stream);
}

static void
a_detached_reader_is_given_nothing_more(void **state)
{
    struct stream *s = begin_stream();
    struct record *stays = record_new();
    struct record *leaves = record_new();

    (void)state;
    stream_attach(s, &stays->r);
    stream_attach(s, &leaves->r);
    append(s, EVENT_START, "{}");
    spin(1);
    reader_detach(&leaves->r);
    reader_detach(&leaves->r); /* again is nothing */
    assert_null(leaves->r.stream);
    append(s, EVENT_CHUNK, "a");
    end_stream(s);
    spin(1);
    assert_int_equal(leaves->n, 1);
    assert_false(leaves->done);
    assert_whole(stays, EVENT_COMPLETE, 0);
}

static void
closing_with_a_problem_fails_the_readers(void **state)
{
    struct stream *s = begin_stream();
    struct record *one = record_new();
    struct record *two = record_new();
    struct problem p = {.err = OK};

    (void)state;
    stream_attach(s, &one->r);
    stream_attach(s, &two->r);
    (void)problem_set(&p, ERR_LIMIT, "why", NULL, NULL);
    stream_close(s, &p);
    assert_refused(one, ERR_LIMIT, "why");
    assert_refused(two, ERR_LIMIT, "why");
    assert_string_equal(one->order, "afd");
    spin(1);
}

static void
the_hub_lets_its_readers_go_at_its_end(void **state)
{
    struct stream *s = begin_stream();
    struct record *rec = record_new();

    (void)state;
    stream_attach(s, &rec->r);
    append(s, EVENT_START, "{}");
    spin(1);
    hub_free(hub);
    assert_true(rec->done);
    assert_string_equal(rec->order, "aesd");
    hub = NULL;
}

/* --- slow and gone -------------------------------------------------------- */

static void
a_slow_reader_is_given_a_bounded_batch_and_goes_on(void **state)
{
    static char text[1025];
    struct stream *s = begin_stream();
    struct record *slow = record_new();
    struct record *fast = record_new();
    size_t sends;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    slow->answer = ERR_AGAIN;
    stream_attach(s, &slow->r);
    stream_attach(s, &fast->r);
    append(s, EVENT_START, "{}");
    for (int i = 0; i < 200; i++)
        append(s, EVENT_CHUNK, text);
    end_stream(s);
    spin(5);
    assert_whole(fast, EVENT_COMPLETE, 0); /* not held up */
    assert_int_equal(slow->sends, 1);
    spin(5);
    assert_int_equal(slow->sends, 1); /* not before it says so */
    assert_true(slow->r.blocked);
    for (int i = 0; !slow->done; i++) {
        assert_true(i < 200);
        sends = slow->sends;
        reader_resume(&slow->r);
        spin(1);
        assert_int_equal(slow->sends, sends + 1);
    }
    assert_whole(slow, EVENT_COMPLETE, 0);
    assert_true(slow->sends > 10);
    assert_true(slow->bytes_max <= READER_BATCH + sizeof(text));
    assert_true(fast->bytes_max <= READER_BATCH + sizeof(text));
}

static void
a_large_event_is_given_in_pieces(void **state)
{
    static char text[10 * READER_PIECE];
    struct stream *s = begin_stream();
    struct record *slow = record_new();

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(text); i++)
        text[i] = (char)('a' + i % 23);
    slow->answer = ERR_AGAIN;
    stream_attach(s, &slow->r);
    append(s, EVENT_START, "{}");
    append(s, EVENT_CHUNK, text);
    spin(1);
    assert_int_equal(slow->sends, 1);
    reader_resume(&slow->r);
    spin(1);
    append(s, EVENT_CHUNK, "more"); /* while it is in the middle */
    append(s, EVENT_CHUNK, text);
    end_stream(s);
    for (int i = 0; !slow->done; i++) {
        assert_true(i < 100);
        reader_resume(&slow->r);
        spin(1);
    }
    assert_whole(slow, EVENT_COMPLETE, 0);
    assert_int_equal(slow->bytes_max, READER_PIECE);
}

static void
a_reader_that_hangs_up_is_done_with(void **state)
{
    struct stream *s = begin_stream();
    struct record *gone = record_new();
    struct record *stays = record_new();

    (void)state;
    gone->answer = ERR_HUP;
    stream_attach(s, &stays->r);
    stream_attach(s, &gone->r);
    append(s, EVENT_START, "{}");
    spin(1);
    assert_string_equal(gone->order, "aesd");
    append(s, EVENT_CHUNK, "a");
    end_stream(s);
    spin(1);
    assert_int_equal(gone->n, 1);
    assert_whole(stays, EVENT_COMPLETE, 0);
}

static void
a_piece_that_meets_a_hang_up_is_the_last(void **state)
{
    static char text[3 * READER_PIECE];
    struct stream *s = begin_stream();
    struct record *gone = record_new();

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    stream_attach(s, &gone->r);
    append(s, EVENT_START, "{}");
    spin(1);
    gone->answer = ERR_HUP;
    append(s, EVENT_CHUNK, text);
    end_stream(s);
    spin(1);
    assert_int_equal(gone->sends, 2);
    assert_true(gone->done);
}

/* --- readers with a wish -------------------------------------------------- */

static void
who_wants_the_end_alone_is_given_nothing_else(void **state)
{
    struct stream *s = begin_stream();
    struct ident id = *stream_id(s);
    struct record *rec = record_new();
    struct record *late;

    (void)state;
    rec->r.ends_only = true;
    stream_attach(s, &rec->r);
    append(s, EVENT_START, "{}");
    append(s, EVENT_CHUNK, "a");
    spin(1);
    assert_string_equal(rec->order, "a");
    end_stream(s);
    spin(1);
    assert_string_equal(rec->order, "aeld");
    assert_int_equal(rec->n, 1);
    assert_int_equal(rec->notes[0].seq, 3);
    late = record_new();
    late->r.ends_only = true;
    assert_int_equal(hub_attach(hub, &id, &late->r), OK);
    spin(1);
    assert_string_equal(late->order, "aeld");
}

static void
who_wants_one_batch_is_done_after_it(void **state)
{
    struct stream *s = begin_stream();
    struct record *rec = record_new();
    struct record *more;

    (void)state;
    rec->r.once = true;
    stream_attach(s, &rec->r);
    spin(1);
    assert_string_equal(rec->order, "a"); /* it waits for something */
    append(s, EVENT_START, "{}");
    append(s, EVENT_CHUNK, "a");
    spin(1);
    assert_string_equal(rec->order, "aesd");
    assert_int_equal(rec->n, 2);
    append(s, EVENT_CHUNK, "b");
    more = record_new();
    more->r.once = true;
    more->r.after = rec->r.after;
    assert_int_equal(hub_attach(hub, stream_id(s), &more->r), OK);
    spin(1);
    assert_int_equal(more->n, 1);
    assert_int_equal(more->notes[0].seq, 3);
    end_stream(s);
}

/* --- pings ---------------------------------------------------------------- */

static void
silence_is_filled_with_pings(void **state)
{
    struct stream *s = begin_stream();
    struct record *quiet = record_new();
    struct record *slow = record_new();
    struct record *gone = record_new();

    (void)state;
    slow->answer = ERR_AGAIN;
    gone->ping_answer = ERR_HUP;
    stream_attach(s, &quiet->r);
    stream_attach(s, &slow->r);
    append(s, EVENT_START, "{}");
    spin(1);
    stream_attach(s, &gone->r);
    spin(1);
    spin(2300);
    assert_int_equal(quiet->pings, 2);
    assert_int_equal(slow->pings, 0); /* it cannot take even that */
    assert_int_equal(gone->pings, 1);
    assert_string_equal(gone->order, "aespd");
    reader_resume(&slow->r);
    end_stream(s);
    spin(1);
    assert_whole(quiet, EVENT_COMPLETE, 0);
}

/* --- other processes ------------------------------------------------------ */

/* A process that writes a stream as it is told: one byte, one deed. */
struct writer {
    pid_t pid;
    int to, from;
    struct ident id;
};

static void
writer_deed(struct streamlog *l, const struct ident *id, char what,
            uint32_t *seq)
{
    struct stream_head h = head_of(process_of(getpid()), what == 'e');
    enum err e = OK;

    switch (what) {
    case 'h': e = streamlog_put_head(l, id, &h); break;
    case 'e':
        e = streamlog_append(l, id, ++*seq, EVENT_COMPLETE, "{}", 2);
        if (e == OK)
            e = streamlog_put_head(l, id, &h);
        break;
    default:
        ++*seq;
        e = streamlog_append(l, id, *seq, *seq == 1 ? EVENT_START : EVENT_CHUNK,
                             *seq == 1 ? "{}" : &what, *seq == 1 ? 2 : 1);
    }
    if (e != OK || streamlog_commit(l) != OK)
        _exit(2);
}

static void
writer_run(int from, int to, const struct ident *id)
{
    struct streamlog_config lc = {.map_max = TEST_MAP, .grace_ms = 600000};
    struct streamlog *l;
    uint32_t seq = 0;
    char what;

    lc.dir = rig_dir;
    if (streamlog_open(&l, &lc) != OK)
        _exit(1);
    while (read(from, &what, 1) == 1) {
        if (what == 'q')
            _exit(0); /* as if killed: nothing is tidied */
        writer_deed(l, id, what, &seq);
        if (write(to, "+", 1) != 1)
            _exit(3);
    }
    streamlog_close(l);
    _exit(0);
}

/* Forked while nothing is open here. */
static struct writer
writer_start(void)
{
    struct writer w = {.id = ident_v7()};
    int down[2], up[2];

    hub_free(hub);
    streamlog_close(log_of);
    loop_free(loop);
    assert_int_equal(pipe(down), 0);
    assert_int_equal(pipe(up), 0);
    w.pid = fork();
    assert_true(w.pid >= 0);
    if (w.pid == 0) {
        (void)close(down[1]);
        (void)close(up[0]);
        writer_run(down[0], up[1], &w.id);
    }
    (void)close(down[0]);
    (void)close(up[1]);
    w.to = down[1];
    w.from = up[0];
    open_all();
    return w;
}

static void
writer_do(const struct writer *w, char what)
{
    char done;

    assert_int_equal(write(w->to, &what, 1), 1);
    if (what != 'q')
        assert_int_equal(read(w->from, &done, 1), 1);
}

static void
writer_end(const struct writer *w)
{
    (void)close(w->to);
    (void)close(w->from);
    assert_int_equal(child_wait(w->pid), 0);
}

static void
another_process_is_followed(void **state)
{
    struct writer w = writer_start();
    struct record *one, *two;

    (void)state;
    one = record_new();
    assert_int_equal(hub_attach(hub, &w.id, &one->r), ERR_NOTFOUND);
    spin(1);
    writer_do(&w, 'h');
    writer_do(&w, '.');
    one = attach(&w.id, 0);
    assert_false(hub_has(hub, &w.id));
    spin_record(one, false, 1);
    writer_do(&w, 'a');
    spin_record(one, false, 2);
    two = attach(&w.id, 1);
    writer_do(&w, 'b');
    spin_record(two, false, 2);
    writer_do(&w, 'e');
    spin_record(one, true, 0);
    spin_record(two, true, 0);
    assert_whole(one, EVENT_COMPLETE, 0);
    assert_whole(two, EVENT_COMPLETE, 1);
    assert_string_equal(one->notes[2].text, "b");
    assert_int_equal(orphans, 0);
    writer_end(&w);
}

static void
a_process_that_dies_leaves_an_orphan(void **state)
{
    struct writer w = writer_start();
    struct record *rec;
    struct stream *s;

    (void)state;
    writer_do(&w, 'h');
    writer_do(&w, '.');
    rec = attach(&w.id, 0);
    spin_record(rec, false, 1);
    writer_do(&w, 'a');
    writer_do(&w, 'q');
    writer_end(&w);
    for (int i = 0; orphans == 0; i++) {
        assert_true(i < 500);
        spin(10);
    }
    assert_true(ident_eq(&orphan, &w.id));
    assert_int_equal(rec->n, 2); /* and nothing is invented */
    assert_false(rec->done);
    /* Whoever mends takes the stream over, with its readers. */
    s = stream_open(hub, &w.id);
    stream_set_seq(s, 2);
    end_stream(s);
    spin_record(rec, true, 0);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(rec->n, 3);
}

static void
a_process_that_died_before_is_an_orphan_at_once(void **state)
{
    struct writer w = writer_start();
    struct record *rec;

    (void)state;
    writer_do(&w, 'h');
    writer_do(&w, '.');
    writer_do(&w, 'q');
    writer_end(&w);
    rec = attach(&w.id, 0);
    assert_int_equal(orphans, 1);
    spin_record(rec, false, 1);
}

static void
a_stream_of_ours_that_nobody_writes_is_an_orphan(void **state)
{
    struct stream_head h = head_of(process_self(), false);
    struct ident id = ident_v7();
    struct record *rec;

    (void)state;
    assert_int_equal(streamlog_put_head(log_of, &id, &h), OK);
    spin(1);
    rec = attach(&id, 0);
    assert_int_equal(orphans, 1);
    spin(2200); /* and again while somebody waits */
    assert_true(orphans >= 2);
    reader_detach(&rec->r);
    spin(1);
}

/* The log may let go of an ended stream before a slow reader has it all. */
static void
a_stream_that_the_log_dropped_is_an_orphan(void **state)
{
    static char text[2 * READER_BATCH];
    struct stream *s = begin_stream();
    struct ident id = *stream_id(s);
    struct record *slow = record_new();

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    slow->answer = ERR_AGAIN;
    stream_attach(s, &slow->r);
    append(s, EVENT_START, "{}");
    append(s, EVENT_CHUNK, text);
    end_stream(s);
    spin(1);
    assert_int_equal(slow->n, 2);
    assert_int_equal(orphans, 0);
    assert_int_equal(streamlog_drop(log_of, &id), OK);
    slow->r.skip = 0; /* it was between two events */
    reader_resume(&slow->r);
    spin(1);
    assert_int_equal(orphans, 1);
    assert_true(ident_eq(&orphan, &id));
    s = stream_open(hub, &id);
    stream_set_seq(s, 4);
    end_stream(s);
    spin(1);
    assert_true(slow->done);
    assert_int_equal(slow->notes[slow->n - 1].seq, 5);
}

/* … or while it is in the middle of an event: what follows would not fit. */
static void
a_reader_whose_event_is_gone_is_done_with(void **state)
{
    static char text[4 * READER_PIECE];
    struct stream *s = begin_stream();
    struct ident id = *stream_id(s);
    struct record *slow = record_new();

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    slow->answer = ERR_AGAIN;
    stream_attach(s, &slow->r);
    append(s, EVENT_START, "{}");
    append(s, EVENT_CHUNK, text);
    end_stream(s);
    spin(1);
    assert_true(slow->r.skip > 0);
    assert_int_equal(streamlog_drop(log_of, &id), OK);
    s = stream_open(hub, &id);
    stream_set_seq(s, 8);
    end_stream(s); /* made anew, and shorter */
    reader_resume(&slow->r);
    spin(1);
    assert_true(slow->done);
    assert_int_equal(slow->sends, 1);
    assert_null(strchr(slow->order, 'l'));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_reader_is_given_events_as_they_come),
        T(readers_that_come_late_see_the_same),
        T(an_ended_stream_is_read_from_the_log),
        T(who_has_seen_all_is_told_so),
        T(a_stream_that_is_not_there_is_not_found),
        T(a_detached_reader_is_given_nothing_more),
        T(closing_with_a_problem_fails_the_readers),
        T(the_hub_lets_its_readers_go_at_its_end),
        T(a_slow_reader_is_given_a_bounded_batch_and_goes_on),
        T(a_large_event_is_given_in_pieces),
        T(a_reader_that_hangs_up_is_done_with),
        T(a_piece_that_meets_a_hang_up_is_the_last),
        T(who_wants_the_end_alone_is_given_nothing_else),
        T(who_wants_one_batch_is_done_after_it),
        T(silence_is_filled_with_pings),
        T(another_process_is_followed),
        T(a_process_that_dies_leaves_an_orphan),
        T(a_process_that_died_before_is_an_orphan_at_once),
        T(a_stream_of_ours_that_nobody_writes_is_an_orphan),
        T(a_stream_that_the_log_dropped_is_an_orphan),
        T(a_reader_whose_event_is_gone_is_done_with),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
