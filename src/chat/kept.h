/*
 * An answer that is kept: the parts that a provider said, in their order, so
 * that they can be told again. Neighbours of one kind become one part. One
 * that calls tools is not for keeping: what a tool says or does may be another
 * thing the next time. Plain memory; one thread at a time.
 */
#ifndef CHAT_KEPT_H
#define CHAT_KEPT_H

#include "base/buf.h"
#include "provider/provider.h"

#define KEPT_MAX (1024 * 1024) /* bytes of one answer */

struct kept {
    struct buf bytes;   /* heads and texts of the parts */
    size_t last;        /* where the last part's head is; if there are any */
    struct usage usage; /* the last that was told */
    bool has_usage;
    bool has_text; /* some of it is text for the user */
    bool unfit;    /* too long, or it calls tools: the rest is worthless */
};

void kept_init(struct kept *k);
void kept_release(struct kept *k);
void kept_clear(struct kept *k);
/* Copies. Ends and errors are no parts of it: they are left out. A tool call
 * makes it unfit, and so does what passes KEPT_MAX. */
void kept_add(struct kept *k, const struct part *p);
/* All parts in order, the usage last. k is fit. */
void kept_tell(const struct kept *k, part_fn *fn, void *arg);

#endif
