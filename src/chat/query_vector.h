/*
 * The vectors of what is looked for, made by the provider whose vectors the
 * files have (chat/file_embed.h). It is asked with the question, and what was
 * said before it, and waited for EMBED_WAIT_MS at most: without its answer the
 * search goes by the built-in vectors, and finds all the same. Vectors of the
 * last questions are kept in memory, so that none is asked for twice.
 *
 * Where the setting names another model than most of the files have vectors of
 * still, that one is asked, as long as it can be.
 */
#ifndef CHAT_QUERY_VECTOR_H
#define CHAT_QUERY_VECTOR_H

#include "chat/allowance.h"
#include "chat/vector_model.h"
#include "files/files.h"

#define QUERY_VECTORS_KEPT 128     /* texts whose vectors are kept */
#define QUERY_VECTOR_LATE_MS 30000 /* until one that comes late is let go */
#define QUERY_VECTOR_REST_MS 2000  /* after a failure; doubled, */
#define QUERY_VECTOR_REST_MAX_MS 300000 /* up to this */
#define QUERY_VECTOR_SERVE_MS 1000      /* between looks which model serves */

struct engine;
struct query_vectors;

/* What a query borrows. */
struct query_vector {
    float *typed, *recent; /* owned; NULL: none */
    char model[VECTOR_MODEL_NAME_MAX + 1];
};

/* Fill q's vector, recent_vector, dims and model, if they can be had; they are
 * out's. payer: who pays, as aside questions are paid for. away: what a
 * provider elsewhere is sent instead of q's recent; NULL: the same. Where
 * nothing is to be found, or nobody makes vectors, nobody is asked. Any thread
 * but the loop's. */
void query_vector(struct engine *en, struct files_query *q,
                  const struct payer *payer, const struct buf *away,
                  struct query_vector *out);
void query_vector_release(struct query_vector *v);

/* --- for chat/file_embed.c ------------------------------------------------ */

/* wanted: that of the setting; borrowed, constant. */
struct query_vectors *query_vectors_new(struct engine *en,
                                        const struct vector_model *wanted);
/* Let go what is asked, and ask no more. Loop thread. */
void query_vectors_stop(struct query_vectors *all);
/* When nobody asks any more, and the engine holds none. NULL is fine. */
void query_vectors_free(struct query_vectors *all);

#endif
