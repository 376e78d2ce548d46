/*
 * The audit log: its lines are JSON already, and pass as they stand, so that
 * who reads them here can check the chain. `parley audit verify` does.
 */
#include "base/base.h"

#include "api/admin_list.h"

#include "base/conf.h"
#include "ops/audit.h"

#define BODY_MAX ((size_t)16 * 1024 * 1024)

struct listing {
    struct admin_list l;
    int64_t last_n;
};

static bool
put_entry(void *arg, const struct audit_entry *en)
{
    struct listing *l = arg;

    json_add_raw(&l->l.j, en->json, en->json_len);
    l->last_n = en->n;
    return true;
}

void
admin_audit(void *app, struct request *rq)
{
    struct listing l = {.last_n = 0};
    enum err e;

    (void)app;
    admin_list_begin(&l.l, rq, "events", BODY_MAX);
    e = l.l.why.err;
    if (e == OK)
        e = request_arg_i64(rq, "after", 0, INT64_MAX, &l.last_n, &l.l.why);
    if (e == OK)
        e = audit_read(conf_str(CONF_DATA_DIR), l.last_n, l.l.limit, put_entry,
                       &l);
    if (e == ERR_NOTFOUND) /* nothing has happened yet */
        e = OK;
    admin_list_end(&l.l, e);
    json_put_i64(&l.l.j, "last", l.last_n);
    admin_list_answer(&l.l);
}
