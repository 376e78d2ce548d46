/*
 * Puts blocks together out of what a reader of a format finds: words, marks of
 * where a paragraph begins, breaks. White space is folded (but in code),
 * characters that show nothing and what is no UTF-8 are left out, an empty
 * block is never given, and a long one is given in parts. One thread.
 *
 * Once something has gone wrong all further calls do nothing, so a reader may
 * look at err now and then instead of after each call.
 */
#ifndef FILES_COMPOSE_H
#define FILES_COMPOSE_H

#include "base/buf.h"
#include "files/block.h"

#define COMPOSE_BLANKS_MAX 256 /* bytes of blanks kept together in code */

struct compose {
    block_fn *fn;
    void *arg;
    struct buf text;    /* of the block that is being put together */
    struct block shape; /* its kind, level and page */
    bool open;          /* a part of it was given, more comes */
    bool space;         /* white space that is not written yet */
    bool cell;          /* a border of cells that is not written yet */
    unsigned lines;     /* line feeds that are not written yet */
    char blanks[COMPOSE_BLANKS_MAX]; /* the same, of code */
    size_t n_blanks;
    int64_t total; /* bytes given */
    enum err err;
    enum skip why;
};

void compose_init(struct compose *c, block_fn *fn, void *arg);
void compose_release(struct compose *c);

/* End the block that is there; what comes now belongs to one of this kind.
 * level: 1 to 6 of a heading, else 0. */
void compose_block(struct compose *c, enum block_kind kind, int level);
/* The same kind again. */
void compose_again(struct compose *c);
/* Blocks that begin from now on are on this page. */
void compose_page(struct compose *c, int page);
/* Add text, whole characters. */
void compose_text(struct compose *c, const char *s, size_t n);
void compose_str(struct compose *c, const char *s);
/* A break within the block: a line feed, where the kind has them. */
void compose_line(struct compose *c);
/* A cell of a row ends here: a bar, if something stands before and behind. */
void compose_cell(struct compose *c);
/* How many bytes the block has until now. */
size_t compose_len(const struct compose *c);

/* Something is wrong with the file: err is ERR_IMPOSSIBLE from now on. Returns
 * that. The first reason stays. */
enum err compose_fail(struct compose *c, enum skip why);
/* Give the last block. Returns err; *why as text_read says it, SKIP_EMPTY where
 * no block was given at all. */
enum err compose_end(struct compose *c, enum skip *why);

/* The title, if there is none yet, as one line; cut to what fits. */
void compose_title(struct facts *f, const char *s, size_t n);

#endif
