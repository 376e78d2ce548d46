/*
 * What a provider says of itself, kept and renewed (see auth/oidc.h for how
 * long), and its keys. Any thread that may wait in fetch_wait. For auth/oidc.c.
 */
#ifndef AUTH_OIDC_KNOWN_H
#define AUTH_OIDC_KNOWN_H

#include "auth/oidc_wire.h"

struct fetcher; /* auth/fetch.h */
struct jwks;    /* auth/jwks.h */
struct oidc_known;

/* Both are borrowed. */
struct oidc_known *oidc_known_new(const char *issuer, struct fetcher *f);
/* After fetcher_stop. NULL is fine. */
void oidc_known_free(struct oidc_known *k);

/* Copied out, and asked for if need be. The keys live as long as k. Else why:
 * what fetch_wait has, or ERR_UPSTREAM. After a failure the same is said for
 * OIDC_RETRY_MS. */
MUST_USE enum err oidc_known_get(struct oidc_known *k,
                                 struct oidc_provider *out, struct jwks **keys,
                                 struct problem *why);
/* Without waiting. False: nothing is known (yet). */
bool oidc_known_peek(struct oidc_known *k, struct oidc_provider *out);

/* Tests: another clock for the ages. Before the first get. */
void oidc_known_clock(struct oidc_known *k, int64_t (*now_ms)(void));

#endif
