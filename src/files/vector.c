/*
 * Features are hashed into a fixed number of sums, each into two of them with
 * two signs, so that what falls together by chance adds noise and no direction.
 * A word is itself, its stem, its letters in threes, fours and fives (with
 * its borders), and a pair with the word before it; a word that comes often
 * counts with the logarithm of that. Letter n-grams of a word share one weight,
 * so that a long word is not worth more than a short one by them.
 *
 * All sums are of integers: neither the order nor the machine matters, and the
 * one square root and division at the end are exact by IEEE 754.
 *
 * A sum stays far below 2^31: no byte of a text, of which TEXT_MAX are read,
 * adds more than 2^13 to one.
 *
 * There is no table of how rare words are, as a vector must not change when
 * others come to the index; stop words of four languages are left out instead.
 */
#include "base/base.h"

#include "files/vector.h"

#include <math.h>

#include "base/mem.h"
#include "files/vector_terms.h"
#include "files/vector_word.h"

#define TEXT_MAX (64 * 1024) /* bytes of a text that are read */
#define KNOWN 8192           /* words that are remembered; a power of 2 */
#define ABOUT_MAX 2048       /* bytes */
#define SHARE_ABOUT 0.3      /* of a name and heading beside a text */

enum {
    WEIGHT_WORD = 48, /* of a feature that comes once */
    WEIGHT_STEM = 48,
    WEIGHT_PART = 32,
    WEIGHT_PAIR = 20,
    WEIGHT_ODD = 96, /* a word with digits or "_" */
    WEIGHT_SIGN = 24,
    WEIGHT_SIGNS = 64,
    WEIGHT_STOP = 2,
    WEIGHT_GRAMS = 192 /* all n-grams of a word, as a length */
};
/* 16 times 1 + ln(n), for n from 1. */
static const uint8_t often[] = {16, 27, 34, 38, 42, 45, 47, 49,
                                51, 53, 54, 56, 57, 58, 59, 60};

/* 256 divided by the square root of n, for n from 1. */
static const uint16_t root[] = {
    256, 181, 148, 128, 114, 105, 97, 91, 85, 81, 77, 74, 71, 68, 66, 64,
    62,  60,  59,  57,  56,  55,  53, 52, 51, 50, 49, 48, 48, 47, 46, 45};

/* --- words ---------------------------------------------------------------- */

struct vector_memory {
    struct vector_word word[KNOWN]; /* by their hashes */
    struct stems *stems;            /* borrowed */
    char about[ABOUT_MAX];          /* of the part before */
    size_t about_len;               /* SIZE_MAX: there was none */
    float beside[VECTOR_DIMS];
};

struct vector_memory *
vector_memory_new(struct stems *stems)
{
    struct vector_memory *m = xcalloc(1, sizeof(*m));

    m->stems = stems;
    m->about_len = SIZE_MAX;
    return m;
}

void
vector_memory_free(struct vector_memory *m)
{
    free(m);
}

/* A vector in the making. */
struct making {
    struct vector_sums sums;
    struct vector_memory *memory; /* NULL: nothing is remembered */
    struct stems *stems;
    enum lang lang;
};

static void
add(struct making *x, uint64_t hash, int32_t weight)
{
    vector_place at[2];

    vector_places(hash, at);
    vector_add(&x->sums, at, 2, weight);
}

/* What is remembered of a word, made if it is not; NULL: it is too long. */
static const struct vector_word *
remember(struct making *x, const struct term *t, const char *s)
{
    struct vector_word *w;

    if (x->memory == NULL || t->len > VECTOR_WORD_KNOWN)
        return NULL;
    w = &x->memory->word[t->hash >> 11 & (KNOWN - 1)];
    if (w->len == t->len && w->lang == x->lang &&
        memcmp(w->word, s, t->len) == 0)
        return w;
    w->len = (uint8_t)t->len;
    w->lang = (uint8_t)x->lang;
    memcpy(w->word, s, t->len);
    vector_stem(x->stems, x->lang, s, t->len, t->hash, w->stem);
    w->n_grams = (uint8_t)vector_grams(s, t->len, w->gram);
    return w;
}

static void
add_stem(struct making *x, const struct term *t, const char *s, int32_t weight)
{
    const struct vector_word *w = remember(x, t, s);
    vector_place at[2];

    if (w == NULL)
        vector_stem(x->stems, x->lang, s, t->len, t->hash, at);
    vector_add(&x->sums, w != NULL ? w->stem : at, 2, weight);
}

static void
add_grams(struct making *x, const struct term *t, const char *s, int32_t weight)
{
    const struct vector_word *w = remember(x, t, s);
    vector_place at[6 * (WORD_FOLD_MAX + 2)];
    size_t n = w != NULL ? w->n_grams : vector_grams(s, t->len, at);

    if (n > 0)
        vector_add(&x->sums, w != NULL ? w->gram : at, 2 * n,
                   weight * root[n > 32 ? 31 : n - 1] / 256);
}

static void
add_term(struct making *x, const struct terms *all, const struct term *t)
{
    const char *s = all->text + t->start;
    int32_t n =
        often[t->count > COUNT_OF(often) ? COUNT_OF(often) - 1 : t->count - 1];

    if (t->kind == TERM_PAIR) {
        add(x, t->hash, n * WEIGHT_PAIR);
        return;
    }
    if (t->kind == TERM_SIGNS) {
        add(x, t->hash, n * WEIGHT_SIGNS);
        return;
    }
    if (t->stop) {
        add(x, t->hash, n * WEIGHT_STOP);
        return;
    }
    if (t->kind == TERM_SIGN) {
        add(x, t->hash, n * WEIGHT_SIGN);
        return;
    }
    if (t->kind == TERM_PART) {
        add(x, t->hash, n * WEIGHT_PART);
        add_stem(x, t, s, n * WEIGHT_PART);
        return;
    }
    add(x, t->hash, n * (t->odd ? WEIGHT_ODD : WEIGHT_WORD));
    if (!t->odd)
        add_stem(x, t, s, n * WEIGHT_STEM);
    add_grams(x, t, s, n * WEIGHT_GRAMS);
}

/* --- vectors -------------------------------------------------------------- */

static void
make(struct vector_memory *m, const char *text, size_t n,
     float out[VECTOR_DIMS])
{
    struct making x = {.memory = m,
                       .stems = m != NULL ? m->stems : stems_new(0)};
    struct terms terms;
    double squares[4] = {0}, length;

    terms_read(&terms, text, n < TEXT_MAX ? n : TEXT_MAX);
    x.lang = terms.lang != LANG_NONE ? terms.lang : LANG_EN;
    for (size_t i = 0; i < terms.n; i++)
        add_term(&x, &terms, &terms.at[i]);
    if (m == NULL)
        stems_free(x.stems);
    terms_release(&terms);
    for (size_t i = 0; i < VECTOR_DIMS; i++) {
        double square = (double)x.sums.at[i] * (double)x.sums.at[i];

        squares[i % 4] += square;
    }
    length = sqrt((squares[0] + squares[1]) + (squares[2] + squares[3]));
    for (size_t i = 0; i < VECTOR_DIMS; i++)
        out[i] = length > 0 ? (float)((double)x.sums.at[i] / length) : 0;
}

void
vector_of(const char *text, size_t n, float out[VECTOR_DIMS])
{
    make(NULL, text, n, out);
}

/* Parts that follow each other are mostly about the same. */
static const float *
make_beside(struct vector_memory *m, const char *about, size_t n,
            float out[VECTOR_DIMS])
{
    if (m != NULL && m->about_len == n && memcmp(m->about, about, n) == 0)
        return m->beside;
    if (m == NULL || n > sizeof(m->about)) {
        make(m, about, n, out);
        return out;
    }
    make(m, about, n, m->beside);
    memcpy(m->about, about, n);
    m->about_len = n;
    return m->beside;
}

void
vector_of_part_by(struct vector_memory *m, const char *about, size_t about_len,
                  const char *text, size_t n, float out[VECTOR_DIMS])
{
    float room[VECTOR_DIMS];

    make(m, text, n, out);
    vector_mix(out, make_beside(m, about, about_len, room), VECTOR_DIMS,
               SHARE_ABOUT);
    vector_normalise(out, VECTOR_DIMS);
}

void
vector_of_part(const char *about, size_t about_len, const char *text, size_t n,
               float out[VECTOR_DIMS])
{
    vector_of_part_by(NULL, about, about_len, text, n, out);
}

void
vector_mix(float *a, const float *b, size_t n, double weight)
{
    for (size_t i = 0; i < n; i++) {
        double add_up = weight * (double)b[i];

        a[i] = (float)((double)a[i] + add_up);
    }
}

void
vector_normalise(float *a, size_t n)
{
    double squares = 0, length;

    for (size_t i = 0; i < n; i++) {
        double square = (double)a[i] * (double)a[i];

        squares += square;
    }
    length = sqrt(squares);
    for (size_t i = 0; squares > 0 && i < n; i++)
        a[i] = (float)((double)a[i] / length);
}

/* Sixteen sums side by side, which a compiler turns into few instructions, and
 * which are added in the same order everywhere. */
float
vector_cosine(const float *a, const float *b, size_t n)
{
    typedef float four __attribute__((vector_size(16)));
    four sums[4] = {{0}};
    float rest = 0;
    size_t i = 0;

    for (; i + 16 <= n; i += 16) {
        for (size_t k = 0; k < 4; k++) {
            four x, y;

            memcpy(&x, a + i + 4 * k, sizeof(x));
            memcpy(&y, b + i + 4 * k, sizeof(y));
            x *= y;
            sums[k] += x;
        }
    }
    for (; i < n; i++) {
        float product = a[i] * b[i];

        rest += product;
    }
    sums[0] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    return ((sums[0][0] + sums[0][1]) + (sums[0][2] + sums[0][3])) + rest;
}
