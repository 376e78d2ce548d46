/*
 * Vectors as the index keeps them: the exact one, float32, and a sketch of it,
 * some hundred bytes whatever the model, by which most chunks are found to be
 * out of the question. For the index's own files only. Pure.
 */
#ifndef FILES_SHELF_VECTOR_H
#define FILES_SHELF_VECTOR_H

#include <sqlite3.h>

#include "base/buf.h"
#include "files/files.h"

#define SKETCH_DIMS 256
#define SKETCH_ROW (SKETCH_DIMS + sizeof(float)) /* bytes of one */
#define SKETCH_ROWS 64                           /* of one record, at most */
#define VECTOR_DIMS_MAX FILES_DIMS_MAX

/* What a query is compared with sketches by. */
struct sketch_query {
    int16_t at[SKETCH_DIMS];
    float scale;
};

/* A vector in the dimensions of sketches: as it is if it has no more, else its
 * numbers added up with signs, which keeps angles well enough. */
void sketch_fold(const float *v, size_t dims, float out[SKETCH_DIMS]);
/* A row: scale and numbers. */
void sketch_row(const float *v, size_t dims, struct buf *out);
void sketch_query(struct sketch_query *q, const float *v, size_t dims);
/* Similarities of n rows that lie behind each other. */
void sketch_compare(const struct sketch_query *q, const uint8_t *rows, size_t n,
                    float *out);

/* cosine(a, b) of two BLOBs of normalised float32; NULL where they are not of
 * one length. An SQLite code. */
MUST_USE int shelf_vector_register(sqlite3 *db);

#endif
