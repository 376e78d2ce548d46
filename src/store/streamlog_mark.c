/*
 * Who has the stream log open, and whether what lies there can be trusted.
 *
 * Locks are on two bytes of streams/lock-open and belong to the open file, so
 * they end with the process:
 *   byte 0  shared by everybody who has the log open
 *   byte 1  exclusive while opening, growing and closing
 *
 * What a killed process wrote is whole: pages are in the page cache and the
 * meta page changes last. Only the machine can lose some and keep others. So
 * a mark (streams/boot) holds the id of the boot in which the log was opened,
 * and whether it was closed and synced; a log of another boot that was not is
 * made anew.
 */
#include "base/base.h"

#include "store/streamlog_env.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "store/disk.h"

#define MARK_MAX 80 /* bytes */

/* --- locks -------------------------------------------------------------- */

bool
streamlog_lock(struct streamlog *l, enum lock_byte byte, short type, bool wait)
{
    struct flock f = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int rc;

    do
        rc = fcntl(l->lock_fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &f);
    while (rc != 0 && errno == EINTR);
    if (rc != 0 && wait)
        log_error("streams.lock", "error=\"%s\"", strerror(errno));
    return rc == 0;
}

enum err
streamlog_lock_open(struct streamlog *l)
{
    char path[DISK_PATH_MAX];

    if (disk_path(path, l->conf.dir, "lock-open") != OK)
        return ERR_STORE;
    l->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (l->lock_fd < 0) {
        log_error("streams.lock", "error=\"%s\"", strerror(errno));
        return ERR_STORE;
    }
    return streamlog_lock(l, LOCK_CHANGE, F_WRLCK, true) ? OK : ERR_STORE;
}

/* --- the mark ----------------------------------------------------------- */

bool
streamlog_mark_write(const struct streamlog *l, const char *state)
{
    char path[DISK_PATH_MAX], text[MARK_MAX];
    int n, fd;
    bool ok;

    if (disk_path(path, l->conf.dir, "boot") != OK)
        return false;
    n = snprintf(text, sizeof(text), "1 %s %s\n", process_boot_id(), state);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    ok = pwrite(fd, text, (size_t)n, 0) == n && ftruncate(fd, n) == 0 &&
         fsync(fd) == 0;
    if (close(fd) != 0)
        ok = false;
    return ok;
}

/* Is what lies there sound: closed cleanly, or opened in this boot? */
bool
streamlog_mark_trusted(const struct streamlog *l)
{
    char path[DISK_PATH_MAX], text[MARK_MAX], boot[40], state[8];
    const char *now = process_boot_id();
    ssize_t n = -1;
    int fd;

    if (disk_path(path, l->conf.dir, "boot") != OK)
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, text, sizeof(text) - 1);
        (void)close(fd);
    }
    if (n <= 0)
        return false;
    text[n] = '\0';
    if (sscanf(text, "1 %39s %7s", boot, state) != 2)
        return false;
    return strcmp(state, "clean") == 0 ||
           (strcmp(state, "open") == 0 && now[0] != '\0' &&
            strcmp(boot, now) == 0);
}

enum err
streamlog_wipe(const struct streamlog *l, const char *why)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    char path[DISK_PATH_MAX];

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (disk_path(path, l->conf.dir, names[i]) != OK)
            return ERR_STORE;
        if (unlink(path) != 0 && errno != ENOENT) {
            log_error("streams.wipe", "error=\"%s\"", strerror(errno));
            return ERR_STORE;
        }
    }
    if (why != NULL)
        log_warn("streams.new", "why=%s", why);
    return OK;
}
