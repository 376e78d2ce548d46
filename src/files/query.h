/*
 * Looking for something, step by step: the words of a query (query_words.c),
 * which chunks have them (query_scan.c) and are worth a look (query_pick.c), in
 * which order (query_rank.c), what is shown of them (query_show.c). For
 * files_search.c, which does all of it within one snapshot.
 */
#ifndef FILES_QUERY_H
#define FILES_QUERY_H

#include "files/shelf.h"
#include "files/shelf_vector.h"
#include "files/vector.h"

#define QUERY_TERMS 64         /* words of a query and of what was before */
#define QUERY_RECENT 16        /* of these, of what was before */
#define QUERY_RECENT_MAX 2048  /* bytes of it that are looked at: the last */
#define QUERY_COLLECTIONS 4096 /* that are looked through */
#define QUERY_MIN 64           /* candidates that are read, of each kind */
#define QUERY_MAX 256
#define QUERY_BASE_MIN \
    20 /* chunks of a model of which it is known what is
                             usual */

/* A word that is looked for. */
struct query_term {
    const char *word;
    size_t len;
    const char *stem[LANG__MAX]; /* those that differ from it and each other */
    size_t n_stems;
    double weight; /* 1: what was typed; less for what was said before */
    bool recent;   /* said before */
    bool prefix;   /* it may go on: the last one */
    double idf;    /* how rare; set by the scan */
};

struct query {
    const struct files_query *ask;
    struct shelf_conn *conn;
    struct arena *arena; /* of the result */
    struct query_term term[QUERY_TERMS];
    unsigned n_terms;
    uint64_t first[256]; /* terms that a word with this first byte can be */
    bool plain;          /* nothing was typed but words that say nothing */
    bool matched;        /* a typed word that tells is in the index */
    bool images;         /* images are asked for */
    float vector[VECTOR_DIMS]; /* built-in */
    float typed[VECTOR_DIMS];  /* the same without what was said before */
    bool has_vector;
    int64_t model; /* of ask->vector; 0: there is none, or it is unknown */
    double base;   /* similarity that says nothing, of that model; set by the
                      scan */
    /* Collections that are looked through, by number. */
    int64_t *collection;
    size_t n_collections;
    bool samples; /* they are those for who has nothing else */
    size_t documents;
};

/* --- query_words.c -------------------------------------------------------- */

void query_words(struct query *q);
/* Behind that: what the vector of what was said before counts, beside that of
 * what was typed. */
double query_recent_weight(const struct query *q);
/* How a word of a text is a term: the term of the most weight, or -1. */
enum query_match { MATCH_WORD, MATCH_STEM, MATCH_PREFIX };
int query_match(const struct query *q, enum lang lang,
                const struct shelf_word *w, enum query_match *how);

/* --- query_scan.c --------------------------------------------------------- */

/* Chunks of one document with numbers in a row. */
struct query_segment {
    int64_t no, document;
    uint32_t at, n; /* in the arrays below */
};

#define SCAN_LOCAL 1 /* must not leave */
#define SCAN_MODEL 2 /* has a vector of the query's model */

struct query_scan {
    struct query_segment *segment; /* owned; by number */
    size_t n_segments, cap_segments;
    float *similarity; /* owned, these; about what the vectors say */
    float *words;      /* idf of the words that it has */
    uint8_t *flags;
    uint8_t *mark;
    size_t n, cap;
};

struct query_candidate {
    int64_t chunk, document;
    bool local, model;
};

void query_scan_release(struct query_scan *s);
MUST_USE enum err query_scan_read(struct query *q, struct query_scan *s);

/* --- query_pick.c --------------------------------------------------------- */

/* The most promising ones, at most 4 * QUERY_MAX, in no order; in the arena. */
struct query_candidate *query_scan_pick(const struct query *q,
                                        const struct query_scan *s, size_t *n);

/* --- query_rank.c --------------------------------------------------------- */

struct query_document {
    int64_t id;
    const char *name, *title, *type, *redactions;
    int64_t first, chunks; /* numbers of its chunks */
    enum label label;
    enum lang lang;
    bool image;
    int64_t mtime_ns;
};

struct query_result {
    const struct query_document *document;
    int64_t chunk;
    uint32_t seq;
    int64_t start;
    int page;
    const char *heading, *text;
    size_t len;
    bool model;
    double words;      /* BM25; 0: none is there */
    bool typed;        /* one that was typed is */
    bool said;         /* one that was said before is */
    double similarity; /* exact */
    double to_typed;   /* the same, or to what was typed alone if that is new */
    double score;
};

/* Read and order them; those that are out of the question are left out. */
MUST_USE enum err query_rank(struct query *q,
                             const struct query_candidate *candidates, size_t n,
                             struct query_result **out, size_t *n_out);

/* --- query_show.c --------------------------------------------------------- */

/* Some 200 bytes of a text around what was looked for, on one line. */
const char *query_snippet(const struct query *q, enum lang lang,
                          const char *text, size_t n);

#endif
