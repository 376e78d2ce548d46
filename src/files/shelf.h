/*
 * The file of the index: connections to it, its statements, and what SQLite's
 * errors mean. For the index's own files only (files*.c, put.c, query*.c).
 *
 * A connection is used by one thread from shelf_take to shelf_give. A thread
 * with an open batch gets its batch's connection each time.
 */
#ifndef FILES_SHELF_H
#define FILES_SHELF_H

#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>

#include "files/files.h"
#include "files/shelf_token.h"

#define SHELF_FILE "files.db"
#define SHELF_IDLE 4        /* connections that are kept */
#define SHELF_BUSY_MS 20000 /* that one who writes waits for another */
#define SHELF_READ_MS 1000  /* and one who reads: answers wait for that */
#define SHELF_MODELS_MAX 62 /* models beside the built-in one */

/* Numbers. A collection is never numbered twice; a document's and a chunk's
 * number begins with that of its collection, so that all of a collection is a
 * range. Documents stay below 2^53, which JavaScript can hold. Vectors and
 * sketches have the chunk's number with the model's in front of it. */
#define SHELF_COLLECTIONS_MAX (INT64_C(1) << 25)
#define SHELF_DOCUMENT_BITS 24
#define SHELF_CHUNK_BITS 32
#define SHELF_MODEL_BITS 57
static inline int64_t
shelf_chunk_from(int64_t collection)
{
    return collection << SHELF_CHUNK_BITS;
}
static inline int64_t
shelf_model_key(int64_t model, int64_t chunk)
{
    return model << SHELF_MODEL_BITS | chunk;
}

enum shelf_sql {
    SHELF_BEGIN,
    SHELF_BEGIN_WRITE,
    SHELF_COMMIT,
    SHELF_ROLLBACK,
    SHELF_COLLECTION,
    SHELF_COLLECTION_NAMED,
    SHELF_COLLECTIONS, /* these are prepared by each who walks over them */
    SHELF_COLLECTIONS_OF,
    SHELF_COLLECTION_FIRST,
    SHELF_COLLECTION_ADD,
    SHELF_COLLECTION_COUNT,
    SHELF_COLLECTION_DROP,
    SHELF_COLLECTION_BYTES,
    SHELF_COLLECTION_OWNER,
    SHELF_DOCUMENT,
    SHELF_DOCUMENT_NAMED,
    SHELF_DOCUMENTS, /* these as well */
    SHELF_DOCUMENTS_OF,
    SHELF_DOCUMENTS_IN,
    SHELF_DOCUMENT_ADD,
    SHELF_DOCUMENT_DROP,
    SHELF_DOCUMENT_LABEL,
    SHELF_DOCUMENT_RULES,
    SHELF_DOCUMENT_FIND,
    SHELF_DOCUMENT_FIND_LAST,
    SHELF_DOCUMENT_NEXT,
    SHELF_DOCUMENT_EMBEDDED,
    SHELF_CHUNK_ADD,
    SHELF_CHUNK_DROP,
    SHELF_CHUNKS,
    SHELF_CHUNK_TEXT,
    SHELF_CHUNK_SHOW,
    SHELF_CHUNK_DOCUMENT,
    SHELF_WORDS_ADD,
    SHELF_WORDS_DROP,
    SHELF_WORDS_MATCH,
    SHELF_SKETCH_ADD,
    SHELF_SKETCH_DROP,
    SHELF_SKETCH_SCAN,
    SHELF_SKETCH_SUM,
    SHELF_VECTOR_ADD,
    SHELF_VECTOR_DROP,
    SHELF_VECTOR_NTH,
    SHELF_VECTOR_COSINE,
    SHELF_VECTOR_HAS,
    SHELF_VECTOR_COUNT,
    SHELF_MODEL,
    SHELF_MODEL_NEXT,
    SHELF_MODELS,
    SHELF_MODELS_OTHER,
    SHELF_MODEL_FREE,
    SHELF_MODEL_ADD,
    SHELF_MODEL_DROP,
    SHELF_MODEL_FADE,
    SHELF_MODEL_FORGET,
    SHELF_PENDING,
    SHELF_LOCAL,
    SHELF_DESCRIBED,
    SHELF_DESCRIBED_PUT,
    SHELF_DESCRIBED_HAVE,
    SHELF_DESCRIBED_DROP,
    SHELF_SQL__N
};

struct shelf_conn {
    struct files *files;
    sqlite3 *db;
    struct shelf_token *token;
    sqlite3_stmt *stmt[SHELF_SQL__N];
    dev_t dev; /* of the file that is open */
    ino_t ino;
    int changes; /* sqlite3_total_changes at shelf_write */
    /* Of a batch. */
    bool batch;
    pthread_t thread;
    enum err broken;           /* it cannot be committed any more */
    struct put_helper *helper; /* owned; NULL: none was needed */
    struct shelf_conn *next;
};

struct files {
    char dir[PATH_MAX];
    char path[PATH_MAX];
    pthread_mutex_t mu; /* guards idle, n_idle, batches, helper */
    struct shelf_conn *idle[SHELF_IDLE];
    unsigned n_idle;
    struct shelf_conn *batches; /* owned */
    struct put_helper *helper;  /* owned; what the batch before left */
    bool opened;                /* from here on nobody waits long to read */
};

/* OK must be followed by shelf_give. ERR_FULL, ERR_BUSY, ERR_STORE (logged). */
MUST_USE enum err shelf_take(struct files *f, struct shelf_conn **out);
void shelf_give(struct shelf_conn *c);
/* The same for who neither reads nor changes chunks of a document: in a batch
 * those of the last one may still be on their way. */
MUST_USE enum err shelf_take_early(struct files *f, struct shelf_conn **out);

/* A snapshot to read from; within a batch there is one already. */
MUST_USE enum err shelf_read(struct shelf_conn *c);
/* Be the one who writes; within a batch it is so already. */
MUST_USE enum err shelf_write(struct shelf_conn *c);
/* Commit if e is OK, else roll back. In a batch that is for its end; an error
 * after something was written spoils the whole batch. */
MUST_USE enum err shelf_end(struct shelf_conn *c, enum err e);

/* --- files/shelf_sql.c ---------------------------------------------------- */

/* Settings of a connection, and the tables if there are none. */
MUST_USE enum err shelf_set_up(struct shelf_conn *c);
/* The text of a statement, for those who prepare their own. */
const char *shelf_sql(enum shelf_sql which);

/* --- files/shelf_stmt.c --------------------------------------------------- */

/* What SQLite's code means; logged. */
enum err shelf_failed(struct shelf_conn *c, const char *at, int rc);
/* A statement with its values, ready to be stepped; NULL: failed. How: 'i' an
 * int64_t, 'd' a double, 't' a string, 's' bytes of text and a size_t, 'b' the
 * same as a BLOB; they must live until it is reset. */
sqlite3_stmt *shelf_stmt(struct shelf_conn *c, enum err *e,
                         enum shelf_sql which, const char *how, ...);
/* The next row: OK, or ERR_NOTFOUND: there is none, and it is reset. */
MUST_USE enum err shelf_step(struct shelf_conn *c, sqlite3_stmt *stmt);
/* Run one to its end. */
MUST_USE enum err shelf_do(struct shelf_conn *c, enum shelf_sql which,
                           const char *how, ...);
/* The first column of its first row; ERR_NOTFOUND. */
MUST_USE enum err shelf_int(struct shelf_conn *c, int64_t *out,
                            enum shelf_sql which, const char *how, ...);
/* A text column, never NULL; cut to what has room. */
void shelf_text(sqlite3_stmt *stmt, int column, char *out, size_t max);

/* --- files/files_document.c ----------------------------------------------- */

/* What SHELF_DOCUMENT and its like give; more columns are the caller's. */
#define SHELF_DOCUMENT_COLUMNS 24
void shelf_document_read(sqlite3_stmt *stmt, struct document *d);
/* Take a document's chunks out, with their words and vectors; the row stays.
 * It is counted out of its collection. ERR_NOTFOUND. */
MUST_USE enum err shelf_document_empty(struct shelf_conn *c, int64_t document);
/* Its text for FTS5: what the words of a chunk are made of. */
void shelf_words_text(struct buf *out, int64_t lang, const char *name,
                      const char *title, const char *heading, const char *text,
                      size_t n);

/* --- files/files_models.c ------------------------------------------------- */

/* The number of a model, and how many dimensions it has. ERR_NOTFOUND. */
MUST_USE enum err shelf_model_find(struct shelf_conn *c, const char *model,
                                   int64_t *no, int64_t *dims);
/* With all its vectors. */
MUST_USE enum err shelf_model_drop(struct shelf_conn *c, int64_t no);

/* --- files/files_text.c --------------------------------------------------- */

/* A chunk of a document (with the number of its first chunk and how many it
 * has): its text with what is to be blotted out looked for in what is around
 * it, too. names as in redact_part. Nothing is added after an error. */
MUST_USE enum err shelf_text_blotted(struct shelf_conn *c,
                                     const struct redact *blot, int64_t first,
                                     int64_t chunks, int64_t start,
                                     const char *text, size_t n, bool names,
                                     struct buf *out);

/* --- files/put_write.c, put_window.c -------------------------------------- */

/* Write what a put of this batch has left to its helper. */
MUST_USE enum err shelf_settle(struct shelf_conn *c);
struct put_helper; /* files/put_window.h */
void helper_rest(struct put_helper *h);
void helper_free(struct put_helper *h);

/* --- files/files_check.c, for tests --------------------------------------- */

/* Does all that is counted twice agree? OK, or ERR_STORE with what is wrong in
 * out. Reads everything. */
MUST_USE enum err files_check(struct files *f, struct buf *out);

#endif
