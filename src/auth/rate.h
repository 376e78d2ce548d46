/*
 * How often somebody may ask: the settings RATE_IP, RATE_USER and RATE_KEY, as
 * buckets that all processes share. Any thread.
 */
#ifndef AUTH_RATE_H
#define AUTH_RATE_H

#include "auth/identity.h"
#include "auth/limit.h"

struct rates {
    struct limit *limit; /* borrowed */
    struct limit_rate of[LIMIT_KIND__MAX];
};

void rates_load(struct rates *r, struct limit *l);
/* Take one of each bucket that there is for who, or of none: ERR_LIMIT with
 * why, its retry_after_s and quota. OK: *left is of the bucket with the least
 * in it (QUOTA_NONE: there is none); may be NULL. now_ms: monotonic. */
MUST_USE enum err rates_take(struct rates *r, const struct identity *who,
                             int64_t now_ms, struct problem_quota *left,
                             struct problem *why);

/* Attempts to sign in at a provider, which are stored for some minutes: of an
 * address, in a minute. There is no setting for it. */
#define RATE_STARTS 120
/* As rates_take, for one of them. */
MUST_USE enum err rates_start(struct rates *r, const struct identity *who,
                              int64_t now_ms, struct problem *why);

#endif
