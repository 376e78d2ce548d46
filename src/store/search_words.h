/*
 * What somebody looks for, read from what they typed: the words for FTS5 and
 * for marking them in a snippet. For search*.c and the tests.
 */
#ifndef STORE_SEARCH_WORDS_H
#define STORE_SEARCH_WORDS_H

#include "base/mem.h"
#include "store/search.h"
#include "store/search_token.h"

struct search_term {
    const char *s; /* folded; not NUL-terminated */
    size_t len;
    bool prefix; /* begins so */
};

struct search_words {
    /* The wanted words, phrase by phrase; a bit of begins and of ends for the
     * first and the last word of each. */
    struct search_term term[SEARCH_TERMS_MAX];
    unsigned n_terms;
    uint64_t begins, ends;
    const char *want; /* for MATCH; "": nothing is wanted */
    const char *veto; /* for MATCH; "": nothing is unwanted */
};

/* Read a query. All of it is in the arena then. Never fails: past
 * SEARCH_TERMS_MAX words the rest is left out. Pure. */
void search_words_read(struct search_words *w, struct arena *a,
                       struct search_tokenizer *t, const char *q, size_t n);

#endif
