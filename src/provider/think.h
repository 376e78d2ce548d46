/*
 * <think>…</think> at the beginning of an answer is reasoning: so write many
 * open models whose server does not take it apart. This does, for a text that
 * comes in pieces, also where a piece ends inside a tag. Pure.
 *
 * White space before the tag, after it, and after the closing tag belongs to
 * nothing. A tag that is not the first thing of the answer is text.
 */
#ifndef PROVIDER_THINK_H
#define PROVIDER_THINK_H

#include "provider/provider.h"

#define THINK_HELD_MAX 64 /* bytes that may wait for the rest of a tag */

struct think {
    enum {
        THINK_START,  /* perhaps before the tag */
        THINK_OPENED, /* after <think>, only white space so far */
        THINK_INSIDE,
        THINK_CLOSED, /* after </think>, only white space so far */
        THINK_TEXT
    } state;
    char held[THINK_HELD_MAX];
    size_t n_held;
};

void think_init(struct think *t);
/* More text of the answer; told as PART_REASONING and PART_TEXT. */
void think_feed(struct think *t, const char *p, size_t n, part_fn *fn,
                void *arg);
/* The text stops here: tell what waited. More may be fed all the same, after
 * parts of another kind. */
void think_flush(struct think *t, part_fn *fn, void *arg);

#endif
