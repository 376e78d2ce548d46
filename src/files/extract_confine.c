/*
 * Limits, and filters of system calls.
 *
 * Here, other than in base/sandbox_calls.c, it is a list of what is allowed: a
 * reader needs little, and all of it is known. What is not in the list fails
 * with EPERM, which a library takes as one more thing that it cannot have. To
 * open a file is not in the list of readers, so what they may need from the
 * disk is loaded before. Memory is never both written and executed.
 *
 * A program that is started (pdftotext) must open libraries. It gets a list of
 * its own: it may open, for reading only, and Landlock says where.
 *
 * What the kernel does not have is done without; the limits always hold. Under
 * a sanitizer only those limits hold that it can live with.
 */
#include "base/base.h"

#include "files/extract_confine.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "files/extract.h"

#define DESCRIPTORS_MAX 32
#define PROGRAM_LIBRARIES (256L * 1024 * 1024) /* bytes of address space */
#define LIBRARY_PATH_MAX 1024
#define WRITES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)

static const char *const readers[] = {
    "read",
    "pread64",
    "readv",
    "write",
    "writev",
    "lseek",
    "_llseek",
    "fstat",
    "fstat64",
    "newfstatat",
    "close",
    "dup",
    "fcntl",
    "fcntl64",
    "munmap",
    "mremap",
    "brk",
    "madvise",
    "futex",
    "futex_time64",
    "rt_sigaction",
    "rt_sigreturn",
    "rt_sigprocmask",
    "sigaltstack",
    "getpid",
    "gettid",
    "exit",
    "exit_group",
    "clock_gettime",
    "clock_gettime64",
    "gettimeofday",
    "time",
    "getrandom",
    "sched_yield",
    "poll",
    "ppoll",
    "restart_syscall",
};

static const char *const waiting[] = {"wait4", "waitid"};

static const char *const programs[] = {
    "execve",
    "access",
    "faccessat",
    "faccessat2",
    "stat",
    "lstat",
    "statx",
    "fstatat64",
    "readlink",
    "readlinkat",
    "getdents",
    "getdents64",
    "arch_prctl",
    "mprotect",
    "set_tid_address",
    "set_robust_list",
    "rseq",
    "fadvise64",
    "arm_fadvise64_64",
    "getcwd",
    "uname",
    "sysinfo",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getrlimit",
    "ugetrlimit",
    "mmap",
    "mmap2",
    "sched_getaffinity",
};

/* --- limits --------------------------------------------------------------- */

static void
limit(int what, rlim_t bytes)
{
    struct rlimit r = {.rlim_cur = bytes, .rlim_max = bytes};

    (void)setrlimit((__rlimit_resource_t)what, &r);
}

/* Bytes of address space that are in use; 0: unknown. */
static rlim_t
in_use(void)
{
    char line[64];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, line, sizeof(line) - 1) : -1;
    unsigned long long pages = 0;

    if (fd >= 0)
        (void)close(fd);
    line[n > 0 ? n : 0] = '\0';
    if (sscanf(line, "%llu", &pages) != 1)
        return 0;
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void
limit_all(void)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CPU, EXTRACT_SECONDS);
    limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
}

void
confine_limits(void)
{
    rlim_t used = in_use();

    limit_all();
    if (!sandbox_is_hindrance() && used > 0)
        limit(RLIMIT_AS, used + EXTRACT_MEMORY);
}

/* --- calls ---------------------------------------------------------------- */

static void
allow(scmp_filter_ctx f, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int call = seccomp_syscall_resolve_name(names[i]);

        if (call != __NR_SCMP_ERROR)
            IGNORE(seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 0));
    }
}

/* Allow a call if these bits of an argument are none of `none`. */
static void
allow_without(scmp_filter_ctx f, const char *name, unsigned arg, uint64_t none)
{
    int call = seccomp_syscall_resolve_name(name);
    struct scmp_arg_cmp cmp = {
        .arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = none, .datum_b = 0};

    if (call != __NR_SCMP_ERROR)
        IGNORE(seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, 1, &cmp));
}

static void
allow_if(scmp_filter_ctx f, const char *name, unsigned arg, uint64_t value)
{
    int call = seccomp_syscall_resolve_name(name);
    struct scmp_arg_cmp cmp = {.arg = arg, .op = SCMP_CMP_EQ, .datum_a = value};

    if (call != __NR_SCMP_ERROR)
        IGNORE(seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, 1, &cmp));
}

static scmp_filter_ctx
filter_begin(void)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));

    if (f != NULL) {
        IGNORE(seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2));
        allow(f, readers, COUNT_OF(readers));
        allow_if(f, "tgkill", 0, (uint64_t)getpid()); /* abort */
    }
    return f;
}

static void
filter_end(scmp_filter_ctx f)
{
    if (f != NULL) {
        IGNORE(seccomp_load(f));
        seccomp_release(f);
    }
}

void
confine_reader(bool waits)
{
    static const char *const no_files[] = {NULL};
    struct sandbox s = {.read = no_files, .change = no_files};
    struct sandbox_report report;
    scmp_filter_ctx f;

    if (sandbox_is_hindrance())
        return;
    /* Who waits must be able to end the other when it ends itself, which
     * Landlock would prevent: the other is confined in another way. */
    if (!waits)
        sandbox_files(&s, &report);
    f = filter_begin();
    if (f != NULL) {
        allow_without(f, "mmap", 2, PROT_EXEC);
        allow_without(f, "mmap2", 2, PROT_EXEC);
        allow_without(f, "mprotect", 2, PROT_EXEC);
        if (waits)
            allow(f, waiting, COUNT_OF(waiting));
    }
    filter_end(f);
}

/* --- another program ------------------------------------------------------ */

/* The folders of its libraries, beside those of the system: "/opt/x/bin/p" has
 * its own in "/opt/x/lib". */
static void
limit_files(const char *path)
{
    char lib[LIBRARY_PATH_MAX], share[LIBRARY_PATH_MAX];
    const char *const run[] = {path,         "/lib", "/lib64", "/usr/lib",
                               "/usr/lib64", lib,    NULL};
    const char *const read[] = {"/proc/self/fd/0",
                                "/etc/ld.so.cache",
                                "/etc/localtime",
                                "/usr/share/poppler",
                                "/usr/share/zoneinfo",
                                share,
                                NULL};
    const char *const none[] = {NULL};
    const struct sandbox s = {.read = read, .change = none, .run = run};
    struct sandbox_report report;
    const char *slash = strstr(path, "/bin/");
    int n = slash != NULL ? (int)(slash - path) : 0;

    (void)snprintf(lib, sizeof(lib), "%.*s/lib", n, path);
    (void)snprintf(share, sizeof(share), "%.*s/share/poppler", n, path);
    sandbox_files(&s, &report);
}

void
confine_program(const char *path)
{
    scmp_filter_ctx f;

    limit_all();
    if (!sandbox_is_hindrance()) {
        limit(RLIMIT_AS, PROGRAM_LIBRARIES + EXTRACT_MEMORY);
        limit(RLIMIT_DATA, EXTRACT_MEMORY);
    }
    limit_files(path);
    f = filter_begin();
    if (f != NULL) {
        allow(f, programs, COUNT_OF(programs));
        allow_without(f, "open", 1, WRITES);
        allow_without(f, "openat", 2, WRITES);
        allow_if(f, "ioctl", 1, TCGETS); /* is this a terminal? */
        allow_if(f, "prlimit64", 2, 0);  /* asks, changes nothing */
    }
    filter_end(f);
}
