/*
 * The phrases that a text is about, by RAKE (Rose et al., 2010): runs of words
 * between stop words and marks, scored by how often their words stand in long
 * runs. Deterministic. Pure; any thread.
 */
#ifndef LANG_PHRASE_H
#define LANG_PHRASE_H

#include "base/base.h"

struct reading;

#define PHRASE_WORDS_MAX 4  /* of a phrase; a longer run is none */
#define PHRASE_CHARS_MAX 8  /* as above, of scripts without spaces */
#define PHRASE_BYTES_MAX 80 /* a longer one is no phrase */
#define PHRASES_MAX 32      /* that are given at most */

struct phrase {
    const char *text; /* in the reading's plain text: the spelling that is most
                         frequent; no NUL */
    size_t len;
    size_t count; /* how often, in any spelling */
    double score; /* > 0 */
};

struct phrases {
    struct phrase at[PHRASES_MAX];
    size_t n;
};

/* The best phrases, most important first: at most want, and PHRASES_MAX. A
 * phrase that is part of a better one is left out, unless it comes far more
 * often by itself. Valid as long as r. */
void phrases_read(struct phrases *out, const struct reading *r, size_t want);

#endif
