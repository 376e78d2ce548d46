/*
 * The file is written under a name that nobody else uses, with a lock on it
 * (flock) for as long as it is. A process that dies lets go of the lock, and
 * whoever starts next removes the file. Those that are young are left alone
 * even without a lock: between being made and locked there is a moment.
 *
 * What an owner may have is looked at with a lock on the folder, from the sum
 * to the rename: however many files come at once, in however many processes,
 * the limit holds to the byte.
 *
 * The index is told before the rename. Whoever reads in between finds the old
 * bytes, or none, and is asked once more; the other way round a full disk could
 * leave new bytes that the index takes for the old ones.
 */
#include "base/base.h"

#include "files/receive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define FOLDER "uploads"
#define PREFIX ".upload-"

static enum err
failed(void)
{
    int errnum = errno;

    log_error("files.upload", "error=\"%s\"", strerror(errnum));
    return errnum == ENOSPC || errnum == EDQUOT ? ERR_FULL : ERR_STORE;
}

/* --- its bytes ------------------------------------------------------------ */

static enum err
make_folders(const struct receive *r)
{
    char path[sizeof(r->place.root)];

    (void)snprintf(path, sizeof(path), "%s/" FOLDER, files_dir(r->files));
    if ((mkdir(path, 0700) != 0 && errno != EEXIST) ||
        (mkdir(r->place.root, 0700) != 0 && errno != EEXIST))
        return failed();
    return OK;
}

enum err
receive_begin(struct receive *r, struct files *f, const struct collection *c,
              const char *name)
{
    enum err e;

    *r = (struct receive){.files = f, .collection = c->id, .fd = -1};
    e = place_of(files_dir(f), c, name, &r->place);
    if (e == OK)
        e = make_folders(r);
    if (e != OK)
        return e;
    (void)snprintf(r->temporary, sizeof(r->temporary), "%s/" PREFIX "XXXXXX",
                   r->place.root);
    r->fd = mkostemp(r->temporary, O_CLOEXEC);
    if (r->fd < 0)
        return failed();
    (void)flock(r->fd, LOCK_EX); /* nobody else has it */
    return OK;
}

enum err
receive_bytes(struct receive *r, const void *p, size_t n)
{
    const char *s = p;

    r->size += (int64_t)n;
    while (n > 0) {
        ssize_t did = write(r->fd, s, n);

        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return failed();
        s += did;
        n -= (size_t)did;
    }
    return OK;
}

void
receive_drop(struct receive *r)
{
    if (r->fd < 0)
        return;
    (void)unlink(r->temporary);
    (void)close(r->fd);
    r->fd = -1;
}

/* --- its end -------------------------------------------------------------- */

enum err
receive_room(struct files *f, int64_t collection, const char *name,
             int64_t most, int64_t *room)
{
    struct document old;
    int64_t sum = 0;
    enum err e = files_bytes(f, collection, &sum);

    if (e == OK) {
        e = files_known(f, collection, name, &old);
        if (e == OK)
            sum -= old.size;
    }
    *room = most > sum ? most - sum : 0;
    return e == ERR_NOTFOUND ? OK : e;
}

/* Note it as waiting. The old one of its name is unfindable from here on. */
static enum err
note(struct receive *r, struct document *d)
{
    struct files_put *put;
    enum err e;

    d->collection = r->collection;
    d->size = r->size;
    d->mtime_ns = clock_wall_ms() * 1000000;
    d->skip = SKIP_WAITING;
    e = files_put_begin(r->files, d, &put);
    return e == OK ? files_put_end(put, d, "") : e;
}

/* With the folder locked. */
static enum err
settle(struct receive *r, int folder, struct document *d, int64_t most)
{
    struct document is;
    int64_t room = 0;
    enum err e = OK;

    if (most > 0)
        e = receive_room(r->files, r->collection, d->name, most, &room);
    if (e == OK && most > 0 && r->size > room)
        e = ERR_LIMIT;
    if (e == OK)
        e = note(r, d);
    if (e != OK)
        return e;
    if (renameat(AT_FDCWD, r->temporary, folder, r->place.path) != 0 ||
        fsync(folder) != 0)
        return failed();
    /* Who came to read it too early has taken it for one that is gone. */
    e = files_get(r->files, d->id, &is);
    return e == ERR_NOTFOUND ? note(r, d) : e;
}

enum err
receive_end(struct receive *r, struct document *d, int64_t most)
{
    int folder = open(r->place.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err e = OK;

    d->id = 0;
    if (folder < 0 || fsync(r->fd) != 0 || flock(folder, LOCK_EX) != 0)
        e = failed();
    else
        e = settle(r, folder, d, most);
    if (e != OK)
        (void)unlink(r->temporary); /* or it has its place already */
    if (folder >= 0)
        (void)close(folder);
    (void)close(r->fd);
    r->fd = -1;
    return e;
}

/* --- what was left -------------------------------------------------------- */

static void
sweep_one(int folder, const char *name)
{
    struct stat st;
    int fd = -1;

    if (strncmp(name, PREFIX, strlen(PREFIX)) == 0)
        fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_mtim.tv_sec + RECEIVE_OLD_S <= clock_wall_ms() / 1000 &&
        flock(fd, LOCK_EX | LOCK_NB) == 0 && unlinkat(folder, name, 0) == 0)
        log_info("files.swept", "bytes=%" PRId64, (int64_t)st.st_size);
    (void)close(fd);
}

static void
remove_one(int folder, const char *name)
{
    (void)unlinkat(folder, name, 0); /* no folder; the rest is told by rmdir */
}

/* For each entry. Takes fd. */
static void
walk(int fd, void (*one)(int folder, const char *name))
{
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *de;

    if (dir == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    /* cppcheck-suppress readdirCalled */
    while ((de = readdir(dir)) != NULL)
        one(dirfd(dir), de->d_name);
    (void)closedir(dir);
}

void
receive_forget(const char *dir, int64_t collection)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/" FOLDER "/%" PRId64, dir,
                 collection) >= (int)sizeof(path))
        return;
    walk(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
         remove_one);
    if (rmdir(path) != 0 && errno != ENOENT)
        log_warn("files.forget", "error=\"%s\"", strerror(errno));
}

void
receive_sweep(const char *dir)
{
    char path[PATH_MAX];
    const struct dirent *de;
    DIR *uploads;

    if (snprintf(path, sizeof(path), "%s/" FOLDER, dir) >= (int)sizeof(path))
        return;
    uploads = opendir(path);
    /* cppcheck-suppress readdirCalled */
    while (uploads != NULL && (de = readdir(uploads)) != NULL)
        if (de->d_name[0] != '.')
            walk(openat(dirfd(uploads), de->d_name,
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                 sweep_one);
    if (uploads != NULL)
        (void)closedir(uploads);
}
