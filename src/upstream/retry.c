/*
 * The retry rules that the providers' own SDKs agree on. The reply may say it
 * itself (x-should-retry); otherwise the status decides. A broken connection
 * is tried again, a time-out of ours is not: whoever waits has waited long
 * enough, and a request that a model is slow on is slow the second time too.
 * A certificate does not become good by asking again.
 *
 * The jitter only ever shortens the wait, as in the SDKs, so that the cap is
 * the longest wait that a user sees.
 */
#include "base/base.h"

#include "upstream/retry.h"

static bool
worth_it(const struct transfer_result *r)
{
    int status = r->head != NULL ? r->head->status : 0;

    if (r->end == TRANSFER_OVERSIZE || r->end == TRANSFER_TIMEOUT ||
        r->end == TRANSFER_UNTRUSTED || r->end == TRANSFER_FORBIDDEN)
        return false;
    if (status < 400)
        return r->end != TRANSFER_COMPLETE; /* broke off, or never began */
    if (r->head->should_retry >= 0)
        return r->head->should_retry > 0;
    return status == 408 || status == 409 || status == 429 || status >= 500;
}

static int64_t
backoff_ms(int tries, uint32_t random32)
{
    int64_t ms = RETRY_BASE_MS;

    while (--tries > 0 && ms < RETRY_CAP_MS)
        ms *= 2;
    if (ms > RETRY_CAP_MS)
        ms = RETRY_CAP_MS;
    return ms - (int64_t)(((uint64_t)ms / 4 * random32) >> 32);
}

int64_t
retry_wait_ms(const struct transfer_result *r, int tries, int tries_max,
              int64_t said_ms, uint32_t random32)
{
    int64_t asked_ms = r->head != NULL ? r->head->retry_after_ms : -1;

    assert(tries >= 1);
    if (asked_ms < 0)
        asked_ms = said_ms;
    if (tries >= tries_max || !worth_it(r))
        return -1;
    if (asked_ms > RETRY_AFTER_MAX_MS)
        return -1;
    return asked_ms > 0 ? asked_ms : backoff_ms(tries, random32);
}
