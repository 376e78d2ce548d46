/*
 * An event carries the server's clock, so each has a delay: when it came minus
 * when it was sent. The clocks differ by something unknown, but by the same for
 * all; what counts is how much longer one was under way than the quickest. A
 * path that buffers gives the first event the longest delay and the last one
 * none: they arrive together.
 *
 * The limits are wide (half of the time, one and a half gaps), since machines
 * pause for reasons of their own; who wants to be sure asks twice.
 */
#include "base/base.h"

#include "ops/pace.h"

#include "base/json.h"

void
pace_init(struct pace *p)
{
    memset(p, 0, sizeof(*p));
    sse_parse_init(&p->parser);
}

void
pace_release(struct pace *p)
{
    sse_parse_release(&p->parser);
}

static enum err
on_event(void *arg, const char *name, const char *data, size_t n)
{
    struct pace *p = arg;
    cJSON *o;

    if (strcmp(name, "probe") != 0 || p->n == PACE_EVENTS_MAX)
        return OK;
    o = json_parse_lenient(data, n);
    if (o != NULL && json_i64(o, "of", 0) > 0 && json_i64(o, "ms", -1) >= 0) {
        p->of = json_i64(o, "of", 0);
        p->events[p->n].sent_ms = json_i64(o, "ms", 0);
        p->events[p->n].came_ms = p->now_ms;
        p->n++;
    }
    cJSON_Delete(o);
    return OK;
}

enum err
pace_feed(struct pace *p, const char *s, size_t n, int64_t came_ms)
{
    p->now_ms = came_ms;
    return sse_parse(&p->parser, s, n, on_event, p);
}

/* How much longer the slowest event was under way than the quickest. */
static int64_t
lateness_ms(const struct pace *p)
{
    int64_t least = INT64_MAX, most = INT64_MIN;

    for (size_t i = 0; i < p->n; i++) {
        int64_t delay = p->events[i].came_ms - p->events[i].sent_ms;

        least = delay < least ? delay : least;
        most = delay > most ? delay : most;
    }
    return most - least;
}

enum pace_end
pace_judge(const struct pace *p, int64_t *sent_ms, int64_t *came_ms)
{
    int64_t gaps = (int64_t)p->n - 1;

    *sent_ms = *came_ms = 0;
    if (p->n < 2 || (int64_t)p->n < p->of)
        return PACE_SHORT;
    *sent_ms = p->events[p->n - 1].sent_ms - p->events[0].sent_ms;
    *came_ms = p->events[p->n - 1].came_ms - p->events[0].came_ms;
    if (2 * *came_ms < *sent_ms)
        return PACE_BURST;
    return 2 * gaps * lateness_ms(p) > 3 * *sent_ms ? PACE_CLUMPS : PACE_EVEN;
}
