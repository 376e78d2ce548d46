/*
 * The compatible API: OpenAI's wire below /v1, whoever answers. What its files
 * share; the dialect itself is in dialect/openai_*.h. Acceptor threads, but
 * for what is said to be the loop's (v1_outlet.h).
 */
#ifndef API_V1_H
#define API_V1_H

#include "api/app.h"
#include "provider/provider.h"

#define V1_SESSION_HEADER "X-Parley-Session"

/* Is this request for /v1? Its errors are in OpenAI's shape then, whoever
 * finds them. */
bool v1_is(const struct request *rq);
/* Answer with a problem. param: the member of the body that is wrong; allow:
 * for a 405; each NULL or "": none. OK, ERR_AGAIN or ERR_HUP. Any thread. */
MUST_USE enum err v1_problem(struct request *rq, const struct problem *p,
                             const char *param, const char *allow);
/* The same, and the request is over. Takes rq. */
void v1_fail(struct app *app, struct request *rq, const struct problem *p,
             const char *param);
/* Who answers for a model's name. Parley's own answers are given to who names
 * them, and to nobody else: a program that wants a model is not helped by
 * words about Parley. ERR_NOTFOUND, ERR_IMPOSSIBLE or ERR_BADREQ with why. */
MUST_USE enum err v1_route(const char *model, struct route_choice *out,
                           struct problem *why);
/* Is the body JSON, as far as its type says? ERR_TYPE with why. */
MUST_USE enum err v1_check_type(const struct request *rq, struct problem *why);
/* The body; "" if there is none. */
const char *v1_body(const struct request *rq);

#endif
