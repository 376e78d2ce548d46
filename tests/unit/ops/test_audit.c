/* Tests of ops/audit.c: events of many threads and processes, and what is
 * promised to who waits for one. */
#include "audit_test.h"

#include <pthread.h>
#include <signal.h>

#include "base/clock.h"
#include "base/metric.h"

#define FILE_MAX ((size_t)16 << 20)
#define DISK_BYTES ((size_t)256 * 1024)
#define THREADS 6
#define EVENTS 150

static struct audit_config conf;

static int
setup(void **state)
{
    conf = audit_config(SECRET, FILE_MAX);
    return audit_setup(state);
}

static void
note(const char *user, int64_t i, bool wait)
{
    struct audit_fact f = {
        .what = AUDIT_LOGIN_FAILED,
        .addr = "192.0.2.7",
        .with = {AUDIT_TEXT("user", user), AUDIT_NUMBER("i", i)}};

    if (wait)
        assert_int_equal(audit_event_wait(&f), OK);
    else
        audit_event(&f);
}

/* How often this is in the log. */
static int64_t
count_of(const char *text)
{
    char *s = audit_slurp(AUDIT_LOG, NULL);
    int64_t n = 0;

    if (s == NULL)
        return 0;
    for (const char *at = s; (at = strstr(at, text)) != NULL; at++)
        n++;
    free(s);
    return n;
}

static void
without_a_log_events_go_nowhere(void **state)
{
    (void)state;
    note("ann", 1, false);
    note("ann", 2, true);
    audit_stop();
    assert_int_equal(access(audit_path(AUDIT_LOG), F_OK), -1);
}

static void
an_event_that_is_waited_for_is_there(void **state)
{
    (void)state;
    assert_int_equal(audit_start(&conf), OK);
    for (int64_t i = 1; i <= 20; i++) {
        note("ann", i, true);
        assert_int_equal(count_of("\"user\":\"ann\""), i);
    }
    audit_stop();
    ASSERT_SOUND(&conf, 20);
}

static void
what_is_queued_is_written_at_the_end(void **state)
{
    int64_t lines = metric_get(METRIC_AUDIT_LINES);

    (void)state;
    assert_int_equal(audit_start(&conf), OK);
    for (int64_t i = 0; i < 3000; i++)
        note("ann", i, false);
    audit_stop();
    ASSERT_SOUND(&conf, 3000);
    assert_int_equal(metric_get(METRIC_AUDIT_LINES) - lines, 3000);
    /* and it can begin again */
    assert_int_equal(audit_start(&conf), OK);
    note("ann", 1, true);
    audit_stop();
    ASSERT_SOUND(&conf, 3001);
}

/* Nobody waits, nobody stops: it is written all the same. */
static void
an_event_is_written_soon(void **state)
{
    (void)state;
    assert_int_equal(audit_start(&conf), OK);
    note("ann", 1, false);
    while (count_of("\"user\":\"ann\"") == 0)
        (void)usleep(1000);
    audit_stop();
}

static void *
note_many(void *arg)
{
    const char *user = arg;

    for (int64_t i = 0; i < EVENTS; i++)
        note(user, i, i % 10 == 9);
    return NULL;
}

static void
by_many_threads(const char *user)
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, note_many,
                                        (void *)(uintptr_t)user),
                         0);
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
}

/* A thread's events stay in its order. */
static void
many_threads_and_processes_make_one_chain(void **state)
{
    static const char *const users[] = {"ann", "bob", "eve"};
    pid_t pids[COUNT_OF(users)];

    (void)state;
    conf.file_max = 64 * 1024;
    for (size_t i = 0; i < COUNT_OF(users); i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            assert_int_equal(audit_start(&conf), OK);
            by_many_threads(users[i]);
            audit_stop();
            _exit(0);
        }
    }
    for (size_t i = 0; i < COUNT_OF(users); i++)
        assert_int_equal(child_wait(pids[i]), 0);
    ASSERT_SOUND(&conf, (int64_t)(COUNT_OF(users) * THREADS * EVENTS));
}

/* What was acknowledged before the process was killed is there. */
static void
nothing_that_was_acknowledged_is_lost_by_kill_9(void **state)
{
    int fds[2];
    int64_t last = -1, i;
    struct audit_found found;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        assert_int_equal(audit_start(&conf), OK);
        for (i = 0;; i++) {
            note("bob", i, false);
            note("ann", i, true);
            if (write(fds[1], &i, sizeof(i)) != sizeof(i))
                _exit(1);
        }
    }
    (void)close(fds[1]);
    while (last < 50 && read(fds[0], &i, sizeof(i)) == sizeof(i))
        last = i;
    (void)kill(pid, SIGKILL);
    assert_int_equal(child_wait(pid), -SIGKILL);
    while (read(fds[0], &i, sizeof(i)) == sizeof(i))
        last = i;
    (void)close(fds[0]);
    assert_true(last >= 50);
    assert_true(count_of("\"user\":\"ann\"") > last);
    assert_true(count_of("\"user\":\"bob\"") > last);
    assert_int_equal(audit_start(&conf), OK);
    note("ann", -1, true);
    audit_stop();
    audit_check(&conf, &found);
    assert_int_equal(found.verdict.faults, 0);
}

/* --- no room ---------------------------------------------------------- */

/* Until an event that is waited for is refused. */
static int64_t
fill(void)
{
    struct audit_fact f = {.what = AUDIT_LOGIN, .who = "local/ann"};
    int64_t n = 0;

    while (audit_event_wait(&f) == OK)
        n++;
    assert_int_equal(audit_event_wait(&f), ERR_FULL);
    return n + 2; /* two are kept */
}

static int
with_a_full_disk(void)
{
    int64_t n, lost = metric_get(METRIC_AUDIT_LOST);
    struct audit_fact big = {.what = AUDIT_EXPORT};
    char text[AUDIT_TEXT_MAX + 1];
    struct audit_found found;

    log_set_level((enum log_level)(LOG_ERROR + 1));
    if (!small_disk_mount(audit_dir, DISK_BYTES))
        return 77;
    assert_int_equal(audit_start(&conf), OK);
    note("ann", 1, true);
    assert_true(disk_fill(audit_path("filler")) > 0);
    n = 1 + fill();
    assert_true(metric_get(METRIC_AUDIT_FAILURES) > 0);

    /* Nor does who waits behind more than one batch wait for room. */
    for (int64_t i = 0; i < 2500; i++)
        note("eve", i, false);
    assert_int_equal(
        audit_event_wait(&(struct audit_fact){.what = AUDIT_LOGIN}), ERR_FULL);
    n++;

    /* More than memory is set aside for is counted. */
    (void)memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < AUDIT_MEMBERS_MAX; i++)
        big.with[i] = (struct audit_member)AUDIT_TEXT("member", text);
    for (int i = 0; i < 1000; i++)
        audit_event(&big);
    assert_true(metric_get(METRIC_AUDIT_LOST) > lost);
    assert_true(metric_get(METRIC_AUDIT_LOST) < lost + 900);

    /* With room for all of it, all of it is written, and the loss told. */
    assert_int_equal(unlink(audit_path("filler")), 0);
    assert_int_equal(
        mount("none", audit_dir, "tmpfs", MS_REMOUNT, "size=16m,mode=0700"), 0);
    note("ann", 2, true);
    while (count_of("\"event\":\"audit_lost\"") == 0)
        (void)usleep(1000);
    audit_stop();
    audit_check(&conf, &found);
    assert_string_equal(found.text, "");
    assert_int_equal(count_of("\"event\":\"login\""), n - 1);
    return 0;
}

static void
a_full_disk_loses_nothing_that_fits_into_memory(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0)
        _exit(with_a_full_disk());
    status = child_wait(pid);
    if (status == 77)
        skip();
    assert_int_equal(status, 0);
}

/* Somebody holds audit.lock and does not leave it: who waits is told so, and
 * what was to be written is written when it can be. */
static void
a_lock_that_is_held_is_not_waited_for_for_ever(void **state)
{
    struct audit_fact f = {.what = AUDIT_LOGIN_FAILED, .addr = "192.0.2.7"};
    int64_t began_ms;
    struct audit_found found;
    int dir, held;

    (void)state;
    log_set_level((enum log_level)(LOG_ERROR + 1));
    assert_int_equal(audit_start(&conf), OK);
    note("ann", 0, true);
    dir = open(audit_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    held = audit_lock_take(dir, false);
    assert_true(held >= 0);
    began_ms = clock_mono_ms();
    assert_int_equal(audit_event_wait(&f), ERR_STORE);
    assert_in_range(clock_mono_ms() - began_ms, AUDIT_LOCK_MS,
                    3 * AUDIT_LOCK_MS);
    assert_int_equal(count_of("\"event\":\"login_failed\""), 1);
    audit_lock_leave(held);
    note("ann", 1, true);
    assert_int_equal(count_of("\"event\":\"login_failed\""), 3);
    audit_stop();
    audit_check(&conf, &found);
    assert_string_equal(found.text, "");
    assert_int_equal(close(dir), 0);
}

static void
a_folder_that_is_not_there_is_refused(void **state)
{
    struct audit_config c = {.dir = "/nowhere/at/all", .file_max = FILE_MAX};

    (void)state;
    log_set_level((enum log_level)(LOG_ERROR + 1));
    assert_int_equal(audit_start(&c), ERR_STORE);
    note("ann", 1, true); /* goes nowhere */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, audit_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_log_events_go_nowhere),
        TEST(an_event_that_is_waited_for_is_there),
        TEST(what_is_queued_is_written_at_the_end),
        TEST(an_event_is_written_soon),
        TEST(many_threads_and_processes_make_one_chain),
        TEST(nothing_that_was_acknowledged_is_lost_by_kill_9),
        TEST(a_full_disk_loses_nothing_that_fits_into_memory),
        TEST(a_lock_that_is_held_is_not_waited_for_for_ever),
        TEST(a_folder_that_is_not_there_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
