/*
 * A session's messages over HTTP, a page of a line at a time. Where the session
 * has branches, each message says which one it follows and which stand beside
 * it; that takes a look at the heads of all its messages. Acceptor threads.
 */
#include "base/base.h"

#include "api/app.h"
#include "base/json.h"
#include "base/mem.h"
#include "chat/extra.h"
#include "chat/result.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 500
#define PAGE_BODY_MAX (64 * 1024 * 1024) /* bytes */

/* A message's place in the tree. */
struct node {
    struct ident id;
    uint32_t parent;
};

struct page {
    struct json_out j;
    uint32_t first; /* seq of the oldest given */
    bool any;
    struct node *nodes; /* by seq; NULL: the session has no branches */
    uint32_t n_nodes;
};

/* --- the tree ------------------------------------------------------------ */

static bool
take_node(void *arg, const struct message *m)
{
    struct page *page = arg;

    if (m->seq >= page->n_nodes)
        return false; /* it came meanwhile */
    page->nodes[m->seq] = (struct node){m->id, m->parent};
    return true;
}

static void
load_tree(struct app *app, struct request *rq, struct page *page,
          const struct session *s)
{
    if (!s->branched || s->n_messages == 0)
        return;
    page->n_nodes = s->n_messages;
    page->nodes = xcalloc(page->n_nodes, sizeof(*page->nodes));
    IGNORE(store_all_messages(engine_store(app->en), app_owner(rq), s->id, 0,
                              UINT32_MAX, NULL, take_node, page));
}

static void
add_id(struct json_out *j, const struct ident *id)
{
    char text[IDENT_TEXT_LEN];

    ident_text(text, id);
    json_add_str(j, text);
}

static void
put_siblings(struct page *page, const struct message *m)
{
    struct json_out *j = &page->j;
    uint32_t n = 0;

    for (uint32_t i = 0; i < page->n_nodes && n < 2; i++)
        n += page->nodes[i].parent == m->parent &&
             !ident_is_zero(&page->nodes[i].id);
    if (n < 2)
        return;
    json_name(j, "siblings");
    json_begin_arr(j);
    for (uint32_t i = 0; i < page->n_nodes; i++)
        if (page->nodes[i].parent == m->parent &&
            !ident_is_zero(&page->nodes[i].id))
            add_id(j, &page->nodes[i].id);
    json_end_arr(j);
}

/* Where there are branches: which message this one follows, null if none, and
 * who stands beside it. */
static void
put_place(struct page *page, const struct message *m)
{
    struct json_out *j = &page->j;

    if (page->nodes == NULL)
        return;
    if (m->parent < page->n_nodes)
        json_put_ident(j, "parent_id", &page->nodes[m->parent].id);
    else
        json_put_str(j, "parent_id", NULL);
    put_siblings(page, m);
}

/* --- messages ------------------------------------------------------------ */

static void
put_extra(struct json_out *j, const struct message *m)
{
    struct extra x;

    extra_read(&x, m->extra, m->extra_len);
    if (x.tool_calls != NULL)
        json_put_raw(j, "tool_calls", x.tool_calls, strlen(x.tool_calls));
    if (x.notes != NULL)
        json_put_raw(j, "notes", x.notes, strlen(x.notes));
    if (x.feedback != NULL)
        json_put_raw(j, "feedback", x.feedback, strlen(x.feedback));
    extra_release(&x);
}

static bool
put_message(void *arg, const struct message *m)
{
    struct page *page = arg;
    struct json_out *j = &page->j;
    struct usage usage = {m->input_tokens, m->output_tokens, m->cached_tokens};
    int64_t cost = m->finish == FINISH_NONE ? -1 : m->cost_micro;

    json_begin_obj(j);
    json_put_ident(j, "id", &m->id);
    put_place(page, m);
    if (ident_is_zero(&m->turn)) /* it was said elsewhere */
        json_put_str(j, "turn_id", NULL);
    else
        json_put_ident(j, "turn_id", &m->turn);
    json_put_i64(j, "seq", m->seq);
    json_put_str(j, "role", role_name((enum role)m->role));
    json_put_time(j, "timestamp", m->at_ms);
    if (m->finish != FINISH_NONE)
        json_put_str(j, "finish_reason", finish_name((enum finish)m->finish));
    if (m->provider[0] != '\0') {
        json_put_str(j, "provider", m->provider);
        json_put_str(j, "model", m->model);
    }
    if (usage.input_tokens >= 0 || usage.output_tokens >= 0 || cost >= 0)
        result_put_usage(j, &usage, cost);
    put_extra(j, m);
    json_put_strn(j, "content", m->text, m->text_len);
    json_end_obj(j);
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
        return problem_set(why, ERR_NOTFOUND, "message_not_found",
                           "No such message",
                           "'leaf' is the id of a message of this session.");
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
        load_tree(app, rq, &page, &s);
        e = store_line(store, app_owner(rq), rq->path_args[0], q.leaf,
                       (uint32_t)q.before, (uint32_t)q.limit, PAGE_BODY_MAX / 8,
                       &s, put_message, &page);
    }
    free(page.nodes);
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
