/* Tests of chat/file_embed.c: what is asked for, in which pieces, what is made
 * of failures, and who does it. */
#include "embed_rig.h"

#include <fcntl.h>
#include <sys/file.h>

static void
wait_done(int64_t n)
{
    wait_until(embedded() == n && is_told("done", ""));
}

static void
chunks_go_in_batches(void **state)
{
    (void)state;
    put_chunks("a", "x", FILE_EMBED_BATCH);
    embed_begin(true);
    wait_done(FILE_EMBED_BATCH);
    assert_int_equal(served_asked(), 1);
    put_chunks("b", "y", FILE_EMBED_BATCH + 1);
    file_embed_wake(rig);
    wait_done(2 * FILE_EMBED_BATCH + 1);
    assert_int_equal(served_asked(), 3);
    assert_int_equal(served.texts, 2 * FILE_EMBED_BATCH + 1);
}

static void
what_is_blank_is_not_sent(void **state)
{
    (void)state;
    put_chunks("a", "xx", 1);
    put_chunks("b", " \n ", 1);
    put_chunks("c", "", 1);
    embed_begin(true);
    wait_done(1);
    assert_string_equal(served.seen, "xx|Parley|Parley|\n");
}

static void
one_that_is_refused_is_found_and_left_out(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        char name[2] = {(char)('a' + i), '\0'};

        put_chunks(name, i == 5 ? "bad" : name, 1);
    }
    served.refuse = "bad";
    embed_begin(true);
    wait_done(7);
    /* Halves, the word, and on with more each time. */
    assert_string_equal(served.seen, "a|b|c|d|e|bad|g|h|\n"
                                     "a|b|c|d|\n"
                                     "e|bad|g|h|\n"
                                     "e|bad|\n"
                                     "e|\n"
                                     "bad|g|\n"
                                     "bad|\n"
                                     "Parley|\n"
                                     "g|h|\n");
    /* It has none for good. */
    put_chunks("i", "i", 1);
    file_embed_wake(rig);
    wait_done(8);
    assert_int_equal(served_times("bad"), 5);
}

static void
who_refuses_all_is_waited_for(void **state)
{
    (void)state;
    put_chunks("a", "x", 1);
    served.status = 400;
    embed_begin(true);
    wait_until(is_told("waiting", "provider_rejected"));
    assert_string_equal(served.seen, "x|\nParley|\n");
    served_status(200);
    wait_done(1);
}

static void
a_failure_is_waited_for(void **state)
{
    int n;

    (void)state;
    put_chunks("a", "x", 1);
    served.status = 503;
    embed_begin(true);
    wait_until(is_told("waiting", "provider_failed"));
    n = served_asked();
    file_embed_wake(rig); /* what is new is no reason to ask again */
    rig_settle();
    assert_int_equal(served_asked(), n);
    served_status(200);
    wait_done(1);
}

static void
rows_of_different_lengths_are_not_kept(void **state)
{
    (void)state;
    put_chunks("a", "x", 2);
    served.uneven = true;
    embed_begin(true);
    wait_until(is_told("waiting", "provider_garbage"));
    assert_int_equal(embedded(), 0);
}

static void
rows_that_are_too_long_end_it(void **state)
{
    (void)state;
    put_chunks("a", "x", 1);
    served.dims = FILES_DIMS_MAX + 1;
    embed_begin(true);
    wait_until(is_told("stopped", "dimensions"));
    assert_int_equal(embedded(), 0);
    assert_int_equal(served_asked(), 1);
}

static void
rows_that_are_just_not_too_long_are_kept(void **state)
{
    (void)state;
    put_chunks("a", "x", 1);
    served.dims = FILES_DIMS_MAX;
    embed_begin(true);
    wait_done(1);
}

static int
lock_open(void)
{
    char path[400];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/" FILE_EMBED_LOCK, files_dir(fs));
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void
a_refused_key_ends_it_here(void **state)
{
    int fd;

    (void)state;
    put_chunks("a", "x", 1);
    served.status = 401;
    embed_begin(true);
    wait_until(is_told("stopped", "provider_auth"));
    served_status(200);
    file_embed_wake(rig);
    rig_settle();
    assert_int_equal(served_asked(), 1);
    assert_true(is_told("stopped", "provider_auth"));
    fd = lock_open(); /* another may try */
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(close(fd), 0);
}

static void
another_process_may_have_it(void **state)
{
    int fd = lock_open();

    (void)state;
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    put_chunks("a", "x", 1);
    embed_begin(true);
    wait_until(is_told("elsewhere", ""));
    assert_int_equal(served_asked(), 0);
    assert_int_equal(close(fd), 0);
    file_embed_wake(rig);
    wait_done(1);
    fd = lock_open();
    assert_int_not_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    rig_stop(0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(close(fd), 0);
}

static void
a_stop_lets_go_what_is_asked(void **state)
{
    (void)state;
    put_chunks("a", "x", 1);
    served.hold = true;
    embed_begin(true);
    wait_until(served_asked() == 1);
    rig_stop(INT32_MAX); /* would wait so long for it */
    assert_int_equal(embedded(), 0);
    served_hold(false);
    embed_begin(true);
    wait_done(1);
}

static struct ledger_account
program_account(void)
{
    struct ledger_account a = {.day = {.turns = 0}};
    struct ledger_query q = {.account = &a,
                             .kind = LEDGER_OWNER,
                             .name = FILE_EMBED_PAYER,
                             .at_ms = clock_wall_ms()};

    assert_int_equal(store_ledger(engine_store(rig), &q), OK);
    return a;
}

static void
it_is_paid_by_the_program(void **state)
{
    (void)state;
    conf_override(CONF_BUDGET_DAY_TOKENS, "1000");
    conf_override(CONF_TURNS_AT_ONCE, "1");
    put_chunks("a", "x", 3);
    embed_begin(true);
    wait_done(3);
    wait_until(program_account().day.input_tokens == 3);
    assert_int_equal(program_account().day.turns, 0);
    assert_int_equal(program_account().standing.tokens, 0);
}

static void
a_budget_that_is_used_up_is_waited_for(void **state)
{
    (void)state;
    conf_override(CONF_BUDGET_DAY_TOKENS, "1");
    put_chunks("a", "a text that has more than one token in it, for sure", 1);
    embed_begin(true);
    wait_until(is_told("waiting", "budget_exceeded"));
    assert_int_equal(served_asked(), 0);
}

static void
without_a_model_nothing_is_done(void **state)
{
    struct file_embed_told told;

    (void)state;
    conf_override(CONF_EMBED_MODEL, "");
    put_chunks("a", "x", 1);
    embed_begin(true);
    file_embed_wake(rig);
    rig_settle();
    assert_false(file_embed_tell(rig, &told));
    assert_false(file_embed_busy(rig->file_embed));
    assert_int_equal(served_asked(), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(chunks_go_in_batches),
        T(what_is_blank_is_not_sent),
        T(one_that_is_refused_is_found_and_left_out),
        T(who_refuses_all_is_waited_for),
        T(a_failure_is_waited_for),
        T(rows_of_different_lengths_are_not_kept),
        T(rows_that_are_too_long_end_it),
        T(rows_that_are_just_not_too_long_are_kept),
        T(a_refused_key_ends_it_here),
        T(another_process_may_have_it),
        T(a_stop_lets_go_what_is_asked),
        T(it_is_paid_by_the_program),
        T(a_budget_that_is_used_up_is_waited_for),
        T(without_a_model_nothing_is_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
