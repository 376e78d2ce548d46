/*
 * What an aside reserves and uses; for chat/aside.c. Loop thread.
 */
#ifndef CHAT_ASIDE_CHARGE_H
#define CHAT_ASIDE_CHARGE_H

#include "chat/aside.h"

/* Make its bill, reserve what it says, and then go on; or go on at once if that
 * is nothing. next is given the aside; why NULL: it is reserved. */
void aside_reserve(struct aside *a, charge_fn *next);
/* What was asked failed, and its route is tried again, or given up (over): note
 * the call, and count what it took, if its provider said so. */
void aside_tried(struct aside *a, const struct problem *why, bool over);
/* Behind that: answer the generator whether this route may be asked. arg is the
 * aside, as struct generator_calls has it. */
void aside_may(void *arg, const struct route_choice *route);
/* It is over: settle, and give back what is reserved still. */
void aside_settle(struct aside *a, enum finish finish);

#endif
