/*
 * The data folder: is it there, private, on a disk of this machine, writable,
 * and is there room? Nothing is made and nothing is changed.
 */
#include "base/base.h"

#include "doctor.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/process.h"
#include "store/disk.h"

#define ROOM_FAIL_MIB 64
#define ROOM_WARN_MIB 1024
#define INODES_WARN 1000

/* Mode of what lies in the data folder; conversations are in all of them. */
static bool
look_at_modes(struct doctor *d, const char *dir)
{
    static const char *const parts[] = {"", "/store", "/streams", "/search"};
    bool good = true;

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        char path[PROCESS_PATH_MAX];
        unsigned mode;
        bool open;
        struct stat st;

        (void)snprintf(path, sizeof(path), "%s%s", dir, parts[i]);
        if (stat(path, &st) != 0)
            continue;
        mode = (unsigned)st.st_mode & 07777;
        if ((mode & 077) == 0)
            continue;
        /* What lies in it has a mode of its own; but who may write there can
         * put sockets and folders of his own in place of ours. */
        open = i > 0 || (mode & 022) != 0;
        doctor_say(d, open ? DOCTOR_FAIL : DOCTOR_WARN, "folder-mode",
                   "other users may %s %s (mode %04o, not 0700)",
                   (mode & 022) != 0 ? "write in" : "look into", path, mode);
        doctor_change(d, "shell", "chmod 700 %s", path);
        good = false;
    }
    return good;
}

/* Who the folder belongs to must be who runs the server. */
static bool
look_at_access(struct doctor *d, const char *dir, const struct stat *st)
{
    if (access(dir, R_OK | W_OK | X_OK) == 0)
        return true;
    if (errno == EROFS) {
        doctor_say(d, DOCTOR_FAIL, "folder",
                   "%s is on a disk that is mounted "
                   "read-only",
                   dir);
        doctor_change(d, "shell", "mount -o remount,rw …");
        return false;
    }
    /* The server may well run as another user than who asks. */
    doctor_say(d, st->st_uid == geteuid() ? DOCTOR_FAIL : DOCTOR_NOTE, "folder",
               "you may not write in %s; it belongs to user number %u, and so "
               "must the server and who runs parley",
               dir, (unsigned)st->st_uid);
    if (st->st_uid == geteuid())
        doctor_change(d, "shell", "chmod 700 %s", dir);
    return false;
}

static void
look_at_disk(struct doctor *d, const char *dir)
{
    const char *remote = disk_remote(dir);
    struct statvfs v;
    uint64_t mib;

    if (remote != NULL) {
        doctor_say(d, DOCTOR_FAIL, "disk",
                   "%s is on a remote file system (%s): the store does not "
                   "work there",
                   dir, remote);
        doctor_change(d, ".env", "DATA_DIR=… (a folder on a local disk)");
        return;
    }
    if (statvfs(dir, &v) != 0) {
        doctor_say(d, DOCTOR_FAIL, "disk", "cannot be asked: %s",
                   strerror(errno));
        return;
    }
    mib = (uint64_t)v.f_bavail * v.f_frsize >> 20;

    if (mib < ROOM_WARN_MIB) {
        doctor_say(d, mib < ROOM_FAIL_MIB ? DOCTOR_FAIL : DOCTOR_WARN, "disk",
                   "only %" PRIu64 " MiB are free for %s", mib, dir);
        doctor_change(d, ".env", "SESSION_TTL=… (or make room)");
        return;
    }
    if (v.f_files > 0 && v.f_favail < INODES_WARN) {
        doctor_say(d, v.f_favail == 0 ? DOCTOR_FAIL : DOCTOR_WARN, "disk",
                   "only %" PRIu64 " more files can be made beside %s",
                   (uint64_t)v.f_favail, dir);
        return;
    }
    doctor_say(d, DOCTOR_OK, "disk", "local, %" PRIu64 " MiB are free", mib);
}

void
doctor_folder(struct doctor *d)
{
    const char *dir = conf_str(CONF_DATA_DIR);
    struct sockaddr_un address;
    struct stat st;
    bool private;

    if (strlen(dir) + sizeof("/engine.sock") > sizeof(address.sun_path)) {
        doctor_say(d, DOCTOR_WARN, "folder",
                   "the name of %s is too long for sockets in it; `make run` "
                   "gives it a short one",
                   dir);
        doctor_change(d, ".env", "DATA_DIR=… (less than %zu bytes)",
                      sizeof(address.sun_path) - sizeof("/engine.sock"));
    }
    if (stat(dir, &st) != 0) {
        bool missing = errno == ENOENT;

        doctor_say(d, missing ? DOCTOR_NOTE : DOCTOR_FAIL, "folder",
                   missing ? "%s is not there; the server makes it when it "
                             "starts (%s)"
                           : "%s: %s",
                   dir, strerror(errno));
        return;
    }
    if (!S_ISDIR(st.st_mode)) {
        doctor_say(d, DOCTOR_FAIL, "folder", "%s is no folder", dir);
        doctor_change(d, ".env", "DATA_DIR=…");
        return;
    }
    private = look_at_modes(d, dir);
    if (look_at_access(d, dir, &st) && private)
        doctor_say(d, DOCTOR_OK, "folder", "%s is private", dir);
    look_at_disk(d, dir);
}
