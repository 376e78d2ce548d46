/* What a fetch sends, and where: for auth/fetch.c. Pure; any thread. */
#ifndef AUTH_FETCH_ADMIT_H
#define AUTH_FETCH_ADMIT_H

#include "auth/fetch.h"
#include "upstream/transfer.h"

/* The request of an ask, to be released also after a failure. ERR_BADREQ,
 * ERR_FORBIDDEN: its URL may not be asked, or a header or the body is not
 * valid; why never has the URL. */
MUST_USE enum err fetch_build(struct upstream_request *q,
                              const struct fetch_ask *ask, struct problem *why);

#endif
