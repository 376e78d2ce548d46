/* How the model stand-in is told what to do: "bench:MODE:COUNT:MICROSECONDS"
 * anywhere in a question. llm.c lists the modes. */
#ifndef BENCH_MARK_H
#define BENCH_MARK_H

#include "bench.h"

#define MARK_NAME_MAX 16
#define COUNT_MAX 100000000L
#define INSTANT_PIECES 8

struct mark {
    char mode[MARK_NAME_MAX];
    long count;          /* pieces of the answer */
    int64_t interval_ns; /* 0: no pauses */
};

/* The last mark of the request; an instant answer when there is none. */
static inline void
mark_find(const char *text, size_t len, struct mark *m)
{
    static const char name[] = "bench:";
    const char *at = NULL, *next = text, *end = text + len;
    long interval_us = 0;
    char copy[64];
    size_t n;

    while ((next = memmem(next, (size_t)(end - next), name, 6)) != NULL) {
        at = next;
        next += 6;
    }
    memcpy(m->mode, "instant", sizeof("instant"));
    m->count = INSTANT_PIECES;
    m->interval_ns = 0;
    if (at == NULL)
        return;
    n = (size_t)(end - at) - 6;
    n = n < sizeof(copy) - 1 ? n : sizeof(copy) - 1;
    memcpy(copy, at + 6, n);
    copy[n] = '\0';
    if (sscanf(copy, "%15[a-z]:%ld:%ld", m->mode, &m->count, &interval_us) < 1)
        return;
    if (m->count < 1 || m->count > COUNT_MAX || interval_us < 0)
        m->count = 1;
    if (strcmp(m->mode, "instant") == 0 && m->count > INSTANT_PIECES)
        m->count = INSTANT_PIECES;
    if (strcmp(m->mode, "instant") != 0 && strcmp(m->mode, "burst") != 0)
        m->interval_ns = (interval_us > 0 ? interval_us : 1000) *
                         BENCH_NS_PER_US;
}

#endif
