/*
 * A WebSocket all the way: the upgrade, a greeting from the server, and an
 * answer to a frame of ours, as some proxies let the handshake pass and nothing
 * behind it.
 */
#include "base/base.h"

#include "doctor.h"

#include "base/clock.h"
#include "base/json.h"
#include "client/duplex.h"

#define WAIT_MS 6000
#define STEP_MS 500

struct hearing {
    bool greeted, answered;
};

static void
on_message(void *arg, const char *s, size_t n)
{
    struct hearing *h = arg;
    cJSON *o = json_parse_lenient(s, n);
    const char *type = o != NULL ? json_str(o, "type") : NULL;

    if (type != NULL && strcmp(type, "connection_established") == 0)
        h->greeted = true;
    if (type != NULL && strcmp(type, "pong") == 0)
        h->answered = true;
    cJSON_Delete(o);
}

/* Say something, and hear of it. */
static void
talk(struct duplex *x, struct hearing *h)
{
    static const char ping[] = "{\"type\":\"ping\"}";
    int64_t until_ms = clock_mono_ms() + WAIT_MS;

    duplex_send(x, ping, sizeof(ping) - 1);
    while (!h->answered && clock_mono_ms() < until_ms)
        if (!duplex_step(x, STEP_MS, on_message, h))
            return;
}

/* Is it offered? Then there must be a way to it. */
static bool
is_offered(const struct doctor *d)
{
    struct doctor_call c;
    bool offered = false;
    const cJSON *list, *t;
    cJSON *o = NULL;

    doctor_call_init(&c, "GET", NULL);
    if (doctor_ask(d, &c, "GET", "/status", NULL) == DOCTOR_REPLY)
        o = json_parse_lenient(c.reply.data, c.reply.len);
    list = o != NULL ? json_arr(o, "transports") : NULL;
    cJSON_ArrayForEach(t, list)
        offered |= cJSON_IsString(t) &&
                   strcmp(t->valuestring, "websocket") == 0;
    cJSON_Delete(o);
    doctor_call_release(&c);
    return offered;
}

static void
say_refused(struct doctor *d, enum carrier_end end,
            const struct duplex_refusal *r, bool offered)
{
    char why[CARRIER_WHY_MAX + 32];

    if (r->status != 0)
        (void)snprintf(why, sizeof(why), "status %d", r->status);
    else
        (void)snprintf(why, sizeof(why), "%s",
                       r->why[0] != '\0' ? r->why : "nobody answered");
    if (!offered) {
        doctor_say(d, DOCTOR_NOTE, "websocket",
                   "the server does not offer WebSockets; clients use "
                   "server-sent events");
        return;
    }
    if (end == CARRIER_WRONG) {
        doctor_say(d, DOCTOR_WARN, "websocket", "was not tried: %s", why);
        return;
    }
    doctor_say(d, DOCTOR_WARN, "websocket",
               "the server offers WebSockets, and an upgrade does not get to "
               "it (%s); clients use server-sent events",
               why);
    doctor_advise(d, ADVICE_UPGRADE);
}

void
doctor_websocket(struct doctor *d)
{
    struct duplex_refusal r;
    struct hearing h = {.greeted = false};
    struct carrier carrier;
    struct shake_url u;
    enum carrier_end end = CARRIER_WRONG;
    struct duplex *x = NULL;
    char url[DOCTOR_URL_MAX + 16];
    bool offered = is_offered(d);

    (void)snprintf(url, sizeof(url), "ws%s/ws/chat", d->base + 4);
    carrier_init(&carrier);
    carrier.connect_ms = WAIT_MS;
    carrier.ca_file = d->ca_file;
    duplex_refusal_init(&r);
    if (shake_url(&u, url, "") == OK)
        x = duplex_open(&carrier, &u, d->unverified ? "" : d->authorization,
                        &end, &r);
    if (x == NULL) {
        say_refused(d, end, &r, offered);
    } else {
        talk(x, &h);
        if (h.greeted && h.answered) {
            doctor_say(d, DOCTOR_OK, "websocket",
                       "the upgrade passes, and frames both ways");
        } else {
            doctor_say(d, DOCTOR_FAIL, "websocket",
                       "the upgrade passes, and what is said behind it does "
                       "not: clients wait in vain before they fall back");
            doctor_advise(d, ADVICE_UPGRADE);
        }
    }
    duplex_close(x);
    duplex_refusal_release(&r);
    carrier_release(&carrier);
}
