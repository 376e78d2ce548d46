/* Durations, kept one by one, so that percentiles are exact. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include "bench.h"

#define SAMPLES_MAX (1 << 24)

/* Zeroed it is empty; what it owns goes with the process. */
struct samples {
    int64_t *ns; /* owned */
    size_t len, cap;
};

/* Note one duration; past SAMPLES_MAX they are not kept. */
static inline void
samples_add(struct samples *s, int64_t ns)
{
    if (s->len == SAMPLES_MAX)
        return;
    if (s->len == s->cap) {
        s->cap = s->cap > 0 ? s->cap * 2 : 4096;
        s->ns = bench_alloc(s->ns, s->cap * sizeof(*s->ns));
    }
    s->ns[s->len++] = ns;
}

static inline int
samples_order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Print ,"name":{...} with percentiles in microseconds. Sorts the samples. */
static inline void
samples_print(const char *name, struct samples *s)
{
    static const double at[] = {0.5, 0.9, 0.99, 1.0};
    static const char *const names[] = {"p50", "p90", "p99", "max"};
    size_t i, k;

    if (s->len > 0)
        qsort(s->ns, s->len, sizeof(*s->ns), samples_order);
    (void)printf(",\"%s\":{\"n\":%zu", name, s->len);
    for (i = 0; i < 4 && s->len > 0; i++) {
        k = (size_t)(at[i] * (double)s->len);
        (void)printf(",\"%s\":%.1f", names[i],
                     (double)s->ns[k < s->len ? k : s->len - 1] / 1000.0);
    }
    (void)printf("}");
}

#endif
