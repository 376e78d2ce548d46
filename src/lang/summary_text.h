/*
 * A conversation in short, without a model: what was asked, and the sentences
 * of the answers that say most. Deterministic. Pure; any thread.
 */
#ifndef LANG_SUMMARY_TEXT_H
#define LANG_SUMMARY_TEXT_H

#include "base/base.h"

struct buf;

#define SUMMARY_EXCHANGES_MAX 8         /* that are told */
#define SUMMARY_MESSAGE_MAX (64 * 1024) /* bytes that are read of a message */
#define SUMMARY_QUESTION_MAX 300        /* bytes */
#define SUMMARY_ANSWER_MAX 500          /* bytes */

struct summary_message {
    const char *role; /* "user", "assistant"; others are left out */
    const char *text; /* len bytes of UTF-8 */
    size_t len;
};

/* Add Markdown that people can read: a numbered list of questions and answers.
 * Of a long conversation the first exchange, the last two, and the longest of
 * those between. Messages that are commands ("/help") are left out, with what
 * answers them. How many exchanges were told; 0: there was nothing to tell, and
 * out is as it was. */
size_t summary_text(struct buf *out, const struct summary_message *messages,
                    size_t n);

#endif
