/*
 * What a relay reserves and uses; for chat/relay.c. Loop thread.
 */
#ifndef CHAT_RELAY_CHARGE_H
#define CHAT_RELAY_CHARGE_H

#include "chat/relay.h"

/* Make its bill for n of its routes. True: nobody may be asked before what it
 * says is reserved, by relay_reserve. */
bool relay_bill(struct relay *r, size_t n);
/* next is called with the relay when it is; why: it does not fit. */
void relay_reserve(struct relay *r, charge_fn *next);
/* What was asked failed, and its route is tried again, or given up (over): note
 * the call, and count what it took, if its provider said so. */
void relay_tried(struct relay *r, const struct problem *why, bool over);
/* This one is asked now. */
void relay_asks(struct relay *r, const struct route_choice *route);
/* Behind both: answer the generator whether this route may be asked. arg is the
 * relay, as struct generator_calls has it. */
void relay_may(void *arg, const struct route_choice *route);
/* A part of the answer. */
void relay_said(struct relay *r, const struct part *p);
/* It is over: settle, and give back what is reserved still. */
void relay_settle(struct relay *r);

#endif
