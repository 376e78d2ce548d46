/*
 * The settings: one table, three sources.
 *
 * A row is declaration, bounds, help and documentation of a setting at once;
 * .env.example and the reference are printed from it, so they cannot drift.
 * A value comes from the environment if the variable exists there, else from
 * .env, else from the row. A variable that exists and is blank therefore
 * hides the line in .env and leaves the default in force.
 *
 * A bad value never stops the start: it is reported by name and rule, and the
 * default stays. What a secret holds is never printed, not even in part.
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
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define VALUE_MAX 65536 /* bytes of one value */
#define SHOWN_MAX 80    /* bytes of a bad value that the log shows */

enum type {
    TEXT,   /* one line or more, UTF-8 */
    LINE,   /* one line, UTF-8 */
    INT,    /* whole number within bounds */
    FOLDER, /* path; relative to the root */
    PREFIX, /* path of a URL: empty, or begins with a slash */
    URL,    /* http:// or https:// */
    LEVEL   /* of the log */
};

struct row {
    const char *name;
    enum type type;
    const char *unit; /* "" if none */
    const char *def;
    int64_t min; /* INT only */
    int64_t max;
    bool secret;
    const char *help;
};

/* clang-format off */
static const struct row rows[CONF__MAX] = {
    [CONF_HOST] = {"HOST", LINE, "", "127.0.0.1", 0, 0, false,
        "Address the web server listens on"},
    [CONF_PORT] = {"PORT", INT, "", "8080", 1, 65535, false,
        "Port the web server listens on"},
    [CONF_DATA_DIR] = {"DATA_DIR", FOLDER, "", "./data", 0, 0, false,
        "Folder of all state; relative to the project folder"},
    [CONF_BASE_PATH] = {"BASE_PATH", PREFIX, "", "", 0, 0, false,
        "Path below which everything is served, such as /chat; empty: found "
        "from the request"},
    [CONF_LOG_LEVEL] = {"LOG_LEVEL", LEVEL, "", "info", 0, 0, false,
        "Least important lines in the log: debug, info, warn or error"},
    [CONF_AI_PROVIDER] = {"AI_PROVIDER", LINE, "", "", 0, 0, false,
        "Who answers: openai or offline; empty: openai if a key or a base "
        "URL is set, else offline"},
    [CONF_AI_MODEL] = {"AI_MODEL", LINE, "", "", 0, 0, false,
        "Model asked for; empty: the provider's usual one"},
    [CONF_OPENAI_API_KEY] = {"OPENAI_API_KEY", LINE, "", "", 0, 0, true,
        "Key of the OpenAI-compatible provider"},
    [CONF_OPENAI_BASE_URL] = {"OPENAI_BASE_URL", URL, "",
        "https://api.openai.com/v1", 0, 0, false,
        "Base URL of the OpenAI-compatible provider"},
    [CONF_SYSTEM_PROMPT] = {"SYSTEM_PROMPT", TEXT, "", "", 0, 0, false,
        "Text put before every conversation"},
    [CONF_ALLOWED_ORIGINS] = {"ALLOWED_ORIGINS", LINE, "", "", 0, 0, false,
        "Other origins whose pages may use the API, separated by commas"},
    [CONF_THREADS] = {"THREADS", INT, "", "4", 1, 64, false,
        "Threads that accept requests"},
    [CONF_WORKERS] = {"WORKERS", INT, "", "2", 1, 32, false,
        "Threads for short jobs on files"},
    [CONF_MAX_STREAMS] = {"MAX_STREAMS", INT, "", "0", 0, 1000000, false,
        "Streams open at once; 0: as the descriptor limit allows"},
    [CONF_STREAM_GRACE_MS] = {"STREAM_GRACE_MS", INT, "ms", "600000", 0,
        86400000, false, "How long the stream of a finished turn is kept"},
    [CONF_STREAM_LOG_MIB] = {"STREAM_LOG_MIB", INT, "MiB", "256", 1,
        1048576, false, "Ceiling of the stream log"},
    [CONF_STORE_MAP_MIB] = {"STORE_MAP_MIB", INT, "MiB", "65536", 1,
        16777216, false,
        "Ceiling of the store; address space only, the file grows as needed"},
    [CONF_SHUTDOWN_MS] = {"SHUTDOWN_MS", INT, "ms", "10000", 0, 600000,
        false, "How long running answers may go on after SIGTERM"},
    [CONF_ENGINE_IDLE_MS] = {"ENGINE_IDLE_MS", INT, "ms", "300000", 100,
        86400000, false,
        "After how long without work an engine started by plain CGI leaves"},
    [CONF_SESSION_QUEUE_MAX] = {"SESSION_QUEUE_MAX", INT, "", "64", 1, 65536,
        false, "Turns that may wait in one session"},
    [CONF_BODY_MAX_KIB] = {"BODY_MAX_KIB", INT, "KiB", "16384", 1, 1048576,
        false, "Largest request body"},
    [CONF_UPSTREAM_CONNECT_MS] = {"UPSTREAM_CONNECT_MS", INT, "ms", "5000",
        10, 600000, false, "How long connecting to a provider may take"},
    [CONF_UPSTREAM_FIRST_BYTE_MS] = {"UPSTREAM_FIRST_BYTE_MS", INT, "ms",
        "60000", 10, 86400000, false,
        "How long a provider may take to begin its answer"},
    [CONF_UPSTREAM_IDLE_MS] = {"UPSTREAM_IDLE_MS", INT, "ms", "60000", 10,
        86400000, false, "How long a provider may fall silent"},
    [CONF_UPSTREAM_TOTAL_MS] = {"UPSTREAM_TOTAL_MS", INT, "ms", "600000", 10,
        86400000, false, "How long one answer of a provider may take"},
    [CONF_UPSTREAM_RETRIES] = {"UPSTREAM_RETRIES", INT, "", "2", 0, 10, false,
        "How often a provider is asked again before its first byte"},
    [CONF_OFFLINE_DELAY_MS] = {"OFFLINE_DELAY_MS", INT, "ms", "15", 0, 10000,
        false, "Pause between the pieces of the offline provider"},
    [CONF_PING_MS] = {"PING_MS", INT, "ms", "15000", 10, 600000, false,
        "How often a silent stream sends a comment to stay open"},
};
/* clang-format on */

struct value {
    char *text; /* owned; NULL: the default is in force */
    bool set;   /* given by somebody, and not blank */
};

static struct value values[CONF__MAX];
static char *root_dir; /* owned; NULL until conf_load */
static int mistakes;

static void
forget(enum conf_key k)
{
    free(values[k].text);
    values[k].text = NULL;
    values[k].set = false;
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
    case TEXT:
    case LINE:
    case FOLDER: break;
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
    if (r->secret)
        log_warn("conf.value", "name=%s rule=\"%s\"", r->name, rule);
    else
        log_warn("conf.value", "name=%s rule=\"%s\" value=\"%.*s\"", r->name,
                 rule, (int)shown, s);
}

/* Take a value from outside, or report it and leave things as they are. */
static void
take(enum conf_key k, const char *s)
{
    const struct row *r = &rows[k];
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
    while ((r->type == PREFIX || r->type == URL) && n > 0 && s[n - 1] == '/')
        n--;
    values[k].text = r->type == FOLDER ? below_root(s, n) : xmemdup0(s, n);
}

/* One line of .env; names that are not ours belong to others. */
static void
on_env_line(void *arg, const char *name, const char *value)
{
    (void)arg;
    for (size_t k = 0; k < CONF__MAX; k++)
        if (strcmp(rows[k].name, name) == 0 && !getenv(name))
            take((enum conf_key)k, value);
}

static void
on_env_mistake(void *arg, int line, const char *rule)
{
    (void)arg;
    mistakes++;
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
    free(root_dir);
    root_dir = xstrdup(real ? real : root);
    free(real);
    buf_init(&path, PATH_MAX);
    buf_addf(&path, "%s/.env", root_dir);
    conf_env_read(buf_cstr(&path), on_env_line, on_env_mistake, NULL);
    buf_release(&path);
    for (size_t k = 0; k < CONF__MAX; k++) {
        const char *s = getenv(rows[k].name);

        if (s)
            take((enum conf_key)k, s);
    }
    if (!values[CONF_DATA_DIR].text)
        values[CONF_DATA_DIR].text = below_root(
            rows[CONF_DATA_DIR].def, strlen(rows[CONF_DATA_DIR].def));
    return mistakes;
}

const char *
conf_str(enum conf_key k)
{
    assert((unsigned)k < CONF__MAX);
    return values[k].text ? values[k].text : rows[k].def;
}

int64_t
conf_int(enum conf_key k)
{
    const char *s = conf_str(k);
    int64_t v = 0;
    enum err e;

    assert(rows[k].type == INT);
    e = text_i64(s, strlen(s), rows[k].min, rows[k].max, &v);
    assert(e == OK); /* checked when it was taken */
    (void)e;
    return v;
}

bool
conf_is_set(enum conf_key k)
{
    assert((unsigned)k < CONF__MAX);
    return values[k].set;
}

const char *
conf_root(void)
{
    return root_dir ? root_dir : ".";
}

int
conf_mistakes(void)
{
    return mistakes;
}

static void
print_bounds(FILE *f, const struct row *r)
{
    if (r->type == INT)
        (void)fprintf(f, "%" PRId64 " to %" PRId64 "%s%s", r->min, r->max,
                      *r->unit ? " " : "", r->unit);
}

void
conf_print_env(FILE *f)
{
    (void)fputs("# Settings of Parley. Copy to .env and change what you "
                "need.\n# The environment overrides this file.\n",
                f);
    for (size_t k = 0; k < CONF__MAX; k++) {
        const struct row *r = &rows[k];

        (void)fprintf(f, "\n# %s", r->help);
        if (r->type == INT) {
            (void)fputs(" (", f);
            print_bounds(f, r);
            (void)fputc(')', f);
        }
        (void)fprintf(f, ".\n#%s=%s\n", r->name, r->def);
    }
}

void
conf_print_table(FILE *f)
{
    (void)fputs("| Setting | Default | Range | Meaning |\n"
                "|---|---|---|---|\n",
                f);
    for (size_t k = 0; k < CONF__MAX; k++) {
        const struct row *r = &rows[k];

        (void)fprintf(f, "| `%s` | ", r->name);
        if (*r->def)
            (void)fprintf(f, "`%s`", r->def);
        (void)fputs(" | ", f);
        print_bounds(f, r);
        (void)fprintf(f, " | %s |\n", r->help);
    }
}

void
conf_override(enum conf_key k, const char *value)
{
    assert((unsigned)k < CONF__MAX);
    take(k, value ? value : "");
}
