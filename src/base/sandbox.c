/*
 * Landlock, by its three system calls: the C library has no names for them,
 * and the kernel's header may be older than the kernel. A rule is of the file
 * or folder that stands under a name now, not of the name: a file that is to be
 * read again after somebody has replaced it needs its folder named.
 *
 * The newer the kernel, the more it can refuse; each step asks only for what
 * the version knows. What is left out on purpose: connecting by TCP (any
 * provider on any port may be set, and names are looked up by TCP at times).
 */
#include "base/base.h"

#include "base/sandbox.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL_CREATE_RULESET 444 /* the same on all machines */
#define CALL_ADD_RULE 445
#define CALL_RESTRICT_SELF 446
#define ASK_VERSION 1u
#define RULE_PATH_BENEATH 1

#define BIT(n) (UINT64_C(1) << (n))
/* Rights to files, as the kernel numbers them. */
#define FS_EXECUTE BIT(0)
#define FS_WRITE_FILE BIT(1)
#define FS_READ_FILE BIT(2)
#define FS_READ_DIR BIT(3)
#define FS_REMOVE_DIR BIT(4)
#define FS_REMOVE_FILE BIT(5)
#define FS_MAKE_DIR BIT(7)
#define FS_MAKE_REG BIT(8)
#define FS_MAKE_SOCK BIT(9)
#define FS_FIRST (BIT(13) - 1)   /* all of version 1 */
#define FS_REFER BIT(13)         /* version 2 */
#define FS_TRUNCATE BIT(14)      /* version 3 */
#define FS_IOCTL_DEV BIT(15)     /* version 5 */
#define NET_BIND_TCP BIT(0)      /* version 4 */
#define SCOPES (BIT(0) | BIT(1)) /* version 6: abstract sockets, signals */

#define READS (FS_READ_FILE | FS_READ_DIR)
#define CHANGES                                                             \
    (READS | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | \
     FS_MAKE_REG | FS_MAKE_SOCK | FS_REFER | FS_TRUNCATE)
#define OF_FILES \
    (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset {
    uint64_t fs, net, scopes; /* what is refused where no rule allows it */
};

struct path_rule {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

/* Of the ruleset, what this version reads. */
static size_t
ruleset_size(int version)
{
    if (version >= 6)
        return sizeof(struct ruleset);
    return version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static struct ruleset
ruleset_for(int version, bool binds)
{
    struct ruleset r = {.fs = FS_FIRST};

    if (version >= 2)
        r.fs |= FS_REFER;
    if (version >= 3)
        r.fs |= FS_TRUNCATE;
    if (version >= 4 && !binds)
        r.net = NET_BIND_TCP;
    if (version >= 5)
        r.fs |= FS_IOCTL_DEV;
    if (version >= 6)
        r.scopes = SCOPES;
    return r;
}

/* Returns how many rules were added. */
static int
allow(int set, const char *const *paths, uint64_t rights)
{
    int n = 0;

    for (; paths != NULL && *paths != NULL; paths++) {
        struct path_rule rule = {.allowed = rights};
        struct stat st;

        rule.fd = open(*paths, O_PATH | O_CLOEXEC);
        if (rule.fd < 0)
            continue;
        if (fstat(rule.fd, &st) == 0) {
            if (!S_ISDIR(st.st_mode))
                rule.allowed &= OF_FILES;
            n += syscall(CALL_ADD_RULE, set, RULE_PATH_BENEATH, &rule, 0) == 0;
        }
        (void)close(rule.fd);
    }
    return n;
}

static const char *
reason(int errnum)
{
    switch (errnum) {
    case ENOSYS: return "this kernel does not have it";
    case EOPNOTSUPP: return "it is not switched on in this kernel";
    case EPERM: return "it is not allowed here";
    default: return "it failed";
    }
}

static void
limit_files(const struct sandbox *s, struct sandbox_report *out)
{
    long version = syscall(CALL_CREATE_RULESET, NULL, 0, ASK_VERSION);
    struct ruleset r;
    int set;

    if (version < 1) {
        out->no_files = reason(errno);
        return;
    }
    r = ruleset_for((int)version, s->binds);
    set = (int)syscall(CALL_CREATE_RULESET, &r, ruleset_size((int)version), 0);
    if (set < 0) {
        out->no_files = reason(errno);
        return;
    }
    out->folders = allow(set, s->read, READS & r.fs) +
                   allow(set, s->change, CHANGES & r.fs) +
                   allow(set, s->run, (READS | FS_EXECUTE) & r.fs);
    if (syscall(CALL_RESTRICT_SELF, set, 0) == 0) {
        out->landlock = (int)version;
    } else {
        out->no_files = reason(errno);
        out->folders = 0;
    }
    (void)close(set);
}

void
sandbox_files(const struct sandbox *s, struct sandbox_report *out)
{
    (void)memset(out, 0, sizeof(*out));
    /* Without it neither may be had by who is not root; and no program with
     * more rights than ours can be started any more. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        out->no_files = out->no_calls = reason(errno);
    else
        limit_files(s, out);
}

void
sandbox_enter(const struct sandbox *s, struct sandbox_report *out)
{
    sandbox_files(s, out);
    if (out->no_calls == NULL)
        out->calls = sandbox_calls(&out->no_calls);
}

bool
sandbox_is_hindrance(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
    return true;
#else
    return false;
#endif
#else
    return false;
#endif
}
