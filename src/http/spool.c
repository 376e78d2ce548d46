/*
 * O_TMPFILE makes a file that never had a name. Where the file system does not
 * know it (NFS, overlays of old kernels) a file is made and its name taken away
 * at once: a process that is killed between the two leaves an empty file.
 *
 * Bytes go through the page cache and are not synced: who loses the machine
 * loses the request too.
 */
#include "base/base.h"

#include "http/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"

#define PATH_BYTES 1024

static enum err
failed(const char *what, int errnum)
{
    log_error("spool.failed", "call=%s error=\"%s\"", what, strerror(errnum));
    return errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG ? ERR_FULL
                                                                   : ERR_STORE;
}

enum err
spool_open(int *fd, const char *dir)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof(path), "%s/spool-XXXXXX", dir);

    *fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (*fd >= 0)
        return OK;
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT &&
        errno != EINVAL)
        return failed("open", errno);
    if (n < 0 || (size_t)n >= sizeof(path))
        return failed("open", ENAMETOOLONG);
    *fd = mkostemp(path, O_CLOEXEC);
    if (*fd < 0)
        return failed("mkostemp", errno);
    if (unlink(path) != 0)
        log_warn("spool.unlink", "error=\"%s\"", strerror(errno));
    return OK;
}

enum err
spool_write(int fd, const void *p, size_t n)
{
    const char *s = p;

    while (n > 0) {
        ssize_t r = write(fd, s, n);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return failed("write", r < 0 ? errno : ENOSPC);
        s += r;
        n -= (size_t)r;
    }
    return OK;
}

ssize_t
spool_read(int fd, uint64_t at, void *p, size_t n)
{
    ssize_t r;

    do
        r = pread(fd, p, n, (off_t)at);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        (void)failed("pread", errno);
    return r;
}
