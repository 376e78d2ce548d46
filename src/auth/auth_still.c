/*
 * Is somebody who was let in still to be let in? Asked of a login at each
 * request, and of all who have a connection that lasts. A login ends with its
 * account, and with the password that it began with; a key is of no use without
 * its owner's account.
 */
#include "base/base.h"

#include "auth/apikey.h"
#include "auth/auth_inside.h"
#include "auth/login.h"
#include "base/text.h"

#define LOCAL "local/" /* the realm of accounts */

_Static_assert(LOGIN_MARK_MAX == DIGEST_NAME_LEN - 1, "a mark fits");

bool
auth_mark(struct auth *a, const char *owner, const char *name,
          char out[LOGIN_MARK_MAX + 1])
{
    out[0] = '\0';
    return !text_starts(owner, LOCAL) ||
           (a->passwords != NULL && htpasswd_mark(a->passwords, name, out));
}

bool
auth_has_account(struct auth *a, const struct login *in)
{
    char mark[LOGIN_MARK_MAX + 1];

    return auth_mark(a, in->owner, in->name, mark) &&
           (in->mark[0] == '\0' || strcmp(in->mark, mark) == 0);
}

bool
auth_has_owner(struct auth *a, const char *owner)
{
    return a->passwords == NULL || !text_starts(owner, LOCAL) ||
           htpasswd_has(a->passwords, owner + sizeof(LOCAL) - 1);
}

/* A key is good as long as it is not revoked and its owner is there. */
static bool
has_key(struct auth *a, const struct identity *who)
{
    struct apikey key;

    return apikey_get(a->keys, NULL, who->id, &key) == OK &&
           auth_has_owner(a, key.owner);
}

struct sought {
    struct auth *auth;
    const char *id;
    bool found, good;
};

static bool
is_sought(void *arg, const struct login *in)
{
    struct sought *s = arg;

    s->found = strcmp(in->id, s->id) == 0;
    s->good = s->found && auth_has_account(s->auth, in);
    return !s->found;
}

bool
auth_still(struct auth *a, const struct identity *who, int64_t now_ms)
{
    struct sought s = {a, who->id, false, false};
    char mark[LOGIN_MARK_MAX + 1];
    int64_t not_before_ms = 0;

    if (who->until_ms > 0 && now_ms >= who->until_ms)
        return false;
    switch (who->way) {
    case IDENTITY_LOGIN:
        return login_list(a->logins, who->owner, now_ms, LOGINS_MAX, is_sought,
                          &s) == OK &&
               s.good;
    case IDENTITY_BASIC: return auth_mark(a, who->owner, who->name, mark);
    case IDENTITY_KEY: return has_key(a, who);
    case IDENTITY_JWT:
        return login_not_before(a->logins, who->owner, &not_before_ms) == OK &&
               who->since_ms >= not_before_ms;
    default: return true;
    }
}
