/*
 * Signing in at an OpenID provider: what other handlers need of it. Acceptor
 * threads.
 */
#ifndef API_AUTH_OIDC_H
#define API_AUTH_OIDC_H

#include "api/app.h"
#include "base/json.h"

/* "end_session_url": where who signed in at the provider ends their session
 * there, too, and comes back from to the page. Nothing is put if rq is not of
 * such a login, or the provider has no such place. */
void auth_oidc_put_end(struct json_out *j, struct app *app, struct request *rq);

#endif
