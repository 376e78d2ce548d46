/*
 * What everybody used of models, or (owner) what one did: the report of
 * GET /usage.
 */
#include "base/base.h"

#include "api/admin.h"

#include "api/usage_report.h"
#include "base/clock.h"

void
admin_usage(void *app, struct request *rq)
{
    struct admin *a = app;
    struct problem p = {.err = OK};
    struct ledger_query q = {.row = NULL};
    const char *owner = NULL;
    struct usage_report r;
    struct json_out j;
    struct buf body;
    enum err e = usage_report_read(&r, rq, clock_wall_ms(), &p);

    if (e == OK)
        e = request_arg(rq, "owner", &owner, &p);
    if (e == OK) {
        usage_report_query(&r, owner, &q);
        e = store_ledger(a->store, &q);
        if (e != OK)
            (void)problem_set(&p, e, NULL, NULL, NULL);
        else
            e = usage_report_whole(&r, &p);
    }
    if (e == OK) {
        buf_init(&body, USAGE_REPORT_MAX);
        json_out_init(&j, &body);
        json_begin_obj(&j);
        usage_report_put(&j, &r);
        json_end_obj(&j);
        admin_json(rq, 200, &body);
    } else {
        admin_fail(rq, &p);
    }
    usage_report_release(&r);
}
