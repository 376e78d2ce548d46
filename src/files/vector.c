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
 * There is no table of how rare words are, as a vector must not change when
 * others come to the index; stop words of four languages are left out instead.
 */
#include "base/base.h"

#include "files/vector.h"

#include <math.h>

#include "files/vector_terms.h"

#define TEXT_MAX (64 * 1024) /* bytes of a text that are read */
#define KNOWN 1024           /* stems of a thread; a power of 2 */
#define KNOWN_WORD_MAX 22    /* bytes; longer words are not kept */
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
enum { SEED_STEM = 1, SEED_PART, SEED_GRAM };

/* 16 times 1 + ln(n), for n from 1. */
static const uint8_t often[] = {16, 27, 34, 38, 42, 45, 47, 49,
                                51, 53, 54, 56, 57, 58, 59, 60};

/* 256 divided by the square root of n, for n from 1. */
static const uint16_t root[] = {
    256, 181, 148, 128, 114, 105, 97, 91, 85, 81, 77, 74, 71, 68, 66, 64,
    62,  60,  59,  57,  56,  55,  53, 52, 51, 50, 49, 48, 48, 47, 46, 45};

struct sums {
    int64_t at[VECTOR_DIMS];
};

static void
add(struct sums *x, uint64_t hash, int64_t weight)
{
    size_t a = hash & (VECTOR_DIMS - 1), b = hash >> 20 & (VECTOR_DIMS - 1);

    int64_t sign_a = (int64_t)(hash >> 40 & 1) * 2 - 1;
    int64_t sign_b = (int64_t)(hash >> 41 & 1) * 2 - 1;

    x->at[a] += sign_a * weight;
    x->at[b] += sign_b * weight;
}

static uint64_t
seeded(const char *s, size_t n, int seed)
{
    uint64_t h = term_hash(TERM_HASH, (unsigned char)seed);

    for (size_t i = 0; i < n; i++)
        h = term_hash(h, (unsigned char)s[i]);
    return term_mixed(h);
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

/* Its letters in threes to fives, with a "<" before and a ">" behind. */
static void
add_grams(struct sums *x, const char *s, size_t n, int64_t weight)
{
    char w[WORD_FOLD_MAX + 3];
    size_t at[WORD_FOLD_MAX + 4], chars, grams;

    w[0] = '<';
    memcpy(w + 1, s, n);
    w[n + 1] = '>';
    chars = characters(w, n + 2, at);
    if (chars < 5) /* of a short word they would say too little */
        return;
    grams = 3 * chars - 9;
    weight = weight * root[grams > 32 ? 31 : grams - 1] / 256;
    for (size_t i = 0; i + 3 <= chars; i++) {
        uint64_t h = term_hash(TERM_HASH, SEED_GRAM);
        size_t k = at[i];

        for (; k < at[i + 3]; k++)
            h = term_hash(h, (unsigned char)w[k]);
        add(x, term_mixed(h), weight);
        for (size_t len = 4; len <= 5 && i + len <= chars; len++) {
            for (; k < at[i + len]; k++)
                h = term_hash(h, (unsigned char)w[k]);
            add(x, term_mixed(h), weight);
        }
    }
}

/* Stems that were made before: the same words come again and again, and the
 * stemmer takes longer than all the rest. A result never depends on them. */
struct known {
    uint64_t hash; /* of the stem */
    uint8_t len, lang;
    char word[KNOWN_WORD_MAX]; /* len bytes */
};
static _Thread_local struct known known[KNOWN];

struct stems {
    enum lang lang;
    struct stemmer *stemmer; /* owned; NULL: none was needed yet */
};

static uint64_t
stem_hash(struct stems *st, const struct term *t, const char *s)
{
    struct known *k = &known[t->hash >> 11 & (KNOWN - 1)];
    char w[WORD_FOLD_MAX + 1];
    size_t n;

    if (k->len == t->len && k->lang == st->lang &&
        memcmp(k->word, s, t->len) == 0)
        return k->hash;
    memcpy(w, s, t->len);
    w[t->len] = '\0';
    if (st->stemmer == NULL)
        st->stemmer = stemmer_new(st->lang);
    n = stemmer_cut(st->stemmer, w, t->len);
    if (t->len > KNOWN_WORD_MAX)
        return seeded(w, n, SEED_STEM);
    k->hash = seeded(w, n, SEED_STEM);
    k->len = (uint8_t)t->len;
    k->lang = (uint8_t)st->lang;
    memcpy(k->word, s, t->len);
    return k->hash;
}

static void
add_term(struct sums *x, const struct terms *all, const struct term *t,
         struct stems *st)
{
    const char *s = all->text + t->start;
    int64_t n =
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
        add(x, stem_hash(st, t, s), n * WEIGHT_PART);
        return;
    }
    add(x, t->hash, n * (t->odd ? WEIGHT_ODD : WEIGHT_WORD));
    if (!t->odd)
        add(x, stem_hash(st, t, s), n * WEIGHT_STEM);
    add_grams(x, s, t->len, n * WEIGHT_GRAMS);
}

void
vector_of(const char *text, size_t n, float out[VECTOR_DIMS])
{
    struct sums x = {{0}};
    struct stems st = {.lang = LANG_EN};
    struct terms terms;
    double squares[4] = {0}, length;

    terms_read(&terms, text, n < TEXT_MAX ? n : TEXT_MAX);
    if (terms.lang != LANG_NONE)
        st.lang = terms.lang;
    for (size_t i = 0; i < terms.n; i++)
        add_term(&x, &terms, &terms.at[i], &st);
    stemmer_free(st.stemmer);
    terms_release(&terms);
    for (size_t i = 0; i < VECTOR_DIMS; i++) {
        double square = (double)x.at[i] * (double)x.at[i];

        squares[i % 4] += square;
    }
    length = sqrt((squares[0] + squares[1]) + (squares[2] + squares[3]));
    for (size_t i = 0; i < VECTOR_DIMS; i++)
        out[i] = length > 0 ? (float)((double)x.at[i] / length) : 0;
}

void
vector_of_part(const char *about, size_t about_len, const char *text, size_t n,
               float out[VECTOR_DIMS])
{
    float beside[VECTOR_DIMS];

    vector_of(text, n, out);
    vector_of(about, about_len, beside);
    vector_mix(out, beside, VECTOR_DIMS, SHARE_ABOUT);
    vector_normalise(out, VECTOR_DIMS);
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
