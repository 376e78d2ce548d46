/*
 * What a message wants, in a line: the title of a conversation until a model
 * writes one, and the questions of a summary; and what a model wrote, made
 * plain. Deterministic. Pure; any thread.
 */
#ifndef LANG_TITLE_H
#define LANG_TITLE_H

#include "base/base.h"

struct buf;
struct reading;

#define TITLE_INPUT_MAX (16 * 1024) /* bytes that are read of a message */

/* The sentence that says what the writer wants: a question if there is one, the
 * fullest. The number of sentences: there is none. */
size_t title_sentence(const struct reading *r);

/* Add a title of at most max bytes (at least 8) to out, as plain text in one
 * line: that sentence without a greeting or "could you please" before it, with
 * a capital, without its full stop; what is longer ends between words with an
 * ellipsis. false: the text has no words outside code, and out is as it was. */
bool title_text(struct buf *out, const char *s, size_t n, size_t max);

/* Add what a model answered when it was asked for a title, at most max bytes of
 * it: the first line of its prose that has a word in it, without quotation
 * marks around it, Markdown, a "Title:" before it, a full stop behind it. What
 * is longer is cut between characters. false: there is no such line, and out
 * is as it was. */
bool title_clean(struct buf *out, const char *s, size_t n, size_t max);

#endif
