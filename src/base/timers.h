/*
 * The loop's timers: a binary heap with the earliest on top. Loop thread only;
 * owners set and clear theirs by the loop (base/loop.h).
 */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include "base/loop.h"

/* Starts zeroed. */
struct timers {
    struct loop_timer **heap; /* owned; the timers are borrowed */
    size_t len;
    size_t cap;
    struct loop_timer **due; /* owned; as long as heap; NULL: cleared since */
};
void timers_release(struct timers *h);
void timers_set(struct timers *h, struct loop_timer *t, int64_t at_ms);
void timers_clear(struct timers *h, struct loop_timer *t);
/* Run what is due. */
void timers_run(struct timers *h, int64_t now_ms);
/* When the earliest is due; INT64_MAX: there is none. */
int64_t timers_next_ms(const struct timers *h);

#endif
