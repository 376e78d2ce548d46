/*
 * Bytes on their way in that are too many for memory: a file without a name,
 * which is gone with its descriptor, however the process ends. Any thread, one
 * at a time.
 */
#ifndef HTTP_SPOOL_H
#define HTTP_SPOOL_H

#include "base/base.h"

/* A new file in dir, for reading and writing, closed by exec; *fd is the
 * caller's. ERR_FULL: no room; ERR_STORE: anything else (logged). */
MUST_USE enum err spool_open(int *fd, const char *dir);
/* Put n bytes behind what was written. Errors as above. */
MUST_USE enum err spool_write(int fd, const void *p, size_t n);
/* Read up to n bytes at an offset. 0: it ends there; -1: failed (logged). */
ssize_t spool_read(int fd, uint64_t at, void *p, size_t n);

#endif
