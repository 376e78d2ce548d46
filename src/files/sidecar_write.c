/*
 * A sidecar that a model's words are written into. It says who made it, and of
 * which bytes: sidecar_stale tells when the image is another by now. A file
 * that does not say so is somebody else's and stays as it is.
 *
 * It is written beside its name and put in place whole. All of it happens below
 * the folder that was indexed, and no link is followed.
 */
#include "base/base.h"

#include "files/described.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "files/image.h"

/* --- its words ------------------------------------------------------------ */

static void
put_json(struct buf *out, const struct described *d)
{
    char hex[2 * sizeof(d->hash) + 1];
    struct json_out j;

    text_hex(hex, d->hash, sizeof(d->hash));
    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_str(&j, "description", d->description);
    json_name(&j, "tags");
    json_begin_arr(&j);
    for (const char *s = d->tags; *s != '\0';) {
        size_t n = strcspn(s, "\n");

        json_add_strn(&j, s, n);
        s += n + (s[n] != '\0');
    }
    json_end_arr(&j);
    json_put_str(&j, "described_by", d->model);
    json_put_str(&j, "sha256", hex);
    json_end_obj(&j);
    buf_addc(out, '\n');
}

/* Is the open file one that a model's words are in? */
static bool
is_made(int fd)
{
    char *bytes = xmalloc(SIDECAR_MAX + 1);
    ssize_t n = pread(fd, bytes, SIDECAR_MAX + 1, 0);
    struct facts *f = xcalloc(1, sizeof(*f));
    bool made = n > 0 && sidecar_read("a.json", bytes, (size_t)n, f) &&
                f->described_by[0] != '\0';

    free(f);
    free(bytes);
    return made;
}

/* --- its place ------------------------------------------------------------ */

/* The folder of a path below root. */
static int
folder_open(int root, const char *path)
{
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                   RESOLVE_NO_MAGICLINKS,
    };
    const char *slash = strrchr(path, '/');
    char folder[INGEST_PATH_BYTES] = ".";

    if (slash != NULL)
        (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path),
                       path);
    return (int)syscall(SYS_openat2, root, folder, &how, sizeof(how));
}

static bool
write_all(int fd, const char *s, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, s, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        s += done;
        n -= (size_t)done;
    }
    return fsync(fd) == 0;
}

/* ours: the name is that of a file of ours; else it must be free. */
static enum err
put_file(int folder, const char *name, bool ours, const struct buf *json)
{
    char beside[64];
    enum err e = ERR_STORE;
    int fd, why;

    (void)snprintf(beside, sizeof(beside), ".parley-%ld.json", (long)getpid());
    (void)unlinkat(folder, beside, 0); /* of one that was killed */
    fd = openat(folder, beside,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return ERR_STORE;
    if (write_all(fd, json->data, json->len)) {
        if (ours)
            e = renameat(folder, beside, folder, name) == 0 ? OK : ERR_STORE;
        else if (linkat(folder, beside, folder, name, 0) == 0)
            e = OK;
        else
            e = errno == EEXIST ? ERR_CONFLICT : ERR_STORE;
    }
    why = errno;
    (void)close(fd);
    if (e != OK || !ours)
        (void)unlinkat(folder, beside, 0);
    errno = why;
    return e;
}

enum err
sidecar_write(const struct ingest *in, const char *path,
              const struct described *d, char written[INGEST_PATH_BYTES])
{
    int fd = ingest_sidecar(in, path, written), folder;
    const char *slash;
    bool ours = false;
    struct buf json;
    enum err e;

    if (fd >= 0) {
        ours = is_made(fd);
        (void)close(fd);
        if (!ours)
            return ERR_CONFLICT;
    } else if (snprintf(written, INGEST_PATH_BYTES, "%s.json", path) >=
               INGEST_PATH_BYTES) {
        return ERR_TOOBIG;
    }
    folder = folder_open(in->root, written);
    if (folder < 0)
        return ERR_STORE;
    slash = strrchr(written, '/');
    buf_init(&json, SIDECAR_MAX);
    put_json(&json, d);
    e = buf_status(&json);
    if (e == OK)
        e = put_file(folder, slash != NULL ? slash + 1 : written, ours, &json);
    buf_release(&json);
    (void)close(folder);
    return e;
}
