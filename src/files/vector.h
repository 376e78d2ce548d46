/*
 * A text as a vector that needs no model: its words, stems, pairs of words and
 * letter n-grams, hashed into VECTOR_DIMS numbers of length 1 together. Two
 * texts about the same thing in the same words are near each other, with other
 * endings and misspelt ones still close. The same text gives the same bytes on
 * every machine. Pure; any thread.
 */
#ifndef FILES_VECTOR_H
#define FILES_VECTOR_H

#include "base/base.h"

#define VECTOR_DIMS 512
#define VECTOR_MODEL "parley/hashed-1" /* changes when the numbers do */

/* All zero for a text without a word. */
void vector_of(const char *text, size_t n, float out[VECTOR_DIMS]);
/* The same of a part of a document; about: what it is about beside its text, as
 * its name or heading, with less weight. */
void vector_of_part(const char *about, size_t about_len, const char *text,
                    size_t n, float out[VECTOR_DIMS]);
/* What whoever makes many of them remembers of words, some megabytes: the
 * vectors are the same and made several times as fast. Of one thread at a
 * time. */
struct vector_memory;
struct stems; /* files/stems.h; borrowed */
struct vector_memory *vector_memory_new(struct stems *stems);
void vector_memory_free(struct vector_memory *m); /* NULL is fine */
/* m may be NULL. */
void vector_of_part_by(struct vector_memory *m, const char *about,
                       size_t about_len, const char *text, size_t n,
                       float out[VECTOR_DIMS]);
/* a += weight * b. */
void vector_mix(float *a, const float *b, size_t n, double weight);
void vector_normalise(float *a, size_t n);
/* Of two normalised ones. */
float vector_cosine(const float *a, const float *b, size_t n);

#endif
