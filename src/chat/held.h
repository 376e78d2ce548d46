/*
 * Parts of an answer that wait for a client that cannot take more. Neighbours
 * of one kind become one, so a slow client costs the text and little besides.
 * Owned by who embeds it; one thread.
 */
#ifndef CHAT_HELD_H
#define CHAT_HELD_H

#include "provider/provider.h"

#define HELD_MAX (4 * 1024 * 1024) /* bytes, with what holds them together */

struct held_part;

/* Zeroed: nothing waits. */
struct held {
    struct held_part *first, *last; /* owned */
    size_t bytes;
};

/* Keep a copy of a part at the end. False, and nothing is kept: it would be
 * more than HELD_MAX. */
MUST_USE bool held_add(struct held *h, const struct part *p);
/* Hand out what came first, and forget it: about max bytes at most. Texts,
 * thoughts and arguments may be cut anywhere, also inside a character. */
void held_give(struct held *h, size_t max, part_fn *fn, void *arg);
void held_clear(struct held *h);

#endif
