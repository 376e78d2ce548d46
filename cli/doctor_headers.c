/*
 * What a request carries to the program: the headers on which resuming and
 * asking twice depend, and long bodies. The turn is one of /help, which asks no
 * model and stores nothing.
 */
#include "base/base.h"

#include "doctor.h"

#include "base/buf.h"
#include "base/conf.h"
#include "base/ident.h"
#include "base/json.h"

#define HELP "{\"message\":\"/help\",\"session_id\":\"%s\"}"
#define BODY_LIMIT_MS 120000
#define BODY_TRY_KIB (64 * 1024) /* more is not sent */
#define BODY_FAIL_KIB 512        /* the longest message, with what JSON adds */

static bool
ask_help(const struct doctor *d, const char *session, const char *key,
         char turn[IDENT_TEXT_LEN], struct doctor_call *c, enum doctor_end *end)
{
    char body[192], header[128];

    (void)snprintf(body, sizeof(body), HELP, session);
    (void)snprintf(header, sizeof(header), "Idempotency-Key: %s", key);
    c->headers[0] = header;
    *end = doctor_ask(d, c, "POST", "/chat", body);
    c->headers[0] = NULL;
    doctor_field(c, "turn_id", turn, IDENT_TEXT_LEN);
    return *end == DOCTOR_REPLY && c->status == 200 && turn[0] != '\0';
}

/* Ask twice under one key: it must be one turn. */
static bool
look_at_key(struct doctor *d, const char *session, char turn[IDENT_TEXT_LEN])
{
    char key[IDENT_TEXT_LEN], again[IDENT_TEXT_LEN];
    struct ident id = ident_v4();
    struct doctor_call c;
    enum doctor_end end;
    bool asked = false;

    ident_text(key, &id);
    doctor_call_init(&c, "POST", NULL);
    if (ask_help(d, session, key, turn, &c, &end)) {
        buf_clear(&c.reply);
        asked = ask_help(d, session, key, again, &c, &end);
    }
    if (!asked) {
        doctor_say(d, DOCTOR_FAIL, "idempotency-key", "POST /chat %s",
                   doctor_end_text(end, &c));
    } else if (strcmp(turn, again) == 0) {
        doctor_say(d, DOCTOR_OK, "idempotency-key",
                   "the header arrives: asking twice is asking once");
    } else {
        doctor_say(d, DOCTOR_FAIL, "idempotency-key",
                   "the header does not arrive: who asks again after a broken "
                   "connection gets a second answer");
        doctor_advise(d, ADVICE_HEADERS);
    }
    doctor_call_release(&c);
    return asked;
}

/* The number of a turn's last event; 0: not known. */
static int64_t
last_event(const struct doctor *d, const char *turn)
{
    struct doctor_call c;
    char path[128];
    int64_t next = 0;

    (void)snprintf(path, sizeof(path), "/chat/events?turn_id=%s&wait=5", turn);
    doctor_call_init(&c, "GET", NULL);
    if (doctor_ask(d, &c, "GET", path, NULL) == DOCTOR_REPLY &&
        c.status == 200) {
        cJSON *o = json_parse_lenient(c.reply.data, c.reply.len);

        next = o != NULL ? json_i64(o, "next", 0) : 0;
        cJSON_Delete(o);
    }
    doctor_call_release(&c);
    return next;
}

/* Who has seen all of a turn is told so, if the header says that he has. */
static void
look_at_last(struct doctor *d, const char *turn)
{
    int64_t last = last_event(d, turn);
    char path[128], header[128];
    struct doctor_call c;
    enum doctor_end end;

    if (last == 0) {
        doctor_say(d, DOCTOR_FAIL, "polling",
                   "GET /chat/events has nothing of a turn that was answered");
        return;
    }
    (void)snprintf(path, sizeof(path), "/chat/stream?turn_id=%s", turn);
    (void)snprintf(header, sizeof(header), "Last-Event-ID: %s.%" PRId64, turn,
                   last);
    doctor_call_init(&c, "GET", NULL);
    c.headers[0] = header;
    c.headers[1] = "Accept: text/event-stream";
    end = doctor_ask(d, &c, "GET", path, NULL);
    if (end == DOCTOR_REPLY && c.status == 204) {
        doctor_say(d, DOCTOR_OK, "last-event-id",
                   "the header arrives: streams go on where they broke off");
    } else if (end == DOCTOR_REPLY && c.status == 200) {
        doctor_say(d, DOCTOR_FAIL, "last-event-id",
                   "the header does not arrive: a stream that breaks off "
                   "begins anew");
        doctor_advise(d, ADVICE_HEADERS);
    } else {
        doctor_say(d, DOCTOR_FAIL, "last-event-id", "GET /chat/stream %s",
                   doctor_end_text(end, &c));
    }
    doctor_call_release(&c);
}

void
doctor_headers(struct doctor *d)
{
    char session[IDENT_TEXT_LEN], turn[IDENT_TEXT_LEN];
    struct ident id = ident_v4();

    ident_text(session, &id);
    if (look_at_key(d, session, turn))
        look_at_last(d, turn);
    doctor_forget(d, session);
}

/* --- long bodies ---------------------------------------------------------- */

enum passage { PASSES, REFUSED_BY_PARLEY, REFUSED, UNKNOWN };

/* A body of so many bytes, to an address that answers at once: no such turn. */
static enum passage
send_body(const struct doctor *d, size_t bytes, char *why, size_t max)
{
    static const char head[] =
        "{\"turn_id\":\"00000000-0000-4000-8000-000000000000\",\"note\":\"";
    struct doctor_call c;
    enum doctor_end end;
    enum passage p = UNKNOWN;
    char code[64];
    struct buf b;

    buf_init(&b, bytes + sizeof(head) + 8);
    buf_adds(&b, head);
    while (b.len + 2 < bytes)
        buf_addc(&b, 'x');
    buf_adds(&b, "\"}");
    doctor_call_init(&c, "POST", NULL);
    c.limit_ms = BODY_LIMIT_MS;
    end = doctor_ask(d, &c, "POST", "/chat/stop", buf_cstr(&b));
    doctor_field(&c, "code", code, sizeof(code));
    if (end == DOCTOR_REPLY && strcmp(code, "turn_not_found") == 0)
        p = PASSES;
    else if (c.ours && c.status == 413)
        p = REFUSED_BY_PARLEY;
    else if (end == DOCTOR_REPLY || end == DOCTOR_CUT)
        p = REFUSED;
    (void)snprintf(why, max, "%s", doctor_end_text(end, &c));
    doctor_call_release(&c);
    buf_release(&b);
    return p;
}

void
doctor_body(struct doctor *d)
{
    int64_t set_kib = conf_int(CONF_BODY_MAX_KIB);
    int64_t most_kib = set_kib < BODY_TRY_KIB ? set_kib : BODY_TRY_KIB;
    int64_t kib = most_kib;
    enum passage p = UNKNOWN, first;
    char why[384], ignored[384];

    first = send_body(d, (size_t)kib * 1024 - 512, why, sizeof(why));
    for (p = first; p != PASSES && p != UNKNOWN && kib > 1;) {
        kib /= 2;
        p = send_body(d, (size_t)kib * 1024 - 512, ignored, sizeof(ignored));
    }
    if (first == PASSES) {
        doctor_say(d, DOCTOR_OK, "request-size",
                   "bodies of %" PRId64 " KiB arrive; BODY_MAX_KIB is %" PRId64,
                   most_kib, set_kib);
        return;
    }
    if (first == UNKNOWN || p != PASSES) {
        doctor_say(d, DOCTOR_FAIL, "request-size",
                   "a body of %" PRId64 " KiB %s", most_kib, why);
    } else if (first == REFUSED_BY_PARLEY) {
        doctor_say(d, DOCTOR_NOTE, "request-size",
                   "bodies of %" PRId64
                   " KiB arrive; the server's own BODY_MAX_KIB is less than "
                   "here (%" PRId64 ")",
                   kib, set_kib);
        return;
    } else {
        doctor_say(d, kib < BODY_FAIL_KIB ? DOCTOR_FAIL : DOCTOR_WARN,
                   "request-size",
                   "bodies of %" PRId64 " KiB arrive, those of %" PRId64
                   " KiB do not: what was sent %s",
                   kib, kib * 2 < most_kib ? kib * 2 : most_kib, why);
    }
    doctor_advise(d, ADVICE_BODY);
    doctor_change(
        d, ".env",
        "BODY_MAX_KIB=%" PRId64 " (to say so in the program's own words)", kib);
}
