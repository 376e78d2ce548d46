/*
 * Streams that are kept in memory: those of temporary sessions. Inside of the
 * stream log, which looks here first; for streamlog*.c and tests. The calls are
 * those of streamlog.h. Loop thread only; NULL is a log without streams.
 */
#ifndef STORE_STREAMLOG_MEMORY_H
#define STORE_STREAMLOG_MEMORY_H

#include "store/streamlog.h"

struct memory_streams;

/* room is borrowed. */
struct memory_streams *memory_streams_new(struct budget *room);
void memory_streams_free(struct memory_streams *m);
bool memory_streams_has(const struct memory_streams *m,
                        const struct ident *turn);

/* Begins the stream, or changes its head. Always fits. */
void memory_streams_put_head(struct memory_streams *m, const struct ident *turn,
                             const struct stream_head *h);
/* The stream is there. ERR_FULL: not even without the streams that have ended,
 * which are dropped first, the oldest of them first. An end event always fits.
 * ERR_CONFLICT: seq is not above the last one. ERR_TOOBIG: the event. */
MUST_USE enum err memory_streams_append(struct memory_streams *m,
                                        const struct ident *turn, uint32_t seq,
                                        enum event_type type, const void *data,
                                        size_t n);
MUST_USE enum err memory_streams_head(const struct memory_streams *m,
                                      const struct ident *turn,
                                      struct stream_head *out);
/* The data is borrowed until the stream is dropped. */
MUST_USE enum err memory_streams_next(const struct memory_streams *m,
                                      const struct ident *turn, uint32_t after,
                                      struct event *out);
MUST_USE enum err memory_streams_last(const struct memory_streams *m,
                                      const struct ident *turn,
                                      struct event *out);
MUST_USE enum err memory_streams_after(const struct memory_streams *m,
                                       struct ident *turn,
                                       struct stream_head *out);
/* False: there was none. */
bool memory_streams_drop(struct memory_streams *m, const struct ident *turn);
/* Drop up to max streams that ended before that; and, while less than an
 * eighth of room is left, any that ended. Returns how many. */
size_t memory_streams_sweep(struct memory_streams *m, int64_t before_ms,
                            size_t max);

#endif
