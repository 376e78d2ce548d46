/*
 * The few words of a message around what was looked for, and where in them it
 * stands. For search*.c and the tests.
 */
#ifndef STORE_SEARCH_SNIPPET_H
#define STORE_SEARCH_SNIPPET_H

#include "store/search_words.h"

struct search_snippet {
    char text[SEARCH_SNIPPET_MAX]; /* not NUL-terminated */
    size_t len;
    struct search_mark mark[SEARCH_MARKS_MAX];
    unsigned n_marks;
};

/* text is UTF-8 of n bytes; what is not is shown as U+FFFD. Pure. */
void search_snippet_make(struct search_snippet *out,
                         const struct search_words *w,
                         struct search_tokenizer *t, const char *text,
                         size_t n);

#endif
