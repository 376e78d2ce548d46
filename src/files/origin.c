/*
 * A file beside the index for each collection that is a folder: its device and
 * its number, in one line. Half a line, after a full disk, is one that says
 * nothing, which is the careful side.
 */
#include "base/base.h"

#include "files/origin.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/log.h"

#define LINE_MAX_BYTES 64

static bool
path_of(char path[PATH_MAX], const char *dir, int64_t collection)
{
    return snprintf(path, PATH_MAX, "%s/origin-%" PRId64, dir, collection) <
           PATH_MAX;
}

static void
line_of(char line[LINE_MAX_BYTES], const struct stat *root)
{
    (void)snprintf(line, LINE_MAX_BYTES, "%" PRIu64 " %" PRIu64 "\n",
                   (uint64_t)root->st_dev, (uint64_t)root->st_ino);
}

bool
origin_is(const char *dir, int64_t collection, const struct stat *root)
{
    char path[PATH_MAX], line[LINE_MAX_BYTES], want[LINE_MAX_BYTES];
    ssize_t n;
    int fd;

    if (!path_of(path, dir, collection))
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, line, sizeof(line) - 1) : -1;
    if (fd >= 0)
        (void)close(fd);
    line[n > 0 ? n : 0] = '\0';
    line_of(want, root);
    return strcmp(line, want) == 0;
}

bool
origin_is_empty(int root)
{
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *de = NULL;

    if (dir == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    /* cppcheck-suppress readdirCalled */
    while ((de = readdir(dir)) != NULL &&
           (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0))
        continue;
    (void)closedir(dir);
    return de == NULL;
}

void
origin_note(const char *dir, int64_t collection, const struct stat *root)
{
    char path[PATH_MAX], line[LINE_MAX_BYTES];
    int fd;

    if (origin_is(dir, collection, root) || !path_of(path, dir, collection))
        return;
    line_of(line, root);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, strlen(line)) != (ssize_t)strlen(line))
        log_warn("files.origin", "error=\"%s\"", strerror(errno));
    if (fd >= 0)
        (void)close(fd);
}
