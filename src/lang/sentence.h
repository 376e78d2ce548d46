/*
 * The sentences of a text: prose or Markdown, in any script. They end at
 * . ! ? … and their likes of other scripts, and where a paragraph, a list item,
 * a heading or a line that was not wrapped ends; not after abbreviations,
 * initials and ordinal numbers, nor within numbers, versions and addresses.
 * Code that is fenced or indented is left out (lang/plain.h). Pure; any thread.
 */
#ifndef LANG_SENTENCE_H
#define LANG_SENTENCE_H

#include "base/base.h"
#include "lang/plain.h"

#define SENTENCES_INPUT_MAX (1024 * 1024) /* bytes */
#define SENTENCES_MAX 20000
#define SENTENCE_LEN_MAX 2000 /* bytes; a longer one is cut between words */

struct sentence {
    const char *text;  /* plain, trimmed; in sentences.plain; no NUL */
    size_t len;        /* > 0 */
    size_t start, end; /* the bytes of the input that it comes from */
    uint32_t block;    /* of one paragraph or item: the same number */
    enum plain_kind kind;
};

struct sentences {
    struct sentence *at; /* owned */
    size_t n;
    bool cut;    /* there were more than SENTENCES_MAX */
    char *plain; /* owned; all texts */
    size_t plain_len;
};

/* ERR_TOOBIG past SENTENCES_INPUT_MAX: out is empty then. n may be 0. */
MUST_USE enum err sentences_read(struct sentences *out, const char *s,
                                 size_t n);
void sentences_release(struct sentences *out);

/* How a word before a "." is known: lang/sentence_abbrev.c. */
enum abbrev {
    ABBREV_NONE,
    ABBREV_ALWAYS, /* a sentence hardly ends here: "Mr", "vgl" */
    ABBREV_NUMBER, /* short for something before a number: "No", "S" */
    ABBREV_MAYBE   /* it may: "etc", "Inc" */
};
/* word: n bytes before the dot, in any case, dots within. */
enum abbrev sentence_abbrev(const char *word, size_t n);
/* Is this capitalised word one that often begins a sentence? */
bool sentence_starter(const char *word, size_t n);

#endif
