/*
 * Files with secrets. The mode is asked of the open file, so that the file that
 * was looked at is the one that is read. The buffer has room for all of it
 * before the first byte is read: a buffer that grows leaves copies behind.
 */
#include "base/base.h"

#include "base/conf_secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = "_FILE";

bool
conf_secret_of(const char *name, char *out, size_t n)
{
    size_t len = strlen(name), tail = sizeof(suffix) - 1;

    if (len <= tail || len - tail >= n ||
        strcmp(name + len - tail, suffix) != 0)
        return false;
    memcpy(out, name, len - tail);
    out[len - tail] = '\0';
    return true;
}

static bool
others_may(const struct stat *st)
{
    return (st->st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

bool
conf_secret_exposed(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && others_may(&st);
}

static const char *
read_open(int fd, struct buf *out, bool *exposed)
{
    struct stat st;
    size_t start = out->len;
    char *to;
    ssize_t n;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return "must name a file";
    *exposed = others_may(&st);
    if (*exposed)
        return "names a file that others than its owner can read";
    to = buf_room(out, CONF_SECRET_MAX + 1);
    if (to == NULL)
        return "names a file that is too long";
    while ((n = read(fd, to, CONF_SECRET_MAX + 1 - (out->len - start))) > 0) {
        to += n;
        out->len += (size_t)n;
        if (out->len - start > CONF_SECRET_MAX)
            return "names a file longer than 64 KiB";
    }
    if (n < 0)
        return "names a file that cannot be read";
    while (out->len > start && strchr("\r\n", out->data[out->len - 1]))
        out->len--;
    if (memchr(out->data + start, '\0', out->len - start) != NULL)
        return "names a file with a NUL byte";
    return NULL;
}

const char *
conf_secret_read(const char *path, struct buf *out, bool *exposed)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *rule;

    *exposed = false;
    if (fd < 0)
        return "names a file that cannot be read";
    rule = read_open(fd, out, exposed);
    (void)close(fd);
    return rule;
}
