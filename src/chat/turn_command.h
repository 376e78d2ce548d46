/*
 * A turn that carries out a command; for chat/turn.c. The log has its events,
 * and no message is kept of it. It begins when the worker is done with it:
 * what is done then is told, though the turn was cancelled meanwhile, and what
 * would ask a model is refused.
 *
 *   loading ──────► running ─────────► ending ──► over
 *   (worker:        (a model is        (told)
 *    the command)    asked, perhaps)
 *
 * Loop thread.
 */
#ifndef CHAT_TURN_COMMAND_H
#define CHAT_TURN_COMMAND_H

#include "chat/turn.h"

/* Its session is free: carry it out. */
void turn_command_start(struct turn *t);
/* How it finished is known: tell it when this loop turn is over. */
void turn_command_end(struct turn *t);
/* Is a model asked? Of a message, always. */
bool turn_asks_model(const struct turn *t);
/* What is told at the end. NULL: nothing. */
const char *turn_command_name(const struct turn *t);
const char *turn_command_outcome(const struct turn *t);
void turn_command_free(struct turn *t); /* NULL command is fine */

#endif
