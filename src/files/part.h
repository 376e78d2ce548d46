/*
 * A part of an archive, read as XML; and the small parts that documents of
 * several kinds have. In the child (files/extract.h).
 */
#ifndef FILES_PART_H
#define FILES_PART_H

#include "files/archive.h"
#include "files/xml.h"

#define PART_NAME_MAX 1024 /* bytes of a name that a part tells, with its NUL */
#define PART_TITLE_MAX 1024 /* bytes, with its NUL */

/* ERR_NOTFOUND; ERR_IMPOSSIBLE with a->why. */
enum err part_read(struct archive *a, const char *name,
                   const struct xml_events *events, void *arg);
/* The title in a part about the document (its first dc:title); "" if there is
 * none. What is wrong with the part does not matter. */
void part_title(struct archive *a, const char *name, char out[PART_TITLE_MAX]);

#endif
