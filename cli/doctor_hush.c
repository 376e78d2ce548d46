/*
 * A stream on which nothing is said: the server sends a comment every 15 s
 * (PING_MS), and somebody on the way may lose patience before, or hold the
 * comments back. It is watched in a thread while the other checks run, and the
 * session is one of memory only, made for this.
 */
#include "base/base.h"

#include "doctor.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/ident.h"
#include "base/mem.h"

#define OPENING_MS 1000 /* what comes until then is the beginning */

struct doctor_hush {
    const struct doctor *d;
    pthread_t thread;
    char session[IDENT_SESSION_MAX + 1];
    /* the thread's until it was joined */
    struct doctor_call call;
    enum doctor_end end;
    int64_t begun_ms;
    int64_t first_ms; /* since it began; 0: nothing came */
    int64_t last_ms;
    size_t pings; /* times that something came after the beginning */
};

static void
on_bytes(void *arg, const char *s, size_t n)
{
    struct doctor_hush *h = arg;
    int64_t at_ms = clock_mono_ms() - h->begun_ms;

    (void)s;
    (void)n;
    h->last_ms = at_ms;
    if (h->first_ms == 0)
        h->first_ms = at_ms > 0 ? at_ms : 1;
    else if (at_ms - h->first_ms > OPENING_MS)
        h->pings++;
}

static void *
watch(void *arg)
{
    struct doctor_hush *h = arg;
    char path[128];

    (void)snprintf(path, sizeof(path), "/sessions/%s/events", h->session);
    doctor_call_init(&h->call, "GET", NULL);
    h->call.headers[0] = "Accept: text/event-stream";
    h->call.limit_ms = h->d->look_s * 1000;
    h->call.data = on_bytes;
    h->call.arg = h;
    h->begun_ms = clock_mono_ms();
    h->end = doctor_ask(h->d, &h->call, "GET", path, NULL);
    return NULL;
}

struct doctor_hush *
doctor_hush_begin(struct doctor *d)
{
    struct doctor_hush *h = xcalloc(1, sizeof(*h));
    struct doctor_call c;
    enum doctor_end end;

    h->d = d;
    doctor_call_init(&c, "POST", NULL);
    end = doctor_ask(d, &c, "POST", "/sessions", "{\"temporary\":true}");
    if (end == DOCTOR_REPLY && c.status >= 400) { /* TEMPORARY_MIB=0, or full */
        buf_clear(&c.reply);
        end = doctor_ask(d, &c, "POST", "/sessions", "{}");
    }
    doctor_field(&c, "session_id", h->session, sizeof(h->session));
    if (h->session[0] == '\0')
        doctor_say(d, DOCTOR_FAIL, "timeouts", "POST /sessions %s",
                   doctor_end_text(end, &c));
    doctor_call_release(&c);
    if (h->session[0] != '\0' &&
        pthread_create(&h->thread, NULL, watch, h) == 0)
        return h;
    free(h);
    return NULL;
}

static void
say_cut(struct doctor *d, const struct doctor_hush *h)
{
    doctor_say(d, DOCTOR_FAIL, "timeouts",
               "a silent stream was cut after %" PRId64 ".%" PRId64
               " s: somebody on the way does not wait for the server's "
               "comments",
               h->call.took_ms / 1000, h->call.took_ms / 100 % 10);
    doctor_advise(d, ADVICE_TIMEOUT);
    doctor_change(d, ".env", "PING_MS=%" PRId64,
                  h->call.took_ms / 3 > 1000 ? h->call.took_ms / 3 : 1000);
}

static void
say(struct doctor *d, const struct doctor_hush *h)
{
    int64_t ping_ms = conf_int(CONF_PING_MS);

    if (h->call.status != 200 && h->call.status != 0) {
        doctor_say(d, DOCTOR_FAIL, "timeouts", "a silent stream %s",
                   doctor_end_text(h->end, &h->call));
    } else if (h->end != DOCTOR_LATE) {
        say_cut(d, h);
    } else if (h->first_ms == 0) {
        doctor_say(d, DOCTOR_FAIL, "timeouts",
                   "nothing came of a silent stream in %d s: its beginning is "
                   "held back",
                   d->look_s);
        doctor_advise(d, ADVICE_BUFFERING);
    } else if (h->pings == 0 && d->look_s * 1000 > ping_ms + OPENING_MS * 2) {
        doctor_say(d, DOCTOR_WARN, "timeouts",
                   "a silent stream was open for %d s, and no comment came, "
                   "though PING_MS is %" PRId64,
                   d->look_s, ping_ms);
        doctor_advise(d, ADVICE_BUFFERING);
    } else {
        doctor_say(d, DOCTOR_OK, "timeouts",
                   "a silent stream was open for the %d s that it was watched; "
                   "comments that came: %zu%s",
                   d->look_s, h->pings,
                   h->pings == 0 ? " (--long looks longer)" : "");
    }
}

void
doctor_hush_end(struct doctor *d, struct doctor_hush *h)
{
    if (h == NULL)
        return;
    (void)pthread_join(h->thread, NULL);
    say(d, h);
    doctor_forget(d, h->session);
    doctor_call_release(&h->call);
    free(h);
}
