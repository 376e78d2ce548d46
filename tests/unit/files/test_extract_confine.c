/* Tests of files/extract_confine.c, each in a process that is given up. */
#include "readers_test.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/sandbox.h"
#include "files/extract_confine.h"

/* Runs fn in a child; what it returns, or 1000 and the signal. */
static int
in_child(int (*fn)(void))
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(fn());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Is there a filter at all? A kernel without it is done without. */
static int
is_filtered(void)
{
    confine_reader(false);
    return prctl(PR_GET_SECCOMP) != 0; /* refused, too */
}

static bool
cannot_test(void)
{
    return sandbox_is_hindrance() || in_child(is_filtered) != 1;
}

/* Could it be opened? It is closed again. */
static bool
opens(int fd)
{
    return fd >= 0 && close(fd) == 0;
}

static bool
obtains_code(void)
{
    int none = open("/dev/null", O_RDONLY | O_CLOEXEC); /* fails: -1 */
    void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS, none, 0);

    (void)close(none);
    return p != MAP_FAILED && munmap(p, 4096) == 0;
}

/* The number of the first thing that can be done and must not be. */
static int
try_all(bool waits)
{
    struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};
    char *const none[] = {NULL};

    confine_limits();
    confine_reader(waits);
    if (opens(open("/etc/passwd", O_RDONLY | O_CLOEXEC)))
        return 1;
    if (opens(socket(AF_INET, SOCK_STREAM, 0)))
        return 2;
    if (opens(socket(AF_UNIX, SOCK_STREAM, 0)))
        return 3;
    (void)execve("/bin/true", none, none);
    if (syscall(SYS_fork) >= 0 || syscall(SYS_vfork) >= 0)
        return 4;
    if (setrlimit(RLIMIT_FSIZE, &r) == 0)
        return 5;
    if (kill(getppid(), 0) == 0 || kill(1, 0) == 0)
        return 6;
    if (obtains_code())
        return 7;
    if (mkdir("/tmp/parley-must-not-be", 0700) == 0)
        return 8;
    if (syscall(SYS_ptrace, 0, 0, 0, 0) == 0 || unshare(CLONE_NEWUSER) == 0)
        return 9;
    if (opens((int)syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", NULL, 0)) ||
        opens(memfd_create("x", 0)))
        return 10;
    return 0;
}

static int
reader_tries(void)
{
    return try_all(false);
}

static int
waiting_reader_tries(void)
{
    return try_all(true);
}

/* Can it have so much? It is written to. */
static bool
obtains(size_t n)
{
    char *p = malloc(n);

    if (p == NULL)
        return false;
    (void)memset(p, 1, n);
    free(p);
    return true;
}

static int
reader_works(void)
{
    char bytes[8];

    confine_limits();
    confine_reader(false);
    if (!obtains(100) || !obtains((size_t)EXTRACT_MEMORY / 2))
        return 1;
    if (obtains((size_t)EXTRACT_MEMORY + 4096))
        return 2;
    if (time(NULL) == (time_t)-1)
        return 3;
    return pread(0, bytes, sizeof(bytes), 0) < 0 && errno == EPERM ? 4 : 0;
}

static int
reader_aborts(void)
{
    confine_limits();
    confine_reader(false);
    abort();
}

static void
a_reader_can_do_nothing_but_read(void **state)
{
    (void)state;
    if (cannot_test())
        skip();
    assert_int_equal(in_child(reader_tries), 0);
    assert_int_equal(in_child(waiting_reader_tries), 0);
}

static void
a_reader_can_work(void **state)
{
    (void)state;
    if (cannot_test())
        skip();
    assert_int_equal(in_child(reader_works), 0);
    assert_int_equal(in_child(reader_aborts), 1000 + SIGABRT);
}

/* --- another program ------------------------------------------------------ */

static const char *file; /* that cat is asked for; on descriptor 0 as well */

static int
cat(void)
{
    char *const argv[] = {(char[]){"cat"}, (char *)(uintptr_t)file, NULL};
    char *const env[] = {NULL};
    int fd = open("/etc/passwd", O_RDONLY), null = open("/dev/null", O_RDWR);

    if (fd < 0 || null < 0 || dup2(fd, 0) < 0 || dup2(null, 1) < 0 ||
        dup2(null, 2) < 0)
        return 100;
    confine_program("/bin/cat");
    (void)execve("/bin/cat", argv, env);
    return 101;
}

static int
program_tries(void)
{
    confine_program("/bin/cat");
    if (opens(socket(AF_INET, SOCK_STREAM, 0)))
        return 1;
    if (opens(open("/tmp/parley-must-not-be", O_WRONLY | O_CREAT, 0600)))
        return 2;
    return fork() >= 0 ? 3 : 0;
}

static int
has_landlock(void)
{
    return syscall(444, NULL, 0, 1U) > 0; /* landlock_create_ruleset */
}

static void
a_program_opens_its_file_and_no_other(void **state)
{
    (void)state;
    if (cannot_test())
        skip();
    file = "/proc/self/fd/0";
    assert_int_equal(in_child(cat), 0);
    assert_int_equal(in_child(program_tries), 0);
    if (in_child(has_landlock) != 1)
        return;
    file = "/etc/group";
    assert_int_equal(in_child(cat), 1);
    file = "/proc/self/environ";
    assert_int_equal(in_child(cat), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_can_do_nothing_but_read),
        cmocka_unit_test(a_reader_can_work),
        cmocka_unit_test(a_program_opens_its_file_and_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
