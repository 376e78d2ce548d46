/*
 * What a client asks of a turn, from JSON, from a form, or from a query: the
 * same names in all three (API: POST /chat). Acceptor thread.
 */
#ifndef API_ASK_H
#define API_ASK_H

#include "api/app.h"

struct ask_options {
    bool stream; /* answer as SSE */
    bool detach;
};

/* Parse rq's body, or its query (query true). The ask is copied out of rq.
 * ERR_BADREQ, ERR_TOOBIG, ERR_TYPE, ERR_IMPOSSIBLE with why. */
MUST_USE enum err ask_parse(struct request *rq, bool query,
                            struct turn_ask **out, struct ask_options *opt,
                            struct problem *why);

#endif
