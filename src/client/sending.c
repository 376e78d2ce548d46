/*
 * A question by POST, answered with server-sent events. A stream that breaks
 * off is asked for again from the event behind the last one that was heard; a
 * question whose answer never began is sent again with the same key, which the
 * server answers with the turn that it has already begun, if it has. Either
 * goes on for as long as the client has patience; what was heard begins that
 * time anew.
 */
#include "base/base.h"

#include "client/inside.h"

#include "base/clock.h"
#include "base/text.h"
#include "upstream/sse_parse.h"

#define PAUSE_FIRST_MS 100 /* before the first new attempt; then doubled */
#define PAUSE_MAX_MS 4000
#define WANT_EVENTS "Accept: text/event-stream"

/* A question under way. */
struct sending {
    struct parley *p;
    struct heard heard;
    struct sse_parser sse;
    struct buf body;    /* of the question */
    int64_t patient_ms; /* monotonic; when something was heard last */
    int64_t stop_ms;    /* when stopping began; 0: it did not */
    bool stop_sent;
    bool refused_token; /* it was, once */
    bool want_token;    /* fetch another */
    int pause_ms;
};

static enum err
on_event(void *arg, const char *name, const char *data, size_t n)
{
    struct sending *s = arg;
    const char *dot = strrchr(s->sse.id, '.');
    int64_t seq = 0;

    (void)name; /* it is in the data */
    if (dot != NULL)
        IGNORE(text_i64(dot + 1, strlen(dot + 1), 1, UINT32_MAX, &seq));
    s->patient_ms = clock_mono_ms();
    s->pause_ms = PAUSE_FIRST_MS;
    return heard_event(&s->heard, (uint32_t)seq, data, n);
}

static enum err
on_bytes(void *arg, const char *p, size_t n)
{
    struct sending *s = arg;

    return sse_parse(&s->sse, p, n, on_event, s);
}

/* Tell the server to stop, in the middle of the stream. */
static void
send_stop(struct sending *s)
{
    struct carrier_call call;
    struct buf url, body, login;
    struct json_out j;

    over_http_url(s->p, &url, "/chat/stop");
    buf_init(&body, 256);
    buf_init(&login, OVER_HTTP_HEADER_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_str(&j, "turn_id", s->heard.turn_id);
    json_end_obj(&j);
    carrier_call_init(&call, "POST", buf_cstr(&url));
    call.headers[0] = OVER_HTTP_JSON;
    if (s->p->oauth != NULL) /* no exchange for another in an exchange */
        buf_addf(&login, "Authorization: Bearer %s", s->p->oauth);
    else if (s->p->c.auth != PARLEY_AUTH_OAUTH2)
        IGNORE(login_header(s->p, false, &login));
    call.headers[1] = buf_cstr(&login);
    call.body = buf_cstr(&body);
    call.body_len = body.len;
    carrier_beside(&s->p->carrier, &call);
    carrier_call_release(&call);
    buf_release(&url);
    buf_release(&body);
    login_wipe(&login);
}

static bool
on_tick(void *arg)
{
    struct sending *s = arg;
    int stops = atomic_load(&s->p->carrier.stops);

    if (stops == 0)
        return true;
    if (s->stop_ms == 0)
        s->stop_ms = clock_mono_ms();
    if (stops > 1 || clock_mono_ms() - s->stop_ms > CLIENT_STOP_MS)
        return false;
    if (!s->stop_sent && s->heard.turn_id[0] != '\0') {
        s->stop_sent = true;
        send_stop(s);
    }
    return true;
}

/* One connection: the question, or what follows what was heard. */
static enum carrier_end
follow(struct sending *s, struct carrier_call *call, enum parley_status *status)
{
    bool begun = s->heard.turn_id[0] != '\0';
    enum carrier_end end = CARRIER_CUT;
    struct buf url, login, last;

    over_http_url(s->p, &url, begun ? "/chat/stream?turn_id=" : "/chat");
    if (begun)
        buf_adds(&url, s->heard.turn_id);
    buf_init(&login, OVER_HTTP_HEADER_MAX);
    buf_init(&last, 128);
    if (begun && s->heard.seq > 0)
        buf_addf(&last, "Last-Event-ID: %s.%" PRIu32, s->heard.turn_id,
                 s->heard.seq);
    carrier_call_init(call, begun ? "GET" : "POST", buf_cstr(&url));
    *status = login_header(s->p, s->want_token, &login);
    s->want_token = false;
    call->headers[0] = buf_cstr(&login);
    call->headers[1] = begun ? NULL : OVER_HTTP_JSON;
    call->headers[2] = WANT_EVENTS;
    call->headers[3] = buf_cstr(&last);
    call->body = begun ? NULL : buf_cstr(&s->body);
    call->body_len = begun ? 0 : s->body.len;
    call->data = on_bytes;
    call->tick = on_tick;
    call->arg = s;
    sse_parse_init(&s->sse);
    if (*status == PARLEY_OK)
        end = carrier_run(&s->p->carrier, call);
    sse_parse_release(&s->sse);
    login_wipe(&login);
    buf_release(&last);
    buf_release(&url);
    call->url = NULL;
    return end;
}

/* Is this a reply of a web server whose program is not there, or of a program
 * that is about to end? Both pass. */
static bool
passes(const struct carrier_call *call)
{
    static const char *const codes[] = {"program_failed", "not_running",
                                        "too_slow", "stopping"};
    const char *code;
    bool yes = false;
    cJSON *o;

    if (call->status < 502 || call->status > 504)
        return false;
    o = json_parse_lenient(call->reply.data, call->reply.len);
    code = json_str(o, "code");
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        yes = yes || (code != NULL && strcmp(code, codes[i]) == 0);
    cJSON_Delete(o);
    return yes || code == NULL;
}

/* It broke off: is there to be another attempt? Waits for its time. */
static bool
try_again(struct sending *s, enum parley_status *status, enum carrier_end end,
          const struct carrier_call *call)
{
    const char *why = call->why[0] != '\0' ? call->why
                      : end == CARRIER_DONE && call->status != 200
                          ? "the server is being started again"
                          : "it ended in the middle";

    if (clock_mono_ms() - s->patient_ms > s->p->c.patience_ms) {
        *status = over_http_fail(s->p, end == CARRIER_DONE ? CARRIER_CUT : end,
                                 why);
        return false;
    }
    client_state(s->p, PARLEY_RECONNECTS, why);
    if (!carrier_pause(&s->p->carrier, s->pause_ms)) {
        *status = PARLEY_STOPPED;
        return false;
    }
    s->pause_ms = s->pause_ms * 2 < PAUSE_MAX_MS ? s->pause_ms * 2
                                                 : PAUSE_MAX_MS;
    return true;
}

/* One connection and what came of it. True: again. */
static bool
attempt(struct sending *s, enum parley_status *status)
{
    struct carrier_call call;
    enum carrier_end end = follow(s, &call, status);
    bool again = false;

    if (*status != PARLEY_OK) {
        /* no token */
    } else if (s->heard.ended) {
        *status = s->heard.status;
    } else if (end == CARRIER_STOPPED || end == CARRIER_WRONG) {
        *status = over_http_fail(s->p, end, call.why);
    } else if (end == CARRIER_DONE && call.status == 401 &&
               s->p->c.auth == PARLEY_AUTH_OAUTH2 && !s->refused_token) {
        s->refused_token = s->want_token = again = true;
    } else if (end == CARRIER_DONE && call.status != 200 && !passes(&call)) {
        *status = client_refused(s->p, call.status, call.reply.data,
                                 call.reply.len);
    } else {
        again = try_again(s, status, end, &call);
    }
    carrier_call_release(&call);
    return again;
}

enum parley_status
sending_run(struct parley *p, const struct parley_ask *ask)
{
    struct sending s = {.p = p, .pause_ms = PAUSE_FIRST_MS};
    enum parley_status status = PARLEY_OK;
    char key[IDENT_TEXT_LEN];
    struct ident id = ident_v4();

    ident_text(key, &id);
    buf_init(&s.body, CLIENT_ASK_MAX);
    question_json(&s.body, p, ask, key, NULL);
    if (buf_status(&s.body) != OK) {
        buf_release(&s.body);
        return client_fail(p, PARLEY_WRONG, 0, "too_big",
                           "The message and its attachments are too large");
    }
    heard_init(&s.heard, p);
    s.patient_ms = clock_mono_ms();
    while (attempt(&s, &status)) {}
    heard_release(&s.heard);
    buf_release(&s.body);
    return status;
}
