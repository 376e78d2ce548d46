/*
 * What cgi-bin/admin serves: what a whole installation uses, who uses it, their
 * keys and logins, and the audit log. For administrators only (MAY_ADMIN);
 * where nobody can be one, there is nothing here, and every address is 404.
 *
 * It has neither an engine nor a loop: each request is read, answered and
 * written by the thread that it came to, which waits for the store. The store
 * is opened with the first request that needs it.
 */
#ifndef API_ADMIN_H
#define API_ADMIN_H

#include "auth/auth.h"
#include "base/json.h"
#include "http/reply.h"
#include "http/route.h"

struct admin {
    struct store *store; /* borrowed by handlers, as is the next */
    struct auth *auth;
    unsigned threads; /* that serve */
};

/* Settings are loaded. threads: that call admin_request. */
void admin_init(struct admin *a, unsigned threads);
void admin_release(struct admin *a);
/* A door_fn; arg is the admin. Any thread that may wait. Takes rq. */
void admin_request(void *arg, struct request *rq, const struct problem *why);
/* Do the settings name somebody who can be an administrator? Else all of this
 * is not there. */
bool admin_wanted(void);

/* The table of routes: on each line a method, a pattern, and what it is. */
void admin_print_routes(FILE *out);

/* For the handlers. Each answers, and takes rq; admin_json also releases json.
 */
void admin_json(struct request *rq, int status, struct buf *json);
void admin_fail(struct request *rq, const struct problem *p);
/* Keep the trace of what an administrator has done; waits for it. */
void admin_trace(const struct request *rq, const char *action, const char *of);

/* Handlers, one per route; app is the struct admin. */
route_fn admin_home, admin_usage, admin_audit, admin_users, admin_keys,
    admin_key_make, admin_key_revoke, admin_logins, admin_logins_end;

#endif
