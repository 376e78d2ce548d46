/*
 * Who pays. A key's limits are read each time, so that what is changed counts
 * at once; a key that has just been revoked has none left to look up, and its
 * owner's budget is what counts then.
 */
#include "base/base.h"

#include "api/payer.h"

#include "auth/apikey.h"
#include "auth/auth.h"
#include "chat/prompt.h"

static void
key_limits(struct app *app, const struct identity *who,
           struct ledger_limits *out)
{
    struct apikey key;

    if (apikey_get(auth_keys(app->auth), who->owner, who->id, &key) != OK)
        return;
    out->day_tokens = key.limits.day_tokens;
    out->month_tokens = key.limits.month_tokens;
    out->day_micro = key.limits.day_micro;
    out->month_micro = key.limits.month_micro;
}

void
payer_find(struct app *app, const struct identity *who, struct payer *out)
{
    *out = (struct payer){.owner = who->owner};
    if (who->way != IDENTITY_KEY)
        return;
    out->key = who->id;
    key_limits(app, who, &out->key_limits);
}

void
payer_take(struct app *app, const struct identity *who, struct turn_ask *a)
{
    struct payer p;

    payer_find(app, who, &p);
    allowance_payer(a, p.owner, p.key, &p.key_limits);
}
