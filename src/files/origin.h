/*
 * Which folder the documents of a collection were read from last, as the kernel
 * numbers folders. A name may lead to another one: a disk that is not mounted
 * leaves an empty folder in its place, from which nothing is to be learnt.
 */
#ifndef FILES_ORIGIN_H
#define FILES_ORIGIN_H

#include <sys/stat.h>

#include "base/base.h"

/* Is it the one that was noted? False: another, or none was. dir is that of the
 * index. Any thread; blocks. */
bool origin_is(const char *dir, int64_t collection, const struct stat *root);
/* Is there nothing in the folder at all, not even a hidden name? False too
 * where that cannot be known. */
bool origin_is_empty(int root);
/* Note it; what fails is logged. */
void origin_note(const char *dir, int64_t collection, const struct stat *root);

#endif
