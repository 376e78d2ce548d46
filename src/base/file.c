/*
 * Reading small files of our own: lists that come with the program, and .env.
 * What a user sends, and what may not be a plain file, is read where it is
 * checked.
 */
#include "base/base.h"

#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

ssize_t
file_read(const char *path, char *to, size_t max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), why;
    size_t n = 0;
    ssize_t got = 1;

    if (fd < 0)
        return -1;
    while (n < max && got > 0) {
        got = read(fd, to + n, max - n);
        n += got > 0 ? (size_t)got : 0;
    }
    why = errno;
    (void)close(fd);
    errno = why;
    return got < 0 ? -1 : (ssize_t)n;
}
