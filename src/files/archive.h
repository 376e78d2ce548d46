/*
 * The ZIP archive that a document is: its parts by their names, unpacked bit by
 * bit and never written anywhere. Whoever packed it may not have us unpack much
 * more than they sent. One thread; in the child (files/extract.h).
 */
#ifndef FILES_ARCHIVE_H
#define FILES_ARCHIVE_H

#include "files/block.h"
#include "files/charset.h"

#include <zip.h>

#define ARCHIVE_ENTRIES_MAX 65536
#define ARCHIVE_ALL_MAX (4 * 64L * 1024 * 1024) /* bytes unpacked, in all */
#define ARCHIVE_SMALL (4L * 1024 * 1024) /* bytes; no ratio is asked of these */

struct archive {
    zip_t *zip;
    int64_t left; /* bytes that may still be unpacked */
    enum skip why;
};

/* A part that is being unpacked, as a source (files/charset.h). */
struct archive_part {
    struct archive *archive;
    zip_file_t *file;
    uint64_t packed, done; /* bytes */
};

/* fd stays the caller's. ERR_IMPOSSIBLE with *why. */
enum err archive_open(struct archive *a, int fd, enum skip *why);
void archive_close(struct archive *a);

/* Begin to unpack a part. ERR_NOTFOUND; ERR_IMPOSSIBLE with a->why. Case does
 * not matter where there is no part of exactly this name. */
enum err archive_part(struct archive *a, const char *name,
                      struct archive_part *out);
void archive_part_end(struct archive_part *p);
/* -1: a->why says what is wrong with it. */
struct source archive_source(struct archive_part *p);

#endif
