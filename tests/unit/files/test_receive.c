/*
 * Tests of files/receive.c: files that are stored, that replace others, that
 * have no room, and what those leave who died while one came.
 */
#include "index_test.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "files/receive.h"

#define MAY_NOT_MOUNT 77

static struct collection uploads;

static int
setup(void **state)
{
    (void)index_setup(state);
    assert_int_equal(files_collection(fs, ANN, "Uploads", "", &uploads), OK);
    return 0;
}

static int
teardown(void **state)
{
    char command[400];

    (void)state;
    files_close(fs);
    fs = NULL;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", index_dir);
    return system(command);
}

static struct document
named(const char *name)
{
    struct document d = {.label = LABEL_CLOUD_OK};

    (void)snprintf(d.name, sizeof(d.name), "%s", name);
    return d;
}

/* A file of n bytes. */
static enum err
receive(const char *name, size_t n, int64_t most)
{
    static const char bytes[4096] = "bytes";
    struct document d = named(name);
    struct receive r;
    enum err e = receive_begin(&r, fs, &uploads, name);

    for (size_t at = 0; e == OK && at < n; at += sizeof(bytes))
        e = receive_bytes(&r, bytes,
                          n - at < sizeof(bytes) ? n - at : sizeof(bytes));
    if (e == OK)
        e = receive_end(&r, &d, most);
    receive_drop(&r);
    return e;
}

/* Bytes of the file that lies where this one is to lie; -1: there is none. */
static int64_t
lies(const char *name)
{
    struct place p;
    struct stat st;
    int fd;

    assert_int_equal(place_of(index_dir, &uploads, name, &p), OK);
    fd = place_open(&p);
    if (fd < 0)
        return -1;
    assert_int_equal(fstat(fd, &st), 0);
    (void)close(fd);
    return (int64_t)st.st_size;
}

static struct document
known(const char *name)
{
    struct document d;

    assert_int_equal(files_known(fs, uploads.id, name, &d), OK);
    return d;
}

/* How many files are half written. */
static int
half_written(void)
{
    char path[400];
    const struct dirent *de;
    DIR *dir;
    int n = 0;

    (void)snprintf(path, sizeof(path), "%s/uploads/%" PRId64, index_dir,
                   uploads.id);
    dir = opendir(path);
    while (dir != NULL && (de = readdir(dir)) != NULL)
        n += strncmp(de->d_name, ".upload-", 8) == 0;
    if (dir != NULL)
        (void)closedir(dir);
    return n;
}

/* --- storing -------------------------------------------------------------- */

static void
a_file_is_stored_and_waits(void **state)
{
    (void)state;
    assert_int_equal(receive("a.txt", 5000, 0), OK);
    assert_int_equal(lies("a.txt"), 5000);
    assert_int_equal(known("a.txt").size, 5000);
    assert_int_equal(known("a.txt").skip, SKIP_WAITING);
    assert_int_equal(receive("a.txt", 0, 0), OK);
    assert_int_equal(lies("a.txt"), 0);
    assert_int_equal(half_written(), 0);
}

static void
one_that_is_given_up_leaves_nothing(void **state)
{
    struct receive r;

    (void)state;
    assert_int_equal(receive_begin(&r, fs, &uploads, "a.txt"), OK);
    assert_int_equal(receive_bytes(&r, "x", 1), OK);
    assert_int_equal(half_written(), 1);
    receive_drop(&r);
    assert_int_equal(half_written(), 0);
    receive_drop(&r);
    assert_int_equal(lies("a.txt"), -1);
}

static void
what_an_owner_may_have_is_exact(void **state)
{
    int64_t room;

    (void)state;
    assert_int_equal(receive("a", 600, 1000), OK);
    assert_int_equal(receive("b", 401, 1000), ERR_LIMIT);
    assert_int_equal(lies("b"), -1);
    assert_int_equal(receive("b", 400, 1000), OK);
    assert_int_equal(receive("c", 1, 1000), ERR_LIMIT);
    assert_int_equal(receive("c", 0, 1000), OK);
    assert_int_equal(receive("a", 601, 1000), ERR_LIMIT);
    assert_int_equal(lies("a"), 600);
    assert_int_equal(receive("a", 600, 1000), OK);
    assert_int_equal(receive("a", 500, 1000), OK);
    assert_int_equal(receive_room(fs, uploads.id, "a", 1000, &room), OK);
    assert_int_equal(room, 600);
    assert_int_equal(receive_room(fs, uploads.id, "new", 1000, &room), OK);
    assert_int_equal(room, 100);
    assert_int_equal(receive_room(fs, uploads.id, "new", 10, &room), OK);
    assert_int_equal(room, 0);
    assert_int_equal(half_written(), 0);
    assert_sound();
}

static void
many_at_once_keep_to_it(void **state)
{
    pid_t pid[6];
    int taken = 0, status;

    (void)state;
    files_close(fs);
    fs = NULL;
    for (size_t i = 0; i < COUNT_OF(pid); i++) {
        pid[i] = fork();
        assert_true(pid[i] >= 0);
        if (pid[i] == 0) {
            char name[] = {(char)('a' + i), '\0'};
            enum err e = files_open(index_dir, &fs);

            if (e == OK)
                e = receive(name, 300, 1000);
            _exit(e == OK ? 0 : e == ERR_LIMIT ? 1 : 2);
        }
    }
    for (size_t i = 0; i < COUNT_OF(pid); i++) {
        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        taken += WEXITSTATUS(status) == 0;
    }
    assert_int_equal(files_open(index_dir, &fs), OK);
    assert_int_equal(taken, 3);
}

/* --- what was left -------------------------------------------------------- */

/* One that looks as if it were begun so many seconds ago; its descriptor. */
static int
begun(const char *name, int ago_s, bool locked)
{
    const struct timespec t[2] = {{.tv_sec = clock_wall_ms() / 1000 - ago_s},
                                  {.tv_sec = clock_wall_ms() / 1000 - ago_s}};
    char path[400];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/uploads/%" PRId64 "/%s", index_dir,
                   uploads.id, name);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "half", 4), 4);
    assert_int_equal(futimens(fd, t), 0);
    if (locked)
        assert_int_equal(flock(fd, LOCK_EX), 0);
    return fd;
}

static bool
is_left(const char *name)
{
    char path[400];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/uploads/%" PRId64 "/%s", index_dir,
                   uploads.id, name);
    return lstat(path, &st) == 0;
}

static void
what_the_dead_left_is_swept(void **state)
{
    char path[400];
    int locked;

    (void)state;
    receive_sweep(index_dir); /* there is no folder */
    assert_int_equal(receive("a.txt", 10, 0), OK);
    (void)close(begun(".upload-old", RECEIVE_OLD_S + 1, false));
    (void)close(begun(".upload-young", 0, false));
    (void)close(begun("upload-other", RECEIVE_OLD_S + 1, false));
    locked = begun(".upload-locked", RECEIVE_OLD_S + 1, true);
    (void)snprintf(path, sizeof(path), "%s/uploads/%" PRId64 "/.upload-link",
                   index_dir, uploads.id);
    assert_int_equal(symlink("a.txt", path), 0);
    receive_sweep(index_dir);
    assert_false(is_left(".upload-old"));
    assert_true(is_left(".upload-young"));
    assert_true(is_left("upload-other"));
    assert_true(is_left(".upload-locked"));
    assert_true(is_left(".upload-link"));
    assert_int_equal(lies("a.txt"), 10);
    (void)close(locked);
    receive_sweep(index_dir);
    assert_false(is_left(".upload-locked"));
}

static void
one_who_still_writes_is_not_swept(void **state)
{
    const struct timespec t[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    struct document d = named("a.txt");
    struct receive r;

    (void)state;
    assert_int_equal(receive_begin(&r, fs, &uploads, "a.txt"), OK);
    assert_int_equal(futimens(r.fd, t), 0);
    receive_sweep(index_dir);
    assert_int_equal(half_written(), 1);
    assert_int_equal(receive_bytes(&r, "word", 4), OK);
    assert_int_equal(receive_end(&r, &d, 0), OK);
    assert_int_equal(lies("a.txt"), 4);
}

static void
of_a_collection_that_is_dropped_nothing_stays(void **state)
{
    char path[400];
    struct stat st;

    (void)state;
    receive_forget(index_dir, uploads.id); /* there is no folder */
    assert_int_equal(receive("a.txt", 10, 0), OK);
    assert_int_equal(receive("b c.txt", 10, 0), OK);
    (void)close(begun(".upload-young", 0, false));
    assert_int_equal(files_collection_drop(fs, uploads.id), OK);
    receive_forget(index_dir, uploads.id);
    (void)snprintf(path, sizeof(path), "%s/uploads/%" PRId64, index_dir,
                   uploads.id);
    assert_int_equal(lstat(path, &st), -1);
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

/* A file that takes what room there is but n bytes; its path. */
static const char *
fill(size_t n)
{
    static char path[300];
    static const char bytes[4096] = "x";
    off_t len;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/fill", index_dir);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, bytes, sizeof(bytes)) > 0) {}
    len = lseek(fd, 0, SEEK_CUR);
    assert_int_equal(ftruncate(fd, len > (off_t)n ? len - (off_t)n : 0), 0);
    (void)close(fd);
    return path;
}

static void
on_a_full_disk(void)
{
    struct document was;

    assert_int_equal(files_open(index_dir, &fs), OK);
    assert_int_equal(files_collection(fs, ANN, "Uploads", "", &uploads), OK);
    assert_int_equal(receive("a.txt", 5000, 0), OK);
    was = known("a.txt");
    for (size_t left = 0; left <= 65536; left = left == 0 ? 4096 : 4 * left) {
        const char *path = fill(left);
        /* Not its bytes, or they and not what the index writes. */
        enum err e = receive("a.txt", 200 * 1024, 0);

        assert_int_equal(e, ERR_FULL);
        e = receive("a.txt", 3000, 0);
        assert_true(e == OK || e == ERR_FULL);
        assert_int_equal(half_written(), 0);
        assert_int_equal(lies("a.txt"), known("a.txt").size);
        assert_int_equal(known("a.txt").id, was.id);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(receive("a.txt", 5000, 0), OK);
    }
    assert_int_equal(receive("a.txt", 200 * 1024, 0), OK);
    assert_int_equal(lies("a.txt"), 200 * 1024);
    assert_sound();
    files_close(fs);
}

static void
a_full_disk_refuses_and_the_old_one_stays(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    files_close(fs);
    fs = NULL;
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!small_disk_mount(index_dir, "size=4194304,mode=0700"))
            _exit(MAY_NOT_MOUNT);
        on_a_full_disk();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == MAY_NOT_MOUNT)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_stored_and_waits),
        TEST(one_that_is_given_up_leaves_nothing),
        TEST(what_an_owner_may_have_is_exact),
        TEST(many_at_once_keep_to_it),
        TEST(what_the_dead_left_is_swept),
        TEST(one_who_still_writes_is_not_swept),
        TEST(of_a_collection_that_is_dropped_nothing_stays),
        TEST(a_full_disk_refuses_and_the_old_one_stays),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
