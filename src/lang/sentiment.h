/*
 * How a text sounds: by the scores of its words (lang/lexicon.h), what stands
 * before them, and faces. The words are English: of a text in another language
 * only faces count, and without any the answer is "unknown". Deterministic.
 * Pure; any thread.
 */
#ifndef LANG_SENTIMENT_H
#define LANG_SENTIMENT_H

#include "base/base.h"

struct lexicon;
struct reading;

#define SENTIMENT_TOP_MAX 8 /* words that are told */

enum sentiment_label {
    SENTIMENT_UNKNOWN,
    SENTIMENT_POSITIVE,
    SENTIMENT_NEGATIVE,
    SENTIMENT_NEUTRAL,
    SENTIMENT_MIXED, /* much of both */
    SENTIMENT__MAX
};

struct sentiment_word {
    const char *text; /* as written, with its negation; in the reading's plain
                         text; no NUL */
    size_t len;
    double weight; /* not 0; about -7..7 */
};

struct sentiment {
    enum sentiment_label label;
    double score;                                 /* -1..1; 0 if unknown */
    size_t positive, negative;                    /* words and faces */
    struct sentiment_word top[SENTIMENT_TOP_MAX]; /* strongest first, each
                                                     wording once */
    size_t n_top;
    double *sentences; /* owned; per sentence of the reading, -1..1 */
};

/* lex NULL: only faces are known. */
void sentiment_read(struct sentiment *out, const struct reading *r,
                    const struct lexicon *lex);
void sentiment_release(struct sentiment *s);
const char *sentiment_name(enum sentiment_label label); /* "positive", … */

/* A face or a sign at s: its length, and its score; 0: there is none. before
 * is the character before it (lang/sentiment_face.c). */
size_t sentiment_face(const char *s, size_t n, uint32_t before, int *score);

#endif
