/*
 * The file of limits, etc/limits.json: one object, of which "users" and
 * "models" have a member for each owner and each provider/model, and
 * "anonymous" is for all who never signed in together.
 *
 *   {"users": {"local/ann": {"day_tokens": 100000, "month_usd": 20},
 *              "jwt/ben": {"turns_at_once": 2}},
 *    "models": {"openai/gpt-5": {"day_usd": 50}},
 *    "anonymous": {"day_usd": 5}}
 *
 * A star as the name is for all of a realm that are not named. A member that a
 * user does not have is that of the realm, or else of the settings.
 *
 * What is wrong is told with its place, and nothing of it is guessed: a limit
 * with a name that is misspelled is not a limit that is left out.
 */
#include "base/base.h"

#include "chat/allowance.h"

#include <math.h>

#include "base/json.h"

#define RULE_MAX 400    /* bytes */
#define NAME_SHOWN 130  /* bytes of a name */
#define AMOUNT_MAX 1e15 /* tokens, turns */
#define DOLLARS_MAX 1e9
#define MICRO 1e6

struct reading {
    struct allowances *al;
    allowance_fault_fn *fault;
    void *arg;
};

static void
complain(const struct reading *r, const char *where, const char *name,
         const char *rule)
{
    char text[RULE_MAX];

    (void)snprintf(text, sizeof(text), "%.*s%s%.*s %s", NAME_SHOWN, where,
                   where[0] != '\0' ? ": " : "", NAME_SHOWN, name, rule);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == '"' || *c == 0x7f)
            *c = '?';
    r->fault(r->arg, 0, text);
}

/* --- rows ----------------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
    const struct allowance_row *x = a, *y = b;

    return strcmp(x->name, y->name);
}

const struct ledger_limits *
allowance_find(const struct allowance_rows *r, const char *name)
{
    struct allowance_row key = {.name = (char *)(uintptr_t)name};
    const struct allowance_row *row =
        r->n == 0 ? NULL : bsearch(&key, r->rows, r->n, sizeof(key), compare);

    return row != NULL ? &row->limits : NULL;
}

void
allowance_rows_free(struct allowance_rows *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->rows[i].name);
    free(r->rows);
    memset(r, 0, sizeof(*r));
}

static struct ledger_limits *
add(struct allowance_rows *r, const char *name)
{
    if (r->n == r->cap) {
        r->cap = r->cap == 0 ? 16 : 2 * r->cap;
        r->rows = xrealloc(r->rows, r->cap * sizeof(*r->rows));
    }
    r->rows[r->n].name = xstrdup(name);
    r->rows[r->n].limits = (struct ledger_limits){-1, -1, -1, -1, -1};
    return &r->rows[r->n++].limits;
}

/* --- one row -------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t at;
    bool dollars;
} fields[] = {
    {"day_tokens", offsetof(struct ledger_limits, day_tokens), false},
    {"month_tokens", offsetof(struct ledger_limits, month_tokens), false},
    {"day_usd", offsetof(struct ledger_limits, day_micro), true},
    {"month_usd", offsetof(struct ledger_limits, month_micro), true},
    {"turns_at_once", offsetof(struct ledger_limits, turns_at_once), false},
};

static void
read_limit(const struct reading *r, const char *where, const cJSON *o,
           struct ledger_limits *out)
{
    double v = cJSON_IsNumber(o) ? o->valuedouble : -1;

    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        int64_t *at = (int64_t *)(void *)((char *)out + fields[i].at);

        if (strcmp(fields[i].name, o->string) != 0)
            continue;
        if (v < 0 || v > (fields[i].dollars ? DOLLARS_MAX : AMOUNT_MAX))
            complain(r, where, o->string,
                     "must be a number from 0 (no limit) on");
        else if (fields[i].dollars)
            *at = (int64_t)llround(v * MICRO);
        else if (v != floor(v))
            complain(r, where, o->string, "must be a whole number");
        else
            *at = (int64_t)v;
        return;
    }
    complain(r, where, o->string,
             "is no limit: day_tokens, month_tokens, day_usd, month_usd and "
             "turns_at_once are");
}

static void
read_limits(const struct reading *r, const char *where, const cJSON *o,
            struct ledger_limits *out)
{
    const cJSON *one;

    if (!cJSON_IsObject(o)) {
        complain(r, "", where, "must be an object of limits");
        return;
    }
    cJSON_ArrayForEach(one, o)
        read_limit(r, where, one, out);
}

static void
read_rows(const struct reading *r, const cJSON *o, struct allowance_rows *out,
          size_t name_max)
{
    const cJSON *one;

    if (!cJSON_IsObject(o)) {
        complain(r, "", o->string, "must be an object");
        return;
    }
    cJSON_ArrayForEach(one, o) {
        if (strlen(one->string) > name_max)
            complain(r, o->string, one->string, "is too long a name");
        else if (strchr(one->string, '/') == NULL)
            complain(r, o->string, one->string,
                     name_max == STORE_OWNER_MAX
                         ? "must be realm/name, such as local/ann"
                         : "must be provider/model");
        else
            read_limits(r, one->string, one, add(out, one->string));
    }
    if (out->n > 0)
        qsort(out->rows, out->n, sizeof(*out->rows), compare);
}

/* --- the file ------------------------------------------------------------- */

static int
line_of(const char *s, size_t at)
{
    int line = 1;

    for (size_t i = 0; i < at; i++)
        line += s[i] == '\n';
    return line;
}

void
allowance_read(struct allowances *al, const char *s, size_t n,
               allowance_fault_fn *fault, void *arg)
{
    struct reading r = {al, fault, arg};
    struct json_broken broken;
    const cJSON *one;
    cJSON *o = NULL;

    if (!json_broken(s, n, &broken) && json_parse(s, n, &o, NULL) != OK)
        broken = (struct json_broken){"has too many values", 0};
    if (o == NULL) {
        fault(arg, line_of(s, broken.at), broken.rule);
        return;
    }
    if (!cJSON_IsObject(o))
        fault(arg, 1, "must be an object");
    else
        cJSON_ArrayForEach(one, o) {
            if (strcmp(one->string, "users") == 0)
                read_rows(&r, one, &al->users, STORE_OWNER_MAX);
            else if (strcmp(one->string, "models") == 0)
                read_rows(&r, one, &al->models, LEDGER_NAME_MAX);
            else if (strcmp(one->string, "anonymous") == 0)
                read_limits(&r, "anonymous", one, &al->anonymous);
            else
                complain(&r, "", one->string,
                         "is unknown: users, models and anonymous are not");
        }
    cJSON_Delete(o);
}
