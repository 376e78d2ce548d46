/*
 * What the store and the stream log ask of the file system: a private folder
 * on a local disk, blocks that are really there, and whether the disk is
 * full. Any thread.
 */
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include "base/base.h"

#define DISK_PATH_MAX 1024 /* bytes of a path, with its NUL */

/* dir + "/" + name. ERR_STORE with a log line if it is too long. */
MUST_USE enum err disk_path(char out[DISK_PATH_MAX], const char *dir,
                            const char *name);
/* Make the folder and what is missing above it, mode 0700, and refuse it
 * where memory maps of other machines would not agree with ours: NFS, SMB
 * and the like. ERR_STORE with a log line. */
MUST_USE enum err disk_folder(const char *dir);
/* The name of the remote file system that dir is on ("nfs"); NULL: a local
 * one, or it cannot be known. */
const char *disk_remote(const char *dir);
/* Give bytes [from, to) of the file blocks, so that a store into a shared map
 * of them cannot fail. ERR_FULL: no room; ERR_STORE: anything else (logged).
 */
MUST_USE enum err disk_allocate(int fd, off_t from, off_t to);
/* The same for a file that LMDB is about to make and map (its lock file),
 * without changing its length. Best effort. */
void disk_allocate_ahead(const char *path, off_t bytes);
/* Is an error of this number one of a full disk? EIO counts if the disk has
 * hardly room left: LMDB reports a short write so. */
bool disk_is_full(const char *dir, int errnum);

#endif
