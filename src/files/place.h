/*
 * Where the file of a document lies. Pure but for the last.
 */
#ifndef FILES_PLACE_H
#define FILES_PLACE_H

#include <limits.h>

#include "files/files.h"

#define PLACE_NAME_MAX 200 /* bytes of a file's name below `uploads` */

struct place {
    char root[PATH_MAX];           /* folder */
    char path[FILES_NAME_MAX + 1]; /* below it */
};

/* dir is that of the index (files_open). ERR_TOOBIG: a name is too long. */
MUST_USE enum err place_of(const char *dir, const struct collection *c,
                           const char *name, struct place *out);
/* Open it, never through a link. -1: errno says why. */
int place_open(const struct place *p);

#endif
