/* The words of made-up texts, always the same ones: of syllables, the n-th most
 * common one n times as rare as the first; and a clock. */
#ifndef BENCH_WORDS_H
#define BENCH_WORDS_H

#include "base/base.h"

#include <time.h>

#define WORDS 30000 /* different ones */
#define WORD_MAX 24 /* bytes */

static const char *const syllables[] = {
    "ka",  "to", "mi", "re",  "lon", "ta", "shi", "ber", "en", "du",
    "gra", "ve", "or", "pli", "st",  "na", "ing", "er",  "al", "co",
    "un",  "pa", "ju", "fe",  "wo",  "ix", "qua", "ble", "zo", "ha",
};

static char words[WORDS][WORD_MAX];
static double share[WORDS]; /* of the words up to this one */
static uint64_t state = 88172645463325252ULL;

static inline double
now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* xorshift64 */
static inline uint64_t
draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* [0, n) */
static inline unsigned
draw_below(unsigned n)
{
    return (unsigned)(draw() % n);
}

static inline double
draw_share(void)
{
    return (double)(draw() >> 11) / 9007199254740992.0;
}

static inline void
words_make(void)
{
    double sum = 0;

    for (unsigned i = 0; i < WORDS; i++) {
        unsigned n = i < 60 ? 1 : 2 + draw_below(4);

        for (size_t at = 0; n > 0; n--)
            at += (size_t)snprintf(words[i] + at, WORD_MAX - at, "%s",
                                   syllables[draw_below(COUNT_OF(syllables))]);
        sum += 1.0 / (i + 1);
        share[i] = sum;
    }
}

/* A word as they come in texts. */
static inline const char *
word_of_text(void)
{
    double wanted = draw_share() * share[WORDS - 1];
    unsigned low = 0, high = WORDS - 1;

    while (low < high) {
        unsigned mid = (low + high) / 2;

        if (share[mid] < wanted)
            low = mid + 1;
        else
            high = mid;
    }
    return words[low];
}

#endif
