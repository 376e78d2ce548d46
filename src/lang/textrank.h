/*
 * Which sentences say most of a text: TextRank (Mihalcea and Tarau, 2004).
 * Sentences that share words support each other; the ones with most support
 * come first. Deterministic. Pure; any thread.
 */
#ifndef LANG_TEXTRANK_H
#define LANG_TEXTRANK_H

#include "base/base.h"

struct reading;

/* Sentences that are compared. Of a longer text: the first and last eighth of
 * this number, and as many as remain, evenly, from between. */
#define TEXTRANK_SENTENCES_MAX 400

struct textrank {
    double *rank; /* owned; per sentence of the reading, >= 0; 0: not compared,
                     or it says nothing. The best is 1 unless all are 0. */
    size_t n;
};

/* Time in proportion to the words, and to the square of the number of
 * sentences compared. */
void textrank_read(struct textrank *t, const struct reading *r);
void textrank_release(struct textrank *t);

struct textrank_want {
    size_t sentences; /* at most so many */
    size_t bytes;     /* of their plain text together; 0: any */
};
/* The best sentences, near-duplicates and what says nothing left out, as
 * indices into out (room for want->sentences), in the order of the text. How
 * many. Only of sentences from..to of the reading. */
size_t textrank_pick(const struct textrank *t, const struct reading *r,
                     size_t from, size_t to, const struct textrank_want *want,
                     uint32_t *out);
/* Do two sentences say nearly the same? */
bool textrank_alike(const struct reading *r, size_t a, size_t b);

#endif
