/*
 * What processes, disks and strangers do to the file of the index.
 */
#include "index_test.h"

#include "../sanitized.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define MAY_NOT_MOUNT 77
#define MANY (SANITIZED ? 1000 : 10000)

static void
pause_ms(int ms)
{
    struct timespec t = {0, ms * 1000000L};

    (void)nanosleep(&t, NULL);
}

/* How a child ended: its exit status, or minus the signal. */
static int
child_wait(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* A process of its own, which opens the index itself. */
static pid_t
child(void (*fn)(void))
{
    pid_t pid;

    files_close(fs);
    fs = NULL;
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (files_open(index_dir, &fs) != OK)
            _exit(2);
        fn();
        files_close(fs);
        _exit(0);
    }
    assert_int_equal(files_open(index_dir, &fs), OK);
    return pid;
}

static void
put_numbered(const char *prefix, int i, const char *text)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "%s%05d.txt", prefix, i);
    (void)put_note(name, text);
}

/* --- processes ------------------------------------------------------------ */

static void
child_puts(void)
{
    for (int i = 0; i < 100; i++)
        put_numbered("child", i, "a walrus of the child");
}

static void
many_processes_make_one_index(void **state)
{
    char dir[300];

    (void)state;
    for (int round = 0; round < 10; round++) {
        pid_t pids[6];

        (void)snprintf(dir, sizeof(dir), "%s/new%d", index_dir, round);
        for (size_t i = 0; i < COUNT_OF(pids); i++) {
            pids[i] = fork();
            assert_true(pids[i] >= 0);
            if (pids[i] == 0) {
                struct files *f;

                _exit(files_open(dir, &f) == OK ? 0 : 2);
            }
        }
        for (size_t i = 0; i < COUNT_OF(pids); i++)
            assert_int_equal(child_wait(pids[i]), 0);
    }
}

static void
two_processes_write_and_see_each_other(void **state)
{
    pid_t pid = child(child_puts);
    struct collection c;

    (void)state;
    for (int i = 0; i < 100; i++) {
        put_numbered("parent", i, "a walrus of the parent");
        assert_true(strlen(found("walrus")) > 0);
    }
    assert_int_equal(child_wait(pid), 0);
    assert_int_equal(files_collection(fs, ANN, "notes", NULL, &c), OK);
    assert_int_equal(c.documents, 200);
    assert_sound();
}

static void
child_replaces_for_ever(void)
{
    static const char *const texts[] = {"a walrus one", "a walrus two",
                                        "a walrus three", NULL};

    for (int i = 0;; i++) {
        struct document d = document_of(notes.id, "same.txt");

        if (put_texts(&d, "", texts) != OK)
            _exit(3);
    }
}

static void
child_batches_for_ever(void)
{
    for (int i = 0;; i++) {
        if (files_batch_begin(fs) != OK)
            _exit(3);
        for (int k = 0; k < 10; k++)
            put_numbered("batch", 10 * i + k, "a walrus of a batch");
        if (files_batch_end(fs, true) != OK)
            _exit(4);
    }
}

static void
a_process_that_is_killed_leaves_whole_documents(void **state)
{
    struct collection c;

    (void)state;
    for (int round = 0; round < 10; round++) {
        pid_t pid = child(child_replaces_for_ever);

        pause_ms(5 + round * 9);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(child_wait(pid), -SIGKILL);
        assert_sound();
    }
    for (int round = 0; round < 8; round++) {
        pid_t pid = child(child_batches_for_ever);

        pause_ms(20 + round * 15);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(child_wait(pid), -SIGKILL);
        assert_sound();
        assert_int_equal(files_collection(fs, ANN, "notes", NULL, &c), OK);
        assert_int_equal((c.documents - 1) % 10, 0); /* batches are whole */
    }
    assert_true(c.documents > 1);
}

static void
child_writes_a_batch(void)
{
    if (files_batch_begin(fs) != OK)
        _exit(3);
    put_numbered("child", 0, "a walrus of the child");
    pause_ms(300);
    if (files_batch_end(fs, true) != OK)
        _exit(4);
}

static void
who_writes_waits_and_who_reads_does_not(void **state)
{
    pid_t pid = child(child_writes_a_batch);
    struct document d;

    (void)state;
    for (int i = 0; i < 5; i++) {
        pause_ms(20);
        (void)found("walrus");
    }
    put_numbered("parent", 0, "a walrus of the parent"); /* waits */
    assert_int_equal(child_wait(pid), 0);
    assert_int_equal(files_known(fs, notes.id, "child00000.txt", &d), OK);
    assert_sound();
}

/* --- threads -------------------------------------------------------------- */

static void *
thread_works(void *arg)
{
    intptr_t no = (intptr_t)arg;

    for (int i = 0; i < 30; i++) {
        char name[64];
        const char *texts[] = {"a walrus of a thread", NULL};
        struct document d;
        struct files_query q = query_of(ANN, "walrus");
        struct files_found out;
        bool batch = i % 10 == 0;

        (void)snprintf(name, sizeof(name), "t%d-%d", (int)no, i);
        d = document_of(notes.id, name);
        if (batch && files_batch_begin(fs) != OK)
            return NULL;
        if (put_texts(&d, "", texts) != OK)
            return NULL;
        if (batch && files_batch_end(fs, true) != OK)
            return NULL;
        if (files_search(fs, &q, &out) != OK || out.n == 0)
            return NULL;
        files_found_release(&out);
    }
    return arg;
}

static void
threads_work_side_by_side(void **state)
{
    pthread_t t[4];
    void *ended;

    (void)state;
    for (intptr_t i = 0; i < 4; i++)
        assert_int_equal(
            pthread_create(&t[i], NULL, thread_works, (void *)(i + 1)), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(t[i], &ended), 0);
        assert_non_null(ended);
    }
    assert_sound();
}

/* --- much ----------------------------------------------------------------- */

static void
thousands_of_documents_are_found_and_swept(void **state)
{
    static char text[200], name[20];
    struct collection c;
    int some = MANY / 10 * 7 + 77;

    (void)state;
    for (int i = 0; i < MANY; i += 500) {
        assert_int_equal(files_batch_begin(fs), OK);
        for (int k = i; k < i + 500; k++) {
            (void)snprintf(text, sizeof(text),
                           "document number%d about walruses and word%d", k,
                           k % 37);
            put_numbered("d", k, text);
        }
        assert_int_equal(files_batch_end(fs, true), OK);
    }
    (void)snprintf(name, sizeof(name), "d%05d.txt", some);
    (void)snprintf(text, sizeof(text), "number%d", some);
    assert_true(strncmp(found(text), name, strlen(name)) == 0);
    assert_true(strncmp(found("the document number442"), "d00442.txt", 10) ==
                0);
    assert_sound();
    assert_int_equal(files_collection_drop(fs, notes.id), OK);
    assert_string_equal(found(text), "");
    assert_int_equal(files_collection(fs, ANN, "notes", "/notes", &c), OK);
    assert_int_equal(c.documents, 0);
    assert_sound();
}

/* More than a put holds in memory. */
static void
a_large_document_goes_through_a_file(void **state)
{
    struct document d = document_of(notes.id, "large.txt");
    char text[1000], want[1000];
    struct files_put *put;
    struct buf out;
    int n = 3 * PUT_BYTES_HELD / (int)sizeof(text);

    (void)state;
    assert_int_equal(files_put_begin(fs, &d, &put), OK);
    for (int i = 0; i < n; i++) {
        struct chunk c = {.seq = (uint32_t)i, .heading = "A > B", .text = text};

        memset(text, 'x', sizeof(text));
        (void)snprintf(text, sizeof(text), "%06d ", i);
        text[7] = 'y';
        for (size_t k = 20; k < sizeof(text); k += 20)
            text[k] = ' ';
        text[sizeof(text) - 1] = '\0';
        c.len = strlen(text);
        c.start = (int64_t)i * (int64_t)c.len;
        assert_int_equal(files_put_chunk(put, &c), OK);
    }
    assert_int_equal(files_put_end(put, &d, ""), OK);
    assert_int_equal(d.chunks, n);
    buf_init(&out, 100);
    (void)snprintf(want, sizeof(want), "%06d y", n - 1);
    assert_int_equal(files_text(fs, d.id, d.text_len - 999, 8, &out), OK);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
    assert_string_equal(found("000777"), "large.txt");
    assert_sound();
}

/* --- strangers ------------------------------------------------------------ */

static void
file_path(char out[300], const char *end)
{
    (void)snprintf(out, 300, "%s/%s%s", index_dir, SHELF_FILE, end);
}

static void
a_file_that_is_none_of_ours_is_an_error(void **state)
{
    char path[300], noise[20000];
    FILE *f;

    (void)state;
    files_close(fs);
    fs = NULL;
    memset(noise, 'n', sizeof(noise));
    file_path(path, "");
    f = fopen(path, "wbe");
    assert_non_null(f);
    assert_int_equal(fwrite(noise, 1, sizeof(noise), f), sizeof(noise));
    assert_int_equal(fclose(f), 0);
    assert_int_equal(files_open(index_dir, &fs), ERR_STORE);
    assert_null(fs);
    assert_int_equal(unlink(path), 0);
    file_path(path, "-wal");
    (void)unlink(path);
    file_path(path, "-shm");
    (void)unlink(path);
    assert_int_equal(files_open(index_dir, &fs), OK);
    assert_sound();
}

static void
a_file_of_another_version_is_an_error(void **state)
{
    char path[300];
    sqlite3 *db;

    (void)state;
    files_close(fs);
    fs = NULL;
    file_path(path, "");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(files_open(index_dir, &fs), ERR_STORE);
}

/* Bytes of the file are wrong here and there: any answer will do, but none of
 * another's and no crash. */
static void
damage_does_no_harm(void **state)
{
    uint32_t random = 12345;

    (void)state;
    for (int round = 0; round < 10; round++) {
        struct files_query q = query_of(BOB, "walrus");
        struct files_found out;
        struct document d;
        char path[300];
        struct stat st;
        int fd;

        index_dir_remove();
        assert_int_equal(mkdir(index_dir, 0700), 0);
        files_close(fs);
        assert_int_equal(files_open(index_dir, &fs), OK);
        assert_int_equal(files_collection(fs, ANN, "notes", "/notes", &notes),
                         OK);
        for (int i = 0; i < 40; i++)
            put_numbered("a", i, "a walrus and other animals of the sea");
        files_close(fs);
        fs = NULL;
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
        if (files_open(index_dir, &fs) != OK)
            continue;
        if (files_search(fs, &q, &out) == OK) {
            assert_int_equal(out.n, 0);
            files_found_release(&out);
        }
        q.owner = ANN;
        q.leaves = true;
        if (files_search(fs, &q, &out) == OK)
            files_found_release(&out);
        IGNORE(files_find(fs, ANN, "a00001.txt", &d));
        IGNORE(files_delete(fs, notes.id << 24 | 3));
        IGNORE(files_collection_drop(fs, notes.id));
    }
}

static void
a_file_that_is_removed_is_made_anew(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    struct collection c;
    char path[300];

    (void)state;
    (void)put_note("a.txt", "a walrus");
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        file_path(path, ends[i]);
        (void)unlink(path);
    }
    assert_string_equal(found("walrus"), "");
    assert_int_equal(files_collection(fs, ANN, "notes", NULL, &c),
                     ERR_NOTFOUND);
    assert_int_equal(files_collection(fs, ANN, "notes", "/n", &notes), OK);
    (void)put_note("b.txt", "a walrus");
    index_reopen();
    assert_string_equal(found("walrus"), "b.txt");
}

static void
only_its_owner_can_read_it(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};

    (void)state;
    (void)put_note("a.txt", "a walrus");
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        char path[300];
        struct stat st;

        file_path(path, ends[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

/* --- a full disk ---------------------------------------------------------- */

static bool
small_disk_mount(const char *dir, const char *options)
{
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", dir, "tmpfs", 0, options) == 0;
}

static void
on_a_full_disk(void)
{
    static char text[60000];
    struct document d;
    const char *texts[] = {text, text, text, text, NULL};
    char name[64];
    enum err e = OK;
    int i;

    assert_int_equal(files_open(index_dir, &fs), OK);
    assert_int_equal(files_collection(fs, ANN, "notes", "/n", &notes), OK);
    (void)put_note("a.txt", "a walrus");
    for (size_t k = 0; k + 1 < sizeof(text); k++)
        text[k] = k % 9 == 8 ? ' ' : (char)('a' + (k * 7919 >> 3) % 26);
    for (i = 0; e == OK && i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "big%d.txt", i);
        d = document_of(notes.id, name);
        e = put_texts(&d, "", texts);
    }
    assert_int_equal(e, ERR_FULL);
    assert_int_equal(files_known(fs, notes.id, name, &d), ERR_NOTFOUND);
    assert_string_equal(found("walrus"), "a.txt");
    assert_int_equal(files_batch_begin(fs), OK);
    for (i = 0, e = OK; e == OK && i < 100; i++) { /* some stays in memory */
        (void)snprintf(name, sizeof(name), "batch%d.txt", i);
        d = document_of(notes.id, name);
        e = put_texts(&d, "", texts);
    }
    assert_true(e == OK || e == ERR_FULL);
    assert_int_equal(files_batch_end(fs, true), ERR_FULL);
    assert_int_equal(files_known(fs, notes.id, "batch0.txt", &d), ERR_NOTFOUND);
    assert_string_equal(found("walrus"), "a.txt");
    assert_sound();
    assert_int_equal(files_known(fs, notes.id, "big0.txt", &d), OK);
    files_close(fs);
}

static void
a_full_disk_refuses_writes_and_loses_nothing(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    files_close(fs);
    fs = NULL;
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!small_disk_mount(index_dir, "size=8388608,mode=0700"))
            _exit(MAY_NOT_MOUNT);
        on_a_full_disk();
        _exit(0);
    }
    status = child_wait(pid);
    if (status == MAY_NOT_MOUNT)
        skip();
    assert_int_equal(status, 0);
}

static void
a_folder_that_cannot_be_is_an_error(void **state)
{
    struct files *other;
    char name[5000], path[300];

    (void)state;
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(files_open(name, &other), ERR_STORE);
    assert_null(other);
    file_path(path, "/below");
    assert_int_equal(files_open(path, &other), ERR_STORE);
    files_close(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, index_setup, index_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_processes_make_one_index),
        TEST(two_processes_write_and_see_each_other),
        TEST(a_process_that_is_killed_leaves_whole_documents),
        TEST(who_writes_waits_and_who_reads_does_not),
        TEST(threads_work_side_by_side),
        TEST(thousands_of_documents_are_found_and_swept),
        TEST(a_large_document_goes_through_a_file),
        TEST(a_file_that_is_none_of_ours_is_an_error),
        TEST(a_file_of_another_version_is_an_error),
        TEST(damage_does_no_harm),
        TEST(a_file_that_is_removed_is_made_anew),
        TEST(only_its_owner_can_read_it),
        TEST(a_full_disk_refuses_writes_and_loses_nothing),
        TEST(a_folder_that_cannot_be_is_an_error),
    };

    return cmocka_run_group_tests_name("files_file", tests, NULL, NULL);
}
