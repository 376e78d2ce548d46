/*
 * Excerpts of files as a model is shown them, and as people are told what an
 * answer stands on. Pure; any thread.
 *
 * What a file says is data, whatever it says: the text begins with a rule to
 * the model, each excerpt stands in a frame that its own text cannot close, and
 * has a number by which the model is to cite it.
 */
#ifndef FILES_CITE_H
#define FILES_CITE_H

#include "base/json.h"
#include "files/files.h"

#define CITE_SNIPPET_MAX 300 /* bytes of one, in a citation */

/* Put the excerpts into out, with what of their names may be shown (name where
 * shown is NULL), numbered from 1, as many of the first ones as have
 * room in max bytes with all that is around them. Returns how many; nothing is
 * written for 0. */
size_t cite_text(const struct files_hit *hits, size_t n, size_t max,
                 struct buf *out);
/* What a hit and a citation both say: "name", "title", "heading", "snippet",
 * "score", "similarity", "chunk", "start", "length", "image", "label". */
void cite_put(struct json_out *j, const struct files_hit *hit);
/* An array of {"n", "name", "title", "heading", "page", "snippet", "score",
 * "similarity", "chunk", "start", "length", "image", "label"}: page null if
 * there is none. */
void cite_json(struct json_out *j, const struct files_hit *hits, size_t n);
/* One of them; number from 1. */
void cite_one_json(struct json_out *j, const struct files_hit *hit,
                   size_t number);

#endif
