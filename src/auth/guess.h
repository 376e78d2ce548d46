/*
 * Wrong passwords: they are counted for each pair of user and address, and for
 * each address, in the file of auth/limit.h. The first of a pair are free, then
 * each makes the next one wait, twice as long as the one before, and from the
 * tenth on the pair is locked. The same user from another address is not
 * touched, and neither is another user of the same address, until the address
 * alone has too many. A right password clears the pair, not the address.
 *
 *     e = guess_may(l, user, addr, now, why);       always, and first
 *     … htpasswd_check …
 *     ERR_AUTH: guess_wrong(l, user, addr, now)
 *     OK:       e = guess_right(l, user, addr, now, why)
 *
 * guess_right looks again, so that tries at the same time are worth no more
 * than tries one after the other. Any thread, any process; never blocks.
 */
#ifndef AUTH_GUESS_H
#define AUTH_GUESS_H

#include "base/base.h"

struct limit; /* auth/limit.h */

#define GUESS_FREE 3                       /* of a pair, without a wait */
#define GUESS_LOCK_AFTER 10                /* of a pair */
#define GUESS_ADDR_LOCK_AFTER 100          /* of an address */
#define GUESS_LOCK_MS (15 * 60 * 1000)     /* since the last wrong one */
#define GUESS_FORGET_MS (24 * 3600 * 1000) /* a pair; since the last one */
#define GUESS_ADDR_FORGET_MS GUESS_LOCK_MS /* an address */

struct guess_count {
    unsigned pair, addr; /* wrong ones, with this one */
    int64_t wait_ms;     /* until the next try may be made; 0: now */
    bool locked;         /* this one locked the pair or the address */
};

/* May this pair be tried now? ERR_LIMIT: too_many_attempts, retry_after_s is
 * set; it is the same whether the user is known or not. The password must not
 * be looked at then. addr: as text; now_ms: monotonic. */
MUST_USE enum err guess_may(struct limit *l, const char *user, const char *addr,
                            int64_t now_ms, struct problem *why);
/* It was wrong. */
struct guess_count guess_wrong(struct limit *l, const char *user,
                               const char *addr, int64_t now_ms);
/* It was right: clears the pair. ERR_LIMIT: wrong ones of the same pair came
 * in meanwhile, and it has to wait; the answer is to be that of guess_may. */
MUST_USE enum err guess_right(struct limit *l, const char *user,
                              const char *addr, int64_t now_ms,
                              struct problem *why);

#endif
