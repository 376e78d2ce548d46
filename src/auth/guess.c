/*
 * Wrong passwords. A word is how many and when the last was: the upper 8 of its
 * 48 bits, and the lower 40 (milliseconds since boot). Waits follow from it, so
 * nothing has to be done when they end.
 *
 * Both a lock and a count that goes on after it are meant: whoever comes back
 * after the quarter of an hour has one try, not ten. Counts of an address end
 * with its lock, since many people may share one.
 *
 * When the table is full, high counts stay and low ones go: a flood of names
 * that were tried once does not unlock anybody.
 */
#include "base/base.h"

#include "auth/guess.h"

#include "auth/limit.h"
#include "auth/limit_table.h"

#define KIND_PAIR 128 /* beside enum limit_kind */
#define KIND_ADDR 129
#define LAST_BITS 40
#define LAST_MAX ((UINT64_C(1) << LAST_BITS) - 1)
#define COUNT_MAX 255
#define PAIR_MAX (LIMIT_ADDR_MAX + DIGEST_NAME_LEN)

struct rule {
    unsigned free, lock_after;
    int64_t forget_ms;
};

static const struct rule pair_rule = {GUESS_FREE, GUESS_LOCK_AFTER,
                                      GUESS_FORGET_MS};
static const struct rule addr_rule = {
    GUESS_ADDR_LOCK_AFTER, GUESS_ADDR_LOCK_AFTER, GUESS_ADDR_FORGET_MS};

struct tries {
    const struct rule *rule;
    int64_t now_ms;
    unsigned count;  /* out */
    int64_t wait_ms; /* out */
};

/* --- the word ----------------------------------------------------------- */

static void
tries_read(struct tries *t, uint64_t word)
{
    int64_t last_ms = (int64_t)(word & LAST_MAX), ago_ms, whole_ms = 0;

    t->count = (unsigned)(word >> LAST_BITS);
    ago_ms = t->now_ms > last_ms ? t->now_ms - last_ms : 0;
    if (ago_ms >= t->rule->forget_ms)
        t->count = 0;
    if (t->count >= t->rule->lock_after)
        whole_ms = GUESS_LOCK_MS;
    else if (t->count > t->rule->free)
        whole_ms = INT64_C(1000) << (t->count - t->rule->free - 1);
    t->wait_ms = whole_ms > ago_ms ? whole_ms - ago_ms : 0;
}

/* A moment that is yet to come (other hands, another clock) is now. */
static uint64_t
tries_same(const struct tries *t, uint64_t word)
{
    if ((int64_t)(word & LAST_MAX) <= t->now_ms)
        return word;
    return (word & ~LAST_MAX) | ((uint64_t)t->now_ms & LAST_MAX);
}

static uint64_t
look_at(void *arg, uint64_t word)
{
    struct tries *t = arg;

    tries_read(t, word);
    return tries_same(t, word);
}

static uint64_t
count_one(void *arg, uint64_t word)
{
    struct tries *t = arg;

    tries_read(t, word);
    word = (uint64_t)(t->count < COUNT_MAX ? t->count + 1 : COUNT_MAX)
           << LAST_BITS;
    word |= (uint64_t)t->now_ms & LAST_MAX;
    tries_read(t, word);
    return word;
}

static uint64_t
clear(void *arg, uint64_t word)
{
    struct tries *t = arg;

    tries_read(t, word);
    return t->wait_ms > 0 ? tries_same(t, word) : 0;
}

static uint64_t
rank(int64_t now_ms, uint64_t word)
{
    int64_t last_ms = (int64_t)(word & LAST_MAX);

    return now_ms - last_ms >= GUESS_FORGET_MS ? 0 : word;
}

/* --- what is asked ------------------------------------------------------ */

static struct tries
run(struct limit *l, unsigned kind, const char *name, int64_t now_ms,
    limit_word_fn *fn)
{
    struct tries t = {.rule = kind == KIND_PAIR ? &pair_rule : &addr_rule,
                      .now_ms = now_ms};
    struct limit_ask ask = {.area = LIMIT_AREA_GUESSES,
                            .kind = kind,
                            .name = name,
                            .now_ms = now_ms,
                            .rank = rank,
                            .fn = fn,
                            .arg = &t};

    assert(now_ms >= 0);
    limit_update(l, &ask);
    return t;
}

/* The address, and the pair: the address and a digest of the user. */
static void
names(const char *user, const char *addr, char a[LIMIT_ADDR_MAX],
      char pair[PAIR_MAX])
{
    char hex[DIGEST_NAME_LEN];

    limit_address(a, addr);
    digest_name(hex, user, strlen(user));
    (void)snprintf(pair, PAIR_MAX, "%s%s", hex, a);
}

static enum err
refuse(const struct tries *pair, const struct tries *addr, struct problem *why)
{
    int64_t wait_ms = pair->wait_ms > addr->wait_ms ? pair->wait_ms
                                                    : addr->wait_ms;
    int wait_s = (int)((wait_ms + 999) / 1000);

    if (wait_ms == 0)
        return OK;
    (void)problem_set(why, ERR_LIMIT, "too_many_attempts",
                      "Too many wrong passwords",
                      "The password was not looked at. Try again in %d "
                      "second%s.",
                      wait_s, wait_s == 1 ? "" : "s");
    why->retry_after_s = wait_s;
    return ERR_LIMIT;
}

enum err
guess_may(struct limit *l, const char *user, const char *addr, int64_t now_ms,
          struct problem *why)
{
    char a[LIMIT_ADDR_MAX], pair[PAIR_MAX];
    struct tries of_pair, of_addr;

    names(user, addr, a, pair);
    of_pair = run(l, KIND_PAIR, pair, now_ms, look_at);
    of_addr = run(l, KIND_ADDR, a, now_ms, look_at);
    return refuse(&of_pair, &of_addr, why);
}

struct guess_count
guess_wrong(struct limit *l, const char *user, const char *addr, int64_t now_ms)
{
    char a[LIMIT_ADDR_MAX], pair[PAIR_MAX];
    struct tries of_pair, of_addr;

    names(user, addr, a, pair);
    of_pair = run(l, KIND_PAIR, pair, now_ms, count_one);
    of_addr = run(l, KIND_ADDR, a, now_ms, count_one);
    return (struct guess_count){
        .pair = of_pair.count,
        .addr = of_addr.count,
        .wait_ms = of_pair.wait_ms > of_addr.wait_ms ? of_pair.wait_ms
                                                     : of_addr.wait_ms,
        .locked = of_pair.count == GUESS_LOCK_AFTER ||
                  of_addr.count == GUESS_ADDR_LOCK_AFTER};
}

enum err
guess_right(struct limit *l, const char *user, const char *addr, int64_t now_ms,
            struct problem *why)
{
    char a[LIMIT_ADDR_MAX], pair[PAIR_MAX];
    struct tries of_pair, of_addr;

    names(user, addr, a, pair);
    of_addr = run(l, KIND_ADDR, a, now_ms, look_at);
    of_pair = run(l, KIND_PAIR, pair, now_ms,
                  of_addr.wait_ms > 0 ? look_at : clear);
    return refuse(&of_pair, &of_addr, why);
}
