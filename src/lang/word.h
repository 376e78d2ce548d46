/*
 * Words: letters and digits of any script, with the apostrophes, dots and
 * underscores within ("don't", "3.5", "node.js", "U.S", "MAX_LEN"). In scripts
 * that write no spaces each character is one. Addresses of the web are none.
 * Also small letters, stop words, stems, and a guess at the language. Pure; any
 * thread (a stemmer: one at a time).
 */
#ifndef LANG_WORD_H
#define LANG_WORD_H

#include "base/base.h"

#define WORD_FOLD_MAX 64 /* bytes; the rest of a longer word is left out */

enum lang { LANG_NONE, LANG_EN, LANG_DE, LANG_FR, LANG_ES, LANG__MAX };

enum word_kind { WORD_LETTERS, WORD_CJK, WORD_NUMBER };

struct word {
    size_t start, len; /* len > 0; at borders of characters */
    enum word_kind kind;
    bool capital; /* its first letter is one */
    bool caps;    /* two letters or more, and all are capitals */
};

/* The next word of s[0..n) at or after *pos, which is then past it. false:
 * there is none. */
bool word_next(const char *s, size_t n, size_t *pos, struct word *out);
/* In small letters, with plain apostrophes and a NUL; how many bytes. */
size_t word_fold(const char *s, size_t n, char out[WORD_FOLD_MAX + 1]);
/* Does a folded word say nothing of what a text is about? LANG_NONE is taken
 * for English. Single letters and CJK particles are stop words of all. */
bool word_is_stop(enum lang lang, const char *folded);
/* The list behind it, sorted by bytes; how many in *n. Static. */
const char *const *word_stops(enum lang lang, size_t *n);
/* By its stop words; LANG_NONE if there are too few of them. */
enum lang word_guess(const char *s, size_t n);
/* "en", "de", …; "" for none. */
const char *word_lang_code(enum lang lang);

struct stemmer;
/* For languages it does not know (LANG_NONE) words stay as they are. */
struct stemmer *stemmer_new(enum lang lang);
void stemmer_free(struct stemmer *st); /* NULL is fine */
/* Cut a folded word to its stem; the new length. */
size_t stemmer_cut(struct stemmer *st, char word[WORD_FOLD_MAX + 1], size_t n);

#endif
