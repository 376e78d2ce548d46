/*
 * The file system under the store. LMDB maps its files shared: that is
 * coherent between processes of one machine and not between machines, so
 * remote file systems are refused by name rather than found out by damage.
 * FUSE says nothing about what is behind it; the mount table does.
 */
#include "base/base.h"

#include "store/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"

#define FULL_BYTES (256 * 1024) /* less than this free is a full disk */
#define MOUNT_LINE_MAX 4096

static const struct {
    uint32_t magic; /* f_type of statfs(2) */
    const char *name;
} remote[] = {
    {0x6969, "nfs"},      {0x517b, "smb"},        {0xff534d42, "cifs"},
    {0xfe534d42, "smb2"}, {0x5346414f, "afs"},    {0x6b414653, "afs"},
    {0x73757245, "coda"}, {0x00c36400, "ceph"},   {0x0bd00bd0, "lustre"},
    {0x564c, "ncp"},      {0x19830326, "beegfs"},
};
#define FUSE_MAGIC 0x65735546

static const char *const remote_fuse[] = {
    "fuse.sshfs",     "fuse.glusterfs",     "fuse.s3fs",    "fuse.goofys",
    "fuse.rclone",    "fuse.gcsfuse",       "fuse.davfs",   "fuse.ceph",
    "fuse.ceph-fuse", "fuse.mountpoint-s3", "fuse.juicefs", "fuse.curlftpfs",
    "fuse.moosefs",   "fuse.mfs",           "fuse.nfs",     "fuse.seaweedfs",
    "fuse.blobfuse",  "fuse.blobfuse2",     "fuse.hdfs",    "fuse.smbnetfs",
};

enum err
disk_path(char out[DISK_PATH_MAX], const char *dir, const char *name)
{
    int n = snprintf(out, DISK_PATH_MAX, "%s/%s", dir, name);

    if (n < 0 || n >= DISK_PATH_MAX) {
        log_error("store.path", "error=too_long max=%d", DISK_PATH_MAX - 1);
        return ERR_STORE;
    }
    return OK;
}

/* The type of the mount that holds device dev, from the mount table. */
static bool
mount_type(dev_t dev, char *out, size_t max)
{
    char line[MOUNT_LINE_MAX];
    FILE *f = fopen("/proc/self/mountinfo", "re");
    bool found = false;

    if (f == NULL)
        return false;
    while (!found && fgets(line, sizeof(line), f) != NULL) {
        const char *dash = strstr(line, " - ");
        unsigned major_no, minor_no;
        size_t n;

        if (dash == NULL ||
            sscanf(line, "%*d %*d %u:%u", &major_no, &minor_no) != 2 ||
            makedev(major_no, minor_no) != dev)
            continue;
        n = strcspn(dash + 3, " \n");
        if (n >= max)
            continue;
        memcpy(out, dash + 3, n);
        out[n] = '\0';
        found = true;
    }
    (void)fclose(f);
    return found;
}

const char *
disk_remote(const char *dir)
{
    struct statfs fs;
    struct stat st;
    char type[64];

    if (statfs(dir, &fs) != 0)
        return NULL;
    for (size_t i = 0; i < COUNT_OF(remote); i++)
        if ((uint32_t)fs.f_type == remote[i].magic)
            return remote[i].name;
    if ((uint32_t)fs.f_type != FUSE_MAGIC || stat(dir, &st) != 0 ||
        !mount_type(st.st_dev, type, sizeof(type)))
        return NULL;
    for (size_t i = 0; i < COUNT_OF(remote_fuse); i++)
        if (strcmp(type, remote_fuse[i]) == 0)
            return remote_fuse[i];
    return NULL;
}

/* mkdir -p */
static int
make_all(char *path)
{
    for (char *p = path + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            *p = '/';
            return -1;
        }
        *p = '/';
    }
    return mkdir(path, 0700) != 0 && errno != EEXIST ? -1 : 0;
}

enum err
disk_folder(const char *dir)
{
    char path[DISK_PATH_MAX];
    const char *name;
    int n = snprintf(path, sizeof(path), "%s", dir);

    if (n <= 0 || n >= DISK_PATH_MAX) {
        log_error("store.path", "error=too_long max=%d", DISK_PATH_MAX - 1);
        return ERR_STORE;
    }
    if (make_all(path) != 0 || access(dir, R_OK | W_OK | X_OK) != 0) {
        log_error("store.folder", "dir=\"%s\" error=\"%s\"", dir,
                  strerror(errno));
        return ERR_STORE;
    }
    name = disk_remote(dir);
    if (name != NULL) {
        log_error("store.remote",
                  "dir=\"%s\" type=%s error=\"memory maps are not safe on a "
                  "remote file system; set DATA_DIR to a local disk\"",
                  dir, name);
        return ERR_STORE;
    }
    return OK;
}

enum err
disk_allocate(int fd, off_t from, off_t to)
{
    int rc;

    if (to <= from)
        return OK;
    do
        rc = posix_fallocate(fd, from, to - from);
    while (rc == EINTR);
    if (rc == 0)
        return OK;
    if (rc == ENOSPC || rc == EDQUOT || rc == EFBIG)
        return ERR_FULL;
    log_error("store.allocate", "bytes=%lld error=\"%s\"",
              (long long)(to - from), strerror(rc));
    return ERR_STORE;
}

void
disk_allocate_ahead(const char *path, off_t bytes)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return;
    (void)fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, bytes); /* best effort */
    (void)close(fd);
}

bool
disk_is_full(const char *dir, int errnum)
{
    struct statvfs v;

    if (errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG)
        return true;
    if (errnum != EIO || statvfs(dir, &v) != 0)
        return false;
    return (uint64_t)v.f_bavail * v.f_frsize < FULL_BYTES;
}
