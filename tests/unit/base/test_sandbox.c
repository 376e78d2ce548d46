/*
 * Tests of base/sandbox*.c. Each enters the sandbox in a child, which tells by
 * its exit status the number of the first thing that was not as it should be.
 */
#include "base_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"

#define DIR_BYTES 64

static char home[DIR_BYTES]; /* data/ own/ other/ in it, a file in each */

static const char *
in_home(const char *name)
{
    static char path[4][DIR_BYTES + 64];
    static int next;
    char *p = path[next++ % 4];

    (void)snprintf(p, sizeof(path[0]), "%s/%s", home, name);
    return p;
}

static int
setup(void **state)
{
    static const char *const dirs[] = {"data", "own", "other"};

    (void)state;
    (void)snprintf(home, sizeof(home), "/tmp/parley-sandbox-XXXXXX");
    if (mkdtemp(home) == NULL)
        return -1;
    for (size_t i = 0; i < COUNT_OF(dirs); i++) {
        char path[DIR_BYTES + 64];
        int fd;

        (void)snprintf(path, sizeof(path), "%s/%s", home, dirs[i]);
        if (mkdir(path, 0700) != 0)
            return -1;
        (void)snprintf(path, sizeof(path), "%s/%s/file", home, dirs[i]);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0700);
        if (fd < 0 || write(fd, "text", 4) != 4 || close(fd) != 0)
            return -1;
    }
    return symlink(in_home("data"), in_home("alias"));
}

static int
teardown(void **state)
{
    char command[DIR_BYTES + 16];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", home);
    return system(command);
}

static struct sandbox_report report;

/* In the child: the sandbox, with data/ to be changed (by the name data) and
 * own/ to be read. */
static void
enter(const char *data, bool binds)
{
    const char *const read[] = {in_home("own"),       "/etc", "/usr", "/lib",
                                in_home("not there"), NULL};
    const char *const change[] = {data, "/dev/null", NULL};
    const struct sandbox s = {.read = read, .change = change, .binds = binds};

    sandbox_enter(&s, &report);
}

#define CHECK(number, yes)   \
    do {                     \
        if (!(yes))          \
            _exit((number)); \
    } while (0)
#define SKIPPED 255 /* this kernel cannot */

/* Run it in a child; its exit status. */
static int
child(void (*fn)(void))
{
    int status = 0;
    pid_t pid;

    (void)fflush(NULL);
    pid = fork();
    if (pid == 0) {
        fn();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == SKIPPED)
        skip();
    return WEXITSTATUS(status);
}

static bool
opens(const char *path, int how)
{
    int fd = open(path, how | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    (void)close(fd);
    return true;
}

static bool
refused(long result, int errnum)
{
    return result == -1 && errno == errnum;
}

/* --- files ---------------------------------------------------------------- */

static void
try_files(void)
{
    enter(in_home("data"), false);
    if (report.landlock == 0)
        _exit(report.no_files != NULL ? SKIPPED : 99);
    CHECK(1, report.no_files == NULL && report.folders >= 3);
    CHECK(2, opens(in_home("own/file"), O_RDONLY));
    CHECK(3, !opens(in_home("own/file"), O_RDWR) && errno == EACCES);
    CHECK(4, !opens(in_home("own/new"), O_WRONLY | O_CREAT));
    CHECK(5, unlink(in_home("own/file")) != 0);
    CHECK(6, !opens(in_home("other/file"), O_RDONLY) && errno == EACCES);
    CHECK(7, !opens(in_home("other"), O_RDONLY | O_DIRECTORY));
    CHECK(8, !opens(in_home("other/new"), O_WRONLY | O_CREAT));
    CHECK(9, rename(in_home("data/file"), in_home("other/moved")) != 0);
    CHECK(10, link(in_home("own/file"), in_home("data/linked")) != 0);
    CHECK(11, symlink("/etc", in_home("data/link")) != 0);
    CHECK(12, opens("/etc/passwd", O_RDONLY));
    CHECK(13, opens("/dev/null", O_RDWR));
    CHECK(14, !opens("/root", O_RDONLY) && !opens("/tmp", O_RDONLY));
    CHECK(15, !opens("/proc/self/environ", O_RDONLY));
    CHECK(16, truncate(in_home("own/file"), 0) != 0);
    CHECK(17, mkdir(in_home("other/dir"), 0700) != 0);
}

static void
only_what_was_named_can_be_opened(void **state)
{
    (void)state;
    assert_int_equal(child(try_files), 0);
}

/* What a store, a spool and a socket do in DATA_DIR. */
static void
try_data(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd, s;

    enter(in_home("alias"), false);
    if (report.landlock == 0)
        _exit(SKIPPED);
    fd = open(in_home("data"), O_TMPFILE | O_RDWR, 0600);
    CHECK(1, fd >= 0 || errno == EOPNOTSUPP);
    CHECK(2, opens(in_home("alias/new"), O_RDWR | O_CREAT | O_TRUNC));
    CHECK(3, rename(in_home("data/new"), in_home("data/newer")) == 0);
    CHECK(4, mkdir(in_home("data/dir"), 0700) == 0);
    CHECK(5, opens(in_home("data/dir/lock"), O_RDWR | O_CREAT | O_EXCL));
    fd = open(in_home("data/dir/lock"), O_RDWR);
    CHECK(6, fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
    CHECK(7, ftruncate(fd, 4096) == 0);
    CHECK(8, opens(in_home("data/dir"), O_RDONLY | O_DIRECTORY));
    if (report.landlock >= 2)
        CHECK(9, rename(in_home("data/newer"), in_home("data/dir/b")) == 0 &&
                     link(in_home("data/dir/b"), in_home("data/c")) == 0);
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", in_home("data/sock"));
    CHECK(10, s >= 0 && bind(s, (struct sockaddr *)&a, sizeof(a)) == 0);
    CHECK(11, listen(s, 5) == 0);
    CHECK(12, connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&a,
                      sizeof(a)) == 0);
    CHECK(13, unlink(in_home("data/sock")) == 0);
}

static void
data_can_be_changed_by_whatever_name(void **state)
{
    (void)state;
    assert_int_equal(child(try_data), 0);
}

/* --- system calls --------------------------------------------------------- */

static void
try_calls(void)
{
    enter(in_home("data"), false);
    if (report.calls == 0)
        _exit(report.no_calls != NULL ? SKIPPED : 99);
    CHECK(1, report.no_calls == NULL && report.calls > 40);
    CHECK(2, refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM));
    CHECK(3, refused(execl("/bin/true", "true", (char *)NULL), EPERM));
    CHECK(4, refused(mount("x", "/", "tmpfs", 0, NULL), EPERM));
    CHECK(5,
          refused(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0),
                  EPERM));
    CHECK(6, refused(syscall(SYS_bpf, 0, NULL, 0), EPERM));
    CHECK(7, refused(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0), EPERM));
    CHECK(8, refused(syscall(SYS_userfaultfd, 0), EPERM));
    CHECK(9, refused(syscall(SYS_io_uring_setup, 1, NULL), EPERM));
    CHECK(10, refused(syscall(SYS_keyctl, 0, 0, 0, 0, 0), EPERM));
    CHECK(11, refused(unshare(CLONE_NEWUSER), EPERM));
    CHECK(12, refused(setns(0, 0), EPERM));
    CHECK(13, refused(chroot("/"), EPERM));
    CHECK(14, refused(socket(AF_ALG, SOCK_SEQPACKET, 0), EPERM));
    CHECK(15, refused(socket(AF_PACKET, SOCK_RAW, 0), EPERM));
    CHECK(16, refused(ioctl(0, TIOCSTI, "x"), EPERM));
    CHECK(17,
          refused(syscall(SYS_ioctl, 0, UINT64_C(0x100000000) | TIOCSTI, "x"),
                  EPERM));
    CHECK(18,
          refused(syscall(SYS_clone, (long)CLONE_NEWUSER, 0, 0, 0, 0), EPERM));
    CHECK(19, refused(syscall(SYS_clone3, NULL, 0), ENOSYS));
    CHECK(20, refused(syscall(SYS_init_module, NULL, 0, ""), EPERM));
}

static void
calls_that_lead_out_are_refused(void **state)
{
    (void)state;
    assert_int_equal(child(try_calls), 0);
}

static void *
in_a_thread(void *arg)
{
    int *ok = arg;

    *ok = refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM) &&
          (report.landlock == 0 || !opens(in_home("other/file"), O_RDONLY));
    return NULL;
}

static void
try_threads(void)
{
    pthread_t t;
    int ok = 0;

    enter(in_home("data"), false);
    if (report.calls == 0)
        _exit(SKIPPED);
    CHECK(1, pthread_create(&t, NULL, in_a_thread, &ok) == 0);
    CHECK(2, pthread_join(t, NULL) == 0);
    CHECK(3, ok);
}

static void
threads_can_be_started_and_are_inside_too(void **state)
{
    (void)state;
    assert_int_equal(child(try_threads), 0);
}

/* --- networks ------------------------------------------------------------- */

static int
tcp(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int listener;
static struct sockaddr_in listens;

static void
try_network(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    struct addrinfo *list = NULL;
    int s;

    enter(in_home("data"), false);
    CHECK(1, connect(tcp(), (struct sockaddr *)&listens, sizeof(listens)) == 0);
    CHECK(2, getaddrinfo("localhost", "80", NULL, &list) == 0 && list != NULL);
    freeaddrinfo(list);
    s = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(3, s >= 0 && bind(s, (struct sockaddr *)&any, sizeof(any)) == 0);
    s = bind(tcp(), (struct sockaddr *)&any, sizeof(any));
    CHECK(4, report.landlock < 4 ? s == 0 : refused(s, EACCES));
}

static void
try_bind(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};

    enter(in_home("data"), true);
    CHECK(1, bind(tcp(), (struct sockaddr *)&any, sizeof(any)) == 0);
}

static void
others_can_be_called_but_no_port_is_opened(void **state)
{
    socklen_t n = sizeof(listens);

    (void)state;
    listener = tcp();
    listens.sin_family = AF_INET;
    listens.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&listens, n), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&listens, &n), 0);
    assert_int_equal(child(try_network), 0);
    assert_int_equal(child(try_bind), 0);
    (void)close(listener);
}

static void
who_started_it_stays_outside(void **state)
{
    (void)state;
    (void)memset(&report, 0, sizeof(report));
    assert_int_equal(child(try_files), 0);
    assert_true(opens(in_home("other/file"), O_RDONLY)); /* not here */
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(only_what_was_named_can_be_opened),
        T(data_can_be_changed_by_whatever_name),
        T(calls_that_lead_out_are_refused),
        T(threads_can_be_started_and_are_inside_too),
        T(others_can_be_called_but_no_port_is_opened),
        T(who_started_it_stays_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
