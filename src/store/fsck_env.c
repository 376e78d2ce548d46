/*
 * A store that is opened to read it, while others may write to it or put
 * another in its place.
 *
 * LMDB maps the file. A file that is shorter than it says would end the
 * process with a signal, so that is looked at first. One that grows later is
 * beyond the map, which LMDB says when a transaction begins.
 */
#include "base/base.h"

#include "store/fsck_inside.h"

#include <sys/stat.h>
#include <unistd.h>

#include "store/disk.h"

#define OPEN_TRIES 3

/* Is the file as long as it says, and still the one of that name (a restore
 * puts another there)? */
static int
check_file(MDB_env *env, const char *path, struct fsck_result *out)
{
    struct stat mine, named;
    MDB_envinfo info;
    MDB_stat st;
    int fd;

    errno = 0;
    if (mdb_env_info(env, &info) != 0 || mdb_env_stat(env, &st) != 0 ||
        mdb_env_get_fd(env, &fd) != 0 || fstat(fd, &mine) != 0 ||
        stat(path, &named) != 0)
        return errno != 0 ? errno : EIO;
    if (mine.st_ino != named.st_ino || mine.st_dev != named.st_dev)
        return EAGAIN;
    out->bytes = (uint64_t)mine.st_size;
    if ((uint64_t)mine.st_size <
        ((uint64_t)info.me_last_pgno + 1) * st.ms_psize)
        return MDB_CORRUPTED;
    return 0;
}

int
fsck_env_open(const char *dir, bool still, struct fsck_result *out,
              MDB_env **env)
{
    char data[DISK_PATH_MAX];
    int rc = EAGAIN;

    if (disk_path(data, dir, "data.mdb") != OK)
        return ENAMETOOLONG;
    if (access(data, F_OK) != 0)
        return ENOENT;
    for (int i = 0; i < OPEN_TRIES && rc == EAGAIN; i++) {
        rc = mdb_env_create(env);
        if (rc != 0)
            return rc;
        rc = mdb_env_set_maxdbs(*env, DB__N);
        if (rc == 0)
            rc = mdb_env_set_maxreaders(*env, LMDB_READERS_MAX);
        if (rc == 0)
            rc = mdb_env_open(*env, dir,
                              MDB_RDONLY | MDB_NOTLS | (still ? MDB_NOLOCK : 0),
                              0600);
        if (rc == 0)
            rc = check_file(*env, data, out);
        if (rc != 0)
            mdb_env_close(*env);
    }
    return rc;
}

bool
fsck_env_grew(MDB_env *env, int rc)
{
    return rc == MDB_MAP_RESIZED && mdb_env_set_mapsize(env, 0) == 0;
}

int
fsck_env_begin(MDB_env *env, MDB_txn **txn)
{
    int rc;

    do
        rc = mdb_txn_begin(env, NULL, MDB_RDONLY, txn);
    while (fsck_env_grew(env, rc));
    return rc;
}
