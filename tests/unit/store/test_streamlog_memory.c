/* Streams of temporary sessions: they are streams as any, in memory, within
 * their budget, and no file ever has a byte of them. */
#include "store_test.h"

#include "base/budget.h"
#include "store/streamlog.h"
#include "store/streamlog_memory.h"

#define GRACE_MS 1000

static char dir[256];
static struct budget room;
static struct streamlog *log_of;

static void
open_log(size_t bytes)
{
    struct streamlog_config c = {.dir = dir,
                                 .map_max = (size_t)4 * 1024 * 1024,
                                 .grace_ms = GRACE_MS,
                                 .temporary = &room};

    budget_init(&room, bytes);
    assert_int_equal(streamlog_open(&log_of, &c), OK);
}

static int
setup(void **state)
{
    (void)state;
    folder_make(dir);
    open_log((size_t)1024 * 1024);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    streamlog_close(log_of);
    assert_int_equal(budget_used(&room), 0);
    folder_remove(dir);
    return 0;
}

static struct stream_head
head_of(bool temporary)
{
    struct stream_head h = {.process = process_self(),
                            .begun_ms = 500,
                            .temporary = temporary,
                            .session_id = "marigold-id",
                            .owner = "ann",
                            .provider = "offline",
                            .model = "small"};

    h.answer_message = ident_v7();
    return h;
}

static struct ident
begin(bool temporary)
{
    struct ident turn = ident_v7();
    struct stream_head h = head_of(temporary);

    assert_int_equal(streamlog_put_head(log_of, &turn, &h), OK);
    return turn;
}

static enum err
append(const struct ident *turn, uint32_t seq, const char *text)
{
    return streamlog_append(log_of, turn, seq, EVENT_CHUNK, text, strlen(text));
}

static void
end(const struct ident *turn, bool temporary, int64_t at_ms)
{
    struct stream_head h = head_of(temporary);

    h.ended = true;
    h.ended_ms = at_ms;
    assert_int_equal(streamlog_put_head(log_of, turn, &h), OK);
}

/* Every event as "seq:text|". */
static void
assert_events(const struct ident *turn, const char *want)
{
    struct event e = {.seq = 0};
    char got[512] = "";
    size_t n = 0;

    while (streamlog_next(log_of, turn, e.seq, &e) == OK)
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%u:%.*s|", e.seq,
                              (int)e.len, e.data);
    assert_string_equal(got, want);
}

static void
it_reads_as_any_other(void **state)
{
    struct ident kept = begin(true), stored = begin(false);
    struct stream_head h;
    struct event e;

    (void)state;
    assert_int_equal(streamlog_last(log_of, &kept, &e), ERR_NOTFOUND);
    assert_int_equal(append(&kept, 1, "one"), OK);
    assert_int_equal(append(&stored, 1, "disk"), OK);
    assert_int_equal(append(&kept, 2, ""), OK);
    assert_int_equal(append(&kept, 7, "seven"), OK);
    assert_int_equal(streamlog_commit(log_of), OK);
    assert_events(&kept, "1:one|2:|7:seven|");
    assert_events(&stored, "1:disk|");
    assert_int_equal(streamlog_next(log_of, &kept, 4, &e), OK);
    assert_int_equal(e.seq, 7);
    assert_int_equal(streamlog_next(log_of, &kept, 7, &e), ERR_NOTFOUND);
    assert_int_equal(streamlog_next(log_of, &kept, UINT32_MAX, &e),
                     ERR_NOTFOUND);
    assert_int_equal(streamlog_last(log_of, &kept, &e), OK);
    assert_int_equal(e.seq, 7);
    assert_int_equal(e.type, EVENT_CHUNK);
    assert_int_equal(append(&kept, 7, "again"), ERR_CONFLICT);
    assert_int_equal(streamlog_head(log_of, &kept, &h), OK);
    assert_true(h.temporary);
    assert_false(h.ended);
    assert_string_equal(h.session_id, "marigold-id");
    assert_int_equal(streamlog_head(log_of, &stored, &h), OK);
    assert_false(h.temporary);
    end(&kept, true, 600);
    assert_int_equal(streamlog_head(log_of, &kept, &h), OK);
    assert_true(h.ended);
}

static void
all_streams_are_walked_in_the_order_of_their_turns(void **state)
{
    struct ident turns[6], at = {{0}};
    struct stream_head h;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(turns); i++)
        turns[i] = begin(i % 3 != 1);
    assert_int_equal(streamlog_commit(log_of), OK);
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        assert_int_equal(streamlog_after(log_of, &at, &h), OK);
        assert_true(ident_eq(&at, &turns[i]));
        assert_int_equal(h.temporary, i % 3 != 1);
    }
    assert_int_equal(streamlog_after(log_of, &at, &h), ERR_NOTFOUND);
}

static void
it_is_dropped_and_swept(void **state)
{
    struct ident a = begin(true), b = begin(true), c = begin(true);

    (void)state;
    assert_int_equal(append(&a, 1, "a"), OK);
    assert_int_equal(streamlog_drop(log_of, &a), OK);
    assert_events(&a, "");
    end(&b, true, 5000);
    assert_int_equal(append(&c, 1, "c"), OK);
    assert_int_equal(streamlog_sweep(log_of, 5000 + GRACE_MS, 10), 0);
    assert_int_equal(streamlog_sweep(log_of, 5001 + GRACE_MS, 10), 1);
    assert_events(&c, "1:c|"); /* it goes on */
    assert_int_equal(streamlog_drop(log_of, &c), OK);
    assert_int_equal(budget_used(&room), 0);
}

/* What an event of n bytes takes. */
static size_t
cost_of(const struct ident *turn, uint32_t seq, size_t n)
{
    static char text[4096];
    size_t before = budget_used(&room);

    assert_int_equal(streamlog_append(log_of, turn, seq, EVENT_CHUNK, text, n),
                     OK);
    return budget_used(&room) - before;
}

static void
the_last_byte_of_room_is_used_and_not_one_more(void **state)
{
    static const char text[4096];
    struct ident a = begin(true);
    size_t empty = cost_of(&a, 1, 0), left;

    (void)state;
    room.max = budget_used(&room) + empty + 1000;
    assert_int_equal(streamlog_append(log_of, &a, 2, EVENT_CHUNK, text, 1001),
                     ERR_FULL);
    assert_int_equal(cost_of(&a, 2, 1000), empty + 1000);
    left = room.max - budget_used(&room);
    assert_int_equal(left, 0);
    assert_int_equal(append(&a, 3, ""), ERR_FULL);
    /* but it can end */
    assert_int_equal(streamlog_append(log_of, &a, 3, EVENT_COMPLETE, "{}", 2),
                     OK);
    end(&a, true, 1);
    assert_true(budget_used(&room) > room.max);
}

static void
streams_that_ended_make_room_the_oldest_first(void **state)
{
    struct ident a = begin(true), b = begin(true), c = begin(true), d;
    struct stream_head h;
    char text[1001];

    (void)state;
    (void)cost_of(&a, 1, 1000);
    (void)cost_of(&b, 1, 1000);
    (void)cost_of(&c, 1, 1000);
    end(&b, true, 10);
    end(&c, true, 10);
    d = begin(true);
    room.max = budget_used(&room);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(streamlog_head(log_of, &b, &h), OK);
    assert_int_equal(append(&d, 1, text), OK); /* as long as theirs */
    assert_int_equal(streamlog_head(log_of, &b, &h), ERR_NOTFOUND);
    assert_int_equal(streamlog_head(log_of, &c, &h), OK);
    assert_int_equal(append(&d, 2, text), OK);
    assert_int_equal(append(&d, 3, text), OK);
    assert_int_equal(streamlog_head(log_of, &c, &h), ERR_NOTFOUND);
    assert_int_equal(append(&d, 4, text), ERR_FULL);
    assert_int_equal(streamlog_head(log_of, &a, &h), OK); /* it goes on */
}

static void
the_sweep_makes_room_before_it_is_short(void **state)
{
    struct ident a = begin(true), b = begin(true);

    (void)state;
    (void)cost_of(&a, 1, 4000);
    (void)cost_of(&b, 1, 4000);
    end(&a, true, 10);
    assert_int_equal(streamlog_sweep(log_of, 11, 10), 0);
    room.max = budget_used(&room) + 100;
    assert_int_equal(streamlog_sweep(log_of, 11, 10), 1);
    assert_events(&a, "");
    assert_int_equal(streamlog_sweep(log_of, 11, 10), 0);
}

static void
where_there_are_none_its_head_is_refused(void **state)
{
    struct streamlog_config c = {.dir = dir, .grace_ms = GRACE_MS};
    struct stream_head h = head_of(true);
    struct ident turn = ident_v7();

    (void)state;
    streamlog_close(log_of);
    assert_int_equal(streamlog_open(&log_of, &c), OK);
    assert_int_equal(streamlog_put_head(log_of, &turn, &h), ERR_IMPOSSIBLE);
    assert_int_equal(streamlog_head(log_of, &turn, &h), ERR_NOTFOUND);
}

static void
no_file_has_a_byte_of_it(void **state)
{
    struct ident a = begin(true), b = begin(false);

    (void)state;
    assert_int_equal(append(&a, 1, "violet-secret"), OK);
    assert_int_equal(append(&b, 1, "ordinary-text"), OK);
    assert_int_equal(
        streamlog_append(log_of, &a, 2, EVENT_COMPLETE, "violet-end", 10), OK);
    end(&a, true, 100);
    end(&b, false, 100);
    assert_int_equal(streamlog_commit(log_of), OK);
    streamlog_close(log_of);
    assert_true(folder_has_text(dir, "ordinary-text"));
    assert_false(folder_has_text(dir, "violet"));
    open_log((size_t)1024 * 1024);
    assert_events(&a, ""); /* gone with the log that kept it */
    assert_events(&b, "1:ordinary-text|");
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(it_reads_as_any_other),
        T(all_streams_are_walked_in_the_order_of_their_turns),
        T(it_is_dropped_and_swept),
        T(the_last_byte_of_room_is_used_and_not_one_more),
        T(streams_that_ended_make_room_the_oldest_first),
        T(the_sweep_makes_room_before_it_is_short),
        T(where_there_are_none_its_head_is_refused),
        T(no_file_has_a_byte_of_it),
    };
#undef T

    return cmocka_run_group_tests(tests, NULL, NULL);
}
