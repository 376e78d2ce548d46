/*
 * Stems of words, remembered: few words are most of every text, and a stemmer
 * takes longer than all else that is done with one. Of one thread at a time.
 */
#ifndef FILES_STEMS_H
#define FILES_STEMS_H

#include "lang/word.h"

struct stems;

/* slots: words that are remembered, a power of 2 (48 bytes each, taken when the
 * first one comes); 0: none is. */
struct stems *stems_new(size_t slots);
void stems_free(struct stems *s); /* NULL is fine */

uint64_t stems_hash(const char *word, size_t n);
/* The stem of a word of small letters, n <= WORD_FOLD_MAX, whose stems_hash is
 * `hash`; its length. */
size_t stems_cut(struct stems *s, enum lang lang, const char *word, size_t n,
                 uint64_t hash, char out[WORD_FOLD_MAX + 1]);

#endif
