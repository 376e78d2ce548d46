/*
 * Sessions at work: turns of one session run one after another. A slot exists
 * while a turn of its session runs or waits. Loop thread only.
 */
#ifndef CHAT_SESSION_H
#define CHAT_SESSION_H

#include "base/base.h"

struct sessions;
struct turn;
struct turn_ask; /* chat/prompt.h */

struct sessions *sessions_new(size_t queue_max);
void sessions_free(struct sessions *s);
/* OK: t runs now. ERR_AGAIN: it waits, turn_go will be called. ERR_LIMIT:
 * queue_max turns wait already. */
MUST_USE enum err session_enter(struct sessions *s, struct turn *t);
/* The turn at work in ask's session that was asked with the same idempotency
 * key; NULL: none. */
struct turn *session_twin(struct sessions *s, const struct turn_ask *ask);
/* t is over (running) or gives up (waiting). The next one goes. */
void session_leave(struct sessions *s, struct turn *t);

#endif
