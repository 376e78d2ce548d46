/*
 * A text, read once for all that looks at it: its sentences, the words of each,
 * and for each word a number that stands for its stem, so that "streams" and
 * "streaming" are the same. Of scripts without spaces each character is a word
 * and the number stands for it and the next, as pairs mean more. Pure; any
 * thread, and shared freely once read.
 */
#ifndef LANG_READING_H
#define LANG_READING_H

#include "base/base.h"
#include "lang/sentence.h"
#include "lang/word.h"

enum {                    /* flags of a token */
       TOKEN_STOP = 1,    /* a stop word */
       TOKEN_SKIP = 2,    /* no content of its own: a stop word, or the last
                             of several characters */
       TOKEN_CAPITAL = 4, /* its first letter */
       TOKEN_CAPS = 8,    /* all its letters */
       TOKEN_NUMBER = 16,
       TOKEN_CJK = 32
};

struct token {
    uint32_t start, len; /* in reading.sentences.plain */
    uint32_t stem;       /* < reading.n_stems */
    uint32_t flags;
};

struct reading {
    struct sentences sentences;
    struct token *tokens; /* owned */
    size_t n_tokens;
    uint32_t *first; /* owned; of sentence i: tokens first[i]..first[i + 1] */
    size_t n_stems;
    enum lang lang; /* a guess */
};

/* ERR_TOOBIG past SENTENCES_INPUT_MAX: nothing to release then. */
MUST_USE enum err reading_read(struct reading *r, const char *s, size_t n);
void reading_release(struct reading *r);

/* The tokens of sentence i. */
const struct token *reading_tokens(const struct reading *r, size_t i,
                                   size_t *n);

#endif
