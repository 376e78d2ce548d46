/*
 * The tool calls of an answer whose tools are the client's: gathered while
 * they come, put into the log as events before the end, and told in the
 * result. Nobody here runs them, and they are not stored. Loop thread only.
 */
#ifndef CHAT_TURN_CALLS_H
#define CHAT_TURN_CALLS_H

#include "base/buf.h"
#include "chat/turn.h"

#define TURN_CALLS_MAX 256                 /* calls of one answer */
#define TURN_CALLS_BYTES (2 * 1024 * 1024) /* of all arguments */
#define TURN_CALLS_JSON (16 * 1024 * 1024) /* bytes of them as JSON */

struct turn_calls;

/* A PART_CALL or PART_ARGS; ignored if the turn was given no tools. */
void turn_calls_add(struct turn *t, const struct part *p);
/* Append an event for each call, once. ERR_FULL as stream_append. */
MUST_USE enum err turn_calls_log(struct turn *t);
/* [{"id","name","arguments"}]: arguments is a text, JSON as a rule. */
void turn_calls_json(struct buf *out, const struct turn *t);
void turn_calls_free(struct turn *t);

#endif
