/*
 * How often somebody may do something: token buckets, shared by all processes
 * of a data folder through the file DATA_DIR/limits, which they map (its bytes
 * are in docs/WIRE.md). Names are in it as keyed digests. It has a fixed size:
 * when it is full, whoever has been away for the longest is forgotten.
 *
 * A bucket holds `burst`, is full at first, and gains `count` in `per_ms`,
 * evenly. Any thread, any process; never blocks.
 */
#ifndef AUTH_LIMIT_H
#define AUTH_LIMIT_H

#include "base/base.h"

#define LIMIT_ADDR_MAX 64 /* bytes of limit_address, with the NUL */

enum limit_kind { LIMIT_USER, LIMIT_KEY, LIMIT_IP, LIMIT_KIND__MAX };

struct limit_rate {
    uint32_t count;  /* 0: no limit */
    uint32_t per_ms; /* > 0 */
    uint32_t burst;  /* > 0; that may be had at once */
};

struct limit_left {
    bool limited;       /* false: there is no limit, the rest is 0 */
    uint32_t limit;     /* the burst */
    uint32_t remaining; /* that may be had right now */
    int64_t retry_ms;   /* until one may be had; 0: now */
    int64_t full_ms;    /* until all may be had */
};

struct limit;

/* path: of the file, which is made if it is not there, is of an earlier boot
 * of the machine, or is not sound. Never NULL: where there can be no file
 * (logged), this process counts for itself. */
struct limit *limit_open(const char *path);
void limit_close(struct limit *l); /* NULL is fine */
/* Do other processes see what is counted? */
bool limit_shared(const struct limit *l);

/* Take one of the bucket of kind and name. ERR_LIMIT: it is empty; nothing is
 * taken, left says when to try again. now_ms: monotonic. left may be NULL. */
MUST_USE enum err limit_take(struct limit *l, enum limit_kind kind,
                             const char *name, const struct limit_rate *rate,
                             int64_t now_ms, struct limit_left *left);
/* Put one back that was taken, for what was then not done. */
void limit_give(struct limit *l, enum limit_kind kind, const char *name,
                const struct limit_rate *rate, int64_t now_ms);

/* So many a minute, all of them at once if one likes: the rule of RATE_USER,
 * RATE_KEY and RATE_IP. */
struct limit_rate limit_per_minute(int64_t count);
/* Whom an address stands for: an IPv4 address is itself (also where it is
 * written as IPv6), an IPv6 address is its /64. What is no address stays as it
 * is, cut to fit. */
void limit_address(char out[LIMIT_ADDR_MAX], const char *addr);

#endif
