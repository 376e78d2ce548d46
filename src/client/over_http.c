/*
 * The client over HTTP. All but an answer is one short exchange; how a question
 * is asked and its answer heard is sending.c's.
 */
#include "base/base.h"

#include "client/inside.h"

#include "base/clock.h"

#define WANT_JSON "Accept: application/json"

void
over_http_url(const struct parley *p, struct buf *out, const char *path)
{
    buf_init(out, 16384);
    buf_adds(out, p->url);
    buf_adds(out, path);
}

enum parley_status
over_http_fail(struct parley *p, enum carrier_end end, const char *why)
{
    switch (end) {
    case CARRIER_STOPPED: return PARLEY_STOPPED;
    case CARRIER_NOWHERE:
        return client_fail(p, PARLEY_UNREACHABLE, 0, "no_connection",
                           "Cannot connect to %s: %s", p->url, why);
    case CARRIER_WRONG:
        return client_fail(p, PARLEY_UNREACHABLE, 0, "bad_connection",
                           "%s cannot be used: %s", p->url, why);
    default:
        return client_fail(p, PARLEY_UNREACHABLE, 0, "connection_lost",
                           "The connection to %s was lost: %s", p->url, why);
    }
}

/* One short exchange: its reply is in call, status 200 to 299, if PARLEY_OK.
 * accept_404: that is fine, too. */
static enum parley_status
exchange(struct parley *p, struct carrier_call *call, bool accept_404)
{
    enum parley_status s = PARLEY_OK;
    enum carrier_end end = CARRIER_DONE;
    struct buf login;

    for (int again = 0; again < 2; again++) {
        buf_init(&login, OVER_HTTP_HEADER_MAX);
        s = login_header(p, again > 0, &login);
        if (s == PARLEY_OK) {
            buf_clear(&call->reply);
            call->headers[0] = buf_cstr(&login);
            call->headers[1] = call->body != NULL ? OVER_HTTP_JSON : NULL;
            call->headers[2] = WANT_JSON;
            end = carrier_run(&p->carrier, call);
        }
        login_wipe(&login);
        call->headers[0] = NULL;
        if (s != PARLEY_OK)
            return s;
        if (call->status != 401 || p->c.auth != PARLEY_AUTH_OAUTH2)
            break;
    }
    if (end != CARRIER_DONE)
        return over_http_fail(p, end, call->why);
    if (call->location[0] != '\0')
        return client_fail(p, PARLEY_UNREACHABLE, call->status, "moved",
                           "The server says that it is at %s; use that "
                           "address",
                           call->location);
    if ((call->status >= 200 && call->status < 300) ||
        (accept_404 && call->status == 404))
        return PARLEY_OK;
    return client_refused(p, call->status, call->reply.data, call->reply.len);
}

static enum parley_status
get_status(struct parley *p)
{
    struct carrier_call call;
    enum parley_status s;
    struct buf url;

    over_http_url(p, &url, "/status");
    carrier_call_init(&call, "GET", buf_cstr(&url));
    s = exchange(p, &call, true);
    if (s == PARLEY_OK) {
        cJSON *o = json_parse_lenient(call.reply.data, call.reply.len);

        if (json_str(o, "status") == NULL)
            s = client_fail(p, PARLEY_UNREACHABLE, call.status, "no_parley",
                            "There is no Parley at %s", p->url);
        cJSON_Delete(o);
    }
    carrier_call_release(&call);
    buf_release(&url);
    return s;
}

static enum parley_status
http_connect(struct parley *p)
{
    enum parley_status s = get_status(p);
    struct ident id;

    if (s != PARLEY_OK)
        return s;
    if (p->session_id[0] == '\0') {
        id = ident_v4();
        ident_text(p->session_id, &id);
    }
    client_connected(p);
    return PARLEY_OK;
}

static enum parley_status
need_connection(struct parley *p)
{
    return p->connected ? PARLEY_OK : http_connect(p);
}

static enum parley_status
http_send(struct parley *p, const struct parley_ask *ask)
{
    enum parley_status s = need_connection(p);

    return s == PARLEY_OK ? sending_run(p, ask) : s;
}

/* --- the rest ------------------------------------------------------------- */

static enum parley_status
http_history(struct parley *p, int limit)
{
    enum parley_status s = need_connection(p);
    struct carrier_call call;
    const cJSON *item;
    struct buf url;
    cJSON *o;

    if (s != PARLEY_OK)
        return s;
    over_http_url(p, &url, "/sessions/");
    buf_addf(&url, "%s/messages?limit=%d", p->session_id, limit);
    carrier_call_init(&call, "GET", buf_cstr(&url));
    s = exchange(p, &call, true); /* 404: nothing was said yet */
    if (s == PARLEY_OK && call.status == 200) {
        o = json_parse_lenient(call.reply.data, call.reply.len);
        cJSON_ArrayForEach(item, json_arr(o, "messages")) {
            client_tell_history(p, item);
        }
        cJSON_Delete(o);
    }
    carrier_call_release(&call);
    buf_release(&url);
    return s;
}

static enum parley_status
http_clear(struct parley *p)
{
    enum parley_status s = need_connection(p);
    struct carrier_call call;
    struct buf url, body;
    struct json_out j;

    if (s != PARLEY_OK)
        return s;
    over_http_url(p, &url, "/chat");
    buf_init(&body, 512);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_str(&j, "message", "/clear");
    json_put_str(&j, "session_id", p->session_id);
    json_end_obj(&j);
    carrier_call_init(&call, "POST", buf_cstr(&url));
    call.body = buf_cstr(&body);
    call.body_len = body.len;
    s = exchange(p, &call, false);
    if (s == PARLEY_OK)
        client_tell(p, PARLEY_CLEARED, "", 0);
    carrier_call_release(&call);
    buf_release(&url);
    buf_release(&body);
    return s;
}

static enum parley_status
http_ping(struct parley *p)
{
    enum parley_status s = need_connection(p);
    int64_t began = clock_mono_ms();

    if (s == PARLEY_OK)
        s = get_status(p);
    if (s == PARLEY_OK)
        client_tell(p, PARLEY_PONG, "", (int)(clock_mono_ms() - began));
    return s;
}

/* A server without accounts has no such address. */
static enum parley_status
http_logout(struct parley *p)
{
    enum parley_status s = PARLEY_OK;
    struct carrier_call call;
    struct buf url;

    if (p->c.auth == PARLEY_AUTH_NONE)
        return PARLEY_OK;
    over_http_url(p, &url, "/auth/logout");
    carrier_call_init(&call, "POST", buf_cstr(&url));
    call.body = "{}";
    call.body_len = 2;
    s = exchange(p, &call, true);
    carrier_call_release(&call);
    buf_release(&url);
    return s;
}

static void
http_close(struct parley *p)
{
    (void)p; /* the carrier has the connections */
}

const struct transport over_http = {
    .name = "http",
    .connect = http_connect,
    .send = http_send,
    .history = http_history,
    .clear = http_clear,
    .ping = http_ping,
    .logout = http_logout,
    .close = http_close,
};
