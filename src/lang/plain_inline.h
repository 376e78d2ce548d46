/* Within a line: the inside of plain.c and plain_inline.c. */
#ifndef LANG_PLAIN_INLINE_H
#define LANG_PLAIN_INLINE_H

#include "base/base.h"

struct plain;

#define PLAIN_OPEN_MAX 16 /* brackets that are open at once; more are text */

struct plain_inline {
    struct plain *out;           /* has room for all that comes */
    const char *s;               /* the input */
    size_t begin;                /* of the block, in out */
    size_t open[PLAIN_OPEN_MAX]; /* "[" that were written, in out */
    size_t n_open;
};

/* One more line (bytes from..to of the input) of the block. */
void plain_inline_line(struct plain_inline *in, size_t from, size_t to);
/* A space, if the block needs one here; or "\n". */
void plain_inline_gap(struct plain_inline *in, char c, size_t from);
/* The block is whole: no space at its end. */
void plain_inline_end(struct plain_inline *in);

#endif
