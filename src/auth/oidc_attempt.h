/*
 * A login that was begun and is at the provider now: what the browser's way
 * back is checked with. A record of the store under a digest of its state, for
 * OIDC_ATTEMPT_MS, so that any process can go on with it, and only one, once.
 * Besides the state, which the provider sees, the browser has to show the
 * cookie that it got at the beginning: a response that somebody else was given
 * is of no use (RFC 9700, section 4.7). Any thread that may wait for the store.
 */
#ifndef AUTH_OIDC_ATTEMPT_H
#define AUTH_OIDC_ATTEMPT_H

#include "auth/oidc.h"
#include "auth/oidc_wire.h"
#include "base/digest.h"
#include "store/store.h"

struct oidc_attempt {
    char nonce[OIDC_RANDOM_LEN + 1];
    char verifier[OIDC_RANDOM_LEN + 1];
    char browser[DIGEST_NAME_LEN]; /* of the cookie */
    char next[OIDC_NEXT_MAX + 1];
    char redirect_uri[OIDC_URL_MAX + 1];
};

/* Bytes of the record; it is JSON (docs/WIRE.md). ERR_BADREQ: it is none. */
void oidc_attempt_write(struct buf *out, const struct oidc_attempt *a);
MUST_USE enum err oidc_attempt_read(const char *p, size_t n,
                                    struct oidc_attempt *out);

/* Keep it under a new state. ERR_STORE, ERR_FULL. */
MUST_USE enum err oidc_attempt_begin(struct store *s,
                                     const struct oidc_attempt *a,
                                     const char *state, int64_t now_ms);
/* The one of this state and this browser, which is over with it. ERR_AUTH:
 * login_expired: there is none (any more); login_foreign: another browser began
 * it, which may still go on with it. ERR_STORE. why is filled. */
MUST_USE enum err oidc_attempt_take(struct store *s, const char *state,
                                    const char *browser,
                                    struct oidc_attempt *out,
                                    struct problem *why);

#endif
