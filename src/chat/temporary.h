/*
 * Temporary chats: sessions of which nothing is ever written to a file. Store
 * and stream log keep them in memory (store/store.h); here is what a client is
 * told where that cannot be. Pure; any thread.
 */
#ifndef CHAT_TEMPORARY_H
#define CHAT_TEMPORARY_H

#include "base/base.h"

/* ERR_IMPOSSIBLE, temporary_off: this server has none. */
MUST_USE enum err temporary_check(struct problem *why);
/* The problem of a session that is, or was to be, a temporary one: ERR_FULL is
 * temporary_full, ERR_IMPOSSIBLE not_temporary, any other as it is. Returns
 * e. */
enum err temporary_problem(struct problem *p, enum err e);
/* The problem of a session that is one (is), or of another: that of e. */
void temporary_problem_if(bool is, struct problem *p, enum err e);

#endif
