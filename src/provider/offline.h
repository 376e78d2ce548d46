/*
 * What the files of the offline provider share: documents cut into sections
 * and units, and words as they are compared. The provider itself is
 * provider_offline (provider/provider.h).
 */
#ifndef PROVIDER_OFFLINE_H
#define PROVIDER_OFFLINE_H

#include "base/buf.h"

/* --- offline_words.c: words. Pure. -------------------------------------- */

/* The next word at *s (moved behind it): lower case, stemmed, hashed; never
 * 0. Returns 0 when there is none. stop: it is too common to mean anything. */
uint32_t words_next(const char **s, const char *end, bool *stop);
enum words_kind {
    WORDS_OTHER,
    WORDS_GREETING,
    WORDS_THANKS,
    WORDS_BYE,
    WORDS_WELL /* "ok", "nice" */
};
/* Is there nothing but small talk in it, and which? */
enum words_kind words_kind(const char *s, size_t n);
/* Does it ask for all there is, or for a long answer? */
bool words_everything(const char *s, size_t n);

/* --- what can be told ---------------------------------------------------- */

#define TABLE_COLUMNS_MAX 5 /* wider tables are left out: they are numbers */
#define UNIT_NAMES_MAX 8    /* words of a name that are looked at */

/* The least that is told: a sentence, a list item, a table row, or a block of
 * code with the sentence that leads to it. Slices of a document. */
enum unit_kind { UNIT_SENTENCE, UNIT_ITEM, UNIT_ROW, UNIT_CODE };
struct unit {
    enum unit_kind kind;
    const char *text; /* borrowed from the documents */
    size_t len;
    const char *head; /* UNIT_ROW: its table's head; NULL: none */
    size_t head_len;
    size_t section;
    uint32_t *words; /* owned; without stop words */
    size_t n_words;
    size_t length; /* in words, as far as it counts against it */
    uint32_t names[UNIT_NAMES_MAX]; /* UNIT_ROW: the words of what it is about,
                                       those in a NAME_OF_A_SETTING apart */
    size_t n_names;
    bool leads; /* ends in a colon: the list or table behind it belongs to it */
    bool alone; /* UNIT_CODE: no sentence leads to it */
};

struct section {
    const char *title; /* borrowed; may hold Markdown */
    size_t title_len;
    const char *text; /* all of it, with the heading's line */
    size_t len;
    uint32_t *words; /* owned; the title's */
    size_t n_words;
    size_t first, n_units;
    size_t file; /* its document's place among them */
};

struct docs {
    char **files; /* owned, NUL-terminated */
    char **names; /* owned; of them, as "docs/WIRE.md"; NULL: they have none */
    size_t n_files;
    struct section *sections; /* owned */
    size_t n_sections;
    struct unit *units; /* owned */
    size_t n_units;
};

/* --- offline_cut.c ------------------------------------------------------- */

/* Add the sections and units of a document, the newest of d->files. text is
 * NUL-terminated and borrowed for as long as d lives. Pure. */
void docs_cut(struct docs *d, const char *text);
/* The words of a text that are no stop words, *n_out of them; for a unit. Owned
 * by the caller. */
uint32_t *docs_words(const char *s, size_t len, size_t *n_out);

/* --- offline_docs.c ------------------------------------------------------ */

/* Read README.md and docs/ *.md under root, in that order; what is missing or
 * unreadable is left out, and if nothing is there a short text of our own
 * stands in. Blocks on the disk. Never NULL. */
struct docs *docs_load(const char *root);
void docs_free(struct docs *d);

/* --- offline_tell.c: documents as answers ------------------------------- */

/* number: of the excerpt that is cited for it; 0: none. */
void docs_tell_title(struct buf *out, const struct section *s, size_t number);
/* The units of s that are chosen (an array over all units), in their order. */
void docs_tell_units(struct buf *out, const struct docs *d,
                     const struct section *s, const bool *chosen);
void docs_tell_topics(struct buf *out, const struct docs *d);
void docs_tell_intro(struct buf *out, const struct docs *d);
/* Whole sections from the first one on, several of them. */
void docs_tell_everything(struct buf *out, const struct docs *d);

/* --- offline_score.c: what fits a question. Pure. ------------------------ */

#define QUERY_WORDS_MAX 32

struct query {
    uint32_t words[QUERY_WORDS_MAX];
    double weight[QUERY_WORDS_MAX]; /* rare words weigh more */
    size_t n;                       /* 0: it asks for nothing */
    size_t unknown;                 /* words that no unit has */
    double total;                   /* of all weights */
    double mean;                    /* words in a unit, on average */
};
void query_init(struct query *q, const struct docs *d, const char *s, size_t n);

/* 0: none of its words is in it. */
double unit_score(const struct query *q, const struct unit *u);

/* How well a section answers. */
struct rating {
    double score;
    double cover; /* the share of the question that its best units speak of */
    size_t best;  /* unit; the section's first one if none matched */
};
/* scores: of all units of d. */
struct rating section_rate(const struct query *q, const struct docs *d,
                           const struct section *s, const double *scores);
/* Does the question name the section? */
bool section_named(const struct query *q, const struct section *s);

/* Mark the best units of one section: those that match not much worse than the
 * best, unless that is all of a list; and if only the title matches, the first
 * ones. chosen is over all units. */
void docs_choose(const struct docs *d, const struct section *s,
                 const double *scores, size_t max, bool *chosen);

/* --- offline_excerpt.c. Pure. -------------------------------------------- */

struct ask;     /* provider/provider.h */
struct excerpt; /* the same; its text ends with a NUL */

/* Its text as Markdown, with fences around code. */
void excerpt_markdown(const struct excerpt *x, struct buf *out);

/* --- offline_images.c. Pure. --------------------------------------------- */

enum offline_images {
    IMAGES_NOT_ASKED, /* the message is about something else */
    IMAGES_NONE,      /* none fits */
    IMAGES_TOLD       /* all that fit were put into out */
};
#define OFFLINE_IMAGES_READ 2048 /* bytes of a message that can ask for them */

/* List the images among the excerpts of ask that a message asks for. */
enum offline_images offline_images(const struct ask *ask, const char *message,
                                   size_t n, struct buf *out);

/* --- offline_files.c: an answer from excerpts of files. Pure. ------------ */

/* How well what is told fits. */
struct offline_fit {
    double cover; /* the share of the question that it speaks of */
    bool named;   /* the question names its section */
    bool code;    /* it is code, which may have a word by chance */
};
/* Put what the excerpts of ask say to a message into out. False: nothing. */
bool offline_from_files(const struct ask *ask, const char *message, size_t n,
                        struct buf *out, struct offline_fit *fit);

/* --- offline.c ---------------------------------------------------------- */

/* Answer one message from the excerpts of ask (NULL: there are none), else from
 * the documents. Deterministic. */
MUST_USE enum err offline_answer(const struct docs *d, const struct ask *ask,
                                 const char *message, size_t n,
                                 struct buf *out);

#endif
