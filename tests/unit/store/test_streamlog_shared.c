/*
 * The stream log and the world: other processes, killed ones, a machine that
 * went down, a disk that is full. LMDB must not be carried across a fork, so
 * each test forks first and opens then.
 */
#include "store_test.h"

#include <fcntl.h>
#include <signal.h>

#include "base/clock.h"
#include "store/streamlog.h"

#define MAP_MAX ((size_t)64 * 1024 * 1024)
#define FULL_DISK_STATUS 40 /* of a child that may not mount */

static char dir[256];

static int
setup(void **state)
{
    (void)state;
    folder_make(dir);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    folder_remove(dir);
    return 0;
}

static struct streamlog *
open_log(void)
{
    struct streamlog_config c = {
        .dir = dir, .map_max = MAP_MAX, .grace_ms = 60000};
    struct streamlog *l;

    assert_int_equal(streamlog_open(&l, &c), OK);
    return l;
}

static void
put_head(struct streamlog *l, const struct ident *turn, bool ended)
{
    struct stream_head h = {.process = process_self(),
                            .begun_ms = clock_wall_ms(),
                            .ended = ended,
                            .ended_ms = ended ? clock_wall_ms() : 0,
                            .session_id = "abc"};

    assert_int_equal(streamlog_put_head(l, turn, &h), OK);
}

static uint32_t
count_events(struct streamlog *l, const struct ident *turn)
{
    struct event e;
    uint32_t n = 0;

    while (streamlog_next(l, turn, n, &e) == OK) {
        assert_int_equal(e.seq, n + 1);
        n++;
    }
    streamlog_rest(l);
    return n;
}

static void
await_byte(int fd)
{
    char c;

    assert_int_equal(read(fd, &c, 1), 1);
}

static void
send_byte(int fd)
{
    assert_int_equal(write(fd, "x", 1), 1);
}

/* --- two processes ------------------------------------------------------- */

enum { GROWN_EVENTS = 5000 }; /* of 1000 bytes: the map moves several times */

static void
writer(const struct ident *turn, int ready_fd)
{
    struct streamlog *l = open_log();
    char text[1000];

    memset(text, 'w', sizeof(text));
    put_head(l, turn, false);
    send_byte(ready_fd);
    for (uint32_t seq = 1; seq <= GROWN_EVENTS; seq++) {
        assert_int_equal(
            streamlog_append(l, turn, seq, EVENT_CHUNK, text, sizeof(text)),
            OK);
        if (seq % 20 == 0)
            assert_int_equal(streamlog_commit(l), OK);
    }
    put_head(l, turn, true);
    assert_int_equal(streamlog_commit(l), OK);
    streamlog_close(l);
}

static void
another_process_reads_along(void **state)
{
    struct ident turn = ident_v7(), own = ident_v7();
    struct streamlog *l;
    uint32_t seq = 0;
    int fds[2];
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        writer(&turn, fds[1]);
        _exit(0);
    }
    await_byte(fds[0]);
    l = open_log();
    while (seq < GROWN_EVENTS) {
        uint64_t seen = streamlog_txnid(l);
        struct event e;

        while (streamlog_next(l, &turn, seq, &e) == OK) {
            assert_int_equal(e.seq, seq + 1);
            assert_int_equal(e.len, 1000);
            assert_int_equal(e.data[999], 'w');
            seq++;
        }
        streamlog_rest(l);
        while (seq < GROWN_EVENTS && streamlog_txnid(l) == seen)
            (void)usleep(200);
    }
    assert_int_equal(child_wait(pid), 0);
    assert_true(streamlog_others(l));
    assert_false(streamlog_others(l));
    /* The one that stayed can write in what the other one grew. */
    put_head(l, &own, false);
    assert_int_equal(streamlog_append(l, &own, 1, EVENT_CHUNK, "y", 1), OK);
    assert_int_equal(streamlog_commit(l), OK);
    assert_false(streamlog_others(l)); /* that was our own */
    assert_int_equal(count_events(l, &own), 1);
    assert_int_equal(count_events(l, &turn), GROWN_EVENTS);
    streamlog_close(l);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

/* Both write at the same time, each its own streams. */
static void
two_processes_write(void **state)
{
    struct ident turns[2] = {ident_v7(), ident_v7()};
    struct streamlog *l;
    int fds[2];
    pid_t pids[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            writer(&turns[i], fds[1]);
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(child_wait(pids[i]), 0);
    l = open_log();
    for (int i = 0; i < 2; i++)
        assert_int_equal(count_events(l, &turns[i]), GROWN_EVENTS);
    streamlog_close(l);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

/* --- a killed process ---------------------------------------------------- */

/* Append and say how far until killed. */
static void
write_until_killed(const struct ident *turn, int fd)
{
    struct streamlog *l = open_log();

    put_head(l, turn, false);
    for (uint32_t seq = 1;; seq++) {
        assert_int_equal(
            streamlog_append(l, turn, seq, EVENT_CHUNK, "some words", 10), OK);
        if (seq % 3 == 0) {
            assert_int_equal(streamlog_commit(l), OK);
            assert_int_equal(write(fd, &seq, sizeof(seq)), sizeof(seq));
        }
    }
}

static void
what_was_committed_survives_a_kill(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct ident turn = ident_v7();
        struct streamlog *l = NULL;
        uint32_t last = 0, seq;
        uint32_t n;
        int fds[2];
        pid_t pid;

        assert_int_equal(pipe(fds), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            write_until_killed(&turn, fds[1]);
            _exit(1);
        }
        (void)close(fds[1]);
        while (last < 30 + (uint32_t)round * 31) {
            assert_int_equal(read(fds[0], &seq, sizeof(seq)), sizeof(seq));
            last = seq;
        }
        if (round % 2 != 0) /* somebody else has it open then */
            l = open_log();
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(child_wait(pid), -SIGKILL);
        while (read(fds[0], &seq, sizeof(seq)) == sizeof(seq))
            last = seq;
        (void)close(fds[0]);
        if (l == NULL)
            l = open_log();
        streamlog_settle(l);
        n = count_events(l, &turn);
        assert_true(n >= last && n % 3 == 0);
        /* Somebody else can take the stream over. */
        assert_int_equal(
            streamlog_append(l, &turn, n + 1, EVENT_ERROR, "{}", 2), OK);
        put_head(l, &turn, true);
        assert_int_equal(streamlog_commit(l), OK);
        assert_int_equal(count_events(l, &turn), n + 1);
        streamlog_close(l);
    }
}

/* --- the mark ------------------------------------------------------------ */

static void
write_mark(const char *boot, const char *state)
{
    char path[300];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/boot", dir);
    f = fopen(path, "we");
    assert_non_null(f);
    (void)fprintf(f, "1 %s %s\n", boot, state);
    assert_int_equal(fclose(f), 0);
}

/* Events that are left of one after the mark was changed. */
static uint32_t
reopened_under(const char *boot, const char *state)
{
    struct ident turn = ident_v7();
    struct streamlog *l = open_log();
    uint32_t n;

    put_head(l, &turn, false);
    assert_int_equal(streamlog_append(l, &turn, 1, EVENT_CHUNK, "x", 1), OK);
    assert_int_equal(streamlog_commit(l), OK);
    streamlog_close(l);
    write_mark(boot, state);
    l = open_log();
    n = count_events(l, &turn);
    streamlog_close(l);
    return n;
}

static void
a_log_of_another_boot_is_trusted_if_closed(void **state)
{
    (void)state;
    assert_int_equal(reopened_under(process_boot_id(), "clean"), 1);
    assert_int_equal(reopened_under(process_boot_id(), "open"), 1);
    assert_int_equal(reopened_under("another-boot", "clean"), 1);
    assert_int_equal(reopened_under("another-boot", "open"), 0);
    assert_int_equal(reopened_under("garbage", ""), 0);
}

static void
a_damaged_log_is_made_anew(void **state)
{
    struct ident turn = ident_v7();
    struct streamlog *l = open_log();
    char path[300], junk[8192];
    int fd;

    (void)state;
    put_head(l, &turn, false);
    assert_int_equal(streamlog_commit(l), OK);
    streamlog_close(l);
    memset(junk, 'j', sizeof(junk));
    (void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, junk, sizeof(junk), 0), sizeof(junk));
    (void)close(fd);
    l = open_log();
    assert_int_equal(count_events(l, &turn), 0);
    put_head(l, &turn, false);
    assert_int_equal(streamlog_append(l, &turn, 1, EVENT_CHUNK, "x", 1), OK);
    assert_int_equal(streamlog_commit(l), OK);
    assert_int_equal(count_events(l, &turn), 1);
    streamlog_close(l);
}

/* --- a full disk --------------------------------------------------------- */

#define DISK_BYTES ((size_t)4 * 1024 * 1024)

static uint32_t
append_until_full(struct streamlog *l, const struct ident *turn, uint32_t seq)
{
    char text[500];
    enum err e;

    memset(text, 'd', sizeof(text));
    while ((e = streamlog_append(l, turn, seq + 1, EVENT_CHUNK, text,
                                 sizeof(text))) == OK)
        if (++seq % 7 == 0)
            assert_int_equal(streamlog_commit(l), OK);
    assert_int_equal(e, ERR_FULL);
    assert_int_equal(streamlog_commit(l), OK);
    return seq;
}

static void
on_a_full_disk(void)
{
    struct ident old = ident_v7(), turn = ident_v7();
    char other[300];
    struct streamlog *l;
    uint32_t n, more;

    (void)snprintf(other, sizeof(other), "%s/other", dir);
    l = open_log();
    put_head(l, &old, false);
    assert_int_equal(streamlog_append(l, &old, 1, EVENT_CHUNK, "o", 1), OK);
    assert_int_equal(streamlog_commit(l), OK);
    assert_true(disk_fill(other) > 1024 * 1024); /* somebody else's file */
    put_head(l, &turn, false);
    n = append_until_full(l, &turn, 0);
    assert_int_equal(count_events(l, &turn), n);
    assert_int_equal(count_events(l, &old), 1);
    /* An ended stream makes room even then. */
    put_head(l, &turn, true);
    assert_int_equal(streamlog_commit(l), OK);
    (void)usleep(150 * 1000);
    turn = ident_v7();
    put_head(l, &turn, false);
    more = append_until_full(l, &turn, 0);
    assert_true(more > n / 2);
    /* And when the disk has room again, the log grows. */
    assert_int_equal(unlink(other), 0);
    (void)usleep(150 * 1000);
    assert_true(append_until_full(l, &turn, more) > 2 * more);
    streamlog_close(l);
    l = open_log();
    assert_int_equal(count_events(l, &old), 1);
    streamlog_close(l);
}

static void
a_full_disk_is_an_error_and_no_signal(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!small_disk_mount(dir, DISK_BYTES))
            _exit(FULL_DISK_STATUS);
        on_a_full_disk();
        _exit(0);
    }
    status = child_wait(pid);
    if (status == FULL_DISK_STATUS)
        skip(); /* not allowed to mount */
    assert_int_equal(status, 0);
}

static void
open_on_full_disk(void)
{
    struct streamlog_config c = {.dir = dir, .map_max = MAP_MAX};
    struct ident turn = ident_v7();
    struct streamlog *l = open_log();
    char other[300], sub[300];

    put_head(l, &turn, false);
    assert_int_equal(streamlog_commit(l), OK);
    streamlog_close(l);
    (void)snprintf(other, sizeof(other), "%s/other", dir);
    assert_true(disk_fill(other) > 1024 * 1024);
    /* What is there opens, and a small append fits in it. */
    l = open_log();
    assert_int_equal(streamlog_append(l, &turn, 1, EVENT_CHUNK, "x", 1), OK);
    assert_int_equal(streamlog_commit(l), OK);
    assert_int_equal(count_events(l, &turn), 1);
    streamlog_close(l);
    /* A new one does not. */
    (void)snprintf(sub, sizeof(sub), "%s/sub", dir);
    c.dir = sub;
    assert_int_not_equal(streamlog_open(&l, &c), OK);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(streamlog_open(&l, &c), OK);
    streamlog_close(l);
}

static void
a_log_opens_on_a_full_disk(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!small_disk_mount(dir, DISK_BYTES))
            _exit(FULL_DISK_STATUS);
        open_on_full_disk();
        _exit(0);
    }
    status = child_wait(pid);
    if (status == FULL_DISK_STATUS)
        skip();
    assert_int_equal(status, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(another_process_reads_along),
        T(two_processes_write),
        T(what_was_committed_survives_a_kill),
        T(a_log_of_another_boot_is_trusted_if_closed),
        T(a_damaged_log_is_made_anew),
        T(a_full_disk_is_an_error_and_no_signal),
        T(a_log_opens_on_a_full_disk),
    };

    /* Each killed process leaves a warning. */
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
