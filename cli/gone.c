/*
 * What an account leaves behind when it is taken out of the password file: API
 * keys and logins in the store. A server refuses both as soon as it has the new
 * file, but they would come back with an account of the same name, so they are
 * taken away here, beside a server that runs.
 *
 * A password file may be another installation's, or be made ready for one. Then
 * nothing is done: the store has owners of its own by that name.
 */
#include "base/base.h"

#include "cli.h"

#include <sys/stat.h>

#include "auth/apikey.h"
#include "auth/login.h"
#include "base/clock.h"
#include "base/conf.h"

/* Is it the one of HTPASSWD_FILE? True also if that is not set. */
static bool
is_ours(const char *path)
{
    const char *set = conf_str(CONF_HTPASSWD_FILE);
    struct stat a, b;

    return *set == '\0' || (stat(set, &a) == 0 && stat(path, &b) == 0 &&
                            a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

struct found {
    struct apikey keys[APIKEYS_MAX];
    size_t n;
};

static bool
add(void *arg, const struct apikey *key)
{
    struct found *f = arg;

    f->keys[f->n++] = *key;
    return f->n < APIKEYS_MAX;
}

/* *n: how many keys were revoked. */
static enum err
revoke_all(struct store *s, const char *owner, size_t *n)
{
    struct apikeys *keys = apikeys_new(s);
    struct found f = {.n = 0};
    bool traced = true;
    enum err e = apikey_list(keys, owner, NULL, APIKEYS_MAX, add, &f);

    *n = 0;
    for (size_t i = 0; i < f.n && e == OK; i++) {
        e = apikey_revoke(keys, owner, f.keys[i].id);
        if (e == ERR_NOTFOUND) /* somebody else revoked it meanwhile */
            e = OK;
        else if (e == OK) {
            traced = cli_trace_key(AUDIT_KEY_REVOKED, &f.keys[i]) && traced;
            ++*n;
        }
    }
    apikeys_free(keys);
    return e == OK && !traced ? ERR_STORE : e;
}

static enum err
end_logins(struct store *s, const char *owner, size_t *n)
{
    const struct logins_config lc = {
        .store = s,
        .idle_ms = conf_int(CONF_LOGIN_IDLE_S) * 1000,
        .max_ms = conf_int(CONF_LOGIN_MAX_S) * 1000,
    };
    struct logins *logins = logins_new(&lc);
    enum err e = login_end_all(logins, owner, true, clock_wall_ms(), n);

    logins_free(logins);
    return e;
}

int
cli_account_gone(const char *path, const char *user)
{
    char owner[STORE_OWNER_MAX + 1];
    size_t keys = 0, logins = 0;
    struct store *s;
    enum err e;

    if (!is_ours(path) || !cli_has_store(cli_store()))
        return CLI_OK;
    identity_owner(owner, "local", NULL, user);
    e = cli_open_store(&s);
    if (e == OK) {
        e = end_logins(s, owner, &logins);
        if (e == OK)
            e = revoke_all(s, owner, &keys);
        store_close(s);
    }
    if (keys > 0 || logins > 0)
        (void)printf("%s: API keys revoked: %zu, logins ended: %zu\n", owner,
                     keys, logins);
    if (e != OK)
        return cli_fail("not all that %s has left in %s could be taken away "
                        "(%s); parley keys revoke does it one by one",
                        owner, cli_store(), err_text(e));
    return CLI_OK;
}
