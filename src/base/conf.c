/*
 * The settings: one table (conf_rows.c), three sources.
 *
 * .env.example and the reference are printed from the table, so they cannot
 * drift.
 * A value comes from the environment if the variable exists there, else from
 * .env, else from the row. A variable that exists and is blank therefore
 * hides the line in .env and leaves the default in force.
 *
 * A bad value never stops the start: it is reported by name and rule, and the
 * default stays. What a secret holds is never printed, not even in part. A
 * secret in a file that others can read does stop it (conf_refusal).
 *
 * Reading .env is in conf_env.c. Values are written by conf_load before any
 * other thread runs and are constant afterwards, so there is no lock.
 */
#include "base/base.h"

#include "base/conf.h"

#include <limits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/conf_env.h"
#include "base/conf_rows.h"
#include "base/conf_secret.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define VALUE_MAX 65536 /* bytes of one value */
#define SHOWN_MAX 80    /* bytes of a bad value that the log shows */

struct value {
    char *text; /* owned; NULL: the default is in force */
    bool set;   /* given by somebody, and not blank */
};

static struct value values[CONF__MAX];
static char *root_dir; /* owned; NULL until conf_load */
static int mistakes;
static char refusal[2 * PATH_MAX + 256]; /* "": none */
static bool env_exposed;                 /* .env, which is being read */
static conf_fault_fn *fault_fn;          /* NULL: into the log */
static void *fault_arg;

static void
forget(enum conf_key k)
{
    if (conf_rows[k].secret)
        mem_wipe_str(values[k].text);
    free(values[k].text);
    values[k].text = NULL;
    values[k].set = false;
}

/* Of a place: no blanks, and a host. */
static const char *
broken_place(const char *s, size_t n)
{
    const char *scheme = strstr(s, "://");
    const char *host = scheme ? scheme + 3 : s;

    for (size_t i = 0; i < n; i++)
        if (s[i] == ' ')
            return "must not hold blanks";
    if (scheme && !text_istarts(s, "http://") && !text_istarts(s, "https://"))
        return "must begin with http:// or https://, or be host:port";
    return *host != '\0' && *host != '/' && *host != ':'
               ? NULL
               : "must be a URL, host or host:port";
}

/* "host" is "http://host:11434", where a row's port is that. */
static char *
place_url(const struct row *r, const char *s, size_t n)
{
    const char *end = memchr(s, '/', n);
    const char *bracket;
    struct buf b;
    char *out;

    if (strstr(s, "://"))
        return xmemdup0(s, n);
    end = end ? end : s + n;
    bracket = memchr(s, ']', (size_t)(end - s));
    bracket = bracket ? bracket : s;
    buf_init(&b, VALUE_MAX + 32);
    buf_adds(&b, "http://");
    buf_add(&b, s, (size_t)(end - s));
    if (!memchr(bracket, ':', (size_t)(end - bracket)))
        buf_addf(&b, ":%" PRId64, r->min);
    buf_add(&b, end, n - (size_t)(end - s));
    out = xmemdup0(b.data, b.len);
    buf_release(&b);
    return out;
}

/* The rule that a value breaks, or NULL. Bounds are written into room. */
static const char *
broken_rule(const struct row *r, const char *s, size_t n, char room[96])
{
    enum log_level level;
    int64_t v;

    if (n > VALUE_MAX)
        return "must not be longer than 64 KiB";
    if (!utf8_valid(s, n))
        return "must be UTF-8";
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < 0x20 &&
            (r->type != TEXT || !strchr("\n\r\t", s[i])))
            return "must not hold control characters";
    switch (r->type) {
    case INT:
        if (text_i64(s, n, r->min, r->max, &v) == OK)
            return NULL;
        (void)snprintf(room, 96,
                       "must be a whole number from %" PRId64 " to %" PRId64,
                       r->min, r->max);
        return room;
    case PREFIX: return *s == '/' ? NULL : "must begin with a slash";
    case URL:
        return text_istarts(s, "http://") || text_istarts(s, "https://")
                   ? NULL
                   : "must begin with http:// or https://";
    case LEVEL:
        return log_level_parse(s, &level)
                   ? NULL
                   : "must be debug, info, warn or error";
    case SWITCH:
        return text_ieq(s, "on") || text_ieq(s, "off") ? NULL
                                                       : "must be on or off";
    case PLACE: return broken_place(s, n);
    case TEXT:
    case LINE:
    case PATH: break;
    }
    return NULL;
}

/* "./data" below "/srv/parley" is "/srv/parley/data". */
static char *
below_root(const char *path, size_t n)
{
    struct buf b;
    char *out;

    while (n >= 2 && path[0] == '.' && path[1] == '/')
        for (path++, n--; n > 0 && *path == '/'; path++, n--)
            ;
    buf_init(&b, SIZE_MAX / 2);
    if (n == 0 || path[0] != '/') {
        buf_adds(&b, root_dir ? root_dir : ".");
        buf_addc(&b, '/');
    }
    buf_add(&b, path, n);
    while (b.len > 1 && b.data[b.len - 1] == '/')
        b.len--;
    out = xmemdup0(b.data, b.len);
    buf_release(&b);
    return out;
}

static void
report(const struct row *r, const char *rule, const char *s, size_t n)
{
    size_t shown = utf8_whole(s, n < SHOWN_MAX ? n : SHOWN_MAX);

    mistakes++;
    if (fault_fn != NULL)
        fault_fn(fault_arg, &(struct conf_fault){r->name, 0, rule, false});
    else if (r->secret)
        log_warn("conf.value", "name=%s rule=\"%s\"", r->name, rule);
    else
        log_warn("conf.value", "name=%s rule=\"%s\" value=\"%.*s\"", r->name,
                 rule, (int)shown, s);
}

/* Take a value from outside, or report it and leave things as they are. */
static void
take(enum conf_key k, const char *s)
{
    const struct row *r = &conf_rows[k];
    size_t n = strlen(s);
    char room[96];
    const char *rule;

    if (r->type != TEXT) {
        for (; n > 0 && (*s == ' ' || *s == '\t'); s++)
            n--;
        while (n > 0 && strchr(" \t\r\n", s[n - 1]))
            n--;
    }
    if (text_blank(s, n)) {
        forget(k);
        return;
    }
    rule = broken_rule(r, s, n, room);
    if (rule) {
        report(r, rule, s, n);
        return;
    }
    forget(k);
    values[k].set = true;
    while ((r->type == PREFIX || r->type == URL || r->type == PLACE) && n > 0 &&
           s[n - 1] == '/')
        n--;
    if (r->type == PATH)
        values[k].text = below_root(s, n);
    else if (r->type == PLACE)
        values[k].text = place_url(r, s, n);
    else
        values[k].text = xmemdup0(s, n);
}

/* A file that holds the secret of this name can be read by others. */
static void
refuse(const char *path, const char *name)
{
    if (refusal[0] == '\0')
        (void)snprintf(refusal, sizeof(refusal),
                       "%s holds %s and can be read by others than its owner; "
                       "run: chmod 600 '%s'",
                       path, name, path);
}

/* The variable of the environment that names the file of a secret; NULL if it
 * is not there or blank. */
static const char *
file_variable(const struct row *r)
{
    char name[80];
    const char *s;

    (void)snprintf(name, sizeof(name), "%s_FILE", r->name);
    s = r->secret ? getenv(name) : NULL;
    return s != NULL && !text_blank(s, strlen(s)) ? s : NULL;
}

/* Take a secret from the file that NAME_FILE names. */
static void
take_file(enum conf_key k, const char *named)
{
    char *path = below_root(named, strlen(named)), name[80];
    struct row r = conf_rows[k];
    struct buf text;
    const char *rule;
    bool exposed;

    (void)snprintf(name, sizeof(name), "%s_FILE", r.name);
    buf_init(&text, CONF_SECRET_MAX + 2);
    rule = conf_secret_read(path, &text, &exposed);
    if (exposed)
        refuse(path, r.name);
    if (rule != NULL) {
        r.name = name;
        report(&r, rule, "", 0);
    } else {
        take(k, buf_cstr(&text));
    }
    buf_wipe(&text);
    free(path);
}

/* A line NAME=value; name may also be NAME_FILE. False: no setting of ours. */
static bool
take_line(const char *name, const char *value)
{
    char of[80];
    bool file = conf_secret_of(name, of, sizeof(of));

    for (size_t i = 0; i < CONF__MAX; i++) {
        const struct row *r = &conf_rows[i];
        enum conf_key k = (enum conf_key)i;
        bool blank = text_blank(value, strlen(value));
        bool hidden = getenv(r->name) || file_variable(r);

        if (strcmp(r->name, name) == 0) {
            if (r->secret && env_exposed && !blank) {
                char path[PATH_MAX + 8];

                (void)snprintf(path, sizeof(path), "%s/.env", root_dir);
                refuse(path, name);
            }
            if (!hidden)
                take(k, value);
            return true;
        }
        if (file && r->secret && strcmp(r->name, of) == 0) {
            if (!hidden && !blank && !values[k].set)
                take_file(k, value);
            return true;
        }
    }
    return false;
}

/* One line of .env; names that are not ours belong to others. */
static void
on_env_line(void *arg, const char *name, const char *value)
{
    (void)arg;
    if (take_line(name, value))
        return;
    if (fault_fn != NULL)
        fault_fn(fault_arg, &(struct conf_fault){.name = name,
                                                 .rule = "is no setting",
                                                 .unknown = true});
}

static void
on_env_mistake(void *arg, int line, const char *rule)
{
    (void)arg;
    mistakes++;
    if (fault_fn != NULL)
        fault_fn(fault_arg, &(struct conf_fault){NULL, line, rule, false});
    else
        log_warn("conf.file", "file=.env line=%d rule=\"%s\"", line, rule);
}

int
conf_load(const char *root)
{
    char *real = realpath(root, NULL);
    struct buf path;

    for (size_t k = 0; k < CONF__MAX; k++)
        forget((enum conf_key)k);
    mistakes = 0;
    refusal[0] = '\0';
    free(root_dir);
    root_dir = xstrdup(real ? real : root);
    free(real);
    buf_init(&path, PATH_MAX);
    buf_addf(&path, "%s/.env", root_dir);
    env_exposed = conf_secret_exposed(buf_cstr(&path));
    conf_env_read(buf_cstr(&path), on_env_line, on_env_mistake, NULL);
    buf_release(&path);
    for (size_t k = 0; k < CONF__MAX; k++) {
        const char *s = getenv(conf_rows[k].name);

        if (s)
            take((enum conf_key)k, s);
        else if (file_variable(&conf_rows[k]))
            take_file((enum conf_key)k, file_variable(&conf_rows[k]));
    }
    for (size_t k = 0; k < CONF__MAX; k++)
        if (conf_rows[k].type == PATH && !values[k].text && *conf_rows[k].def)
            values[k].text = below_root(conf_rows[k].def,
                                        strlen(conf_rows[k].def));
    return mistakes;
}

void
conf_check(conf_fault_fn *fn, void *arg)
{
    char *root = xstrdup(conf_root());

    fault_fn = fn;
    fault_arg = arg;
    IGNORE(conf_load(root)); /* they are told */
    fault_fn = NULL;
    free(root);
}

/* The name under which a setting was given: its own, or its other one. */
static enum conf_key
given(enum conf_key k)
{
    assert((unsigned)k < CONF__MAX);
    for (size_t i = 0; !values[k].set && i < conf_n_aliases; i++)
        if (conf_aliases[i].name == k && values[conf_aliases[i].also].set)
            return conf_aliases[i].also;
    return k;
}

const char *
conf_str(enum conf_key k)
{
    k = given(k);
    return values[k].text ? values[k].text : conf_rows[k].def;
}

int64_t
conf_int(enum conf_key k)
{
    const char *s = conf_str(k);
    int64_t v = 0;
    enum err e;

    assert(conf_rows[k].type == INT);
    e = text_i64(s, strlen(s), conf_rows[k].min, conf_rows[k].max, &v);
    assert(e == OK); /* checked when it was taken */
    (void)e;
    return v;
}

bool
conf_is_set(enum conf_key k)
{
    return values[given(k)].set;
}

const char *
conf_root(void)
{
    return root_dir ? root_dir : ".";
}

const char *
conf_refusal(void)
{
    return refusal[0] != '\0' ? refusal : NULL;
}

int
conf_mistakes(void)
{
    return mistakes;
}

void
conf_override(enum conf_key k, const char *value)
{
    assert((unsigned)k < CONF__MAX);
    take(k, value ? value : "");
}
