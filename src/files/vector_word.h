/* What a word adds to a vector: the inside of vector*.c. Pure. */
#ifndef FILES_VECTOR_WORD_H
#define FILES_VECTOR_WORD_H

#include "files/stems.h"
#include "files/vector.h"

#define VECTOR_WORD_KNOWN 22 /* bytes; longer words are not remembered */
#define VECTOR_GRAMS_MAX 63  /* of such a word */

/* One of VECTOR_DIMS sums, and in the highest bit whether to take off. */
typedef uint16_t vector_place;
#define VECTOR_MINUS 0x8000

struct vector_sums {
    int32_t at[VECTOR_DIMS];
};

struct vector_word {
    uint8_t len, lang; /* len 0: there is none */
    uint8_t n_grams;
    char word[VECTOR_WORD_KNOWN]; /* len bytes */
    vector_place stem[2];
    vector_place gram[2 * VECTOR_GRAMS_MAX];
};

/* The two places of a feature. */
static inline void
vector_places(uint64_t hash, vector_place out[2])
{
    out[0] = (vector_place)((hash & (VECTOR_DIMS - 1)) |
                            (hash >> 40 & 1 ? 0 : VECTOR_MINUS));
    out[1] = (vector_place)((hash >> 20 & (VECTOR_DIMS - 1)) |
                            (hash >> 41 & 1 ? 0 : VECTOR_MINUS));
}

static inline void
vector_add(struct vector_sums *x, const vector_place *at, size_t n,
           int32_t weight)
{
    for (size_t i = 0; i < n; i++) {
        int32_t minus = -(int32_t)(at[i] >> 15);

        x->at[at[i] & (VECTOR_DIMS - 1)] += (weight ^ minus) - minus;
    }
}

/* The stem of a word of small letters, at most WORD_FOLD_MAX bytes, whose
 * stems_hash is `hash`. */
void vector_stem(struct stems *stems, enum lang lang, const char *s, size_t n,
                 uint64_t hash, vector_place out[2]);
/* Its letters in threes to fives; how many there are. out has room for two
 * places each: 6 * (n + 2) are enough. */
size_t vector_grams(const char *s, size_t n, vector_place *out);

#endif
