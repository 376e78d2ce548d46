/*
 * Process identity from /proc. Two processes never share pid and start time
 * within one boot, so the pair names one for good.
 */
#include "base/base.h"

#include "base/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#define STAT_MAX 1024 /* bytes of /proc/PID/stat that hold field 22 */

static struct process self;
static char boot_id[37];
static pthread_once_t self_once = PTHREAD_ONCE_INIT;
static pthread_once_t boot_once = PTHREAD_ONCE_INIT;

/* Start time of pid, 0 if there is none or it is a zombie. */
static uint64_t
start_ticks(int32_t pid)
{
    char path[40], stat[STAT_MAX];
    char state = 0;
    unsigned long long ticks = 0;
    const char *after;
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    n = read(fd, stat, sizeof(stat) - 1);
    (void)close(fd);
    if (n <= 0)
        return 0;
    stat[n] = '\0';
    /* The name in parentheses may hold anything: count from its end. */
    after = strrchr(stat, ')');
    if (after == NULL ||
        sscanf(after + 1,
               " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
               " %*s %*s %*s %*s %llu",
               &state, &ticks) != 2)
        return 0;
    return state == 'Z' || state == 'X' ? 0 : ticks;
}

static void
self_read(void)
{
    self.pid = getpid();
    self.start_ticks = start_ticks(self.pid);
}

static void
boot_read(void)
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (f == NULL)
        return;
    if (fscanf(f, "%36s", boot_id) != 1)
        boot_id[0] = '\0';
    (void)fclose(f);
}

struct process
process_self(void)
{
    (void)pthread_once(&self_once, self_read);
    return self;
}

bool
process_alive(const struct process *p)
{
    uint64_t ticks;

    if (p->pid <= 0)
        return false;
    ticks = start_ticks(p->pid);
    return ticks != 0 && ticks == p->start_ticks;
}

const char *
process_boot_id(void)
{
    (void)pthread_once(&boot_once, boot_read);
    return boot_id;
}

void
process_root(char root[PROCESS_PATH_MAX])
{
    const char *set = getenv("PARLEY_ROOT");
    ssize_t n;

    if (set != NULL && *set != '\0') {
        (void)snprintf(root, PROCESS_PATH_MAX, "%s", set);
        return;
    }
    n = readlink("/proc/self/exe", root, PROCESS_PATH_MAX - 1);
    root[n < 0 ? 0 : n] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(root, '/');

        if (slash != NULL && slash != root)
            *slash = '\0';
    }
}
