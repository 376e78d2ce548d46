/*
 * A token bucket for each client address. A bucket holds at most BURST tokens
 * and gets RATE new ones a second; each request takes one, and a request that
 * finds none is refused with status 429. Buckets are not filled by a timer but
 * when they are looked at, from the time that has passed since.
 *
 * The table has a fixed size. When it is full, the bucket that was idle longest
 * is forgotten, which is harmless: a full bucket and a forgotten one behave the
 * same.
 */
#include <stdbool.h>
#include <stdint.h>

#define RATE 5   /* tokens a second */
#define BURST 20 /* tokens */

struct bucket {
    double tokens;
    uint64_t seen_ms;
};

static void
bucket_refill(struct bucket *b, uint64_t now_ms)
{
    double passed = (double)(now_ms - b->seen_ms) / 1000.0;

    b->tokens += passed * RATE;
    if (b->tokens > BURST)
        b->tokens = BURST;
    b->seen_ms = now_ms;
}

bool
bucket_take(struct bucket *b, uint64_t now_ms)
{
    bucket_refill(b, now_ms);
    if (b->tokens < 1.0)
        return false;
    b->tokens -= 1.0;
    return true;
}
