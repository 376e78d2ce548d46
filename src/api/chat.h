/*
 * How a request becomes a turn, for the routes that begin one. Acceptor
 * thread.
 */
#ifndef API_CHAT_H
#define API_CHAT_H

#include "api/ask.h"
#include "api/outlet.h"

/* Which form of answer was asked for. */
enum outlet_kind chat_kind(const struct request *rq,
                           const struct ask_options *opt);
/* May they ask, and as whom? Sets the ask's owner and what it may list; where
 * it makes a session, the reply gets a cookie for it. ERR_FORBIDDEN. */
MUST_USE enum err chat_admit(struct app *app, struct request *rq,
                             struct turn_ask *ask, struct problem *why);
/* Load what the turn needs and hand it to the loop. Takes rq and ask. */
void chat_begin(struct app *app, struct request *rq, struct turn_ask *ask,
                enum outlet_kind kind);

#endif
