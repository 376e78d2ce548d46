/*
 * The end of a turn: made durable, told, and everything let go. Loop thread
 * only; for chat/turn.c.
 */
#ifndef CHAT_TURN_END_H
#define CHAT_TURN_END_H

#include "chat/turn.h"

/* Put the head and EVENT_START into the log. */
MUST_USE enum err turn_log_start(struct turn *t);
/* Another route is asked: who has to mend it finds that in the log. */
void turn_log_route(struct turn *t);
/* How it finished is known. Saved now, or as soon as it has begun. */
void turn_finish(struct turn *t, enum finish finish);
/* Make the answer durable; the end event follows the commit. */
void turn_save(struct turn *t);
/* The end of a command, which is not stored: told, and t is freed. */
void turn_command_told(struct turn *t);
/* It never began: fail its readers with p and free it. */
void turn_refuse(struct turn *t, const struct problem *p);
/* The same, since it was cancelled. */
void turn_refuse_cancelled(struct turn *t);
/* It was asked before, as `existing`: its readers follow that one; t is
 * freed. */
void turn_join(struct turn *t, const struct ident *existing);

#endif
