/*
 * The settings behind http/request_host.h. OIDC_REDIRECT_URL is an address of
 * this server that a browser is sent to, so its host is one of ours.
 */
#include "base/base.h"

#include "api/hosts.h"

#include "base/conf.h"
#include "base/log.h"
#include "http/request_host.h"

void
hosts_load(void)
{
    struct problem p = {.err = OK};

    if (request_hosts_read(conf_str(CONF_ALLOWED_HOSTS), &p) != OK)
        log_warn("conf.value", "name=ALLOWED_HOSTS rule=\"%s\"", p.message);
}

enum err
hosts_check(const struct request *rq, bool open, struct problem *why)
{
    const struct request_hosts h = {
        .allowed = conf_str(CONF_ALLOWED_HOSTS),
        .own_url = conf_str(CONF_OIDC_REDIRECT_URL),
        .open = open,
    };

    return request_host_check(rq, &h, why);
}
