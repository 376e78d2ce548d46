/*
 * What the name of a file says of it. Private to files/kind*.c.
 */
#ifndef FILES_KIND_NAMES_H
#define FILES_KIND_NAMES_H

#include "files/kind.h"

/* By the extension of a path's last part, whatever its case, or by all of it
 * ("Makefile"). False: it says nothing. A name of something that nobody here
 * reads (an archive, a film) is known too: KIND_NONE. */
bool kind_named(const char *path, struct kind *out);
/* The media type of a kind that has but one. "" else. */
const char *kind_type(enum file_kind kind);

#endif
