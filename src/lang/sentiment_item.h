/* A sentence in pieces: the inside of sentiment*.c. */
#ifndef LANG_SENTIMENT_ITEM_H
#define LANG_SENTIMENT_ITEM_H

#include "base/base.h"
#include "lang/lexicon.h"

struct reading;

enum sentiment_item_kind {
    SENTIMENT_ITEM_WORD,
    SENTIMENT_ITEM_FACE,
    SENTIMENT_ITEM_BREAK
};

struct sentiment_item {
    enum sentiment_item_kind kind;
    bool negates, but, caps;
    double boost;                   /* factor for what comes after; 1: none */
    int face;                       /* score */
    size_t start, len;              /* in the sentence */
    char word[LEXICON_KEY_MAX + 1]; /* folded, cut */
    double weight;                  /* what it adds */
    size_t from; /* where its wording begins: at its negation */
};

struct items {
    struct sentiment_item *at; /* owned */
    size_t n, cap;
    size_t bangs; /* exclamation marks */
};

/* Those of one sentence, in place of what was there. */
void items_read(struct items *x, const struct reading *r, size_t sentence);
void items_release(struct items *x);
bool sentiment_is_one_of(const char *word, const char *const *list, size_t n);

#endif
