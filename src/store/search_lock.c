/*
 * Two bytes of a file, locked by open file description, so that threads with
 * descriptors of their own exclude each other as processes do, and a process
 * that is killed holds nothing.
 *
 * The gate is held shared by many for milliseconds each. Who wants it alone
 * would wait for ever for a moment without any, so there is a door before it,
 * which they keep closed while they wait.
 *
 * Locks are tried for, not waited for in the kernel: one who is stopped in a
 * debugger must not stop all others for good.
 */
#include "base/base.h"

#include "store/search_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define POLL_NS 1000000

enum byte { DOOR, GATE };

int
search_lock_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        log_error("search.lock", "error=\"%s\"", strerror(errno));
    return fd;
}

static enum err
take(int fd, short type, enum byte which)
{
    struct timespec pause = {0, POLL_NS};
    int64_t until_ms = clock_mono_ms() + SEARCH_BUSY_MS;
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = which, .l_len = 1};

    while (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EACCES) {
            log_error("search.lock", "error=\"%s\"", strerror(errno));
            return ERR_STORE;
        }
        if (clock_mono_ms() >= until_ms)
            return ERR_BUSY;
        (void)nanosleep(&pause, NULL);
    }
    return OK;
}

static void
drop(int fd, enum byte which)
{
    struct flock lock = {
        .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = which, .l_len = 1};

    (void)fcntl(fd, F_OFD_SETLK, &lock); /* needs nothing, so cannot fail */
}

static enum err
pass(int fd, short type)
{
    enum err e = take(fd, type, DOOR);

    if (e == OK) {
        e = take(fd, type, GATE);
        drop(fd, DOOR);
    }
    return e;
}

enum err
search_lock_shared(int fd)
{
    return pass(fd, F_RDLCK);
}

enum err
search_lock_alone(int fd)
{
    drop(fd, GATE); /* two who keep it would wait for each other */
    return pass(fd, F_WRLCK);
}

void
search_unlock(int fd)
{
    drop(fd, GATE);
}
