/*
 * What the ways of signing in share. Acceptor threads.
 */
#ifndef API_ACCOUNT_H
#define API_ACCOUNT_H

#include "api/app.h"
#include "auth/identity.h"
#include "base/json.h"

/* Somebody proved who they are: the login begins, its cookie is set, the trace
 * is kept, and (claim) the sessions of the browser's anonymous owner become
 * theirs: *claimed many. way: "password", "oidc", … */
MUST_USE enum err account_begin(struct app *app, struct request *rq,
                                const struct identity *who, const char *way,
                                bool claim, int64_t *claimed,
                                struct problem *why);
/* Somebody failed to, and may have to wait now; user as they gave it. Not for
 * tries that were refused unseen: of those there may be any number. */
void account_failed(const struct request *rq, const char *user,
                    const struct problem *why);
void account_failed_at(const char *addr, const char *user,
                       const struct problem *why);
/* "sign_in": {…}: the ways in that there are. */
void account_put_ways(struct json_out *j, const struct app *app);

#endif
