/*
 * Backups and how they are put back.
 *
 * LMDB copies a snapshot through a pipe of its own, page by page, and leaves
 * free pages out. Where a file has pages that nobody knows (a crash in the
 * middle of a write can leave such in old versions of LMDB), it refuses to
 * count without them; then all pages are copied.
 *
 * Who has a store open holds a lock on the first byte of lock.mdb, for LMDB's
 * own purposes: the first one alone, to make the table of readers, and then
 * all together. A restore takes it alone. So nobody has the store open, and
 * whoever starts now waits in LMDB before looking at anything. The file is
 * replaced by a rename, with the old one linked elsewhere before. Then this
 * process opens the store once: being the first, it makes the table of readers
 * anew for the new file, and lets those who wait in. Locks of this kind belong
 * to the process, so LMDB does not wait for itself, and they are gone with it.
 */
#include "base/base.h"

#include "store/backup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/backup_leave.h"
#include "store/disk.h"
#include "store/fsck_inside.h"

#define NAMES_MAX 100 /* restores within one second */

static enum err fail(struct backup *b, enum err e, const char *fmt, ...)
    PRINTF(3, 4);

static enum err
fail(struct backup *b, enum err e, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(b->why, sizeof(b->why), fmt, ap);
    va_end(ap);
    return e;
}

/* An error of the system or of LMDB. */
static enum err
fail_rc(struct backup *b, const char *what, const char *path, int rc)
{
    enum err e = rc == ENOSPC || rc == EDQUOT ? ERR_FULL : ERR_STORE;

    if (rc == ENOENT)
        e = ERR_NOTFOUND;
    return fail(b, e, "%s %s: %s", what, path, mdb_strerror(rc));
}

/* --- files ------------------------------------------------------------ */

static int
sync_folder(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

    if (fd < 0)
        return errno;
    if (fsync(fd) != 0)
        rc = errno;
    (void)close(fd);
    return rc;
}

/* The folder that a path is in. */
static void
folder_of(char out[DISK_PATH_MAX], const char *path)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    (void)snprintf(out, DISK_PATH_MAX, "%.*s", (int)n, path);
    if (n == 0)
        (void)snprintf(out, DISK_PATH_MAX, ".");
}

/* Run by root, what is made in a data folder belongs to whom that does. */
static void
give_to_owner_of(const char *data, const char *path)
{
    struct stat st;

    if (geteuid() == 0 && stat(data, &st) == 0)
        (void)!lchown(path, st.st_uid, st.st_gid); /* best effort */
}

static bool
folder_is_empty(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    bool empty = d != NULL;

    /* cppcheck-suppress readdirCalled */
    while (empty && (e = readdir(d)) != NULL)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    if (d != NULL)
        (void)closedir(d);
    return empty;
}

/* A flat folder with all that is in it. False: something stays. */
static bool
folder_remove(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;

    if (d == NULL)
        return errno == ENOENT;
    /* cppcheck-suppress readdirCalled */
    while ((e = readdir(d)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    (void)closedir(d);
    return rmdir(dir) == 0;
}

/* --- copying ---------------------------------------------------------- */

static int
copy_env(MDB_env *env, int fd)
{
    unsigned flags = MDB_CP_COMPACT;
    int rc;

    for (;;) {
        rc = mdb_env_copyfd2(env, fd, flags);
        if (rc == MDB_INCOMPATIBLE && flags != 0)
            flags = 0;
        else if (!fsck_env_grew(env, rc))
            break;
        if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)
            return errno;
    }
    if (rc == 0 && fsync(fd) != 0)
        rc = errno;
    return rc;
}

/* The store in folder `from` as `to`/data.mdb, durable; or nothing. */
static enum err
copy_store(struct backup *b, const char *from, bool still, const char *to)
{
    char part[DISK_PATH_MAX], data[DISK_PATH_MAX];
    MDB_env *env = NULL;
    int rc, fd;

    if (disk_path(part, to, "data.mdb.part") != OK ||
        disk_path(data, to, "data.mdb") != OK)
        return fail(b, ERR_STORE, "the name %s is too long", to);
    rc = fsck_env_open(from, still, &b->found, &env);
    if (rc != 0)
        return fail_rc(b, "cannot read the store in", from, rc);
    fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
              0600);
    rc = fd < 0 ? errno : copy_env(env, fd);
    mdb_env_close(env);
    if (fd >= 0 && close(fd) != 0 && rc == 0)
        rc = errno;
    if (rc == 0 && rename(part, data) != 0)
        rc = errno;
    if (rc == 0)
        rc = sync_folder(to);
    if (rc == 0)
        return OK;
    if (fd >= 0)
        (void)unlink(part);
    return fail_rc(b, "cannot write", data, rc);
}

static enum err
check_copy(struct backup *b, const char *dir)
{
    struct fsck_config c = {
        .dir = dir, .still = true, .fault = b->fault, .arg = b->arg};
    enum err e = fsck_run(&c, &b->found);

    if (e != OK)
        return fail(b, ERR_STORE, "the copy in %s cannot be read", dir);
    return OK;
}

enum err
backup_make(struct backup *b, const char *to)
{
    char parent[DISK_PATH_MAX];
    bool made = mkdir(to, 0700) == 0;
    enum err e;
    int rc;

    if (!made && errno != EEXIST)
        return fail(b, ERR_STORE, "cannot make the folder %s: %s", to,
                    strerror(errno));
    if (!made && !folder_is_empty(to))
        return fail(b, ERR_CONFLICT, "%s is not an empty folder", to);
    if (!made && chmod(to, 0700) != 0)
        return fail(b, ERR_STORE, "cannot make %s private: %s", to,
                    strerror(errno));
    e = copy_store(b, b->store, false, to);
    if (e != OK) {
        if (made)
            (void)rmdir(to);
        return e;
    }
    folder_of(parent, to);
    rc = sync_folder(parent);
    if (rc != 0)
        return fail_rc(b, "cannot make durable", parent, rc);
    return check_copy(b, to);
}

/* --- restoring -------------------------------------------------------- */

/* The lock, or who has it. The descriptor must stay open. */
static enum err
take_lock(struct backup *b, const char *path, int *fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return fail(b, ERR_STORE, "cannot open %s: %s", path, strerror(errno));
    if (fcntl(*fd, F_SETLK, &lock) == 0)
        return OK;
    if (errno != EAGAIN && errno != EACCES)
        return fail(b, ERR_STORE, "cannot lock %s: %s", path, strerror(errno));
    if (fcntl(*fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
        return fail(b, ERR_BUSY, "process %d uses the store; stop the server",
                    (int)lock.l_pid);
    return fail(b, ERR_BUSY, "another process uses the store");
}

/* A second name for the old store, in a folder beside it. */
static enum err
keep_old(struct backup *b, const char *data, const char *file)
{
    char name[40], path[DISK_PATH_MAX];
    time_t now = time(NULL);
    struct tm tm;
    int rc = EEXIST;

    if (access(file, F_OK) != 0)
        return OK; /* there is none */
    (void)gmtime_r(&now, &tm);
    (void)strftime(name, sizeof(name), "store.old-%Y%m%dT%H%M%SZ", &tm);
    for (int i = 1; i < NAMES_MAX && rc == EEXIST; i++) {
        int n = snprintf(b->kept, sizeof(b->kept), "%s/%s", data, name);

        if (i > 1)
            (void)snprintf(b->kept + n, sizeof(b->kept) - (size_t)n, "-%d", i);
        rc = mkdir(b->kept, 0700) == 0 ? 0 : errno;
    }
    if (rc == 0 && disk_path(path, b->kept, "data.mdb") != OK)
        rc = ENAMETOOLONG;
    /* Some file systems have no links: then it is moved. */
    if (rc == 0 && link(file, path) != 0 && rename(file, path) != 0)
        rc = errno;
    if (rc == 0)
        rc = sync_folder(b->kept);
    if (rc == 0)
        rc = sync_folder(data);
    if (rc == 0) {
        give_to_owner_of(data, b->kept);
        return OK;
    }
    return fail_rc(b, "cannot keep the old store as", b->kept, rc);
}

/* What is made from a store goes before it does: the old store can do without,
 * the new one must not meet it. */
static enum err
sweep(struct backup *b, const char *data)
{
    static const char *const names[] = {"streams", "search"};
    char path[DISK_PATH_MAX];

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (disk_path(path, data, names[i]) != OK)
            return fail(b, ERR_STORE, "the name %s is too long", data);
        if (!folder_remove(path))
            return fail(b, ERR_STORE, "cannot remove %s: %s", path,
                        strerror(errno));
    }
    return OK;
}

/* With the lock. */
static enum err
swap(struct backup *b, const char *data, const char *copy, const char *file)
{
    enum err e = sweep(b, data);
    int rc;

    /* Then, for keeping it may take the old store away. */
    if (e == OK)
        e = keep_old(b, data, file);
    if (e != OK)
        return e;
    give_to_owner_of(data, copy);
    rc = rename(copy, file) == 0 ? 0 : errno;
    if (rc == 0)
        rc = sync_folder(b->store);
    if (rc != 0)
        return fail_rc(b, "cannot put the store in place as", file, rc);
    rc = sync_folder(data);
    return rc == 0 ? OK : fail_rc(b, "cannot make durable", data, rc);
}

/* Being the first to open it: a new table of readers. */
static enum err
open_once(struct backup *b)
{
    struct fsck_result r;
    MDB_env *env = NULL;
    int rc = fsck_env_open(b->store, false, &r, &env);

    if (rc != 0)
        return fail_rc(b, "cannot open the store in", b->store, rc);
    mdb_env_close(env);
    return OK;
}

static enum err
restore_locked(struct backup *b, const char *data, const char *from,
               const char *staging, bool force)
{
    char lock[DISK_PATH_MAX], copy[DISK_PATH_MAX], file[DISK_PATH_MAX];
    enum err e;

    if (disk_path(lock, from, "lock.mdb") != OK ||
        disk_path(copy, staging, "data.mdb") != OK ||
        disk_path(file, b->store, "data.mdb") != OK)
        return fail(b, ERR_STORE, "a name is too long");
    e = copy_store(b, from, access(lock, F_OK) != 0, staging);
    if (e == OK)
        e = check_copy(b, staging);
    if (e == OK && b->found.faults > 0 && !force)
        e = fail(b, ERR_BADREQ, "the backup has faults: %" PRIu64,
                 b->found.faults);
    if (e == OK && b->ended != NULL) {
        int rc = backup_leave_out(b, staging);

        if (rc != 0)
            e = fail_rc(b, "cannot end what has to be in", staging, rc);
    }
    if (e == OK)
        e = swap(b, data, copy, file);
    return e == OK ? open_once(b) : e;
}

static bool
same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

enum err
backup_restore(struct backup *b, const char *data, const char *from, bool force)
{
    char lock[DISK_PATH_MAX], staging[DISK_PATH_MAX];
    enum err e;
    int fd = -1;

    if (disk_path(lock, b->store, "lock.mdb") != OK ||
        disk_path(staging, data, "store.new") != OK)
        return fail(b, ERR_STORE, "the name %s is too long", data);
    if (same_file(from, b->store))
        return fail(b, ERR_BADREQ, "%s is the store itself", from);
    if (disk_folder(b->store) != OK)
        return fail(b, ERR_STORE, "cannot use the folder %s", b->store);
    e = take_lock(b, lock, &fd);
    if (e == OK) {
        give_to_owner_of(data, b->store);
        give_to_owner_of(data, lock);
        (void)folder_remove(staging); /* of one that was killed */
        if (mkdir(staging, 0700) != 0)
            e = fail(b, ERR_STORE, "cannot make the folder %s: %s", staging,
                     strerror(errno));
        else
            e = restore_locked(b, data, from, staging, force);
        (void)folder_remove(staging);
    }
    if (fd >= 0)
        (void)close(fd); /* and the lock with it */
    return e;
}
