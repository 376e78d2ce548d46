/*
 * System calls that a chat program never makes, and that those need who want
 * out of it: to look into other processes, to change the machine, to reach rare
 * and seldom tested parts of the kernel, to start a program. They fail with
 * EPERM, as if a right were missing; the program goes on.
 *
 * It is a list of what is refused, not of what is allowed: what the libraries
 * below us call differs between their versions, and an answer that breaks after
 * an upgrade would be the work of this file. Networks stay usable; only
 * families of sockets that nothing here speaks are refused.
 *
 * clone3 hides its flags from the filter. It fails with ENOSYS, whereupon the
 * C library uses clone, whose flags can be looked at.
 */
#include "base/base.h"

#include "base/sandbox.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static const char *const refused[] = {
    /* other processes */
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "pidfd_getfd",
    "kcmp",
    /* other programs */
    "execve",
    "execveat",
    "uselib",
    /* file systems */
    "mount",
    "umount",
    "umount2",
    "pivot_root",
    "chroot",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "quotactl",
    "quotactl_fd",
    "open_by_handle_at",
    "name_to_handle_at",
    "fanotify_init",
    "swapon",
    "swapoff",
    /* the machine */
    "reboot",
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "create_module",
    "query_module",
    "acct",
    "syslog",
    "iopl",
    "ioperm",
    "modify_ldt",
    "vhangup",
    "sethostname",
    "setdomainname",
    "settimeofday",
    "stime",
    "clock_settime",
    "clock_settime64",
    "clock_adjtime",
    "clock_adjtime64",
    "adjtimex",
    "nfsservctl",
    "lookup_dcookie",
    "mknod",
    "mknodat",
    /* parts of the kernel */
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "keyctl",
    "add_key",
    "request_key",
    "setns",
    "unshare",
    "personality",
    "vmsplice",
    "mbind",
    "move_pages",
    "migrate_pages",
    "set_mempolicy",
};

static const int families[] = {AF_PACKET, AF_ALG, AF_VSOCK, AF_BLUETOOTH,
                               AF_CAN,    AF_KEY, AF_RDS,   AF_TIPC};

static const int namespaces[] = {CLONE_NEWUSER,  CLONE_NEWNS,  CLONE_NEWPID,
                                 CLONE_NEWNET,   CLONE_NEWIPC, CLONE_NEWUTS,
                                 CLONE_NEWCGROUP};

/* Input that a terminal takes as typed by its user. */
static const unsigned long typing[] = {TIOCSTI, TIOCLINUX};

/* Refuse a call if these bits of an argument are so. The kernel looks at the
 * low half of most; a filter that did not would be passed by the high one. */
static void
add(scmp_filter_ctx f, int call, unsigned arg, uint64_t mask, uint64_t value)
{
    struct scmp_arg_cmp cmp = {.arg = arg,
                               .op = SCMP_CMP_MASKED_EQ,
                               .datum_a = mask,
                               .datum_b = value};

    IGNORE(seccomp_rule_add_array(f, SCMP_ACT_ERRNO(EPERM), call, 1, &cmp));
}

static void
add_by_argument(scmp_filter_ctx f, bool reader)
{
    struct scmp_arg_cmp other = {
        .arg = 0, .op = SCMP_CMP_NE, .datum_a = AF_UNIX};

    if (reader)
        IGNORE(seccomp_rule_add_array(f, SCMP_ACT_ERRNO(EPERM),
                                      SCMP_SYS(socket), 1, &other));
    for (size_t i = 0; !reader && i < COUNT_OF(families); i++)
        add(f, SCMP_SYS(socket), 0, UINT32_MAX, (uint64_t)families[i]);
    for (size_t i = 0; i < COUNT_OF(typing); i++)
        add(f, SCMP_SYS(ioctl), 1, UINT32_MAX, typing[i]);
    for (size_t i = 0; i < COUNT_OF(namespaces); i++)
        add(f, SCMP_SYS(clone), 0, (uint64_t)namespaces[i],
            (uint64_t)namespaces[i]);
    IGNORE(seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
}

/* How many names of the table the library knows and has taken. */
static int
add_names(scmp_filter_ctx f, bool reader)
{
    int n = 0;

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        int call = seccomp_syscall_resolve_name(refused[i]);

        if (reader && strncmp(refused[i], "execve", 6) == 0)
            continue;
        n += call != __NR_SCMP_ERROR &&
             seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), call, 0) == 0;
    }
    return n;
}

static int
refuse(bool reader, const char **why)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    int n = 0, rc = -ENOMEM;

    *why = NULL;
    if (f != NULL) {
        /* Not every library and kernel knows each of these; the filter is
         * right without them. */
        IGNORE(seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1));
        IGNORE(seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2));
        /* System calls of another kind of machine (32 bit on 64). */
        IGNORE(seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH,
                                SCMP_ACT_ERRNO(EPERM)));
        n = add_names(f, reader);
        add_by_argument(f, reader);
        rc = seccomp_load(f);
        seccomp_release(f);
    }
    if (rc == 0)
        return n;
    *why = rc == -EPERM || rc == -EACCES ? "it is not allowed here"
           : rc == -EINVAL || rc == -ENOSYS || rc == -EOPNOTSUPP
               ? "this kernel does not have it"
               : "it failed";
    return 0;
}

int
sandbox_calls(const char **why)
{
    return refuse(false, why);
}

int
sandbox_calls_of_reader(const char **why)
{
    return refuse(true, why);
}
