/*
 * Tests of files/serve.c, serve_read.c, keep.c and tried.c: readers that die,
 * that are stopped or stuck, that have no room, and who of several looks after
 * a folder. A reader is this program, started once more with --serve.
 *
 * A reader is held in the middle of a file by the lock on the index, which the
 * test has: it can write down what it read only when that is gone.
 */
#include "index_test.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/sandbox.h"
#include "files/broker_inside.h"
#include "files/place.h"
#include "files/serve_inside.h"
#include "files/tried.h"

#define SELF "/proc/self/exe"
#define SOCKET 3 /* descriptor */
#define WAIT_MS 30000
#define MAY_NOT_MOUNT 77
#define DIR_VAR "TEST_SERVE_DIR"
#define FOLDER_VAR "TEST_SERVE_FOLDER"     /* to be kept current */
#define KEEP_VAR "TEST_SERVE_KEEP"         /* with a keeper */
#define PATIENCE_VAR "TEST_SERVE_PATIENCE" /* seconds */

static struct collection uploads;
static char folder[300];

static int
setup(void **state)
{
    char path[300];

    (void)index_setup(state);
    assert_int_equal(files_collection(fs, ANN, "Uploads", "", &uploads), OK);
    (void)snprintf(path, sizeof(path), "%s/uploads", index_dir);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/uploads/%" PRId64, index_dir,
                   uploads.id);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(folder, sizeof(folder), "%s/folder", index_dir);
    assert_int_equal(mkdir(folder, 0700), 0);
    (void)setenv(DIR_VAR, index_dir, 1);
    (void)unsetenv(FOLDER_VAR);
    (void)unsetenv(KEEP_VAR);
    (void)unsetenv(PATIENCE_VAR);
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

/* --- readers -------------------------------------------------------------- */

struct reader {
    pid_t pid;
    int sock;
};

static struct reader
start(void)
{
    struct reader r;
    int pair[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    r.pid = fork();
    assert_true(r.pid >= 0);
    if (r.pid == 0) {
        if (dup2(pair[1], SOCKET) == SOCKET)
            (void)fcntl(SOCKET, F_SETFD, 0);
        (void)execl(SELF, "test_serve", "--serve", (char *)NULL);
        _exit(127);
    }
    (void)close(pair[1]);
    r.sock = pair[0];
    return r;
}

/* How it ended: its status, or minus the signal. */
static int
ended(const struct reader *r)
{
    int status;

    assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
    (void)close(r->sock);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
stop(struct reader *r)
{
    (void)close(r->sock);
    r->sock = -1;
    assert_int_equal(ended(r), 0);
}

/* Ask it to read a document. */
static enum err
ask(const struct reader *r, int64_t id, enum skip *skip)
{
    struct broker_request rq = {.op = BROKER_READ, .document = id};
    struct broker_reply reply = {.err = ERR_STOPPING};
    int mine[2], fd;

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, mine), 0);
    assert_true(broker_send(r->sock, &rq, sizeof(rq), mine[1]));
    (void)close(mine[1]);
    (void)broker_take(mine[0], &reply, sizeof(reply), &fd);
    (void)close(mine[0]);
    *skip = (enum skip)reply.skip;
    return (enum err)reply.err;
}

/* A record of the file `tried` (docs/WIRE.md). */
struct record {
    uint8_t key[32];
    uint64_t start_ticks;
    int32_t pid;
    uint32_t times;
};

/* Wait until somebody reads for the n-th time; who. */
static pid_t
reading(uint32_t times)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS;
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/tried", index_dir);
    while (clock_mono_ms() < until_ms) {
        struct record r = {.times = 0};
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, &r, sizeof(r)) : 0;

        if (fd >= 0)
            (void)close(fd);
        if (n == (ssize_t)sizeof(r) && r.times == times && r.pid > 0)
            return r.pid;
        (void)usleep(2000);
    }
    fail_msg("nobody reads for the %u. time", times);
    return 0;
}

/* --- files ---------------------------------------------------------------- */

static void
write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* An upload as POST /files leaves it. */
static int64_t
upload(const char *name, const char *text)
{
    struct document d = document_of(uploads.id, name);
    const char *none[] = {NULL};
    char path[PATH_MAX + FILES_NAME_MAX + 2];
    struct place p;

    assert_int_equal(place_of(index_dir, &uploads, name, &p), OK);
    (void)snprintf(path, sizeof(path), "%s/%s", p.root, p.path);
    write_file(path, text);
    d.skip = SKIP_WAITING;
    assert_int_equal(put_texts(&d, "", none), OK);
    return d.id;
}

static const char *
in_folder(const char *name)
{
    static char path[400];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static enum skip
skip_of(int64_t id)
{
    struct document d;

    assert_int_equal(files_get(fs, id, &d), OK);
    return d.skip;
}

static enum skip
skip_when_read(int64_t id)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS;

    while (skip_of(id) == SKIP_WAITING && clock_mono_ms() < until_ms)
        (void)usleep(5000);
    return skip_of(id);
}

static void
await_found(const char *what, const char *want)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS;

    while (strcmp(found(what), want) != 0 && clock_mono_ms() < until_ms)
        (void)usleep(20000);
    assert_string_equal(found(what), want);
}

/* --- readers that die ----------------------------------------------------- */

static void
a_file_that_readers_die_of_is_given_up(void **state)
{
    int64_t bad = upload("a.txt", "A heron."), good;
    struct reader r;
    enum skip skip;

    (void)state;
    good = upload("b.txt", "A crane.");
    for (unsigned i = 1; i <= TRIED_MAX; i++) {
        assert_int_equal(files_batch_begin(fs), OK);
        r = start();
        assert_int_equal(reading(i), r.pid);
        assert_int_equal(kill(r.pid, SIGKILL), 0);
        assert_int_equal(ended(&r), -SIGKILL);
        assert_int_equal(files_batch_end(fs, true), OK);
        assert_int_equal(skip_of(bad), SKIP_WAITING);
    }
    r = start();
    assert_int_equal(skip_when_read(bad), SKIP_DIED);
    assert_int_equal(skip_when_read(good), SKIP_NOT);
    assert_string_equal(found("heron"), "");
    assert_string_equal(found("crane"), "b.txt");
    /* As it is it stays so; another one of its name is tried. */
    assert_int_equal(ask(&r, bad, &skip), OK);
    assert_int_equal(skip, SKIP_DIED);
    assert_int_equal(upload("a.txt", "A heron, again."), bad);
    assert_int_equal(ask(&r, bad, &skip), OK);
    assert_int_equal(skip, SKIP_NOT);
    assert_string_equal(found("heron"), "a.txt");
    stop(&r);
    assert_sound();
}

static void
one_time_less_and_it_is_tried(void **state)
{
    int64_t id = upload("a.txt", "A heron.");
    struct reader r;

    (void)state;
    for (unsigned i = 1; i < TRIED_MAX; i++) {
        assert_int_equal(files_batch_begin(fs), OK);
        r = start();
        assert_int_equal(reading(i), r.pid);
        assert_int_equal(kill(r.pid, SIGKILL), 0);
        assert_int_equal(ended(&r), -SIGKILL);
        assert_int_equal(files_batch_end(fs, true), OK);
    }
    r = start();
    assert_int_equal(skip_when_read(id), SKIP_NOT);
    stop(&r);
}

static void
the_keeper_starts_another_until_it_is_given_up(void **state)
{
    int64_t id = upload("a.txt", "A heron.");
    struct reader r;
    pid_t pid = 0;

    (void)state;
    (void)setenv(KEEP_VAR, "1", 1);
    assert_int_equal(files_batch_begin(fs), OK);
    r = start();
    for (unsigned i = 1; i <= TRIED_MAX; i++) {
        pid_t next = reading(i);

        assert_true(next != pid && next != r.pid);
        pid = next;
        assert_int_equal(kill(pid, SIGKILL), 0);
    }
    assert_int_equal(files_batch_end(fs, true), OK);
    assert_int_equal(skip_when_read(id), SKIP_DIED);
    stop(&r);
}

static void
the_keeper_waits_for_an_index_that_can_be_opened(void **state)
{
    char no_folder[300], link[300], other[300];
    struct reader r;
    enum skip skip;
    int64_t id = upload("a.txt", "A heron.");

    (void)state;
    (void)snprintf(no_folder, sizeof(no_folder), "%s/file", index_dir);
    (void)snprintf(link, sizeof(link), "%s/link", index_dir);
    (void)snprintf(other, sizeof(other), "%s/other", index_dir);
    write_file(no_folder, "");
    assert_int_equal(symlink(no_folder, link), 0);
    assert_int_equal(symlink(index_dir, other), 0);
    (void)setenv(DIR_VAR, link, 1);
    (void)setenv(KEEP_VAR, "1", 1);
    r = start();
    (void)usleep(100000); /* that it may try; a later try does as well */
    assert_int_equal(rename(other, link), 0);
    assert_int_equal(ask(&r, id, &skip), OK);
    assert_string_equal(found("heron"), "a.txt");
    stop(&r);
}

static void
who_is_stopped_while_it_reads_does_not_blame_the_file(void **state)
{
    int64_t id = upload("a.txt", "A heron.");
    struct reader r;

    (void)state;
    for (unsigned i = 0; i <= TRIED_MAX; i++) {
        assert_int_equal(files_batch_begin(fs), OK);
        r = start();
        assert_int_equal(reading(1), r.pid);
        assert_int_equal(kill(r.pid, SIGTERM), 0);
        assert_int_equal(ended(&r), -SIGTERM);
        assert_int_equal(files_batch_end(fs, true), OK);
    }
    r = start();
    assert_int_equal(skip_when_read(id), SKIP_NOT);
    stop(&r);
}

static void
who_is_stuck_ends_itself_and_it_counts(void **state)
{
    int64_t id = upload("a.txt", "A heron.");
    struct reader r;

    (void)state;
    (void)setenv(PATIENCE_VAR, "1", 1);
    assert_int_equal(files_batch_begin(fs), OK);
    r = start();
    assert_int_equal(reading(1), r.pid);
    assert_int_equal(ended(&r), -SIGKILL);
    r = start();
    assert_int_equal(reading(2), r.pid);
    assert_int_equal(files_batch_end(fs, true), OK);
    assert_int_equal(skip_when_read(id), SKIP_NOT);
    stop(&r);
}

/* --- what is written down of them ----------------------------------------- */

static void
what_did_not_end_is_counted_and_ended_is_forgotten(void **state)
{
    struct tried *t = tried_open(index_dir), *u;

    (void)state;
    assert_int_equal(tried_begin(t, 1, "a", 5, 7), 0);
    assert_true(tried_since_ms(t) > 0);
    tried_end(t, false);
    assert_int_equal(tried_since_ms(t), 0);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(tried_begin(t, 1, "a", 5, 7), i);
        tried_end(t, true);
    }
    assert_int_equal(tried_begin(t, 2, "a", 5, 7), 0);
    tried_end(t, false);
    assert_int_equal(tried_begin(t, 1, "b", 5, 7), 0);
    tried_end(t, false);
    assert_int_equal(tried_begin(t, 1, "a", 6, 7), 0);
    tried_end(t, false);
    assert_int_equal(tried_begin(t, 1, "a", 5, 8), 0);
    tried_end(t, false);
    u = tried_open(index_dir); /* another process would see the same */
    assert_int_equal(tried_begin(u, 1, "a", 5, 7), 5);
    assert_int_equal(tried_begin(t, 1, "a", 5, 7), 5); /* not the one at it */
    tried_end(t, true);
    tried_forgive(u);
    tried_end(u, true);
    assert_int_equal(tried_begin(t, 1, "a", 5, 7), 5);
    tried_end(t, false);
    assert_int_equal(tried_begin(t, 1, "a", 5, 7), 0);
    tried_close(t);
    tried_close(u);
    tried_close(NULL);
    assert_int_equal(tried_begin(NULL, 1, "a", 5, 7), 0);
    tried_end(NULL, true);
    tried_forgive(NULL);
}

static void
as_many_files_as_there_are_records_are_kept_in_mind(void **state)
{
    struct tried *t = tried_open(index_dir);
    char name[16];

    (void)state;
    for (unsigned i = 0; i <= TRIED_FILES; i++) {
        for (unsigned k = 0; k < (i == 0 ? 1 : 2); k++) {
            (void)snprintf(name, sizeof(name), "%u", i);
            assert_int_equal(tried_begin(t, 1, name, 1, 1), k);
            tried_end(t, true);
        }
        if (i == TRIED_FILES - 1) {
            assert_int_equal(tried_begin(t, 1, "0", 1, 1), 1);
            tried_forgive(t);
            tried_end(t, true);
        }
    }
    assert_int_equal(tried_begin(t, 1, "1", 1, 1), 2);
    tried_end(t, true);
    assert_int_equal(tried_begin(t, 1, "0", 1, 1), 0); /* the least one went */
    tried_end(t, true);
    tried_close(t);
}

static void
where_nothing_can_be_written_down_every_file_is_new(void **state)
{
    struct tried *t = tried_open("/nonexistent");

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(tried_begin(t, 1, "a", 1, 1), 0);
        assert_true(tried_since_ms(t) > 0);
        tried_end(t, true);
    }
    tried_close(t);
}

/* --- folders -------------------------------------------------------------- */

static void
a_file_of_a_folder_is_read_by_its_rules(void **state)
{
    struct document d;
    struct collection c;
    struct reader r;
    enum skip skip;
    int64_t id;

    (void)state;
    assert_int_equal(files_collection(fs, ANN, "f", folder, &c), OK);
    write_file(in_folder("a.txt"), "A heron.");
    d = document_of(c.id, "a.txt");
    assert_int_equal(put_texts(&d, "", (const char *[]){"A crane.", NULL}), OK);
    id = d.id;
    r = start();
    assert_int_equal(ask(&r, id, &skip), OK);
    assert_string_equal(found("heron"), "a.txt");
    assert_string_equal(found("crane"), "");
    write_file(in_folder(".parleyrules"), "local-only *.txt\n");
    assert_int_equal(ask(&r, id, &skip), OK);
    assert_int_equal(files_get(fs, id, &d), OK);
    assert_int_equal(d.label, LABEL_LOCAL_ONLY);
    write_file(in_folder(".parleyrules"), "nonsense *.txt\n");
    assert_int_equal(ask(&r, id, &skip), ERR_BADREQ);
    assert_int_equal(files_get(fs, id, &d), OK);
    assert_int_equal(d.label, LABEL_LOCAL_ONLY);
    write_file(in_folder(".parleyrules"), "ignore a*\n");
    assert_int_equal(ask(&r, id, &skip), ERR_NOTFOUND);
    assert_int_equal(files_get(fs, id, &d), ERR_NOTFOUND);
    stop(&r);
    assert_sound();
}

/* Does somebody keep the folders? */
static bool
is_kept(void)
{
    char path[300];
    bool is;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/crawl.lock", index_dir);
    fd = open(path, O_RDWR | O_CLOEXEC);
    is = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;
    if (fd >= 0)
        (void)close(fd);
    return is;
}

static void
await_kept(bool want)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS;

    while (is_kept() != want && clock_mono_ms() < until_ms)
        (void)usleep(5000);
    assert_int_equal(is_kept(), want);
}

static void
one_of_two_keeps_the_folder_and_then_the_other(void **state)
{
    struct reader a, b;
    enum skip skip;
    int64_t id;

    (void)state;
    (void)setenv(FOLDER_VAR, folder, 1);
    write_file(in_folder("a.txt"), "A heron.");
    a = start();
    await_found("heron", "a.txt");
    assert_true(is_kept()); /* also between two looks at it */
    b = start();
    id = upload("u.txt", "A stork.");
    assert_int_equal(ask(&b, id, &skip), OK); /* uploads are read by both */
    assert_string_equal(found("stork"), "u.txt");
    id = upload("v.txt", "An ibis.");
    assert_int_equal(ask(&a, id, &skip), OK);
    assert_int_equal(kill(a.pid, SIGKILL), 0);
    assert_int_equal(ended(&a), -SIGKILL);
    write_file(in_folder("b.txt"), "A crane.");
    await_found("crane", "b.txt");
    await_kept(true);
    stop(&b);
    await_kept(false);
    assert_sound();
}

/* --- what it gives up ----------------------------------------------------- */

#define CHECK(number, yes)   \
    do {                     \
        if (!(yes))          \
            _exit((number)); \
    } while (0)

static bool
opens(const char *path, int how)
{
    int fd = open(path, how | O_CLOEXEC, 0700);

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

/* Does the program start? */
static bool
starts(const char *path)
{
    char *const argv[] = {(char[]){"true"}, NULL};
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        (void)execv(path, argv);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool
has_socket(int family, int type)
{
    int fd = socket(family, type, 0);

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static bool
copy(const char *from, const char *to)
{
    char command[800];

    (void)snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
    return system(command) == 0;
}

static void
try_all(void)
{
    const struct serve s = {.dir = index_dir, .sandbox = true};
    char outside[300], inside[300];
    const char *why;
    struct sandbox none = {.read = NULL};
    struct sandbox_report can;

    (void)snprintf(outside, sizeof(outside), "%s-outside", index_dir);
    (void)snprintf(inside, sizeof(inside), "%s/program", index_dir);
    CHECK(1, opens(outside, O_RDWR | O_CREAT));
    CHECK(2, copy("/bin/true", inside) && starts(inside));
    serve_confine(&s);
    CHECK(3, opens("/etc/passwd", O_RDONLY));
    CHECK(4, opens(outside, O_RDONLY));
    CHECK(5, opens(inside, O_RDWR));
    CHECK(6, opens("/dev/null", O_RDWR));
    CHECK(7, starts("/bin/true"));
    CHECK(8, has_socket(AF_UNIX, SOCK_STREAM));
    CHECK(9, !has_socket(AF_INET, SOCK_STREAM) && errno == EPERM);
    CHECK(10, !has_socket(AF_INET6, SOCK_DGRAM) && errno == EPERM);
    CHECK(11, !has_socket(AF_NETLINK, SOCK_RAW) && errno == EPERM);
    CHECK(12, unshare(CLONE_NEWUSER) != 0);
    CHECK(13, sandbox_calls_of_reader(&why) > 0); /* its children's own */
    CHECK(14, starts("/bin/true"));
    sandbox_files(&none, &can);
    if (can.landlock == 0)
        _exit(0);                         /* this kernel cannot do the rest */
    CHECK(15, !opens(outside, O_RDONLY)); /* as none says */
}

static void
try_files(void)
{
    const struct serve s = {.dir = index_dir, .sandbox = true};
    char outside[300], inside[300];

    (void)snprintf(outside, sizeof(outside), "%s-outside", index_dir);
    (void)snprintf(inside, sizeof(inside), "%s/program", index_dir);
    serve_confine(&s);
    CHECK(1, !opens(outside, O_RDWR) && errno == EACCES);
    CHECK(2, unlink(outside) != 0);
    CHECK(3, !opens("/tmp/parley-test-new", O_RDWR | O_CREAT));
    CHECK(4, !starts(inside));
    CHECK(5, truncate(outside, 0) != 0);
}

static int
child_of(void (*fn)(void))
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        fn();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
a_reader_changes_nothing_but_the_index(void **state)
{
    char outside[300];

    (void)state;
    if (sandbox_is_hindrance())
        skip();
    assert_int_equal(child_of(try_all), 0);
    if (syscall(444, NULL, 0, 1u) > 0) /* the version of Landlock */
        assert_int_equal(child_of(try_files), 0);
    (void)snprintf(outside, sizeof(outside), "%s-outside", index_dir);
    assert_int_equal(unlink(outside), 0);
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

/* Take all the room that there is. */
static void
fill(void)
{
    static const char bytes[4096] = "x";
    char path[300];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/fill", index_dir);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, bytes, sizeof(bytes)) > 0) {}
    (void)close(fd);
}

static void
on_a_full_disk(void)
{
    static char text[300 * 1024];
    char path[300];
    struct reader r;
    int64_t big, before;
    enum skip skip;

    for (size_t k = 0; k + 1 < sizeof(text); k++)
        text[k] = k % 9 == 8 ? ' ' : (char)('a' + (k * 7919 >> 3) % 26);
    (void)memcpy(text, "walrus ", 7);
    (void)unsetenv(FOLDER_VAR);
    assert_int_equal(files_open(index_dir, &fs), OK);
    assert_int_equal(files_collection(fs, ANN, "Uploads", "", &uploads), OK);
    (void)snprintf(path, sizeof(path), "%s/uploads", index_dir);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/uploads/%" PRId64, index_dir,
                   uploads.id);
    assert_int_equal(mkdir(path, 0700), 0);
    r = start();
    before = upload("a.txt", "A heron.");
    assert_int_equal(ask(&r, before, &skip), OK);
    big = upload("b.txt", text);
    fill();
    assert_int_equal(ask(&r, big, &skip), ERR_FULL);
    assert_int_equal(skip_of(big), SKIP_WAITING);
    assert_string_equal(found("heron"), "a.txt");
    (void)snprintf(path, sizeof(path), "%s/fill", index_dir);
    assert_int_equal(unlink(path), 0);
    /* Nobody asks again, and the reader is the same. */
    assert_int_equal(skip_when_read(big), SKIP_NOT);
    assert_string_equal(found("walrus"), "b.txt");
    stop(&r);
    assert_sound();
    files_close(fs);
}

static void
what_had_no_room_is_read_when_there_is(void **state)
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
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == MAY_NOT_MOUNT)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- the other end -------------------------------------------------------- */

static int
serve(void)
{
    const char *root = getenv(FOLDER_VAR), *patience = getenv(PATIENCE_VAR);
    const struct serve_folder one = {"Folder", root != NULL ? root : "", NULL};
    const struct serve s = {.dir = getenv(DIR_VAR),
                            .folder = &one,
                            .n_folders = 1,
                            .every_s = 1,
                            .sandbox = true,
                            .patience_s = patience != NULL ? 1 : 0};

    log_set_level(LOG_ERROR + 1);
    return getenv(KEEP_VAR) != NULL ? serve_keep(&s, SOCKET)
                                    : serve_run(&s, SOCKET);
}

int
main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_readers_die_of_is_given_up),
        TEST(one_time_less_and_it_is_tried),
        TEST(the_keeper_starts_another_until_it_is_given_up),
        TEST(the_keeper_waits_for_an_index_that_can_be_opened),
        TEST(who_is_stopped_while_it_reads_does_not_blame_the_file),
        TEST(who_is_stuck_ends_itself_and_it_counts),
        TEST(what_did_not_end_is_counted_and_ended_is_forgotten),
        TEST(as_many_files_as_there_are_records_are_kept_in_mind),
        TEST(where_nothing_can_be_written_down_every_file_is_new),
        TEST(a_file_of_a_folder_is_read_by_its_rules),
        TEST(one_of_two_keeps_the_folder_and_then_the_other),
        TEST(a_reader_changes_nothing_but_the_index),
        TEST(what_had_no_room_is_read_when_there_is),
    };
#undef TEST

    if (argc == 2 && strcmp(argv[1], "--serve") == 0)
        return serve();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
