/*
 * parley keys: API keys, made, listed and revoked beside a running server: both
 * use the same store, so a key is good when this returns, and one that is
 * revoked is none.
 *
 * A new secret is all that stands on standard output, so that it can be piped
 * to where it belongs; it is told this once.
 */
#include "base/base.h"

#include "cli.h"

#include <math.h>
#include <unistd.h>

#include "auth/apikey.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "ops/audit.h"

#define DAYS_MAX 36500
#define TOKENS_MAX INT64_C(1000000000000)
#define USD_MAX 1e6
#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define LINE_MAX 4096 /* bytes of a key as JSON */

struct options {
    char owner[STORE_OWNER_MAX + 1]; /* "": not given */
    const char *name, *scope;
    int64_t days;     /* 0: not given */
    int64_t until_ms; /* wall clock; 0: not given */
    bool json;
    struct apikey_limits limits;
};

static const char help[] =
    "usage: parley keys make --owner NAME [OPTION…]\n"
    "       parley keys list [--owner NAME] [--json]\n"
    "       parley keys revoke ID\n\n"
    "  --owner NAME       whose it is: ann (or local/ann), jwt/ann, …\n"
    "  --name TEXT        what it is for, to tell it from others\n"
    "  --scope SCOPE      what it may: read, chat (if not said) or admin\n"
    "  --days N           it ends after so many days\n"
    "  --until TIME       it ends then, such as 2027-01-31T12:00Z\n"
    "  --day-tokens N     tokens that may be used with it in a day\n"
    "  --month-tokens N   the same in a month\n"
    "  --day-usd AMOUNT   dollars that may be spent with it in a day\n"
    "  --month-usd AMOUNT the same in a month\n"
    "  --json             list: a JSON text for each line\n\n"
    "make prints the secret, which cannot be shown again, on stdout.";

/* --- options -------------------------------------------------------------- */

static bool
take_number(const char *s, int64_t min, int64_t max, int64_t *out)
{
    return text_i64(s, strlen(s), min, max, out) == OK;
}

static bool
take_usd(const char *s, int64_t *micro)
{
    char *end;
    double v;

    if (strspn(s, "0123456789.") != strlen(s) || *s == '\0')
        return false;
    v = strtod(s, &end);
    if (*end != '\0' || v < 0 || v > USD_MAX)
        return false;
    *micro = llround(v * 1e6);
    return true;
}

static bool
take(struct options *o, const char *name, const char *value)
{
    struct apikey_limits *l = &o->limits;

    if (strcmp(name, "--owner") == 0)
        return identity_named(o->owner, value);
    if (strcmp(name, "--name") == 0)
        o->name = value;
    else if (strcmp(name, "--scope") == 0)
        o->scope = value;
    else if (strcmp(name, "--days") == 0)
        return take_number(value, 1, DAYS_MAX, &o->days);
    else if (strcmp(name, "--until") == 0)
        return clock_iso_read(value, &o->until_ms) == OK;
    else if (strcmp(name, "--day-tokens") == 0)
        return take_number(value, 1, TOKENS_MAX, &l->day_tokens);
    else if (strcmp(name, "--month-tokens") == 0)
        return take_number(value, 1, TOKENS_MAX, &l->month_tokens);
    else if (strcmp(name, "--day-usd") == 0)
        return take_usd(value, &l->day_micro);
    else if (strcmp(name, "--month-usd") == 0)
        return take_usd(value, &l->month_micro);
    else
        return false;
    return true;
}

static bool
read_options(struct options *o, int argc, char **argv)
{
    *o = (struct options){.name = "", .scope = "chat"};
    apikey_limits_init(&o->limits);
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
            continue;
        }
        if (i + 1 == argc || !take(o, argv[i], argv[i + 1]))
            return false;
        i++;
    }
    return apikey_scope(o->scope) != 0;
}

/* --- the log -------------------------------------------------------------- */

bool
cli_trace_key(enum audit_what what, const struct apikey *key)
{
    struct audit_config c;
    char user[32];
    enum err e;

    if (!audit_config_load(&c))
        return true;
    (void)snprintf(user, sizeof(user), "%u", (unsigned)getuid());
    e = audit_start(&c);
    if (e == OK)
        e = audit_event_wait(&(struct audit_fact){
            .what = what,
            .with = {AUDIT_TEXT("key", key->id), AUDIT_TEXT("of", key->owner),
                     AUDIT_TEXT("name", key->name),
                     AUDIT_TEXT("way", "parley keys"),
                     AUDIT_TEXT("uid", user)}});
    audit_stop();
    return e == OK;
}

/* --- make ----------------------------------------------------------------- */

static int
make_in(struct apikeys *keys, const struct options *o)
{
    struct apikey_wish w = {.owner = o->owner,
                            .name = o->name,
                            .may = apikey_scope(o->scope),
                            .maker_may = MAY_ALL,
                            .limits = o->limits};
    char secret[APIKEY_SECRET_LEN + 1];
    struct problem why = {.err = OK};
    struct apikey key;

    w.expires_ms = o->until_ms;
    if (o->days > 0)
        w.expires_ms = clock_wall_ms() + o->days * DAY_MS;
    if (apikey_make(keys, &w, secret, &key, &why) != OK)
        return cli_fail("%s: %s", why.error, why.message);
    if (!cli_trace_key(AUDIT_KEY_MADE, &key)) {
        mem_wipe(secret, sizeof(secret));
        IGNORE(apikey_revoke(keys, NULL, key.id));
        return cli_fail("the audit log cannot be written, so no key was made");
    }
    (void)fprintf(stderr,
                  "key %s of %s; this is the only time that its secret is "
                  "shown\n",
                  key.id, key.owner);
    (void)puts(secret);
    mem_wipe(secret, sizeof(secret));
    return CLI_OK;
}

/* --- list ----------------------------------------------------------------- */

static const char *
day(char out[CLOCK_ISO_LEN], int64_t ms)
{
    if (ms == 0)
        return "-";
    clock_iso(out, ms);
    out[10] = '\0';
    return out;
}

static void
print_json(const struct apikey *key)
{
    struct json_out j;
    struct buf b;

    buf_init(&b, LINE_MAX);
    json_out_init(&j, &b);
    json_begin_obj(&j);
    apikey_put(&j, key, true);
    json_end_obj(&j);
    (void)puts(buf_cstr(&b));
    buf_release(&b);
}

struct listing {
    const struct options *options;
    size_t n;
};

static bool
print_one(void *arg, const struct apikey *key)
{
    struct listing *l = arg;
    char made[CLOCK_ISO_LEN], used[CLOCK_ISO_LEN], end[CLOCK_ISO_LEN];

    if (l->options->json) {
        print_json(key);
        return true;
    }
    if (l->n++ == 0)
        (void)printf("%-10s  %-5s  %-10s  %-10s  %-10s  %s\n", "id", "scope",
                     "made", "used", "ends", "owner and name");
    (void)printf("%-10s  %-5s  %-10s  %-10s  %-10s  %s %s\n", key->id,
                 apikey_scope_name(key->may), day(made, key->made_ms),
                 day(used, key->used_ms), day(end, key->expires_ms), key->owner,
                 key->name);
    return true;
}

static int
list_in(struct apikeys *keys, const struct options *o)
{
    struct listing l = {.options = o};

    if (apikey_list(keys, *o->owner != '\0' ? o->owner : NULL, NULL, UINT32_MAX,
                    print_one, &l) != OK)
        return cli_fail("the keys cannot be read");
    return CLI_OK;
}

/* --- revoke --------------------------------------------------------------- */

static int
revoke_in(struct apikeys *keys, const char *id)
{
    struct apikey key;
    enum err e = apikey_get(keys, NULL, id, &key);

    if (e == OK)
        e = apikey_revoke(keys, NULL, id);
    if (e == ERR_NOTFOUND)
        return cli_fail("there is no key %s; parley keys list lists them", id);
    if (e != OK)
        return cli_fail("the key cannot be revoked: %s", err_text(e));
    if (!cli_trace_key(AUDIT_KEY_REVOKED, &key))
        return cli_fail("the key %s is revoked, but the audit log cannot be "
                        "written",
                        id);
    (void)printf("%s is revoked\n", id);
    return CLI_OK;
}

/* --- the command ---------------------------------------------------------- */

int
cli_keys(int argc, char **argv)
{
    const char *what = argc > 0 ? argv[0] : "";
    bool makes = strcmp(what, "make") == 0;
    bool revokes = strcmp(what, "revoke") == 0 && argc == 2;
    struct apikeys *keys;
    struct options o;
    struct store *s;
    int status;

    if (argc > 0 && strcmp(argv[argc - 1], "--help") == 0) {
        (void)puts(help);
        return CLI_OK;
    }
    if (!read_options(&o, revokes ? 0 : argc - 1, argv + 1) ||
        (!makes && !revokes && strcmp(what, "list") != 0) ||
        (makes && (*o.owner == '\0' || o.json)))
        return cli_wrong("keys");
    if (!makes && !cli_has_store(cli_store()))
        return cli_fail("there is no store in %s", cli_store());
    if (cli_open_store(&s) != OK)
        return cli_fail("the store in %s cannot be opened", cli_store());
    keys = apikeys_new(s);
    status = makes     ? make_in(keys, &o)
             : revokes ? revoke_in(keys, argv[1])
                       : list_in(keys, &o);
    apikeys_free(keys);
    store_close(s);
    return status;
}
