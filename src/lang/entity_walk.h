/* Steps within a sentence: the inside of entity_number.c. */
#ifndef LANG_ENTITY_WALK_H
#define LANG_ENTITY_WALK_H

#include "base/base.h"
#include "lang/word.h"

struct entity_finder;

struct walk {
    struct entity_finder *f;
    const char *s;
    size_t n;
};

/* A number as it stands. */
struct number {
    size_t end;
    size_t digits; /* before the first mark */
    size_t marks;  /* "." and "," within */
    int value;     /* of the digits before the first mark, at most 9999 */
};

bool walk_is_one_of(const char *word, const char *const *list, size_t n);
bool walk_digit(const struct walk *w, size_t i);
char walk_at(const struct walk *w, size_t i);      /* NUL past the end */
size_t walk_space(const struct walk *w, size_t i); /* past one, if there is */
/* Letters at i, in small letters; where they end, i if there are none. */
size_t walk_letters(const struct walk *w, size_t i,
                    char out[WORD_FOLD_MAX + 1]);
bool walk_is_free(const struct walk *w, size_t i); /* does a word end here? */
size_t walk_number(const struct walk *w, size_t i, struct number *out);
bool walk_is_year(const struct number *n);
/* "million", "k": where it ends; i if there is none. */
size_t walk_scale(const struct walk *w, size_t i);
/* A sign of money at i: its length. */
size_t walk_sign(const struct walk *w, size_t i);

#endif
