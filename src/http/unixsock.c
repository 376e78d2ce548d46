/*
 * Owning a unix socket: lock first, then unlink and bind. The lock file stays;
 * removing it would let two processes lock two files of one name.
 *
 * The mode is set on the socket before bind, so that there is no moment at
 * which the file is open to others (Linux takes the mode of the new file from
 * the socket's inode; the umask can only make it narrower).
 */
#include "base/base.h"

#include "http/unixsock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

#define BACKLOG 4096 /* connections; the kernel lowers it to somaxconn */

enum err
unixsock_addr(struct sockaddr_un *a, const char *path)
{
    size_t n = strlen(path);

    memset(a, 0, sizeof(*a));
    a->sun_family = AF_UNIX;
    if (n >= sizeof(a->sun_path)) {
        log_error("socket.path",
                  "path=%s bytes=%zu max=%zu hint=\"use a shorter DATA_DIR\"",
                  path, n, sizeof(a->sun_path) - 1);
        return ERR_TOOBIG;
    }
    memcpy(a->sun_path, path, n + 1);
    return OK;
}

static enum err
take_lock(const char *path, int *lock_fd)
{
    struct buf b;
    int fd;

    buf_init(&b, sizeof(((struct sockaddr_un *)0)->sun_path) + 8);
    buf_adds(&b, path);
    buf_adds(&b, ".lock");
    fd = open(buf_cstr(&b), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        log_error("socket.lock", "path=%s errno=%d", buf_cstr(&b), errno);
    buf_release(&b);
    if (fd < 0)
        return ERR_INTERNAL;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int why = errno;
        (void)close(fd);
        if (why == EWOULDBLOCK)
            return ERR_CONFLICT;
        log_error("socket.lock", "path=%s errno=%d", path, why);
        return ERR_INTERNAL;
    }
    *lock_fd = fd;
    return OK;
}

enum err
unixsock_listen(const char *path, mode_t mode, int *fd, int *lock_fd)
{
    struct sockaddr_un a;
    enum err e = unixsock_addr(&a, path);
    int s;

    if (e)
        return e;
    e = take_lock(path, lock_fd);
    if (e)
        return e;
    s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0)
        goto failed;
    if (unlink(path) != 0 && errno != ENOENT)
        goto failed;
    if (fchmod(s, mode) != 0 ||
        bind(s, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        listen(s, BACKLOG) != 0)
        goto failed;
    *fd = s;
    return OK;
failed:
    log_error("socket.listen", "path=%s errno=%d", path, errno);
    if (s >= 0)
        (void)close(s);
    (void)close(*lock_fd);
    *lock_fd = -1;
    return ERR_INTERNAL;
}

int
unixsock_connect(const char *path)
{
    struct sockaddr_un a;
    int fd, why;

    if (unixsock_addr(&a, path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    why = errno;
    (void)close(fd);
    errno = why;
    return -1;
}
