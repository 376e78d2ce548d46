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

struct app {
    struct engine *en;
    int64_t started_ms; /* wall clock */
    int64_t ping_ms;    /* silence on a stream */
};

/* A door_fn; arg is the app. Acceptor thread. */
void app_request(void *arg, struct request *rq, const struct problem *why);
const struct route *app_routes(size_t *n);

/* End a request whose answer was given with result e: what the kernel did not
 * take is finished on the loop. Takes rq. */
void app_end(struct app *app, struct request *rq, enum err e);
/* Answer with a problem. Takes rq. */
void app_fail(struct app *app, struct request *rq, const struct problem *p);
/* Answer that there is no such session (ERR_NOTFOUND), or that it could not be
 * read. Takes rq. */
void app_session_missing(struct app *app, struct request *rq, enum err e);
/* Answer with JSON. Takes rq and releases json. */
void app_json(struct app *app, struct request *rq, int status,
              struct buf *json);

/* Whose request it is; "" is the anonymous owner. */
const char *app_owner(const struct request *rq);

/* May this client see the list of its owner's sessions? Who is not signed in
 * shares an owner with all others: see LIST_ANONYMOUS. */
bool app_lists(const struct request *rq);

/* Handlers, one per route. */
route_fn api_chat, api_chat_stream, api_chat_events, api_chat_stop, api_turn,
    api_turn_context, api_sessions, api_session, api_session_patch,
    api_session_delete, api_session_make, api_sessions_delete, api_feedback,
    api_messages, api_session_export, api_export, api_session_fork, api_import,
    api_status, api_health, api_metrics, api_probe, api_v1_chat, api_v1_models,
    api_v1_model, api_v1_embeddings;

#endif
