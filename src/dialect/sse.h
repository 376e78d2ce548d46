/*
 * Parley's own dialect: events as JSON objects that repeat their type, for
 * SSE, for polling, and as plain text. Pure.
 */
#ifndef DIALECT_SSE_H
#define DIALECT_SSE_H

#include "store/streamlog.h"

/* "response_chunk" and so on. Never NULL. */
const char *dialect_event_name(enum event_type t);
/* {"type":…, …} on one line. seq: adds "seq":N (polling); 0: not. The ends
 * that carry a message carry it as "content" too. */
void dialect_event_data(struct buf *out, const struct event *ev, uint32_t seq);
/* A whole server-sent event; turn is the id's text. */
void dialect_sse(struct buf *out, const char *turn, const struct event *ev);

#endif
