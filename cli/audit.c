/*
 * parley audit: is the audit log whole, and what is in it? A server may go on
 * writing. verify tells each fault on a line of its own and then where the
 * chain ends, which is worth noting somewhere else: with --expect it is checked
 * later whether that line is still the same.
 */
#include "base/base.h"

#include "cli.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/json.h"
#include "base/text.h"
#include "ops/audit.h"

#define FINDINGS_MAX 100 /* that are told; the rest is counted */
#define HASH_LEN 64

static int
no_log(const struct audit_config *c, enum err e)
{
    if (e == ERR_NOTFOUND)
        return cli_fail("there is no audit log in %s", c->dir);
    return cli_fail("cannot read the audit log in %s", c->dir);
}

/* --- verify ----------------------------------------------------------- */

static void
tell_finding(void *arg, const struct audit_finding *f)
{
    int *told = arg;

    if (++*told > FINDINGS_MAX)
        return;
    if (f->line > 0)
        (void)printf("%s:%" PRId64 ": %s%s\n", f->file, f->line,
                     f->note ? "note: " : "", f->text);
    else
        (void)printf("%s: %s%s\n", f->file, f->note ? "note: " : "", f->text);
}

struct expected {
    int64_t n;
    const char *hash;
    bool found;
};

static bool
compare_hash(void *arg, const struct audit_entry *en)
{
    struct expected *x = arg;
    const char *hash;
    cJSON *o = NULL;

    if (json_parse(en->json, en->json_len, &o, NULL) == OK) {
        hash = json_str(o, "hash");
        x->found = en->n == x->n && hash != NULL && strcmp(hash, x->hash) == 0;
    }
    cJSON_Delete(o);
    return false;
}

/* "N:HASH", as verify prints it. */
static bool
read_expected(const char *s, struct expected *out)
{
    const char *colon = strchr(s, ':');

    *out = (struct expected){.hash = colon == NULL ? "" : colon + 1};
    return colon != NULL && strlen(out->hash) == HASH_LEN &&
           text_i64(s, (size_t)(colon - s), 1, INT64_MAX - 1, &out->n) == OK;
}

static int
verify(int argc, char **argv)
{
    struct expected x = {.n = 0};
    struct audit_verdict v;
    struct audit_config c;
    int64_t from = 0;
    int told = 0;
    enum err e;

    for (int i = 0; i < argc; i += 2) {
        if (i + 1 == argc)
            return cli_wrong("audit");
        if (strcmp(argv[i], "--from") == 0) {
            if (text_i64(argv[i + 1], strlen(argv[i + 1]), 1, INT64_MAX - 1,
                         &from) != OK)
                return cli_wrong("audit");
        } else if (strcmp(argv[i], "--expect") != 0 ||
                   !read_expected(argv[i + 1], &x)) {
            return cli_wrong("audit");
        }
    }
    IGNORE(audit_config_load(&c)); /* there may be a log, even if it is off */
    e = audit_verify(&c, from, tell_finding, &told, &v);
    if (e != OK)
        return no_log(&c, e);
    if (told > FINDINGS_MAX)
        (void)printf("… and %d more\n", told - FINDINGS_MAX);
    if (x.n > 0) {
        e = audit_read(c.dir, x.n - 1, 1, compare_hash, &x);
        if (e != OK)
            return no_log(&c, e);
        if (!x.found)
            (void)printf("line %" PRId64 " is not the expected one\n", x.n);
        v.faults += !x.found;
    }
    (void)printf("%" PRId64 " lines in %" PRId64 " files, %" PRId64
                 " of them signed: ",
                 v.lines, v.files, v.with_mac);
    if (v.faults == 0)
        (void)printf("no faults\n");
    else
        (void)printf("faults %" PRId64 "\n", v.faults);
    (void)printf("last %" PRId64 ":%s\n", v.last_n, v.last_hash);
    return v.faults == 0 ? CLI_OK : CLI_FAULTS;
}

/* --- show ------------------------------------------------------------- */

struct showing {
    const char *event, *who; /* NULL: any */
    int64_t since_ms;        /* 0: from the beginning */
    bool json;
};

static bool
is_plain(const char *s)
{
    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++)
        if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7F ||
            *s == '"' || *s == '\\' || *s == '=')
            return false;
    return true;
}

/* A value, so that it stays one word or has quotes, and moves no terminal. */
static void
print_value(const cJSON *v)
{
    if (cJSON_IsString(v) && is_plain(v->valuestring)) {
        (void)fputs(v->valuestring, stdout);
    } else if (cJSON_IsString(v)) {
        struct buf b;

        buf_init(&b, 1024 * 1024);
        audit_text(&b, v->valuestring);
        (void)fwrite(b.data, 1, b.len, stdout);
        buf_release(&b);
    } else if (cJSON_IsNumber(v)) {
        (void)printf("%.0f", v->valuedouble);
    } else if (cJSON_IsArray(v)) {
        const cJSON *item;
        const char *comma = "";

        cJSON_ArrayForEach(item, v) {
            (void)fputs(comma, stdout);
            print_value(item);
            comma = ",";
        }
    } else {
        (void)fputs(cJSON_IsTrue(v) ? "yes" : "no", stdout);
    }
}

static bool
is_of_the_chain(const char *name)
{
    static const char *const names[] = {"n",    "at",   "event", "who",
                                        "prev", "hash", "mac"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void
print_entry(const struct audit_entry *en)
{
    cJSON *o = NULL;
    const cJSON *m;

    if (json_parse(en->json, en->json_len, &o, NULL) != OK)
        return;
    (void)printf("%" PRId64 " %s %s who=", en->n, en->at, en->event);
    print_value(cJSON_GetObjectItemCaseSensitive(o, "who"));
    cJSON_ArrayForEach(m, o) {
        if (is_of_the_chain(m->string))
            continue;
        (void)printf(" %s=", m->string);
        print_value(m);
    }
    (void)putchar('\n');
    cJSON_Delete(o);
}

static bool
show_entry(void *arg, const struct audit_entry *en)
{
    const struct showing *s = arg;
    int64_t at_ms;

    if ((s->event != NULL && strcmp(en->event, s->event) != 0) ||
        (s->who != NULL && strcmp(en->who, s->who) != 0))
        return true;
    if (s->since_ms > 0 &&
        (clock_iso_read(en->at, &at_ms) != OK || at_ms < s->since_ms))
        return true;
    if (s->json)
        (void)puts(en->json);
    else
        print_entry(en);
    return ferror(stdout) == 0;
}

/* A time, or a day. */
static bool
read_since(const char *s, int64_t *out)
{
    char day[40];

    if (clock_iso_read(s, out) == OK)
        return true;
    return (size_t)snprintf(day, sizeof(day), "%sT00:00", s) < sizeof(day) &&
           clock_iso_read(day, out) == OK;
}

static bool
is_event(const char *name)
{
    for (int i = 0; i < AUDIT__MAX; i++)
        if (strcmp(name, audit_what_name((enum audit_what)i)) == 0)
            return true;
    return false;
}

static int
show(int argc, char **argv)
{
    struct showing s = {.event = NULL};
    struct audit_config c;
    enum err e;

    for (int i = 0; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--json") == 0)
            s.json = true;
        else if (value == NULL)
            return cli_wrong("audit");
        else if (strcmp(argv[i], "--event") == 0 && is_event(value))
            s.event = argv[++i];
        else if (strcmp(argv[i], "--who") == 0)
            s.who = argv[++i];
        else if (strcmp(argv[i], "--since") == 0 &&
                 read_since(value, &s.since_ms))
            i++;
        else
            return cli_wrong("audit");
    }
    IGNORE(audit_config_load(&c));
    e = audit_read(c.dir, 0, 0, show_entry, &s);
    return e == OK ? CLI_OK : no_log(&c, e);
}

static int
list_events(void)
{
    (void)puts("usage: parley audit verify [--from N] [--expect N:HASH]\n"
               "       parley audit show [--event EVENT] [--who OWNER] "
               "[--since TIME] [--json]\n\n"
               "verify\n"
               "  --from      the first line that must be there, where older "
               "files were put elsewhere\n"
               "  --expect    a line that must be there as it was: what verify "
               "printed last\n"
               "show\n"
               "  --event     only these; see below\n"
               "  --who       only of this owner, such as local/ann\n"
               "  --since     2026-01-31, or 2026-01-31T12:00Z\n"
               "  --json      the lines as they stand\n\nevents");
    for (int i = 0; i < AUDIT__MAX; i++)
        (void)printf("  %-16s  %s\n", audit_what_name((enum audit_what)i),
                     audit_what_help((enum audit_what)i));
    return CLI_OK;
}

int
cli_audit(int argc, char **argv)
{
    const char *verb = argc > 0 ? argv[0] : "";

    if (strcmp(verb, "verify") == 0)
        return verify(argc - 1, argv + 1);
    if (strcmp(verb, "show") == 0)
        return show(argc - 1, argv + 1);
    if (strcmp(verb, "--help") == 0)
        return list_events();
    return cli_wrong("audit");
}
