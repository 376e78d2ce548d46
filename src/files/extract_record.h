/*
 * What a reader in its own process says to the one that started it: blocks,
 * then facts, then how it ended; extract_record.c has the bytes. Both ends are
 * of one version, but the end that reads believes nothing: the other may have
 * been taken over by the file.
 */
#ifndef FILES_EXTRACT_RECORD_H
#define FILES_EXTRACT_RECORD_H

#include "base/buf.h"
#include "files/block.h"

#define RECORD_MAGIC "PX1\n"
#define RECORD_PAGE_MAX 1000000
#define RECORD_PIXELS_MAX 1000000 /* of an edge of an image */
#define RECORD_HEAD 12            /* bytes in front of a block's text */
/* Bytes of the largest one. */
#define RECORD_MAX (RECORD_HEAD + BLOCK_MAX)

/* --- writing -------------------------------------------------------------- */

void record_begin(struct buf *out);
void record_block(struct buf *out, const struct block *b);
void record_facts(struct buf *out, const struct facts *f);
/* why: SKIP_NOT if all went well. */
void record_end(struct buf *out, enum skip why);

/* Take out of the texts of facts what a record may not hold: control
 * characters and what is no UTF-8. */
void record_clean(struct facts *f);

/* --- reading -------------------------------------------------------------- */

struct record_reader {
    block_fn *fn;
    void *arg;
    struct facts *facts; /* set by the record of facts; never before */
    struct buf held;     /* what is not a whole record yet */
    int64_t total;       /* bytes of text so far */
    struct block last;   /* shape of the one before; its text is gone */
    bool begun, any, has_facts, ended;
    enum skip why; /* how it ended, or SKIP_BROKEN, SKIP_BOMB */
};

void record_reader_init(struct record_reader *r, block_fn *fn, void *arg,
                        struct facts *facts);
void record_reader_release(struct record_reader *r);
/* Take n bytes, any split of the whole. OK; ERR_IMPOSSIBLE: it is not as it
 * must be (r->why); or what fn said. Nothing may follow the end. */
MUST_USE enum err record_feed(struct record_reader *r, const char *bytes,
                              size_t n);

#endif
