/*
 * May this failure be tried again, and when? The rules of the providers' own
 * SDKs (docs/WIRE.md): x-should-retry first; else connect errors, 408, 409,
 * 429 and >= 500; the wait is retry-after-ms, else retry-after if it is within
 * RETRY_AFTER_MAX_MS, else 0.5 s doubled up to 8 s, less up to 25 % jitter.
 * Pure.
 */
#ifndef UPSTREAM_RETRY_H
#define UPSTREAM_RETRY_H

#include "upstream/transfer.h"

#define RETRY_BASE_MS 500
#define RETRY_CAP_MS 8000
#define RETRY_AFTER_MAX_MS 60000

/* tries: how many were made already (>= 1); tries_max: how many may be made in
 * all. said_ms: the wait that the reply's body asks for, -1: none; the head's
 * counts more. random32 gives the jitter. Returns the wait in ms, or -1: do not
 * retry. A reply's own wait longer than RETRY_AFTER_MAX_MS is -1, and so are a
 * time-out of ours and a certificate that is not good. To be asked only while
 * nothing of the answer was passed on. */
int64_t retry_wait_ms(const struct transfer_result *r, int tries, int tries_max,
                      int64_t said_ms, uint32_t random32);
#endif
