/*
 * The list of sessions over HTTP, recent first, a page at a time. A page begins
 * where the one before ended, by time and number, so sessions that come or go
 * meanwhile shift nothing. Acceptor threads.
 */
#include "base/base.h"

#include "api/app.h"
#include "api/session_json.h"
#include "api/session_search.h"
#include "base/text.h"

#define LIST_DEFAULT 50
#define LIST_MAX 500
#define LIST_BODY_MAX (64 * 1024 * 1024) /* bytes */
#define CURSOR_LEN 32                    /* hex digits */

bool
list_query_fits(const struct list_query *q, const struct session *s)
{
    bool any = q->archived != NULL && strcmp(q->archived, "any") == 0;
    bool archived = q->archived != NULL && strcmp(q->archived, "true") == 0;

    return (any || s->archived == archived) &&
           (q->tag == NULL || session_has_tag(s->tags, q->tag));
}

struct list {
    struct json_out *j;
    uint32_t left; /* of the page */
    const struct list_query *q;
    bool more;
    struct session last; /* that was given */
};

static bool
list_one(void *arg, const struct session *s)
{
    struct list *l = arg;

    if (!list_query_fits(l->q, s))
        return true;
    if (l->left == 0) {
        l->more = true;
        return false;
    }
    l->left--;
    l->last = *s;
    json_begin_obj(l->j);
    session_put(l->j, s);
    json_end_obj(l->j);
    return true;
}

/* A cursor is where the page before ended: hex of time and number. */
static enum err
cursor_read(const char *text, struct session *out, struct problem *why)
{
    uint8_t b[16];
    uint64_t v[2] = {0, 0};

    if (strlen(text) != CURSOR_LEN || text_unhex(b, sizeof(b), text) != OK)
        return problem_set(why, ERR_BADREQ, "invalid_cursor", "Invalid cursor",
                           "Take it from 'next_cursor'.");
    for (size_t i = 0; i < sizeof(b); i++)
        v[i / 8] = v[i / 8] << 8 | b[i];
    (void)memset(out, 0, sizeof(*out));
    out->updated_ms = (int64_t)(v[0] & INT64_MAX);
    out->no = v[1];
    return OK;
}

static void
put_cursor(struct json_out *j, const struct session *s)
{
    char text[CURSOR_LEN + 1];

    (void)snprintf(text, sizeof(text), "%016" PRIx64 "%016" PRIx64,
                   (uint64_t)s->updated_ms, s->no);
    json_put_str(j, "next_cursor", text);
}

static enum err
list_query_read(struct request *rq, struct list_query *q, struct problem *why)
{
    q->limit = LIST_DEFAULT;
    q->cursor = q->tag = q->archived = q->q = NULL;
    if (request_arg_i64(rq, "limit", 1, LIST_MAX, &q->limit, why) != OK ||
        request_arg(rq, "cursor", &q->cursor, why) != OK ||
        request_arg(rq, "tag", &q->tag, why) != OK ||
        request_arg(rq, "q", &q->q, why) != OK ||
        request_arg(rq, "archived", &q->archived, why) != OK)
        return ERR_BADREQ;
    if (q->archived != NULL && strcmp(q->archived, "true") != 0 &&
        strcmp(q->archived, "false") != 0 && strcmp(q->archived, "any") != 0)
        return problem_set(why, ERR_BADREQ, "invalid_archived",
                           "Invalid archived", "It is true, false or any.");
    /* An empty field of a form is as none. */
    if (q->cursor != NULL && q->cursor[0] == '\0')
        q->cursor = NULL;
    if (q->tag != NULL && q->tag[0] == '\0')
        q->tag = NULL;
    return OK;
}

void
api_sessions(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct session after;
    struct list_query q;
    struct list l = {.more = false};
    struct json_out j;
    struct buf body;
    enum err e;

    if (list_query_read(rq, &q, &p) == OK && q.q != NULL && q.q[0] != '\0') {
        session_search(app, rq, &q);
        return;
    }
    if (p.err != OK ||
        (q.cursor != NULL && cursor_read(q.cursor, &after, &p) != OK)) {
        app_fail(app, rq, &p);
        return;
    }
    buf_init(&body, LIST_BODY_MAX);
    json_out_init(&j, &body);
    l.j = &j;
    l.left = (uint32_t)q.limit;
    l.q = &q;
    json_begin_obj(&j);
    json_name(&j, "sessions");
    json_begin_arr(&j);
    e = app_lists(rq) ? store_sessions(engine_store(app->en), app_owner(rq),
                                       q.cursor != NULL ? &after : NULL,
                                       UINT32_MAX, list_one, &l)
                      : OK;
    json_end_arr(&j);
    if (l.more)
        put_cursor(&j, &l.last);
    else
        json_put_str(&j, "next_cursor", NULL);
    json_end_obj(&j);
    if (e != OK) {
        buf_release(&body);
        app_session_missing(app, rq, e);
        return;
    }
    app_json(app, rq, 200, &body);
}
