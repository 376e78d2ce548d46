/*
 * How the timed events of GET /probe arrived: one by one as they were sent, or
 * gathered by somebody on the way. Times are compared with the server's own, so
 * a slow network is no finding, only what waits for what comes after it. Pure.
 */
#ifndef OPS_PACE_H
#define OPS_PACE_H

#include "upstream/sse_parse.h"

#define PACE_EVENTS_MAX 20

enum pace_end {
    PACE_EVEN,   /* as they were sent */
    PACE_CLUMPS, /* some waited for the one after the next */
    PACE_BURST,  /* in less than half of the time in which they were sent */
    PACE_SHORT   /* not all came */
};

struct pace {
    struct sse_parser parser;
    struct {
        int64_t sent_ms; /* by the server's clock, since it began */
        int64_t came_ms; /* by ours */
    } events[PACE_EVENTS_MAX];
    size_t n;
    int64_t of;     /* as the server says; 0: nothing came */
    int64_t now_ms; /* of the bytes that are fed */
};

void pace_init(struct pace *p);
void pace_release(struct pace *p);
/* Bytes of the stream that came at this time. What is no event of a probe is
 * passed over. ERR_TOOBIG: this is no probe's stream. */
MUST_USE enum err pace_feed(struct pace *p, const char *s, size_t n,
                            int64_t came_ms);
/* The stream ended. sent_ms and came_ms: from the first to the last event. */
enum pace_end pace_judge(const struct pace *p, int64_t *sent_ms,
                         int64_t *came_ms);

#endif
