/*
 * The application as the doors see it: a table of routes, and what every
 * handler needs. Handlers take the request: they answer and free it, or hand
 * its conn on to the loop (api/outlet.h).
 */
#ifndef API_APP_H
#define API_APP_H

#include "chat/engine.h"
#include "http/reply.h"
#include "http/route.h"

#define APP_VERSION "0.1.0"

struct ws_door; /* api/ws_door.h */
struct auth;    /* auth/auth.h */
struct oidc;    /* auth/oidc.h */
struct broker;  /* files/broker.h */
struct files;   /* files/files.h */

struct app {
    struct engine *en;
    struct ws_door *ws; /* NULL: WebSockets are not offered */
    struct auth *auth;
    struct oidc *oidc;     /* NULL: nobody signs in at a provider */
    struct broker *broker; /* NULL: no file can be opened or read */
    struct files *files;   /* owned; NULL: there is no index */
    int64_t started_ms;    /* wall clock */
    int64_t ping_ms;       /* silence on a stream */
    bool one; /* this process answers one request: it drains from then on */
};

/* A door_fn; arg is the app. Acceptor thread. */
void app_request(void *arg, struct request *rq, const struct problem *why);

/* End a request whose answer was given with result e: what the kernel did not
 * take is finished on the loop. Takes rq. */
void app_end(struct app *app, struct request *rq, enum err e);
/* Answer with a problem. Takes rq. */
void app_fail(struct app *app, struct request *rq, const struct problem *p);
/* Answer that there is no such session (ERR_NOTFOUND), or that it could not be
 * read. Takes rq. */
void app_session_missing(struct app *app, struct request *rq, enum err e);
/* Say that the message that `name` names is not one of the session's, or (NULL)
 * that there is none; returns ERR_NOTFOUND. */
enum err app_message_missing(struct problem *why, const char *name);
/* The id of a session: the one that is given, or a new one for NULL and "".
 * ERR_BADREQ: it cannot be one. */
MUST_USE enum err app_session_id(const char *given,
                                 char out[IDENT_SESSION_MAX + 1],
                                 struct problem *why);
/* Answer with JSON. Takes rq and releases json. */
void app_json(struct app *app, struct request *rq, int status,
              struct buf *json);

/* Answer HEAD of a stream of events: its headers, and nothing begun. Takes
 * rq. */
void app_stream_head(struct app *app, struct request *rq);

/* As whom the request acts (api/who.h); "" is nobody in particular. In the
 * request's arena. */
const char *app_owner(const struct request *rq);

/* May this client see the list of its owner's sessions? Who has neither signed
 * in nor a cookie shares an owner with all such: see LIST_ANONYMOUS. */
bool app_lists(const struct request *rq);

/* The table of routes: on each line a method, a pattern, and what it is. */
void app_print_routes(FILE *out);

/* Handlers, one per route. */
route_fn api_chat, api_chat_stream, api_chat_events, api_chat_stop, api_turn,
    api_turn_context, api_sessions, api_session, api_session_patch,
    api_session_delete, api_session_make, api_sessions_delete, api_feedback,
    api_messages, api_session_events, api_session_export, api_export,
    api_session_fork, api_import, api_status, api_health, api_metrics,
    api_probe, api_v1_chat, api_v1_models, api_v1_model, api_v1_embeddings,
    api_cloud_chat, api_local_chat, api_ws_elsewhere, api_docs,
    api_openapi_yaml, api_openapi_json, api_usage, api_oidc_login,
    api_oidc_callback, api_login, api_logout, api_me, api_logins, api_login_end,
    api_keys, api_key_make, api_key_revoke, api_files, api_file,
    api_file_delete, api_file_patch, api_files_upload, api_search, api_config,
    api_config_set;

#endif
