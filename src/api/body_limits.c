/*
 * Two routes take files: POST /import and POST /files. Their bodies lie in a
 * file of DATA_DIR without a name while they are read, since that is where
 * there must be room for what is in them anyway.
 *
 * Where everybody has to sign in, a request that shows nothing at all of who
 * sends it will be refused, or is one to sign in, which is short. So no more of
 * it is read than such a one has. Whether what is shown is right takes longer
 * to find out (a hash, a look into the store) and is found out behind the body.
 */
#include "base/base.h"

#include "api/body_limits.h"

#include "auth/auth.h"
#include "base/conf.h"
#include "http/cookie.h"

#define STRANGER_MAX (16 * 1024) /* bytes; a name and a password */

static bool
takes_files(const struct request *rq)
{
    return rq->method == METHOD_POST && (strcmp(rq->path, "/import") == 0 ||
                                         strcmp(rq->path, "/files") == 0);
}

static bool
has_header(const struct request *rq, const char *name)
{
    const char *value = *name != '\0' ? request_header(rq, name) : NULL;

    return value != NULL && *value != '\0';
}

static bool
is_stranger(const struct request *rq)
{
    char login[COOKIE_VALUE_MAX + 1];

    return conf_int(CONF_AUTH_REQUIRED) != 0 &&
           !has_header(rq, "Authorization") &&
           !has_header(rq, conf_str(CONF_API_KEY_HEADER)) &&
           !has_header(rq, conf_str(CONF_PROXY_USER_HEADER)) &&
           !cookie_own(rq, AUTH_COOKIE_LOGIN, login);
}

void
body_limits_load(struct body_limits *out)
{
    *out = (struct body_limits){
        .max = (size_t)conf_int(CONF_BODY_MAX_KIB) * 1024,
        .spools = takes_files,
        .spool_max = (size_t)conf_int(CONF_IMPORT_MAX_MIB) << 20,
        .spool_dir = conf_str(CONF_DATA_DIR),
        .stranger = is_stranger,
        .stranger_max = STRANGER_MAX,
    };
}
