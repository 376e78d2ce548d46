/*
 * Token buckets, as the generic cell rate algorithm: a bucket is one number,
 * the moment at which it will be full again. Taking one moves that moment
 * further by the time in which one is gained; where it would be further away
 * than an empty bucket takes to fill, there is none left.
 *
 * Moments are microseconds, so that sixty thousand a minute are still even. One
 * that is too far ahead (the file was written by other hands, or the rate is
 * another now) counts as that of an empty bucket.
 */
#include "base/base.h"

#include "auth/limit.h"

#include <arpa/inet.h>

#include "auth/limit_table.h"

#define AHEAD_MAX_US (INT64_C(400) * 86400 * 1000000) /* a bucket's size */

struct take {
    int64_t now_us;
    int64_t each_us; /* in which one is gained */
    int64_t all_us;  /* in which an empty bucket fills */
    int64_t full_us; /* out: until it is full */
    bool taken;      /* out */
};

/* --- the word ----------------------------------------------------------- */

static int64_t
until_full(const struct take *t, uint64_t word)
{
    int64_t ahead = (int64_t)word - t->now_us;

    if (ahead < 0)
        return 0;
    return ahead < t->all_us ? ahead : t->all_us;
}

/* As it is, but never further ahead than an empty bucket. */
static uint64_t
same(const struct take *t, uint64_t word)
{
    uint64_t most = (uint64_t)(t->now_us + t->all_us);

    return word < most ? word : most;
}

static uint64_t
take_one(void *arg, uint64_t word)
{
    struct take *t = arg;

    t->full_us = until_full(t, word);
    t->taken = t->full_us + t->each_us <= t->all_us;
    if (!t->taken)
        return same(t, word);
    t->full_us += t->each_us;
    return (uint64_t)(t->now_us + t->full_us);
}

static uint64_t
give_one(void *arg, uint64_t word)
{
    struct take *t = arg;

    t->full_us = until_full(t, word);
    if (t->full_us == 0)
        return word;
    t->full_us -= t->full_us < t->each_us ? t->full_us : t->each_us;
    return (uint64_t)(t->now_us + t->full_us);
}

/* Full buckets are not missed; else, whoever is full last. */
static uint64_t
rank(int64_t now_ms, uint64_t word)
{
    int64_t ahead = (int64_t)word - now_ms * 1000;

    return ahead <= 0 || ahead > AHEAD_MAX_US ? 0 : (uint64_t)ahead;
}

/* --- what is asked ------------------------------------------------------ */

static struct take
take_init(const struct limit_rate *r, int64_t now_ms)
{
    struct take t = {.now_us = now_ms * 1000 + 1}; /* a word is never 0 */

    assert(r->per_ms > 0 && r->burst > 0 && now_ms >= 0);
    t.each_us = (int64_t)r->per_ms * 1000 / r->count;
    if (t.each_us < 1)
        t.each_us = 1;
    if (t.each_us > AHEAD_MAX_US / r->burst)
        t.each_us = AHEAD_MAX_US / r->burst;
    t.all_us = t.each_us * r->burst;
    return t;
}

static void
run(struct limit *l, enum limit_kind kind, const char *name, struct take *t,
    limit_word_fn *fn)
{
    struct limit_ask ask = {.area = LIMIT_AREA_RATES,
                            .kind = kind,
                            .name = name,
                            .now_ms = t->now_us / 1000,
                            .rank = rank,
                            .fn = fn,
                            .arg = t};

    limit_update(l, &ask);
}

static int64_t
ms_up(int64_t us)
{
    return (us + 999) / 1000;
}

static void
left_set(struct limit_left *left, const struct limit_rate *r,
         const struct take *t)
{
    int64_t missing_us = t->full_us + t->each_us - t->all_us;

    if (left == NULL)
        return;
    left->limited = true;
    left->limit = r->burst;
    left->remaining = (uint32_t)((t->all_us - t->full_us) / t->each_us);
    left->retry_ms = missing_us > 0 ? ms_up(missing_us) : 0;
    left->full_ms = ms_up(t->full_us);
}

enum err
limit_take(struct limit *l, enum limit_kind kind, const char *name,
           const struct limit_rate *rate, int64_t now_ms,
           struct limit_left *left)
{
    struct take t;

    if (left != NULL)
        memset(left, 0, sizeof(*left));
    if (rate->count == 0)
        return OK;
    t = take_init(rate, now_ms);
    run(l, kind, name, &t, take_one);
    left_set(left, rate, &t);
    return t.taken ? OK : ERR_LIMIT;
}

void
limit_give(struct limit *l, enum limit_kind kind, const char *name,
           const struct limit_rate *rate, int64_t now_ms)
{
    struct take t;

    if (rate->count == 0)
        return;
    t = take_init(rate, now_ms);
    run(l, kind, name, &t, give_one);
}

struct limit_rate
limit_per_minute(int64_t count)
{
    uint32_t n = 0;

    if (count > 0)
        n = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
    return (struct limit_rate){.count = n, .per_ms = 60000, .burst = n};
}

/* --- addresses ---------------------------------------------------------- */

void
limit_address(char out[LIMIT_ADDR_MAX], const char *addr)
{
    struct in6_addr six;
    struct in_addr four;
    char text[INET6_ADDRSTRLEN];

    if (inet_pton(AF_INET6, addr, &six) == 1 && IN6_IS_ADDR_V4MAPPED(&six)) {
        memcpy(&four, &six.s6_addr[12], sizeof(four));
    } else if (inet_pton(AF_INET6, addr, &six) == 1) {
        memset(&six.s6_addr[8], 0, 8);
        (void)inet_ntop(AF_INET6, &six, text, sizeof(text));
        (void)snprintf(out, LIMIT_ADDR_MAX, "%s/64", text);
        return;
    } else if (inet_pton(AF_INET, addr, &four) != 1) {
        (void)snprintf(out, LIMIT_ADDR_MAX, "%.*s", LIMIT_ADDR_MAX - 1, addr);
        return;
    }
    (void)inet_ntop(AF_INET, &four, out, LIMIT_ADDR_MAX);
}
