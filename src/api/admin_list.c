/*
 * Lists for the administrator: what their handlers have in common. The body is
 * made also where an argument is wrong, which costs nothing, and saves each
 * handler a way of its own.
 */
#include "base/base.h"

#include "api/admin_list.h"

#define LIMIT_USUAL 100

void
admin_list_begin(struct admin_list *l, struct request *rq, const char *name,
                 size_t body_max)
{
    int64_t limit = LIMIT_USUAL;

    *l = (struct admin_list){.rq = rq, .why.err = OK};
    IGNORE(request_arg_i64(rq, "limit", 1, ADMIN_LIST_MAX, &limit, &l->why));
    l->limit = l->left = (uint32_t)limit;
    buf_init(&l->body, body_max);
    json_out_init(&l->j, &l->body);
    json_begin_obj(&l->j);
    json_name(&l->j, name);
    json_begin_arr(&l->j);
}

const char *
admin_list_arg(struct admin_list *l, const char *name)
{
    const char *s = NULL;

    if (l->why.err != OK || request_arg(l->rq, name, &s, &l->why) != OK)
        return NULL;
    return s;
}

bool
admin_list_row(struct admin_list *l)
{
    l->more = l->left == 0;
    if (l->more)
        return false;
    l->left--;
    return true;
}

void
admin_list_end(struct admin_list *l, enum err e)
{
    if (e != OK && l->why.err == OK)
        (void)problem_set(&l->why, e, NULL, NULL, NULL);
    json_end_arr(&l->j);
}

void
admin_list_answer(struct admin_list *l)
{
    json_end_obj(&l->j);
    if (l->why.err == OK) {
        admin_json(l->rq, 200, &l->body);
        return;
    }
    buf_release(&l->body);
    admin_fail(l->rq, &l->why);
}
