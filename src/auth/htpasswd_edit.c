/*
 * Changing the password file: the new one is written beside the old and takes
 * its place, so that a reader sees one or the other. Whoever changes it holds a
 * lock on the folder, so that of two at once neither is lost. Lines of others
 * are copied byte for byte, also those that cannot be used.
 */
#include "base/base.h"

#include "auth/htpasswd_file.h"

#include <sys/file.h>

#include <crypt.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <unistd.h>

#include "auth/basic.h"
#include "base/buf.h"
#include "base/mem.h"

#define PATH_BYTES 4096
#define MODE_KEPT 0770 /* others have no business here */

/* --- a hash ------------------------------------------------------------- */

enum err
htpasswd_hash(char out[HTPASSWD_HASH_MAX + 1], const char *password,
              struct problem *why)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data *data;
    const char *hash;
    enum err e = OK;

    if (*password == '\0' || !basic_password_valid(password, strlen(password)))
        return problem_set(why, ERR_BADREQ, "invalid_password",
                           "Not a password",
                           "A password has 1 to %d bytes of UTF-8 and no "
                           "control characters.",
                           HTPASSWD_PASSWORD_MAX);
    if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) == NULL)
        return problem_set(why, ERR_INTERNAL, NULL, "No yescrypt",
                           "This system's crypt(3) cannot make a yescrypt "
                           "salt.");
    data = xcalloc(1, sizeof(*data));
    hash = crypt_rn(password, setting, data, sizeof(*data));
    if (hash == NULL || strlen(hash) > HTPASSWD_HASH_MAX)
        e = problem_set(why, ERR_INTERNAL, NULL, "No yescrypt",
                        "This system's crypt(3) failed.");
    else
        (void)snprintf(out, HTPASSWD_HASH_MAX + 1, "%s", hash);
    explicit_bzero(data, sizeof(*data));
    free(data);
    return e;
}

/* --- the file ----------------------------------------------------------- */

struct edit {
    const char *path;
    char fresh[PATH_BYTES]; /* the new one's name */
    struct stat st;         /* of the old */
    bool was;               /* is there an old one? */
    struct buf old, new;
    struct problem *why;
};

static enum err
failed(struct edit *ed, enum err e, const char *what)
{
    return problem_set(ed->why, e, "htpasswd_file", "Not changed",
                       "The password file %s %s.", ed->path, what);
}

static enum err
read_old(struct edit *ed)
{
    int fd = open(ed->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum err e = OK;
    ssize_t n = 1;

    if (fd < 0 && errno == ENOENT)
        return OK;
    if (fd < 0)
        return failed(ed, ERR_FORBIDDEN, "cannot be opened");
    ed->was = true;
    if (fstat(fd, &ed->st) != 0 || !S_ISREG(ed->st.st_mode))
        e = failed(ed, ERR_BADREQ, "is no file");
    else if (ed->st.st_size > HTPASSWD_FILE_MAX)
        e = failed(ed, ERR_BADREQ, "is too big");
    while (e == OK && n > 0) {
        char *room = buf_room(&ed->old, 65536);

        if (room == NULL) {
            e = failed(ed, ERR_BADREQ, "is too big");
            break;
        }
        do
            n = read(fd, room, 65536);
        while (n < 0 && errno == EINTR);
        if (n < 0)
            e = failed(ed, ERR_FORBIDDEN, "cannot be read");
        else
            ed->old.len += (size_t)n;
    }
    (void)close(fd);
    return e;
}

static bool
is_of(const char *line, size_t n, const char *user)
{
    size_t len = strlen(user);

    return n > len && memcmp(line, user, len) == 0 && line[len] == ':';
}

/* Fill ed->new. False: the user was not there. */
static bool
rewrite(struct edit *ed, const char *user, const char *hash)
{
    size_t at = 0;
    bool found = false;

    while (at < ed->old.len) {
        const char *line = ed->old.data + at;
        const char *end = memchr(line, '\n', ed->old.len - at);
        size_t n = end != NULL ? (size_t)(end - line) : ed->old.len - at;

        at += n + (end != NULL ? 1 : 0);
        if (!is_of(line, n, user)) {
            buf_add(&ed->new, line, n);
            buf_addc(&ed->new, '\n');
            continue;
        }
        if (hash != NULL && !found)
            buf_addf(&ed->new, "%s:%s\n", user, hash);
        found = true;
    }
    if (hash != NULL && !found)
        buf_addf(&ed->new, "%s:%s\n", user, hash);
    return found;
}

static bool
write_all(int fd, const char *s, size_t n)
{
    while (n > 0) {
        ssize_t did = write(fd, s, n);

        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return false;
        s += did;
        n -= (size_t)did;
    }
    return fsync(fd) == 0;
}

static enum err
replace(struct edit *ed)
{
    mode_t mode = ed->was ? ed->st.st_mode & MODE_KEPT : 0600;
    bool ok;
    int fd;

    (void)unlink(ed->fresh); /* of one that was killed; we have the lock */
    fd = open(ed->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
              0600);
    if (fd < 0)
        return failed(ed, ERR_FORBIDDEN,
                      "is in a folder that cannot be "
                      "written to");
    ok = write_all(fd, ed->new.data, ed->new.len);
    /* Where it cannot keep its owner, it belongs to who changed it. */
    if (ok && ed->was && fchown(fd, ed->st.st_uid, ed->st.st_gid) != 0)
        mode &= 0700;
    ok = ok && fchmod(fd, mode) == 0;
    if (close(fd) != 0)
        ok = false;
    if (ok && rename(ed->fresh, ed->path) == 0)
        return OK;
    (void)unlink(ed->fresh);
    return failed(ed, ERR_STORE, "cannot be replaced");
}

/* A lock on the folder that the file is in; < 0: none. */
static int
lock_folder(const char *path)
{
    char copy[PATH_BYTES];
    int fd, rc;

    if ((size_t)snprintf(copy, sizeof(copy), "%s", path) >= sizeof(copy))
        return -1;
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    do
        rc = flock(fd, LOCK_EX);
    while (rc != 0 && errno == EINTR);
    return fd;
}

enum err
htpasswd_put(const char *path, const char *user, const char *hash,
             struct problem *why)
{
    char real[PATH_MAX];
    struct edit ed = {.path = path, .why = why};
    enum err e;
    int folder;

    if (!basic_user_valid(user, strlen(user)))
        return problem_set(why, ERR_BADREQ, "invalid_user", "Not a user name",
                           "A user name has 1 to %d bytes of UTF-8, no colon "
                           "and no control characters.",
                           HTPASSWD_USER_MAX);
    if (realpath(path, real) != NULL)
        ed.path = real; /* a link stays one */
    if ((size_t)snprintf(ed.fresh, sizeof(ed.fresh), "%s.new", ed.path) >=
        sizeof(ed.fresh))
        return failed(&ed, ERR_BADREQ, "has too long a name");
    folder = lock_folder(ed.path);
    if (folder < 0)
        return failed(&ed, ERR_NOTFOUND, "is in a folder that is not there");
    buf_init(&ed.old, HTPASSWD_FILE_MAX + 65536 + 1);
    buf_init(&ed.new, HTPASSWD_FILE_MAX + 65536 + 1);
    e = read_old(&ed);
    if (e == OK && !rewrite(&ed, user, hash) && hash == NULL)
        e = failed(&ed, ERR_NOTFOUND, "does not have this user");
    if (e == OK && buf_status(&ed.new) != OK)
        e = failed(&ed, ERR_BADREQ, "is too big");
    if (e == OK)
        e = replace(&ed);
    buf_wipe(&ed.old);
    buf_wipe(&ed.new);
    (void)close(folder); /* and the lock is gone */
    return e;
}
