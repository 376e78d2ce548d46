/* What a put holds until its end: the inside of put*.c. */
#ifndef FILES_PUT_H
#define FILES_PUT_H

#include "base/buf.h"
#include "files/chunk.h"
#include "files/shelf.h"

#define PUT_TEXT_MAX (64 * 1024) /* bytes of a chunk */

struct put_head {
    int64_t start;
    uint32_t page, heading_len, text_len;
};

struct files_put {
    struct files *files;
    int64_t collection;
    struct buf held; /* records that are not in the file yet */
    int fd;          /* -1: there is none */
    uint32_t chunks;
    int64_t text_len; /* end of the last chunk */
    struct buf guess; /* the first bytes of the text */
    enum err err;     /* of an earlier chunk: nothing more is taken */
};

/* What is held goes to the file. */
MUST_USE enum err put_spill(struct files_put *p);

#endif
