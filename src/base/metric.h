/*
 * Counters, gauges and histograms, one table row each (metric.c), shown at
 * /metrics in Prometheus' text format. Adding is one relaxed atomic; any
 * thread. Values are of this process since it started.
 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include "base/base.h"

struct buf;

enum metric {
    METRIC_REQUESTS,       /* HTTP requests answered or handed over */
    METRIC_REQUEST_ERRORS, /* answered with 4xx */
    METRIC_REQUEST_FAILS,  /* answered with 5xx */
    METRIC_TURNS,          /* begun */
    METRIC_TURNS_COMPLETE,
    METRIC_TURNS_CANCELLED,
    METRIC_TURNS_INCOMPLETE,
    METRIC_TURNS_FAILED,
    METRIC_TURNS_RECOVERED, /* closed as interrupted */
    METRIC_TURNS_RUNNING,   /* gauge */
    METRIC_READERS,         /* gauge */
    METRIC_INPUT_TOKENS,
    METRIC_OUTPUT_TOKENS,
    METRIC_CACHED_TOKENS,
    METRIC_UPSTREAM_REQUESTS,
    METRIC_UPSTREAM_RETRIES,
    METRIC_UPSTREAM_FAILURES,
    METRIC_FALLBACKS,     /* another provider was asked instead */
    METRIC_CIRCUITS_OPEN, /* gauge */
    METRIC_CACHE_HITS,    /* answers that were not asked for again */
    METRIC_CACHE_MISSES,  /* questions whose answer was not kept */
    METRIC_CACHE_BYTES,   /* gauge */
    METRIC_SUMMARIES,     /* of conversations, stored */
    METRIC_SUMMARIES_FAILED,
    METRIC_SUMMARIES_RUNNING, /* gauge */
    METRIC_TITLES,            /* of sessions, by a model */
    METRIC_TITLES_FAILED,
    METRIC_EVENTS,             /* appended to the stream log */
    METRIC_CHUNKS,             /* deltas received from providers */
    METRIC_WEBSOCKETS,         /* opened */
    METRIC_WEBSOCKETS_OPEN,    /* gauge */
    METRIC_WEBSOCKET_MESSAGES, /* received */
    METRIC_AUDIT_LINES,
    METRIC_AUDIT_FAILURES, /* writes that failed, and are tried again */
    METRIC_AUDIT_LOST,     /* events for which there was no room */
    METRIC__MAX
};

enum metric_time {
    METRIC_FIRST_TOKEN, /* turn begun to first text */
    METRIC_TURN,        /* turn begun to end */
    METRIC_REQUEST,     /* request accepted to answered or handed over */
    METRIC_TIME__MAX
};

void metric_add(enum metric m, int64_t n);
int64_t metric_get(enum metric m);
void metric_observe_ms(enum metric_time t, int64_t ms);
/* All rows, Prometheus text format 0.0.4. */
void metric_print(struct buf *out);
/* One more row, for values that live elsewhere. type: "gauge", "counter". */
void metric_print_one(struct buf *out, const char *name, const char *type,
                      const char *help, int64_t value);

#endif
