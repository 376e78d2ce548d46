/*
 * Does an answer arrive as it is written? GET /probe sends events at even times
 * and this measures when they come. Machines pause, so what looks gathered is
 * asked again, slower, before it is said. The same is asked once more as a
 * browser does, who takes compressed replies.
 */
#include "base/base.h"

#include "doctor.h"

#include "base/clock.h"
#include "ops/pace.h"

#define EVENTS 6
#define GAP_MS 150
#define GAP_AGAIN_MS 500

struct probing {
    struct pace pace;
    bool broken; /* what came is no stream of events */
};

static void
on_bytes(void *arg, const char *s, size_t n)
{
    struct probing *p = arg;

    if (!p->broken)
        p->broken = pace_feed(&p->pace, s, n, clock_mono_ms()) != OK;
}

struct probe {
    struct doctor_call call;
    struct probing at;
    enum doctor_end end;
    enum pace_end pace;
    int64_t sent_ms, came_ms;
};

static void
probe_run(const struct doctor *d, struct probe *p, int gap_ms, bool coded)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/probe?events=%d&gap_ms=%d", EVENTS,
                   gap_ms);
    memset(p, 0, sizeof(*p));
    pace_init(&p->at.pace);
    doctor_call_init(&p->call, "GET", NULL);
    p->call.headers[0] = "Accept: text/event-stream";
    p->call.coded = coded;
    p->call.data = on_bytes;
    p->call.arg = &p->at;
    p->end = doctor_ask(d, &p->call, "GET", path, NULL);
    p->pace = pace_judge(&p->at.pace, &p->sent_ms, &p->came_ms);
}

static void
probe_release(struct probe *p)
{
    pace_release(&p->at.pace);
    doctor_call_release(&p->call);
}

static void
say_pace(struct doctor *d, const struct probe *p)
{
    switch (p->pace) {
    case PACE_EVEN:
        doctor_say(d, DOCTOR_OK, "buffering", "events arrive as they are sent");
        return;
    case PACE_CLUMPS:
        doctor_say(d, DOCTOR_WARN, "buffering",
                   "events arrive, but some wait for those behind them: "
                   "somebody on the way gathers a few");
        break;
    case PACE_BURST:
        doctor_say(d, DOCTOR_FAIL, "buffering",
                   "events that were sent within %" PRId64
                   " ms arrived within %" PRId64
                   " ms: somebody on the way holds answers back",
                   p->sent_ms, p->came_ms);
        break;
    case PACE_SHORT:
        doctor_say(d, DOCTOR_FAIL, "buffering",
                   "of %d timed events %zu came: GET /probe %s", EVENTS,
                   p->at.pace.n, doctor_end_text(p->end, &p->call));
        break;
    }
    doctor_advise(d, ADVICE_BUFFERING);
}

/* --- as a browser asks ---------------------------------------------------- */

static void
look_at_coding(struct doctor *d)
{
    const char *coding;
    struct probe p;
    bool held;

    probe_run(d, &p, GAP_MS, true);
    if (p.pace == PACE_BURST) {
        probe_release(&p);
        probe_run(d, &p, GAP_AGAIN_MS, true);
    }
    coding = p.call.encoding;
    held = p.pace == PACE_BURST || p.pace == PACE_SHORT;
    if (p.end != DOCTOR_REPLY || p.call.status != 200) {
        doctor_say(d, DOCTOR_FAIL, "compression",
                   "a stream for who takes compressed ones %s",
                   doctor_end_text(p.end, &p.call));
    } else if (coding[0] == '\0' || strcmp(coding, "identity") == 0) {
        doctor_say(d, DOCTOR_OK, "compression",
                   "streams of events are not compressed");
    } else {
        doctor_say(d, held ? DOCTOR_FAIL : DOCTOR_WARN, "compression",
                   "streams of events are compressed (%s)%s", coding,
                   held ? ", and held back for it"
                        : "; they arrive in time, as long as the filter "
                          "flushes each piece");
        doctor_advise(d, ADVICE_COMPRESSION);
    }
    probe_release(&p);
}

void
doctor_stream(struct doctor *d)
{
    struct probe p;

    probe_run(d, &p, GAP_MS, false);
    if (p.pace == PACE_BURST || p.pace == PACE_CLUMPS) {
        probe_release(&p);
        probe_run(d, &p, GAP_AGAIN_MS, false);
    }
    if (p.end == DOCTOR_REPLY && p.call.status == 200 &&
        strcmp(p.call.type, "text/event-stream") != 0) {
        doctor_say(d, DOCTOR_FAIL, "content-type",
                   "streams of events arrive as \"%s\": EventSource does not "
                   "take them",
                   p.call.type);
        doctor_advise(d, ADVICE_BUFFERING);
    }
    say_pace(d, &p);
    probe_release(&p);
    look_at_coding(d);
}
