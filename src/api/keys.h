/*
 * API keys in requests and replies: for one's own (/keys), and for the
 * administrator's (/admin/keys). Acceptor threads.
 */
#ifndef API_KEYS_H
#define API_KEYS_H

#include "api/app.h"
#include "auth/apikey.h"
#include "base/json.h"

/* What a body asks for: name, scope, expires_in_days, limits. Strings stay
 * json's. */
MUST_USE enum err keys_read_wish(const cJSON *json, int64_t now_ms,
                                 struct apikey_wish *w, struct problem *why);
/* Make it, keep a trace, and put the reply with its secret into body. */
MUST_USE enum err keys_make(struct apikeys *keys, const struct apikey_wish *w,
                            const struct identity *maker, struct buf *body,
                            struct problem *why);
/* owner NULL: whosever. */
MUST_USE enum err keys_revoke(struct apikeys *keys, const char *owner,
                              const char *id, const struct identity *by,
                              struct problem *why);

#endif
