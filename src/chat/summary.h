/*
 * The rolling summary (setting SUMMARY): when a conversation outgrows its
 * model's window, a model writes a summary of its oldest messages, which then
 * stands for them in the prompt (chat/prompt.h). It is written in the
 * background after an answer is stored, one request at a time for a session,
 * kept with the session, and extended as the session grows. If it cannot be
 * written nothing is lost: the oldest messages are left out as without it, and
 * the next answer tries again. Loop thread only.
 */
#ifndef CHAT_SUMMARY_H
#define CHAT_SUMMARY_H

#include "chat/aside.h"

#define SUMMARY_RUNS_MAX 8      /* at once, of all sessions */
#define SUMMARY_READ_MAX 32768  /* tokens that one request reads */
#define SUMMARY_WRITE_MAX 4096  /* tokens that it may answer with */
#define SUMMARY_TOTAL_MS 120000 /* for one, with all tries */

struct turn;

extern const struct aside_kind summary_kind;

/* The answer of t is stored: start a run if its session needs one. Copies what
 * it needs; never fails. all: of that kind. */
void summary_after(struct asides *all, const struct turn *t);

#endif
