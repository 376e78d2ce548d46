/*
 * The client over WebSocket, in the dialect of interactive clients: frames with
 * a type both ways, answers in pieces because we ask for them ("stream"). One
 * thing is asked at a time, and frames are read until its answer is there.
 *
 * When the connection is lost in an answer, another is made to the same
 * session and the question is sent again with its key: the server answers with
 * the turn that it has, from its beginning, and heard.c tells what is new of
 * it. Credentials are sent after each handshake, as that dialect has it; those
 * that are a header are sent with it, too, for a server in front.
 */
#include "base/base.h"

#include "client/duplex.h"
#include "client/inside.h"

#include "base/clock.h"
#include "base/text.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 4000
#define GREETING_MS 10000
#define ANSWER_MS 30000 /* for all but the answer of a model */
#define STEP_MS 1000

/* What is waited for. */
struct wait {
    struct parley *p;
    const char *type;    /* of the frame that ends it; NULL: heard does */
    struct heard *heard; /* NULL: no answer is waited for */
    int limit;           /* of a history */
    bool done;
    enum parley_status status;
};

/* --- frames that come ----------------------------------------------------- */

static void
tell_messages(struct parley *p, const cJSON *messages, int limit)
{
    int skip = cJSON_GetArraySize(messages) - limit;
    const cJSON *item;

    cJSON_ArrayForEach(item, messages) {
        if (skip-- <= 0)
            client_tell_history(p, item);
    }
}

static void
take_awaited(struct wait *w, const cJSON *o, const char *json)
{
    const char *session = json_str(o, "session_id");
    struct parley *p = w->p;

    w->done = true;
    w->status = PARLEY_OK;
    if (strcmp(w->type, "connection_established") == 0) {
        if (session != NULL && ident_session_valid(session, strlen(session)))
            (void)snprintf(p->session_id, sizeof(p->session_id), "%s", session);
    } else if (strcmp(w->type, "history") == 0) {
        tell_messages(p, json_arr(o, "messages"), w->limit);
    } else if (strcmp(w->type, "auth_response") == 0 &&
               !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "success"))) {
        w->status = client_refused(p, 401, json, strlen(json));
    }
}

static void
take_answer(struct wait *w, const cJSON *o, const char *json)
{
    int64_t seq = json_i64(o, "seq", 0);

    IGNORE(heard_object(
        w->heard, seq > 0 && seq <= UINT32_MAX ? (uint32_t)seq : 0, o, json));
    if (w->heard->ended) {
        w->done = true;
        w->status = w->heard->status;
    }
}

static void
on_frame(void *arg, const char *s, size_t n)
{
    struct wait *w = arg;
    cJSON *o = json_parse_lenient(s, n);
    const char *type = json_str(o, "type");
    char *json = xmemdup0(s, n);

    if (type == NULL || w->done) {
        /* nothing that we know */
    } else if (w->heard != NULL) {
        take_answer(w, o, json);
    } else if (strcmp(type, w->type) == 0) {
        take_awaited(w, o, json);
    } else if (strcmp(type, "error") == 0) {
        w->done = true;
        w->status = client_refused(w->p, 0, json, n);
    }
    free(json);
    cJSON_Delete(o);
}

/* --- the connection ------------------------------------------------------- */

static void
hang_up(struct parley *p)
{
    duplex_close(p->link);
    p->link = NULL;
}

/* Until w is done; PARLEY_UNREACHABLE, without a word, if it is not. */
static enum parley_status
wait_for(struct wait *w, int limit_ms)
{
    int64_t until_ms = clock_mono_ms() + limit_ms;
    struct parley *p = w->p;

    while (!w->done) {
        if (!duplex_step(p->link, STEP_MS, on_frame, w))
            break;
        if (atomic_load(&p->carrier.stops) > 0) {
            hang_up(p);
            return PARLEY_STOPPED;
        }
        if (clock_mono_ms() > until_ms)
            break;
    }
    if (w->done)
        return w->status;
    hang_up(p);
    return PARLEY_UNREACHABLE;
}

static enum parley_status
sign_in(struct parley *p)
{
    struct wait w = {.p = p, .type = "auth_response"};
    struct buf frame;

    if (p->c.auth == PARLEY_AUTH_NONE)
        return PARLEY_OK;
    buf_init(&frame, LOGIN_FRAME_MAX);
    login_frame(p, &frame);
    duplex_send(p->link, frame.data, frame.len);
    login_wipe(&frame);
    return wait_for(&w, ANSWER_MS);
}

/* How connecting went, where that is not told yet. */
struct trouble {
    bool passes; /* it may go well the next time */
    char why[CARRIER_WHY_MAX];
};

/* Tell why there is no connection. */
static enum parley_status
tell_refusal(struct parley *p, enum carrier_end end,
             const struct duplex_refusal *r)
{
    if (end == CARRIER_STOPPED)
        return PARLEY_STOPPED;
    if (end != CARRIER_DONE)
        return client_fail(p, PARLEY_UNREACHABLE, 0, "no_connection",
                           "Cannot connect to %s: %s", p->url, r->why);
    if (r->body.len > 0)
        return client_refused(p, r->status, r->body.data, r->body.len);
    return client_fail(p, PARLEY_UNREACHABLE, r->status, "no_websocket",
                       "%s does not offer a WebSocket (HTTP status %d)", p->url,
                       r->status);
}

/* Shake hands. t NULL: tell whatever goes wrong; else what may pass is not
 * told, but in t. */
static enum parley_status
dial(struct parley *p, const struct shake_url *u, struct trouble *t)
{
    enum carrier_end end = CARRIER_NOWHERE;
    enum parley_status s = PARLEY_OK;
    struct duplex_refusal r;
    struct buf header;

    duplex_refusal_init(&r);
    buf_init(&header, 16384);
    if (p->c.auth != PARLEY_AUTH_OAUTH2) /* its token is not ours to have */
        s = login_header(p, false, &header);
    if (s == PARLEY_OK) {
        p->link = duplex_open(&p->carrier, u, buf_cstr(&header), &end, &r);
        if (p->link != NULL) {
            /* well */
        } else if (t != NULL && (end == CARRIER_NOWHERE || end == CARRIER_CUT ||
                                 (r.status >= 502 && r.status <= 504))) {
            t->passes = true;
            (void)snprintf(t->why, sizeof(t->why), "%s",
                           r.why[0] != '\0' ? r.why
                                            : "the server does not answer");
            s = PARLEY_UNREACHABLE;
        } else {
            s = tell_refusal(p, end, &r);
        }
    }
    login_wipe(&header);
    duplex_refusal_release(&r);
    return s;
}

/* Connect, be greeted, sign in. t as in dial. */
static enum parley_status
open_link(struct parley *p, struct trouble *t)
{
    struct wait w = {.p = p, .type = "connection_established"};
    struct shake_url u;
    enum parley_status s;

    if (shake_url(&u, p->c.url, p->session_id) != OK)
        return client_fail(p, PARLEY_WRONG, 0, "invalid_url",
                           "%s is not a good address", p->url);
    s = dial(p, &u, t);
    if (s != PARLEY_OK)
        return s;
    s = wait_for(&w, GREETING_MS);
    if (s == PARLEY_OK)
        s = sign_in(p);
    if (s == PARLEY_OK) {
        client_connected(p);
        return s;
    }
    hang_up(p);
    if (s != PARLEY_UNREACHABLE)
        return s;
    if (t == NULL)
        return client_fail(p, s, 0, "no_parley", "There is no Parley at %s",
                           p->url);
    t->passes = true;
    (void)snprintf(t->why, sizeof(t->why), "%s", "it says nothing");
    return s;
}

static void
pass_over(void *arg, const char *s, size_t n)
{
    (void)arg, (void)s, (void)n;
}

/* Nobody has looked at the connection while nothing was asked: answer pings
 * that came, and drop it if it has ended. */
static void
look(struct parley *p)
{
    if (p->link != NULL && !duplex_step(p->link, 0, pass_over, NULL))
        hang_up(p);
}

static enum parley_status
ws_connect(struct parley *p)
{
    look(p);
    return p->link != NULL ? PARLEY_OK : open_link(p, NULL);
}

/* Send a frame of nothing but a type, and wait for the other. A connection
 * that was lost since it was used last is made anew, once. */
static enum parley_status
ask(struct parley *p, const char *frame, struct wait *w)
{
    enum parley_status s = PARLEY_UNREACHABLE;

    for (int i = 0; i < 2 && s == PARLEY_UNREACHABLE; i++) {
        s = ws_connect(p);
        if (s != PARLEY_OK)
            return s;
        duplex_send(p->link, frame, strlen(frame));
        s = wait_for(w, ANSWER_MS);
    }
    if (s == PARLEY_UNREACHABLE)
        s = client_fail(p, s, 0, "connection_lost",
                        "The connection to %s was lost", p->url);
    return s;
}

/* --- the answer ----------------------------------------------------------- */

/* Frames until the answer has ended, or stopping has. False: it broke off. */
static bool
hear(struct wait *w, enum parley_status *status)
{
    static const char stop[] = "{\"type\":\"stop\"}";
    struct parley *p = w->p;
    int64_t stop_ms = 0;
    int stops;

    while (!w->done) {
        stops = atomic_load(&p->carrier.stops);
        if (stops > 0 && stop_ms == 0) {
            stop_ms = clock_mono_ms();
            duplex_send(p->link, stop, sizeof(stop) - 1);
        }
        if (stops > 1 ||
            (stops > 0 && clock_mono_ms() - stop_ms > CLIENT_STOP_MS)) {
            hang_up(p);
            *status = PARLEY_STOPPED;
            return true;
        }
        if (!duplex_step(p->link, STEP_MS, on_frame, w) && !w->done) {
            hang_up(p);
            return false;
        }
    }
    *status = w->status;
    return true;
}

/* Ask until there is an answer, or patience ends. */
static enum parley_status
insist(struct parley *p, const struct buf *frame, struct wait *w)
{
    struct trouble t = {.passes = true, .why = "it broke off"};
    int64_t patient_ms = clock_mono_ms();
    enum parley_status s;
    int pause_ms = PAUSE_FIRST_MS;
    size_t told = 0;

    look(p);
    for (;;) {
        t.passes = false;
        s = p->link == NULL ? open_link(p, &t) : PARLEY_OK;
        if (s != PARLEY_OK && !t.passes)
            return s;
        if (s == PARLEY_OK) {
            (void)snprintf(t.why, sizeof(t.why), "%s", "it broke off");
            duplex_send(p->link, frame->data, frame->len);
            if (hear(w, &s))
                return s;
        }
        if (w->heard->text.len > told) {
            told = w->heard->text.len;
            patient_ms = clock_mono_ms();
            pause_ms = PAUSE_FIRST_MS;
        }
        if (clock_mono_ms() - patient_ms > p->c.patience_ms)
            return client_fail(p, PARLEY_UNREACHABLE, 0, "connection_lost",
                               "The connection to %s was lost: %s", p->url,
                               t.why);
        client_state(p, PARLEY_RECONNECTS, t.why);
        if (!carrier_pause(&p->carrier, pause_ms))
            return PARLEY_STOPPED;
        pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
    }
}

static enum parley_status
ws_send(struct parley *p, const struct parley_ask *question)
{
    struct heard heard;
    struct wait w = {.p = p, .heard = &heard};
    struct ident id = ident_v4();
    char key[IDENT_TEXT_LEN];
    enum parley_status s = PARLEY_OK;
    struct buf frame;

    if (!p->connected)
        s = ws_connect(p);
    if (s != PARLEY_OK)
        return s;
    ident_text(key, &id);
    buf_init(&frame, CLIENT_ASK_MAX);
    question_json(&frame, p, question, key, "chat");
    if (buf_status(&frame) != OK) {
        buf_release(&frame);
        return client_fail(p, PARLEY_WRONG, 0, "too_big",
                           "The message and its attachments are too large");
    }
    heard_init(&heard, p);
    s = insist(p, &frame, &w);
    heard_release(&heard);
    buf_release(&frame);
    return s;
}

/* --- the rest ------------------------------------------------------------- */

static enum parley_status
ws_history(struct parley *p, int limit)
{
    struct wait w = {.p = p, .type = "history", .limit = limit};

    return ask(p, "{\"type\":\"history\"}", &w);
}

static enum parley_status
ws_clear(struct parley *p)
{
    struct wait w = {.p = p, .type = "history_cleared"};
    enum parley_status s = ask(p, "{\"type\":\"clear\"}", &w);

    if (s == PARLEY_OK)
        client_tell(p, PARLEY_CLEARED, "", 0);
    return s;
}

static enum parley_status
ws_ping(struct parley *p)
{
    struct wait w = {.p = p, .type = "pong"};
    int64_t began = clock_mono_ms();
    enum parley_status s = ask(p, "{\"type\":\"ping\"}", &w);

    if (s == PARLEY_OK)
        client_tell(p, PARLEY_PONG, "", (int)(clock_mono_ms() - began));
    return s;
}

static enum parley_status
ws_logout(struct parley *p)
{
    struct wait w = {.p = p, .type = "logout_success"};

    return ask(p, "{\"type\":\"logout\"}", &w);
}

static void
ws_close(struct parley *p)
{
    hang_up(p);
}

const struct transport over_ws = {
    .name = "websocket",
    .connect = ws_connect,
    .send = ws_send,
    .history = ws_history,
    .clear = ws_clear,
    .ping = ws_ping,
    .logout = ws_logout,
    .close = ws_close,
};
