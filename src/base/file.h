/*
 * Files that are read whole. Any thread.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/base.h"

/* Read a file, or as much of it as max bytes hold, and return how many came:
 * max means that it may be longer. -1: errno says why it cannot be read. */
MUST_USE ssize_t file_read(const char *path, char *to, size_t max);

#endif
