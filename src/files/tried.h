/*
 * Files whose reading did not end: the process that read them died, was killed
 * for want of memory, or was at it for so long that it was given up. What is
 * written down here outlives the process, so that such a file is not tried
 * again for ever. One for each process that reads; a file beside the index is
 * common to all.
 */
#ifndef FILES_TRIED_H
#define FILES_TRIED_H

#include "base/base.h"

#define TRIED_MAX 3     /* times that a file is tried */
#define TRIED_FILES 256 /* that are kept in mind */

struct tried;

/* dir is that of the index. Never NULL: where nothing can be written down
 * (logged) every file is new. */
struct tried *tried_open(const char *dir);
void tried_close(struct tried *t); /* NULL is fine */

/* A file, as it is now, is about to be read. Returns how often that did not
 * end; processes that are at it now do not count. t NULL: 0. The end is
 * tried_end. One thread at a time. */
unsigned tried_begin(struct tried *t, int64_t collection, const char *name,
                     int64_t size, int64_t mtime_ns);
/* It was read, or given up for a reason that is not its fault; gave_up: it
 * counts. */
void tried_end(struct tried *t, bool gave_up);

/* Monotonic, since when a file is read; 0: none is. Any thread. */
int64_t tried_since_ms(const struct tried *t);
/* This process is about to be ended by somebody: what it reads does not count.
 * For a signal's handler. */
void tried_forgive(struct tried *t);

#endif
