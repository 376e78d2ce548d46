/*
 * The door of WebSockets: which addresses there are, who is let in, and the
 * end. It runs on the loop, where the sockets are, so its counts are exact, and
 * a process that dies takes them with it.
 *
 * Who is not signed in has the address that the web server tells, and at
 * /ws/{client_id} the name that the client gave itself.
 */
#include "base/base.h"

#include "api/ws_door.h"

#include <stdatomic.h>

#include "api/hosts.h"
#include "api/ws_count.h"
#include "api/ws_link.h"
#include "api/who.h"
#include "auth/auth.h"
#include "auth/basic.h"
#include "auth/credentials.h"
#include "base/conf.h"
#include "base/ident.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/request_peer.h"
#include "http/websocket.h"

#define FRAME_MAX (64 * 1024 * 1024) /* bytes of one */
#define FULL_RETRY_S 5
#define STOPPING_RETRY_S 2
#define STOP_WAIT_MS 1000 /* for closed sockets to be closed by their peers */
#define STOP_POLL_MS 20
#define CREDENTIALS_SESSIONS 4096
#define CREDENTIALS_TTL_MS (8 * 3600 * 1000)
#define SWEEP_MS 60000
#define LOOKS_PER_WAIT 4 /* at who has not signed in, in WS_SIGN_IN_S */
#define STRANGERS_PART 4 /* of the places, where everybody has to sign in */

/* --- admission ----------------------------------------------------------- */

/* Rows in the order of the table below. */
enum place { AT_CHAT, AT_CHAT_AUTH, AT_CLIENT, AT_CLOUD, AT_LOCAL };

static const struct route places[] = {
    [AT_CHAT] = {METHOD_GET, "/ws/chat", NULL, "Chat", 0},
    [AT_CHAT_AUTH] = {METHOD_GET, "/ws/chat/auth", NULL, "Chat, signed in", 0},
    [AT_CLIENT] = {METHOD_GET, "/ws/{id}", NULL, "Chat of a named client", 0},
    [AT_CLOUD] = {METHOD_GET, "/api/cloud-chat", NULL, "Context of a message",
                  0},
    [AT_LOCAL] = {METHOD_GET, "/api/chat", NULL, "The same, and the answer", 0},
};

static const enum ws_endpoint endpoints[] = {
    [AT_CHAT] = WS_AT_CHAT,     [AT_CHAT_AUTH] = WS_AT_CHAT,
    [AT_CLIENT] = WS_AT_CLIENT, [AT_CLOUD] = WS_AT_CLOUD,
    [AT_LOCAL] = WS_AT_LOCAL,
};

static enum err
find_place(struct request *rq, enum place *at, struct problem *why)
{
    char allow[ROUTE_ALLOW_MAX];
    const struct route *row;
    enum err e = route_find(places, COUNT_OF(places), rq, &row, allow);

    if (e != OK)
        return problem_set(why, e, NULL, NULL, NULL);
    *at = (enum place)(row - places);
    return OK;
}

/* At /ws/chat/auth a token is asked for, whoever else may come in: that is its
 * only difference to /ws/chat. */
static enum err
check_token(const struct ws_door *d, struct request *rq, enum place at,
            struct problem *why)
{
    const char *token = NULL;

    if (at != AT_CHAT_AUTH || who_asks(rq)->way != IDENTITY_ANONYMOUS)
        return OK;
    if (request_arg(rq, "token", &token, why) != OK)
        return why->err;
    if ((token == NULL || *token == '\0') &&
        request_header(rq, "Authorization") == NULL)
        return problem_set(why, ERR_AUTH, "missing_token", "Missing token",
                           "Connect with ?token=… or use /ws/chat");
    return auth_has_tokens(d->app->auth)
               ? problem_set(why, ERR_AUTH, "invalid_token",
                             "The token is not valid", "%s", "")
               : OK;
}

/* What the handshake shows of its client, but could not be looked at without
 * waiting: it becomes the link's first wish, before anything that it hears. */
static bool
read_shown(struct request *rq, struct ws_in *in, struct problem *why)
{
    const char *header = request_header(rq, "Authorization");
    const char *token = NULL;
    struct basic b;

    *in = (struct ws_in){.what = WS_AUTH};
    if (header != NULL && basic_read(header, &b, why) == OK) {
        in->auth = credentials_new(CREDENTIALS_BASIC);
        in->auth->username = xstrdup(b.user);
        in->auth->password = xstrdup(b.password);
        basic_wipe(&b);
        return true;
    }
    if (header != NULL && strncasecmp(header, "Bearer ", 7) == 0)
        token = header + 7;
    else if (request_arg(rq, "token", &token, why) != OK)
        return false;
    if (token == NULL)
        return false;
    in->auth = credentials_new(CREDENTIALS_BEARER);
    in->auth->token = xstrdup(token);
    return true;
}

/* The session that is asked for, or a new one: the name that a client gives
 * itself at /ws/{client_id} is easily guessed, and many give the same. */
static enum err
find_session(struct request *rq, char out[IDENT_SESSION_MAX + 1],
             struct problem *why)
{
    const char *id = NULL;

    if (request_arg(rq, "session_id", &id, why) != OK)
        return why->err;
    return app_session_id(id, out, why);
}

/* A place for one more of this client. */
static enum err
take_count(struct ws_door *d, const struct request *rq, enum place at,
           struct ws_count **out, struct problem *why)
{
    const char *addr = request_var(rq, "REMOTE_ADDR");
    struct buf key;
    enum err e = OK;

    *out = NULL;
    if (at != AT_CLIENT || d->per_client == 0)
        return OK;
    buf_init(&key, REQUEST_PATH_MAX + 256);
    buf_addf(&key, "%.128s %s", addr != NULL ? addr : "", rq->path_args[0]);
    *out = ws_count_take(d->clients, buf_cstr(&key), d->per_client);
    if (*out == NULL) {
        e = problem_set(
            why, ERR_LIMIT, "too_many_connections", "Too many connections",
            "A client may have %zu; close one of them.", d->per_client);
        why->retry_after_s = FULL_RETRY_S;
    }
    buf_release(&key);
    return e;
}

/* Where everybody has to sign in, those who have not yet leave room for those
 * who have. */
static bool
is_full(const struct ws_door *d, bool stranger)
{
    return d->n_open >= d->max ||
           (stranger && auth_required(d->app->auth) &&
            d->n_strangers >= 1 + d->max / STRANGERS_PART);
}

static enum err
check_room(const struct ws_door *d, bool stranger, struct problem *why)
{
    if (d->stopping || engine_draining(d->app->en)) {
        (void)problem_set(why, ERR_STOPPING, NULL, NULL, NULL);
        why->retry_after_s = STOPPING_RETRY_S;
        return ERR_STOPPING;
    }
    if (!is_full(d, stranger))
        return OK;
    (void)problem_set(why, ERR_BUSY, "too_many_connections",
                      "Too many connections", "Try again later.");
    why->retry_after_s = FULL_RETRY_S;
    return ERR_BUSY;
}

static void *
admit(void *arg, struct request *rq, struct problem *why)
{
    struct ws_door *d = arg;
    char session_id[IDENT_SESSION_MAX + 1];
    struct ws_count *count = NULL;
    struct identity nobody = {.way = IDENTITY_ANONYMOUS, .may = MAY_USER};
    struct ws_in shown = {.what = WS_AUTH};
    struct ws_link *link;
    enum place at = AT_CHAT;
    enum err e = find_place(rq, &at, why);

    if (e == OK)
        e = hosts_check(rq, !auth_required(d->app->auth), why);
    if (e == OK && request_foreign(rq, conf_str(CONF_ALLOWED_ORIGINS)))
        e = problem_set(why, ERR_FORBIDDEN, "foreign_origin",
                        "This origin is not allowed",
                        "Add it to ALLOWED_ORIGINS if it is yours.");
    if (e == OK)
        e = who_find_now(d->app, rq, WHO_TOKEN | (at == AT_CHAT ? WHO_OPEN : 0),
                         why);
    if (e == ERR_AGAIN)
        e = read_shown(rq, &shown, why) ? OK : ERR_AUTH;
    else if (e == OK)
        e = check_token(d, rq, at, why);
    if (e == OK)
        e = find_session(rq, session_id, why);
    if (e == OK)
        e = check_room(d, rq->who == NULL || rq->who->way == IDENTITY_ANONYMOUS,
                       why);
    if (e == OK)
        e = take_count(d, rq, at, &count, why);
    if (e != OK) {
        ws_in_release(&shown);
        return NULL;
    }
    (void)snprintf(nobody.addr, sizeof(nobody.addr), "%s", request_peer(rq));
    link = ws_link_new(d, endpoints[at], rq->who != NULL ? rq->who : &nobody,
                       session_id, count);
    if (shown.auth != NULL) {
        link->enters = true;
        ws_link_first(link, &shown);
    }
    link->lists = app_lists(rq);
    return link;
}

/* A handshake that came by another door: its web server does not pass upgrades
 * on. A handler of the application. */
void
api_ws_elsewhere(void *arg, struct request *rq)
{
    struct problem p = {.err = OK};

    (void)problem_set(&p, ERR_IMPOSSIBLE, "websocket_unavailable",
                      "WebSocket is not available here",
                      "The web server does not pass it on. Use server-sent "
                      "events: GET /chat/stream");
    p.status = 501;
    app_fail(arg, rq, &p);
}

/* --- opening and closing ------------------------------------------------- */

static void
close_strangers(struct ws_door *d, int64_t before_ms)
{
    for (struct ws_link *l = d->links, *next; l != NULL; l = next) {
        next = l->next;
        if (l->sock != NULL && l->state == WS_LINK_IDLE &&
            l->who.way == IDENTITY_ANONYMOUS && l->since_ms <= before_ms)
            ws_link_close(l, FRAMES_POLICY, "Not signed in");
    }
}

static void
on_sweep(struct loop_timer *t)
{
    struct ws_door *d = t->arg;
    struct loop *l = engine_loop(d->app->en);
    int64_t wait_ms = 1000 * conf_int(CONF_WS_SIGN_IN_S), next_ms = SWEEP_MS;

    if (auth_required(d->app->auth)) {
        close_strangers(d, loop_now_ms(l) - wait_ms);
        if (next_ms > wait_ms / LOOKS_PER_WAIT)
            next_ms = wait_ms / LOOKS_PER_WAIT;
    }
    (void)credentials_sweep(d->box, loop_now_ms(l));
    loop_timer_set(l, t, loop_now_ms(l) + next_ms);
}

static struct websocket *
listen_at(struct ws_door *d, const char *path)
{
    const struct websocket_config c = {
        .path = path,
        .tcp = conf_str(CONF_WS_LISTEN),
        .base_path = conf_str(CONF_BASE_PATH),
        .handshake_ms = WEBSOCKET_HANDSHAKE_MS,
        .retry_ms = WEBSOCKET_RETRY_MS,
        .sock =
            {
                .message_max = (size_t)conf_int(CONF_WS_MESSAGE_MAX_KIB) * 1024,
                .ping_ms = conf_int(CONF_WS_PING_S) * 1000,
                .idle_ms = conf_int(CONF_WS_IDLE_S) * 1000,
                .close_ms = WEBSOCKET_CLOSE_MS,
            },
        .app =
            {
                .admit = admit,
                .opened = ws_link_opened,
                .ops = &ws_link_sock,
                .arg = d,
            },
    };

    return websocket_open(engine_loop(d->app->en), &c);
}

static struct oauth2 *
open_oauth2(struct ws_door *d)
{
    const struct oauth2_config c = {
        .loop = engine_loop(d->app->en),
        .transfers = engine_transfers(d->app->en),
        .box = d->box,
        .hosts = conf_str(CONF_OAUTH_TOKEN_HOSTS),
        .limits =
            {
                .connect_ms = (int)conf_int(CONF_UPSTREAM_CONNECT_MS),
                .first_byte_ms = (int)conf_int(CONF_UPSTREAM_FIRST_BYTE_MS),
                .idle_ms = (int)conf_int(CONF_UPSTREAM_IDLE_MS),
                .total_ms = (int)conf_int(CONF_UPSTREAM_TOTAL_MS),
            },
    };

    return oauth2_new(&c);
}

struct ws_door *
ws_door_open(struct app *app)
{
    struct ws_door *d = xcalloc(1, sizeof(*d));
    char path[4096];

    d->app = app;
    d->max = (size_t)conf_int(CONF_WS_MAX);
    if (d->max == 0)
        d->max = engine_capacity(app->en);
    d->per_client = (size_t)conf_int(CONF_WS_PER_CLIENT);
    buf_init(&d->scratch, FRAME_MAX);
    (void)snprintf(path, sizeof(path), "%s/%s", conf_str(CONF_DATA_DIR),
                   WEBSOCKET_SOCKET);
    d->clients = ws_counts_new();
    d->box = credentials_box_new(CREDENTIALS_SESSIONS, CREDENTIALS_TTL_MS);
    d->oauth2 = open_oauth2(d);
    d->listener = listen_at(d, path);
    d->sweep.fn = on_sweep;
    d->sweep.arg = d;
    if (d->listener == NULL) {
        ws_door_close(d);
        return NULL;
    }
    on_sweep(&d->sweep);
    return d;
}

/* The engine waits until the last closed socket is closed by its peer, too. */
static void
release_hold(struct ws_door *d)
{
    if (!d->holds)
        return;
    d->holds = false;
    loop_timer_clear(engine_loop(d->app->en), &d->end);
    engine_release(d->app->en, &d->hold);
}

static void
on_hold_dropped(struct engine_hold *h)
{
    release_hold(h->arg);
}

static void
on_end_poll(struct loop_timer *t)
{
    struct ws_door *d = t->arg;
    struct loop *l = engine_loop(d->app->en);
    int64_t now_ms = loop_now_ms(l);

    if (websocket_count(d->listener) == 0)
        release_hold(d);
    else if (d->n_open > 0 || now_ms - d->stopped_ms < STOP_WAIT_MS)
        loop_timer_set(l, t, now_ms + STOP_POLL_MS);
    else
        release_hold(d);
}

void
ws_door_stop(struct ws_door *d)
{
    struct loop *l;

    if (d == NULL || d->stopping)
        return;
    l = engine_loop(d->app->en);
    d->stopping = true;
    websocket_stop(d->listener);
    for (struct ws_link *link = d->links, *next; link != NULL; link = next) {
        next = link->next;
        ws_link_stop(link);
    }
    d->holds = true;
    d->hold.drop = on_hold_dropped;
    d->hold.arg = d;
    engine_hold(d->app->en, &d->hold);
    d->stopped_ms = loop_now_ms(l);
    d->end.fn = on_end_poll;
    d->end.arg = d;
    loop_timer_set(l, &d->end, d->stopped_ms);
}

void
ws_door_close(struct ws_door *d)
{
    if (d == NULL)
        return;
    release_hold(d);
    loop_timer_clear(engine_loop(d->app->en), &d->sweep);
    websocket_close(d->listener); /* links are told */
    ws_counts_free(d->clients);
    oauth2_free(d->oauth2);
    credentials_box_free(d->box);
    buf_release(&d->scratch);
    d->closed = true;
    if (d->n_links == 0)
        free(d);
}

size_t
ws_door_count(const struct ws_door *d)
{
    return d != NULL ? atomic_load(&d->n_open) : 0;
}

size_t
ws_door_following(const struct ws_door *d)
{
    return d != NULL ? atomic_load(&d->n_following) : 0;
}
