/*
 * The way out of one Chat Completions request, on the loop: as a stream of
 * chunks or as one chat.completion. Where the answer comes from is one of two:
 * a relay (nothing is stored), or the stream log of a turn (a session was
 * named). Frees itself when all is sent or the client is gone; a relay ends
 * with its client, a turn goes on.
 */
#ifndef API_V1_OUTLET_H
#define API_V1_OUTLET_H

#include "api/v1.h"
#include "chat/relay.h"

struct v1_outlet;

/* Takes rq. usage: the stream has a chunk with it. Acceptor thread. */
struct v1_outlet *v1_outlet_new(struct app *app, struct request *rq,
                                bool stream, bool usage);
/* Ask, and pass the answer on. Takes a; o is gone. */
void v1_outlet_relay(struct v1_outlet *o, struct turn_ask *a);
/* For engine_ask and engine_follow. */
struct reader *v1_outlet_reader(struct v1_outlet *o);

#endif
