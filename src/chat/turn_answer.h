/*
 * A turn's answer, while it is made; for chat/turn.c. Loop thread.
 */
#ifndef CHAT_TURN_ANSWER_H
#define CHAT_TURN_ANSWER_H

#include "chat/turn.h"

/* Ask the chosen route and those behind it; t->generator works from here on
 * and calls turn_finish. */
void turn_ask_provider(struct turn *t);
/* The chosen route and, behind it, those that stand in for it. */
size_t turn_routes(const struct turn *t,
                   struct route_choice out[GENERATOR_ROUTES_MAX]);
/* The log is to be looked at in the end of this loop turn. */
void turn_mark(struct turn *t);

#endif
