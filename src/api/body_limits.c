/*
 * One route takes files: POST /import. Its bodies lie in a file of DATA_DIR
 * without a name while they are read, since that is where there must be room
 * for what is in them anyway.
 */
#include "base/base.h"

#include "api/body_limits.h"

#include "base/conf.h"

static bool
is_import(const struct request *rq)
{
    return rq->method == METHOD_POST && strcmp(rq->path, "/import") == 0;
}

void
body_limits_load(struct body_limits *out)
{
    *out = (struct body_limits){
        .max = (size_t)conf_int(CONF_BODY_MAX_KIB) * 1024,
        .spools = is_import,
        .spool_max = (size_t)conf_int(CONF_IMPORT_MAX_MIB) << 20,
        .spool_dir = conf_str(CONF_DATA_DIR),
    };
}
