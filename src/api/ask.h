/*
 * What a client asks of a turn, from JSON, from a form, or from a query: the
 * same names in all three (API: POST /chat). Acceptor thread.
 */
#ifndef API_ASK_H
#define API_ASK_H

#include "api/app.h"
#include "base/json.h"

struct ask_options {
    bool stream; /* answer as SSE */
    bool detach;
};

/* Parse rq's body, or its query (query true). The ask is copied out of rq.
 * ERR_BADREQ, ERR_TOOBIG, ERR_TYPE, ERR_IMPOSSIBLE with why. */
MUST_USE enum err ask_parse(struct request *rq, bool query,
                            struct turn_ask **out, struct ask_options *opt,
                            struct problem *why);
/* The same of an object that is no body, or was looked into before: a
 * WebSocket's. idem (may be NULL): its key, where the object has none. lists is
 * left to who knows the client (app_lists). Any thread. */
MUST_USE enum err ask_from_json(const cJSON *json, const char *owner,
                                const char *idem, struct turn_ask **out,
                                struct ask_options *opt, struct problem *why);
/* Fetch what the turn needs of the store (nothing, if it is a command). OK: it
 * can be asked. ERR_CONFLICT: its key was used by *existing. Others: why.
 * Acceptor or worker. */
MUST_USE enum err ask_load(struct engine *en, struct turn_ask *a,
                           struct ident *existing, struct problem *why);

#endif
