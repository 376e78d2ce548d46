/*
 * Records: what stands under a key. Each begins with a version byte; it is
 * written in the newest version and read in every version there ever was.
 * docs/WIRE.md, "Data on disk". Readers are strict: a record that is too
 * short, too long, holds a number in a longer form than needed or a string
 * past its limit is ERR_STORE, never a guess. Pure; any thread.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "store/store.h"
#include "store/streamlog.h"

/* Bytes that the longest record of a kind takes. */
#define RECORD_SESSION_MAX 1280
#define RECORD_TURN_MAX 128
#define RECORD_IDEM_MAX 32
#define RECORD_SUMMARY_MAX (STORE_SUMMARY_MAX + 32)
#define RECORD_CONTEXT_HEAD 1 /* bytes before a context's text */
#define RECORD_HEAD_MAX 576
#define RECORD_EVENT_HEAD 2 /* bytes before an event's data */
#define RECORD_SCALAR_LEN 9 /* version, u64 big-endian */
#define RECORD_VALUE_MAX (STORE_RECORD_MAX + 16)

/* Writers return the length. Strings must be within their STORE_… limits
 * (asserted). */
size_t record_session_write(uint8_t out[RECORD_SESSION_MAX],
                            const struct session *s);
size_t record_turn_write(uint8_t out[RECORD_TURN_MAX],
                         const struct turn_info *t, uint64_t session_no);
size_t record_idem_write(uint8_t out[RECORD_IDEM_MAX], const struct ident *turn,
                         int64_t expires_ms);
size_t record_summary_write(uint8_t out[RECORD_SUMMARY_MAX],
                            const struct session_summary *s, const char *text,
                            size_t len);
size_t record_head_write(uint8_t out[RECORD_HEAD_MAX],
                         const struct stream_head *h);
void record_event_write(uint8_t out[RECORD_EVENT_HEAD], enum event_type type);
void record_scalar_write(uint8_t out[RECORD_SCALAR_LEN], uint64_t v);
size_t record_value_write(uint8_t out[RECORD_VALUE_MAX], int64_t expires_ms,
                          const void *value, size_t len);
/* out has room for RECORD_CONTEXT_HEAD + len bytes; len is at least 1. */
void record_context_write(void *out, const char *text, size_t len);
/* A message is written in two steps, so that its text is copied once: room
 * for size bytes, then the bytes. Its parent must come before its seq. */
size_t record_message_size(const struct message *m);
void record_message_write(void *out, size_t size, const struct message *m);

/* Readers. ERR_STORE: damaged, or of a version unknown here; then *out is
 * unspecified. What the key says (number, turn) is not set. */
MUST_USE enum err record_session_read(const void *p, size_t n,
                                      struct session *out);
/* Strings are borrowed from p. seq is what its key says: the parent is told by
 * how far back it is. */
MUST_USE enum err record_message_read(const void *p, size_t n, uint32_t seq,
                                      struct message *out);
/* session_id and owner stay empty: they are in the session's record. */
MUST_USE enum err record_turn_read(const void *p, size_t n,
                                   struct turn_info *out, uint64_t *session_no);
MUST_USE enum err record_idem_read(const void *p, size_t n, struct ident *turn,
                                   int64_t *expires_ms);
/* *text is borrowed from p. */
MUST_USE enum err record_summary_read(const void *p, size_t n,
                                      struct session_summary *out,
                                      const char **text, size_t *len);
/* As is this one. */
MUST_USE enum err record_context_read(const void *p, size_t n,
                                      const char **text, size_t *len);
MUST_USE enum err record_head_read(const void *p, size_t n,
                                   struct stream_head *out);
/* data is borrowed from p. */
MUST_USE enum err record_event_read(const void *p, size_t n, struct event *out);
/* *value is borrowed from p. */
MUST_USE enum err record_value_read(const void *p, size_t n,
                                    int64_t *expires_ms, const char **value,
                                    size_t *len);
MUST_USE enum err record_scalar_read(const void *p, size_t n, uint64_t *v);

#endif
