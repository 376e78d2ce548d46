/*
 * What auth.c and auth_still.c share. Nobody else includes this.
 */
#ifndef AUTH_AUTH_INSIDE_H
#define AUTH_AUTH_INSIDE_H

#include "auth/auth.h"
#include "auth/htpasswd.h"
#include "auth/jwt.h"
#include "auth/rate.h"

struct auth {
    struct fetcher *fetcher; /* NULL: no transfers */
    struct jwt_config jwt;
    struct htpasswd *passwords; /* NULL: no accounts of this kind */
    struct limit *limit;
    struct apikeys *keys;
    struct logins *logins;
    struct rates rates;
    bool required;
};

#endif
