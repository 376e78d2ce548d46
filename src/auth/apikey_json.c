/*
 * A key as it is shown: what its owner may know of it, in JSON. The secret is
 * none of it.
 */
#include "base/base.h"

#include "auth/apikey.h"

#include "base/json.h"

#define MICRO 1e6 /* micro-dollars of a dollar */

static void
put_tokens(struct json_out *j, const char *name, int64_t n)
{
    if (n >= 0)
        json_put_i64(j, name, n);
}

static void
put_dollars(struct json_out *j, const char *name, int64_t micro)
{
    if (micro >= 0) {
        json_name(j, name);
        json_add_num(j, (double)micro / MICRO);
    }
}

void
apikey_put(struct json_out *j, const struct apikey *key, bool owner)
{
    json_put_str(j, "id", key->id);
    if (owner)
        json_put_str(j, "owner", key->owner);
    json_put_str(j, "name", key->name);
    json_put_str(j, "scope", apikey_scope_name(key->may));
    json_put_time(j, "created_at", key->made_ms);
    json_put_when(j, "last_used_at", key->used_ms);
    json_put_when(j, "expires_at", key->expires_ms);
    put_tokens(j, "day_tokens", key->limits.day_tokens);
    put_tokens(j, "month_tokens", key->limits.month_tokens);
    put_dollars(j, "day_usd", key->limits.day_micro);
    put_dollars(j, "month_usd", key->limits.month_micro);
}
