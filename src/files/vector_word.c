/*
 * The features of a word that cost something to find: its stem, and its letters
 * in threes, fours and fives with its borders. They depend on nothing but the
 * word and the language, and few words are most of every text; so who makes
 * many vectors remembers them (vector.c).
 */
#include "base/base.h"

#include "files/vector_word.h"

#include "files/vector_terms.h"

enum { SEED_STEM = 1, SEED_PART, SEED_GRAM };

_Static_assert(VECTOR_DIMS <= VECTOR_MINUS, "a place and its sign");
_Static_assert(3 * (VECTOR_WORD_KNOWN + 2) - 9 <= VECTOR_GRAMS_MAX, "grams");

void
vector_stem(struct stems *stems, enum lang lang, const char *s, size_t n,
            uint64_t hash, vector_place out[2])
{
    char w[WORD_FOLD_MAX + 1];
    uint64_t h = term_hash(TERM_HASH, SEED_STEM);

    n = stems_cut(stems, lang, s, n, hash, w);
    for (size_t i = 0; i < n; i++)
        h = term_hash(h, (unsigned char)w[i]);
    vector_places(term_mixed(h), out);
}

/* Where its characters begin, and its end; how many there are. */
static size_t
characters(const char *w, size_t n, size_t *at)
{
    size_t chars = 0;

    for (size_t i = 0; i < n; i++) {
        at[chars] = i;
        chars += ((unsigned char)w[i] & 0xC0) != 0x80;
    }
    at[chars] = n;
    return chars;
}

size_t
vector_grams(const char *s, size_t n, vector_place *out)
{
    char w[WORD_FOLD_MAX + 3];
    size_t at[WORD_FOLD_MAX + 4], chars, grams = 0;

    w[0] = '<';
    memcpy(w + 1, s, n);
    w[n + 1] = '>';
    chars = characters(w, n + 2, at);
    if (chars < 5) /* of a short word they would say too little */
        return 0;
    for (size_t i = 0; i + 3 <= chars; i++) {
        uint64_t h = term_hash(TERM_HASH, SEED_GRAM);
        size_t k = at[i];

        for (size_t len = 3; len <= 5 && i + len <= chars; len++) {
            for (; k < at[i + len]; k++)
                h = term_hash(h, (unsigned char)w[k]);
            vector_places(term_mixed(h), out + 2 * grams++);
        }
    }
    return grams;
}
