/*
 * A binary heap of timers. All that are due are taken out of it before the
 * first of them runs, so one that is set for "now" by another runs the next
 * time: a timer that always sets itself again cannot starve the rest.
 */
#include "base/base.h"

#include "base/timers.h"

#include "base/mem.h"

#define TIMERS_FIRST 16    /* timers the heap begins with */
#define DUE (SIZE_MAX / 2) /* slots above it are places in due */

void
timers_release(struct timers *h)
{
    free(h->heap);
    free(h->due);
    memset(h, 0, sizeof(*h));
}

static void
place(struct timers *h, size_t i, struct loop_timer *t)
{
    h->heap[i] = t;
    t->slot = i + 1;
}

static void
sift_up(struct timers *h, size_t i, struct loop_timer *t)
{
    while (i > 0 && h->heap[(i - 1) / 2]->at_ms > t->at_ms) {
        place(h, i, h->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(h, i, t);
}

static void
sift_down(struct timers *h, size_t i, struct loop_timer *t)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= h->len)
            break;
        if (child + 1 < h->len &&
            h->heap[child + 1]->at_ms < h->heap[child]->at_ms)
            child++;
        if (h->heap[child]->at_ms >= t->at_ms)
            break;
        place(h, i, h->heap[child]);
        i = child;
    }
    place(h, i, t);
}

/* Put t where it belongs; place i is free for it. */
static void
settle(struct timers *h, size_t i, struct loop_timer *t)
{
    if (i > 0 && h->heap[(i - 1) / 2]->at_ms > t->at_ms)
        sift_up(h, i, t);
    else
        sift_down(h, i, t);
}

/* Take t out of the heap. */
static void
pull(struct timers *h, struct loop_timer *t)
{
    size_t i = t->slot - 1;
    struct loop_timer *last = h->heap[--h->len];

    assert(i <= h->len && (last == t || h->heap[i] == t));
    t->slot = 0;
    if (last != t)
        settle(h, i, last);
}

void
timers_set(struct timers *h, struct loop_timer *t, int64_t at_ms)
{
    if (t->slot > DUE)
        timers_clear(h, t);
    t->at_ms = at_ms;
    if (t->slot) {
        assert(t->slot <= h->len && h->heap[t->slot - 1] == t);
        settle(h, t->slot - 1, t);
        return;
    }
    if (h->len == h->cap) {
        h->cap = h->cap ? h->cap * 2 : TIMERS_FIRST;
        h->heap = xrealloc(h->heap, h->cap * sizeof(struct loop_timer *));
        h->due = xrealloc(h->due, h->cap * sizeof(struct loop_timer *));
    }
    h->len++;
    sift_up(h, h->len - 1, t);
}

void
timers_clear(struct timers *h, struct loop_timer *t)
{
    if (t->slot > DUE) {
        assert(h->due[t->slot - DUE - 1] == t);
        h->due[t->slot - DUE - 1] = NULL;
        t->slot = 0;
    } else if (t->slot) {
        pull(h, t);
    }
}

void
timers_run(struct timers *h, int64_t now_ms)
{
    size_t count = 0;

    while (h->len > 0 && h->heap[0]->at_ms <= now_ms) {
        struct loop_timer *t = h->heap[0];

        pull(h, t);
        h->due[count] = t;
        t->slot = DUE + ++count;
    }
    for (size_t i = 0; i < count; i++) {
        struct loop_timer *t = h->due[i];

        if (!t)
            continue;
        timers_clear(h, t);
        t->fn(t);
    }
}

int64_t
timers_next_ms(const struct timers *h)
{
    return h->len > 0 ? h->heap[0]->at_ms : INT64_MAX;
}
