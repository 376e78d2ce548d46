/*
 * Keys of the store and of the stream log: fixed-width, big-endian, so that
 * LMDB's plain byte order is the order wanted. docs/WIRE.md, "Data on disk".
 * Pure; any thread.
 */
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include "store/store.h"

#define KEY_NO_LEN 8       /* session number */
#define KEY_MESSAGE_LEN 12 /* session number, seq */
#define KEY_EVENT_LEN 20   /* turn id, seq */
#define KEY_IDEM_LEN 32    /* SHA-256 */
#define KEY_RECENT_MAX (1 + STORE_OWNER_MAX + 8 + KEY_NO_LEN)

void key_no(uint8_t out[KEY_NO_LEN], uint64_t no);
void key_message(uint8_t out[KEY_MESSAGE_LEN], uint64_t no, uint32_t seq);
void key_event(uint8_t out[KEY_EVENT_LEN], const struct ident *turn,
               uint32_t seq);
/* Sorts by owner, then the newest updated_ms first, then by number. Returns
 * the length. owner is at most STORE_OWNER_MAX bytes. */
size_t key_recent(uint8_t out[KEY_RECENT_MAX], const char *owner,
                  int64_t updated_ms, uint64_t no);
/* The part of it that all sessions of an owner share. */
size_t key_recent_owner(uint8_t out[KEY_RECENT_MAX], const char *owner);
/* An owner's own: the bare name; a NUL for "". Returns its length. */
size_t key_owner(uint8_t out[STORE_OWNER_MAX], const char *owner);
void key_idem(uint8_t out[KEY_IDEM_LEN], const char *owner, const char *scope,
              const char *key);

/* Readers. ERR_STORE: not such a key. */
MUST_USE enum err key_no_read(const void *p, size_t n, uint64_t *no);
MUST_USE enum err key_message_read(const void *p, size_t n, uint64_t *no,
                                   uint32_t *seq);
MUST_USE enum err key_event_read(const void *p, size_t n, struct ident *turn,
                                 uint32_t *seq);
/* The number at the end of a key_recent. */
MUST_USE enum err key_recent_read(const void *p, size_t n, uint64_t *no);

#endif
