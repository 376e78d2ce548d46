/* Timers in a binary heap, the soonest first. One heap per program. */
#ifndef BENCH_HEAP_H
#define BENCH_HEAP_H

#include "bench.h"

/* Embed it, zeroed. */
struct timer {
    int64_t due_ns; /* monotonic */
    size_t place;   /* in the heap plus one; 0: not in it */
};

static struct timer **heap; /* heap[0] is due first */
static size_t heap_len, heap_cap;

static inline void
heap_put(size_t i, struct timer *t)
{
    heap[i] = t;
    t->place = i + 1;
}

static inline void
heap_up(size_t i, struct timer *t)
{
    while (i > 0 && heap[(i - 1) / 2]->due_ns > t->due_ns) {
        heap_put(i, heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_put(i, t);
}

static inline void
heap_down(size_t i, struct timer *t)
{
    size_t k;

    while ((k = 2 * i + 1) < heap_len) {
        if (k + 1 < heap_len && heap[k + 1]->due_ns < heap[k]->due_ns)
            k++;
        if (heap[k]->due_ns >= t->due_ns)
            break;
        heap_put(i, heap[k]);
        i = k;
    }
    heap_put(i, t);
}

/* Add a timer that is not in the heap; its due_ns is set and stays. */
static inline void
heap_add(struct timer *t)
{
    if (heap_len == heap_cap) {
        heap_cap = heap_cap > 0 ? heap_cap * 2 : 1024;
        heap = bench_alloc(heap, heap_cap * sizeof(*heap));
    }
    heap_len++;
    heap_up(heap_len - 1, t);
}

/* Remove a timer that is in the heap. */
static inline void
heap_remove(struct timer *t)
{
    size_t i = t->place - 1;
    struct timer *moved = heap[--heap_len];

    t->place = 0;
    if (moved == t)
        return;
    heap_up(i, moved);
    heap_down(moved->place - 1, moved);
}

#endif
