/*
 * Every call of a provider is noted in the audit log when it is over: who was
 * asked, on whose behalf, what it took, how it ended. Never what was said.
 * Answers of the built-in offline provider, and those that were kept from
 * before, are no calls. Called before the route, the usage and the model are
 * those of another call, and before the owner is let go. Loop thread.
 */
#ifndef CHAT_CALLED_H
#define CHAT_CALLED_H

#include "base/base.h"

struct turn;
struct aside;
struct relay;
struct embed;

/* outcome: how it ended, "stop", "cancelled", or the code of an error. */
void called_turn(const struct turn *t, const char *outcome);
void called_aside(const struct aside *a, const char *outcome);
void called_relay(const struct relay *r, const char *outcome);
void called_embed(const struct embed *em, const char *outcome);

#endif
