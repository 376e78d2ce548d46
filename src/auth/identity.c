/*
 * Names of owners and words for what an identity is. Pure; any thread.
 */
#include "base/base.h"

#include "auth/identity.h"

#include "base/digest.h"
#include "base/ident.h"
#include "base/text.h"

#define BEFORE_MAX (STORE_OWNER_MAX - DIGEST_NAME_LEN) /* of an issuer's host */

bool
identity_owner_anonymous(const char *owner)
{
    return *owner == '\0' || text_starts(owner, "anon/");
}

void
identity_owner(char out[STORE_OWNER_MAX + 1], const char *realm,
               const char *host, const char *name)
{
    char before[BEFORE_MAX + 1];
    char hex[DIGEST_NAME_LEN];
    int n = snprintf(before, sizeof(before), "%s/%s%s", realm,
                     host != NULL ? host : "", host != NULL ? "/" : "");
    int all;

    assert(n > 0 && n <= BEFORE_MAX);
    all = snprintf(out, STORE_OWNER_MAX + 1, "%s%s", before, name);
    if (*name != '\0' && *name != '#' && all <= STORE_OWNER_MAX &&
        text_shown(name))
        return;
    digest_name(hex, name, strlen(name));
    (void)snprintf(out, STORE_OWNER_MAX + 1, "%s#%s", before, hex);
}

bool
identity_named(char out[STORE_OWNER_MAX + 1], const char *name)
{
    if (*name == '\0' || strlen(name) > STORE_OWNER_MAX)
        return false;
    if (strchr(name, '/') == NULL)
        identity_owner(out, "local", NULL, name);
    else
        (void)snprintf(out, STORE_OWNER_MAX + 1, "%s", name);
    return true;
}

void
identity_issuer(char out[IDENTITY_ISSUER_MAX + 1], const char *issuer)
{
    const char *at = strstr(issuer, "://");
    char hex[DIGEST_NAME_LEN];
    size_t n = 0;

    for (at = at != NULL ? at + 3 : issuer; *at != '\0'; at++) {
        size_t step = *at == '/' ? 3 : 1;

        if (n + step > IDENTITY_ISSUER_MAX) { /* no two that are cut are one */
            digest_name(hex, issuer, strlen(issuer));
            (void)snprintf(out, IDENTITY_ISSUER_MAX + 1, "%s", hex);
            return;
        }
        memcpy(out + n, *at == '/' ? "%2F" : at, step);
        n += step;
    }
    out[n] = '\0';
}

const char *
identity_way_name(enum identity_way way)
{
    static const char *const names[IDENTITY__MAX] = {
        [IDENTITY_ANONYMOUS] = "anonymous",
        [IDENTITY_LOGIN] = "login",
        [IDENTITY_JWT] = "jwt",
        [IDENTITY_KEY] = "key",
        [IDENTITY_BASIC] = "basic",
        [IDENTITY_PROXY] = "proxy",
    };

    return names[way];
}

const char *
identity_role(const struct identity *who)
{
    if ((who->may & MAY_ADMIN) != 0)
        return "admin";
    return (who->may & MAY_WRITE) != 0 ? "user" : "read-only";
}

/* --- anonymous owners -------------------------------------------------- */

bool
identity_cookie_read(const char *value, char owner[STORE_OWNER_MAX + 1],
                     const char **session)
{
    char name[DIGEST_NAME_LEN];

    *session = NULL;
    if (strspn(value, "0123456789abcdef") != IDENTITY_COOKIE_LEN)
        return false;
    if (value[IDENTITY_COOKIE_LEN] == '~')
        *session = value + IDENTITY_COOKIE_LEN + 1;
    else if (value[IDENTITY_COOKIE_LEN] != '\0')
        return false;
    if (*session != NULL && !ident_session_valid(*session, strlen(*session)))
        return false;
    digest_name(name, value, IDENTITY_COOKIE_LEN);
    identity_owner(owner, "anon", NULL, name);
    return true;
}

void
identity_cookie_make(char out[IDENTITY_COOKIE_LEN + 1])
{
    uint8_t random[IDENTITY_COOKIE_LEN / 2];

    ident_random(random, sizeof(random));
    text_hex(out, random, sizeof(random));
}
