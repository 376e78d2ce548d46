/*
 * Full-text search over HTTP: the sessions in which something was found, each
 * with the best of its messages. What is shown is there (chat/found.h).
 */
#include "base/base.h"

#include "api/session_search.h"

#include "api/session_json.h"
#include "chat/found.h"
#include "chat/result.h"

#define FOUND_BODY_MAX (4 * 1024 * 1024) /* bytes */

struct page {
    const struct list_query *q;
    struct json_out j;
};

/* Bytes mean nothing to who has read the snippet as a string. */
static int64_t
characters(const char *s, size_t bytes)
{
    int64_t n = 0;

    for (size_t i = 0; i < bytes; i++)
        n += ((unsigned char)s[i] & 0xc0) != 0x80;
    return n;
}

static void
put_hit(struct json_out *j, const struct search_hit *hit)
{
    json_begin_obj(j);
    json_put_ident(j, "message_id", &hit->id);
    json_put_str(j, "role", role_name((enum role)hit->role));
    json_put_time(j, "timestamp", hit->at_ms);
    json_put_strn(j, "snippet", hit->snippet, hit->snippet_len);
    json_name(j, "marks");
    json_begin_arr(j);
    for (unsigned i = 0; i < hit->n_marks; i++) {
        const struct search_mark *m = &hit->mark[i];

        json_begin_arr(j);
        json_add_i64(j, characters(hit->snippet, m->at));
        json_add_i64(j, characters(hit->snippet + m->at, m->len));
        json_end_arr(j);
    }
    json_end_arr(j);
    json_end_obj(j);
}

static bool
is_wanted(void *arg, const struct session *s)
{
    const struct page *page = arg;

    return list_query_fits(page->q, s);
}

static bool
put_found(void *arg, const struct session *s, const struct search_hit *hits,
          size_t n)
{
    struct page *page = arg;

    json_begin_obj(&page->j);
    session_put(&page->j, s);
    json_name(&page->j, "matches");
    json_begin_arr(&page->j);
    for (size_t i = 0; i < n; i++)
        put_hit(&page->j, &hits[i]);
    json_end_arr(&page->j);
    json_end_obj(&page->j);
    return true;
}

void
session_search(struct app *app, struct request *rq, const struct list_query *q)
{
    struct found_ask ask = {.search =
                                {
                                    .owner = app_owner(rq),
                                    .q = q->q,
                                    .q_len = strlen(q->q),
                                    .limit = (uint32_t)q->limit,
                                    .cursor = q->cursor,
                                },
                            .wanted = is_wanted};
    char next[SEARCH_CURSOR_MAX] = "";
    struct page page = {.q = q};
    struct problem p = {.err = OK};
    bool whole = true;
    struct buf body;
    enum err e = OK;

    buf_init(&body, FOUND_BODY_MAX);
    json_out_init(&page.j, &body);
    json_begin_obj(&page.j);
    json_name(&page.j, "sessions");
    json_begin_arr(&page.j);
    if (app_lists(rq))
        e = found_query(app->en, &ask, next, put_found, &page, &whole);
    json_end_arr(&page.j);
    json_put_str(&page.j, "next_cursor", next[0] != '\0' ? next : NULL);
    json_put_bool(&page.j, "complete", whole);
    json_end_obj(&page.j);
    if (e != OK) {
        buf_release(&body);
        found_problem(&p, e);
        app_fail(app, rq, &p);
        return;
    }
    app_json(app, rq, 200, &body);
}
