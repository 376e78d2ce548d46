/*
 * GET /usage: what was used of models, by day, model or user, and what is left
 * of the budget of who asks. Who may administer sees everybody's with all=1.
 * Acceptor thread.
 */
#include "base/base.h"

#include "api/app.h"

#include "api/usage_report.h"
#include "api/who.h"
#include "base/clock.h"
#include "chat/allowance.h"
#include "chat/result.h"

/* --- what is left --------------------------------------------------------- */

static void
put_dollars(struct json_out *j, const char *name, int64_t micro)
{
    json_name(j, name);
    result_add_dollars(j, micro);
}

/* What is left of a limit; null: there is none. */
static void
put_left(struct json_out *j, const char *name, int64_t max, int64_t used,
         int64_t reserved, bool dollars)
{
    int64_t left = max - used - reserved;

    json_name(j, name);
    if (max <= 0) {
        json_add_null(j);
        return;
    }
    left = left < 0 ? 0 : left;
    json_begin_obj(j);
    if (dollars) {
        put_dollars(j, "limit", max);
        put_dollars(j, "left", left);
    } else {
        json_put_i64(j, "limit", max);
        json_put_i64(j, "left", left);
    }
    json_end_obj(j);
}

static void
put_budget(struct json_out *j, const struct ledger_limits *l,
           const struct ledger_account *a, int64_t now_ms)
{
    const struct ledger_standing *s = &a->standing;

    json_name(j, "budget");
    json_begin_obj(j);
    put_left(j, "day_tokens", l->day_tokens,
             a->day.input_tokens + a->day.output_tokens, s->tokens, false);
    put_left(j, "day_usd", l->day_micro, a->day.micro, s->micro, true);
    put_left(j, "month_tokens", l->month_tokens,
             a->month.input_tokens + a->month.output_tokens, s->tokens, false);
    put_left(j, "month_usd", l->month_micro, a->month.micro, s->micro, true);
    put_left(j, "turns_at_once", l->turns_at_once, 0, s->open, false);
    json_put_time(j, "day_ends_at", ledger_next_day_ms(now_ms));
    json_put_time(j, "month_ends_at", ledger_next_month_ms(now_ms));
    json_end_obj(j);
}

/* --- the request ---------------------------------------------------------- */

/* Whose use is meant; NULL: everybody's. */
static enum err
whose(struct request *rq, const char **owner, struct problem *why)
{
    int64_t all = 0;
    enum err e = request_arg_i64(rq, "all", 0, 1, &all, why);

    if (e == OK && all != 0)
        e = who_may(rq, MAY_ADMIN, why);
    *owner = all != 0 ? NULL : who_asks(rq)->owner;
    return e;
}

void
api_usage(void *arg, struct request *rq)
{
    struct app *app = arg;
    int64_t now_ms = clock_wall_ms();
    struct ledger_query q = {.kind = LEDGER_OWNER};
    struct ledger_account account;
    struct ledger_limits limits;
    struct problem p = {.err = OK};
    struct usage_report r;
    const char *owner = NULL;
    struct json_out j;
    struct buf body;
    enum err e = usage_report_read(&r, rq, now_ms, &p);

    if (e == OK)
        e = whose(rq, &owner, &p);
    memset(&account, 0, sizeof(account));
    usage_report_query(&r, owner, &q);
    q.account = &account;
    q.name = who_asks(rq)->owner;
    q.at_ms = now_ms;
    if (e == OK) {
        e = store_ledger(engine_store(app->en), &q);
        if (e != OK)
            (void)problem_set(&p, e, NULL, NULL, NULL);
        else
            e = usage_report_whole(&r, &p);
    }
    if (e != OK) {
        usage_report_release(&r);
        app_fail(app, rq, &p);
        return;
    }
    limits = allowance_of(engine_allowances(app->en), q.name);
    buf_init(&body, USAGE_REPORT_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    usage_report_put(&j, &r);
    put_budget(&j, &limits, &account, now_ms);
    json_end_obj(&j);
    usage_report_release(&r);
    app_json(app, rq, 200, &body);
}
