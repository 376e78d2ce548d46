/*
 * Dispatch: one table of routes, and what is the same for all of them: a bad
 * request is answered before any handler, a foreign origin may not change
 * anything, OPTIONS and HEAD and 405 come from the table. Acceptor threads.
 */
#include "base/base.h"

#include "api/app.h"

#include "api/body_limits.h"
#include "api/hosts.h"
#include "api/v1.h"
#include "api/way.h"
#include "api/who.h"
#include "auth/auth.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/text.h"
#include "http/request_peer.h"

static const struct route routes[] = {
    {METHOD_POST, "/chat", api_chat, "Send a message", 0},
    {METHOD_GET, "/chat/stream", api_chat_stream, "Follow or start a turn",
     WHO_TOKEN},
    {METHOD_GET, "/chat/events", api_chat_events, "Poll a turn's events",
     WHO_TOKEN},
    {METHOD_POST, "/chat/stop", api_chat_stop, "Cancel a turn", 0},
    {METHOD_GET, "/chat/turns/{id}", api_turn, "State of a turn", 0},
    {METHOD_GET, "/chat/turns/{id}/context", api_turn_context,
     "What the model saw", 0},
    {METHOD_GET, "/sessions", api_sessions, "List sessions", WHO_OWNS},
    {METHOD_POST, "/sessions", api_session_make, "Make an empty session", 0},
    {METHOD_DELETE, "/sessions", api_sessions_delete, "Delete all sessions", 0},
    {METHOD_GET, "/sessions/{id}", api_session, "One session", WHO_SESSION},
    {METHOD_PATCH, "/sessions/{id}", api_session_patch, "Change a session",
     WHO_SESSION},
    {METHOD_DELETE, "/sessions/{id}", api_session_delete, "Delete a session",
     WHO_SESSION},
    {METHOD_GET, "/sessions/{id}/messages", api_messages,
     "Messages of a session", WHO_SESSION},
    {METHOD_GET, "/sessions/{id}/events", api_session_events,
     "What happens to a session", WHO_SESSION | WHO_TOKEN},
    {METHOD_POST, "/messages/{id}/feedback", api_feedback, "Rate a message", 0},
    {METHOD_GET, "/sessions/{id}/export", api_session_export,
     "A session as a file", WHO_SESSION},
    {METHOD_POST, "/sessions/{id}/fork", api_session_fork,
     "A new session up to a message", WHO_SESSION},
    {METHOD_POST, "/import", api_import, "Sessions from a file", 0},
    {METHOD_GET, "/export", api_export, "All sessions as a file", 0},
    {METHOD_GET, "/usage", api_usage, "What was used, and what is left", 0},
    {METHOD_GET, "/files", api_files, "List files", WHO_OWNS},
    {METHOD_POST, "/files", api_files_upload, "Upload files", 0},
    {METHOD_GET, "/files/{*}", api_file, "A file, its text, its bytes", 0},
    {METHOD_PATCH, "/files/{*}", api_file_patch, "Label a file", 0},
    {METHOD_DELETE, "/files/{*}", api_file_delete, "Delete a file", 0},
    {METHOD_GET, "/search", api_search, "Search the files", 0},
    {METHOD_POST, "/v1/chat/completions", api_v1_chat, "Ask, by OpenAI's wire",
     0},
    {METHOD_POST, "/v1/embeddings", api_v1_embeddings,
     "Embeddings, by OpenAI's wire", 0},
    {METHOD_GET, "/v1/models", api_v1_models, "Models, by OpenAI's wire", 0},
    {METHOD_GET, "/v1/models/{*}", api_v1_model, "One model", 0},
    {METHOD_POST, "/api/cloud-chat", api_cloud_chat,
     "The context of a message, for a model elsewhere", 0},
    {METHOD_POST, "/api/chat", api_local_chat, "Ask the model of this machine",
     0},
    {METHOD_GET, "/api/config", api_config, "How files are looked into", 0},
    {METHOD_POST, "/api/config", api_config_set, "Change that", 0},
    {METHOD_GET, "/api/docs", api_docs, "This API, to be read", WHO_OPEN},
    {METHOD_GET, "/api/openapi.yaml", api_openapi_yaml, "The OpenAPI document",
     WHO_OPEN},
    {METHOD_GET, "/api/openapi.json", api_openapi_json,
     "The OpenAPI document, as JSON", WHO_OPEN},
    {METHOD_GET, "/", api_status, "Status", WHO_OPEN},
    {METHOD_GET, "/status", api_status, "Status", WHO_OPEN},
    {METHOD_GET, "/health", api_health, "Is it able to serve?", WHO_OPEN},
    {METHOD_GET, "/metrics", api_metrics, "Prometheus metrics", 0},
    {METHOD_GET, "/ws/{*}", api_ws_elsewhere, "WebSocket, not passed on",
     WHO_OPEN},
    {METHOD_GET, "/probe", api_probe, "Timed events", WHO_OPEN},
    {METHOD_POST, "/auth/login", api_login, "Sign in", WHO_OPEN},
    {METHOD_POST, "/auth/logout", api_logout, "Sign out", WHO_OPEN},
    {METHOD_GET, "/auth/me", api_me, "Who am I?", WHO_OWNS},
    {METHOD_GET, "/auth/logins", api_logins, "Where am I signed in?", 0},
    {METHOD_DELETE, "/auth/logins/{id}", api_login_end, "End one of them", 0},
    {METHOD_GET, "/auth/oauth2/login", api_oidc_login,
     "Sign in at an OpenID provider", WHO_OPEN},
    {METHOD_GET, "/auth/oauth2/callback", api_oidc_callback,
     "Where the provider sends the browser back", WHO_OPEN},
    {METHOD_GET, "/keys", api_keys, "List API keys", 0},
    {METHOD_POST, "/keys", api_key_make, "Make an API key", 0},
    {METHOD_DELETE, "/keys/{id}", api_key_revoke, "Revoke an API key", 0},
};

void
app_print_routes(FILE *out)
{
    for (size_t i = 0; i < COUNT_OF(routes); i++)
        (void)fprintf(out, "%-6s %-28s %s\n", method_name(routes[i].method),
                      routes[i].pattern, routes[i].help);
}

const char *
app_owner(const struct request *rq)
{
    return rq->owner;
}

bool
app_lists(const struct request *rq)
{
    const char *who = conf_str(CONF_LIST_ANONYMOUS);

    return app_owner(rq)[0] != '\0' || strcmp(who, "all") == 0 ||
           (strcmp(who, "none") != 0 && request_local(rq));
}

void
app_end(struct app *app, struct request *rq, enum err e)
{
    struct conn *c = request_take_conn(rq);

    metric_observe_ms(METRIC_REQUEST, (clock_mono_us() - rq->start_us) / 1000);
    if (e == ERR_AGAIN)
        way_drain(app->en, c);
    else
        conn_free(c);
    request_free(rq);
}

void
app_fail(struct app *app, struct request *rq, const struct problem *p)
{
    int status = reply_status(p);

    if (v1_is(rq)) {
        v1_fail(app, rq, p, NULL);
        return;
    }
    metric_add(status >= 500 ? METRIC_REQUEST_FAILS : METRIC_REQUEST_ERRORS, 1);
    app_end(app, rq, reply_problem(rq, p, NULL));
}

void
app_session_missing(struct app *app, struct request *rq, enum err e)
{
    struct problem p = {.err = OK};

    if (e == ERR_NOTFOUND)
        (void)problem_set(&p, e, "session_not_found", "No such session",
                          "It does not exist, or it is not yours.");
    else
        (void)problem_set(&p, e, NULL, NULL, NULL);
    app_fail(app, rq, &p);
}

enum err
app_message_missing(struct problem *why, const char *name)
{
    char message[96] = "It does not exist, or it is not yours.";

    if (name != NULL)
        (void)snprintf(message, sizeof(message),
                       "'%s' is the id of a message of this session.", name);
    return problem_set(why, ERR_NOTFOUND, "message_not_found",
                       "No such message", "%s", message);
}

enum err
app_session_id(const char *given, char out[IDENT_SESSION_MAX + 1],
               struct problem *why)
{
    struct ident id;

    if (given == NULL || *given == '\0') {
        id = ident_v4();
        ident_text(out, &id);
        return OK;
    }
    if (!ident_session_valid(given, strlen(given)))
        return problem_set(why, ERR_BADREQ, "invalid_session_id",
                           "Invalid session_id",
                           "1 to 64 characters of A-Z a-z 0-9 _ -");
    (void)snprintf(out, IDENT_SESSION_MAX + 1, "%s", given);
    return OK;
}

void
app_json(struct app *app, struct request *rq, int status, struct buf *json)
{
    struct problem p = {.err = OK};

    if (buf_status(json) != OK) {
        (void)problem_set(&p, ERR_INTERNAL, NULL, NULL, NULL);
        app_fail(app, rq, &p);
    } else {
        app_end(app, rq, reply_json(rq, status, json->data, json->len));
    }
    buf_release(json);
}

void
app_stream_head(struct app *app, struct request *rq)
{
    struct buf head;
    enum err e;

    buf_init(&head, REPLY_HEAD_MAX);
    reply_stream_head(&head, rq, "text/event-stream", NULL);
    e = conn_end(rq->conn, head.data, head.len);
    buf_release(&head);
    app_end(app, rq, e);
}

/* GET of /chat/stream can start a turn: not for an <img> of another site. */
static bool
changes_state(const struct request *rq)
{
    if (rq->method == METHOD_GET)
        return strcmp(rq->path, "/chat/stream") == 0;
    return rq->method != METHOD_HEAD && rq->method != METHOD_OPTIONS;
}

/* No row fits: 404, 405, or the answer to OPTIONS. */
static void
no_route(struct app *app, struct request *rq, enum err e, const char *allow)
{
    struct problem p = {.err = OK};

    if (e == ERR_METHOD && rq->method == METHOD_OPTIONS) {
        app_end(app, rq, reply_options(rq, allow));
        return;
    }
    (void)problem_set(&p, e, NULL, NULL, NULL);
    allow = e == ERR_METHOD ? allow : NULL;
    if (v1_is(rq)) {
        app_end(app, rq, v1_problem(rq, &p, NULL, allow));
        return;
    }
    metric_add(METRIC_REQUEST_ERRORS, 1);
    app_end(app, rq, reply_problem(rq, &p, allow));
}

static void
body_too_big(const struct request *rq, struct problem *p)
{
    struct body_limits limits;

    body_limits_load(&limits);
    (void)problem_set(p, ERR_TOOBIG, NULL, NULL, "This may have %zu KiB.",
                      request_body_max(rq, &limits) / 1024);
}

void
app_request(void *arg, struct request *rq, const struct problem *why)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    const struct route *route;
    char allow[ROUTE_ALLOW_MAX];
    enum err e;

    metric_add(METRIC_REQUESTS, 1);
    log_set_request(rq->id);
    if (why != NULL && why->err != OK) {
        app_fail(app, rq, why);
        log_set_request(NULL);
        return;
    }
    if (hosts_check(rq, !auth_required(app->auth), &p) != OK) {
        app_fail(app, rq, &p);
        log_set_request(NULL);
        return;
    }
    e = route_find(routes, COUNT_OF(routes), rq, &route, allow);
    if (e != OK) {
        no_route(app, rq, e, allow);
    } else if (changes_state(rq) &&
               request_foreign(rq, conf_str(CONF_ALLOWED_ORIGINS))) {
        (void)problem_set(&p, ERR_FORBIDDEN, "foreign_origin",
                          "This origin is not allowed",
                          "Add it to ALLOWED_ORIGINS if it is yours.");
        app_fail(app, rq, &p);
    } else if (who_find(app, rq, route->rules, &p) != OK) {
        app_fail(app, rq, &p);
    } else if (rq->body_too_big) { /* to a stranger it is no matter how big */
        body_too_big(rq, &p);
        app_fail(app, rq, &p);
    } else {
        route->fn(app, rq);
    }
    log_set_request(NULL);
}
