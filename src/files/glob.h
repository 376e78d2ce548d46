/*
 * Patterns with *, ? and [a-z], matched in time linear in the text: all places
 * in the pattern that the text may have reached are carried along together, so
 * no pattern makes a match slow (glob(7) by trying again takes time exponential
 * in the stars). Inside files/: rules.c and redact_word.c. Pure; any thread.
 */
#ifndef FILES_GLOB_H
#define FILES_GLOB_H

#include "base/base.h"

#define GLOB_BYTES_MAX 1024 /* of a pattern */
#define GLOB_ITEMS_MAX 1032 /* characters, stars and sets of one */
#define GLOB_FOUND_MAX 256  /* bytes of a match of GLOB_WORDS */

enum glob_kind {
    /* As gitignore(5) without its '!', trailing '/' and blanks: a pattern with
     * a '/' is held against the whole path, another one against its parts. */
    GLOB_PATH,
    /* Words in a text: small and capital letters are alike, blanks are any
     * white space, '*' and '?' stay within a word. */
    GLOB_WORDS,
};

struct glob;

/* ERR_BADREQ with a sentence in *why (static). */
MUST_USE enum err glob_new(enum glob_kind kind, const char *pattern, size_t n,
                           struct glob **out, const char **why);
/* The characters as they are. ERR_BADREQ if it is too long or empty. */
MUST_USE enum err glob_new_literal(const char *s, size_t n, struct glob **out);
void glob_free(struct glob *g); /* NULL is fine */

/* Calls fn with the number of each part of the path ("a/b/c": 0 to 2) at whose
 * end the pattern matches what was read so far. */
typedef void glob_part_fn(void *arg, size_t part);
void glob_parts(const struct glob *g, const char *path, size_t n,
                glob_part_fn *fn, void *arg);

/* How many bytes at s + at match, as many as can, beginning and ending at
 * borders of words; 0: none. */
size_t glob_longest(const struct glob *g, const char *s, size_t n, size_t at);

#endif
