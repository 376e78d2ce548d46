/*
 * A text, analysed without a model: how it sounds, its key points, key phrases
 * and what it names. Deterministic. A text of 100 kB is meant to take well
 * under 100 ms. Pure; any thread.
 */
#ifndef LANG_ANALYSIS_H
#define LANG_ANALYSIS_H

#include "base/base.h"
#include "lang/entity.h"
#include "lang/phrase.h"
#include "lang/reading.h"
#include "lang/sentiment.h"

struct buf;
struct lexicon;

#define ANALYSIS_INPUT_MAX SENTENCES_INPUT_MAX
#define ANALYSIS_POINTS_MAX 5
#define ANALYSIS_POINTS_BYTES 1500 /* of all points */
#define ANALYSIS_POINT_MAX 500     /* bytes of a point as it is told */
#define ANALYSIS_PHRASES_MAX 8

struct analysis {
    struct reading reading; /* owned; the others point into it */
    struct sentiment sentiment;
    uint32_t points[ANALYSIS_POINTS_MAX]; /* sentences, in their order */
    size_t n_points;                      /* 0 only if the text says nothing */
    struct phrases phrases;
    struct entities entities;
};

/* text: n bytes of UTF-8, prose or Markdown, which must outlive out; lex NULL:
 * how it sounds is known by faces only. ERR_TOOBIG past ANALYSIS_INPUT_MAX:
 * nothing to release then. */
MUST_USE enum err analysis_run(const char *text, size_t n,
                               const struct lexicon *lex, struct analysis *out);
void analysis_release(struct analysis *a);

/* The text of point i; its length in *n. */
const char *analysis_point(const struct analysis *a, size_t i, size_t *n);
/* All of it as Markdown that people can read. */
void analysis_tell(struct buf *out, const struct analysis *a);

/* Add plain text to Markdown: its own signs are escaped, and what is longer
 * than max bytes (0: any) ends between words with an ellipsis. */
void analysis_add_plain(struct buf *out, const char *s, size_t n, size_t max);

#endif
