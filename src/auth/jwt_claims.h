/* What a token says, once its signature is right: for auth/jwt.c. Pure. */
#ifndef AUTH_JWT_CLAIMS_H
#define AUTH_JWT_CLAIMS_H

#include <cjson/cJSON.h>

#include "auth/jwt.h"

/* Check the claims o against c and the time, and take what is wanted of them.
 * out->ours is set already. ERR_AUTH as jwt_check. */
MUST_USE enum err jwt_claims_read(struct jwt_claims *out, const cJSON *o,
                                  const struct jwt_config *c, int64_t now_ms,
                                  struct problem *why);

#endif
