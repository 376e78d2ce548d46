/*
 * The index of files: collections of documents, cut into chunks, found
 * by their words (SQLite's FTS5) and by their vectors. One SQLite file (WAL) in
 * a folder of its own; several processes may read and write it at once. It can
 * be made anew from the files it was made of, but for uploads, whose bytes lie
 * in the folder `uploads` beside it.
 *
 * A collection has an owner, who alone sees it; that of the owner FILES_SHARED
 * is seen by everybody who is let in. Any thread; all of it blocks on the disk.
 */
#ifndef FILES_FILES_H
#define FILES_FILES_H

#include "base/buf.h"
#include "base/mem.h"
#include "files/block.h"
#include "files/rules.h"

#define FILES_SHARED "*"      /* the owner of what is everybody's */
#define FILES_NOBODY "nobody" /* what is nobody's in particular */
/* Collections of it that are searched only as long as there is no document in
 * any other that the owner sees: they are for who begins. */
#define FILES_OWN_DOCUMENTS "Parley's documents"
#define FILES_OWN_IMAGES "Sample images"
#define FILES_NAME_MAX 1023 /* bytes of a document's name */
#define FILES_OWNER_MAX 255
#define FILES_TOP_K_MAX 50
#define FILES_TOP_K 8        /* unless asked otherwise */
#define FILES_PER_DOCUMENT 3 /* chunks of one document, unless asked so */
#define FILES_QUERY_MAX 4096 /* bytes of a query that are looked at */

struct files;
struct chunk;

MUST_USE enum err files_open(const char *dir, struct files **out);
void files_close(struct files *f); /* NULL is fine */
const char *files_dir(const struct files *f);

/* --- collections ---------------------------------------------------------- */

struct collection {
    int64_t id;
    char owner[FILES_OWNER_MAX + 1];
    char name[128];
    char root[4096]; /* the folder that was indexed; "": uploads */
    int64_t documents, skipped, chunks, bytes; /* how many; of the files */
    int64_t updated_ms;                        /* wall clock */
};
typedef bool collection_fn(void *arg, const struct collection *c);

/* The collection of this owner and name, made if it is not there and root is
 * not NULL. ERR_NOTFOUND; ERR_CONFLICT: it is there with another root. */
MUST_USE enum err files_collection(struct files *f, const char *owner,
                                   const char *name, const char *root,
                                   struct collection *out);
/* By its number, whoever's it is. ERR_NOTFOUND. */
MUST_USE enum err files_collection_get(struct files *f, int64_t id,
                                       struct collection *out);
/* Those that owner sees, by name. owner NULL: all (for the command line). */
MUST_USE enum err files_collections(struct files *f, const char *owner,
                                    collection_fn *fn, void *arg);
/* With all documents in it: unfindable when this returns. */
MUST_USE enum err files_collection_drop(struct files *f, int64_t id);
/* Everything of an owner goes over to another (a login claims what an
 * anonymous browser had); names that are taken get a number. */
MUST_USE enum err files_claim(struct files *f, const char *from,
                              const char *to);

/* --- documents ------------------------------------------------------------ */

struct document {
    int64_t id, collection;
    char owner[FILES_OWNER_MAX + 1]; /* of its collection; set when read */
    char name[FILES_NAME_MAX + 1];   /* a path relative to the root, with '/' */
    int64_t size;     /* bytes of the file, and of its sidecar if it is an image
                         that has one (files/image.h) */
    int64_t mtime_ns; /* wall clock; of the later one of the two */
    uint8_t hash[32]; /* SHA-256 of the file alone; zeros where it was not read:
                         empty, too large, of no type, not readable */
    bool image;
    enum skip skip;   /* SKIP_NOT: it is searchable */
    enum label label; /* not LABEL_IGNORE */
    bool label_fixed; /* set by its owner, not by rules */
    int64_t added_ms; /* wall clock; set when it is written */
    uint32_t chunks;
    int64_t text_len; /* bytes of its text (files/block.h) */
    struct facts facts;
};
typedef bool document_fn(void *arg, const struct document *d);

/* Write a document in place of the one of its name: begin, the chunks in their
 * order, end. Until end has returned OK the old one is found; after it, the new
 * one. A put holds no lock before its end (chunks are gathered in a temporary
 * file beyond PUT_BYTES_HELD), so many processes may do this at once. */
#define PUT_BYTES_HELD (4 * 1024 * 1024)
struct files_put;
MUST_USE enum err files_put_begin(struct files *f, const struct document *d,
                                  struct files_put **out);
/* A chunk_fn with the put as its arg. */
MUST_USE enum err files_put_chunk(void *put, const struct chunk *c);
/* d as in begin, with what is known now (facts, skip, label, hash); its id,
 * chunks and text_len are set. redactions: rules_redactions. A skipped one has
 * no chunks. Frees the put in any case. */
MUST_USE enum err files_put_end(struct files_put *put, struct document *d,
                                const char *redactions);
void files_put_abandon(struct files_put *put);

/* Several puts and deletes of this thread in one transaction (a whole folder
 * is much faster so). Others can read, and wait to write, meanwhile: end it
 * after some dozen milliseconds. What an error spoils is all of it, and may be
 * told by a later call or the end. */
MUST_USE enum err files_batch_begin(struct files *f);
MUST_USE enum err files_batch_end(struct files *f, bool commit);
/* No batch for some time: free what is kept from one to the next. */
void files_rest(struct files *f);

/* By its name in a collection, what is there of it (also if it was skipped). */
MUST_USE enum err files_known(struct files *f, int64_t collection,
                              const char *name, struct document *out);
/* By its number, whoever's it is. ERR_NOTFOUND. */
MUST_USE enum err files_get(struct files *f, int64_t document,
                            struct document *out);
/* By a name that owner gives: the whole name, else the last part of it if only
 * one document has that; their own before what is shared. A name is compared,
 * never opened. skipped ones are found too. ERR_NOTFOUND. */
MUST_USE enum err files_find(struct files *f, const char *owner,
                             const char *name, struct document *out);
/* Documents that owner sees (NULL: all), by name and number; those behind
 * `after` (NULL: from the first) and of the collection (0: all of them); at
 * most limit. */
struct files_after {
    const char *name; /* of the last document that was seen */
    int64_t id;       /* and its: several may have the name */
};
MUST_USE enum err files_list(struct files *f, const char *owner,
                             int64_t collection,
                             const struct files_after *after, unsigned limit,
                             document_fn *fn, void *arg);
/* Bytes of all files of a collection, those that are skipped included (which
 * what it counts itself does not). */
MUST_USE enum err files_bytes(struct files *f, int64_t collection,
                              int64_t *out);
/* Unfindable when this returns. */
MUST_USE enum err files_delete(struct files *f, int64_t document);
/* Names in a collection that `seen` does not know (a callback that says true to
 * keep): deleted, counted. */
MUST_USE enum err files_sweep(struct files *f, int64_t collection,
                              document_fn *seen, void *arg, uint64_t *gone);
MUST_USE enum err files_label(struct files *f, int64_t document,
                              enum label label);
/* What the rules say of it by now: the label, unless its owner set one, and
 * what is blotted out. */
MUST_USE enum err files_ruled(struct files *f, int64_t document,
                              enum label label, const char *redactions);
/* Its text from a place on, at most len bytes, cut between characters. */
MUST_USE enum err files_text(struct files *f, int64_t document, int64_t start,
                             size_t len, struct buf *out);

/* --- looking for something ------------------------------------------------ */

struct files_query {
    const char *owner;
    const char *text; /* what is looked for, as people type it; any bytes */
    size_t len;
    const char
        *recent; /* what was said before, newest last; weighs less; NULL */
    size_t recent_len;
    int64_t collection;    /* 0: all that the owner sees */
    bool own_only;         /* never what is there for who begins */
    unsigned top_k;        /* 1 to FILES_TOP_K_MAX */
    unsigned per_document; /* 0: any number */
    double recency;        /* 0 to 1: how much a newer file is preferred */
    double threshold;      /* 0 to 1: similarity that a chunk has at least */
    bool leaves;           /* the result goes to another machine: what is
                             local-only is held back, redact is blotted out */
    const float *vector; /* of the query, by `model`; NULL: the built-in one */
    const float *recent_vector; /* likewise, of `recent`; NULL: it has none */
    size_t dims;
    const char *model;
    int64_t now_ms;
};

struct files_hit {
    int64_t document;
    uint32_t chunk; /* seq */
    int64_t start;  /* place in the document's text */
    size_t len;
    int page;
    bool image;
    enum label label;
    const char *name;  /* as it is; for who asks, not for a model elsewhere */
    const char *shown; /* the same, blotted out if need be */
    const char *title, *heading, *type; /* these two as well */
    const char *text;    /* of the chunk, blotted out if need be */
    const char *snippet; /* some 200 bytes of it around what was looked for */
    double similarity;   /* of the vectors, 0 to 1 */
    double score;        /* what they are ordered by, 0 to 1 */
};

struct files_found {
    struct arena arena; /* all of it */
    struct files_hit *hits;
    size_t n;
    const char **held; /* names of documents held back: they would be hits */
    size_t n_held;
    size_t documents; /* that were looked through; 0: there is no index */
    bool samples;     /* they came with the program: the owner has no others */
};

/* Hybrid: FTS5's bm25 and the vectors, joined by reciprocal rank. OK also when
 * nothing is found. Its end is files_found_release. */
MUST_USE enum err files_search(struct files *f, const struct files_query *q,
                               struct files_found *out);
void files_found_release(struct files_found *found);

/* --- vectors of another model --------------------------------------------- */

/* Chunks that have no vector of this model yet: at most limit, of those whose
 * label lets them leave (leaves true: local-only ones stay with the built-in
 * vectors, and redacted text is given). name: of its document. */
typedef bool chunk_text_fn(void *arg, int64_t chunk, const char *name,
                           const char *text, size_t n);
MUST_USE enum err files_pending(struct files *f, const char *model, bool leaves,
                                unsigned limit, chunk_text_fn *fn, void *arg);
/* n rows, one for each chunk; one of zeros alone says that the model has none
 * for this chunk, which stays with its built-in vector and is not pending any
 * more. ERR_BADREQ: no model, or dims past FILES_DIMS_MAX. */
MUST_USE enum err files_vectors(struct files *f, const char *model,
                                const int64_t *chunks, const float *rows,
                                size_t n, size_t dims);
#define FILES_DIMS_MAX 8192
/* Vectors of every other model but the built-in one are dropped, some at a
 * time, so that others can write meanwhile. */
MUST_USE enum err files_vectors_only(struct files *f, const char *model);
/* The models that there are vectors of, but the built-in one, with how many
 * chunks have one. */
typedef bool files_model_fn(void *arg, const char *model, int64_t chunks);
MUST_USE enum err files_models(struct files *f, files_model_fn *fn, void *arg);
/* How many chunks of a collection (0: of all) have a vector of this model. */
MUST_USE enum err files_embedded(struct files *f, const char *model,
                                 int64_t collection, int64_t *chunks);

#endif
