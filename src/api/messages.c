/*
 * A session's messages over HTTP, a page of a line at a time. Where the session
 * has branches, each message says which one it follows and which stand beside
 * it; that takes a look at the heads of all its messages. Acceptor threads.
 */
#include "base/base.h"

#include "api/app.h"
#include "api/message_json.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 500
#define PAGE_BODY_MAX (64 * 1024 * 1024) /* bytes */

struct page {
    struct json_out j;
    uint32_t first; /* seq of the oldest given */
    bool any;
    struct message_tree tree;
};

static bool
put_message(void *arg, const struct message *m)
{
    struct page *page = arg;

    message_put(&page->j, m, &page->tree);
    if (!page->any)
        page->first = m->seq;
    page->any = true;
    return true;
}

/* --- the page ------------------------------------------------------------ */

struct query {
    int64_t before, limit;
    uint32_t leaf; /* seq; STORE_HEAD: the session's line */
};

static enum err
query_read(struct app *app, struct request *rq, struct query *q,
           struct problem *why)
{
    const char *leaf = NULL;
    struct ident id;

    q->before = UINT32_MAX;
    q->limit = PAGE_DEFAULT;
    q->leaf = STORE_HEAD;
    if (request_arg_i64(rq, "before", 0, UINT32_MAX, &q->before, why) != OK ||
        request_arg_i64(rq, "limit", 1, PAGE_MAX, &q->limit, why) != OK ||
        request_arg(rq, "leaf", &leaf, why) != OK)
        return ERR_BADREQ;
    if (leaf == NULL || *leaf == '\0')
        return OK;
    if (ident_parse(leaf, strlen(leaf), &id) != OK ||
        store_find_message(engine_store(app->en), app_owner(rq),
                           rq->path_args[0], &id, &q->leaf) != OK)
        return app_message_missing(why, "leaf");
    return OK;
}

static void
put_tail(struct page *page, const struct session *s)
{
    struct json_out *j = &page->j;

    json_put_i64(j, "conversation_length", s->length);
    json_put_str(j, "title", s->title);
    if (s->open)
        json_put_ident(j, "open_turn_id", &s->open_turn);
    else
        json_put_str(j, "open_turn_id", NULL);
    json_name(j, "next_before");
    if (page->any && page->first > 0)
        json_add_i64(j, page->first);
    else
        json_add_null(j);
}

void
api_messages(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct store *store = engine_store(app->en);
    struct problem p = {.err = OK};
    struct page page = {.any = false};
    struct query q;
    struct session s;
    struct buf body;
    enum err e = query_read(app, rq, &q, &p);

    if (e != OK) {
        app_fail(app, rq, &p);
        return;
    }
    buf_init(&body, PAGE_BODY_MAX);
    json_out_init(&page.j, &body);
    json_begin_obj(&page.j);
    json_put_str(&page.j, "session_id", rq->path_args[0]);
    json_name(&page.j, "messages");
    json_begin_arr(&page.j);
    e = store_session(store, app_owner(rq), rq->path_args[0], &s);
    if (e == OK) {
        message_tree_load(&page.tree, store, app_owner(rq), &s);
        e = store_line(store, app_owner(rq), rq->path_args[0], q.leaf,
                       (uint32_t)q.before, (uint32_t)q.limit, PAGE_BODY_MAX / 8,
                       &s, put_message, &page);
    }
    message_tree_release(&page.tree);
    if (e != OK) {
        buf_release(&body);
        app_session_missing(app, rq, e);
        return;
    }
    json_end_arr(&page.j);
    put_tail(&page, &s);
    json_end_obj(&page.j);
    app_json(app, rq, 200, &body);
}
