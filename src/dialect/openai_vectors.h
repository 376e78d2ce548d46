/*
 * OpenAI's dialect, embeddings: rows of numbers as the list that its clients
 * read, in decimal or as base64 of little-endian float32. Pure; any thread (it
 * is work: a worker's, as a rule).
 */
#ifndef DIALECT_OPENAI_VECTORS_H
#define DIALECT_OPENAI_VECTORS_H

#include "base/buf.h"

void openai_vectors_begin(struct buf *out);
/* Row number index: n values. Call with 0, 1, … */
void openai_vectors_add(struct buf *out, size_t index, const float *values,
                        size_t n, bool base64);
/* tokens -1: not known. */
void openai_vectors_end(struct buf *out, const char *model, int64_t tokens);

#endif
