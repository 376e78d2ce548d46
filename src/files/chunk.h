/*
 * Cuts the blocks of a document into chunks of about CHUNK_AIM bytes: at
 * headings always, else between paragraphs, else between sentences; each begins
 * with the last sentence or two of the one before (not across a heading). Pure;
 * memory is bounded.
 */
#ifndef FILES_CHUNK_H
#define FILES_CHUNK_H

#include "base/buf.h"
#include "files/block.h"

#define CHUNK_AIM 800     /* bytes */
#define CHUNK_MAX 1600    /* bytes; a longer sentence is cut between words */
#define CHUNK_OVERLAP 160 /* bytes, at most */
#define CHUNK_HEADING_MAX 255

struct chunk {
    uint32_t seq;        /* in the document, from 0 */
    int64_t start;       /* place in the document's text, bytes */
    size_t len;          /* bytes there; the text is these (see block.h) */
    int page;            /* of its start; 0: none */
    const char *heading; /* "Setting up > Keys"; "" if none */
    const char *text;    /* len bytes, NUL-terminated; borrowed */
};
typedef enum err chunk_fn(void *arg, const struct chunk *c);

struct chunker;
struct chunker *chunker_new(chunk_fn *fn, void *arg);
void chunker_free(struct chunker *c); /* NULL is fine */
/* A block_fn with the chunker as its arg. */
MUST_USE enum err chunker_add(void *chunker, const struct block *b);
MUST_USE enum err chunker_end(struct chunker *c); /* the last chunk */

#endif
