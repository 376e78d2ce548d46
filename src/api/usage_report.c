/*
 * A report of use: the ledger's rows, added up by day, model or user. Sums by
 * model and user are gathered in a tree on the way.
 */
#include "base/base.h"

#include "api/usage_report.h"

#include <search.h>

#include "base/mem.h"
#include "chat/result.h"

#define DAYS_MAX 3660    /* of one report */
#define GROUPS_MAX 20000 /* rows of it */
#define DAY_MS INT64_C(86400000)

static const char *const by_names[] = {"day", "model", "user"};

struct group {
    struct ledger_sums sums;
    char name[LEDGER_NAME_MAX + 1];
};

/* --- what is asked -------------------------------------------------------- */

/* 2026-11-21 */
static bool
read_day(const char *s, uint32_t *day)
{
    uint32_t v = 0;

    if (strlen(s) != 10 || s[4] != '-' || s[7] != '-')
        return false;
    for (int i = 0; i < 10; i++) {
        if (i == 4 || i == 7)
            continue;
        if (s[i] < '0' || s[i] > '9')
            return false;
        v = v * 10 + (uint32_t)(s[i] - '0');
    }
    *day = v;
    return v >= 19700101 && ledger_is_day(v);
}

static enum err
day_arg(struct request *rq, const char *name, uint32_t *out,
        struct problem *why)
{
    const char *s = NULL;
    enum err e = request_arg(rq, name, &s, why);

    if (e != OK || s == NULL || s[0] == '\0' || read_day(s, out))
        return e;
    return problem_set(why, ERR_BADREQ, "invalid_query", "Invalid day",
                       "%s must be a day such as 2026-11-21.", name);
}

static enum err
by_arg(struct request *rq, enum usage_by *out, struct problem *why)
{
    const char *s = NULL;
    enum err e = request_arg(rq, "by", &s, why);

    *out = USAGE_BY_DAY;
    if (e != OK || s == NULL || s[0] == '\0')
        return e;
    for (size_t i = 0; i < COUNT_OF(by_names); i++)
        if (strcmp(s, by_names[i]) == 0) {
            *out = (enum usage_by)i;
            return OK;
        }
    return problem_set(why, ERR_BADREQ, "invalid_query", "Invalid grouping",
                       "by must be day, model or user.");
}

enum err
usage_report_read(struct usage_report *r, struct request *rq, int64_t now_ms,
                  struct problem *why)
{
    enum err e;

    *r = (struct usage_report){.to = ledger_day(now_ms)};
    r->from = ledger_month(now_ms) * 100 + 1;
    e = day_arg(rq, "to", &r->to, why);
    if (e == OK && r->to < r->from)
        r->from = r->to;
    if (e == OK)
        e = day_arg(rq, "from", &r->from, why);
    if (e == OK)
        e = by_arg(rq, &r->by, why);
    if (e == OK &&
        (r->from > r->to ||
         ledger_day_ms(r->to) - ledger_day_ms(r->from) > DAYS_MAX * DAY_MS))
        e = problem_set(why, ERR_BADREQ, "invalid_query",
                        "Invalid range of days",
                        "from must not be after to, and at most %d days "
                        "before it.",
                        DAYS_MAX);
    return e;
}

/* --- gathering ------------------------------------------------------------ */

static int
compare(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static bool
add_row(void *arg, const struct ledger_row *row)
{
    struct usage_report *r = arg;
    struct group key, **at;

    memset(&key, 0, sizeof(key));
    if (r->by == USAGE_BY_DAY)
        (void)snprintf(key.name, sizeof(key.name), "%04u-%02u-%02u",
                       row->day / 10000, row->day / 100 % 100, row->day % 100);
    else
        (void)snprintf(key.name, sizeof(key.name), "%s",
                       r->by == USAGE_BY_MODEL ? row->model : row->owner);
    at = tfind(&key, &r->groups, compare);
    if (at == NULL && r->n == GROUPS_MAX) {
        r->too_many = true;
        return false;
    }
    if (at == NULL) {
        at = tsearch(xmemdup0(&key, sizeof(key)), &r->groups, compare);
        if (at == NULL)
            abort(); /* no memory */
        r->n++;
    }
    ledger_sums_add(&(*at)->sums, &row->sums);
    ledger_sums_add(&r->total, &row->sums);
    return true;
}

void
usage_report_query(struct usage_report *r, const char *owner,
                   struct ledger_query *q)
{
    q->row = add_row;
    q->arg = r;
    q->owner = owner;
    q->from = r->from;
    q->to = r->to;
}

enum err
usage_report_whole(const struct usage_report *r, struct problem *why)
{
    return r->too_many
               ? problem_set(why, ERR_BADREQ, "invalid_query", "Too many rows",
                             "Ask for fewer days, or by day.")
               : OK;
}

void
usage_report_release(struct usage_report *r)
{
    tdestroy(r->groups, free);
    r->groups = NULL;
}

/* --- saying it ------------------------------------------------------------ */

static void
put_sums(struct json_out *j, const struct ledger_sums *s)
{
    json_put_i64(j, "turns", s->turns);
    json_put_i64(j, "input_tokens", s->input_tokens);
    json_put_i64(j, "output_tokens", s->output_tokens);
    json_put_i64(j, "cached_tokens", s->cached_tokens);
    result_put_cost(j, s->micro);
}

static void
put_group(const void *node, VISIT which, void *arg)
{
    const struct group *const *g = node;
    const struct usage_report *r = arg;

    if (which != postorder && which != leaf)
        return;
    json_begin_obj(r->j);
    json_put_str(r->j, by_names[r->by], (*g)->name);
    put_sums(r->j, &(*g)->sums);
    json_end_obj(r->j);
}

static void
put_day(struct json_out *j, const char *name, uint32_t day)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%04u-%02u-%02u", day / 10000,
                   day / 100 % 100, day % 100);
    json_put_str(j, name, text);
}

void
usage_report_put(struct json_out *j, struct usage_report *r)
{
    r->j = j;
    put_day(j, "from", r->from);
    put_day(j, "to", r->to);
    json_put_str(j, "by", by_names[r->by]);
    json_name(j, "rows");
    json_begin_arr(j);
    twalk_r(r->groups, put_group, r);
    json_end_arr(j);
    json_name(j, "total");
    json_begin_obj(j);
    put_sums(j, &r->total);
    json_end_obj(j);
}
