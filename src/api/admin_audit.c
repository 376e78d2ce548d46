/*
 * The audit log: its lines are JSON already, and pass as they stand, so that
 * who reads them here can check the chain. `parley audit verify` does.
 */
#include "base/base.h"

#include "api/admin.h"

#include "base/conf.h"
#include "ops/audit.h"

#define EVENTS_MAX 1000
#define BODY_MAX ((size_t)16 * 1024 * 1024)

struct listing {
    struct json_out j;
    int64_t last_n;
};

static bool
put_entry(void *arg, const struct audit_entry *en)
{
    struct listing *l = arg;

    json_add_raw(&l->j, en->json, en->json_len);
    l->last_n = en->n;
    return true;
}

void
admin_audit(void *app, struct request *rq)
{
    struct problem p = {.err = OK};
    int64_t after = 0, limit = 100;
    struct listing l;
    struct buf body;
    enum err e = request_arg_i64(rq, "after", 0, INT64_MAX, &after, &p);

    (void)app;
    if (e == OK)
        e = request_arg_i64(rq, "limit", 1, EVENTS_MAX, &limit, &p);
    buf_init(&body, BODY_MAX);
    json_out_init(&l.j, &body);
    l.last_n = after;
    json_begin_obj(&l.j);
    json_name(&l.j, "events");
    json_begin_arr(&l.j);
    if (e == OK) {
        e = audit_read(conf_str(CONF_DATA_DIR), after, (size_t)limit, put_entry,
                       &l);
        if (e == ERR_NOTFOUND) /* nothing has happened yet */
            e = OK;
        if (e != OK)
            (void)problem_set(&p, e, NULL, NULL, NULL);
    }
    json_end_arr(&l.j);
    json_put_i64(&l.j, "last", l.last_n);
    json_end_obj(&l.j);
    if (e == OK) {
        admin_json(rq, 200, &body);
        return;
    }
    buf_release(&body);
    admin_fail(rq, &p);
}
