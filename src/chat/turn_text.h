/*
 * Adding to a turn's answer; for chat/turn.c. Loop thread.
 */
#ifndef CHAT_TURN_TEXT_H
#define CHAT_TURN_TEXT_H

#include "chat/turn.h"

#define TURN_TEXT_MAX STORE_TEXT_MAX /* bytes; the longest answer we keep */

/* Bytes of the answer as they come, in any split. Past TURN_TEXT_MAX the rest
 * is dropped and t->too_long is set. */
void turn_text_add(struct turn *t, const char *s, size_t n);

#endif
