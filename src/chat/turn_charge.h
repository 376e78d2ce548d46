/*
 * What a turn reserves and uses; for the files of chat/turn.c. A stored turn
 * reserves with its question and settles with its answer; for one of a
 * temporary session, and for a command that asks a model, there are operations
 * of their own (chat/charge.h). Loop thread.
 */
#ifndef CHAT_TURN_CHARGE_H
#define CHAT_TURN_CHARGE_H

#include "chat/turn.h"

/* Make its bill anew: what it may cost at most, and who is charged. Where a
 * budget applies, its answer is asked to be no longer than what is reserved. */
void turn_bill(struct turn *t);
/* Is anything reserved for it, so that nobody may be asked before? */
bool turn_is_limited(const struct turn *t);
/* Reserve now, and then go on; or go on at once if it is reserved. next is
 * given the turn; why NULL: it is reserved. */
void turn_reserve(struct turn *t, charge_fn *next);
/* What was asked failed, and its route is tried again, or given up (over): note
 * the call, and count what it took, if its provider said so. */
void turn_tried(struct turn *t, const struct problem *why, bool over);
/* Behind that: answer the generator whether this route may be asked. Another
 * model is charged than before, so that is reserved anew. arg is the turn, as
 * struct generator_calls has it. */
void turn_may(void *arg, const struct route_choice *route);
/* The store refused its question, since it does not fit. */
void turn_refuse_limit(struct turn *t);
/* What it used, as it ends; strings are its own. */
void turn_spent(struct turn *t, struct ledger_spent *out);
/* What was asked for it is given up, since another process was faster: count
 * and note what that took, and give back what was reserved since. To be called
 * while it still has what was said. */
void turn_undone(struct turn *t);
/* Its end is not stored with a message: settle. */
void turn_settle(struct turn *t);
/* Whatever became of it: give back what is reserved still. */
void turn_release(struct turn *t);

#endif
