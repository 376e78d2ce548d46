/*
 * Sessions over HTTP: list, look, rename, delete, and their messages. A session
 * that is not there and one that is another's give the same 404. All of it on
 * an acceptor, which waits for the committer where something changes.
 */
#include "base/base.h"

#include "api/app.h"
#include "base/json.h"
#include "base/text.h"
#include "chat/extra.h"
#include "chat/result.h"

#define LIST_DEFAULT 50
#define LIST_MAX 500
#define LIST_BODY_MAX (64 * 1024 * 1024) /* bytes */

static void
session_missing(struct app *app, struct request *rq, enum err e)
{
    struct problem p = {.err = OK};

    if (e == ERR_NOTFOUND)
        (void)problem_set(&p, e, "session_not_found", "No such session",
                          "It does not exist, or it is not yours.");
    else
        (void)problem_set(&p, e, NULL, NULL, NULL);
    app_fail(app, rq, &p);
}

static void
put_open_turn(struct json_out *j, const struct session *s)
{
    if (s->open) {
        json_put_ident(j, "open_turn_id", &s->open_turn);
        return;
    }
    json_name(j, "open_turn_id");
    json_add_null(j);
}

/* Of an answer; a question costs nothing, and says nothing. */
static int64_t
cost_of(const struct message *m)
{
    return m->finish == FINISH_NONE ? -1 : m->cost_micro;
}

static void
put_session(struct json_out *j, const struct session *s)
{
    json_put_str(j, "session_id", s->id);
    json_put_str(j, "title", s->title);
    json_put_time(j, "created_at", s->created_ms);
    json_put_time(j, "updated_at", s->updated_ms);
    json_put_i64(j, "conversation_length", s->n_messages);
    put_open_turn(j, s);
}

static bool
list_one(void *arg, const struct session *s)
{
    struct json_out *j = arg;

    json_begin_obj(j);
    put_session(j, s);
    json_end_obj(j);
    return true;
}

/* The anonymous owner has no list: an anonymous session is known by its id
 * alone, and only to whoever has that. */
void
api_sessions(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    int64_t limit = LIST_DEFAULT;
    struct json_out j;
    struct buf body;
    enum err e = OK;

    if (request_arg_i64(rq, "limit", 1, LIST_MAX, &limit, &p) != OK) {
        app_fail(app, rq, &p);
        return;
    }
    buf_init(&body, LIST_BODY_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_name(&j, "sessions");
    json_begin_arr(&j);
    if (app_owner(rq)[0] != '\0')
        e = store_sessions(engine_store(app->en), app_owner(rq), NULL,
                           (uint32_t)limit, list_one, &j);
    json_end_arr(&j);
    json_name(&j, "next_cursor");
    json_add_null(&j);
    json_end_obj(&j);
    if (e != OK) {
        buf_release(&body);
        session_missing(app, rq, e);
        return;
    }
    app_json(app, rq, 200, &body);
}

static void
add_cost(int64_t *sum, int64_t cost)
{
    if (cost < 0)
        return;
    if (*sum < 0)
        *sum = 0;
    *sum = cost > INT64_MAX - *sum ? INT64_MAX : *sum + cost;
}

static bool
add_message_cost(void *arg, const struct message *m)
{
    add_cost(arg, cost_of(m));
    return true;
}

/* The sum of its costs is taken when it is asked for: a pass over the heads of
 * its messages, and its summary. */
void
api_session(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct session s;
    struct json_out j;
    struct buf body;
    struct session_summary sum;
    int64_t cost_micro = -1; /* none is known */
    enum err e = store_messages(engine_store(app->en), app_owner(rq),
                                rq->path_args[0], UINT32_MAX, UINT32_MAX, 0, &s,
                                add_message_cost, &cost_micro);

    if (e != OK) {
        session_missing(app, rq, e);
        return;
    }
    if (store_summary(engine_store(app->en), app_owner(rq), rq->path_args[0],
                      &sum, NULL) == OK)
        add_cost(&cost_micro, sum.cost_micro);
    buf_init(&body, LIST_BODY_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    put_session(&j, &s);
    result_put_cost(&j, cost_micro);
    json_end_obj(&j);
    app_json(app, rq, 200, &body);
}

void
api_session_patch(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct store_op op = {.kind = STORE_SESSION_TITLE};
    const char *title = NULL;
    cJSON *json = NULL;
    enum err e;

    e = json_parse(rq->body != NULL ? rq->body : "", rq->body_len, &json, &p);
    if (e == OK)
        e = json_get_str(json, "title", &title, &p);
    if (e == OK && (title == NULL || strlen(title) > STORE_TITLE_MAX))
        e = problem_set(&p, ERR_BADREQ, "invalid_title", "Invalid title",
                        "'title' is a string of at most %d bytes.",
                        STORE_TITLE_MAX);
    if (e != OK) {
        cJSON_Delete(json);
        app_fail(app, rq, &p);
        return;
    }
    op.owner = app_owner(rq);
    op.session_id = rq->path_args[0];
    op.title = title;
    e = store_apply(engine_store(app->en), &op);
    cJSON_Delete(json);
    if (e != OK)
        session_missing(app, rq, e);
    else
        api_session(app, rq);
}

/* The turns of a session, collected before it is deleted. */
struct turns {
    struct ident *ids;
    size_t n, cap;
};

static bool
collect_turn(void *arg, const struct message *m)
{
    struct turns *t = arg;

    if (t->n > 0 && ident_eq(&t->ids[t->n - 1], &m->turn))
        return true;
    if (t->n == t->cap) {
        t->cap = t->cap == 0 ? 64 : 2 * t->cap;
        t->ids = xrealloc(t->ids, t->cap * sizeof(*t->ids));
    }
    t->ids[t->n++] = m->turn;
    return true;
}

void
api_session_delete(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct store_op op = {.kind = STORE_SESSION_DELETE};
    struct turns turns = {.n = 0};
    struct session s;
    struct json_out j;
    struct buf body;
    enum err e;

    op.owner = app_owner(rq);
    op.session_id = rq->path_args[0];
    e = store_messages(engine_store(app->en), op.owner, op.session_id,
                       UINT32_MAX, UINT32_MAX, 0, &s, collect_turn, &turns);
    if (e == OK)
        e = store_apply(engine_store(app->en), &op);
    if (e != OK) {
        free(turns.ids);
        session_missing(app, rq, e);
        return;
    }
    engine_forget(app->en, op.session_id, turns.ids, turns.n);
    free(turns.ids);
    buf_init(&body, REPLY_HEAD_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_bool(&j, "deleted", true);
    json_put_str(&j, "session_id", s.id);
    json_end_obj(&j);
    app_json(app, rq, 200, &body);
}

/* --- messages ------------------------------------------------------------ */

struct page {
    struct json_out j;
    uint32_t first; /* seq of the oldest given */
    bool any;
};

static void
put_extra(struct json_out *j, const struct message *m)
{
    struct extra x;

    extra_read(&x, m->extra, m->extra_len);
    if (x.tool_calls != NULL)
        json_put_raw(j, "tool_calls", x.tool_calls, strlen(x.tool_calls));
    if (x.notes != NULL)
        json_put_raw(j, "notes", x.notes, strlen(x.notes));
    extra_release(&x);
}

static bool
put_message(void *arg, const struct message *m)
{
    struct page *page = arg;
    struct json_out *j = &page->j;
    struct usage usage = {m->input_tokens, m->output_tokens, m->cached_tokens};

    if (!page->any) {
        page->any = true;
        page->first = m->seq;
    }
    json_begin_obj(j);
    json_put_ident(j, "id", &m->id);
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
    if (usage.input_tokens >= 0 || usage.output_tokens >= 0 || cost_of(m) >= 0)
        result_put_usage(j, &usage, cost_of(m));
    put_extra(j, m);
    json_put_strn(j, "content", m->text, m->text_len);
    json_end_obj(j);
    return true;
}

void
api_messages(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    int64_t before = UINT32_MAX, limit = LIST_DEFAULT;
    struct page page = {.any = false};
    struct session s;
    struct buf body;
    enum err e;

    if (request_arg_i64(rq, "before", 0, UINT32_MAX, &before, &p) != OK ||
        request_arg_i64(rq, "limit", 1, LIST_MAX, &limit, &p) != OK) {
        app_fail(app, rq, &p);
        return;
    }
    buf_init(&body, LIST_BODY_MAX);
    json_out_init(&page.j, &body);
    json_begin_obj(&page.j);
    json_put_str(&page.j, "session_id", rq->path_args[0]);
    json_name(&page.j, "messages");
    json_begin_arr(&page.j);
    e = store_messages(engine_store(app->en), app_owner(rq), rq->path_args[0],
                       (uint32_t)before, (uint32_t)limit, LIST_BODY_MAX / 8, &s,
                       put_message, &page);
    if (e != OK) {
        buf_release(&body);
        session_missing(app, rq, e);
        return;
    }
    json_end_arr(&page.j);
    json_put_i64(&page.j, "conversation_length", s.n_messages);
    json_put_str(&page.j, "title", s.title);
    put_open_turn(&page.j, &s);
    json_name(&page.j, "next_before");
    if (page.any && page.first > 0)
        json_add_i64(&page.j, page.first);
    else
        json_add_null(&page.j);
    json_end_obj(&page.j);
    app_json(app, rq, 200, &body);
}
