/*
 * Identifiers. Sessions get a random UUID (version 4): it is the capability
 * that opens them. Turns and messages get a time-ordered UUID (version 7,
 * RFC 9562: 48 bits of milliseconds, 74 random bits), so that new records
 * land at the right edge of the store's trees. Random bits are the kernel's.
 */
#ifndef BASE_IDENT_H
#define BASE_IDENT_H

#include "base/base.h"

#define IDENT_TEXT_LEN 37    /* 36 characters and NUL */
#define IDENT_SESSION_MAX 64 /* characters of a client-chosen session id */

struct ident { /* 16 bytes, big-endian order: memcmp sorts by time */
    uint8_t b[16];
};

void ident_random(void *p, size_t n); /* dies if the system has none */
/* Buffered random for ids: one system call per many ids, per thread. */
struct ident ident_v4(void);
/* Strictly increasing within a process, also inside one millisecond. */
struct ident ident_v7(void);
/* The id beside one of ident_v7 (n from 0 to 3; 0 gives the first of four): a
 * turn and its messages, each found from the others without a search. */
struct ident ident_beside(const struct ident *id, unsigned n);
void ident_text(char out[IDENT_TEXT_LEN], const struct ident *id);
MUST_USE enum err ident_parse(const char *s, size_t n, struct ident *out);
bool ident_is_zero(const struct ident *id);
bool ident_eq(const struct ident *a, const struct ident *b);
/* [A-Za-z0-9_-]{1,64} */
bool ident_session_valid(const char *s, size_t n);

#endif
