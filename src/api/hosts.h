/*
 * By which names the server may be asked: ALLOWED_HOSTS, for every door. Any
 * thread.
 */
#ifndef API_HOSTS_H
#define API_HOSTS_H

#include "http/request.h"

/* Say in the log what is wrong with ALLOWED_HOSTS. Once, at start. */
void hosts_load(void);
/* May rq ask by its Host? open: nobody has to sign in. ERR_BADREQ,
 * ERR_FORBIDDEN (status 421) as request_host_check. */
MUST_USE enum err hosts_check(const struct request *rq, bool open,
                              struct problem *why);

#endif
