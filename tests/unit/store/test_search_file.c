/*
 * What processes, disks and strangers do to the index's file.
 */
#include "search_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>

#define MAY_NOT_MOUNT 77

static void
file_path(char out[300], const char *end)
{
    (void)snprintf(out, 300, "%s/messages.db%s", search_dir, end);
}

static void
file_write(const char *end, const void *p, size_t n)
{
    char path[300];
    FILE *f;

    file_path(path, end);
    f = fopen(path, "wbe");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Run SQL on the closed file. */
static void
file_sql(const char *sql)
{
    char path[300];
    sqlite3 *db;

    file_path(path, "");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
reopen(void)
{
    search_close(ix);
    assert_int_equal(search_open(&ix, search_dir), OK);
}

/* Messages of "ann" in sessions 1 to n, those with odd and even numbers. */
static void
add_many(uint64_t n, const char *odd, const char *even)
{
    struct search_message m[400];
    char ids[400][24];

    assert_true(n <= COUNT_OF(m));
    for (uint64_t i = 0; i < n; i++) {
        m[i] = message_of("ann", i + 1, 0, i % 2 ? even : odd);
        (void)snprintf(ids[i], sizeof(ids[i]), "session-%u", (unsigned)i + 1);
        m[i].session_id = ids[i];
    }
    assert_int_equal(search_add(ix, m, n, n), OK);
}

/* The index is empty, says so, and works. */
static void
assert_new(void)
{
    assert_int_equal(cursor_now(), 0);
    assert_found("common", "");
    add(7, 0, "a common word");
    assert_found("common", "7:0|");
    assert_int_equal(cursor_now(), 7);
}

/* --- what is not ours ---------------------------------------------------- */

static void
the_index_is_there_when_it_is_opened_again(void **state)
{
    (void)state;
    add(1, 0, "a common word");
    reopen();
    assert_int_equal(cursor_now(), 1);
    assert_found("common", "1:0|");
}

static void
a_file_that_is_no_database_is_replaced(void **state)
{
    char noise[20000];

    (void)state;
    (void)mkdir(search_dir, 0700);
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)(i * 7919 >> 3);
    file_write("", noise, sizeof(noise));
    file_write("-wal", noise, 500);
    file_write("-journal", noise, 500);
    assert_new();
}

static void
an_empty_file_is_replaced(void **state)
{
    (void)state;
    file_write("", "", 0);
    assert_new();
}

static void
a_database_of_something_else_is_replaced(void **state)
{
    (void)state;
    file_sql("CREATE TABLE meta (cursor, scrub);"
             "INSERT INTO meta VALUES (5, 0)");
    assert_new();
}

static void
another_version_is_replaced(void **state)
{
    (void)state;
    add(1, 0, "a common word");
    search_close(ix);
    file_sql("PRAGMA user_version = 99");
    assert_int_equal(search_open(&ix, search_dir), OK);
    assert_new();
    search_close(ix);
    file_sql("PRAGMA user_version = 0");
    assert_int_equal(search_open(&ix, search_dir), OK);
    assert_new();
}

static void
a_file_without_a_table_is_replaced(void **state)
{
    char next[SEARCH_CURSOR_MAX];
    struct search_ask a = {"ann", "common", 6, 10, NULL};
    struct text t = {0};

    (void)state;
    add(1, 0, "a common word");
    search_close(ix);
    file_sql("DROP TABLE body");
    assert_int_equal(search_open(&ix, search_dir), OK);
    assert_int_equal(search_query(ix, &a, next, text_hits, &t), ERR_STORE);
    assert_new();
}

static void
a_file_that_is_cut_off_is_replaced(void **state)
{
    char path[300];
    struct text t;

    (void)state;
    for (uint64_t i = 1; i < 60; i++)
        add(i, 0, "a common word and some others that make it longer");
    search_close(ix);
    file_path(path, "");
    assert_int_equal(truncate(path, 20480), 0);
    assert_int_equal(search_open(&ix, search_dir), OK);
    IGNORE(find_as("ann", "common", 6, &t));
    assert_new();
}

static void
a_file_that_goes_away_while_it_is_used_is_made_anew(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[300];

    (void)state;
    add(1, 0, "a common word");
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        file_path(path, ends[i]);
        (void)unlink(path);
    }
    assert_new();
    reopen();
    assert_found("common", "7:0|");
    search_close(ix);
    folder_remove(search_dir);
    assert_int_equal(search_open(&ix, search_dir), OK);
    assert_new();
}

/* Bytes of the file are wrong here and there: any answer will do, but none of
 * another's and no crash; and a reset helps. */
static void
damage_does_no_harm(void **state)
{
    uint32_t random = 12345;

    (void)state;
    for (int round = 0; round < 40; round++) {
        char path[300];
        struct stat st;
        struct search_message m = message_of("bob", 500, 0, "another's words");
        struct search_stats stats;
        uint64_t no = 3;
        struct text t;
        enum err e;
        int fd;

        IGNORE(search_reset(ix));
        add_many(40, "a common word with others, long enough for some pages",
                 "a common word and others, which are a bit longer than that");
        assert_int_equal(search_add(ix, &m, 1, 1), OK);
        search_close(ix);
        file_path(path, "");
        fd = open(path, O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0 && fstat(fd, &st) == 0);
        for (int i = 0; i < 1 << (round % 10); i++) {
            unsigned char byte;

            random = random * 1664525 + 1013904223;
            byte = (unsigned char)(random >> 24);
            assert_int_equal(pwrite(fd, &byte, 1, random % st.st_size), 1);
        }
        (void)close(fd);
        assert_int_equal(search_open(&ix, search_dir), OK);
        e = find_as("ann", "common wor*", 11, &t);
        assert_true(e == OK || e == ERR_STORE);
        assert_null(strstr(t.s, "500:"));
        IGNORE(find_as("ann", "\"with others\" -long", 19, &t));
        IGNORE(search_stats(ix, &stats));
        m.seq = 1;
        IGNORE(search_add(ix, &m, 1, 2));
        IGNORE(search_forget(ix, &no, 1));
    }
    assert_int_equal(search_reset(ix), OK);
    assert_new();
}

static void
a_folder_that_cannot_be_is_an_error(void **state)
{
    char name[2000], path[300];
    struct search *other;
    uint64_t cursor;
    struct text t;

    (void)state;
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(search_open(&other, name), ERR_STORE);
    search_close(NULL);

    (void)snprintf(path, sizeof(path), "%s/file", search_dir);
    assert_int_equal(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)),
                     0);
    search_close(ix);
    assert_int_equal(search_open(&ix, path), OK);
    assert_int_equal(search_cursor(ix, &cursor), ERR_STORE);
    assert_int_equal(find_as("ann", "common", 6, &t), ERR_STORE);
    assert_int_equal(search_reset(ix), ERR_STORE);
}

/* --- processes ----------------------------------------------------------- */

/* Called before anything is opened. */
static pid_t
child(void (*fn)(void))
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        fn();
        search_close(ix);
        _exit(0);
    }
    return pid;
}

static void
child_adds(void)
{
    for (uint64_t i = 1; i <= 100; i++)
        add(1000 + i, 0, "a common word of the child");
}

static void
two_processes_write_and_see_each_other(void **state)
{
    pid_t pid = child(child_adds);
    struct search_stats st;
    struct text t;

    (void)state;
    for (uint64_t i = 1; i <= 100; i++) {
        add(i, 0, "a common word of the parent");
        assert_int_equal(find_as("ann", "common", 6, &t), OK);
        assert_true(t.count >= (i < SEARCH_LIMIT_MAX ? i : SEARCH_LIMIT_MAX));
    }
    assert_int_equal(child_wait(pid), 0);
    assert_int_equal(search_stats(ix, &st), OK);
    assert_int_equal(st.messages, 200);
    assert_found("\"of the child\" -parent -nothing x", "");
    assert_int_equal(find_as("ann", "child", 5, &t), OK);
    assert_int_equal(t.count, SEARCH_LIMIT_MAX);
}

static void
child_resets(void)
{
    struct timespec pause = {0, 3000000};

    for (int i = 0; i < 20; i++) {
        assert_int_equal(search_reset(ix), OK);
        (void)nanosleep(&pause, NULL);
    }
}

static void
a_reset_by_another_process_is_noticed(void **state)
{
    pid_t pid = child(child_resets);
    struct text t;

    (void)state;
    for (uint64_t i = 1; i <= 200; i++) {
        add(i, 0, "a common word");
        assert_int_equal(find_as("ann", "common", 6, &t), OK);
    }
    assert_int_equal(child_wait(pid), 0);
    add(300, 0, "a special word");
    assert_found("special", "300:0|");
    reopen();
    assert_found("special", "300:0|");
}

static void
child_adds_for_ever(void)
{
    uint64_t from = cursor_now();

    for (uint64_t i = from + 1;; i++)
        add(i, 0, "a common word of one who is killed");
}

static void
pause_ms(int ms)
{
    struct timespec t = {0, ms * 1000000L};

    (void)nanosleep(&t, NULL);
}

static void
a_killed_writer_leaves_messages_and_cursor_that_agree(void **state)
{
    (void)state;
    for (int round = 0; round < 12; round++) {
        pid_t pid = child(child_adds_for_ever);
        struct search_stats st;

        pause_ms(5 + round * 7);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(child_wait(pid), -SIGKILL);
        assert_int_equal(search_stats(ix, &st), OK);
        assert_int_equal(st.messages, st.cursor);
        assert_int_equal(st.sessions, st.cursor);
        reopen(); /* nothing is open when the next child begins */
    }
    assert_true(cursor_now() > 0);
}

#define HALF 150

static void
child_forgets(void)
{
    uint64_t gone[HALF];

    for (uint64_t i = 0; i < HALF; i++)
        gone[i] = 2 * i + 1;
    assert_int_equal(search_forget(ix, gone, HALF), OK);
}

/* Is the word in a file? Asked by another process: to close a file here would
 * drop SQLite's locks on it. */
static bool
in_files(const char *word)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)execlp("grep", "grep", "-qar", word, search_dir, (char *)NULL);
        _exit(2);
    }
    switch (child_wait(pid)) {
    case 0: return true;
    case 1: return false;
    default: fail_msg("grep did not run");
    }
    return false;
}

static void
what_a_killed_process_began_to_forget_is_wiped_by_the_next(void **state)
{
    bool began = false;

    (void)state;
    for (int round = 0; round < 12 || (!began && round < 80); round++) {
        struct search_stats st;
        pid_t pid;

        assert_int_equal(search_reset(ix), OK);
        add_many(2 * HALF, "zzsecret words", "other words");
        reopen();
        pid = child(child_forgets);
        pause_ms(1 + 2 * round);
        (void)kill(pid, SIGKILL); /* it may have ended */
        (void)child_wait(pid);
        assert_int_equal(search_stats(ix, &st), OK);
        if (st.messages == HALF) { /* they are told to be gone */
            began = true;
            assert_found("zzsecret", "");
        } else {
            assert_int_equal(st.messages, 2 * HALF);
            child_forgets();
        }
        add(2 * HALF + 1, 0, "later");
        assert_false(in_files("zzsecret"));
        assert_true(in_files("other words"));
        reopen();
    }
    assert_true(began);
}

static void
child_holds_the_lock(void)
{
    char path[300];
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 2};
    int fd;

    (void)snprintf(path, sizeof(path), "%s/lock", search_dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    pause_ms(400);
    (void)kill(getpid(), SIGKILL); /* with the lock */
}

static void
a_lock_is_waited_for_and_is_gone_with_its_process(void **state)
{
    pid_t pid = child(child_holds_the_lock);

    (void)state;
    pause_ms(100);
    add(1, 0, "a common word");
    assert_found("common", "1:0|");
    assert_int_equal(child_wait(pid), -SIGKILL);
}

/* --- a full disk --------------------------------------------------------- */

static enum err
add_big(uint64_t no)
{
    static char text[20000];
    struct search_message m = message_of("ann", no, 0, "");

    for (size_t i = 0; i + 8 < sizeof(text); i += 8) {
        uint64_t word = (no * 10007 + i) * 2654435761U % 26000000;

        (void)snprintf(text + i, 9, "w%06" PRIu64 " ", word % 1000000);
    }
    m.text = text;
    m.text_len = sizeof(text) - 8;
    return search_add(ix, &m, 1, no);
}

static void
on_a_full_disk(void)
{
    char filler[300];
    struct search_stats st;
    uint64_t no = 1, gone = 1;
    struct text t;
    enum err e;

    add(no, 0, "a common word");
    (void)snprintf(filler, sizeof(filler), "%s/filler", search_dir);
    do
        e = add_big(++no);
    while (e == OK && no < 10000);
    assert_int_equal(e, ERR_FULL);
    (void)disk_fill(filler);
    for (int i = 0; i < 3; i++) {
        assert_found("common", "1:0|");
        assert_int_equal(add_big(no), ERR_FULL);
    }
    assert_int_equal(cursor_now(), no - 1);
    e = search_forget(ix, &gone, 1);
    assert_true(e == ERR_FULL || e == OK);

    assert_int_equal(unlink(filler), 0);
    assert_int_equal(search_reset(ix), OK);
    add(1, 0, "a common word");
    assert_found("common", "1:0|");

    /* And if it is opened when the disk is full already. */
    search_close(ix);
    (void)disk_fill(filler);
    assert_int_equal(search_open(&ix, search_dir), OK);
    e = find_as("ann", "common", 6, &t);
    assert_true(e == ERR_FULL || (e == OK && strcmp(t.s, "1:0|") == 0));
    assert_int_equal(unlink(filler), 0);
    assert_found("common", "1:0|");
    assert_int_equal(search_stats(ix, &st), OK);
    assert_int_equal(st.cursor, 1);
    search_close(ix);
}

static void
a_full_disk_refuses_writes_and_recovers(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!small_disk_mount(search_dir, 6 * 1024 * 1024))
            _exit(MAY_NOT_MOUNT);
        on_a_full_disk();
        _exit(0);
    }
    status = child_wait(pid);
    if (status == MAY_NOT_MOUNT)
        skip();
    assert_int_equal(status, 0);
}

#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, search_setup, search_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_index_is_there_when_it_is_opened_again),
        TEST(a_file_that_is_no_database_is_replaced),
        TEST(an_empty_file_is_replaced),
        TEST(a_database_of_something_else_is_replaced),
        TEST(another_version_is_replaced),
        TEST(a_file_without_a_table_is_replaced),
        TEST(a_file_that_is_cut_off_is_replaced),
        TEST(a_file_that_goes_away_while_it_is_used_is_made_anew),
        TEST(damage_does_no_harm),
        TEST(a_folder_that_cannot_be_is_an_error),
        TEST(two_processes_write_and_see_each_other),
        TEST(a_reset_by_another_process_is_noticed),
        TEST(a_killed_writer_leaves_messages_and_cursor_that_agree),
        TEST(what_a_killed_process_began_to_forget_is_wiped_by_the_next),
        TEST(a_lock_is_waited_for_and_is_gone_with_its_process),
        TEST(a_full_disk_refuses_writes_and_recovers),
    };

    return cmocka_run_group_tests_name("search_file", tests, NULL, NULL);
}
