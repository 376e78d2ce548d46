/*
 * The records of logins in the store (docs/WIRE.md), as characters. Pure; any
 * thread. For auth/login.c and tests.
 */
#ifndef AUTH_LOGIN_RECORD_H
#define AUTH_LOGIN_RECORD_H

#include "auth/login.h"

/* id and ends_ms are not in it. */
void login_record_write(struct buf *out, const struct login *in);
/* ERR_STORE: it is damaged. */
MUST_USE enum err login_record_read(const char *p, size_t n, struct login *out);

/* The times before which what an owner has does not count; 0: none. */
struct login_before {
    int64_t logins_ms, tokens_ms; /* wall clock */
};
void login_before_write(struct buf *out, const struct login_before *b);
MUST_USE enum err login_before_read(const char *p, size_t n,
                                    struct login_before *out);

#endif
