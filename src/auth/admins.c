/*
 * The list of ADMINS is short and asked rarely, so it is read anew each time:
 * there is nothing to keep up to date.
 */
#include "base/base.h"

#include "auth/admins.h"

#include "auth/identity.h"
#include "base/conf.h"

#define BLANKS " \t"

/* The next name of the list into owner; false at its end. */
static bool
next(const char **list, char owner[STORE_OWNER_MAX + 1])
{
    char name[STORE_OWNER_MAX + 1];

    while (**list != '\0') {
        const char *s = *list + strspn(*list, BLANKS);
        size_t n = strcspn(s, ",");

        *list = s + n + (s[n] == ',');
        while (n > 0 && strchr(BLANKS, s[n - 1]) != NULL)
            n--;
        if (n >= sizeof(name))
            continue;
        (void)snprintf(name, sizeof(name), "%.*s", (int)n, s);
        if (identity_named(owner, name) && !identity_owner_anonymous(owner))
            return true;
    }
    return false;
}

bool
admins_any(void)
{
    const char *list = conf_str(CONF_ADMINS);
    char owner[STORE_OWNER_MAX + 1];

    return next(&list, owner);
}

bool
admins_listed(const char *list, const char *who)
{
    char owner[STORE_OWNER_MAX + 1];

    while (next(&list, owner))
        if (strcmp(owner, who) == 0)
            return true;
    return false;
}

bool
admins_has(const char *who)
{
    return admins_listed(conf_str(CONF_ADMINS), who);
}
